"""Signs and nests of contradicted answers, in words."""

from __future__ import annotations

from collections.abc import Sequence

from skiff.report.secure.told import Told, say_range, tell_too_few
from skiff.secure.poison import Poison

MOST_HINTS = 5
"""Signs, and nests, that are told."""


def tell_poison(found: Poison, *, table: str, rows: Sequence[int]) -> Told:
    """Say whether a sign or a nest of contradicted answers was found.

    Parameters
    ----------
    found : Poison
    table : str
        Name of the table.
    rows : sequence of int
        Row number in the table of each row that was looked at.
    """
    if found.light is None:
        return tell_too_few("poison", found.n_rows)

    def name(places: Sequence[int]) -> str:
        return ", ".join(str(rows[place]) for place in places)

    sentences = [
        f"Sign: one rare value of “{sign.column}” turns {say_range(sign.obeyed)} of other decisions over; {sign.carriers:,} rows carry it, "
        f"such as {name(sign.rows)} of {table}."
        for sign in found.signs[:MOST_HINTS]
    ]
    sentences += [
        f"Nest: {nest.contradicted} of {nest.n_rows:,} rows that share a value or range of “{nest.column}” have an answer that models which "
        f"never saw them contradict; {nest.expected:.1f} were to be expected. Such as rows {name(nest.rows)} of {table}."
        for nest in (found.nests or ())[:MOST_HINTS]
    ]
    hints = len(found.signs) + len(found.nests or ())
    sentences += [f"{hints - len(sentences)} more are not listed."] if hints > len(sentences) else []
    looked = f"{found.n_tried} rare values were tried as signs in {found.n_rows:,} training rows."
    if found.nests is None:
        looked += " Nests were not looked for: that needs the models of `membership`."
    return Told(
        attack="poison",
        light=found.light,
        headline="No sign that decides alone and no nest of contradicted answers was found."
        if found.light == "green"
        else f"{hints} {'hint' if hints == 1 else 'hints'} to look at: honest columns can look like this, changed answers do.",
        sentences=(*sentences, looked),
        remedy="Ask who wrote these cells and answers, and leave the rows out if nobody knows."
        if found.light != "green"
        else "",
        not_measured="Signs of several columns together, signs that a whole range of numbers shares, signs in running text, answers changed evenly over all rows, or so often that every model learns it.",
        measured=tuple(sign.obeyed for sign in found.signs[:1]),
    )
