"""The quality of a classifier before any outcome is known, from its own calibrated probabilities.

If a probability means what it says, the expected number of right and wrong answers follows from the answers alone. What
the map from stated to true probability was on the sealed rows is uncertain, may move with time, and outcomes are chance
even if it holds: all three are in the interval. What no estimate without outcomes can see is that the same inputs now have
other answers (concept drift); its track record against outcomes that arrive later says how far it can be trusted.

References
----------
Kivimäki, J., Białek, J., Nurminen, J. K. and Kuberski, W. (2025). Confidence-based estimators for predictive performance in
model monitoring. JAIR 82, 209-240 (https://doi.org/10.1613/jair.1.16709). NannyML documents the same method as CBPE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import expit

from skiff.core.measurement import Measurement
from skiff.evaluate.lines import FLOOR, to_logit
from skiff.evaluate.scores import HIGHER_IS_BETTER
from skiff.monitor.moves import N_LINE, draw_moves
from skiff.monitor.reference import Reference, ScoreMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

N_CELLS = 1_000
"""Groups of neighbouring scores: within one, rows are interchangeable, so that a ranking by cells is off by at most 1e-6."""

N_DRAWS = 200
N_STILL = 50
"""Further draws in which the calibration has not moved: they tell how much better rough draws of the map rank than the map."""

MAX_LOG_SLOPE = 5.0
"""A map 150 times as steep is a step: more would only overflow."""

MIN_ISOTONIC = 1_000
"""Sealed rows from which the map may take any rising form; below it is a straight line in log odds (as in
`skiff.evaluate.calibration`)."""

MIN_ISOTONIC_HITS = 100
BINARY = 2
SHARES = frozenset({"roc_auc", "average_precision", "accuracy", "precision", "recall", "f1", "brier_score"})
"""Metrics that lie between 0 and 1."""

METHOD = "estimated without outcomes (confidence-based; Kivimäki et al. 2025); interval: calibration, its moves, chance"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Rows grouped by score: mean score, rows, and whether the group is answered with yes."""

    score: Float
    n: Float
    is_flagged: NDArray[np.bool_]


def estimate_quality(
    probabilities: Float, reference: Reference, *, threshold: float, seed: int, names: Sequence[str] = ()
) -> dict[str, Measurement]:
    """Estimate metrics of a window of answers that nobody has checked yet.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)
        The served probabilities; of two classes the last is the positive one.
    reference : Reference
        Of the release that answered; without calibration there is no estimate.
    threshold : float
    seed : int
        For the draws behind the intervals.
    names : sequence of str
        Only these metrics; all by default.

    Returns
    -------
    dict of str to Measurement
        Two classes: ``roc_auc``, ``average_precision``, ``accuracy``, ``precision``, ``recall``, ``f1``, ``log_loss``,
        ``brier_score``. More: ``accuracy``, ``log_loss`` and ``roc_auc`` (mean over classes). Empty where the reference has
        no calibration.

    Notes
    -----
    One sort of the scores and 200 draws of 1,000 cells: about 0.1 s for 1,000,000 rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> score = (np.arange(50) + 0.5) / 50
    >>> known = ScoreMap(score=score, n=np.full(50, 200.0), hits=np.round(200 * score), line=np.array([0.0, 1.0]),
    ...                  line_covariance=np.eye(2) * 1e-4, code=1)
    >>> reference = Reference(rows=0, columns=(), answers=(), judged_rows=10_000, classes=(known,), top=known)
    >>> p = rng.uniform(size=20_000)
    >>> found = estimate_quality(np.stack([1 - p, p], axis=1), reference, threshold=0.5, seed=0)
    >>> round(found["accuracy"].value, 2), round(found["roc_auc"].value, 2)
    (0.75, 0.83)
    """
    if reference.top is None or not len(probabilities):
        return {}
    rng = np.random.default_rng(seed)
    moves = draw_moves(reference, N_DRAWS, rng)
    moves = moves if moves.shape[1] == N_LINE else np.column_stack([moves, np.zeros(N_DRAWS)])
    moves = np.vstack([moves, np.zeros((N_STILL, N_LINE))])
    if probabilities.shape[1] == BINARY:
        draws = _estimate_binary(probabilities[:, 1], reference.classes[0], threshold, moves, rng)
    else:
        draws = _estimate_classes(probabilities, reference, moves, rng)
    wanted = names or tuple(draws)
    return {name: _build(name, draws[name], len(probabilities)) for name in wanted if name in draws}


def group_scores(score: Float, *, threshold: float | None = None) -> Cells:
    """Group scores into at most about a thousand cells; the threshold is the border of two of them.

    Examples
    --------
    >>> made = group_scores(np.array([0.9, 0.1, 0.4]), threshold=0.4)
    >>> made.score.tolist(), made.is_flagged.tolist()
    ([0.1, 0.4, 0.9], [False, True, True])
    """
    ordered = np.sort(score[np.isfinite(score)])
    n = len(ordered)
    bounds = np.unique(np.arange(N_CELLS + 1) * n // N_CELLS)
    if threshold is not None:
        bounds = np.unique(np.append(bounds, np.searchsorted(ordered, threshold, side="left")))
    rows = np.diff(bounds)
    sums = np.add.reduceat(ordered, bounds[:-1]) if n else np.zeros(0)
    mean = sums / np.maximum(rows, 1)
    flagged = np.zeros(len(rows), dtype=np.bool_) if threshold is None else ordered[bounds[:-1]] >= threshold
    return Cells(score=mean, n=rows.astype(np.float64), is_flagged=flagged)


def map_scores(score: Float, known: ScoreMap, moves: Float, rng: np.random.Generator) -> Float:
    """Return true probabilities of scores: the first row the best guess, each other row one draw of what it could be.

    Parameters
    ----------
    score : ndarray of shape (n_cells,)
    known : ScoreMap
    moves : ndarray of shape (n_draws, 2)
        Moves of the calibration in log odds: of its offset, and of the logarithm of its slope.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_draws + 1, n_cells)
    """
    n_draws = len(moves)
    offset = np.concatenate([[0.0], moves[:, 0]])[:, None]
    slope = np.concatenate([[1.0], np.exp(np.minimum(moves[:, 1], MAX_LOG_SLOPE))])[:, None]
    pivot = float(
        known.line[0]
    )  # where an even chance was stated: the offset and the slope are those of lines over what was stated
    rows, hits = float(known.n.sum()), float(known.hits.sum())
    if rows < MIN_ISOTONIC or min(hits, rows - hits) < MIN_ISOTONIC_HITS:
        factor = np.linalg.cholesky(known.line_covariance + 1e-12 * np.eye(2))
        lines = known.line + np.vstack([np.zeros(2), rng.normal(size=(n_draws, 2)) @ factor.T])
        logits = lines[:, :1] + lines[:, 1:] * to_logit(score)
        return _to_chance(pivot + (logits - pivot) * slope + offset)
    # Gamma draws make Beta draws: the posterior of each bin's share under Jeffreys' prior.
    share = known.hits / known.n
    up = rng.standard_gamma(known.hits + 0.5, size=(n_draws, len(share)))
    down = rng.standard_gamma(known.n - known.hits + 0.5, size=up.shape)
    risen = np.vstack([rise(share, known.n), rise_quickly(up / (up + down))])
    mapped = np.stack([np.interp(score, known.score, item) for item in risen])
    return _to_chance(pivot + (to_logit(mapped) - pivot) * slope + offset)


def rise_quickly(values: Float) -> Float:
    """Return a rising sequence for each row: the mean of the least one above and the largest one below.

    Not the nearest one, as `rise` gives, but as good for the spread between draws and fifty times as fast.

    Examples
    --------
    >>> rise_quickly(np.array([[0.1, 0.4, 0.2, 0.9]])).round(2).tolist()
    [[0.1, 0.3, 0.3, 0.9]]
    """
    above = np.maximum.accumulate(values, axis=1)
    below = np.minimum.accumulate(values[:, ::-1], axis=1)[:, ::-1]
    middle: Float = (above + below) / 2
    return middle


def rise(values: Float, weights: Float) -> Float:
    """Return the nearest rising sequence (pool adjacent violators; Barlow et al. 1972, §1.2).

    Examples
    --------
    >>> rise(np.array([0.1, 0.4, 0.2, 0.9]), np.ones(4)).round(2).tolist()
    [0.1, 0.3, 0.3, 0.9]
    """
    means: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, mass, size = value, weight, 1
        while means and means[-1] >= mean:
            mean = (means[-1] * masses[-1] + mean * mass) / (masses[-1] + mass)
            mass += masses.pop()
            size += sizes.pop()
            means.pop()
        means.append(mean)
        masses.append(mass)
        sizes.append(size)
    return np.repeat(np.array(means), sizes)


def _to_chance(logits: Float) -> Float:
    chances: Float = expit(logits)
    return chances


def _estimate_binary(
    score: Float, known: ScoreMap, threshold: float, moves: Float, rng: np.random.Generator
) -> dict[str, Float]:
    cells = group_scores(score, threshold=threshold)
    chances = map_scores(cells.score, known, moves, rng)
    positives = _draw_positives(chances, cells.n, rng)
    return score_cells(cells, positives)


def _draw_positives(chances: Float, n: Float, rng: np.random.Generator) -> Float:
    """Return expected positives per cell in the first row, drawn ones in the others: outcomes are chance as well."""
    drawn = rng.binomial(n.astype(np.int64), chances[1:])
    return np.vstack([chances[:1] * n, drawn])


def score_cells(cells: Cells, positives: Float) -> dict[str, Float]:
    """Return metrics from the positives in each cell, one value per row of `positives`."""
    negatives = np.maximum(cells.n - positives, 0.0)
    n_pos, n_neg = positives.sum(axis=1), negatives.sum(axis=1)
    n = cells.n.sum()
    flagged = cells.is_flagged
    caught, false = positives[:, flagged].sum(axis=1), negatives[:, flagged].sum(axis=1)
    below = np.cumsum(negatives, axis=1) - negatives / 2
    from_top = np.cumsum(positives[:, ::-1], axis=1)[:, ::-1]
    all_from_top = np.cumsum(cells.n[::-1])[::-1]
    kept = np.clip(cells.score, FLOOR, 1 - FLOOR)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = caught / (caught + false), caught / n_pos
        return {
            "roc_auc": (positives * below).sum(axis=1) / (n_pos * n_neg),
            "average_precision": (positives * from_top / all_from_top).sum(axis=1) / n_pos,
            "accuracy": (caught + n_neg - false) / n,
            "precision": precision,
            "recall": recall,
            "f1": 2 * caught / (caught + false + n_pos),
            "log_loss": -(positives @ np.log(kept) + negatives @ np.log1p(-kept)) / n,
            "brier_score": (positives @ (1 - kept) ** 2 + negatives @ kept**2) / n,
        }


def _estimate_classes(prob: Float, reference: Reference, moves: Float, rng: np.random.Generator) -> dict[str, Float]:
    found: dict[str, Float] = {}
    if reference.top is not None:
        cells = group_scores(prob.max(axis=1))
        right = _draw_positives(map_scores(cells.score, reference.top, moves, rng), cells.n, rng)
        found["accuracy"] = right.sum(axis=1) / cells.n.sum()
    aucs, losses = [], np.zeros(len(moves) + 1)
    for known in reference.classes:
        if known.code is None or known.code >= prob.shape[1]:
            continue
        cells = group_scores(prob[:, known.code])
        positives = _draw_positives(map_scores(cells.score, known, moves, rng), cells.n, rng)
        aucs.append(score_cells(cells, positives)["roc_auc"])
        losses -= positives @ np.log(np.clip(cells.score, FLOOR, 1.0)) / len(prob)
    if len(aucs) == prob.shape[1]:
        # In a draw without a rare class the mean is over the others, as it is for what is delivered.
        occurs = np.isfinite(aucs)
        with np.errstate(invalid="ignore"):
            found["roc_auc"] = np.where(occurs, aucs, 0.0).sum(axis=0) / occurs.sum(axis=0)
        found["log_loss"] = losses
    return found


def _build(name: str, draws: Float, n: int) -> Measurement:
    value = float(draws[0])
    moved, still = draws[1 : 1 + N_DRAWS], draws[1 + N_DRAWS :]
    known, still = moved[np.isfinite(moved)], still[np.isfinite(still)]
    # Draws of the map are rougher than the map itself and rank a little better: their spread is used, not their middle.
    known = known + (value - np.median(still)) if len(still) else known
    low = high = None
    if len(known) >= N_DRAWS // 2:
        low, high = (float(end) for end in np.quantile(known, [0.025, 0.975]))
        if name in SHARES:
            low, high = max(low, 0.0), min(high, 1.0)
    return Measurement(
        name=name,
        value=value,
        low=None if low is None else min(low, value),
        high=None if high is None else max(high, value),
        n=n,
        higher_is_better=HIGHER_IS_BETTER.get(name),
        method=METHOD,
    )


def find_estimable(found: Mapping[str, Measurement], name: str) -> Measurement | None:
    """Return a metric of an estimate, or None where it has no number."""
    made = found.get(name)
    return made if made is not None and np.isfinite(made.value) else None
