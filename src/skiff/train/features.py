"""Encoded training rows, fold by fold, with target means that never saw the row they describe."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from scipy.sparse import csr_array, vstack

from skiff.core.pipeline import Encoder, FeatureMatrix, Featurize, TextEncoder, ValueEncoder, View
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.train.values import N_PARTS, TARGET_MEAN, deal_parts, fit_target_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Rows: TypeAlias = NDArray[np.int64]

Matrix: TypeAlias = "Float | csr_array"

CHUNK_CELLS_TEXT, CHUNK_CELLS = 1_500_000, 8_000_000
"""Cells of both views encoded at once (12 and 64 MB, and several times that inside the graph): wide views are made in pieces."""

FIRST_CHUNK_ROWS = 64
"""Rows encoded first, to learn how wide the views are, and at least in each piece. With 250, messages of 11,000 terms took 100 MB more."""

LINEAR_CELLS = 15_000_000
"""Dense cells of the linear view that are kept (120 MB). Linear members gain little from more rows than fit in there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldRows:
    """Positions of the rows a fold fits on and of those it holds out."""

    fit: Rows
    held: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Columns of target means for some rows: replaced in both views before a member sees them."""

    tree: Float
    linear: Float


class Features:
    """Both views of the training rows.

    Parameters
    ----------
    matrix : FeatureMatrix
        All rows under the final encoders, without the linear view's cells.
    linear : ndarray or csr_array of shape (n_linear_rows, n_linear)
    linear_rows : ndarray of int64
        Position in `linear` of each training row, -1 where it was left out for size.
    fold_rows : sequence of FoldRows
    fold_means : sequence of (Means, Means)
        For each fold's fitting and held-out rows.
    whole_means : Means
        For all rows, when members are fitted once more at the end.
    places : tuple of (list of int, list of int)
        Where the target means stand in the tree view and in the linear view.
    hidden : list of int
        Columns of the linear view that its members do not see: all 0.
    """

    def __init__(
        self,
        matrix: FeatureMatrix,
        *,
        linear: Matrix,
        linear_rows: Rows,
        fold_rows: Sequence[FoldRows],
        fold_means: Sequence[tuple[Means, Means]],
        whole_means: Means,
        places: tuple[list[int], list[int]],
        hidden: Sequence[int] = (),
    ) -> None:
        """Keep the views."""
        self.matrix = matrix
        self.fold_rows = tuple(fold_rows)
        self._linear = linear
        self._linear_rows = linear_rows
        self._fold_means = fold_means
        self._whole_means = whole_means
        self._tree_places, self._linear_places = places
        self.hidden = list(hidden)

    def width(self, view: View) -> int:
        """Return how many columns a view has."""
        return len(self.matrix.tree_names if view == "tree" else self.matrix.linear_names)

    def count_levels(self) -> list[int]:
        """Return how many levels each category of the tree view has among the rows."""
        return [len(np.unique(self.matrix.tree[:, place])) for place in self.matrix.categorical]

    @property
    def is_sparse(self) -> bool:
        """Whether the linear view is kept as a sparse matrix (there is text)."""
        return isinstance(self._linear, csr_array)

    def usable(self, view: View, rows: Rows) -> NDArray[np.bool_]:
        """Return which of `rows` the view holds."""
        return np.ones(len(rows), dtype=bool) if view == "tree" else self._linear_rows[rows] >= 0

    def fitting(self, view: View, fold: int) -> tuple[Matrix, Rows]:
        """Return a fold's fitting rows and their positions."""
        return self._take(view, self.fold_rows[fold].fit, self._fold_means[fold][0])

    def held_out(self, view: View, fold: int) -> tuple[Matrix, Rows]:
        """Return a fold's held-out rows and their positions."""
        return self._take(view, self.fold_rows[fold].held, self._fold_means[fold][1])

    def whole(self, view: View) -> tuple[Matrix, Rows]:
        """Return all rows and their positions."""
        return self._take(view, np.arange(len(self._linear_rows)), self._whole_means)

    def thin(self, kept: Sequence[Rows]) -> Features:
        """Return the same rows with folds that fit on fewer of them: `kept` are positions among each fold's fitting rows."""
        folds = [replace(fold, fit=fold.fit[some]) for fold, some in zip(self.fold_rows, kept, strict=True)]
        means = [
            (Means(tree=seen.tree[some], linear=seen.linear[some]), held)
            for (seen, held), some in zip(self._fold_means, kept, strict=True)
        ]
        return Features(
            self.matrix, linear=self._linear, linear_rows=self._linear_rows, fold_rows=folds, fold_means=means,
            whole_means=self._whole_means, places=(self._tree_places, self._linear_places), hidden=self.hidden,
        )  # fmt: skip

    def hide(self, names: Collection[str]) -> Features:
        """Return the same rows with some columns of the linear view hidden from its members."""
        hidden = [place for place, name in enumerate(self.matrix.linear_names) if name in names]
        return Features(
            self.matrix, linear=self._linear, linear_rows=self._linear_rows, fold_rows=self.fold_rows,
            fold_means=self._fold_means, whole_means=self._whole_means,
            places=(self._tree_places, self._linear_places), hidden=hidden,
        )  # fmt: skip

    def measure_length(self, kin: Float) -> float:
        """Return the root mean square length of the linear view's rows times a matrix."""
        return float(np.sqrt(np.mean(np.sum(np.asarray(self._linear @ kin) ** 2, axis=1))))

    def sample(self, n_rows: int) -> tuple[FeatureMatrix, Rows]:
        """Return up to `n_rows` rows as later rows are encoded (means from all rows), and their positions."""
        held = np.flatnonzero(self._linear_rows >= 0)
        rows = held[:: max(1, -(-len(held) // n_rows))]
        linear = self._linear[self._linear_rows[rows]]
        dense = linear.toarray() if isinstance(linear, csr_array) else linear
        return replace(self.matrix, tree=self.matrix.tree[rows], linear=dense), rows

    def _take(self, view: View, rows: Rows, means: Means) -> tuple[Matrix, Rows]:
        kept = self.usable(view, rows)
        if view == "tree":
            return _replace(self.matrix.tree[rows], self._tree_places, means.tree), rows
        cells = _replace(self._linear[self._linear_rows[rows[kept]]], self._linear_places, means.linear[kept])
        return _replace(cells, self.hidden, np.zeros((int(kept.sum()), len(self.hidden)))), rows[kept]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The raw training rows and how they are encoded; target means are made of `y`."""

    frame: pl.DataFrame
    inputs: Sequence[InputColumn]
    encoders: Sequence[Encoder]
    y: Float
    task: Task
    featurize: Featurize
    seed: int
    groups: Rows | None = None


def build_features(source: Source, folds: Sequence[FoldRows]) -> Features:
    """Encode all rows once, and the target means once for each fold."""
    matrix, linear, linear_rows = _encode(source)
    supervised = [item for item in source.encoders if isinstance(item, ValueEncoder) and item.label == TARGET_MEAN]
    all_rows = np.arange(source.frame.height)
    fold_means = []
    for fold in folds:
        seen = _cross_fit_means(source, supervised, fold.fit)
        fold_means.append((seen, _fit_means(source, supervised, fold.fit, fold.held)))
    return Features(
        matrix,
        linear=linear,
        linear_rows=linear_rows,
        fold_rows=folds,
        fold_means=fold_means,
        whole_means=_cross_fit_means(source, supervised, all_rows),
        places=_find_places(source, supervised, matrix),
    )


def _encode(source: Source) -> tuple[FeatureMatrix, Matrix, Rows]:
    """Return the tree view of all rows, and the linear view of as many as may be kept."""
    n_rows = source.frame.height
    start = min(n_rows, FIRST_CHUNK_ROWS)
    first = source.featurize(source.inputs, source.encoders, source.frame.head(start))
    n_tree, n_linear = len(first.tree_names), len(first.linear_names)
    is_sparse = any(isinstance(encoder, TextEncoder) for encoder in source.encoders)
    room = n_rows if is_sparse else min(n_rows, max(1_000, LINEAR_CELLS // max(1, n_linear)))
    wanted = np.ones(n_rows, dtype=bool)
    if room < n_rows:
        wanted = np.zeros(n_rows, dtype=bool)
        wanted[np.random.default_rng(source.seed).choice(n_rows, size=room, replace=False)] = True
    cells = CHUNK_CELLS_TEXT if is_sparse else CHUNK_CELLS
    chunk = max(FIRST_CHUNK_ROWS, cells // max(1, n_tree + n_linear))
    trees, linears = [], []
    for begin in (0, *range(start, n_rows, chunk)):
        part = source.featurize(source.inputs, source.encoders, source.frame.slice(begin, chunk)) if begin else first
        trees.append(part.tree)
        kept = part.linear if room == n_rows else part.linear[wanted[begin : begin + len(part.linear)]]
        linears.append(csr_array(kept) if is_sparse else kept)
    tree = trees[0] if len(trees) == 1 else np.concatenate(trees)
    linear: Matrix = linears[0]
    if len(linears) > 1:
        linear = csr_array(vstack(linears)) if is_sparse else np.concatenate(linears)
    places = np.where(wanted, np.cumsum(wanted) - 1, -1)
    matrix = FeatureMatrix(
        tree=tree,
        linear=np.zeros((0, n_linear)),
        tree_names=first.tree_names,
        linear_names=first.linear_names,
        tree_columns=first.tree_columns,
        linear_columns=first.linear_columns,
        categorical=first.categorical,
    )
    return matrix, linear, places


def _cross_fit_means(source: Source, supervised: Sequence[ValueEncoder], rows: Rows) -> Means:
    """Return target means for `rows`, each made from other rows of `rows`."""
    if not supervised:
        return Means(tree=np.zeros((len(rows), 0)), linear=np.zeros((len(rows), 0)))
    groups = None if source.groups is None else source.groups[rows]
    parts = deal_parts(len(rows), seed=source.seed, groups=groups)
    found: Means | None = None
    for part in range(N_PARTS):
        inside = parts == part
        if not inside.any() or inside.all():
            continue
        made = _fit_means(source, supervised, rows[~inside], rows[inside])
        if found is None:
            found = Means(
                tree=np.full((len(rows), made.tree.shape[1]), np.nan),
                linear=np.zeros((len(rows), made.linear.shape[1])),
            )
        found.tree[inside], found.linear[inside] = made.tree, made.linear
    return found or _fit_means(source, supervised, rows, rows)


def _fit_means(source: Source, supervised: Sequence[ValueEncoder], fit: Rows, held: Rows) -> Means:
    """Return target means for the `held` rows, made from the `fit` rows.

    The linear view is scaled as in the final encoders, so that a member's weights mean the same in every fold.
    """
    if not supervised:
        return Means(tree=np.zeros((len(held), 0)), linear=np.zeros((len(held), 0)))
    seen = source.frame.select([item.column for item in supervised])[fit]
    fitted = []
    for item in supervised:
        fresh = fit_target_means(seen[item.column], source.y[fit], source.task)
        fitted.append(
            ValueEncoder(
                column=fresh.column,
                label=fresh.label,
                levels=fresh.levels,
                values=fresh.values,
                default=fresh.default,
                missing=fresh.missing,
                mean=item.mean,
                scale=item.scale,
            )
        )
    needed = {item.column for item in supervised}
    made = source.featurize([item for item in source.inputs if item.name in needed], fitted, source.frame[held])
    return Means(tree=made.tree, linear=made.linear)


def _find_places(
    source: Source, supervised: Sequence[ValueEncoder], matrix: FeatureMatrix
) -> tuple[list[int], list[int]]:
    """Return where the target means stand in both views; of equal names the last one is theirs (levels come first)."""
    if not supervised:
        return [], []
    alone = source.featurize(source.inputs, supervised, source.frame.head(1))
    tree = {name: place for place, name in enumerate(matrix.tree_names)}
    linear = {name: place for place, name in enumerate(matrix.linear_names)}
    return [tree[name] for name in alone.tree_names], [linear[name] for name in alone.linear_names]


def _replace(cells: Matrix, places: list[int], means: Float) -> Matrix:
    """Write the means into a copy of the view's cells."""
    if not places:
        return cells
    if isinstance(cells, csr_array):
        n_rows, n_columns = cells.shape
        others = np.ones(n_columns)
        others[places] = 0.0
        at = (np.repeat(np.arange(n_rows), len(places)), np.tile(places, n_rows))
        return csr_array(cells.multiply(others[None, :]) + csr_array((means.ravel(), at), shape=cells.shape))
    cells[:, places] = means
    return cells
