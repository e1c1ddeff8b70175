"""Publish a candidate that passed its gate: one immutable folder with the model, its papers and its evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import msgspec

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.data.reference import build_reference
from skiff.deploy.manifest import build_manifest
from skiff.deploy.predictor import Predictor
from skiff.evaluate.yardstick import build_yardstick
from skiff.flows.contracts import ContractOutcome, tell_contract
from skiff.flows.evaluate import Verdict, answer_frame
from skiff.flows.prepare import Prepared
from skiff.flows.train import Candidate
from skiff.report.card import render_card
from skiff.report.content import ReleaseStory, RunStory
from skiff.report.datasheet import build_datasheet
from skiff.report.html import render_report
from skiff.report.sbom import build_sbom
from skiff.store.packages import list_packages
from skiff.store.records import ReleaseRecord
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What publishing did: the release, whether it answers now, and the ledger record."""

    record: ReleaseRecord
    is_new: bool
    evidence: str


def tell_release(candidate: Candidate, *, number: int | None, kept_back: str = "") -> ReleaseStory:
    """Return what documents say of the compiled file."""
    return ReleaseStory(
        number=number,
        onnx_bytes=len(candidate.model),
        parity_max_abs_diff=candidate.parity.max_abs_diff,
        parity_rows=candidate.parity.rows + candidate.parity.hostile_rows,
        latency_us=candidate.latency_us,
        sha256=hashlib.sha256(candidate.model).hexdigest(),
        kept_back=kept_back,
    )


def publish_candidate(  # noqa: PLR0913  a release is made of this many parts, each by name
    workspace: Workspace,
    prepared: Prepared,
    candidate: Candidate,
    verdict: Verdict,
    *,
    dataset_sha: str,
    story: Callable[[int, str], RunStory],
    run_id: str | None,
    at: str,
    contract: ContractOutcome | None = None,
) -> Publication:
    """Publish a candidate; the same model on the same data again gives the release that is already there.

    The first release of a workspace answers at once; later ones wait for ``skiff releases promote``.

    Parameters
    ----------
    story : callable
        Gives the story once the release's number and the ledger record that announces it are known. All papers are made
        before anything is published, so that a fault in one of them leaves no release without papers.
    contract : ContractOutcome, optional
        What the table is agreed to look like; the manifest carries the part that is about the model's columns.

    Raises
    ------
    SkiffError
        ``gate_not_passed``: what a gate refused is never released.
    """
    if not verdict.gate.passed:
        raise SkiffError(
            "gate_not_passed",
            what="The candidate does not meet its criteria, so it cannot be released.",
            where={"workspace": str(workspace.root)},
            fix="Read why in the report; improve the data or change [criteria] in skiff.toml.",
        )
    model_sha = hashlib.sha256(candidate.model).hexdigest()
    measured: dict[str, Json] = {
        "onnx_bytes": len(candidate.model),
        "parity_max_abs_diff": candidate.parity.max_abs_diff,
        "parity_rows": candidate.parity.rows + candidate.parity.hostile_rows,
        "latency_us": candidate.latency_us,
    }
    known = _find_same(workspace, model_sha, dataset_sha)
    if known is not None:
        noted = workspace.ledger.append(
            "release.same", subject=model_sha, result={**measured, "release": known.number}, at=at
        )
        return Publication(record=known, is_new=False, evidence=noted.id)

    number = max((record.number for record in workspace.releases.list()), default=0) + 1
    facts: dict[str, Json] = {"number": number, "dataset_sha256": dataset_sha, **measured}
    noted = workspace.ledger.append("release.begin", subject=model_sha, result=facts, at=at)
    files = build_files(workspace, prepared, candidate, verdict, story(number, noted.id))
    record = workspace.releases.publish(
        files,
        manifest=build_release_manifest(prepared, candidate, verdict, dataset_sha=dataset_sha, contract=contract),
        dataset_sha=dataset_sha,
        run_id=run_id,
        promote=workspace.releases.champion() is None,
    )
    done: dict[str, Json] = {
        "number": record.number,
        "is_champion": record.is_champion,
        "begun": noted.id,
        "files": [*sorted(files)],
        "signed_by": workspace.releases.read_manifest(record.number)["signed_by"],
    }
    workspace.ledger.append("release", subject=model_sha, result=done, at=at)
    return Publication(record=record, is_new=True, evidence=noted.id)


def build_files(
    workspace: Workspace, prepared: Prepared, candidate: Candidate, verdict: Verdict, story: RunStory
) -> dict[str, bytes]:
    """Return the files of a release by name, without its manifest."""
    train, test = prepared.frame[prepared.split.train], prepared.frame[prepared.split.test]
    predictor = Predictor(candidate.model)
    reference = build_reference(train, prepared.inputs, predictions=answer_frame(predictor, train))
    reference["judged"] = build_yardstick(
        prepared.task,
        prepared.y[prepared.split.test],
        answer_frame(predictor, test),
        frame_train=train,
        frame_test=test,
        inputs=prepared.inputs,
        threshold=candidate.threshold,
        importances={item.column: item.drop.value for item in verdict.evaluation.importances},
        headline=verdict.evaluation.headline,
        moves=candidate.moves,
    )
    companion = {} if candidate.companion is None else {"reasons.onnx": candidate.companion}
    return {
        "model.onnx": candidate.model,
        **companion,
        "card.md": render_card(story).encode(),
        "report.html": render_report(story).encode(),
        "datasheet.json": _encode(build_datasheet(story)),
        "sbom.json": _encode(build_sbom(story, list_packages())),
        "reference.json": _encode(reference),
        "evidence.jsonl": workspace.ledger.export(),
    }


def build_release_manifest(
    prepared: Prepared,
    candidate: Candidate,
    verdict: Verdict,
    *,
    dataset_sha: str,
    contract: ContractOutcome | None = None,
) -> Mapping[str, Json]:
    """Return what the release says of itself (design §4.1); the store adds number, time and file hashes."""
    signature = Predictor(candidate.model).signature
    return build_manifest(
        task=prepared.task,
        signature=signature,
        threshold=candidate.threshold,
        left_out=prepared.left_out,
        members=candidate.members,
        dataset_sha256=dataset_sha,
        metrics={name: asdict(metric) for name, metric in verdict.evaluation.metrics.items()},
        verdicts=[asdict(item) for item in verdict.gate.verdicts],
        parity=asdict(candidate.parity),
        versions=candidate.versions,
        contract=tell_contract(contract, [column.name for column in signature.inputs]),
    )


def _find_same(workspace: Workspace, model_sha: str, dataset_sha: str) -> ReleaseRecord | None:
    gone = workspace.erasures.read().releases
    for record in workspace.releases.list():
        if record.dataset_sha256 != dataset_sha or str(record.number) in gone:
            continue
        files = workspace.releases.read_manifest(record.number)["files"]
        if isinstance(files, dict) and model_sha in str(files.get("model.onnx")):
            return record
    return None


def _encode(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=2) + b"\n"
