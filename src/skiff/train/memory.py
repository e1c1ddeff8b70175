"""What was tried stays tried: candidates that an interrupted training had finished are taken up by the next."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from skiff.train.contest import Arena, Tried
from skiff.train.recipes import Recipe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a candidate did out of fold, without the candidate: numbers only, so that it can be kept as plain arrays.

    Parameters
    ----------
    oof : ndarray
        As in `Tried`.
    facts : tuple of float
        ``loss, n_steps, factor, seconds, refit_seconds``.
    """

    oof: Float
    facts: tuple[float, float, float, float, float]


class Memory(Protocol):
    """Keeps what was tried on these rows, with these settings, between one training and the next."""

    def recall(self, name: str) -> Remembered | None:
        """Return what is known of a candidate, None where nothing is."""

    def keep(self, name: str, made: Remembered) -> None:
        """Remember a candidate."""


class Forgetful:
    """Remembers nothing: the default in Python and in tests."""

    def recall(self, name: str) -> Remembered | None:  # noqa: ARG002  it knows none
        """Return None."""
        return None

    def keep(self, name: str, made: Remembered) -> None:
        """Ignore."""


def recall_tried(memory: Memory, recipe: Recipe, arena: Arena) -> Tried | None:
    """Return a candidate as it was tried before, None where it was not or does not fit the rows."""
    known = memory.recall(name_trial(recipe, arena))
    if known is None or len(known.oof) != len(arena.y):
        return None
    loss, n_steps, factor, seconds, refit_seconds = known.facts
    return Tried(
        recipe=recipe, oof=known.oof, loss=loss, n_steps=int(n_steps), factor=factor, seconds=seconds,
        refit_seconds=refit_seconds, is_cut=False,
    )  # fmt: skip


def keep_tried(memory: Memory, tried: Tried, arena: Arena) -> None:
    """Remember a candidate whose folds all came to their end; one that time cut short is tried again."""
    if tried.is_cut:
        return
    facts = (tried.loss, float(tried.n_steps), tried.factor, tried.seconds, tried.refit_seconds)
    memory.keep(name_trial(tried.recipe, arena), Remembered(oof=tried.oof, facts=facts))


def name_trial(recipe: Recipe, arena: Arena) -> str:
    """Return the name of a candidate on these columns: some are left out where they only tell the time."""
    columns = zlib.crc32("\n".join(arena.features.matrix.tree_names).encode())
    return f"{recipe.name} {columns:08x}"
