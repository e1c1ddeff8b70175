"""``skiff data contract``, ``skiff data compare`` and the page that ``skiff check`` writes, as a user types them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from skiff.cli.main import group


def call(*arguments: object, code: int = 0) -> dict[str, Any]:
    """Run a command in this process with ``--json`` and return what it printed."""
    done = CliRunner().invoke(group, [*map(str, arguments), "--json"], standalone_mode=False)
    assert done.exception is None, done.exception
    assert done.return_value == code
    envelope: dict[str, Any] = json.loads(done.stdout)
    return envelope


@pytest.fixture
def spoiled(bookings: Path, tmp_path: Path) -> Path:
    table = pl.read_csv(bookings)
    path = tmp_path / "bookings-2.csv"
    is_wrong = pl.int_range(pl.len()) % 20 == 0
    table.with_columns(lead_days=pl.when(is_wrong).then(-9).otherwise(pl.col("lead_days") + 30)).write_csv(path)
    return path


def test_a_contract_is_learned_confirmed_and_enforced(bookings: Path, spoiled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    call("data", "add", bookings, "-w", folder, "--owner", "Example Hotels Ltd")
    sentences = call("data", "contract", "show", "-w", folder)["result"]["sentences"]
    number = next(item["number"] for item in sentences if "never negative" in item["text"])
    confirmed = call("data", "contract", "confirm", number, "-w", folder)["result"]
    assert confirmed["contract"]["version"] == 2
    broken = call("data", "contract", "check", spoiled, "-w", folder, code=1)
    assert "schema.out_of_range" in {item["code"] for item in broken["findings"]}
    call("data", "add", spoiled, "-w", folder, code=1)
    call("data", "contract", "reject", number, "-w", folder)
    call("data", "contract", "state", "price", "--min", -5, "--max", 5000, "-w", folder)
    call("data", "contract", "learn", "-w", folder)
    call("data", "contract", "export", "-o", tmp_path / "schema.json", "-w", folder)
    assert json.loads((tmp_path / "schema.json").read_text())["properties"]["price"]["maximum"] == 5000
    assert call("data", "show", "-w", folder)["result"]["provenance"]["owner"] == "Example Hotels Ltd"


def test_two_versions_are_compared(bookings: Path, spoiled: Path, tmp_path: Path) -> None:
    found = call("data", "compare", bookings, spoiled, "-w", tmp_path)
    moved = {item["name"]: item["verdict"] for item in found["result"]["columns"]}
    assert moved["lead_days"] == "strong"
    assert moved["price"] == "same"
    assert [item["columns"] for item in found["findings"]] == [["lead_days"]]


def test_check_writes_a_page_where_it_is_told_and_none_if_asked(bookings: Path, tmp_path: Path) -> None:
    bookings = shutil.copy(bookings, tmp_path / "stays.csv")  # beside the original a workspace remembers the target
    page = tmp_path / "page.html"
    shares = tmp_path / "shares.csv"
    shares.write_text("column,level,share\nchannel,web,0.2\nchannel,phone,0.5\nchannel,agency,0.3\n", encoding="utf-8")
    found = call("check", bookings, "--report", page, "--population", shares)
    assert found["result"]["files"]["data_report"] == str(page)
    assert "coverage.unrepresentative" in {item["code"] for item in found["findings"]}
    assert found["result"]["representation"]["design_effect"] > 1.2
    assert page.stat().st_size < 1_000_000
    assert call("check", bookings, "--no-report")["result"]["files"] == {}


def test_the_note_begins_with_the_worst_and_ends_with_details(bookings: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        group,
        ["check", str(bookings), "--target", "cancelled", "--report", str(tmp_path / "x.html")],
        standalone_mode=False,
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("bookings.csv: 1,200 rows, 7 columns. One thing to stop for")
    assert lines[1].strip().startswith(("✗", "x"))
    assert (
        done.stdout.index("Ask the client:") < done.stdout.index("To read and to send:") < done.stdout.index("leakage.")
    )
