"""Linear models whose terms are scaled by their log-count ratios."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression

from skiff.core.pipeline import FeatureMatrix, Layers
from skiff.train.aim import Aim
from skiff.train.limits import Limit
from skiff.train.linear import SPARSE_STRENGTHS, Linear, find_ratios
from skiff.train.recipes import Effort, Rows

CHURN = Aim(kind="binary", n_classes=2)
RATIOS = Linear(name="linear, naive Bayes ratios", has_ratios=True)
N_TERMS = 6


@pytest.fixture
def rows() -> Rows:
    chance = np.random.default_rng(3)
    y = (chance.random(400) < 0.3).astype(float)
    terms = (chance.random((400, N_TERMS)) < np.where(y[:, None] == 1, 0.5, 0.3)) * 0.4
    X = np.hstack([chance.normal(size=(400, 2)), terms])
    return Rows(X=csr_array(X), y=y)


def test_the_weights_speak_of_the_terms_as_they_are(rows: Rows) -> None:
    effort = Effort(limit=Limit(clock=lambda: 0.0, ends_at=1e9), n_terms=N_TERMS)
    fitted = RATIOS.fit_whole(rows, CHURN, effort, n_steps=3, factor=1.0)
    ratios = find_ratios(rows.X, rows.y, None, n_terms=N_TERMS)
    dense = rows.X.toarray()  # type: ignore[union-attr]  # sparse here
    model = LogisticRegression(C=1 / SPARSE_STRENGTHS[2], max_iter=1_000).fit(dense * ratios, rows.y)
    features = FeatureMatrix(
        tree=np.zeros((400, 0)), linear=dense, tree_names=(), linear_names=(), tree_columns=(), linear_columns=(),
        categorical=(),
    )  # fmt: skip
    np.testing.assert_allclose(fitted.answer(features), model.predict_proba(dense * ratios), atol=1e-3)
    assert isinstance(fitted.part, Layers)
    np.testing.assert_allclose(fitted.part.weights[0][:, 0], model.coef_[0] * ratios, atol=0.02)


def test_ratios_compare_the_classes_and_leave_other_columns_alone(rows: Rows) -> None:
    ratios = find_ratios(rows.X, rows.y, None, n_terms=N_TERMS)
    assert (ratios[:2] == 1).all()
    flipped = find_ratios(rows.X, 1 - rows.y, None, n_terms=N_TERMS)
    np.testing.assert_allclose(flipped[2:], -ratios[2:])
    dense = rows.X.toarray()  # type: ignore[union-attr]  # sparse here
    np.testing.assert_allclose(find_ratios(dense, rows.y, None, n_terms=N_TERMS), ratios)
    doubled = find_ratios(rows.X, rows.y, np.full(400, 2.0), n_terms=N_TERMS)
    twice = find_ratios(csr_array(np.vstack([dense, dense])), np.tile(rows.y, 2), None, n_terms=N_TERMS)
    np.testing.assert_allclose(doubled, twice)
