"""Ask what a release would answer if some cells of one row were different."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skiff.core.errors import SkiffError
from skiff.deploy.answers import Answer
from skiff.deploy.runtime import Runtime
from skiff.deploy.sentences import quote_cell, say_answer
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
    asked = ask_what_if(runtime, cells, changes)
    levers = () if changes else find_levers(runtime, cells)
    said = [*_say(runtime, asked.before, cells)]
    if changes:
        changed = ", ".join(f"{name} = {value}" for name, value in changes.items())
        said += [_say_stranger(*found) for found in find_strangers(runtime.signature.inputs, changes).items()]
        said += [f"With {changed}:", *_say(runtime, asked.after, {**cells, **changes})]
    else:
        said += [_say_lever(lever, runtime.predictor.kind == "regression") for lever in levers]
    return WhatIfOutcome(
        release=number,
        row=row,
        before=asked.before,
        after=asked.after if changes else None,
        moved=asked.moved if changes else None,
        levers=levers,
        sentences=tuple(said),
    )


def _say(runtime: Runtime, answer: Answer, row: Mapping[str, Any]) -> tuple[str, ...]:
    kind = runtime.predictor.kind
    positive = runtime.predictor.classes[-1] if kind == "binary" else ""
    return say_answer(answer, kind=kind, positive=positive, row=row)


def _say_stranger(column: str, close: tuple[str, ...]) -> str:
    hint = f" Did you mean “{close[0]}”?" if close else ""
    return f"The value given for {column} never occurred in training.{hint}"


def _say_step(moved: float) -> str:
    return f"{moved:+,.0f}" if abs(moved) >= 1000 else f"{moved:+.4g}"  # noqa: PLR2004  thousands are whole


def _say_lever(lever: Lever, is_number: bool) -> str:
    by = _say_step(lever.moved) if is_number else f"{lever.moved * 100:+.0f} in 100"
    flips = ", and the answer would be another" if lever.changes_label else ""
    value = f"{lever.value:,.4g}" if isinstance(lever.value, float) else quote_cell(lever.value)
    return f"If {lever.column} were {value}: {by}{flips}."
