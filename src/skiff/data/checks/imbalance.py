"""How unequal the answers are, and whether that is a problem at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skiff.core.finding import Finding
from skiff.core.task import Task
from skiff.data.sentences import count_rows, say_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNEQUAL = 0.2
"""Share of the rarer answer below which the table is called unequal."""

ENOUGH = 200
"""Rows of the rarer answer with which learning and judging work: a test of one fifth has 40, ±15 points (Wilson)."""

RARE_CLASS = 5
"""Rows of a class below which it can hardly be learned and not be judged."""

MANY_CLASSES = 100
"""Classes above which most cannot be told apart with the usual number of rows."""


def find_imbalance(y: NDArray[np.float64], task: Task) -> list[Finding]:
    """Say how unequal the two answers are; a warning only where the rarer one has too few rows.

    Parameters
    ----------
    y : ndarray of float64
        Class codes, NaN where missing.

    References
    ----------
    van den Goorbergh et al. 2022, The harm of class imbalance corrections for risk prediction models,
    doi:10.1093/jamia/ocac093: unequal classes as such need no correction.

    Examples
    --------
    >>> task = Task(kind="binary", target="paid", classes=("yes", "no"), positive="no")
    >>> [finding.severity for finding in find_imbalance(np.array([0.0] * 950 + [1.0] * 50), task)]
    ['warn']
    """
    if task.kind != "binary":
        return []
    counts = np.bincount(y[np.isfinite(y)].astype(np.int64), minlength=2)
    rarer = int(np.argmin(counts))
    n, share = int(counts[rarer]), float(counts[rarer] / max(1, counts.sum()))
    if share >= UNEQUAL and n >= ENOUGH // 4:
        return []
    label = task.classes[rarer]
    is_enough = n >= ENOUGH
    return [
        Finding(
            code="imbalance.target",
            severity="info" if is_enough else "warn",
            columns=(task.target,),
            rows=n,
            evidence={"share": share, "n": n},
            what=f"'{task.target}' is '{label}' in {count_rows(n)} of {int(counts.sum()):,} ({say_share(share)})"
            + (
                ": rare, but enough to learn from, so it is not a problem."
                if is_enough
                else ": few to learn from and to judge by."
            ),
            why_it_matters=f"Always answering '{task.classes[1 - rarer]}' is right in {say_share(1 - share)} cases, so the share of "
            "right answers says little here.",
            remedy="Look at what is caught and at the false alarms instead; the rows are used as they are."
            if is_enough
            else f"Collect more rows with '{label}'; until then the intervals are wide.",
        )
    ]


def find_rare_classes(y: NDArray[np.float64], task: Task) -> list[Finding]:
    """Find classes with fewer than five rows, and targets with more than a hundred classes.

    Examples
    --------
    >>> task = Task(kind="multiclass", target="breed", classes=("beagle", "collie", "pug"))
    >>> [finding.rows for finding in find_rare_classes(np.array([0.0] * 30 + [1.0] * 30 + [2.0] * 2), task)]
    [2]
    """
    if task.kind == "regression":
        return []
    counts = np.bincount(y[np.isfinite(y)].astype(np.int64), minlength=len(task.classes))
    rare = np.flatnonzero(counts < RARE_CLASS)
    if not len(rare) and len(counts) <= MANY_CLASSES:
        return []
    n_rows = int(counts[rare].sum())
    many = f"'{task.target}' has {len(counts)} classes" if len(counts) > MANY_CLASSES else f"'{task.target}'"
    told = (
        f"{len(rare)} of {len(counts)} classes have fewer than {RARE_CLASS} rows"
        if len(rare)
        else "more than can be told apart well"
    )
    return [
        Finding(
            code="imbalance.rare_classes",
            severity="warn",
            columns=(task.target,),
            rows=n_rows,
            evidence={"classes": len(counts), "rare_classes": len(rare), "smallest": int(counts.min())},
            what=f"{many}: {told}.",
            why_it_matters="What was seen once or twice can be neither learned nor judged.",
            remedy="Put rare classes together under one name, such as 'other'.",
        )
    ]
