"""Settings that a table cannot meet are refused before anything is trained, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.bookings import build_bookings

from skiff.core.errors import SkiffError
from skiff.core.settings import CriteriaSettings, Settings
from skiff.core.task import Costs
from skiff.flows import run as running
from skiff.flows import steps
from skiff.flows.prepare import Prepared, Question, prepare
from skiff.flows.read import read_table
from skiff.flows.unfit import refuse_unfit
from skiff.flows.wishes import Wishes
from skiff.store.workspace import Workspace


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    question = Question(target="cancelled", drop=("price",), protected=("channel",))
    return prepare(read_table(build_bookings(600)), question)


def ask(*criteria: str, costs: Costs | None = None) -> Settings:
    return Settings(criteria=CriteriaSettings(require=criteria), costs=costs)


@pytest.mark.parametrize(
    ("settings", "code", "hint"),
    [
        (ask("worst_group_gap(recall, Chanel) <= 0.1"), "bad_criterion", "Did you mean 'channel'?"),
        (ask("worst_group_gap(recall, price) <= 0.1"), "bad_criterion", 'protected = ["price"]'),
        (ask("worst_group_gap(rmse, channel) <= 0.1"), "bad_criterion", "recall, precision, false_positive_rate"),
        (
            ask(costs=Costs(false_positive=1, false_negative=0.6, amount="pryce")),
            "column_not_found",
            "Did you mean 'price'?",
        ),
        (
            ask(costs=Costs(false_positive=1, false_negative=0.6, amount="channel")),
            "amount_not_a_number",
            "column of numbers",
        ),
        (ask(costs=Costs(capacity_per_week=50)), "capacity_without_rows", "rows_per_month"),
        (ask(costs=Costs(false_positive=-5, false_negative=-80)), "costs_contradict", "signs"),
        (ask(costs=Costs(false_positive=1, false_negative=1, true_positive=80)), "costs_contradict", "signs"),
    ],
)
def test_what_could_only_fail_later_is_refused_with_the_way_out(
    prepared: Prepared, settings: Settings, code: str, hint: str
) -> None:
    with pytest.raises(SkiffError) as caught:
        refuse_unfit(settings, prepared)
    assert caught.value.code == code
    assert hint in caught.value.fix


@pytest.mark.parametrize(
    "settings",
    [
        ask(),
        ask("worst_group_gap(recall, channel) <= 0.1", "worst_group_gap(roc_auc, breakfast) <= 0.2"),
        ask("worst_group_gap(selection_rate, lead_days) <= 0.2"),
        ask(costs=Costs(false_positive=1, false_negative=0.6, amount="price")),
        ask(costs=Costs(capacity_per_week=50, rows_per_month=2_000)),
    ],
)
def test_what_the_table_can_meet_passes(prepared: Prepared, settings: Settings) -> None:
    refuse_unfit(settings, prepared)


def forbid(*_: object, **__: object) -> None:
    pytest.fail("trained although the settings could not be met")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[criteria]\nrequire = ["worst_group_gap(recall, Chanel) <= 0.1"]\n', "bad_criterion"),
        ('[costs]\nfalse_positive = 1.0\nfalse_negative = 0.6\namount = "pryce"\n', "column_not_found"),
        ("[costs]\ncapacity_per_week = 50.0\n", "capacity_without_rows"),
    ],
)
def test_a_run_stops_before_it_trains_and_leaves_the_folder_as_it_was(
    bookings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, code: str
) -> None:
    (tmp_path / "skiff.toml").write_text(text)
    monkeypatch.setattr(running, "train_candidate", forbid)
    with pytest.raises(SkiffError) as caught:
        running.run(bookings, Wishes(target="cancelled", budget_s=1.0), folder=tmp_path)
    assert caught.value.code == code
    assert [path.name for path in tmp_path.iterdir()] == ["skiff.toml"]
    assert (tmp_path / "skiff.toml").read_text() == text


def test_training_by_hand_stops_before_it_trains_and_records_nothing(
    bookings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "skiff.toml").write_text('[criteria]\nrequire = ["worst_group_gap(rmse, channel) <= 0.1"]\n')
    with Workspace.open(tmp_path, create=True):
        pass
    steps_before = _list_actions(tmp_path, bookings)
    text = (tmp_path / "skiff.toml").read_text()  # with how the file was read
    monkeypatch.setattr(steps, "train_candidate", forbid)
    with pytest.raises(SkiffError) as caught:
        steps.train_in_workspace(tmp_path, Wishes(target="cancelled", budget_s=1.0))
    assert caught.value.code == "bad_criterion"
    with Workspace.open(tmp_path) as workspace:
        assert [record.action for record in workspace.ledger.records()] == steps_before
    assert (tmp_path / "skiff.toml").read_text() == text


def _list_actions(folder: Path, source: Path) -> list[str]:
    from skiff.flows.workspace import add_data

    add_data(folder, source)
    with Workspace.open(folder) as workspace:
        return [record.action for record in workspace.ledger.records()]
