"""What is said about a client's file that cannot be opened."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.store.tables import open_source


def test_a_file_that_may_not_be_read_is_told_with_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("a,b\n1,2\n")

    def refuse(self: Path, **_options: bool) -> object:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "stat", refuse)  # as where a folder on the way may not be entered
    with pytest.raises(SkiffError) as caught:
        open_source(path)
    assert caught.value.code == "no_permission"
    assert "copy it" in caught.value.fix


@pytest.mark.parametrize(
    ("asked", "hint"), [("orders.xlsx", "orders.csv"), ("oders.csv", "orders.csv"), ("nothing.csv", None)]
)
def test_a_missing_file_is_compared_by_its_name_not_its_ending(tmp_path: Path, asked: str, hint: str | None) -> None:
    (tmp_path / "orders.csv").write_text("a\n1\n")
    (tmp_path / "wide.csv").write_text("a\n1\n")
    with pytest.raises(SkiffError) as caught:
        open_source(tmp_path / asked)
    assert caught.value.code == "file_not_found"
    assert (hint in caught.value.fix) if hint else ("Did you mean" not in caught.value.fix)
