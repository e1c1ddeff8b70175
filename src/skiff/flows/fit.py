"""``skiff.train`` and ``skiff.check``: the journey in memory, without a workspace."""

from __future__ import annotations

from pathlib import Path

from skiff.core.finding import Findings
from skiff.core.progress import Progress
from skiff.flows.check import check_file
from skiff.flows.effort import Effort
from skiff.flows.evaluate import judge_candidate
from skiff.flows.model import Model
from skiff.flows.prepare import Question, prepare
from skiff.flows.read import read_table
from skiff.flows.train import train_candidate
from skiff.flows.wishes import Wishes


def check(table: object, target: str | None = None, *, time: str | None = None, group: str | None = None) -> Findings:
    """Return what is wrong with a table, worst first; with a target the leak court sits too.

    Parameters
    ----------
    table : path, or anything that speaks Arrow (Polars, pandas, PyArrow, DuckDB)
    target : str, optional
        Column to predict.
    time, group : str, optional
        Column that orders the rows; column that says which belong together.

    Raises
    ------
    SkiffError
        ``column_not_found``, ``file_not_found`` …
    """
    source = Path(table) if isinstance(table, str) else table
    return Findings(check_file(source, Wishes(target=target, time=time, group=group)).findings)


def train(  # noqa: PLR0913  the options of `skiff run`
    table: object,
    target: str,
    *,
    time: str | None = None,
    group: str | None = None,
    positive: str | None = None,
    weight: str | None = None,
    exposure: str | None = None,
    keep: tuple[str, ...] = (),
    drop: tuple[str, ...] = (),
    budget_s: float = 60.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Model:
    """Check, train, compile and judge; return a model that runs on onnxruntime alone.

    Parameters
    ----------
    table : path, or anything that speaks Arrow
    target : str
    time, group, positive : str, optional
    weight, exposure : str, optional
        Columns that say how much a row counts, and how much of it each row could have counted.
    keep, drop : tuple of str
        Columns to keep in spite of a blocking finding; to leave out.
    budget_s : float
        Wall seconds for training.
    seed : int

    Raises
    ------
    SkiffError
        ``column_not_found``, ``target_has_one_value`` …
    """
    source = Path(table) if isinstance(table, str) else table
    question = Question(
        target=target, time=time, group=group, positive=positive, weight=weight, exposure=exposure, keep=keep, drop=drop, seed=seed
    )  # fmt: skip
    prepared = prepare(read_table(source, keep_words=(target,)), question, progress=progress)
    candidate = train_candidate(prepared, Effort(budget_s=budget_s, seed=seed), progress=progress)
    verdict = judge_candidate(prepared, candidate, progress=progress)
    return Model(
        candidate.model,
        companion=candidate.companion,
        measurements=verdict.evaluation.metrics,
        findings=[*prepared.findings, *candidate.label_findings],
    )
