"""How a table differs from the population it stands for, and the weights that make up for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.finding import EvidenceValue, Finding
from skiff.core.measurement import Measurement
from skiff.data.sentences import say_rows, say_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

Z_95 = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval; written out, as loading SciPy's statistics takes a second."""

MIN_ROWS = 30
"""Rows of a group below which its share is too uncertain to be judged (± 18 points, Wilson 1927)."""

NOTICEABLE = 0.8
"""A group with less than four fifths of its share, or more than five quarters, is told: the four-fifths rule of the US
Uniform Guidelines, 29 CFR 1607.4(D), used here as what people call a noticeable difference."""

MAX_SUM_ERROR = 0.02
"""How far from one the shares of a column may add up: tables are published in whole per cent."""

MAX_STEPS, TOLERANCE = 100, 1e-8
"""Rounds of raking, and the change of weights at which it stops."""

MAX_RATIO = 30.0
"""Largest weight beside the smallest: a few rows must not stand for everyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupShare:
    """One group: its share of the rows (with 95 % interval) and of the population."""

    column: str
    level: str
    share: Measurement
    population: float
    is_judged: bool
    is_off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """How far a table stands for its population.

    Parameters
    ----------
    groups : tuple of GroupShare
    design_effect : float
        Kish's: how many times more rows the same precision takes once rows are weighted; 1 where they need no weights.
    effective_rows : float
        Rows of a table without weights that would tell as much.
    rows : int
    is_settled : bool
        Whether the weights bring every group to its share.
    """

    groups: tuple[GroupShare, ...]
    design_effect: float
    effective_rows: float
    rows: int
    is_settled: bool


def build_population(table: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Return known shares by column and level from a table with three columns: which column, which level, what share.

    Raises
    ------
    SkiffError
        ``population_unreadable`` where it has no such columns, or the shares of a column do not add up to one (or 100).

    Examples
    --------
    >>> known = pl.DataFrame({"column": ["sex", "sex"], "level": ["f", "m"], "share": [51, 49]})
    >>> build_population(known)
    {'sex': {'f': 0.51, 'm': 0.49}}
    """
    if table.width < 3 or not table.columns[2] or not table[:, 2].dtype.is_numeric():  # noqa: PLR2004  column, level, share
        raise _refuse("needs three columns: the name of a column, a level, and its share")
    made: dict[str, dict[str, float]] = {}
    for column, level, share in table[:, :3].rows():
        if column is None or level is None or share is None or not share >= 0.0:
            raise _refuse("has an empty or negative cell")
        made.setdefault(str(column), {})[_name_level(level)] = float(share)
    for column, shares in made.items():
        total = sum(shares.values())
        scale = 100.0 if total > 2.0 else 1.0  # noqa: PLR2004  per cent or parts of one
        if abs(total / scale - 1.0) > MAX_SUM_ERROR:
            raise _refuse(f"gives shares of '{column}' that add up to {total:.3g} rather than 1 or 100")
        made[column] = {level: share / total for level, share in shares.items()}
    return made


def _name_level(level: object) -> str:
    is_whole = isinstance(level, float) and level.is_integer()
    return str(int(level)) if is_whole else str(level)  # type: ignore[call-overload]  # a float, by `is_whole`


def _refuse(what: str) -> SkiffError:
    return SkiffError(
        "population_unreadable",
        what=f"The table of population shares {what}.",
        fix="Give a CSV with the columns: column, level, share; the shares of each column add up to 1 or to 100.",
    )


def measure_representation(
    frame: pl.DataFrame, population: Mapping[str, Mapping[str, float]]
) -> tuple[Representation, Float]:
    """Compare the groups of a table with known shares, and return the weights (mean 1) that make up for the difference.

    Parameters
    ----------
    frame : polars.DataFrame
    population : mapping of str to mapping of str to float
        For each column, the share of each level in the population; rows with other levels keep weight 1.

    Notes
    -----
    Weights by raking: each column is adjusted in turn until none moves; of one column that is post-stratification. They are
    held within `MAX_RATIO`. They correct for who is in the table, not for what is different about those who are.

    References
    ----------
    Deming and Stephan 1940, doi:10.1214/aoms/1177731829 (raking). Kish 1965, Survey sampling, sec. 11.7, and Kish 1992,
    Weighting for unequal P_i, J. Official Statistics 8(2): design effect n·Σw²/(Σw)². Wilson 1927 for the shares.

    Examples
    --------
    >>> table = pl.DataFrame({"sex": ["f"] * 20 + ["m"] * 80})
    >>> found, weights = measure_representation(table, {"sex": {"f": 0.5, "m": 0.5}})
    >>> round(found.design_effect, 4), round(found.effective_rows, 1), weights[[0, 99]].round(3).tolist()
    (1.5625, 64.0, [2.5, 0.625])
    """
    absent = [column for column in population if column not in frame.columns]
    if absent:
        raise SkiffError.column_not_found(absent[0], columns=frame.columns, option="--population")
    codes = {column: _code(frame[column], list(levels)) for column, levels in population.items()}
    shares = {column: np.array(list(levels.values())) for column, levels in population.items()}
    weights, is_settled = rake(codes, shares, n_rows=frame.height)
    effect = float(len(weights) * (weights**2).sum() / weights.sum() ** 2) if len(weights) else 1.0
    groups = tuple(
        _judge(column, level, int((codes[column] == place).sum()), int((codes[column] >= 0).sum()), share)
        for column, levels in population.items()
        for place, (level, share) in enumerate(levels.items())
    )
    made = Representation(
        groups=groups,
        design_effect=effect,
        effective_rows=frame.height / effect,
        rows=frame.height,
        is_settled=is_settled,
    )
    return made, weights


def _code(column: pl.Series, levels: list[str]) -> Int:
    """Return for each row the place of its level, −1 where the population does not name it."""
    places = {level: place for place, level in enumerate(levels)}
    if column.dtype == pl.Boolean:
        column = column.replace_strict({True: "yes", False: "no"}, default=None, return_dtype=pl.String)
        places |= {word: places[other] for word, other in (("yes", "true"), ("no", "false")) if other in places}
    words = column.cast(pl.Int64, strict=False) if column.dtype.is_float() else column
    made: Int = words.cast(pl.String).replace_strict(places, default=-1, return_dtype=pl.Int64).fill_null(-1).to_numpy()
    return made


def rake(codes: Mapping[str, Int], shares: Mapping[str, Float], *, n_rows: int) -> tuple[Float, bool]:
    """Return weights (mean 1) with which the groups of every column have their shares, and whether they all do.

    Examples
    --------
    >>> codes = {"sex": np.array([0, 0, 1, 1, 1, 1]), "age": np.array([0, 1, 0, 1, 1, 1])}
    >>> weights, is_settled = rake(codes, {"sex": np.array([0.5, 0.5]), "age": np.array([0.5, 0.5])}, n_rows=6)
    >>> round(float(weights[:2].sum() / weights.sum()), 3), is_settled
    (0.5, True)
    """
    weights = np.ones(n_rows)
    for _ in range(MAX_STEPS):
        before = weights.copy()
        for column, own in codes.items():
            known = own >= 0
            now = np.bincount(own[known], weights=weights[known], minlength=len(shares[column]))
            wanted = shares[column] * float(now.sum())
            factors = np.divide(wanted, now, out=np.ones_like(wanted), where=now > 0.0)
            weights[known] *= factors[own[known]]
        if np.abs(weights - before).max(initial=0.0) < TOLERANCE:
            break
    if n_rows and weights.sum() > 0.0:
        weights /= weights.mean()
        if weights.max() > MAX_RATIO * weights.min():
            middle = float(np.median(weights))
            weights = np.clip(weights, middle / MAX_RATIO**0.5, middle * MAX_RATIO**0.5)
            weights /= weights.mean()
    return weights, all(_is_met(weights, own, shares[column]) for column, own in codes.items())


def _is_met(weights: Float, own: Int, shares: Float) -> bool:
    known = own >= 0
    now = np.bincount(own[known], weights=weights[known], minlength=len(shares))
    return bool(now.sum() > 0.0 and np.abs(now / now.sum() - shares).max() < 0.005)  # noqa: PLR2004  half a point


def _judge(column: str, level: str, n: int, total: int, population: float) -> GroupShare:
    share = measure_share(n, total)
    is_judged = total * population >= MIN_ROWS or n >= MIN_ROWS
    is_outside = not (share.low or 0.0) <= population <= (share.high or 1.0)
    ratio = share.value / population if population > 0.0 else float("inf")
    is_off = is_judged and is_outside and not NOTICEABLE <= ratio <= 1.0 / NOTICEABLE
    return GroupShare(
        column=column, level=level, share=share, population=population, is_judged=is_judged, is_off=is_off
    )


def measure_share(n: int, total: int) -> Measurement:
    """Return a share with its 95 % interval.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> found = measure_share(20, 100)
    >>> round(found.low, 3), round(found.high, 3)
    (0.133, 0.289)
    """
    if not total:
        return Measurement(name="share", value=0.0, low=0.0, high=1.0, n=0, unit="rate", method="Wilson 1927")
    z, p = Z_95, n / total
    centre = (p + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * (p * (1 - p) / total + z * z / (4 * total * total)) ** 0.5
    low, high = max(0.0, min(centre - reach, p)), min(1.0, max(centre + reach, p))
    return Measurement(name="share", value=p, low=low, high=high, n=total, unit="rate", method="Wilson 1927")


def find_unrepresentative(found: Representation) -> list[Finding]:
    """Tell which groups have another share here than in the population, and which are too small to judge.

    Examples
    --------
    >>> table = pl.DataFrame({"sex": ["f"] * 20 + ["m"] * 80})
    >>> (told,) = find_unrepresentative(measure_representation(table, {"sex": {"f": 0.5, "m": 0.5}})[0])
    >>> told.code, told.severity, told.columns
    ('coverage.unrepresentative', 'warn', ('sex',))
    """
    columns = list(dict.fromkeys(group.column for group in found.groups))
    return [
        *(item for column in columns if (item := _tell_off(column, found)) is not None),
        *(item for column in columns if (item := _tell_small(column, found)) is not None),
    ]


def _tell_off(column: str, found: Representation) -> Finding | None:
    off = [group for group in found.groups if group.column == column and group.is_off]
    if not off:
        return None
    worst = max(off, key=lambda group: abs(np.log(max(group.share.value, 1e-9) / max(group.population, 1e-9))))
    # A level named in the table of shares was typed by a person: it is no secret of the data.
    evidence: dict[str, EvidenceValue] = {f"{group.level}: here": group.share for group in off}
    evidence |= {f"{group.level}: population": group.population for group in off}
    evidence |= {"design_effect": found.design_effect, "effective_rows": found.effective_rows}
    side = "too few" if worst.share.value < worst.population else "too many"
    return Finding(
        code="coverage.unrepresentative",
        severity="warn",
        columns=(column,),
        rows=sum(round(group.share.value * group.share.n) for group in off),
        evidence=evidence,
        what=f"'{column}' has {side} '{worst.level}': {say_rows(worst.share.value)}, against "
        f"{say_share(worst.population)} in the population.",
        why_it_matters="Averages and scores of this table are those of whoever is in it, not of the population.",
        remedy=f"Look at the weighted score too: with weights the {found.rows:,} rows tell as much as "
        f"{found.effective_rows:,.0f} (design effect {found.design_effect:.2f}). Better: collect the rows that are missing.",
    )


def _tell_small(column: str, found: Representation) -> Finding | None:
    small = [group for group in found.groups if group.column == column and not group.is_judged]
    if not small:
        return None
    evidence: dict[str, EvidenceValue] = {group.level: round(group.share.value * group.share.n) for group in small}
    names = ", ".join(f"'{group.level}'" for group in small[:6])
    return Finding(
        code="coverage.small_group",
        severity="info",
        columns=(column,),
        rows=sum(round(group.share.value * group.share.n) for group in small),
        evidence=evidence,
        what=f"{names} of '{column}' {'is' if len(small) == 1 else 'are'} too small to judge (fewer than {MIN_ROWS} rows).",
        why_it_matters="Whether they are fairly represented cannot be said from so few.",
        remedy="Collect more rows, or say that nothing is claimed about them.",
    )


def weigh(values: Float, weights: Float) -> tuple[Measurement, Measurement]:
    """Return the mean of a column without and with weights, each with its 95 % interval.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Such as whether each answer was right; NaN is skipped.
    weights : ndarray of shape (n_rows,)

    References
    ----------
    Kish 1965: the variance of the weighted mean is that of the plain one over the effective rows.

    Examples
    --------
    >>> plain, weighted = weigh(np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.5, 1.5, 0.5, 0.5]))
    >>> plain.value, weighted.value, weighted.n
    (0.5, 0.75, 3)
    """
    known = np.isfinite(values)
    values, weights = values[known], weights[known]
    return _mean(values, np.ones(len(values)), name="mean"), _mean(values, weights, name="weighted_mean")


def _mean(values: Float, weights: Float, *, name: str) -> Measurement:
    if not len(values):
        return Measurement(name=name, value=float("nan"), n=0)
    value = float(np.average(values, weights=weights))
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    spread = float(np.sqrt(np.average((values - value) ** 2, weights=weights) / max(effective, 1.0)))
    reach = Z_95 * spread
    return Measurement(
        name=name,
        value=value,
        low=value - reach,
        high=value + reach,
        n=int(effective),
        method="normal approximation, effective rows of Kish 1965",
    )
