"""Attribute inference: whether the model tells something about people that one could not guess without it.

The attacker knows a person's true answer and all columns but one, asks the model with every value that one may have, and takes the
value under which the true answer is most likely, weighed by what the other columns say [1]_. That alone proves nothing: what goes
together in the world can be guessed by anybody. So it is held against a guess *without the model*, by boosted trees that know the
true answer and the same other columns of other people, and for people the model learned from against people it never saw [2]_.

References
----------
.. [1] Fredrikson, M., Lantz, E., Jha, S., Lin, S., Page, D. and Ristenpart, T. (2014). Privacy in pharmacogenetics: an end-to-end case
   study of personalized warfarin dosing. USENIX Security.
.. [2] Yeom, S., Giacomelli, I., Fredrikson, M. and Jha, S. (2018). Privacy risk in machine learning: analyzing the connection to
   overfitting. CSF, https://arxiv.org/abs/1709.01604.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import lightgbm
import numpy as np
import polars as pl
from scipy.special import ndtri

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.evaluate.intervals import LEVEL
from skiff.secure.answers import Suspect, build_numbers
from skiff.secure.lights import TWO_SIDED_95, Light, choose_light, join_lights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

MOST_COLUMNS = 6
MOST_LEVELS = 20
MOST_ASKED = 12_000
"""Rows asked for one column, all values of all people together."""

MIN_ROWS = 200
"""People with a value in the column, of each kind, below which nothing is said of it."""

RED_GAP, AMBER_GAP, AMBER_GAIN = 0.05, 0.02, 0.05
"""Lights: red where people the model learned from are found out in 5 of 100 cases more than others, beyond what chance can do in any of
the columns tried (Bonferroni); amber from 2, or where the model helps in 5 of 100 cases over a guess without it; where chance could do
it, there are too few people to say. A convention of Skiff's; an unpruned tree on the census
reached a gap of 0.012 for `sex`, default boosting 0.0005."""

ROUNDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnAttack:
    """What asking the model gives away of one column.

    Parameters
    ----------
    column : str
    with_model, without_model : float
        Share of the people the model learned from whose value is found, with the model and without it.
    gain : Measurement
        The difference of the two.
    gap : Measurement
        By how much more often the value is found, with the model, for people it learned from than for others.
    light : {"red", "amber", "green"} or None
        None where chance could do what was found.
    """

    column: str
    with_model: float
    without_model: float
    gain: Measurement
    gap: Measurement
    light: Light | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What asking the model gives away of the columns that were tried.

    Parameters
    ----------
    light : {"red", "amber", "green"} or None
        The worst of the columns; None where none could be tried, or where one may be worse than it looks.
    columns : tuple of ColumnAttack
    untried : tuple of str
        Columns that were named but have no 2 to 20 levels that the model takes, or too few rows.
    beyond : tuple of str
        Columns that could have been tried but come after the sixth.
    """

    light: Light | None
    columns: tuple[ColumnAttack, ...]
    untried: tuple[str, ...]
    beyond: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Rows with their true answers: class codes or values, shape (n_rows,)."""

    rows: pl.DataFrame
    y: Float

    def take(self, places: Int) -> People:
        """Return some of them."""
        return People(rows=self.rows[places], y=self.y[places])


def measure_attributes(
    suspect: Suspect, learned: People, others: People, columns: Sequence[str], *, seed: int = 0
) -> Attributes:
    """Try to find out columns of people from the model's answers.

    Parameters
    ----------
    suspect : Suspect
    learned, others : People
        Whom the model learned from, and whom it never saw. Half of the others teach the guesses without the model.
    columns : sequence of str
        Columns worth hiding; the first six that have 2 to 20 levels are tried.
    seed : int

    Notes
    -----
    Where others come from another time than those the model learned from, the gap holds that difference too.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> frame = pl.DataFrame({"sick": random.choice(["no", "yes"], 2_000), "age": random.normal(40, 9, 2_000)})
    >>> y = (random.random(2_000) < 0.5).astype(float)
    >>> flat = Suspect(ask=lambda asked: np.full((asked.height, 2), 0.5), kind="binary",
    ...                inputs=(InputColumn(name="sick", kind="category", levels=("no", "yes")), InputColumn(name="age", kind="number")))
    >>> people = People(rows=frame, y=y)
    >>> measure_attributes(flat, people.take(np.arange(1000)), people.take(np.arange(1000, 2000)), ["sick"]).light
    'green'
    """
    levels = {column.name: _list_levels(column, learned.rows) for column in suspect.inputs}
    usable = [name for name in columns if 2 <= len(levels.get(name, ())) <= MOST_LEVELS]  # noqa: PLR2004  a choice needs two
    has_value = {
        name: (_keep_known(learned, name, levels[name]), _keep_known(others, name, levels[name])) for name in usable
    }
    told = [name for name in usable if _has_rows(*has_value[name])]
    tried = told[:MOST_COLUMNS]
    found = tuple(
        _attack_column(suspect, *has_value[name], name, levels[name], n_columns=len(tried), seed=seed) for name in tried
    )
    return Attributes(
        light=join_lights(item.light for item in found),
        columns=found,
        untried=tuple(name for name in columns if name not in told),
        beyond=tuple(told[MOST_COLUMNS:]),
    )


def _keep_known(people: People, name: str, levels: Sequence[object]) -> People:
    """Return those who have one of the values that learned people have: nobody would guess another."""
    return people.take(np.flatnonzero(people.rows[name].is_in(levels).fill_null(value=False).to_numpy()))


def _has_rows(learned: People, others: People) -> bool:
    return len(learned.y) >= MIN_ROWS and len(others.y) >= 2 * MIN_ROWS


def _list_levels(column: InputColumn, rows: pl.DataFrame) -> list[object]:
    """Return the values that people had in a category or a yes-no column."""
    if column.kind not in {"category", "boolean"}:
        return []
    return rows[column.name].drop_nulls().unique().sort().to_list()


def _attack_column(
    suspect: Suspect,
    learned: People,
    others: People,
    name: str,
    levels: Sequence[object],
    *,
    n_columns: int,
    seed: int,
) -> ColumnAttack:
    chance = np.random.default_rng([seed, sum(name.encode())])
    orders = [chance.permutation(len(people.y)) for people in (learned, others)]
    n_each = max(MIN_ROWS, MOST_ASKED // (2 * len(levels)))
    half = len(orders[1]) // 2
    teaching = others.take(orders[1][:half])
    targets = [learned.take(orders[0][:n_each]), others.take(orders[1][half : half + n_each])]
    blind = _Guesser(suspect, teaching, name, levels, knows_answer=False, seed=seed)
    rival = _Guesser(suspect, teaching, name, levels, knows_answer=True, seed=seed)
    spread = 1.0
    if suspect.kind == "regression":
        spread = float(np.std(teaching.y - suspect.ask(teaching.rows))) or 1.0
    gains, hits, shares = [], [], []
    for people in targets:
        truth = people.rows[name].replace_strict(levels, list(range(len(levels))), return_dtype=pl.Int64).to_numpy()
        likely = _ask_all(suspect, people, name, levels, spread=spread)
        with_model = (np.log(blind.guess(people)) + likely).argmax(axis=1) == truth
        without = rival.guess(people).argmax(axis=1) == truth
        hits.append(with_model.astype(np.float64))
        gains.append(hits[-1] - without)
        shares.append((float(with_model.mean()), float(without.mean())))
    gain = _measure(f"attribute_gain[{name}]", gains[0].mean(), _find_error(gains[0]), len(gains[0]))
    error = float(np.hypot(_find_error(hits[0]), _find_error(hits[1])))
    gap = _measure(f"attribute_gap[{name}]", hits[0].mean() - hits[1].mean(), error, len(hits[0]) + len(hits[1]))
    return ColumnAttack(
        column=name,
        with_model=shares[0][0],
        without_model=shares[0][1],
        gain=gain,
        gap=gap,
        light=_judge(gain, gap, n_columns=n_columns),
    )


def _ask_all(suspect: Suspect, people: People, name: str, levels: Sequence[object], *, spread: float) -> Float:
    """Return the log likelihood of each person's true answer under each value, (n_rows, n_levels)."""
    dtype = people.rows[name].dtype
    asked = [people.rows.with_columns(pl.lit(level, dtype=dtype).alias(name)) for level in levels]
    answers = suspect.ask(pl.concat(asked))
    if suspect.kind == "regression":
        errors = (np.tile(people.y, len(levels)) - answers) / spread
        return np.asarray(-(errors**2) / 2).reshape(len(levels), -1).T
    truth = answers[np.arange(len(answers)), np.tile(people.y.astype(np.int64), len(levels))]
    return np.log(np.clip(truth, 1e-6, 1.0)).reshape(len(levels), -1).T


class _Guesser:
    """Boosted trees that guess a column from the others, with or without the true answer."""

    def __init__(
        self,
        suspect: Suspect,
        teaching: People,
        name: str,
        levels: Sequence[object],
        *,
        knows_answer: bool,
        seed: int,
    ) -> None:
        self._inputs = [column for column in suspect.inputs if column.name != name]
        self._knows_answer = knows_answer
        self._n_levels = len(levels)
        codes = dict(zip(levels, range(len(levels)), strict=True))
        y = teaching.rows[name].replace_strict(codes, return_dtype=pl.Int64).to_numpy()
        settings = {
            "objective": "multiclass", "num_class": len(levels), "num_leaves": 7, "learning_rate": 0.1, "min_data_in_leaf": 20,
            "seed": seed, "deterministic": True, "force_col_wise": True, "num_threads": 1, "verbosity": -1,
        }  # fmt: skip
        data = lightgbm.Dataset(self._build(teaching), label=y, params={"verbosity": -1})
        self._booster = lightgbm.train(settings, data, num_boost_round=ROUNDS)

    def guess(self, people: People) -> Float:
        """Return the probability of each value, (n_rows, n_levels)."""
        found = np.asarray(self._booster.predict(self._build(people), num_threads=1), dtype=np.float64)
        return np.clip(found.reshape(-1, self._n_levels), 1e-9, 1.0)

    def _build(self, people: People) -> Float:
        X = build_numbers(people.rows, self._inputs)
        return np.column_stack([X, people.y]) if self._knows_answer or X.shape[1] == 0 else X


def _find_error(gains: Float) -> float:
    return float(gains.std(ddof=1) / len(gains) ** 0.5)


def _measure(name: str, value: float, error: float, n_rows: int) -> Measurement:
    return Measurement(
        name=name,
        value=float(value),
        low=float(value) - TWO_SIDED_95 * error,
        high=float(value) + TWO_SIDED_95 * error,
        n=n_rows,
        unit="rate",
        higher_is_better=False,
        method="most likely value given the model (Fredrikson et al. 2014) against boosted trees without it; normal interval",
        level=LEVEL,
        baseline=0.0,
    )


def _judge(gain: Measurement, gap: Measurement, *, n_columns: int) -> Light | None:
    return join_lights(
        (
            choose_light(_widen(gap, n_columns), red=RED_GAP, amber=AMBER_GAP, chance=0.0),
            choose_light(_widen(gain, n_columns), red=float("inf"), amber=AMBER_GAIN, chance=0.0),
        )
    )


def _widen(found: Measurement, n_looks: int) -> Measurement:
    """Return a measurement whose low end holds for all of several looks together (Bonferroni)."""
    times = float(ndtri(1 - (1 - LEVEL) / 2 / n_looks)) / TWO_SIDED_95
    return replace(found, low=found.value - times * (found.value - (found.low or 0.0)))
