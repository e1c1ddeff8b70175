"""A file read in blocks is the same table as one read whole, wherever in it the telling cell stands."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from skiff.flows.read import read_table
from skiff.flows.stream import stream_table
from skiff.flows.workspace import add_data
from skiff.store import streams

HEAD = "id;day;eur;paid;note\n"
ROWS = [
    f"{n};{1 + n % 28:02}.{1 + n % 12:02}.2024;{n % 900},{n % 90 + 10};{'ja' if n % 3 else 'nein'};note {n % 7}\n"
    for n in range(3_000)
]


def build(late: dict[int, str] | None = None, tail: str = "") -> str:
    """Return a table in which some rows are replaced."""
    return HEAD + "".join((late or {}).get(at, row) for at, row in enumerate(ROWS)) + tail


CASES = {
    "plain": build(),
    "zero in front late": build({2_900: "007;01.02.2024;1,5;ja;x\n"}),
    "long id late": build({2_900: "9007199254740993;01.02.2024;1,5;ja;x\n"}),
    "point among whole numbers": build({2_500: "12,5;01.02.2024;1,5;ja;x\n"}),
    "word among yes and no": build({2_800: "1;01.02.2024;1,5;vielleicht;x\n"}),
    "time of day late": build({2_700: "1;01.02.2024 10:30;1,5;ja;x\n"}),
    "unreadable number": build({2_600: "1;01.02.2024;siehe Beleg;ja;x\n"}),
    "placeholder late": build({at: f"{at};01.02.2024;1,5;ja;n/a\n" for at in range(2_000, 2_400)}),
    "quoted line ends": build({at: f'{at};01.02.2024;1,5;ja;"a\nb;c"\n' for at in range(5, 3_000, 50)}),
    "short row": build({2_750: "1;01.02.2024;1,5\n"}),
    "long row": build({2_750: "1;01.02.2024;1,5;ja;x;surplus\n"}),
    "short and long row": build({2_750: "1;01.02.2024;1,5;ja\n", 2_751: "1;01.02.2024;1,5;ja;x;surplus\n"}),
    "blank lines": build({1_500: "\n", 2_500: ";;;;\n"}),
    "header again": build({1_500: HEAD}),
    "notes below": build(tail="\n\nQuelle: Kasse\n"),
    "no final line end": build().rstrip("\n"),
    "quote as a letter": build({2_200: '1;01.02.2024;1,5;ja;5" tube\n'}),
}


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_encodings_come_through_the_blocks(tmp_path: Path, encoding: str) -> None:
    assert_same(tmp_path, build().replace("note", "größe").encode(encoding))


@pytest.mark.parametrize("case", CASES)
def test_blocks_and_the_whole_give_the_same_table(tmp_path: Path, case: str) -> None:
    assert_same(tmp_path, CASES[case].encode())


def assert_same(folder: Path, data: bytes) -> None:
    """Read both ways and compare cells, types, findings and recipe."""
    source, output = folder / "t.csv", folder / "t.parquet"
    source.write_bytes(data)
    streamed = stream_table(source, output, least_bytes=0, block_bytes=9_000)
    assert streamed is not None
    whole = read_table(source)
    frame = pl.read_parquet(output)
    assert frame.columns == whole.frame.columns
    assert frame.height == whole.frame.height == streamed.rows
    for name in frame.columns:
        assert frame[name].dtype == whole.frame[name].dtype, name
        assert frame[name].equals(whole.frame[name]), name
        assert streamed.null_counts[name] == whole.frame[name].null_count()
    assert {finding.code for finding in streamed.findings} == {finding.code for finding in whole.findings}
    assert streamed.sha256 == whole.sha256
    assert {name: item["kind"] for name, item in streamed.reading["columns"].items()} == {  # type: ignore[union-attr, index, call-overload]  # a recipe
        name: item["kind"]
        for name, item in whole.reading["columns"].items()  # type: ignore[union-attr, index, call-overload]  # a recipe
    }


def test_a_packed_file_is_read_in_blocks_too(tmp_path: Path) -> None:
    source = tmp_path / "t.csv.gz"
    source.write_bytes(gzip.compress(build().encode()))
    assert stream_table(source, tmp_path / "t.csv", least_bytes=0, block_bytes=9_000) is not None
    assert pl.read_csv(tmp_path / "t.csv").height == len(ROWS)


def test_a_large_file_is_kept_in_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skiff.flows.workspace.is_large_text", lambda _: True)
    monkeypatch.setattr("skiff.flows.stream.is_large_text", lambda *_, **__: True)
    (tmp_path / "t.csv").write_text(build())
    record, _ = add_data(tmp_path / "shop", tmp_path / "t.csv")
    assert (record.rows, record.columns) == (len(ROWS), 5)
    assert not list((tmp_path / "shop").rglob("*tmp-*"))


def test_a_short_row_never_hides_behind_a_long_one() -> None:
    assert streams.count_regular_rows(b"1,2,3\n4,5,6\n", delimiter=",", quote='"', width=3) == 2
    assert streams.count_regular_rows(b'"1",2\n4,5,6,7\n', delimiter=",", quote='"', width=3) is None
