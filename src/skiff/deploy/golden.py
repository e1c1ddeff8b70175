"""Rows with known answers: made from what a model takes, never from the client's rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from skiff.core.signature import MISSING_DATE_S, InputColumn
from skiff.deploy.predictor import Predictor

N_ROWS = 25
UNSEEN = "a word it has never seen"

Cell = float | int | str | None


def build_golden(predictor: Predictor, *, seed: int = 0) -> dict[str, Any]:  # Any: a JSON document
    """Return made-up rows within what the model has seen, some beyond it and some empty, with its answers.

    Parameters
    ----------
    predictor : Predictor
    seed : int

    Returns
    -------
    dict
        ``inputs`` (name, kind and cells of each column; dates in seconds since 1970-01-01 UTC, None is missing) and
        ``outputs`` (``label`` and ``probabilities``, or ``value``), at full precision.
    """
    random = np.random.default_rng(seed)
    columns = {column.name: _draw(column, random) for column in predictor.signature.inputs}
    frame = pl.DataFrame(
        {column.name: _to_series(column, columns[column.name]) for column in predictor.signature.inputs}
    )
    answers = predictor.predict_columns(frame)
    outputs: dict[str, Any] = (
        {"value": answers.values.tolist()}
        if predictor.kind == "regression"
        else {"label": [str(label) for label in answers.labels], "probabilities": answers.probabilities.tolist()}
    )
    inputs = [
        {"name": column.name, "kind": column.kind, "cells": columns[column.name]}
        for column in predictor.signature.inputs
    ]
    return {"format": 1, "inputs": inputs, "outputs": outputs}


def _draw(column: InputColumn, random: np.random.Generator) -> list[Cell]:
    made: list[Cell] = [None]
    if column.kind in {"number", "date"}:
        low = column.low if column.low is not None else 0.0
        high = column.high if column.high is not None else 1.0
        span = high - low or 1.0
        drawn = [low, high, low - span, high + span, *random.uniform(low, high, N_ROWS - 5).tolist()]
        whole = column.is_integer or column.kind == "date"
        made += [math.floor(value) if whole else float(value) for value in drawn]
    elif column.kind == "boolean":
        made += [float(place % 2) for place in range(N_ROWS - 1)]
    else:
        levels: Sequence[str] = column.levels or ("made-up text",)
        made += [UNSEEN, *[levels[place % len(levels)] for place in range(N_ROWS - 2)]]
    random.shuffle(made)
    return made


def _to_series(column: InputColumn, cells: Sequence[Cell]) -> pl.Series:
    if column.kind in {"category", "text"}:
        return pl.Series(cells, dtype=pl.String)
    if column.kind == "date":
        seconds = [None if cell is None or cell == MISSING_DATE_S else int(cell) * 1_000_000 for cell in cells]
        return pl.Series(seconds, dtype=pl.Int64).cast(pl.Datetime("us"))
    return pl.Series(cells, dtype=pl.Float64, strict=False)
