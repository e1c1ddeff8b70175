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
        Columns that name rows: they make two entries of one case look different. Proven leaks stay in, for two entries of
        one case agree in them, and two cases that only look alike need not.
    """
    columns = [column for column in case.inputs if column.name not in without]
    if not columns or len(test_rows) == 0:
        return []
    names = [column.name for column in columns]
    train, test = case.frame.select(names), frame.select(names)[test_rows]
    exact, near = _hash_twice(train, test, columns)
    is_twin = _find_shared(exact[1], exact[0]).to_numpy()
    by_chance = count_chance_twins(case, columns, n_test=len(test_rows))
    found = _judge_twins(case, test_rows, is_twin, hashes=exact[0], n_by_chance=by_chance, is_exact=True)
    is_near = _find_shared(near[1], near[0]).to_numpy() & ~is_twin
    return found + _judge_twins(case, test_rows, is_near, hashes=near[0], n_by_chance=by_chance, is_exact=False)


def _find_shared(few: pl.Series, many: pl.Series) -> pl.Series:
    """Return which of `few` are among `many`: the many are held against the few, for a set of few is quickly made."""
    met = many.filter(many.is_in(few.implode())).unique()
    return few.is_in(met.implode())


def _hash_twice(
    train: pl.DataFrame, test: pl.DataFrame, columns: Sequence[InputColumn]
) -> tuple[tuple[pl.Series, pl.Series], tuple[pl.Series, pl.Series]]:
    """Return one number a row twice: equal for rows with the same inputs, and for rows whose inputs are nearly the same.

    Nearly is up to rounding, case and punctuation. Taking cells to that is slow, and only rows that agree in all columns
    that a slight change cannot alter can turn out alike: the others, nearly all, keep the number of those columns.
    """
    schema = train.schema
    blurred = [_blur(column, schema[column.name]) for column in columns]
    may_blur = [_may_blur(column, schema[column.name]) for column in columns]
    firm = [column.name for column, slight in zip(columns, may_blur, strict=True) if not slight]
    if not firm:
        return (
            (train.hash_rows(seed=0), test.hash_rows(seed=0)),
            (train.select(blurred).hash_rows(seed=0), test.select(blurred).hash_rows(seed=0)),
        )
    known = train.select(firm).hash_rows(seed=0), test.select(firm).hash_rows(seed=0)
    if not any(may_blur):
        return known, known
    shared = _find_shared(known[1], known[0])
    is_open = known[0].is_duplicated() | known[0].is_in(known[1].filter(shared).unique().implode())
    parts = [
        (rows.filter(mask), hashes, mask.arg_true())
        for rows, hashes, mask in ((train, known[0], is_open), (test, known[1], shared))
    ]
    exact = [hashes.clone().scatter(places, rows.hash_rows(seed=1)) for rows, hashes, places in parts]
    near = [hashes.clone().scatter(places, rows.select(blurred).hash_rows(seed=1)) for rows, hashes, places in parts]
    return (exact[0], exact[1]), (near[0], near[1])


def _blur(column: InputColumn, dtype: pl.DataType) -> pl.Expr:
    """Return cells with what a slight change would alter taken away."""
    cells = pl.col(column.name)
    if _is_text(column, dtype):
        return cells.str.to_lowercase().str.replace_all(r"[^\p{L}]+", "")
    return cells.round_sig_figs(DIGITS) if dtype.is_float() else cells


def _may_blur(column: InputColumn, dtype: pl.DataType) -> bool:
    """Whether a slight change could alter the cells of a column."""
    return _is_text(column, dtype) or dtype.is_float()


def _is_text(column: InputColumn, dtype: pl.DataType) -> bool:
    """Whether a column's letters are what counts."""
    return column.kind == "text" and dtype == pl.String


def measure_agreement(case: Case, hashes: pl.Series) -> tuple[float, int]:
    """Return how often twins within training have the same answer, and over how many rows.

    Copies of one case agree; different cases that look alike agree no more than a model could. Rows with the most common
    answer are passed over: there agreement is no news.
    """
    answers = case.y if case.is_regression else case.labels.astype(np.float64)
    table = pl.DataFrame({"twin": hashes, "answer": answers}).filter(hashes.is_duplicated())
    table = table.with_columns(n=pl.len().over("twin"), same=pl.len().over("twin", "answer"))
    if not case.is_regression:
        often = np.bincount(case.labels)
        common = [float(code) for code in np.flatnonzero(often == often.max())]
        table = table.filter(~pl.col("answer").is_in(common))
    if table.height == 0:
        return 0.0, 0
    return float(((table["same"] - 1) / (table["n"] - 1)).to_numpy().mean()), table.height


def count_chance_twins(case: Case, columns: Sequence[InputColumn], *, n_test: int) -> float:
    """Return how many pairs of equal rows across the split chance would make if the columns had nothing to do with each other."""
    pairs = float(case.n_rows) * n_test
    for column in columns:
        counts = (
            case.frame[column.name][case.sample].alias("cell").value_counts()["count"].to_numpy().astype(np.float64)
        )
        pairs *= float(((counts / counts.sum()) ** 2).sum())
    return pairs


def _judge_twins(
    case: Case, test_rows: Int, is_twin: Bool, *, hashes: pl.Series, n_by_chance: float, is_exact: bool
) -> list[Suspicion]:
    """Warn where twins are many and are one case entered twice; tell where many look alike beyond chance."""
    n_twins = int(is_twin.sum())
    share = n_twins / len(is_twin)
    if n_twins < MIN_TWINS or share < TELL_SHARE:
        return []
    agreement, n_compared = measure_agreement(case, hashes)
    known = float(len(hashes) - hashes.n_unique()) / len(hashes)
    is_copy = (
        (agreement >= SAME_ANSWER and n_compared >= MIN_TWINS)
        or n_by_chance <= IMPOSSIBLE_TWINS
        or share >= FAR_MORE * max(known, 1.0 / len(hashes))
    )
    severity: Severity = "warn" if is_copy else "info"
    is_natural = n_by_chance >= n_twins and len(case.inputs) > 1  # of a single column chance is all there is
    if is_natural and not is_exact:
        return []
    if severity == "info" and (not is_exact or n_by_chance >= n_twins):
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
            what=f"{n_twins:,} of the {len(is_twin):,} rows set aside for testing are {'exactly' if is_exact else 'nearly'} like a row the model learns from, in everything but '{case.target}' and what only numbers them.",
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
        "why_it_matters": "They are different cases that look alike, for their answers differ like those of any others; the score is hardly touched.",
        "remedy": "Nothing has to be done.",
        "action": "none",
    }
