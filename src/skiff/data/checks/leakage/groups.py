"""Rows of one entity on both sides of the split: the model is tested on acquaintances."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.finding import EvidenceValue
from skiff.data.checks.leakage.case import Case
from skiff.data.checks.leakage.power import Power
from skiff.data.checks.leakage.proof import measure_share
from skiff.data.checks.leakage.suspicion import Suspicion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int = NDArray[np.int64]

MIN_ENTITIES = 30
"""Fewer levels are kinds, not entities."""

ROWS_PER_ENTITY = (2.0, 100.0)
"""Mean rows of one entity: one row cannot be on both sides, and hundreds make a category."""

MEMORY_AUC = 0.6
MEMORY_R2 = 0.3
"""What the mean answer of an entity's other rows tells, cross-fitted, from which mixing its rows flatters a score."""

STRADDLING_SHARE = 0.05
"""Share of the test rows whose entity is also in training from which it is said."""


def find_straddling_groups(frame: pl.DataFrame, case: Case, *, test_rows: Int) -> list[Suspicion]:
    """Return whether entities of the task's group column are on both sides of the split."""
    group = case.task.group
    if group is None or group not in frame.columns or len(test_rows) == 0:
        return []
    shared = (
        frame[group][test_rows]
        .is_in(case.frame[group].drop_nulls().unique().implode())
        .fill_null(value=False)
        .to_numpy()
    )
    n_shared = int(shared.sum())
    if n_shared == 0:
        return []
    evidence: dict[str, EvidenceValue] = {
        "share_of_test_rows": measure_share("share_of_test_rows", hits=n_shared, n=len(shared))
    }
    rows = tuple(int(row) + 1 for row in np.asarray(test_rows)[shared.astype(np.bool_)][:10])
    return [
        Suspicion(
            code="leakage.group",
            columns=(group,),
            severity="warn" if n_shared >= STRADDLING_SHARE * len(shared) else "info",
            rows=n_shared,
            sample_rows=rows,
            evidence=evidence,
            what=f"{n_shared:,} of the {len(shared):,} rows set aside for testing belong to a '{group}' the model has already learnt from.",
            why_it_matters="The model may recognise it instead of understanding it; a new one would be predicted less well.",
            remedy="Nothing to do where predictions are made for the same ones again. Where they are made for new ones, name "
            f"--group {group} without --time: whole groups are then kept on one side.",
            question=f"Will predictions be made for every '{group}' already in this list, or for new ones?",
            action="asked" if n_shared >= STRADDLING_SHARE * len(shared) else "none",
        )
    ]


def find_likely_groups(case: Case, powers: Mapping[str, Power], *, without: Collection[str]) -> list[Suspicion]:
    """Return the column that most looks like an entity with several rows each, where the task names no group.

    Judged by how well the other rows of an entity tell the answer of one (cross-fitted), for columns with many levels of a
    few rows each.
    """
    if case.task.group is not None:
        return []
    best: tuple[float, Power] | None = None
    for name, power in powers.items():
        if name in without or power.column.kind != "category":
            continue
        low = power.score.low or 0.0
        is_telling = low >= (MEMORY_R2 if case.is_regression else MEMORY_AUC)
        if not is_telling or (best is not None and low <= best[0]):
            continue
        n_levels = case.frame[name].n_unique()
        if n_levels >= MIN_ENTITIES and ROWS_PER_ENTITY[0] <= case.n_rows / n_levels <= ROWS_PER_ENTITY[1]:
            best = (low, power)
    return [] if best is None else [_build_likely(case, best[1])]


def _build_likely(case: Case, power: Power) -> Suspicion:
    """Return the hint that rows may belong together."""
    name = power.column.name
    n_levels = case.frame[name].n_unique()
    return Suspicion(
        code="leakage.group",
        columns=(name,),
        severity="info",
        rows=case.n_rows,
        evidence={"levels": n_levels, "rows_per_level": case.n_rows / n_levels, "score_alone": power.score},
        what=f"Rows with the same '{name}' resemble each other in '{case.target}' ({n_levels:,} different values, about {case.n_rows / n_levels:.0f} rows each).",
        why_it_matters="If new cases bring new values, a random split promises more than the model will keep.",
        remedy=f"If predictions are made for new values, split with --group {name}.",
        question=f"Will predictions be made for values of '{name}' already in this list, or for new ones?",
        action="none",
    )
