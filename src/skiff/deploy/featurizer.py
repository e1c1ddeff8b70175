"""Training features by running the emitted graph itself, so that training and serving cannot differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.pipeline import Encoder, FeatureMatrix
from skiff.core.signature import InputColumn
from skiff.deploy.compiler import compile_featurizer, list_used_inputs
from skiff.deploy.session import open_session, run_in_chunks
from skiff.deploy.tensors import build_tensor, refuse_missing_columns

if TYPE_CHECKING:
    import polars as pl


def featurize(inputs: Sequence[InputColumn], encoders: Sequence[Encoder], frame: pl.DataFrame) -> FeatureMatrix:
    """Return both views of the encoded rows of `frame`, in its order.

    A frame of no rows, or no encoders, gives empty matrices. Satisfies `core.pipeline.Featurize`.
    """
    model, views = compile_featurizer(inputs, encoders)
    used = list_used_inputs(inputs, encoders)
    refuse_missing_columns(used, frame.columns)
    found = {view: np.zeros((frame.height, 0)) for view in ("tree", "linear")}
    present = [view for view in found if getattr(views, view)]
    if present and frame.height:
        tensors = {column.name: build_tensor(column, frame[column.name]) for column in used}
        outputs = run_in_chunks(open_session(model), present, tensors)
        found.update(zip(present, outputs, strict=True))
    for view in present:
        if not frame.height:
            found[view] = np.zeros((0, len(getattr(views, f"{view}_names"))))
    return FeatureMatrix(
        tree=found["tree"],
        linear=found["linear"],
        tree_names=tuple(name for name, _ in views.tree_names),
        linear_names=tuple(name for name, _ in views.linear_names),
        tree_columns=tuple(column for _, column in views.tree_names),
        linear_columns=tuple(column for _, column in views.linear_names),
        categorical=tuple(views.categorical),
    )
