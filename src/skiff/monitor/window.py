"""One window of predictions, judged: everything that is measured, and the few things that are worth an alarm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from skiff.core.finding import Finding
from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.monitor.budget import Test, TestKind, apply_budget, find_spend, weigh_columns
from skiff.monitor.chances import find_ks_chance
from skiff.monitor.delivered import (
    MIN_OUTCOMES,
    Delivered,
    WorseGroup,
    compare_promise,
    find_shortfall_chance,
    find_worse_groups,
    measure_delivered,
)
from skiff.monitor.distances import compare_curves
from skiff.monitor.drift import MIN_ROWS, ColumnDrift, measure_drift
from skiff.monitor.errors import estimate_errors
from skiff.monitor.estimate import SHARES, estimate_quality
from skiff.monitor.feedback import Feedback, measure_feedback
from skiff.monitor.harm import measure_harm
from skiff.monitor.joint import measure_joint_drift
from skiff.monitor.operations import Operations, add_operations, find_operation_chances, measure_operations
from skiff.monitor.reference import Reference
from skiff.monitor.results import AnswerDrift, Signal, Status, WindowReport
from skiff.monitor.signals import tell_contract, tell_signals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

SHOWN = 5

WIDE = 0.25
"""Width of an estimate, as a share of the metric's scale or of its value, from which it is said to say little: a convention."""


LITTLE = (
    "The estimated quality says little here: before the release, what the answers meant changed so much from one period to the next "
    "that it cannot be told without outcomes. Send outcomes (skiff outcomes) to know."
)

TREND_WINDOWS = 28
"""Windows whose rows are added up against training: four weeks of days, in which weekdays weigh the same."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """Served answers of one release over a span of time, row by row.

    Parameters
    ----------
    release : int
    inputs : polars.DataFrame
        The raw columns, named as the model takes them; columns that were not kept are absent.
    prediction : ndarray of shape (n_rows, n_classes) or (n_rows,)
    days : float
        Length of the span, which decides how much of the budget it may spend.
    since, until : str
        UTC, ISO 8601; empty where a file has no time.
    has_inputs : ndarray of bool, optional
        Rows whose inputs were kept; all by default.
    answers : ndarray of str, optional
        Label or decision served.
    y : ndarray of float, optional
        Outcome as class code or value; NaN where not known (yet).
    is_control, is_review : ndarray of bool, optional
    latency_us : ndarray of float, optional
    failed : int
        Rows that got no answer.
    look : int
        The how many-th look at this window's outcomes.
    """

    release: int
    inputs: pl.DataFrame
    prediction: Float
    days: float = 1.0
    since: str = ""
    until: str = ""
    has_inputs: NDArray[np.bool_] | None = None
    answers: NDArray[np.object_] | None = None
    y: Float | None = None
    is_control: NDArray[np.bool_] | None = None
    is_review: NDArray[np.bool_] | None = None
    latency_us: Float | None = None
    failed: int = 0
    look: int = 1

    @property
    def rows(self) -> int:
        """Return how many rows were asked, answered or not."""
        return len(self.prediction) + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What the windows before showed, added up: rows per bin of each column, and how the service ran."""

    counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    operations: Operations = field(default_factory=Operations)


def sum_earlier(reports: Sequence[WindowReport]) -> Earlier:
    """Add up the windows before, oldest first: the last four weeks of the columns, everything of the service."""
    counts: dict[str, tuple[int, ...]] = {}
    for report in reports[-(TREND_WINDOWS - 1) :]:
        for column in report.columns:
            known = counts.get(column.name)
            if not column.counts or (known and len(known) != len(column.counts)):
                continue
            counts[column.name] = (
                tuple(a + b for a, b in zip(known, column.counts, strict=True)) if known else column.counts
            )
    return Earlier(counts=counts, operations=add_operations([report.operations for report in reports]))


def judge_window(  # noqa: PLR0913  everything a window is judged by, named at the call
    window: Window,
    reference: Reference,
    task: Task,
    *,
    threshold: float = 0.5,
    promised: Mapping[str, Measurement] | None = None,
    per_month: float = 1.0,
    earlier: Earlier | None = None,
    training: pl.DataFrame | None = None,
    contract: Sequence[Finding] = (),
    seed: int = 0,
) -> WindowReport:
    """Judge a window against its release.

    Parameters
    ----------
    window : Window
    reference : Reference
    task : Task
    threshold : float
    promised : mapping of str to Measurement
        What was measured at release.
    per_month : float
        Agreed false alarms a month, over all columns and windows.
    earlier : Earlier, optional
    training : polars.DataFrame, optional
        Training rows (a sample will do), for the comparison of all columns together.
    contract : sequence of Finding
        Broken rules of the table's contract.
    seed : int
    """
    promises = dict(promised or {})
    before = earlier or Earlier()
    here = window.inputs if window.has_inputs is None else window.inputs.filter(pl.Series(window.has_inputs))
    columns = measure_drift(here, reference, earlier=before.counts)
    harms = {
        item.name: measure_harm(item.counts, reference[item.name], n_unseen=item.n_unseen)
        for item in columns
        if item.counts
    }
    headline = reference.headline or _choose_headline(task, promises)
    estimated = _estimate(window, reference, task, threshold, seed)
    operations = measure_operations(
        rows=window.rows, failed=window.failed, is_review=window.is_review, latency_us=window.latency_us
    )
    answers = _compare_answers(window, reference)
    advancing = {item.name for item in columns if item.advances}
    compared = [column for column in reference.columns if column.name not in advancing]
    joint = None if training is None else measure_joint_drift(here, training, compared, seed=seed)
    delivered, groups, feedback = _judge_outcomes(
        window,
        reference,
        task,
        threshold,
        promised=promises.get(headline),
        headline=headline,
        estimated=estimated,
        seed=seed,
    )
    tests = _list_tests(here.height, columns, reference, before)
    if joint is not None:
        tests.append(Test(kind="joint", subject="all columns", chance=joint.chance))
    if answers is not None and len(window.prediction) >= MIN_ROWS:
        tests.append(Test(kind="answers", subject="answers", chance=answers.chance))
    kinds: dict[str, TestKind] = {"review": "review", "latency": "latency", "failures": "failures"}
    if window.rows >= MIN_ROWS:
        found = find_operation_chances(operations, before.operations)
        tests += [Test(kind=kinds[name], subject=name, chance=chance) for name, chance in found.items()]
        if headline in estimated and headline in promises:
            chance = find_shortfall_chance(estimated[headline], promises[headline])
            tests.append(Test(kind="estimate", subject=headline, chance=chance))
    if delivered is not None and delivered.delivered is not None:
        tests.append(Test(kind="delivered", subject=headline, chance=delivered.chance_worse))
        if delivered.expected is not None:
            tests.append(Test(kind="concept", subject=headline, chance=delivered.chance_concept))
    tests += [Test(kind="slice", subject=f"{item.column} = {item.level}", chance=item.chance) for item in groups]
    spend = find_spend(window.days, per_month=per_month)
    budgeted = apply_budget(tests, spend=spend, look=window.look)
    counting = {item.test.subject for item in budgeted if item.test.kind == "slice" and item.counts}
    worse = tuple(item for item in groups if f"{item.column} = {item.level}" in counting)
    draft = WindowReport(
        release=window.release,
        rows=window.rows,
        since=window.since,
        until=window.until,
        days=window.days,
        status="quiet",
        why="",
        spend=spend,
        columns=columns,
        harms=harms,
        joint=joint,
        answers=answers,
        operations=operations,
        estimated=estimated,
        delivered=delivered,
        worse_groups=worse,
        feedback=feedback,
        contract=tuple(contract),
        notes=(*_note_gaps(window, reference, here, columns), *_note_width(estimated.get(headline), reference)),
        look=window.look,
        headline=headline,
        promised=promises.get(headline),
    )
    importances = {column.name: column.importance for column in reference.columns}
    told = [*tell_contract(contract), *tell_signals([item for item in budgeted if item.counts], draft, importances)]
    signals = tuple(sorted(told, key=lambda signal: not signal.is_alert))
    return _conclude(draft, signals, n_tests=len(tests), rows=max(here.height, len(window.prediction)))


def _conclude(draft: WindowReport, signals: tuple[Signal, ...], *, n_tests: int, rows: int) -> WindowReport:
    alerts = [signal for signal in signals if signal.is_alert]
    status: Status = "alert" if alerts else "quiet"
    if alerts:
        why = alerts[0].what + (f" And {len(alerts) - 1} more." if len(alerts) > 1 else "")
    elif rows < MIN_ROWS:
        status, why = "too_few", f"Not enough rows yet: {rows:,} of {MIN_ROWS}."
    elif signals:
        quiet = (
            "Something changed, but nothing that could move the score"
            if any(s.could_move == "no" for s in signals)
            else "Nothing to act on"
        )
        why = f"{quiet}: {signals[0].what}"
    else:
        why = f"Nothing in {n_tests:,} tests says more than chance would."
    values = {name: getattr(draft, name) for name in WindowReport.__slots__}
    return WindowReport(**{**values, "status": status, "why": why, "signals": signals})


def _list_tests(rows: int, columns: Sequence[ColumnDrift], reference: Reference, before: Earlier) -> list[Test]:
    weights = weigh_columns({item.name: reference[item.name].importance for item in columns})
    tests: list[Test] = []
    for item in columns:
        weight = weights[item.name]
        pooled = sum(before.counts.get(item.name, ())) + rows
        if rows >= MIN_ROWS:
            chances: dict[TestKind, float] = {
                "distribution": item.chance,
                "missing": item.chance_missing,
                "unseen": item.chance_unseen,
            }
            if item.advances:
                chances = {"missing": item.chance_missing}
            tests += [Test(kind=kind, subject=item.name, chance=p, weight=weight) for kind, p in chances.items()]
        if item.name in before.counts and pooled >= MIN_ROWS and not item.advances:
            tests.append(Test(kind="trend", subject=item.name, chance=item.chance_trend, weight=weight))
    return tests


def _estimate(window: Window, reference: Reference, task: Task, threshold: float, seed: int) -> dict[str, Measurement]:
    if task.kind == "regression":
        return estimate_errors(window.inputs, window.prediction, reference, unit=task.unit, seed=seed)
    return estimate_quality(window.prediction, reference, threshold=threshold, seed=seed)


def _compare_answers(window: Window, reference: Reference) -> AnswerDrift | None:
    """Compare every output with its curve; the least likely one counts, times their number (Bonferroni)."""
    outputs = window.prediction.T if window.prediction.ndim > 1 else window.prediction[None, :]
    if len(outputs) != len(reference.answers) or not outputs.shape[1]:
        return None
    pairs = list(zip(outputs, reference.answers, strict=True))
    pairs = pairs[1:] if len(pairs) == 2 else pairs  # noqa: PLR2004  of two probabilities one says all
    found = []
    for output, curve in pairs:
        ordered = np.sort(output[np.isfinite(output)])
        if not len(ordered):
            continue
        ks, _, _ = compare_curves(ordered, curve)
        middle = float(np.interp(0.5, curve.shares, curve.points))
        chance = min(1.0, len(pairs) * find_ks_chance(ks, len(ordered), curve.n))
        found.append(AnswerDrift(ks=ks, chance=chance, middle=float(np.median(ordered)), middle_before=middle))
    return min(found, key=lambda item: item.chance, default=None)


def _judge_outcomes(
    window: Window,
    reference: Reference,
    task: Task,
    threshold: float,
    *,
    promised: Measurement | None,
    headline: str,
    estimated: Mapping[str, Measurement],
    seed: int,
) -> tuple[Delivered | None, tuple[WorseGroup, ...], Feedback | None]:
    if window.y is None or not np.isfinite(window.y).any():
        return None, (), None
    known = np.isfinite(window.y)
    control = np.zeros(len(known), dtype=np.bool_) if window.is_control is None else window.is_control
    y, prediction, inputs = window.y[known], window.prediction[known], window.inputs.filter(pl.Series(known))
    metrics = measure_delivered(task, y, prediction, threshold=threshold, seed=seed, headline=headline)
    expected = None
    if metrics and known.all():
        expected = estimated.get(headline)
    elif metrics:
        estimable = (
            estimate_errors(inputs, prediction, reference, unit=task.unit, seed=seed)
            if task.kind == "regression"
            else estimate_quality(prediction, reference, threshold=threshold, seed=seed)
        )
        expected = estimable.get(headline)
    delivered = compare_promise(headline, promised, metrics, n_outcomes=int(known.sum()), expected=expected)
    groups: tuple[WorseGroup, ...] = ()
    if known.sum() >= MIN_OUTCOMES and inputs.width:
        kept = np.ones(len(y), dtype=np.bool_) if window.has_inputs is None else window.has_inputs[known]
        groups = find_worse_groups(
            inputs.filter(pl.Series(kept)), y[kept], prediction[kept], reference, kind=task.kind, threshold=threshold
        )
    feedback = None
    if window.answers is not None:
        chosen = known & control
        on_control = measure_delivered(
            task, window.y[chosen], window.prediction[chosen], threshold=threshold, seed=seed, headline=headline
        ).get(headline)
        feedback = measure_feedback(window.answers, known, control, on_control=on_control)
    return delivered, groups, feedback


def _choose_headline(task: Task, promises: Mapping[str, Measurement]) -> str:
    wanted = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[task.kind]
    return wanted if wanted in promises or not promises else next(iter(promises))


def _note_width(estimate: Measurement | None, reference: Reference) -> tuple[str, ...]:
    """Say what a range means that leaves nearly everything open, where earlier periods are the reason."""
    if estimate is None or estimate.low is None or estimate.high is None or not reference.periods:
        return ()
    size = 1.0 if estimate.name in SHARES else abs(estimate.value)
    if estimate.high - estimate.low < WIDE * size:
        return ()
    return (LITTLE,)


def _note_gaps(
    window: Window, reference: Reference, here: pl.DataFrame, columns: Sequence[ColumnDrift]
) -> tuple[str, ...]:
    notes = []
    absent = [column.name for column in reference.columns if column.name not in window.inputs.columns]
    if absent and here.height:
        shown = ", ".join(f"'{name}'" for name in absent[:SHOWN]) + (
            f" and {len(absent) - SHOWN} more" if len(absent) > SHOWN else ""
        )
        notes.append(f"Not in the window, so not compared: {shown}.")
    later = ", ".join(f"'{item.name}'" for item in columns if item.advances)
    if later:
        notes.append(f"Later than in training, as dates are when time goes on, and not counted as a change: {later}.")
    if not columns:
        notes.append("No inputs were kept, so columns cannot be compared; see [serving] keep_inputs.")
    elif here.height < window.inputs.height:
        notes.append(f"The inputs of {window.inputs.height - here.height:,} rows were not kept or already forgotten.")
    if not reference.judged_rows:
        notes.append("This release was made before sealed rows were summarised: no quality can be estimated for it.")
    return tuple(notes)
