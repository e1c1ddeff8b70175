"""Whether the model gives away which rows it learned from, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skiff.core.measurement import Measurement
from skiff.report.numbers import format_interval, format_score
from skiff.report.secure.told import STATUS, Told, say_range, tell_too_few
from skiff.secure.membership import MIN_ROWS_LOW, Membership
from skiff.secure.price import Priced

REMEDIES = {
    "rounded": "Give answers in coarse steps only",
    "regularised": "Retrain with few, large leaves (15 of at least 100 rows)",
    "strict": "Retrain with fewer leaves (8 of at least 100 rows), held back more",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """Rows of a table by their number (data rows counted from 1), and its name."""

    table: str
    rows: tuple[int, ...]


def tell_membership(
    found: Membership, priced: Sequence[Priced], exposed: Exposed, *, recipe: str, stand_ins: Sequence[str] = ()
) -> Told:
    """Say whether the model gives away which rows it learned from.

    Parameters
    ----------
    found : Membership
    priced : sequence of Priced
    exposed : Exposed
    recipe : str
        What the shadow models were.
    stand_ins : sequence of str
        Members of the release that could not be trained again by their name.
    """
    if found.rate is None:
        return tell_too_few("membership", found.n_rows)
    sentences = [
        f"At 1 wrong accusation in 100: {say_range(found.rate)} of the learned rows are recognised; guessing gives 1 %.",
        _say_low_rate(found),
        f"Lead over guessing {_say_score(found.advantage)}, area under the curve {_say_score(found.auc)}; guessing gives 0 and 0.5.",
        f"An attacker whose own models never saw the row recognises {say_range(found.offline_rate)} at 1 wrong accusation in 100.",
        f"{found.n_models} models ({recipe}) were each taught a random half of {found.n_rows:,} training rows and attacked in turn.",
        f"Control: with shuffled memberships the same attack finds {say_range(found.control_rate)}; it should find about 1 %.",
    ]
    if stand_ins:
        sentences.append(
            f"Plain boosting stood in for what could not be trained again by name: {', '.join(stand_ins)}."
        )
    if exposed.rows:
        named = ", ".join(str(row) for row in exposed.rows)
        sentences.append(
            f"Most easily recognised, and more often than chance would have it: {'row' if len(exposed.rows) == 1 else 'rows'} {named} of {exposed.table} (data rows counted from 1)."
        )
    sentences += [_say_price(item) for item in priced]
    measured = (found.rate, found.low_rate, found.advantage, found.auc, found.offline_rate, found.control_rate)
    return Told(
        attack="membership",
        light=found.light,
        headline=_say_membership(found.rate, found.advantage, is_sure=found.light is not None),
        sentences=tuple(sentences),
        remedy=_choose_remedy(found, priced),
        not_measured="Models taught all rows instead of half (they remember a little less of each), answers with reasons or ranges, and "
        "several releases held against each other.",
        measured=tuple(item for item in measured if item is not None),
    )


def tell_rare_class(n_rows: int, n_needed: int) -> Told:
    """Say that a class is so rare that models taught half of the rows could miss it."""
    return Told(
        attack="membership",
        light=None,
        headline=f"Too few rows to say: all answers but the most frequent one have fewer than {n_needed:,} of the {n_rows:,} training rows each.",
    )


def _say_membership(rate: Measurement, advantage: Measurement, *, is_sure: bool) -> str:
    if not is_sure:
        return (
            f"Too few rows to say: of 100 rows the model learned from, an attacker may recognise about {_count(rate.value)} while wrongly "
            "accusing 1 of 100 others, but by the ranges below chance could do that too."
        )
    right = f"{100 * (1 + advantage.value) / 2:.0f}"
    return (
        f"Of 100 rows the model learned from, an attacker recognises about {_count(rate.value)} while wrongly accusing 1 of 100 others; "
        f"guessing about every row, they are right in {right} of 100 (a coin: 50)."
    )


def _say_low_rate(found: Membership) -> str:
    if found.low_rate is None:
        return f"At 1 in 1,000: too few rows to say ({found.n_rows:,}; {MIN_ROWS_LOW:,} are needed)."
    return f"At 1 in 1,000: {say_range(found.low_rate)}; guessing gives 0.1 %."


def _count(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") if share < 0.1 else f"{100 * share:.0f}"  # noqa: PLR2004  as in say_percent


def _say_price(item: Priced) -> str:
    after = item.membership
    rate = say_range(after.rate) if after.rate else "an unknown share"
    costs = ", ".join(_say_change(change) for change in item.price)
    light = STATUS[after.light].lower()
    return f"{REMEDIES[item.name]}: then {rate} are recognised; lead {_say_score(after.advantage)}; {light}. Price: {costs}."


def _say_score(found: Measurement) -> str:
    return f"{format_score(found.value)} ({format_interval(found)})"


def _say_change(change: Measurement) -> str:
    name = change.name.removesuffix("_change")
    if name == "accuracy":
        low, high = change.low or 0.0, change.high or 0.0
        return f"accuracy {100 * change.value:+.2f} points ({100 * low:+.2f} to {100 * high:+.2f})"
    words = {"log_loss": "log loss", "mae": "mean error"}[name]
    return f"{words} {change.value:+.4g} ({change.low:+.4g} to {change.high:+.4g}; less is better)"


def _choose_remedy(found: Membership, priced: Sequence[Priced]) -> str:
    """Return the remedy that brings the best light, the first of equals."""
    if found.light in {"green", None}:
        return ""
    order = ["green", "amber", "red", None]
    best = min(priced, key=lambda item: order.index(item.membership.light), default=None)
    if best is None:
        return "Learn from more rows or fewer columns, and do not publish scores."
    if order.index(best.membership.light) >= order.index(found.light):
        return "No remedy that was tried brings a better light; all are priced above. Learn from more rows or fewer columns, and do not publish scores."
    return f"{REMEDIES[best.name]}: priced above, {STATUS[best.membership.light].lower()}."
