"""In which rows of a table a rule does not hold: one mask for each kind of rule, over whole columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from skiff.data.contract.columns import write_shape
from skiff.data.contract.rules import DAY_S, DUST, Rule, RuleKind, year_of
from skiff.data.contract.totals import sum_parts
from skiff.data.facts import ColumnFacts
from skiff.data.forms import FORMS, has_form

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Bool = NDArray[np.bool_]

Facts: TypeAlias = Mapping[str, ColumnFacts]


def find_exceptions(rule: Rule, facts: Facts, *, now_s: float) -> Bool:
    """Return in which rows a rule does not hold; a row with an empty cell where the rule needs one is no exception.

    Parameters
    ----------
    rule : Rule
        Any but ``present``; its columns must be there, and of a type that it can be asked of.
    facts : mapping of str to ColumnFacts
    now_s : float
        The present, in seconds since 1970-01-01.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> facts = gather_facts(pl.DataFrame({"price": [80.0, -1.0, None]}))
    >>> find_exceptions(Rule(kind="minimum", columns=("price",), low=0.0), facts, now_s=0.0).tolist()
    [False, True, False]
    """
    with np.errstate(invalid="ignore", over="ignore"):
        return _MASKS[rule.kind](rule, facts, now_s)


def can_ask(rule: Rule, facts: Facts) -> bool:
    """Whether the columns of a rule are there, filled, and numbers, dates or words as the rule needs them."""
    if any(name not in facts for name in rule.columns):
        return False
    if rule.kind in ("missing", "type", "unique"):
        return True
    known = [facts[name] for name in rule.columns if facts[name].n_known]
    if len(known) < len(rule.columns) and rule.kind != "sum":
        return False
    if rule.kind in ("levels", "form"):
        return all(fact.series.dtype == pl.String for fact in known)
    return all(fact.is_quantity or fact.kind == "boolean" for fact in known)


def _miss(rule: Rule, facts: Facts, now_s: float) -> Bool:
    del now_s
    return ~facts[rule.columns[0]].filled


def _repeat(rule: Rule, facts: Facts, now_s: float) -> Bool:
    """Mark every row after the first with the same key; a key with an empty cell is none."""
    del now_s
    table = pl.DataFrame([facts[name].series for name in rule.columns])
    known = np.logical_and.reduce([facts[name].filled for name in rule.columns])
    made: Bool = ~table.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy() & known
    return made


def _fall_short(rule: Rule, facts: Facts, now_s: float) -> Bool:
    del now_s
    made: Bool = facts[rule.columns[0]].floats() < (rule.low or 0.0)
    return made


def _exceed(rule: Rule, facts: Facts, now_s: float) -> Bool:
    del now_s
    made: Bool = facts[rule.columns[0]].floats() > (rule.high or 0.0)
    return made


def _leave_scale(rule: Rule, facts: Facts, now_s: float) -> Bool:
    made = _fall_short(rule, facts, now_s) | _exceed(rule, facts, now_s)
    if rule.word == "share":
        return made
    return made | _have_decimals(facts[rule.columns[0]].floats())


def _have_decimals(numbers: Float) -> Bool:
    made: Bool = np.isfinite(numbers) & (numbers % 1.0 != 0.0)
    return made


def _lie_ahead(rule: Rule, facts: Facts, now_s: float) -> Bool:
    numbers = facts[rule.columns[0]].floats()
    made: Bool = numbers > (year_of(now_s) if rule.word == "year" else now_s)
    return made


def _stray(rule: Rule, facts: Facts, now_s: float) -> Bool:
    del now_s
    fact = facts[rule.columns[0]]
    strange = fact.levels.filter(~pl.col("level").is_in(list(rule.levels)))["level"]
    return _mark(fact, strange)


def _misform(rule: Rule, facts: Facts, now_s: float) -> Bool:
    del now_s
    fact = facts[rule.columns[0]]
    levels = fact.levels["level"]
    if rule.word in FORMS:
        fits = pl.Series([cell is None or has_form(cell, rule.word) for cell in levels], dtype=pl.Boolean)
    else:
        fits = levels.to_frame("cell").select(write_shape(pl.col("cell")) == rule.word).to_series()
    return _mark(fact, levels.filter(~fits))


def _mark(fact: ColumnFacts, cells: pl.Series) -> Bool:
    if not cells.len():
        return np.zeros(fact.n_rows, dtype=bool)
    made: Bool = fact.series.is_in(cells.implode()).fill_null(value=False).to_numpy()
    return made


def _mistype(rule: Rule, facts: Facts, now_s: float) -> Bool:
    del now_s
    fact = facts[rule.columns[0]]
    if not fact.n_known or is_of_type(fact, rule.word):
        return np.zeros(fact.n_rows, dtype=bool)
    if rule.word == "whole" and fact.kind == "number":
        return _have_decimals(fact.floats())
    if rule.word in ("whole", "number") and fact.series.dtype == pl.String:
        # One stray word makes text of a whole column: name the cells that are no numbers.
        made: Bool = fact.filled & fact.series.cast(pl.Float64, strict=False).is_null().to_numpy()
        return made
    return fact.filled


def is_of_type(fact: ColumnFacts, word: str) -> bool:
    """Whether a filled column is what a ``type`` rule says, or narrower: whole numbers are numbers, words are text.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> facts = gather_facts(pl.DataFrame({"nights": [1, 2], "price": [1.5, 2.0]}))
    >>> is_of_type(facts["nights"], "number"), is_of_type(facts["price"], "whole")
    (True, False)
    """
    if word == "number":
        return fact.kind in ("number", "boolean")
    if word == "whole":
        return fact.kind == "boolean" or (fact.kind == "number" and bool((fact.runs[0] % 1.0 == 0.0).all()))
    if word == "yes_no":
        if fact.series.dtype == pl.String:  # the two words are kept where they are the answer to predict
            return fact.n_distinct <= 2  # noqa: PLR2004  yes and no
        return fact.kind == "boolean" or (fact.kind == "number" and set(fact.runs[0].tolist()) <= {0.0, 1.0})
    if word in ("date", "time"):
        return fact.kind == "date"
    return fact.series.dtype == pl.String or fact.kind == "boolean"


def _disorder(rule: Rule, facts: Facts, now_s: float) -> Bool:
    del now_s
    first, second = (facts[name].floats() for name in rule.columns)
    made: Bool = first > second
    return made


def _miscount(rule: Rule, facts: Facts, now_s: float) -> Bool:
    del now_s
    total, *parts = (facts[name].floats() for name in rule.columns)
    if rule.kind == "sum":
        made = sum_parts(parts)
    elif rule.kind == "product":
        made = np.prod(np.stack(parts), axis=0)
    else:
        made = np.floor(parts[1] / DAY_S) - np.floor(parts[0] / DAY_S)
    found: Bool = np.abs(total - made) > (rule.high or 0.0) + DUST * np.abs(total)  # NaN compares false, as it should
    return found


_MASKS: Mapping[RuleKind, Callable[[Rule, Facts, float], Bool]] = {
    "missing": _miss,
    "type": _mistype,
    "unique": _repeat,
    "minimum": _fall_short,
    "maximum": _exceed,
    "scale": _leave_scale,
    "past": _lie_ahead,
    "levels": _stray,
    "form": _misform,
    "order": _disorder,
    "sum": _miscount,
    "product": _miscount,
    "days": _miscount,
}
