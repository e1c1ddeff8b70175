"""Which terms of a text are akin, by word vectors that were learned elsewhere.

A linear model of texts learns one weight for each word, from the few rows that have it. Words of like meaning should weigh alike:
so the model is fitted to the terms and, beside them, to the mean vector of the words of each text. That mean is itself a weighted
sum of the terms, so what the model makes of it is folded back into the weights of the terms, and the fitted model is the same
linear model as without: no larger, no slower, and with no vectors in its graph.

References
----------
C. Rasmussen and C. Williams, 2006, "Gaussian processes for machine learning", section 2.1: a penalty on the squared weights of
``[X, X K]`` is one on those of X with the prior covariance ``I + K K'``, where ``K`` holds the vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.sparse import csr_array, hstack

from skiff.core.pipeline import Encoder, TextEncoder
from skiff.train.features import Features
from skiff.train.texts import count_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from skiff.train.features import Matrix

    Float: TypeAlias = NDArray[np.float64]

LookUp: TypeAlias = "Callable[[Sequence[str]], Float]"
"""Words to one row of numbers each, NaN for words that are not known."""

KIN_LENGTH = 0.5
"""Root mean square length of the texts' mean vectors, whose terms have length 1. Of 0.25, 0.5, 1 and 2, this one was good on both
review texts and short messages; 2 let the vectors say too much."""


def find_kin(features: Features, encoders: Sequence[Encoder], look_up: LookUp | None) -> Float | None:
    """Return a vector for each column of the linear view, 0 where it is not a single known word; None where there is none.

    Parameters
    ----------
    features : Features
        Encoded by `encoders`; texts make up the last columns of its linear view.
    encoders : sequence of Encoder
    look_up : LookUp or None

    Notes
    -----
    Each text column has its own dimensions. Pairs of words and runs of letters have no vectors: giving pairs the mean of their
    words' was tried and was worse on both sets of texts.
    """
    texts = [one for one in encoders if isinstance(one, TextEncoder) and one.vocabulary]
    if look_up is None or not texts:
        return None
    width = features.width("linear")
    at = width - count_terms(encoders)
    blocks = []
    for text in texts:
        if text.analyzer == "word":
            vectors = look_up(text.vocabulary)
            is_single = np.array([" " not in term for term in text.vocabulary])
            known = is_single & ~np.isnan(vectors).any(axis=1)
            if known.any():
                block = np.zeros((width, vectors.shape[1]))
                block[at : at + len(vectors)][known] = vectors[known] - vectors[known].mean(axis=0)
                blocks.append(block)
        at += len(text.vocabulary)
    if not blocks:
        return None
    kin = np.hstack(blocks)
    length = features.measure_length(kin)
    return kin * (KIN_LENGTH / length) if length > 0 else None


def join_kin(X: Matrix, kin: Float) -> csr_array:
    """Return the rows with their mean vectors beside."""
    return csr_array(hstack([csr_array(X), csr_array(np.asarray(X @ kin))]))


def fold_kin(weights: Float, kin: Float) -> Float:
    """Return weights of the columns alone, from weights of the columns and of the mean vectors.

    Examples
    --------
    >>> fold_kin(np.array([[1.0], [2.0], [10.0]]), np.array([[0.5], [0.0]])).ravel().tolist()
    [6.0, 2.0]
    """
    n_columns = len(kin)
    return np.asarray(weights[:n_columns] + kin @ weights[n_columns:])
