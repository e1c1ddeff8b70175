"""Fit the chosen candidates once more, on all rows, for the artifact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.core.pipeline import Calibration, FeatureMatrix, Layers, Member
from skiff.evaluate.calibration import apply_calibration
from skiff.train.aim import Aim
from skiff.train.boosting import Boosting
from skiff.train.contest import Arena, Tried
from skiff.train.lean import share_out_repeats
from skiff.train.limits import Limit
from skiff.train.recipes import Effort, Fitted, Rows
from skiff.train.symmetric import Symmetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

MORE_ROWS_MORE_STEPS = 0.15
"""With ``r`` times the rows of a fold, boosting runs ``r ** 0.15`` times the rounds: 3 % more for five folds out of four,
40 % more for ten times the rows. A cautious guess; more rows spoil later."""

FEWER_STEPS = 3.0
"""How many times fewer and larger steps boosting may take in the final fit before rows are left out instead."""

MOST_REPEATS = 3
"""Fits averaged for one member in which chance has a hand: more cost file and time and gain little."""

REPEAT_SHARE = 0.5
"""Share of the time left that repeated final fits may take."""

TIME_USED = 0.85
"""Share of the time left that the final fit is planned for; estimates are rough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """The members on all rows, and how many rows they saw."""

    members: tuple[Member, ...]
    fitted: tuple[Fitted, ...]
    n_rows: int


def fit_final(chosen: Sequence[tuple[Tried, float]], whole: Arena, *, limit: Limit, fold_rows: float) -> Final:
    """Fit every chosen candidate on all rows, or on a sample where all would take longer than is left.

    Parameters
    ----------
    chosen : sequence of (Tried, weight)
    whole : Arena
        With all rows.
    limit : Limit
    fold_rows : float
        Mean number of rows that a fold was fitted on.
    """
    features, y, w, aim = whole.features, whole.y, whole.w, whole.aim
    seed, threads = whole.seed, whole.threads
    keep = _choose_rows(chosen, len(y), limit=limit, seed=seed, threads=threads)
    at_once = min(threads, len(chosen))
    most = _choose_repeats(chosen, limit=limit, threads=threads) if keep.all() else 1
    repeats = share_out_repeats(chosen, aim, most=most)
    growth = max(1.0, (np.sum(keep) / max(1.0, fold_rows)) ** MORE_ROWS_MORE_STEPS)

    def fit(one: Tried, n_fits: int) -> Fitted:
        X, rows = features.whole(one.recipe.view)
        inside = keep[rows]
        kept = rows[inside]
        data = Rows(X=X if inside.all() else X[inside], y=y[kept], w=None if w is None else w[kept])
        effort = Effort(
            limit=limit,
            seed=seed,
            threads=max(1, threads // at_once),
            categorical=features.matrix.categorical,
            repeats=n_fits,
            directions=whole.directions,
            kin=whole.kin,
            n_terms=whole.n_terms,
        )
        n_steps = round(one.n_steps * growth) if isinstance(one.recipe, Boosting | Symmetric) else one.n_steps
        made = one.recipe.fit_whole(data, aim, effort, n_steps=n_steps, factor=one.factor)
        return hide_columns(made, features.hidden) if one.recipe.view == "linear" and features.hidden else made

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        fitted = list(pool.map(fit, [one for one, _ in chosen], repeats))
    members = tuple(
        Member(name=one.recipe.name, view=one.recipe.view, part=made.part, link=made.link, weight=weight)
        for (one, weight), made in zip(chosen, fitted, strict=True)
    )
    return Final(members=members, fitted=tuple(fitted), n_rows=int(keep.sum()))


def hide_columns(made: Fitted, hidden: Sequence[int]) -> Fitted:
    """Return a member of the linear view that gives no weight to columns that it was fitted without (they were all 0)."""
    kept = list(hidden)

    def answer(features: FeatureMatrix) -> Float:
        linear = features.linear.copy()
        linear[:, kept] = 0.0
        return made.answer(replace(features, linear=linear))

    part = made.part
    if isinstance(part, Layers):  # trees never ask about a column that is the same in every row
        first = part.weights[0].copy()
        first[kept] = 0.0
        part = replace(part, weights=(first, *part.weights[1:]))
    return Fitted(part=part, link=made.link, answer=answer)


def build_native(final: Final, calibration: Calibration, aim: Aim) -> Callable[[FeatureMatrix], Float]:
    """Return the answer of the fitted library objects, blended and calibrated: what the graph is compared with."""
    weights = [member.weight for member in final.members]
    fitted = final.fitted

    def predict(features: FeatureMatrix) -> Float:
        answers = [made.answer(features) for made in fitted]
        blended = np.asarray(sum(answer * weight for answer, weight in zip(answers, weights, strict=True)))
        if aim.kind == "regression":
            return np.asarray(np.clip(blended, aim.value_low, aim.value_high))
        return apply_calibration(calibration, blended)

    return predict


def _choose_repeats(chosen: Sequence[tuple[Tried, float]], *, limit: Limit, threads: int) -> int:
    """Return how often drawn fits may be repeated: as often as a half of the time left surely allows."""
    expected = max(sum(one.refit_seconds for one, _ in chosen) / threads, 1e-9)
    return int(np.clip(REPEAT_SHARE * limit.seconds_left / expected, 1, MOST_REPEATS))


def _choose_rows(
    chosen: Sequence[tuple[Tried, float]], n_rows: int, *, limit: Limit, seed: int, threads: int
) -> NDArray[np.bool_]:
    spans = [one.refit_seconds for one, _ in chosen]
    expected = max(sum(spans) / threads, max(spans) / (threads if len(spans) == 1 else 1))
    share = FEWER_STEPS * TIME_USED * limit.seconds_left / max(expected, 1e-9)
    keep = np.ones(n_rows, dtype=bool)
    if share >= 1 or n_rows < 5_000:  # noqa: PLR2004  a small fit is over before a sample pays
        return keep
    n_kept = max(5_000, int(share * n_rows))
    keep[np.random.default_rng(seed).permutation(n_rows)[n_kept:]] = False
    return keep
