"""The witness: a quick cross-fitted model of the other columns, asked what they know without the suspect."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.finding import EvidenceValue
from skiff.core.measurement import Measurement
from skiff.data.checks.leakage.case import N_FOLDS, Case
from skiff.data.checks.leakage.columns import Encoding, build_features, learn_encoding
from skiff.data.checks.leakage.forest import Forest, fit_forest
from skiff.data.checks.leakage.power import Power
from skiff.data.checks.leakage.proof import Z_95, measure_auc, measure_log_loss, measure_r2, rank_with_ties

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]

N_TREES = 50
LEARNING_RATE = 0.15
N_LEAVES = 15

MAX_ASKED_ROWS = 5_000
"""Rows of one value on which the witness is asked: its mean answer is then known to within ±0.014."""

MAX_FEATURES = 500
"""Columns the witness hears at once; in a wider table those that know most alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Cross-fitted models over some columns.

    Parameters
    ----------
    columns : tuple of str
    encodings : tuple of Encoding
    models : tuple of Forest
        One a fold.
    out_of_fold : ndarray of float64, shape (n_sample, n_classes) or (n_sample,)
        Probabilities, or values.
    """

    columns: tuple[str, ...]
    encodings: tuple[Encoding, ...]
    models: tuple[Forest, ...]
    out_of_fold: Float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Features of all columns over the sample, encoded once and shared by every witness; who was heard is not asked twice."""

    encodings: Mapping[str, Encoding]
    matrix: Float
    categories: tuple[int, ...]
    owners: tuple[str, ...]
    heard: dict[tuple[str, ...], Witness] = field(default_factory=dict)


def build_bench(case: Case, powers: Mapping[str, Power]) -> Bench:
    """Encode the inputs of `case` over its sample, in their order: all, or in a wide table those that know most alone."""
    strongest = sorted(powers, key=lambda name: (powers[name].column.kind != "text", -powers[name].score.value))
    chosen = set(strongest[:MAX_FEATURES])
    drawn = case.frame.select(sorted(chosen))[case.sample]
    encodings = {
        column.name: learn_encoding(column, drawn[column.name]) for column in case.inputs if column.name in chosen
    }
    matrix, categories, owners = build_features(list(encodings.values()), drawn)
    return Bench(encodings=encodings, matrix=matrix, categories=tuple(categories), owners=tuple(owners))


def call_witness(case: Case, bench: Bench, columns: Collection[str]) -> Witness:
    """Fit the witness on `columns`, each fold on the others; without columns it knows the overall share only."""
    wanted = set(columns)
    heard = tuple(name for name in bench.encodings if name in wanted)
    if heard not in bench.heard:
        bench.heard[heard] = fit_witness(case, bench, heard)
    return bench.heard[heard]


def fit_witness(case: Case, bench: Bench, heard: tuple[str, ...]) -> Witness:
    """Fit one model a fold, whatever was fitted before; `call_witness` remembers.

    Parameters
    ----------
    heard : tuple of str
        Columns, in the order of the bench.
    """
    wanted, unordered = set(heard), set(bench.categories)
    places = [place for place, owner in enumerate(bench.owners) if owner in wanted]
    categories = [place for place, original in enumerate(places) if original in unordered]
    matrix = bench.matrix[:, places]
    y = case.y[case.sample]
    n_classes = len(case.classes)
    made = np.zeros(len(y)) if case.is_regression else np.zeros((len(y), n_classes))
    models: list[Forest] = []
    folds = [fold for fold in range(N_FOLDS) if places and 0 < (case.fold == fold).sum() < len(y)]

    def fit_fold(fold: int) -> tuple[int, Forest, Float]:
        held = case.fold == fold
        model = _fit(case, matrix[~held], y[~held], weight=case.weight[~held], categories=categories)
        return fold, model, _predict(case, model, matrix[held])

    # One thread a fold: these fits are so small that the threads of one fit mostly wait for each other.
    with ThreadPoolExecutor(max_workers=max(1, case.threads)) as pool:
        for fold, model, answers in pool.map(fit_fold, folds):
            models.append(model)
            made[case.fold == fold] = answers
    for fold in set(range(N_FOLDS)) - set(folds):
        made[case.fold == fold] = _mean_answer(case, (case.fold != fold) | (case.fold == fold).all())
    encodings = tuple(bench.encodings[name] for name in heard)
    return Witness(columns=heard, encodings=encodings, models=tuple(models), out_of_fold=made)


def _mean_answer(case: Case, fitting: Bool) -> Float:
    """Return the overall shares or mean of the rows `fitting`."""
    y, weight = case.y[case.sample][fitting], case.weight[fitting]
    if case.is_regression:
        return np.asarray(np.average(y, weights=weight))
    shares: Float = np.bincount(y.astype(np.int64), weights=weight, minlength=len(case.classes)) / weight.sum()
    return shares


def _fit(case: Case, X: Float, y: Float, *, weight: Float, categories: list[int]) -> Forest:
    """Fit one small boosted model; the same bytes for the same seed whatever the number of threads."""
    objective = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}[case.task.kind]
    settings: dict[str, object] = {
        "objective": objective,
        "num_leaves": N_LEAVES,
        "learning_rate": LEARNING_RATE,
        "min_data_in_leaf": int(np.clip(len(y) // 100, 3, 20)),
        "max_bin": 127,
        "min_data_per_group": 20,
        "lambda_l2": 1.0,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": case.seed,
        "verbosity": -1,
    }
    if objective == "multiclass":
        settings |= {"num_class": len(case.classes)}
    n_trees = N_TREES if objective != "multiclass" else max(15, N_TREES // max(1, len(case.classes) // 2))
    return fit_forest(X, y, weight=weight, categories=categories, settings=settings, n_trees=n_trees)


def _predict(case: Case, model: Forest, X: Float) -> Float:
    """Return probabilities of all classes, or values."""
    raw = model.predict(X)
    return np.column_stack([1.0 - raw, raw]) if case.task.kind == "binary" else raw


def ask_share(case: Case, witness: Witness, mask: Bool, code: int) -> float:
    """Return the share of outcome `code` that the witness expects in the rows `mask` of the case.

    Rows of the sample are answered by the model that has not seen them, others by the mean of all models.
    """
    if case.is_regression or not mask.any():
        return float((case.labels == code).mean())
    rows = np.flatnonzero(mask)
    if len(rows) > MAX_ASKED_ROWS:
        rows = rows[:: len(rows) // MAX_ASKED_ROWS + 1]
    place = np.searchsorted(case.sample, rows)
    is_sampled = (place < len(case.sample)) & (case.sample[np.minimum(place, len(case.sample) - 1)] == rows)
    answers = np.empty(len(rows))
    answers[is_sampled] = witness.out_of_fold[place[is_sampled], code]
    if not is_sampled.all():
        answers[~is_sampled] = _answer_unseen(case, witness, rows[~is_sampled])[:, code]
    return float(answers.mean())


def _answer_unseen(case: Case, witness: Witness, rows: Int) -> Float:
    """Return the mean probabilities of all models for rows outside the sample."""
    if not witness.models:
        return np.tile(_mean_answer(case, np.ones(len(case.sample), dtype=np.bool_)), (len(rows), 1))
    matrix, _, _ = build_features(witness.encodings, case.frame[rows])
    answers: Float = np.mean([_predict(case, model, matrix) for model in witness.models], axis=0)
    return answers


def measure_knowledge(case: Case, witness: Witness, code: int) -> float:
    """Return how well the witness tells outcome `code`: AUC, or for regression the squared rank correlation."""
    y = case.y[case.sample]
    if case.is_regression:
        if float(np.std(witness.out_of_fold)) == 0.0:
            return 0.0
        return float(np.corrcoef(rank_with_ties(y), rank_with_ties(witness.out_of_fold))[0, 1] ** 2)
    is_positive = y == code
    if not is_positive.any() or is_positive.all():
        return 0.5
    return measure_auc(is_positive, witness.out_of_fold[:, code]).value


def measure_score(case: Case, witness: Witness, name: str) -> Measurement:
    """Return the score of the witness as evidence: ``roc_auc``, ``log_loss`` (several classes) or ``r2``."""
    y = case.y[case.sample]
    share = "all" if len(y) == case.n_rows else f"{len(y):,} sampled"
    method = (
        f"{name}: {N_FOLDS}-fold cross-fitted LightGBM, {N_TREES} trees, {share} rows, {len(witness.columns)} columns"
    )
    if case.is_regression:
        return measure_r2(y, witness.out_of_fold, method=method)
    if case.task.kind == "binary":
        return measure_auc(y == 1, witness.out_of_fold[:, 1], method=method)
    base = np.maximum(_mean_answer(case, np.ones(len(y), dtype=np.bool_)), 1e-15)
    return measure_log_loss(
        measure_losses(case, witness), weight=case.weight, baseline=float(-(base * np.log(base)).sum()), method=method
    )


def measure_losses(case: Case, witness: Witness) -> Float:
    """Return the loss of each sampled row: log loss, or squared error."""
    y = case.y[case.sample]
    if case.is_regression:
        squared: Float = (y - witness.out_of_fold) ** 2
        return squared
    told = witness.out_of_fold[np.arange(len(y)), y.astype(np.int64)]
    losses: Float = -np.log(np.clip(told, 1e-6, 1.0))
    return losses


def measure_skill(case: Case, witness: Witness) -> float:
    """Return the share of the naive predictor's loss that the witness saves, 0 to 1."""
    losses = np.average(measure_losses(case, witness), weights=case.weight)
    y = case.y[case.sample]
    if case.is_regression:
        naive = float(np.average((y - np.average(y, weights=case.weight)) ** 2, weights=case.weight))
    else:
        base = np.maximum(_mean_answer(case, np.ones(len(y), dtype=np.bool_)), 1e-15)
        naive = float(-(base * np.log(base)).sum())
    return float(1.0 - losses / naive) if naive > 0 else 0.0


KNOWN_AUC = 0.97
"""From this AUC (or squared rank correlation) on the rest of the table tells the outcome as well as a suspect could:
then no column is condemned for being strong. Honest single columns are promised acquittal up to the same figure."""

KNOWN_PRECISION = 0.85
"""The rest of the table must also be right this often among as many rows as have the outcome; with rare outcomes a high
AUC alone is reached without it."""


def is_explained(case: Case, witness: Witness, code: int) -> bool:
    """Whether the columns of `witness` tell outcome `code` (or the number, for a regression) nearly as well as anything could."""
    if measure_knowledge(case, witness, code) < KNOWN_AUC:
        return False
    if case.is_regression:
        return True
    is_positive = case.y[case.sample] == code
    top = np.argsort(-witness.out_of_fold[:, code], kind="stable")[: int(is_positive.sum())]
    return bool(is_positive[top].mean() >= KNOWN_PRECISION)


def gains(case: Case, better: Witness, worse: Witness) -> bool:
    """Whether the loss falls, row by row, beyond chance (paired normal interval)."""
    gain = (measure_losses(case, worse) - measure_losses(case, better)) * case.weight
    return bool(gain.mean() > Z_95 * gain.std() / len(gain) ** 0.5)


def tell_scores(case: Case, better: Witness, worse: Witness) -> dict[str, EvidenceValue]:
    """Return the two scores as evidence."""
    return {"score_with": measure_score(case, better, "with"), "score_without": measure_score(case, worse, "without")}
