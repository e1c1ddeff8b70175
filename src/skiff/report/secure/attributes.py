"""What asking the model gives away of people, in words."""

from __future__ import annotations

from collections.abc import Sequence

from skiff.core.measurement import Measurement
from skiff.report.secure.told import Told, say_percent
from skiff.secure.attributes import Attributes


def tell_attributes(found: Attributes, *, absent: Sequence[str] = ()) -> Told:
    """Say whether the model tells about people what one could not guess without it.

    Parameters
    ----------
    found : Attributes
    absent : sequence of str
        Columns that were to be tried but are none of the model's.
    """
    unasked = f"Not columns of the model, so it cannot be asked for them: {', '.join(absent)}." if absent else ""
    untried = (
        f"Not tried (no 2 to 20 levels, or too few rows with a value): {', '.join(found.untried)}."
        if found.untried
        else ""
    )
    beyond = f"Only the first {len(found.columns)} were tried, not: {', '.join(found.beyond)}." if found.beyond else ""
    if not found.columns:
        return Told(
            attack="attributes",
            light=None,
            headline="Too few rows to say, or no column of 2 to 20 levels.",
            sentences=tuple(item for item in (untried, unasked) if item),
        )
    worst = max(found.columns, key=lambda item: (item.light == "red", item.light == "amber", item.gap.value))
    sentences = [
        f"{item.column}: found for {say_percent(item.with_model)} of the people the model learned from, without the model for "
        f"{say_percent(item.without_model)}; more often than for people it never saw by {_say_points(item.gap)}."
        for item in found.columns
    ]
    return Told(
        attack="attributes",
        light=found.light,
        headline={
            None: "Too few rows to say: asking the model may help to find out the columns that were tried, but so may chance.",
            "green": "Asking the model does not help to find out the columns that were tried, as far as these rows tell.",
        }.get(found.light, f"Asking the model helps most to find out “{worst.column}” of people it learned from."),
        sentences=(*sentences, *(item for item in (untried, beyond, unasked) if item)),
        remedy="Leave the column out (`--drop`), or retrain with few, large leaves."
        if found.light in {"red", "amber"}
        else "",
        not_measured="What can be guessed about anybody from what goes together in the world, and other columns.",
        measured=tuple(measure for item in found.columns for measure in (item.gain, item.gap)),
    )


def _say_points(found: Measurement) -> str:
    low, high = found.low or 0.0, found.high or 0.0
    return f"{100 * found.value:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
