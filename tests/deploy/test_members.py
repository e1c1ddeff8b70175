"""Calibration and links at their edges, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from skiff.core.errors import SkiffError
from skiff.core.pipeline import Calibration, Layers, Link, Member, NumberEncoder, Pipeline, Trees
from skiff.core.signature import InputColumn
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.predictor import Predictor
from skiff.deploy.trees import number_leaves

NAN = float("nan")
SCORES = np.array([-1e308, -800.0, -40.0, -5.0, -1.0, -1e-9, 0.0, 1e-300, 0.3, 1.0, 5.0, 40.0, 800.0, 1e308, NAN])


def _stump(weights: list[list[float]], *, base: list[float]) -> Trees:
    """Return one tree for each target: its first weight where x <= 0, its second elsewhere."""
    n_targets = len(weights)
    places = np.arange(n_targets)
    return Trees(
        roots=places,
        feature=np.zeros(n_targets, dtype=np.int64),
        mode=np.zeros(n_targets, dtype=np.int64),
        split=np.zeros(n_targets),
        members=(),
        missing_to_true=np.zeros(n_targets, dtype=np.int64),
        true_node=2 * places,
        false_node=2 * places + 1,
        true_is_leaf=np.ones(n_targets, dtype=np.int64),
        false_is_leaf=np.ones(n_targets, dtype=np.int64),
        leaf_target=np.repeat(places, 2),
        leaf_weight=np.array(weights).ravel(),
        base=np.array(base),
    )


def _answer(
    part: Trees | Layers, link: Link, *, kind: str, calibration: Calibration | None = None, **more: Any
) -> tuple[NDArray[np.float64], list[str]]:
    encoder = NumberEncoder(
        column="x", impute=0.0, is_log=False, low=-1e308, high=1e308, mean=0, scale=1, has_indicator=False
    )
    n_classes = {"binary": 2, "multiclass": 3, "regression": 0}[kind]
    pipeline = Pipeline(
        kind=kind,  # type: ignore[arg-type]  # one of the kinds
        inputs=(InputColumn(name="x", kind="number"),),
        encoders=(encoder,),
        members=(
            Member(name="one", view="tree" if isinstance(part, Trees) else "linear", part=part, link=link, weight=1.0),
        ),
        calibration=calibration or Calibration(kind="none"),
        classes=("a", "b", "c")[:n_classes],
        **more,
    )
    found = Predictor(compile_pipeline(pipeline)).predict_columns({"x": SCORES})
    return (found.values if kind == "regression" else found.probabilities), found.labels.tolist()


LINE = Layers(weights=(np.array([[1.0]]),), biases=(np.zeros(1),))
FILLED = np.nan_to_num(SCORES)


def _sigmoid(score: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-score)))


def test_extreme_scores_become_sure_probabilities() -> None:
    found, labels = _answer(LINE, "logistic", kind="binary", threshold=0.5)
    np.testing.assert_allclose(found[:, 1], _sigmoid(FILLED), rtol=0, atol=1e-15)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=0, atol=1e-15)
    assert labels == ["b" if score >= 0 else "a" for score in FILLED]  # at 0 the threshold itself is reached


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ((0.2, 0.6), (0.1, 0.9)),
        ((0.5, float(np.nextafter(0.5, 1))), (0.0, 1.0)),
        ((0.5, 0.5), (0.2, 0.7)),
        ((0.0, 0.5, 0.5, 0.5, 1.0), (0.0, 0.1, 0.4, 0.8, 1.0)),
        ((0.0, 5e-324, 1e-300, 1.0), (0.0, 0.2, 0.5, 0.9)),
        ((0.3,), (0.4,)),
        (tuple(np.linspace(0, 1, 80).tolist()), tuple((np.linspace(0, 1, 80) ** 3).tolist())),
    ],
)
def test_isotonic_maps_are_interpolated_as_numpy_does_it(x: tuple[float, ...], y: tuple[float, ...]) -> None:
    found, _ = _answer(LINE, "logistic", kind="binary", calibration=Calibration(kind="isotonic", x=x, y=y))
    positive = np.clip(_sigmoid(FILLED), 1e-15, 1 - 1e-15)
    np.testing.assert_allclose(found[:, 1], np.interp(positive, x, y), rtol=0, atol=1e-14)


def test_sigmoid_and_temperature_follow_their_formulas_at_the_edges() -> None:
    found, _ = _answer(LINE, "logistic", kind="binary", calibration=Calibration(kind="sigmoid", x=(0.7,), y=(-0.2,)))
    positive = np.clip(_sigmoid(FILLED), 1e-15, 1 - 1e-15)
    np.testing.assert_allclose(found[:, 1], _sigmoid(0.7 * np.log(positive / (1 - positive)) - 0.2), rtol=0, atol=1e-14)

    spread = Layers(weights=(np.array([[1.0, -1.0, 0.5]]),), biases=(np.array([0.0, 0.1, 0.0]),))
    found, labels = _answer(spread, "softmax", kind="multiclass", calibration=Calibration(kind="temperature", x=(2.0,)))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=0, atol=1e-15)
    assert labels[3] == "b"
    assert labels[10] == "a"


def test_the_first_of_equally_likely_classes_is_the_answer() -> None:
    _, labels = _answer(_stump([[1, 1], [2, 2], [2, 2]], base=[0, 0, 0]), "normalise", kind="multiclass")
    assert set(labels) == {"b"}


def test_a_forest_of_two_classes_gives_both_probabilities() -> None:
    found, labels = _answer(_stump([[3, 1], [1, 3]], base=[0, 0]), "normalise", kind="binary", threshold=0.75)
    expected = np.where(SCORES <= 0, 0.25, 0.75)  # NaN follows the false branch
    np.testing.assert_array_equal(found, np.stack([1 - expected, expected], axis=1))
    assert labels == ["b" if chance >= 0.75 else "a" for chance in expected]


@pytest.mark.parametrize(
    ("link", "expected"),
    [("identity", FILLED), ("exp", np.exp(np.minimum(FILLED, 700))), ("expm1", np.expm1(np.minimum(FILLED, 700)))],
)
def test_values_are_bounded_after_their_link(link: Link, expected: NDArray[np.float64]) -> None:
    found, _ = _answer(LINE, link, kind="regression", value_low=-3.0, value_high=90.0)
    np.testing.assert_allclose(found, np.clip(expected, -3, 90), rtol=1e-14, atol=1e-15)
    found, _ = _answer(LINE, link, kind="regression", value_low=0.0)
    assert found.min() == 0.0
    assert found.max() >= 1e300


def test_a_member_that_does_not_fit_its_view_is_refused() -> None:
    wide = Layers(weights=(np.ones((2, 1)),), biases=(np.zeros(1),))
    with pytest.raises(SkiffError, match="does not fit the 1 columns of its linear view"):
        _answer(wide, "identity", kind="regression")
    beyond = _stump([[1, 2]], base=[0.0])
    beyond.feature[0] = 1
    with pytest.raises(SkiffError) as caught:
        _answer(beyond, "identity", kind="regression")
    assert caught.value.code == "model_unfit"


def test_no_root_has_a_leaf_and_a_node_of_one_number_which_older_runtimes_confuse() -> None:
    # onnxruntime issue 24679: the root's children are leaf 1 and node 1
    trees = Trees(
        roots=np.array([0]),
        feature=np.array([0, 0]),
        mode=np.zeros(2, dtype=np.int64),
        split=np.array([0.0, 1.0]),
        members=(),
        missing_to_true=np.zeros(2, dtype=np.int64),
        true_node=np.array([1, 0]),
        false_node=np.array([1, 2]),
        true_is_leaf=np.array([1, 1]),
        false_is_leaf=np.array([0, 1]),
        leaf_target=np.zeros(3, dtype=np.int64),
        leaf_weight=np.array([10.0, 20.0, 30.0]),
        base=np.array([0.0]),
    )
    found, _ = _answer(trees, "identity", kind="regression")
    np.testing.assert_array_equal(found, np.where(SCORES <= 0, 20.0, np.where(SCORES <= 1, 10.0, 30.0)))
    pipeline = Pipeline(
        kind="regression",
        inputs=(InputColumn(name="x", kind="number"),),
        encoders=(
            NumberEncoder(column="x", impute=0, is_log=False, low=0, high=1, mean=0, scale=1, has_indicator=False),
        ),
        members=(Member(name="one", view="tree", part=trees, link="identity", weight=1.0),),
        calibration=Calibration(kind="none"),
    )
    graph = onnx.load_from_string(compile_pipeline(pipeline)).graph
    [node] = [node for node in graph.node if node.op_type == "TreeEnsemble"]
    written = {attribute.name: list(attribute.ints) for attribute in node.attribute}
    assert (written["nodes_trueleafs"][0], written["nodes_falseleafs"][0]) == (1, 0)
    assert written["nodes_truenodeids"][0] != written["nodes_falsenodeids"][0]


def test_a_tree_of_one_leaf_is_written_with_two() -> None:
    lone = _stump([[7.0, 7.0]], base=[0.5])
    lone.false_node[0] = lone.true_node[0]
    found, _ = _answer(lone, "identity", kind="regression")
    np.testing.assert_array_equal(found, np.full(len(SCORES), 7.5))
    from_graph = number_leaves(lone)
    assert from_graph.true_node[0] != from_graph.false_node[0]
    assert from_graph.leaf_weight[from_graph.false_node[0]] == 7.0
