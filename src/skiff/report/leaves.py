"""A page of ours as plain blocks: headings, paragraphs, lists, tables and pictures, ready for paper.

A document is written once, as a page for the screen; its paper form is made from that page, so that the two cannot say
different things. Only our own templates are read here, never a stranger's page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, TypeAlias

Block: TypeAlias = dict[str, Any]  # Any: what the paper template reads, as JSON
Run: TypeAlias = dict[str, Any]

VOID = frozenset({"br", "hr", "img", "meta", "link", "input", "col", "wbr"})
INLINE = frozenset(
    {"a", "b", "strong", "em", "i", "code", "sup", "sub", "small", "span", "bdi", "time", "br", "wbr", "abbr", "#text"}
)
SKIPPED = frozenset({"nav", "script", "style", "head", "template", "button", "input", "form"})
HIDDEN = frozenset({"unseen", "skip", "screen"})
"""Classes of what is only for screens and their readers."""

PAPER_ROWS = 300
"""Rows of a table on paper, about eight pages: nobody reads 5,000 columns one by one on paper, and the page on screen has them."""

CUT = "{:,} more rows of this table are on the page for the screen."

_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_BLANKS = re.compile(r"[ \t\r\n]+")
_ISOLATES = re.compile("[\u2066-\u2069\u200e\u200f]")


@dataclass(slots=True)
class Node:
    """An element with its attributes and what stands in it; a text has the tag ``#text``."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Node] = field(default_factory=list)

    @property
    def classes(self) -> frozenset[str]:
        """Return the names of its classes."""
        return frozenset(self.attributes.get("class", "").split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("body")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if tag in {node.tag for node in self._open[1:]}:
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(Node("#text", text=data))


def read_blocks(page: str) -> list[Block]:
    """Return the blocks of a page of ours, in reading order.

    Parameters
    ----------
    page : str
        HTML from one of the templates of this package.

    Returns
    -------
    list of dict
        Each has a ``kind``: heading, paragraph, list, table, figure, facts, box, finding, masthead or rule. Text is a
        list of runs, each with its ``text`` and what marks it (``bold``, ``code``, ``raised``, ``to``).

    Examples
    --------
    >>> read_blocks("<h2 id='a'>Leaks</h2><p>Two were <b>left out</b>.</p>")[1]["runs"][1]
    {'text': 'left out', 'bold': True}
    """
    pictures = _SVG.findall(page)
    numbered = iter(range(len(pictures)))
    reader = _Reader()
    reader.feed(_SVG.sub(lambda _: f'<svg data-number="{next(numbered)}"></svg>', page))
    return list(_walk(reader.root, pictures))


def _walk(node: Node, pictures: list[str]) -> Iterator[Block]:
    """Yield the blocks inside a node; text between blocks is a paragraph of its own."""
    loose: list[Node] = []
    for child in node.children:
        if child.tag in INLINE and not child.classes & HIDDEN:
            loose.append(child)
            continue
        yield from _flush(loose)
        loose = []
        if child.tag not in SKIPPED and not child.classes & HIDDEN:
            yield from _convert(child, pictures)
    yield from _flush(loose)


def _flush(loose: list[Node]) -> Iterator[Block]:
    runs = _trim(_read_runs(Node("p", children=loose)))
    if runs:
        yield {"kind": "paragraph", "runs": runs, "classes": []}


def _convert(node: Node, pictures: list[str]) -> Iterator[Block]:  # noqa: C901, PLR0912  one kind of element a line
    block: Block = {"id": node.attributes.get("id", ""), "classes": sorted(node.classes)}
    tag = node.tag
    if tag in {"h1", "h2", "h3", "h4"}:
        yield block | {"kind": "heading", "level": int(tag[1]), "runs": _trim(_read_runs(node))}
    elif tag in {"p", "summary", "dt", "dd"}:
        runs = _trim(_read_runs(node))
        if runs:
            yield block | {
                "kind": "paragraph",
                "runs": runs,
                "classes": [*block["classes"], tag] if tag != "p" else block["classes"],
            }
    elif tag in {"ul", "ol"}:
        yield block | _read_list(node, pictures)
    elif tag == "table":
        table = block | _read_table(node)
        left = len(table["rows"]) - PAPER_ROWS
        yield table | {"rows": table["rows"][:PAPER_ROWS]}
        if left > 0:
            yield {"kind": "paragraph", "classes": ["muted"], "runs": [{"text": CUT.format(left)}]}
    elif tag == "figure":
        yield block | _read_figure(node, pictures)
    elif tag == "dl":
        yield block | {"kind": "facts", "pairs": list(_read_pairs(node))}
    elif tag == "svg":
        yield block | {"kind": "picture", "svg": pictures[int(node.attributes["data-number"])]}
    elif tag == "hr":
        yield block | {"kind": "rule"}
    elif tag == "aside":
        yield block | {"kind": "box", "blocks": list(_walk(node, pictures))}
    elif "masthead" in node.classes:
        yield block | {"kind": "masthead", "blocks": list(_walk(node, pictures))}
    elif "pictograms" in node.classes:
        inside = list(_walk(node, pictures))
        yield block | {"kind": "row", "blocks": [item for item in inside if item["kind"] == "figure"]}
        yield from (item for item in inside if item["kind"] != "figure")
    else:
        if block["id"]:
            yield block | {"kind": "anchor"}
        yield from _walk(node, pictures)


def _read_list(node: Node, pictures: list[str]) -> Block:
    items = [child for child in node.children if child.tag == "li" and not child.classes & HIDDEN]
    return {
        "kind": "list",
        "ordered": node.tag == "ol" and "findings" not in node.classes,
        "start": int(node.attributes.get("start", "1")),
        "items": [{"classes": sorted(item.classes), "blocks": list(_walk(item, pictures))} for item in items],
    }


def _read_table(node: Node) -> Block:
    caption = next((child for child in node.children if child.tag == "caption"), None)
    head = [row for row in _find(node, "tr") if all(cell.tag != "td" for cell in row.children) and _is_head(row)]
    body = [row for row in _find(node, "tr") if row not in head]
    return {
        "kind": "table",
        "caption": _trim(_read_runs(caption)) if caption else [],
        "head": [_read_cells(row) for row in head],
        "rows": [
            {"id": row.attributes.get("id", ""), "classes": sorted(row.classes), "cells": _read_cells(row)}
            for row in body
        ],
    }


def _is_head(row: Node) -> bool:
    cells = [cell for cell in row.children if cell.tag == "th"]
    return bool(cells) and all(cell.attributes.get("scope", "col") == "col" for cell in cells)


def _read_cells(row: Node) -> list[Block]:
    return [
        {"runs": _trim(_read_runs(cell)), "classes": sorted(cell.classes), "head": cell.tag == "th"}
        for cell in row.children
        if cell.tag in {"td", "th"}
    ]


def _read_figure(node: Node, pictures: list[str]) -> Block:
    drawn = next(iter(_find(node, "svg")), None)
    caption = next(iter(_find(node, "figcaption")), Node("figcaption"))
    title = next((child for child in caption.children if child.tag == "strong"), None)
    unseen = next((child for child in caption.children if "unseen" in child.classes), None)
    words = [child for child in caption.children if child is not title and not child.classes & HIDDEN]
    return {
        "kind": "figure",
        "svg": pictures[int(drawn.attributes["data-number"])] if drawn else "",
        "title": _trim(_read_runs(title)) if title else [],
        "runs": _trim(_read_runs(Node("span", children=words))),
        "alt": _join(_read_runs(unseen)) if unseen else _join(_read_runs(caption)),
    }


def _read_pairs(node: Node) -> Iterator[list[list[Run]]]:
    terms, values = list(_find(node, "dt")), list(_find(node, "dd"))
    for term, value in zip(terms, values, strict=True):
        yield [_trim(_read_runs(term)), _trim(_read_runs(value))]


def _find(node: Node, tag: str) -> Iterator[Node]:
    for child in node.children:
        if child.tag == tag:
            yield child
        else:
            yield from _find(child, tag)


def _read_runs(node: Node, marks: Run | None = None) -> list[Run]:
    """Return the texts of a node with what marks them."""
    marks = marks or {}
    runs: list[Run] = []
    for child in node.children:
        if child.tag == "#text":
            runs.append({"text": _BLANKS.sub(" ", _ISOLATES.sub("", child.text)), **marks})
        elif child.tag == "br":
            runs.append({"text": "\n", **marks})
        elif child.tag not in SKIPPED | {"svg"} and not child.classes & HIDDEN:
            runs += _read_runs(child, marks | _mark(child))
    return [run for run in runs if run["text"]]


def _mark(node: Node) -> Run:
    made: Run = {}
    if node.tag in {"b", "strong"}:
        made["bold"] = True
    if node.tag == "code":
        made["code"] = True
    if node.tag == "sup":
        made["raised"] = True
    if node.tag == "small":
        made["small"] = True
    if node.tag == "a" and node.attributes.get("href", "").startswith("#"):
        made["to"] = node.attributes["href"][1:]
    if node.classes:
        made["classes"] = sorted(node.classes)
    return made


def _trim(runs: list[Run]) -> list[Run]:
    """Return runs without blanks at the ends or twice in a row."""
    kept: list[Run] = []
    for run in runs:
        text = run["text"]
        if not kept or kept[-1]["text"].endswith((" ", "\n")):
            text = text.lstrip(" ")
        if text:
            kept.append(run | {"text": text})
    while kept and not (kept[-1]["text"].rstrip()):
        kept.pop()
    if kept:
        kept[-1] = kept[-1] | {"text": kept[-1]["text"].rstrip()}
    return kept


def _join(runs: list[Run]) -> str:
    return "".join(run["text"] for run in _trim(runs))
