"""Why an answered row is for a person: what is at stake, what training never saw, what the model is not sure of, and chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from skiff.core.signature import InputColumn

ReasonCode: TypeAlias = Literal["high_stakes", "out_of_distribution", "abstention", "control", "unlabelled", "doubtful"]

CONTROL_RULE = "one of a share that a person looks at whatever the model says"

ORDER: tuple[ReasonCode, ...] = get_args(ReasonCode)
"""Where several reasons hold the first counts, and rows are asked for in this order."""

WORDS: Mapping[ReasonCode, str] = {
    "high_stakes": "Much is at stake",
    "out_of_distribution": "Unlike what the model learned from",
    "abstention": "The model is not sure",
    "control": "Chosen by chance",
    "unlabelled": "No answer yet",
    "doubtful": "The given answer looks wrong",
}
"""What a reviewer reads. A planted row has the reason that it would have had in the log, or was chosen by chance: both are true of it,
and neither tells that its answer is known."""

MOST_LEVELS = 1_000
"""A signature lists so many levels; where there are more, one that is not listed may be an old one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What makes a row one for a person, besides the model's own word.

    Parameters
    ----------
    stakes_column : str or None
        Column that says how much is at stake.
    stakes_amount : float or None
        From this amount on a person decides.
    out_of_range : bool
        Whether rows unlike all training rows go to a person although the model did not ask for one.
    """

    stakes_column: str | None = None
    stakes_amount: float | None = None
    out_of_range: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a row is for a person, and the rule behind it; no cell of the row is quoted."""

    code: ReasonCode
    rule: str


def find_reason(
    *,
    decision: str | None,
    is_control: bool,
    cells: Mapping[str, Any],  # Any: cells as JSON has them
    strange: Sequence[str],
    policy: Policy,
    breaks: Sequence[str] = (),
) -> Reason | None:
    """Return why an answered row is for a person; None where it is not.

    Parameters
    ----------
    decision : {"act", "review"} or None
        What the model said: ``review`` where its conformal set or its chances do not single out one answer.
    is_control : bool
        Whether chance put the row aside.
    cells : mapping
        The inputs as far as they are kept.
    strange : sequence of str
        Columns in which the row is unlike all training rows: see `find_strange`.
    policy : Policy
    breaks : sequence of str
        What the row breaks of what was confirmed about the data.

    Examples
    --------
    >>> policy = Policy(stakes_column="loan", stakes_amount=50_000)
    >>> find_reason(decision="act", is_control=False, cells={"loan": 80_000}, strange=(), policy=policy).code
    'high_stakes'
    >>> find_reason(decision="act", is_control=False, cells={"loan": 100}, strange=(), policy=policy) is None
    True
    """
    if policy.stakes_column is not None and policy.stakes_amount is not None:
        amount = _to_number(cells.get(policy.stakes_column))
        if amount is not None and amount >= policy.stakes_amount:
            return Reason(code="high_stakes", rule=f"'{policy.stakes_column}' is at or above the amount you set")
    is_asked = decision == "review"
    if breaks and is_asked:
        return Reason(code="out_of_distribution", rule=f"breaks what was confirmed about the data: {breaks[0]}")
    if strange and (is_asked or policy.out_of_range):
        named = ", ".join(f"'{name}'" for name in strange[:3])
        return Reason(code="out_of_distribution", rule=f"training had nothing like it in {named}")
    if is_asked:
        return Reason(code="abstention", rule="no single answer stands out enough to act on it alone")
    if is_control:
        return Reason(code="control", rule=CONTROL_RULE)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What training saw of a column, ready to be compared with many cells.

    Parameters
    ----------
    name : str
    kind : str
    nullable : bool
    low, high : float
        Infinite where nothing is known of them.
    levels : frozenset of str
        Empty where not all are known.
    """

    name: str
    kind: str
    nullable: bool
    low: float
    high: float
    levels: frozenset[str]


def list_known(inputs: Sequence[InputColumn]) -> tuple[Known, ...]:
    """Return what training saw of each column."""
    return tuple(
        Known(
            name=column.name,
            kind=column.kind,
            nullable=column.nullable,
            low=-math.inf if column.low is None else column.low,
            high=math.inf if column.high is None else column.high,
            levels=frozenset(column.levels) if len(column.levels) < MOST_LEVELS else frozenset(),
        )
        for column in inputs
    )


Read: TypeAlias = Callable[[Any], Any]  # Any: a cell as JSON has it, and as the signature has it


def find_strange(
    known: Sequence[Known], cells: Mapping[str, Any], *, read_level: Read = str, read_date: Read = float
) -> tuple[str, ...]:
    """Return the columns in which a row is unlike every training row: beyond the range, a level never seen, missing where none was.

    Parameters
    ----------
    known : sequence of Known
    cells : mapping
        As JSON has them; columns that were not kept are passed over.
    read_level, read_date : callable
        Turn a cell into a level's text, and into seconds since 1970; a `ValueError` passes the cell over.

    Notes
    -----
    One column at a time: a row whose cells are usual but never came together looks usual. Of ``d`` columns of numbers and ``n``
    training rows, about ``2 d / n`` of new rows from the same world lie beyond a range.

    Examples
    --------
    >>> columns = [InputColumn(name="nights", kind="number", low=1, high=30), InputColumn(name="city", kind="category", levels=("Oslo",))]
    >>> find_strange(list_known(columns), {"nights": 90, "city": "Oslo"}), find_strange(list_known(columns), {"nights": 2, "city": "Rome"})
    (('nights',), ('city',))
    """
    found = []
    for column in known:
        cell = cells.get(column.name, column)  # the column itself stands for a cell that was not kept
        if cell is column:
            continue
        if cell is None or cell == "":
            is_strange = not column.nullable
        elif column.kind == "category":
            is_strange = bool(column.levels) and cell not in column.levels and read_level(cell) not in column.levels
        elif column.kind in {"number", "date"}:
            is_strange = _is_beyond(cell, column, read_date)
        else:
            is_strange = False
        if is_strange:
            found.append(column.name)
    return tuple(found)


def _is_beyond(cell: object, column: Known, read_date: Read) -> bool:
    try:
        number = float(read_date(cell)) if column.kind == "date" else float(cell)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError, OverflowError):
        return False
    return number < column.low or number > column.high


def _to_number(cell: object) -> float | None:
    try:
        found = float(cell)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
