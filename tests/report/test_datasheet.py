from __future__ import annotations

import json
from dataclasses import replace
from typing import Any  # JSON

import pytest
from tests.report.stories import STORIES, bookings, donors

from skiff.data.provenance import UNANSWERED
from skiff.report.datasheet import build_datasheet


def test_the_table_is_named_with_its_hash_and_columns() -> None:
    sheet: dict[str, Any] = build_datasheet(bookings())
    assert sheet["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    (file,) = sheet["distribution"]
    assert file["sha256"] == bookings().dataset.sha256
    (rows,) = sheet["recordSet"]
    fields = rows["field"]
    assert [field["name"] for field in fields][:2] == ["arrival", "lead_time"]
    assert fields[0]["dataType"] == "sc:Date"
    assert len({field["@id"] for field in fields}) == len(fields)


def test_what_nobody_answered_is_said() -> None:
    sheet: dict[str, Any] = build_datasheet(donors())
    assert sheet["license"] == UNANSWERED
    assert sheet["creator"]["name"] == UNANSWERED
    assert sheet["skiff:unanswered"] == ["owner", "licence", "legal_basis", "collected", "purpose"]
    assert sheet["skiff:provenance"]["collected"] == UNANSWERED
    assert "rai:dataUseCases" not in sheet


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the checker's own graph library
@pytest.mark.parametrize("name", sorted(STORIES))
def test_the_croissant_checker_accepts_it(name: str, caplog: pytest.LogCaptureFixture) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    dataset = mlcroissant.Dataset(jsonld=build_datasheet(STORIES[name]()))
    assert dataset.metadata.ctx.issues.errors == set()
    assert dataset.metadata.name
    assert len(dataset.metadata.record_sets) == 1
    assert "not standard" not in caplog.text


def test_what_was_answered_is_in_the_responsible_ai_fields() -> None:
    story = bookings()
    given = {
        "source": "booking system",
        "collected": "2023 to 2024",
        "licence": "for this project only",
        "owner": "Example Ltd",
    }
    sheet: dict[str, Any] = build_datasheet(replace(story, dataset=replace(story.dataset, provenance=given)))
    assert sheet["rai:dataCollection"] == "booking system"
    assert sheet["temporalCoverage"] == "2023 to 2024"
    assert sheet["license"] == "for this project only"
    assert sheet["creator"]["name"] == "Example Ltd"


@pytest.mark.parametrize("name", sorted(STORIES))
def test_it_is_json(name: str) -> None:
    sheet = build_datasheet(STORIES[name]())
    assert json.loads(json.dumps(sheet, allow_nan=False)) == sheet
