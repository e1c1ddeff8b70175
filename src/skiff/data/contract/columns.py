"""What is so of each column by itself: there, of one type, filled, one of a few levels, of one form, never twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from skiff.data.contract.chance import MIN_EXPECTED, MIN_ROWS, expect_collisions
from skiff.data.contract.rules import Rule
from skiff.data.facts import ColumnFacts
from skiff.data.forms import FORMS
from skiff.data.headers import ENTITY, IDENTIFIER, says
from skiff.data.kinds import take_top_levels
from skiff.data.profile import MIN_SHARED
from skiff.data.semantics import fits_form

MAX_LEVELS = 30
"""Levels of a list that is complete; longer ones (towns, products) grow."""

FEW_LEVELS = 8
"""The same where the header names customers, orders or codes: there will be more of them, unless they are kinds."""

MAX_GAPS = 0.75
"""Share of empty cells above which no limit to them is worth agreeing on."""

SHARE_STEPS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9)
"""Shares that people say."""

GAP_ROOM = 1.25
"""How much larger than now the share of empty cells may become, besides what chance adds."""

SHAPE_SAMPLE = 2_000
"""Cells in which a second shape would show itself; only then all are looked at."""

SHAPE_DISTINCT = 20
"""Different codes before their shape is one."""

LETTER, DIGIT = r"\p{L}", r"\p{N}"
SIGNS = r"^[\p{L}\p{N}#/_.:-]+$"
"""A code has no blanks."""


def learn_column(fact: ColumnFacts, *, semantic: str) -> Iterator[Rule]:
    """Yield what is so of one column by itself, apart from limits (`skiff.data.contract.limits`)."""
    yield Rule(kind="present", columns=(fact.name,), n=fact.n_rows)
    if fact.n_known == 0:
        return
    yield Rule(kind="type", columns=(fact.name,), word=name_type(fact), n=fact.n_known)
    if fact.n_rows >= MIN_ROWS:
        yield from _learn_gaps(fact)
    if fact.n_known < MIN_ROWS:
        return
    if is_unique(fact, semantic=semantic):
        yield Rule(kind="unique", columns=(fact.name,), n=fact.n_known)
    if fact.kind == "category":
        yield from _learn_levels(fact)
    if fact.series.dtype == pl.String:
        yield from _learn_form(fact, semantic=semantic)


def name_type(fact: ColumnFacts) -> str:
    """Return what the cells are, as `skiff.data.contract.say.TYPES` names it.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> facts = gather_facts(pl.DataFrame({"price": [1.5, 2.0], "nights": [1.0, 2.0], "city": ["Rome", "Oslo"]}))
    >>> [name_type(fact) for fact in facts.values()]
    ['number', 'whole', 'words']
    """
    if fact.kind == "number":
        is_whole = fact.series.dtype.is_integer() or bool((fact.runs[0] % 1.0 == 0.0).all())
        return "whole" if is_whole and fact.n_numbers else "number"
    if fact.kind == "date":
        return "date" if fact.series.dtype == pl.Date or bool((fact.runs[0] % 86_400.0 == 0.0).all()) else "time"
    return {"boolean": "yes_no", "category": "words", "text": "text"}[fact.kind]


def is_unique(fact: ColumnFacts, *, semantic: str) -> bool:
    """Whether no value comes twice, and neither chance nor mere length explains it.

    Measured quantities and prose differ from row to row by themselves; whole numbers do where there are few rows for
    their range, unless the header calls them a number of something.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> facts = gather_facts(pl.DataFrame({"ticket": range(100), "weight": [7_000_000 - 977 * n for n in range(100)]}))
    >>> [is_unique(fact, semantic="") for fact in facts.values()]
    [True, False]
    """
    if fact.n_distinct != fact.n_known or fact.n_known < MIN_ROWS or fact.kind in ("text", "boolean"):
        return False
    if semantic in ("id", "uuid", "email"):
        return True
    if fact.kind == "category":
        return says(fact.name, IDENTIFIER) or _looks_like_codes(fact.series)
    step = 86_400.0 if name_type(fact) == "date" else 1.0
    if name_type(fact) not in ("whole", "date"):
        return False
    places = (float(fact.runs[0][-1]) - float(fact.runs[0][0])) / step + 1.0
    return expect_collisions(fact.n_known, 1.0 / places) >= MIN_EXPECTED


def _looks_like_codes(column: pl.Series) -> bool:
    cells = column.drop_nulls().head(SHAPE_SAMPLE)
    return bool((cells.str.contains(DIGIT) & cells.str.contains(SIGNS)).all())


def _learn_gaps(fact: ColumnFacts) -> Iterator[Rule]:
    share = fact.n_missing / fact.n_rows
    if fact.n_missing == 0:
        yield Rule(kind="missing", columns=(fact.name,), n=fact.n_rows)
        return
    noise = 3.0 * (share * (1.0 - share) / fact.n_rows) ** 0.5
    allowed = next((step for step in SHARE_STEPS if step >= GAP_ROOM * share + noise), 1.0)
    if allowed <= MAX_GAPS:
        yield Rule(kind="missing", columns=(fact.name,), high=allowed, n=fact.n_rows)


def _learn_levels(fact: ColumnFacts) -> Iterator[Rule]:
    """Yield the list of levels where it is complete: each is shared, and none was met only a few times."""
    levels = fact.levels
    most = FEW_LEVELS if says(fact.name, ENTITY) or says(fact.name, IDENTIFIER) else MAX_LEVELS
    if not 1 <= levels.height <= most:
        return
    if int(levels["n"].min() or 0) >= MIN_SHARED:  # type: ignore[arg-type]  # Int64, by `count_levels`
        named = tuple(take_top_levels(levels, MAX_LEVELS)["level"].to_list())
        yield Rule(kind="levels", columns=(fact.name,), levels=named, n=fact.n_known)


def _learn_form(fact: ColumnFacts, *, semantic: str) -> Iterator[Rule]:
    if semantic in FORMS:
        if fits_form(fact.levels["level"], semantic):
            yield Rule(kind="form", columns=(fact.name,), word=semantic, n=fact.n_known)
        return
    shape = find_shape(fact.series)
    if shape and fact.n_distinct >= SHAPE_DISTINCT:
        yield Rule(kind="form", columns=(fact.name,), word=shape, n=fact.n_known)


def find_shape(column: pl.Series) -> str:
    """Return the one shape that all codes of a column have, letters as A and digits as 9; empty where there are several.

    Examples
    --------
    >>> find_shape(pl.Series(["B-1001", "B-1002", "C-2001"])), find_shape(pl.Series(["B-1001", "B-999"]))
    ('A-9999', '')
    """
    cells = column.drop_nulls()
    first = _shapes_of(cells.head(SHAPE_SAMPLE))
    if len(first) != 1 or "9" not in first[0] or len(first[0]) < 4 or not first[0].isascii():  # noqa: PLR2004  shorter is no code
        return ""
    if any(sign.isspace() for sign in first[0]):
        return ""
    pattern = "".join({"A": LETTER, "9": DIGIT}.get(sign) or re.escape(sign) for sign in first[0])
    return first[0] if cells.str.contains(f"^(?:{pattern})$").all() else ""


def write_shape(column: pl.Expr) -> pl.Expr:
    """Return the shapes of texts as an expression."""
    return column.str.replace_all(LETTER, "A").str.replace_all(DIGIT, "9")


def _shapes_of(cells: pl.Series) -> list[str]:
    return cells.to_frame("cell").select(write_shape(pl.col("cell")).unique())["cell"].to_list()
