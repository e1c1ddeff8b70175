"""Answer the rows of a file of any size with a released model, through the same desk and log as the server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.finding import Finding
from skiff.core.progress import Progress, Silent
from skiff.core.settings import Settings
from skiff.data.contract.rules import build_contract
from skiff.deploy.runtime import Runtime
from skiff.flows.answered import Answered
from skiff.flows.contracts import hold
from skiff.flows.desk import Desk, Shares
from skiff.flows.export import disarm_formulas
from skiff.flows.pieces import AllBut, read_pieces
from skiff.flows.read import ReadTable, read_table
from skiff.flows.stand_ins import clear_table
from skiff.flows.standing import Standing, open_standing, refuse_none
from skiff.flows.words import OwnWords
from skiff.store.champion import ReleaseShelf
from skiff.store.clock import now_utc
from skiff.store.keys import KeyRing
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.pieces import TableWriter
from skiff.store.predictions.ids import IdMaker
from skiff.store.predictions.log import PredictionLog, open_store
from skiff.store.probation import read_trial
from skiff.store.workspace import Workspace

ROWS_A_CALL = 5_000
"""Rows answered and logged in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictOutcome:
    """What predicting gave.

    Parameters
    ----------
    frame : DataFrame
        The rows with their answers; empty where an output was named.
    release : int
    rows : int
    output : str or None
    shares : mapping
        Share of each label.
    reviews : int
        Rows that a person should look at.
    is_logged : bool
        Whether the answers are in the prediction log.
    findings : tuple of Finding
        What the rows break of the release's contract; of the first piece where the file is large.
    """

    frame: pl.DataFrame
    release: int
    rows: int
    output: str | None
    shares: Mapping[str, float]
    reviews: int = 0
    is_logged: bool = True
    findings: tuple[Finding, ...] = ()

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints: counts, never rows, unless no output was named."""
        result: dict[str, object] = {"release": self.release, "rows": self.rows, "output": self.output}
        result["labels"] = dict(self.shares)
        result["reviews"] = self.reviews
        result["logged"] = self.is_logged
        if self.output is None:
            result["predictions"] = self.frame.select(pl.col("^skiff_.*$")).to_dicts()
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns of the file name the case and the person."""

    key: str | None = None
    subject: str | None = None


def predict_file(
    folder: Path,
    source: Path,
    *,
    output: Path | None = None,
    release: int | None = None,
    columns: Columns | None = None,
    is_logged: bool = True,
    n_reasons: int = 0,
    progress: Progress | None = None,
) -> PredictOutcome:
    """Answer every row of `source` with a release of the workspace, by default the one that answers now.

    The file is read as it stands, a large one (CSV, Parquet) in pieces; all its columns are carried along, their yes and no
    in the words they have, whether the model uses them or not.
    Answers stand in columns that begin with ``skiff_``: ``skiff_id`` (by which outcomes can be reported), ``skiff_label`` and
    ``skiff_probability`` (of that label, or of the positive class) or ``skiff_value`` with ``skiff_low`` and ``skiff_high``,
    ``skiff_decision`` where the release says which rows a person should look at. With `n_reasons`, ``skiff_base`` and for
    each reason the column (``skiff_reason_1``) and what it adds (``skiff_adds_1``).

    Raises
    ------
    SkiffError
        ``no_release``, ``release_not_found``, ``missing_column``, ``bad_value``, and what reading says.
    """
    named = columns or Columns()
    told = progress or Silent()
    told.stage("Answer", source.name)
    with contextlib.ExitStack() as stack:
        workspace = stack.enter_context(Workspace.open(folder))
        is_logged = is_logged and not workspace.is_read_only
        number = release or refuse_none(workspace.releases.champion(), str(workspace.root))
        standing = _open(workspace, number)
        log = stack.enter_context(_open_log(workspace)) if is_logged else None
        desk = _build_desk(standing, workspace.settings, is_champion=release is None, log=log)
        writer = stack.enter_context(TableWriter(output)) if output else None
        texts = [column.name for column in standing.inputs if column.kind in {"category", "text"}]
        inputs = {column.name for column in standing.inputs}
        keep_text = [*texts, *(name for name in (named.key, named.subject) if name and name not in inputs)]
        frames: list[pl.DataFrame] = []
        rows, reviews = 0, 0
        counts: dict[str, int] = {}
        findings: tuple[Finding, ...] = ()
        words = OwnWords(inputs - set(keep_text))
        pieces = read_pieces(source, keep_text=keep_text, keep_words=AllBut(()), private=workspace.objects.private)
        for place, read in enumerate(pieces):
            table = words.take_yes_no(read.frame)
            if not place:
                findings = _hold(standing, table)
            frame = words.give_back(answer_table(desk, table, named, log=log, n_reasons=n_reasons), read.frame)
            rows += frame.height
            told.step(f"{rows:,} rows answered")
            _count(frame, counts)
            if "skiff_decision" in frame.columns:
                reviews += int((frame["skiff_decision"] == "review").sum())
            if writer is None:
                frames.append(frame)
            else:
                writer.write(disarm_formulas(frame) if output and output.suffix.lower() != ".parquet" else frame)
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return PredictOutcome(
        frame=frame.clear() if output else disarm_formulas(pl.concat(frames)),
        release=number,
        rows=rows,
        output=str(output) if output else None,
        shares={label: count / rows for label, count in ordered},
        reviews=reviews,
        is_logged=log is not None,
        findings=findings,
    )


def open_release(folder: Path, release: int | None) -> tuple[Runtime, int]:
    """Return a release of the workspace ready to answer, with its number; by default the one that answers now.

    Raises
    ------
    SkiffError
        ``no_release`` or ``release_not_found``.
    """
    with Workspace.open(folder) as workspace:
        number = release or refuse_none(workspace.releases.champion(), str(workspace.root))
        return _open(workspace, number).runtime, number


def read_for(runtime: Runtime, source: Path) -> ReadTable:
    """Read a file as a model needs it: columns of texts stay texts."""
    texts = tuple(column.name for column in runtime.signature.inputs if column.kind in {"category", "text"})
    return read_table(source, keep_text=texts)


def answer_table(
    desk: Desk, frame: pl.DataFrame, columns: Columns, *, log: PredictionLog | None, n_reasons: int = 0
) -> pl.DataFrame:
    """Return the table with the answers in columns of their own, each logged before it is given."""
    answered: list[Answered] = []
    for piece in frame.iter_slices(ROWS_A_CALL):
        found, rows = desk.answer(
            piece.to_dicts(),
            keys=_list_names(piece, columns.key),
            subjects=_list_names(piece, columns.subject),
            columns=piece,
            reasons=n_reasons > 0,
            most_reasons=n_reasons,
        )
        if log is not None:
            log.append(rows)
        answered += found
    return frame.with_columns([*_build_columns(answered), *_list_reasons(answered, n_reasons)])


def _build_columns(answered: Sequence[Answered]) -> list[pl.Series]:
    """Return the answers as columns; what no row has makes none."""
    found = [pl.Series("skiff_id", [item.id for item in answered], dtype=pl.String)]
    wanted: tuple[tuple[str, pl.DataType | type[pl.DataType], Callable[[Answered], Any]], ...] = (
        ("skiff_label", pl.String, lambda item: item.label),
        ("skiff_probability", pl.Float64, lambda item: item.probability),
        ("skiff_value", pl.Float64, lambda item: item.value),
        ("skiff_low", pl.Float64, lambda item: item.interval[0] if item.interval else None),
        ("skiff_high", pl.Float64, lambda item: item.interval[1] if item.interval else None),
        ("skiff_set", pl.String, lambda item: " | ".join(item.set) if item.set is not None else None),
        ("skiff_decision", pl.String, lambda item: item.decision),
        ("skiff_control", pl.Boolean, lambda item: True if item.control else None),
    )
    for name, dtype, take in wanted:
        series = pl.Series(name, [take(item) for item in answered], dtype=dtype)
        if series.null_count() < len(series):
            found.append(series)
    return found


def _list_reasons(answered: Sequence[Answered], n_reasons: int) -> Iterator[pl.Series]:
    """Yield the base, then column and contribution of each reason."""
    given = [item.reasons or [] for item in answered]
    if not n_reasons or not any(given):
        return
    yield pl.Series("skiff_base", [item.base for item in answered], dtype=pl.Float64)
    for place in range(min(n_reasons, max(map(len, given)))):
        mine = [reasons[place] if place < len(reasons) else None for reasons in given]
        number = place + 1
        yield pl.Series(f"skiff_reason_{number}", [item.column if item else None for item in mine], dtype=pl.String)
        yield pl.Series(
            f"skiff_adds_{number}", [item.contribution if item else None for item in mine], dtype=pl.Float64
        )


def _list_names(frame: pl.DataFrame, column: str | None) -> list[str | None]:
    if column is None:
        return [None] * frame.height
    if column not in frame.columns:
        raise SkiffError.column_not_found(column, columns=frame.columns)
    return frame[column].cast(pl.String).to_list()


def _open(workspace: Workspace, number: int) -> Standing:
    own = workspace.root / SKIFF_FOLDER
    keep = workspace.settings.serving.keep_inputs
    hash_key = KeyRing(own, box=workspace.box).read_pseudonym_key() if keep == "hashed" else b""
    shelf = ReleaseShelf(own, database=workspace.settings.store.database, box=workspace.box)
    trial = read_trial(own, number)
    return open_standing(shelf, number, keep=keep, hash_key=hash_key, workers=2, before=trial.before if trial else None)


def _open_log(workspace: Workspace) -> PredictionLog:
    store = open_store(workspace.root / SKIFF_FOLDER, database=workspace.settings.store.database, box=workspace.box)
    return PredictionLog(store, clock=_now)


def _build_desk(standing: Standing, settings: Settings, *, is_champion: bool, log: PredictionLog | None) -> Desk:
    return Desk(
        standing,
        ids=log.ids if log else IdMaker(),
        clock=_now,
        shares=Shares(control=settings.serving.control_share if is_champion else 0.0),
    )


def _hold(standing: Standing, table: pl.DataFrame) -> tuple[Finding, ...]:
    agreed = standing.manifest.get("contract")
    if not isinstance(agreed, dict):
        return ()
    names = [column.name for column in standing.inputs]
    return tuple(hold(clear_table(table, standing.inputs), build_contract(agreed), at=now_utc(), among=names))


def _count(frame: pl.DataFrame, counts: dict[str, int]) -> None:
    if "skiff_label" in frame.columns:
        for label, count in frame["skiff_label"].value_counts().iter_rows():
            counts[label] = counts.get(label, 0) + count


def _now() -> int:
    return time.time_ns() // 1000
