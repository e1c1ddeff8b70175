"""What a person answered once is remembered, and the answers to check are written as a list."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from skiff.core.settings import Settings
from skiff.data.checks.fixing import Fix
from skiff.flows.answers import remember_answers
from skiff.flows.check import check_file, recall_settings
from skiff.flows.fixes import find_fixes, write_fix_list
from skiff.flows.prepare import Question, prepare
from skiff.flows.read import read_table
from skiff.flows.settle import settle_question
from skiff.flows.wishes import Wishes
from skiff.store.settings import read_settings
from skiff.store.workspace import Workspace


def _make_bookings(n_rows: int = 600) -> pl.DataFrame:
    rng = np.random.default_rng(3)
    hidden = rng.normal(size=n_rows)
    is_cancelled = hidden + rng.normal(size=n_rows) > 0.6
    return pl.DataFrame(
        {
            "nights": rng.poisson(np.exp(0.4 * hidden + 0.5)),
            "price": np.round(80 + 9 * (hidden + rng.normal(size=n_rows)), 2),
            "status": np.where(is_cancelled, "closed", "open"),
            "cancelled": np.where(is_cancelled, "yes", "no"),
        }
    )


def test_an_answer_is_remembered_for_the_next_check_of_the_same_file(tmp_path: Path) -> None:
    source = tmp_path / "bookings.csv"
    _make_bookings().write_csv(source)
    wishes = Wishes(target="cancelled")
    assert check_file(source, wishes, settings=recall_settings(tmp_path / "bookings", wishes)).is_blocked
    Workspace.open(tmp_path / "bookings", create=True).close()
    settings = read_settings(tmp_path / "bookings")
    question = settle_question(settings, Wishes(target="cancelled", keep=("status",), drop=("nights",)))
    assert remember_answers(tmp_path / "bookings", settings, question)
    again = check_file(source, wishes, settings=recall_settings(tmp_path / "bookings", wishes))
    (verdict,) = [finding for finding in again.findings if finding.code == "leakage.target_copy"]
    assert (verdict.action, verdict.question, again.is_blocked) == ("kept", "", False)
    assert again.left_out == {"nights": "asked.drop"}


def test_the_question_is_remembered_where_the_file_asks_none_yet(tmp_path: Path) -> None:
    Workspace.open(tmp_path / "w", create=True).close()
    first = settle_question(read_settings(tmp_path / "w"), Wishes(target="cancelled", group="guest", positive="yes"))
    assert remember_answers(tmp_path / "w", read_settings(tmp_path / "w"), first)
    settings = read_settings(tmp_path / "w")
    assert settle_question(settings, Wishes()) == first
    other = settle_question(settings, Wishes(target="price"))
    assert not remember_answers(tmp_path / "w", settings, other)
    assert read_settings(tmp_path / "w").task.target == "cancelled"


def test_what_is_said_now_wins_over_what_was_said_before() -> None:
    before = Settings().task.__class__(keep=("status", "cancelled"), drop=("note",))
    question = settle_question(Settings(task=before), Wishes(target="cancelled", drop=("status",), keep=("note",)))
    assert (question.keep, question.drop) == (("note",), ("status",))


def test_answers_to_another_question_are_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "bookings").mkdir()
    (tmp_path / "bookings" / "skiff.toml").write_text('[task]\ntarget = "price"\nkeep = ["status"]\n')
    assert recall_settings(tmp_path / "bookings", Wishes(target="cancelled")) == Settings()
    assert recall_settings(tmp_path / "bookings", Wishes()).task.keep == ("status",)


def test_wrong_answers_become_a_list_with_row_numbers_of_the_table() -> None:
    table = _make_bookings().drop("status")
    prepared = prepare(read_table(table), Question(target="cancelled"))
    train = prepared.split.train
    prob = np.where(prepared.y[train] == 1, 0.95, 0.05)
    wrong = np.array([4, 40, 400])
    prob[wrong] = 1 - prob[wrong]
    (finding,), fixes = find_fixes(prepared, np.column_stack([1 - prob, prob]), seed=0, threads=1)
    assert finding.code == "labels.suspect"
    assert {fix.row for fix in fixes} == {int(row) + 1 for row in train[wrong]}
    assert all(fix.given == table["cancelled"][fix.row - 1] != fix.suggested for fix in fixes)


def test_the_list_is_written_safely_and_emptied_when_nothing_is_left(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "w", create=True) as workspace:
        assert write_fix_list(workspace, ()) is None
        path = write_fix_list(workspace, [Fix(row=8, given="=cmd()", suggested="no", confidence=0.97)])
        assert path is not None
        assert pl.read_csv(path).rows() == [(8, "'=cmd()", "no", 0.97)]
        assert write_fix_list(workspace, ()) is None
        assert pl.read_csv(path).height == 0
