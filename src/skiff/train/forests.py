"""Extremely randomised trees by scikit-learn over the tree view, kept small.

References
----------
P. Geurts, D. Ernst and L. Wehenkel, 2006, "Extremely randomized trees", Machine Learning 63,
https://doi.org/10.1007/s10994-006-6226-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from skiff.core.pipeline import FeatureMatrix, View
from skiff.train.aim import Aim
from skiff.train.export import trees_from_forest
from skiff.train.recipes import Effort, Fitted, FoldFit, Rows, from_scale, spread_classes, to_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

MAX_SPLITS = 120_000
"""Splits of a whole forest, over all classes: about 4 MB in the graph. (An uncapped forest made a peer's 593 MB.)"""

BATCH = 20
"""Trees grown between two looks at the clock."""

FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """One configuration of extremely randomised trees."""

    name: str
    n_trees: int = 100
    min_leaf: int = 3
    max_features: float | str = "sqrt"
    is_log: bool = False

    @property
    def view(self) -> View:
        """Return the view it reads."""
        return "tree"

    def fit_fold(self, fit: Rows, held: Rows, aim: Aim, effort: Effort) -> FoldFit:
        """Grow all trees; a forest has no steps to choose from."""
        grown, is_cut = self._grow(fit, aim, effort)
        answer = self._answer(grown, held.X, aim)
        return FoldFit(losses=np.zeros(1), answer=lambda _: answer, is_cut=is_cut)

    def fit_whole(self, rows: Rows, aim: Aim, effort: Effort, *, n_steps: int, factor: float) -> Fitted:  # noqa: ARG002  one step
        """Grow all trees on all rows."""
        grown, _ = self._grow(rows, aim, effort)

        def answer(features: FeatureMatrix) -> Float:
            return self._answer(grown, features.tree, aim, factor=factor)

        if aim.kind == "regression":
            shift = float(np.log(factor)) if self.is_log else 0.0
            return Fitted(
                part=trees_from_forest(grown, shift=shift), link="expm1" if self.is_log else "identity", answer=answer
            )
        columns = grown.classes_.astype(np.int64).tolist()
        return Fitted(
            part=trees_from_forest(grown, columns=columns, n_targets=aim.n_classes), link="normalise", answer=answer
        )

    def most_leaves(self, aim: Aim) -> int:
        """Return how many leaves a tree may have."""
        return max(8, MAX_SPLITS // (self.n_trees * max(1, aim.n_classes)))

    def _grow(self, rows: Rows, aim: Aim, effort: Effort) -> tuple[Any, bool]:
        made = ExtraTreesRegressor if aim.kind == "regression" else ExtraTreesClassifier
        grown = made(
            n_estimators=min(BATCH, self.n_trees),
            min_samples_leaf=self.min_leaf,
            max_features=self.max_features,
            max_leaf_nodes=min(self.most_leaves(aim), max(8, len(rows.y))),
            random_state=effort.seed,
            n_jobs=effort.threads,
            warm_start=True,
        )
        y = to_scale(rows.y, is_log=self.is_log)
        X = _bound(rows.X)
        grown.fit(X, y, sample_weight=rows.w)
        while grown.n_estimators < self.n_trees and not effort.limit.is_reached():
            grown.n_estimators = min(self.n_trees, grown.n_estimators + BATCH)
            grown.fit(X, y, sample_weight=rows.w)
        grown.n_jobs = 1
        return grown, grown.n_estimators < self.n_trees

    def _answer(self, grown: Any, X: Any, aim: Aim, *, factor: float = 1.0) -> Float:  # noqa: ANN401  scikit-learn's estimators are untyped
        if aim.kind == "regression":
            return from_scale(grown.predict(_bound(X)), is_log=self.is_log, factor=factor)
        return spread_classes(grown.predict_proba(_bound(X)), grown.classes_.astype(np.int64).tolist(), aim.n_classes)


def _bound(X: Any) -> Float:  # noqa: ANN401  always dense for trees
    """Return the cells within float32, which scikit-learn compares in; no threshold lies beyond."""
    return np.asarray(np.clip(X, -FLOAT32_MAX, FLOAT32_MAX))
