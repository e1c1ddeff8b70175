"""Say whether ranges and sets hold what they promise, and what a person's look buys."""

from __future__ import annotations

from skiff.core.measurement import Measurement
from skiff.evaluate.results import Evaluation, GroupCoverage, Kept
from skiff.report.glossary import quote
from skiff.report.numbers import format_amount, format_percent, format_range

MOST_GROUPS = 5


def describe_promises(evaluation: Evaluation, *, unit: str = "") -> tuple[str, ...]:
    """Return sentences about coverage, its groups and the region of review.

    Examples
    --------
    >>> from skiff.core.measurement import Measurement
    >>> from skiff.evaluate.results import Kept
    >>> kept = Kept(coverage=Measurement(name="coverage", value=0.91, low=0.88, high=0.93, n=400, baseline=0.9))
    >>> describe_promises(Evaluation(headline="rmse", metrics={}, baselines=(), kept=kept))[0]
    'Each answer comes with a range that should hold the truth 90 times in 100: it did 91 times (88 to 93).'
    """
    return (*_describe_coverage(evaluation, unit), *_describe_review(evaluation), *_describe_sizes(evaluation, unit))


def _describe_coverage(evaluation: Evaluation, unit: str) -> list[str]:
    kept = evaluation.kept
    if kept is None or kept.coverage.baseline is None:
        return []
    found = kept.coverage
    is_set = kept.size is not None and kept.size.name == "set_size"
    what = "a set of answers that cannot be ruled out, which should hold" if is_set else "a range that should hold"
    promised = found.baseline or 0.0
    said = [
        (
            f"Each answer comes with {what} the truth {'at least ' if is_set else ''}{promised * 100:.0f} times in 100: "
            f"it did {found.value * 100:.0f} times{_say_reach(found)}."
        )
    ]
    if kept.size is not None:
        size = (
            f"set holds {kept.size.value:.2f} answers"
            if is_set
            else f"range is {format_amount(kept.size.value, unit)} wide"
        )
        said.append(f"On average the {size}.")
    said += _describe_classes(kept)
    short = [group for group in kept.groups if group.falls_short]
    if short:
        said.append(f"It holds less often than promised where {_list(short)}.")
    small = [group for group in kept.groups if group.is_too_small]
    if small:
        rest = len(small) - MOST_GROUPS
        named = ", ".join(f"{one.column} {one.level}" for one in small[:MOST_GROUPS])
        said.append(f"Too few rows to say so of: {named}{f' and {rest} more' if rest > 0 else ''}.")
    return said


def _describe_classes(kept: Kept) -> list[str]:
    """Say how often the sets held each true answer: a rare one can be failed while the sum looks right."""
    judged = [one for one in kept.classes if not one.is_too_small]
    if not judged:
        return []
    lowest = sorted(judged, key=lambda one: one.coverage.value)[:MOST_GROUPS]
    told = "; ".join(
        f"{quote(one.level)} {one.coverage.value * 100:.0f} times in 100{_say_reach(one.coverage)}" for one in lowest
    )
    which = "Where the truth was" if len(lowest) == len(judged) else "Least often where the truth was"
    said = [f"{which}: {told}."]
    failed = [quote(one.level) for one in judged if one.falls_short]
    if failed:
        said.append(f"That is surely less often than promised for {', '.join(failed[:MOST_GROUPS])}.")
    return said


def _say_reach(found: Measurement) -> str:
    if found.low is None or found.high is None:
        return ""
    return f" ({found.low * 100:.0f} to {found.high * 100:.0f})"


def _list(groups: list[GroupCoverage]) -> str:
    return "; ".join(
        f"{one.column} is {one.level} ({one.coverage.value * 100:.0f} times in 100)" for one in groups[:MOST_GROUPS]
    )


def _describe_review(evaluation: Evaluation) -> list[str]:
    points = evaluation.abstain
    if len(points) < 2 or evaluation.kept is None or evaluation.kept.review_share is None:  # noqa: PLR2004  with and without
        return []
    share, acted = evaluation.kept.review_share.value, evaluation.kept.acted
    if share == 0:
        return ["It asks a person to look at none of these answers."]
    if share == 1:
        every = "It asks a person to look at every answer: a look costs less than what any decision of its own is likely to."
        return [every, *_describe_review_price(evaluation.kept)]
    rest = ""
    if acted is not None:
        rest = (
            f" Of the others {acted.value * 100:.0f} in 100 are right{_say_reach(acted)}; "
            f"of all answers it is {points[0].accuracy * 100:.0f} in 100."
        )
    return [
        f"It asks a person to look at {format_percent(share)} of the answers, those it is least sure of.{rest}",
        *_describe_review_price(evaluation.kept),
    ]


def _describe_review_price(kept: Kept) -> list[str]:
    saved = kept.review_saving
    if saved is None or kept.review_cost is None or kept.review_share is None:
        return []
    price = format_amount(100 * kept.review_share.value * kept.review_cost, saved.unit)
    low, high = (None if end is None else 100 * end for end in (saved.low, saved.high))
    reach = format_range(low, high, saved.unit)
    pays = "saves" if saved.value >= 0 else "loses"
    return [
        f"Looking at them costs {price} for every 100 answers. If the person is always right, that {pays} "
        f"{format_amount(100 * abs(saved.value), saved.unit)} after the looks are paid"
        + (f" ({'saving ' if saved.value < 0 else ''}{reach})." if reach else ".")
    ]


def _describe_sizes(evaluation: Evaluation, unit: str) -> list[str]:
    if len(evaluation.sizes) < 2:  # noqa: PLR2004  a comparison
        return []
    first, last = evaluation.sizes[0], evaluation.sizes[-1]
    return [
        (
            f"Where it predicts up to {format_amount(first.high, unit)} it is off by {format_amount(first.error.value, unit)} on average, "
            f"from {format_amount(last.low, unit)} upwards by {format_amount(last.error.value, unit)}."
        )
    ]
