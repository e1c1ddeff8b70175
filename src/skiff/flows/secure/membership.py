"""Train shadows on halves of the training rows, and attack each with all others."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.deploy.featurizer import featurize
from skiff.flows.champion import Champion
from skiff.flows.secure.siege import Outside, Siege
from skiff.report.secure import Exposed, Told, tell_membership, tell_rare_class, tell_too_few
from skiff.secure.membership import MIN_ROWS, draw_members
from skiff.secure.price import (
    RemedyName,
    Shadows,
    answer_outside,
    attack_shadows,
    price_retraining,
    price_rounding,
)
from skiff.store.wordvectors import open_word_vectors
from skiff.train.demands import Demands, read_amounts, settle_directions
from skiff.train.shadows import REGULARISED, STRICT, ShadowPlan, fit_shadows, plan_shadows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

MOST_MODELS, LEAST_MODELS = 16, 8
"""Shadow models: with 16 each row is learned by about eight and not learned by about eight; fewer than eight say little of a row."""

RETRAINED: dict[RemedyName, str] = {"regularised": REGULARISED, "strict": STRICT}
"""Remedies that are another recipe, the mildest first: a stronger one is tried where the one before is not green."""

MIN_OF_CLASS = 20
"""Rows that the second largest class must have, so that no half misses it."""

PLANNED_SHARE = 0.8
"""Share of the budget that is planned with, for shadows whose time is estimated from the first two."""


def attack_membership(siege: Siege) -> Told:
    """Train shadows on halves of the training rows and attack each with all others."""
    champion, wishes = siege.champion, siege.wishes
    rows = siege.sample()
    if len(rows) < MIN_ROWS:
        return tell_too_few("membership", len(rows))
    if not _has_classes(champion, siege.y[rows]):
        return tell_rare_class(len(rows), MIN_OF_CLASS)
    siege.progress.stage("Membership", "models that learn from halves of the training rows")
    members = [(item["name"], item["weight"]) for item in champion.manifest["preprocessing"]["members"]]
    plan = _plan(siege, rows, members)
    shadows = _train_shadows(siege, plan, n_models=None)
    found = attack_shadows(shadows, seed=wishes.seed)
    needs_remedy = found.light in {"red", "amber"}
    priced = [price_rounding(shadows, seed=wishes.seed)] if needs_remedy else []
    for name, recipe in RETRAINED.items() if needs_remedy else ():
        if priced[-1].membership.light == "green":
            break
        siege.progress.step(f"measuring what a remedy does, and what it costs: {recipe}")
        after = _train_shadows(siege, _plan(siege, rows, [(recipe, 1.0)]), n_models=found.n_models)
        priced.append(price_retraining(name, shadows, after, seed=wishes.seed))
    siege.outside = Outside(rows=rows, answers=answer_outside(shadows))
    siege.exposed_rows = tuple(int(rows[item.row]) + 1 for item in found.exposed)
    return tell_membership(
        found,
        priced,
        Exposed(table=champion.table.name, rows=siege.exposed_rows),
        recipe=", ".join(plan.names),
        stand_ins=plan.stand_ins,
    )


def _has_classes(champion: Champion, y: Float) -> bool:
    if champion.task.kind == "regression":
        return True
    sizes = np.sort(np.bincount(y.astype(np.int64), minlength=2))
    return bool(sizes[-2] >= MIN_OF_CLASS)


def _plan(siege: Siege, rows: Int, members: Sequence[tuple[str, float]]) -> ShadowPlan:
    champion, wishes = siege.champion, siege.wishes
    task, frame = champion.task, champion.table.frame
    groups = None
    if task.group is not None:
        groups = frame[task.group].cast(str).rank("dense").fill_null(0).to_numpy().astype(np.int64)[rows]
    return plan_shadows(
        frame[rows],
        siege.y[rows],
        task,
        champion.predictor.signature.inputs,
        members=members,
        featurize=featurize,
        now=time.monotonic,
        budget_s=wishes.budget_s,
        seed=wishes.seed,
        threads=wishes.threads,
        groups=groups,
        demands=_read_demands(siege, rows),
        look_up=open_word_vectors() if any(one.kind == "text" for one in champion.predictor.signature.inputs) else None,
    )


def _read_demands(siege: Siege, rows: Int) -> Demands:
    """Return what was asked of the training, as the settings have it now."""
    task, frame = siege.champion.task, siege.take(rows)
    needed = np.ones(len(rows), dtype=bool)
    train = siege.settings.train
    inputs = siege.champion.predictor.signature.inputs
    known = {name: way for name, way in train.monotone.items() if name in {column.name for column in inputs}}
    return Demands(
        weights=read_amounts(frame, task.weight, needed, setting="task.weight") if task.weight else None,
        exposure=read_amounts(frame, task.exposure, needed, setting="task.exposure") if task.exposure else None,
        exposure_column=task.exposure or "",
        monotone=settle_directions(known, inputs, task),
        quantile=train.quantile if task.kind == "regression" else None,
    )


def _train_shadows(siege: Siege, plan: ShadowPlan, *, n_models: int | None) -> Shadows:
    """Train as many shadows as the budget allows, or a settled number."""
    wishes = siege.wishes
    members = draw_members(len(plan.table.y), n_models or MOST_MODELS, seed=wishes.seed)
    began = time.monotonic()
    answers = fit_shadows(plan, members[: wishes.threads], seed=wishes.seed)
    spent = max(time.monotonic() - began, 1e-3)
    if n_models is None:
        affordable = wishes.threads * int(PLANNED_SHARE * wishes.budget_s / spent)
        members = members[: max(LEAST_MODELS, min(MOST_MODELS, affordable))]
    while len(answers) < len(members):
        siege.progress.step(
            f"{len(answers)} of {len(members)} models trained", done=float(len(answers)), total=float(len(members))
        )
        batch = members[len(answers) : len(answers) + wishes.threads]
        answers += fit_shadows(plan, batch, seed=wishes.seed + len(answers))
    return Shadows(answers=np.stack(answers), members=members, y=plan.table.y, kind=siege.champion.task.kind)
