"""Rows whose answer is known, given out among the others, some of them with a suggestion that is wrong on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Bool: TypeAlias = NDArray[np.bool_]

FARTHER = (1.5, 3.0)
"""A wrong suggestion of a number lies so many times the margin beside the truth: outside of what counts as right, and not absurd."""

MARGIN = 0.25
"""Standard deviations of the known numbers within which one counts as right, where the model promises no range. A convention."""


EPSILON = 1e-12
"""Keeps a line at 0 or 1 from dividing by nothing."""


def choose_turned(is_wrong: Bool, share: float, *, seed: int) -> Bool:
    """Return which suggestions to turn into wrong ones, so that `share` of all are wrong.

    Parameters
    ----------
    is_wrong : ndarray of bool
        Suggestions that are wrong by themselves: they count.
    share : float
    seed : int

    Examples
    --------
    >>> choose_turned(np.array([True, False, False, False]), 0.5, seed=1).sum()
    np.int64(1)
    """
    missing = max(0, round(share * len(is_wrong)) - int(is_wrong.sum()))
    right = np.random.default_rng(seed).permutation(np.flatnonzero(~is_wrong))
    turned = np.zeros(len(is_wrong), dtype=np.bool_)
    turned[right[:missing]] = True
    return turned


def turn_label(prob: Float, truth: int, *, threshold: float | None = None) -> tuple[int, float]:
    """Return the likeliest wrong class, and the chance shown with it, so that it looks like any other suggestion.

    Parameters
    ----------
    prob : ndarray of shape (n_classes,)
    truth : int
    threshold : float, optional
        Of two classes: from which chance on the second is suggested. The chance that is shown then lies as deep on the wrong side as
        the true one lies on its own; a suggestion on the wrong side of the line would give itself away. Without one it is that of
        the likeliest class.

    Examples
    --------
    >>> turn_label(np.array([0.1, 0.9]), 1)
    (0, 0.9)
    >>> turn_label(np.array([0.6, 0.4]), 1, threshold=0.3)[1] > 1 - 0.3
    True
    """
    if threshold is not None and len(prob) == 2:  # noqa: PLR2004  two classes
        second = float(prob[1])
        if truth == 1:
            depth = (second - threshold) / max(1.0 - threshold, EPSILON)
            return 0, 1.0 - threshold * (1.0 - min(max(depth, 0.0), 1.0))
        depth = (threshold - second) / max(threshold, EPSILON)
        return 1, threshold + (1.0 - threshold) * min(max(depth, 0.0), 1.0)
    others = prob.copy()
    others[truth] = -1.0
    return int(others.argmax()), float(prob.max())


def turn_number(truth: float, margin: float, *, chance: float) -> float:
    """Return a wrong suggestion of a number.

    Parameters
    ----------
    truth, margin : float
    chance : float
        0 to 1: settles the side and the distance.

    Examples
    --------
    >>> turn_number(100.0, 10.0, chance=0.0), turn_number(100.0, 10.0, chance=0.5)
    (85.0, 115.0)
    """
    side = -1.0 if chance < 0.5 else 1.0  # noqa: PLR2004  either side alike
    low, high = FARTHER
    return truth + side * margin * (low + (high - low) * (2 * chance % 1.0))


def find_margins(truth: Float, low: Float | None, high: Float | None) -> Float:
    """Return how far from each number still counts as right: half of the promised range, or `MARGIN` standard deviations.

    Examples
    --------
    >>> find_margins(np.array([1.0, 3.0]), np.array([0.0, 2.0]), np.array([2.0, 6.0])).tolist()
    [1.0, 2.0]
    """
    if low is not None and high is not None:
        return np.asarray((high.ravel() - low.ravel()) / 2)
    return np.full(len(truth), MARGIN * float(truth.std()))
