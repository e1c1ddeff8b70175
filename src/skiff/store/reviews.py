"""The review queue: rows that wait for a person, who has which, and what was decided. Each step is on the disk when it returns."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Select, and_, delete, func, insert, or_, select

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.store.catalog import Catalog, Row, seal_row
from skiff.store.clock import Clock
from skiff.store.predictions.ids import to_micros
from skiff.store.schema import REVIEW

Source: TypeAlias = Literal["log", "planted", "label"]
State: TypeAlias = Literal["open", "claimed", "done"]

ITEMS_A_CALL = 500
"""Items looked up in one statement; SQLite takes at most 32,766 values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReview:
    """A row to queue.

    Parameters
    ----------
    source : {"log", "planted", "label"}
        An answered row, a row with a known answer, or a row of a dataset that wants a label.
    item : str
        The prediction's id, or ``sha256:row`` of a dataset, behind the source: none is queued twice.
    reason, rule : str
        Why, as a code and in words.
    rank : int
        Small ones are given out first.
    dataset_sha256 : str or None
    release : int or None
        Whose suggestion it is.
    subject : str or None
        The person the row is about.
    key : str or None
        The client's own name for the case; that of a prediction stays in the log.
    inputs : str or None
        A JSON object by column; None for predictions, whose inputs stay in the log.
    advice : str or None
        The suggestion, as a JSON object.
    truth : str or None
        The known answer of a planted row.
    words : int or None
        Words to read.
    """

    source: Source
    item: str
    reason: str
    rule: str
    rank: int
    dataset_sha256: str | None = None
    release: int | None = None
    subject: str | None = None
    key: str | None = None
    inputs: str | None = None
    advice: str | None = None
    truth: str | None = None
    words: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRecord(NewReview):
    """A queued row and what became of it.

    Parameters
    ----------
    id : str
        Random, so that it does not tell where the row comes from.
    queued : str
        UTC, ISO 8601.
    state : {"open", "claimed", "done"}
    reviewer : str or None
        Who has it, or decided.
    claimed_until : int or None
        Microseconds since 1970; then others may have it.
    shown : int or None
        When it was given out, in microseconds since 1970.
    first : str or None
        The answer before the suggestion was seen.
    seen : {"after", "first", "never"} or None
        When the suggestion is shown.
    final, why : str or None
        The answer that counts, and the reason for it.
    first_ms, total_ms : int or None
        Milliseconds from giving it out to the first and to the final answer.
    answered : str or None
        UTC, ISO 8601.
    """

    id: str
    queued: str
    state: State
    reviewer: str | None = None
    claimed_until: int | None = None
    shown: int | None = None
    first: str | None = None
    seen: str | None = None
    final: str | None = None
    why: str | None = None
    first_ms: int | None = None
    total_ms: int | None = None
    answered: str | None = None


_NAMES = tuple(field.name for field in fields(ReviewRecord))
_GIVEN = tuple(field.name for field in fields(NewReview))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows a reviewer may be given.

    Parameters
    ----------
    sources : tuple of str
        The first that has a row gives it. Labels are asked for alone; whoever may have a log's row may go on with a planted one.
    is_hidden : bool
        Whether a planted row is given only where the next row of the log has the same reason, so that it does not stand out.
    dataset_sha256 : str or None
        Only rows of this dataset.
    without : collection of str
        Ids not to be given.
    """

    sources: tuple[Source, ...] = ("log",)
    is_hidden: bool = True
    dataset_sha256: str | None = None
    without: Collection[str] = ()


class Reviews:
    """Queues rows, gives each to one reviewer at a time, and keeps what was decided.

    Parameters
    ----------
    catalog : Catalog
    clock : callable
    """

    def __init__(self, catalog: Catalog, *, clock: Clock) -> None:
        """Keep the parts."""
        self._catalog = catalog
        self._clock = clock

    def add(self, items: Sequence[NewReview]) -> int:
        """Queue rows that are not there yet, and return how many they were."""
        queued = self._clock()
        with self._catalog.write() as connection:
            known: set[str] = set()
            for start in range(0, len(items), ITEMS_A_CALL):
                names = [item.item for item in items[start : start + ITEMS_A_CALL]]
                known |= set(connection.execute(select(REVIEW.c.item).where(REVIEW.c.item.in_(names))).scalars())
            fresh = {item.item: item for item in items if item.item not in known}
            rows = [_build_row(item, queued) for item in fresh.values()]
            if rows:
                connection.execute(insert(REVIEW), rows)
        return len(rows)

    def claim(self, reviewer: str, wanted: Wanted, *, hold_s: float, seen: str) -> ReviewRecord | None:
        """Give a row to a reviewer: the one they hold already, else the first that nobody holds; None where there is none.

        Parameters
        ----------
        reviewer : str
        wanted : Wanted
        hold_s : float
            For how long nobody else gets it.
        seen : {"after", "first", "never"}
            When the suggestion will be shown.
        """
        now = self._now()
        kinds: tuple[Source, ...] = ("label",) if "label" in wanted.sources else ("log", "planted")
        mine = and_(REVIEW.c.state == "claimed", REVIEW.c.reviewer == reviewer, REVIEW.c.source.in_(kinds))
        free = or_(REVIEW.c.state == "open", and_(REVIEW.c.state == "claimed", REVIEW.c.claimed_until <= now))
        with self._catalog.write() as connection:
            for source in (None, *wanted.sources):
                condition = mine if source is None else and_(free, REVIEW.c.source == source)
                if source == "planted" and wanted.is_hidden:
                    chosen = _choose(wanted, and_(free, REVIEW.c.source == "log"))
                    following = self._catalog.fetch(connection, chosen, REVIEW)
                    condition = and_(condition, REVIEW.c.reason == (following[0]["reason"] if following else ""))
                found = self._catalog.fetch(connection, _choose(wanted, condition), REVIEW)
                if found:
                    return _to_record(self._hold(connection, found[0], reviewer, now, hold_s=hold_s, seen=seen))
        return None

    def answer_first(self, id_: str, reviewer: str, answer: str) -> ReviewRecord:
        """Keep the answer given before the suggestion is seen; the same again changes nothing, another is refused.

        Raises
        ------
        SkiffError
            ``review_not_found``, ``review_not_held``, ``review_answered``.
        """
        with self._catalog.write() as connection:
            row = self._get_held(connection, id_, reviewer)
            if row["first"] is not None:
                _refuse_other(row["first"], answer)
                return _to_record(row)
            taken = (self._now() - row["shown"]) // 1000
            return _to_record(self._catalog.update(connection, REVIEW, row, first=answer, first_ms=taken))

    def answer_final(self, id_: str, reviewer: str, answer: str, *, why: str | None = None) -> ReviewRecord:
        """Keep the answer that counts; the same again changes nothing, another is refused.

        Raises
        ------
        SkiffError
            ``review_not_found``, ``review_not_held``, ``review_answered``; ``review_not_first`` where the suggestion is shown after
            a first answer and there is none yet.
        """
        with self._catalog.write() as connection:
            found = self._fetch_one(connection, id_)
            if found["state"] == "done" and found["reviewer"] == reviewer:
                _refuse_other(found["final"], answer)
                return _to_record(found)
            row = self._get_held(connection, id_, reviewer)
            if row["seen"] == "after" and row["advice"] is not None and row["first"] is None:
                raise SkiffError(
                    "review_not_first",
                    what="The suggestion of this row is shown after a first answer, and there is none yet.",
                    where={"id": id_},
                    fix="Give the first answer, look at the suggestion, and then keep or change the answer.",
                )
            taken = (self._now() - row["shown"]) // 1000
            changed = self._catalog.update(
                connection, REVIEW, row, final=answer, why=why or None, state="done", answered=self._clock(),
                claimed_until=None, total_ms=taken, first_ms=taken if row["first_ms"] is None else row["first_ms"],
            )  # fmt: skip
            return _to_record(changed)

    def skip(self, id_: str, reviewer: str) -> ReviewRecord:
        """Give a row back, behind all others.

        Raises
        ------
        SkiffError
            ``review_not_found``, ``review_not_held``; ``review_answered`` where a first answer was given.
        """
        with self._catalog.write() as connection:
            row = self._get_held(connection, id_, reviewer)
            if row["first"] is not None:
                raise _answered()
            last = self._catalog.next_position(connection, REVIEW.c.rank)
            changed = self._catalog.update(
                connection,
                REVIEW,
                row,
                state="open",
                rank=last,
                reviewer=None,
                claimed_until=None,
                shown=None,
                seen=None,
            )
            return _to_record(changed)

    def get(self, id_: str) -> ReviewRecord:
        """Return a row.

        Raises
        ------
        SkiffError
            ``review_not_found``.
        """
        with self._catalog.read() as connection:
            return _to_record(self._fetch_one(connection, id_))

    def list_done(self, *, since: str = "") -> tuple[ReviewRecord, ...]:
        """Return rows decided from a moment on (UTC, ISO 8601), in the order of deciding."""
        done = select(REVIEW).where(REVIEW.c.state == "done", REVIEW.c.answered >= since)
        return self._read(done.order_by(REVIEW.c.answered, REVIEW.c.id))

    def count(self) -> dict[tuple[str, str, str], int]:
        """Return how many rows there are by source, state and reason."""
        keys = (REVIEW.c.source, REVIEW.c.state, REVIEW.c.reason)
        with self._catalog.read() as connection:
            found = connection.execute(select(*keys, func.count()).group_by(*keys)).all()
        return {(str(row[0]), str(row[1]), str(row[2])): int(row[3]) for row in found}

    def count_done(self, reviewer: str) -> int:
        """Return how many rows somebody decided."""
        chosen = select(func.count()).where(REVIEW.c.reviewer == reviewer, REVIEW.c.state == "done")
        with self._catalog.read() as connection:
            return int(connection.execute(chosen).scalar_one())

    def erase_items(self, items: Iterable[str]) -> int:
        """Remove rows by what they are about (a prediction's id, or ``sha256:row``), and return how many there were."""
        names = list(items)
        parts = [names[start : start + ITEMS_A_CALL] for start in range(0, len(names), ITEMS_A_CALL)]
        return sum(self._delete(REVIEW.c.item.in_(part)) for part in parts)

    def hand_over(self, release: int, home: int | None) -> tuple[int, int]:
        """Let rows that wait go on without the suggestions of a release that goes, as rows of the one that answers in its place.

        Planted rows of it go: a known answer beside no suggestion measures nobody. Answers that were begun begin anew.

        Parameters
        ----------
        release : int
        home : int or None
            None where no release answers the same question: then nobody knows which answers there are, and the rows go too.

        Returns
        -------
        tuple of (int, int)
            Rows of the log that go on waiting, and that left undecided.
        """
        chosen = select(REVIEW).where(REVIEW.c.release == release, REVIEW.c.state != "done", REVIEW.c.source != "label")
        begun = ("advice", "reviewer", "claimed_until", "shown", "first", "seen", "first_ms")
        with self._catalog.write() as connection:
            rows = self._catalog.fetch(connection, chosen, REVIEW)
            own = [row for row in rows if row["source"] == "log"]
            stay = own if home is not None else []
            for row in stay:
                self._catalog.update(
                    connection, REVIEW, row, **{**dict.fromkeys(begun), "release": home, "state": "open"}
                )
            for row in rows:
                if row not in stay:
                    connection.execute(delete(REVIEW).where(REVIEW.c.id == row["id"]))
        return len(stay), len(own) - len(stay)

    def remove(self, id_: str) -> None:
        """Remove a row that can no longer be decided."""
        self._delete(REVIEW.c.id == id_)

    def forget(self, *, subjects_before: str | None = None, rows_before: str | None = None) -> int:
        """Forget whom old rows were about, or remove old rows whole; returns how many were changed.

        Parameters
        ----------
        subjects_before, rows_before : str or None
            UTC, ISO 8601: rows queued before.
        """
        changed = self._delete(REVIEW.c.queued < rows_before) if rows_before else 0
        if subjects_before:
            old = select(REVIEW).where(REVIEW.c.queued < subjects_before, REVIEW.c.subject.is_not(None))
            with self._catalog.write() as connection:
                for row in self._catalog.fetch(connection, old, REVIEW):
                    self._catalog.update(connection, REVIEW, row, subject=None)
                    changed += 1
        return changed

    def list(
        self, *, state: State | None = None, source: Source | None = None, dataset_sha256: str | None = None
    ) -> tuple[ReviewRecord, ...]:
        """Return rows: those decided in the order of deciding, the others in the order of asking."""
        chosen = select(REVIEW).order_by(REVIEW.c.answered, REVIEW.c.rank, REVIEW.c.id)
        for column, value in (
            (REVIEW.c.state, state),
            (REVIEW.c.source, source),
            (REVIEW.c.dataset_sha256, dataset_sha256),
        ):
            chosen = chosen if value is None else chosen.where(column == value)
        return self._read(chosen)

    def _hold(self, connection: Connection, row: Row, reviewer: str, now: int, *, hold_s: float, seen: str) -> Row:
        """Give a row out; who comes back to a row keeps the first answer, who takes over from somebody else begins anew."""
        is_back = row["reviewer"] == reviewer and row["first"] is not None
        begun: dict[str, Json] = {} if is_back else {"first": None, "first_ms": None, "shown": now, "seen": seen}
        until = now + round(hold_s * 1e6)
        return self._catalog.update(
            connection, REVIEW, row, state="claimed", reviewer=reviewer, claimed_until=until, **begun
        )

    def _get_held(self, connection: Connection, id_: str, reviewer: str) -> Row:
        row = self._fetch_one(connection, id_)
        if row["state"] == "done":
            raise _answered()
        if row["state"] != "claimed" or row["reviewer"] != reviewer:
            raise SkiffError(
                "review_not_held",
                what="This row is not yours at the moment: it went to somebody else, or was never given to you.",
                where={"id": id_},
                fix="Ask for the next row, and answer that one.",
            )
        return row

    def _fetch_one(self, connection: Connection, id_: str) -> Row:
        found = self._catalog.fetch(connection, select(REVIEW).where(REVIEW.c.id == id_), REVIEW)
        if not found:
            raise SkiffError(
                "review_not_found",
                what="There is no row with this id in the review queue.",
                where={"id": id_},
                fix="Ask for the next row; ids come with it.",
            )
        return found[0]

    def _read(self, chosen: Select[Any]) -> tuple[ReviewRecord, ...]:
        with self._catalog.read() as connection:
            return tuple(_to_record(row) for row in self._catalog.fetch(connection, chosen, REVIEW))

    def _delete(self, condition: Any) -> int:  # noqa: ANN401  a condition of SQLAlchemy
        with self._catalog.write() as connection:
            return int(connection.execute(delete(REVIEW).where(condition)).rowcount)

    def _now(self) -> int:
        return to_micros(dt.datetime.fromisoformat(self._clock()))


def _build_row(item: NewReview, queued: str) -> Row:
    """Return a new row of the table; many are written in one go."""
    empty: Row = dict.fromkeys(_NAMES)
    given = {name: getattr(item, name) for name in _GIVEN}
    row = {**empty, **given, "id": secrets.token_hex(8), "queued": queued, "state": "open"}
    return {**row, "seal": seal_row(row)}


def _choose(wanted: Wanted, condition: Any) -> Select[Any]:  # noqa: ANN401  a condition of SQLAlchemy
    """Return the statement for the first row that may be given."""
    chosen = select(REVIEW).where(condition)
    if wanted.dataset_sha256 is not None:
        chosen = chosen.where(REVIEW.c.dataset_sha256 == wanted.dataset_sha256)
    if wanted.without:
        chosen = chosen.where(REVIEW.c.id.not_in(list(wanted.without)))
    return chosen.order_by(REVIEW.c.rank, REVIEW.c.id).limit(1)


def _refuse_other(known: str, answer: str) -> None:
    if known != answer:
        raise _answered()


def _answered() -> SkiffError:
    return SkiffError(
        "review_answered",
        what="This row was answered already, and what was answered first stays.",
        where={"field": "answer"},
        fix="Go on with the next row; correct what really happened with `skiff outcomes`.",
    )


def _to_record(row: Row) -> ReviewRecord:
    return ReviewRecord(**{name: row[name] for name in _NAMES})
