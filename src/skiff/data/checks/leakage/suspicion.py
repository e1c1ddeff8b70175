"""What a family of the court brings forward, before sentences are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from skiff.core.finding import Action, EvidenceValue, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """One suspicion against one or more columns, with its proof.

    Parameters
    ----------
    code : str
        ``leakage.level_purity`` …
    columns : tuple of str
        Columns that stand accused together; empty where it is about rows.
    partners : tuple of str
        Columns that give the answer only together with those, and that stay.
    severity : {"block", "warn", "info"}
        How far the proof reaches.
    rows : int
    sample_rows : tuple of int
        Row numbers from 1 in the whole table.
    evidence : mapping of str to measurement or plain value
    what, why_it_matters, remedy, question : str
        As in `Finding`.
    strength : float
        Orders suspicions of one severity; higher is stronger. Not shown.
    action : Action or None
        None lets the court decide from the severity (``block`` left out, ``warn`` asked, ``info`` none).
    """

    code: str
    columns: tuple[str, ...]
    severity: Severity
    what: str
    why_it_matters: str
    remedy: str
    question: str = ""
    rows: int = 0
    sample_rows: tuple[int, ...] = ()
    evidence: Mapping[str, EvidenceValue] = field(default_factory=dict)
    strength: float = 0.0
    action: Action | None = None
    partners: tuple[str, ...] = ()
