from __future__ import annotations

import json
from typing import Any  # JSON

import pytest
from tests.report.stories import STORIES, bookings, donors

from skiff.report.datasheet import UNANSWERED, build_datasheet


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
    assert sheet["skiff:unanswered"] == ["owner", "licence", "purpose", "legal_basis"]


@pytest.mark.parametrize("name", sorted(STORIES))
def test_it_is_json(name: str) -> None:
    sheet = build_datasheet(STORIES[name]())
    assert json.loads(json.dumps(sheet, allow_nan=False)) == sheet
