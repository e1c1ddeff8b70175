"""What differs between two versions of a table: columns, types, rows, and how far each column has moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.special import chdtrc

from skiff.core.finding import EvidenceValue, Finding
from skiff.core.measurement import Measurement
from skiff.data.facts import ColumnFacts, gather_facts
from skiff.data.kinds import take_top_levels
from skiff.data.profile import look_up_quantiles
from skiff.data.sentences import name_columns, say_number, say_rows, say_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

BINS = 10
"""Bins of a number: tenths of the earlier table."""

MAX_LEVELS = 30
"""Levels compared one by one, the most frequent of the earlier table; all others count as one."""

ALPHA = 0.05
"""Chance of any false alarm over all columns together (Holm)."""

NOTICEABLE, STRONG = 0.05, 0.2
"""Share of rows that lie elsewhere: below the first nobody would act; from the second on a model is another one. A third of the
way between them is where the population stability index calls a change small (0.1) or large (0.25): Yurdakul 2018."""

N_BOOT = 400
MIN_ROWS = 30
"""Rows with a value on either side below which a column is too small to judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """How far one column has moved.

    Parameters
    ----------
    name, kind : str
    moved : Measurement
        Share of the rows that would have to move for the two to be alike (total variation, 0 to 1), with 95 % interval.
    p, p_corrected : float
        Of the chi-square test of homogeneity; corrected for all columns by Holm.
    missing : (float, float)
        Share of empty cells before and after.
    sentence : str
    verdict : {"same", "small", "changed", "strong", "too_few"}
    """

    name: str
    kind: str
    moved: Measurement
    p: float
    p_corrected: float
    missing: tuple[float, float]
    sentence: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDrift:
    """Two versions of a table compared."""

    rows: tuple[int, int]
    added: tuple[str, ...]
    gone: tuple[str, ...]
    retyped: tuple[tuple[str, str, str], ...]
    columns: tuple[ColumnDrift, ...]
    not_compared: tuple[str, ...]


def compare_tables(before: pl.DataFrame, after: pl.DataFrame, *, seed: int = 0) -> TableDrift:
    """Compare two versions of a table, the columns that moved most first.

    Parameters
    ----------
    before, after : polars.DataFrame
        Typed tables.
    seed : int
        For the resampling behind the intervals.

    Notes
    -----
    Numbers and dates are compared by tenths of the earlier table, categories by their 30 most frequent levels, texts by
    their length; an empty cell is a value of its own. Codes that never repeat are not compared. The test takes rows as
    independent of each other; in tables with many rows of one customer it finds too much, which is why the share that moved
    must be noticeable, too.

    References
    ----------
    Total variation: Levin and Peres 2017, Markov chains and mixing times, ch. 4. Interval: basic bootstrap, Davison and Hinkley
    1997, ch. 5. Correction: Holm 1979, Scand. J. Statist. 6, 65-70.

    Examples
    --------
    >>> old = pl.DataFrame({"price": [float(n % 50) for n in range(400)], "city": ["Rome", "Oslo"] * 200})
    >>> new = pl.DataFrame({"price": [float(n % 50) + 30 for n in range(400)], "city": ["Rome", "Oslo"] * 200})
    >>> [(column.name, column.verdict) for column in compare_tables(old, new).columns]
    [('price', 'strong'), ('city', 'same')]
    """
    first, second = gather_facts(before), gather_facts(after)
    common = [name for name in before.columns if name in second]
    retyped = [
        (name, first[name].kind, second[name].kind) for name in common if not _is_alike(first[name], second[name])
    ]
    changed = {name for name, _, _ in retyped}
    generator = np.random.default_rng(seed)
    compared, skipped = [], []
    for name in common:
        if name in changed:
            continue
        if _is_code(first[name]):
            skipped.append(name)
            continue
        compared.append(_compare(first[name], second[name], generator=generator))
    corrected = correct_by_holm([column.p for column in compared])
    judged = [_judge(column, p) for column, p in zip(compared, corrected, strict=True)]
    return TableDrift(
        rows=(before.height, after.height),
        added=tuple(name for name in after.columns if name not in first),
        gone=tuple(name for name in before.columns if name not in second),
        retyped=tuple(retyped),
        columns=tuple(sorted(judged, key=lambda item: (item.verdict in ("same", "too_few"), -item.moved.value))),
        not_compared=tuple(skipped),
    )


def _is_alike(first: ColumnFacts, second: ColumnFacts) -> bool:
    words, numbers = {"category", "text"}, {"number", "boolean"}
    kinds = {first.kind, second.kind}
    return len(kinds) == 1 or kinds <= words or kinds <= numbers or not first.n_known or not second.n_known


def _is_code(fact: ColumnFacts) -> bool:
    return fact.kind == "category" and fact.n_known > MIN_ROWS and fact.n_distinct > 0.9 * fact.n_known


def _compare(first: ColumnFacts, second: ColumnFacts, *, generator: np.random.Generator) -> ColumnDrift:
    old, new = _count(first, second)
    statistic, freedom = measure_chi_square(old, new)
    p = float(chdtrc(freedom, statistic)) if freedom else 1.0
    gaps = (_share(first.n_missing, first.n_rows), _share(second.n_missing, second.n_rows))
    is_small = min(first.n_known, second.n_known) < MIN_ROWS
    return ColumnDrift(
        name=first.name,
        kind=first.kind,
        moved=measure_moved(old, new, generator=generator),
        p=1.0 if is_small else p,
        p_corrected=1.0,
        missing=gaps,
        sentence=_say(first, second),
        verdict="too_few" if is_small else "",
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _count(first: ColumnFacts, second: ColumnFacts) -> tuple[Int, Int]:
    """Return both columns as counts of the same cells, the empty ones last."""
    if first.kind == "text" or second.kind == "text":
        lengths = [
            np.sort(fact.series.drop_nulls().str.len_chars().cast(pl.Float64).to_numpy()) for fact in (first, second)
        ]
        counts = _count_numbers(lengths[0], lengths[1])
    elif first.kind == "category":
        top = take_top_levels(first.levels, MAX_LEVELS)["level"].to_list()
        counts = tuple(_count_levels(fact, top) for fact in (first, second))  # type: ignore[assignment]  # two of them
    else:
        counts = _count_numbers(first.numbers, second.numbers)
    old, new = (np.append(count, fact.n_missing) for count, fact in zip(counts, (first, second), strict=True))
    return old, new


def _count_levels(fact: ColumnFacts, top: Sequence[str]) -> Int:
    known = dict(fact.levels.filter(pl.col("level").is_in(list(top))).select("level", "n").iter_rows())
    counts = [int(known.get(level, 0)) for level in top]
    return np.array([*counts, fact.n_known - sum(counts)], dtype=np.int64)


def _count_numbers(old: Float, new: Float) -> tuple[Int, Int]:
    if not len(old):
        return np.array([0, 0]), np.array([0, len(new)])
    edges = np.unique(look_up_quantiles(old, np.arange(1, BINS) / BINS))
    # Both sides of each edge: values that stand on it in great number (zero, 100) are a cell of their own.
    edges = np.unique(np.concatenate([edges, np.nextafter(edges, np.inf)]))
    counts = [
        np.diff(np.concatenate([[0], np.searchsorted(side, edges, side="left"), [len(side)]])) for side in (old, new)
    ]
    return counts[0], counts[1]


def measure_chi_square(old: Int, new: Int) -> tuple[float, int]:
    """Return the chi-square of homogeneity of two rows of counts and its degrees of freedom; rare cells are put together.

    Examples
    --------
    >>> measure_chi_square(np.array([50, 50]), np.array([50, 50]))
    (0.0, 1)
    """
    total = old + new
    small = np.minimum(old.sum(), new.sum()) * total < 5 * total.sum()  # expected below five: Cochran 1954
    if small.any():
        old = np.append(old[~small], old[small].sum())
        new = np.append(new[~small], new[small].sum())
        total = old + new
    kept = total > 0
    old, new, total = old[kept], new[kept], total[kept]
    if len(total) < 2 or not old.sum() or not new.sum():  # noqa: PLR2004  one cell cannot differ
        return 0.0, 0
    n = total.sum()
    statistic = 0.0
    for side in (old, new):
        expected = total * side.sum() / n
        statistic += float(((side - expected) ** 2 / expected).sum())
    return statistic, len(total) - 1


def measure_moved(old: Int, new: Int, *, generator: np.random.Generator) -> Measurement:
    """Return the share of rows that would have to move, with its interval; what chance alone moves is taken off.

    Examples
    --------
    >>> found = measure_moved(np.array([900, 100]), np.array([700, 300]), generator=np.random.default_rng(0))
    >>> found.low < 0.2 < found.high
    True
    """
    n = (int(old.sum()), int(new.sum()))
    if not all(n):
        return Measurement(name="moved", value=0.0, low=0.0, high=1.0, n=min(n), unit="rate", method="no rows")
    shares = [side / side.sum() for side in (old, new)]
    plain = _distance(*shares)
    drawn = [generator.multinomial(size, share, size=N_BOOT) / size for size, share in zip(n, shares, strict=True)]
    boot = 0.5 * np.abs(drawn[0] - drawn[1]).sum(axis=1)
    bias = max(0.0, float(boot.mean()) - plain)
    low, high = (float(2 * plain - np.quantile(boot, level)) for level in (0.975, 0.025))
    value = max(0.0, plain - bias)
    return Measurement(
        name="moved",
        value=value,
        low=max(0.0, min(low, value)),
        high=min(1.0, max(high, value)),
        n=min(n),
        unit="rate",
        method=f"total variation, basic bootstrap, {N_BOOT} resamples",
    )


def _distance(first: Float, second: Float) -> float:
    return float(0.5 * np.abs(first - second).sum())


def correct_by_holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected so that the chance of any false alarm stays what it was for one.

    Examples
    --------
    >>> correct_by_holm([0.01, 0.04, 0.5])
    [0.03, 0.08, 0.5]
    """
    order = np.argsort(p_values, kind="stable")
    corrected = [1.0] * len(order)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


def _judge(column: ColumnDrift, p: float) -> ColumnDrift:
    verdict = column.verdict
    if not verdict:
        moved = column.moved.value
        verdict = (
            "same" if p >= ALPHA else "strong" if moved >= STRONG else "changed" if moved >= NOTICEABLE else "small"
        )
    return replace(column, p_corrected=p, verdict=verdict)


def _say(first: ColumnFacts, second: ColumnFacts) -> str:
    """Return what moved in plain words: the middle of a number, a level's share, empty cells."""
    parts = []
    if first.kind == "number" and first.n_numbers and second.n_numbers:
        middle = [say_number(float(look_up_quantiles(fact.numbers, np.array([0.5]))[0])) for fact in (first, second)]
        parts.append(f"the middle value was {middle[0]} and is {middle[1]}")
    elif first.kind == "category":
        new = second.levels.filter(~pl.col("level").is_in(first.levels["level"].to_list()))
        if new.height:
            n = int(new["n"].sum())
            parts.append(
                f"{new.height:,} new value{'' if new.height == 1 else 's'} in {say_rows(_share(n, second.n_rows))}"
            )
    gaps = [_share(fact.n_missing, fact.n_rows) for fact in (first, second)]
    if abs(gaps[0] - gaps[1]) >= 0.01:  # noqa: PLR2004  one in a hundred
        parts.append(f"empty in {say_rows(gaps[0])} before, in {say_share(gaps[1])} now")
    return "; ".join(parts)


def find_drift(found: TableDrift) -> list[Finding]:
    """Tell what changed as findings: columns that came, went or are of another kind, and those that moved noticeably."""
    told: list[Finding] = []
    if found.gone:
        told.append(_tell_columns("schema.missing_column", "warn", found.gone, "gone"))
    if found.added:
        told.append(_tell_columns("schema.extra_column", "info", found.added, "new"))
    for name, before, after in found.retyped:
        told.append(
            Finding(
                code="schema.kind_changed",
                severity="warn",
                columns=(name,),
                rows=found.rows[1],
                evidence={"before": before, "after": after},
                what=f"'{name}' was read as {before} and is now read as {after}.",
                why_it_matters="What was learned from it no longer applies.",
                remedy="Ask whether the export changed; one stray word is enough to turn numbers into text.",
            )
        )
    told += [_tell_moved(column) for column in found.columns if column.verdict in ("changed", "strong")]
    return told


def _tell_columns(code: str, severity: str, names: tuple[str, ...], word: str) -> Finding:
    verb = "is" if len(names) == 1 else "are"
    return Finding(
        code=code,
        severity="warn" if severity == "warn" else "info",
        columns=names,
        what=f"{name_columns(names)} {verb} {word}.",
        why_it_matters="A renamed column shows up as one that went and one that came.",
        remedy="Ask what changed in the export.",
    )


def _tell_moved(column: ColumnDrift) -> Finding:
    evidence: Mapping[str, EvidenceValue] = {
        "moved": column.moved,
        "p_corrected": column.p_corrected,
        "missing_before": column.missing[0],
        "missing_after": column.missing[1],
    }
    tail = f" ({column.sentence})" if column.sentence else ""
    return Finding(
        code="schema.drift",
        severity="warn" if column.verdict == "strong" else "info",
        columns=(column.name,),
        rows=column.moved.n,
        evidence=evidence,
        what=f"'{column.name}' has moved: {say_rows(column.moved.value)} lie elsewhere than before{tail}.",
        why_it_matters="A model learned from the earlier table meets other cases here.",
        remedy="Ask whether the world changed or the way of recording; then judge the model on the new rows.",
        question=f"What changed about '{column.name}' between the two files?" if column.verdict == "strong" else "",
    )
