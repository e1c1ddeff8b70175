"""Rows are divided the way the model will be used."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from skiff.core.errors import SkiffError
from skiff.core.task import Task
from skiff.data.splits import Split, propose_split, random_split

RNG = np.random.default_rng(0)
BINARY = Task(kind="binary", target="y", classes=("no", "yes"), positive="yes")
AMOUNT = Task(kind="regression", target="y")


def _answers(n_rows: int, share: float = 0.3) -> list[str]:
    return RNG.permutation(["yes" if row % 100 < 100 * share else "no" for row in range(n_rows)]).tolist()  # type: ignore[no-any-return]  # texts go in


def _check_parts(split: Split, n_rows: int) -> None:
    """What holds for every split."""
    assert len(np.intersect1d(split.train, split.test)) == 0
    assert len(np.union1d(split.train, split.test)) <= n_rows
    for fit, held in split.folds:
        assert len(fit)
        assert len(held)
        assert len(np.intersect1d(fit, held)) == 0
        assert max(fit.max(), held.max()) < len(split.train)


def test_classes_keep_their_shares() -> None:
    table = pl.DataFrame({"x": RNG.normal(size=1_000), "y": _answers(1_000, 0.05)})
    split, findings = propose_split(table, BINARY, seed=0)
    _check_parts(split, 1_000)
    assert (split.kind, len(split.test)) == ("stratified", 200)
    assert (table["y"][split.test] == "yes").sum() == 10
    assert {(table["y"][split.train][held] == "yes").sum() for _, held in split.folds} == {8}
    assert [finding.code for finding in findings] == ["split.kind"]


def test_the_same_seed_gives_the_same_split_and_another_does_not() -> None:
    table = pl.DataFrame({"x": RNG.normal(size=300), "y": _answers(300)})
    first, again, other = (propose_split(table, BINARY, seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


def test_folds_cover_the_training_rows_once() -> None:
    table = pl.DataFrame({"x": RNG.normal(size=300), "y": _answers(300)})
    split, _ = propose_split(table, BINARY, seed=0)
    held = np.concatenate([part for _, part in split.folds])
    assert np.array_equal(np.sort(held), np.arange(len(split.train)))


def test_amounts_are_drawn_alike_from_small_and_large() -> None:
    table = pl.DataFrame({"x": RNG.normal(size=1_000), "y": np.exp(RNG.normal(size=1_000) * 2)})
    split, _ = propose_split(table, AMOUNT, seed=0)
    assert (split.kind, len(split.test)) == ("random", 200)
    top = table["y"].quantile(0.9)
    assert top is not None
    assert (table["y"][split.test] > top).sum() == 20


def test_rows_without_a_target_are_in_neither_part() -> None:
    table = pl.DataFrame({"x": RNG.normal(size=300), "y": ["yes", "no", None] * 100})
    split, _ = propose_split(table, BINARY, seed=0)
    assert len(split.train) + len(split.test) == 200
    assert table["y"][np.concatenate([split.train, split.test])].null_count() == 0


def test_exact_copies_never_straddle() -> None:
    table = pl.DataFrame({"x": np.repeat(RNG.normal(size=400), 2), "y": np.repeat(_answers(400), 2)})
    split, _ = propose_split(table, BINARY, seed=0)
    _check_parts(split, 800)
    train, test = set(table["x"][split.train].to_list()), set(table["x"][split.test].to_list())
    assert not train & test
    for fit, held in split.folds:
        x = table["x"][split.train]
        assert not set(x[fit].to_list()) & set(x[held].to_list())


def test_one_huge_set_of_copies_changes_neither_the_size_nor_the_shares_of_the_test() -> None:
    x = np.concatenate([np.zeros(400), RNG.normal(size=600)])
    y = ["no"] * 400 + _answers(600, 0.1)
    table = pl.DataFrame({"x": x, "y": y})
    split, _ = propose_split(table, BINARY, seed=0)
    assert len(split.test) == 200
    assert 10 <= (table["y"][split.test] == "yes").sum() <= 14
    assert (table["x"][split.test] == 0.0).sum() == 0
    assert max(len(held) for _, held in split.folds) <= 1.3 * min(len(held) for _, held in split.folds)


def test_later_rows_are_the_test_and_one_instant_stays_together() -> None:
    days = np.sort(RNG.integers(0, 120, 1_000))
    table = pl.DataFrame(
        {"day": [date(2024, 1, 1) + timedelta(days=int(day)) for day in days], "y": RNG.normal(size=1_000)}
    )
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=0)
    split, _ = propose_split(shuffled, Task(kind="regression", target="y", time="day"), seed=0)
    _check_parts(split, 1_000)
    assert split.kind == "time"
    assert 150 <= len(split.test) <= 250
    assert shuffled["day"][split.train].max() < shuffled["day"][split.test].min()  # type: ignore[operator]  # dates
    at = shuffled["day"][split.train]
    assert len(split.folds) == 5
    for fit, held in split.folds:
        assert at[fit].max() < at[held].min()  # type: ignore[operator]  # dates


def test_rows_without_a_time_are_set_aside_and_told() -> None:
    days: list[date | None] = [date(2024, 1, 1) + timedelta(days=day) for day in range(300)]
    days[5] = None
    table = pl.DataFrame({"day": days, "y": RNG.normal(size=300)})
    split, findings = propose_split(table, Task(kind="regression", target="y", time="day"), seed=0)
    assert 5 not in np.concatenate([split.train, split.test])
    assert next(finding for finding in findings if finding.code == "split.missing_time").sample_rows == (6,)


def test_a_time_that_tells_the_answer_falls_back_and_says_why() -> None:
    table = pl.DataFrame({"year": list(range(200)), "y": ["no"] * 100 + ["yes"] * 100})
    split, findings = propose_split(table, Task(kind="binary", target="y", classes=("no", "yes"), time="year"), seed=0)
    assert split.kind == "stratified"
    assert "split.time_not_used" in {finding.code for finding in findings}


def test_groups_are_on_one_side_and_classes_keep_their_shares() -> None:
    owner = RNG.integers(0, 200, 2_000)
    table = pl.DataFrame({"owner": owner, "x": RNG.normal(size=2_000), "y": np.where((owner % 5 == 0), "yes", "no")})
    task = Task(kind="binary", target="y", classes=("no", "yes"), positive="yes", group="owner")
    split, _ = propose_split(table, task, seed=0)
    _check_parts(split, 2_000)
    assert split.kind == "group"
    assert not set(table["owner"][split.train].to_list()) & set(table["owner"][split.test].to_list())
    assert 0.15 < len(split.test) / 2_000 < 0.25
    assert 0.15 < (table["y"][split.test] == "yes").mean() < 0.25  # type: ignore[operator]  # a share
    inner = table["owner"][split.train]
    for fit, held in split.folds:
        assert not set(inner[fit].to_list()) & set(inner[held].to_list())


def test_a_group_column_with_two_values_is_refused() -> None:
    table = pl.DataFrame({"shop": ["a", "b"] * 50, "y": RNG.normal(size=100)})
    with pytest.raises(SkiffError) as caught:
        propose_split(table, Task(kind="regression", target="y", group="shop"), seed=0)
    assert caught.value.code == "too_few_groups"


def test_three_groups_still_make_a_split() -> None:
    table = pl.DataFrame({"shop": ["a", "b", "c"] * 50, "y": RNG.normal(size=150)})
    split, _ = propose_split(table, Task(kind="regression", target="y", group="shop"), seed=0)
    assert (len(split.test), len(split.folds)) == (50, 2)


def test_with_time_and_group_newcomers_judge_where_there_are_enough() -> None:
    owner = np.arange(1_000) // 4  # owners come one after the other
    table = pl.DataFrame({"year": np.arange(1_000), "owner": owner, "y": RNG.normal(size=1_000)})
    split, findings = propose_split(table, Task(kind="regression", target="y", time="year", group="owner"), seed=0)
    assert split.kind == "time"
    assert not set(table["owner"][split.train].to_list()) & set(table["owner"][split.test].to_list())
    assert "split.group" in {finding.code for finding in findings}
    assert "No 'owner' is on both sides." in split.reason


def test_with_time_and_the_same_owners_for_ever_time_decides_and_that_is_said() -> None:
    table = pl.DataFrame({"year": np.arange(1_000), "owner": np.arange(1_000) % 60, "y": RNG.normal(size=1_000)})
    split, findings = propose_split(table, Task(kind="regression", target="y", time="year", group="owner"), seed=0)
    assert len(split.test) == 200
    assert "time alone decides" in next(finding for finding in findings if finding.code == "split.group").what
    assert "the same 'owner' may be on both sides" in split.reason


def test_groups_that_were_asked_for_are_kept_whole_where_the_time_was_only_found() -> None:
    table = pl.DataFrame({"year": np.arange(1_000), "owner": np.arange(1_000) % 60, "y": RNG.normal(size=1_000)})
    task = Task(kind="regression", target="y", time="year", group="owner")
    split, findings = propose_split(table, task, seed=0, keeps_groups=True)
    assert split.kind == "group"
    assert not set(table["owner"][split.train].to_list()) & set(table["owner"][split.test].to_list())
    told = next(finding for finding in findings if finding.code == "split.time_not_used")
    assert "divided by 'owner', as asked" in told.what
    assert "--time year" in told.remedy
    assert "time" not in next(finding for finding in findings if finding.code == "split.kind").columns


def test_small_tables_keep_a_fifth_and_say_so() -> None:
    table = pl.DataFrame({"x": RNG.normal(size=60), "y": _answers(60)})
    split, findings = propose_split(table, BINARY, seed=0)
    assert len(split.test) >= 12
    assert "split.small_test" in {finding.code for finding in findings}


def test_the_flattering_split_ignores_copies_groups_and_time() -> None:
    table = pl.DataFrame({"x": np.repeat(RNG.normal(size=200), 2), "y": np.repeat(_answers(200), 2)})
    split = random_split(table, BINARY, seed=0)
    _check_parts(split, 400)
    assert (split.kind, len(split.test)) == ("random", 80)
    assert set(table["x"][split.train].to_list()) & set(table["x"][split.test].to_list())


@pytest.mark.parametrize("seed", range(5))
def test_every_fold_has_both_answers_when_the_rarer_one_has_enough_rows(seed: int) -> None:
    table = pl.DataFrame({"x": RNG.normal(size=200), "y": ["yes"] * 8 + ["no"] * 192})
    split, _ = propose_split(table, BINARY, seed=seed)
    assert table["y"][split.test].n_unique() == 2
    y = table["y"][split.train]
    assert all(y[held].n_unique() == 2 and y[fit].n_unique() == 2 for fit, held in split.folds)


def test_a_row_without_a_group_is_a_group_of_its_own() -> None:
    owner = [None if row % 4 == 0 else f"owner {row % 30}" for row in range(400)]
    table = pl.DataFrame({"owner": owner, "y": RNG.normal(size=400)})
    split, _ = propose_split(table, Task(kind="regression", target="y", group="owner"), seed=0)
    assert 60 <= len(split.test) <= 100
    assert table["owner"][split.test].null_count() > 0
    assert table["owner"][split.train].null_count() > 0
