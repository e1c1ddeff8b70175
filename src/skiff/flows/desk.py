"""Answer cases: who of the releases answers, what is said, and the rows that the log keeps of it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress, repeat
from typing import Any

import msgspec

from skiff.deploy.answers import Answers, rank_contributions
from skiff.flows.standing import Cells, Standing
from skiff.store.predictions.ids import SHADOW_MARK
from skiff.store.predictions.records import PredictionRow, Role

MOST_REASONS = 5
"""Reasons given for a row: more are read by nobody, and the rest are small."""

_encode_list = msgspec.json.Encoder().encode
_SCALE = 2.0**64


class Reason(msgspec.Struct, frozen=True):
    """What one column adds to the score of a row."""

    column: str
    contribution: float


class Answered(msgspec.Struct, omit_defaults=True):
    """The answer to one row, as it goes over the wire; what does not apply is left out.

    Parameters
    ----------
    id : str
        Name it when you report what really happened.
    release : int
    label : str, optional
    probability : float, optional
        Of the positive class (two classes) or of the label (more).
    probabilities : dict, optional
        By class, where there are more than two.
    value : float, optional
        A number that is predicted.
    interval : (float, float), optional
        Where the true number lies as often as was promised.
    set : list of str, optional
        Classes that cannot be ruled out.
    decision : str, optional
        ``act``, or ``review`` where a person should look.
    control : bool, optional
        True where the decision must not follow the model, so that it can be judged without its own influence.
    breaks : list of str, optional
        What the row breaks of what was agreed about the data; such a row is for a person to look at.
    reasons : list of Reason, optional
    base : float, optional
        The score of a row of which nothing is known; all contributions add up to the score from there.
    """

    id: str
    release: int
    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    value: float | None = None
    interval: tuple[float, float] | None = None
    set: list[str] | None = None
    decision: str | None = None
    control: bool = False
    breaks: list[str] | None = None
    reasons: list[Reason] | None = None
    base: float | None = None


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
    make_id : callable
        Gives the id of a prediction at a moment; see `IdMaker.make`.
    clock : callable
        Gives the time in microseconds since 1970-01-01 UTC.
    """

    def __init__(
        self,
        champion: Standing,
        *,
        make_id: Callable[[int], str],
        clock: Callable[[], int],
        challenger: Standing | None = None,
        shares: Shares | None = None,
    ) -> None:
        """Keep the parts."""
        self.champion = champion
        self.challenger = challenger
        self.shares = shares or Shares()
        self._make_id = make_id
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
        ids = [self._make_id(at) for _ in rows]
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
        ids: Sequence[str],
        keys: Sequence[str | None],
        subjects: Sequence[str | None],
        at: int,
        started_ns: int,
        role: Role,
        most_reasons: int = MOST_REASONS,
    ) -> tuple[list[Answered], list[PredictionRow]]:
        number, n_rows = standing.number, len(ids)
        values, labels, low, high, lists = _list_answers(found)
        decisions = found.decisions.tolist() if found.decisions is not None else [None] * n_rows
        latency = (time.perf_counter_ns() - started_ns) // 1000 if started_ns else None
        if found.kind == "regression":
            answered = [Answered(id_, number, value=value) for id_, value in zip(ids, values, strict=True)]
        else:
            answered = [Answered(*parts) for parts in zip(ids, repeat(number, n_rows), labels, values, strict=True)]
        controls = self._draw_controls(answered, keys)
        _complete(answered, found, decisions, low, high, lists, most_reasons)
        kept = [standing.keep(row) for row in rows]
        texts = repeat(None, n_rows) if lists is None else [_encode_list(chances).decode() for chances in lists]
        logged = zip(  # in the order of PredictionRow; made in one go, because this is the hot path
            ids,
            repeat(at, n_rows),
            repeat(number, n_rows),
            repeat(role, n_rows),
            keys,
            subjects,
            kept,
            labels,
            values,
            texts,
            low or repeat(None, n_rows),
            high or repeat(None, n_rows),
            decisions,
            controls,
            repeat(latency, n_rows),
            strict=True,
        )
        return answered, list(map(_make_row, repeat(PredictionRow, n_rows), logged))

    def _draw_controls(self, answered: Sequence[Answered], keys: Sequence[str | None]) -> Sequence[int]:
        """Choose the control share, always the same for the same key."""
        share = self.shares.control
        if not share:
            return [0] * len(answered)
        for item, key in zip(answered, keys, strict=True):
            item.control = draw("control", key if key is not None else item.id) < share
        return [int(item.control) for item in answered]


_make_row = tuple.__new__
"""Makes a `PredictionRow` of a tuple without asking how many fields it has; `zip` above gives all of them."""


def _complete(  # noqa: C901, PLR0917  one line for each part of an answer
    answered: Sequence[Answered],
    found: Answers,
    decisions: Sequence[str | None],
    low: Column | None,
    high: Column | None,
    lists: Column | None,
    most_reasons: int,
) -> None:
    """Add to the answers what this release promises besides them."""
    if found.decisions is not None:
        for item, decision in zip(answered, decisions, strict=True):
            item.decision = decision
    if low is not None and high is not None:
        for item, ends in zip(answered, zip(low, high, strict=True), strict=True):
            item.interval = ends
    if lists is not None:
        for item, chances in zip(answered, lists, strict=True):
            item.probabilities = dict(zip(found.classes, chances, strict=True))
    if found.in_set is not None:
        for item, is_in in zip(answered, found.in_set.tolist(), strict=True):
            item.set = list(compress(found.classes, is_in))
    if found.reasons is not None:
        for place, item in enumerate(answered):
            ranked = rank_contributions(found.reasons, place)
            item.base = float(found.reasons.base[place])
            item.reasons = [Reason(name, part) for name, part in list(ranked.items())[:most_reasons]]


Column = list[Any]  # Any: texts or numbers, as the column has them


def _list_answers(found: Answers) -> tuple[list[float], Column, Column | None, Column | None, Column | None]:
    """Return value, label, ends of the range, and all probabilities (only of more than two classes), row by row."""
    if found.kind == "regression":
        values = found.values.tolist()
        low = None if found.low is None else found.low.ravel().tolist()
        high = None if found.high is None else found.high.ravel().tolist()
        return values, [None] * len(values), low, high, None
    labels = found.labels.tolist()
    if found.kind == "binary":
        return found.probabilities[:, 1].tolist(), labels, None, None, None
    lists = found.probabilities.tolist()
    return [max(chances) for chances in lists], labels, None, None, lists


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
    if standing.check is None:
        return answered, logged
    for place, row in enumerate(rows):
        broken = standing.check(row)
        if broken:
            answered[place].breaks = [breach.what for breach in broken]
            answered[place].decision = "review"
            logged[place] = logged[place]._replace(decision="review")
    return answered, logged
