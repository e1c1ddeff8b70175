"""States of a column: blank or filled, set or unset, one of few levels. And how heavily a state weighs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import polars as pl

from skiff.core.signature import InputColumn
from skiff.data.abreast import map_abreast
from skiff.data.checks.leakage.case import Case, Outcome
from skiff.data.checks.leakage.columns import encode_ordered, find_blanks
from skiff.data.checks.leakage.power import Power
from skiff.data.checks.leakage.proof import bound_chance, bound_errors
from skiff.data.checks.leakage.witness import Witness, ask_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]

StateKind: TypeAlias = Literal["blank", "filled", "level", "set", "unset"]

FEW_LEVELS = 12
"""A number with at most this many values is read as levels (grades, months, counts of children)."""

FEW_LABELS = 8
"""Labels up to which levels are counted for one label after the other."""

MIN_STATE_ROWS = 8
"""A rarer state is not tried: even eight of eight leave an error rate of 31 % possible (Clopper-Pearson, 95 %)."""

MODE_SHARE = 0.3
"""A number that repeats one value in this share of rows has an "unset" state (0, -1 …) and a "set" one."""

IMPOSSIBLE_CHANCE = 1e-6
"""A state must be this improbable under the expectation of the other columns: with 10,000 states tried in one table the
chance of a single false one is then 1 % (Bonferroni)."""


TELLTALE_BASE = 0.7
"""Share of rows without an outcome from which it is unusual, so that a cell filled only where it happens is a trace of it."""

SURELY_FEWER = 0.2
PROBABLY_FEWER = 0.33
"""Failures that are still possible (95 %), as a share of those that the other columns expect, for blocking and for asking: an
honest column that leaves a fifth of what the best model of all others errs is stronger than all of them together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Rows of one column that share a state.

    Parameters
    ----------
    column : InputColumn
    kind : {"blank", "filled", "level", "set", "unset"}
        ``unset`` is the one value most rows share, ``set`` every other filled cell.
    value : str, float or None
        The level, or the value of ``unset``.
    n : int
        Rows.
    hits : tuple of int
        Rows a code of `Case.labels`.
    """

    column: InputColumn
    kind: StateKind
    value: str | float | None
    n: int
    hits: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """How heavily the claim "in these rows it is always (or never) so" weighs.

    Parameters
    ----------
    outcome : Outcome
    is_always : bool
        True for "always", False for "never".
    n : float
        Independent rows.
    errors : float
        Of these, rows where the claim fails.
    upper : float
        95 % upper bound on the rate of failures (Clopper-Pearson).
    expected : float
        Rate of failures that the other columns expect in the same rows.
    base : float
        Rate of failures over all rows.
    chance : float
        Probability of so few failures if the other columns were right (binomial).
    """

    outcome: Outcome
    is_always: bool
    n: float
    errors: float
    upper: float
    expected: float
    base: float
    chance: float

    @property
    def is_unexplained(self) -> bool:
        """Whether nothing else in the table makes the claim probable."""
        return self.chance <= IMPOSSIBLE_CHANCE and self.upper <= SURELY_FEWER * self.expected

    @property
    def is_doubtful(self) -> bool:
        """Whether it is worth a question, though too few rows to be sure."""
        return self.chance <= IMPOSSIBLE_CHANCE and self.upper <= PROBABLY_FEWER * self.expected

    @property
    def is_telltale(self) -> bool:
        """Whether a trace of an unusual outcome never occurs without it: worth a question even where others foresee it."""
        is_unusual = self.is_always and self.base >= TELLTALE_BASE
        return is_unusual and self.errors == 0 and self.n * np.log(self.base_hits) <= np.log(IMPOSSIBLE_CHANCE)

    @property
    def base_hits(self) -> float:
        """Rate at which the claim holds over all rows."""
        return max(1.0 - self.base, 1e-12)

    @property
    def rate(self) -> float:
        """Share of the rows where the claim holds."""
        return 1.0 - self.errors / self.n


def find_blank_states(case: Case, column: InputColumn) -> tuple[State, State] | None:
    """Return the blank and the filled state of a column that has both."""
    blank = find_blanks(case.frame[column.name])
    n_blank = int(blank.sum())
    if not MIN_STATE_ROWS <= n_blank <= case.n_rows - MIN_STATE_ROWS:
        return None
    total = np.bincount(case.labels, minlength=_n_labels(case))
    hits = np.bincount(case.labels[blank], minlength=_n_labels(case))
    return (
        State(column=column, kind="blank", value=None, n=n_blank, hits=tuple(hits.tolist())),
        State(column=column, kind="filled", value=None, n=case.n_rows - n_blank, hits=tuple((total - hits).tolist())),
    )


def find_value_states(case: Case, power: Power) -> tuple[State, ...]:
    """Return the levels of a column of few values, or the set and unset state of a number that mostly repeats one."""
    column = power.column
    is_levels = column.kind in ("category", "boolean") or (column.kind == "number" and power.n_distinct <= FEW_LEVELS)
    if column.kind in ("text", "date"):
        return ()
    return _count_levels(case, column) if is_levels else _count_set_and_unset(case, column)


def _count_levels(case: Case, column: InputColumn) -> tuple[State, ...]:
    """Count the outcomes of every level with enough rows, most frequent first."""
    hits: dict[str | float, list[int]] = {}
    for level, label, count in _count_pairs(case, column):
        hits.setdefault(level, [0] * _n_labels(case))[label] = count
    states = [
        State(
            column=column,
            kind="level",
            value=level if isinstance(level, str) else float(level),
            n=sum(row),
            hits=tuple(row),
        )
        for level, row in hits.items()
        if not (isinstance(level, str) and not level.strip())
    ]
    return tuple(sorted(states, key=lambda state: (-state.n, str(state.value))))


def _count_pairs(case: Case, column: InputColumn) -> Iterator[tuple[str | float, int, int]]:
    """Yield each level that has enough rows with a label and the rows that have both."""
    series = case.frame[column.name]
    levels = (series if column.kind == "category" else pl.Series(encode_ordered(series)).fill_nan(None)).alias("level")
    counted = levels.value_counts().filter(pl.col("count") >= MIN_STATE_ROWS)
    often = counted["level"].drop_nulls()
    if _n_labels(case) > FEW_LABELS:
        table = pl.DataFrame({"level": levels, "label": case.labels}).filter(levels.is_in(often.implode()))
        yield from table.group_by("level", "label").len().iter_rows()
        return
    n_of = dict(counted.drop_nulls("level").iter_rows())
    rest = dict(n_of)
    # Counting one column is five times as fast as counting pairs; the most common label has what the others leave.
    most = int(np.bincount(case.labels, minlength=_n_labels(case)).argmax())
    for label in range(_n_labels(case)):
        if label == most:
            continue
        for level, count in (
            levels.filter(pl.Series(case.labels == label))
            .value_counts()
            .join(counted.select("level"), on="level", how="semi")
            .iter_rows()
        ):
            rest[level] -= count
            yield level, label, count
    yield from ((level, most, count) for level, count in rest.items() if count)


def _count_set_and_unset(case: Case, column: InputColumn) -> tuple[State, ...]:
    """Count the outcomes where a number has its most common value, and where it has any other."""
    values = encode_ordered(case.frame[column.name])
    sampled = values[case.sample]
    present = sampled[np.isfinite(sampled)]
    if len(present) == 0:
        return ()
    distinct, counts = np.unique(present, return_counts=True)
    mode = float(distinct[np.argmax(counts)])
    if counts.max() < MODE_SHARE * len(sampled):
        return ()
    unset = values == mode
    is_set = np.isfinite(values) & ~unset
    states: list[State] = []
    kinds: tuple[tuple[StateKind, Bool], ...] = (("unset", unset), ("set", is_set))
    for kind, mask in kinds:
        n = int(mask.sum())
        if n >= MIN_STATE_ROWS:
            hits = np.bincount(case.labels[mask], minlength=_n_labels(case))
            states.append(State(column=column, kind=kind, value=mode, n=n, hits=tuple(hits.tolist())))
    return tuple(states)


def _n_labels(case: Case) -> int:
    """Return how many codes `Case.labels` can have."""
    return max(2, len(case.classes))


def build_mask(case: Case, states: Sequence[State]) -> Bool:
    """Return the rows that are in any of `states`, which belong to one column."""
    mask = np.zeros(case.n_rows, dtype=np.bool_)
    for state in states:
        series = case.frame[state.column.name]
        if state.kind in ("blank", "filled"):
            blank = find_blanks(series)
            mask |= blank if state.kind == "blank" else ~blank
        elif isinstance(state.value, str):
            mask |= (series.cast(pl.String) == state.value).fill_null(value=False).to_numpy().astype(np.bool_)
        else:
            values = encode_ordered(series)
            mask |= (np.isfinite(values) & (values != state.value)) if state.kind == "set" else values == state.value
    return mask


def weigh(case: Case, states: Sequence[State], *, outcome: Outcome, is_always: bool) -> Weight:
    """Weigh the claim that `outcome` always (or never) happens in `states`, before anyone else is asked."""
    n = float(sum(state.n for state in states))
    hits = float(sum(state.hits[outcome.code] for state in states))
    errors = n - hits if is_always else hits
    base = 1.0 - outcome.base if is_always else outcome.base
    if case.entity is not None:
        share = case.count_effective(build_mask(case, states)) / n
        n, errors = n * share, errors * share
    return Weight(
        outcome=outcome,
        is_always=is_always,
        n=n,
        errors=errors,
        upper=bound_errors(errors, n),
        expected=base,
        base=base,
        chance=bound_chance(errors, n, error_rate=base),
    )


def ask_witness(case: Case, witness: Witness, weight: Weight, mask: Bool) -> Weight:
    """Return `weight` with what the other columns expect in the rows `mask`."""
    share = ask_share(case, witness, mask, weight.outcome.code)
    expected = 1.0 - share if weight.is_always else share
    return replace(weight, expected=expected, chance=bound_chance(weight.errors, weight.n, error_rate=expected))


def measure_spectrum(states: Sequence[State], *, outcome: Outcome) -> float:
    """Return the AUC of `outcome` over the levels `states` among each other: 0.5 if they all say the same.

    A flag says one thing and is silent otherwise; an honest feature is graded over its whole range.

    Notes
    -----
    In-sample, with shares smoothed by two rows, hence slightly too high for many small levels: that errs towards
    calling a column honest.
    """
    n = np.array([state.n for state in states], dtype=np.float64)
    hits = np.array([state.hits[outcome.code] for state in states], dtype=np.float64)
    misses = n - hits
    if hits.sum() == 0 or misses.sum() == 0:
        return 0.5
    order = np.argsort((hits + 2.0 * outcome.base) / (n + 2.0), kind="stable")
    hits, misses = hits[order], misses[order]
    below = np.cumsum(misses) - misses
    return float((hits * (below + 0.5 * misses)).sum() / (hits.sum() * misses.sum()))


def tabulate_states(
    case: Case, powers: Mapping[str, Power], *, without: Collection[str] = ()
) -> Mapping[str, tuple[State, ...]]:
    """Return the value states of every column but those `without`, by name; columns without any are absent."""
    if not case.outcomes:
        return {}
    names = [name for name in powers if name not in without]
    found = map_abreast(lambda name: find_value_states(case, powers[name]), names, threads=case.threads)
    return {name: states for name, states in zip(names, found, strict=True) if states}


def tabulate_blanks(case: Case) -> Mapping[str, tuple[State, State]]:
    """Return the blank and the filled state of every column that has both, by name."""
    found = map_abreast(lambda column: find_blank_states(case, column), case.inputs, threads=case.threads)
    return {column.name: states for column, states in zip(case.inputs, found, strict=True) if states is not None}
