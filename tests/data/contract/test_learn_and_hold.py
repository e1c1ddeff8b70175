"""What is learned from one table holds on it, and names the rows of a later table where it does not."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any  # rows of JSON

import jsonschema
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skiff.core.errors import SkiffError
from skiff.data.contract.answers import answer_sentences, build_rules, state_rules
from skiff.data.contract.check import find_broken_rules
from skiff.data.contract.json_schema import build_schema
from skiff.data.contract.learn import carry_answers, learn_contract
from skiff.data.contract.many import compile_contract_for_tables
from skiff.data.contract.rules import Contract, Rule, build_contract
from skiff.data.contract.say import list_sentences
from skiff.data.contract.single import compile_contract

NOW_S = 1.8e9


def build_orders(n_rows: int = 600, *, seed: int = 3) -> pl.DataFrame:
    """Return orders with a key, an order of dates, a sum, a scale, a list of levels and a form."""
    random = np.random.default_rng(seed)
    ordered = [dt.date(2024, 1, 1) + dt.timedelta(days=int(day)) for day in random.integers(0, 500, n_rows)]
    goods = random.gamma(2.0, 30.0, n_rows).round(2)
    freight = random.gamma(2.0, 3.0, n_rows).round(2)
    return pl.DataFrame(
        {
            "order_no": [f"A-{20_000 + number}" for number in random.permutation(n_rows)],
            "ordered": ordered,
            "sent": [
                day + dt.timedelta(days=int(days))
                for day, days in zip(ordered, random.integers(0, 9, n_rows), strict=True)
            ],
            "goods": goods,
            "freight": freight,
            "total": (goods + freight).round(2),
            "stars": random.integers(1, 6, n_rows),
            "shop": random.choice(["Rome", "Oslo", "Graz"], n_rows),
            "email": [f"guest{number}@example.org" for number in range(n_rows)],
        }
    )


CHECK = compile_contract(learn_contract(build_orders(80), name="orders", now_s=NOW_S), now=lambda: NOW_S)


@pytest.fixture(scope="module")
def agreed() -> Contract:
    return learn_contract(build_orders(), name="orders.csv", now_s=NOW_S)


def words_of(text: str) -> set[str]:
    """Return the words of a sentence: levels as frequent as each other come in no order."""
    return {word.strip(".,") for word in text.split()}


def test_the_sentences_are_what_a_client_would_say(agreed: Contract) -> None:
    said = [sentence.text for sentence in list_sentences(agreed.rules)]
    for wanted in (
        "'ordered' is never after 'sent'.",
        "'total' is always 'goods' + 'freight'.",
        "'stars' is a whole number from 1 to 5.",
        "'shop' is one of 'Graz', 'Oslo' and 'Rome'.",
        "Every 'email' is an e-mail address.",
        "Every 'order_no' is written like A-99999 (A for any letter and 9 for any digit).",
        "'goods', 'freight' and 'total' are never negative.",
    ):
        assert any(words_of(wanted) == words_of(text) for text in said), (wanted, said)


def test_the_table_it_was_learned_from_breaks_nothing(agreed: Contract) -> None:
    assert find_broken_rules(build_orders(), agreed, now_s=NOW_S) == []


def test_another_table_of_the_same_kind_breaks_nothing_that_warns(agreed: Contract) -> None:
    later = build_orders(400, seed=11)
    assert [item for item in find_broken_rules(later, agreed, now_s=NOW_S) if item.severity != "info"] == []


SPOILED: list[tuple[str, pl.Expr, str]] = [
    ("total", pl.col("total") + 5, "schema.broken_relation"),
    ("stars", pl.lit(9), "schema.out_of_range"),
    ("goods", pl.lit(-4.0), "schema.out_of_range"),
    ("shop", pl.lit("Paris"), "schema.new_levels"),
    ("email", pl.lit("nobody"), "schema.form_changed"),
    ("order_no", pl.lit("A-30000"), "schema.repeated_key"),
    ("sent", pl.col("ordered") - pl.duration(days=2), "schema.broken_relation"),
    ("freight", pl.lit(None), "schema.new_missing"),
]


@pytest.mark.parametrize(("column", "wrong", "code"), SPOILED)
def test_each_break_is_found_with_its_rows(agreed: Contract, column: str, wrong: pl.Expr, code: str) -> None:
    is_spoiled = (pl.int_range(pl.len()) % 20) == 7
    table = build_orders().with_columns(pl.when(is_spoiled).then(wrong).otherwise(pl.col(column)).alias(column))
    found = [item for item in find_broken_rules(table, agreed, now_s=NOW_S) if item.code == code]
    assert found, code
    assert found[0].severity == "warn"
    assert set(found[0].sample_rows) <= set(range(8, 601, 20))
    assert all("nobody" not in item.what and "Paris" not in item.what for item in found)


def test_what_was_confirmed_blocks_and_what_was_rejected_is_silent(agreed: Contract) -> None:
    table = build_orders().with_columns(stars=pl.lit(9))
    number = next(
        item.number for item in list_sentences(agreed.rules) if "stars" in item.text and "1 to 5" in item.text
    )
    blocked = find_broken_rules(table, answer_sentences(agreed, [number], status="confirmed"), now_s=NOW_S)
    assert ("schema.out_of_range", "block") in {(item.code, item.severity) for item in blocked}
    silent = find_broken_rules(table, answer_sentences(agreed, [number], status="rejected"), now_s=NOW_S)
    assert silent == []


def test_a_lost_column_and_numbers_turned_to_text_are_named(agreed: Contract) -> None:
    table = build_orders().drop("shop").with_columns(goods=pl.col("goods").cast(pl.String))
    table = table.with_columns(goods=pl.when(pl.int_range(pl.len()) == 4).then(pl.lit("soon")).otherwise("goods"))
    found = {item.code: item for item in find_broken_rules(table, agreed, now_s=NOW_S)}
    assert found["schema.missing_column"].columns == ("shop",)
    assert found["schema.kind_changed"].sample_rows == (5,)
    assert "soon" not in str(found)


def test_single_rows_and_whole_tables_agree(agreed: Contract) -> None:
    table = build_orders(300, seed=5)
    spoiled = table.with_columns(
        total=pl.when(pl.int_range(pl.len()) % 7 == 0).then(pl.col("total") + 1).otherwise("total"),
        shop=pl.when(pl.int_range(pl.len()) % 11 == 0).then(pl.lit("Paris")).otherwise("shop"),
    )
    check = compile_contract(agreed, now=lambda: NOW_S)
    broken = [bool(check(row)) for row in spoiled.to_dicts()]
    assert [index for index, is_broken in enumerate(broken) if is_broken] == [
        index for index in range(300) if index % 7 == 0 or index % 11 == 0
    ]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"ordered": "2024-05-02", "sent": "2024-05-01"}, "never after"),
        ({"ordered": "2060-05-02", "sent": "2060-05-03"}, "in the future"),
        ({"stars": "many"}, "whole number"),
        ({"email": "x"}, "e-mail"),
        ({"shop": None}, "never empty"),
    ],
)
def test_a_row_of_json_is_held_too(agreed: Contract, row: dict[str, Any], what: str) -> None:
    full = {
        "order_no": "A-12345", "ordered": "2024-02-01", "sent": "2024-02-02", "goods": 10.5, "freight": 1.5, "total": 12.0,
        "stars": 3, "shop": "Rome", "email": "ada@example.org",
    }  # fmt: skip
    check = compile_contract(agreed, now=lambda: NOW_S)
    assert check(full) == []
    assert any(what in breach.what for breach in check(full | row))


@given(
    st.dictionaries(
        st.sampled_from(build_orders(80).columns),
        st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.booleans(), st.dates(), st.lists(st.integers())),
    )
)
@settings(max_examples=150, deadline=None)
def test_no_row_makes_the_checker_fail(row: dict[str, Any]) -> None:
    CHECK(row)


def test_it_survives_json_and_a_newer_format_is_refused(agreed: Contract) -> None:
    assert build_contract(agreed.as_json()) == agreed
    with pytest.raises(SkiffError, match="newer"):
        build_contract(agreed.as_json() | {"format": 99})


def test_answers_and_statements_outlive_learning_again(agreed: Contract) -> None:
    stated = state_rules(agreed, build_rules("goods", high=100.0))
    again = carry_answers(learn_contract(build_orders(seed=9), name="orders.csv", now_s=NOW_S), stated)
    rule = next(item for item in again.rules if item.key == ("maximum", ("goods",)))
    assert (rule.high, rule.status, rule.is_stated) == (100.0, "confirmed", True)
    with pytest.raises(SkiffError, match="no column 'godos'"):
        state_rules(agreed, build_rules("godos", high=1.0))
    with pytest.raises(SkiffError) as refused:
        answer_sentences(agreed, [999], status="confirmed")
    assert refused.value.code == "sentence_not_found"
    with pytest.raises(SkiffError) as nothing:
        build_rules("goods")
    assert nothing.value.code == "nothing_stated"


def test_the_json_schema_is_one_and_accepts_what_is_agreed(agreed: Contract) -> None:
    schema = build_schema(agreed)
    jsonschema.Draft202012Validator.check_schema(schema)
    row = build_orders(1).to_dicts()[0]
    row |= {"ordered": str(row["ordered"]), "sent": str(row["sent"])}
    jsonschema.validate(row, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(row | {"stars": 7}, schema)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_whatever_table_it_is_learned_from_keeps_its_contract(data: st.DataObject) -> None:
    n_rows = data.draw(st.integers(1, 140))
    numbers = st.one_of(st.none(), st.integers(-3, 6), st.floats(-1e6, 1e6))
    table = pl.DataFrame(
        {
            "a": data.draw(st.lists(numbers, min_size=n_rows, max_size=n_rows)),
            "b": data.draw(st.lists(st.one_of(st.none(), st.text(max_size=4)), min_size=n_rows, max_size=n_rows)),
            "c": data.draw(st.lists(st.one_of(st.none(), st.booleans()), min_size=n_rows, max_size=n_rows)),
            "d": data.draw(st.lists(st.one_of(st.none(), st.dates()), min_size=n_rows, max_size=n_rows)),
        },
        schema={"a": pl.Float64, "b": pl.String, "c": pl.Boolean, "d": pl.Date},
        strict=False,
    )
    learned = learn_contract(table, name="t", now_s=NOW_S)
    assert find_broken_rules(table, learned, now_s=NOW_S) == []
    assert build_contract(learned.as_json()) == learned


def test_restricting_keeps_only_what_a_model_needs(agreed: Contract) -> None:
    part = agreed.restrict_to(["goods", "stars"])
    assert {name for rule in part.rules for name in rule.columns} == {"goods", "stars"}
    assert Rule(kind="present", columns=("stars",), n=600) in part.rules


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 3, -7, 10**400, 2**60]),
    st.sampled_from([0.0, 1.0, 2.5, -0.5, 1e301, float("nan"), float("inf"), -float("inf")]),
    st.sampled_from(
        ["", " ", "yes", "3", "2.5", "Rome", "Bonn", "A-20001", "2024-02-03", "2999-01-01", "guest1@example.org"]
    ),
    st.sampled_from([dt.date(2024, 2, 3), dt.datetime(2999, 1, 1, tzinfo=dt.UTC)]),
)
"""Cells that JSON or a library may hold, right and wrong ones for every rule."""

STATED = (
    Rule(kind="past", columns=("stars",), word="year"),
    Rule(kind="past", columns=("sent",), word="date"),
    Rule(kind="type", columns=("goods",), word="yes_no"),
    Rule(kind="type", columns=("freight",), word="whole"),
    Rule(kind="type", columns=("shop",), word="words"),
    Rule(kind="type", columns=("ordered",), word="date"),
    Rule(kind="order", columns=("freight", "total")),
    Rule(kind="product", columns=("total", "goods", "freight")),
    Rule(kind="days", columns=("stars", "ordered", "sent")),
    Rule(kind="scale", columns=("stars",), low=0.0, high=3.0),
    Rule(kind="minimum", columns=("goods",), low=0.0),
    Rule(kind="maximum", columns=("freight",), high=2.5),
    *(Rule(kind=kind, columns=(name,)) for kind in ("missing", "present") for name in ("goods", "shop", "stars")),  # type: ignore[arg-type]  # two of the kinds
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_many_rows_break_together_what_they_break_one_by_one(data: st.DataObject, agreed: Contract) -> None:
    contract = replace(agreed, rules=(*agreed.rules, *STATED))
    names = agreed.columns
    usual = data.draw(st.fixed_dictionaries(dict.fromkeys(names, CELLS)))
    others = st.fixed_dictionaries({}, optional=dict.fromkeys(names, CELLS))
    rows = [{**usual, **given} for given in data.draw(st.lists(others, min_size=1, max_size=5))]
    for row in rows[: data.draw(st.integers(0, 1))]:
        del row[data.draw(st.sampled_from(names))]
    check = compile_contract(contract, now=lambda: NOW_S)
    together = compile_contract_for_tables(contract, now=lambda: NOW_S)(rows)
    assert [together.get(place, []) for place in range(len(rows))] == [check(row) for row in rows]


def test_rows_that_break_nothing_are_not_looked_at_one_by_one(agreed: Contract) -> None:
    rows = [{**row, "ordered": str(row["ordered"]), "sent": str(row["sent"])} for row in build_orders(50).to_dicts()]
    assert compile_contract_for_tables(agreed, now=lambda: NOW_S)(rows) == {}
    assert compile_contract_for_tables(agreed, now=lambda: NOW_S)([]) == {}
    spoiled = compile_contract_for_tables(agreed, now=lambda: NOW_S)([*rows, {**rows[0], "stars": 9}])
    assert {place: [breach.code for breach in breaches] for place, breaches in spoiled.items()} == {
        50: ["schema.out_of_range"]
    }
