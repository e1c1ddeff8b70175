"""Files that go wrong on purpose, each with what a reader must answer: the right table, or an error that says what to do."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import sqlite3
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

CSV = "id,city,eur\n" + "".join(f"{n},Porto,{n}.5\n" for n in range(1, 41))
XLSX_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" '
    'ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What must come back: one of `codes`, or a table of this shape whose cells `has` are there."""

    codes: tuple[str, ...] = ()
    rows: int = -1
    columns: tuple[str, ...] = ()
    has: tuple[tuple[int, str, object], ...] = ()
    told: tuple[str, ...] = ()


Make = Callable[[Path], Path]
CASES: dict[str, tuple[Make, Expected]] = {}


def put(name: str, data: bytes | str, expected: Expected) -> None:
    """Add a file of these bytes."""
    raw = data.encode() if isinstance(data, str) else data

    def make(folder: Path) -> Path:
        path = folder / name.partition("@")[0]
        path.write_bytes(raw)
        return path

    CASES[name] = (make, expected)


def put_made(name: str, make: Make, expected: Expected) -> None:
    """Add something that is more than bytes."""
    CASES[name] = (make, expected)


def refuse(*codes: str) -> Expected:
    return Expected(codes=codes)


def table(
    rows: int, *columns: str, has: tuple[tuple[int, str, object], ...] = (), told: tuple[str, ...] = ()
) -> Expected:
    return Expected(rows=rows, columns=columns, has=has, told=told)


def xlsx(sheets: dict[str, str], *, hidden: tuple[str, ...] = (), extra: dict[str, bytes] | None = None) -> bytes:
    """Return a workbook of the least that Excel needs; each sheet is the XML inside <worksheet>."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", XLSX_TYPES)
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
            'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        listed = "".join(
            f'<sheet name="{name}" sheetId="{at}" {"state=" + chr(34) + "hidden" + chr(34) if name in hidden else ""} r:id="r{at}"/>'
            for at, name in enumerate(sheets, 1)
        )
        archive.writestr("xl/workbook.xml", f"<workbook {_NS}><sheets>{listed}</sheets></workbook>")
        relations = "".join(
            f'<Relationship Id="r{at}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet{at}.xml"/>'
            for at in range(1, len(sheets) + 1)
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>',
        )
        for at, xml in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{at}.xml", f"<worksheet {_NS}>{xml}</worksheet>")
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return stream.getvalue()


def cells(rows: list[list[object]], *, first: int = 1, merged: tuple[str, ...] = ()) -> str:
    """Return rows as sheet XML: numbers as numbers, text inline, ``=`` as a formula with its value."""
    made = []
    for at, row in enumerate(rows, first):
        parts = []
        for place, value in enumerate(row):
            ref = f"{chr(65 + place)}{at}"
            if value is None:
                continue
            if isinstance(value, (int, float)):
                parts.append(f'<c r="{ref}"><v>{value}</v></c>')
            elif str(value).startswith("="):
                parts.append(f'<c r="{ref}"><f>A1</f><v>{str(value)[1:]}</v></c>')
            elif str(value).startswith("#"):
                parts.append(f'<c r="{ref}" t="e"><v>{value}</v></c>')
            else:
                parts.append(f'<c r="{ref}" t="inlineStr"><is><t>{value}</t></is></c>')
        made.append(f'<row r="{at}">{"".join(parts)}</row>')
    merges = f"<mergeCells>{''.join(f'<mergeCell ref={chr(34)}{area}{chr(34)}/>' for area in merged)}</mergeCells>"
    return f"<sheetData>{''.join(made)}</sheetData>{merges if merged else ''}"


BOOK = [["shop", "sales"], *[[f"s{n}", n * 1.5] for n in range(1, 21)]]


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def lie_about_size(data: bytes, inner: str) -> bytes:
    """Return a zip whose directory says that the file `inner` is tiny."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo(inner).file_size
    return data.replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))


def _sqlite(*statements: str) -> bytes:
    connection = sqlite3.connect(":memory:")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    return connection.serialize()


def _parquet(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


def _arrow(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_ipc(stream)
    return stream.getvalue()


PARQUET = _parquet(pl.DataFrame({"n": range(1_000), "t": ["x"] * 1_000}))
ARROW = _arrow(pl.DataFrame({"n": range(1_000), "t": ["x"] * 1_000}))

# nothing, or next to nothing
put("empty.csv", b"", refuse("file_empty"))
put("blanks.csv", b" \n\n \t \n", refuse("file_empty"))
put("bom_only.csv", b"\xef\xbb\xbf", refuse("file_empty"))
put("bom16_only.csv", b"\xff\xfe", refuse("file_empty", "file_is_binary"))
put("header_only.csv", b"a,b,c\n", refuse("file_empty"))
put("delimiters_only.csv", b",,,\n,,,\n,,,\n", refuse("file_empty"))
put("zeros.csv", bytes(200_000), refuse("file_empty", "file_is_binary"))
put("one_letter.csv", b"x", refuse("file_empty"))
put("empty.json", b"[]", refuse("not_a_table", "file_empty", "file_damaged"))
put("empty_object.json", b"{}", refuse("not_a_table", "file_empty"))
put("empty.xlsx", xlsx({"a": "<sheetData/>"}), refuse("file_empty"))
put("empty.zip", zipped({}), refuse("archive_has_several", "archive_damaged", "file_empty"))
put("empty.html", b"<html><body>nothing</body></html>", refuse("not_a_table"))
put("empty.db", _sqlite("create table a (x)"), refuse("file_empty"))

# cut, flipped, locked
put("cut.csv.gz", gzip.compress(CSV.encode() * 200)[:200], refuse("archive_damaged"))
put("tail.csv.gz", gzip.compress(CSV.encode()) + b"garbage", refuse("archive_damaged"))
put("crc.csv.gz", gzip.compress(CSV.encode())[:-8] + bytes(8), refuse("archive_damaged"))
put("cut.csv.xz", lzma.compress(CSV.encode() * 200)[:100], refuse("archive_damaged"))
put("cut.csv.bz2", bz2.compress(CSV.encode() * 200)[:100], refuse("archive_damaged"))
put("cut.zip", zipped({"a.csv": CSV.encode()})[:-30], refuse("archive_damaged"))
put("cut.xlsx", xlsx({"a": cells(BOOK)})[:-60], refuse("file_damaged"))
put("no_sheet.xlsx", zipped({"xl/workbook.xml": b"<workbook/>"}), refuse("file_damaged", "file_empty"))
put("broken_xml.xlsx", xlsx({"a": "<sheetData><row r='1'><c r='A1'><v>1</v>"}), refuse("file_damaged", "file_empty"))
put("cut.parquet", PARQUET[: len(PARQUET) // 2], refuse("file_damaged"))
put("magic_only.parquet", b"PAR1", refuse("file_damaged"))
put("footer.parquet", PARQUET[:-8] + b"\xff\xff\xff\x7fPAR1", refuse("file_damaged"))
put("cut.arrow", ARROW[: len(ARROW) // 2], refuse("file_damaged"))
put("magic_only.arrow", b"ARROW1\x00\x00", refuse("file_damaged"))
put("stream.arrow", b"\xff\xff\xff\xff" + bytes(60), refuse("file_damaged", "file_empty"))
put("cut.jsonl", b'{"a": 1}\n{"a": 2}\n{"a": ', refuse("file_damaged"))
put("cut.json", b'[{"a": 1}, {"a": 2', refuse("file_damaged"))
put("cut.db", _sqlite("create table a (x)", "insert into a values (1)")[:3_000], refuse("query_failed"))
put("magic_only.db", b"SQLite format 3\x00", refuse("query_failed"))

# another kind than the name says
put("jsonl_named.csv", "".join(json.dumps({"id": n, "zip": f"0{n}"}) + "\n" for n in range(30)),
    table(30, "id", "zip", has=((7, "zip", "07"),)))  # fmt: skip
put("json_named.csv", json.dumps([{"id": n, "t": "x"} for n in range(30)]), table(30, "id", "t"))
put("csv_named.json", CSV, table(40, "id", "city", "eur"))
put("csv_named.xlsx", CSV, table(40, "id", "city", "eur"))
put("csv_named.parquet", CSV, table(40, "id", "city", "eur"))
put("csv_named.gz", CSV, table(40, "id", "city", "eur"))
put("parquet_named.csv", PARQUET, table(1_000, "n", "t"))
put("xlsx_named.csv", xlsx({"a": cells(BOOK)}), table(20, "shop", "sales", has=((0, "sales", 1.5),)))
put("gz_named.csv", gzip.compress(CSV.encode()), table(40, "id", "city", "eur"))
put("html_named.xls", "<html><table><tr><th>a<th>b</tr>" + "<tr><td>1<td>x</tr>" * 9 + "</table>", table(9, "a", "b"))
put("pickle_named.csv", pickle.dumps({"a": [1, 2]}), refuse("file_is_binary"))
put("pickle0_named.csv", pickle.dumps({"a": [1, 2]}, protocol=0), refuse("file_is_binary"))
put("npy_named.csv", b"\x93NUMPY\x01\x00" + bytes(200), refuse("file_is_binary"))
put("pdf_named.csv", b"%PDF-1.7\n" + bytes(range(256)) * 20, refuse("file_is_binary"))
put("png_named.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, refuse("file_is_binary"))
put("elf_named.csv", b"\x7fELF" + bytes(500), refuse("file_is_binary"))
put("docx_named.csv", zipped({"word/document.xml": b"<w/>", "[Content_Types].xml": b"<T/>"}), refuse("file_is_binary"))
put("random.csv", np.random.default_rng(1).bytes(50_000), refuse("file_is_binary"))
put("xml.csv", b"<?xml version='1.0'?><rows><row a='1'/></rows>", refuse("not_a_table"))
put("zstd.csv.zst", b"\x28\xb5\x2f\xfd" + bytes(100), refuse("file_is_binary"))
put("protected.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4_000), refuse("file_damaged"))
put("two.zip", zipped({"a.csv": CSV.encode(), "b.csv": CSV.encode()}), refuse("archive_has_several"))
put(
    "zip_in_zip.zip",
    zipped({"a.zip": zipped({"a.csv": CSV.encode()})}),
    refuse("file_is_binary", "file_damaged", "archive_damaged"),
)
put("one.zip", zipped({"__MACOSX/._a.csv": b"x", "a.csv": CSV.encode()}), table(40, "id", "city", "eur"))

# bombs
put("bomb.csv.gz", gzip.compress(b"0" * 60_000_000), refuse("archive_bomb"))
put("bomb.csv.xz", lzma.compress(b"0" * 60_000_000), refuse("archive_bomb"))
put("bomb.csv.bz2", bz2.compress(b"0" * 60_000_000), refuse("archive_bomb"))
put("bomb.zip", zipped({"a.csv": b"0" * 60_000_000}), refuse("archive_bomb"))
put("bomb_rows.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 40_000_000, 9), refuse("archive_bomb"))
put("bomb.xlsx", xlsx({"a": cells(BOOK) + "<x>" + "0" * 60_000_000 + "</x>"}), refuse("archive_bomb"))
put("bomb_lying.xlsx", lie_about_size(xlsx({"a": cells(BOOK) + " " * 60_000_000}), "xl/worksheets/sheet1.xml"),
    refuse("archive_bomb", "file_damaged"))  # fmt: skip
put("bomb_far.xlsx", xlsx({"a": '<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'}),
    refuse("sheet_too_large"))  # fmt: skip
put("laughs.xlsx", xlsx({"a": cells(BOOK)}, extra={"xl/sharedStrings.xml": b"<!DOCTYPE x [<!ENTITY a 'ha'>" + b"".join(
    f"<!ENTITY b{n} '{(f'&b{n - 1};' if n else '&a;') * 10}'>".encode() for n in range(12)) + b"]><sst><si><t>&b11;</t></si></sst>"}),
    Expected(codes=("file_damaged",), rows=20, columns=("shop", "sales")))  # fmt: skip
put("bomb.parquet", _parquet(pl.DataFrame({f"c{n}": pl.repeat(0, 3_000_000, eager=True) for n in range(20)})),
    refuse("archive_bomb"))  # fmt: skip
put("deep.json", "[" * 100_000 + "]" * 100_000, refuse("file_damaged", "not_a_table"))
put("deep_record.json", '{"a": ' * 50_000 + "1" + "}" * 50_000, refuse("file_damaged", "not_a_table"))
put(
    "span.html",
    '<table><tr><th>a<th>b</tr><tr><td colspan="999999999">1<td>x</tr>' + "<tr><td>1<td>x</tr>" * 5 + "</table>",
    table(6, "a", "b"),
)
put("endless.db", _sqlite("create view a as with recursive c(x) as (select 1 union all select x + 1 from c limit 30000000) select count(*) as n from c"),
    Expected(codes=("query_failed",), rows=1))  # fmt: skip

# cells that readers lose
put(
    "zeros_in_front.csv",
    "plz,n\n" + "".join(f"0{1067 + n},{n}\n" for n in range(40)),
    table(40, "plz", "n", has=((0, "plz", "01067"),)),
)
put(
    "one_zero_late.csv",
    "code,n\n" + "".join(f"{1000 + n},{n}\n" for n in range(500)) + "01067,500\n",
    table(501, "code", "n", has=((500, "code", "01067"),)),
)
put(
    "ids16.csv",
    "card,n\n" + "".join(f"{4_000_000_000_000_000 + 3 * n},{n}\n" for n in range(40)),
    table(40, "card", "n", has=((1, "card", "4000000000000003"),)),
)
put(
    "ids16_late.csv",
    "card,n\n" + "".join(f"{n + 7},{n}\n" for n in range(300)) + "9007199254740993,1\n",
    table(301, "card", "n", has=((300, "card", "9007199254740993"),)),
)
put(
    "int128.csv",
    "n,m\n" + "".join(f"{10**30 + n},{n}\n" for n in range(40)),
    table(40, "n", "m", has=((1, "n", str(10**30 + 1)),)),
)
put("int128.json", json.dumps([{"n": 10**25 + n} for n in range(20)]), table(20, "n", has=((1, "n", str(10**25 + 1)),)))
put(
    "uint64.parquet",
    _parquet(pl.DataFrame({"n": pl.Series([2**64 - 1, 5], dtype=pl.UInt64)})),
    table(2, "n", has=((0, "n", str(2**64 - 1)),)),
)
put(
    "nan_inf.csv",
    "x,y\n" + "".join(f"{n}.5,{n}\n" for n in range(60)) + "inf,60\nnan,61\n",
    table(62, "x", "y", told=("reading.unparsed_cells",)),
)
put(
    "huge_exponent.csv",
    "x,y\n" + "".join(f"{n}.5,{n}\n" for n in range(60)) + "1e999,60\n",
    table(61, "x", "y", told=("reading.unparsed_cells",)),
)
put("trailing_commas.csv", "a,b,c\n" + "1,2,3,\n" * 30, table(30, "a", "b", "c", has=((0, "a", 1), (0, "c", 3))))
put("trailing_many.csv", "a,b,c,,,\n" + "1,2,3,,,\n" * 30, table(30, "a", "b", "c", has=((0, "c", 3),)))
put(
    "delimiter_changes.csv",
    "a,b,c\n" + "1,2,3\n" * 20 + "4;5;6\n" * 20,
    Expected(rows=40, told=("reading.ragged_rows",)),
)
put("ragged.csv", "a,b,c\n" + "1,2,3\n" * 20 + "4,5\n6,7,8,9\n", Expected(rows=22, told=("reading.ragged_rows",)))
put("quote_open.csv", 'a,b\n1,"x\n' + "2,y\n" * 30, Expected(rows=31))
put("quote_inside.csv", "a,b\n" + '1,5" tube\n' * 30, table(30, "a", "b", has=((0, "b", '5" tube'),)))
put("quoted_newlines.csv", "a,b\n" + '1,"x\ny"\n' * 30, table(30, "a", "b", has=((0, "b", "x\ny"),)))
put("quotes_everywhere.csv", '"a","b"\n' + '"1","say ""hi"""\n' * 30, table(30, "a", "b", has=((0, "b", 'say "hi"'),)))
put("cr_only.csv", "a;b\r" + "1;x\r" * 30, table(30, "a", "b"))
put("crlf_mixed.csv", "a,b\r\n" + "1,x\n2,y\r\n" * 20, table(40, "a", "b"))
put("no_final_newline.csv", "a,b\n" + "1,x\n" * 20 + "2,y", table(21, "a", "b", has=((20, "a", 2),)))
put("nul_inside.csv", "a,b\n" + "1,x\x00y\n" * 30, Expected(codes=("file_is_binary",), rows=30))
put("ctrl_z.csv", CSV + "\x1a", Expected(rows=40))
put("lone_surrogate.csv", CSV.encode() + b"41,\xed\xa0\x80,41.5\n", Expected(rows=41, told=("reading.encoding",)))
put("bad_utf8.csv", CSV.encode() * 5 + b"41,\xff\xfe,41.5\n", Expected(told=("reading.encoding",)))
put("lone_surrogate.json", '[{"a": "\\ud800", "b": 1}, {"a": "x", "b": 2}]', table(2, "a", "b"))
put("utf16_odd.csv", CSV.encode("utf-16")[:-1], Expected(told=("reading.encoding",)))
put("utf16_be.csv", CSV.encode("utf-16-be"), table(40, "id", "city", "eur"))
put("utf32.csv", CSV.encode("utf-32"), table(40, "id", "city", "eur"))
put(
    "big5.csv",
    "編號,城市\n".encode("big5") + "".join(f"{n},台北市信義區\n" for n in range(30)).encode("big5"),
    table(30, "編號", "城市"),
)
put(
    "sjis.csv",
    "番号,都市\n".encode("cp932") + "".join(f"{n},東京都の港区\n" for n in range(30)).encode("cp932"),
    table(30, "番号", "都市"),
)
put("same_names.csv", "a,a,a\n" + "1,2,3\n" * 20, table(20, "a", "a.1", "a.2", told=("reading.duplicate_header",)))
put("no_names.csv", ",,\n" + "1,2,3\n" * 20, Expected(rows=20))
put("reserved_names.csv", "column_2,,a\n" + "1,2,3\n" * 20, Expected(rows=20))
put("header_again.csv", "a,b\n1,x\n2,y\n" * 20, table(40, "a", "b", told=("reading.repeated_header",)))
put(
    "total_row.csv",
    "shop,eur\n" + "".join(f"s{n},{n}\n" for n in range(1, 11)) + "Total,55\n",
    table(10, "shop", "eur", told=("reading.totals_row",)),
)
put(
    "either_date.csv",
    "d,n\n" + "".join(f"0{1 + n % 9}/0{1 + (n * 5) % 9}/2024,{n}\n" for n in range(40)),
    table(40, "d", "n", has=((0, "d", "01/01/2024"),), told=("reading.ambiguous_dates",)),
)
put(
    "no_such_day.csv",
    "d,n\n" + "".join(f"{1 + n % 28:02}.02.2024,{n}\n" for n in range(60)) + "31.02.2024,60\n",
    table(61, "d", "n", told=("reading.unparsed_cells",)),
)
put("formulas.csv", "a,b\n" + "1,=1+1\n" * 20, table(20, "a", "b", has=((0, "b", "=1+1"),)))

# shapes
put("one_row_10mb.csv", "a,b\n1," + "x" * 10_000_000 + "\n2,y\n", table(2, "a", "b"))
put("one_line_10mb.csv", "x" * 10_000_000, refuse("file_empty"))
put(
    "wide_10k.csv",
    ",".join(f"c{n}" for n in range(10_000)) + "\n" + (",".join(["1"] * 10_000) + "\n") * 5,
    Expected(rows=5),
)
put("names_10k.csv", "x" * 10_000 + ",b\n" + "1,2\n" * 20, Expected(rows=20))
put("same_name_2k.csv", ",".join(["a"] * 2_000) + "\n" + (",".join(["1"] * 2_000) + "\n") * 5, Expected(rows=5))
put("one_column.csv", "n\n" + "\n".join(str(n) for n in range(100)), table(100, "n"))
put("blank_lines.csv", "a,b\n\n\n" + "1,2\n\n" * 30, table(30, "a", "b", told=("reading.blank_rows",)))

# workbooks
put(
    "hidden.xlsx",
    xlsx({"a": cells(BOOK), "b": cells(BOOK)}, hidden=("b",)),
    table(20, "shop", "sales", told=("reading.sheets",)),
)
put("all_hidden.xlsx", xlsx({"a": cells(BOOK)}, hidden=("a",)), refuse("sheet_hidden"))
put("merged.xlsx", xlsx({"a": cells([["shop", "day", "n"], ["Nord", "x", 1], [None, "y", 2], ["West", "z", 3]], merged=("A2:A3",))}),
    table(3, "shop", "day", "n", has=((1, "shop", "Nord"),), told=("reading.merged_cells",)))  # fmt: skip
put(
    "errors.xlsx",
    xlsx({"a": cells([*BOOK, ["s21", "#N/A"], ["s22", "#DIV/0!"]])}),
    table(22, "shop", "sales", has=((20, "sales", None),)),
)
put(
    "formulas.xlsx",
    xlsx({"a": cells([["a", "b"], *[[n, f"={n * 2}"] for n in range(20)]])}),
    table(20, "a", "b", has=((3, "b", 6),)),
)
put(
    "text_numbers.xlsx",
    xlsx({"a": cells([["a", "plz"], *[[str(n), f"0{1067 + n}"] for n in range(20)]])}),
    table(20, "a", "plz", has=((0, "plz", "01067"), (3, "a", 3))),
)
put(
    "titles.xlsx",
    xlsx({"a": cells([["Report 2024"], [None], *BOOK])}),
    table(20, "shop", "sales", told=("reading.title_lines",)),
)
put(
    "blob.db",
    _sqlite("create table a (x, y)", "insert into a values (x'00ff', 1)", "insert into a values ('t', 2)"),
    table(2, "x", "y", has=((0, "x", "00ff"),)),
)
put("two_tables.db", _sqlite("create table a (x)", "create table b (x)"), refuse("query_missing"))
put("odd_name.db", _sqlite('create table "a ""; drop" (x)', 'insert into "a ""; drop" values (1)'), table(1, "x"))


def _make_fifo(folder: Path) -> Path:
    path = folder / "pipe.csv"
    os.mkfifo(path)
    return path


def _make_loop(folder: Path) -> Path:
    (folder / "a.csv").symlink_to(folder / "b.csv")
    (folder / "b.csv").symlink_to(folder / "a.csv")
    return folder / "a.csv"


def _make_dangling(folder: Path) -> Path:
    (folder / "gone.csv").symlink_to(folder / "nowhere.csv")
    return folder / "gone.csv"


def _make_sparse(folder: Path) -> Path:
    path = folder / "sparse.csv"
    with path.open("wb") as stream:
        stream.truncate(6 << 30)
    return path


def _make_sparse_tail(folder: Path) -> Path:
    path = folder / "sparse_tail.csv"
    with path.open("wb") as stream:
        stream.write(CSV.encode())
        stream.truncate(3 << 30)
    return path


def _make_empty_folder(folder: Path) -> Path:
    (folder / "months").mkdir()
    return folder / "months"


def _make_mixed_folder(folder: Path) -> Path:
    months = folder / "months"
    months.mkdir()
    (months / "a.csv").write_text(CSV)
    (months / "b.csv").write_text(CSV)
    (months / "readme.csv").write_text("what,why\n1,2\n3,4\n")
    return months


put_made("pipe", _make_fifo, refuse("file_not_regular"))
put_made("loop", _make_loop, refuse("file_not_found", "file_unusable"))
put_made("dangling", _make_dangling, refuse("file_not_found"))
put_made("sparse", _make_sparse, refuse("file_is_binary", "file_too_large"))
put_made("sparse_tail", _make_sparse_tail, refuse("file_is_binary", "file_too_large"))
put_made("device", lambda _: Path("/dev/zero"), refuse("file_not_regular"))
put_made("empty_folder", _make_empty_folder, refuse("folder_empty"))
put_made(
    "mixed_folder",
    _make_mixed_folder,
    Expected(rows=80, columns=("file", "id", "city", "eur"), told=("reading.sheets",)),
)
put_made("nul_in_name", lambda folder: folder / "a\x00b.csv", refuse("file_not_found"))
put_made("name_too_long", lambda folder: folder / ("x" * 300), refuse("file_not_found", "file_unusable"))
put_made("below_a_file", lambda folder: Path(__file__) / folder.name, refuse("file_not_found", "file_unusable"))
