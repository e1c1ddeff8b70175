"""Large texts split in one pass: the same cells as letter by letter."""

from __future__ import annotations

import codecs
import hashlib

import polars as pl
import pytest

from skiff.core.errors import SkiffError
from skiff.store import texts
from skiff.store.opening import Source
from skiff.store.texts import split_text


def open_bytes(data: bytes) -> Source:
    return Source(name="orders.csv", data=data, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))


BODY = "".join(f"{row},Zürich {row % 7},{row % 5 or ''}\n" for row in range(3_000))
TABLES = {
    "plain": f"id,city,n\n{BODY}".encode(),
    "mark": codecs.BOM_UTF8 + f"id,city,n\n{BODY}".encode(),
    "hint": f"sep=,\nid,city,n\n{BODY}".encode(),
    "title": f"Orders of the year\n\nid,city,n\n{BODY}".encode(),
    "quotes": f'id,city,n\n{BODY}3000,"",1\n3001,"Rome, Italy",2\n'.encode(),
    "returns": f"id,city,n\n{BODY}".replace("\n", "\r\n").encode(),
    "no last end": f"id,city,n\n{BODY}".encode().rstrip(b"\n") + b"4",
    "ragged": f"id,city,n\n{BODY}3000,Rome\n".encode(),
    "zero": f"id,city,n\n{BODY}".encode() + b"3000,Ro\x00me,1\n",
    "western": f"id,city,n\n{BODY}".encode("cp1252"),
    "wide marks": f"id,city,n\n{BODY}".encode("utf-16"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_large_table_has_the_cells_of_a_small_one(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_bytes(TABLES[kind])
    careful = split_text(source)
    monkeypatch.setattr(texts, "FAST_LETTERS", 1_000)
    fast = split_text(source)
    assert fast.frame.equals(careful.frame)
    assert (fast.labels, fast.ragged, fast.dialect, fast.layout) == (
        careful.labels, careful.ragged, careful.dialect, careful.layout,
    )  # fmt: skip


def test_a_cell_without_letters_is_empty_also_in_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "FAST_LETTERS", 1_000)
    frame = split_text(open_bytes(TABLES["quotes"])).frame
    assert frame.filter(pl.col("id") == "3000")["city"].to_list() == [None]
    assert frame["n"].null_count() == 600


def test_a_large_file_of_blanks_holds_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "FAST_LETTERS", 1_000)
    with pytest.raises(SkiffError) as caught:
        split_text(open_bytes(b" ,\n" * 1_000))
    assert caught.value.code == "file_empty"
