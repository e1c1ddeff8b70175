"""Time as a witness: does the answer change over the period, so that a random split would read tomorrow's news."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skiff.data.checks.leakage.case import Case
from skiff.data.checks.leakage.columns import encode_ordered
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.moments import MAX_ONE_DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

N_PERIODS = 10
"""Stretches of equal numbers of rows that are compared."""

CHANGE_SHARE = 0.01
"""Share of the target's spread that lies between the stretches from which the change is said; with independent rows chance
reaches about (N_PERIODS - 1) / n_rows."""

MIN_ROWS = 1_000
"""Rows from which chance stays under a tenth of `CHANGE_SHARE`."""


def find_clock(case: Case) -> list[Suspicion]:
    """Return the date column along which the answers change most, if they do."""
    if case.n_rows < MIN_ROWS:
        return []
    dates = [column.name for column in case.inputs if column.kind == "date"]
    if case.task.time is not None and case.task.time in case.frame.columns:
        dates = [case.task.time]
    changes = {name: _measure_change(case, encode_ordered(case.frame[name])) for name in dates}
    if not changes:
        return []
    name = max(changes, key=lambda key: changes[key])
    if changes[name] < CHANGE_SHARE:
        return []
    return [
        Suspicion(
            code="leakage.time",
            columns=(name,),
            severity="info",
            rows=case.n_rows,
            evidence={"share_between_periods": changes[name], "periods": N_PERIODS},
            what=f"'{case.target}' changes along '{name}': early and late rows differ.",
            why_it_matters="A model tested on shuffled rows has seen rows from after the ones it is tested on, and looks better than it will be.",
            remedy=_choose_remedy(case, name),
            action="none",
        )
    ]


def _choose_remedy(case: Case, name: str) -> str:
    known = case.frame[name].drop_nulls()
    top = known.alias("moment").value_counts(name="rows")["rows"].max()
    if isinstance(top, int) and top > MAX_ONE_DAY * len(known):
        return "Collect rows over a longer time: too many of these share one moment for the latest to be cut off."
    if case.task.time is not None:
        return "Nothing to do where the rows were divided by time; the note on how they were divided says whether they were."
    return f"Judge the model on the latest rows with --time {name}."


def _measure_change(case: Case, moment: Float) -> float:
    """Return the share of the target's spread that lies between stretches of time."""
    known = np.isfinite(moment)
    if known.sum() < MIN_ROWS:
        return 0.0
    y = case.y if case.is_regression else case.labels.astype(np.float64)
    if not case.is_regression and len(case.outcomes) > 1:
        y = (case.labels == case.outcomes[0].code).astype(np.float64)
    y = y[known]
    y = y[np.argsort(moment[known], kind="stable")]
    stretch = np.arange(len(y)) * N_PERIODS // len(y)
    means = np.bincount(stretch, weights=y, minlength=N_PERIODS) / np.bincount(stretch, minlength=N_PERIODS)
    spread = float(np.var(y))
    return float(np.var(means[stretch]) / spread) if spread > 0 else 0.0


def choose_later(case: Case, one: str, two: str) -> str:
    """Return which of two dates came second: the first does not depend on how long the second took, the second does."""
    first, second = (encode_ordered(case.frame[name]) for name in (one, two))
    known = np.isfinite(first) & np.isfinite(second)
    gap = second[known] - first[known]
    links = [
        abs(float(np.corrcoef(moment[known], gap)[0, 1])) if moment[known].std() > 0 and gap.std() > 0 else 0.0
        for moment in (first, second)
    ]
    if abs(links[1] - links[0]) < 0.05:  # noqa: PLR2004  spans far shorter than the period depend on neither date
        return two if float(np.median(gap)) >= 0 else one
    return two if links[1] >= links[0] else one
