"""How faithful a copy made by asking is, in words."""

from __future__ import annotations

from skiff.report.secure.told import Told, say_percent, say_range, tell_too_few
from skiff.secure.extraction import JUDGED, MIN_ROWS, Extraction


def tell_extraction(found: Extraction, *, is_value: bool) -> Told:
    """Say how faithful a copy made by asking is."""
    if found.n_rows < MIN_ROWS:
        return tell_too_few("extraction", found.n_rows)
    if not found.fidelity:
        return Told(
            attack="extraction",
            light=None,
            headline="Too few columns to say: all are running text, which the copy does not read.",
        )
    judged = next(item for item in found.fidelity if item.name == f"fidelity_at_{JUDGED}")
    what = "has {} of the variance of its answers" if is_value else "decides like it on {} of real rows"
    others = [
        f"after {int(item.name.rpartition('_')[2]):,} questions {say_range(item)}"
        for item in found.fidelity
        if item is not judged
    ]
    base = (
        "" if is_value else f" Always giving the most frequent answer agrees on {say_percent(judged.baseline or 0.0)}."
    )
    remedy = "Limit how often a key may ask ([serving] requests_per_second), and show labels instead of scores where scores are not needed."
    told = f"fter {JUDGED:,} made-up questions a copy {what.format(say_range(judged))}"
    return Told(
        attack="extraction",
        light=found.light,
        headline=f"A{told}."
        if found.light
        else f"Too few different answers to say: a{told}, as would who always gives one answer.",
        sentences=(
            f"{'; '.join(others).capitalize()}. Compared on {found.n_rows:,} real rows.{base}",
            "The attacker knew what each column may hold, sees scores, and has no real row.",
        ),
        remedy=remedy if found.light in {"red", "amber"} else "",
        not_measured="Attackers with real rows or with questions chosen by earlier answers: they need fewer.",
        measured=found.fidelity,
    )
