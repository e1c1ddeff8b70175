"""A small multi-layer perceptron by scikit-learn over the linear view.

References
----------
D. P. Kingma and J. Ba, 2015, "Adam: a method for stochastic optimization", ICLR, https://arxiv.org/abs/1412.6980.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skiff.core.pipeline import FeatureMatrix, View
from skiff.train.aim import Aim, measure_loss
from skiff.train.export import layers_from_mlp, scale_output
from skiff.train.features import Matrix
from skiff.train.linear import bound_values, bounds_on_scale, sample_rows
from skiff.train.recipes import Effort, Fitted, FoldFit, Rows, from_scale, link_of, to_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

MAX_CELLS = 4_000_000
"""Dense cells an epoch may visit: a perceptron is the slowest member a row."""

PATIENCE = 6
"""Epochs without gain after which a fold ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Perceptron:
    """One or two layers of ReLU units, trained by Adam; the number of epochs is chosen over the folds."""

    name: str
    units: tuple[int, ...] = (64, 32)
    rate: float = 2e-3
    penalty: float = 1e-3
    max_epochs: int = 40
    is_log: bool = False

    @property
    def view(self) -> View:
        """Return the view it reads."""
        return "linear"

    def fit_fold(self, fit: Rows, held: Rows, aim: Aim, effort: Effort) -> FoldFit:
        """Train until the held-out loss has not fallen for some epochs."""
        losses: list[float] = []
        answers: list[Float] = []
        is_cut = False
        X, y, w = sample_rows(fit, seed=effort.seed, max_cells=MAX_CELLS)
        model, scale = self._start(y, aim, effort)
        for _ in range(self.max_epochs):
            self._train_epoch(model, X, y, w, aim, scale)
            answers.append(self._answer(model, held.X, aim, scale))
            losses.append(measure_loss(held.y, answers[-1], aim, held.w))
            if len(losses) - 1 - int(np.argmin(losses)) >= PATIENCE:
                break
            if effort.limit.is_reached():
                is_cut = True
                break
        return FoldFit(
            losses=np.array(losses), answer=lambda steps: answers[min(steps, len(answers)) - 1], is_cut=is_cut
        )

    def fit_whole(self, rows: Rows, aim: Aim, effort: Effort, *, n_steps: int, factor: float) -> Fitted:
        """Train for a settled number of epochs."""
        X, y, w = sample_rows(rows, seed=effort.seed, max_cells=MAX_CELLS)
        model, scale = self._start(y, aim, effort)
        for epoch in range(n_steps):
            if epoch and effort.limit.is_reached():
                break
            self._train_epoch(model, X, y, w, aim, scale)

        def answer(features: FeatureMatrix) -> Float:
            return self._answer(model, features.linear, aim, scale, factor=factor)

        layers = layers_from_mlp(model)
        if aim.kind == "regression":
            layers = scale_output(layers, scale=scale[1], shift=scale[0])
            layers = bound_values(layers, aim, is_log=self.is_log, factor=factor)
        return Fitted(part=layers, link=link_of(aim, is_log=self.is_log), answer=answer)

    def _start(self, y: Float, aim: Aim, effort: Effort) -> tuple[Any, tuple[float, float]]:
        made = MLPRegressor if aim.kind == "regression" else MLPClassifier
        model = made(
            hidden_layer_sizes=self.units,
            alpha=self.penalty,
            learning_rate_init=self.rate,
            batch_size=int(np.clip(len(y) // 50, min(16, len(y)), 256)),
            random_state=effort.seed,
        )
        if aim.kind != "regression":
            return model, (0.0, 1.0)
        scaled = to_scale(y, is_log=self.is_log)
        return model, (float(scaled.mean()), float(scaled.std()) or 1.0)

    def _train_epoch(  # noqa: PLR0917  what one epoch needs
        self,
        model: Any,  # noqa: ANN401  scikit-learn's estimators are untyped
        X: Matrix,
        y: Float,
        w: Float | None,
        aim: Aim,
        scale: tuple[float, float],
    ) -> None:
        shares = None if w is None else w / w.mean()  # the penalty and the rate are meant for weights of one
        if aim.kind == "regression":
            model.partial_fit(X, (to_scale(y, is_log=self.is_log) - scale[0]) / scale[1], sample_weight=shares)
        else:
            model.partial_fit(X, y, classes=np.arange(aim.n_classes, dtype=np.float64), sample_weight=shares)

    def _answer(self, model: Any, X: Matrix, aim: Aim, scale: tuple[float, float], *, factor: float = 1.0) -> Float:  # noqa: ANN401  the same
        if aim.kind != "regression":
            return np.asarray(model.predict_proba(X))
        low, high = bounds_on_scale(aim, is_log=self.is_log)
        raw = np.clip(model.predict(X) * scale[1] + scale[0], low, high)
        return from_scale(raw, is_log=self.is_log, factor=factor)
