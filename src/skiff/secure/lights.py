"""The light in which every attack ends, and the numbers it is chosen by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from skiff.core.measurement import Measurement
from skiff.evaluate.intervals import LEVEL, find_exact_interval

Light: TypeAlias = Literal["red", "amber", "green"]

ORDER: tuple[Light, ...] = ("red", "amber", "green")
_WITH_UNKNOWN: tuple[Light | None, ...] = ("red", "amber", None, "green")

TWO_SIDED_95 = 1.959963984540054
"""Standard normal quantile of 0.975."""


def find_worst(lights: Iterable[Light | None]) -> Light | None:
    """Return the worst of some lights, None where none is lit.

    Examples
    --------
    >>> find_worst(["green", None, "amber"]), find_worst([None])
    ('amber', None)
    """
    return min((light for light in lights if light is not None), key=ORDER.index, default=None)


def join_lights(lights: Iterable[Light | None]) -> Light | None:
    """Return the light of an attack that was judged in several ways: green only where all of them are.

    Examples
    --------
    >>> join_lights(["green", None]), join_lights(["red", None]), join_lights(["green", "green"])
    (None, 'red', 'green')
    """
    return min(lights, key=_WITH_UNKNOWN.index, default=None)


def choose_light(found: Measurement, *, red: float, amber: float, chance: float) -> Light | None:
    """Return the light of a number; None where it reaches a limit, but its range still holds what chance gives.

    Parameters
    ----------
    found : Measurement
    red, amber : float
        Values from which the light is red, or amber.
    chance : float
        The value where there is nothing to find.

    Examples
    --------
    >>> few, many = (measure_share("nearer", n / 5, n, method="", baseline=0.0) for n in (5, 500))
    >>> [choose_light(found, red=0.2, amber=0.1, chance=0.1) for found in (few, many)]
    [None, 'red']
    """
    if found.value < amber:
        return "green"
    if found.low is None or found.low <= chance:
        return None
    return "red" if found.value >= red else "amber"


def measure_share(name: str, n_hits: float, n_rows: float, *, method: str, baseline: float) -> Measurement:
    """Return a share of rows with its exact range (Clopper and Pearson 1934); for an attack, less is better.

    Parameters
    ----------
    name : str
    n_hits, n_rows : float
        `n_rows` > 0 independent rows; ties may count half.
    method : str
        What was counted.
    baseline : float
        The share where there is nothing to find.

    Examples
    --------
    >>> str(measure_share("flipped_by_1", 3, 10, method="greedy valid edits", baseline=0.0))
    'flipped_by_1 0.300 (0.067 to 0.652, n=10)'
    """
    low, high = find_exact_interval(n_hits, n_rows)
    return Measurement(
        name=name,
        value=n_hits / n_rows,
        low=low,
        high=high,
        n=round(n_rows),
        unit="rate",
        higher_is_better=False,
        method=f"{method}; Clopper and Pearson 1934",
        level=LEVEL,
        baseline=baseline,
    )
