"""Rows answered together get what each gets alone: the same answer, the same row in the log, the same refusal."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skiff.core.errors import SkiffError
from skiff.core.sheet import Sheet
from skiff.data.contract.many import compile_contract_for_tables
from skiff.data.contract.rules import Contract, Rule
from skiff.data.contract.single import compile_contract
from skiff.deploy.runtime import Runtime
from skiff.flows.answered import Answered
from skiff.flows.desk import Desk, Shares
from skiff.flows.standing import Cells, Standing
from skiff.store.predictions.ids import IdMaker
from skiff.store.predictions.keeping import plan_keeping
from skiff.store.predictions.records import PredictionRow

from .conftest import INPUTS, build_model

AT = 1_700_000_000_000_000
NAMES = tuple(column.name for column in INPUTS)
AGREED = Contract(
    name="bookings",
    columns=NAMES,
    rows=100,
    rules=(
        Rule(kind="minimum", columns=("price",), low=0.0, status="confirmed"),
        Rule(kind="levels", columns=("channel",), levels=("web", "phone"), status="confirmed"),
        Rule(kind="missing", columns=("lead_days",), status="confirmed"),
    ),
)
CELLS = {
    "lead_days": st.sampled_from([40.0, 3, None, True, "7.5", " ", 2**70]),
    "price": st.sampled_from([120.5, None, -0.0, -3, "1e3"]),
    "channel": st.sampled_from(["web", "phone", "agency", "größe", None, 3, 2.0, False, ""]),
}
WRONG = st.sampled_from([("lead_days", "soon"), ("price", "inf"), ("price", 10**400), ("channel", None)])


def build_desk(*, control: float = 0.0, keep: str = "all") -> Desk:
    """Return a desk with a contract."""
    standing = Standing(
        number=1,
        manifest={},
        runtime=Runtime(build_model(), workers=1),
        keep=plan_keeping(keep, NAMES, hash_key=b"k"),  # type: ignore[arg-type]  # one of the ways
        check=compile_contract(AGREED),
        check_table=compile_contract_for_tables(AGREED),
    )
    return Desk(standing, ids=IdMaker(process="00beef"), clock=lambda: AT, shares=Shares(control=control))


DESKS = [build_desk(), build_desk(control=0.5, keep="hashed")]


def answer(desk: Desk, rows: list[Cells] | Sheet, keys: list[str | None]) -> tuple[list[Answered], list[PredictionRow]]:
    """Return answers and log rows without what may differ: ids, the last digit of a chance, the order of columns in JSON."""
    answered, logged = desk.answer(rows, keys=keys, subjects=[None] * len(rows))
    for item in answered:
        item.id, item.probability = "", round(item.probability or 0.0, 12)
    plain = [
        row._replace(
            id="", value=round(row.value or 0.0, 12), inputs=json.dumps(json.loads(row.inputs or ""), sort_keys=True)
        )
        for row in logged
    ]
    return answered, plain


@settings(max_examples=150, deadline=None)
@given(data=st.data(), rows=st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=12))
def test_rows_get_together_what_they_get_one_by_one(data: st.DataObject, rows: list[Cells]) -> None:
    desk = data.draw(st.sampled_from(DESKS))
    keys: list[str | None] = [f"B-{place}" for place in range(len(rows))]
    alone = [answer(desk, [row], [key]) for row, key in zip(rows, keys, strict=True)]
    sheet = Sheet(NAMES, [[row[name] for row in rows] for name in NAMES])
    for together in (rows, sheet, [{**row, "more": 1} for row in rows]):
        answered, logged = answer(desk, together, keys)
        assert answered == [item for (item,), _ in alone]
        assert logged == [row for _, (row,) in alone]
        assert (
            msgspec.json.encode(answered) == b"[" + b",".join(msgspec.json.encode(item) for (item,), _ in alone) + b"]"
        )


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.fixed_dictionaries(CELLS), min_size=2, max_size=6),
    place=st.integers(0, 5),
    wrong=WRONG,
    is_lacking=st.booleans(),
)
def test_a_wrong_cell_is_named_by_row_and_column(
    rows: list[dict[str, object]], place: int, wrong: tuple[str, object], is_lacking: bool
) -> None:
    place %= len(rows)
    name, cell = wrong
    rows[place] = {
        column: value for column, value in {**rows[place], name: cell}.items() if column != name or not is_lacking
    }
    sheets = [Sheet(NAMES, [[row[column] for row in rows] for column in NAMES])] if not is_lacking else []
    for together in (rows, *sheets):
        if name == "channel" and not is_lacking:
            assert len(answer(DESKS[0], together, [None] * len(rows))[0]) == len(rows)
            continue
        with pytest.raises(SkiffError) as caught:
            answer(DESKS[0], together, [None] * len(rows))
        assert caught.value.code == ("missing_column" if is_lacking else "bad_value")
        assert caught.value.where == {"column": name, "row": place + 1}


def test_columns_that_are_kept_are_kept_of_sheets_too() -> None:
    desk = build_desk()
    rows: list[Cells] = [{"lead_days": 1, "price": "a\nb", "channel": None}] * 2
    sheet = Sheet(NAMES, [[row[name] for row in rows] for name in NAMES])
    for keep in ("none", "hashed", ("price",), "all"):
        kept = plan_keeping(keep, NAMES, hash_key=b"k")  # type: ignore[arg-type]  # one of the ways
        assert kept.keep_rows(sheet) == kept.keep_rows(rows) == [kept(row) for row in rows]
    assert json.loads(desk.champion.keep.keep_rows(sheet)[0] or "") == rows[0]
    turned = [dict(reversed(row.items())) for row in rows]
    whole = plan_keeping("all", NAMES)
    assert whole.keep_rows(turned) == [whole(row) for row in turned] == whole.keep_rows(sheet)  # in the model's order
    other = replace(desk.champion, keep=plan_keeping("none", NAMES))
    assert other.keep.keep_rows([]) == []
