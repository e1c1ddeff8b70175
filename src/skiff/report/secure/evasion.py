"""How little a person must change before a decision turns over, in words."""

from __future__ import annotations

from skiff.report.secure.told import Told, say_percent, say_range, tell_too_few
from skiff.secure.evasion import MIN_ROWS, MODEST, Evasion


def tell_evasion(found: Evasion) -> Told:
    """Say how little a person must change before a decision turns over."""
    if found.light is None:
        if found.n_rows < MIN_ROWS:
            return tell_too_few("evasion", found.n_rows)
        return Told(
            attack="evasion",
            light=None,
            headline="Too few columns to say: what people can change is running text only, which this attack does not change.",
        )
    once, twice, thrice = found.flipped
    where = ", ".join(f"{name} ({say_percent(share)})" for name, share in found.columns[:5])
    sentences = [
        f"With two changed cells: {say_range(twice)}; with three: {say_range(thrice)}. Attacked: {found.n_rows:,} rows.",
        f"Cells were only set to values that training rows have; numbers and dates past at most {say_percent(MODEST)} of them.",
    ]
    if found.anyhow is not None:
        sentences.append(f"With one cell set to any such value, however far away: {say_range(found.anyhow)}.")
    if where:
        sentences.append(f"Changed in decisions that turned over: {where}.")
    if found.distance is not None:
        sentences.append(
            f"Where one number or date was enough, the usual change passes {say_percent(found.distance)} of the rows."
        )
    if found.immutable:
        sentences.append(f"Left alone, as you said that nobody can change them: {', '.join(found.immutable)}.")
    else:
        sentences.append(
            "No column is named as unchangeable, so all were changed and the light is amber at worst: name them under [secure] immutable in "
            "skiff.toml."
        )
    if found.untouched:
        sentences.append(f"Running text was not changed: {', '.join(found.untouched)}.")
    remedy = (
        "Check the cells named above against a source the person does not write, or leave those columns out (`--drop`)."
        if found.light != "green"
        else ""
    )
    return Told(
        attack="evasion",
        light=found.light,
        headline=f"Changing one cell within reach turns {say_range(once)} of the decisions over.",
        sentences=tuple(sentences),
        remedy=remedy,
        not_measured="The shortest way (the search is greedy), columns that can only change together, and what a change costs a person.",
        measured=tuple(item for item in (*found.flipped, found.anyhow) if item is not None),
    )
