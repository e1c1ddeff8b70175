"""Everything that is measured on the sealed test set, in one call."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.core.task import Costs, Task
from skiff.evaluate.abstain import measure_abstaining, measure_acted, measure_review_saving
from skiff.evaluate.baselines import judge_baselines
from skiff.evaluate.calibration import calibration_bins
from skiff.evaluate.compare import compare_paired, is_better
from skiff.evaluate.curves import find_gain_points, find_profit_points
from skiff.evaluate.fairness import measure_fairness
from skiff.evaluate.importance import Bench, measure_importances
from skiff.evaluate.looks import widen_for_looks
from skiff.evaluate.metrics import measure_classification, measure_regression
from skiff.evaluate.naive import find_class_shares, find_usual_value
from skiff.evaluate.notes import Told, write_notes
from skiff.evaluate.operating import measure_operating_points
from skiff.evaluate.prices import find_typical_costs, has_matrix, spread_costs
from skiff.evaluate.promised import Promised, judge_promises, measure_sizes
from skiff.evaluate.ranking import find_precision_recall_points, find_roc_points
from skiff.evaluate.results import CalibrationBin, Confusion, Decision, Evaluation, Importance, Kept, Slice
from skiff.evaluate.scores import decide_labels, find_stated_and_seen
from skiff.evaluate.slices import find_groups, measure_slices, select_slices
from skiff.evaluate.threshold import measure_saving

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

RARE = 0.10
"""Share of positives below which average precision leads: ROC AUC looks good however many false alarms a find costs
(Saito and Rehmsmeier 2015, https://doi.org/10.1371/journal.pone.0118432)."""

MAX_RESIDUALS = 500
MAX_CONFUSION = 30
"""Classes a confusion table can show; of more there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The arguments of `judge` that its parts share."""

    task: Task
    y_test: Float
    prediction: Float
    y_train: Float
    frame_train: pl.DataFrame
    frame_test: pl.DataFrame
    inputs: Sequence[InputColumn]
    threshold: float
    groups: Int | None
    seed: int
    amounts: Float | None = None
    promised: Promised | None = None
    costs: Costs | None = None
    looks: int = 1


def judge(  # noqa: PLR0913  everything that judging needs, named at the call
    task: Task,
    y_test: Float | Int,
    prediction: Float,
    *,
    y_train: Float | Int,
    frame_train: pl.DataFrame,
    frame_test: pl.DataFrame,
    inputs: Sequence[InputColumn],
    threshold: float,
    decision: Decision | None,
    costs: Costs | None,
    groups: Int | None = None,
    predict: Callable[[pl.DataFrame], Float] | None,
    random_split: Measurement | None = None,
    seed: int,
    max_rows_importance: int = 2000,
    amounts: Float | None = None,
    promised: Promised | None = None,
    looks: int = 1,
) -> Evaluation:
    """Measure a model on rows it has never seen.

    Parameters
    ----------
    task : Task
    y_test, y_train : ndarray of shape (n_rows,)
        Class codes in the order of `task.classes`, or values; no NaN.
    prediction : ndarray of shape (n_test, n_classes) or (n_test,)
        The released file's own answers on the test rows.
    frame_train, frame_test : polars.DataFrame
        The rows behind the targets; protected columns included.
    inputs : sequence of InputColumn
        Columns the model takes.
    threshold : float
        Binary: flagged from this probability upwards.
    decision : Decision or None
        How the threshold was chosen; gets its saving here, where there are costs.
    costs : Costs or None
        No money is told unless both kinds of mistake have a cost; capacity alone is none.
    groups : ndarray of int64, shape (n_test,), optional
        Rows that belong together: intervals then count groups.
    predict : callable or None
        Answers a frame like `frame_test`; without it there are no importances.
    random_split : Measurement or None
        Passed through.
    seed : int
    max_rows_importance : int
    amounts : ndarray of shape (n_test,), optional
        What is at stake in each test row, where ``costs.amount`` names a column.
    promised : Promised, optional
        Ranges or sets of the test rows, and which of them a person should look at.
    looks : int
        How often these rows have been judged on, this time included; intervals are widened for it.

    Returns
    -------
    Evaluation
        The headline is ROC AUC, or average precision where fewer than 10 % are positive (binary), log loss (several
        classes), RMSE, or the pinball loss where a quantile is asked for. With costs, `metrics` also has ``saving_<currency>_row`` and, where the rows a month are
        known, ``saving_<currency>_month``. A metric without a value, because a class is absent, is left out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=600)
    >>> y = (rng.uniform(size=600) < 1 / (1 + np.exp(-2 * x))).astype(np.int64)
    >>> frame = pl.DataFrame({"x": x})
    >>> p = 1 / (1 + np.exp(-2 * x[400:]))
    >>> found = judge(Task(kind="binary", target="bought", classes=("no", "yes"), positive="yes"), y[400:],
    ...               np.stack([1 - p, p], axis=1), y_train=y[:400], frame_train=frame[:400], frame_test=frame[400:],
    ...               inputs=[InputColumn(name="x", kind="number")], threshold=0.5, decision=None, costs=None,
    ...               predict=None, seed=0)
    >>> found.headline, found.beats_baseline
    ('roc_auc', True)
    """
    case = Case(
        task=task,
        y_test=np.asarray(y_test, dtype=np.float64),
        prediction=prediction,
        y_train=np.asarray(y_train, dtype=np.float64),
        frame_train=frame_train,
        frame_test=frame_test,
        inputs=inputs,
        threshold=threshold if task.quantile is None else task.quantile,
        groups=groups,
        seed=seed,
        amounts=amounts,
        promised=promised,
        costs=costs,
        looks=looks,
    )
    headline = choose_headline(task, case.y_train)
    metrics = _measure(case)
    if task.kind == "binary" and decision is not None:
        decision = replace(decision, costs=costs, flagged=float(np.mean(prediction[:, 1] >= threshold)))
    if costs is not None and has_matrix(costs) and task.kind == "binary":
        decision, savings = _price_decision(case, decision, costs)
        metrics |= savings
    metrics = {name: widen_for_looks(item, looks) for name, item in metrics.items()}
    against = widen_for_looks(_compare_with_naive(case, headline), looks)
    baselines = judge_baselines(task, case.y_train, case.y_test, frame_train, frame_test, inputs, seed)
    every_slice = measure_slices(task, case.y_test, prediction, frame_test, inputs, threshold=threshold, groups=groups)
    evaluation = Evaluation(
        headline=headline,
        metrics={name: item for name, item in metrics.items() if math.isfinite(item.value)},
        baselines=baselines,
        decision=decision,
        confusion=_count_confusion(case),
        calibration=_calibrate(case),
        slices=select_slices(every_slice, protected=task.protected),
        importances=_find_importances(case, predict, headline, max_rows_importance),
        random_split=random_split,
        beats_baseline=is_better(against),
        residuals=sample_residuals(case.y_test, prediction) if task.kind == "regression" else (),
        against_baseline=against,
        groups=every_slice,
        looks=looks,
        fairness=measure_fairness(
            task,
            case.y_test,
            prediction,
            frame_test=frame_test,
            frame_train=frame_train,
            inputs=inputs,
            threshold=threshold,
            together=groups,
        ),
        **_judge_promised(case),
    )
    if task.kind == "binary":
        is_positive, p = case.y_test == 1, prediction[:, 1]
        evaluation = replace(
            evaluation,
            roc=find_roc_points(is_positive, p),
            precision_recall=find_precision_recall_points(is_positive, p),
            operating_points={
                name: widen_for_looks(item, looks)
                for name, item in measure_operating_points(case.y_test, p, groups=groups, seed=seed).items()
            },
            gain=find_gain_points(is_positive, p),
            profit=()
            if costs is None or not has_matrix(costs)
            else find_profit_points(is_positive, p, costs, amounts=amounts),
        )
    return replace(evaluation, notes=_write_notes(case, evaluation, every_slice))


def choose_headline(task: Task, y_train: Float | Int) -> str:
    """Return the metric that leads, by the kind of task and how common the positives are in training.

    Examples
    --------
    >>> choose_headline(Task(kind="binary", target="fraud"), np.array([0] * 95 + [1] * 5))
    'average_precision'
    """
    if task.kind == "regression":
        return "rmse" if task.quantile is None else "pinball_loss"
    if task.kind == "multiclass":
        return "log_loss"
    share = float(np.mean(y_train == 1)) if len(y_train) else 0.5
    return "average_precision" if share < RARE else "roc_auc"


def sample_residuals(y: Float, pred: Float, *, max_points: int = MAX_RESIDUALS) -> tuple[tuple[float, float], ...]:
    """Return (true, predicted) pairs at even steps of the ranked predictions, so that every range is shown.

    Examples
    --------
    >>> sample_residuals(np.array([3.0, 1.0, 2.0]), np.array([2.5, 1.5, 2.0]), max_points=2)
    ((1.0, 1.5), (3.0, 2.5))
    """
    order = np.argsort(pred, kind="stable")
    places = np.unique(np.linspace(0, len(order) - 1, min(max_points, len(order))).round().astype(np.int64))
    rows = order[places]
    return tuple(zip(y[rows].tolist(), pred[rows].tolist(), strict=True))


def _measure(case: Case) -> dict[str, Measurement]:
    if case.task.kind == "regression":
        return measure_regression(
            case.y_test,
            case.prediction,
            groups=case.groups,
            seed=case.seed,
            unit=case.task.unit,
            usual=find_usual_value(case.y_train, case.task.quantile),
        )
    return measure_classification(
        case.y_test,
        case.prediction,
        classes=case.task.classes,
        threshold=case.threshold,
        groups=case.groups,
        seed=case.seed,
        shares=_find_shares(case),
    )


def _find_shares(case: Case) -> Float:
    return find_class_shares(case.y_train.astype(np.int64), len(case.task.classes))


def _compare_with_naive(case: Case, headline: str) -> Measurement:
    if case.task.kind == "regression":
        usual = find_usual_value(case.y_train, case.task.quantile)
        naive = np.full(len(case.y_test), usual.mean if usual.at_quantile is None else usual.at_quantile)
    else:
        naive = np.broadcast_to(_find_shares(case), case.prediction.shape).copy()
    return compare_paired(
        case.y_test, case.prediction, naive, headline, threshold=case.threshold, groups=case.groups, seed=case.seed
    )


def _judge_promised(case: Case) -> dict[str, Any]:
    """Return what is measured of ranges, sets and review: fields of `Evaluation` by name."""
    found: dict[str, Any] = {}
    if case.task.kind == "regression":
        found["sizes"] = measure_sizes(
            case.y_test, case.prediction, case.promised, unit=case.task.unit, together=case.groups
        )
    else:
        found["abstain"] = measure_abstaining(
            case.y_test.astype(np.int64), case.prediction, threshold=case.threshold, groups=case.groups
        )
    if case.promised is not None:
        groups = list(find_groups(case.frame_test, case.inputs, protected=case.task.protected))
        kept = judge_promises(
            case.y_test, case.promised, groups, unit=case.task.unit, classes=case.task.classes, together=case.groups
        )
        found["kept"] = _widen_kept(_price_review(case, replace(kept, acted=_measure_acted(case))), case.looks)
    return found


def _measure_acted(case: Case) -> Measurement | None:
    if case.promised is None or case.promised.reviewed is None or case.task.kind == "regression":
        return None
    y, reviewed = case.y_test.astype(np.int64), case.promised.reviewed
    return measure_acted(y, case.prediction, reviewed, threshold=case.threshold, groups=case.groups)


def _widen_kept(kept: Kept, looks: int) -> Kept:
    def widen(found: Measurement | None) -> Measurement | None:
        return None if found is None else widen_for_looks(found, looks)

    return replace(
        kept,
        coverage=widen_for_looks(kept.coverage, looks),
        classes=tuple(replace(one, coverage=widen_for_looks(one.coverage, looks)) for one in kept.classes),
        groups=tuple(replace(one, coverage=widen_for_looks(one.coverage, looks)) for one in kept.groups),
        acted=widen(kept.acted),
        review_share=widen(kept.review_share),
        review_saving=widen(kept.review_saving),
    )


def _price_review(case: Case, kept: Kept) -> Kept:
    costs, reviewed = case.costs, None if case.promised is None else case.promised.reviewed
    is_priced = costs is not None and costs.review is not None and has_matrix(costs)
    if costs is None or not is_priced or reviewed is None or case.task.kind != "binary":
        return kept
    saving = measure_review_saving(
        case.y_test, case.prediction[:, 1], case.threshold, reviewed, costs, amounts=case.amounts, groups=case.groups
    )
    return replace(kept, review_cost=costs.review, review_saving=saving)


def _price_decision(
    case: Case, decision: Decision | None, costs: Costs
) -> tuple[Decision | None, Mapping[str, Measurement]]:
    p = case.prediction[:, 1]
    saving = measure_saving(
        case.y_test, p, case.threshold, costs, seed=case.seed, groups=case.groups, amounts=case.amounts
    )
    currency = costs.currency.lower()
    found = {f"saving_{currency}_row": replace(saving, name=f"saving_{currency}_row")}
    if costs.rows_per_month is not None:
        name, rows = f"saving_{currency}_month", costs.rows_per_month
        found[name] = replace(
            saving,
            name=name,
            value=saving.value * rows,
            low=None if saving.low is None else saving.low * rows,
            high=None if saving.high is None else saving.high * rows,
            method=f"saving per row × {rows:g} rows a month; {saving.method}",
        )
    if decision is None:
        return None, found
    return replace(
        decision,
        saving_per_row=saving,
        typical=find_typical_costs(costs, case.amounts),
        saving_against_all=_save_against_all(case, costs) if costs.capacity_per_week is not None else None,
    ), found


def _save_against_all(case: Case, costs: Costs) -> float:
    is_positive, flagged = case.y_test == 1, case.prediction[:, 1] >= case.threshold
    priced = spread_costs(costs, len(flagged), case.amounts)
    return float(np.mean(priced.price(is_positive, np.ones_like(flagged)) - priced.price(is_positive, flagged)))


def _count_confusion(case: Case) -> Confusion | None:
    n_classes = len(case.task.classes)
    if case.task.kind == "regression" or n_classes > MAX_CONFUSION:
        return None
    cell = case.y_test.astype(np.int64) * n_classes + decide_labels(case.prediction, case.threshold)
    counts = np.bincount(cell, minlength=n_classes * n_classes).reshape(n_classes, n_classes)
    return Confusion(labels=case.task.classes, counts=tuple(tuple(row) for row in counts.tolist()))


def _calibrate(case: Case) -> tuple[CalibrationBin, ...]:
    if case.task.kind == "regression":
        return ()
    said, happened = find_stated_and_seen(case.y_test.astype(np.int64), case.prediction)
    return calibration_bins(happened, said)


def _find_importances(
    case: Case, predict: Callable[[pl.DataFrame], Float] | None, headline: str, max_rows: int
) -> tuple[Importance, ...]:
    if predict is None:
        return ()
    bench = Bench(
        y=case.y_test,
        frame=case.frame_test,
        predict=predict,
        metric=headline,
        threshold=case.threshold,
        groups=case.groups,
        unit=case.task.unit if case.task.kind == "regression" else "",
        seed=case.seed,
    )
    found = measure_importances(bench, [column.name for column in case.inputs], max_rows=max_rows)
    return tuple(item for item in found if math.isfinite(item.drop.value))


def _write_notes(case: Case, evaluation: Evaluation, every_slice: tuple[Slice, ...]) -> tuple[str, ...]:
    return write_notes(
        Told(
            task=case.task,
            y_test=case.y_test,
            metrics=evaluation.metrics,
            against_baseline=evaluation.against_baseline,
            beats_baseline=evaluation.beats_baseline,
            baselines=evaluation.baselines,
            slices=every_slice,
            headline=evaluation.headline,
            n_groups=None if case.groups is None else len(np.unique(case.groups)),
            n_train=len(case.y_train),
        )
    )
