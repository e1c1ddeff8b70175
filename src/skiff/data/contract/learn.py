"""Learn a contract from one table, and keep what a person said of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from skiff.data.contract.chance import MIN_ROWS
from skiff.data.contract.columns import learn_column
from skiff.data.contract.keys import learn_keys
from skiff.data.contract.limits import learn_limits
from skiff.data.contract.orders import learn_orders
from skiff.data.contract.rules import Contract, Rule
from skiff.data.contract.totals import learn_totals
from skiff.data.facts import ColumnFacts, gather_facts
from skiff.data.semantics import guess_semantic

NO_AMOUNTS = frozenset({"id", "postcode", "latitude", "longitude"})
"""Numbers that are not compared or added up."""


def learn_contract(
    frame: pl.DataFrame,
    *,
    name: str,
    now_s: float,
    facts: Mapping[str, ColumnFacts] | None = None,
    units: Mapping[str, str] | None = None,
) -> Contract:
    """Return what is so in every row of a table, as rules to confirm.

    Parameters
    ----------
    frame : polars.DataFrame
        Typed table.
    name : str
        Of the table.
    now_s : float
        The present, in seconds since 1970-01-01: dates up to it are not in the future.
    facts : mapping, optional
        What `gather_facts` counted, where it has been done already.
    units : mapping of str to str, optional
        Signs taken off when the file was read (``%``, ``EUR`` …), by column.

    Notes
    -----
    With fewer than sixty rows only columns and types are agreed on. A rule is proposed only where it holds without an
    exception; one that a few mistakes break is for `skiff.data.checks` to find.

    Examples
    --------
    >>> stays = pl.DataFrame({"booking": range(1, 101), "nights": [1, 2, 3, 7, 14] * 20, "price": [80.5, 120.0] * 50})
    >>> agreed = learn_contract(stays, name="stays", now_s=1.8e9)
    >>> [(rule.kind, rule.columns) for rule in agreed.rules if rule.kind in ("unique", "minimum")]
    [('unique', ('booking',)), ('minimum', ('nights',)), ('minimum', ('price',))]
    """
    known = facts if facts is not None else gather_facts(frame)
    semantics = {column: guess_semantic(known[column], unit=(units or {}).get(column, "")) for column in frame.columns}
    rules: list[Rule] = []
    for column in frame.columns:
        rules += learn_column(known[column], semantic=semantics[column])
        if known[column].is_quantity:
            rules += learn_limits(known[column], semantic=semantics[column], now_s=now_s)
    if frame.height >= MIN_ROWS:
        rules += _learn_between(frame, known, semantics=semantics, rules=rules)
    return Contract(name=name, columns=tuple(frame.columns), rows=frame.height, rules=_drop_needless(rules))


def _learn_between(
    frame: pl.DataFrame, facts: Mapping[str, ColumnFacts], *, semantics: Mapping[str, str], rules: list[Rule]
) -> list[Rule]:
    """Return what is so between columns of one row."""
    amounts = [
        name
        for name, fact in facts.items()
        if fact.is_quantity and semantics[name] not in NO_AMOUNTS and fact.n_known >= MIN_ROWS
    ]
    orders = learn_orders(facts, amounts)
    # That a price has always been more than its year says nothing.
    same = (rule for rule in orders if len({semantics[name] == "year" for name in rule.columns}) == 1)
    found = [*learn_totals(facts, amounts), *same]
    if not any(rule.kind == "unique" for rule in rules):
        found += learn_keys(frame, facts, semantics=semantics)
    return found


def _drop_needless(rules: list[Rule]) -> tuple[Rule, ...]:
    """Return the rules without what others say better: a part is less than its total, a code is no list of words."""
    inside = {(part, rule.columns[0]) for rule in rules if rule.kind == "sum" for part in rule.columns[1:]}
    spans = {rule.columns[1:] for rule in rules if rule.kind == "days"}
    totals = {rule.columns[0] for rule in rules if rule.kind in ("sum", "product", "days")}
    return tuple(
        rule
        for rule in rules
        if not (rule.kind == "order" and (rule.columns in inside or rule.columns in spans))
        and not (rule.kind == "maximum" and rule.columns[0] in totals)
    )


def carry_answers(learned: Contract, known: Contract) -> Contract:
    """Return newly learned rules with what a person said of the earlier ones.

    What was confirmed or stated stays as it was, even if the new table breaks it; what was rejected stays rejected.

    Examples
    --------
    >>> old = Contract(name="stays", columns=("price",), rows=80, rules=(
    ...     Rule(kind="maximum", columns=("price",), high=900.0, status="confirmed", is_stated=True),))
    >>> new = Contract(name="stays", columns=("price",), rows=400, rules=(
    ...     Rule(kind="maximum", columns=("price",), high=1500.0, n=400),))
    >>> carry_answers(new, old).rules[0].high
    900.0
    """
    answered = {rule.key: rule for rule in known.rules if rule.status != "proposed"}
    fresh = {rule.key for rule in learned.rules}
    merged = [_carry(rule, answered.get(rule.key)) for rule in learned.rules]
    merged += [rule for key, rule in answered.items() if key not in fresh]
    return replace(learned, name=known.name, rules=tuple(merged))


def _carry(rule: Rule, before: Rule | None) -> Rule:
    if before is None:
        return rule
    return before if before.is_stated or before.status == "confirmed" else replace(rule, status=before.status)
