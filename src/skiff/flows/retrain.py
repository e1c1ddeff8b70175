"""Train a challenger on what really happened, and let it take the champion's place only where that is proven better."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.progress import Progress, Silent
from skiff.core.task import Task
from skiff.data.task import encode_target
from skiff.evaluate.challenge import Challenge
from skiff.evaluate.prices import refuse_half_costs
from skiff.flows.champion import Champion, load_champion
from skiff.flows.conclude import Journey, Meter, conclude
from skiff.flows.datasets import keep_dataset
from skiff.flows.duel import MIN_NEW, compare
from skiff.flows.feedback import read_outcomes, rebuild_rows
from skiff.flows.persons import FROM_LOG
from skiff.flows.read import ReadTable
from skiff.flows.recording import record_checks
from skiff.flows.settle import settle_effort
from skiff.flows.train import train_candidate
from skiff.flows.triggers import Trigger, find_triggers
from skiff.flows.unfit import refuse_unfit
from skiff.flows.windows import SEALED_SHARE, choose_window, prepare_window
from skiff.flows.wishes import Wishes
from skiff.report.sheet import Sheet, SheetList, SheetTable, render_sheet, tabulate_differences
from skiff.store.clock import now_utc
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.probation import Trial, note_trial
from skiff.store.workspace import Workspace

NOT_BETTER = "It was not proven better than the release that answers."

STATUS = {"lost": "The champion stays", "waiting": "Waits for you", "promoted": "Answers now"}
ROWS = {"recent": "recent, sealed", "frozen": "those the champion was judged on", "together": "both together"}

MIN_SEALED = MIN_NEW
"""Recent rows that are sealed at least: as many as a comparison needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainOutcome:
    """What came of it: nothing to do, a challenger that lost, or a new release that waits or answers.

    Parameters
    ----------
    state : {"not_needed", "lost", "waiting", "promoted"}
    reasons : tuple of Trigger
        Why it was tried.
    champion, challenger : int or None
        Release numbers.
    window : str
        What the challenger learned from.
    sentences : tuple of str
        The decision in plain language, as it stands in the ledger.
    """

    state: str
    reasons: tuple[Trigger, ...]
    champion: int
    challenger: int | None
    window: str
    sentences: tuple[str, ...]
    evidence: str
    report: str | None = None

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return asdict(self)


def retrain(
    folder: Path,
    *,
    if_needed: bool = False,
    mode: str | None = None,
    budget_s: float | None = None,
    should_stop: Callable[[], bool] | None = None,
    progress: Progress | None = None,
    at: Callable[[], str] = now_utc,
) -> RetrainOutcome:
    """Try a challenger against the release that answers.

    It is trained on the window of rows that served best on the rows just before the newest ones, judged on rows neither has
    learned from, and released only if it passes the gate and beats the champion by more than noise; see
    `skiff.evaluate.challenge.judge_challenge`. Until the very end nothing but the ledger changes: a process that is killed
    leaves the champion serving.

    Parameters
    ----------
    folder : Path
        The workspace.
    if_needed : bool
        Do nothing where no trigger of ``[retrain]`` says so, or the mode is off.
    mode : {"suggest", "automatic"}, optional
        Instead of ``[retrain] mode``.
    budget_s : float, optional
        Seconds of training, instead of ``[train] budget_s``.

    Raises
    ------
    SkiffError
        ``no_release``, ``inputs_not_kept``, ``too_few_outcomes`` and what training says.
    """
    progress = progress or Silent()
    meter = Meter()
    with Workspace.open(folder) as workspace, workspace.lock("retrain"):
        champion = load_champion(workspace)
        asked = mode or workspace.settings.retrain.mode
        logged = read_outcomes(workspace, since=str(champion.manifest["created"]))
        own = logged.filter(pl.col("release") == champion.number)
        triggers = find_triggers(workspace, champion.manifest, own, at=at())
        if if_needed and (asked == "off" or not triggers):
            return _stay(champion, triggers, is_off=asked == "off")
        reasons = triggers or (Trigger(code="asked", sentence="You asked for it."),)
        progress.stage("Gather", f"{logged.height:,} outcomes")
        columns = [column.name for column in champion.predictor.signature.inputs]
        rows = rebuild_rows(logged, champion.table.frame, champion.task, columns)
        rows = _keep_known(rows, champion.task)
        refuse_too_few(rows.height, workspace.settings.retrain.min_outcomes)
        n_sealed = max(MIN_SEALED, round(SEALED_SHARE * rows.height))
        original = champion.table.frame[champion.train].select(rows.columns)
        effort = settle_effort(workspace.settings, Wishes(budget_s=budget_s), should_stop=should_stop)
        if champion.task.kind == "binary":
            refuse_half_costs(workspace.settings.costs)
        asked_ways = workspace.settings.train.monotone
        whole = prepare_window(original, rows, champion.task, window="all", n_sealed=n_sealed, monotone=asked_ways)
        refuse_unfit(workspace.settings, whole)
        window = choose_window(
            original, rows[:-n_sealed], champion.task, effort=effort, monotone=asked_ways, progress=progress
        )
        prepared = prepare_window(
            original, rows, champion.task, window=window.name, n_sealed=n_sealed, monotone=asked_ways
        )
        progress.stage("Train", f"a challenger on {window.words}")
        candidate = train_candidate(prepared, effort, costs=workspace.settings.costs, progress=progress)
        progress.stage("Compare", "champion and challenger on rows neither has learned from")
        challenge = compare(
            champion,
            candidate.model,
            prepared.frame[prepared.split.test],
            learned=prepared.frame[prepared.split.train],
            is_promise_kept=all(item.code != "quality" for item in reasons),
            seed=effort.seed,
        )
        read = _describe_table(prepared.frame, champion, window.name)
        kept = keep_dataset(workspace, read, at=at())
        evidence = {"dataset": kept.evidence} | record_checks(workspace, prepared, dataset_id=kept.record.id, at=at)
        noted = workspace.ledger.append(
            "retrain",
            subject=f"release {champion.number}",
            result=_tell_ledger(reasons, window.name, challenge, rows=rows.height, sealed=n_sealed),
            at=at(),
        )
        journey = Journey(
            read=read,
            prepared=prepared,
            candidate=candidate,
            dataset=kept.record,
            evidence=evidence,
            meter=meter,
        )
        concluded = conclude(
            workspace,
            journey,
            at=at,
            progress=progress,
            may_release=challenge.is_won,
            kept_back="" if challenge.is_won else NOT_BETTER,
            is_challenge=True,
            takes_over=asked == "automatic",
        )
        number = concluded.story.release.number if concluded.story.release else None
        sentences = [
            *(item.sentence for item in reasons),
            f"The challenger learned from {window.words}.",
            *challenge.reasons,
        ]
        sentences += [] if concluded.is_yes else ["It does not meet the criteria; the report says by how much."]
        state = "lost" if number is None else "waiting"
        if number is not None and asked == "automatic":
            workspace.releases.verify(number)
            note_trial(workspace.root / SKIFF_FOLDER, Trial(release=number, before=champion.number))
            workspace.releases.promote(number)
            state = "promoted"
        sentences.append(_conclude(state, champion.number, number))
        decided = workspace.ledger.append(
            f"retrain.{state}",
            subject=f"release {number or champion.number}",
            result={"champion": champion.number, "challenger": number, "decision": list(sentences), "begun": noted.id},
            at=at(),
        )
        page = render_sheet(
            Sheet(
                kind="Skiff retraining",
                title=f"{workspace.root.name}: {champion.task.target}",
                status=STATUS[state],
                is_good=state != "lost",
                headline=sentences[-1],
                sentences=tuple(sentences[len(reasons) : -1]),
                lists=(SheetList(title="Why it was tried", sentences=tuple(item.sentence for item in reasons)),),
                tables=(_tabulate(challenge),),
                closing=f"The challenger's own report is {Path(concluded.files['report_html']).name}; the decision stands in the ledger as {decided.id}.",
                created=at(),
            )
        )
        written = str(workspace.write_report("retrain.html", page.encode()))
    return RetrainOutcome(
        state=state,
        reasons=reasons,
        champion=champion.number,
        challenger=number,
        window=window.name,
        sentences=tuple(sentences),
        evidence=decided.id,
        report=written,
    )


def refuse_too_few(n_rows: int, wanted: int) -> None:
    """Refuse to try with fewer outcomes than could show anything.

    Raises
    ------
    SkiffError
        ``too_few_outcomes``.
    """
    if n_rows >= wanted:
        return
    raise SkiffError(
        "too_few_outcomes",
        what=f"{n_rows:,} outcomes are known; a challenger needs {wanted:,} to learn from and be judged by.",
        where={"setting": "retrain.min_outcomes"},
        fix="Send more outcomes with `skiff outcomes FILE`, or lower  min_outcomes  under [retrain] in skiff.toml.",
    )


def _keep_known(rows: pl.DataFrame, task: Task) -> pl.DataFrame:
    return rows.filter(pl.Series(encode_target(rows, task)[1]))


def _describe_table(frame: pl.DataFrame, champion: Champion, window: str) -> ReadTable:
    """Return the challenger's table as if it had been read from a file named after where it came from."""
    stream = io.BytesIO()
    frame.write_parquet(stream, compression="zstd", statistics=False)
    data = stream.getvalue()
    return ReadTable(
        frame=frame,
        findings=[],
        reading={"format": "log", "window": window, "champion": champion.number},
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        name=f"{champion.table.name}{FROM_LOG}",
    )


def _tell_ledger(
    reasons: tuple[Trigger, ...], window: str, challenge: Challenge, *, rows: int, sealed: int
) -> dict[str, Json]:
    return {
        "reasons": [{"code": item.code, "sentence": item.sentence} for item in reasons],
        "window": window,
        "outcomes": rows,
        "sealed_rows": sealed,
        "is_won": challenge.is_won,
        "differences": {name: asdict(difference) for name, difference in challenge.differences},
        "worse_groups": [
            {"column": group.column, "rows": group.n, "loss": group.gap.value} for group in challenge.worse
        ],
    }


def _tabulate(challenge: Challenge) -> SheetTable:
    return SheetTable(
        title="Champion and challenger on the same rows",
        caption="Challenger minus champion on rows that neither has learned from; lower is better",
        head=("Rows", "Measure", "Difference", "Range", "n"),
        rows=tabulate_differences([(ROWS[name], found) for name, found in challenge.differences]),
    )


def _stay(champion: Champion, triggers: tuple[Trigger, ...], *, is_off: bool) -> RetrainOutcome:
    why = "Retraining is switched off ([retrain] mode)." if is_off else "Nothing says that a new model is needed."
    return RetrainOutcome(
        state="not_needed",
        reasons=triggers,
        champion=champion.number,
        challenger=None,
        window="",
        sentences=(why,),
        evidence="",
    )


def _conclude(state: str, champion: int, challenger: int | None) -> str:
    if state == "promoted":
        return f"Release {challenger} answers now; release {champion} stays ready to take over again."
    if state == "waiting":
        return f"Release {challenger} waits for you: skiff releases promote {challenger}."
    return f"Release {champion} goes on answering."
