"""The court's trees are LightGBM's own, without what its Python package loads."""

from __future__ import annotations

import subprocess
import sys

import lightgbm
import numpy as np
import pytest

from skiff.data.checks.leakage.forest import fit_forest


@pytest.mark.parametrize(("objective", "n_classes"), [("binary", 2), ("multiclass", 4), ("regression", 0)])
def test_trees_answer_like_those_of_the_python_package_bit_for_bit(objective: str, n_classes: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1_500, 6)).round(2)
    X[:, 3] = rng.integers(0, 9, len(X))
    X[rng.random(X.shape) < 0.05] = np.nan
    hidden = np.nan_to_num(X[:, 0]) + rng.normal(size=len(X))
    y = np.digitize(hidden, [0.0] if n_classes == 2 else [-1.0, 0.0, 1.0]).astype(float) if n_classes else hidden
    weight = rng.random(len(X)) + 0.5
    settings: dict[str, object] = {
        "objective": objective, "num_leaves": 15, "num_threads": 1, "deterministic": True, "force_row_wise": True,
        "seed": 3, "verbosity": -1, **({"num_class": n_classes} if n_classes > 2 else {}),
    }  # fmt: skip
    ours = fit_forest(X, y, weight=weight, categories=[3], settings=settings, n_trees=20).predict(X)
    data = lightgbm.Dataset(X, label=y, weight=weight, categorical_feature=[3], params=settings)
    theirs = np.asarray(lightgbm.train(settings, data, num_boost_round=20).predict(X, num_threads=1))
    assert ours.shape == theirs.shape
    assert np.array_equal(ours, theirs)


def test_no_rows_are_answered_with_no_numbers() -> None:
    X = np.arange(60.0).reshape(-1, 1)
    settings: dict[str, object] = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    forest = fit_forest(X, (X[:, 0] > 30) * 1.0, weight=np.ones(60), categories=[], settings=settings, n_trees=3)
    assert len(forest.predict(np.zeros((0, 1)))) == 0


def test_what_the_library_refuses_is_told_in_its_words() -> None:
    with pytest.raises(RuntimeError, match=r"(?i)objective"):
        fit_forest(
            np.zeros((9, 1)), np.zeros(9), weight=np.ones(9), categories=[],
            settings={"objective": "no such thing", "verbosity": -1}, n_trees=1,
        )  # fmt: skip


def test_looking_a_table_over_loads_no_learning_library() -> None:
    words = "import sys, skiff.flows.check, skiff.flows.look_over; print(*(name for name in sys.modules if '.' not in name))"
    done = subprocess.run([sys.executable, "-c", words], check=True, capture_output=True, text=True)
    assert not {"sklearn", "pandas", "lightgbm", "onnxruntime", "onnx"} & set(done.stdout.split())
