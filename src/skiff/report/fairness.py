"""How the answers fall on protected groups, in sentences and one table; never a verdict on whether that is right."""

from __future__ import annotations

from dataclasses import dataclass

from skiff.core.measurement import Measurement
from skiff.evaluate.results import Fairness, GroupRates, Proxy, Tradeoff
from skiff.report.content import RunStory
from skiff.report.glossary import quote
from skiff.report.numbers import (
    count_of,
    describe_share,
    format_amount,
    format_interval,
    format_range,
    format_score,
)
from skiff.report.words import name_cases

HEADS = {
    "base_rate": "Really are",
    "selection_rate": "Flagged",
    "recall": "Caught",
    "false_positive_rate": "False alarms",
    "precision": "Warnings right",
    "accuracy": "Right answers",
    "mean_error": "Too high (+) or low (−)",
    "mae": "Typical error",
}
"""Columns of the table, in this order."""

RATES = {
    "base_rate": "of the group",
    "selection_rate": "of the group",
    "recall": "of those that are",
    "false_positive_rate": "of those that are not",
    "precision": "of those flagged",
}

MOST_OFF = 4
"""Groups whose mean error is told in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FairnessRow:
    """One group: its name, its rows, and a cell for each head (value and range; dashes where too few rows)."""

    column: str
    level: str
    n: int
    cells: tuple[tuple[str, str], ...]


def list_heads(fairness: Fairness) -> tuple[tuple[str, str], ...]:
    """Return the heads of the table that any group fills, each with what it is a share of."""
    filled = {name for group in fairness.groups for name in group.rates}
    return tuple((words, RATES.get(name, "")) for name, words in HEADS.items() if name in filled)


def list_rows(fairness: Fairness) -> tuple[FairnessRow, ...]:
    """Return the table, group by group.

    Examples
    --------
    >>> rate = Measurement(name="selection_rate", value=0.25, low=0.2, high=0.31, n=200)
    >>> group = GroupRates(column="sex", level="f", n=200, rates={"selection_rate": rate})
    >>> list_rows(Fairness(groups=(group,)))[0].cells
    (('0.250', '0.200 to 0.310'),)
    """
    filled = {name for group in fairness.groups for name in group.rates}
    names = [name for name in HEADS if name in filled]
    return tuple(
        FairnessRow(
            column=group.column,
            level=group.level,
            n=group.n,
            cells=tuple(_cell(group.rates.get(name)) for name in names),
        )
        for group in fairness.groups
    )


def _cell(found: Measurement | None) -> tuple[str, str]:
    return ("–", "too few rows") if found is None else (format_score(found.value), format_interval(found))


def describe_fairness(story: RunStory) -> tuple[str, ...]:
    """Return what stands out between groups, why it cannot all be made equal, and which columns give a group away."""
    fairness = story.evaluation.fairness if story.evaluation else None
    if fairness is None:
        return ()
    return (
        *([] if story.task.quantile is not None else _describe_errors(fairness.groups, story.task.unit)),
        *(_describe_ratio(column, ratio, fairness.groups) for column, ratio in fairness.ratios.items()),
        *(_describe_tradeoff(found, name_cases(story)) for found in fairness.tradeoffs),
        *_describe_proxies(fairness.proxies),
    )


def describe_caption(story: RunStory) -> str:
    """Return what the numbers of the table are: shares, or amounts that an answer is off by.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> describe_caption(build_example_story())
    'Each group with the range in which the true share lies with 95 % confidence'
    """
    if story.task.kind != "regression":
        return "Each group with the range in which the true share lies with 95 % confidence"
    unit = f", in {story.task.unit}" if story.task.unit else ""
    return f"How far the answers are off in each group{unit}, with the range in which the true mean lies with 95 % confidence"


def _describe_errors(groups: tuple[GroupRates, ...], unit: str) -> list[str]:
    """Say of which groups the predicted amounts are surely too high or too low on average, the furthest off first."""
    known = [(group, group.rates["mean_error"]) for group in groups if "mean_error" in group.rates]
    if not known:
        return []
    off = [(group, error) for group, error in known if _is_off(error)]
    if not off:
        return ["In no group are the predicted amounts clearly too high or too low on average."]
    off.sort(key=lambda pair: -abs(pair[1].value))
    told = [_describe_error(group, error, unit) for group, error in off[:MOST_OFF]]
    more = len(off) - MOST_OFF
    return [*told, f"So are {more} more groups; see the table."] if more > 0 else told


def _is_off(error: Measurement) -> bool:
    return error.low is not None and error.high is not None and not error.low <= 0 <= error.high


def _describe_error(group: GroupRates, error: Measurement, unit: str) -> str:
    ends = sorted(abs(end) for end in (error.low, error.high) if end is not None)
    direction = "high" if error.value > 0 else "low"
    return (
        f"Where {quote(group.column)} is {quote(group.level)}, it predicts {format_amount(abs(error.value), unit, digits=3)} too {direction} "
        f"on average ({format_range(ends[0], ends[-1])}; {count_of(group.n, 'row')})."
    )


def _describe_ratio(column: str, ratio: Measurement, groups: tuple[GroupRates, ...]) -> str:
    rated = [group for group in groups if group.column == column and "selection_rate" in group.rates]
    low = min(rated, key=lambda group: group.rates["selection_rate"].value)
    high = max(rated, key=lambda group: group.rates["selection_rate"].value)
    shares = [describe_share(group.rates["selection_rate"].value) for group in (low, high)]
    return (
        f"By {quote(column)}, it flags {shares[0]} where it is {quote(low.level)} and {shares[1]} where it is "
        f"{quote(high.level)}: {format_score(ratio.value)} times as often ({format_interval(ratio)})."
    )


def _describe_tradeoff(found: Tradeoff, cases: str) -> str:
    low, high = (quote(level) for level in found.levels)
    base = [describe_share(rate) for rate in found.base_rates]
    false = [describe_share(rate) if rate <= 1 else "more than all" for rate in found.false_positive_rates]
    return (
        f"Not everything can be equal: where {quote(found.column)} is {low}, {base[0]} are {cases}; where it is {high}, "
        f"{base[1]}. If it caught equally many in both ({describe_share(found.recall)}) and its warnings were right equally "
        f"often ({describe_share(found.precision)}), its false alarms among the others would have to be {false[0]} and "
        f"{false[1]} (Chouldechova 2017). Which of these should be equal is for people to decide."
    )


def _describe_proxies(proxies: tuple[Proxy, ...]) -> list[str]:
    found: dict[str, list[str]] = {}
    for proxy in proxies:
        strength = proxy.strength
        told = f"{quote(proxy.by)} ({format_score(strength.value)}, {format_interval(strength)}, n={strength.n:,})"
        found.setdefault(proxy.column, []).append(told)
    return [
        f"It was not given {quote(column)}, but these columns tell something of it (0 nothing, 1 all): {', '.join(names)}."
        for column, names in found.items()
    ]
