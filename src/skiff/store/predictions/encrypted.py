"""The prediction log of an encrypted workspace: what a row says is encrypted record by record, on either database.

Plain stay what the database needs to order and to count: ids (which hold the time), times, release, role, the flag of the control
share and the latency. Inputs and the answer are encrypted with AES-256-GCM under a key of their month, bound to the row they stand in;
keys and subjects with AES-SIV, so that they can be looked up. The work is done where rows are written, in the log's own thread.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from skiff.store.predictions.ids import ID_LENGTH, name_month
from skiff.store.predictions.records import (
    LoggedRow,
    Outcome,
    OutcomeRecord,
    OutcomeReport,
    OutcomeState,
    PredictionRow,
    Store,
)

if TYPE_CHECKING:  # see `skiff.store.box`
    from skiff.store.cipher import Cipher, Records

Answer: TypeAlias = tuple[str | None, float | None, str | None, float | None, float | None, str | None]
"""Label, value, probabilities, low, high, decision."""

START = 8
"""Digits of an id that say which month's key is used: steps of 17 seconds, the same whoever reads the id."""

END = (1 << 56) - 1
"""Microseconds after any that an id can hold."""

_HEX = frozenset("0123456789abcdef")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Answer).decode


class Veil:
    """Encrypts rows of the log and decrypts them.

    Parameters
    ----------
    cipher : Cipher
    """

    def __init__(self, cipher: Cipher) -> None:
        """Keep the cipher; the keys of months are derived when they are needed."""
        self._cipher = cipher
        self._months: dict[str, Records] = {}

    def name(self, field: str, value: str) -> str:
        """Return what a key or a subject is kept and looked up as."""
        return self._cipher.encrypt_name(f"{field}\0{value}")

    def cover(self, rows: list[PredictionRow]) -> list[PredictionRow]:
        """Return rows as they are kept: the answer in ``label``, what it was made of empty."""
        if not rows:
            return rows
        starts = {row.id[:START] for row in rows}
        if len(starts) > 1:
            return [covered for start in sorted(starts) for covered in self._cover(rows, start)]
        return self._cover(rows, starts.pop())

    def _cover(self, rows: list[PredictionRow], start: str) -> list[PredictionRow]:
        """Do it for the rows whose ids begin alike: nearly always all that wait to be written."""
        rows = [row for row in rows if row.id.startswith(start)]
        records: list[tuple[bytes, bytes]] = []
        for row in rows:
            place = row.id.encode()
            answer = (row.label, row.value, row.probabilities, row.low, row.high, row.decision)
            records.append((_encode(answer), place + b"\0answer"))
            if row.inputs is not None:
                records.append((row.inputs.encode(), place + b"\0inputs"))
        kept = iter(self._open(start).encrypt(records))
        return [
            PredictionRow(
                row.id,
                row.at,
                row.release,
                row.role,
                None if row.key is None else self.name("key", row.key),
                None if row.subject is None else self.name("subject", row.subject),
                label=next(kept),
                inputs=None if row.inputs is None else next(kept),
                is_control=row.is_control,
                latency_us=row.latency_us,
            )
            for row in rows
        ]

    def uncover(self, row: PredictionRow) -> PredictionRow:
        """Return a row as it was before `cover`.

        Raises
        ------
        SkiffError
            ``encrypted_damaged``.
        """
        records = self._open(row.id[:START])
        label, value, probabilities, low, high, decision = _decode(
            records.decrypt(row.label or "", _place(row.id, "answer"))
        )
        return row._replace(
            label=label,
            value=value,
            probabilities=probabilities,
            low=low,
            high=high,
            decision=decision,
            inputs=None if row.inputs is None else records.decrypt(row.inputs, _place(row.id, "inputs")).decode(),
            key=None if row.key is None else self.uncover_name(row.key),
            subject=None if row.subject is None else self.uncover_name(row.subject),
        )

    def cover_outcome(self, value: str, prediction: str) -> str:
        """Return an outcome as it is kept beside its prediction."""
        return self._open(prediction[:START]).encrypt([(value.encode(), _place(prediction, "outcome"))])[0]

    def uncover_outcome(self, value: str, prediction: str) -> str:
        """Return an outcome as it was before `cover_outcome`."""
        return self._open(prediction[:START]).decrypt(value, _place(prediction, "outcome")).decode()

    def uncover_name(self, kept: str) -> str:
        """Return a key or a subject as it was before `name`."""
        return self._cipher.decrypt_name(kept).partition("\0")[2]

    def _open(self, start: str) -> Records:
        """Return the cipher of the month in which an id begins: so no key meets more rows than its nonces allow."""
        month = _name_month(start)
        found = self._months.get(month)
        if found is None:
            found = self._months[month] = self._cipher.open_records(f"log {month}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredOutcome(Outcome):
    """An outcome that is encrypted when it is known which prediction it belongs to."""

    veil: Veil

    def compare(self, known: tuple[str, int | None] | None, *, prediction: str = "") -> OutcomeState:
        """Return what this outcome is to a case whose latest one is `known`, as it is kept."""
        plain = None if known is None else (self.veil.uncover_outcome(known[0], prediction), known[1])
        return Outcome(value=self.value, at=self.at).compare(plain)

    def write_for(self, prediction: str) -> str:
        """Return the value as it is kept."""
        return self.veil.cover_outcome(self.value, prediction)


class EncryptedStore:
    """A store whose rows are encrypted before they reach it.

    Parameters
    ----------
    store : Store
    cipher : Cipher
    """

    def __init__(self, store: Store, cipher: Cipher) -> None:
        """Stand before the store."""
        self._store = store
        self._veil = Veil(cipher)

    def append(self, rows: list[PredictionRow]) -> None:
        """Write rows; see `Store.append`."""
        self._store.append(self._veil.cover(rows))

    def append_now(self, rows: list[PredictionRow]) -> bool:
        """Write rows where it takes no waiting; see `Store.append_now`."""
        return self._store.append_now(self._veil.cover(rows))

    def add_outcomes(self, outcomes: list[Outcome], *, received: int) -> OutcomeReport:
        """Join outcomes with predictions; see `Store.add_outcomes`."""
        covered: list[Outcome] = [
            CoveredOutcome(
                value=outcome.value,
                id=outcome.id,
                key=None if outcome.key is None else self._veil.name("key", outcome.key),
                at=outcome.at,
                veil=self._veil,
            )
            for outcome in outcomes
        ]
        return self._store.add_outcomes(covered, received=received)

    def read(self, since: int, until: int, *, release: int | None = None) -> list[LoggedRow]:
        """Return the rows of a window; see `Store.read`."""
        return [self._uncover(row) for row in self._store.read(since, until, release=release)]

    def read_history(self, prediction: str) -> list[OutcomeRecord]:
        """Return every outcome received for a prediction; see `Store.read_history`."""
        found = self._store.read_history(prediction)
        return [row._replace(value=self._veil.uncover_outcome(row.value, row.id)) for row in found]

    def read_outcomes(self) -> list[OutcomeRecord]:
        """Return every outcome ever received; see `Store.read_outcomes`."""
        return [
            row._replace(value=self._veil.uncover_outcome(row.value, row.id)) for row in self._store.read_outcomes()
        ]

    def count(self, since: int, until: int, *, release: int | None = None) -> int:
        """Return how many rows a window has; see `Store.count`."""
        return self._store.count(since, until, release=release)

    def count_outcomes(self, since: int) -> int:
        """Return how many outcomes were received; see `Store.count_outcomes`."""
        return self._store.count_outcomes(since)

    def erase_subject(self, subject: str) -> int:
        """Remove every row about a person; see `Store.erase_subject`."""
        return self._store.erase_subject(self._veil.name("subject", subject))

    def list_names(self) -> set[str]:
        """Return every subject and key once; see `Store.list_names`."""
        return {self._veil.uncover_name(kept) for kept in self._store.list_names()}

    def find_person(self, names: Sequence[str], cells: Sequence[str]) -> list[LoggedRow]:
        """Return rows that may be about a person; see `Store.find_person`.

        For names alone each different subject and key is decrypted, and of the rows only those found; for cells every row.
        """
        wanted = set(names)
        if not cells:
            kept = [name for name in self._store.list_names() if self._veil.uncover_name(name).strip() in wanted]
            return [self._uncover(row) for row in self._store.find_person(kept, ())] if kept else []
        rows = (self._uncover(row) for row in self._store.read(0, END))
        return [
            row
            for row in rows
            if {(row.prediction.subject or "").strip(), (row.prediction.key or "").strip()} & wanted
            or any(cell in (row.prediction.inputs or "") for cell in cells)
        ]

    def erase_rows(self, ids: Sequence[str]) -> int:
        """Remove rows and overwrite where they stood; see `Store.erase_rows`."""
        return self._store.erase_rows(ids)

    def clear_field(self, field: str, *, before: int) -> int:
        """Empty a column of old rows; see `Store.clear_field`."""
        return self._store.clear_field(field, before=before)

    def remove_before(self, before: int) -> int:
        """Remove old rows; see `Store.remove_before`."""
        return self._store.remove_before(before)

    def close(self) -> None:
        """Let go of files and connections."""
        self._store.close()

    def _uncover(self, row: LoggedRow) -> LoggedRow:
        base = row.prediction.id[:ID_LENGTH]
        outcome = None if row.outcome is None else self._veil.uncover_outcome(row.outcome, base)
        return LoggedRow(self._veil.uncover(row.prediction), outcome, row.outcome_at)


@functools.lru_cache(maxsize=1_024)
def _name_month(start: str) -> str:
    return name_month(int(start + "000000", 16)) if _HEX.issuperset(start) else "0000-00"


def _place(prediction: str, field: str) -> bytes:
    return f"{prediction}\0{field}".encode()
