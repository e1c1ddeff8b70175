"""Set two releases against each other on rows that neither was trained on: a paired test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.measurement import Measurement
from skiff.core.task import Costs, Task
from skiff.deploy.predictor import Predictor
from skiff.evaluate.compare import compare_paired, compare_savings
from skiff.evaluate.judge import choose_headline
from skiff.evaluate.looks import widen_for_looks
from skiff.evaluate.prices import has_matrix
from skiff.flows.candidates import LoadedCandidate, hash_split, load_candidate_of
from skiff.flows.promises import find_amounts
from skiff.report.comparison import describe_pairing
from skiff.store.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

MIN_ROWS = 30
"""Rows below which nothing is compared: the floor of the normal approximation."""

METRICS = {
    "binary": ("roc_auc", "average_precision", "log_loss", "brier_score"),
    "multiclass": ("log_loss", "accuracy"),
    "regression": ("rmse", "mae"),
}
"""Metrics that need no threshold, so that two releases with different ones are compared by what they know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What a paired test of two releases found.

    Parameters
    ----------
    rows : int
        Rows that neither was trained on.
    looks : int
        How often these rows have been judged on, this time included.
    headline : str
    differences : tuple of Measurement
        Second minus first, the headline's first.
    verdict : str
        One sentence.
    unit : str
        Of the target, where it is a number.
    evidence : str
        The ledger record that holds this look.
    """

    rows: int
    looks: int
    headline: str
    differences: tuple[Measurement, ...]
    verdict: str
    unit: str = ""
    evidence: str = ""


def pair_releases(workspace: Workspace, first: int, second: int, *, at: Callable[[], str]) -> Pairing | str:
    """Compare two releases on the sealed rows of the second that the first was not trained on either.

    The look at these rows is counted and recorded (``compare``), and intervals are widened for all looks.

    Returns
    -------
    Pairing, or str
        Why they cannot be compared on common rows.
    """
    older, newer = (_load(workspace, number) for number in (first, second))
    if older is None or newer is None:
        return "The candidate behind one of them is no longer in this workspace."
    if _describe(older.prepared.task) != _describe(newer.prepared.task):
        return "They answer different questions."
    rows = _find_unseen(older, newer)
    if len(rows) < MIN_ROWS:
        return f"Only {len(rows)} rows were seen by neither of them in training."
    frame, y = newer.prepared.frame[rows], newer.prepared.y[rows]
    lacking = [name for name in _list_inputs(older) if name not in frame.columns]
    if lacking:
        return f"Release {first} needs the column '{lacking[0]}', which the newer data does not have."
    looks = workspace.count_look(newer.dataset.sha256, hash_split(workspace, newer.prepared.split))
    paired = _compare((older, newer), frame, y, numbers=(first, second), looks=looks, costs=workspace.settings.costs)
    noted = workspace.ledger.append(
        "compare",
        subject=newer.dataset.sha256,
        result={
            "releases": [first, second],
            "look": looks,
            "rows": paired.rows,
            "headline": paired.headline,
            "differences": [asdict(item) for item in paired.differences],
            "verdict": paired.verdict,
        },
        at=at(),
    )
    return replace(paired, evidence=noted.id)


def _load(workspace: Workspace, number: int) -> LoadedCandidate | None:
    files = workspace.releases.read_manifest(number).get("files")
    entry = files.get("model.onnx") if isinstance(files, dict) else None
    sha256 = entry.get("sha256") if isinstance(entry, dict) else entry
    return load_candidate_of(workspace, str(sha256))


def _describe(task: Task) -> tuple[object, ...]:
    return task.kind, task.target, task.classes, task.positive, task.quantile


def _list_inputs(found: LoadedCandidate) -> list[str]:
    return [column.name for column in Predictor(found.candidate.model).signature.inputs]


def _find_unseen(older: LoadedCandidate, newer: LoadedCandidate) -> NDArray[np.int64]:
    """Return the newer one's sealed rows whose cells are in neither training set."""
    columns = [name for name in newer.prepared.frame.columns if name in older.prepared.frame.columns]
    sealed = newer.prepared.split.test
    hashes = newer.prepared.frame.select(columns)[sealed].hash_rows(seed=0).to_numpy()
    seen = np.concatenate(
        [
            one.prepared.frame.select(columns)[one.prepared.split.train].hash_rows(seed=0).to_numpy()
            for one in (older, newer)
        ]
    )
    return np.asarray(sealed[~np.isin(hashes, seen)], dtype=np.int64)


def _compare(
    pair: tuple[LoadedCandidate, LoadedCandidate],
    frame: pl.DataFrame,
    y: NDArray[np.float64],
    *,
    numbers: tuple[int, int],
    looks: int,
    costs: Costs | None,
) -> Pairing:
    task = pair[1].prepared.task
    answers = [_answer(one, frame) for one in pair]
    groups = None
    if task.group is not None and task.group in frame.columns:
        groups = frame[task.group].cast(str).rank("dense").fill_null(0).to_numpy().astype(np.int64)
    headline = choose_headline(task, pair[1].prepared.y[pair[1].prepared.split.train])
    order = sorted({headline, *METRICS[task.kind]}, key=lambda name: (name != headline, name))
    threshold = 0.5 if task.quantile is None else task.quantile
    differences = [
        compare_paired(y, answers[1], answers[0], name, threshold=threshold, groups=groups, seed=0) for name in order
    ]
    if costs is not None and has_matrix(costs) and task.kind == "binary":
        flagged = [answer[:, 1] >= one.candidate.threshold for answer, one in zip(answers, pair, strict=True)]
        amounts = find_amounts(frame, costs)
        differences.append(compare_savings(y == 1, flagged[1], flagged[0], costs, amounts=amounts, groups=groups))
    widened = tuple(widen_for_looks(found, looks) for found in differences)
    return Pairing(
        rows=len(y),
        looks=looks,
        headline=headline,
        differences=widened,
        unit=task.unit,
        verdict=describe_pairing(widened[0], numbers, rows=len(y), unit=task.unit if task.kind == "regression" else ""),
    )


def _answer(one: LoadedCandidate, frame: pl.DataFrame) -> NDArray[np.float64]:
    found = Predictor(one.candidate.model).predict_columns(frame)
    return found.values if one.prepared.task.kind == "regression" else found.probabilities
