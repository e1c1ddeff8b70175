"""Judge the first window of a release that was promoted by itself, and take it back if the one before was better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from skiff.core.evidence import EvidenceRecord
from skiff.data.task import encode_target
from skiff.deploy.predictor import Predictor
from skiff.evaluate.challenge import choose_loss, is_worse, say_size
from skiff.evaluate.compare import compare_paired
from skiff.flows.champion import load_champion
from skiff.flows.evaluate import answer_frame
from skiff.flows.feedback import is_logged, read_outcomes, rebuild_rows
from skiff.store.clock import now_utc
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.probation import end_trial
from skiff.store.workspace import Workspace

PROMOTED, KEPT, TAKEN_BACK = "retrain.promoted", "retrain.kept", "retrain.taken_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probation:
    """What the first window said.

    Parameters
    ----------
    state : {"none", "waiting", "kept", "taken_back"}
        ``none``: no release is on probation; ``waiting``: too few outcomes yet.
    release, previous : int or None
    outcomes, wanted : int
    sentence : str
    """

    state: str
    release: int | None
    previous: int | None
    outcomes: int
    wanted: int
    sentence: str

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return asdict(self)


def judge_probation(folder: Path, *, at: Callable[[], str] = now_utc) -> Probation:
    """Compare a release that was promoted by itself with the one before, on what happened since.

    Both answer the logged rows, so the comparison is paired. The release before takes over again if the new one is worse by
    more than noise; otherwise the new one stays and its probation ends. Safe to call at any time and again.
    """
    with Workspace.open(folder) as workspace, workspace.lock("probation"):
        record = find_open_promotion(workspace)
        if record is None or workspace.releases.champion() != record.result["challenger"]:
            return Probation(
                state="none", release=None, previous=None, outcomes=0, wanted=0, sentence="No release is on probation."
            )
        number, before = int(str(record.result["challenger"])), int(str(record.result["champion"]))
        wanted = workspace.settings.retrain.watch_rows
        champion = load_champion(workspace)
        logged = read_outcomes(workspace, since=record.at, release=number)
        older = Predictor(workspace.releases.read_file(before, "model.onnx"))
        columns = [column.name for column in champion.predictor.signature.inputs]
        columns += [
            column.name
            for column in older.signature.inputs
            if column.name not in columns and is_logged(logged, column.name) and column.name in champion.table.frame
        ]
        rows = rebuild_rows(logged, champion.table.frame, champion.task, columns) if logged.height else pl.DataFrame()
        n = rows.height
        if n < wanted:
            words = f"{n:,} of {wanted:,} outcomes are known; release {number} is on probation."
            return Probation(
                state="waiting", release=number, previous=before, outcomes=n, wanted=wanted, sentence=words
            )
        y, has_target = encode_target(rows, champion.task)
        known = rows.filter(pl.Series(has_target))
        lacking = [column.name for column in older.signature.inputs if column.name not in known.columns]
        if lacking:
            words = (
                f"Release {number} stays: release {before} also takes '{lacking[0]}', which is not logged for release {number}, "
                "so the two cannot be compared on what happened since. See skiff monitor."
            )
            workspace.ledger.append(
                KEPT,
                subject=f"release {number}",
                result={"champion": before, "challenger": number, "decision": [words]},
                at=at(),
            )
            end_trial(workspace.root / SKIFF_FOLDER)
            return Probation(state="kept", release=number, previous=before, outcomes=n, wanted=wanted, sentence=words)
        metric, threshold = choose_loss(champion.task)
        difference = compare_paired(
            y[has_target] if champion.task.kind == "regression" else y[has_target].astype("int64"),
            answer_frame(champion.predictor, known),
            answer_frame(older, known),
            metric,
            threshold=threshold,
            seed=0,
        )
        size = f"{say_size(difference)} on {difference.n:,} outcomes"
        if is_worse(difference):
            workspace.releases.rollback()
            state, action = "taken_back", TAKEN_BACK
            words = f"Release {number} was worse than release {before} by more than noise: {size}. Release {before} answers again."
        else:
            state, action = "kept", KEPT
            words = f"Release {number} stays: it was not worse than release {before} by more than noise: {size}."
        workspace.ledger.append(
            action,
            subject=f"release {number}",
            result={"champion": before, "challenger": number, "decision": [words], "difference": asdict(difference)},
            at=at(),
        )
        end_trial(workspace.root / SKIFF_FOLDER)
    return Probation(state=state, release=number, previous=before, outcomes=n, wanted=wanted, sentence=words)


def find_open_promotion(workspace: Workspace) -> EvidenceRecord | None:
    """Return the ledger record of the last promotion by itself that nobody has judged yet."""
    found = None
    for record in workspace.ledger.records():
        if record.action == PROMOTED:
            found = record
        elif record.action in {KEPT, TAKEN_BACK}:
            found = None
    return found
