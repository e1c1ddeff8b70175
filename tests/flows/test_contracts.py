"""A workspace learns a contract from its first table and holds every later file, and every answered row, against it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from skiff.core.errors import SkiffError
from skiff.data.contract.answers import build_rules
from skiff.data.contract.rules import build_contract
from skiff.data.contract.single import compile_contract
from skiff.flows.check import check_file
from skiff.flows.conclude import RunOutcome
from skiff.flows.contracts import (
    answer_contract,
    check_against_contract,
    export_schema,
    judge_contract,
    learn_in_workspace,
    show_contract,
    state_in_contract,
)
from skiff.flows.datasets import list_open_questions
from skiff.flows.predict import predict_file
from skiff.flows.run import run
from skiff.flows.wishes import Wishes
from skiff.flows.workspace import Workspace, add_data
from skiff.store.settings import read_settings


@pytest.fixture
def shop(tmp_path: Path, bookings: Path) -> Path:
    add_data(tmp_path / "shop", bookings)
    return tmp_path / "shop"


def spoil(bookings: Path, output: Path) -> Path:
    table = pl.read_csv(bookings)
    is_wrong = pl.int_range(pl.len()) % 40 == 3
    table.with_columns(lead_days=pl.when(is_wrong).then(-9).otherwise("lead_days")).write_csv(output)
    return output


def find_number(folder: Path, words: str) -> int:
    return next(item.number for item in show_contract(folder).sentences if words in item.text)


def test_the_first_table_teaches_and_the_next_is_held(shop: Path, bookings: Path, tmp_path: Path) -> None:
    assert show_contract(shop).record.version == 1
    _, findings = add_data(shop, spoil(bookings, tmp_path / "bookings-2.csv"))
    broken = next(item for item in findings if item.code == "schema.out_of_range")
    assert broken.severity == "warn"
    assert broken.sample_rows[:2] == (4, 44)
    assert show_contract(shop).record.version == 1  # a later table teaches nothing by itself


def test_what_was_confirmed_blocks_a_later_file(shop: Path, bookings: Path, tmp_path: Path) -> None:
    number = find_number(shop, "never negative")
    assert answer_contract(shop, [number], status="confirmed").record.version == 2
    spoiled = spoil(bookings, tmp_path / "bookings-2.csv")
    assert not check_against_contract(shop, spoiled).is_kept
    outcome = check_file(spoiled, Wishes(), folder=shop)
    assert outcome.is_blocked
    assert outcome.as_result()["contract"] == {"name": "bookings.csv", "version": 2}
    assert check_against_contract(shop, bookings).findings == ()
    verdict = judge_contract(outcome.findings)
    assert verdict is not None
    assert not verdict.passed


def test_learning_again_keeps_answers_and_versions(shop: Path) -> None:
    state_in_contract(shop, build_rules("price", high=10_000.0))
    again = learn_in_workspace(shop)
    rule = next(item for item in again.contract.rules if item.key == ("maximum", ("price",)))
    assert rule.is_stated
    assert show_contract(shop, version=1).record.version == 1
    with Workspace.open(shop) as opened:
        assert [item.action for item in opened.ledger if item.action.startswith("contract")][:2] == [
            "contract.learn",
            "contract.answer",
        ]


def test_a_workspace_without_a_contract_says_so(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "new", create=True):
        pass
    with pytest.raises(SkiffError) as refused:
        show_contract(tmp_path / "new")
    assert refused.value.code == "contract_not_found"


def test_the_schema_is_written(shop: Path, tmp_path: Path) -> None:
    export_schema(shop, tmp_path / "schema.json")
    assert "lead_days" in json.loads((tmp_path / "schema.json").read_text())["properties"]


def test_a_release_carries_its_contract_and_answers_are_held(
    finished: tuple[RunOutcome, Path], bookings: Path, tmp_path: Path
) -> None:
    _, folder = finished
    with Workspace.open(folder) as opened:
        manifest = opened.store.releases.read_manifest(1)
    assert isinstance(manifest["contract"], dict)
    check = compile_contract(build_contract(manifest["contract"]))
    names = [item["name"] for item in manifest["inputs"]]
    row = {name: value for name, value in pl.read_csv(bookings).row(0, named=True).items() if name in names}
    assert check(row) == []
    assert {item.code for item in check(row | {"lead_days": -5})} >= {"schema.out_of_range"}
    answered = predict_file(folder, spoil(bookings, tmp_path / "next.csv"))
    assert "schema.out_of_range" in {item.code for item in answered.findings}


@pytest.mark.slow
def test_nothing_is_released_on_a_broken_promise(bookings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    add_data(folder, bookings)
    answer_contract(folder, [find_number(folder, "never negative")], status="confirmed")
    outcome = run(spoil(bookings, tmp_path / "bookings-2.csv"), Wishes(target="cancelled", budget_s=4.0), folder=folder)
    assert not outcome.is_yes
    assert any(item.criterion == "contract" and not item.passed for item in outcome.story.gate.verdicts)


def test_where_data_comes_from_is_kept_and_not_asked_twice(bookings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    assert [key for key, _ in list_open_questions(folder, "bookings.csv")] == [
        "source", "owner", "licence", "legal_basis", "collected", "purpose", "keep_for",
    ]  # fmt: skip
    record, _ = add_data(folder, bookings, provenance={"owner": "Example Hotels Ltd", "collected": "2024"})
    assert record.provenance == {"source": "bookings.csv", "owner": "Example Hotels Ltd", "collected": "2024"}
    assert read_settings(folder).owner.client == "Example Hotels Ltd"
    assert list_open_questions(folder, "bookings.csv") == ()
