"""What a person sees in the terminal: live progress on standard error, the story on standard output.

``rich`` is imported when something is shown, so that ``skiff --help`` does not pay for it.
"""

from __future__ import annotations

import contextlib
import sys
import textwrap
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from skiff.core.errors import SkiffError
from skiff.core.finding import Finding, sort_findings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from skiff.flows.compare import DriftOutcome
    from skiff.report.content import RunStory

PLAIN_STEP_S = 5.0
"""Seconds between lines of one stage where there is no terminal: a log should not fill with progress."""
WIDTH = 92
"""Widest line of prose: longer ones are hard to read."""
SHOWN_FINDINGS = 5
SHOWN_QUESTIONS = 3
MARKS = {"block": "✗", "warn": "!", "info": "·"}
STYLES = {"block": "red", "warn": "yellow", "info": "dim"}
PLAIN_SIGNS = str.maketrans(
    {
        "✗": "x",
        "✓": "+",
        "·": "-",
        "…": "...",
        "“": '"',
        "”": '"',
        "–": "-",
        "−": "-",
        "×": "x",
        "µ": "u",
        "²": "2",
        "→": ">",
    }
)


class LiveProgress:
    """Progress on standard error: a moving bar on a terminal, plain lines elsewhere.

    Parameters
    ----------
    stream : text stream, optional
        Standard error by default.
    is_live : bool, optional
        Whether to draw; by default where `stream` is a terminal that can.

    Notes
    -----
    Use it as a context manager or call `close`, so that the cursor comes back and the last stage is ticked off.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> with LiveProgress(stream, is_live=False) as progress:
    ...     progress.stage("Read", "orders.csv")
    ...     progress.note("The decimal sign is a comma.")
    >>> print(stream.getvalue())
    Read: orders.csv
      The decimal sign is a comma.
    <BLANKLINE>
    """

    def __init__(self, stream: TextIO | None = None, *, is_live: bool | None = None) -> None:
        """Look at the stream; nothing is drawn before the first stage."""
        self._stream = sys.stderr if stream is None else stream
        self._console = _open_console(self._stream)
        self._is_live = self._console.is_terminal and not self._console.is_dumb_terminal if is_live is None else is_live
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        self._name = ""
        self._detail = ""
        self._began = 0.0
        self._told = 0.0

    def __enter__(self) -> Self:
        """Return the listener."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing; a stage that failed is not ticked off."""
        self.close(is_done=kind is None)

    def stage(self, name: str, detail: str = "") -> None:
        """Tick off the stage before and begin the next."""
        self._finish(is_done=True)
        self._name, self._detail = name, _clean(detail)
        self._began = self._told = time.monotonic()
        if not self._is_live:
            self._say(f"{name}: {self._detail}" if detail else name)
            return
        if self._bars is None:
            self._bars = _open_bars(self._console)
            self._bars.start()
        self._task = self._bars.add_task(name, total=None, detail=self._detail)

    def step(self, message: str, *, done: float | None = None, total: float | None = None) -> None:
        """Move the bar, or say a line if the last one is long ago."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, detail=_clean(message), completed=done, total=total)
        elif not self._is_live and time.monotonic() - self._told >= PLAIN_STEP_S:
            self._told = time.monotonic()
            self._say(f"  {_clean(message)}")

    def note(self, message: str) -> None:
        """Say one sentence that stays."""
        if self._bars is not None:
            self._console.print(_fold(_clean(message), indent="  "), style="dim", markup=False, highlight=False)
        else:
            self._say(_fold(_clean(message), indent="  "))

    def close(self, *, is_done: bool = True) -> None:
        """Stop drawing and give the terminal back. Safe to call twice."""
        self._finish(is_done=is_done)
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _finish(self, *, is_done: bool) -> None:
        if self._bars is not None and self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None
            if is_done:
                seconds = time.monotonic() - self._began
                detail = _clean(self._detail)
                self._console.print(f"[green]✓[/] [bold]{self._name:<9}[/]", end=" ", highlight=False)
                self._console.print(f"{detail}", end="  ", markup=False, highlight=False)
                self._console.print(f"{seconds:.1f} s", style="dim", highlight=False)

    def _say(self, line: str) -> None:
        _write(self._stream, line)


def print_story(story: RunStory, out: TextIO | None = None, *, files: Mapping[str, str] | None = None) -> None:
    """Print what ``skiff run`` has to tell: the verdict first, then at most about 25 lines.

    Parameters
    ----------
    story : RunStory
    out : text stream, optional
        Standard output by default.
    files : mapping of str to str, optional
        What to open, in this order: ``{"Report": "reports/report.html"}``.
    """
    from skiff.report.terminal import build_lines

    stream = sys.stdout if out is None else out
    console = _open_console(stream)
    for line in build_lines(story, files=files or {}):
        text = _fold(_clean(line.text), indent=" " * line.indent, hanging=line.hanging, width=min(console.width, WIDTH))
        _print(console, stream, text, style=line.style)


def print_note(
    findings: Sequence[Finding],
    *,
    opening: str,
    written: object = None,
    split: Mapping[str, object] | None = None,
    basis: str = "",
    out: TextIO | None = None,
) -> None:
    """Print what a look at a table found, as a colleague would leave it: five lines, what to ask, where to read on, details.

    Parameters
    ----------
    findings : sequence of Finding
    opening : str
        Which table it is.
    written : path, optional
        The page that says it all.
    split : mapping, optional
        The split that is proposed: ``kind`` and ``reason``.
    basis : str
        What the findings rest on, where that is not every row.
    out : text stream, optional
        Standard output by default.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> print_note([], opening="stays.csv: 400 rows, 2 columns.", out=stream)
    >>> print(stream.getvalue())
    stays.csv: 400 rows, 2 columns. Nothing was found that needs your attention.
    <BLANKLINE>
    """
    from skiff.report.note import describe_table, list_questions

    stream = sys.stdout if out is None else out
    console = _open_console(stream)
    width = min(console.width, WIDTH)
    ordered = sort_findings(list(findings))
    _print(console, stream, _fold(f"{opening} {describe_table(ordered)}", width=width), style="bold")
    _print_worst(ordered, console, stream, width)
    questions = list_questions(ordered)
    if questions:
        _print(console, stream, "\nAsk the client:", style="bold")
        for number, question in enumerate(questions[:SHOWN_QUESTIONS], start=1):
            _print(console, stream, _fold(f"{number}. {_clean(question)}", indent="  ", hanging=3, width=width))
        if len(questions) > SHOWN_QUESTIONS:
            _print(console, stream, f"  … and {len(questions) - SHOWN_QUESTIONS:,} more", style="dim")
    if split is not None:
        _print(console, stream, "")
        _print(console, stream, _fold(f"Proposed split: {split['kind']}. {split['reason']}", width=width))
    if basis:
        _print(console, stream, "")
        _print(console, stream, _fold(basis, width=width), style="dim")
    if written is not None:
        _print(console, stream, f"\nTo read and to send: {written}", style="cyan")
    _print_details(ordered, console, stream, width)


def _print_worst(ordered: Sequence[Finding], console: Console, stream: TextIO, width: int) -> None:
    for item in ordered[:SHOWN_FINDINGS]:
        line = _fold(f"{MARKS[item.severity]} {_clean(item.what)}", indent="  ", hanging=2, width=width)
        _print(console, stream, line, style=STYLES[item.severity])
    if len(ordered) > SHOWN_FINDINGS:
        _print(console, stream, f"  … and {len(ordered) - SHOWN_FINDINGS:,} more", style="dim")


def _print_details(ordered: Sequence[Finding], console: Console, stream: TextIO, width: int) -> None:
    for item in ordered:
        _print(console, stream, "")
        _print(console, stream, f"{MARKS[item.severity]} {item.code}", style=STYLES[item.severity])
        for sentence in _detail_of(item):
            _print(console, stream, _fold(_clean(sentence), indent="  ", width=width))


def print_findings(findings: Sequence[Finding], out: TextIO | None = None, *, limit: int | None = None) -> None:
    """Print findings worst first: five in one line each, then each with its reason and remedy.

    Parameters
    ----------
    findings : sequence of Finding
    out : text stream, optional
        Standard output by default.
    limit : int, optional
        Most findings told in detail; all by default.
    """
    stream = sys.stdout if out is None else out
    console = _open_console(stream)
    width = min(console.width, WIDTH)
    ordered = sort_findings(list(findings))
    if not ordered:
        _print(console, stream, "Nothing was found that needs your attention.")
        return
    _print(console, stream, summarise_findings(ordered), style="bold")
    _print_worst(ordered, console, stream, width)
    _print_details(ordered if limit is None else ordered[:limit], console, stream, width)


def print_drift(found: DriftOutcome, out: TextIO | None = None) -> None:
    """Print what differs between two tables: sentences first, then a line for each column that was compared."""
    stream = sys.stdout if out is None else out
    console = _open_console(stream)
    width = min(console.width, WIDTH)
    rows, columns = found.drift.rows, found.drift.columns
    names = {
        "same": "as before",
        "small": "moved a little",
        "changed": "moved",
        "strong": "moved far",
        "too_few": "too few rows",
    }
    moved = sum(column.verdict in ("changed", "strong") for column in columns)
    opening = f"{rows[0]:,} rows before, {rows[1]:,} now. {moved} of {len(columns)} columns compared moved noticeably."
    _print(console, stream, _fold(opening, width=width), style="bold")
    for item in found.findings:
        line = _fold(f"{MARKS[item.severity]} {_clean(item.what)}", indent="  ", hanging=2, width=width)
        _print(console, stream, line, style=STYLES[item.severity])
    if not columns:
        return
    _print(console, stream, "")
    lines = [
        (
            column.name,
            names[column.verdict],
            f"{column.moved.value:.1%}",
            f"{column.moved.low or 0.0:.1%} to {column.moved.high or 0.0:.1%}",
            f"{column.p_corrected:.3f}",
        )
        for column in columns
    ]
    print_table(
        ["column", "verdict", "moved", "range", "p (Holm)"], lines, stream, numbers=["moved", "range", "p (Holm)"]
    )
    if found.drift.not_compared:
        text = f"Not compared, because nearly every row has another code: {', '.join(found.drift.not_compared)}"
        _print(console, stream, _fold(_clean(text), width=width))


def summarise_findings(findings: Iterable[Finding]) -> str:
    """Return how many findings there are of each severity.

    Examples
    --------
    >>> summarise_findings([Finding(code="a.b", severity="warn"), Finding(code="a.c", severity="info")])
    '2 findings: 1 to look at, 1 note'
    """
    counts = dict.fromkeys(("block", "warn", "info"), 0)
    for item in findings:
        counts[item.severity] += 1
    total = sum(counts.values())
    notes = "note" if counts["info"] == 1 else "notes"
    parts = [
        f"{count:,} {words}"
        for count, words in ((counts["block"], "to stop for"), (counts["warn"], "to look at"), (counts["info"], notes))
        if count
    ]
    return f"{total:,} finding{'' if total == 1 else 's'}: {', '.join(parts)}"


def print_error(error: SkiffError, out: TextIO | None = None) -> None:
    """Print what is wrong, where, and what to do, on standard error.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> print_error(SkiffError("file_empty", what="orders.csv holds no rows.", where={"file": "orders.csv"},
    ...                        fix="Export the table again."), stream)
    >>> print(stream.getvalue())
    Error: orders.csv holds no rows.
      Where  file orders.csv
      Do     Export the table again.
      Code   file_empty
    <BLANKLINE>
    """
    stream = sys.stderr if out is None else out
    console = _open_console(stream)
    width = min(console.width, WIDTH)
    _print(console, stream, _fold(f"Error: {_clean(error.what)}", hanging=7, width=width), style="red")
    if error.where:
        where = ", ".join(f"{name} {value}" for name, value in error.where.items())
        _print(console, stream, _fold(f"Where  {_clean(where)}", indent="  ", hanging=7, width=width))
    _print(console, stream, _fold(f"Do     {_clean(error.fix)}", indent="  ", hanging=7, width=width))
    _print(console, stream, f"  Code   {error.code}", style="dim")


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], out: TextIO | None = None, *, numbers: Sequence[str] = ()
) -> None:
    """Print a table: headings, then rows; columns named in `numbers` stand to the right.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> print_table(["release", "rows"], [["1", "4,000"], ["2", "11,914"]], stream, numbers=["rows"])
    >>> print(stream.getvalue())
    release    rows
    1         4,000
    2        11,914
    <BLANKLINE>
    """
    from rich.cells import cell_len

    stream = sys.stdout if out is None else out
    console = _open_console(stream)
    table = [[_clean(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(cell_len(row[i]) for row in table) for i in range(len(columns))]
    for index, row in enumerate(table):
        cells = [
            " " * (width - cell_len(cell)) + cell if name in numbers else cell + " " * (width - cell_len(cell))
            for cell, width, name in zip(row, widths, columns, strict=True)
        ]
        _print(console, stream, "  ".join(cells).rstrip(), style="bold" if index == 0 else "")


def _detail_of(item: Finding) -> list[str]:
    rows = f" Rows: {', '.join(str(row) for row in item.sample_rows)}." if item.sample_rows else ""
    sentences = [item.what + rows, item.why_it_matters, item.remedy]
    if item.question:
        sentences.append(f"Ask the client: {item.question}")
    return [sentence for sentence in sentences if sentence]


def _open_console(stream: TextIO) -> Console:
    from rich.console import Console

    return Console(file=stream, highlight=False, soft_wrap=True)


def _open_bars(console: Console) -> Bars:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(style="cyan"),
        TextColumn("[bold]{task.description:<9}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[detail]}", markup=False),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        refresh_per_second=8,
    )


def _print(console: Console, stream: TextIO, text: str, *, style: str = "") -> None:
    if style and console.is_terminal:
        console.print(text, style=style, markup=False, highlight=False)
    else:
        _write(stream, text)


def _write(stream: TextIO, text: str) -> None:
    """Write a line; signs that the terminal's encoding lacks become plain ones. A closed pipe is not our problem."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        text = text.translate(PLAIN_SIGNS).encode("ascii", "replace").decode()
    stream.write(text + "\n")
    with contextlib.suppress(ValueError):
        stream.flush()


def _clean(text: str) -> str:
    from skiff.report.glossary import clean_name

    return clean_name(text)


def _fold(text: str, *, indent: str = "", hanging: int = 0, width: int = WIDTH) -> str:
    return textwrap.fill(
        text,
        width=max(width, 40),
        initial_indent=indent,
        subsequent_indent=indent + " " * hanging,
        break_on_hyphens=False,
    )
