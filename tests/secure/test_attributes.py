"""A model that remembers people is told from one that knows what goes together."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from skiff.core.signature import InputColumn
from skiff.secure.answers import Suspect
from skiff.secure.attributes import Attributes, People, measure_attributes

INPUTS = (
    InputColumn(name="sick", kind="category", levels=("no", "yes")),
    InputColumn(name="age", kind="number"),
    InputColumn(name="ill", kind="boolean"),
)


def build_people(n_rows: int = 2_400) -> People:
    random = np.random.default_rng(0)
    rows = pl.DataFrame(
        {
            "sick": random.choice(["no", "yes"], n_rows),
            "age": random.permutation(n_rows) + 0.0,
            "ill": random.random(n_rows) < 0.5,
        }
    )
    return People(rows=rows, y=(random.random(n_rows) < 0.5).astype(np.float64))


def attack(remembered: int, columns: list[str]) -> Attributes:
    """Attack a model that knows the first people by heart and nothing of the others."""
    people = build_people()
    ages = set(people.rows["age"][:remembered].to_list())
    known = {
        (sick, age): y
        for sick, age, y in zip(people.rows["sick"], people.rows["age"], people.y, strict=True)
        if age in ages
    }

    def ask(frame: pl.DataFrame) -> NDArray[np.float64]:
        p = np.array([known.get((sick, age), 0.5) for sick, age in zip(frame["sick"], frame["age"], strict=True)])
        p = np.clip(p, 0.01, 0.99)
        return np.stack([1 - p, p], axis=1)

    half = len(people.y) // 2
    learned, others = people.take(np.arange(half)), people.take(np.arange(half, 2 * half))
    return measure_attributes(Suspect(ask=ask, kind="binary", inputs=INPUTS), learned, others, columns)


def test_a_model_that_knows_people_by_heart_is_red() -> None:
    found = attack(1_200, ["sick"])
    assert found.light == "red"
    assert found.columns[0].gap.value > 0.3


def test_a_model_that_knows_nobody_is_green() -> None:
    found = attack(0, ["sick", "ill"])
    assert found.light == "green"
    assert [item.column for item in found.columns] == ["sick", "ill"]


def test_columns_without_levels_are_said_to_be_untried() -> None:
    found = attack(0, ["age", "nowhere"])
    assert found.light is None
    assert found.untried == ("age", "nowhere")


def test_few_people_are_too_few() -> None:
    people = build_people(150)
    flat = Suspect(ask=lambda frame: np.full((frame.height, 2), 0.5), kind="binary", inputs=INPUTS)
    assert measure_attributes(flat, people, people, ["sick"]).light is None


def build_seen(n_rows: int, values: list[str | None], *, seed: int) -> People:
    random = np.random.default_rng(seed)
    sick = [values[place] for place in random.integers(0, len(values), n_rows)]
    rows = pl.DataFrame({"sick": sick, "age": random.normal(size=n_rows), "ill": random.random(n_rows) < 0.5})
    return People(rows=rows, y=(random.random(n_rows) < 0.5).astype(np.float64))


def test_a_value_that_nobody_had_who_was_learned_from_is_left_out() -> None:
    flat = Suspect(ask=lambda frame: np.full((frame.height, 2), 0.5), kind="binary", inputs=INPUTS)
    learned, others = build_seen(900, ["no", "yes"], seed=0), build_seen(900, ["no", "yes", "unknown"], seed=1)
    found = measure_attributes(flat, learned, others, ["sick"]).columns[0]
    assert found.gap.n < 900 + 0.4 * 900


def test_a_column_that_is_empty_nearly_everywhere_is_untried() -> None:
    flat = Suspect(ask=lambda frame: np.full((frame.height, 2), 0.5), kind="binary", inputs=INPUTS)
    full, empty = build_seen(900, ["no", "yes"], seed=0), build_seen(900, ["no", "yes", *[None] * 18], seed=1)
    for learned, others in ((full, empty), (empty, full)):
        found = measure_attributes(flat, learned, others, ["sick"])
        assert found.light is None
        assert found.untried == ("sick",)


@pytest.mark.parametrize("seed", range(4))
def test_small_tables_are_not_red_by_chance(seed: int) -> None:
    random = np.random.default_rng(seed)
    answers = random.random(10_000)
    inputs = tuple(InputColumn(name=f"c{place}", kind="category", levels=("no", "yes")) for place in range(6))

    def build(n_rows: int) -> People:
        rows = pl.DataFrame({column.name: random.choice(["no", "yes"], n_rows) for column in inputs})
        return People(rows=rows, y=(random.random(n_rows) < 0.5).astype(np.float64))

    def ask(frame: pl.DataFrame) -> NDArray[np.float64]:
        p = answers[: frame.height] if frame.height < len(answers) else np.full(frame.height, 0.5)
        return np.stack([1 - p, p], axis=1)

    found = measure_attributes(
        Suspect(ask=ask, kind="binary", inputs=inputs), build(220), build(420), [c.name for c in inputs]
    )
    assert found.light in {"green", None}


def test_values_are_attacked_by_how_near_they_come() -> None:
    people = build_people()
    truth = people.rows["age"].to_numpy() / 100 + 5.0 * (people.rows["sick"] == "yes").to_numpy()
    told = Suspect(
        ask=lambda frame: frame["age"].to_numpy() / 100 + 5.0 * (frame["sick"] == "yes").to_numpy(),
        kind="regression",
        inputs=INPUTS,
    )
    valued = People(rows=people.rows, y=truth)
    half = len(truth) // 2
    found = measure_attributes(told, valued.take(np.arange(half)), valued.take(np.arange(half, 2 * half)), ["sick"])
    assert found.columns[0].with_model > 0.99
    assert found.light == "green"  # it tells as much about people it never saw
