"""A release opened to answer: its model, what it promises, which inputs are kept, and what rows are held against."""

from __future__ import annotations

import operator
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skiff.core.errors import SkiffError
from skiff.core.sheet import Sheet
from skiff.core.signature import InputColumn
from skiff.core.task import TaskKind
from skiff.data.contract.many import TableChecker, compile_contract_for_tables
from skiff.data.contract.rules import Contract, build_contract
from skiff.data.contract.single import Checker, compile_contract
from skiff.deploy.answers import Answers
from skiff.deploy.runtime import Runtime
from skiff.deploy.tensors import clear_cell, list_stand_ins
from skiff.store.champion import ReleaseShelf
from skiff.store.predictions.keeping import Keep, Keeper, plan_keeping

Cells = Mapping[str, Any]  # Any: the cells of a row as JSON has them


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A release that answers.

    Parameters
    ----------
    number : int
    manifest : mapping
    runtime : Runtime
    keep : Keeper
        Turns the inputs of rows into what the log keeps of them.
    check : callable or None
        Lists what a row breaks of what a person confirmed about the data; None where nothing was confirmed.
    check_table : callable or None
        The same for many rows at once.
    """

    number: int
    manifest: Mapping[str, Any]  # Any: a JSON document
    runtime: Runtime
    keep: Keeper
    check: Checker | None = None
    check_table: TableChecker | None = None

    @property
    def kind(self) -> TaskKind:
        """Return what is predicted."""
        return self.runtime.predictor.kind

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the labels, in the order of probabilities."""
        return self.runtime.predictor.classes

    @property
    def inputs(self) -> tuple[InputColumn, ...]:
        """Return the columns the model takes."""
        return self.runtime.signature.inputs

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns the model takes."""
        return tuple([column.name for column in self.inputs])

    @cached_property
    def stand_ins(self) -> dict[str, frozenset[Any]]:
        """Return the cells that stand for "no value", by column; columns without any are left out."""
        return {column.name: list_stand_ins(column) for column in self.inputs if column.missing_words}

    def clear_rows(self, rows: Sequence[Cells]) -> Sequence[Cells]:
        """Return the rows with None where a cell stands for "no value" in its column, as the training rows were read."""
        known = self.stand_ins
        if not known:
            return rows
        if not isinstance(rows, Sheet):
            return [_clear_row(row, known) for row in rows]
        cleared = [
            [clear_cell(cell, known[name]) for cell in cells] if name in known else cells
            for name, cells in zip(rows.names, rows.columns, strict=True)
        ]
        is_same = all(all(map(operator.is_, made, cells)) for made, cells in zip(cleared, rows.columns, strict=True))
        return rows if is_same else Sheet(rows.names, cleared)

    @property
    def target(self) -> str:
        """Return the column that is predicted."""
        return str(self.manifest["task"]["target"])

    def answer(self, rows: Sequence[Cells], *, reasons: bool = False) -> Answers:
        """Return the answers to rows given by column name.

        Raises
        ------
        SkiffError
            ``missing_column``, ``bad_value`` (infinities too), ``no_reasons``.
        """
        predictor = self.runtime.predictor
        feed = predictor.build_row_feed(rows[0]) if len(rows) == 1 else predictor.build_feed(rows)
        # JSON has no infinities, but a text such as "inf" in a column of numbers becomes one.
        numbers = self._numbers
        # In many rows it is quicker to look at the tensors than to look for texts.
        if len(rows) > 8 or any(row[name].__class__ is str for name in numbers for row in rows):  # noqa: PLR2004  where the two ways cost the same
            self._refuse_infinities(feed)
        return self.runtime.answer_feed(feed, reasons=reasons)

    def answer_columns(self, columns: Any, *, reasons: bool = False) -> Answers:  # noqa: ANN401  a frame of any library, or a mapping
        """Return the answers to a table given by column."""
        feed = self.runtime.predictor.build_feed(columns)
        self._refuse_infinities(feed)
        return self.runtime.answer_feed(feed, reasons=reasons)

    @cached_property
    def _numbers(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.inputs if column.kind in {"number", "boolean"})

    def _refuse_infinities(self, feed: Mapping[str, NDArray[Any]]) -> None:
        """Refuse infinities: no cell of a table is one."""
        for column, tensor in zip(self.inputs, feed.values(), strict=True):
            if tensor.dtype == np.float64 and np.isinf(tensor).any():
                row = int(np.flatnonzero(np.isinf(tensor))[0]) + 1
                raise SkiffError(
                    "bad_value",
                    what=f"Row {row} of column '{column.name}' holds something other than a finite number.",
                    where={"column": column.name, "row": row},
                    fix="Correct the cell, or leave it empty (null) where the value is not known.",
                )


def _clear_row(row: Cells, known: Mapping[str, frozenset[Any]]) -> Cells:
    cleared = {
        name: None for name, cells in known.items() if name in row and clear_cell(row[name], cells) is not row[name]
    }
    return {**row, **cleared} if cleared else row


def open_standing(
    shelf: ReleaseShelf,
    number: int,
    *,
    keep: Keep,
    hash_key: bytes = b"",
    workers: int = 1,
    before: int | None = None,
) -> Standing:
    """Open a release, checked against its hashes.

    Where it is on probation, what the release `before` takes is kept, too: else the two could not be compared on what happens.

    Raises
    ------
    SkiffError
        ``release_not_found``, ``release_damaged``, ``setting_bad_value``, ``model_newer``.
    """
    manifest, files = shelf.read_release(number)
    runtime = Runtime(files["model.onnx"], files.get("reasons.onnx"), workers=workers)
    columns = [column.name for column in runtime.signature.inputs]
    if before is not None:
        with suppress(SkiffError):  # gone or damaged meanwhile: then there is nothing to compare with
            older, _ = shelf.read_release(before)
            columns += [item["name"] for item in older["inputs"] if item["name"] not in columns]
    agreed = _find_confirmed(manifest)
    return Standing(
        number=number,
        manifest=manifest,
        runtime=runtime,
        keep=plan_keeping(keep, columns, hash_key=hash_key),
        check=compile_contract(agreed, now=time.time) if agreed else None,
        check_table=compile_contract_for_tables(agreed, now=time.time) if agreed else None,
    )


def _find_confirmed(manifest: Mapping[str, Any]) -> Contract | None:
    """Return what rows are held against: what a person confirmed. What Skiff only proposed is not asked of single rows."""
    agreed = manifest.get("contract")
    if not isinstance(agreed, dict):
        return None
    contract = build_contract(agreed)
    confirmed = tuple(rule for rule in contract.rules if rule.status == "confirmed")
    return replace(contract, rules=confirmed) if confirmed else None


def refuse_none(number: int | None, root: str) -> int:
    """Return the number of the release that answers, or refuse where none does.

    Raises
    ------
    SkiffError
        ``no_release``.
    """
    if number is None:
        raise SkiffError(
            "no_release",
            what="No release of this workspace answers yet.",
            where={"workspace": root},
            fix="Make one with `skiff run FILE --target COLUMN`, or promote one: see `skiff releases list`.",
        )
    return number
