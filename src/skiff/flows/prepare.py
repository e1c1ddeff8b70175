"""From a table to a question that can be answered: the task, the columns, the honest split, what is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from skiff.core.errors import SkiffError
from skiff.core.finding import Finding, sort_findings
from skiff.core.progress import Progress, Silent
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.checks import check_table, columns_left_out
from skiff.data.facts import ColumnFacts, gather_facts
from skiff.data.kinds import infer_inputs
from skiff.data.personal.kinds import NOBODY_ASKED, PersonalAnswers
from skiff.data.splits import Split, propose_split
from skiff.data.task import detect_time_and_group, encode_target, infer_task
from skiff.train.demands import Demands, Direction, read_amounts, settle_directions

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from skiff.flows.read import ReadTable


SHOWN_COLUMNS = 5
"""Columns named in a message; a table can have thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the user asked for, before the data has been looked at.

    Parameters
    ----------
    target : str
    time, group, positive : str or None
        None lets Skiff propose.
    keep, drop, protected : tuple of str
        Columns to keep in spite of a blocking finding; to leave out; to judge by but not train on.
    seed : int
    weight, exposure : str or None
        Columns that say how much a row counts, and how much it could have counted.
    monotone : mapping of str to {"up", "down"}
        Columns along which the answer may only rise or fall.
    quantile : float or None
        The quantile to predict instead of the mean.
    personal : PersonalAnswers
        Which columns a person has called personal, and which not.
    """

    target: str
    time: str | None = None
    group: str | None = None
    positive: str | None = None
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    seed: int = 0
    weight: str | None = None
    exposure: str | None = None
    monotone: Mapping[str, Direction] = field(default_factory=dict)
    quantile: float | None = None
    personal: PersonalAnswers = NOBODY_ASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A table with its task, honest split, findings and the columns that may train.

    ``y`` has one value a row of ``frame``: the class code or the number; NaN where the target is missing.
    """

    frame: pl.DataFrame
    y: NDArray[np.float64]
    task: Task
    inputs: tuple[InputColumn, ...]
    split: Split
    findings: list[Finding]
    left_out: dict[str, str] = field(default_factory=dict)
    demands: Demands = field(default_factory=Demands)


def refuse_unknown_columns(question: Question, columns: Sequence[str], *, file: str = "") -> None:
    """Refuse column names that are not in the table, all options at once, with the closest name for the first.

    Raises
    ------
    SkiffError
        ``column_not_found``.
    """
    asked = [("--target", question.target), ("--time", question.time), ("--group", question.group)]
    asked += [("[task] weight", question.weight), ("[task] exposure", question.exposure)]
    asked += [("--keep", name) for name in question.keep]
    asked += [("--drop", name) for name in question.drop]
    asked += [("[task] protected", name) for name in question.protected]
    wrong = [(option, name) for option, name in asked if name is not None and name not in columns]
    if not wrong:
        return
    option, name = wrong[0]
    error = SkiffError.column_not_found(name, columns=columns, file=file, option=option)
    if len(wrong) > 1:
        others = ", ".join(f"'{other}' ({where})" for where, other in wrong[1:])
        error.what += f" Nor are there: {others}."
    raise error


def refuse_nothing_to_learn(prepared: Prepared, *, file: str) -> None:
    """Refuse a table of which no column is left that a model could learn from, before anything is made.

    Raises
    ------
    SkiffError
        ``no_usable_columns``.
    """
    if prepared.inputs:
        return
    names = list(prepared.left_out)
    shown = ", ".join(f"'{name}'" for name in names[:SHOWN_COLUMNS]) + (" …" if len(names) > SHOWN_COLUMNS else "")
    raise SkiffError(
        "no_usable_columns",
        what="No column is left that a model could learn from: "
        + (f"left out are {shown}." if names else f"'{prepared.task.target}' is the only one."),
        where={"file": file, "column": prepared.task.target},
        fix="`skiff check` says why each was left out. Keep one with --keep COLUMN, or add columns that differ between rows."
        if names
        else "Add columns that are known before the answer is, and that differ between rows.",
    )


def note_missing_words(inputs: Sequence[InputColumn], reading: Mapping[str, Any]) -> tuple[InputColumn, ...]:
    """Return the columns with the words that the reader took for "no value", so that later rows are taken the same way."""
    columns = reading.get("columns") or {}
    return tuple(
        replace(column, missing_words=tuple(words))
        if (words := columns.get(column.name, {}).get("missing"))
        else column
        for column in inputs
    )


def prepare(
    read: ReadTable,
    question: Question,
    *,
    threads: int = 2,
    facts: Mapping[str, ColumnFacts] | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Settle the task and the split, hold the leak court and say which columns may train.

    Raises
    ------
    SkiffError
        ``column_not_found``, and what `infer_task` refuses (a target with one value, no rows …).
    """
    progress = progress or Silent()
    frame = read.frame
    refuse_unknown_columns(question, frame.columns, file=read.name)
    task, findings = infer_task(
        frame,
        question.target,
        positive=question.positive,
        time=question.time,
        group=question.group,
        protected=question.protected,
    )
    facts = facts if facts is not None else gather_facts(frame)
    time, group, proposals = detect_time_and_group(frame, task, facts=facts)
    task = replace(
        task,
        time=task.time or time,
        group=task.group or group,
        weight=question.weight,
        exposure=question.exposure,
        quantile=question.quantile,
    )
    y, has_target = encode_target(frame, task)
    y = y.copy()
    y[~has_target] = float("nan")

    keeps_groups = question.group is not None and question.time is None
    split, split_findings = propose_split(frame, task, seed=question.seed, keeps_groups=keeps_groups)
    shut_out = {question.target, *question.drop, *task.protected, *([task.group] if task.group else [])}
    shut_out |= {question.weight} if question.weight else set()
    inputs = note_missing_words(infer_inputs(frame, exclude=shut_out - set(question.keep), facts=facts), read.reading)
    checks = check_table(
        frame,
        task,
        inputs=inputs,
        split=split,
        seed=question.seed,
        threads=threads,
        keep=question.keep,
        facts=facts,
        personal=question.personal,
        progress=progress,
    )
    found = sort_findings([*read.findings, *findings, *proposals, *split_findings, *checks])
    left_out = {name: code for name, code in columns_left_out(found).items() if name not in question.keep}
    left_out |= dict.fromkeys(question.drop, "asked.drop")
    left_out |= {name: "asked.protected" for name in task.protected if name not in question.keep}
    if task.group and task.group not in question.keep:
        left_out.setdefault(task.group, "split.group")
    if task.weight:
        left_out[task.weight] = "asked.weight"
    left_out = {name: code for name, code in left_out.items() if name != task.exposure}
    usable = tuple(column for column in inputs if column.name not in left_out)
    return Prepared(
        frame=frame,
        y=y,
        task=task,
        inputs=usable,
        split=split,
        findings=found,
        left_out=left_out,
        demands=settle_demands(frame, y, task, usable, monotone=question.monotone),
    )


def settle_demands(
    frame: pl.DataFrame,
    y: NDArray[np.float64],
    task: Task,
    usable: Sequence[InputColumn],
    *,
    monotone: Mapping[str, Direction],
) -> Demands:
    """Return what is asked beside the target, row by row; rows without a target may lack a weight."""
    if (task.exposure or task.quantile is not None) and task.kind != "regression":
        raise SkiffError(
            "demand_unfit",
            what="An exposure or a quantile only makes sense where the target is a number.",
            where={"column": task.target},
            fix="Take exposure (under [task]) and quantile (under [train]) out of skiff.toml.",
        )
    needed = ~np.isnan(y)
    return Demands(
        weights=read_amounts(frame, task.weight, needed, setting="task.weight") if task.weight else None,
        exposure=read_amounts(frame, task.exposure, needed, setting="task.exposure") if task.exposure else None,
        exposure_column=task.exposure or "",
        monotone=settle_directions(monotone, usable, task),
        quantile=task.quantile,
    )
