"""The gate: whether a candidate meets what its user asked for, and by how much it does not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from skiff.core.errors import SkiffError
from skiff.core.measurement import Measurement
from skiff.evaluate.criteria import BEATS_BASELINE, POINT, SAVING, Criterion, parse_criterion
from skiff.evaluate.results import Evaluation, Gate, GateVerdict, Slice

__all__ = ["Criterion", "judge_gate", "parse_criterion"]

WORDS: Mapping[str, str] = {
    "roc_auc": "The ranking score (roc_auc)",
    "average_precision": "The cleanness of the list of warnings (average_precision)",
    "log_loss": "The surprise at what happened (log_loss)",
    "brier_score": "The error of the probabilities (brier_score)",
    "accuracy": "The share of right answers (accuracy)",
    "balanced_accuracy": "The share of right answers, every class counted equally (balanced_accuracy)",
    "f1": "The balance of caught and clean (f1)",
    "precision": "The share of warnings that are right (precision)",
    "recall": "The share of cases caught (recall)",
    "ece": "The distance of stated from real chances (ece)",
    "rmse": "The typical error, large ones weighing more (rmse)",
    "mae": "The typical error (mae)",
    "median_absolute_error": "The error of the middle answer (median_absolute_error)",
    "r2": "The share of the ups and downs explained (r2)",
    "mape": "The typical error relative to the true value (mape)",
    "pinball_loss": "The cost of its misses (pinball_loss)",
    "latency_us": "The time for one answer in microseconds (latency_us)",
    "size_mb": "The size of model.onnx, the file that answers, in MB (size_mb)",
    "false_positive_rate": "the share of false alarms (false_positive_rate)",
    "selection_rate": "the share flagged (selection_rate)",
}

CLASS_BOUND = frozenset({"roc_auc", "average_precision", "recall"})
"""Metrics of a yes/no task that have no value where one of the answers does not occur among the test rows."""


def judge_gate(
    evaluation: Evaluation,
    criteria: Sequence[str],
    *,
    extra: Mapping[str, float] | None = None,
    asides: Mapping[str, str] | None = None,
) -> Gate:
    """Hold an evaluation against criteria; that the model beats a guess is always one of them.

    Parameters
    ----------
    evaluation : Evaluation
    criteria : sequence of str
        Lines of ``[criteria] require``; see `skiff.evaluate.criteria`.
    extra : mapping of str to float
        Numbers from elsewhere: ``latency_us``, ``size_mb``.
    asides : mapping of str to str
        What else a person should know of a number: a sentence that follows its verdict.

    Returns
    -------
    Gate
        A criterion is judged on the value; its sentence tells the range too. One that cannot be judged, because there
        are too few rows, is not met.

    Raises
    ------
    SkiffError
        ``bad_criterion``, also for a metric or column that this evaluation does not have.

    Examples
    --------
    >>> made = Evaluation(headline="rmse", baselines=(),
    ...                   metrics={"rmse": Measurement(name="rmse", value=14.0, low=12.0, high=16.0, n=90)})
    >>> gate = judge_gate(made, ["rmse <= 12.5"])
    >>> gate.passed, gate.verdicts[-1].sentence
    (False, 'The typical error, large ones weighing more (rmse) is 14 (12 to 16): 1.5 above the 12.5 you allow.')
    """
    known = dict(extra or {})
    parsed = [parse_criterion(text, also_known=known) for text in criteria]
    if not any(criterion.kind == BEATS_BASELINE for criterion in parsed):
        parsed.insert(0, parse_criterion(BEATS_BASELINE))
    verdicts = tuple(
        _add_aside(_judge(criterion, evaluation, known), (asides or {}).get(criterion.name, "")) for criterion in parsed
    )
    return Gate(passed=all(verdict.passed for verdict in verdicts), verdicts=verdicts)


def _add_aside(verdict: GateVerdict, aside: str) -> GateVerdict:
    return replace(verdict, sentence=f"{verdict.sentence} {aside}") if aside else verdict


def _judge(criterion: Criterion, evaluation: Evaluation, extra: Mapping[str, float]) -> GateVerdict:
    if criterion.kind == "beats_baseline":
        return _judge_baseline(criterion, evaluation)
    if criterion.kind == "group_gap":
        return _judge_gap(criterion, evaluation)
    found = _find_measured(criterion, evaluation, extra)
    if found is None:
        subject = _name(criterion.name)
        return _build_unjudged(criterion, f"{subject} could not be measured: no such rows were kept aside.")
    return _judge_number(criterion, found)


def _judge_baseline(criterion: Criterion, evaluation: Evaluation) -> GateVerdict:
    found = evaluation.metrics.get(evaluation.headline)
    guess = None if found is None else found.baseline
    difference = evaluation.against_baseline
    scores = ""
    if found is not None and guess is not None:
        reach = "" if found.low is None or found.high is None else f", {_say(found.low)} to {_say(found.high)},"
        scores = f" ({found.name} {_say(found.value)}{reach} against {_say(guess)})"
    if evaluation.beats_baseline:
        sentence = f"The model is better than a guess that looks at nothing{scores}."
    elif difference is not None and difference.low is None:
        sentence = (
            f"There are too few rows to show that the model is better than a guess that looks at nothing{scores}."
        )
    else:
        sentence = f"The model is not surely better than a guess that looks at nothing{scores}."
    return GateVerdict(
        criterion=criterion.text,
        passed=evaluation.beats_baseline,
        measured=None if found is None or not math.isfinite(found.value) else found.value,
        required=guess,
        sentence=sentence,
    )


def _find_measured(criterion: Criterion, evaluation: Evaluation, extra: Mapping[str, float]) -> Measurement | None:
    """Return the number asked for; None where it belongs to this kind of task but the test rows gave it no value."""
    name = criterion.name
    if name in extra:
        return Measurement(name=name, value=extra[name])
    found = evaluation.metrics.get(name) or evaluation.operating_points.get(name)
    if found is not None:
        return found
    is_decided = evaluation.decision is not None or evaluation.headline in {"roc_auc", "average_precision"}
    if (is_decided and name in CLASS_BOUND) or (
        is_decided and POINT.fullmatch(name) and not evaluation.operating_points
    ):
        return None
    if SAVING.fullmatch(name):
        fix = "Say what each answer costs under [costs] in skiff.toml, with its currency and rows_per_month."
    elif POINT.fullmatch(name) and evaluation.operating_points:
        fix = "Ask for two decimals from 0.01 to 0.99, such as recall_at_precision_0.9."
    else:
        fix = f"Measured are: {', '.join([*evaluation.metrics, *extra])}."
    raise SkiffError(
        "bad_criterion",
        what=f"The criterion '{criterion.text}' asks for {name}, which was not measured for this kind of answer.",
        where={"setting": "criteria.require", "criterion": criterion.text},
        fix=fix,
    )


def _judge_number(criterion: Criterion, found: Measurement) -> GateVerdict:
    subject = _name(criterion.name)
    passed = criterion.is_met(found.value)
    is_in_doubt = (
        found.low is not None and found.high is not None and criterion.is_met(found.low) != criterion.is_met(found.high)
    )
    sentence = (
        f"{subject} is {_say(found.value)}{_say_range(found)}: {_say_verdict(criterion, found.value, passed=passed)}"
    )
    if passed and is_in_doubt:
        sentence += "; but its range reaches beyond that, so more rows could show otherwise"
    return GateVerdict(
        criterion=criterion.text,
        passed=passed,
        measured=found.value,
        required=criterion.required,
        sentence=f"{sentence}.",
    )


def _judge_gap(criterion: Criterion, evaluation: Evaluation) -> GateVerdict:
    groups = _find_groups_of(criterion, evaluation)
    judged = {group.level: group.metrics[criterion.name] for group in groups if criterion.name in group.metrics}
    judged = {level: found for level, found in judged.items() if math.isfinite(found.value)}
    if len(judged) < 2:  # noqa: PLR2004  a gap needs two
        return _build_unjudged(
            criterion, f"The groups of '{criterion.column}' have too few rows to be compared: keep more rows aside."
        )
    highest = max(judged, key=lambda level: judged[level].value)
    lowest = min(judged, key=lambda level: judged[level].value)
    gap = judged[highest].value - judged[lowest].value
    passed = criterion.is_met(gap)
    subject = _name(criterion.name)
    where = (
        f"from {_say(judged[lowest].value)}{_say_range(judged[lowest])} where {criterion.column} is {lowest} "
        f"to {_say(judged[highest].value)}{_say_range(judged[highest])} where it is {highest}"
    )
    sentence = (
        f"{subject[0].upper()}{subject[1:]} runs {where}, a gap of {_say(gap)}: "
        f"{_say_verdict(criterion, gap, passed=passed)}."
    )
    skipped = sum(group.is_too_small for group in groups)
    if skipped:
        sentence += f" {skipped} more {'group is' if skipped == 1 else 'groups are'} too small to judge."
    return GateVerdict(
        criterion=criterion.text, passed=passed, measured=gap, required=criterion.required, sentence=sentence
    )


def _find_groups_of(criterion: Criterion, evaluation: Evaluation) -> list[Slice]:
    columns = sorted({group.column for group in evaluation.groups})
    groups = [group for group in evaluation.groups if group.column == criterion.column]
    if groups:
        return groups
    listed = f"Columns with groups are: {', '.join(columns)}." if columns else "No column has groups to compare."
    raise SkiffError(
        "bad_criterion",
        what=f"The criterion '{criterion.text}' compares the groups of '{criterion.column}', which has none here.",
        where={"setting": "criteria.require", "criterion": criterion.text},
        fix=f"{listed} A column that the model must not use can be named under [task] protected.",
    )


def _build_unjudged(criterion: Criterion, sentence: str) -> GateVerdict:
    return GateVerdict(
        criterion=criterion.text, passed=False, measured=None, required=criterion.required, sentence=sentence
    )


def _say_verdict(criterion: Criterion, value: float, *, passed: bool) -> str:
    required = criterion.required if criterion.required is not None else 0.0
    by = _find_distance(value, required)
    if passed:
        limit = "at least" if criterion.wants_more else "at most"
        return f"{limit} the {_say(required)} you {'ask for' if criterion.wants_more else 'allow'}"
    if by == 0:
        return f"exactly {_say(required)}, which is not {'more' if criterion.wants_more else 'less'} than you ask for"
    if criterion.wants_more:
        return f"{_say(by)} short of the {_say(required)} you ask for"
    return f"{_say(by)} above the {_say(required)} you allow"


def _find_distance(value: float, required: float) -> float:
    """Return by how much a number as it is printed misses the limit: "240" is 40 above 200, although it was 239.98."""
    if not math.isfinite(value):
        return abs(value - required)
    said = float(_say(value).replace(",", ""))
    return round(abs(said - required), 10) or abs(value - required)


def _say_range(found: Measurement) -> str:
    if found.low is None or found.high is None:
        return ""
    return f" ({_say(found.low)} to {_say(found.high)})"


def _say(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "unknown"
    if abs(value) < 1:
        return f"{value:.3g}" if abs(value) < 0.1 else f"{value:.3f}".rstrip("0")  # noqa: PLR2004  small numbers keep three digits
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004  thousands are whole


def _name(name: str) -> str:
    point = POINT.fullmatch(name)
    if point is not None and name.startswith("recall"):
        return f"The share of cases caught while {float(point[2]) * 100:g} of 100 warnings are right ({name})"
    if point is not None:
        return f"The share of warnings that are right while {float(point[2]) * 100:g} of 100 cases are caught ({name})"
    saving = SAVING.fullmatch(name)
    if saving is not None:
        return f"The saving in {name.split('_')[1].upper()} per {saving[1]} ({name})"
    return WORDS.get(name, f"The number {name}")
