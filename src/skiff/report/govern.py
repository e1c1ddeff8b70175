"""A mapped framework as a page and as a table for spreadsheets; `skiff.report.pdf.render_pdf` sets the page on paper."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from skiff.govern.frameworks import CHECKED
from skiff.govern.mapping import Mapped, Row
from skiff.govern.questions import Position
from skiff.report.html import build_environment, build_style

HEAD = (
    "framework", "version", "id", "topic", "asks", "applies_from", "sureness", "stands_as", "on_record", "evidence",
    "statement", "stated_by", "stated_at",
)  # fmt: skip
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that starts so is run by spreadsheets (OWASP, CSV injection); an apostrophe makes it text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who answered the questionnaire, when, and in which record."""

    who: str
    at: str
    evidence: str


def render_mapping(
    mapped: Mapped, *, title: str, created: str, position: Position | None = None, asked: Asked | None = None
) -> str:
    r"""Return a mapping as one HTML page, without scripts or a network.

    Examples
    --------
    >>> from skiff.govern.frameworks import parse_framework
    >>> from skiff.govern.mapping import map_framework
    >>> table = "id,group,topic,asks,who,applies_from,sureness\nMAP 2.1,MAP 2,,Tasks are defined,,2023-01-26,high\n"
    >>> page = render_mapping(map_framework(parse_framework("nist", table), []), title="bookings", created="2026-01-01T00:00:00Z")
    >>> "0 shown by evidence, 0 stated by a person, 1 open" in page
    True
    """
    style = build_style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'"
    return (
        build_environment()
        .get_template("govern.html.j2")
        .render(
            style=Markup(style),  # noqa: S704  our own style sheet
            policy=policy,
            title=title,
            created=created,
            checked=CHECKED,
            name=mapped.framework.name,
            about=mapped.framework.about,
            counts=mapped.count(),
            groups=[(group, list(rows)) for group, rows in groupby(mapped.rows, key=lambda row: row.provision.group)],
            records=mapped.records,
            position=position,
            asked=asked,
        )
    )


def render_table(mapped: Mapped) -> str:
    """Return a mapping as CSV, one line a provision; no cell is a formula."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEAD)
    for row in mapped.rows:
        writer.writerow([_disarm(cell) for cell in _list_cells(mapped, row)])
    return stream.getvalue()


def render_lines(lines: Iterable[tuple[str, str]]) -> str:
    """Return chapters and their lines as CSV; no cell is a formula."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("chapter", "on_record"))
    writer.writerows([_disarm(cell) for cell in line] for line in lines)
    return stream.getvalue()


def _list_cells(mapped: Mapped, row: Row) -> tuple[str, ...]:
    item, said = row.provision, row.statement
    told = [fact.sentence for fact in row.facts] + ([f"only a part: {row.part}"] if row.part else [])
    return (
        mapped.framework.about.title,
        mapped.framework.about.version,
        item.id,
        item.topic,
        item.asks,
        item.applies_from,
        item.sureness,
        row.standing,
        "; ".join(told),
        " ".join(row.evidence),
        said.text if said else "",
        said.who if said else "",
        said.at if said else "",
    )


def _disarm(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell
