"""A page of ours on paper: the same words and pictures as PDF/A, with our own fonts inside."""

from __future__ import annotations

import json
import re
from datetime import datetime
from html import unescape
from importlib.resources import files
from typing import Literal

import typst

from skiff.core.errors import SkiffError
from skiff.report.glyphs import STANDS_FOR, list_signs, replace_unknown
from skiff.report.leaves import Block, read_blocks

STANDARD: Literal["a-2b"] = "a-2b"
"""PDF/A-2, level B (ISO 19005-2): everything that is needed to show the document is inside it, for as long as it is kept."""

UNKNOWN_SIGNS = f"{STANDS_FOR} stands for a sign that the letters of this document lack; the page on screen shows it."

_COLOUR = re.compile(r"(--[a-z-]+):\s*(#[0-9a-fA-F]{3,6})")
_VARIABLE = re.compile(r"var\((--[a-z-]+)\)")
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_FOOTER = re.compile(r"<footer>\s*<p>(.*?)</p>\s*</footer>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_DATE = re.compile(r'<time datetime="([^"]+)"')
_SHARES = (
    ".dots path, path.sure, path.likely, path.maybe, path.empty { fill: none; stroke-linecap: round; stroke-width: 8.4 }"
    " .sure { stroke: var(--accent) } .likely { stroke: #6a919a } .maybe { stroke: var(--accent-soft) } .empty { stroke: var(--line) }"
    " .track { fill: var(--line); opacity: .55 } .own { fill: var(--accent) } .guess { fill: var(--accent-soft) }"
)
"""The few rules of the style sheet that small pictures need; a picture on paper has no page around it to take them from."""


def render_pdf(page: str) -> bytes:
    """Return a page of ours as PDF/A-2b; the same page gives the same bytes.

    Parameters
    ----------
    page : str
        HTML from one of the templates of this package (the report, a comparison, a monitoring page).

    Raises
    ------
    SkiffError
        ``pdf_not_made`` where the typesetter refuses; the page on screen is not touched by that.

    Notes
    -----
    Takes about a fifth of a second for a report. Signs outside the Latin, Greek and Cyrillic alphabets (Chinese, Arabic …)
    have no font inside and show as empty boxes, which is said at the end; the page on screen shows them.

    Examples
    --------
    >>> render_pdf("<html><head><title>Test</title></head><body><h1>Test</h1><p>One line.</p></body></html>")[:5]
    b'%PDF-'
    """
    assets = files("skiff.report") / "assets"
    colours = dict(_COLOUR.findall((assets / "report.css").read_text(encoding="utf-8").partition("@media")[0]))
    signs = list_signs("SourceSans3-Regular.ttf") & list_signs("SourceSerif4-Semibold.ttf") | {ord(STANDS_FOR)}
    plain = replace_unknown(page, signs)
    blocks = read_blocks(_FOOTER.sub("", plain))  # a page of its own for one line is a page too many
    if plain != page and STANDS_FOR in plain:
        blocks.append({"kind": "paragraph", "classes": ["muted"], "runs": [{"text": UNKNOWN_SIGNS}]})
    title = unescape(_first(_TITLE, plain)) or "Report"
    data = {
        "title": title,
        "short": title.partition(" · ")[0],
        "made": unescape(_TAG.sub("", _first(_FOOTER, plain))).partition(". ")[0],
        "date": _split_date(_first(_DATE, page)),
        "colours": {name.removeprefix("--").replace("-", "_"): value for name, value in colours.items()},
        "blocks": [_prepare(block, colours) for block in blocks],
        "anchors": sorted(set(_list_anchors(blocks))),
    }
    template = (files("skiff.report") / "templates" / "page.typ").read_bytes()
    try:
        return bytes(
            typst.compile(  # type: ignore[misc]  # its stub has a type parameter that nothing settles
                template,
                font_paths=[str(assets)],
                ignore_system_fonts=True,
                sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
                pdf_standards=[STANDARD],
            )
        )
    except typst.TypstError as error:
        raise SkiffError(
            "pdf_not_made",
            what="The report could not be set as a PDF.",
            where={"document": str(data["title"])},
            fix="Use report.html, which says the same; it prints well from any browser.",
        ) from error


def _prepare(block: Block, colours: dict[str, str]) -> Block:
    """Return a block whose pictures need no style sheet."""
    made = dict(block)
    if block.get("svg"):
        made["svg"] = _colour(block["svg"], colours)
    if "blocks" in block:
        made["blocks"] = [_prepare(item, colours) for item in block["blocks"]]
    if "items" in block:
        made["items"] = [
            item | {"blocks": [_prepare(inner, colours) for inner in item["blocks"]]} for item in block["items"]
        ]
    return made


def _colour(svg: str, colours: dict[str, str]) -> str:
    head, _, body = svg.partition(">")
    if "xmlns=" not in head:
        head = head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    head = head.replace("<svg", '<svg font-family="Source Sans 3"', 1)
    styled = f"{head}><style>{_SHARES}</style>{body}"
    return _VARIABLE.sub(lambda found: colours.get(found[1], "#000000"), styled)


def _list_anchors(blocks: list[Block]) -> list[str]:
    """Return the ids that links may lead to."""
    found: list[str] = []
    for block in blocks:
        found += [block["id"]] if block.get("id") and block["kind"] in {"anchor", "heading"} else []
        found += [row["id"] for row in block.get("rows", ()) if row["id"]]
        found += _list_anchors(block.get("blocks", []))
        for item in block.get("items", ()):
            found += _list_anchors(item["blocks"])
    return found


def _first(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    return found[1].strip() if found else ""


def _split_date(text: str) -> list[int]:
    """Return year, month, day, hour, minute, second; of 1970 where the page has no date, because the standard wants one."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime(1970, 1, 1)  # noqa: DTZ001  only its figures are used
    return [at.year, at.month, at.day, at.hour, at.minute, at.second]
