"""Whether rows made up to please the model resemble rows it learned from, in words."""

from __future__ import annotations

from skiff.report.secure.told import Told, say_range
from skiff.secure.inversion import Inversion


def tell_inversion(found: Inversion) -> Told:
    """Say whether rows made up to please the model resemble rows it learned from."""
    if found.nearer is None:
        return Told(
            attack="inversion",
            light=None,
            headline="Too few rows to say: fewer than 100 on one side, nearly all made-up rows end in the same places, or all columns are "
            "running text.",
        )
    return Told(
        attack="inversion",
        light=found.light,
        headline=f"{'' if found.light else 'Too few rows to say: '}{say_range(found.nearer)} of the rows made up to please the model lie nearer to rows it learned from than to others; "
        "chance gives 50 %.",
        sentences=(
            f"{found.n_distinct} different rows came out. Each was compared with equally many rows of both kinds.",
            f"Those that are nearest to one and the same row count once: that leaves {found.nearer.n}.",
        ),
        remedy="Retrain with few, large leaves, and show labels instead of scores."
        if found.light in {"red", "amber"}
        else "",
        not_measured="Attackers who know a part of a row, and running text.",
        measured=(found.nearer,),
    )
