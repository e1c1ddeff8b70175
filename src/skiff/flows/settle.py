"""Settle what the user asked for: options given now win over ``skiff.toml``, which wins over what Skiff proposes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from skiff.core.errors import SkiffError
from skiff.core.settings import Settings
from skiff.evaluate.gates import parse_criterion
from skiff.flows.effort import Effort
from skiff.flows.prepare import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was said on the command line or in a call; None and empty mean "not said"."""

    target: str | None = None
    time: str | None = None
    group: str | None = None
    positive: str | None = None
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    seed: int | None = None
    budget_s: float | None = None
    threads: int = 2


def settle_question(settings: Settings, wishes: Wishes) -> Question:
    """Return the question with every option settled; a criterion that cannot be read is refused now, not after training.

    Raises
    ------
    SkiffError
        ``target_not_named`` where neither the option nor ``skiff.toml`` names the column to predict; ``bad_criterion``.

    Examples
    --------
    >>> settle_question(Settings(), Wishes(target="churned")).seed
    0
    """
    for line in settings.criteria.require:
        parse_criterion(line)
    task = settings.task
    target = wishes.target or task.target
    if target is None:
        raise SkiffError(
            "target_not_named",
            what="Nothing says which column to predict.",
            where={"option": "--target", "setting": "task.target"},
            fix='Add --target COLUMN, or write  target = "COLUMN"  under [task] in skiff.toml.',
        )
    return Question(
        target=target,
        time=wishes.time or task.time,
        group=wishes.group or task.group,
        positive=wishes.positive if wishes.positive is not None else task.positive,
        keep=wishes.keep or task.keep,
        drop=wishes.drop or task.drop,
        protected=wishes.protected or task.protected,
        seed=settings.train.seed if wishes.seed is None else wishes.seed,
    )


def settle_effort(settings: Settings, wishes: Wishes, *, should_stop: Callable[[], bool] | None = None) -> Effort:
    """Return how long training may run.

    Examples
    --------
    >>> settle_effort(Settings(), Wishes(budget_s=5.0)).budget_s
    5.0
    """
    return Effort(
        budget_s=wishes.budget_s or settings.train.budget_s,
        seed=settings.train.seed if wishes.seed is None else wishes.seed,
        threads=wishes.threads,
        prefer=settings.train.prefer,
        should_stop=should_stop or (lambda: False),
    )
