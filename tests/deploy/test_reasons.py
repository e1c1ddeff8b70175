"""What each column adds, added up, is the answer that is served."""

from __future__ import annotations

import os

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from numpy.typing import NDArray
from pipelines import pipelines

from skiff.core.pipeline import Pipeline
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.operators import find_strange_operators
from skiff.deploy.reasons import compile_reasons
from skiff.deploy.runtime import Runtime
from skiff.deploy.session import open_session

EXAMPLES = int(os.environ.get("SKIFF_EXAMPLES", "40"))


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(pipelines())
def test_contributions_add_up_to_the_served_score(drawn: tuple[Pipeline, pl.DataFrame]) -> None:
    pipeline, frame = drawn
    runtime = Runtime(compile_pipeline(pipeline), compile_reasons(pipeline, frame))
    plain = runtime.answer(frame)
    answers = runtime.answer(frame, reasons=True)
    assert answers.reasons is not None
    served = {"regression": plain.values, "binary": plain.probabilities[:, 1:], "multiclass": plain.probabilities}
    score = served[pipeline.kind].reshape(frame.height, -1)
    total = answers.reasons.base + answers.reasons.contributions.sum(axis=1)
    np.testing.assert_allclose(total, score.max(axis=1), rtol=1e-12, atol=1e-12)
    _check_companion_alone(runtime, compile_reasons(pipeline, frame), frame, score)
    single = runtime.answer_row(frame.to_dicts()[0], reasons=True)
    assert single.contributions is not None
    assert single.base is not None
    assert single.base + sum(single.contributions.values()) == pytest.approx(single.score, abs=1e-12, rel=1e-12)


def _check_companion_alone(runtime: Runtime, companion: bytes, frame: pl.DataFrame, score: NDArray[np.float64]) -> None:
    """Before any rounding is put right the sums agree to 1e-9, in a graph of allowed operators."""
    session = open_session(companion)
    feed = runtime.predictor.build_feed(frame)
    mine = dict(zip((item.name for item in session.get_inputs()), feed.values(), strict=True))
    contributions, said = session.run(["contributions", "score"], mine)
    assert runtime.reasoner is not None
    np.testing.assert_allclose(said, score, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(runtime.reasoner.base + contributions.sum(axis=2), score, rtol=1e-9, atol=1e-9)
    assert find_strange_operators(companion) == ()
