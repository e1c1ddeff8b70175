"""What a client's tables are agreed to look like: learned, answered, kept, and held against every later file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from skiff.core.evidence import Json
from skiff.core.finding import Finding
from skiff.data.contract.answers import answer_sentences, state_rules
from skiff.data.contract.check import find_broken_rules
from skiff.data.contract.json_schema import build_schema
from skiff.data.contract.learn import carry_answers, learn_contract
from skiff.data.contract.rules import Contract, Rule, Status, build_contract
from skiff.data.contract.say import Sentence, list_sentences
from skiff.data.facts import ColumnFacts
from skiff.evaluate.results import GateVerdict
from skiff.flows.datasets import load_dataset
from skiff.flows.read import ReadTable, read_table
from skiff.flows.recipes import find_recipe, list_units, mask_numbers
from skiff.store.clock import now_utc, parse_seconds
from skiff.store.files import write_atomic
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.records import ContractRecord
from skiff.store.workspace import Workspace

MIN_SHARED_COLUMNS = 0.5
"""Share of a contract's columns that a file of another name must have to be held against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractOutcome:
    """A contract as it stands: its version, its sentences, and what a table breaks of it."""

    record: ContractRecord
    contract: Contract
    findings: tuple[Finding, ...] = ()
    rows: int | None = None

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences to confirm or reject."""
        return list_sentences(self.contract.rules)

    @property
    def is_kept(self) -> bool:
        """Return whether nothing that was confirmed is broken."""
        return not any(finding.severity == "block" for finding in self.findings)

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints; findings stand beside it."""
        record = self.record
        return {
            "contract": {"name": record.name, "version": record.version, "sha256": record.sha256},
            "rows": self.rows,
            "sentences": [
                {
                    "number": item.number,
                    "text": item.text,
                    "support": item.support,
                    "status": item.status,
                    "rules": [rule.as_json() for rule in item.rules],
                }
                for item in self.sentences
            ],
        }


def learn_in_workspace(folder: Path, *, dataset: str | None = None, at: Callable[[], str] = now_utc) -> ContractOutcome:
    """Learn the contract of a dataset (by default the newest); what a person said of an earlier version stays."""
    with Workspace.open(folder) as workspace, workspace.lock("data contract learn"):
        record, table = load_dataset(workspace, dataset)
        known = find_contract(workspace, table.name, table.frame.columns)
        return _learn(workspace, table, dataset_sha256=record.sha256, known=known, at=at())


def show_contract(folder: Path, *, name: str | None = None, version: int | None = None) -> ContractOutcome:
    """Return a contract of the workspace: by default the one that was changed last, in its newest version."""
    with Workspace.open(folder) as workspace:
        record = _get(workspace, name, version)
        return ContractOutcome(record=record, contract=build_contract(workspace.contracts.read(record)))


def answer_contract(
    folder: Path, numbers: Sequence[int], *, status: Status, name: str | None = None, at: Callable[[], str] = now_utc
) -> ContractOutcome:
    """Confirm or reject sentences by their numbers (none: all that nobody answered yet) and keep a new version."""
    return _change(folder, lambda contract: answer_sentences(contract, numbers, status=status), name=name, at=at)


def state_in_contract(
    folder: Path, rules: Sequence[Rule], *, name: str | None = None, at: Callable[[], str] = now_utc
) -> ContractOutcome:
    """Keep a new version with rules that a person gave."""
    return _change(folder, lambda contract: state_rules(contract, rules), name=name, at=at)


def check_against_contract(folder: Path, source: Path, *, name: str | None = None) -> ContractOutcome:
    """Read a file and hold it against a contract; nothing is kept."""
    with Workspace.open(folder) as workspace:
        record = _get(workspace, name, None)
        read = read_table(source, recipe=find_recipe(workspace.settings, source.name))
        contract = build_contract(workspace.contracts.read(record))
        broken = find_broken_rules(read.frame, contract, now_s=parse_seconds(now_utc()))
        return ContractOutcome(record=record, contract=contract, findings=tuple(broken), rows=read.frame.height)


def export_schema(folder: Path, output: Path, *, name: str | None = None) -> ContractOutcome:
    """Write a contract as a JSON Schema of one row."""
    found = show_contract(folder, name=name)
    write_atomic(output, msgspec.json.format(msgspec.json.encode(build_schema(found.contract)), indent=2) + b"\n")
    return found


def hold_or_learn(
    workspace: Workspace,
    read: ReadTable,
    *,
    dataset_sha256: str,
    at: str,
    facts: Mapping[str, ColumnFacts] | None = None,
) -> tuple[Finding, ...]:
    """Hold a newly read table against the contract of its like; where there is none yet, learn the first from it."""
    known = find_contract(workspace, read.name, read.frame.columns)
    if known is None:
        _learn(workspace, read, dataset_sha256=dataset_sha256, known=None, at=at, facts=facts)
        return ()
    return tuple(find_broken_rules(read.frame, known.contract, now_s=parse_seconds(at), facts=facts))


def find_contract(workspace: Workspace, name: str, columns: Sequence[str]) -> ContractOutcome | None:
    """Return the contract that a file is to keep, or None.

    That of a file of the same name (numbers aside: next month's), else the workspace's only one if the file has at least
    half of its columns.
    """
    current = workspace.contracts.list_current()
    alike = [record for record in current if mask_numbers(record.name) == mask_numbers(name)]
    if not alike and len(current) != 1:
        return None
    record = (alike or current)[-1]
    contract = build_contract(workspace.contracts.read(record))
    if not alike and len(set(contract.columns) & set(columns)) < MIN_SHARED_COLUMNS * len(contract.columns):
        return None
    return ContractOutcome(record=record, contract=contract)


def hold_against(
    folder: Path | None, read: ReadTable, *, facts: Mapping[str, ColumnFacts] | None = None
) -> tuple[ContractOutcome | None, tuple[Finding, ...]]:
    """Hold a table against the contract of a workspace, where there is a workspace and it has one for such a table."""
    if folder is None or not (folder / SKIFF_FOLDER).is_dir():
        return None, ()
    with Workspace.open(folder) as workspace:
        known = find_contract(workspace, read.name, read.frame.columns)
    if known is None:
        return None, ()
    broken = find_broken_rules(read.frame, known.contract, now_s=parse_seconds(now_utc()), facts=facts)
    return known, tuple(broken)


def hold(frame: pl.DataFrame, contract: Contract, *, at: str, among: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Return what a table breaks of a contract, or of its part about some columns."""
    part = contract.restrict_to(among) if among else contract
    known = frame.columns if among else ()
    return tuple(find_broken_rules(frame, part, now_s=parse_seconds(at), known=known))


def tell_contract(found: ContractOutcome | None, columns: Sequence[str]) -> dict[str, Json] | None:
    """Return the part of a contract that is about some columns, as a release's manifest carries it."""
    if found is None:
        return None
    version: dict[str, Json] = {"version": found.record.version, "sha256": found.record.sha256}
    return found.contract.restrict_to(columns).as_json() | version


def judge_contract(findings: Sequence[Finding]) -> GateVerdict | None:
    """Return a verdict that says no where a table breaks what a person confirmed; None where it does not."""
    broken = [item for item in findings if item.code.startswith("schema.") and item.severity == "block"]
    if not broken:
        return None
    more = f" And {len(broken) - 1} more." if len(broken) > 1 else ""
    return GateVerdict(
        criterion="contract",
        passed=False,
        measured=None,
        required=None,
        sentence=f"The table breaks what was confirmed. {broken[0].what}{more}",
    )


def _learn(
    workspace: Workspace,
    read: ReadTable,
    *,
    dataset_sha256: str,
    known: ContractOutcome | None,
    at: str,
    facts: Mapping[str, ColumnFacts] | None = None,
) -> ContractOutcome:
    name = known.record.name if known else read.name
    learned = learn_contract(
        read.frame, name=name, now_s=parse_seconds(at), facts=facts, units=list_units(read.reading)
    )
    contract = carry_answers(learned, known.contract) if known else learned
    return _keep(workspace, contract, dataset_sha256=dataset_sha256, action="contract.learn", at=at)


def _change(
    folder: Path, change: Callable[[Contract], Contract], *, name: str | None, at: Callable[[], str]
) -> ContractOutcome:
    with Workspace.open(folder) as workspace, workspace.lock("data contract"):
        record = _get(workspace, name, None)
        contract = change(build_contract(workspace.contracts.read(record)))
        return _keep(workspace, contract, dataset_sha256=record.dataset_sha256, action="contract.answer", at=at())


def _keep(
    workspace: Workspace, contract: Contract, *, dataset_sha256: str | None, action: str, at: str
) -> ContractOutcome:
    record = workspace.contracts.add(contract.name, contract.as_json(), dataset_sha256=dataset_sha256)
    counts: dict[str, Json] = {
        status: sum(rule.status == status for rule in contract.rules)
        for status in ("proposed", "confirmed", "rejected")
    }
    workspace.ledger.append(
        action, subject=record.sha256, result={"name": record.name, "version": record.version, **counts}, at=at
    )
    return ContractOutcome(record=record, contract=contract)


def _get(workspace: Workspace, name: str | None, version: int | None) -> ContractRecord:
    if name is None:
        current = workspace.contracts.list_current()
        name = current[-1].name if current else "table"
    return workspace.contracts.get(name, version)
