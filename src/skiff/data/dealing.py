"""Deal units of rows into parts, like cards, so that every part gets its share of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skiff.core.task import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Float = NDArray[np.float64]
    Bool = NDArray[np.bool_]

AMOUNT_STRATA = 10
"""Equally filled ranges of an amount that keep their share in every part."""


def code_strata(y: Float, task: Task) -> Int:
    """Return the stratum of each row: its class, or the tenth in which its amount lies.

    Examples
    --------
    >>> code_strata(np.array([1.0, 0.0]), Task(kind="binary", target="paid", classes=("no", "yes"))).tolist()
    [1, 0]
    """
    if task.kind != "regression":
        return y.astype(np.int64)
    ranks = np.empty(len(y), dtype=np.int64)
    ranks[np.argsort(y, kind="stable")] = np.arange(len(y))
    return ranks * AMOUNT_STRATA // max(1, len(y))


def deal_share(units: Int, strata: Int, share: float, *, rng: np.random.Generator) -> Bool:
    """Return which rows go to the part that gets `share` of them; rows of one unit stay together.

    Units larger than the part are never dealt to it, as long as others are there.

    Examples
    --------
    >>> chosen = deal_share(np.arange(10), np.repeat([0, 1], 5), 0.2, rng=np.random.default_rng(0))
    >>> int(chosen.sum()), int(chosen[:5].sum())
    (2, 1)
    """
    units = _number_densely(units)
    order, sizes, stratum = _line_up(units, strata, rng=rng)
    fits = sizes[order] <= max(1.0, share * len(units))
    line = order[fits] if fits.sum() > 1 else order[np.argsort(sizes[order], kind="stable")]
    # Where large units are skipped, the others of their stratum give more, so that the part keeps the shares of the strata.
    given = np.bincount(stratum[line], weights=sizes[line], minlength=stratum.max(initial=0) + 1)
    whole = np.bincount(stratum, weights=sizes, minlength=len(given))
    rate = np.minimum(1.0, share * whole[stratum[line]] / given[stratum[line]])
    steps = np.floor(np.concatenate([[0.0], np.cumsum(rate)]) + rng.random())
    is_chosen = np.zeros(len(sizes), dtype=np.bool_)
    is_chosen[line[np.diff(steps) > 0]] = True
    if not is_chosen.any():
        is_chosen[line[0]] = True
    chosen: Bool = is_chosen[units]
    return chosen


def deal(units: Int, strata: Int, n_parts: int, *, rng: np.random.Generator) -> Int:
    """Return the part of each row, 0 to ``n_parts - 1``; rows of one unit stay together.

    Notes
    -----
    Units stand in a line, by stratum and then by size, and are dealt in turn: each part gets its share of every stratum
    to within one unit, as in stratified group folds, in n log n. Uneven sizes are evened out by turning round at the
    end of each round.

    Examples
    --------
    >>> np.bincount(deal(np.arange(10), np.repeat([0, 1], 5), 5, rng=np.random.default_rng(0))).tolist()
    [2, 2, 2, 2, 2]
    """
    units = _number_densely(units)
    order, sizes, _ = _line_up(units, strata, rng=rng)
    parts = min(n_parts, len(sizes))
    turn = np.arange(len(sizes)) % (2 * parts)
    part_of = np.empty(len(sizes), dtype=np.int64)
    part_of[order] = np.where(turn < parts, turn, 2 * parts - 1 - turn)
    dealt: Int = part_of[units]
    return dealt


def _line_up(units: Int, strata: Int, *, rng: np.random.Generator) -> tuple[Int, Int, Int]:
    """Return the units in the order of dealing (by their rarest stratum, large ones first, else at random), sizes and strata."""
    sizes = np.bincount(units)
    rarity = np.argsort(np.argsort(np.bincount(strata), kind="stable"), kind="stable")[strata]
    rarest = np.full(len(sizes), rarity.max(initial=0), dtype=np.int64)
    np.minimum.at(rarest, units, rarity)
    return np.lexsort((rng.permutation(len(sizes)), -sizes, rarest)), sizes, rarest


def _number_densely(units: Int) -> Int:
    """Return the units renumbered without gaps."""
    dense: Int = (np.cumsum(np.bincount(units) > 0) - 1)[units]
    return dense
