"""Classes that look wrong: what a model that has not seen a row says against the answer that was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

CLEAR_ANSWER = 0.8
"""Probability of the likeliest class from which a row is clear-cut."""

CLEAR_TABLE = 0.9
"""Share of clear-cut rows from which the classes are separable, so that a contradicted answer is rather a wrong answer
than a hard case. Confident learning assumes as much (Northcutt et al. 2021, theorem 1); where classes overlap, it
counts honest hard cases."""

MIN_CLASS_ROWS = 10
"""Rows of a class needed to say how clear-cut it is."""

SUREST = 0.9
"""Quantile of the likeliest class's probability that tells how sure the model ever gets: it learnt from the wrong answers
too, so where the truth is certain, what keeps it from certainty is how often answers are wrong."""

SHARE_CLEAR = 0.3
SHARE_BLURRED = 0.75
"""Share of the contradictions that must be explained by that rate of wrong answers, in clear tables and in blurred ones.
`benchmarks/label_errors.py` measures what it gives: at least three of four named rows are wrong from 3 % of wrong answers on,
and next to none are named where no answer is wrong."""

ROUNDING = 1e-9
"""Slack of a comparison with a mean: equal probabilities must not fall below their own mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDoubts:
    """Rows whose given answer the out-of-fold model contradicts.

    Parameters
    ----------
    places : ndarray of int64
        Positions in `y`, most doubtful first.
    suggested : ndarray of float64
        Class code, or number, that the model would give each of them.
    confidence : ndarray of float64
        How sure the suggestion is, 0 to 1.
    clear_share : float
        Share of rows whose likeliest class has at least 80 %, in the class where that is rarest; 1 for numbers.
    """

    places: Int
    suggested: Float
    confidence: Float
    clear_share: float

    @property
    def is_clear(self) -> bool:
        """Whether a contradicted answer is rather wrong than a hard case."""
        return self.clear_share >= CLEAR_TABLE


def rank_label_doubts(y: NDArray[np.float64], prob: NDArray[np.float64]) -> LabelDoubts:
    """Rank the rows whose class is probably wrong, by confident learning and how sure the model ever gets.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes, no missing ones.
    prob : ndarray of shape (n_rows, n_classes), or (n_rows,) for the second class of two
        Out-of-fold probabilities: each row answered by models that have not seen it.

    Notes
    -----
    A row is doubted if the model gives another class at least the probability that it gives that class on average where it
    was given (confident learning), and if among rows answered with that much certainty wrong answers explain enough of the
    contradictions. A model fitted to answers of which a share ``e`` is wrong at random can never be surer than ``1 - e``;
    where it says ``p``, answers contradict it in ``1 - p`` of the rows, of which ``e / (1 - p)`` are wrong ones. The upper
    decile of its certainty stands for ``1 - e``. Honest surprises in the surest tenth of the rows cannot be told from wrong
    answers by anyone who has only the table.

    Examples
    --------
    >>> y = np.array([0.0] * 50 + [1.0] * 50)
    >>> prob = np.where(y == 1, 0.95, 0.05)
    >>> prob[7] = 0.95
    >>> doubts = rank_label_doubts(y, prob)
    >>> doubts.places.tolist(), doubts.suggested.tolist(), doubts.confidence.tolist()
    ([7], [1.0], [0.95])

    References
    ----------
    .. [1] C. Northcutt, L. Jiang, I. Chuang (2021). Confident learning: estimating uncertainty in dataset labels. Journal of
       Artificial Intelligence Research 70, section 3.1. doi:10.1613/jair.1.12125
    """
    table = np.column_stack([1.0 - prob, prob]) if prob.ndim == 1 else prob
    given = y.astype(np.int64)
    n_rows, n_classes = table.shape
    own = table[np.arange(n_rows), given]
    counts = np.bincount(given, minlength=n_classes)
    thresholds = np.bincount(given, weights=own, minlength=n_classes) / np.maximum(1, counts)
    thresholds[counts == 0] = np.inf
    confident = np.where(table >= thresholds - ROUNDING, table, -1.0)
    suggested = confident.argmax(axis=1)
    says = table[np.arange(n_rows), suggested]
    clear_share = _measure_clearness(table, given)
    wrong_rate = 1.0 - float(np.quantile(table.max(axis=1), SUREST))
    enough = 1.0 - wrong_rate / (SHARE_CLEAR if clear_share >= CLEAR_TABLE else SHARE_BLURRED)
    is_doubted = (confident.max(axis=1) >= 0) & (suggested != given) & (says > own) & (says >= enough - ROUNDING)
    places = np.flatnonzero(is_doubted)
    places = places[np.argsort((own - says)[places], kind="stable")]
    return LabelDoubts(
        places=places.astype(np.int64),
        suggested=suggested[places].astype(np.float64),
        confidence=says[places],
        clear_share=clear_share,
    )


def _measure_clearness(table: Float, given: Int) -> float:
    """Return the share of clear-cut rows in the least clear class: a frequent class must not hide a rare, blurred one."""
    is_clear = (table.max(axis=1) >= CLEAR_ANSWER).astype(np.float64)
    counts = np.bincount(given)
    shares = np.bincount(given, weights=is_clear)[counts >= MIN_CLASS_ROWS] / counts[counts >= MIN_CLASS_ROWS]
    return float(shares.min(initial=1.0))
