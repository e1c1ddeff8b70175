"""Answer cases: who of the releases answers, what is said, and the rows that the log keeps of it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from skiff.deploy.answers import Answers
from skiff.flows.answered import MOST_REASONS, Answered, list_parts
from skiff.flows.standing import Cells, Standing
from skiff.store.predictions.ids import SHADOW_MARK, IdMaker
from skiff.store.predictions.records import PredictionRow, Role

_SCALE = 2.0**64


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How cases are dealt: to the challenger, and into the control share; 0 to 1."""

    challenger: float = 0.0
    control: float = 0.0


def draw(salt: str, name: str) -> float:
    """Return a number from 0 to 1 that is always the same for the same name, and otherwise like chance.

    Examples
    --------
    >>> draw("challenger 4", "B-1007") == draw("challenger 4", "B-1007")
    True
    """
    found = hashlib.blake2b(name.encode(), digest_size=8, key=salt.encode()[:64]).digest()
    return int.from_bytes(found, "big") / _SCALE


class Desk:
    """Answers cases with the champion, and the challenger where there is one.

    Parameters
    ----------
    champion : Standing
    challenger : Standing or None
    shares : Shares
    ids : IdMaker
    clock : callable
        Gives the time in microseconds since 1970-01-01 UTC.
    """

    def __init__(
        self,
        champion: Standing,
        *,
        ids: IdMaker,
        clock: Callable[[], int],
        challenger: Standing | None = None,
        shares: Shares | None = None,
    ) -> None:
        """Keep the parts."""
        self.champion = champion
        self.challenger = challenger
        self.shares = shares or Shares()
        self._ids = ids
        self._clock = clock

    def answer(
        self,
        rows: Sequence[Cells],
        *,
        keys: Sequence[str | None],
        subjects: Sequence[str | None],
        reasons: bool = False,
        started_ns: int = 0,
        columns: Any = None,  # noqa: ANN401  a frame of any library
        most_reasons: int = MOST_REASONS,
    ) -> tuple[list[Answered], list[PredictionRow]]:
        """Return the answers to rows, and what the log must keep before they may be given.

        Parameters
        ----------
        rows : sequence of mapping
            Cells by column; other columns are ignored.
        keys, subjects : sequence of str or None
            One for each row.
        reasons : bool
            Whether to say what each column adds.
        started_ns : int
            When the request came (`time.perf_counter_ns`), for the latency that is logged.
        columns : frame, optional
            The same rows by column, where a table is answered: faster for many.
        most_reasons : int
            How many reasons are told for each row, the weightiest first.

        Raises
        ------
        SkiffError
            ``missing_column``, ``bad_value``, ``no_reasons``; ``where.row`` counts from 1.
        """
        at = self._clock()
        ids = self._ids.make_many(at, len(rows))
        rows = self.champion.clear_rows(rows)
        challenger = self.challenger
        if challenger is None or not self.shares.challenger:
            if columns is None:
                found = self.champion.answer(rows, reasons=reasons)
            else:
                found = self.champion.answer_columns(columns, reasons=reasons)
            told = self._tell(self.champion, found, rows, ids, keys, subjects, at, started_ns, "champion", most_reasons)
            return _hold(self.champion, rows, *told)
        salt = f"challenger {challenger.number}"
        places: dict[bool, list[int]] = {False: [], True: []}
        for place, (key, id_) in enumerate(zip(keys, ids, strict=True)):
            places[draw(salt, key if key is not None else id_) < self.shares.challenger].append(place)
        answered: list[Answered | None] = [None] * len(rows)
        logged: list[PredictionRow] = []
        for is_challenger, mine in places.items():
            if not mine:
                continue
            standing = challenger if is_challenger else self.champion
            role: Role = "challenger" if is_challenger else "champion"
            mine_rows = [rows[place] for place in mine]
            found = standing.answer(mine_rows, reasons=reasons)
            part, kept = self._tell(
                standing,
                found,
                mine_rows,
                [ids[place] for place in mine],
                [keys[place] for place in mine],
                [subjects[place] for place in mine],
                at,
                started_ns,
                role,
                most_reasons,
            )
            part, kept = _hold(standing, mine_rows, part, kept)
            for place, item in zip(mine, part, strict=True):
                answered[place] = item
            logged += kept
        return [item for item in answered if item is not None], logged

    def shadow(self, rows: Sequence[Cells], logged: Sequence[PredictionRow]) -> list[PredictionRow]:
        """Return what the challenger, which only listens, would have answered to rows that were answered already."""
        challenger = self.challenger
        if challenger is None or self.shares.challenger or not rows:
            return []
        began = time.perf_counter_ns()
        found = challenger.answer(rows)
        _, kept = self._tell(
            challenger,
            found,
            rows,
            [f"{row.id}{SHADOW_MARK}" for row in logged],
            [row.key for row in logged],
            [row.subject for row in logged],
            logged[0].at,
            began,
            "shadow",
        )
        return kept

    def _tell(  # noqa: PLR0913, PLR0917  the hot path: one call, no object in between
        self,
        standing: Standing,
        found: Answers,
        rows: Sequence[Cells],
        ids: list[str],
        keys: Sequence[str | None],
        subjects: Sequence[str | None],
        at: int,
        started_ns: int,
        role: Role,
        most_reasons: int = MOST_REASONS,
    ) -> tuple[list[Answered], list[PredictionRow]]:
        number, n_rows = standing.number, len(ids)
        parts = list_parts(found, most_reasons=most_reasons)
        controls = self._draw_controls(ids, keys)
        answered = parts.answer(ids, number, controls=controls)
        logged = zip(  # in the order of PredictionRow; made in one go, because this is the hot path
            ids,
            repeat(at, n_rows),
            repeat(number, n_rows),
            repeat(role, n_rows),
            keys,
            subjects,
            standing.keep.keep_rows(rows) if n_rows > 1 else [standing.keep(row) for row in rows],
            parts.labels or repeat(None, n_rows),
            parts.numbers,
            parts.write_chances() or repeat(None, n_rows),
            parts.low or repeat(None, n_rows),
            parts.high or repeat(None, n_rows),
            parts.decisions or repeat(None, n_rows),
            repeat(0, n_rows) if controls is None else map(int, controls),
            repeat((time.perf_counter_ns() - started_ns) // 1000 if started_ns else None, n_rows),
            strict=True,
        )
        return answered, list(map(_make_row, repeat(PredictionRow, n_rows), logged))

    def _draw_controls(self, ids: Sequence[str], keys: Sequence[str | None]) -> list[bool] | None:
        """Choose the control share, always the same for the same key; None where there is no such share."""
        share = self.shares.control
        if not share:
            return None
        return [draw("control", key if key is not None else id_) < share for id_, key in zip(ids, keys, strict=True)]


_make_row = tuple.__new__
"""Makes a `PredictionRow` of a tuple without asking how many fields it has; `zip` above gives all of them."""


def spread(given: str | Sequence[str | None] | None, n_rows: int) -> list[str | None]:
    """Return one key or subject for each row, from one for all or a list.

    Examples
    --------
    >>> spread("ada", 2), spread(["ada", None], 2)
    (['ada', 'ada'], ['ada', None])
    """
    if given is None or isinstance(given, str):
        return [given] * n_rows
    return list(given)


def _hold(
    standing: Standing, rows: Sequence[Cells], answered: list[Answered], logged: list[PredictionRow]
) -> tuple[list[Answered], list[PredictionRow]]:
    """Send rows that break what was agreed about the data to a person, and say what they break."""
    if standing.check is None or standing.check_table is None:
        return answered, logged
    broken = standing.check_table(rows) if len(rows) != 1 else {0: standing.check(rows[0])}
    for place, breaches in broken.items():
        if breaches:
            answered[place].breaks = [breach.what for breach in breaches]
            answered[place].decision = "review"
            logged[place] = logged[place]._replace(decision="review")
    return answered, logged
