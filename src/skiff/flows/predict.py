"""Answer the rows of a file with a released model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from skiff.core.errors import SkiffError
from skiff.deploy.runtime import Predictor
from skiff.flows.export import disarm_formulas, write_table
from skiff.flows.read import ReadTable, read_table
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictOutcome:
    """What predicting gave: the table with the answers beside the rows, and which release answered."""

    frame: pl.DataFrame
    release: int
    rows: int
    output: str | None
    shares: Mapping[str, float]

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints: counts, never rows, unless no output was named."""
        result: dict[str, object] = {"release": self.release, "rows": self.rows, "output": self.output}
        result["labels"] = dict(self.shares)
        if self.output is None:
            result["predictions"] = self.frame.select(pl.col("^skiff_.*$")).to_dicts()
        return result


def predict_file(
    folder: Path, source: Path, *, output: Path | None = None, release: int | None = None
) -> PredictOutcome:
    """Answer every row of `source` with a release of the workspace, by default the one that answers now.

    The file is read as it stands; columns the model does not use are carried along. Answers stand in columns that begin
    with ``skiff_``: ``skiff_label`` and ``skiff_probability`` (of that label, or of the positive class), or ``skiff_value``.

    Raises
    ------
    SkiffError
        ``no_release``, ``release_not_found``, ``missing_column``, ``bad_value``, and what reading says.
    """
    with Workspace.open(folder) as workspace:
        number = release or workspace.releases.champion()
        if number is None:
            raise SkiffError(
                "no_release",
                what="No release of this workspace answers yet.",
                where={"workspace": str(workspace.root)},
                fix="Make one with `skiff run FILE --target COLUMN`, or promote one: see `skiff releases list`.",
            )
        predictor = Predictor(workspace.releases.read_file(number, "model.onnx"))
    texts = tuple(column.name for column in predictor.signature.inputs if column.kind in {"category", "text"})
    read = read_table(source, keep_text=texts)
    frame = answer_table(predictor, read)
    if output is not None:
        write_table(frame, output)
    return PredictOutcome(
        frame=frame if output else disarm_formulas(frame),
        release=number,
        rows=frame.height,
        output=str(output) if output else None,
        shares=_count_labels(frame),
    )


def answer_table(predictor: Predictor, read: ReadTable) -> pl.DataFrame:
    """Return the table with the answers in columns of their own."""
    found = predictor.predict_columns(read.frame)
    if predictor.kind == "regression":
        return read.frame.with_columns(pl.Series("skiff_value", found.values))
    if predictor.kind == "binary":
        chances = found.probabilities[:, 1]
    else:
        chances = found.probabilities.max(axis=1) if len(found.probabilities) else np.empty(0)
    return read.frame.with_columns(
        pl.Series("skiff_label", found.labels.tolist(), dtype=pl.String),
        pl.Series("skiff_probability", chances, dtype=pl.Float64),
    )


def _count_labels(frame: pl.DataFrame) -> dict[str, float]:
    if "skiff_label" not in frame.columns or not frame.height:
        return {}
    counts = frame["skiff_label"].value_counts(normalize=True, sort=True)
    return dict(zip(counts["skiff_label"].to_list(), counts["proportion"].to_list(), strict=True))
