"""What was answered and what really happened, as rows to learn from and to judge by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.settings import Settings
from skiff.core.task import Task
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
    lacking = [name for name in columns if f"{INPUT_PREFIX}{name}" not in outcomes.columns]
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


def cast_logged(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Return a logged column with the type it had in training; JSON has no dates and one kind of number."""
    if column.dtype == dtype:
        return column
    if column.dtype == pl.String and dtype.is_temporal():
        moment = column.str.to_datetime(strict=False, time_unit="us", time_zone=None)
        if moment.null_count() == column.len():
            moment = column.str.to_date(strict=False).cast(pl.Datetime("us"))
        return moment.cast(dtype, strict=False)
    if column.dtype == pl.String and dtype == pl.Boolean:
        return column.str.to_lowercase().replace_strict(
            {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False},
            default=None,
            return_dtype=pl.Boolean,
        )
    if column.dtype == pl.String and dtype.is_integer():
        return column.cast(pl.Float64, strict=False).cast(dtype, strict=False)
    return column.cast(dtype, strict=False)
