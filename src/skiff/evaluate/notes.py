"""What the numbers cannot tell, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.evaluate.intervals import MIN_UNITS
from skiff.evaluate.metrics import MIN_PER_CLASS
from skiff.evaluate.results import Baseline, Slice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

FEW_ROWS = 200
"""Below, a proportion's interval is wider than 14 points (Wilson 1927, at one half)."""

FEW_POSITIVES = 50
"""Below, recall's interval is wider than 26 points (Wilson 1927, at one half)."""

FEW_GROUPS = 30
"""Fewer groups make cluster intervals too narrow (Cameron, Gelbach and Miller 2008, https://doi.org/10.1162/rest.90.3.414)."""

WIDE = 0.15
"""Width of an AUC's interval from which it hardly tells a fair model from a good one."""

MISCALIBRATED = 0.05
"""Calibration error that surely exceeds this moves decisions by five cases in 100."""

MOST_TIMES = 100
"""Times as many rows from which on a difference is taken for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the notes are written from."""

    task: Task
    y_test: Float | Int
    metrics: Mapping[str, Measurement]
    against_baseline: Measurement | None
    beats_baseline: bool
    baselines: Sequence[Baseline]
    slices: Sequence[Slice]
    headline: str
    n_groups: int | None = None
    n_train: int = 0


def write_notes(told: Told) -> tuple[str, ...]:
    """Return the limits of an evaluation, most important first.

    Examples
    --------
    >>> told = Told(task=Task(kind="regression", target="sold"), y_test=np.zeros(50), metrics={},
    ...             against_baseline=None, beats_baseline=True, baselines=(), slices=(), headline="rmse")
    >>> write_notes(told)
    ('Only 50 rows were kept aside to judge by: read every number as a range, and judge again when there are more.',)
    """
    found = [*_note_baseline(told), *_note_size(told), *_note_width(told), *_note_simple(told), *_note_trust(told)]
    return tuple(found + _note_slices(told))


def _note_baseline(told: Told) -> list[str]:
    if told.beats_baseline:
        return []
    difference = told.against_baseline
    if difference is None or difference.low is None:
        return [
            "There are too few rows to show that the model is better than a guess that looks at nothing.",
            f"A range can be given from about {_reckon_rows(told):,} rows of the same kind on.",
        ]
    verdict = "The model is not surely better than a guess that looks at nothing: do not rely on it."
    factor = find_rows_factor(difference)
    if factor is None:
        return [
            verdict,
            "Nothing points to a pattern: other columns, known when the answer is needed, would help more than further rows.",
        ]
    n_rows = factor * (len(told.y_test) + told.n_train)
    return [
        verdict,
        f"If what it found is real, about {round_up(n_rows):,} rows in all ({factor:.0f} times as many as now) would show it."
        if factor >= 2  # noqa: PLR2004  below, "twice as many" is said by the number alone
        else f"If what it found is real, about {round_up(n_rows):,} rows in all would show it.",
    ]


def _reckon_rows(told: Told) -> int:
    """Return how many rows in all would leave enough of each answer among those kept aside for an interval."""
    n, share = len(told.y_test), len(told.y_test) / max(len(told.y_test) + told.n_train, 1)
    if told.task.kind != "binary" or n == 0:
        return round_up(MIN_UNITS / max(share, 0.01))
    positives = int(np.sum(told.y_test == 1))
    rarest = max(min(positives, n - positives), 1)
    return round_up(MIN_PER_CLASS / (rarest / n) / share)


def find_rows_factor(difference: Measurement) -> float | None:
    """Return how many times as many rows would show a difference that is now within noise, None where none is in sight.

    An interval's half-width falls with the square root of the rows, so the difference d leaves an interval of half-width h
    behind with ``(h / d) ** 2`` times the rows, if it stays as it is. A model learns from more rows too, so this errs to the
    safe side; a difference so small that a hundred times the rows were needed is taken for none.

    References
    ----------
    Cohen, J. (1988). Statistical power analysis for the behavioral sciences, 2nd ed., chapter 2 (sample size from effect size).

    Examples
    --------
    >>> find_rows_factor(Measurement(name="roc_auc_difference", value=0.02, low=-0.04, high=0.08, higher_is_better=True))
    9.0
    """
    if difference.low is None or difference.high is None:
        return None
    if difference.higher_is_better:
        gain, doubt = difference.value, difference.value - difference.low
    else:
        gain, doubt = -difference.value, difference.high - difference.value
    if gain <= 0 or doubt <= 0:
        return None
    factor = round((doubt / gain) ** 2, 9)
    return max(factor, 1.0) if factor <= MOST_TIMES else None


def round_up(n_rows: float) -> int:
    """Return a number of rows rounded up to two digits: more would promise what nobody knows.

    Examples
    --------
    >>> round_up(4123.0)
    4200
    """
    unit = 10 ** max(0, len(str(int(n_rows))) - 2)
    return int(-(-n_rows // unit) * unit)


def _note_size(told: Told) -> list[str]:
    found = []
    n = len(told.y_test)
    if n < FEW_ROWS:
        found.append(
            f"Only {n:,} rows were kept aside to judge by: read every number as a range, and judge again when there are more."
        )
    if told.n_groups is not None and told.n_groups < FEW_GROUPS:
        found.append(
            f"The rows kept aside belong to only {told.n_groups:,} different {told.task.group or 'groups'}: "
            "the ranges may be too narrow."
        )
    if told.task.kind == "binary":
        found += _note_positives(told)
    if told.task.kind == "multiclass":
        counts = np.bincount(told.y_test.astype(np.int64), minlength=len(told.task.classes))
        absent, rare = int(np.sum(counts == 0)), int(np.sum((counts > 0) & (counts < MIN_PER_CLASS)))
        if absent:
            told_of = (
                "occurs in the rows kept aside: it was" if absent == 1 else "occur in the rows kept aside: they were"
            )
            found.append(f"{absent} of the {len(counts)} answers never {told_of} not judged.")
        if rare:
            verb = "occurs" if rare == 1 else "occur"
            found.append(
                f"{rare} of the {len(counts)} answers {verb} fewer than {MIN_PER_CLASS} times in the rows kept aside."
            )
    return found


def _note_positives(told: Told) -> list[str]:
    positives = int(np.sum(told.y_test == 1))
    rarest = min(positives, len(told.y_test) - positives)
    label = told.task.positive or (told.task.classes[-1] if told.task.classes else "yes")
    word = f"“{label}”" if positives == rarest else f"not “{label}”"
    if rarest == 0:
        return [f"No row kept aside is {word}: nobody can say how well the two are told apart."]
    if rarest < MIN_PER_CLASS:
        return [f"Only {rarest} of the rows kept aside are {word}: too few to say how far the scores can be trusted."]
    if rarest < FEW_POSITIVES:
        return [f"Only {rarest} of the rows kept aside are {word}: the ranges are wide."]
    return []


def _note_width(told: Told) -> list[str]:
    auc = told.metrics.get("roc_auc")
    if auc is None or auc.low is None or auc.high is None or auc.high - auc.low <= WIDE:
        return []
    return [f"The ranking score could be anything from {auc.low:.2f} to {auc.high:.2f}: more rows would narrow it."]


def _note_simple(told: Told) -> list[str]:
    """Say where one column alone does as well."""
    simple = next((baseline for baseline in told.baselines if baseline.name == "simple"), None)
    model = told.metrics.get(told.headline)
    if simple is None or model is None or told.headline not in simple.metrics or not told.beats_baseline:
        return []
    other = simple.metrics[told.headline].value
    is_no_better = other >= model.value if model.higher_is_better else other <= model.value
    if is_no_better:
        return [f"A simple table does as well as the model. {simple.description} Consider using that instead."]
    loss, plain = told.metrics.get("log_loss"), simple.metrics.get("log_loss")
    if loss is None or plain is None or loss.low is None or plain.value >= loss.low:
        return []
    losses = f"log loss {plain.value:.3f} against {loss.value:.3f}"
    which = f"It {simple.description[0].lower()}{simple.description[1:]}"
    return [f"One column alone states truer chances than the model ({losses}), although it ranks worse. {which}"]


def _note_trust(told: Told) -> list[str]:
    ece = told.metrics.get("ece")
    if ece is None or ece.low is None or ece.low <= MISCALIBRATED:
        return []
    off = f"{ece.value * 100:.0f} in 100"
    return [f"The stated probabilities are off by about {off} on average: use them to rank, not as real chances."]


def _note_slices(told: Told) -> list[str]:
    protected = [slice_ for slice_ in told.slices if slice_.is_worse and slice_.column in told.task.protected]
    found = [
        f"The model does worse where {slice_.column} is {slice_.level}: look at this before you use it on people."
        for slice_ in protected[:3]
    ]
    small = [slice_ for slice_ in told.slices if slice_.is_too_small and slice_.column in told.task.protected]
    if small:
        names = ", ".join(f"{slice_.column} {slice_.level}" for slice_ in small[:5])
        found.append(f"Too few rows to judge these groups: {names}.")
    return found
