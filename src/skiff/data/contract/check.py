"""Hold a later table against a contract: which rules it breaks, in which rows, and how sure that is a break."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.finding import EvidenceValue, Finding, Severity, sort_findings
from skiff.data.contract.chance import is_surprising
from skiff.data.contract.masks import can_ask, find_exceptions
from skiff.data.contract.rules import CODES, Contract, Rule
from skiff.data.contract.say import say_rule
from skiff.data.facts import ColumnFacts, gather_facts
from skiff.data.rows import number_rows
from skiff.data.sentences import count_rows, name_columns, say_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bool = NDArray[np.bool_]

WHY: Mapping[str, str] = {
    "schema.missing_column": "What rests on it is gone: a model would have to guess.",
    "schema.kind_changed": "Every answer would rest on a misread column.",
    "schema.new_missing": "Either something went wrong on the way, or an empty cell now means something.",
    "schema.new_levels": "A model has never met them and treats them all as 'something else'.",
    "schema.form_changed": "Codes of another form often come from another system, or were cut on the way.",
    "schema.repeated_key": "Rows that should be one are counted twice, or two things share a number.",
    "schema.out_of_range": "Often a wrong unit or decimal sign; and a model has not learned from such values.",
    "schema.broken_relation": "At least one of the cells is wrong, and nobody can see which without asking.",
}
REMEDY_CONFIRMED = "Look at the rows named; mend the file, or take the sentence back: skiff data contract reject NUMBER"
REMEDY_PROPOSED = (
    "Ask the client; then confirm or reject the sentence: skiff data contract confirm NUMBER (or reject NUMBER)"
)


def find_broken_rules(
    frame: pl.DataFrame,
    contract: Contract,
    *,
    now_s: float,
    facts: Mapping[str, ColumnFacts] | None = None,
    known: Collection[str] = (),
) -> list[Finding]:
    """Hold a table against a contract, worst first.

    Parameters
    ----------
    frame : polars.DataFrame
        Typed table.
    contract : Contract
        `Contract.restrict_to` gives the part that a model or service needs.
    now_s : float
        The present, in seconds since 1970-01-01.
    facts : mapping, optional
        What `gather_facts` counted, where it has been done already.
    known : collection of str
        Columns that may be there without a word although the contract does not name them.

    Returns
    -------
    list of Finding
        ``schema.*``. A broken rule that a person confirmed blocks. One that was only proposed warns where its exceptions
        are more than the rows it was learned from leave room for (`skiff.data.contract.chance.is_surprising`), else
        informs.

    Notes
    -----
    One pass over the columns of each rule; about a second for 500,000 rows and a hundred rules.

    Examples
    --------
    >>> agreed = Contract(name="stays", columns=("price",), rows=400, rules=(
    ...     Rule(kind="minimum", columns=("price",), low=0.0, n=400, status="confirmed"),))
    >>> (broken,) = find_broken_rules(pl.DataFrame({"price": [80.0, -1.0]}), agreed, now_s=0.0)
    >>> broken.severity, broken.sample_rows, broken.what
    ('block', (2,), "Broken in 1 row (50 of 100): 'price' is never negative.")
    """
    counted = facts if facts is not None else gather_facts(frame)
    findings = [*_tell_absent(contract, counted, frame.height), *_tell_extra(contract, frame.columns, known=known)]
    mistyped: set[str] = set()
    for rule in sorted(contract.in_force, key=lambda rule: rule.kind != "type"):
        if rule.kind == "present" or mistyped.intersection(rule.columns) or not can_ask(rule, counted):
            continue
        mask = find_exceptions(rule, counted, now_s=now_s)
        n = int(np.count_nonzero(mask))
        if not n or (rule.kind == "missing" and n <= (rule.high or 0.0) * frame.height):
            continue
        if rule.kind == "type":
            mistyped.update(rule.columns)
        findings.append(_tell(rule, mask, n=n))
    return sort_findings(findings)


def _severity(rule: Rule, *, n: int, n_rows: int) -> Severity:
    if rule.status == "confirmed":
        return "block"
    if rule.kind in ("type", "present"):
        return "warn"
    bound = max(rule.bound, rule.high or 0.0) if rule.kind == "missing" else rule.bound
    return "warn" if is_surprising(n, n_rows, bound=bound) else "info"


def _tell(rule: Rule, mask: Bool, *, n: int) -> Finding:
    code, n_rows = CODES[rule.kind], len(mask)
    sentence = say_rule(rule)
    is_confirmed = rule.status == "confirmed"
    evidence: dict[str, EvidenceValue] = {
        "rule": rule.kind,
        "share": n / n_rows,
        "agreed_from_rows": rule.n,
        "status": rule.status,
    }
    return Finding(
        code=code,
        severity=_severity(rule, n=n, n_rows=n_rows),
        columns=rule.columns,
        rows=n,
        sample_rows=number_rows(mask),
        evidence=evidence,
        what=f"Broken in {count_rows(n)} ({say_share(n / n_rows)}): {sentence}",
        why_it_matters=WHY[code],
        remedy=REMEDY_CONFIRMED if is_confirmed else REMEDY_PROPOSED,
        action="none" if is_confirmed else "asked",
        question="" if is_confirmed else f"Is this still so: {sentence}",
    )


def _tell_absent(contract: Contract, facts: Mapping[str, ColumnFacts], n_rows: int) -> Iterator[Finding]:
    absent = [rule for rule in contract.in_force if rule.kind == "present" and rule.columns[0] not in facts]
    for is_confirmed in (True, False):
        rules = [rule for rule in absent if (rule.status == "confirmed") == is_confirmed]
        if not rules:
            continue
        names = [rule.columns[0] for rule in rules]
        yield Finding(
            code="schema.missing_column",
            severity="block" if is_confirmed else "warn",
            columns=tuple(names),
            rows=n_rows,
            what=f"{name_columns(names)} {'is' if len(names) == 1 else 'are'} missing; earlier files had "
            f"{'it' if len(names) == 1 else 'them'}.",
            why_it_matters=WHY["schema.missing_column"],
            remedy="Export the table again with the same columns and headers.",
            action="none" if is_confirmed else "asked",
        )


def _tell_extra(contract: Contract, columns: Collection[str], *, known: Collection[str]) -> Iterator[Finding]:
    extra = [name for name in columns if name not in contract.columns and name not in known]
    if extra:
        yield Finding(
            code="schema.extra_column",
            severity="info",
            columns=tuple(extra),
            what=f"{name_columns(extra)} {'is' if len(extra) == 1 else 'are'} new; earlier files had no such column.",
            why_it_matters="Nothing is lost, but a renamed column would show up here.",
            remedy="If it stays, learn the contract again: skiff data contract learn",
        )
