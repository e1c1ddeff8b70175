"""The append-only list of what was done, chained so that changing, moving, adding or removing a record shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from skiff.core.errors import SkiffError
from skiff.core.evidence import GENESIS, EvidenceRecord, build_record, canonical_json, hash_record
from skiff.store.box import PLAIN, Box
from skiff.store.catalog import Catalog, to_json, to_text
from skiff.store.files import write_atomic
from skiff.store.locks import brief_lock
from skiff.store.schema import LEDGER, LEDGER_HEAD
from skiff.store.sqlite_errors import catalog_damaged

_HEAD = "head"
HEAD_FILE = "ledger.head"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A place outside the ledger that remembers the hash of one of its records."""

    source: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCheck:
    """Whether the ledger is what was written.

    Parameters
    ----------
    ok : bool
    n : int
        Records found.
    first_bad : int or None
        Position of the first record that is not as it was written, or is missing; None if `ok`.
    reason : str
        One sentence; empty if `ok`.
    head : str
        Hash of the last record: whoever kept it can tell later that nothing before it was changed.
    """

    ok: bool
    n: int
    first_bad: int | None
    reason: str
    head: str


class Ledger:
    """The ledger of a workspace. It lives in the catalog, so that a killed process leaves a record or none.

    Each record carries the hash of the one before. Removing records from the end keeps that chain whole; it shows
    because the last hash is also kept in the catalog's ``ledger_head``, in the file ``ledger.head`` and, with every
    record so far, in the ``evidence.jsonl`` of each release.

    Parameters
    ----------
    catalog : Catalog
    head_path : Path
        The file that remembers the last hash.
    actor : str
    anchors : callable
        Gives the anchors that releases hold.
    box : Box
        What the file goes through.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        head_path: Path,
        actor: str,
        anchors: Callable[[], Iterable[Anchor]] = tuple,
        box: Box = PLAIN,
    ) -> None:
        """Keep the parts; nothing is read yet."""
        self._catalog = catalog
        self._head_path = head_path
        self._actor = actor
        self._anchors = anchors
        self._box = box

    def append(self, action: str, *, subject: str, result: Mapping[str, object], at: str) -> EvidenceRecord:
        """Add a record; it is on the disk when this returns.

        Parameters
        ----------
        action : str
            What was done: ``data.add``, ``check``, ``train`` …
        subject : str
            On what: a hash or a name.
        result : mapping
            What came of it; numbers and hashes, never cells of the data. NaN and infinities become null.
        at : str
            When, as `skiff.store.clock.now_utc` gives it.
        """
        plain = to_json(result)
        with brief_lock(self._head_path.with_suffix(".lock")):
            with self._catalog.write() as connection:
                seq, prev = _read_head(connection, self._catalog.path) or (0, GENESIS)
                record = build_record(
                    seq=seq + 1, at=at, actor=self._actor, action=action, subject=subject, result=plain, prev=prev
                )
                connection.execute(insert(LEDGER).values(**{**asdict(record), "result": to_text(plain)}))
                head = {"seq": record.seq, "hash": record.hash}
                if seq:
                    connection.execute(update(LEDGER_HEAD).where(LEDGER_HEAD.c.name == _HEAD).values(**head))
                else:
                    connection.execute(insert(LEDGER_HEAD).values(name=_HEAD, **head))
            write_atomic(self._head_path, self._box.close(canonical_json(head) + b"\n", HEAD_FILE))
        return record

    @property
    def head(self) -> str:
        """Return the hash of the last record, or 64 zeros where there is none."""
        with self._catalog.read() as connection:
            found = _read_head(connection, self._catalog.path)
        return found[1] if found else GENESIS

    def records(self) -> tuple[EvidenceRecord, ...]:
        """Return all records, oldest first.

        Raises
        ------
        SkiffError
            ``ledger_damaged`` where a record cannot be read at all.
        """
        found = []
        for position, row in enumerate(self._read_rows(), start=1):
            record = _decode(row)
            if record is None:
                raise SkiffError(
                    "ledger_damaged",
                    what=f"Record {position} of the ledger cannot be read.",
                    where={"file": str(self._catalog.path), "record": position},
                    fix="See what else is wrong with `skiff ledger verify`, and put the workspace back from a backup.",
                )
            found.append(record)
        return tuple(found)

    def export(self) -> bytes:
        """Return all records as JSON lines: what a release keeps as ``evidence.jsonl``."""
        return b"".join(canonical_json(asdict(record)) + b"\n" for record in self.records())

    def verify(self) -> LedgerCheck:
        """Check every record against its hash, its neighbour, and what was remembered elsewhere."""
        rows = self._read_rows()
        found = {row["seq"]: row["hash"] for row in rows}
        problem = next(_find_broken_links(rows), None) or next(self._find_broken_anchors(found), None)
        head = rows[-1]["hash"] if rows else GENESIS
        if problem is None:
            return LedgerCheck(ok=True, n=len(rows), first_bad=None, reason="", head=head)
        return LedgerCheck(ok=False, n=len(rows), first_bad=problem[0], reason=problem[1], head=head)

    def _read_rows(self) -> list[dict[str, Any]]:
        with self._catalog.read() as connection:
            return [dict(row) for row in connection.execute(select(LEDGER).order_by(LEDGER.c.seq)).mappings()]

    def _find_broken_anchors(self, found: Mapping[int, str]) -> Iterator[tuple[int, str]]:
        """Yield the lowest position that something outside the ledger remembers otherwise."""
        with self._catalog.read() as connection:
            head = _read_head(connection, self._catalog.path)
        anchors = list(self._anchors())
        if head:
            anchors.append(Anchor(source="the catalog", seq=head[0], hash=head[1]))
        try:
            kept = json.loads(self._box.open(self._head_path.read_bytes(), HEAD_FILE))
            anchors.append(Anchor(source=self._head_path.name, seq=int(kept["seq"]), hash=str(kept["hash"])))
        except FileNotFoundError:
            if len(found) > 1:  # after the first record alone, a crash may have come before the file
                yield len(found), f"The file {self._head_path.name}, which remembers the last record, is missing."
        except (OSError, ValueError, KeyError, TypeError, SkiffError):
            yield len(found), f"The file {self._head_path.name}, which remembers the last record, was changed."
        for anchor in sorted(anchors, key=lambda item: item.seq):
            if anchor.seq > len(found):
                yield (
                    len(found) + 1,
                    f"Record {len(found) + 1} and those after it were removed: {anchor.source} knows {anchor.seq}.",
                )
            elif found[anchor.seq] != anchor.hash:
                yield anchor.seq, f"Record {anchor.seq} is not the one that {anchor.source} remembers."


def read_anchors(evidence: bytes, *, source: str) -> Iterator[Anchor]:
    """Yield an anchor for every record of an ``evidence.jsonl``; lines that are none are passed over."""
    for line in evidence.splitlines():
        try:
            record = json.loads(line)
            yield Anchor(source=source, seq=int(record["seq"]), hash=str(record["hash"]))
        except (ValueError, KeyError, TypeError):
            continue


def _read_head(connection: Connection, path: Path) -> tuple[int, str] | None:
    row = connection.execute(
        select(LEDGER_HEAD.c.seq, LEDGER_HEAD.c.hash).where(LEDGER_HEAD.c.name == _HEAD).with_for_update()
    ).one_or_none()
    if row is None:
        return None
    if not isinstance(row.seq, int) or not isinstance(row.hash, str):  # SQLite keeps any type in any column
        raise catalog_damaged(path, part=" (what its ledger remembers of its end was changed)")
    return row.seq, row.hash


def _decode(row: Mapping[str, Any]) -> EvidenceRecord | None:
    try:
        record = EvidenceRecord(**{**row, "result": json.loads(row["result"])})
        hash_record(record)
    except (ValueError, TypeError):  # text that is no JSON, or a number out of range
        return None
    return record


def _find_broken_links(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """Yield the position and the reason of each record that breaks the chain."""
    prev = GENESIS
    for position, row in enumerate(rows, start=1):
        record = _decode(row)
        if row["seq"] != position:
            yield position, f"Record {position} is missing, or was moved."
        elif record is None or record.id != f"ev_{position:06d}" or hash_record(record) != record.hash:
            yield position, f"Record {position} was changed after it was written."
        elif record.prev != prev:
            yield position, f"Record {position} does not follow the one before it: one of them was replaced."
        prev = row["hash"]
