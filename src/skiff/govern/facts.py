"""What a ledger record shows, in one sentence: only numbers and names that stand in the record itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from skiff.core.evidence import EvidenceRecord
from skiff.data.sentences import say_figure, say_reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A sentence and the records that hold what it says."""

    sentence: str
    evidence: tuple[str, ...]


Result = Mapping[str, Any]  # Any: the result of a record, as JSON
Tell = Callable[[Result], str]

ALIASES = {"contract.learn": "contract", "contract.answer": "contract"}
"""Actions that are of one kind here."""


def _say_data(found: Result) -> str:
    return f"A table of {found.get('rows', 0):,} rows and {found.get('columns', 0)} columns was taken in and kept by its hash, with how it was read"


def _say_check(found: Result) -> str:
    findings = found.get("findings") or []
    families = {str(item.get("code", "")).partition(".")[0] for item in findings}
    left = found.get("left_out") or {}
    named = f" (of {', '.join(sorted(families))})" if families else ""
    return f"The data was checked before training: {len(findings)} findings{named}, {len(left)} columns left out"


def _say_leaks(found: Result) -> str:
    leaks = [item for item in found.get("findings") or [] if str(item.get("code", "")).startswith("leakage.")]
    return f"The columns were searched for what would not be known on the day of use: {len(leaks)} findings"


def _say_privacy(found: Result) -> str:
    names = [
        str(name)
        for item in found.get("findings") or []
        if str(item.get("code", "")).startswith("privacy.")
        for name in item.get("columns") or []
    ]
    told = ", ".join(f"“{name}”" for name in dict.fromkeys(names))
    if told:
        return f"Columns that look personal were found: {told}"
    return "Columns were searched for direct identifiers and none was found, which does not prove that there is none"


def _say_split(found: Result) -> str:
    return (
        f"{found.get('test_rows', 0):,} rows were kept aside for judging and {found.get('train_rows', 0):,} used for training; "
        f"division: {found.get('kind', 'unknown')}"
    )


def _say_train(found: Result) -> str:
    members = ", ".join(f"{name} ({share:.0%})" for name, share in found.get("members") or [])
    return f"{len(found.get('candidates_tried') or [])} models were tried and the one released was made of: {members or 'one model'}"


def _say_cost(found: Result) -> str:
    return f"Training took {found.get('train_seconds', 0.0):.0f} seconds on this machine; energy was not measured"


def _say_evaluate(found: Result) -> str:
    name = str(found.get("headline", ""))
    measured = (found.get("metrics") or {}).get(name) or {}
    if not measured:
        return "The model was judged on rows kept aside"
    low, high = measured.get("low"), measured.get("high")
    span = (
        f", 95 % interval {say_reach(low, high, digits=3)}"
        if low is not None and high is not None
        else ", without an interval"
    )
    return f"The model was judged on {measured.get('n', 0):,} rows kept aside: {name} {say_figure(measured.get('value', 0.0), digits=3)}{span}"


def _say_slices(found: Result) -> str:
    counted = found.get("groups")
    if counted:
        return (
            f"Groups of rows were compared: {counted.get('compared', 0)} groups, {counted.get('worse', 0)} clearly worse off; "
            f"{counted.get('too_small', 0)} more were too small to say"
        )
    slices = found.get("slices") or []  # an older record holds the groups that were shown, and no count of all
    worse = [item for item in slices if item.get("is_worse")]
    small = [item for item in slices if item.get("is_too_small")]
    return f"Groups of rows were compared: {len(slices)} groups, {len(worse)} clearly worse off, {len(small)} too small to say"


def _say_gate(found: Result) -> str:
    verdicts = found.get("verdicts") or []
    met = sum(1 for item in verdicts if item.get("passed"))
    return f"Criteria set beforehand were applied: {met} of {len(verdicts)} met"


def _say_release(found: Result) -> str:
    signed = ", and signed" if found.get("signed_by") else ""
    return f"Release {found.get('number', '?')} was published with its report, card and datasheet{signed}"


def _say_parts(found: Result) -> str:
    if "sbom.json" not in (found.get("files") or ()):
        return ""  # made before releases had one
    return f"Release {found.get('number', '?')} lists the software and data it was made from, each with version and hash (sbom.json)"


def _say_explained(found: Result) -> str:
    return (
        f"Release {found.get('number', '?')} has a card and a report that explain what moved its answers and its limits"
    )


def _say_compiled(found: Result) -> str:
    gap = found.get("parity_max_abs_diff")
    return (
        f"The released file was compared with the trained model: largest difference {gap:.1g}"
        if isinstance(gap, float)
        else "The released file was compared with the trained model"
    )


def _say_monitor(found: Result) -> str:
    return (
        f"What was answered from {str(found.get('since'))[:10]} to {str(found.get('until'))[:10]} was judged "
        f"({found.get('rows', 0):,} rows): {found.get('status', 'no status')}, {len(found.get('alerts') or [])} alerts"
    )


def _say_encrypted(found: Result) -> str:
    if found.get("is_on") is False:
        return ""  # it was made plain again
    return (
        f"What the workspace keeps is encrypted at rest ({found.get('cipher', 'unknown cipher')}); reports and bundles that were "
        "given away are not"
    )


def _say_review(found: Result) -> str:
    """Return what was measured of people; nothing before they decided a row."""
    if "rows" not in found:
        return "People reviewed answers, and how often they agreed was measured"
    if not found["rows"]:
        return ""
    said = f"People decided {found['rows']:,} rows ({found.get('overrides', 0):,} against the suggestion)"
    measured = found.get("measured") or {}
    for name, words in (("agreement_wrong", "wrong suggestions followed"), ("agreement_right", "right ones")):
        share = measured.get(name)
        if share:
            said += f"; {words}: {100 * share['value']:.0f} % ({100 * share['low']:.0f} to {100 * share['high']:.0f} %, n {share['n']})"
    if "agreement_wrong" not in measured:
        said += "; too few rows with known answers to say how far suggestions are relied on"
    alarms, too_few = found.get("alarms", 0), found.get("too_few", 0)
    return f"{said}; alarms for signing without looking: {alarms} of {found.get('reviewers', 0)} reviewers, {too_few} too few to say"


def _say_constant(sentence: str) -> Tell:
    return lambda _: sentence


TELL: Mapping[str, tuple[str, Tell]] = {
    "data": ("data.add", _say_data),
    "check": ("check", _say_check),
    "leaks": ("check", _say_leaks),
    "privacy": ("check", _say_privacy),
    "contract": (
        "contract",
        _say_constant(
            "What the table must look like was written down, sentence by sentence, and later tables are held to it"
        ),
    ),
    "split": ("split", _say_split),
    "train": ("train", _say_train),
    "cost": ("train", _say_cost),
    "evaluate": ("evaluate", _say_evaluate),
    "slices": ("evaluate", _say_slices),
    "gate": ("gate", _say_gate),
    "compiled": ("release.begin", _say_compiled),
    "release": ("release", _say_release),
    "parts": ("release", _say_parts),
    "explained": ("release", _say_explained),
    "handover": (
        "handover",
        _say_constant("A signed bundle with papers, tests and a check of its own was written for the client"),
    ),
    "rollback": ("rollback", _say_constant("Going back to an earlier release was done, and recorded")),
    "promote": ("promote", _say_constant("Which release answers was decided by a person, and recorded")),
    "monitor": ("monitor", _say_monitor),
    "alert": ("alert", _say_constant("An alert was raised and recorded")),
    "outcomes": ("outcomes", _say_constant("What really happened was taken in and joined with what was answered")),
    "retrain": (
        "retrain",
        _say_constant("A new model was tried against the one that answers, on rows that neither had seen"),
    ),
    "secure": (
        "secure",
        _say_constant("The model was attacked with published methods, and what came of it was recorded"),
    ),
    "erase": ("erase", _say_constant("Data of a person was erased on request, with a record of what was reached")),
    "access": ("access", _say_constant("All that is held on a person was gathered for them")),
    "retention": ("retention", _say_constant("Data that was past its time of keeping was removed")),
    "review": ("review", _say_review),
    "backup": ("backup", _say_constant("A backup was written with the hash of every file")),
    "encrypted": ("encrypt", _say_encrypted),
    "keys": ("keys.create", _say_constant("Access to the server was given by keys with a scope, each recorded")),
}
"""Topic to the action it is read from and the sentence it makes. A topic whose action never happened, or whose sentence is empty, shows nothing."""


def find_latest(records: Iterable[EvidenceRecord]) -> dict[str, EvidenceRecord]:
    """Return the latest record of each action."""
    found: dict[str, EvidenceRecord] = {}
    for record in records:
        found[ALIASES.get(record.action, record.action)] = record
    return found


def tell_fact(topic: str, latest: Mapping[str, EvidenceRecord]) -> Fact | None:
    """Return what the ledger shows about a topic, or None where it shows nothing.

    Examples
    --------
    >>> from skiff.core.evidence import GENESIS, build_record
    >>> record = build_record(seq=1, at="2026-01-01T00:00:00Z", actor="ada", action="split", subject="ds", prev=GENESIS,
    ...                       result={"kind": "time", "train_rows": 900, "test_rows": 100})
    >>> tell_fact("split", find_latest([record])).sentence
    '100 rows were kept aside for judging and 900 used for training; division: time'
    """
    action, tell = TELL[topic]
    record = latest.get(action)
    sentence = tell(record.result) if record else ""
    return Fact(sentence=sentence, evidence=(record.id,)) if record and sentence else None


def tell_ledger(records: tuple[EvidenceRecord, ...]) -> Fact | None:
    """Return that there is a chained record of what was done, by its last link."""
    if not records:
        return None
    last = records[-1]
    return Fact(sentence=f"{len(records):,} steps are on record, each chained to the one before", evidence=(last.id,))
