from __future__ import annotations

import io
import subprocess
import sys

import pytest
from tests.report.stories import STORIES, bookings, hostile

from skiff.cli.console import LiveProgress, print_error, print_findings, print_story, print_table
from skiff.core.errors import SkiffError
from skiff.core.finding import Finding
from skiff.core.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Ascii(io.StringIO):
    """A stream of an old terminal."""

    encoding = "ascii"

    def write(self, text: str) -> int:
        text.encode("ascii")
        return super().write(text)


def test_stages_are_plain_lines_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    with LiveProgress(out) as progress:
        progress.stage("Read", "orders.csv")
        progress.step("half", done=1, total=2)
        progress.stage("Train")
        progress.note("Nine models tried.")
    assert out.getvalue() == "Read: orders.csv\nTrain\n  Nine models tried.\n"


def test_steps_of_a_long_stage_are_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("skiff.cli.console.time.monotonic", lambda: now[0])
    out = io.StringIO()
    progress = LiveProgress(out)
    progress.stage("Train")
    for second in range(12):
        now[0] = float(second)
        progress.step(f"{second} s")
    assert out.getvalue().splitlines() == ["Train", "  5 s", "  10 s"]


def test_a_terminal_ticks_off_what_is_done_and_gives_the_cursor_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()
    progress = LiveProgress(out)
    progress.stage("Read", "orders.csv")
    progress.step("rows", done=10, total=100)
    progress.stage("Train", "60 s")
    progress.note("A note.")
    progress.close()
    progress.close()
    told = out.getvalue()
    assert told.count("✓") == 2
    assert "A note." in told
    assert told.rindex("\x1b[?25h") > told.rindex("\x1b[?25l")


def test_a_stage_that_failed_is_not_ticked_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()

    def work() -> None:
        with LiveProgress(out) as progress:
            progress.stage("Read")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert "✓" not in out.getvalue()


def test_it_is_a_listener() -> None:
    listener: Progress = LiveProgress(io.StringIO())
    listener.stage("Read")


@pytest.mark.parametrize("name", sorted(STORIES))
def test_the_story_leads_with_the_verdict_and_ends_with_the_files(name: str) -> None:
    out = io.StringIO()
    print_story(STORIES[name](), out, files={"Report": "reports/report.html"})
    lines = out.getvalue().splitlines()
    assert lines[1].split()[0] in {"Catches", "Typically", "Right", "No"}
    assert lines[-1].split() == ["Report", "reports/report.html"]
    assert len(lines) <= 40  # a saving stands beside what it is held against
    assert max(map(len, lines)) <= 92


def test_a_column_name_cannot_drive_the_terminal() -> None:
    out = io.StringIO()
    print_story(hostile(), out)
    print_findings(hostile().findings, out)
    print_error(SkiffError("x", what="No \x1b[2J.", where={"column": "\x1b]0;owned\x07"}, fix="Do \x1b[31m."), out)
    print_table(["a\x1b"], [["b\x1b"]], out)
    assert "\x1b" not in out.getvalue()
    assert "\x07" not in out.getvalue()


def test_an_old_terminal_gets_plain_signs() -> None:
    out = Ascii()
    print_story(bookings(), out)
    print_findings(bookings().findings, out)
    assert "Catches about 8 of 10 cancellations" in " ".join(out.getvalue().split())


def test_findings_come_worst_first_and_five_lines_before_details() -> None:
    out = io.StringIO()
    findings = [Finding(code=f"quality.f{i}", severity="info", what=f"Note {i}.") for i in range(9)]
    findings.append(
        Finding(
            code="leakage.x",
            severity="block",
            what="A leak.",
            why_it_matters="It lies.",
            remedy="Leave it out.",
            question="When is it written?",
        )
    )
    print_findings(findings, out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "10 findings: 1 to stop for, 9 notes"
    assert lines[1] == "  ✗ A leak."
    assert lines[6] == "  … and 5 more"
    assert lines[8] == "✗ leakage.x"
    assert "  Ask the client: When is it written?" in lines


def test_no_findings_are_said() -> None:
    out = io.StringIO()
    print_findings([], out)
    assert out.getvalue() == "Nothing was found that needs your attention.\n"


def test_an_error_has_four_parts_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(
        SkiffError(
            "column_not_found",
            what="There is no column 'x'.",
            where={"file": "a.csv", "column": "x"},
            fix="Did you mean 'y'?",
        )
    )
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.splitlines() == [
        "Error: There is no column 'x'.",
        "  Where  file a.csv, column x",
        "  Do     Did you mean 'y'?",
        "  Code   column_not_found",
    ]


def test_importing_the_console_loads_neither_rich_nor_templates() -> None:
    code = "import sys, skiff.cli.console; print(sorted({'rich', 'jinja2', 'vl_convert', 'polars', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
