"""Content-addressed files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.store.objects import Objects


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path)


def test_bytes_come_back_under_their_hash(objects: Objects) -> None:
    sha256 = objects.put(b"a table")
    assert sha256 == hashlib.sha256(b"a table").hexdigest()
    assert objects.get(sha256) == b"a table"
    assert objects.has(sha256)
    assert list(objects.list()) == [sha256]


def test_a_file_gets_the_same_name_as_its_bytes(objects: Objects, tmp_path_factory: pytest.TempPathFactory) -> None:
    source = tmp_path_factory.mktemp("elsewhere") / "big.bin"
    source.write_bytes(bytes(range(256)) * 10_000)
    assert objects.put(source) == objects.put(source.read_bytes())
    assert len(list(objects.list())) == 1


def test_a_missing_source_is_named(objects: Objects, tmp_path: Path) -> None:
    with pytest.raises(SkiffError) as caught:
        objects.put(tmp_path / "gone.parquet")
    assert caught.value.code == "file_unusable"
    assert "gone.parquet" in caught.value.what


def test_one_flipped_bit_is_noticed_and_putting_it_again_mends_it(objects: Objects) -> None:
    sha256 = objects.put(b"a table")
    path = objects.path(sha256)
    path.write_bytes(b"a tablf")
    for look in (objects.get, objects.verify):
        with pytest.raises(SkiffError) as caught:
            look(sha256)
        assert caught.value.code == "object_damaged"
    objects.put(b"a table")
    assert objects.get(sha256) == b"a table"


@pytest.mark.parametrize("name", ["", "ab", "../../etc/passwd", "A" * 64, "a" * 63 + "/", "a" * 65])
def test_a_name_that_is_no_hash_never_reaches_the_disk(objects: Objects, name: str) -> None:
    with pytest.raises(SkiffError) as caught:
        objects.get(name)
    assert caught.value.code == "object_not_found"


def test_an_unknown_hash_is_not_found(objects: Objects) -> None:
    assert not objects.has("0" * 64)
    with pytest.raises(SkiffError, match="not in"):
        objects.path("0" * 64)
