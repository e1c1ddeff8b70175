"""The compiled graph gives the answers that the plain reading of a pipeline gives."""

from __future__ import annotations

import os

import numpy as np
import onnx
import polars as pl
from hypothesis import HealthCheck, given, settings
from pipelines import pipelines

from skiff.core.pipeline import Pipeline
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.featurizer import featurize
from skiff.deploy.operators import ALLOWED
from skiff.deploy.predictor import Predictor
from skiff.deploy.reference import encode_reference, predict_reference
from skiff.evaluate.abstain import find_reviewed
from skiff.evaluate.conformal import predict_ranges, predict_sets

EXAMPLES = int(os.environ.get("SKIFF_EXAMPLES", "40"))
TOLERANCE = 1e-9


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(pipelines())
def test_graph_agrees_with_the_reference(drawn: tuple[Pipeline, pl.DataFrame]) -> None:
    pipeline, frame = drawn
    model = compile_pipeline(pipeline)
    found = Predictor(model).predict_columns(frame)
    expected = predict_reference(pipeline, frame)
    given_ = found.values if pipeline.kind == "regression" else found.probabilities
    np.testing.assert_allclose(given_, expected, rtol=TOLERANCE, atol=TOLERANCE)
    _check_promises(pipeline, model, frame)
    if pipeline.kind == "binary":
        expected_labels = ["yes" if chance >= pipeline.threshold else "no" for chance in given_[:, 1]]
        assert found.labels.tolist() == expected_labels


def _check_promises(pipeline: Pipeline, model: bytes, frame: pl.DataFrame) -> None:
    """Ranges, sets and decisions are those that the plain functions read off the same answers."""
    answers = Predictor(model).answer(frame)
    sure = answers.probabilities
    if pipeline.value_range is not None:
        low, high = predict_ranges(pipeline.value_range, answers.values, is_never_negative=pipeline.value_low >= 0)
        np.testing.assert_allclose(answers.low, low, rtol=TOLERANCE, atol=TOLERANCE)
        np.testing.assert_allclose(answers.high, high, rtol=TOLERANCE, atol=TOLERANCE)
        sure = np.asarray(answers.high) - np.asarray(answers.low)
    if pipeline.answer_set is not None:
        assert (answers.in_set == predict_sets(pipeline.answer_set, answers.probabilities)).all()
        assert all(answer.set for answer in answers)
    if pipeline.review is not None and (pipeline.kind != "regression" or pipeline.value_range is not None):
        reviewed = find_reviewed(pipeline.review, pipeline.kind, sure)
        assert answers.decisions is not None
        assert answers.decisions.tolist() == ["review" if one else "act" for one in reviewed]
    else:
        assert answers.decisions is None


@settings(max_examples=EXAMPLES // 2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(pipelines())
def test_features_agree_with_the_reference(drawn: tuple[Pipeline, pl.DataFrame]) -> None:
    pipeline, frame = drawn
    tree, linear = encode_reference(pipeline.encoders, frame)
    features = featurize(pipeline.inputs, pipeline.encoders, frame)
    np.testing.assert_allclose(features.tree, tree, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(features.linear, linear, rtol=1e-12, atol=1e-12)
    assert len(features.tree_names) == tree.shape[1]
    assert len(features.linear_names) == linear.shape[1]


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(pipelines())
def test_rows_one_by_one_answer_as_in_a_table(drawn: tuple[Pipeline, pl.DataFrame]) -> None:
    pipeline, frame = drawn
    predictor = Predictor(compile_pipeline(pipeline))
    table = predictor.predict_columns(frame)
    for number, row in enumerate(frame.to_dicts()):
        single = predictor.predict_row(row)
        if pipeline.kind == "regression":
            assert single.value is not None
            np.testing.assert_allclose(single.value, table.values[number], rtol=1e-12)
        else:
            assert single.probabilities is not None
            np.testing.assert_allclose(list(single.probabilities.values()), table.probabilities[number], atol=1e-12)


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(pipelines())
def test_bytes_repeat_operators_are_allowed_and_empty_tables_answer(drawn: tuple[Pipeline, pl.DataFrame]) -> None:
    pipeline, frame = drawn
    model = compile_pipeline(pipeline)
    assert compile_pipeline(pipeline) == model
    graph = onnx.load_from_string(model)
    onnx.checker.check_model(graph)
    strange = [node.op_type for node in graph.graph.node if node.op_type not in ALLOWED[node.domain]]
    assert strange == []
    empty = Predictor(model).predict_columns(frame.head(0))
    assert len(empty.values) == 0
    assert len(empty.labels) == 0
