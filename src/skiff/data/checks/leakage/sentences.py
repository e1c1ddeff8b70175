"""How the court speaks: claims with the shares that back them, and the questions a client can answer."""

from __future__ import annotations

from skiff.core.measurement import Measurement
from skiff.data.checks.leakage.case import Case
from skiff.data.checks.leakage.states import State, Weight
from skiff.data.sentences import say_share


def name_outcome(case: Case, label: str, *, is_always: bool = True) -> str:
    """Return an outcome in words: ``'churn' is 'yes'``."""
    return f"'{case.target}' {'is' if is_always else 'is not'} '{label}'"


def name_state(states: tuple[State, ...]) -> str:
    """Return the states of one column in words; a level is named only where five rows share it (they always do here)."""
    kind = states[0].kind
    if kind in ("blank", "filled"):
        return kind
    if kind == "unset":
        return f"exactly {states[0].value:g}"
    if kind == "set":
        return f"anything but {states[0].value:g}"
    names = [f"'{state.value}'" if isinstance(state.value, str) else f"{state.value:g}" for state in states]
    listed = ", ".join(names[:3])
    return listed if len(names) <= 3 else f"{listed} or one of {len(names) - 3} more"  # noqa: PLR2004  three examples


def say_claim(case: Case, states: tuple[State, ...], weight: Weight) -> str:
    """Return what a state claims, with the shares that back it."""
    column = states[0].column.name
    n = sum(state.n for state in states)
    hits = sum(state.hits[weight.outcome.code] for state in states)
    right = hits if weight.is_always else n - hits
    told = f"all {n:,}" if right == n else f"{right:,} of {n:,}"
    return (
        f"Where '{column}' is {name_state(states)}, {name_outcome(case, weight.outcome.label, is_always=weight.is_always)} "
        f"in {told} rows; over all rows it is so in {say_share(1.0 - weight.base)}."
    )


def ask_when(case: Case, column: str) -> str:
    """Return the question that settles whether a column is known in time."""
    return f"When is '{column}' filled in: before or after '{case.target}' is known?"


def ask_when_event(case: Case, column: str, label: str) -> str:
    """Return the same question where one outcome is betrayed."""
    return f"When is '{column}' filled in: before or after it is known that {name_outcome(case, label)}?"


def say_scores(with_it: Measurement, without: Measurement) -> str:
    """Return what a quick model reaches with and without a column.

    Examples
    --------
    >>> say_scores(Measurement(name="roc_auc", value=0.981, n=900), Measurement(name="roc_auc", value=0.848, n=900))
    'With it a quick model ranks 98.1 of 100 pairs the right way round, without it 84.8.'
    """
    if with_it.name == "roc_auc":
        return f"With it a quick model ranks {100 * with_it.value:.1f} of 100 pairs the right way round, without it {100 * without.value:.1f}."
    if with_it.name == "r2":
        return f"With it a quick model explains {100 * with_it.value:.1f} % of the differences, without it {100 * without.value:.1f} %."
    return f"With it a quick model's loss is {with_it.value:.3f}, without it {without.value:.3f} (less is better)."


WHY_LEAK = "A model would learn the answer instead of the signs that come before it, look excellent in every test, and fail in use."
REMEDY_LEFT_OUT = "It is left out of the model. If it is known before the prediction is needed, keep it with --keep."
REMEDY_ASK = "Ask the question below. If the answer is 'after', leave it out with --drop."
