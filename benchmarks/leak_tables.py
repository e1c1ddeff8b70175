"""Simulated tables for the leak court: a known cause, honest columns that see it through noise, and planted leaks.

A hidden score decides the target; a planted column sees the answer itself. Every kind of leak comes at several strengths, every
kind of honest column too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from skiff.core.task import Task

Float = NDArray[np.float64]
Rng = np.random.Generator

SHAPES = ((300, 6, 0.4), (1_000, 10, 0.2), (4_000, 20, 0.03), (10_000, 12, 0.5), (2_000, 80, 0.15))
"""Rows, honest columns and share of positives; every cell of the tables below goes through them in turn."""


@dataclass(frozen=True)
class Table:
    """A simulated table, what is to be predicted, which columns were planted, and which of them must be named."""

    frame: pl.DataFrame
    task: Task
    planted: tuple[str, ...] = ()
    sought: tuple[str, ...] = ()
    test_share: float = 0.0


@dataclass
class World:
    """The cause behind one table: a hidden score, the answer, and honest columns that see the score through noise."""

    rng: Rng
    n: int
    base: float
    hidden: Float
    y: Float
    columns: dict[str, pl.Series] = field(default_factory=dict)

    @property
    def is_yes(self) -> NDArray[np.bool_]:
        """Rows with a yes."""
        return self.y > 0.5


def make_world(rng: Rng, *, shape: tuple[int, int, float], is_regression: bool = False) -> World:
    """Draw the cause and its honest columns: graded numbers, amounts with many zeros, categories, dates, blanks."""
    n, n_columns, base = shape
    hidden = rng.normal(size=n)
    if is_regression:
        y = np.exp(4.0 + 0.6 * hidden + 0.25 * rng.normal(size=n))
    else:
        noisy = hidden + 0.8 * rng.normal(size=n)
        y = (noisy > np.quantile(noisy, 1 - base)).astype(float)
    world = World(rng=rng, n=n, base=base, hidden=hidden, y=y)
    for place in range(n_columns):
        world.columns[f"honest_{place}"] = make_honest(world, place)
    return world


def make_honest(world: World, place: int) -> pl.Series:  # noqa: PLR0911  one kind of column a line
    """Return one honest column; its kind goes round with `place`."""
    rng, n = world.rng, world.n
    seen = world.hidden * rng.uniform(0.0, 0.6) + rng.normal(size=n)
    kind = place % 8
    if kind == 0:
        return pl.Series(np.round(40 + 12 * seen, 1))
    if kind == 1:
        amount = np.where(seen > 0.8, np.round(np.exp(5 + seen), 2), 0.0)
        return pl.Series(amount)
    if kind == 2:
        return pl.Series(np.array(list("ABCDEFGH"))[np.clip(np.floor(2 * seen + 4), 0, 7).astype(int)])
    if kind == 3:
        filled = rng.random(n) < 1 / (1 + np.exp(-(1.2 + 0.7 * seen)))
        return pl.Series(np.where(filled, np.round(seen * 10, 1), np.nan)).fill_nan(None)
    if kind == 4:
        return pl.Series(seen > 0.5)
    if kind == 5:
        return pl.Series([date(2023, 1, 1) + timedelta(days=int(day)) for day in rng.integers(0, 700, n)])
    if kind == 6:
        return pl.Series([f"town {int(code)}" for code in np.clip(rng.geometric(0.02, n), 1, 200)])
    return pl.Series(rng.poisson(np.exp(0.5 + 0.3 * seen)))


def close(
    world: World,
    *,
    is_regression: bool = False,
    time: str | None = None,
    group: str | None = None,
    test_share: float = 0.0,
) -> Table:
    """Turn a world into a table; planted columns are those whose name says so."""
    answer = pl.Series(world.y) if is_regression else pl.Series(np.where(world.is_yes, "yes", "no"))
    frame = pl.DataFrame({**world.columns, "answer": answer})
    classes = () if is_regression else ("no", "yes")
    task = Task(
        kind="regression" if is_regression else "binary",
        target="answer",
        classes=classes,
        positive=None if is_regression else "yes",
        time=time,
        group=group,
    )
    planted = tuple(name for name in frame.columns if name.startswith("planted"))
    return Table(
        frame=frame,
        task=task,
        planted=planted,
        sought=("planted",) if "planted" in planted else planted,
        test_share=test_share,
    )


# --- planted leaks ------------------------------------------------------------------------------------------------------

Plant = Callable[[World, float], None]


def plant_copy(world: World, flips: float) -> None:
    wrong = world.rng.random(world.n) < flips
    world.columns["planted"] = pl.Series(np.where(world.is_yes ^ wrong, "Closed lost", "Open"))


def plant_proxy(world: World, auc: float) -> None:
    world.columns["planted"] = pl.Series(_see_answer(world, auc))


def plant_flag(world: World, reach: float) -> None:
    world.columns["planted"] = pl.Series(world.is_yes & (world.rng.random(world.n) < reach))


def plant_level(world: World, reach: float) -> None:
    hit = world.is_yes & (world.rng.random(world.n) < reach)
    usual = np.array(["active", "paused", "trial"])[world.rng.integers(0, 3, world.n)]
    world.columns["planted"] = pl.Series(np.where(hit, "terminated", usual))


def plant_amount(world: World, reach: float) -> None:
    hit = world.is_yes & (world.rng.random(world.n) < reach)
    world.columns["planted"] = pl.Series(np.where(hit, np.round(world.rng.lognormal(4, 1, world.n), 2), 0.0))


def plant_filled(world: World, reach: float) -> None:
    hit = world.is_yes & (world.rng.random(world.n) < reach)
    words = np.array(["price", "moved", "service", "other"])[world.rng.integers(0, 4, world.n)]
    world.columns["planted"] = pl.DataFrame({"hit": hit, "word": words}).select(pl.when("hit").then("word")).to_series()


def plant_smudged(world: World, purity: float) -> None:
    hit = np.where(
        world.is_yes,
        world.rng.random(world.n) < 0.95,
        world.rng.random(world.n) < 0.95 * (1 / purity - 1) * world.base / (1 - world.base),
    )
    world.columns["planted"] = pl.Series(np.where(hit, world.rng.integers(1, 30, world.n), np.nan)).fill_nan(None)


def plant_unfilled(world: World, reach: float) -> None:
    gone = world.is_yes & (world.rng.random(world.n) < reach)
    world.columns["planted"] = pl.Series(
        np.where(gone, np.nan, np.round(world.rng.normal(50, 9, world.n), 1))
    ).fill_nan(None)


def plant_rule(world: World, _: float) -> None:
    stars = np.where(world.is_yes, world.rng.integers(3, 6, world.n), world.rng.integers(1, 3, world.n))
    world.columns["planted"] = pl.Series(stars)


def plant_late(world: World, _: float) -> None:
    due = world.rng.integers(0, 300, world.n)
    late = np.where(world.is_yes, world.rng.integers(1, 40, world.n), -world.rng.integers(0, 20, world.n))
    start = date(2023, 1, 1)
    world.columns["planted_due"] = pl.Series([start + timedelta(days=int(day)) for day in due])
    world.columns["planted_done"] = pl.Series([start + timedelta(days=int(day)) for day in due + late])


def plant_pair(world: World, _: float) -> None:
    earned = np.round(world.rng.lognormal(6, 0.7, world.n), 2)
    margin = np.round(world.rng.lognormal(3, 1, world.n) + 0.01, 2)
    world.columns["planted_income"] = pl.Series(earned)
    world.columns["planted_spent"] = pl.Series(np.where(world.is_yes, earned + margin, earned - margin))


def plant_duration(world: World, auc: float) -> None:
    world.columns["planted_duration"] = pl.Series(np.round(200 * np.exp(0.6 * _see_answer(world, auc))))


def plant_after_time(world: World, reach: float) -> None:
    booked = world.rng.integers(0, 600, world.n)
    hit = world.rng.random(world.n) < reach
    start = date(2022, 1, 1)
    world.columns["booked"] = pl.Series([start + timedelta(days=int(day)) for day in booked])
    later = booked + np.where(hit, world.rng.integers(2, 90, world.n), 0)
    world.columns["planted"] = pl.Series([start + timedelta(days=int(day)) for day in later])


def plant_text(world: World, reach: float) -> None:
    words = np.array(
        [
            "the",
            "guest",
            "asked",
            "about",
            "room",
            "breakfast",
            "parking",
            "late",
            "towels",
            "invoice",
            "view",
            "noise",
            "price",
            "again",
            "today",
        ]
    )
    picked = words[world.rng.integers(0, len(words), (world.n, 7))]
    told = world.is_yes & (world.rng.random(world.n) < reach)
    world.columns["planted"] = pl.Series(
        [" ".join(row) + (" and was answered yes" if flag else "") for row, flag in zip(picked, told, strict=True)]
    )


def plant_code(world: World, _: float) -> None:
    world.columns["planted"] = pl.Series([f"K{code:08x}" for code in world.rng.permutation(10 * world.n)[: world.n]])


def plant_number(world: World, _: float) -> None:
    world.columns["planted"] = pl.Series(world.rng.permutation(8 * world.n)[: world.n] + 10_000)


def plant_sorted(world: World, noise: float) -> None:
    order = np.argsort(np.argsort(world.y + noise * world.rng.normal(size=world.n)))
    world.columns["planted"] = pl.Series(order + 1)


def plant_agreement(world: World, _: float) -> None:
    key = world.rng.choice(list("ABCDE"), world.n)
    other = np.array(list("BCDEA"))[np.searchsorted(list("ABCDE"), key)]
    world.columns["planted_key"] = pl.Series(key)
    world.columns["planted_given"] = pl.Series(np.where(world.is_yes, key, other))


def plant_layers(world: World, reach: float) -> None:
    """Three columns from after the decision that hide behind each other; the weakest is looked for."""
    world.columns["planted_state"] = pl.Series(np.where(world.is_yes, "closed", "open"))
    closed = np.where(world.is_yes, world.rng.integers(1, 40, world.n), np.nan)
    world.columns["planted_days"] = pl.Series(closed).fill_nan(None)
    plant_flag(world, reach)


def plant_minutes(world: World, _: float) -> None:
    begin = datetime.fromisoformat("2024-01-01")
    world.y = np.round(world.y) + 1
    start = np.sort(world.rng.integers(0, 400_000, world.n))
    world.columns["began"] = pl.Series([begin + timedelta(minutes=int(at)) for at in start])
    world.columns["planted"] = pl.Series([begin + timedelta(minutes=int(at)) for at in start + world.y])


def plant_mean(world: World, parts: float) -> None:
    marks = [np.round(world.y * np.exp(0.2 * world.rng.normal(size=world.n)), 1) for _ in range(int(parts))]
    weights = np.arange(1, parts + 1) / np.arange(1, parts + 1).sum()
    world.y = np.round(sum(weight * mark for weight, mark in zip(weights, marks, strict=True)), 1)
    for place, mark in enumerate(marks):
        world.columns[f"planted_{place}"] = pl.Series(mark)


def plant_rounded_product(world: World, digits: float) -> None:
    area = np.round(world.rng.lognormal(4.4, 0.4, world.n), 1)
    world.y = np.round(area * world.y, int(digits))
    world.columns["area"] = pl.Series(area)
    world.columns["planted"] = pl.Series(np.round(world.y / area, 1))


def plant_sum(world: World, parts: float) -> None:
    shares = world.rng.dirichlet(np.ones(int(parts)), world.n)
    world.y = np.round(world.y, 2)
    amounts = np.round(shares * world.y[:, None], 2)
    amounts[:, -1] = np.round(world.y - amounts[:, :-1].sum(axis=1), 2)
    for place in range(int(parts)):
        world.columns[f"planted_{place}"] = pl.Series(amounts[:, place])


def plant_difference(world: World, _: float) -> None:
    before = np.round(world.rng.lognormal(6, 0.5, world.n), 2)
    world.y = np.round(world.y, 2)
    world.columns["planted_before"] = pl.Series(before)
    world.columns["planted_after"] = pl.Series(np.round(before - world.y, 2))


def plant_product(world: World, digits: float) -> None:
    count = world.rng.integers(1, 12, world.n)
    each = np.round(world.y / count, 2) + 0.01
    world.y = np.round(count * each, int(digits))
    world.columns["planted_count"] = pl.Series(count)
    world.columns["planted_each"] = pl.Series(each)


def plant_ratio(world: World, _: float) -> None:
    area = np.round(world.rng.uniform(20, 200, world.n), 1)
    world.columns["planted_area"] = pl.Series(area)
    world.columns["planted_total"] = pl.Series(world.y * area)


def plant_scaled(world: World, digits: float) -> None:
    world.columns["planted"] = pl.Series(np.round(1.19 * world.y + 3.0, int(digits)))


def plant_logged(world: World, _: float) -> None:
    world.columns["planted"] = pl.Series(np.log10(world.y))


def plant_ranges(world: World, levels: float) -> None:
    cuts = np.quantile(world.y, np.linspace(0, 1, int(levels) + 1)[1:-1])
    world.columns["planted"] = pl.Series([f"band {int(code)}" for code in np.searchsorted(cuts, world.y)])


def plant_noisy(world: World, noise: float) -> None:
    world.columns["planted"] = pl.Series(world.y * np.exp(noise * world.rng.normal(size=world.n)))


def plant_lead(world: World, steps: float) -> None:
    trend = np.cumsum(world.rng.normal(size=world.n))
    world.y = np.round(100 + 5 * trend + 3 * world.rng.normal(size=world.n), 3)
    world.columns["planted"] = pl.Series(np.roll(world.y, -int(steps)))


def plant_twins(world: World, share: float) -> None:
    _copy_rows(world, share, jitter=0.0)


def plant_near_twins(world: World, share: float) -> None:
    _copy_rows(world, share, jitter=1e-5)


def _copy_rows(world: World, share: float, *, jitter: float) -> None:
    """Put copies of the first rows, with their answers, in place of the last ones."""
    n_copies = int(share * world.n)
    frame = pl.DataFrame(world.columns)
    copies = frame.head(n_copies).with_columns(pl.col(pl.Float64) * (1 + jitter))
    mixed = pl.concat([frame.head(world.n - n_copies), copies])
    world.columns = {name: mixed[name] for name in mixed.columns}
    world.y = np.concatenate([world.y[: world.n - n_copies], world.y[:n_copies]])


def _see_answer(world: World, auc: float) -> Float:
    """Return a number that orders the answer with about this AUC (two normal distributions; AUC = Phi(d / sqrt 2))."""
    return world.y * float(ndtri(auc)) * 2**0.5 + world.rng.normal(size=world.n)


BINARY: tuple[tuple[str, str, str, Plant, tuple[float, ...]], ...] = (
    ("target_copy", "yes/no recoded, share wrong", "block", plant_copy, (0.0, 0.005, 0.02)),
    ("target_proxy", "number with this AUC alone", "block", plant_proxy, (0.999, 0.995, 0.985)),
    ("level_purity", "flag set for this share of yes", "block", plant_flag, (0.6, 0.3, 0.1)),
    ("level_purity", "level for this share of yes", "block", plant_level, (0.6, 0.3, 0.1)),
    ("level_purity", "amount for this share of yes", "block", plant_amount, (0.6, 0.3, 0.1)),
    ("missingness", "filled for this share of yes", "block", plant_filled, (0.95, 0.4, 0.15)),
    ("missingness", "filled, right in this share", "block", plant_smudged, (0.99, 0.97, 0.9)),
    ("missingness", "blank for this share of yes", "block", plant_unfilled, (0.9, 0.3, 0.1)),
    ("derived_target", "stars, yes from three on", "block", plant_rule, (1.0,)),
    ("derived_target", "done later than due", "block", plant_late, (1.0,)),
    ("derived_target", "spent more than earned", "block", plant_pair, (1.0,)),
    ("derived_target", "two categories that agree", "block", plant_agreement, (1.0,)),
    ("level_purity", "flag behind two others, share of yes", "block", plant_layers, (0.6, 0.3)),
    ("after_the_event", "telling header, AUC alone", "warn", plant_duration, (0.95, 0.85, 0.75)),
    ("after_the_event", "dated later, share of rows", "warn", plant_after_time, (0.9, 0.2)),
    ("text_names_target", "text says so, share of yes", "block", plant_text, (1.0, 0.6)),
    ("identifier", "code of its own", "warn", plant_code, (1.0,)),
    ("identifier", "number of its own", "warn", plant_number, (1.0,)),
    ("row_order", "number in order of the answer, noise", "block", plant_sorted, (0.01, 0.3)),
    ("overlap", "rows copied, share", "warn", plant_twins, (0.1, 0.03)),
    ("near_duplicates", "rows copied with a touch, share", "warn", plant_near_twins, (0.1, 0.03)),
)

NUMBER: tuple[tuple[str, str, str, Plant, tuple[float, ...]], ...] = (
    ("target_copy", "rescaled, digits kept", "block", plant_scaled, (6.0, 0.0)),
    ("target_copy", "logarithm", "block", plant_logged, (1.0,)),
    ("target_copy", "cut into ranges", "block", plant_ranges, (20.0, 5.0)),
    ("target_proxy", "noise of this share", "block", plant_noisy, (0.01, 0.04, 0.08)),
    ("derived_target", "sum of this many parts", "block", plant_sum, (2.0, 5.0)),
    ("derived_target", "weighted mean of parts", "block", plant_mean, (2.0, 4.0)),
    ("derived_target", "difference", "block", plant_difference, (1.0,)),
    ("derived_target", "minutes between two moments", "block", plant_minutes, (1.0,)),
    ("derived_target", "product of rounded parts, digits", "block", plant_rounded_product, (0.0, -2.0)),
    ("derived_target", "product, digits kept", "block", plant_product, (2.0, 0.0)),
    ("derived_target", "ratio", "block", plant_ratio, (1.0,)),
    ("after_the_event", "target of later rows, steps", "block", plant_lead, (1.0, 7.0)),
)


# --- honest columns -----------------------------------------------------------------------------------------------------


def honest_number(world: World, auc: float) -> pl.Series:
    return pl.Series(_see_answer(world, auc))


def honest_grade(world: World, auc: float) -> pl.Series:
    seen = _see_answer(world, auc)
    return pl.Series(np.searchsorted(np.quantile(seen, [0.2, 0.4, 0.6, 0.8]), seen) + 1)


def honest_kinds(world: World, auc: float) -> pl.Series:
    seen = _see_answer(world, auc)
    grade = np.searchsorted(np.quantile(seen, np.linspace(0, 1, 13)[1:-1]), seen)
    return pl.Series(np.array(list("QWERTZUIOPAS"))[grade])


def honest_skewed(world: World, auc: float) -> pl.Series:
    return pl.Series(np.round(np.exp(1.5 * _see_answer(world, auc)), 2))


def honest_filled(world: World, auc: float) -> pl.Series:
    seen = _see_answer(world, auc)
    return pl.Series(np.where(world.rng.random(world.n) < 0.3, np.nan, seen)).fill_nan(None)


def honest_flag(world: World, auc: float) -> pl.Series:
    """Return a flag right in `auc` of its rows, rare like the leaks above, set in a third of the yes at most."""
    rate = min(0.05, world.base / 3)
    yes = rate * auc / world.base
    no = rate * (1 - auc) / (1 - world.base)
    return pl.Series(world.rng.random(world.n) < np.where(world.is_yes, yes, no))


def honest_blanks(world: World, auc: float) -> pl.Series:
    """Return blanks that tell a part: filled in `auc` of the yes, blank in as many of the no."""
    filled = world.rng.random(world.n) < np.where(world.is_yes, auc, 1 - auc)
    return pl.Series(np.where(filled, world.rng.normal(size=world.n), np.nan)).fill_nan(None)


HONEST: tuple[tuple[str, Callable[[World, float], pl.Series], tuple[float, ...]], ...] = (
    ("number, AUC alone", honest_number, (0.8, 0.9, 0.95, 0.97)),
    ("five grades of a number of AUC", honest_grade, (0.8, 0.9, 0.95, 0.97)),
    ("twelve kinds, AUC", honest_kinds, (0.8, 0.9, 0.95, 0.97)),
    ("skewed amount, AUC", honest_skewed, (0.9, 0.97)),
    ("number with blanks, AUC", honest_filled, (0.9, 0.97)),
    ("rare flag, right in", honest_flag, (0.6, 0.9, 0.98)),
    ("blanks that tell, right in", honest_blanks, (0.7, 0.8, 0.9)),
)


def honest_measure(world: World, noise: float) -> pl.Series:
    """Return a number that sees the logarithm of a number target through noise, in its standard deviations."""
    return pl.Series(np.log(world.y) + noise * 0.65 * world.rng.normal(size=world.n))


HONEST_NUMBER = (("number, noise in standard deviations", (0.6, 0.35, 0.2)),)
