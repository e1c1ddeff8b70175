"""Intervals on rows that were judged on before: each further look is allowed for."""

from __future__ import annotations

from dataclasses import replace

from scipy.special import ndtri

from skiff.core.measurement import Measurement
from skiff.evaluate.intervals import LEVEL

SHARES = frozenset(
    {
        "roc_auc", "average_precision", "accuracy", "balanced_accuracy", "f1", "precision", "recall", "ece", "brier_score",
        "roc_auc_difference", "coverage", "acted_accuracy", "review_share",
    }
)  # fmt: skip
"""Metrics that cannot be above 1."""


def widen_for_looks(found: Measurement, looks: int) -> Measurement:
    """Return a measurement whose interval holds although `looks` candidates were judged on the same rows and the best was kept.

    With k looks each interval is taken at ``1 - 0.05 / k`` (Bonferroni), so that all k hold together 95 times in 100, however the
    candidate was chosen. Both arms are stretched by the ratio of the normal quantiles.

    References
    ----------
    Dunn, O. J. (1961). Multiple comparisons among means. JASA 56, 52-64. https://doi.org/10.1080/01621459.1961.10482090
    Dwork, C. et al. (2015). The reusable holdout. Science 349, 636-638 (why a test set wears out). https://doi.org/10.1126/science.aaa9375

    Examples
    --------
    >>> plain = Measurement(name="rmse", value=10.0, low=9.0, high=11.0)
    >>> widen_for_looks(plain, 1) == plain
    True
    >>> round(widen_for_looks(plain, 5).high, 2)
    11.31
    """
    if looks <= 1 or found.low is None or found.high is None:
        return found
    stretch = float(ndtri(1 - (1 - LEVEL) / (2 * looks)) / ndtri(0.5 + LEVEL / 2))
    low, high = found.value - stretch * (found.value - found.low), found.value + stretch * (found.high - found.value)
    if found.name in SHARES or found.name.startswith(("recall_at_precision", "precision_at_recall")):
        high = min(high, 1.0)
    if found.low >= 0 and not found.name.endswith("_difference"):
        low = max(low, 0.0)
    return replace(
        found, low=low, high=high, method=f"{found.method}; widened for {looks} looks at these rows (Bonferroni)"
    )
