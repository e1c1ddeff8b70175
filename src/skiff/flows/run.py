"""The whole journey: from a client's file to a released, explained model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from skiff.core.finding import sort_findings
from skiff.core.progress import Progress, Silent
from skiff.flows.answers import remember_answers
from skiff.flows.candidates import save_candidate
from skiff.flows.conclude import Journey, Meter, RunOutcome, conclude
from skiff.flows.contracts import hold_or_learn
from skiff.flows.datasets import keep_dataset
from skiff.flows.population import find_coverage
from skiff.flows.prepare import prepare, refuse_nothing_to_learn
from skiff.flows.provenance import remember_provenance, remember_terms
from skiff.flows.read import read_table
from skiff.flows.recipes import find_recipe, remember_reading
from skiff.flows.recording import record_checks
from skiff.flows.scale import open_workers
from skiff.flows.settle import settle_effort, settle_question
from skiff.flows.train import list_versions, train_candidate
from skiff.flows.trials import open_memory
from skiff.flows.unfit import refuse_unfit
from skiff.flows.wishes import Wishes
from skiff.report.numbers import describe_shape
from skiff.store.clock import now_utc
from skiff.store.settings import read_settings
from skiff.store.workspace import Workspace


def run(
    source: Path,
    wishes: Wishes,
    *,
    folder: Path,
    provenance: Mapping[str, str] | None = None,
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
    provenance : mapping, optional
        Where the data comes from (`skiff.data.provenance.QUESTIONS`); kept in ``skiff.toml``.
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
    progress.stage("Check", describe_shape(read.frame.height, read.frame.width))
    prepared = prepare(read, question, threads=effort.threads, progress=progress)
    coverage = find_coverage(read.frame, settings, folder=folder)
    refuse_nothing_to_learn(prepared, file=source.name)
    refuse_unfit(settings, prepared)
    with Workspace.open(folder, create=True) as workspace, workspace.lock("run"):
        is_said = remember_provenance(workspace.root, provenance or {})
        if remember_terms(workspace.root, read.name, provenance or {}) or is_said:
            workspace.reload_settings()
        remember_answers(workspace.root, settings, question)
        remember_reading(workspace.root, settings, read)
        kept = keep_dataset(workspace, read, at=at())
        broken = hold_or_learn(workspace, read, dataset_sha256=kept.record.sha256, at=at())
        prepared = replace(prepared, findings=sort_findings([*prepared.findings, *broken, *coverage]))
        evidence = {"dataset": kept.evidence} | record_checks(workspace, prepared, dataset_id=kept.record.id, at=at)
        arguments = {"source": source.name, "target": question.target, "seed": question.seed}
        run_id = workspace.start_run("run", dataset_sha256=kept.record.sha256, arguments=arguments)

        progress.stage("Train", f"up to {effort.budget_s:.0f} s")
        memory = open_memory(workspace, prepared, effort, dataset_sha256=kept.record.sha256, versions=list_versions())
        with open_workers(settings) as workers:
            candidate = train_candidate(
                prepared, replace(effort, workers=workers), costs=settings.costs, memory=memory, progress=progress
            )
        if candidate.stopped != "interrupted":
            memory.trials.clear()
        evidence["train"] = save_candidate(workspace, candidate, prepared, dataset_id=kept.record.id, at=at())
        journey = Journey(
            read=read,
            prepared=prepared,
            candidate=candidate,
            dataset=kept.record,
            evidence=evidence,
            meter=meter,
            run_id=run_id,
        )
        outcome = conclude(workspace, journey, at=at, progress=progress)
        workspace.finish_run(run_id, status="done", result={"gate_passed": outcome.is_yes})
    return outcome
