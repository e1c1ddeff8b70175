"""Outcomes that the model's own decisions hid: a loan that was refused never shows whether it would have been paid back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.measurement import Measurement
from skiff.evaluate.intervals import find_wilson_interval
from skiff.monitor.chances import find_rate_chance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

MIN_ROWS = 30
"""Rows an answer needs before its share of outcomes is looked at."""

HIDDEN_SHARE = 0.5
"""An answer whose outcomes arrive at most half as often as those of the best observed answer hides them."""

SURE = 1e-4
"""Chance below which the difference is no accident; a description, not an alarm, so that no budget is spent on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """How far the outcomes can be trusted to speak for all rows.

    Parameters
    ----------
    observed : mapping of str to float
        Share of rows with an outcome, by answer; the control share is not counted.
    hidden : tuple of str
        Answers after which outcomes are seldom seen.
    unobservable : Measurement
        Share of rows whose outcome the decisions hid.
    control_share : float
        Share of rows on which decisions did not follow the model.
    n_control : int
        Of them, those with an outcome.
    on_control : Measurement or None
        The headline metric on these alone: not biased by the decisions.
    sentence : str
    """

    observed: Mapping[str, float]
    hidden: tuple[str, ...]
    unobservable: Measurement
    control_share: float
    n_control: int
    on_control: Measurement | None = None
    sentence: str = ""


def measure_feedback(
    answers: NDArray[np.object_], has_outcome: Mask, is_control: Mask, *, on_control: Measurement | None = None
) -> Feedback:
    """Compare how often outcomes arrive after each answer.

    Parameters
    ----------
    answers : ndarray of str
        What was answered or decided, row by row.
    has_outcome, is_control : ndarray of bool
    on_control : Measurement, optional
        The headline on control rows.

    Examples
    --------
    >>> answers = np.array(["yes"] * 200 + ["no"] * 200, dtype=object)
    >>> seen = np.array([True] * 180 + [False] * 220)
    >>> made = measure_feedback(answers, seen, np.zeros(400, dtype=bool))
    >>> made.hidden, round(made.unobservable.value, 2)
    (('no',), 0.5)
    """
    followed = ~is_control
    observed: dict[str, float] = {}
    rows: dict[str, int] = {}
    for answer in sorted({str(item) for item in answers[followed]}):
        chosen = followed & (answers == answer)
        if chosen.sum() >= MIN_ROWS:
            rows[answer] = int(chosen.sum())
            observed[answer] = float(has_outcome[chosen].mean())
    best = max(observed, key=lambda name: observed[name], default="")
    hidden = tuple(
        name
        for name, share in observed.items()
        if share < HIDDEN_SHARE * observed[best]
        and find_rate_chance(round(share * rows[name]), rows[name], round(observed[best] * rows[best]), rows[best])
        < SURE
    )
    lost = sum(rows[name] * (1 - observed[name] / observed[best]) for name in hidden)
    total = int(followed.sum())
    low, high = find_wilson_interval(lost, total) if total else (0.0, 1.0)
    made = Measurement(
        name="unobservable_share",
        value=lost / total if total else 0.0,
        low=low,
        high=high,
        n=total,
        unit="rate",
        higher_is_better=False,
        method="rows of answers whose outcomes arrive at most half as often as those of the best observed one; Wilson 1927",
    )
    n_control = int((is_control & has_outcome).sum())
    return Feedback(
        observed=observed,
        hidden=hidden,
        unobservable=made,
        control_share=float(is_control.mean()) if len(is_control) else 0.0,
        n_control=n_control,
        on_control=on_control,
        sentence=_say(hidden, made.value, n_control, on_control),
    )


def _say(hidden: tuple[str, ...], share: float, n_control: int, on_control: Measurement | None) -> str:
    if not hidden:
        return ""
    first = (
        f"About {share:.0%} of the outcomes cannot be seen, because of what was decided after the answer "
        f"{' or '.join(repr(name) for name in hidden)}. Delivered quality speaks for the rest only."
    )
    if on_control is not None:
        return f"{first} On the control share of {n_control:,} rows, where decisions did not follow the model: {on_control}."
    return f"{first} A small control share, [serving] control_share = 0.02, would make it measurable."
