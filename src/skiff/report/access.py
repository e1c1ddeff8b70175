"""All that is held on a person, as a page that they can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skiff.report.sheet import Sheet, SheetList, SheetTable, render_sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldTable:
    """Rows about a person, as they are held."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


def render_access(held: Sequence[HeldTable], told: Mapping[str, Sequence[str]], *, title: str, created: str) -> str:
    """Return the page: what is held first, what must be said of it after.

    Examples
    --------
    >>> page = render_access([HeldTable(name="dataset ds_1", columns=("id",), rows=(("A1",),))], {"Source": ["a form"]},
    ...                      title="Bookings", created="2026-03-02T09:30:00Z")
    >>> "A1" in page and "a form" in page
    True
    """
    rows = sum(len(table.rows) for table in held)
    return render_sheet(
        Sheet(
            kind="Skiff access",
            title=title,
            headline="What is held on you",
            sentences=(
                f"{rows:,} rows in {len(held)} tables. The same is beside this page as data.json and as CSV files."
                if rows
                else "Nothing was found under the name or number that was given.",
            ),
            tables=tuple(_turn(table, place) for table in held for place in range(len(table.rows))),
            lists=tuple(SheetList(title=name, sentences=tuple(lines)) for name, lines in told.items()),
            closing="Gathered by a program. Where a row names other people too, somebody should look before it is handed out "
            "(GDPR Art. 15(4)).",
            created=created,
        )
    )


def _turn(table: HeldTable, place: int) -> SheetTable:
    """Return one row as a table of columns and cells: people read down, not across thirty columns."""
    row = table.rows[place]
    number = f", row {place + 1} of {len(table.rows)}" if len(table.rows) > 1 else ""
    return SheetTable(
        title=f"{table.name[0].upper()}{table.name[1:]}{number}",
        caption="Each column and what it holds",
        head=("Column", "What it holds"),
        rows=tuple((name, "–" if cell is None else str(cell)) for name, cell in zip(table.columns, row, strict=True)),
    )
