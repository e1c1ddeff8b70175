"""Files are whole or not there, and the disk's refusals are explained."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.store.files import (
    STAGING_PREFIX,
    describe_os_error,
    make_folder,
    sweep_staging,
    write_atomic,
)


def test_a_file_is_created_and_replaced_with_private_permissions_under_any_umask(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    before = os.umask(0)
    try:
        write_atomic(path, b"first")
        write_atomic(path, b"second")
        make_folder(tmp_path / "own")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o700
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["own", "report.html"]


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_refused_write_leaves_the_old_file_and_no_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "report.html"
    write_atomic(path, b"old")

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if step == "replace":
        monkeypatch.setattr(Path, "replace", refuse)
    else:
        monkeypatch.setattr(os, step, refuse)
    with pytest.raises(SkiffError) as caught:
        write_atomic(path, b"new")
    assert caught.value.code == "disk_full"
    assert caught.value.where["folder"] == str(tmp_path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["report.html"]  # noqa: PTH208  names only


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, bytes(data)[:3]))
    write_atomic(tmp_path / "report.html", b"more than three bytes")
    assert (tmp_path / "report.html").read_bytes() == b"more than three bytes"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EFBIG, "disk_full"),
        (errno.EACCES, "no_permission"),
        (errno.EPERM, "no_permission"),
        (errno.EROFS, "read_only"),
        (errno.EIO, "disk_failing"),
        (errno.ENAMETOOLONG, "file_unusable"),
    ],
)
def test_each_refusal_of_the_disk_has_its_code_and_names_the_folder(tmp_path: Path, number: int, code: str) -> None:
    error = describe_os_error(OSError(number, os.strerror(number)), tmp_path / "a.csv")
    assert error.code == code
    assert error.where["folder"] == str(tmp_path)
    assert error.fix.endswith(".")


def test_only_what_skiff_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(b"a")
    (tmp_path / f"{STAGING_PREFIX}0").write_bytes(b"half")
    (tmp_path / f"{STAGING_PREFIX}1").mkdir()
    (tmp_path / f"{STAGING_PREFIX}1" / "model.onnx").write_bytes(b"half")
    assert sweep_staging(tmp_path) == 2
    assert os.listdir(tmp_path) == ["mine.csv"]  # noqa: PTH208  names only
