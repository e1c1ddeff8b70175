"""A change of the inputs wakes nobody where the outcomes of the same rows show that nothing was lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skiff.core.measurement import Measurement
from skiff.monitor import budget
from skiff.monitor.delivered import Delivered, WorseGroup
from skiff.monitor.results import AnswerDrift, WindowReport
from skiff.monitor.signals import tell_signals

PROMISED = Measurement(name="roc_auc", value=0.81, low=0.77, high=0.85, n=400, higher_is_better=True)
SHIFT = budget.Budgeted(test=budget.Test(kind="joint", subject="all columns", chance=1e-9), allowed=1e-3)


def report(*, low: float, n_outcomes: int = 900) -> WindowReport:
    now = Measurement(name="roc_auc", value=low + 0.02, low=low, high=low + 0.04, n=n_outcomes, higher_is_better=True)
    return WindowReport(
        release=1,
        rows=1_000,
        since="2026-01-01T00:00:00+00:00",
        until="2026-01-02T00:00:00+00:00",
        days=1.0,
        status="quiet",
        why="",
        spend=0.03,
        delivered=Delivered(name="roc_auc", n_outcomes=n_outcomes, promised=PROMISED, delivered=now),
        headline="roc_auc",
        promised=PROMISED,
    )


def test_outcomes_that_keep_the_promise_refute_what_was_foretold() -> None:
    (signal,) = tell_signals([SHIFT], report(low=0.79), {})
    assert not signal.is_alert
    assert signal.could_move == "no"
    assert signal.what.endswith(
        "The outcomes of this window show no loss: promised 0.81 (0.77–0.85), delivered 0.81 (0.79–0.83)."
    )


@pytest.mark.parametrize(
    "made",
    [report(low=0.76), report(low=0.79, n_outcomes=400), replace(report(low=0.79), delivered=None)],
    ids=["not surely kept", "known for few rows", "nothing known"],
)
def test_less_than_that_leaves_the_alert(made: WindowReport) -> None:
    (signal,) = tell_signals([SHIFT], made, {})
    assert signal.is_alert


def test_amounts_are_written_out_never_as_powers_of_ten() -> None:
    answers = AnswerDrift(ks=0.4, chance=1e-9, middle=249_013.4, middle_before=185_000.0)
    group = WorseGroup(column="town", level="sea", n=900, wrong=101_000.0, wrong_before=39_600.0, chance=1e-9)
    made = replace(report(low=0.76), answers=answers, worse_groups=(group,))
    counting = [
        budget.Budgeted(test=budget.Test(kind=kind, subject=subject, chance=1e-9), allowed=1e-3)
        for kind, subject in (("answers", "answers"), ("slice", "town = sea"))
    ]
    told = " ".join(signal.what for signal in tell_signals(counting, made, {}))
    for words in ("the middle answer is 249,013", "a mean error of 101,000, at release 39,600"):
        assert words in told
