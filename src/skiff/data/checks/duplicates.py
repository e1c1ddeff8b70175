"""Rows that are there more than once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from skiff.core.finding import Finding
from skiff.data.facts import ColumnFacts
from skiff.data.rows import code_rows, number_rows
from skiff.data.sentences import count_rows, say_share
from skiff.data.splits import Split

FREQUENT = 0.01
"""Share of repeated rows from which someone should ask."""


def find_duplicate_rows(
    frame: pl.DataFrame, facts: Mapping[str, ColumnFacts], *, split: Split | None = None
) -> list[Finding]:
    """Find rows that are equal to an earlier one in every cell.

    A table whose few columns have few values repeats itself naturally; that is said and not held against it.

    Parameters
    ----------
    frame : polars.DataFrame
    facts : mapping of str to ColumnFacts
    split : Split, optional
        Where given, it is said whether copies are on both of its sides.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> bills = pl.DataFrame({"bill": [float(bill) for bill in range(50)] + [7.0], "table": [1] * 51})
    >>> [(finding.rows, finding.sample_rows) for finding in find_duplicate_rows(bills, gather_facts(bills))]
    [(1, (51,))]
    """
    codes = code_rows(frame)
    coded = pl.Series(codes)
    first = coded.is_first_distinct().to_numpy()
    n_repeated = int((~first).sum())
    if not n_repeated:
        return []
    share = n_repeated / frame.height
    is_natural = count_combinations(facts) < 10.0 * frame.height  # ten cells per row: repeats are to be expected
    n_divided = _count_divided(coded, split, repeated=coded.filter(pl.Series(~first)).unique()) if split else 0
    kept_together = "" if split is None or n_divided else " For the test Skiff keeps copies on one side."
    return [
        Finding(
            code="quality.duplicate_rows",
            severity="warn" if share >= FREQUENT and not is_natural else "info",
            rows=n_repeated,
            sample_rows=number_rows(~first),
            evidence={"share": share, "different_rows": frame.height - n_repeated}
            | ({"test_rows_also_in_train": n_divided} if split else {}),
            what=f"{count_rows(n_repeated)} ({say_share(share)}) {'repeats' if n_repeated == 1 else 'repeat'} an earlier row in every cell"
            + (", as is natural with so few columns and values." if is_natural else "."),
            why_it_matters="If they come from an export made twice, they count double in everything that is learned.",
            remedy=f"Nothing has to be done if they are real cases; else export again without repeats.{kept_together}",
            action="kept",
            question=""
            if is_natural
            else "Are rows that agree in every column different cases, or the same one twice?",
        )
    ]


def _count_divided(codes: pl.Series, split: Split, *, repeated: pl.Series) -> int:
    """Return how many test rows are equal in every cell to a training row; both are among the `repeated` codes, few of all."""
    train = codes[split.train]
    shared = train.filter(train.is_in(repeated.implode())).unique()
    return int(codes[split.test].is_in(shared.implode()).sum())


def count_combinations(facts: Mapping[str, ColumnFacts]) -> float:
    """Return how many different rows the values of the columns could make, were they free of each other."""
    return float(np.exp(sum(np.log(max(1, fact.n_distinct + (fact.n_missing > 0))) for fact in facts.values())))
