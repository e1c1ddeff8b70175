"""Look over a table that has been read: everything that is judged of it, gathered in one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from skiff.core.evidence import Json
from skiff.core.finding import Finding, sort_findings
from skiff.core.progress import Progress
from skiff.core.settings import Settings
from skiff.data.checks import check_table
from skiff.data.checks.leakage.sampling import Sampling, describe_sampling
from skiff.data.coverage import Representation, find_unrepresentative, measure_representation
from skiff.data.facts import ColumnFacts, gather_facts
from skiff.data.kinds import infer_inputs
from skiff.data.personal.kinds import PersonalAnswers
from skiff.flows.prepare import Prepared, prepare
from skiff.flows.read import ReadTable
from skiff.flows.settle import settle_question
from skiff.flows.wishes import Wishes
from skiff.store.layout import SKIFF_FOLDER

if TYPE_CHECKING:
    from skiff.flows.contracts import ContractOutcome


@dataclass(frozen=True, kw_only=True)
class CheckOutcome:
    """What the checks found, and what the report needs to say more of the table.

    Parameters
    ----------
    read : ReadTable
    facts : mapping of str to ColumnFacts
    findings : sequence of Finding
    task, split : dict or None
        As ``--json`` prints them; None where no target was named.
    left_out : dict of str to str
    agreed : ContractOutcome or None
        The contract that the table was held against.
    representation : Representation or None
        How it differs from a population that was named.
    sampling : Sampling or None
        How many rows the quick models looked at, where they did not look at all.
    """

    read: ReadTable
    facts: Mapping[str, ColumnFacts]
    findings: Sequence[Finding]
    task: dict[str, Json] | None = None
    split: dict[str, Json] | None = None
    left_out: dict[str, str]
    agreed: ContractOutcome | None = None
    representation: Representation | None = None
    sampling: Sampling | None = None

    @property
    def opening(self) -> str:
        """Return which table it is, in a few words."""
        height, width = self.read.frame.shape
        return f"{self.read.name}: {height:,} row{'' if height == 1 else 's'}, {width:,} column{'' if width == 1 else 's'}."

    @property
    def is_blocked(self) -> bool:
        """Return whether anything blocks that the user did not keep."""
        return any(finding.severity == "block" and finding.action != "kept" for finding in self.findings)

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints; findings stand beside it."""
        read, agreed, found = self.read, self.agreed, self.representation
        height, width = read.frame.shape
        return {
            "dataset": {"name": read.name, "sha256": read.sha256, "rows": height, "columns": width},
            "task": self.task,
            "split": self.split,
            "left_out": [{"column": column, "code": code} for column, code in sorted(self.left_out.items())],
            "contract": {"name": agreed.record.name, "version": agreed.record.version} if agreed else None,
            "representation": asdict(found) if found else None,
            "sampling": asdict(self.sampling) if self.sampling else None,
        }


def look_over(
    read: ReadTable,
    wishes: Wishes,
    *,
    settings: Settings,
    folder: Path | None = None,
    known: Mapping[str, Mapping[str, float]] | None = None,
    progress: Progress,
) -> CheckOutcome:
    """Judge a table: quality always, leaks and split where a target is named; nothing is written.

    Parameters
    ----------
    read : ReadTable
    wishes : Wishes
    settings : Settings
    folder : Path, optional
        A workspace, whose contract the table is held against.
    known : mapping of str to mapping of str to float, optional
        Known shares of the population: the share (0 to 1) of each level of each column.
    progress : Progress
    """
    facts = gather_facts(read.frame)
    agreed, broken = _hold_against(folder, read, facts)
    representation, _ = measure_representation(read.frame, known) if known else (None, None)
    more = [*broken, *(find_unrepresentative(representation) if representation else ())]
    if wishes.target or settings.task.target:
        question = settle_question(settings, wishes)
        prepared = prepare(read, question, threads=wishes.threads, facts=facts, progress=progress)
        return CheckOutcome(
            read=read,
            facts=facts,
            findings=sort_findings([*prepared.findings, *more]),
            task=_tell_task(prepared),
            split=_tell_split(prepared),
            left_out=prepared.left_out,
            agreed=agreed,
            representation=representation,
            sampling=describe_sampling(
                prepared.y[prepared.split.train], is_regression=prepared.task.kind == "regression"
            ),
        )
    inputs = infer_inputs(read.frame, facts=facts)
    said = PersonalAnswers(yes=settings.privacy.personal, no=settings.privacy.not_personal)
    checks = check_table(read.frame, None, inputs=inputs, facts=facts, personal=said, progress=progress)
    findings = sort_findings([*read.findings, *checks, *more])
    return CheckOutcome(
        read=read, facts=facts, findings=findings, left_out={}, agreed=agreed, representation=representation
    )


def _hold_against(
    folder: Path | None, read: ReadTable, facts: Mapping[str, ColumnFacts]
) -> tuple[ContractOutcome | None, tuple[Finding, ...]]:
    """Hold the table against the contract of a workspace; without one, the library behind its catalog is not loaded."""
    if folder is None or not (folder / SKIFF_FOLDER).is_dir():
        return None, ()
    from skiff.flows.contracts import hold_against

    return hold_against(folder, read, facts=facts)


def _tell_task(prepared: Prepared) -> dict[str, Json]:
    task = prepared.task
    return {**asdict(task), "classes": list(task.classes), "protected": list(task.protected)}


def _tell_split(prepared: Prepared) -> dict[str, Json]:
    split = prepared.split
    return {
        "kind": split.kind,
        "reason": split.reason,
        "train_rows": len(split.train),
        "test_rows": len(split.test),
    }
