"""A release under attack: what was wished for, what strangers see of it, and what has been found so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import polars as pl

from skiff.core.progress import Progress
from skiff.core.settings import Settings
from skiff.data.task import encode_target
from skiff.flows.champion import Champion
from skiff.flows.evaluate import answer_frame
from skiff.report.secure import Told
from skiff.secure.answers import Suspect

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

Attack: TypeAlias = Literal["membership", "attributes", "inversion", "evasion", "extraction", "poison"]

MOST_ROWS = 20_000
"""Training rows that are looked at in whole at most; a larger table is sampled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureWishes:
    """What shall be tried, and how hard.

    Parameters
    ----------
    release : int or None
        Number; None for the one that answers.
    attacks : tuple of str
    budget_s : float
        Seconds for the shadow models.
    seed, threads : int
    """

    release: int | None = None
    attacks: tuple[Attack, ...] = get_args(Attack)
    budget_s: float = 60.0
    seed: int = 0
    threads: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Rows of the table, and what models that did not learn from each say to it, NaN where there is none."""

    rows: Int
    answers: Float


@dataclass(kw_only=True)
class Siege:
    """One release under attack, and what has been found so far."""

    champion: Champion
    settings: Settings
    wishes: SecureWishes
    progress: Progress
    y: Float = field(init=False)
    exposed_rows: tuple[int, ...] = ()
    outside: Outside | None = None

    def __post_init__(self) -> None:
        """Read the answers."""
        self.y, _ = encode_target(self.champion.table.frame, self.champion.task)

    @property
    def suspect(self) -> Suspect:
        """Return the released file as its users have it."""
        predictor = self.champion.predictor
        return Suspect(
            ask=lambda frame: answer_frame(predictor, frame),
            kind=self.champion.task.kind,
            inputs=predictor.signature.inputs,
            threshold=predictor.threshold,
        )

    def sample(self) -> Int:
        """Return the rows the release learned from, or as many of them, by chance, as are looked at."""
        chance = np.random.default_rng(self.wishes.seed)
        return np.sort(chance.permutation(self.champion.train)[:MOST_ROWS])

    def take(self, rows: Int) -> pl.DataFrame:
        """Return rows of the table that the release came from."""
        return self.champion.table.frame[rows]

    @property
    def strangers(self) -> Int:
        """Return the rows that the release was judged on, or those it learned from where none was kept aside."""
        return self.champion.test if len(self.champion.test) else self.champion.train

    def own_up(self, told: Told) -> Told:
        """Return what is told of `strangers`, and that they are none where no row was kept aside."""
        if len(self.champion.test):
            return told
        learned = "No row was kept aside, so rows that the model learned from were used."
        return replace(told, sentences=(*told.sentences, learned))
