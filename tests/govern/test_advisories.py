"""Packages are called free of known weaknesses only where every one was really looked up."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.flows.doctor import examine
from skiff.govern.advisories import LEAST_RECORDS, audit_packages, is_affected
from skiff.store.advisories import read_advisories

TODAY = "2026-11-26"
Record = dict[str, object]


def advisory(name: str, *events: dict[str, str], number: int = 0, **more: object) -> Record:
    return {
        "id": f"PYSEC-{number}", "modified": "2026-11-20T00:00:00Z",
        "affected": [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}],
        **more,
    }  # fmt: skip


WHOLE = [advisory(f"other-{number}", {"introduced": "0"}, number=number) for number in range(LEAST_RECORDS)]


def test_an_old_package_is_never_passed_without_a_look() -> None:
    found = audit_packages({"jinja2": "2.4.1"}, None, today=TODAY)
    assert found.is_fine is None
    assert found.describe().startswith(f"not audited ({TODAY})")


def test_a_whole_new_copy_says_none_known_and_names_a_weakness() -> None:
    assert audit_packages({"jinja2": "3.1.6"}, WHOLE, today=TODAY).is_fine is True
    bad = [*WHOLE, advisory("Jinja2", {"introduced": "0"}, {"fixed": "3.1.6"}, number=7)]
    found = audit_packages({"jinja2": "3.1.5", "numpy": "2.2"}, bad, today=TODAY)
    assert found.is_fine is False
    assert "jinja2 3.1.5 (PYSEC-7)" in found.describe()
    assert audit_packages({"jinja2": "3.1.6"}, bad, today=TODAY).is_fine is True


@pytest.mark.parametrize(("records", "today"), [
    ([], TODAY), (WHOLE[:-1], TODAY), (WHOLE, "2027-03-01"),
    ([*WHOLE, {"affected": [{"package": {"ecosystem": "PyPI", "name": "jinja2"}}]}], TODAY),
    ([{**record, "modified": None} for record in WHOLE], TODAY),
])  # fmt: skip
def test_a_partial_old_or_unclear_copy_proves_nothing(records: list[Record], today: str) -> None:
    assert audit_packages({"jinja2": "3.1.6"}, records, today=today).is_fine is None


def test_one_package_that_was_not_looked_up_spoils_the_whole() -> None:
    records = [*WHOLE, advisory("odd", {"introduced": "not a version"})]
    assert audit_packages({"jinja2": "3.1.6", "odd": "1"}, records, today=TODAY).is_fine is None


def test_a_partial_copy_still_names_what_it_knows() -> None:
    assert audit_packages({"a": "1"}, [advisory("a", {"introduced": "0"})], today=TODAY).is_fine is False


def test_withdrawn_advisories_do_not_count() -> None:
    taken_back = advisory("a", {"introduced": "0"}, withdrawn="2026-01-01T00:00:00Z")
    assert audit_packages({"a": "1"}, [*WHOLE, taken_back], today=TODAY).is_fine is True


@pytest.mark.parametrize(("version", "is_hit"), [("0.9", False), ("1.0", True), ("1.4", True), ("1.5", False), ("2.0rc1", False), ("2.0", True), ("2.3", True), ("2.4", False)])  # fmt: skip
def test_ranges_are_read_as_the_schema_says(version: str, *, is_hit: bool) -> None:
    events = [{"introduced": "2.0"}, {"last_affected": "2.3"}, {"introduced": "1.0"}, {"fixed": "1.5"}]
    assert is_affected({"ranges": [{"type": "ECOSYSTEM", "events": events}]}, version) is is_hit
    assert is_affected({"versions": ["1.4.0"]}, "1.4") is True


def test_copies_are_read_from_an_archive_a_folder_and_a_file(tmp_path: Path) -> None:
    record = advisory("a", {"introduced": "0"})
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "one.json").write_text(json.dumps(record))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("one.json", json.dumps(record))
    for path in ("folder", "all.zip", "folder/one.json"):
        assert list(read_advisories(tmp_path / path)) == [record]
    for name, data in {
        "cut.zip": (tmp_path / "all.zip").read_bytes()[:60],
        "bad.json": b"{",
        "list.json": b"[]",
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SkiffError, match="no package was audited"):
            list(read_advisories(tmp_path / name))


def test_doctor_says_not_audited_unless_told_where_to_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    line = examine(at=lambda: f"{TODAY}T00:00:00Z")[-1]
    assert (line.is_fine, line.what.partition(":")[0]) == (None, f"not audited ({TODAY})")
