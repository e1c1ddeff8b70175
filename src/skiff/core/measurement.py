"""A number that carries its interval, sample size and method."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A number with what is needed to trust it.

    Parameters
    ----------
    name : str
        scikit-learn's name for metrics (``roc_auc``, ``rmse`` …), snake_case otherwise.
    value : float
        The estimate, in `unit`.
    low, high : float or None
        Bounds of the interval at `level`; None where no interval can be given (say why in `method`).
    n : int
        Rows (or groups, where `method` says so) behind the number.
    unit : str
        ``""`` for a dimensionless number, else ``"rate"``, ``"EUR"``, ``"us"``, ``"rows"`` …; rates run 0 to 1.
    higher_is_better : bool or None
        Direction; None where neither is better.
    method : str
        How value and interval were made, with the source, e.g. ``"DeLong et al. 1988"``.
    level : float
        Confidence level of the interval, 0 to 1.
    baseline : float or None
        The same number for the naive predictor on the same rows.

    Examples
    --------
    >>> auc = Measurement(name="roc_auc", value=0.81, low=0.77, high=0.85, n=412, higher_is_better=True,
    ...                   method="DeLong et al. 1988", baseline=0.5)
    >>> str(auc)
    'roc_auc 0.810 (0.770 to 0.850, n=412)'
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    unit: str = ""
    higher_is_better: bool | None = None
    method: str = ""
    level: float = 0.95
    baseline: float | None = None

    def __str__(self) -> str:
        """Return the number with its interval and sample size, for a person."""
        between = "no interval" if self.low is None or self.high is None else f"{self.low:.3f} to {self.high:.3f}"
        return f"{self.name} {self.value:.3f} ({between}, n={self.n})"
