"""Calendar parts of a million years, against NumPy's and Python's calendars."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from skiff.core.pipeline import DateEncoder, DatePart
from skiff.core.signature import MISSING_DATE_S, InputColumn
from skiff.deploy.compiler import compile_featurizer
from skiff.deploy.dates import LIMIT_S
from skiff.deploy.featurizer import featurize
from skiff.deploy.session import open_session

PARTS: tuple[DatePart, ...] = ("year", "month", "day", "weekday", "hour", "day_of_year", "elapsed_days")
INPUTS = [InputColumn(name="at", kind="date")]
ENCODER = DateEncoder(column="at", parts=PARTS, origin_s=-123_456, mean=np.zeros(7), scale=np.ones(7))


def _read_parts(
    seconds: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    frame = pl.DataFrame({"at": (pl.Series(seconds) * 1_000_000).cast(pl.Datetime("us"))})
    return featurize(INPUTS, [ENCODER], frame).tree


def _expect_parts(
    seconds: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    moments = seconds.astype("datetime64[s]")
    days = moments.astype("datetime64[D]")
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    found = [
        years.astype(np.int64) + 1970,
        months.astype(np.int64) % 12 + 1,
        (days - months).astype(np.int64) + 1,
        (days.astype(np.int64) + 3) % 7,
        (moments - days).astype(np.int64) // 3600,
        (days - years).astype(np.int64) + 1,
    ]
    return [*(part.astype(np.float64) for part in found), (seconds + 123_456) / 86_400]


def test_every_day_of_eight_centuries_is_right() -> None:
    days = np.arange(np.datetime64("1599-12-01"), np.datetime64("2401-04-01")).astype("datetime64[s]").astype(np.int64)
    seconds = days + np.arange(len(days)) * 7_919 % 86_400
    made = _read_parts(seconds)
    for column, expected in enumerate(_expect_parts(seconds)):
        np.testing.assert_array_equal(made[:, column], expected, err_msg=PARTS[column])


def test_random_moments_of_half_a_million_years_are_right() -> None:
    seconds = np.random.default_rng(0).integers(-9_000_000_000_000, 9_000_000_000_000, 5_000)
    made = _read_parts(seconds)
    for column, expected in enumerate(_expect_parts(seconds)):
        np.testing.assert_array_equal(made[:, column], expected, err_msg=PARTS[column])


@pytest.mark.parametrize("second", [LIMIT_S + 1, -LIMIT_S - 1, MISSING_DATE_S + 1, 2**62])
def test_moments_beyond_the_calendar_are_kept_at_its_edge(second: int) -> None:
    graph = open_session(compile_featurizer(INPUTS, [ENCODER])[0])
    edge, found = (
        graph.run(["tree"], {"at": np.array([[moment]])})[0] for moment in (LIMIT_S if second > 0 else -LIMIT_S, second)
    )
    np.testing.assert_array_equal(found, edge)
    assert np.isfinite(found).all()


def test_a_missing_date_is_nan_for_trees_and_the_mean_for_lines() -> None:
    features = featurize(INPUTS, [ENCODER], pl.DataFrame({"at": [None]}, schema={"at": pl.Date}))
    assert np.isnan(features.tree).all()
    assert features.linear.tolist() == [[0.0] * 7 + [1.0]]
    assert features.linear_names[-1] == "at: missing"
    assert features.tree_names[5:] == ("at: day of year", "at: elapsed days")
