"""The target worked out from other columns: a sum, a difference, a product, a ratio, exactly or up to rounding."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.data.checks.leakage.case import Case
from skiff.data.checks.leakage.columns import encode_ordered
from skiff.data.checks.leakage.sentences import REMEDY_LEFT_OUT, WHY_LEAK
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.sentences import name_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Bool = NDArray[np.bool_]

Term: TypeAlias = tuple[str, ...]
"""Columns of one term: one for itself, two with the sign between them (``("a", "*", "b")``)."""

MIN_FILLED = 0.2
"""Share of filled cells below which a column cannot be a part of every row's sum."""

SEARCH_ROWS = 2_000
"""Rows on which a formula is sought; it is then confirmed on the whole sample."""

MAX_COLUMNS = 60
MAX_PAIRED = 18
"""Columns sought through, and those also multiplied with each other: the ones that move most with the target."""

RELATIVE_ERROR = 1e-5
"""Root mean squared error of a formula, in standard deviations of the target: floating-point dust and no more."""

ROUNDING = 0.75
"""The same in units of the target's last digit: rounding errs by 0.29 (uniform distribution), rounded parts add up."""

MAX_RANKED = 200
"""Columns weighed beside each other, those most correlated with the target: more cost cubic time and fit noise."""

RIDGE = 1e-9
"""Share of a column's own weight that keeps equal columns from breaking the equations."""

COARSE = 0.03
"""A last digit above this share of the standard deviation proves nothing: whole numbers from 1 to 10 always nearly fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """Terms whose weighted sum is the target.

    Parameters
    ----------
    terms : tuple of Term
    is_product : bool
        Whether it is the logarithms that add up.
    error : float
        Root mean squared error, in standard deviations.
    n : int
        Rows it was confirmed on.
    """

    terms: tuple[Term, ...]
    is_product: bool
    error: float
    n: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the formula, in order."""
        return tuple(dict.fromkeys(name for term in self.terms for name in (term[0], *term[2:])))


def find_formula(case: Case, *, without: Collection[str]) -> Formula | None:
    """Return the shortest formula of number columns that gives a regression target, or None.

    Parameters
    ----------
    case : Case
    without : collection of str
        Columns already proven: they would hide the others.

    Notes
    -----
    Sought: weighted sums of any number of columns, products and ratios of powers, and weighted sums with one product or
    ratio of two columns among them. Missing cells count as zero (as in a sum of parts) and, failing that, rows with
    missing cells are passed over. A formula is fitted on one half of the rows and must hold on the other.
    """
    names = [c.name for c in case.inputs if c.kind in ("number", "boolean") and c.name not in without]
    if not case.is_regression or not names:
        return None
    y = case.y[case.sample]
    columns = {name: encode_ordered(case.frame[name][case.sample]) for name in names}
    columns = {
        name: values
        for name, values in columns.items()
        if np.isfinite(values).mean() >= MIN_FILLED and np.nanstd(values) > 0
    }
    columns = _keep_strongest(columns, y, limit=MAX_COLUMNS)
    searches: tuple[Callable[[dict[str, Float], Float], Formula | None], ...] = (
        _search_sums,
        _search_products,
        _search_pairs,
    )
    for search in searches:
        filled = {name: np.nan_to_num(values, nan=0.0) for name, values in columns.items()}
        formula = search(filled, y)
        if formula is None and any(np.isnan(values).any() for values in columns.values()):
            whole, rows = _keep_whole_rows(columns)
            formula = search({name: values[rows] for name, values in whole.items()}, y[rows])
        if formula is not None:
            return formula
    return None


def _keep_strongest(columns: dict[str, Float], y: Float, *, limit: int) -> dict[str, Float]:
    """Return at most `limit` columns, those that matter most to the target alone or beside the others."""
    if len(columns) <= limit:
        return columns
    chosen = set(rank_candidates(columns, y)[:limit])
    return {name: values for name, values in columns.items() if name in chosen}


def rank_candidates(columns: Mapping[str, Float], y: Float) -> list[str]:
    """Return column names, most promising first: by turns the one most correlated with `y`, and the one whose weight
    beside all the others is surest (a part of a difference may not correlate at all).

    Parameters
    ----------
    columns : mapping of str to ndarray of float64, shape (n_rows,)
        NaN where missing.
    y : ndarray of float64, shape (n_rows,)
    """  # noqa: D205  one sentence over two lines
    if len(columns) > MAX_RANKED:
        alone_first = sorted(
            columns, key=lambda name: -_correlate(np.nan_to_num(columns[name], nan=float(np.nanmean(columns[name]))), y)
        )
        columns = {name: columns[name] for name in alone_first[:MAX_RANKED]}
    names = list(columns)
    filled = np.column_stack([np.nan_to_num(values, nan=float(np.nanmean(values))) for values in columns.values()])
    spread = filled.std(axis=0)
    scaled = (filled - filled.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    centred = y - y.mean()
    alone = np.abs(scaled.T @ centred)
    inverse = np.linalg.pinv(scaled.T @ scaled)
    beside = np.abs(inverse @ scaled.T @ centred) / np.sqrt(np.maximum(np.diag(inverse), 1e-12))
    orders = [np.argsort(-strength, kind="stable") for strength in (beside, alone)]
    turns = [int(place) for pair in zip(*orders, strict=True) for place in pair]
    return [names[place] for place in dict.fromkeys(turns)]


def _correlate(x: Float, y: Float) -> float:
    """Return the absolute correlation, 0 for a constant."""
    return 0.0 if float(x.std()) == 0.0 or float(y.std()) == 0.0 else abs(float(np.corrcoef(x, y)[0, 1]))


def _keep_whole_rows(columns: dict[str, Float]) -> tuple[dict[str, Float], Bool]:
    """Return the columns that are mostly filled, and the rows in which all of them are."""
    kept = {name: values for name, values in columns.items() if np.isfinite(values).mean() >= 0.7}  # noqa: PLR2004  below that whole rows run out
    rows = np.ones(len(next(iter(columns.values()))), dtype=np.bool_)
    for values in kept.values():
        rows &= np.isfinite(values)
    return kept, rows


def _search_sums(columns: dict[str, Float], y: Float) -> Formula | None:
    """Look for a weighted sum of columns."""
    return _search({(name,): values for name, values in columns.items()}, y, is_product=False)


def _search_products(columns: dict[str, Float], y: Float) -> Formula | None:
    """Look for a product or ratio of powers: a sum of logarithms, with ``1 - x`` and ``1 + x`` for rates."""
    positive = {name: values for name, values in columns.items() if (values > 0).all()}
    if len(y) == 0 or not (y > 0).all() or not positive:
        return None
    terms: dict[Term, Float] = {(name,): np.log(values) for name, values in positive.items()}
    for name, values in columns.items():
        scale = 1.0 if np.abs(values).max() < 1.0 else 100.0
        if np.abs(values).max() < scale and (values >= 0).all() and len(np.unique(values)) > 1:
            terms[name, "1-"] = np.log1p(-values / scale)
            terms[name, "1+"] = np.log1p(values / scale)
    return _search(terms, np.log(y), is_product=True, unit=_last_digit(y) / float(np.median(y)))


def _search_pairs(columns: dict[str, Float], y: Float) -> Formula | None:
    """Look for a weighted sum that has products or ratios of two columns among its terms."""
    terms: dict[Term, Float] = {(name,): values for name, values in columns.items()}
    chosen = _keep_strongest(columns, y, limit=MAX_PAIRED)
    for (one, x), (two, z) in combinations(chosen.items(), 2):
        terms[one, "*", two] = x * z
        if (z != 0).all():
            terms[one, "/", two] = x / z
        if (x != 0).all():
            terms[two, "/", one] = z / x
    return _search(terms, y, is_product=False)


def _last_digit(y: Float) -> float:
    """Return the unit of the target's last digit, 0 for a continuous one."""
    for unit in (1.0, 0.1, 0.01, 0.001):
        if np.allclose(y / unit, np.round(y / unit), rtol=0.0, atol=1e-6):
            return unit
    return 0.0


def _search(terms: dict[Term, Float], y: Float, *, is_product: bool, unit: float | None = None) -> Formula | None:
    """Fit all terms at once; if they give the target on unseen rows, drop every term that is not needed."""
    step = max(1, len(y) // SEARCH_ROWS)
    rows = np.arange(0, len(y), step)[:SEARCH_ROWS]
    names = list(terms)
    matrix = np.column_stack([terms[name] for name in names]) if names else np.zeros((len(y), 0))
    spread = matrix[rows].std(axis=0) if len(rows) else np.zeros(0)
    usable = np.flatnonzero(np.isfinite(spread) & (spread > 0))
    room = max(0, len(rows) // 6 - 1)
    if len(usable) > room:
        strength = [_correlate(matrix[rows, place], y[rows]) for place in usable]
        usable = usable[np.argsort(-np.asarray(strength), kind="stable")][:room]
    if len(usable) == 0 or float(y.std()) == 0.0:
        return None
    matrix = (matrix[:, usable] - matrix[rows][:, usable].mean(axis=0)) / spread[usable]
    names = [names[place] for place in usable]
    allowed = _allow_error(y, unit=unit)
    if _fit_error(matrix[rows], y[rows])[0] > allowed:
        return None
    kept = _drop_needless(matrix[rows], y[rows], allowed=allowed)
    error = _fit_error(matrix[:, kept], y)[0]
    if error > allowed or len(y) < 10 * (len(kept) + 1):
        return None
    return Formula(terms=tuple(names[place] for place in kept), is_product=is_product, error=error, n=len(y))


def _allow_error(y: Float, *, unit: float | None) -> float:
    """Return the largest error, in standard deviations, that floating point and rounding explain."""
    digit = (_last_digit(y) if unit is None else unit) / float(y.std())
    return max(RELATIVE_ERROR, ROUNDING * digit if digit <= COARSE else 0.0)


def _fit_error(matrix: Float, y: Float) -> tuple[float, Float]:
    """Fit on every other row; return the error on the rest, in standard deviations, and the weights.

    Normal equations with a trace of ridge, then two rounds of iterative refinement (N. J. Higham 2002, Accuracy and
    Stability of Numerical Algorithms, section 20.5): as exact as an orthogonal decomposition where a formula exists, and
    ten times as fast for the many terms tried at once.
    """
    design = np.column_stack([np.ones(len(y)), matrix])
    X, target = design[::2], y[::2]
    inverse = np.linalg.inv(X.T @ X + RIDGE * len(X) * np.eye(X.shape[1]))
    weights = np.zeros(X.shape[1])
    for _ in range(3):
        weights = weights + inverse @ (X.T @ (target - X @ weights))
    residual = y[1::2] - design[1::2] @ weights
    spread = float(y.std())
    return float(np.sqrt(np.mean(residual**2)) / spread) if spread > 0 else 1.0, weights[1:]


def _drop_needless(matrix: Float, y: Float, *, allowed: float) -> list[int]:
    """Return the terms that remain when every one the formula can do without is gone, lightest first, in batches."""
    kept = list(range(matrix.shape[1]))
    batch = max(1, len(kept) // 2)
    while batch >= 1 and len(kept) > 1:
        weights = _fit_error(matrix[:, kept], y)[1]
        order = np.argsort(np.abs(weights), kind="stable")
        dropped = False
        for start in range(0, len(kept), batch):
            out = set(order[start : start + batch].tolist())
            fewer = [place for rank, place in enumerate(kept) if rank not in out]
            if fewer and _fit_error(matrix[:, fewer], y)[0] <= allowed:
                kept, dropped = fewer, True
                break
        if not dropped:
            batch //= 2
        batch = min(batch, max(1, len(kept) // 2)) if batch else 0
    return kept


def build_formula_suspicion(case: Case, formula: Formula) -> Suspicion:
    """Return the suspicion that the target is worked out from the columns of `formula`."""
    columns = formula.columns
    listed = name_columns(columns)
    kind = "a product or ratio" if formula.is_product or any(term[1:] for term in formula.terms) else "a weighted sum"
    is_copy = len(columns) == 1
    return Suspicion(
        code="leakage.target_copy" if is_copy else "leakage.derived_target",
        columns=columns,
        severity="block",
        rows=case.n_rows,
        sample_rows=tuple(int(row) + 1 for row in case.rows[:10]),
        evidence={
            "formula": kind,
            "error_in_standard_deviations": formula.error,
            "rows_confirmed": formula.n,
            "terms": len(formula.terms),
        },
        what=f"'{case.target}' is {kind} of {listed}: it can be worked out from {'it' if is_copy else 'them'} without any model.",
        why_it_matters=WHY_LEAK,
        remedy=REMEDY_LEFT_OUT,
        question=f"Which of {listed} {'is' if is_copy else 'are'} known before '{case.target}' is?"
        if not is_copy
        else f"Is '{columns[0]}' known before '{case.target}' is?",
        strength=2.5,
    )
