"""Answers that contradict each other: rows that are equal in everything a model sees and differ in the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.finding import Finding
from skiff.core.task import Task
from skiff.data.checks.duplicates import count_combinations
from skiff.data.facts import ColumnFacts
from skiff.data.rows import code_rows, count_copies, number_rows
from skiff.data.sentences import count_rows, say_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW_CONFLICTS = 5
"""Contradicting rows below which they are not worth a word, unless the table is tiny."""

MANY_CONFLICTS = 0.01
"""Share of contradicting rows from which someone should ask."""


def find_conflicting_labels(
    frame: pl.DataFrame, y: NDArray[np.float64], task: Task, *, facts: Mapping[str, ColumnFacts]
) -> list[Finding]:
    """Find rows that are equal in every column a model sees and have different answers.

    Parameters
    ----------
    frame : polars.DataFrame
    y : ndarray of float64
        Class codes, NaN where missing.
    facts : mapping of str to ColumnFacts
        Columns that the model sees, counted; texts that are different in every row are not looked at. Where the others could make few
        different rows, conflicts are natural, and that is said.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> table = pl.DataFrame({"weight": [float(row // 2) for row in range(200)], "ok": ["yes", "yes"] * 98 + ["yes", "no"] * 2})
    >>> task = Task(kind="binary", target="ok", classes=("no", "yes"), positive="yes")
    >>> codes = (table["ok"] == "yes").cast(float).to_numpy()
    >>> [finding.rows for finding in find_conflicting_labels(table, codes, task, facts=gather_facts(table[["weight"]]))]
    [2]
    """
    seen = [name for name, fact in facts.items() if fact.is_quantity or fact.n_distinct < fact.n_rows]
    if task.kind == "regression" or not seen:
        return []
    known = np.flatnonzero(np.isfinite(y))
    codes = code_rows(frame, seen)[known]
    n_known = len(known)
    is_repeated = pl.Series(codes).is_duplicated().to_numpy()  # most tables end here, without sorting
    known = known[is_repeated]
    if not len(known):
        return []
    sets = count_copies(codes[is_repeated])[0]
    answer = y[known].astype(np.int64)
    pairs, place, counts = np.unique(sets * len(task.classes) + answer, return_inverse=True, return_counts=True)
    owner = pairs // len(task.classes)
    most = np.zeros(int(owner.max()) + 1, dtype=np.int64)
    np.maximum.at(most, owner, counts)
    lost = int(len(known) - most.sum())  # rows that the best possible answer gets wrong
    if not lost:
        return []
    is_mixed = np.bincount(owner)[sets] > 1
    everywhere = np.zeros(frame.height, dtype=np.bool_)
    everywhere[known[is_mixed & (counts[place] < most[sets])]] = True
    share = lost / n_known
    if lost < FEW_CONFLICTS and share < MANY_CONFLICTS:
        return []
    is_natural = count_combinations({name: facts[name] for name in seen}) < 10.0 * frame.height
    best = say_share(1.0 - share)
    return [
        Finding(
            code="labels.conflicting",
            severity="warn" if share >= MANY_CONFLICTS and not is_natural else "info",
            columns=(task.target,),
            rows=lost,
            sample_rows=number_rows(everywhere),
            evidence={"share": share, "rows_in_conflict": int(is_mixed.sum()), "best_accuracy": 1.0 - share},
            what=f"{count_rows(lost)} ({say_share(share)}) {'is' if lost == 1 else 'are'} equal to others in everything but '{task.target}'.",
            why_it_matters=f"On this table no model can be right more often than {best}.",
            remedy="With so few columns that is natural; more columns would help to tell such rows apart."
            if is_natural
            else "Check whether some of these answers are wrong, or whether a column that tells the rows apart is missing.",
            question="" if is_natural else f"What makes '{task.target}' differ between rows that look the same?",
        )
    ]
