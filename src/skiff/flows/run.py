"""The whole journey: from a client's file to a released, explained model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from skiff.core.progress import Progress, Silent
from skiff.flows.answers import remember_answers
from skiff.flows.candidates import save_candidate
from skiff.flows.conclude import Meter, RunOutcome, conclude
from skiff.flows.datasets import keep_dataset
from skiff.flows.prepare import prepare
from skiff.flows.read import read_table
from skiff.flows.recipes import find_recipe, remember_reading
from skiff.flows.recording import record_checks
from skiff.flows.settle import Wishes, settle_effort, settle_question
from skiff.flows.train import train_candidate
from skiff.store.clock import now_utc
from skiff.store.settings import read_settings
from skiff.store.workspace import Workspace


def run(
    source: Path,
    wishes: Wishes,
    *,
    folder: Path,
    should_stop: Callable[[], bool] | None = None,
    progress: Progress | None = None,
    at: Callable[[], str] = now_utc,
) -> RunOutcome:
    """Read, check, train, judge, release and tell, recording each step in the workspace at `folder`.

    Parameters
    ----------
    source : Path
        The client's file.
    wishes : Wishes
        What the user asked for; ``skiff.toml`` fills what they left open.
    folder : Path
        The workspace; made where it is absent, once the file and the question have proved sound.
    should_stop : callable, optional
        True once the user pressed Ctrl-C: the best model so far is kept.
    progress : Progress, optional
    at : callable
        Gives the time for the records.

    Raises
    ------
    SkiffError
        Whatever makes the work impossible; what was recorded before stays valid.
    """
    progress = progress or Silent()
    meter = Meter()
    settings = read_settings(folder)
    question = settle_question(settings, wishes)
    effort = settle_effort(settings, wishes, should_stop=should_stop)
    progress.stage("Read", source.name)
    read = read_table(source, recipe=find_recipe(settings, source.name), keep_words=(question.target,))
    progress.stage("Check", f"{read.frame.height:,} rows, {read.frame.width} columns")
    prepared = prepare(read, question, threads=effort.threads, progress=progress)
    with Workspace.open(folder, create=True) as workspace, workspace.lock("run"):
        remember_answers(workspace.root, settings, question)
        remember_reading(workspace.root, settings, read)
        kept = keep_dataset(workspace, read, at=at())
        evidence = {"dataset": kept.evidence} | record_checks(workspace, prepared, dataset_id=kept.record.id, at=at)
        arguments = {"source": source.name, "target": question.target, "seed": question.seed}
        run_id = workspace.start_run("run", dataset_sha256=kept.record.sha256, arguments=arguments)

        progress.stage("Train", f"up to {effort.budget_s:.0f} s")
        candidate = train_candidate(prepared, effort, costs=settings.costs, progress=progress)
        evidence["train"] = save_candidate(workspace, candidate, prepared, dataset_id=kept.record.id, at=at())
        outcome = conclude(
            workspace,
            read,
            prepared,
            candidate,
            dataset=kept.record,
            evidence=evidence,
            meter=meter,
            run_id=run_id,
            at=at,
            progress=progress,
        )
        workspace.finish_run(run_id, status="done", result={"gate_passed": outcome.is_yes})
    return outcome
