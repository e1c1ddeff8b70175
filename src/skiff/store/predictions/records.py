"""The rows of the prediction log, and what taking outcomes gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias

Role: TypeAlias = Literal["champion", "challenger", "shadow"]
"""Who answered: the release that answers, the one that is tried on a share of the traffic, or one that only listens."""

Decision: TypeAlias = Literal["act", "review"]


class PredictionRow(NamedTuple):
    """One answer, in the order of the table's columns. A tuple, because it is bound to a statement as it is.

    Parameters
    ----------
    id : str
        From `skiff.store.predictions.ids.IdMaker`: unique, and in the order of time. A shadow's row has the id of the
        answer that was given, followed by ``s``, so that one outcome judges both.
    at : int
        Microseconds since 1970-01-01 UTC.
    release : int
    role : str
    key : str or None
        The client's own name for the case, such as a booking number.
    subject : str or None
        The person it is about, for access and erasure.
    inputs : str or None
        The kept inputs as a JSON object, by column.
    label : str or None
        None for a regression.
    value : float
        Probability of the positive class, of the label (more than two classes), or the predicted number.
    probabilities : str or None
        JSON list in the order of the release's classes; None for two classes (it is ``[1 - value, value]``).
    low, high : float or None
        The conformal interval of a number.
    decision : {"act", "review"} or None
    is_control : int
        1 where the row belongs to the random control share, on which decisions do not follow the model.
    latency_us : int or None
    """

    id: str
    at: int
    release: int
    role: str
    key: str | None = None
    subject: str | None = None
    inputs: str | None = None
    label: str | None = None
    value: float | None = None
    probabilities: str | None = None
    low: float | None = None
    high: float | None = None
    decision: str | None = None
    is_control: int = 0
    latency_us: int | None = None


COLUMNS = PredictionRow._fields

OutcomeState: TypeAlias = Literal["new", "corrected", "duplicate", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What really happened in one case, named by the prediction's id or by the client's key.

    Parameters
    ----------
    value : str
        The true label, or the true number as text.
    id, key : str or None
        One of them.
    at : int or None
        When it happened, in microseconds since 1970-01-01 UTC; None where nobody said.
    """

    value: str
    id: str | None = None
    key: str | None = None
    at: int | None = None

    def write_for(self, prediction: str) -> str:
        """Return the value as it is kept beside a prediction."""
        del prediction  # an encrypted one is bound to it
        return self.value

    def compare(self, known: tuple[str, int | None] | None, *, prediction: str = "") -> OutcomeState:
        """Return what this outcome is to a case whose latest one, `known`, has that value and time.

        Examples
        --------
        >>> told = Outcome(value="yes", id="0", at=None)
        >>> told.compare(None), told.compare(("yes", None)), told.compare(("no", None))
        ('new', 'duplicate', 'corrected')
        """
        del prediction
        if known is None:
            return "new"
        return "duplicate" if tuple(known) == (self.value, self.at) else "corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeReport:
    """What became of outcomes that were handed in, in their order.

    Parameters
    ----------
    states : tuple of str
        ``new``; ``corrected`` (the last wins, the earlier are kept); ``duplicate`` (the same was known already);
        ``unknown`` (no prediction has this id or key: not kept).
    """

    states: tuple[OutcomeState, ...]

    def count(self, state: OutcomeState) -> int:
        """Return how many outcomes ended in `state`."""
        return self.states.count(state)


class LoggedRow(NamedTuple):
    """One answer with its latest outcome, as it is read back."""

    prediction: PredictionRow
    outcome: str | None
    outcome_at: int | None


class OutcomeRecord(NamedTuple):
    """One outcome as it was received; corrections of it follow with a higher sequence."""

    sequence: int
    id: str
    value: str
    at: int | None
    received: int


class Store(Protocol):
    """What both databases can do. Times are microseconds since 1970-01-01 UTC; windows are half open."""

    def append(self, rows: list[PredictionRow]) -> None:
        """Write rows in one transaction; when this returns they survive the end of the process."""

    def append_now(self, rows: list[PredictionRow]) -> bool:
        """Do the same where it takes no waiting: for no lock, no disk, no other machine. False, and nothing kept, where it would."""

    def add_outcomes(self, outcomes: list[Outcome], *, received: int) -> OutcomeReport:
        """Join outcomes with predictions and keep them."""

    def read(self, since: int, until: int, *, release: int | None = None) -> list[LoggedRow]:
        """Return the rows of a window in the order of their ids."""

    def read_history(self, prediction: str) -> list[OutcomeRecord]:
        """Return every outcome received for a prediction, oldest first."""

    def read_outcomes(self) -> list[OutcomeRecord]:
        """Return every outcome ever received, corrected ones too."""

    def count(self, since: int, until: int, *, release: int | None = None) -> int:
        """Return how many rows a window has."""

    def count_outcomes(self, since: int) -> int:
        """Return how many outcomes were received from `since` on."""

    def erase_subject(self, subject: str) -> int:
        """Remove every row about a person, and return how many there were."""

    def list_names(self) -> set[str]:
        """Return every subject and key once, as they are kept."""

    def find_person(self, names: Sequence[str], cells: Sequence[str]) -> list[LoggedRow]:
        """Return rows whose subject or key is one of `names`, blanks around it aside, or whose kept inputs may hold one of `cells`.

        `cells` are pieces of the kept JSON; whether a whole cell matches is for the caller to see.
        """

    def erase_rows(self, ids: Sequence[str]) -> int:
        """Remove rows with their outcomes, overwrite where they stood, and return how many there were."""

    def clear_field(self, field: str, *, before: int) -> int:
        """Empty ``inputs``, ``subject`` or ``key`` of rows older than `before`, and return how many were emptied."""

    def remove_before(self, before: int) -> int:
        """Remove rows older than `before` with their outcomes, and return how many."""

    def close(self) -> None:
        """Let go of files and connections."""
