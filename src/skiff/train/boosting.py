"""Gradient-boosted trees by LightGBM, over the tree view or, to read texts, over the linear view.

References
----------
G. Ke et al., 2017, "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 30.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import lightgbm
import numpy as np
from lightgbm.callback import CallbackEnv, EarlyStopException
from scipy.sparse import csr_array, csr_matrix
from scipy.special import expit, softmax

from skiff.core.pipeline import FeatureMatrix, Link, View
from skiff.train.aim import Aim
from skiff.train.export import trees_from_lightgbm
from skiff.train.limits import Limit
from skiff.train.recipes import Effort, Fitted, FoldFit, Rows, from_scale, link_of, pair, to_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

Setting: TypeAlias = float | int | str | bool | list[int]

LEAST_ROUNDS = 5
"""Rounds done even when time is up, so that there is something to answer with."""

WIDE = 1_000
"""Columns above which values are put into 63 bins instead of 255: a round's cost is columns times bins."""

TEXT_BINS = 15
"""Bins of a term's weight: mostly it is there or it is not. Fewer were as good on short reviews, and a third quicker."""

FASTEST_RATE = 0.3
"""Largest learning rate that a final fit falls back to when time runs short."""

SEED_STEP = 7_919
"""Distance between the seeds of repeated fits, so that those of neighbouring runs do not meet."""

LOOK_EVERY = 5
"""Rounds between two looks at the pace of a final fit."""

OBJECTIVES = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}
METRICS = {"binary": "binary_logloss", "multiclass": "multi_logloss", "regression": "rmse"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosting:
    """One configuration of LightGBM.

    Parameters
    ----------
    name : str
    leaves : int
    rate : float
        Learning rate.
    max_rounds : int
    settings : mapping
        Further LightGBM parameters.
    is_log : bool
    law : {"", "poisson", "tweedie"}
        Law of the errors of a regression target that is never negative; the raw score is then the logarithm of the mean.
    view : {"tree", "linear"}
        The linear view holds the words of texts, one column a term.
    """

    name: str
    leaves: int = 31
    rate: float = 0.05
    max_rounds: int = 2_000
    settings: Mapping[str, Setting]
    is_log: bool = False
    law: Literal["", "poisson", "tweedie"] = ""
    view: View = "tree"

    @property
    def patience(self) -> int:
        """Return after how many rounds without gain a fold ends: the slower the steps, the longer."""
        return max(15, int(2.0 / self.rate))

    def fit_fold(self, fit: Rows, held: Rows, aim: Aim, effort: Effort) -> FoldFit:
        """Boost until the held-out loss has not fallen for `patience` rounds."""
        watch = _Watch(limit=effort.limit, patience=self.patience)
        data = self._dataset(fit, effort)
        watched = data.create_valid(
            _readable(held.X), label=to_scale(held.y, is_log=self.is_log), weight=held.w, params=_binning(fit, effort)
        )
        booster = lightgbm.train(
            self._parameters(aim, effort, n_rows=len(fit.y)),
            data,
            num_boost_round=self.max_rounds,
            valid_sets=[watched],
            callbacks=[watch],
        )
        return FoldFit(
            losses=np.array(watch.losses),
            answer=lambda steps: self._answer(booster, held.X, aim, steps=steps),
            is_cut=watch.is_cut,
        )

    @property
    def is_drawn(self) -> bool:
        """Whether chance decides what a fit sees, so that the mean of several fits is steadier than one."""
        return bool(self.settings.get("bagging_freq") or self.settings.get("extra_trees"))

    def fit_whole(self, rows: Rows, aim: Aim, effort: Effort, *, n_steps: int, factor: float) -> Fitted:
        """Boost for a settled number of rounds, in fewer and larger steps where time is short.

        Where chance has a hand in it and there is time (`Effort.repeats`), several fits are averaged on the raw scale and
        written as one ensemble.
        """
        n_fits = effort.repeats if self.is_drawn else 1
        boosters = []
        for number in range(n_fits):
            limit = effort.limit.shorten(effort.limit.seconds_left / (n_fits - number))
            boosters.append(
                lightgbm.train(
                    self._parameters(aim, replace(effort, seed=effort.seed + SEED_STEP * number), n_rows=len(rows.y)),
                    self._dataset(rows, effort),
                    num_boost_round=n_steps,
                    callbacks=[_Pace(limit=limit, rate=self.rate, n_steps=n_steps)],
                )
            )

        def answer(features: FeatureMatrix) -> Float:
            cells = features.tree if self.view == "tree" else features.linear
            raws = [booster.predict(cells, raw_score=True, num_threads=1) for booster in boosters]
            raw: Float = np.asarray(np.mean(raws, axis=0), dtype=np.float64)
            if self.law:
                return np.asarray(np.exp(raw))
            if aim.kind == "regression":
                return from_scale(raw, is_log=self.is_log, factor=factor)
            return pair(expit(raw)) if aim.kind == "binary" else np.asarray(softmax(raw, axis=1))

        shift = float(np.log(factor)) if self.is_log else 0.0
        link: Link = "exp" if self.law else link_of(aim, is_log=self.is_log)
        return Fitted(part=trees_from_lightgbm(*boosters, shift=shift), link=link, answer=answer)

    def _dataset(self, rows: Rows, effort: Effort) -> lightgbm.Dataset:
        return lightgbm.Dataset(
            _readable(rows.X),
            label=to_scale(rows.y, is_log=self.is_log),
            weight=rows.w,
            categorical_feature=list(effort.categorical) if self.view == "tree" else [],
            params=_binning(rows, effort),
        )

    def _parameters(self, aim: Aim, effort: Effort, *, n_rows: int) -> dict[str, Setting]:
        parameters: dict[str, Setting] = {
            "objective": OBJECTIVES[aim.kind],
            "metric": METRICS[aim.kind],
            "num_leaves": self.leaves,
            "learning_rate": self.rate,
            "min_data_in_leaf": max(2, min(20, n_rows // 20)),
            "cat_smooth": 10.0,
            "seed": effort.seed,
            "deterministic": True,
            "force_col_wise": True,  # the choice between ways is otherwise made by the clock
            "num_threads": effort.threads,
            "verbosity": -1,
            **self.settings,
        }
        if self.law:
            parameters["objective"] = self.law
        if aim.quantile is not None:
            parameters |= {"objective": "quantile", "metric": "quantile", "alpha": aim.quantile}
        if any(effort.directions) and self.view == "tree":
            parameters["monotone_constraints"] = list(effort.directions)
        if aim.kind == "multiclass":
            parameters["num_class"] = aim.n_classes
        return parameters

    def _answer(
        self,
        booster: lightgbm.Booster,
        X: Any,  # noqa: ANN401  a matrix of either kind
        aim: Aim,
        *,
        steps: int,
    ) -> Float:
        rounds = min(steps, booster.current_iteration())
        found: Float = np.asarray(booster.predict(_readable(X), num_iteration=rounds, num_threads=1), dtype=np.float64)
        if aim.kind == "regression":
            return from_scale(found, is_log=self.is_log)
        return pair(found) if aim.kind == "binary" else found


def _readable(X: Any) -> Any:  # noqa: ANN401  a matrix of either kind
    """Return the matrix as LightGBM knows it: of SciPy's sparse kinds it takes the older one."""
    return csr_matrix(X) if isinstance(X, csr_array) else X


def _binning(rows: Rows, effort: Effort) -> dict[str, Setting]:
    n_bins = 255 if rows.X.shape[1] <= WIDE else 63
    if isinstance(rows.X, csr_array):
        n_bins = TEXT_BINS
    return {"verbosity": -1, "num_threads": effort.threads, "max_bin": n_bins, "feature_pre_filter": False}


class _Watch:
    """Follows the held-out loss and ends the boosting when it no longer falls, or when the limit is reached."""

    def __init__(self, *, limit: Limit, patience: int) -> None:
        self.losses: list[float] = []
        self.is_cut = False
        self._limit = limit
        self._patience = patience
        self._best = float("inf")
        self._best_at = 0

    def __call__(self, env: CallbackEnv) -> None:
        done = env.iteration + 1
        if env.evaluation_result_list:
            loss = float(env.evaluation_result_list[0][2])
            self.losses.append(loss)
            if loss < self._best - 1e-12 * abs(self._best if np.isfinite(self._best) else 0.0):
                self._best, self._best_at = loss, done
        if done >= LEAST_ROUNDS and self._limit.is_reached():
            self.is_cut = True
            raise EarlyStopException(env.iteration, env.evaluation_result_list or [])
        if self.losses and done - self._best_at >= self._patience:
            raise EarlyStopException(env.iteration, env.evaluation_result_list or [])


class _Pace:
    """Spends a settled amount of learning (rounds times rate) within the limit: late, it takes larger steps, not fewer.

    A boosted model that stops half-way answers half-way between the mean and the truth; one that took twice the steps at half
    the number is hardly worse.
    """

    def __init__(self, *, limit: Limit, rate: float, n_steps: int) -> None:
        self._limit = limit
        self._rate = rate
        self._left = rate * n_steps
        self._began = limit.clock()

    def __call__(self, env: CallbackEnv) -> None:
        done = env.iteration + 1
        self._left -= self._rate
        if self._left < self._rate / 2:  # never for lack of time: a model that is late beats one that is half learned
            raise EarlyStopException(env.iteration, [])
        if done % LOOK_EVERY == 0:
            per_round = (self._limit.clock() - self._began) / done
            rounds_left = max(1.0, self._limit.seconds_left / max(per_round, 1e-9))
            wanted = min(FASTEST_RATE, self._left / rounds_left)
            if wanted > self._rate:
                self._rate = wanted
                booster: Any = env.model  # Any: LightGBM's type also allows the bundle that its cross-validation makes
                booster.reset_parameter({"learning_rate": wanted})
