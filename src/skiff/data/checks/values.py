"""Numbers that cannot be: far outside, impossible, or a stand-in for "not known"."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import gammaincc, gammainccinv, gammaincinv

from skiff.core.finding import Finding
from skiff.data.checks.quality import NEAR_CONSTANT
from skiff.data.facts import ColumnFacts
from skiff.data.headers import NEVER_NEGATIVE, says
from skiff.data.rows import number_rows
from skiff.data.sentences import count_rows, say_number, say_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

MIN_VALUES = 20
"""Different values that a quantity must have before one of them can be out of line."""

MIN_KNOWN = 50
"""Rows with a value needed to know what is usual."""

SPIKE_ROWS = 5
"""Rows that must share a value before it is a stand-in rather than a measurement."""

OUTER_FENCE = 3.0
"""Inter-quartile ranges beyond the quartiles from which a value is far out (Tukey 1977, Exploratory Data Analysis, p. 44)."""

LONELY = 3.5
"""How many times farther from the middle than the next value an outlier must be: a long tail has no such gap. For a
tail that falls like x⁻³ the two largest values are that far apart in one column of 43 (3.5⁻³; Rényi 1953,
doi:10.1007/BF02127580), so where many columns are looked at, more is asked of each (`how_lonely`)."""

MAX_OUTLIERS = 5
"""More rows than that beyond a gap are a second population, not mistakes (or 5 in 100,000 in large tables)."""

RARE = 0.02
"""Largest share of negative values that can be mistakes in a column that is otherwise positive."""

ABRUPT = 0.2
"""Negative values against positive ones equally near to zero: a quantity that may be negative passes smoothly through
zero, where both are about as frequent; mistakes break off."""

ALPHA = 0.01
"""Chance of calling any tail below zero a mistake where all columns pass smoothly through it (Bonferroni, Dunn 1961,
doi:10.1080/01621459.1961.10482090)."""

TAIL_ROWS = 20
"""Lowest values from zero upwards that show how dense a column is there: known to ±44 % (1.96/√20)."""

EMPTY_AROUND = 0.5
"""How far the next value must be from a spike at zero, as a part of its distance to the middle."""

STRAYS = 0.001
"""Share of values between zero and the others that may be slips themselves."""

REPEATED_NINES = frozenset(
    sign * float(digit * length) for sign in (1, -1) for digit in ("9", "8", "7") for length in range(2, 10)
) | {-1.0, -9.0, -8.0, -7.0, 1e6, 1e9, 99_999.99, 9_999.99, 999.99}
"""Numbers that people and programs type for "not known"."""

HABIT = 0.01
"""Share of zeros from which they are a way of saying "not known"; rarer ones are slips."""

Side = Literal["low", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme:
    """Values beyond a gap at one end.

    Parameters
    ----------
    side : {"low", "high"}
    bound : float
        The outermost usual value; all beyond it are meant.
    value : float
        The value beyond the gap that is nearest to it.
    n : int
        Rows beyond.
    n_values : int
        Different values beyond.
    ratio : float
        Distance from the middle of `value` over that of `bound`.
    """

    side: Side
    bound: float
    value: float
    n: int
    n_values: int
    ratio: float


def find_strange_values(facts: Mapping[str, ColumnFacts], *, without: Collection[str] = ()) -> list[Finding]:
    """Find stand-ins, impossible values and outliers, at most one finding of each code for a column.

    Judged by the column's own values alone: a stand-in is one value that many rows share, far from all others; a value
    is impossible where it breaks off a column that otherwise keeps a bound; an outlier is one of at most a handful, and
    at least 3.5 times as far from the middle as any other. Long tails are no outliers.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> from skiff.data.facts import gather_facts
    >>> income = np.random.default_rng(0).normal(3_000, 400, 200)
    >>> income[:12] = -999
    >>> found = find_strange_values(gather_facts(pl.DataFrame({"income": income})))
    >>> [(finding.code, finding.rows) for finding in found]
    [('quality.placeholder_missing', 12)]
    """
    judged = [fact for name, fact in facts.items() if name not in without and _can_judge(fact)]
    return [finding for fact in judged for finding in _look_at(fact, n_columns=len(judged))]


def _can_judge(fact: ColumnFacts) -> bool:
    if not fact.is_quantity or fact.n_numbers < MIN_KNOWN:
        return False
    return fact.n_distinct >= MIN_VALUES and fact.top_count < NEAR_CONSTANT * fact.n_rows


def how_lonely(n_columns: int) -> float:
    """Return how many times farther than the next value an outlier must be, where `n_columns` are looked at from both ends.

    As many as keep the expected number of false ones in a table at most one, were all tails to fall like x⁻³; never
    less than `LONELY`.

    Examples
    --------
    >>> how_lonely(10), round(how_lonely(100), 1), round(how_lonely(5_000), 1)
    (3.5, 5.8, 21.5)
    """
    return max(LONELY, float((2 * n_columns) ** (1 / 3)))


def _look_at(fact: ColumnFacts, *, n_columns: int) -> Iterator[Finding]:
    stand_in = find_stand_in(fact)
    if stand_in is not None:
        yield _tell_stand_in(fact, stand_in)
    usual = _without(fact, stand_in)
    if fact.kind == "number":
        zero = _find_lone_zero(usual)
        if zero:
            yield _tell_zero(fact, zero)
        elif n_negative := _find_mistaken_signs(
            usual, is_never_negative=says(fact.name, NEVER_NEGATIVE), alpha=ALPHA / n_columns
        ):
            yield _tell_signs(fact, n_negative)
    for side in ("low", "high"):
        extreme = find_extreme(usual, side=side, lonely=how_lonely(n_columns))
        if extreme is not None and not (side == "low" and fact.kind == "number" and extreme.value == 0.0):
            yield _tell_outliers(fact, extreme)
            return


def find_stand_in(fact: ColumnFacts) -> float | None:
    """Return the number at either end that stands for "not known", or None.

    It is shared by many rows and far from the next value: by half of the range of all others for the usual stand-ins
    (-1, 99, -999, 9999 …), by the whole of it for any other number. A lone -1 below numbers that start at 0 or 1 counts.
    """
    values, counts = fact.runs
    for end, rest in ((0, values[1:]), (len(values) - 1, values[:-1])):
        value, n = float(values[end]), int(counts[end])
        if n < max(SPIKE_ROWS, 0.0005 * fact.n_numbers):  # five in ten thousand: more than a slip of the hand
            continue
        reach = float(rest[-1] - rest[0])
        gap = float(min(abs(rest - value)))
        is_known = value in REPEATED_NINES and fact.kind == "number"
        is_lone_minus = value == -1.0 and float(rest[0]) >= 0.0 and bool((values % 1 == 0).all())
        if is_lone_minus or (reach > 0 and gap >= (0.5 if is_known else 1.0) * reach and _is_spike(n, counts)):
            return value
    return None


def _is_spike(n: int, counts: Int) -> bool:
    """Whether a value is at least as frequent as the usual one."""
    return n >= 2 * float(np.median(counts))


def _without(fact: ColumnFacts, value: float | None) -> tuple[Float, Int]:
    values, counts = fact.runs
    if value is None:
        return values, counts
    stays = values != value
    return values[stays], counts[stays]


def find_extreme(usual: tuple[Float, Int], *, side: Side, lonely: float = LONELY) -> Extreme | None:
    """Return the few values at one end that lie beyond a gap, or None where the tail has none."""
    values, counts = usual
    if side == "low":
        values, counts = -values[::-1], counts[::-1]
    total = int(counts.sum())
    running = np.cumsum(counts)
    quarter, middle, three = (float(values[np.searchsorted(running, level * total)]) for level in (0.25, 0.5, 0.75))
    fence = three + OUTER_FENCE * (three - quarter)
    limit = max(MAX_OUTLIERS, total // 20_000)
    for place in range(max(1, len(values) - limit), len(values)):
        n_beyond = total - int(running[place - 1])
        inner, outer = float(values[place - 1]) - middle, float(values[place]) - middle
        if n_beyond <= limit and inner > 0 and values[place] > fence and outer >= lonely * inner:
            sign = -1.0 if side == "low" else 1.0
            return Extreme(
                side=side,
                bound=sign * float(values[place - 1]),
                value=sign * float(values[place]),
                n=n_beyond,
                n_values=len(values) - place,
                ratio=outer / inner,
            )
    return None


def _find_lone_zero(usual: tuple[Float, Int]) -> int:
    """Return how many zeros stand apart from values that are all far above zero; 0 where they do not."""
    values, counts = usual
    if len(values) < MIN_VALUES or values[0] != 0.0 or counts[0] > 0.5 * counts.sum():
        return 0
    above, weights = values[1:], counts[1:]
    middle = float(above[np.searchsorted(np.cumsum(weights), 0.5 * weights.sum())])
    # A few strays between zero and the rest do not make zero usual.
    gap = float(above[np.searchsorted(np.cumsum(weights), STRAYS * weights.sum())])
    steps = float(np.median(np.diff(above)))
    return (
        int(counts[0]) if gap >= EMPTY_AROUND * (middle - gap) and gap > 10 * steps else 0
    )  # ten steps: no count from 0, 1, 2


def _find_mistaken_signs(usual: tuple[Float, Int], *, is_never_negative: bool, alpha: float) -> int:
    """Return how many negative values break off an otherwise positive column; 0 where they seem natural."""
    values, counts = usual
    n_negative = int(np.searchsorted(values, 0.0, side="left"))
    rows = int(counts[:n_negative].sum())
    if not 0 < rows <= RARE * counts.sum():
        return 0
    if is_never_negative:
        return rows
    near = float(np.median(np.repeat(-values[:n_negative], counts[:n_negative])))
    mirror = int(counts[(values >= 0.0) & (values <= near)].sum())
    close = int(counts[(values < 0.0) & (values >= -near)].sum())
    is_abrupt = close <= ABRUPT * mirror or (mirror == 0 and -values[0] >= values[values > 0].min(initial=np.inf))
    return rows if is_abrupt and measure_chance_of_depth(usual, n_negative) <= alpha else 0


def measure_chance_of_depth(usual: tuple[Float, Int], n_negative: int) -> float:
    """Return how often the tail of a column that passes smoothly through zero would reach so far below it.

    A tail that only ever falls faster (any bell curve does: it is log-concave) and holds n of N values below zero, beside f
    a unit just above it, falls at a rate of at least f / n: the summed depth of its n values is at most that of as many
    from an exponential of this rate, which follows the gamma distribution with shape n.

    Parameters
    ----------
    usual : (ndarray of float64, ndarray of int64)
        Different values in ascending order, and how often each occurs.
    n_negative : int
        Different values below zero.

    Notes
    -----
    f is taken from the `TAIL_ROWS` lowest values from zero upwards; f and n are known with error only, so the lower and
    the upper end of their 95 % intervals (Garwood 1936, doi:10.1093/biomet/28.3-4.437) are put in their place.

    References
    ----------
    Bagnoli and Bergstrom 2005, Log-concave probability and its applications, doi:10.1007/s00199-004-0514-4: the hazard
    rate of a log-concave density never falls on the way out.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> smooth = np.sort(random.normal(2.5, 1.0, 1_000))
    >>> slips = np.sort(np.append(random.uniform(0.0, 300.0, 1_000), [-120.0, -80.0]))
    >>> once = np.ones(2_000, dtype=np.int64)
    >>> measure_chance_of_depth((smooth, once[:1_000]), int((smooth < 0).sum())) > 0.05
    True
    >>> measure_chance_of_depth((slips, once[:1_002]), 2) < 1e-6
    True
    """
    values, counts = usual
    above, weights = values[n_negative:], np.cumsum(counts[n_negative:])
    if len(above) < 2:  # noqa: PLR2004  one value holds them all: nothing passes smoothly
        return 0.0
    last = min(int(np.searchsorted(weights, TAIL_ROWS)), len(above) - 1)
    width = float(above[last] - above[0]) + float(np.median(np.diff(above)))
    density = float(gammaincinv(weights[last], 0.025)) / width
    rows = int(counts[:n_negative].sum())
    rate = density / float(gammainccinv(rows + 1, 0.025))
    depth = float((counts[:n_negative] * (above[0] - values[:n_negative])).sum())
    return float(gammaincc(rows, depth * rate))


def _tell_stand_in(fact: ColumnFacts, value: float) -> Finding:
    is_it = fact.floats() == value
    n = int(is_it.sum())
    named = f"the number {say_number(value)}" if fact.kind == "number" else "one date far from all others"
    return Finding(
        code="quality.placeholder_missing",
        severity="warn",
        columns=(fact.name,),
        rows=n,
        sample_rows=number_rows(is_it),
        evidence={"value": value, "share": n / fact.n_known},
        what=f"'{fact.name}' has {named} in {count_rows(n)} ({say_share(n / fact.n_known)}), apart from all other values: "
        "it looks like a stand-in for 'not known' or 'does not apply'.",
        why_it_matters="Averages and models take it for a real amount.",
        remedy="If it means 'not known', leave those cells empty in the export.",
        action="kept",
        question=f"What does {say_number(value)} mean in '{fact.name}'?" if fact.kind == "number" else "",
    )


def _tell_zero(fact: ColumnFacts, n: int) -> Finding:
    share = n / fact.n_known
    is_few = share < HABIT
    return Finding(
        code="quality.impossible_values" if is_few else "quality.placeholder_missing",
        severity="warn",
        columns=(fact.name,),
        rows=n,
        sample_rows=number_rows(fact.floats() == 0.0),
        evidence={"value": 0, "share": share},
        what=f"'{fact.name}' is 0 in {count_rows(n)}, while the other values are far above 0.",
        why_it_matters="A zero that means 'not measured' is taken for a real amount.",
        remedy="If it means 'not known', leave those cells empty in the export.",
        action="kept",
        question=f"Can '{fact.name}' really be 0, or was it not known?",
    )


def _tell_signs(fact: ColumnFacts, n: int) -> Finding:
    return Finding(
        code="quality.impossible_values",
        severity="warn",
        columns=(fact.name,),
        rows=n,
        sample_rows=number_rows(fact.floats() < 0.0),
        evidence={"share": n / fact.n_known},
        what=f"'{fact.name}' is below zero in {count_rows(n)} ({say_share(n / fact.n_known)}), and zero or more in all others.",
        why_it_matters="If it cannot be negative, those rows are mistakes that the model would learn.",
        remedy="Correct or empty those cells if they are mistakes.",
        action="kept",
        question=f"Can '{fact.name}' be negative?",
    )


def _tell_outliers(fact: ColumnFacts, extreme: Extreme) -> Finding:
    numbers = fact.floats()
    is_out = numbers >= extreme.value if extreme.side == "high" else numbers <= extreme.value
    n = int(is_out.sum())
    where = (
        ("above" if extreme.side == "high" else "below")
        if fact.kind == "number"
        else ("after" if extreme.side == "high" else "before")
    )
    return Finding(
        code="quality.outliers",
        severity="warn",
        columns=(fact.name,),
        rows=n,
        sample_rows=number_rows(is_out),
        evidence={"times_as_far": round(extreme.ratio, 1), "different_values": extreme.n_values},
        what=f"'{fact.name}' lies far {where} all other values in {count_rows(n)}: {extreme.ratio:.0f} times as far from the "
        "middle as the next.",
        why_it_matters="A slip of the keyboard there pulls averages and models towards it.",
        remedy="Look at those rows; correct them if they are mistakes, leave them if they are real.",
        action="kept",
    )
