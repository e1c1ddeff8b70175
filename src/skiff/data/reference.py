"""What the training data looked like, kept with the release: the yardstick for later monitoring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.evidence import Json
from skiff.core.signature import InputColumn
from skiff.data.facts import ColumnFacts, gather_facts
from skiff.data.kinds import take_top_levels
from skiff.data.profile import MIN_SHARED, look_up_quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT_VERSION = 1

N_QUANTILES = 999
"""Quantiles kept, at 0.001 to 0.999: a two-sample Kolmogorov-Smirnov distance read from them is exact to 0.001."""

MAX_LEVELS = 1_000
"""Levels kept with their counts; the rest is counted together."""

MAX_POINTS = 50
"""Numbers with at most this many different values are also kept as counts: quantiles blur steps."""


def build_reference(
    frame: pl.DataFrame, inputs: Sequence[InputColumn], *, predictions: NDArray[np.float64]
) -> dict[str, Json]:
    """Summarise the training rows and the model's answers on them, without keeping a row.

    Parameters
    ----------
    frame : polars.DataFrame
        Training rows.
    inputs : sequence of InputColumn
        Columns that the model takes.
    predictions : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        The model's answers on them: values or probabilities.

    Returns
    -------
    dict
        ``{"version", "rows", "columns": {name: {"kind", "n", "missing_rate", …}}, "predictions": [{"n", "quantiles"}]}``.
        Numbers and dates (seconds since 1970) have ``quantiles`` with the exact number of rows up to each (``cumulative``),
        ``low``, ``high``, ``mean`` and ``sd``; few-valued numbers and yes/no also ``counts`` as ``[value, n]`` pairs;
        categories ``levels`` and ``other``; texts the same of their length. What the sealed rows add stands under ``judged``
        (`skiff.evaluate.yardstick`).

    Notes
    -----
    Levels shared by fewer than five rows are counted in ``other`` and not named.

    Examples
    --------
    >>> from skiff.data.kinds import infer_inputs
    >>> stays = pl.DataFrame({"city": ["Rome"] * 6 + ["Oslo"]})
    >>> made = build_reference(stays, infer_inputs(stays), predictions=np.linspace(0, 1, 7))
    >>> made["columns"]["city"]["levels"], made["columns"]["city"]["other"]
    ({'Rome': 6}, 1)
    """
    facts = gather_facts(frame.select([column.name for column in inputs]))
    columns: dict[str, Json] = {column.name: _summarise(facts[column.name], column) for column in inputs}
    outputs = predictions.T if predictions.ndim > 1 else predictions[None, :]
    answers: list[Json] = [summarise_numbers(np.sort(output[np.isfinite(output)])) for output in outputs]
    return {"version": FORMAT_VERSION, "rows": frame.height, "columns": columns, "predictions": answers}


def _summarise(facts: ColumnFacts, column: InputColumn) -> dict[str, Json]:
    base: dict[str, Json] = {
        "kind": column.kind,
        "n": facts.n_known,
        "missing_rate": facts.n_missing / facts.n_rows if facts.n_rows else 0.0,
    }
    if column.kind == "category":
        shared = take_top_levels(facts.levels.filter(pl.col("n") >= MIN_SHARED), MAX_LEVELS)
        levels: dict[str, Json] = dict(zip(shared["level"].to_list(), shared["n"].to_list(), strict=True))
        return base | {"levels": levels, "other": facts.n_known - int(shared["n"].sum())}
    if column.kind == "text":
        lengths = facts.series.drop_nulls().str.len_chars().sort().cast(pl.Float64).to_numpy()
        found = summarise_numbers(lengths[lengths > 0])
        return base | {
            "length_quantiles": found.pop("quantiles"),
            **{name: found[name] for name in found if name != "n"},
        }
    counts: dict[str, Json] = {}
    if column.kind != "date" and 0 < facts.n_distinct <= MAX_POINTS:
        values, times = facts.runs
        counts = {"counts": [[float(value), int(n)] for value, n in zip(values, times, strict=True)]}
    return base | {**summarise_numbers(facts.numbers), "n": base["n"]} | counts


def summarise_numbers(ordered: NDArray[np.float64]) -> dict[str, Json]:
    """Return sorted numbers as quantiles with the rows up to each, ends, mean and standard deviation.

    The rows up to a quantile are counted, not assumed: where values repeat, a quantile stands for more than its share, and
    only the count keeps a later comparison exact at every point.

    Examples
    --------
    >>> made = summarise_numbers(np.arange(1000.0))
    >>> made["n"], made["low"], made["high"], made["quantiles"][499], made["cumulative"][499]
    (1000, 0.0, 999.0, 499.5, 500)
    """
    if not len(ordered):
        return {"n": 0, "quantiles": []}
    levels = np.arange(1, N_QUANTILES + 1) / (N_QUANTILES + 1)
    quantiles = look_up_quantiles(ordered, levels)
    return {
        "n": len(ordered),
        "quantiles": quantiles.tolist(),
        "cumulative": np.searchsorted(ordered, quantiles, side="right").tolist(),
        "low": float(ordered[0]),
        "high": float(ordered[-1]),
        "mean": float(ordered.mean()),
        "sd": float(ordered.std()),
    }
