"""Tables of a web page: many programs call one "Excel" when they export it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

MOST_SPAN = 1_000
"""A cell that claims to span more rows or columns is read as one (HTML Living Standard §4.9.11 allows 1,000 columns)."""

MOST_CELLS = 20_000_000

_BLANK = re.compile(r"\s+")
_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "col", "wbr"})
_UNSEEN = frozenset({"script", "style", "template", "noscript"})
_START = re.compile(r"\s*(?:<!--.*?-->\s*|<\?xml[^>]*>\s*)*<(?:!doctype\s+html|html|head|body|table|div|meta|style|center|span|p|h\d|b)\b",
                    re.IGNORECASE | re.DOTALL)  # fmt: skip


def is_markup(text: str) -> bool:
    """Return whether `text` begins like a web page.

    Examples
    --------
    >>> is_markup("<html><table>"), is_markup("<5 km;>5 km")
    (True, False)
    """
    return _START.match(text[:5_000]) is not None


class _Tables(HTMLParser):
    """Collects the rows of every table, inner tables apart from the outer."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self._open: list[_Table] = []
        self._unseen = 0
        self._n_cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "table":
            self._open.append(_Table())
        elif self._open:
            table = self._open[-1]
            if tag == "tr":
                table.begin_row()
            elif tag in {"td", "th"}:
                spans = dict(attrs)
                self._n_cells += 1
                table.begin_cell(_read_span(spans.get("rowspan")), _read_span(spans.get("colspan")))
            elif tag in {"br", "p", "div", "li"}:
                table.add(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "table" and self._open:
            self.tables.append(self._open.pop().finish())
        elif self._open and tag in {"td", "th"}:
            self._open[-1].end_cell()
        elif self._open and tag == "tr":
            self._open[-1].end_row()

    def handle_data(self, data: str) -> None:
        if self._open and not self._unseen:
            self._open[-1].add(data)

    def close(self) -> None:
        super().close()
        while self._open:
            self.tables.append(self._open.pop().finish())


class _Table:
    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._row: list[str] | None = None
        self._parts: list[str] | None = None
        self._spans = (1, 1)
        self._hanging: dict[int, tuple[int, str]] = {}
        self._n_cells = 0

    def begin_row(self) -> None:
        self.end_row()
        self._row = []

    def begin_cell(self, rows: int, columns: int) -> None:
        self.end_cell()
        if self._row is None:
            self._row = []
        self._parts, self._spans = [], (rows, columns)

    def add(self, text: str) -> None:
        if self._parts is not None:
            self._parts.append(text)

    def end_cell(self) -> None:
        if self._parts is None or self._row is None:
            return
        text = _BLANK.sub(" ", "".join(self._parts)).strip()
        self._parts = None
        rows, columns = self._spans
        for _ in range(columns if self._n_cells < MOST_CELLS else 1):
            self._take_hanging()
            if rows > 1:
                self._hanging[len(self._row)] = (rows - 1, text)
            self._row.append(text)
            self._n_cells += 1

    def end_row(self) -> None:
        self.end_cell()
        if self._row is not None:
            self._take_hanging()
            self._rows.append(self._row)
        self._row = None

    def finish(self) -> list[list[str]]:
        self.end_row()
        return self._rows

    def _take_hanging(self) -> None:
        """Put in the cells of rows above that reach down to here."""
        row = self._row if self._row is not None else []
        while len(row) in self._hanging:
            left, text = self._hanging.pop(len(row))
            if left > 1:
                self._hanging[len(row)] = (left - 1, text)
            row.append(text)


def _read_span(value: str | None) -> int:
    if value is None or not re.fullmatch("[0-9]{1,4}", value):
        return 1
    return int(value) if 1 <= int(value) <= MOST_SPAN else 1


def find_tables(text: str) -> list[list[list[str]]]:
    """Return the tables of a web page, the largest first: rows of cells, spans filled.

    Examples
    --------
    >>> find_tables("<table><tr><th>shop<th>sales<tr><td rowspan=2>N<td>5<tr><td>7</table>")
    [[['shop', 'sales'], ['N', '5'], ['N', '7']]]
    """
    parser = _Tables()
    parser.feed(text)
    parser.close()
    filled = [rows for rows in parser.tables if sum(map(len, rows)) > 1]
    return sorted(filled, key=lambda rows: -sum(map(len, rows)))
