"""What is to be predicted: settled from the target column and what the user said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.finding import Finding
from skiff.core.task import Task, TaskKind
from skiff.data.entities import find_group
from skiff.data.facts import ColumnFacts
from skiff.data.moments import can_order, find_time
from skiff.data.rows import number_rows
from skiff.data.sentences import count_rows, say_rows, say_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_ROWS = 20
"""Rows with a target below which nothing can be both learned and judged: a test of one fifth would have three rows."""

USEFUL_ROWS = 500
"""With a fifth of them sealed, the 95 % interval of a share reaches 10 in 100 either way at worst: 1.96² · 0.25 / 0.1² = 96 rows
(Cochran 1977, Sampling Techniques, 3rd ed., §4.4)."""

MAX_CLASS_LEVELS = 10
"""Whole numbers up to this many levels are classes (grades, stars, stages); more are a quantity."""

MAX_CLASS_SHARE = 0.05
"""… if there are at most this many levels per row: in 40 rows, ten numbers are simply ten measurements."""

MAX_CLASSES = 100
"""Classes of text above which a target that hardly repeats is a name or an identifier and not a class."""

UNIQUE_SHARE = 0.5
"""Share of different values from which such a target is refused."""

USUAL_SHARE = 0.8
"""Share above which the answer that a word calls the event is the usual case: always giving it catches all of them and is
right in more than four warnings of five, so no score of a model that looks for it would say anything."""

POSITIVE_WORDS = (
    ("yes", "no"), ("y", "n"), ("true", "false"), ("t", "f"), ("1", "0"), ("1", "-1"), ("ja", "nein"), ("ja", "nee"),
    ("j", "n"), ("oui", "non"), ("si", "no"), ("sí", "no"), ("s", "n"), ("sì", "no"), ("sim", "não"), ("sim", "nao"),
    ("tak", "nie"), ("ano", "ne"), ("да", "нет"), ("是", "否"), ("positive", "negative"), ("pos", "neg"), ("on", "off"),
)  # fmt: skip
"""Pairs that say by themselves which answer is the event, in the languages clients write."""


def infer_task(
    frame: pl.DataFrame,
    target: str,
    *,
    positive: str | None = None,
    time: str | None = None,
    group: str | None = None,
    protected: Sequence[str] = (),
) -> tuple[Task, list[Finding]]:
    """Settle what is predicted, and say why.

    Parameters
    ----------
    frame : polars.DataFrame
        Typed table.
    target : str
    positive : str, optional
        The class to find, where the target has two.
    time, group : str, optional
        Taken as given; `detect_time_and_group` proposes them.
    protected : sequence of str

    Returns
    -------
    Task
        Classes are text (integers as ``"1"``, booleans as ``"true"``); of two, the positive one is last.
    list of Finding
        ``task.positive_class``, ``task.kind``, ``quality.missing_target``.

    Raises
    ------
    SkiffError
        ``column_not_found``, ``column_used_twice``, ``time_cannot_order``, ``target_missing_everywhere``, ``too_few_rows``,
        ``target_has_one_value``, ``target_is_a_date``, ``target_is_an_identifier``, ``positive_not_found``,
        ``positive_needs_two_classes``.

    Examples
    --------
    >>> stays = pl.DataFrame({"nights": range(40), "cancelled": ["yes", "no", "no", "no"] * 10})
    >>> task, findings = infer_task(stays, "cancelled")
    >>> task.kind, task.classes, task.positive
    ('binary', ('no', 'yes'), 'yes')
    """
    _refuse_roles(frame, target=target, time=time, group=group, protected=protected)
    if frame[target].dtype.is_temporal():
        raise SkiffError(
            "target_is_a_date",
            what=f"'{target}' holds dates, and Skiff predicts classes or amounts.",
            where={"column": target},
            fix="Add a column that counts the days until that date, and predict it.",
        )
    labels = label_target(frame[target])
    counted = labels.drop_nulls().alias("label").value_counts(name="n").sort(["n", "label"], descending=[True, False])
    n_known = int(counted["n"].sum() or 0)
    _refuse_target(target, n_rows=frame.height, n_known=n_known, n_values=counted.height)
    kind = _choose_kind(frame[target], n_values=counted.height, n_known=n_known)
    findings = _tell_missing(frame, target, labels)
    named = Task(kind=kind, target=target, time=time, group=group, protected=tuple(protected))
    if kind != "binary" and positive is not None:
        raise SkiffError(
            "positive_needs_two_classes",
            what=f"'{target}' has {counted.height:,} different values, so no single one of them is 'the positive one'.",
            where={"column": target, "option": "--positive"},
            fix="Leave out --positive, or make a yes/no column and predict that.",
        )
    if kind == "regression":
        return named, [_tell_kind(target, kind, counted.height), *findings]
    if kind == "multiclass":
        _refuse_identifier(target, n_values=counted.height, n_known=n_known)
        told = [_tell_kind(target, kind, counted.height)] if frame[target].dtype.is_numeric() else []
        return replace(named, classes=tuple(sorted(counted["label"].to_list()))), [*told, *findings]
    chosen, finding = _choose_positive(target, counted["label"].to_list(), counted["n"].to_list(), wanted=positive)
    other = next(value for value in counted["label"].to_list() if value != chosen)
    return replace(named, classes=(other, chosen), positive=chosen), [finding, *findings]


def encode_target(frame: pl.DataFrame, task: Task) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the target as numbers, and which rows have one.

    Returns
    -------
    y : ndarray of float64, shape (n_rows,)
        Position of the class in ``task.classes``, or the value; NaN where missing or not one of the classes.
    has_target : ndarray of bool, shape (n_rows,)

    Examples
    --------
    >>> task = Task(kind="binary", target="paid", classes=("no", "yes"), positive="yes")
    >>> y, has_target = encode_target(pl.DataFrame({"paid": ["yes", "no", None]}), task)
    >>> y.tolist(), has_target.tolist()
    ([1.0, 0.0, nan], [True, True, False])
    """
    column = frame[task.target]
    if task.kind == "regression":
        numbers = column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy().copy()
        numbers[~np.isfinite(numbers)] = np.nan
        return numbers, np.isfinite(numbers)
    code_of = {label: float(code) for code, label in enumerate(task.classes)}
    values = column.drop_nulls().unique()  # few: each is made a label once, not in every row
    if not values.len():
        return np.full(column.len(), np.nan), np.zeros(column.len(), dtype=np.bool_)
    codes = [code_of.get(label or "", float("nan")) for label in label_target(values).to_list()]
    y = column.replace_strict(values, codes, default=float("nan"), return_dtype=pl.Float64).to_numpy().copy()
    return y, np.isfinite(y)


def label_target(column: pl.Series) -> pl.Series:
    """Return the answers as text: whole numbers without decimals, booleans in lower case, blanks as missing.

    Examples
    --------
    >>> label_target(pl.Series([1.0, 0.0, None])).to_list(), label_target(pl.Series([True])).to_list()
    (['1', '0', None], ['true'])
    """
    if column.dtype.is_float():
        finite = column.is_finite().fill_null(value=False)
        known = column.filter(finite)
        column = column.set(~finite, None)
        if bool((known == known.floor()).all()) and bool((known.abs() < 2**53).all()):
            column = column.cast(pl.Int64)
    return column.cast(pl.String).str.strip_chars().replace("", None)


def detect_time_and_group(
    frame: pl.DataFrame, task: Task, *, facts: Mapping[str, ColumnFacts] | None = None
) -> tuple[str | None, str | None, list[Finding]]:
    """Propose the column that orders the rows in time and the one that says which rows belong together.

    What the task already names is kept and not looked for again.

    Parameters
    ----------
    frame : polars.DataFrame
    task : Task
    facts : mapping, optional
        What `skiff.data.facts.gather_facts` counted, where it has been done already.

    Returns
    -------
    time, group : str or None
    list of Finding
        ``task.time`` and ``task.group``: what was proposed or noticed, with the evidence.

    Notes
    -----
    It cannot see time in a table without a date or a year with its month, nor entities that no column names.

    Examples
    --------
    >>> from datetime import date, timedelta
    >>> days = [date(2024, 1, 1) + timedelta(days=day) for day in range(200)]
    >>> sales = pl.DataFrame({"day": days, "sold": range(200)})
    >>> detect_time_and_group(sales, Task(kind="regression", target="sold"))[0]
    'day'
    """
    time, findings = (task.time, []) if task.time else find_time(frame, task)
    if task.group:
        return time, task.group, findings
    group, told = find_group(frame, replace(task, time=time), facts=facts)
    return time, group, [*findings, *told]


def _refuse_roles(
    frame: pl.DataFrame, *, target: str, time: str | None, group: str | None, protected: Sequence[str]
) -> None:
    """Refuse columns that are absent, that have two roles, or a time that has no order."""
    roles = [("target", target), ("time", time), ("group", group), *(("protected", name) for name in protected)]
    for role, name in roles:
        if name is not None and name not in frame.columns:
            raise SkiffError.column_not_found(name, columns=frame.columns, option=f"--{role}")
    for role, name in roles[1:]:
        if name == target:
            raise SkiffError(
                "column_used_twice",
                what=f"'{target}' cannot be both the target and the {role} column.",
                where={"column": target, "option": f"--{role}"},
                fix=f"Name another column with --{role}, or leave it out.",
            )
    if time is not None and not can_order(frame[time]):
        raise SkiffError(
            "time_cannot_order",
            what=f"'{time}' holds neither dates nor numbers, so it cannot say which rows came first.",
            where={"column": time, "option": "--time"},
            fix="Name a column with dates or years, or write the dates as YYYY-MM-DD.",
        )


def _refuse_target(target: str, *, n_rows: int, n_known: int, n_values: int) -> None:
    """Refuse a target from which nothing can be learned."""
    where: dict[str, str | int] = {"column": target}
    if n_rows and not n_known:
        raise SkiffError(
            "target_missing_everywhere",
            what=f"'{target}' is empty in all {count_rows(n_rows)}.",
            where=where,
            fix="Choose another target, or add the known answers to the file: a model learns from them.",
        )
    if n_known < MIN_ROWS:
        raise SkiffError(
            "too_few_rows",
            what=f"Only {count_rows(n_known)} with a value in '{target}': too few to carry a model.",
            where=where,
            fix=f"Collect more rows: {MIN_ROWS} are the least to try with; about {USEFUL_ROWS} tell a score to 10 in 100 either way.",
        )
    if n_values == 1:
        raise SkiffError(
            "target_has_one_value",
            what=f"'{target}' is the same in all {count_rows(n_known)}, so there is nothing to tell apart.",
            where=where,
            fix="Add rows with the other outcome, or choose another target.",
        )


def _refuse_identifier(target: str, *, n_values: int, n_known: int) -> None:
    if n_values > MAX_CLASSES and n_values > UNIQUE_SHARE * n_known:
        raise SkiffError(
            "target_is_an_identifier",
            what=f"'{target}' has {n_values:,} different texts in {count_rows(n_known)}: a name or free text, not a class.",
            where={"column": target},
            fix="Choose a target whose values repeat, or group them into a few classes first.",
        )


def _choose_kind(column: pl.Series, *, n_values: int, n_known: int) -> TaskKind:
    if n_values == 2:  # noqa: PLR2004  a pair
        return "binary"
    if not column.dtype.is_numeric():
        return "multiclass"
    known = column.cast(pl.Float64, strict=False).fill_nan(None).drop_nulls()
    is_whole = bool((known == known.floor()).all())
    is_few = n_values <= MAX_CLASS_LEVELS and n_values <= MAX_CLASS_SHARE * n_known
    return "multiclass" if is_whole and is_few else "regression"


def _choose_positive(target: str, labels: list[str], counts: list[int], *, wanted: str | None) -> tuple[str, Finding]:
    """Return the class to find, and the finding that says why it is that one; `labels` come most frequent first."""
    if wanted is not None:
        chosen = _match_label(wanted, labels)
        if chosen is None:
            known = " and ".join(f"'{label}'" for label in labels) if min(counts) >= 5 else "two other values"  # noqa: PLR2004  rows that must share a level before it is named
            raise SkiffError(
                "positive_not_found",
                what=f"'{target}' never is '{wanted}'; it holds {known}.",
                where={"column": target, "option": "--positive"},
                fix="Give one of the two values with --positive, or leave the option out.",
            )
        reason = "you said so"
    else:
        lowered = {label.lower(): label for label in labels}
        pair = next((yes for yes, no in POSITIVE_WORDS if yes in lowered and no in lowered), None)
        if pair and counts[labels.index(lowered[pair])] > USUAL_SHARE * sum(counts):
            pair = None  # "paid: yes" in nine rows of ten: what has to be found is who did not
        chosen = lowered[pair] if pair else labels[1] if counts[1] < counts[0] else max(labels)
        reason = "that is what the word says" if pair else "it is the rarer one"
        reason = reason if pair or counts[1] < counts[0] else "both are equally frequent and one had to be chosen"
    n_positive, n_rows = counts[labels.index(chosen)], sum(counts)
    return chosen, Finding(
        code="task.positive_class",
        severity="info",
        columns=(target,),
        rows=n_positive,
        evidence={"positive": chosen, "share": n_positive / n_rows, "n": n_rows},
        what=f"The model looks for '{target}' = '{chosen}' ({say_rows(n_positive / n_rows)}), because {reason}.",
        why_it_matters="What the report calls caught or missed is about this answer.",
        remedy="If you want to find the other one, name it with --positive.",
    )


def _match_label(wanted: str, labels: list[str]) -> str | None:
    """Return the label that was meant: exact, else without regard to case, else as a number (``1.0`` for ``1``)."""
    exact = [label for label in labels if label == wanted.strip()]
    loose = [label for label in labels if label.lower() == wanted.strip().lower()]
    try:
        equal = [label for label in labels if float(label) == float(wanted)]
    except ValueError:
        equal = []
    return next(iter([*exact, *loose, *equal]), None)


def _tell_kind(target: str, kind: TaskKind, n_values: int) -> Finding:
    meaning = "an amount" if kind == "regression" else f"one of {n_values} classes"
    return Finding(
        code="task.kind",
        severity="info",
        columns=(target,),
        evidence={"different_values": n_values},
        what=f"'{target}' is predicted as {meaning}: it has {n_values:,} different numbers.",
        why_it_matters="An amount is judged by how far off it is, a class by whether it is right.",
        remedy="If that is not meant, write the classes as words in the file, or the amounts as numbers.",
    )


def _tell_missing(frame: pl.DataFrame, target: str, labels: pl.Series) -> list[Finding]:
    missing = labels.is_null().to_numpy()
    n_missing = int(missing.sum())
    if not n_missing:
        return []
    return [
        Finding(
            code="quality.missing_target",
            severity="warn" if n_missing > 0.05 * frame.height else "info",
            columns=(target,),
            rows=n_missing,
            sample_rows=number_rows(missing),
            evidence={"share": n_missing / frame.height},
            what=f"{count_rows(n_missing)} ({say_share(n_missing / frame.height)}) have no value in '{target}'.",
            why_it_matters="A model can neither learn from them nor be judged on them; if they are special, the rest is not typical.",
            remedy="They are set aside. Add the answers if they are known by now.",
            question=f"Why is '{target}' empty in some rows: not known yet, or does it not apply?",
        )
    ]
