"""Two releases set against each other, in words: which is better, by how much, or that it is too close to call."""

from __future__ import annotations

from collections.abc import Sequence

from skiff.core.measurement import Measurement
from skiff.report.glossary import describe_metric
from skiff.report.numbers import count_of, format_amount

DIFFERENCE = "_difference"
SHARES = {
    "roc_auc": "Of 100 pairs of a case to find and one that is not, release {second} puts {n} in the right order",
    "accuracy": "Of 100 answers of release {second}, {n} are right",
}
"""Differences that can be counted; what a ranking counts: Hanley and McNeil (1982), https://doi.org/10.1148/radiology.143.1.7063747."""

Side = tuple[str, str, str, str]
"""A row of the table on common rows: measure, which way is better, difference, what it means."""


def describe_pairing(found: Measurement, numbers: tuple[int, int], *, rows: int, unit: str = "") -> str:
    """Return in one sentence which of two releases is better on common rows, by how much, or that it cannot be told.

    Parameters
    ----------
    found : Measurement
        Second minus first, in the metric that leads.
    numbers : (int, int)
        The two releases.
    rows : int
        Rows that neither was trained on.
    unit : str
        Of errors in a number.

    Examples
    --------
    >>> found = Measurement(name="mae_difference", value=-2.04, low=-3.1, high=-1.0, n=90, higher_is_better=False)
    >>> describe_pairing(found, (1, 2), rows=90, unit="EUR")
    'Release 2 is better than release 1: typical error (mean absolute error) 2.0 EUR lower (3.1 to 1.0 EUR lower; lower is better), on 90 rows neither was trained on.'
    >>> found = Measurement(name="roc_auc_difference", value=0.0335, low=-0.003, high=0.07, n=90, higher_is_better=True)
    >>> describe_pairing(found, (1, 2), rows=90)[:67]
    'Too close to call between releases 1 and 2: ranking (ROC AUC) of re'
    """
    first, second = numbers
    on = f"on {count_of(rows, 'row')} neither was trained on"
    side = find_better(found)
    if side is None:
        return f"There are too few rows to tell releases {first} and {second} apart ({on})."
    label = _lower(describe_metric(_name(found)).label)
    by, reach = _say_by(found.value, unit or found.unit), say_reach_of(found, unit)
    way = f"{say_direction(higher_is_better=found.higher_is_better)} is better"
    if side == 0:
        return (
            f"Too close to call between releases {first} and {second}: {label} of release {second} is {by}, and may as well be "
            f"anything from {reach} ({way}), {on}."
        )
    better, other = (second, first) if side > 0 else (first, second)
    turned = "" if side > 0 else f" for release {second}"
    return f"Release {better} is better than release {other}: {label} {by}{turned} ({reach}; {way}), {on}."


def count_difference(found: Measurement, second: int) -> str:
    """Return a difference as a count of what it means, where it can be counted, else nothing.

    Examples
    --------
    >>> count_difference(Measurement(name="roc_auc_difference", value=0.0335, low=-0.003, high=0.07), 2)
    'Of 100 pairs of a case to find and one that is not, release 2 puts 3 more in the right order (none fewer to 7 more).'
    """
    template = SHARES.get(_name(found))
    if template is None or found.low is None or found.high is None:
        return ""
    reach = f"{_say_count(found.low)} to {_say_count(found.high)}"
    return f"{template.format(n=_say_count(found.value), second=second)} ({reach})."


def _say_count(share: float) -> str:
    return f"{round(abs(100 * share)) or 'none'} {'more' if share > 0 else 'fewer'}"


def find_better(found: Measurement) -> int | None:
    """Return 1 where the second is better, -1 where the first is, 0 where it cannot be told, None where there is no range.

    Examples
    --------
    >>> find_better(Measurement(name="rmse_difference", value=-2.0, low=-3.0, high=-1.0, higher_is_better=False))
    1
    """
    if found.low is None or found.high is None:
        return None
    if found.low <= 0 <= found.high:
        return 0
    return 1 if (found.low > 0) == (found.higher_is_better is not False) else -1


def say_direction(*, higher_is_better: bool | None) -> str:
    """Return which way a measure is better.

    Examples
    --------
    >>> say_direction(higher_is_better=True), say_direction(higher_is_better=None)
    ('higher', 'neither')
    """
    return "neither" if higher_is_better is None else "higher" if higher_is_better else "lower"


def tabulate_pairing(
    differences: Sequence[Measurement], numbers: tuple[int, int], *, unit: str = ""
) -> tuple[Side, ...]:
    """Return the rows of the table of differences on common rows.

    Examples
    --------
    >>> found = Measurement(name="saving_difference", value=-1.838, low=-18.6, high=14.9, unit="EUR", higher_is_better=True)
    >>> tabulate_pairing([found], (1, 2))
    (('Saved in a row', 'higher', '1.8 EUR lower (18.6 EUR lower to 14.9 EUR higher)', 'too close to call'),)
    """
    rows = []
    for found in differences:
        name = _name(found)
        label = "Saved in a row" if name == "saving" else describe_metric(name).label
        own = found.unit or (unit if name in {"rmse", "mae", "pinball_loss", "median_absolute_error"} else "")
        side = find_better(found)
        words = {None: "too few rows", 0: "too close to call"}.get(side, "")
        better = words or f"release {numbers[1] if side == 1 else numbers[0]} is better"
        reach = say_reach_of(found, own)
        rows.append(
            (
                label,
                say_direction(higher_is_better=found.higher_is_better),
                _say_by(found.value, own) + (f" ({reach})" if reach else ""),
                better,
            )
        )
    return tuple(rows)


def say_reach_of(found: Measurement, unit: str = "") -> str:
    """Return the interval of a difference with "lower" and "higher" instead of signs.

    Examples
    --------
    >>> say_reach_of(Measurement(name="x_difference", value=0.03, low=-0.003, high=0.07))
    '0.003 lower to 0.070 higher'
    """
    if found.low is None or found.high is None:
        return ""
    unit = unit or found.unit
    if found.low < 0 < found.high:
        return f"{_say_by(found.low, unit)} to {_say_by(found.high, unit)}"
    near, far = sorted((abs(found.low), abs(found.high)))
    ends = (far, near) if found.high <= 0 else (near, far)
    return f"{_show(ends[0], '')} to {_show(ends[1], unit)} {'lower' if found.high <= 0 else 'higher'}"


def _say_by(value: float, unit: str) -> str:
    if value == 0:
        return "the same"
    return f"{_show(abs(value), unit)} {'higher' if value > 0 else 'lower'}"


def _show(value: float, unit: str) -> str:
    """Return an amount; a score below one with three decimals, as everywhere."""
    tail = f" {unit}" if unit and unit != "rate" else ""
    if not tail and 0.001 <= value < 1:  # noqa: PLR2004  three decimals would print zero below
        return f"{value:.3f}"
    return format_amount(value, unit, digits=3 if value >= 10 else 2)  # noqa: PLR2004  18.6, not 19


def _name(found: Measurement) -> str:
    return found.name.removesuffix(DIFFERENCE)


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:]
