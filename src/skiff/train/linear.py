"""Regularised linear models by scikit-learn over the linear view, and the constant that asks no column at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression, Ridge

from skiff.core.pipeline import FeatureMatrix, Layers, View
from skiff.train.aim import Aim, measure_loss
from skiff.train.export import clip_output, layers_from_linear
from skiff.train.features import Matrix
from skiff.train.kinship import fold_kin, join_kin
from skiff.train.recipes import Effort, Fitted, FoldFit, Rows, from_scale, link_of, pair, to_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Weights: TypeAlias = tuple[Float, Float]

STRENGTHS = (3000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.1, 0.01)
"""Penalties tried on the squared weights, strong to weak; ``1 / C`` of scikit-learn's logistic regression."""

SPARSE_STRENGTHS = (10.0, 1.0, 0.1, 0.03, 0.01, 0.001)
"""Penalties tried where there is text: rows of unit length leave each weight little to gain, so strong ones say nothing."""

MAX_CELLS = 5_000_000
"""Dense cells a linear fit takes; of more rows than fit in there it sees a repeatable sample."""

MAX_ITERATIONS = 60
"""Steps of the solver for each penalty; each starts from the one before, so few are needed."""

LEAST_GAIN = 1e-3
"""Relative gain over two steps below which weaker penalties are no longer tried: each is slower than the one before."""

SURE = 40.0
"""Logit of a class that never occurred: its probability is about 4e-18."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """Logistic regression for classes, ridge regression for values; the penalty is chosen over the folds.

    Parameters
    ----------
    name : str
    is_log : bool
    has_kin : bool
        Whether words that are akin are drawn towards like weights (`kinship`).
    has_ratios : bool
        Whether terms of texts are scaled by how much likelier they are in one class (`find_ratios`); two classes only.
    """

    name: str
    is_log: bool = False
    has_kin: bool = False
    has_ratios: bool = False

    @property
    def view(self) -> View:
        """Return the view it reads."""
        return "linear"

    def fit_fold(self, fit: Rows, held: Rows, aim: Aim, effort: Effort) -> FoldFit:
        """Fit with ever weaker penalties until two in a row gained next to nothing."""
        losses: list[float] = []
        answers: list[Float] = []
        is_cut = False
        strengths = _list_strengths(fit.X)
        for weights in self._walk(fit, aim, effort, strengths):
            answers.append(self._answer(weights, held.X, aim))
            losses.append(measure_loss(held.y, answers[-1], aim, held.w))
            if len(losses) > 2 and losses[-1] > (1 - LEAST_GAIN) * min(losses[:-2]):  # noqa: PLR2004  two in a row
                break
            if effort.limit.is_reached():
                is_cut = len(losses) < len(strengths)
                break
        return FoldFit(
            losses=np.array(losses), answer=lambda steps: answers[min(steps, len(answers)) - 1], is_cut=is_cut
        )

    def fit_whole(self, rows: Rows, aim: Aim, effort: Effort, *, n_steps: int, factor: float) -> Fitted:
        """Fit with the chosen penalty."""
        strengths = _list_strengths(rows.X)[n_steps - 1 : n_steps]
        [(weights, bias)] = list(self._walk(rows, aim, effort, strengths))

        def answer(features: FeatureMatrix) -> Float:
            return self._answer((weights, bias), features.linear, aim, factor=factor)

        layers = layers_from_linear(weights, bias)
        if aim.kind == "regression":
            layers = bound_values(layers, aim, is_log=self.is_log, factor=factor)
        return Fitted(part=layers, link=link_of(aim, is_log=self.is_log), answer=answer)

    def _walk(self, rows: Rows, aim: Aim, effort: Effort, strengths: tuple[float, ...]) -> Iterator[Weights]:
        """Yield weights of shape (n_in, n_out) and biases for one penalty after the other."""
        X, y, w = sample_rows(rows, seed=effort.seed)
        kin = effort.kin if self.has_kin else None
        if kin is not None:
            X = join_kin(X, kin)
        ratios = find_ratios(X, y, w, n_terms=effort.n_terms) if self.has_ratios else np.ones(0)
        if len(ratios):
            X = csr_array(X.multiply(ratios[None, :])) if isinstance(X, csr_array) else X * ratios
        for weights, bias in self._fit(X, y, w, aim, strengths):
            own = weights * ratios[:, None] if len(ratios) else weights
            yield (own if kin is None else fold_kin(own, kin)), bias

    def _fit(self, X: Matrix, y: Float, w: Float | None, aim: Aim, strengths: tuple[float, ...]) -> Iterator[Weights]:
        if aim.kind == "regression":
            scaled = to_scale(y, is_log=self.is_log)
            for strength in strengths:
                ridge = Ridge(alpha=strength).fit(X, scaled, sample_weight=w)
                yield ridge.coef_.reshape(-1, 1), np.array([ridge.intercept_])
            return
        model = LogisticRegression(max_iter=MAX_ITERATIONS, warm_start=True, tol=1e-4)
        for strength in strengths:
            model.C = 1.0 / strength
            model.fit(X, y, sample_weight=w)
            yield _spread_weights(model, aim)

    def _answer(self, weights: Weights, X: Matrix, aim: Aim, *, factor: float = 1.0) -> Float:
        raw = np.asarray(X @ weights[0]) + weights[1]
        if aim.kind == "regression":
            low, high = bounds_on_scale(aim, is_log=self.is_log)
            return from_scale(np.clip(raw[:, 0], low, high), is_log=self.is_log, factor=factor)
        return pair(expit(raw[:, 0])) if aim.kind == "binary" else np.asarray(softmax(raw, axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """The class shares or the mean of the training rows: what to say when columns tell nothing.

    In the blend it pulls answers towards the middle where members are too sure of themselves.
    """

    name: str
    is_log: bool = False

    @property
    def view(self) -> View:
        """Return the view it reads: none of its columns, but a graph needs one."""
        return "linear"

    def fit_fold(self, fit: Rows, held: Rows, aim: Aim, effort: Effort) -> FoldFit:  # noqa: ARG002  every recipe takes them
        """Count."""
        answer = np.repeat(self._count(fit, aim), len(held.y), axis=0)
        found = answer[:, 0] if aim.kind == "regression" else answer
        return FoldFit(losses=np.zeros(1), answer=lambda _: found)

    def fit_whole(self, rows: Rows, aim: Aim, effort: Effort, *, n_steps: int, factor: float) -> Fitted:  # noqa: ARG002  every recipe takes them
        """Count on all rows."""
        shares = self._count(rows, aim)
        n_columns = rows.X.shape[1]

        def answer(features: FeatureMatrix) -> Float:
            full = np.repeat(shares, len(features.linear), axis=0)
            return full[:, 0] if aim.kind == "regression" else full

        if aim.kind == "regression":
            bias = shares[0]
        elif aim.kind == "binary":
            bias = np.log(shares[0, 1:] / shares[0, :1])
        else:
            bias = np.log(shares[0])
        return Fitted(
            part=layers_from_linear(np.zeros((n_columns, len(bias))), bias),
            link=link_of(aim, is_log=False),
            answer=answer,
        )

    def _count(self, rows: Rows, aim: Aim) -> Float:
        if aim.quantile is not None:
            return np.array([[_find_quantile(rows.y, aim.quantile, rows.w)]])
        if aim.kind == "regression":
            return np.array([[np.average(rows.y, weights=rows.w)]])
        sizes = (
            np.bincount(rows.y.astype(np.int64), weights=rows.w, minlength=aim.n_classes) + 0.5
        )  # Jeffreys' prior: no class is impossible
        return np.asarray((sizes / sizes.sum())[None, :])


def find_ratios(X: Matrix, y: Float, w: Float | None, *, n_terms: int) -> Float:
    """Return a factor for each column: for terms how much likelier they are in the second class, as a logarithm; else 1.

    A penalty on the weights of columns so scaled holds back terms that say nothing and leaves room to those that do; the factors
    are multiplied into the weights afterwards, so the graph does not know of them.

    Parameters
    ----------
    X : ndarray or csr_array of shape (n_rows, n_columns)
        Terms come last and are not negative.
    y : ndarray of shape (n_rows,)
        0 or 1.
    w : ndarray of shape (n_rows,), optional
    n_terms : int

    References
    ----------
    S. Wang and C. Manning, 2012, "Baselines and bigrams: simple, good sentiment and topic classification", ACL,
    https://aclanthology.org/P12-2018; with one count added to each term, as there.

    Examples
    --------
    >>> find_ratios(np.array([[5.0, 1.0, 0.0], [7.0, 0.0, 1.0]]), np.array([1.0, 0.0]), None, n_terms=2).round(2).tolist()
    [1.0, 0.69, -0.69]
    """
    counted = np.ones(len(y)) if w is None else w
    factors = np.ones(X.shape[1])
    terms = X[:, X.shape[1] - n_terms :]
    among, elsewhere = (1.0 + np.asarray(terms.T @ (counted * (y == one))) for one in (1, 0))
    factors[X.shape[1] - n_terms :] = np.log(among / among.sum()) - np.log(elsewhere / elsewhere.sum())
    return factors


def _list_strengths(X: Matrix) -> tuple[float, ...]:
    return SPARSE_STRENGTHS if isinstance(X, csr_array) else STRENGTHS


def _find_quantile(y: Float, share: float, weights: Float | None) -> float:
    """Return the smallest value at or under which `share` of the weight lies."""
    order = np.argsort(y, kind="stable")
    reached = np.cumsum(np.ones(len(y)) if weights is None else weights[order])
    return float(y[order][min(int(np.searchsorted(reached, share * reached[-1])), len(y) - 1)])


def sample_rows(rows: Rows, *, seed: int, max_cells: int = MAX_CELLS) -> tuple[Matrix, Float, Float | None]:
    """Return the rows, targets and weights, or a repeatable sample of them that has at most `max_cells` stored cells."""
    n_rows = len(rows.y)
    stored = rows.X.nnz if hasattr(rows.X, "nnz") else rows.X.size
    if stored <= max_cells:
        return rows.X, rows.y, rows.w
    room = max(1_000, int(n_rows * max_cells / stored))
    chosen = np.sort(np.random.default_rng(seed).choice(n_rows, size=min(room, n_rows), replace=False))
    return rows.X[chosen], rows.y[chosen], None if rows.w is None else rows.w[chosen]


def bounds_on_scale(aim: Aim, *, is_log: bool) -> tuple[float, float]:
    """Return the bounds of regression answers on the scale that is fitted."""
    if not is_log:
        return aim.value_low, aim.value_high
    return float(np.log1p(aim.value_low)), float(np.log1p(aim.value_high))


def bound_values(layers: Layers, aim: Aim, *, is_log: bool, factor: float) -> Layers:
    """Return layers whose raw value keeps within the bounds, moved by the smearing factor after that."""
    low, high = bounds_on_scale(aim, is_log=is_log)
    clipped = clip_output(layers, low=low, high=high)
    if not is_log:
        return clipped
    return Layers(weights=clipped.weights, biases=(*clipped.biases[:-1], clipped.biases[-1] + np.log(factor)))


def _spread_weights(model: LogisticRegression, aim: Aim) -> Weights:
    """Return weights for all classes where the model knows only some."""
    known = model.classes_.astype(np.int64)
    if aim.kind == "binary":
        return model.coef_.T.copy(), model.intercept_.copy()
    coef, intercept = model.coef_, model.intercept_
    if len(known) == 2:  # noqa: PLR2004  scikit-learn keeps one row for two classes
        coef, intercept = np.vstack([np.zeros_like(coef), coef]), np.array([0.0, intercept[0]])
    weights = np.zeros((coef.shape[1], aim.n_classes))
    bias = np.full(aim.n_classes, -SURE)
    weights[:, known], bias[known] = coef.T, intercept
    return weights, bias
