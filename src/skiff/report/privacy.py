"""How easily rows lead back to persons, in sentences."""

from __future__ import annotations

from skiff.data.personal.risk import Reidentification
from skiff.data.sentences import name_columns, say_share


def say_reidentification(risk: Reidentification) -> str:
    """Return what columns together give away.

    Examples
    --------
    >>> print(say_reidentification(Reidentification(columns=("sex", "town"), n_rows=300, k=1, n_unique=30,
    ...                                             unique_share=0.1, median_group=4.0)))
    By 'sex' and 'town', 30 of 300 rows are one of a kind (10 of 100); the smallest group has 1 row (k = 1), half of the rows
    stand in groups of up to 4.
    """
    smallest = "1 row" if risk.k == 1 else f"{risk.k:,} rows"
    text = (
        f"By {name_columns(risk.columns)}, {risk.n_unique:,} of {risk.n_rows:,} rows are one of a kind ({say_share(risk.unique_share)}); "
        f"the smallest group has {smallest} (k = {risk.k:,}), half of the rows stand in groups of up to {risk.median_group:,.0f}."
    )
    if risk.l_distinct is None or risk.l_entropy is None:
        return text
    told = (
        "so who is in that group is known to have it"
        if risk.l_distinct == 1
        else "so nobody's is told by the group alone"
    )
    return f"{text} A group has at least {risk.l_distinct:,} different {'value' if risk.l_distinct == 1 else 'values'} of '{risk.sensitive}' (l = {risk.l_distinct:,}; by entropy {risk.l_entropy:.1f}), {told}."
