"""A file is read next month as it was read this month, or the change is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.flows.workspace import add_data
from skiff.store.settings import read_settings

NOVEMBER = "Datum;Betrag\n" + "".join(f"{day:02}.11.2026;{day},50\n" for day in range(1, 31))
DECEMBER = "Datum;Betrag\n" + "".join(f"{day:02}.12.2026;1.{day:03},50\n" for day in range(1, 13))


def test_how_a_file_was_read_is_kept_where_a_person_can_see_it(tmp_path: Path) -> None:
    (tmp_path / "sales-11.csv").write_text(NOVEMBER, encoding="utf-8")
    add_data(tmp_path / "shop", tmp_path / "sales-11.csv")
    kept = read_settings(tmp_path / "shop").reading["sales-11.csv"]
    assert kept["delimiter"] == ";"
    assert kept["columns"]["Betrag"]["decimal"] == ","
    before = (tmp_path / "shop" / "skiff.toml").read_text(encoding="utf-8")
    add_data(tmp_path / "shop", tmp_path / "sales-11.csv")
    assert (tmp_path / "shop" / "skiff.toml").read_text(encoding="utf-8") == before


def test_next_months_file_is_read_by_the_same_recipe(tmp_path: Path) -> None:
    (tmp_path / "sales-11.csv").write_text(NOVEMBER, encoding="utf-8")
    (tmp_path / "sales-12.csv").write_text(DECEMBER, encoding="utf-8")  # alone, its dates could be months first
    add_data(tmp_path / "shop", tmp_path / "sales-11.csv")
    _, findings = add_data(tmp_path / "shop", tmp_path / "sales-12.csv")
    assert "reading.ambiguous_dates" not in {finding.code for finding in findings}
    assert list(read_settings(tmp_path / "shop").reading) == ["sales-11.csv"]


def test_next_months_file_with_another_column_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "sales-11.csv").write_text(NOVEMBER, encoding="utf-8")
    (tmp_path / "sales-12.csv").write_text(NOVEMBER.replace("Betrag", "Umsatz"), encoding="utf-8")
    add_data(tmp_path / "shop", tmp_path / "sales-11.csv")
    with pytest.raises(SkiffError) as refused:
        add_data(tmp_path / "shop", tmp_path / "sales-12.csv")
    assert refused.value.code == "columns_changed"
    assert "'Betrag'" in refused.value.what
    assert "'Umsatz'" in refused.value.fix
