"""Each metric as sums over rows and a formula on the sums: one form for value, bootstrap and paired comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.core.errors import SkiffError
from skiff.evaluate.intervals import Resample, draw_bootstrap

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

HIGHER_IS_BETTER: Mapping[str, bool] = {
    "roc_auc": True,
    "average_precision": True,
    "log_loss": False,
    "brier_score": False,
    "accuracy": True,
    "balanced_accuracy": True,
    "f1": True,
    "precision": True,
    "recall": True,
    "ece": False,
    "rmse": False,
    "mae": False,
    "r2": True,
    "mape": False,
    "pinball_loss": False,
    "median_absolute_error": False,
}
"""Every metric and its direction; names are scikit-learn's."""

MAX_BINS = 1000
"""Distinct scores kept apart when a ranking is resampled; more are pooled between quantiles of both classes."""

MAX_JACKKNIFE_CELLS = 500_000
"""Units times cells beyond which the acceleration is left out: with 500 rows and more it is near 0 anyway."""

N_CALIBRATION_BINS = 10
"""Bins of the expected calibration error, of equal mass (Nguyen and O'Connor 2015, https://doi.org/10.18653/v1/D15-1182)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A metric, prepared so that it can be recomputed for any weighting of the rows.

    Parameters
    ----------
    name : str
    formula : callable
        Takes sums of shape (..., n_columns), returns the metric of shape (...,).
    values : ndarray of shape (n_rows, n_columns), optional
        What each row adds to the sums; or, instead:
    cell : ndarray of int64, shape (n_rows,), optional
        The one column to which each row adds 1, of `n_cells`.
    """

    name: str
    formula: Callable[[Float], Float]
    values: Float | None = None
    cell: Int | None = None
    n_cells: int = 0

    def value(self) -> float:
        """Return the metric on all rows."""
        if self.values is not None:
            return float(self.formula(self.values.sum(axis=0)))
        return float(self.formula(np.bincount(self._cell(), minlength=self.n_cells).astype(np.float64)))

    def sums(self, resample: Resample) -> Float | sparse.csr_matrix:
        """Return what each unit of `resample` adds, shape (n_units, n_columns)."""
        if self.values is not None:
            return resample.sum_values(self.values)
        return resample.sum_cells(self._cell(), self.n_cells)

    def bootstrap(self, resample: Resample) -> Float:
        """Return the metric of each resample, shape (n_boot,)."""
        return draw_bootstrap(self.sums(resample), self.formula, resample)

    def jackknife(self, resample: Resample) -> Float | None:
        """Return the metric without each unit in turn; None where it would cost more than it tells."""
        sums = self.sums(resample)
        if not isinstance(sums, np.ndarray):
            if sums.shape[0] * sums.shape[1] > MAX_JACKKNIFE_CELLS:
                return None
            sums = np.asarray(sums.todense())
        return self.formula(sums.sum(axis=0) - sums)

    def _cell(self) -> Int:
        if self.cell is None:
            raise ValueError("a Score needs values or cell")
        return self.cell


def build_score(name: str, y: Float | Int, prediction: Float, *, threshold: float = 0.5) -> Score:
    """Prepare one metric.

    Parameters
    ----------
    name : str
        A key of `HIGHER_IS_BETTER` but ``roc_auc``, whose variance has a closed form (`skiff.evaluate.ranking`).
    y : ndarray of shape (n_rows,)
        Class codes or values.
    prediction : ndarray of shape (n_rows, n_classes) or (n_rows,)
        Probabilities or values.
    threshold : float
        Binary: positive (the last class) from this probability upwards. ``pinball_loss``: the quantile that was asked for.

    Examples
    --------
    >>> build_score("mae", np.array([1.0, 2.0]), np.array([1.5, 2.5])).value()
    0.5
    """
    try:
        build = _BUILDERS[name]
    except KeyError:
        raise SkiffError(
            "metric_unknown", what=f"There is no metric '{name}' here.", fix=f"Known are: {', '.join(_BUILDERS)}."
        ) from None
    return build(name, y, prediction, threshold)


def decide_labels(prob: Float, threshold: float) -> Int:
    """Return the class codes that the model answers: the threshold for two classes, else the most probable one.

    Examples
    --------
    >>> decide_labels(np.array([[0.6, 0.4], [0.9, 0.1]]), 0.3).tolist()
    [1, 0]
    """
    if prob.shape[1] == 2:  # noqa: PLR2004  two classes
        return np.asarray(prob[:, 1] >= threshold, dtype=np.int64)
    return np.asarray(np.argmax(prob, axis=1), dtype=np.int64)


def measure_row_log_loss(y: Int, prob: Float) -> Float:
    """Return minus the log of the probability given to what happened, clipped as scikit-learn does.

    Examples
    --------
    >>> measure_row_log_loss(np.array([1]), np.array([[0.5, 0.5]])).round(4).tolist()
    [0.6931]
    """
    eps = np.finfo(np.float64).eps
    return -np.log(np.clip(prob[np.arange(len(y)), y], eps, 1 - eps))


def assign_equal_mass_bins(p: Float, n_bins: int) -> Int:
    """Return the bin of each row: bins of about equal numbers of rows, equal values never parted.

    Examples
    --------
    >>> assign_equal_mass_bins(np.array([0.1, 0.2, 0.8, 0.9]), 2).tolist()
    [0, 0, 1, 1]
    """
    edges = np.unique(np.quantile(p, np.linspace(0, 1, n_bins + 1)[1:-1], method="higher"))
    return np.searchsorted(edges, p, side="right").astype(np.int64)


def _with_count(*columns: Float) -> Float:
    return np.stack([np.ones(len(columns[0])), *columns], axis=1)


def _mean(sums: Float) -> Float:
    return np.asarray(sums[..., 1] / sums[..., 0])


def _build_log_loss(name: str, y: Float | Int, prob: Float, threshold: float) -> Score:  # noqa: ARG001  one shape for all builders
    return Score(name=name, formula=_mean, values=_with_count(measure_row_log_loss(y.astype(np.int64), prob)))


def _build_brier(name: str, y: Float | Int, prob: Float, threshold: float) -> Score:  # noqa: ARG001  one shape for all builders
    hit = np.zeros_like(prob)
    hit[np.arange(len(y)), y.astype(np.int64)] = 1
    loss = np.sum((prob - hit) ** 2, axis=1) / (2 if prob.shape[1] == 2 else 1)  # noqa: PLR2004  two classes: as scikit-learn's scale_by_half="auto"
    return Score(name=name, formula=_mean, values=_with_count(loss))


def _build_ece(name: str, y: Float | Int, prob: Float, threshold: float) -> Score:  # noqa: ARG001  one shape for all builders
    said, happened = find_stated_and_seen(y.astype(np.int64), prob)
    bins = assign_equal_mass_bins(said, N_CALIBRATION_BINS)
    residual = np.zeros((len(said), bins.max(initial=0) + 1))
    residual[np.arange(len(said)), bins] = happened - said

    def formula(sums: Float) -> Float:
        return np.asarray(np.abs(sums[..., 1:]).sum(axis=-1) / sums[..., 0])

    return Score(name=name, formula=formula, values=np.hstack([np.ones((len(said), 1)), residual]))


def find_stated_and_seen(y: Int, prob: Float) -> tuple[Float, Float]:
    """Return the probability stated and whether it came true: of the positive class, or of the answer where there are several.

    Examples
    --------
    >>> said, happened = find_stated_and_seen(np.array([2]), np.array([[0.1, 0.2, 0.7]]))
    >>> said.tolist(), happened.tolist()
    ([0.7], [1.0])
    """
    if prob.shape[1] == 2:  # noqa: PLR2004  two classes
        return prob[:, 1], (y == 1).astype(np.float64)
    answer = np.argmax(prob, axis=1)
    return prob[np.arange(len(y)), answer], (answer == y).astype(np.float64)


def _build_from_confusion(name: str, y: Float | Int, prob: Float, threshold: float) -> Score:
    n_classes = prob.shape[1]
    cell = y.astype(np.int64) * n_classes + decide_labels(prob, threshold)

    def formula(sums: Float) -> Float:
        return _CONFUSION_FORMULAS[name](sums.reshape(*sums.shape[:-1], n_classes, n_classes))

    return Score(name=name, formula=formula, cell=cell, n_cells=n_classes * n_classes)


def _divide(top: Float, bottom: Float) -> Float:
    """Divide, 0 where the bottom is 0: scikit-learn's ``zero_division``."""
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def _accuracy(counts: Float) -> Float:
    return np.asarray(np.trace(counts, axis1=-2, axis2=-1) / counts.sum(axis=(-2, -1)))


def _balanced_accuracy(counts: Float) -> Float:
    """Mean recall over the classes that occur."""
    actual = counts.sum(axis=-1)
    recall = _divide(np.diagonal(counts, axis1=-2, axis2=-1).copy(), actual)
    return np.asarray(recall.sum(axis=-1) / np.maximum((actual > 0).sum(axis=-1), 1))


def _per_class(counts: Float, top: Float, bottom: Float) -> Float:
    """Take the positive class of two, else the mean over the classes that occur in truth or answers (macro)."""
    share = _divide(top, bottom)
    if counts.shape[-1] == 2:  # noqa: PLR2004  two classes
        return np.asarray(share[..., 1])
    occurs = (counts.sum(axis=-1) + counts.sum(axis=-2)) > 0
    return np.asarray((share * occurs).sum(axis=-1) / np.maximum(occurs.sum(axis=-1), 1))


def _precision(counts: Float) -> Float:
    return _per_class(counts, np.diagonal(counts, axis1=-2, axis2=-1).copy(), counts.sum(axis=-2))


def _recall(counts: Float) -> Float:
    return _per_class(counts, np.diagonal(counts, axis1=-2, axis2=-1).copy(), counts.sum(axis=-1))


def _f1(counts: Float) -> Float:
    hits = np.diagonal(counts, axis1=-2, axis2=-1).copy()
    return _per_class(counts, 2 * hits, counts.sum(axis=-1) + counts.sum(axis=-2))


_CONFUSION_FORMULAS: Mapping[str, Callable[[Float], Float]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
}


def bin_ranking(is_positive: NDArray[np.bool_], score: Float) -> tuple[Int, int]:
    """Return each row's place from the top of the ranking, close places pooled so that at most `MAX_BINS` remain.

    Examples
    --------
    >>> bin_ranking(np.array([True, False, True]), np.array([0.9, 0.1, 0.5]))
    (array([0, 2, 1]), 3)
    """
    distinct, place = np.unique(-score, return_inverse=True)
    if len(distinct) <= MAX_BINS:
        return place.astype(np.int64), len(distinct)
    steps = np.linspace(0, 1, MAX_BINS // 2 + 1)[1:]
    parts = [np.quantile(-score[side], steps, method="higher") for side in (is_positive, ~is_positive) if side.any()]
    edges = np.unique(np.concatenate(parts))
    return np.searchsorted(edges, -score, side="left").astype(np.int64), len(edges) + 1


def count_ranking(sums: Float) -> tuple[Float, Float]:
    """Return positives and all rows counted down the ranking, from sums of cells ``2 * place + is_positive``."""
    negatives = np.cumsum(sums[..., 0::2], axis=-1)
    positives = np.cumsum(sums[..., 1::2], axis=-1)
    return positives, positives + negatives


def _average_precision(sums: Float) -> Float:
    hits, flagged = count_ranking(sums)
    precision = _divide(hits, flagged)
    gains = np.diff(hits, axis=-1, prepend=0.0)
    total = hits[..., -1]
    area = np.asarray((precision * gains).sum(axis=-1))
    return np.where(total > 0, area / np.maximum(total, 1), np.nan)


def build_ranking_cells(is_positive: NDArray[np.bool_], score: Float) -> tuple[Int, int]:
    """Return the cell ``2 * place + is_positive`` of each row, and the number of cells."""
    place, n_places = bin_ranking(is_positive, score)
    return 2 * place + is_positive, 2 * n_places


def _build_average_precision(name: str, y: Float | Int, prob: Float, threshold: float) -> Score:  # noqa: ARG001  one shape for all builders
    cell, n_cells = build_ranking_cells(y == 1, prob[:, 1])
    return Score(name=name, formula=_average_precision, cell=cell, n_cells=n_cells)


def measure_average_precision(is_positive: NDArray[np.bool_], score: Float) -> float:
    """Return the average precision, ties and all places exact; NaN without positives.

    Examples
    --------
    >>> round(measure_average_precision(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.35, 0.8])), 4)
    0.8333
    """
    distinct, place = np.unique(-score, return_inverse=True)
    return float(
        _average_precision(np.bincount(2 * place + is_positive, minlength=2 * len(distinct)).astype(np.float64))
    )


def _build_squared(name: str, y: Float | Int, pred: Float, threshold: float) -> Score:  # noqa: ARG001  one shape for all builders
    def formula(sums: Float) -> Float:
        return np.asarray(np.sqrt(np.maximum(sums[..., 1] / sums[..., 0], 0)))

    return Score(name=name, formula=formula, values=_with_count((y - pred) ** 2))


def _build_absolute(name: str, y: Float | Int, pred: Float, threshold: float) -> Score:  # noqa: ARG001  one shape for all builders
    return Score(name=name, formula=_mean, values=_with_count(np.abs(y - pred)))


def _build_relative(name: str, y: Float | Int, pred: Float, threshold: float) -> Score:  # noqa: ARG001  one shape for all builders
    size = np.maximum(np.abs(y), np.finfo(np.float64).eps)
    return Score(name=name, formula=_mean, values=_with_count(np.abs(y - pred) / size))


def _build_pinball(name: str, y: Float | Int, pred: Float, threshold: float) -> Score:
    """Score a quantile: what lies above the answer costs `threshold` a unit, what lies below it the rest of 1.

    References
    ----------
    Koenker, R. and Bassett, G. (1978). Regression quantiles. Econometrica 46(1), 33-50.
    """
    above = y - pred
    return Score(name=name, formula=_mean, values=_with_count(np.maximum(threshold * above, (threshold - 1) * above)))


def _build_r2(name: str, y: Float | Int, pred: Float, threshold: float) -> Score:  # noqa: ARG001  one shape for all builders
    centred = y - y.mean()  # keeps the sum of squares exact where values are large

    def formula(sums: Float) -> Float:
        spread = sums[..., 3] - sums[..., 2] ** 2 / sums[..., 0]
        return np.asarray(1 - np.divide(sums[..., 1], spread, out=np.full_like(spread, np.nan), where=spread > 0))

    return Score(name=name, formula=formula, values=_with_count((y - pred) ** 2, centred, centred**2))


def _build_median(name: str, y: Float | Int, pred: Float, threshold: float) -> Score:  # noqa: ARG001  one shape for all builders
    error = np.abs(y - pred)
    bins = assign_equal_mass_bins(error, MAX_BINS)
    n_bins = int(bins.max(initial=0)) + 1
    level = np.bincount(bins, weights=error, minlength=n_bins) / np.maximum(np.bincount(bins, minlength=n_bins), 1)

    def formula(sums: Float) -> Float:
        running = np.cumsum(sums, axis=-1)
        return np.asarray(level[np.argmax(running >= running[..., -1:] / 2, axis=-1)])

    return Score(name=name, formula=formula, cell=bins, n_cells=n_bins)


_Builder: TypeAlias = Callable[[str, "Float | Int", "Float", float], Score]

_BUILDERS: Mapping[str, _Builder] = {
    "average_precision": _build_average_precision,
    "log_loss": _build_log_loss,
    "brier_score": _build_brier,
    "accuracy": _build_from_confusion,
    "balanced_accuracy": _build_from_confusion,
    "f1": _build_from_confusion,
    "precision": _build_from_confusion,
    "recall": _build_from_confusion,
    "ece": _build_ece,
    "rmse": _build_squared,
    "mae": _build_absolute,
    "r2": _build_r2,
    "mape": _build_relative,
    "pinball_loss": _build_pinball,
    "median_absolute_error": _build_median,
}
