"""Settle what the user asked for: options given now win over ``skiff.toml``, which wins over what Skiff proposes."""

from __future__ import annotations

from collections.abc import Callable

from skiff.core.errors import SkiffError
from skiff.core.settings import Settings
from skiff.data.personal.kinds import PersonalAnswers
from skiff.evaluate.gates import parse_criterion
from skiff.flows.effort import Effort
from skiff.flows.prepare import Question
from skiff.flows.wishes import Wishes


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
    refuse_two_answers(wishes, target)
    keep, drop = merge_answers(given=(wishes.keep, wishes.drop), remembered=(task.keep, task.drop))
    return Question(
        target=target,
        time=wishes.time or task.time,
        group=wishes.group or task.group,
        positive=wishes.positive if wishes.positive is not None else task.positive,
        keep=tuple(name for name in keep if name != target),
        drop=tuple(name for name in drop if name != target),
        protected=wishes.protected or task.protected,
        seed=settings.train.seed if wishes.seed is None else wishes.seed,
        weight=task.weight,
        exposure=task.exposure,
        monotone=settings.train.monotone,
        quantile=settings.train.quantile,
        personal=PersonalAnswers(yes=settings.privacy.personal, no=settings.privacy.not_personal),
    )


def refuse_two_answers(wishes: Wishes, target: str) -> None:
    """Refuse a column that is to be two things at once: kept and left out, or predicted and left out.

    Raises
    ------
    SkiffError
        ``column_used_twice``.

    Examples
    --------
    >>> refuse_two_answers(Wishes(keep=("refund",), drop=("refund",)), "cancelled")
    Traceback (most recent call last):
    skiff.core.errors.SkiffError: 'refund' cannot be both kept and left out. Give it once, with --keep or with --drop.
    """
    both = [name for name in wishes.drop if name in wishes.keep]
    if target in wishes.drop or both:
        is_target = target in wishes.drop
        name = target if is_target else both[0]
        raise SkiffError(
            "column_used_twice",
            what=f"'{name}' cannot be both {'predicted' if is_target else 'kept'} and left out.",
            where={"column": name, "option": "--drop"},
            fix="Take away --drop for it, or predict another column."
            if is_target
            else "Give it once, with --keep or with --drop.",
        )


def merge_answers(
    *, given: tuple[tuple[str, ...], tuple[str, ...]], remembered: tuple[tuple[str, ...], tuple[str, ...]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns to keep and to drop: what is said now wins over what was said before.

    Parameters
    ----------
    given, remembered : pair of tuple of str
        Columns to keep and columns to drop.

    Examples
    --------
    >>> merge_answers(given=(("status",), ()), remembered=(("price",), ("status", "note")))
    (('price', 'status'), ('note',))
    """
    keep, drop = given
    keep_before, drop_before = remembered
    return (
        tuple(dict.fromkeys([*(name for name in keep_before if name not in drop), *keep])),
        tuple(dict.fromkeys([*(name for name in drop_before if name not in keep), *drop])),
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
        answers=settings.answers,
    )
