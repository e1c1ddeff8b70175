"""Gradient-boosted symmetric trees by CatBoost over the tree view: an extra, tried only where the library is installed.

All nodes of one level of a symmetric tree ask the same question, which keeps each tree simple, and makes the blend's other
trees and these wrong in different places. CatBoost sees the columns that the other trees see, codes and target means included,
never its own encodings of categories: so its trees can be written as arrays and answer inside the graph.

References
----------
L. Prokhorenkova, G. Gusev, A. Vorobev, A. Dorogush and A. Gulin, 2018, "CatBoost: unbiased boosting with categorical features",
NeurIPS 31, https://arxiv.org/abs/1706.09516.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from scipy.special import expit, softmax

from skiff.core.optional import import_extra
from skiff.core.pipeline import FeatureMatrix, View
from skiff.train.aim import Aim
from skiff.train.boosting import FASTEST_RATE, LEAST_ROUNDS
from skiff.train.export import read_as_catboost, trees_from_catboost
from skiff.train.limits import Limit
from skiff.train.linear import SURE
from skiff.train.recipes import Effort, Fitted, FoldFit, Rows, from_scale, link_of, pair, to_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

MODULE, EXTRA = "catboost", "catboost"

MAX_LEAVES = 96_000
"""Leaves of all trees and classes together: about 4 MB in the graph, as for forests. With many classes fewer rounds are tried."""

LOOK_EVERY, LOOK_SHARE = 10, 0.25
"""Rounds between two looks at the pace of a final fit, and the share of its rounds in which it may still begin anew."""

LAWS = {"poisson": "Poisson", "tweedie": "Tweedie:variance_power=1.5"}
"""Laws of errors; the power is the one LightGBM takes, too, half-way between counts and amounts."""

SMALLEST_MEAN = 1e-9
"""Mean below which a law's logarithm is not followed any further down."""

LOSSES = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}

Model: TypeAlias = Any  # CatBoost's own class, or None where there was nothing to learn; the library may be absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Symmetric:
    """One configuration of CatBoost.

    Parameters
    ----------
    name : str
    rate : float
        Learning rate.
    depth : int
        Questions asked on the way to a leaf.
    max_rounds : int
    penalty : float
        On the squared leaves (``l2_leaf_reg``).
    is_log : bool
    law : {"", "poisson", "tweedie"}
        As in `boosting.Boosting`.
    """

    name: str
    rate: float = 0.06
    depth: int = 6
    max_rounds: int = 1_000
    penalty: float = 3.0
    is_log: bool = False
    law: Literal["", "poisson", "tweedie"] = ""

    @property
    def view(self) -> View:
        """Return the view it reads."""
        return "tree"

    @property
    def patience(self) -> int:
        """Return after how many rounds without gain a fold ends."""
        return max(15, int(2.0 / self.rate))

    def fit_fold(self, fit: Rows, held: Rows, aim: Aim, effort: Effort) -> FoldFit:
        """Boost until the held-out loss has not fallen for `patience` rounds."""
        watch = _Watch(limit=effort.limit)
        grown = self._grow(fit, aim, effort, rounds=self._cap_rounds(aim), rate=self.rate, watch=watch, held=held)
        X = read_as_catboost(held.X)
        told = {} if grown.model is None else grown.model.get_evals_result()
        [losses] = told["validation"].values() if "validation" in told else [[0.0]]
        return FoldFit(
            losses=np.asarray(losses, dtype=np.float64),
            answer=lambda steps: self._answer(grown.score(X, rounds=steps), aim),
            is_cut=watch.is_cut,
        )

    def fit_whole(self, rows: Rows, aim: Aim, effort: Effort, *, n_steps: int, factor: float) -> Fitted:
        """Boost for a settled number of rounds; where the first ones show that time is short, begin anew with larger steps."""
        pace = _Pace(limit=effort.limit, rounds=n_steps)
        grown = self._grow(rows, aim, effort, rounds=n_steps, rate=self.rate, watch=pace)
        if pace.wanted < n_steps:
            rate = min(FASTEST_RATE, self.rate * n_steps / pace.wanted)
            rounds = max(LEAST_ROUNDS, round(n_steps * self.rate / rate))
            grown = self._grow(rows, aim, effort, rounds=rounds, rate=rate)

        def answer(features: FeatureMatrix) -> Float:
            return self._answer(grown.score(read_as_catboost(features.tree)), aim, factor=factor)

        shift = float(np.log(factor)) if self.is_log else 0.0
        return Fitted(
            part=trees_from_catboost(
                grown.model, grown.start + shift, n_columns=rows.X.shape[1], targets=grown.targets
            ),
            link="exp" if self.law else link_of(aim, is_log=self.is_log),
            answer=answer,
        )

    def _cap_rounds(self, aim: Aim) -> int:
        n_copies = aim.n_classes if aim.kind == "multiclass" else 1
        return min(self.max_rounds, max(LEAST_ROUNDS, MAX_LEAVES // (n_copies << self.depth)))

    def _grow(
        self, rows: Rows, aim: Aim, effort: Effort, *,
        rounds: int, rate: float, watch: _Watch | _Pace | None = None, held: Rows | None = None,
    ) -> _Grown:  # fmt: skip
        """Fit the library's model; none where no column or target varies, which it refuses."""
        X = read_as_catboost(rows.X)
        if not (X.min(axis=0) < X.max(axis=0)).any() or rows.y.min() == rows.y.max():
            return _Grown(model=None, start=self._find_start(rows, aim))
        library: Any = import_extra(MODULE, extra=EXTRA)  # Any: it may be absent
        # By a law with a logarithmic link the library starts at 1, which takes large means hundreds of rounds to leave.
        start = self._find_start(rows, aim) if self.law else np.zeros(1)
        known = np.unique(rows.y) if aim.kind == "multiclass" else np.zeros(0)
        targets = tuple(known.astype(np.int64).tolist()) or (0,)
        if len(known):  # a fold may not have met all classes
            start = np.full(aim.n_classes, -SURE)
            start[list(targets)] = 0.0

        def pool(some: Rows) -> Any:  # noqa: ANN401  the library's own class
            y = np.searchsorted(known, some.y) if len(known) else to_scale(some.y, is_log=self.is_log)
            baseline = np.full(len(y), start[0]) if self.law else None
            return library.Pool(read_as_catboost(some.X), y, weight=some.w, baseline=baseline)

        watching: dict[str, Any] = {"callbacks": [watch]} if watch else {}
        met = None if held is None else _keep_classes(held, known) if len(known) else held
        if met is not None and len(met.y):
            watching |= {"eval_set": pool(met), "use_best_model": False, "early_stopping_rounds": self.patience}
        model = library.CatBoost(self._parameters(aim, effort, rounds=rounds, rate=rate))
        model.fit(pool(rows), **watching)
        return _Grown(model=model, start=start, targets=targets)

    def _parameters(self, aim: Aim, effort: Effort, *, rounds: int, rate: float) -> dict[str, Any]:
        loss = LAWS[self.law] if self.law else LOSSES[aim.kind]
        return {
            "loss_function": loss,
            "eval_metric": loss + (";" if ":" in loss else ":") + "hints=skip_train~true",
            "iterations": rounds,
            "learning_rate": rate,
            "depth": self.depth,
            "l2_leaf_reg": self.penalty,
            "random_seed": effort.seed,
            "thread_count": effort.threads,
            "allow_writing_files": False,
            "logging_level": "Silent",
        }

    def _find_start(self, rows: Rows, aim: Aim) -> Float:
        """Return the raw score that says no more than the shares of the classes or the mean."""
        if aim.kind == "regression":
            mean = float(np.average(to_scale(rows.y, is_log=self.is_log), weights=rows.w))
            return np.array([np.log(max(mean, SMALLEST_MEAN)) if self.law else mean])
        sizes = np.bincount(rows.y.astype(np.int64), weights=rows.w, minlength=aim.n_classes) + 0.5
        return np.array([np.log(sizes[1] / sizes[0])]) if aim.kind == "binary" else np.log(sizes / sizes.sum())

    def _answer(self, raw: Float, aim: Aim, *, factor: float = 1.0) -> Float:
        if aim.kind == "multiclass":
            return np.asarray(softmax(raw, axis=1))
        if aim.kind == "binary":
            return pair(expit(raw[:, 0]))
        return np.asarray(np.exp(raw[:, 0])) if self.law else from_scale(raw[:, 0], is_log=self.is_log, factor=factor)


def _keep_classes(rows: Rows, known: Float) -> Rows:
    """Return the rows of classes that a model has met."""
    met = np.isin(rows.y, known)
    return Rows(X=rows.X[met], y=rows.y[met], w=None if rows.w is None else rows.w[met])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grown:
    """The library's model, what is added to the raw scores, and the places of the model's own among them."""

    model: Model
    start: Float
    targets: tuple[int, ...] = (0,)

    def score(self, X: Any, *, rounds: int = 0) -> Float:  # noqa: ANN401  what `read_as_catboost` gives
        """Return raw scores of shape (n_rows, n_scores) after some rounds, 0 for all."""
        scores = np.repeat(self.start[None, :], len(X), axis=0)
        if self.model is not None and len(X):
            end = min(rounds, self.model.tree_count_)
            raw = self.model.predict(X, prediction_type="RawFormulaVal", ntree_end=end, thread_count=1)
            scores[:, list(self.targets)] += np.asarray(raw, dtype=np.float64).reshape(len(X), -1)
        return scores


class _Watch:
    """Ends the boosting of a fold when the limit is reached."""

    def __init__(self, *, limit: Limit) -> None:
        self.is_cut = False
        self._limit = limit

    def after_iteration(self, info: Any) -> bool:  # noqa: ANN401  the library's own note
        self.is_cut = info.iteration >= LEAST_ROUNDS and self._limit.is_reached()
        return not self.is_cut


class _Pace:
    """Ends a final fit early on if it would come too late; `wanted` is then the number of rounds that time allows."""

    def __init__(self, *, limit: Limit, rounds: int) -> None:
        self.wanted = rounds
        self._limit = limit
        self._rounds = rounds
        self._began = limit.clock()

    def after_iteration(self, info: Any) -> bool:  # noqa: ANN401  the library's own note
        done = info.iteration
        if done % LOOK_EVERY or done > LOOK_SHARE * self._rounds:
            return True
        per_round = (self._limit.clock() - self._began) / done
        possible = self._limit.seconds_left / max(per_round, 1e-9)
        if done + possible >= self._rounds:
            return True
        self.wanted = max(LEAST_ROUNDS, int(possible))
        return False
