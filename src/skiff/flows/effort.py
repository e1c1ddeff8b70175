"""How hard to try: said before anything that trains is loaded, so that looking a table over stays light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from skiff.train.workers import Workers

from skiff.core.settings import AnswersSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long and on what the training may run.

    Parameters
    ----------
    budget_s : float
        Wall seconds for training.
    seed : int
    threads : int
    prefer : {"best", "small"}
        The best score, or a small single model where the difference is within noise.
    should_stop : callable
        True once the user asked to stop (Ctrl-C): the best model so far is kept.
    answers : AnswersSettings
        What each answer says besides itself.
    workers : Workers, optional
        Where folds are fitted, if not in this process.
    """

    budget_s: float = 60.0
    seed: int = 0
    threads: int = 2
    prefer: Literal["best", "small"] = "best"
    should_stop: Callable[[], bool] = field(default=lambda: False)
    answers: AnswersSettings = field(default_factory=AnswersSettings)
    workers: Workers | None = None
