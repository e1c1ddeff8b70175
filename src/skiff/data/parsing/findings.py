"""What reading says to the person: one finding for each decision that is not the plain default."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from skiff.core.finding import Action, EvidenceValue, Finding, Severity

MOST_ROWS = 10
"""Row numbers shown (`skiff.core.finding.Finding`)."""

SIGN_NAMES = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas", ":": "colons", " ": "blanks", "^": "carets", "~": "tildes",
              "¦": "broken bars", "\x1f": "unit separators", "\x01": "control characters"}  # fmt: skip


def _say(  # noqa: PLR0913  a finding has this many parts
    code: str,
    *,
    what: str,
    why: str,
    remedy: str,
    severity: Severity = "info",
    action: Action = "fixed",
    columns: Sequence[str] = (),
    rows: Iterable[int] = (),
    n_rows: int | None = None,
    evidence: Mapping[str, EvidenceValue] | None = None,
    question: str = "",
) -> Finding:
    listed = list(rows)
    return Finding(
        code=f"reading.{code}",
        severity=severity,
        columns=tuple(columns),
        rows=len(listed) if n_rows is None else n_rows,
        sample_rows=tuple(listed[:MOST_ROWS]),
        evidence=evidence or {},
        what=what,
        why_it_matters=why,
        remedy=remedy,
        action=action,
        question=question,
    )


def _count(number: int, word: str, plural: str = "") -> str:
    return f"{number:,} {word if number == 1 else plural or word + 's'}"


def _list(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names[:6]]
    more = len(names) - len(quoted)
    if more:
        return f"{', '.join(quoted)} and {more:,} more"
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}" if quoted else "none"


ENCODING_NAMES = {
    "utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "utf-32": "UTF-32",
    "utf-32-le": "UTF-32", "utf-32-be": "UTF-32", "iso-8859-1": "Latin-1 (ISO 8859-1)", "iso8859-2": "Latin-2 (ISO 8859-2)",
    "iso8859-15": "Latin-9 (ISO 8859-15)", "iso8859-7": "Greek (ISO 8859-7)", "iso8859-5": "Cyrillic (ISO 8859-5)",
    "cp1250": "Central European (Windows-1250)", "cp1251": "Cyrillic (Windows-1251)", "cp1252": "Western European (Windows-1252)",
    "cp1253": "Greek (Windows-1253)", "cp1254": "Turkish (Windows-1254)", "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)", "cp1257": "Baltic (Windows-1257)", "cp874": "Thai (Windows-874)", "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)", "cp932": "Japanese (Shift-JIS)", "euc_jp": "Japanese (EUC-JP)", "cp949": "Korean (Windows-949)",
    "koi8-r": "Cyrillic (KOI8-R)", "mac_roman": "Macintosh Roman", "cp850": "Western European (DOS 850)", "cp437": "DOS 437",
    "cp852": "Central European (DOS 852)", "cp866": "Cyrillic (DOS 866)",
}  # fmt: skip
"""What people and their programs call them."""


def _name_encoding(name: str) -> str:
    return ENCODING_NAMES.get(name, name)


def _name_lines(lines: Sequence[int]) -> str:
    return f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"


def say_encoding(
    name: str, *, reason: str, rivals: Sequence[str] = (), damaged_bytes: int = 0, lines: Sequence[int] = ()
) -> Finding:
    """Tell that the letters are not plain UTF-8; `lines` are those of the file, from 1, that hold a damaged letter."""
    how = {
        "mark": "the file says so itself",
        "pattern": "its bytes show the pattern",
        "letters": "read so, its letters make sense",
    }
    unsure = f" It could also be {' or '.join(map(_name_encoding, rivals[:2]))}." if rivals else ""
    if damaged_bytes:
        return _say(
            "encoding", severity="warn",
            evidence={"encoding": name, "damaged_bytes": damaged_bytes, "damaged_lines": tuple(lines), "rivals": tuple(rivals)},
            what=f"The file is {_name_encoding(name)} text with {_count(damaged_bytes, 'letter')} that came from another encoding"
            + (f", first in {_name_lines(lines)} of the file." if lines else ".") + unsure,
            why="Those letters were read as Western European ones and may look wrong.",
            remedy="Look at those lines, and ask for a fresh export where a name is misspelt."
            + (" If all names look wrong, set `encoding` for this file in skiff.toml." if rivals else ""),
        )  # fmt: skip
    return _say(
        "encoding", severity="warn" if rivals else "info", evidence={"encoding": name, "settled_by": reason, "rivals": tuple(rivals)},
        what=f"The text is stored as {_name_encoding(name)}: {how.get(reason, 'as you said')}.{unsure}",
        why="Read as anything else, letters such as é or ü would be wrong.",
        remedy="Nothing to do if names look right; otherwise set `encoding` for this file in skiff.toml.",
    )  # fmt: skip


def say_delimiter(delimiter: str, *, runner_up: str = "") -> Finding:
    """Tell what separates the cells where it is not a comma."""
    name = SIGN_NAMES.get(delimiter, f"'{delimiter}'")
    unsure = f" {SIGN_NAMES.get(runner_up, runner_up).capitalize()} would fit almost as well." if runner_up else ""
    return _say(
        "delimiter", severity="warn" if runner_up else "info", evidence={"delimiter": delimiter, "runner_up": runner_up},
        what=f"The cells are separated by {name}.{unsure}",
        why="A wrong separator would put values into the wrong columns.",
        remedy="Nothing to do if the columns look right; otherwise set `delimiter` for this file in skiff.toml.",
    )  # fmt: skip


def say_quotes(*, rows: Sequence[int]) -> Finding:
    """Tell that a quotation mark is never closed."""
    return _say(
        "quotes", severity="warn", rows=rows,
        what="A quotation mark in the file is never closed, so quotation marks were read as plain letters.",
        why="Otherwise everything behind it would have become one cell.",
        remedy="Look at the cells around quotation marks; a fresh export from the program avoids the problem.",
    )  # fmt: skip


def say_title_lines(n_rows: int) -> Finding:
    """Tell that lines above the header are no data."""
    return _say(
        "title_lines", n_rows=n_rows,
        what=f"{_count(n_rows, 'line')} above the column names {'is a title' if n_rows == 1 else 'are titles or notes'} and not data.",
        why=f"Read as data {'it' if n_rows == 1 else 'they'} would have shifted the column names.",
        remedy="Nothing to do.",
    )  # fmt: skip


def say_joined_header() -> Finding:
    """Tell that the header has two rows."""
    return _say(
        "header_rows", evidence={"header_rows": 2},
        what="The column names are spread over two rows, which were joined.",
        why="The lower row alone would repeat the same names.",
        remedy="Check the names; rename columns in the source if they are too long.",
    )  # fmt: skip


def say_duplicate_header(columns: Sequence[str]) -> Finding:
    """Tell that several columns had the same name."""
    return _say(
        "duplicate_header", severity="warn", columns=columns, evidence={"renamed": len(columns)},
        what=f"Several columns have the same name; the later ones were numbered: {_list(columns)}.",
        why="Two columns with one name cannot be told apart later.",
        remedy="Ask what each of them means and give them names of their own.",
        question=f"What is the difference between the columns of the same name ({_list(columns)})?",
    )  # fmt: skip


def say_missing_header(columns: Sequence[str], *, is_whole: bool) -> Finding:
    """Tell that columns had no name."""
    what = (
        "The file has no row of column names; its first row is data."
        if is_whole
        else f"{_count(len(columns), 'column')} had no name."
    )
    return _say(
        "missing_header", severity="warn", columns=columns,
        what=f"{what} Names were given: {_list(columns)}.",
        why="You need to know what a column means to judge whether a model may use it.",
        remedy="Ask for the names and put them into the first row, or set `has_header = true` in skiff.toml if the first row does name them.",
        question="What do the columns without a name hold?",
    )  # fmt: skip


def say_blank_columns(n_columns: int) -> Finding:
    """Tell that columns without a name and without a value were left out."""
    return _say(
        "blank_columns", evidence={"columns": n_columns},
        what=f"{_count(n_columns, 'column')} without a name and without any value {'was' if n_columns == 1 else 'were'} left out.",
        why=f"{'It comes' if n_columns == 1 else 'They come'} from separators at the end of each line.",
        remedy="Nothing to do.",
    )  # fmt: skip


def say_blank_rows(rows: Sequence[int]) -> Finding:
    """Tell that rows without any value were left out."""
    return _say(
        "blank_rows", rows=rows,
        what=f"{_count(len(rows), 'row')} without any value {'was' if len(rows) == 1 else 'were'} left out.",
        why="Empty rows are no cases to learn from.",
        remedy="Nothing to do.",
    )  # fmt: skip


def say_header_copies(rows: Sequence[int]) -> Finding:
    """Tell that the header is repeated among the data."""
    return _say(
        "repeated_header", rows=rows,
        what=f"The column names are repeated among the data in {_count(len(rows), 'row')}, left out.",
        why="Somebody joined several exports; the names would have been read as values.",
        remedy="Nothing to do.",
    )  # fmt: skip


def say_footer(rows: Sequence[int]) -> Finding:
    """Tell that lines below the table are no data."""
    return _say(
        "footer", rows=rows,
        what=f"{_count(len(rows), 'line')} below the table {'is a note' if len(rows) == 1 else 'are notes or blank'} and not data.",
        why=f"Read as data {'it' if len(rows) == 1 else 'they'} would have added rows that are no cases.",
        remedy="Nothing to do.",
    )  # fmt: skip


def say_totals(rows: Sequence[int], *, proven: int, parts: int) -> Finding:
    """Tell that rows which add up others were left out."""
    kind = "subtotals" if parts else "totals"
    shown = f"{_count(len(rows), 'row')} of {kind} {'was' if len(rows) == 1 else 'were'} left out"
    proof = (
        "the numbers are the sums of the rows above"
        if proven == len(rows)
        else "the label and the place say so, but not all sums agree"
    )
    return _say(
        "totals_row", severity="info" if proven == len(rows) else "warn", rows=rows,
        evidence={"proven": proven, "subtotals": parts},
        what=f"{shown}: {proof}.",
        why="A total counted as one more case would be counted twice.",
        remedy="Nothing to do." if proven == len(rows) else "Look at the rows listed; the sums may cover rows that are not in the file.",
    )  # fmt: skip


def say_kept_total(row: int) -> Finding:
    """Tell that the last row looks like a total and was kept, because nothing proves it."""
    return _say(
        "totals_row", severity="warn", action="kept", rows=[row],
        what="The last row begins like a total and was kept: its numbers are not the sums of the rows above, or could not be added up.",
        why="If it is a total after all, it is counted as one more case.",
        remedy="Take the row out of the file if it is a total.",
        question="Is the last row one more case, or the total of the others?",
    )  # fmt: skip


def say_ragged(rows: Sequence[int], *, short: int, long: int, added: Sequence[str]) -> Finding:
    """Tell that some rows have too few or too many cells."""
    parts = [f"{_count(short, 'row has', 'rows have')} fewer cells than there are columns"] if short else []
    parts += [f"{_count(long, 'row has', 'rows have')} more"] if long else []
    kept = (
        f" The surplus cells are kept in {_list(added)}."
        if added
        else " The cells that lack at the end were read as empty."
    )
    return _say(
        "ragged_rows", severity="warn", action="kept", rows=rows, columns=added, evidence={"short": short, "long": long},
        what=f"{' and '.join(parts)}.{kept}",
        why="Their values may stand one column too far to the left or right.",
        remedy="Look at the rows listed; often a separator inside a text was not quoted. A fresh export helps.",
        question="Can the table be exported again with texts in quotation marks?",
    )  # fmt: skip


def say_sheets(
    read: Sequence[str], *, left: Sequence[str], hidden: Sequence[str], added: str, is_choice: bool
) -> Finding:
    """Tell which sheets of a workbook (or files of a folder) were read."""
    stacked = (
        f" They have the same columns and were put below each other; '{added}' says where a row comes from."
        if added
        else ""
    )
    rest = f" Not read: {_list(left)}." if left else ""
    secret = f" Hidden: {_list(hidden)}." if hidden else ""
    return _say(
        "sheets", severity="warn" if is_choice or hidden else "info", action="asked" if is_choice else "none",
        evidence={"read": tuple(read), "not_read": tuple(left), "hidden": tuple(hidden)},
        what=f"Read: {_list(read)}.{stacked}{rest}{secret}",
        why="Another sheet may hold the rows you mean." if is_choice or left else "Rows from several places may follow different rules.",
        remedy="Name the sheet with --sheet NAME to read another one." if is_choice or left else "Nothing to do.",
        question="Is the right sheet read?" if is_choice else "",
    )  # fmt: skip


def say_merged_cells(n_areas: int) -> Finding:
    """Tell that cells merged over several rows were filled."""
    return _say(
        "merged_cells", n_rows=n_areas, evidence={"areas": n_areas},
        what=f"{_count(n_areas, 'merged cell')} over several rows {'was' if n_areas == 1 else 'were'} filled in: each row now has the value.",
        why="Only the first of the merged rows holds the value; the others would have been empty.",
        remedy="Nothing to do if the value holds for all of these rows.",
    )  # fmt: skip


def say_other_tables(n_tables: int) -> Finding:
    """Tell that a page holds more tables than the one that was read."""
    return _say(
        "other_tables", severity="warn", n_rows=0, evidence={"not_read": n_tables},
        what=f"The page holds {_count(n_tables, 'other table')}; the largest was read.",
        why="Another table may hold the rows you mean.",
        remedy="Nothing to do if the columns look right; otherwise save the table you mean on its own.",
    )  # fmt: skip


def say_formula_errors(columns: Sequence[str], n_cells: int) -> Finding:
    """Tell that a spreadsheet holds error values."""
    return _say(
        "formula_errors", severity="warn", columns=columns, n_rows=n_cells, evidence={"cells": n_cells},
        what=f"{_count(n_cells, 'cell')} of the sheet show an error such as #N/A or #DIV/0! and were read as empty.",
        why="A formula could not be computed there, so the value is not known.",
        remedy="Repair the formulas in the workbook and save it again.",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """Where words that can mean "no value" stand in a column: its name, the first rows from 1, how many cells."""

    column: str
    rows: Sequence[int]
    n_cells: int


def say_placeholders(words: Sequence[str], seen: Sequence[Seen]) -> Finding:
    """Tell that the same words were read as missing in one or several columns."""
    cells = sum(item.n_cells for item in seen)
    columns, rows = [item.column for item in seen], sorted({row for item in seen for row in item.rows})
    named = f" ({_list(words)})" if words else ""
    return _say(
        "placeholder_missing", columns=columns, rows=rows, n_rows=max(item.n_cells for item in seen),
        evidence={"words": len(words), "cells": cells},
        what=f"In {_list(columns)} {_count(cells, 'cell holds', 'cells hold')} a sign for \"no value\"{named} and {'was' if cells == 1 else 'were'} read as missing.",
        why="Read as a value it would hide that nothing is known.",
        remedy=f"Nothing to do; if it does mean something, take it out of `missing` for {_this(columns)} in skiff.toml.",
    )  # fmt: skip


def say_level_kept(word: str, seen: Sequence[Seen]) -> Finding:
    """Tell that a word which often means "no value" was kept as a value in one or several columns."""
    name = f"'{word}'" if word else 'a word that can mean "no value"'
    columns, rows = [item.column for item in seen], sorted({row for item in seen for row in item.rows})
    return _say(
        "level_kept", columns=columns, rows=rows, n_rows=max(item.n_cells for item in seen), action="kept",
        evidence={"cells": sum(item.n_cells for item in seen)},
        what=f"In {_list(columns)} {name} was kept as a value: here it looks like an answer, not like a gap.",
        why="An answer such as 'none' or 'unknown' carries information that a gap does not.",
        remedy=f"If it means that nothing is known, add it to `missing` for {_this(columns)} in skiff.toml.",
        question=f"In {_list(columns)}: is {name} an answer, or was nothing entered?",
    )  # fmt: skip


def _this(columns: Sequence[str]) -> str:
    return "this column" if len(columns) == 1 else "these columns"


def say_unparsed(column: str, *, kind: str, rows: Sequence[int], n_rows: int, n_read: int) -> Finding:
    """Tell that some cells of a typed column could not be read."""
    noun = {"number": "numbers", "date": "dates", "boolean": "yes or no"}[kind]
    return _say(
        "unparsed_cells", severity="warn", columns=[column], rows=rows, n_rows=n_rows, evidence={"unread": n_rows, "read": n_read},
        what=f"'{column}' holds {noun}, but {_count(n_rows, 'cell')} could not be read and {'is' if n_rows == 1 else 'are'} empty now.",
        why="What stands there is not used.",
        remedy="Look at the rows listed and correct them in the source, or keep the column as text in skiff.toml.",
        question=f"What do the unusual entries in '{column}' mean?",
    )  # fmt: skip


_TEXT_REASONS = {
    "leading_zeros": (
        "its numbers begin with zeros, so they are codes",
        "As numbers they would lose the zeros.",
        "kept",
    ),
    "long_digits": (
        "its numbers have more than 15 digits, so they are ids",
        "As numbers their last digits would change.",
        "kept",
    ),
    "time_of_day": ("it holds times of day", "A time alone is no date.", "kept"),
    "mixed": (
        "many cells look like numbers or dates, but too many others do not",
        "Forcing them would lose the others.",
        "kept",
    ),
    "currencies": ("its amounts are in several currencies", "Amounts in different money cannot be added up.", "asked"),
    "units": (
        "its amounts are in several units",
        "Amounts in different units cannot be compared.",
        "asked",
    ),
    "percent": (
        "only some of its numbers carry a percent sign",
        "5 and 5 % are not the same, and nothing says which is meant.",
        "asked",
    ),
    "zones": ("only some of its times carry a time zone", "The others could be hours off.", "asked"),
    "mixed_dates": (
        "some dates have the day first and some the month",
        "Read one way, the others would be wrong dates.",
        "asked",
    ),
}
_TEXT_QUESTIONS = {
    "currencies": "Can the amounts in {} be given in one currency?",
    "units": "Can the amounts in {} be given in one unit?",
    "percent": "Are the numbers without a percent sign in {} percentages too?",
    "zones": "In which time zone are the times in {} without one?",
    "mixed_dates": "Which dates in {} have the day first, and which the month?",
}


def say_kept_as_text(columns: Sequence[str], *, reason: str, rows: Sequence[int] = (), n_rows: int = 0) -> Finding:
    """Tell that a column which looks like something else stays text."""
    because, why, action = _TEXT_REASONS[reason]
    code = "ambiguous_dates" if reason == "mixed_dates" else "kept_as_text"
    return _say(
        code, severity="warn" if action == "asked" else "info", action="asked" if action == "asked" else "kept",
        columns=columns, rows=rows, n_rows=n_rows or len(rows), evidence={"reason": reason},
        what=f"{_list(columns)} stayed text: {because}.",
        why=why,
        remedy="Nothing to do." if action == "kept" and reason != "mixed" else "Have it written the same way in every row, or set the column's `kind` in skiff.toml.",
        question=_TEXT_QUESTIONS.get(reason, "").format(_list(columns)),
    )  # fmt: skip


EXAMPLE = dt.datetime(2024, 5, 31, 18, 30, tzinfo=dt.UTC)
"""A moment that shows what a form looks like, of no file."""

_PROOFS = {
    "number": "a part above 12 can only be a day",
    "point": "dates with points put the day first",
    "sequence": "only so the rows are in order of time",
    "neighbour": "another date column of the file is written so",
    "same": "",
    "": "",
}


def say_dates(column: str, *, date_format: str, proof: str, zone: str, n_rows: int) -> Finding:
    """Tell how dates were read."""
    shown = (
        date_format.replace("%Y", "year")
        .replace("%y", "two-digit year")
        .replace("%m", "month")
        .replace("%d", "day")
        .replace("%b", "month name")
    )
    like = EXAMPLE.strftime(re.sub(r"%\.f|%#?z|%Z", "", date_format)).strip() if re.search("%[yb]", date_format) else ""
    example = f", like {like}" if like else ""
    because = f": {_PROOFS[proof]}" if _PROOFS.get(proof) else ""
    moved = " Times with a zone were moved to UTC." if zone else ""
    century = (
        " Years 69 to 99 were read as 1969 to 1999, years 00 to 68 as 2000 to 2068." if "%y" in date_format else ""
    )
    return _say(
        "dates", columns=[column], n_rows=n_rows, evidence={"date_format": date_format, "settled_by": proof},
        what=f"Dates in '{column}' were read as {re_time(shown)}{example}{because}.{moved}{century}",
        why="A date read the wrong way round is a different day.",
        remedy="Nothing to do if a few dates look right; otherwise set `date_format` for this column in skiff.toml.",
    )  # fmt: skip


def re_time(shown: str) -> str:
    """Return a date form with its time of day in words.

    Examples
    --------
    >>> re_time("day.month.year %H:%M:%S")
    'day.month.year hour:minute:second'
    """
    for mark, word in (
        ("%H", "hour"),
        ("%I", "hour"),
        ("%M", "minute"),
        ("%S", "second"),
        ("%.f", ""),
        (" %p", ""),
        ("%z", ""),
        ("%a", "weekday"),
        ("%#", "day"),
    ):
        shown = shown.replace(mark, word)
    return re.sub(r"(?<=day|ear|nth)T(?=hour)", " ", shown)


def say_counted_dates(column: str, *, unit: str, n_rows: int) -> Finding:
    """Tell that numbers were read as dates."""
    how = {
        "day": "year, month and day in one number",
        "s": "seconds since 1970",
        "ms": "thousandths of a second since 1970",
        "us": "millionths of a second since 1970",
        "ns": "billionths of a second since 1970",
        "excel": "days as a spreadsheet counts them",
    }
    return _say(
        "dates", columns=[column], n_rows=n_rows, severity="info" if unit == "day" else "warn", evidence={"counted_in": unit},
        what=f"The numbers in '{column}' were read as dates: they are {how[unit]}.",
        why="As plain numbers, the step from one month to the next would make no sense.",
        remedy="If they are not dates, set the column's `kind` to \"number\" in skiff.toml.",
        question="" if unit == "day" else f"Is '{column}' a point in time?",
    )  # fmt: skip


def say_ambiguous_dates(column: str, *, n_rows: int) -> Finding:
    """Ask whether the day or the month stands first."""
    return _say(
        "ambiguous_dates", severity="warn", action="asked", columns=[column], n_rows=n_rows,
        what=f"Nothing in '{column}' shows whether the day or the month stands first, so the column stayed text.",
        why="Guessed wrong, most dates would be off by months.",
        remedy=f"Ask the client, then set `date_format` for '{column}' in skiff.toml, for example \"%d/%m/%Y\" for day first.",
        question=f"Does '{column}' put the day first or the month?",
    )  # fmt: skip


def say_open_decimal(columns: Sequence[str], *, decimal: str) -> Finding:
    """Ask whether a mark stands for thousands or for decimals."""
    read = "a comma" if decimal == "," else "a point"
    return _say(
        "decimal", severity="warn", action="asked", columns=columns, evidence={"decimal": decimal},
        what=f"In {_list(columns)} every mark stands before exactly three digits, so it may be thousands or decimals; {read} was taken as the decimal mark.",
        why="Read the other way, every number would be a thousand times larger or smaller.",
        remedy="Compare one number with the source; if it is wrong, set `decimal` for the column in skiff.toml.",
        question=f"In {_list(columns)}: what is the usual size of the numbers?",
    )  # fmt: skip


def say_decimal(columns: Sequence[str], *, decimal: str, thousands: str) -> Finding:
    """Tell which marks numbers carry where they are not plain."""
    marks = {",": "a comma", ".": "a point", "'": "an apostrophe", "’": "an apostrophe", " ": "a blank"}
    parts = [f"{marks[decimal]} before decimals"] if decimal == "," else []
    parts += [f"{marks[thousands]} between thousands"] if thousands else []
    return _say(
        "decimal", columns=columns, evidence={"decimal": decimal, "thousands": thousands},
        what=f"Numbers in {_list(columns)} have {' and '.join(parts)}.",
        why="Otherwise they would be text, or a thousand times too large.",
        remedy="Nothing to do if the sums look right.",
    )  # fmt: skip


def say_currency(columns: Sequence[str], *, currency: str) -> Finding:
    """Tell which money amounts are in."""
    return _say(
        "currency", columns=columns, evidence={"currency": currency},
        what=f"Amounts in {_list(columns)} carry the sign {currency}, which was taken off.",
        why="Without the sign they are numbers a model can use.",
        remedy="Nothing to do.",
    )  # fmt: skip


def say_unit(columns: Sequence[str], *, unit: str) -> Finding:
    """Tell which unit was taken off."""
    return _say(
        "unit", columns=columns, evidence={"unit": unit},
        what=f"Every number in {_list(columns)} carries the unit {unit}, which was taken off.",
        why="Without the unit they are numbers a model can use.",
        remedy="Nothing to do.",
    )  # fmt: skip


def say_percent(columns: Sequence[str]) -> Finding:
    """Tell that percentages became fractions."""
    return _say(
        "percent", columns=columns,
        what=f"Percentages in {_list(columns)} became fractions: 12 % is 0.12.",
        why="So they mean the same as in other tables.",
        remedy="Nothing to do.",
    )  # fmt: skip


def say_booleans(columns: Sequence[str], *, true: str, false: str) -> Finding:
    """Tell which words were read as yes and no."""
    return _say(
        "booleans", columns=columns, evidence={"true": true, "false": false},
        what=f"{_list(columns)} {'was' if len(columns) == 1 else 'were'} read as yes or no ('{true}' is yes, '{false}' is no).",
        why="Yes or no is simpler than two words.",
        remedy="Nothing to do.",
    )  # fmt: skip


def say_converted(columns: Sequence[str], *, source: str, target: str) -> Finding:
    """Tell that a column of a typed source was converted."""
    return _say(
        "converted", columns=columns, evidence={"from": source, "to": target},
        what=f"{_list(columns)} came as {source} and {'is' if len(columns) == 1 else 'are'} kept as {target}.",
        why="Skiff works with numbers, yes or no, text and dates.",
        remedy="Nothing to do.",
    )  # fmt: skip


def say_column_order() -> Finding:
    """Tell that the columns stand in another order than the recipe knows."""
    return _say(
        "column_order",
        what="The columns stand in another order than last time; they were matched by name.",
        why="Values are where they belong.",
        remedy="Nothing to do.",
    )  # fmt: skip
