"""Answers that grow with how much a row could have counted: ten insured years, ten times the claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skiff.deploy.graph import GraphBuilder

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


def emit_exposure(builder: GraphBuilder, value: str, exposure: str) -> str:
    """Return the value [N, 1] times the exposure [N, 1] (`skiff.core.pipeline.Pipeline.exposure`)."""
    is_unknown = builder.node("IsNaN", [builder.node("Sub", [exposure, exposure])])  # NaN, and infinity less infinity
    known = builder.node("Where", [is_unknown, builder.number(1.0), exposure])
    return builder.node("Mul", [value, builder.node("Max", [known, builder.number(0.0)])])


def read_exposure(frame: pl.DataFrame, column: str) -> NDArray[np.float64]:
    """Return the exposure of each row as the graph takes it: 1 where there is none.

    Examples
    --------
    >>> import polars as pl
    >>> read_exposure(pl.DataFrame({"years": [0.5, None, -2.0]}), "years").tolist()
    [0.5, 1.0, 0.0]
    """
    known = frame[column].cast(float).to_numpy().astype(np.float64)
    return np.maximum(np.where(np.isfinite(known), known, 1.0), 0.0)
