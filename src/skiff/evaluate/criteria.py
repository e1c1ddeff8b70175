"""The language of ``[criteria] require``: what a model must reach before it is released.

roc_auc >= 0.75                        recall_at_precision_0.9 >= 60%
worst_group_gap(recall, sex) <= 0.1    saving_eur_month >= 500
latency_us <= 200                      size_mb <= 5
rmse <= 12.5                           beats_baseline
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias

from skiff.core.errors import SkiffError
from skiff.core.task import Costs, Task, TaskKind
from skiff.evaluate.prices import has_matrix, refuse_half_costs
from skiff.evaluate.scores import HIGHER_IS_BETTER
from skiff.evaluate.threshold import find_capacity_share

CriterionKind: TypeAlias = Literal["beats_baseline", "number", "group_gap"]
Operator: TypeAlias = Literal[">=", "<=", ">", "<"]

BEATS_BASELINE = "beats_baseline"
GROUP_GAP = "worst_group_gap"
POINT = re.compile(r"(recall_at_precision|precision_at_recall)_(0?\.\d+)")
SAVING = re.compile(r"saving_[a-z]{3}_(row|month)")
ARTIFACT = ("latency_us", "size_mb")
GROUP_METRICS = (
    "accuracy",
    "recall",
    "precision",
    "false_positive_rate",
    "selection_rate",
    "roc_auc",
    "mae",
    "rmse",
    "median_absolute_error",
    "pinball_loss",
)
"""Metrics measured for each group, over all kinds of answers."""

GROUP_METRICS_OF: Mapping[TaskKind, tuple[str, ...]] = {
    "binary": ("recall", "precision", "false_positive_rate", "selection_rate", "accuracy", "roc_auc"),
    "multiclass": ("accuracy",),
    "regression": ("mae", "rmse", "median_absolute_error"),
}
"""Metrics that a group has where the answer is of this kind; `pinball_loss` only where a quantile is asked for."""

VALUE_METRICS = ("rmse", "mae", "r2", "median_absolute_error", "mape")
"""Metrics of a number; `pinball_loss` only where a quantile is asked for."""

YES_NO = frozenset({"average_precision"})
"""Metrics of two answers alone."""

KINDS: Mapping[TaskKind, str] = {
    "binary": "one of two",
    "multiclass": "one of several",
    "regression": "a number",
}

SHARES = frozenset(
    {"roc_auc", "average_precision", "accuracy", "balanced_accuracy", "f1", "precision", "recall", "ece"}
)
"""Metrics that run from 0 to 1."""

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?"
_SHAPE = re.compile(
    rf"(?P<left>.+?)\s*(?P<operator>>=|<=|>|<|≥|≤)\s*(?P<number>{_NUMBER})\s*(?P<percent>%?)", re.IGNORECASE
)
_GAP = re.compile(rf"{GROUP_GAP}\s*\(\s*(?P<metric>[^,()]+?)\s*,\s*(?P<column>.+?)\s*\)", re.IGNORECASE)
CLOSE_ENOUGH = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One line of ``[criteria] require``, understood.

    Parameters
    ----------
    text : str
        As it was written.
    kind : {"beats_baseline", "number", "group_gap"}
    name : str
        The metric, or the number asked for.
    column : str
        Whose groups are compared (``group_gap``), else empty.
    operator : {">=", "<=", ">", "<"}
    required : float or None
        None for ``beats_baseline``.
    """

    text: str
    kind: CriterionKind
    name: str
    column: str = ""
    operator: Operator = ">="
    required: float | None = None

    @property
    def wants_more(self) -> bool:
        """Return whether larger numbers meet the criterion."""
        return self.operator in {">=", ">"}

    def is_met(self, value: float) -> bool:
        """Return whether a number meets the criterion; NaN never does."""
        required = self.required if self.required is not None else 0.0
        if self.operator == ">=":
            return value >= required
        if self.operator == "<=":
            return value <= required
        return value > required if self.operator == ">" else value < required


def parse_criterion(text: str, *, also_known: Iterable[str] = ()) -> Criterion:
    """Understand one line of ``[criteria] require``.

    Parameters
    ----------
    text : str
    also_known : iterable of str
        Further numbers that can be asked for.

    Raises
    ------
    SkiffError
        ``bad_criterion``: not a criterion, an unknown name (close match suggested), a direction that nobody can mean
        (``rmse >= 3``), or a share beyond 0 to 1.

    Examples
    --------
    >>> parse_criterion("recall_at_precision_0.9 >= 60%").required
    0.6
    >>> parse_criterion("worst_group_gap(recall, sex) <= 0.1").column
    'sex'
    >>> parse_criterion("roc_acu >= 0.7")
    Traceback (most recent call last):
        ...
    skiff.core.errors.SkiffError: The criterion 'roc_acu >= 0.7' asks for 'roc_acu', which is not known. Did you mean 'roc_auc'?
    """
    stripped = text.strip()
    if stripped.lower() == BEATS_BASELINE:
        return Criterion(text=stripped, kind="beats_baseline", name=BEATS_BASELINE)
    shape = _SHAPE.fullmatch(stripped)
    if shape is None:
        _refuse(
            f"The criterion '{stripped}' cannot be understood.",
            "Write a name, >= or <=, and a number, such as:  roc_auc >= 0.75",
            stripped,
        )
    operator = _read_operator(shape["operator"])
    required = float(shape["number"]) / (100 if shape["percent"] else 1)
    gap = _GAP.fullmatch(shape["left"].strip())
    if gap is not None:
        name = gap["metric"].lower()
        _refuse_unknown(stripped, name, GROUP_METRICS)
        column = gap["column"].strip("\"'")
        made = Criterion(
            text=stripped, kind="group_gap", name=name, column=column, operator=operator, required=required
        )
        _refuse_direction(made, higher_is_better=False)
        return made
    name = _normalise(shape["left"].strip().lower())
    if not (POINT.fullmatch(name) or SAVING.fullmatch(name)):
        _refuse_unknown(stripped, name, [*HIGHER_IS_BETTER, *ARTIFACT, *also_known])
    made = Criterion(text=stripped, kind="number", name=name, operator=operator, required=required)
    _refuse_direction(made, higher_is_better=_find_direction(name))
    _refuse_beyond_share(made)
    return made


def refuse_unmeasured(criteria: Iterable[str], task: Task, costs: Costs | None) -> None:
    """Refuse criteria that ask for what this kind of answer does not have, and half of a yes/no decision's costs.

    Before the training, not after it.

    Raises
    ------
    SkiffError
        ``bad_criterion``, ``costs_incomplete``, ``capacity_without_rows``.

    Examples
    --------
    >>> try:
    ...     refuse_unmeasured(["roc_auc >= 0.7"], Task(kind="regression", target="rent"), None)
    ... except SkiffError as refused:
    ...     print(refused.what)
    The criterion 'roc_auc >= 0.7' asks for roc_auc, which is not measured where the answer is a number.
    """
    if task.kind == "binary":
        refuse_half_costs(costs)
        if costs is not None:
            find_capacity_share(costs)
    in_groups = [*GROUP_METRICS_OF[task.kind], *(["pinball_loss"] if task.quantile is not None else [])]
    values = [*VALUE_METRICS, *(["pinball_loss"] if task.quantile is not None else [])]
    chances = [name for name in HIGHER_IS_BETTER if name not in {*VALUE_METRICS, "pinball_loss"}]
    known = (
        values
        if task.kind == "regression"
        else [name for name in chances if task.kind == "binary" or name not in YES_NO]
    )
    for text in criteria:
        made = parse_criterion(text)
        is_gap = made.kind == "group_gap"
        if made.kind == BEATS_BASELINE or made.name in (in_groups if is_gap else {*known, *ARTIFACT}):
            continue
        fix = f"Known here are: {', '.join([*known, *ARTIFACT])}."
        if is_gap:
            fix = f"Of a group these are measured: {', '.join(in_groups)}."
        if POINT.fullmatch(made.name) and task.kind == "binary":
            continue
        if SAVING.fullmatch(made.name) and task.kind == "binary":
            currency, span = made.name.split("_")[1:]
            is_priced = has_matrix(costs) and costs is not None and currency == costs.currency.lower()
            if is_priced and (span == "row" or (costs is not None and costs.rows_per_month is not None)):
                continue
            fix = "Say what each answer costs under [costs] in skiff.toml, with its currency and rows_per_month."
        is_money = SAVING.fullmatch(made.name) is not None and task.kind == "binary"
        why = (
            "as long as costs in that currency, or the rows a month, are not said"
            if is_money
            else f"where the answer is {KINDS[task.kind]}"
        )
        raise SkiffError(
            "bad_criterion",
            what=f"The criterion '{made.text}' asks for {made.name}, which is not measured {why}.",
            where={"setting": "criteria.require", "criterion": made.text},
            fix=fix,
        )


def list_known(*, also_known: Iterable[str] = ()) -> tuple[str, ...]:
    """Return every name a criterion can ask for, with patterns in words.

    Examples
    --------
    >>> "recall_at_precision_0.9" in list_known(), "size_mb" in list_known()
    (True, True)
    """
    points = ("recall_at_precision_0.9", "precision_at_recall_0.8", "saving_eur_month", "saving_eur_row")
    return (BEATS_BASELINE, *HIGHER_IS_BETTER, *points, f"{GROUP_GAP}(recall, column)", *ARTIFACT, *also_known)


def _normalise(name: str) -> str:
    """Write ``recall_at_precision_.90`` as ``recall_at_precision_0.9``."""
    point = POINT.fullmatch(name)
    return name if point is None else f"{point[1]}_{float(point[2]):g}"


def _read_operator(text: str) -> Operator:
    operators: dict[str, Operator] = {">=": ">=", "≥": ">=", "<=": "<=", "≤": "<=", ">": ">", "<": "<"}
    return operators[text]


def _find_direction(name: str) -> bool | None:
    if POINT.fullmatch(name) or SAVING.fullmatch(name):
        return True
    return False if name in ARTIFACT else HIGHER_IS_BETTER.get(name)


def _refuse(what: str, fix: str, text: str) -> NoReturn:
    raise SkiffError("bad_criterion", what=what, where={"setting": "criteria.require", "criterion": text}, fix=fix)


def _refuse_unknown(text: str, name: str, known: Iterable[str]) -> None:
    listed = list(known)
    if name in listed:
        return
    candidates = [*listed, "recall_at_precision_0.9", "precision_at_recall_0.8", "saving_eur_month", "saving_eur_row"]
    candidates = listed if listed == list(GROUP_METRICS) else [*candidates, BEATS_BASELINE, GROUP_GAP]
    close = difflib.get_close_matches(name, candidates, n=1, cutoff=CLOSE_ENOUGH)
    hint = f"Did you mean '{close[0]}'?" if close else f"Known are: {', '.join(candidates)}."
    _refuse(f"The criterion '{text}' asks for '{name}', which is not known.", hint, text)


def _refuse_direction(made: Criterion, *, higher_is_better: bool | None) -> None:
    if higher_is_better is None or higher_is_better == made.wants_more:
        return
    word, operator = ("larger", ">=") if higher_is_better else ("smaller", "<=")
    left = f"{GROUP_GAP}({made.name}, {made.column})" if made.kind == "group_gap" else made.name
    _refuse(
        f"The criterion '{made.text}' asks for a bad model: {left} is better when {word}.",
        f"Write:  {left} {operator} {made.required:g}",
        made.text,
    )


def _refuse_beyond_share(made: Criterion) -> None:
    is_share = made.name in SHARES or POINT.fullmatch(made.name) is not None
    if not is_share or made.required is None or 0 <= made.required <= 1:
        return
    hundred = 100
    fix = (
        f"Write:  {made.name} {made.operator} {made.required / hundred:g}"
        if 1 < made.required <= hundred
        else "Use a number from 0 to 1."
    )
    _refuse(f"The criterion '{made.text}' can never be met: {made.name} runs from 0 to 1.", fix, made.text)
