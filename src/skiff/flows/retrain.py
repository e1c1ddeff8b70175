"""Train a challenger on what really happened, and let it take the champion's place only where that is proven better."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.progress import Progress, Silent
from skiff.core.task import Task
from skiff.data.task import encode_target
from skiff.deploy.predictor import Predictor
from skiff.evaluate.challenge import Challenge, Rows, judge_challenge
from skiff.flows.conclude import Journey, Meter, conclude
from skiff.flows.datasets import keep_dataset, load_dataset
from skiff.flows.evaluate import answer_frame
from skiff.flows.feedback import read_outcomes, rebuild_rows
from skiff.flows.learned import find_split, list_unseen
from skiff.flows.persons import FROM_LOG
from skiff.flows.read import ReadTable
from skiff.flows.recording import record_checks
from skiff.flows.settle import settle_effort
from skiff.flows.standing import refuse_none
from skiff.flows.train import train_candidate
from skiff.flows.triggers import Trigger, find_triggers
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

MIN_SEALED = 50
"""Recent rows below which no comparison could show a difference that matters; see ``[retrain] min_outcomes``."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """The release that answers, with what it was trained on."""

    number: int
    manifest: Mapping[str, Any]  # Any: a JSON document
    predictor: Predictor
    task: Task
    table: ReadTable
    train: np.ndarray[Any, np.dtype[np.int64]]
    test: np.ndarray[Any, np.dtype[np.int64]]


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
        asked_ways = workspace.settings.train.monotone
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


def load_champion(workspace: Workspace, number: int | None = None) -> Champion:
    """Return the release that answers, or the one named, with the rows it learned from and those it was judged on.

    Raises
    ------
    SkiffError
        ``no_release``, ``release_not_found``; ``dataset_not_found`` where its data was removed.
    """
    number = number or refuse_none(workspace.releases.champion(), str(workspace.root))
    manifest: dict[str, Any] = dict(workspace.releases.read_manifest(number))
    model = workspace.releases.read_file(number, "model.onnx")
    task = Task(
        **{
            **manifest["task"],
            "classes": tuple(manifest["task"]["classes"]),
            "protected": tuple(manifest["task"]["protected"]),
        }
    )
    _, table = load_dataset(workspace, str(manifest["dataset_sha256"]))
    train, test = _find_split(workspace, number, str(manifest["dataset_sha256"]), table, task)
    return Champion(
        number=number,
        manifest=manifest,
        predictor=Predictor(model),
        task=task,
        table=table,
        train=train,
        test=test,
    )


def _find_split(
    workspace: Workspace, number: int, dataset_sha256: str, table: ReadTable, task: Task
) -> tuple[Any, Any]:
    """Return the rows that a release learned from and those it was judged on.

    Where training noted none, they are taken from the sealed rows that every look at this dataset left aside.
    """
    noted = find_split(workspace, number)
    if noted is not None:
        return noted
    _, has_target = encode_target(table.frame, task)
    test = list_unseen(workspace, dataset_sha256)
    is_train = has_target.copy()
    is_train[test] = False
    return np.flatnonzero(is_train), test


def compare(
    champion: Champion, model: bytes, recent: pl.DataFrame, *, learned: pl.DataFrame, is_promise_kept: bool, seed: int
) -> Challenge:
    """Answer the sealed rows with both released files and judge the difference; `learned` are the challenger's training rows."""
    challenger = Predictor(model)
    sets = [("recent", recent)]
    frozen = leave_out_learned(champion.table.frame[champion.test], learned, of=champion.table.frame)
    if frozen.height:
        sets.append(("frozen", frozen))
    judged = []
    for name, frame in sets:
        y, has_target = encode_target(frame, champion.task)
        known = frame.filter(pl.Series(has_target))
        judged.append(
            Rows(
                name=name,
                y=y[has_target],
                champion=answer_frame(champion.predictor, known),
                challenger=answer_frame(challenger, known),
            )
        )
    known = recent.filter(pl.Series(encode_target(recent, champion.task)[1]))
    return judge_challenge(
        replace(champion.task, protected=tuple(name for name in champion.task.protected if name in recent.columns)),
        judged[0],
        judged[1] if len(judged) > 1 else None,
        known,
        champion.predictor.signature.inputs,
        is_promise_kept=is_promise_kept,
        seed=seed,
    )


def leave_out_learned(sealed: pl.DataFrame, learned: pl.DataFrame, *, of: pl.DataFrame) -> pl.DataFrame:
    """Return the sealed rows without those that came back in use with their outcomes, so that a challenger learned from them.

    Parameters
    ----------
    sealed, learned : DataFrame
    of : DataFrame
        The table that `sealed` is from: a row that stands in it more than once is a common one, and stays.

    Examples
    --------
    >>> table = pl.DataFrame({"nights": [1, 2, 3, 3], "stayed": ["yes", "no", "no", "no"]})
    >>> leave_out_learned(table[1:], table[1:3], of=table)["nights"].to_list()
    [3, 3]
    """
    names = [name for name in learned.columns if name in sealed.columns]
    rare = of.select(names).filter(of.select(names).is_unique())
    came_back = rare.join(learned.select(names), on=names, how="semi", nulls_equal=True)
    return sealed.join(came_back, on=names, how="anti", nulls_equal=True)


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
