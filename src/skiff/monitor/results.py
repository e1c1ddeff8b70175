"""What judging a window gives back: frozen values that flows keep, reports show and alerts are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from skiff.core.finding import Finding
from skiff.core.measurement import Measurement
from skiff.monitor.delivered import Delivered, WorseGroup
from skiff.monitor.drift import ColumnDrift
from skiff.monitor.feedback import Feedback
from skiff.monitor.harm import CouldMove, Harm
from skiff.monitor.joint import JointDrift
from skiff.monitor.operations import Operations

Status: TypeAlias = Literal["alert", "quiet", "too_few"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Something that chance does not explain within the budget.

    Parameters
    ----------
    kind : str
    subject : str
        A column, a metric, a group.
    what : str
        One sentence.
    next_step : str
    chance, allowed : float
        How often chance alone would show as much, and what the budget allowed.
    could_move : {"yes", "no", "unknown"}
        Whether it could move the score.
    is_alert : bool
        False for a change that was shown to be harmless: told, but nobody is woken.
    """

    kind: str
    subject: str
    what: str
    next_step: str
    chance: float
    allowed: float
    could_move: CouldMove
    is_alert: bool

    @property
    def key(self) -> str:
        """Return the name under which the same signal of another window is known."""
        return f"{self.kind}:{self.subject}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDrift:
    """The answers beside those to the sealed rows: largest distance of the staircases, its chance, and both middles."""

    ks: float
    chance: float
    middle: float
    middle_before: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowReport:
    """What a window showed. Everything in it is a count, a number or a sentence; no cell of a row.

    Parameters
    ----------
    release, rows : int
    since, until : str
    days : float
    status : {"alert", "quiet", "too_few"}
    why : str
        One sentence.
    spend : float
        Expected false alarms this window was allowed to add.
    signals : tuple of Signal
        What may count, what matters most first.
    columns : tuple of ColumnDrift
    harms : mapping of str to Harm
    joint : JointDrift or None
    answers : AnswerDrift or None
    operations : Operations
    estimated : mapping of str to Measurement
    delivered : Delivered or None
    worse_groups : tuple of WorseGroup
        The groups that stand out beyond the budget.
    feedback : Feedback or None
    contract : tuple of Finding
    notes : tuple of str
        What could not be looked at, and why.
    look : int
        Looks at the window's outcomes so far.
    headline : str
    promised : Measurement or None
        The metric that leads, as measured at release.
    """

    release: int
    rows: int
    since: str
    until: str
    days: float
    status: Status
    why: str
    spend: float
    signals: tuple[Signal, ...] = ()
    columns: tuple[ColumnDrift, ...] = ()
    harms: Mapping[str, Harm] = field(default_factory=dict)
    joint: JointDrift | None = None
    answers: AnswerDrift | None = None
    operations: Operations = field(default_factory=Operations)
    estimated: Mapping[str, Measurement] = field(default_factory=dict)
    delivered: Delivered | None = None
    worse_groups: tuple[WorseGroup, ...] = ()
    feedback: Feedback | None = None
    contract: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    look: int = 1
    headline: str = ""
    promised: Measurement | None = None

    @property
    def alerts(self) -> tuple[Signal, ...]:
        """Return the signals that someone must act on."""
        return tuple(signal for signal in self.signals if signal.is_alert)
