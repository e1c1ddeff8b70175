"""Ask what a release would answer if some cells of one row were different."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skiff.core.errors import SkiffError
from skiff.deploy.answers import Answer
from skiff.deploy.runtime import Runtime
from skiff.deploy.sentences import quote_cell, say_answer, say_plain_number, say_points
from skiff.deploy.whatif import Lever, ask_what_if, find_levers, find_strangers
from skiff.flows.predict import open_release, read_for


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfOutcome:
    """One row's answer, what it would be, and which single changes would move it most, in sentences and in numbers."""

    release: int
    row: int
    before: Answer
    after: Answer | None
    moved: float | None
    levers: tuple[Lever, ...]
    sentences: tuple[str, ...]

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return {
            "release": self.release,
            "row": self.row,
            "before": asdict(self.before),
            "after": None if self.after is None else asdict(self.after),
            "moved": self.moved,
            "levers": [asdict(lever) for lever in self.levers],
            "sentences": list(self.sentences),
        }


def ask_row(
    folder: Path, source: Path, *, row: int, changes: Mapping[str, Any], release: int | None = None
) -> WhatIfOutcome:
    """Explain the answer to one row of a file, and answer it again with some cells replaced.

    Parameters
    ----------
    folder, source : Path
        Workspace, and the file that holds the row.
    row : int
        Counted from 1.
    changes : mapping of str to object
        Other values by column; none explains the row and lists what would move its answer most.

    Raises
    ------
    SkiffError
        ``row_not_found``, ``column_not_found``, ``no_release``, ``bad_value`` …
    """
    runtime, number = open_release(folder, release)
    frame = read_for(runtime, source).frame
    if not 1 <= row <= frame.height:
        raise SkiffError(
            "row_not_found",
            what=f"There is no row {row}: the table has {frame.height:,}.",
            where={"file": source.name, "row": row},
            fix=f"Give a number from 1 to {frame.height:,} with --row.",
        )
    cells = frame.row(row - 1, named=True)
    try:
        asked = ask_what_if(runtime, cells, changes)
    except SkiffError as error:
        raise _place_error(error, source.name, row) from error
    levers = () if changes else find_levers(runtime, cells)
    said = [*_say(runtime, asked.before, cells)]
    if changes:
        changed = ", ".join(f"{name} = {value}" for name, value in changes.items())
        said += [_say_stranger(*found) for found in find_strangers(runtime.signature.inputs, changes).items()]
        said += [f"With {changed}:", *_say(runtime, asked.after, {**cells, **changes})]
    else:
        said += [say_lever(lever, is_number=runtime.predictor.kind == "regression") for lever in levers]
    return WhatIfOutcome(
        release=number,
        row=row,
        before=asked.before,
        after=asked.after if changes else None,
        moved=asked.moved if changes else None,
        levers=levers,
        sentences=tuple(said),
    )


def _place_error(error: SkiffError, file: str, row: int) -> SkiffError:
    """Return an error about a cell with the row it has in the file, one about a change with its option; others as they are."""
    if error.where.get("option") == "what-if":
        said = error.what.replace("(what-if)", "(--what-if)")
        return SkiffError(error.code, what=said, where={**error.where, "option": "--what-if"}, fix=error.fix)
    if error.code != "bad_value" or "row" not in error.where:
        return error
    return SkiffError(
        error.code,
        what=error.what.replace("Row 1 ", f"Row {row} ", 1),
        where={**error.where, "file": file, "row": row},
        fix=error.fix,
    )


def _say(runtime: Runtime, answer: Answer, row: Mapping[str, Any]) -> tuple[str, ...]:
    predictor = runtime.predictor
    is_binary = predictor.kind == "binary"
    promise = predictor.promises.get("range") or predictor.promises.get("set")
    return say_answer(
        answer,
        kind=predictor.kind,
        positive=predictor.classes[-1] if is_binary else "",
        row=row,
        threshold=predictor.threshold if is_binary else None,
        coverage=float(promise["coverage"]) if promise else None,
    )


def _say_stranger(column: str, close: tuple[str, ...]) -> str:
    hint = f" Did you mean “{close[0]}”?" if close else ""
    return f"The value given for {column} never occurred in training.{hint}"


def say_lever(lever: Lever, *, is_number: bool) -> str:
    """Return what another value of one column would do to the answer, in digits that are written by hand.

    Examples
    --------
    >>> print(say_lever(Lever(column="loan", value=35120.0, moved=-0.92, changes_label=True), is_number=False))
    If loan were 35,120: 92 in 100 lower, and the answer would be another.
    >>> print(say_lever(Lever(column="plan", value="basic", moved=21150.0, changes_label=False), is_number=True))
    If plan were “basic”: 21,150 higher.
    """
    by = say_plain_number(abs(lever.moved)) if is_number else say_points(abs(lever.moved))
    way = "higher" if lever.moved > 0 else "lower"
    flips = ", and the answer would be another" if lever.changes_label else ""
    is_counted = isinstance(lever.value, (int, float)) and not isinstance(lever.value, bool)
    value = say_plain_number(lever.value) if is_counted else quote_cell(lever.value)
    return f"If {lever.column} were {value}: {by} {way}{flips}."
