"""Mappings say only what is on record, and where it is."""

from __future__ import annotations

import csv
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.flows import govern
from skiff.flows.conclude import RunOutcome
from skiff.flows.handover import hand_over
from skiff.govern.mapping import VERDICTS
from skiff.store.workspace import Workspace

ANSWERS = {"eu": "yes", "name": "mine", "user": "client", "personal": "client", "prohibited": "no", "product": "no", "area": "services", "talks": "no"}  # fmt: skip
MADE = (".html", ".md", ".csv", ".json", ".txt", ".yml", ".py")


@pytest.fixture(scope="module")
def folder(finished: tuple[RunOutcome, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(finished[1], tmp_path_factory.mktemp("governed") / "bookings")


@pytest.fixture(scope="module")
def mapped(folder: Path) -> dict[str, govern.MappingOutcome]:
    govern.ask(folder, ANSWERS)
    govern.state(folder, "gdpr-30", '=HYPERLINK("x") Kept in the client\'s register, page 4.', who="Ada <b>Example</b>")
    return {name: govern.write_mapping(folder, name) for name in govern.FRAMEWORKS}


def read(outcome: govern.MappingOutcome, kind: str) -> str:
    return Path(outcome.files[kind]).read_text()


def test_every_evidence_id_resolves_in_the_ledger_and_inside_the_page(
    folder: Path, mapped: dict[str, govern.MappingOutcome]
) -> None:
    with Workspace.open(folder) as workspace:
        known = {record.id for record in workspace.ledger.records()}
    for outcome in mapped.values():
        page = read(outcome, "html")
        named = set(re.findall(r"ev_\d{6}", page))
        assert named
        assert named <= known
        assert set(re.findall(r'href="#(ev_\d+)"', page)) == set(re.findall(r'<tr id="(ev_\d+)"', page)) == named


def test_rows_shown_by_evidence_name_a_record_and_open_ones_say_nothing(
    mapped: dict[str, govern.MappingOutcome],
) -> None:
    for outcome in mapped.values():
        rows = list(csv.DictReader(read(outcome, "csv").splitlines()))
        assert {row["stands_as"] for row in rows} <= {"shown", "stated", "open"}
        for row in rows:
            assert bool(row["evidence"]) == (row["stands_as"] != "open")
            assert bool(row["on_record"]) == (row["stands_as"] == "shown")
        assert Path(outcome.files["pdf"]).read_bytes().startswith(b"%PDF")
        assert sum(outcome.counts.values()) == len(rows)


def test_numbers_in_a_mapping_are_those_of_the_ledger(folder: Path, mapped: dict[str, govern.MappingOutcome]) -> None:
    with Workspace.open(folder) as workspace:
        [judged] = [record for record in workspace.ledger.records() if record.action == "evaluate"]
    value = judged.result["metrics"]["roc_auc"]["value"]  # type: ignore[index,call-overload]  # JSON
    rows = {row["id"]: row for row in csv.DictReader(read(mapped["nist"], "csv").splitlines())}
    assert f"roc_auc {value:.3g}" in rows["MEASURE 2.3"]["on_record"]
    assert judged.id in rows["MEASURE 2.3"]["evidence"]


def test_what_was_not_done_is_open(mapped: dict[str, govern.MappingOutcome]) -> None:
    assert {"MEASURE 2.4", "MEASURE 2.7", "MANAGE 2.4"} <= set(mapped["nist"].open)
    assert {"AIA-72", "AIA-14"} <= set(mapped["aiact"].open)


def test_a_statement_carries_name_and_date_and_is_text_everywhere(mapped: dict[str, govern.MappingOutcome]) -> None:
    [row] = [row for row in csv.DictReader(read(mapped["gdpr"], "csv").splitlines()) if row["id"] == "GDPR-30"]
    assert row["stands_as"] == "stated"
    assert row["statement"].startswith("'=")
    assert row["stated_by"] == "Ada <b>Example</b>"
    assert "<b>Example</b>" not in read(mapped["gdpr"], "html")


def test_roles_and_risk_class_stand_in_the_page_with_their_record(mapped: dict[str, govern.MappingOutcome]) -> None:
    page = read(mapped["aiact"], "html")
    assert "high, duties from 2027-12-02" in page
    assert "provider, processor" in page


def test_the_register_names_what_was_done_with_records_that_exist(folder: Path) -> None:
    made = govern.write_register(folder)
    with Workspace.open(folder) as workspace:
        known = {record.id for record in workspace.ledger.records()}
    page = Path(made["files"]["html"]).read_text()
    assert set(re.findall(r"ev_\d{6}", page)) <= known
    told = {chapter["title"]: chapter["lines"] for chapter in made["chapters"]}
    assert "bookings.csv: 1,200 rows, 7 columns" in told["Data"][0]
    assert any(line.startswith("Training a model: 1 time") for line in told["What was done, for that controller (b)"])
    assert made["not_answered"] >= 2
    assert Path(made["files"]["pdf"]).read_bytes().startswith(b"%PDF")


def test_no_document_that_is_made_promises_anything(folder: Path, mapped: dict[str, govern.MappingOutcome]) -> None:
    assert mapped
    for kind in ("card", "datasheet"):
        govern.write_paper(folder, kind)
    bundle = hand_over(folder, with_page=False)
    given = folder.parent / "given"
    shutil.unpack_archive(bundle.path, given, "zip")
    found = {}
    for place in (folder / "reports", folder / ".skiff" / "releases", given):
        for path in sorted(place.rglob("*")):
            if path.suffix in MADE:
                text = re.sub(r"<style>.*?</style>", "", path.read_text(), flags=re.DOTALL)
                found |= {f"{path.name}: {match[0]}": path for match in VERDICTS.finditer(text)}
    assert found == {}


@pytest.mark.parametrize(
    "text", ["We are fully compliant.", "The model is Certified", "It is FAIR", "It is safe to use.", "  "]
)
def test_verdicts_are_refused_as_statements(folder: Path, text: str) -> None:
    with pytest.raises(SkiffError) as caught:
        govern.state(folder, "AIA-4", text)
    assert caught.value.code == "statement_refused"


def test_a_statement_can_be_taken_back_once(folder: Path) -> None:
    govern.state(folder, "A.3.2", "Ada answers for the model.")
    govern.withdraw(folder, "A.3.2")
    with pytest.raises(SkiffError) as caught:
        govern.withdraw(folder, "A.3.2")
    assert caught.value.code == "provision_not_found"


def test_answers_add_up_and_nothing_is_noted_where_nothing_was_said(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "one", create=True):
        pass
    assert govern.ask(tmp_path / "one", {})["evidence"] is None
    govern.ask(tmp_path / "one", {"eu": "yes"})
    assert govern.ask(tmp_path / "one", {"area": "education"})["risk"] == "high"
    assert govern.read_answers(tmp_path / "one") == {"eu": "yes", "area": "education"}


def test_updates_name_the_workspaces_that_a_change_touches(tmp_path: Path) -> None:
    for name in ("jobs/high", "shop"):
        (tmp_path / name).mkdir(parents=True)
        with Workspace.open(tmp_path / name, create=True):
            pass
    (tmp_path / "broken" / ".skiff").mkdir(parents=True)
    (tmp_path / "broken" / "skiff.toml").write_text("[[")
    govern.ask(tmp_path / "jobs" / "high", ANSWERS)
    govern.ask(tmp_path / "shop", {**ANSWERS, "eu": "no", "personal": "none"})
    found = {Path(item.workspace).name: item for item in govern.find_updates(tmp_path)}
    assert {item.rule.id for item in found["high"].touches} >= {"eu-2026-1744-high-risk", "eu-2026-1744-art-4"}
    assert found["shop"].touches == ()
    assert found["broken"].problem
    govern.write_mapping(tmp_path / "jobs" / "high", "aiact")
    assert govern.find_updates(tmp_path / "jobs")[0].touches == ()
    (tmp_path / ".skiff" / "keys").mkdir(parents=True)  # as `skiff pii --pseudonymise` leaves it where one stands
    assert {Path(item.workspace).name for item in govern.find_updates(tmp_path)} == {*found}
    assert [*(tmp_path / ".skiff").iterdir()] == [tmp_path / ".skiff" / "keys"]
    rules = tmp_path / "newer.csv"
    rules.write_text(
        "id,framework,changed,applies_from,touches,what,do\nnew,aiact,2099-01-01,2099-01-02,high,Changed.,Look.\n"
    )
    assert [item.rule.id for item in govern.find_updates(tmp_path / "jobs", rules)[0].touches] == ["new"]


def test_a_ledger_that_was_tampered_with_shows_nothing(folder: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    with sqlite3.connect(broken / ".skiff" / "catalog.db") as connection:
        connection.execute("UPDATE ledger SET actor = 'nobody' WHERE seq = 2")
    connection.close()
    with pytest.raises(SkiffError) as caught:
        govern.write_mapping(broken, "nist")
    assert caught.value.code == "ledger_damaged"
