"""What decisions are worth in money, by which costs, and how far a capacity is filled: in sentences."""

from __future__ import annotations

from skiff.core.task import CostName, Costs
from skiff.evaluate.prices import AGAINST_NONE, BETTER_ALL, MATRIX, NOT_PAYING, has_matrix, say_money
from skiff.evaluate.results import Decision, Evaluation
from skiff.evaluate.threshold import find_capacity_share
from skiff.report.content import RunStory
from skiff.report.glossary import quote
from skiff.report.numbers import describe_in_100, format_amount, format_percent, format_range

OUTCOMES: dict[CostName, str] = {
    "false_positive": "a false alarm",
    "false_negative": "a missed case",
    "true_positive": "a case caught",
    "true_negative": "a row rightly left alone",
}

UNUSED = 0.9
"""Share of the capacity under which it is said that room is left: less is within what a month moves by itself."""


def describe_saving(story: RunStory) -> str:
    """Return what the decisions are worth in money and by which costs, or nothing where no costs were given.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> describe_saving(build_example_story())
    ''
    """
    decision = story.evaluation.decision if story.evaluation else None
    if story.evaluation is None or decision is None or decision.saving_per_row is None:
        return ""
    row = decision.saving_per_row
    month = story.evaluation.metrics.get(f"saving_{row.unit.lower()}_month")
    found, times, per = (row, 100, "for every 100 decisions") if month is None else (month, 1, "a month")
    value, low, high = (None if end is None else end * times for end in (found.value, found.low, found.high))
    reach = format_range(low, high, row.unit)
    verb, told = ("saves", reach) if (value or 0.0) >= 0 else ("loses", f"saving {reach}" if reach else "")
    is_doubtful = low is not None and high is not None and low <= 0 <= high
    said = (
        f"By your costs it {verb} {format_amount(abs(value or 0.0), row.unit, digits=3)} {per}{f' ({told})' if told else ''}, "
        f"against {_name_other(story, row.method)}{'; that may be chance' if is_doubtful else ''}."
    )
    return " ".join([said, *_describe_costs(decision), *_describe_all(story, decision)])


def describe_decision(evaluation: Evaluation) -> str:
    """Return from which probability on it warns, and why; the threshold is not said twice."""
    decision = evaluation.decision
    if decision is None:
        return ""
    is_said = f"{decision.threshold * 100:.0f} in 100" in decision.reason or "from a probability of" in decision.reason
    threshold = "" if is_said else f"It gives a warning from a probability of {format_percent(decision.threshold)} on. "
    return " ".join(part for part in (threshold + decision.reason, describe_room(evaluation)) if part)


def describe_room(evaluation: Evaluation) -> str:
    """Return how much of the capacity the threshold fills, or nothing where none was given.

    Examples
    --------
    >>> costs = Costs(capacity_per_week=50, rows_per_month=2000)
    >>> decision = Decision(threshold=0.4, reason="", costs=costs, flagged=0.074)
    >>> describe_room(Evaluation(headline="roc_auc", metrics={}, baselines=(), decision=decision))[:80]
    'It flags 7.4 in 100 of the rows kept aside; you can act on 10.8 in 100. The thre'
    """
    decision = evaluation.decision
    if decision is None or decision.costs is None or decision.flagged is None:
        return ""
    if decision.costs.capacity_per_week is None or decision.costs.rows_per_month is None:
        return ""
    room, flagged = find_capacity_share(decision.costs), decision.flagged
    said = f"It flags {describe_in_100(flagged)} of the rows kept aside; you can act on {describe_in_100(room)}."
    fixed = "The threshold was fixed beforehand, on the training rows"
    if flagged > room:
        return f"{said} {fixed}, so it does not stop when the room is full."
    if flagged >= UNUSED * room:
        return said
    left = f"about {round(100 * (1 - flagged / room))} in 100 of your room stays unused"
    if NOT_PAYING in decision.reason:
        return f"{said} {left[0].upper()}{left[1:]}, because by your costs acting on further rows would not pay."
    return f"{said} {fixed}, and fewer of these rows reach it: {left} unless you go on down the list by probability."


def name_costs(costs: Costs, typical: Costs | None) -> str:
    """Return the price of each outcome, and what else money is reckoned from, as a list in one sentence's form.

    Examples
    --------
    >>> loan = Costs(false_positive=40, false_negative=0.6, amount="loan", rows_per_month=400)
    >>> name_costs(loan, Costs(false_positive=40, false_negative=620.5))
    'a false alarm 40 EUR, a missed case 0.6 of column “loan” (620.5 EUR on average in the rows judged), a case caught 0 EUR, a row rightly left alone 0 EUR; 400 rows a month'
    """
    parts = []
    for name in MATRIX:
        price = getattr(costs, name) or 0.0
        if costs.amount is not None and name in costs.by_amount and price:
            mean = (
                ""
                if typical is None
                else f" ({say_money(getattr(typical, name))} {costs.currency} on average in the rows judged)"
            )
            parts.append(f"{OUTCOMES[name]} {say_money(price)} of column {quote(costs.amount)}{mean}")
        else:
            parts.append(f"{OUTCOMES[name]} {say_money(price)} {costs.currency}")
    more = []
    if costs.review is not None:
        more.append(f"a person's look {say_money(costs.review)} {costs.currency}")
    if costs.rows_per_month is not None:
        more.append(f"{say_money(costs.rows_per_month)} rows a month")
    if costs.capacity_per_week is not None:
        more.append(f"room to act on {say_money(costs.capacity_per_week)} a week")
    return "; ".join([", ".join(parts), *more])


def _describe_costs(decision: Decision) -> list[str]:
    if decision.costs is None or not has_matrix(decision.costs):
        return []
    return [f"Reckoned with: {name_costs(decision.costs, decision.typical)}."]


def _describe_all(story: RunStory, decision: Decision) -> list[str]:
    """Say where acting on every row, for which there is no room, would have been cheaper still."""
    other = decision.saving_against_all
    if other is None or other >= 0 or decision.saving_per_row is None:
        return []
    dearer = format_amount(-other, decision.saving_per_row.unit, digits=3)
    return [
        f"Answering {quote(_name_classes(story)[1])} for everybody would by these costs be {dearer} a row cheaper still, but you have no room to act on all."
    ]


def _name_other(story: RunStory, method: str) -> str:
    negative, positive = _name_classes(story)
    if AGAINST_NONE in method:
        return "acting on nobody"
    which = positive if BETTER_ALL in method else negative
    return f"answering {quote(which)} for everybody, the cheaper of the two answers that are always the same"


def _name_classes(story: RunStory) -> tuple[str, str]:
    classes = story.task.classes
    positive = story.task.positive or (classes[-1] if classes else "yes")
    return next((name for name in classes if name != positive), "no"), positive
