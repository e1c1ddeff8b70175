"""Intervals against published tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from skiff.evaluate.intervals import find_wilson_interval
from skiff.evaluate.ranking import find_auc_interval, find_standard_error, split_auc

if TYPE_CHECKING:
    from numpy.typing import NDArray

Z95 = 1.959963984540054


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_agrees_with_newcombes_table(hits: int, n: int, low: float, high: float) -> None:
    """Newcombe, R. G. (1998). Two-sided confidence intervals for the single proportion. Statistics in Medicine 17,
    857-872, Table I, method 3. https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E
    """
    found = find_wilson_interval(hits, n)
    assert found == pytest.approx((low, high), abs=5e-5)


def test_delong_agrees_with_the_published_ct_readings() -> None:
    """Hanley, J. A. and McNeil, B. J. (1982). The meaning and use of the area under a ROC curve. Radiology 143, 29-36,
    Table I (109 CT images rated 1 to 5); area, DeLong's standard error and interval as printed in the Stata Base
    Reference Manual, entry ``roctab``, example 1: 0.8932, 0.0307, 0.83295 to 0.95339.
    """
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    rating = np.concatenate([np.repeat(np.arange(1.0, 6.0), normal), np.repeat(np.arange(1.0, 6.0), abnormal)])
    is_positive = np.arange(109) >= 58
    auc, parts = split_auc(is_positive, rating)
    error = find_standard_error(parts)
    assert auc == pytest.approx(0.8932, abs=5e-5)
    assert error == pytest.approx(0.0307, abs=5e-5)
    assert (auc - Z95 * error, auc + Z95 * error) == pytest.approx((0.83295, 0.95339), abs=5e-6)


def test_delong_agrees_with_its_definition_over_all_pairs() -> None:
    """The structural components of DeLong et al. (1988), eq. 2 to 5, by brute force, for two models and their covariance."""
    rng = np.random.default_rng(3)
    is_positive = rng.uniform(size=60) < 0.4
    shift = is_positive.astype(np.float64)
    scores = [np.round(rng.normal(size=60) + scale * shift, 1) for scale in (1.0, 0.5)]

    def components(score: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x, y = score[is_positive][:, None], score[~is_positive][None, :]
        psi = (x > y) + 0.5 * (x == y)
        return psi.mean(axis=1), psi.mean(axis=0)

    (a10, a01), (b10, b01) = components(scores[0]), components(scores[1])
    s10, s01 = np.cov(a10, b10), np.cov(a01, b01)
    covariance = s10 / len(a10) + s01 / len(a01)
    (auc_a, parts_a), (auc_b, parts_b) = split_auc(is_positive, scores[0]), split_auc(is_positive, scores[1])
    assert auc_a == pytest.approx(a10.mean(), abs=1e-12)
    assert auc_b == pytest.approx(b10.mean(), abs=1e-12)
    assert find_standard_error(parts_a) ** 2 == pytest.approx(covariance[0, 0], rel=1e-10)
    difference = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert find_standard_error(parts_a - parts_b) ** 2 == pytest.approx(difference, rel=1e-10)


def test_grouped_error_agrees_with_obuchowskis_formula() -> None:
    """Obuchowski (1997), eq. 3: S10/M + S01/N + 2 S11/(MN) over clusters, every cluster holding both kinds."""
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(12), 10)
    is_positive = np.tile(np.arange(10) < 4, 12)
    score = rng.normal(size=120) + is_positive + rng.normal(size=12)[group]
    x, y = score[is_positive][:, None], score[~is_positive][None, :]
    psi = (x > y) + 0.5 * (x == y)
    auc, m, n, i = psi.mean(), int(is_positive.sum()), int((~is_positive).sum()), 12
    v10 = np.bincount(group[is_positive], psi.mean(axis=1) - auc)
    v01 = np.bincount(group[~is_positive], psi.mean(axis=0) - auc)
    s10, s01 = i / ((i - 1) * m) * np.sum(v10**2), i / ((i - 1) * n) * np.sum(v01**2)
    s11 = i / (i - 1) * np.sum(v10 * v01)
    published = s10 / m + s01 / n + 2 * s11 / (m * n)
    _, parts = split_auc(is_positive, score)
    # Ours keeps DeLong's m - 1 within each kind, a factor that vanishes with the number of rows.
    assert find_standard_error(parts, group) ** 2 == pytest.approx(published, rel=0.03)


def test_perfect_ranking_still_leaves_doubt() -> None:
    """Where DeLong's error is zero the interval must not be a point."""
    low, high = find_auc_interval(1.0, 0.0, n_positive=20, n_negative=30)
    assert 0.85 < low < 0.95
    assert high == 1.0
