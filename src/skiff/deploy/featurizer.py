"""Training features by running the emitted graph itself, so that training and serving cannot differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.pipeline import Encoder, FeatureMatrix
from skiff.core.signature import InputColumn
from skiff.deploy.compiler import compile_featurizer, list_used_inputs
from skiff.deploy.session import open_session, run_in_chunks
from skiff.deploy.tensors import build_tensors

if TYPE_CHECKING:
    import polars as pl


class Featurizer:
    """The encoders as a graph of their own, compiled once and run as often as needed.

    Parameters
    ----------
    inputs : sequence of InputColumn
    encoders : sequence of Encoder
    threads : int

    Examples
    --------
    >>> import polars as pl
    >>> from skiff.core.pipeline import CategoryEncoder
    >>> city = CategoryEncoder(column="city", levels=("Oslo", "Bergen"), n_hot=1)
    >>> made = Featurizer([InputColumn(name="city", kind="category")], [city])
    >>> made(pl.DataFrame({"city": ["Bergen", None, "Rome"]})).tree.ravel().tolist()
    [1.0, 2.0, 3.0]
    """

    def __init__(self, inputs: Sequence[InputColumn], encoders: Sequence[Encoder], *, threads: int = 1) -> None:
        """Compile the graph; nothing is opened where there is no encoder."""
        model, self._views = compile_featurizer(inputs, encoders)
        self._inputs = list_used_inputs(inputs, encoders)
        self._outputs = [view for view in ("tree", "linear") if getattr(self._views, view)]
        self._session = open_session(model, threads=threads) if self._outputs else None

    def __call__(self, frame: pl.DataFrame) -> FeatureMatrix:
        """Return both views of the encoded rows of `frame`, in its order.

        Raises
        ------
        SkiffError
            ``missing_column`` or ``bad_value``.
        """
        views = self._views
        tensors = build_tensors(self._inputs, frame)
        found = {
            "tree": np.zeros((frame.height, len(views.tree_names))),
            "linear": np.zeros((frame.height, len(views.linear_names))),
        }
        if self._session is not None and frame.height:
            named = zip((item.name for item in self._session.get_inputs()), tensors.values(), strict=True)
            found.update(zip(self._outputs, run_in_chunks(self._session, self._outputs, dict(named)), strict=True))
        return FeatureMatrix(
            tree=found["tree"],
            linear=found["linear"],
            tree_names=tuple(name for name, _ in views.tree_names),
            linear_names=tuple(name for name, _ in views.linear_names),
            tree_columns=tuple(column for _, column in views.tree_names),
            linear_columns=tuple(column for _, column in views.linear_names),
            categorical=tuple(views.categorical),
        )


def featurize(inputs: Sequence[InputColumn], encoders: Sequence[Encoder], frame: pl.DataFrame) -> FeatureMatrix:
    """Return both views of the encoded rows of `frame`, in its order.

    A frame of no rows, or no encoders, gives empty matrices. Satisfies `core.pipeline.Featurize`. The graph of the encoders that
    were used last is kept, for a table that is encoded piece by piece: with thousands of terms, building it takes longer
    than encoding a piece.

    Raises
    ------
    SkiffError
        ``missing_column`` or ``bad_value``.
    """
    return _LAST.find(tuple(inputs), tuple(encoders))(frame)


class _LastFeaturizer:
    """The featurizer made last, found again by the very same encoders (they hold arrays, which cannot be hashed)."""

    def __init__(self) -> None:
        self._made: tuple[tuple[InputColumn, ...], tuple[Encoder, ...], Featurizer] | None = None

    def find(self, inputs: tuple[InputColumn, ...], encoders: tuple[Encoder, ...]) -> Featurizer:
        made = self._made
        if (
            made is not None
            and inputs == made[0]
            and len(encoders) == len(made[1])
            and all(one is other for one, other in zip(encoders, made[1], strict=True))
        ):
            return made[2]
        fresh = Featurizer(inputs, encoders)
        self._made = (inputs, encoders, fresh)
        return fresh


_LAST = _LastFeaturizer()
