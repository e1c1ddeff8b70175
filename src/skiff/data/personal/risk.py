"""How easily a row is led back to its person by what is not a name: k-anonymity, uniqueness, l-diversity.

References
----------
Sweeney, L. (2002). k-anonymity: a model for protecting privacy. Int. J. Uncertainty, Fuzziness and Knowledge-Based Systems
10(5), 557-570. doi:10.1142/S0218488502001648 (definition 3).
Machanavajjhala, A. et al. (2007). l-diversity: privacy beyond k-anonymity. ACM TKDD 1(1), article 3. doi:10.1145/1217299.1217302
(distinct l-diversity, section 4.1; entropy l-diversity, definition 4.1).
Art. 29 Working Party, Opinion 05/2014 on anonymisation techniques (WP216): singling out, linkability, inference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Reidentification:
    """What columns together give away.

    Parameters
    ----------
    columns : tuple of str
        Quasi-identifiers that were looked at together.
    n_rows : int
    k : int
        Rows of the smallest group with the same values: k-anonymity.
    n_unique : int
        Rows that nobody else shares their values with.
    unique_share : float
        0 to 1.
    median_group : float
        Rows of the group that the middle row is in.
    sensitive : str
        Column whose values must not become known, or empty.
    l_distinct : int or None
        Different sensitive values in the group with the fewest.
    l_entropy : float or None
        exp of the least entropy of the sensitive values in a group.
    """

    columns: tuple[str, ...]
    n_rows: int
    k: int
    n_unique: int
    unique_share: float
    median_group: float
    sensitive: str = ""
    l_distinct: int | None = None
    l_entropy: float | None = None


def measure_reidentification(
    frame: pl.DataFrame, columns: Sequence[str], *, sensitive: str = ""
) -> Reidentification | None:
    """Count the groups of rows with the same quasi-identifiers; None where there is no such column or no row.

    Notes
    -----
    An empty cell counts as a value of its own. The counts are about this table: whoever knows more columns, or knows that a
    person is in the table, can do better; a sample hides that others share the values.

    Examples
    --------
    >>> people = pl.DataFrame({"sex": ["f", "f", "m"], "town": ["Rome", "Rome", "Oslo"], "ill": ["yes", "no", "no"]})
    >>> found = measure_reidentification(people, ["sex", "town"], sensitive="ill")
    >>> found.k, found.n_unique, found.l_distinct
    (1, 1, 1)
    """
    names = [name for name in columns if name != sensitive]
    if not names or not frame.height:
        return None
    sizes = frame.group_by(names).agg(pl.len().alias("_rows"))["_rows"]
    n_unique = int((sizes == 1).sum())
    ordered = sizes.sort()
    middle = ordered.gather([int((ordered.cum_sum() < frame.height / 2).sum())])[0]
    l_distinct, l_entropy = _measure_diversity(frame, names, sensitive) if sensitive else (None, None)
    return Reidentification(
        columns=tuple(names),
        n_rows=frame.height,
        k=int(ordered[0]),
        n_unique=n_unique,
        unique_share=n_unique / frame.height,
        median_group=float(middle),
        sensitive=sensitive,
        l_distinct=l_distinct,
        l_entropy=l_entropy,
    )


def _measure_diversity(frame: pl.DataFrame, names: list[str], sensitive: str) -> tuple[int, float]:
    counted = frame.group_by([*names, sensitive]).agg(pl.len().alias("_n"))
    groups = counted.group_by(names).agg(
        pl.len().alias("_distinct"),
        (-(pl.col("_n") / pl.col("_n").sum()) * (pl.col("_n") / pl.col("_n").sum()).log()).sum().alias("_entropy"),
    )
    return int(groups["_distinct"].min() or 0), math.exp(float(groups["_entropy"].min() or 0.0))  # type: ignore[arg-type]  # numbers
