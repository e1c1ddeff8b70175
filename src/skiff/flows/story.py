"""Gather what a run has to tell into the one value that every document shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

import polars as pl

from skiff.core.finding import sort_findings
from skiff.core.measurement import Measurement
from skiff.core.settings import Settings
from skiff.data.kinds import infer_inputs
from skiff.data.provenance import list_answers
from skiff.flows.evaluate import Verdict
from skiff.flows.prepare import Prepared
from skiff.flows.provenance import gather_provenance
from skiff.flows.read import ReadTable
from skiff.flows.train import Candidate, SmallModel
from skiff.report.content import ColumnStory, DatasetStory, LeftOut, ModelStory, ReleaseStory, RunStory, SplitStory
from skiff.report.numbers import format_bytes, format_micros


def build_story(  # noqa: PLR0913  a story has this many parts
    read: ReadTable,
    prepared: Prepared,
    candidate: Candidate,
    verdict: Verdict,
    release: ReleaseStory,
    *,
    settings: Settings,
    looks: int,
    other_sealed: int,
    evidence: Mapping[str, str],
    created: str,
    version: str,
    cost: Mapping[str, float],
) -> RunStory:
    """Return everything a report or card may say about a run."""
    owner = settings.owner
    return RunStory(
        title=f"{PurePath(read.name).stem}: {prepared.task.target}",
        created=created,
        skiff_version=version,
        task=prepared.task,
        dataset=tell_dataset(read, prepared, settings),
        split=SplitStory(
            kind=prepared.split.kind,
            reason=prepared.split.reason,
            train_rows=len(prepared.split.train),
            test_rows=len(prepared.split.test),
            looks=looks,
            other_sealed=other_sealed,
        ),
        findings=tuple(sort_findings([*prepared.findings, *candidate.label_findings])),
        left_out=tell_left_out(prepared),
        model=ModelStory(
            name=candidate.members[0][0]
            if len(candidate.members) == 1
            else f"blend of {len(candidate.members)} models",
            members=candidate.members,
            candidates=len(candidate.tried),
            train_seconds=candidate.train_seconds,
            features=candidate.features,
            seed=candidate.seed,
            budget_s=candidate.budget_s,
            versions=candidate.versions,
            beside="" if candidate.small is None else tell_beside(candidate.small),
            asked=tell_demands(prepared, prefer=settings.train.prefer),
        ),
        evaluation=verdict.evaluation,
        gate=verdict.gate,
        release=release,
        cost=cost,
        owner=owner.name,
        licence=owner.licence,
        purpose=owner.purpose,
        evidence=evidence,
    )


def tell_dataset(read: ReadTable, prepared: Prepared, settings: Settings) -> DatasetStory:
    """Return where the data came from; what nobody stated stays empty and is printed as unanswered."""
    owner = settings.owner
    known = gather_provenance(settings, read.name)
    stated = {answer.key: answer.text for answer in list_answers(known)} | {"purpose": owner.purpose}
    return DatasetStory(
        name=read.name,
        sha256=read.sha256,
        rows=read.frame.height,
        columns=read.frame.width,
        reading=read.reading,
        provenance=stated,
        schema=tell_columns(prepared),
    )


def tell_columns(prepared: Prepared) -> tuple[ColumnStory, ...]:
    """Return every column of the table with its kind, its gaps and the part it played."""
    task, frame = prepared.task, prepared.frame
    roles = dict.fromkeys(prepared.left_out, "left_out") | dict.fromkeys(task.protected, "protected")
    roles |= {name: role for name, role in ((task.time, "time"), (task.group, "group")) if name is not None}
    roles[task.target] = "target"
    kinds = {column.name: column.kind for column in infer_inputs(frame)}
    n_rows = max(frame.height, 1)
    flat = [name for name, dtype in frame.schema.items() if not dtype.is_nested()]
    levels = frame.select(pl.col(name).drop_nulls().n_unique() for name in flat).row(0, named=True) if flat else {}
    return tuple(
        ColumnStory(
            name=name,
            kind=kinds.get(name, "text"),
            missing_rate=frame[name].null_count() / n_rows,
            levels=levels.get(name),
            role=roles.get(name, "used"),
            dtype=str(frame[name].dtype.base_type()),
        )
        for name in frame.columns
    )


def tell_beside(small: SmallModel) -> str:
    """Return what the best single model would be like, and whether the rows can tell it from the blend."""
    gap = "measurably worse than the blend"
    if small.is_within_noise:
        gap = 'not told apart from the blend by the rows, so [train] prefer = "small" would release it'
    return f"{small.name}: {format_bytes(len(small.model))}, {format_micros(small.latency_us)} an answer, {gap}"


def tell_demands(prepared: Prepared, *, prefer: str) -> tuple[tuple[str, str], ...]:
    """Return what was asked of the training beside the target, as name and words: a reader must see that it was done."""
    task, demands = prepared.task, prepared.demands
    told = []
    if task.weight and demands.weights is not None:
        told.append(("rows weighed by", f"“{task.weight}”; scores are counted row by row"))
    if task.exposure and demands.exposure is not None:
        told.append(
            ("learned as a rate for each unit of", f"“{task.exposure}”; an answer is that rate times the row's own")
        )
    if demands.quantile is not None:
        told.append(
            ("predicts", f"the amount that {100 * demands.quantile:.4g} of 100 rows stay at or under, not the mean")
        )
    told += [
        (f"where “{name}” rises", f"the answer may only {'rise' if sign > 0 else 'fall'}")
        for name, sign in demands.monotone
    ]
    if prefer == "small":
        told.append(("asked for", "the small model where the rows cannot tell it from the best"))
    return tuple(told)


def tell_left_out(prepared: Prepared) -> tuple[LeftOut, ...]:
    """Return the columns that were not used, each with the proof of the finding that says why."""
    rows = []
    for column, code in sorted(prepared.left_out.items()):
        finding = next((item for item in prepared.findings if item.code == code and column in item.columns), None)
        scores = finding.evidence if finding else {}
        scored = scores.get("score_with")
        rows.append(
            LeftOut(
                column=column,
                code=code,
                score_with=_value(scored),
                score_without=_value(scores.get("score_without")),
                score_name=scored.name if isinstance(scored, Measurement) else "",
            )
        )
    return tuple(rows)


def _value(found: object) -> float | None:
    if isinstance(found, Measurement):
        return found.value
    return float(found) if isinstance(found, (int, float)) else None
