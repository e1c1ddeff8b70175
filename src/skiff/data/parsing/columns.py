"""What each column is: number, yes/no, date or text, decided by all of its cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from skiff.data.parsing.booleans import find_yes_no, parse_yes_no
from skiff.data.parsing.cells import look_at
from skiff.data.parsing.counted import find_counted_dates, parse_counted
from skiff.data.parsing.dates import (
    DateOrder,
    combine_parts,
    describe_format,
    find_direct_format,
    find_order,
    parse_dates,
    split_dates,
)
from skiff.data.parsing.numbers import (
    LONGEST_ID,
    Evidence,
    find_decimal_evidence,
    find_signs,
    find_thousands,
    parse_numbers,
    split_number,
    strip_signs,
)
from skiff.data.parsing.placeholders import find_missing_words, find_short_words, is_marker
from skiff.data.parsing.reading import ColumnReading

SAMPLE_CELLS = 200
"""Cells looked at first, spread over the column; what the sample suggests is then tried on every cell."""

MOSTLY = 0.5
"""Share of the sample that must look like a number or a date for the column to be tried as one."""

UNPARSED_SHARE = 0.05
"""Up to this share of cells that cannot be read, they are left empty and listed; above it the column stays text."""

FEW_CELLS = 20
"""Below this many cells one unreadable cell is already more than a slip, and the column stays text."""

LEADING_ZERO = r"^\s*[-+]?0\d"
PHONE = r"^\s*\+\d"
"""Shapes of codes that are written in digits."""

SENTINEL = re.compile(r"-9{3,}(?:\.0+)?")
"""Numbers that programs write for "no value"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a column is, with its values; or what must be settled first.

    Parameters
    ----------
    reading : ColumnReading
    values : polars.Series or None
        Typed cells; None while `evidence` or `order` is open.
    evidence : {"none", "dot", "comma", "open"}
        Which decimal mark the column proves.
    order : DateOrder or None
        Order of day and month, where it mattered.
    """

    reading: ColumnReading
    values: pl.Series | None = None
    evidence: Evidence = "none"
    order: DateOrder | None = None
    details: dict[str, int] = field(default_factory=dict)


def take_sample(cells: pl.Series) -> list[str]:
    """Return up to `SAMPLE_CELLS` cells that hold something, spread over the column, as written but stripped."""
    if not len(cells):
        return []
    step = max(1, len(cells) // SAMPLE_CELLS)
    return [cell.strip() for cell in cells.gather_every(step).to_list() if cell.strip()]


def decide_column(cells: pl.Series, *, keep_text: bool = False) -> Decision:  # noqa: PLR0911  each return is one ground
    """Return what the column `cells` is.

    Parameters
    ----------
    cells : polars.Series of String
        Null where empty.
    keep_text : bool
        The user wants text.

    Examples
    --------
    >>> decide_column(pl.Series("Datum", ["01.01.2015", "13.01.2015"])).reading.date_format
    '%d.%m.%Y'
    >>> decide_column(pl.Series("plz", ["01067", "20095"])).reading.reason
    'leading_zeros'
    """
    filled = cells.drop_nulls()
    sample = take_sample(filled)
    if keep_text:
        return as_text(cells, ColumnReading(kind="text", reason="asked"))
    if not sample:
        return as_text(cells, ColumnReading(kind="text"))
    plain = [cell for cell in sample if not is_marker(cell)]
    looks = _count_looks(plain)
    judged = max(len(plain), 1)
    if not plain or _might_be_words(plain):
        decided = _try_yes_no(cells, filled)
        if decided:
            return decided
    if looks["date"] >= MOSTLY * judged:
        decided = _read_direct_dates(cells, plain) or _try_dates(cells, filled)
        if decided:
            return decided
    if looks["number"] >= MOSTLY * judged or _share_with_signs(plain) >= MOSTLY:
        decided = _try_numbers(cells, filled, plain)
        if decided:
            return decided
    if looks["time"] >= MOSTLY * judged and looks["time"] + looks["blank"] == judged:
        return as_text(cells, ColumnReading(kind="text", reason="time_of_day"))
    reason = "mixed" if looks["number"] + looks["date"] >= MOSTLY * judged else ""
    return as_text(cells, ColumnReading(kind="text", reason=reason))


def parse_column(cells: pl.Series, reading: ColumnReading) -> pl.Series:
    """Return `cells` as `reading` says; cells that do not fit are null.

    Examples
    --------
    >>> parse_column(pl.Series(["12", "?", ""]), ColumnReading(kind="number", missing=("?",))).to_list()
    [12.0, None, None]
    """
    if reading.missing:
        cells = cells.set(
            cells.str.strip_chars().is_in([word.strip() for word in reading.missing]).fill_null(value=False), None
        )
    if reading.epoch:
        return parse_counted(cells, reading.epoch)
    if reading.kind == "number":
        numbers = parse_numbers(cells, reading)
        for word in filter(SENTINEL.fullmatch, reading.missing):
            numbers = numbers.set((numbers == float(word)).fill_null(value=False), None)
        return numbers
    if reading.kind == "date":
        return parse_dates(cells, reading)
    if reading.kind == "boolean":
        return parse_yes_no(cells, true=reading.true, false=reading.false)
    return drop_blank(cells)


def drop_blank(cells: pl.Series) -> pl.Series:
    """Return `cells` with null where they hold nothing but blanks."""
    first, last = cells.min(), cells.max()
    if isinstance(first, str) and isinstance(last, str) and first >= "!" and last < "\x7f":
        return cells  # no cell begins with a blank
    blank = cells.str.contains(r"^\s*$")
    return cells.set(blank.fill_null(value=False), None) if blank.any() else cells


def as_text(cells: pl.Series, reading: ColumnReading) -> Decision:
    """Return the column as text, its words for "no value" taken out unless a person asked for the text as it is."""
    text = drop_blank(cells)
    if reading.reason == "asked":
        return Decision(reading=reading, values=text)
    words = find_missing_words(text.drop_nulls())
    reading = replace(reading, missing=words.missing, levels_kept=words.kept)
    return Decision(reading=reading, values=parse_column(text, reading) if words.missing else text)


def _might_be_words(sample: Sequence[str]) -> bool:
    return len({cell.lower() for cell in sample}) <= 2  # noqa: PLR2004  yes and no


def _try_yes_no(cells: pl.Series, filled: pl.Series) -> Decision | None:
    different = filled.unique()
    if len(different) > 30:  # noqa: PLR2004  two words in a few spellings, and placeholders
        return None
    words = [cell.strip() for cell in different.to_list() if cell.strip()]
    missing = tuple(sorted(word for word in words if is_marker(word)))
    pair = find_yes_no({word.lower() for word in words if word not in missing})
    if not pair:
        return None
    reading = ColumnReading(kind="boolean", true=pair[0], false=pair[1], missing=missing)
    return Decision(reading=reading, values=parse_column(cells, reading))


def _count_looks(sample: Sequence[str]) -> Counter[str]:
    looks: Counter[str] = Counter()
    for cell, count in Counter(sample).items():
        looks[look_at(cell)] += count
    return looks


def _share_with_signs(sample: Sequence[str]) -> float:
    found = sum(count for cell, count in Counter(sample).items() if split_number(cell) is not None)
    return found / max(len(sample), 1)


def _split_markers(filled: pl.Series) -> tuple[pl.Series, tuple[str, ...]]:
    """Return the cells without placeholders and blanks, and the placeholders as written."""
    found = find_short_words(filled.rename("cell"))
    words = tuple(sorted({word.strip() for word in found if is_marker(word)}))
    rest = filled.filter(~filled.str.strip_chars().is_in([*words, ""]))
    return rest, words


def _try_numbers(cells: pl.Series, filled: pl.Series, sample: Sequence[str]) -> Decision | None:  # noqa: PLR0911  each return is one ground
    are_plain = not pl.Series(sample, dtype=pl.String).cast(pl.Float64, strict=False).null_count()
    quick = _read_plain(cells, filled, sample) if are_plain else None
    if quick:
        return quick
    rest, missing = _split_markers(filled)
    if not len(rest):
        return None
    code = _name_code(rest)
    if code:
        return as_text(cells, ColumnReading(kind="text", reason=code))
    signs = find_signs([cell for cell in sample if look_at(cell) == "number" or split_number(cell)])
    if signs is None:
        return None
    if signs.is_mixed:
        return as_text(cells, ColumnReading(kind="text", reason=signs.is_mixed))
    reading = ColumnReading(
        kind="number", currency=signs.currency, unit=signs.unit, percent=signs.percent, missing=missing
    )
    if _name_code(strip_signs(pl.Series(sample).unique(), reading).get_column("body")) == "leading_zeros":
        return as_text(cells, ColumnReading(kind="text", reason="leading_zeros"))  # the other cells cannot change that
    bodies = strip_signs(rest.unique(), reading).get_column("body")
    code = _name_code(bodies)
    if code:
        return as_text(cells, ColumnReading(kind="text", reason=code))
    evidence = find_decimal_evidence(bodies)
    if evidence == "open":
        return Decision(reading=reading, evidence="open")
    settled = settle_number(cells, reading, evidence)
    return _count_dates(cells, settled, bodies) if settled and evidence != "comma" else settled


def _count_dates(cells: pl.Series, settled: Decision, bodies: pl.Series) -> Decision:
    """Return `settled` as dates where its numbers count time."""
    reading = settled.reading
    if settled.values is None or reading.currency or reading.unit or reading.percent or reading.thousands:
        return settled
    counted = find_counted_dates(cells.name, settled.values)
    if not counted or bodies.str.contains(r"[eE]").any():
        return settled
    made = ColumnReading(
        kind="date", epoch=counted, date_format="%Y%m%d" if counted == "day" else "", missing=reading.missing
    )
    return Decision(reading=made, values=parse_column(cells, made))


def settle_number(cells: pl.Series, reading: ColumnReading, evidence: Evidence) -> Decision | None:
    """Return the column read with the decimal mark that `evidence` names; None where too few cells fit."""
    decimal = "," if evidence == "comma" else "."
    bodies = strip_signs(cells.drop_nulls().unique(), reading).get_column("body")
    reading = replace(reading, decimal=decimal, thousands=find_thousands(bodies, decimal))
    is_whole = not reading.percent and not bodies.str.contains(rf"{re.escape(decimal)}|[eE]").any()
    reading = replace(reading, is_integer=is_whole)
    values = parse_column(cells, reading)
    if not _is_readable(cells, values, reading):
        return None
    reading, values = _drop_sentinels(reading, values)
    return Decision(reading=reading, values=values, evidence=evidence)


def _read_plain(cells: pl.Series, filled: pl.Series, sample: Sequence[str]) -> Decision | None:
    """Read a column in which every cell is a plain number: the common case, in two passes."""
    is_integer = not any(letter in ".eE" for cell in sample[:50] for letter in cell)
    made = cells.cast(pl.Int64 if is_integer else pl.Float64, strict=False)
    if made.null_count() != cells.null_count() and is_integer:
        is_integer, made = False, cells.cast(pl.Float64, strict=False)
    if made.null_count() != cells.null_count():
        return None
    if not is_integer and not made.is_finite().fill_null(value=True).all():
        return None
    if has_codes(filled, made) and not (is_stamp(made) and not find_codes(filled.filter(filled < "1")).any()):
        return None
    if not is_integer and _is_open(filled, sample):
        return None
    reading = ColumnReading(kind="number", is_integer=is_integer)
    counted = find_counted_dates(cells.name, made)
    if counted and (is_integer or not filled.str.contains(r"[eE]").any()):
        reading = ColumnReading(kind="date", epoch=counted, date_format="%Y%m%d" if counted == "day" else "")
        return Decision(reading=reading, values=parse_counted(cells, counted))
    reading, made = _drop_sentinels(reading, made)
    return Decision(reading=reading, values=made, evidence="none" if is_integer else "dot")


def is_stamp(made: pl.Series) -> bool:
    """Return whether long numbers are millionths of a second since 1970, under a header about time."""
    return find_counted_dates(made.name, made) in {"us", "ns"}


def find_codes(cells: pl.Series) -> pl.Series:
    """Return which cells are numbers that must stay text: zeros or a plus in front, too many digits to count with."""
    shape = rf"{LEADING_ZERO}|{PHONE}|^\s*[-+]?\d{{{LONGEST_ID + 1},}}\s*$"
    return cells.str.contains(shape).fill_null(value=False)


def has_codes(cells: pl.Series, values: pl.Series) -> bool:
    """Return whether any of `cells`, which were read as the numbers `values`, is a code that lost something.

    Looks at every cell, at the speed of comparing first letters where there is nothing to find.

    Examples
    --------
    >>> has_codes(pl.Series(["0.5", "-0.25", "0"]), pl.Series([0.5, -0.25, 0.0])), has_codes(pl.Series(["07"]), pl.Series([7]))
    (False, True)
    """
    first = cells.min()
    if isinstance(first, str) and first >= "1":
        return _has_long(values, cells)
    if isinstance(first, str) and first < "0":  # a sign, a blank or a point stands first somewhere
        is_odd = cells < "0"
        if cells.filter(is_odd).str.contains(rf"{LEADING_ZERO}|{PHONE}").any():
            return True
    if ((cells >= "00") & (cells < "0:")).any():  # from 00 to 09…
        return True
    return _has_long(values, cells)


def _is_open(filled: pl.Series, sample: Sequence[str]) -> bool:
    """Return whether every number has exactly three digits behind its point, so that it may be a thousands mark."""
    shape = r"-?[1-9]\d{0,2}\.\d{3}|-?\d+"
    if not all(re.fullmatch(shape, cell) for cell in sample):
        return False
    return bool(filled.str.contains(rf"^(?:{shape})$").all())


def _has_long(made: pl.Series, filled: pl.Series) -> bool:
    limit = 10**LONGEST_ID
    high, low = made.max(), made.min()
    if high is None or (abs(float(str(high))) < limit and abs(float(str(low))) < limit):
        return False
    return bool(filled.str.contains(rf"^\s*[-+]?\d{{{LONGEST_ID + 1},}}\s*$").any())


def _name_code(cells: pl.Series) -> str:
    """Return why numbers in `cells` are codes: zeros in front, a plus in front, or too many digits to count with."""
    first, last = cells.min(), cells.max()
    if isinstance(first, str) and isinstance(last, str) and first >= ":" and last < "\x7f":
        return ""  # no cell begins with a digit, a sign or a blank
    zeros = cells.str.contains(r"^\s*[-+]?0\d").sum()
    if zeros:
        return "leading_zeros"
    if cells.str.contains(rf"^\s*[-+]?\d{{{LONGEST_ID + 1},}}\s*$").any():
        return "long_digits"
    return "mixed" if len(cells) and cells.str.contains(r"^\s*\+\d{6,}").any() else ""


def _is_readable(cells: pl.Series, values: pl.Series, reading: ColumnReading) -> bool:
    """Return whether so few cells are unreadable that they can be listed; codes among whole numbers never are."""
    unread = find_unread(cells, values, reading)
    n_unread = int(unread.sum())
    if not n_unread:
        return True
    n_read = len(values) - values.null_count()
    if n_read + n_unread < FEW_CELLS or n_unread > UNPARSED_SHARE * (n_read + n_unread):
        return False
    if reading.kind == "number" and reading.is_integer and not (reading.currency or reading.unit or reading.thousands):
        return not cells.filter(unread).str.contains(r"\d").any()
    return True


def find_unread(cells: pl.Series, values: pl.Series, reading: ColumnReading) -> pl.Series:
    """Return a mask of the cells that hold something but gave no value."""
    if reading.kind == "text":
        return pl.repeat(False, len(cells), dtype=pl.Boolean, eager=True)  # noqa: FBT003  a value, not a flag
    if values.null_count() == cells.null_count():  # an empty cell never gives a value
        return pl.repeat(False, len(cells), dtype=pl.Boolean, eager=True)  # noqa: FBT003  a value, not a flag
    mask = cells.is_not_null() & values.is_null()
    known = [*(word.strip() for word in reading.missing), ""]
    return mask & ~cells.str.strip_chars().is_in(known).fill_null(value=True)


def _drop_sentinels(reading: ColumnReading, values: pl.Series) -> tuple[ColumnReading, pl.Series]:
    """Leave out -999 and its like where it stands far below all other values, several times."""
    low = values.min()
    if not isinstance(low, (int, float)) or not SENTINEL.fullmatch(f"{low:.6g}"):
        return reading, values
    others = values.filter(values != low)
    next_low = others.min()
    count = int((values == low).sum())
    if not isinstance(next_low, (int, float)) or next_low < low / 5 or count < 3:  # noqa: PLR2004  far away, and not once by chance
        return reading, values
    reading = replace(reading, missing=(*reading.missing, f"{low:.15g}"))
    return reading, values.set(values == low, None)


def _read_direct_dates(cells: pl.Series, sample: list[str]) -> Decision | None:
    """Read a column in which every cell is a plain ISO date: the common case, in one pass."""
    direct = find_direct_format(sample)
    if not direct:
        return None
    reading = ColumnReading(kind="date", date_format=direct)
    values = parse_dates(cells, reading)
    return Decision(reading=reading, values=_plain_days(values)) if values.null_count() == cells.null_count() else None


def _try_dates(cells: pl.Series, filled: pl.Series) -> Decision | None:
    rest, missing = _split_markers(filled)
    if not len(rest):
        return None
    sample = take_sample(rest)
    direct = find_direct_format(sample)
    if direct:
        reading = ColumnReading(kind="date", date_format=direct, missing=missing)
        values = parse_column(cells, reading)
        if not int(find_unread(cells, values, reading).sum()):
            return Decision(reading=reading, values=_plain_days(values))
    different = rest.unique(maintain_order=True)
    parts = split_dates(different)
    has_zone = parts.get_column("z").is_not_null()
    is_dated = parts.get_column("form").is_not_null()
    if has_zone.any() and not has_zone.filter(is_dated).all():
        return as_text(cells, ColumnReading(kind="text", reason="zones"))
    order = DateOrder(order="day_first")
    if (parts.get_column("form") == "two").any():
        numbers = pl.Series(range(len(different)), dtype=pl.UInt32)
        order = find_order(parts, cells.replace_strict(different, numbers, default=None, return_dtype=pl.UInt32))
    if order.order == "mixed":
        return as_text(cells, ColumnReading(kind="text", reason="mixed_dates"))
    reading = ColumnReading(
        kind="date",
        date_format=describe_format(parts, order),
        missing=missing,
        time_zone="UTC" if has_zone.any() else "",
    )
    if order.order == "open":
        readable = combine_parts(parts, day_first=True)
        unread = int((readable.is_null()).sum())
        return Decision(reading=reading, order=order) if unread <= UNPARSED_SHARE * len(different) else None
    return settle_dates(cells, reading, order)


def settle_dates(cells: pl.Series, reading: ColumnReading, order: DateOrder) -> Decision | None:
    """Return the column read with the order of day and month settled; None where too few cells are dates."""
    form = reading.date_format
    if order.order == "month_first" and reading.day_first:
        form = form.replace("%d", "%#").replace("%m", "%d").replace("%#", "%m")
        reading = replace(reading, date_format=form)
    values = parse_column(cells, reading)
    if not _is_readable(cells, values, reading):
        return None
    return Decision(reading=reading, values=values, order=order)


def _plain_days(values: pl.Series) -> pl.Series:
    """Return plain days where no date has a time of day."""
    if values.dtype == pl.Date or not bool((values == values.dt.truncate("1d")).all()):
        return values
    return values.cast(pl.Date)
