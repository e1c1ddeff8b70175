"""What a check says about the data."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from skiff.core.measurement import Measurement

Severity: TypeAlias = Literal["block", "warn", "info"]
Action: TypeAlias = Literal["left_out", "kept", "asked", "fixed", "none"]
EvidenceValue: TypeAlias = Measurement | float | int | str | bool | tuple[float | int | str, ...] | None

SEVERITY_ORDER: dict[Severity, int] = {"block": 0, "warn": 1, "info": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A described problem or decision, with its proof and its remedy.

    Parameters
    ----------
    code : str
        Stable ``family.name`` (``leakage.target_copy``); one page each in ``docs/reference/findings/``.
    severity : {"block", "warn", "info"}
        ``block`` is acted on unless the user says otherwise, ``warn`` wants a decision, ``info`` is told.
    columns : tuple of str
        Columns concerned; empty where it is about rows or the whole table.
    rows : int
        Number of rows concerned.
    sample_rows : tuple of int
        Up to ten row numbers that prove it: data rows counted from 1, the header not counted.
    evidence : mapping of str to Measurement, number, text or tuple
        What was measured; never a cell of the data, except category levels where `code` is about them
        and the level is shared by at least five rows.
    what, why_it_matters, remedy : str
        One plain sentence each, for someone who is not a programmer.
    action : {"left_out", "kept", "asked", "fixed", "none"}
        What Skiff did about it.
    question : str
        The one sentence to ask the client, or empty.

    Examples
    --------
    >>> Finding(code="quality.constant", severity="info", columns=("country",), rows=120,
    ...         what="'country' has the same value in every row.", why_it_matters="It cannot help a prediction.",
    ...         remedy="Nothing to do.", action="left_out").severity
    'info'
    """

    code: str
    severity: Severity
    columns: tuple[str, ...] = ()
    rows: int = 0
    sample_rows: tuple[int, ...] = ()
    evidence: Mapping[str, EvidenceValue] = field(default_factory=dict)
    what: str = ""
    why_it_matters: str = ""
    remedy: str = ""
    action: Action = "none"
    question: str = ""


class Findings(list[Finding]):
    """A list of findings that a notebook shows as a table.

    Examples
    --------
    >>> found = Findings([Finding(code="quality.constant", severity="info", what="'a<b' never varies.", remedy="Nothing to do.")])
    >>> "a&lt;b" in found._repr_html_(), len(found)
    (True, 1)
    """

    def _repr_html_(self) -> str:
        """Return what was found as a table, in the order of the list."""
        if not self:
            return "<p>Nothing was found.</p>"
        parts = ("severity", "what", "why_it_matters", "remedy", "question")
        head = "".join(f"<th>{title}</th>" for title in ("", "What", "Why it matters", "What to do", "What to ask"))
        rows = "".join(
            f"<tr>{''.join(f'<td>{html.escape(getattr(one, part))}</td>' for part in parts)}</tr>" for one in self
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def sort_findings(findings: list[Finding]) -> list[Finding]:
    """Return findings worst first, then by code and column, so that every face shows the same order.

    Examples
    --------
    >>> made = [Finding(code="b.x", severity="info"), Finding(code="a.x", severity="block")]
    >>> [finding.severity for finding in sort_findings(made)]
    ['block', 'info']
    """
    return sorted(findings, key=lambda item: (SEVERITY_ORDER[item.severity], item.code, item.columns))
