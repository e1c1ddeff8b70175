"""The same case on both sides of the split: exact copies, and copies with a touch of change."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Required, TypedDict

import numpy as np
import polars as pl

from skiff.core.finding import Action, Severity
from skiff.core.signature import InputColumn
from skiff.data.checks.leakage.case import Case
from skiff.data.checks.leakage.proof import measure_share
from skiff.data.checks.leakage.suspicion import Suspicion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bool = NDArray[np.bool_]
    Int = NDArray[np.int64]
    Hash = NDArray[np.uint64]

TELL_SHARE = 0.01
"""Share of the test rows with a twin from which it is worth a warning: below, a score moves by less than its interval."""

MIN_TWINS = 5
"""Fewer twins are chance."""

DIGITS = 3
"""Significant digits that near copies share: a re-measured or re-rounded number keeps them."""

SAME_ANSWER = 0.9
"""Share of twins with the same answer from which they are taken for one case entered twice; people who merely look alike
in a table differ at least as often as its best model errs."""


FAR_MORE = 5.0
"""Look-alikes are as common within training as across the split; five times as many across were copied there."""

IMPOSSIBLE_TWINS = 1e-9
"""Pairs that chance would make if columns were unrelated, below which even strongly related columns do not make twins: the
look-alikes of the leak-free tables we measured stay above 1e-6."""


class _Words(TypedDict, total=False):
    """The sentences of a suspicion."""

    why_it_matters: Required[str]
    remedy: Required[str]
    question: str
    action: Required[Action]


def find_twins(frame: pl.DataFrame, case: Case, *, test_rows: Int, without: Collection[str]) -> list[Suspicion]:
    """Return how many test rows have the same inputs as a training row, exactly or nearly.

    Parameters
    ----------
    frame : polars.DataFrame
        The whole table.
    case : Case
        Its rows are the training rows.
    test_rows : ndarray of int64
        Positions of the test rows in `frame`.
    without : collection of str
        Columns left out before training (identifiers make every row different).
    """
    columns = [column for column in case.inputs if column.name not in without]
    if not columns or len(test_rows) == 0:
        return []
    test = frame[test_rows]
    exact = [_hash_rows(part, columns, is_rounded=False) for part in (case.frame, test)]
    is_twin = np.isin(exact[1], exact[0])
    by_chance = count_chance_twins(case, columns, n_test=len(test_rows))
    found = _judge_twins(case, test_rows, is_twin, hashes=exact[0], n_by_chance=by_chance, is_exact=True)
    near = [_hash_rows(part, columns, is_rounded=True) for part in (case.frame, test)]
    is_near = np.isin(near[1], near[0]) & ~is_twin
    return found + _judge_twins(case, test_rows, is_near, hashes=near[0], n_by_chance=by_chance, is_exact=False)


def _hash_rows(frame: pl.DataFrame, columns: Sequence[InputColumn], *, is_rounded: bool) -> Hash:
    """Return one number a row, equal for rows whose inputs are equal (or equal up to rounding, case and punctuation)."""
    parts = [_blur(column, frame.schema[column.name]) if is_rounded else pl.col(column.name) for column in columns]
    hashed: Hash = frame.select(parts).hash_rows(seed=0).to_numpy()
    return hashed


def _blur(column: InputColumn, dtype: pl.DataType) -> pl.Expr:
    """Return cells with what a slight change would alter taken away."""
    cells = pl.col(column.name)
    if column.kind == "text" and dtype == pl.String:
        return cells.str.to_lowercase().str.replace_all(r"[^\p{L}]+", "")
    return cells.round_sig_figs(DIGITS) if dtype.is_float() else cells


def measure_agreement(case: Case, hashes: Hash) -> tuple[float, int]:
    """Return how often twins within training have the same answer, and over how many rows.

    Copies of one case agree; different cases that look alike agree no more than a model could. Rows with the most common
    answer are passed over: there agreement is no news.
    """
    answers = case.y if case.is_regression else case.labels.astype(np.float64)
    table = pl.DataFrame({"twin": hashes, "answer": answers})
    table = table.with_columns(
        n=pl.len().over("twin"), same=pl.len().over("twin", "answer"), often=pl.len().over("answer")
    ).filter(pl.col("n") > 1)
    if not case.is_regression:
        table = table.filter(pl.col("often") < int(np.bincount(case.labels).max()))
    if table.height == 0:
        return 0.0, 0
    return float(((table["same"] - 1) / (table["n"] - 1)).to_numpy().mean()), table.height


def count_chance_twins(case: Case, columns: Sequence[InputColumn], *, n_test: int) -> float:
    """Return how many pairs of equal rows across the split chance would make if the columns had nothing to do with each other."""
    pairs = float(case.n_rows) * n_test
    for column in columns:
        counts = case.frame[column.name][case.sample].value_counts()["count"].to_numpy().astype(np.float64)
        pairs *= float(((counts / counts.sum()) ** 2).sum())
    return pairs


def _judge_twins(
    case: Case, test_rows: Int, is_twin: Bool, *, hashes: Hash, n_by_chance: float, is_exact: bool
) -> list[Suspicion]:
    """Warn where twins are many and are one case entered twice; tell where they only look alike."""
    n_twins = int(is_twin.sum())
    share = n_twins / len(is_twin)
    if n_twins < MIN_TWINS:
        return []
    agreement, n_compared = measure_agreement(case, hashes)
    known = float((np.unique(hashes, return_inverse=True, return_counts=True)[2] - 1).sum()) / len(hashes)
    is_copy = (
        (agreement >= SAME_ANSWER and n_compared >= MIN_TWINS)
        or n_by_chance <= IMPOSSIBLE_TWINS
        or share >= FAR_MORE * max(known, 1.0 / len(hashes))
    )
    severity: Severity = "warn" if share >= TELL_SHARE and is_copy else "info"
    if severity == "info" and not is_exact:
        return []
    return [
        Suspicion(
            code="leakage.overlap" if is_exact else "leakage.near_duplicates",
            columns=(),
            severity=severity,
            rows=n_twins,
            sample_rows=tuple(int(row) + 1 for row in np.asarray(test_rows)[is_twin][:10]),
            evidence={
                "share_of_test_rows": measure_share("share_of_test_rows", hits=n_twins, n=len(is_twin)),
                "twins_with_same_answer": agreement,
                "twins_compared": n_compared,
                "twins_by_chance": n_by_chance,
            },
            what=f"{n_twins:,} of the {len(is_twin):,} rows set aside for testing have {'exactly' if is_exact else 'nearly'} the same inputs as a row the model learns from.",
            **_explain_twins(is_copy=severity == "warn"),
        )
    ]


def _explain_twins(*, is_copy: bool) -> _Words:
    """Return why it matters and what to do."""
    if is_copy:
        return {
            "why_it_matters": "On those rows the test asks what the model has already been told, so the score is flattered.",
            "remedy": "Remove the copies, or put them on the same side of the split.",
            "question": "Are these rows the same case entered twice, or different cases that look alike?",
            "action": "asked",
        }
    return {
        "why_it_matters": "They are probably different cases that look alike, for their answers differ as well; the score is hardly touched.",
        "remedy": "Nothing to do.",
        "action": "none",
    }
