"""The target worked out from other columns: a sum, a difference, a product, a ratio, exactly or up to rounding."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skiff.data.checks.leakage.case import Case
from skiff.data.checks.leakage.columns import encode_ordered
from skiff.data.checks.leakage.terms import (
    COARSE,
    UNIFORM_ERROR,
    Term,
    evaluate_term,
    find_last_digit,
    list_columns,
    measure_dust,
    propose_logs,
    propose_pairs,
    propose_sums,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Bool = NDArray[np.bool_]

MIN_FILLED = 0.2
"""Share of filled cells below which a column cannot be a part of every row's sum."""

SEARCH_ROWS = 2_000
"""Rows on which a formula is sought; it is then confirmed on the whole sample."""

MAX_COLUMNS = 60
MAX_PAIRED = 18
"""Columns sought through, and those also multiplied with each other: the ones that move most with the target."""

RELATIVE_ERROR = 1e-5
"""Root mean squared error of a formula, in standard deviations of the target: floating-point dust and no more."""

SLACK = 2.6
"""Error allowed over that of rounding alone: parts are rounded before they are added, and on the way."""

MAX_ERROR = SLACK * UNIFORM_ERROR * COARSE
"""Error never allowed, in standard deviations: what rounding to the coarsest digit that counts leaves."""

MAX_RANKED = 200
"""Columns weighed beside each other, those most correlated with the target: more cost cubic time and fit noise."""

RIDGE = 1e-9
"""Share of a column's own weight that keeps equal columns from breaking the equations."""

DAY_S = 86_400.0

LIKE_WEIGHTS = 0.02
"""How far the weights of like parts of one total may differ, and the weights of a weighted mean from adding up to one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """Terms whose weighted sum is the target.

    Parameters
    ----------
    terms : tuple of Term
    weights : tuple of float
        One a term, in its own units.
    is_product : bool
        Whether it is the logarithms that add up.
    error : float
        Root mean squared error, in standard deviations.
    n : int
        Rows it was confirmed on.
    """

    terms: tuple[Term, ...]
    weights: tuple[float, ...]
    is_product: bool
    error: float
    n: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the formula, in order."""
        return tuple(dict.fromkeys(name for term in self.terms for name in list_columns(term)))

    @property
    def is_total(self) -> bool:
        """Whether the target is the total, or a weighted mean, of like parts: then each part comes with the answer."""
        if self.is_product or any(len(term) > 1 for term in self.terms) or min(self.weights) <= 0:
            return False
        is_like = max(self.weights) - min(self.weights) <= LIKE_WEIGHTS * max(self.weights)
        return is_like or abs(sum(self.weights) - 1.0) <= LIKE_WEIGHTS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """One way to look for a formula: terms over columns, on some rows."""

    columns: Mapping[str, Float]
    terms: Sequence[Term]
    y: Float
    digit: float
    is_product: bool = False


def find_formula(case: Case, *, without: Collection[str]) -> Formula | None:
    """Return the shortest formula of number columns and dates that gives a regression target, or None.

    Parameters
    ----------
    case : Case
    without : collection of str
        Columns already proven: they would hide the others.

    Notes
    -----
    Sought: weighted sums of any number of columns and of times between two dates, products and ratios of powers, and
    weighted sums with one product or ratio of two columns among them. Missing cells count as zero (as in a sum of parts)
    and, failing that, rows with missing cells are passed over. A formula is fitted on one half of the rows and must hold
    on the other, up to what the rounding of the target and of its own columns explains.
    """
    if not case.is_regression:
        return None
    y = case.y[case.sample]
    columns, dates = _gather(case, y, without=without)
    if not columns:
        return None
    filled = {name: np.nan_to_num(values, nan=0.0) for name, values in columns.items()}
    whole, rows = _keep_whole_rows(columns)
    has_gaps = any(np.isnan(values).any() for values in columns.values())
    for kind in ("sums", "products", "pairs"):
        formula = _search(_propose(kind, filled, dates=dates, y=y))
        if formula is None and has_gaps and rows.any():
            part = {name: values[rows] for name, values in whole.items()}
            formula = _search(_propose(kind, part, dates=[name for name in dates if name in part], y=y[rows]))
        if formula is not None:
            return formula
    return None


def _gather(case: Case, y: Float, *, without: Collection[str]) -> tuple[dict[str, Float], list[str]]:
    """Return the numbers and dates (in days) a formula may use, and which of them are dates."""
    kinds = {c.name: c.kind for c in case.inputs if c.kind in ("number", "boolean", "date") and c.name not in without}
    columns = {name: encode_ordered(case.frame[name][case.sample]) for name in kinds}
    columns = {
        name: values / DAY_S if kinds[name] == "date" else values
        for name, values in columns.items()
        if np.isfinite(values).mean() >= MIN_FILLED and np.nanstd(values) > 0
    }
    dates = [name for name in columns if kinds[name] == "date"]  # only the time between them tells, not they alone
    numbers = {name: values for name, values in columns.items() if name not in dates}
    return _keep_strongest(numbers, y, limit=MAX_COLUMNS) | {name: columns[name] for name in dates}, dates


def _propose(kind: str, columns: Mapping[str, Float], *, dates: Sequence[str], y: Float) -> _Search | None:
    """Return the search of one kind, or None where the target does not lend itself to it."""
    digit = find_last_digit(y)
    if kind == "sums":
        return _Search(columns=columns, terms=propose_sums(columns, dates), y=y, digit=digit)
    if kind == "products":
        if len(y) == 0 or not (y > 0).all():
            return None
        share = digit * float(np.sqrt(np.mean(1.0 / y**2)))
        return _Search(columns=columns, terms=propose_logs(columns, dates), y=np.log(y), digit=share, is_product=True)
    numbers = {name: values for name, values in columns.items() if name not in dates}
    paired = list(_keep_strongest(numbers, y, limit=MAX_PAIRED))
    return _Search(columns=columns, terms=propose_pairs(columns, dates, paired), y=y, digit=digit)


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


def _keep_whole_rows(columns: Mapping[str, Float]) -> tuple[dict[str, Float], Bool]:
    """Return the columns that are mostly filled, and the rows in which all of them are."""
    kept = {name: values for name, values in columns.items() if np.isfinite(values).mean() >= 0.7}  # noqa: PLR2004  below that whole rows run out
    rows = np.ones(len(next(iter(columns.values()))), dtype=np.bool_)
    for values in kept.values():
        rows &= np.isfinite(values)
    return kept, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """Terms as columns of standard deviation one, with the dust of each, ready to be fitted."""

    terms: list[Term]
    matrix: Float
    spread: Float
    dust: Float
    y: Float
    y_dust: float

    def take(self, places: Sequence[int]) -> _Fit:
        """Return the fit of some of the terms."""
        chosen = list(places)
        return _Fit(
            terms=[self.terms[place] for place in chosen],
            matrix=self.matrix[:, chosen],
            spread=self.spread[chosen],
            dust=self.dust[chosen],
            y=self.y,
            y_dust=self.y_dust,
        )

    def holds(self) -> tuple[bool, float, Float]:
        """Return whether the terms give the target, the error in standard deviations, and the weights."""
        error, weights = _fit_error(self.matrix, self.y)
        dust = float(np.hypot(self.y_dust, np.linalg.norm(weights * self.dust))) / float(self.y.std())
        return error <= max(RELATIVE_ERROR, min(MAX_ERROR, SLACK * dust)), error, weights


def _search(search: _Search | None) -> Formula | None:
    """Fit all terms at once on some rows; if they give the target on unseen ones, drop all that are not needed, confirm."""
    if search is None or len(search.y) == 0 or float(search.y.std()) == 0.0:
        return None
    step = max(1, len(search.y) // SEARCH_ROWS)
    rows = np.arange(0, len(search.y), step)[:SEARCH_ROWS]
    fit = _prepare(search, list(search.terms), rows)
    if not fit.terms or not fit.holds()[0]:
        return None
    kept = _drop_needless(fit)
    whole = _prepare(search, kept.terms, np.arange(len(search.y)))
    is_formula, error, weights = whole.holds() if len(whole.terms) == len(kept.terms) else (False, 1.0, np.zeros(0))
    if not is_formula or len(search.y) < 10 * (len(kept.terms) + 1):
        return None
    raw = tuple(float(weight) for weight in weights / whole.spread)
    return Formula(terms=tuple(whole.terms), weights=raw, is_product=search.is_product, error=error, n=len(search.y))


def _prepare(search: _Search, terms: list[Term], rows: NDArray[np.int64]) -> _Fit:
    """Evaluate terms on some rows; as many as the rows can bear, those most correlated with the target."""
    columns = {name: values[rows] for name, values in search.columns.items()}
    digits = {name: find_last_digit(values) for name, values in columns.items()}
    y = search.y[rows]
    matrix = np.column_stack([evaluate_term(term, columns) for term in terms]) if terms else np.zeros((len(y), 0))
    spread = matrix.std(axis=0)
    usable = np.flatnonzero(np.isfinite(spread) & (spread > 0))
    room = max(0, len(rows) // 6 - 1)
    if len(usable) > room:
        strength = [_correlate(matrix[:, place], y) for place in usable]
        usable = usable[np.argsort(-np.asarray(strength), kind="stable")][:room]
    matrix = (matrix[:, usable] - matrix[:, usable].mean(axis=0)) / spread[usable]
    chosen = [terms[place] for place in usable]
    dust = np.array([measure_dust(term, columns, digits) for term in chosen]) / spread[usable]
    return _Fit(terms=chosen, matrix=matrix, spread=spread[usable], dust=dust, y=y, y_dust=UNIFORM_ERROR * search.digit)


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


def _drop_needless(fit: _Fit) -> _Fit:
    """Return what remains when every term the formula can do without is gone, lightest first, in batches."""
    kept = fit
    batch = max(1, len(kept.terms) // 2)
    while batch >= 1 and len(kept.terms) > 1:
        order = np.argsort(np.abs(kept.holds()[2]), kind="stable")
        dropped = False
        for start in range(0, len(order), batch):
            out = set(order[start : start + batch].tolist())
            places = [place for place in range(len(order)) if place not in out]
            if places and kept.take(places).holds()[0]:
                kept, dropped = kept.take(places), True
                break
        if not dropped:
            batch //= 2
        batch = min(batch, max(1, len(kept.terms) // 2)) if batch else 0
    return kept
