"""The fixed configurations that are tried, in the order in which they are worth their time.

A handful of different good configurations, blended, beats hours of tuning one of them: in the measurements behind this room
searching for 60 s after the portfolio gained 0.3 % of the loss, choosing the single best lost 1.7 %.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from skiff.core.optional import has_extra
from skiff.train.aim import Aim
from skiff.train.boosting import Boosting
from skiff.train.forests import Forest
from skiff.train.linear import Constant, Linear
from skiff.train.perceptron import Perceptron
from skiff.train.recipes import Recipe
from skiff.train.symmetric import MODULE, Symmetric

MAX_PERCEPTRON_COLUMNS = 800
"""Linear-view columns up to which a perceptron is tried: its first layer grows with them."""

SMALL_ROWS = 12_000
"""Rows below which a second forest and a second perceptron are worth a try: they are quick there, and help most."""

KIN_NAME = "linear, words akin"

SINGLE_LEVELS, SETS_FROM = 64, 5
"""Trees part a category's levels into two sets, whose choice fits noise where many levels are alike. Beside them stand trees that
ask for one level at a time, where a category has from 5 to 64 levels; with fewer, LightGBM does so by itself (`max_cat_to_onehot`, 4).
Added to the portfolio they lower the out-of-fold log loss of the blend by 0.28 % on adult and 0.06 % on lending, and by less than 0.05 % on
bank, credit, telco, ames, insurance and wages (one seed each)."""

LAW_RATE = 0.07
"""Learning rate of boosting by a law with a logarithmic link: its steps are relative, and at 0.03 it takes 1,400 of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the portfolio depends on."""

    n_rows: int
    n_tree: int
    n_linear: int
    is_sparse: bool
    has_kin: bool = False
    has_levels: bool = False

    @property
    def is_small(self) -> bool:
        """Whether second forests and perceptrons are worth their time."""
        return self.n_rows < SMALL_ROWS


def list_recipes(aim: Aim, shape: Shape) -> tuple[Recipe, ...]:
    """Return the configurations in order: a usable quick one first, then the one most unlike it, then refinements.

    Examples
    --------
    >>> shape = Shape(n_rows=500, n_tree=8, n_linear=20, is_sparse=False)
    >>> [recipe.name for recipe in list_recipes(Aim(kind="binary", n_classes=2), shape)][:3]
    ['lightgbm quick', 'linear', 'lightgbm slow']
    """
    if aim.quantile is not None or aim.monotone:
        return tuple(_list_bound(aim, shape))
    made: list[Recipe] = []
    has_trees, has_perceptron = shape.n_tree > 0, not shape.is_sparse and shape.n_linear <= MAX_PERCEPTRON_COLUMNS
    log = aim.is_skewed
    if has_trees:
        made.append(Boosting(name=_name("lightgbm quick", log), rate=0.1, max_rounds=300, settings={}, is_log=log))
    made += _list_linear(aim, shape, is_log=log)
    if has_trees:
        made += _list_slow(aim, shape)
    if shape.is_sparse:
        made.append(_words(is_log=log))
    perceptrons = _list_perceptrons(shape, is_log=log) if has_perceptron else []
    forests = _list_forests(aim, shape) if has_trees else []
    is_forest_first = aim.kind == "regression" and shape.is_small  # see `_list_forests`: there it beats the perceptron
    made += [*forests[:1], *perceptrons[:1]] if is_forest_first else [*perceptrons[:1], *forests[:1]]
    if has_trees:
        made.append(_wide(is_log=log))
        made += [_shallow(is_log=is_log) for is_log in ((True, False) if log else (False,))]
    made += [*perceptrons[1:], *forests[1:]]
    made.append(Constant(name="constant"))
    return tuple(made)


def _list_bound(aim: Aim, shape: Shape) -> Iterator[Recipe]:
    """Yield the configurations that can aim at a quantile and keep to directions: boosting alone, and the constant."""
    logs = (True, False) if aim.is_skewed else (False,)
    if shape.n_tree:
        yield Boosting(
            name=_name("lightgbm quick", aim.is_skewed), rate=0.1, max_rounds=300, settings={}, is_log=aim.is_skewed
        )
        yield from (_slow(is_log=is_log) for is_log in logs)
        yield from (
            replace(_slow(is_log=False), name=f"lightgbm {law}", rate=LAW_RATE, law=law) for law in _list_laws(aim)
        )
        yield from (_wide(is_log=is_log) for is_log in logs)
        yield from (_shallow(is_log=is_log) for is_log in logs)
    yield Constant(name="constant")


def draw_recipes(aim: Aim, *, seed: int) -> Iterator[Recipe]:
    """Yield random configurations of LightGBM without end: the search after the portfolio."""
    chance = np.random.default_rng(seed)
    number = 0
    while True:
        number += 1
        is_log = aim.is_skewed and bool(chance.random() < 0.6)  # noqa: PLR2004  logs are the better bet on skewed targets
        yield Boosting(
            name=_name(f"lightgbm drawn {number}", is_log),
            leaves=int(np.exp(chance.uniform(np.log(5), np.log(100)))),
            rate=float(np.exp(chance.uniform(np.log(0.02), np.log(0.1)))),
            settings={
                "feature_fraction": float(chance.uniform(0.3, 0.9)),
                "bagging_fraction": float(chance.uniform(0.6, 1.0)),
                "bagging_freq": 1,
                "lambda_l2": float(np.exp(chance.uniform(np.log(0.1), np.log(30)))),
                "cat_smooth": float(np.exp(chance.uniform(np.log(5), np.log(80)))),
                "extra_trees": bool(chance.random() < 0.4),  # noqa: PLR2004  the plainer kind a little more often
                "min_data_in_leaf": int(np.exp(chance.uniform(np.log(4), np.log(60)))),
            },
            is_log=is_log,
        )


def _list_laws(aim: Aim) -> tuple[Literal["poisson", "tweedie"], ...]:
    """Return the laws worth a candidate: counts are tried as both, for they vary more than Poisson's law says."""
    if aim.law == "poisson":
        return ("tweedie", "poisson")
    return ("tweedie",) if aim.law == "tweedie" else ()


def _list_linear(aim: Aim, shape: Shape, *, is_log: bool) -> Iterator[Recipe]:
    yield Linear(name=_name("linear", is_log), is_log=is_log)
    if shape.is_sparse and aim.kind == "binary":
        yield Linear(name="linear, naive Bayes ratios", has_ratios=True)
    if shape.has_kin:
        yield Linear(name=_name(KIN_NAME, is_log), is_log=is_log, has_kin=True)


def _list_slow(aim: Aim, shape: Shape) -> Iterator[Recipe]:
    """Yield the boosting that carries most blends, and its kin by other questions, laws and trees."""
    yield from (_slow(is_log=is_log) for is_log in ((True, False) if aim.is_skewed else (False,)))
    if shape.has_levels:
        yield _single(is_log=aim.is_skewed)
    yield from (replace(_slow(is_log=False), name=f"lightgbm {law}", rate=LAW_RATE, law=law) for law in _list_laws(aim))
    yield from _list_symmetric(aim)


def _list_perceptrons(shape: Shape, *, is_log: bool) -> list[Recipe]:
    made: list[Recipe] = [Perceptron(name=_name("perceptron", is_log), is_log=is_log)]
    if shape.is_small:
        made.append(
            Perceptron(name=_name("perceptron wide", is_log), units=(128,), penalty=0.03, rate=1e-3, is_log=is_log)
        )
    return made


def _list_forests(aim: Aim, shape: Shape) -> list[Recipe]:
    """Return forests, the better first: of few rows whole trees for numbers, larger leaves for classes.

    Errors (RMSE, out of fold) of whole trees and of larger leaves: cars 17,581 and 26,653, ames 26,706 and 27,040, insurance 4,773 and 4,769.
    """
    log, is_number = aim.is_skewed, aim.kind == "regression"
    plain = Forest(name=_name("extra trees", log), is_log=log, max_features=_features(aim))
    if not shape.is_small:
        return [plain]
    deep = Forest(name=_name("extra trees deep", log), min_leaf=1 if is_number else 2, max_features=0.9, is_log=log)
    return [deep, plain] if is_number else [plain, deep]


def _list_symmetric(aim: Aim) -> Iterator[Recipe]:
    """Yield CatBoost's configurations where it is installed: it is an extra."""
    if not has_extra(MODULE):
        return
    yield Symmetric(name=_name("catboost", aim.is_skewed), is_log=aim.is_skewed)
    for law in _list_laws(aim)[:1]:
        yield Symmetric(name=f"catboost {law}", law=law)


def _slow(*, is_log: bool) -> Boosting:
    return Boosting(
        name=_name("lightgbm slow", is_log),
        leaves=14,
        rate=0.03,
        settings={
            "feature_fraction": 0.6,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 5.0,
            "cat_l2": 20.0,
        },
        is_log=is_log,
    )


def _single(*, is_log: bool) -> Boosting:
    """Trees that ask of a category whether it is one level or not: fewer ways to fit noise than sets of levels have."""
    slow = _slow(is_log=is_log)
    return replace(
        slow,
        name=_name("lightgbm single levels", is_log),
        rate=0.06,
        settings={**slow.settings, "max_cat_to_onehot": SINGLE_LEVELS},
    )


def _words(*, is_log: bool) -> Boosting:
    """Trees that see which words and runs of letters stand together: linear models only add them up."""
    return Boosting(
        name=_name("lightgbm words", is_log),
        leaves=7,
        rate=0.1,
        view="linear",
        settings={"feature_fraction": 0.1, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 2.0},
        is_log=is_log,
    )


def _wide(*, is_log: bool) -> Boosting:
    return Boosting(
        name=_name("lightgbm wide", is_log),
        leaves=63,
        rate=0.05,
        settings={"feature_fraction": 0.5, "extra_trees": True, "lambda_l2": 1.0},
        is_log=is_log,
    )


def _shallow(*, is_log: bool) -> Boosting:
    return Boosting(
        name=_name("lightgbm shallow", is_log),
        leaves=6,
        rate=0.08,
        settings={"max_depth": 3, "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1},
        is_log=is_log,
    )


def _features(aim: Aim) -> float | str:
    return 0.5 if aim.kind == "regression" else "sqrt"


def _name(name: str, is_log: bool) -> str:
    return f"{name}, log scale" if is_log else name
