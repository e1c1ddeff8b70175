"""Only what a person can change is changed, and only to what people really have."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from skiff.core.signature import InputColumn
from skiff.secure.answers import Suspect
from skiff.secure.evasion import MODEST, measure_evasion

INPUTS = (
    InputColumn(name="income", kind="number"),
    InputColumn(name="age", kind="number"),
    InputColumn(name="city", kind="category", levels=("Oslo", "Rome", "Bergen")),
    InputColumn(name="since", kind="date"),
    InputColumn(name="remark", kind="text"),
)


def build_people(n_rows: int = 300, *, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "income": random.gamma(3.0, 10.0, n_rows).round(1),
            "age": random.integers(18, 90, n_rows),
            "city": random.choice(["Oslo", "Rome", "Bergen"], n_rows),
            "since": [date(2020, 1, 1) + timedelta(days=int(days)) for days in random.integers(0, 900, n_rows)],
            "remark": ["as agreed"] * n_rows,
        }
    )


class Watched:
    """A model that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[pl.DataFrame] = []

    def __call__(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        self.asked.append(frame)
        score = frame["income"].to_numpy() / 30 - frame["age"].to_numpy() / 60 + (frame["city"] == "Rome").to_numpy()
        p = 1 / (1 + np.exp(-(score - 0.5)))
        return np.stack([1 - p, p], axis=1)


def test_no_question_leaves_what_is_possible() -> None:
    people, model = build_people(), Watched()
    measure_evasion(Suspect(ask=model, kind="binary", inputs=INPUTS), people, people, immutable=["age"], seed=1)
    everything = pl.concat(model.asked)
    for name in ("income", "city", "since"):
        assert set(everything[name].unique()) <= set(people[name].unique())
    assert everything["remark"].unique().to_list() == ["as agreed"]
    chosen = model.asked[0]
    for asked in model.asked[1 : 1 + 3]:  # the first round asks one column after the other, all rows for each value
        ages = asked["age"].to_numpy().reshape(-1, chosen.height)
        assert (ages == chosen["age"].to_numpy()).all()


def test_shares_grow_with_the_number_of_cells_and_stay_below_any_value_at_all() -> None:
    people = build_people()
    found = measure_evasion(Suspect(ask=Watched(), kind="binary", inputs=INPUTS), people, people)
    shares = [item.value for item in found.flipped]
    assert shares == sorted(shares)
    assert found.anyhow is not None
    assert shares[0] <= found.anyhow.value
    assert found.distance is None or found.distance <= MODEST
    assert found.untouched == ("remark",)


def test_red_needs_somebody_to_have_said_what_cannot_change() -> None:
    people = build_people()
    city = Suspect(
        ask=lambda frame: np.stack([(frame["city"] != "Rome").to_numpy(), (frame["city"] == "Rome").to_numpy()], axis=1) * 1.0,
        kind="binary",
        inputs=INPUTS,
    )  # fmt: skip
    assert measure_evasion(city, people, people).light == "amber"
    assert measure_evasion(city, people, people, immutable=["age"]).light == "red"
    assert measure_evasion(city, people, people, immutable=["city"]).light == "green"


def test_several_classes_and_empty_cells_are_attacked_too() -> None:
    people = build_people().with_columns(income=pl.when(pl.col("age") > 80).then(None).otherwise(pl.col("income")))

    def ask(frame: pl.DataFrame) -> NDArray[np.float64]:
        income = frame["income"].fill_null(0).to_numpy() / 30
        return np.asarray(np.stack([np.full(frame.height, 0.8), income, income**2], axis=1))

    found = measure_evasion(Suspect(ask=ask, kind="multiclass", inputs=INPUTS), people, people)
    assert found.columns[0][0] == "income"
    assert found.flipped[-1].value > 0.3


def test_a_column_may_be_called_count() -> None:
    people = build_people().rename({"city": "count"})
    inputs = tuple(
        InputColumn(name="count" if one.name == "city" else one.name, kind=one.kind, levels=one.levels)
        for one in INPUTS
    )
    rome = Suspect(
        ask=lambda frame: np.stack([frame["count"] != "Rome", frame["count"] == "Rome"], axis=1) * 1.0,
        kind="binary",
        inputs=inputs,
    )
    assert measure_evasion(rome, people, people).columns[0][0] == "count"


def test_where_people_can_change_text_only_nothing_is_said() -> None:
    people = build_people()
    flat = Suspect(ask=lambda frame: np.full((frame.height, 2), 0.5), kind="binary", inputs=INPUTS)
    names = [column.name for column in INPUTS if column.kind != "text"]
    assert measure_evasion(flat, people, people, immutable=names).light is None
    text = Suspect(ask=flat.ask, kind="binary", inputs=INPUTS[-1:])
    assert measure_evasion(text, people, people).light is None


def test_thirty_rows_are_needed_and_nothing_to_change_turns_nothing() -> None:
    people = build_people(20)
    assert measure_evasion(Suspect(ask=Watched(), kind="binary", inputs=INPUTS), people, people).light is None
    people = build_people(60)
    names = [column.name for column in INPUTS]
    fixed = measure_evasion(Suspect(ask=Watched(), kind="binary", inputs=INPUTS), people, people, immutable=names)
    assert fixed.light == "green"
    assert [item.value for item in fixed.flipped] == [0, 0, 0]
