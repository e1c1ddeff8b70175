"""One page for one decision: what was decided, why, and the numbers behind it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from skiff.core.measurement import Measurement
from skiff.data.sentences import say_figure, say_reach
from skiff.report.glossary import describe_metric
from skiff.report.html import build_environment, build_style


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetList:
    """Sentences under a title."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetTable:
    """A table whose first column names the row; all cells are text already."""

    title: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What stands on the page.

    Parameters
    ----------
    kind : str
        What sort of decision, at the top of the page.
    title : str
    status : str
        Two or three words, or nothing.
    is_good : bool
        Colour of the status.
    headline : str
        The decision in one sentence.
    sentences : tuple of str
    lists : tuple of SheetList
    tables : tuple of SheetTable
    closing : str
    created : str
        ISO 8601.
    """

    kind: str
    title: str
    headline: str
    created: str
    status: str = ""
    is_good: bool = True
    sentences: tuple[str, ...] = ()
    lists: tuple[SheetList, ...] = ()
    tables: tuple[SheetTable, ...] = ()
    closing: str = ""


def render_sheet(sheet: Sheet) -> str:
    """Return the sheet as one HTML page, without scripts or a network; `skiff.report.pdf.render_pdf` sets it on paper.

    Examples
    --------
    >>> "Release 1 goes on" in render_sheet(Sheet(kind="Retraining", title="Stays", headline="Release 1 goes on answering.",
    ...                                           created="2026-03-02T09:30:00Z"))
    True
    """
    style = build_style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'"
    template = build_environment().get_template("sheet.html.j2")
    return template.render(sheet=sheet, policy=policy, style=Markup(style))  # noqa: S704  our own style sheet


def tabulate_differences(differences: Sequence[tuple[str, Measurement]]) -> tuple[tuple[str, ...], ...]:
    """Return differences of two models as rows: on which rows, measure, difference, range, how many rows.

    Examples
    --------
    >>> made = Measurement(name="rmse_difference", value=-2.0, low=-3.0, high=-1.0, n=90, higher_is_better=False)
    >>> tabulate_differences([("recent rows", made)])[0][2:4]
    ('-2', '-3 to -1')
    """
    return tuple(
        (
            name,
            describe_metric(found.name.removesuffix("_difference")).label,
            say_figure(found.value, is_signed=True),
            say_reach(found.low, found.high, is_signed=True, none="–"),
            f"{found.n:,}",
        )
        for name, found in differences
    )
