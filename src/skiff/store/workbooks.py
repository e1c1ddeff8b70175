"""Workbooks: Excel, OpenDocument; several sheets, hidden ones, merged cells, and files made to do harm."""

from __future__ import annotations

import difflib
import io
import re
import zipfile
from dataclasses import replace

import fastexcel
import polars as pl

from skiff.core.errors import SkiffError
from skiff.data.parsing.layout import find_layout, name_columns
from skiff.store.opening import CHUNK_BYTES, FREE_BYTES, ZIP, Source, describe_bomb, describe_damaged, describe_empty
from skiff.store.rawtable import SHEET_COLUMN, RawTable, stack_alike
from skiff.store.texts import SAMPLE_ROWS
from skiff.store.zips import DAMAGED

MAX_INNER_BYTES = 1 << 30
"""Largest workbook, unpacked: a sheet of a million rows and 30 columns has about this much XML."""

MAX_INNER_RATIO = 150
"""XML of a sheet packs twenty- to sixtyfold; more is a bomb."""

MAX_CELLS = 60_000_000
"""A sheet that claims a larger rectangle of cells is not opened: the reader would make room for all of them."""

_ERRORS = frozenset({"#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"})
_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
_REPEATED = re.compile(
    rb'number-(?:rows|columns)-repeated="(\d+)"[^>]*>(?!\s*(?:</|<table:table-cell\s*/>|<table:table-cell\b[^>]*/>))'
)


def read_workbook(source: Source, sheet: str | None) -> RawTable:
    """Return the sheets of a workbook that hold the same columns, one below the other, with the sheet's name.

    Raises
    ------
    SkiffError
        ``sheet_not_found``, ``file_damaged``, ``archive_bomb``, ``file_empty``.
    """
    inner = _look_inside(source) if source.data.startswith(ZIP) else {}
    try:
        book = fastexcel.read_excel(source.data)
        names = list(book.sheet_names)
    except fastexcel.FastExcelError as error:
        raise describe_damaged(source.name, "workbook") from error
    if sheet is not None and sheet not in names:
        close = difflib.get_close_matches(sheet, names, n=1)
        hint = f"Did you mean '{close[0]}'? " if close else ""
        raise SkiffError(
            "sheet_not_found",
            what=f"{source.name} has no sheet '{sheet}'.",
            where={"file": source.name, "sheet": sheet},
            fix=f"{hint}Its sheets are: {', '.join(names)}.",
        )
    wanted = [sheet] if sheet else names
    hidden: list[str] = []
    tables: dict[str, RawTable] = {}
    for name in wanted:
        try:
            table, is_hidden = _read_sheet(book, name, merged=inner.get(name, ()))
        except fastexcel.FastExcelError as error:
            raise describe_damaged(source.name, "workbook") from error
        if is_hidden and not sheet:
            hidden.append(name)
        elif table is not None:
            tables[name] = table
    if not tables:
        if hidden:
            raise SkiffError(
                "sheet_hidden",
                what=f"The only sheets of {source.name} that hold a table are hidden.",
                where={"file": source.name, "sheet": hidden[0]},
                fix=f'Read one with --sheet "{hidden[0]}" if it is meant to be used.',
            )
        raise describe_empty(source.name)
    made = stack_alike(tables, by=SHEET_COLUMN)
    left = tuple(name for name in names if name not in (*made.sheets_read, *hidden)) if not sheet else ()
    return replace(made, format="xlsx", sheets_left=left, hidden=tuple(hidden))


def _read_sheet(
    book: fastexcel.ExcelReader, name: str, *, merged: tuple[tuple[int, int, int, int], ...]
) -> tuple[RawTable | None, bool]:
    """Return the table of a sheet, None where there is none, and whether it is hidden."""
    loaded = book.load_sheet(name, header_row=None, dtypes="string", skip_rows=0)
    is_hidden = loaded.visible != "visible"
    cells = loaded.to_polars()
    rows = [[cell if cell is None else str(cell) for cell in row] for row in cells.rows()]
    layout = find_layout(rows[:SAMPLE_ROWS])
    if layout.width < 2 or len(rows) <= layout.body_row:  # noqa: PLR2004  a sheet of one column of prose is no table
        return None, is_hidden
    n_merged = _fill_merged(rows, merged, first=layout.body_row)
    names, doubled, invented = name_columns(layout.labels)
    body = rows[layout.body_row :]
    errors: dict[str, int] = {}
    data = {}
    for place, column in enumerate(names):
        values = [(row[place] or None) if place < len(row) else None for row in body]
        wrong = sum(value in _ERRORS for value in values if value)
        if wrong:
            errors[column] = wrong
            values = [None if value in _ERRORS else value for value in values]
        data[column] = pl.Series(column, values, dtype=pl.String)
    made = RawTable(
        frame=pl.DataFrame(data),
        labels=layout.labels,
        layout=layout,
        doubled=doubled,
        invented=invented,
        merged=n_merged,
        formula_errors=errors or None,
    )
    return made, is_hidden


def _fill_merged(rows: list[list[str | None]], merged: tuple[tuple[int, int, int, int], ...], *, first: int) -> int:
    """Put the value of each merged area of the body into all of its cells, and return how many areas were filled."""
    filled = 0
    for left, top, right, bottom in merged:
        if top < first or bottom >= len(rows) or right >= len(rows[top]) or left != right:
            continue  # titles over several columns, and notes, are no values of several rows
        value = rows[top][left]
        if value is None or any(rows[at][left] for at in range(top + 1, bottom + 1)):
            continue
        for at in range(top + 1, bottom + 1):
            rows[at][left] = value
        filled += 1
    return filled


def _look_inside(source: Source) -> dict[str, tuple[tuple[int, int, int, int], ...]]:
    """Refuse what would swell, and return the merged areas of each sheet (left, top, right, bottom, from 0)."""
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            _refuse_bomb(source, archive)
            names = set(archive.namelist())
            files = _find_sheets(archive) if "xl/workbook.xml" in names else {}
            merged = {}
            for name, file in files.items():
                if file in names:
                    data = archive.read(file)
                    _refuse_giant(source, data)
                    merged[name] = tuple(
                        (_place(left), int(top) - 1, _place(right), int(bottom) - 1)
                        for left, top, right, bottom in _MERGED.findall(data)
                    )
            if "content.xml" in names and _counts_too_far(archive.read("content.xml")):
                raise _describe_giant(source)
            return merged
    except (*DAMAGED, ValueError, OSError, KeyError) as error:
        raise describe_damaged(source.name, "workbook") from error


def _refuse_bomb(source: Source, archive: zipfile.ZipFile) -> None:
    """Unpack everything once, throwing it away: what an archive says about its size may be a lie."""
    limit = min(MAX_INNER_BYTES, max(FREE_BYTES, MAX_INNER_RATIO * len(source.data)))
    total = 0
    if sum(item.file_size for item in archive.infolist()) > limit:
        raise describe_bomb(source.name)
    for item in archive.infolist():
        with archive.open(item) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                total += len(chunk)
                if total > limit:
                    raise describe_bomb(source.name)


def _find_sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the file inside the archive of each sheet."""
    book = archive.read("xl/workbook.xml").decode("utf-8", errors="replace")
    try:
        relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", errors="replace")
    except KeyError:
        return {}
    targets = {}
    for tag in _RELATION.findall(relations):
        target = _attribute(tag, "Target").lstrip("/")
        targets[_attribute(tag, "Id")] = target if target.startswith("xl/") else f"xl/{target}"
    found = {}
    for tag in _SHEET.findall(book):
        found[_unescape(_attribute(tag, "name"))] = targets.get(_attribute(tag, r"(?:\w+:)id"), "")
    return found


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf"""\s{name}=(?:"([^"]*)"|'([^']*)')""", tag)
    return (found[1] or found[2] or "") if found else ""


def _unescape(text: str) -> str:
    for mark, letter in (("&quot;", '"'), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(mark, letter)
    return text


def _refuse_giant(source: Source, sheet: bytes) -> None:
    """Refuse a sheet whose cells lie so far apart that the rectangle around them would fill the memory."""
    rows = max((int(row) for row in re.findall(rb'<(?:\w+:)?row\b[^>]*?\br="(\d{1,7})"', sheet)), default=0)
    cells = _CELL.findall(sheet)
    rows = max(rows, max(map(int, {row for _, row in cells}), default=0))
    width = max(map(_place, {letters for letters, _ in cells}), default=0) + 1
    if rows * width > MAX_CELLS:
        raise _describe_giant(source)


def _counts_too_far(content: bytes) -> bool:
    return any(int(count) > MAX_CELLS for count in _REPEATED.findall(content))


def _describe_giant(source: Source) -> SkiffError:
    return SkiffError(
        "sheet_too_large",
        what=f"A sheet of {source.name} claims more than {MAX_CELLS // 1_000_000} million cells, almost all of them empty.",
        where={"file": source.name},
        fix="Open it, copy the table into a new workbook or save the sheet as CSV, and read that.",
    )


def _place(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1
