"""What was answered and what really happened, as rows to learn from and to judge by."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.settings import Settings
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.deploy.tensors import to_number, to_text, to_yes_no
from skiff.store.predictions.keeping import HASH_BYTES
from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import INPUT_PREFIX, PredictionReader
from skiff.store.workspace import Workspace

OWN_FOLDER = ".skiff"


def read_outcomes(workspace: Workspace, *, since: str | None = None, release: int | None = None) -> pl.DataFrame:
    """Return the answers whose outcome is known, oldest first, each case once; shadows are left out.

    Parameters
    ----------
    workspace : Workspace
    since : str, optional
        ISO 8601: only answers from then on. Those given after a release was made are rows it cannot have learned from.
    release : int, optional
        Only the answers of this release.

    Returns
    -------
    DataFrame
        As `skiff.store.predictions.reader.PredictionReader.read_window` gives it.
    """
    settings: Settings = workspace.settings
    store = open_store(
        workspace.root / OWN_FOLDER, database=settings.store.database, is_read_only=True, box=workspace.box
    )
    with PredictionReader(store) as reader:
        rows = reader.read_window(datetime.fromisoformat(since) if since else None, release=release)
    return rows.filter(pl.col("outcome").is_not_null(), pl.col("role") != "shadow").sort("at")


def is_logged(outcomes: pl.DataFrame, name: str) -> bool:
    """Return whether the log kept anything of a column."""
    column = f"{INPUT_PREFIX}{name}"
    return column in outcomes.columns and outcomes[column].null_count() < outcomes.height


def rebuild_rows(outcomes: pl.DataFrame, like: pl.DataFrame, task: Task, columns: Sequence[str]) -> pl.DataFrame:
    """Return logged rows as a table like the one the champion was trained on: its columns, its types, its target.

    Parameters
    ----------
    outcomes : DataFrame
        From `read_outcomes`.
    like : DataFrame
        The dataset of the champion; cells that cannot be cast to its types become missing.
    task : Task
    columns : sequence of str
        The columns the champion takes.

    Raises
    ------
    SkiffError
        ``inputs_not_kept``: what a column held was not logged, so nothing can be learned from the answers.
    """
    outcomes = _take_readable(outcomes)
    lacking = [name for name in columns if not outcomes.height or f"{INPUT_PREFIX}{name}" not in outcomes.columns]
    if lacking:
        raise SkiffError(
            "inputs_not_kept",
            what=f"The prediction log does not keep {len(lacking)} of the {len(columns)} columns the model takes "
            f"(the first is '{lacking[0]}'), so a challenger cannot learn from what was answered.",
            where={"setting": "serving.keep_inputs", "column": lacking[0]},
            fix='Set  keep_inputs = "all"  under [serving] in skiff.toml, or train on a new file with `skiff run`.',
        )
    made = [cast_logged(outcomes[f"{INPUT_PREFIX}{name}"], like.schema[name]).alias(name) for name in columns]
    return pl.DataFrame([*made, cast_logged(outcomes["outcome"], like.schema[task.target]).alias(task.target)])


HASHED = f"^[0-9a-f]{{{2 * HASH_BYTES}}}$"
"""How `hash_cell` writes a cell."""

_TYPES: Mapping[str, pl.DataType] = {
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "category": pl.String(),
    "text": pl.String(),
}


def cast_logged(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Return a logged column with the type it had in training; JSON has no dates and one kind of number."""
    if column.dtype == dtype:
        return column
    if column.dtype == pl.String and dtype.is_temporal():
        moment = column.str.to_datetime(strict=False, time_unit="us", time_zone=None)
        if moment.null_count() == column.len():
            moment = column.str.to_date(strict=False).cast(pl.Datetime("us"))
        return moment.cast(dtype, strict=False)
    if column.dtype == pl.String and (dtype == pl.Boolean or dtype.is_numeric()):
        column = _read_cells(column, to_yes_no if dtype == pl.Boolean else to_number)
    if dtype == pl.Boolean and column.dtype.is_numeric():
        return column != 0
    if dtype == pl.String and column.dtype != pl.String:
        cells = column.unique().drop_nulls().to_list()
        return column.replace_strict(cells, [to_text(cell) for cell in cells], default=None, return_dtype=pl.String)
    return column.cast(dtype, strict=False)


def cast_inputs(frame: pl.DataFrame, inputs: Sequence[InputColumn]) -> pl.DataFrame:
    """Return logged rows with the model's columns as the model read them.

    One caller sends ``24`` and another ``"24"``, ``true`` and ``"yes"``: all are answered alike, so all count alike.

    Examples
    --------
    >>> logged = pl.DataFrame({"in.nights": ["2", "3.0"], "in.member": ["yes", "false"]})
    >>> made = cast_inputs(logged, [InputColumn(name="nights", kind="number"), InputColumn(name="member", kind="boolean")])
    >>> made.to_dict(as_series=False)
    {'in.nights': [2.0, 3.0], 'in.member': [True, False]}
    """
    hashed = _find_hashed(frame)
    logged = [pl.col(name) for name in frame.columns if name.startswith(INPUT_PREFIX)]
    frame = frame.with_columns(pl.when(~hashed).then(column) for column in logged)
    names = {f"{INPUT_PREFIX}{column.name}": _TYPES[column.kind] for column in inputs if column.kind in _TYPES}
    return frame.with_columns(
        cast_logged(frame[name], dtype).alias(name) for name, dtype in names.items() if name in frame.columns
    )


def _take_readable(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose inputs are known: not those kept as hashes, and not those that were emptied since."""
    names = [name for name in outcomes.columns if name.startswith(INPUT_PREFIX)]
    if not names:
        return outcomes
    return outcomes.filter(~_find_hashed(outcomes), pl.any_horizontal(pl.col(names).is_not_null()))


def _find_hashed(frame: pl.DataFrame) -> pl.Series:
    """Return which rows hold nothing but hashes, whatever the settings say now."""
    names = [name for name in frame.columns if name.startswith(INPUT_PREFIX)]
    if not names:
        return pl.repeat(value=False, n=frame.height, eager=True)
    are = [
        (frame[name].is_null() | frame[name].str.contains(HASHED)).alias(name)
        if frame[name].dtype == pl.String
        else frame[name].is_null().alias(name)
        for name in names
    ]
    known = frame.select(pl.any_horizontal(pl.col(names).is_not_null())).to_series()
    return pl.DataFrame(are).select(pl.all_horizontal(pl.all())).to_series() & known


def _read_cells(column: pl.Series, read: Callable[[str], float]) -> pl.Series:
    """Return texts as numbers; those that are none are missing."""
    known: dict[str, float | None] = {}
    for cell in column.unique().drop_nulls().to_list():
        try:
            number = read(cell)
        except (TypeError, ValueError):
            continue
        known[cell] = None if math.isnan(number) else number
    return column.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.Float64)
