"""Look a table over: quality always, leaks and split where a target is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from skiff.core.evidence import Json
from skiff.core.finding import Finding, sort_findings
from skiff.core.progress import Progress, Silent
from skiff.core.settings import Settings
from skiff.data.checks import check_table
from skiff.data.facts import gather_facts
from skiff.data.kinds import infer_inputs
from skiff.flows.prepare import prepare
from skiff.flows.read import read_table
from skiff.flows.recipes import find_recipe
from skiff.flows.settle import Wishes, default_folder, settle_question
from skiff.store.settings import read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What the checks found."""

    name: str
    sha256: str
    rows: int
    columns: int
    findings: Sequence[Finding]
    task: dict[str, Json] | None
    split: dict[str, Json] | None
    left_out: dict[str, str]

    @property
    def is_blocked(self) -> bool:
        """Return whether anything blocks that the user did not keep."""
        return any(finding.severity == "block" and finding.action != "kept" for finding in self.findings)

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints; findings stand beside it."""
        return {
            "dataset": {"name": self.name, "sha256": self.sha256, "rows": self.rows, "columns": self.columns},
            "task": self.task,
            "split": self.split,
            "left_out": [{"column": column, "code": code} for column, code in sorted(self.left_out.items())],
        }


def check_file(
    source: Path | object, wishes: Wishes, *, settings: Settings | None = None, progress: Progress | None = None
) -> CheckOutcome:
    """Read and check a file or frame; nothing is written.

    Parameters
    ----------
    source : Path or frame
    wishes : Wishes
        Without a target only the table itself is checked.
    """
    progress = progress or Silent()
    settings = settings or Settings()
    progress.stage("Read", source.name if isinstance(source, Path) else "table")
    target = wishes.target or settings.task.target
    recipe = find_recipe(settings, source.name) if isinstance(source, Path) else None
    read = read_table(source, recipe=recipe, keep_words=(target,) if target else ())
    progress.stage("Check", f"{read.frame.height:,} rows, {read.frame.width} columns")
    task: dict[str, Json] | None = None
    split: dict[str, Json] | None = None
    left_out: dict[str, str] = {}
    if target:
        prepared = prepare(read, settle_question(settings, wishes), threads=wishes.threads, progress=progress)
        findings, left_out = prepared.findings, prepared.left_out
        task = {
            **asdict(prepared.task),
            "classes": list(prepared.task.classes),
            "protected": list(prepared.task.protected),
        }
        split = {
            "kind": prepared.split.kind,
            "reason": prepared.split.reason,
            "train_rows": len(prepared.split.train),
            "test_rows": len(prepared.split.test),
        }
    else:
        facts = gather_facts(read.frame)
        inputs = infer_inputs(read.frame, facts=facts)
        checks = check_table(read.frame, None, inputs=inputs, facts=facts, progress=progress)
        findings = sort_findings([*read.findings, *checks])
    return CheckOutcome(
        name=read.name,
        sha256=read.sha256,
        rows=read.frame.height,
        columns=read.frame.width,
        findings=findings,
        task=task,
        split=split,
        left_out=left_out,
    )


def recall_settings(source: Path, wishes: Wishes) -> Settings:
    """Return what was settled in the workspace of this file: all defaults where there is none, or it asks another question.

    Raises
    ------
    SkiffError
        Where its ``skiff.toml`` cannot be read.
    """
    settings = read_settings(default_folder(source))
    asks_another = wishes.target is not None and settings.task.target not in (None, wishes.target)
    return Settings() if asks_another else settings
