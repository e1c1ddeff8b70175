"""How far apart two columns are: effect sizes that do not grow with the number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.monitor.reference import Curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

PSI_BINS = 10
"""The ten bins for which 0.1 and 0.25 are the usual marks (Siddiqi 2006, Credit risk scorecards, ch. 8)."""

JS_BINS = 20
"""Bins of equal mass behind the Jensen-Shannon distance."""

TAIL_SHARE = 0.998
"""From here on the curve has one point, its largest value."""

LEAST_SHARE = 1e-4
"""An empty bin counts as this share in a stability index, which would be infinite (the usual practice)."""


def measure_js(p: Float, q: Float) -> float:
    """Return the Jensen-Shannon distance of two lists of counts: 0 where equal, 1 where nothing is shared.

    References
    ----------
    Lin, J. (1991). Divergence measures based on the Shannon entropy. https://doi.org/10.1109/18.61115; the root is a metric
    (Endres and Schindelin 2003, https://doi.org/10.1109/TIT.2003.813506). Logarithms to base 2.

    Examples
    --------
    >>> measure_js(np.array([1.0, 1.0]), np.array([5.0, 5.0])), measure_js(np.array([1.0, 0.0]), np.array([0.0, 2.0]))
    (0.0, 1.0)
    """
    if not p.sum() or not q.sum():
        return 0.0
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    total = 0.0
    for side in (p, q):
        used = side > 0
        total += float((side[used] * np.log2(side[used] / middle[used])).sum())
    return float(np.sqrt(max(total / 2, 0.0)))


def measure_psi(now: Float, before: Float) -> float:
    """Return the population stability index of two lists of counts.

    Examples
    --------
    >>> round(measure_psi(np.array([30.0, 70.0]), np.array([50.0, 50.0])), 3)
    0.169
    """
    if not now.sum() or not before.sum():
        return 0.0
    p = np.maximum(now / now.sum(), LEAST_SHARE)
    q = np.maximum(before / before.sum(), LEAST_SHARE)
    return float(((p - q) * np.log(p / q)).sum())


def measure_cramer(chi2: float, n: float, n_cells: int) -> float:
    """Return Cramér's V of a table of two rows: the strength of an association, 0 to 1 (Cramér 1946, §21.9)."""
    return float(np.sqrt(chi2 / n)) if n and n_cells > 1 else 0.0


def compare_curves(ordered: Float, curve: Curve) -> tuple[float, float, Float]:
    """Compare sorted values with a curve.

    Returns
    -------
    ks : float
        Largest distance of the two staircases at the curve's points: never above the distance of all rows, and below it by
        at most the share between two points (0.001).
    wasserstein : float
        Area between the staircases, in the column's unit; exact beyond the ends of the curve, and within a hundredth of a
        standard deviation inside (the last thousandth of a long tail is known by its end only).
    shares : ndarray
        Share of `ordered` up to each of the curve's points.

    Examples
    --------
    >>> curve = Curve(n=4, points=np.array([1.0, 2.0, 3.0, 4.0]), shares=np.array([0.25, 0.5, 0.75, 1.0]), low=1.0, high=4.0,
    ...               sd=1.1)
    >>> ks, area, _ = compare_curves(np.array([2.0, 3.0, 4.0, 5.0]), curve)
    >>> ks, area
    (0.25, 1.0)
    """
    n = len(ordered)
    shares = np.searchsorted(ordered, curve.points, side="right") / n
    gaps = shares - curve.shares
    below = float(np.searchsorted(ordered, curve.low, side="left")) / n
    ks = max(float(np.abs(gaps).max(initial=0.0)), below)
    widths = np.diff(curve.points)
    # The left end of each step: exact where the points are all the values there are, and off by at most 0.001 elsewhere. The
    # last thousandth of the rows may reach far, so that the staircases are taken to close evenly there.
    steps = np.abs(gaps[:-1])
    if len(steps) and curve.shares[-2] >= TAIL_SHARE:
        steps[-1] /= 2
    area = float(steps @ widths) + float(curve.points[0] - curve.low) * (below + abs(float(gaps[0]))) / 2
    area += float((ordered[ordered > curve.high] - curve.high).sum()) / n
    area += float((curve.low - ordered[: round(below * n)]).sum()) / n
    return ks, area, shares


def count_in_bins(shares: Float, curve: Curve, *, n: int, n_bins: int) -> tuple[Float, Float]:
    """Return the rows of both sides in about `n_bins` bins of equal mass of the curve, as counts."""
    wanted = np.arange(1, n_bins) / n_bins
    places = np.unique(np.searchsorted(curve.shares, wanted - 1e-12, side="left").clip(max=len(curve.shares) - 1))
    places = places[curve.shares[places] < 1.0]
    now = np.diff(np.concatenate([[0.0], shares[places], [1.0]])) * n
    before = np.diff(np.concatenate([[0.0], curve.shares[places], [1.0]])) * curve.n
    return now, before
