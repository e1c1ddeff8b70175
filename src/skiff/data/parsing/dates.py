"""Columns of dates: many forms, one meaning; what two readings allow is settled by evidence or asked."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeAlias

import polars as pl

from skiff.data.parsing.reading import ColumnReading

MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar jän jänner janvier janv enero ene gennaio gen janeiro januari januar",
            "feb february februar février févr fevrier fév febrero febbraio fevereiro fev februari",
            "mar march märz mär maerz mrz mars marzo março marco maart mrt",
            "apr april avril avr abril abr aprile",
            "may mai mayo maggio mag maio mei",
            "jun june juni juin junio giugno giu junho",
            "jul july juli juillet juil julio luglio lug julho",
            "aug august août aout agosto ago augustus",
            "sep sept september septembre septiembre settembre set setembro",
            "oct october oktober okt octobre octubre ottobre ott outubro out",
            "nov november novembre noviembre novembro",
            "dec december dezember dez décembre déc decembre diciembre dic dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
"""English, German, French, Spanish, Italian, Portuguese and Dutch names; no abbreviation means two months."""

PIVOT_YEAR = 69
"""Two-digit years from here on are 19xx, below 20xx (POSIX.1-2024, strptime, %y)."""

SECOND_LETTERS = 19
"""Letters of an ISO stamp up to its seconds."""

MOST_PARTS = 6
"""Digits of a second that a stamp holds: microseconds."""

ENOUGH_FOR_ORDER = 5
"""Different dates that must stand in order to prove a reading; five stand so by chance in 1 of 120."""

_TIME = (
    r"(?:[T\s,]+(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?\s*(?P<p>[AaPp])?\.?(?:[Mm]\.?)?"
    r"\s*(?P<z>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?\s*$"
)
_DAY_NAME = r"^\s*(?:\p{L}{2,10}\.?,?\s+)?"
_YMD = r"^\s*(?:\p{L}{2,10}\.?,?\s+)?(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d{1,2})[-/.](?P<d>\d{1,2})" + _TIME
_COMPACT = r"^\s*(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?:T?(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})?(?P<z>Z)?)?\s*$"
_TWO = _DAY_NAME + r"(?P<a>\d{1,2})(?P<sep>[-/.])(?P<b>\d{1,2})[-/.](?P<y>\d{4}|\d{2})\.?" + _TIME
_DAY_MONTH = (
    _DAY_NAME
    + r"(?P<d>\d{1,2})(?:st|nd|rd|th|\.|º)?(?P<sep>[\s/.-]+)(?:(?:de|of)\s+)?(?P<n>\p{L}{3,10})\.?,?[\s/.-]+(?:(?:de|of)\s+)?'?(?P<y>\d{4}|\d{2})"
    + _TIME
)
_MONTH_DAY = (
    r"^\s*(?:\p{L}{6,10},\s+|\p{L}{2,3}\.?,?\s+)?(?P<n>\p{L}{3,10})\.?(?P<sep>[\s/-]+)(?P<d>\d{1,2})(?:st|nd|rd|th)?,?[\s/-]+(?P<y>\d{4})"
    + _TIME
)
_YEAR_MONTH = r"^\s*(?P<y>\d{4})(?P<sep>[\s/-]+)(?P<n>\p{L}{3,10})\.?[\s/-]+(?P<d>\d{1,2})" + _TIME
_UNIX = r"^\s*\p{L}{3}\s+(?P<n>\p{L}{3})\s+(?P<d>\d{1,2})\s+(?P<H>\d{2}):(?P<M>\d{2}):(?P<S>\d{2})\s+(?:(?P<z>UTC|GMT)\s+)?(?P<y>\d{4})\s*$"

_FORMS: tuple[tuple[str, str], ...] = (
    (_YMD, "%Y-%m-%d"), (_TWO, "two"), (_COMPACT, "%Y%m%d"), (_DAY_MONTH, "%d %b %Y"), (_MONTH_DAY, "%b %d, %Y"),
    (_YEAR_MONTH, "%Y %b %d"), (_UNIX, "%a %b %d %H:%M:%S %Y"),
)  # fmt: skip
_FIELDS = ("y", "m", "d", "a", "b", "n", "sep", "H", "M", "S", "f", "p", "z")

_DIRECT = (
    ("%Y-%m-%d", False), ("%Y-%m-%d %H:%M:%S", True), ("%Y-%m-%dT%H:%M:%S", True), ("%Y-%m-%d %H:%M", True),
    ("%Y-%m-%dT%H:%M", True), ("%Y-%m-%d %H:%M:%S%.f", True), ("%Y-%m-%dT%H:%M:%S%.f", True),
)  # fmt: skip
_DIRECT_SHAPES = {
    "%Y-%m-%d": r"\d{4}-\d{2}-\d{2}",
    "%Y-%m-%d %H:%M:%S": r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}",
    "%Y-%m-%dT%H:%M:%S": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}",
    "%Y-%m-%d %H:%M": r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}",
    "%Y-%m-%dT%H:%M": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}",
    "%Y-%m-%d %H:%M:%S%.f": r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{1,6}",
    "%Y-%m-%dT%H:%M:%S%.f": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{1,6}",
}
"""Forms that Polars reads at full speed; a sample must match exactly, because its parser is lenient."""

Order: TypeAlias = Literal["day_first", "month_first", "open", "mixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DateOrder:
    """Whether the day or the month stands first, and what proves it.

    Parameters
    ----------
    order : {"day_first", "month_first", "open", "mixed"}
        ``open`` where nothing settles it, ``mixed`` where cells contradict each other.
    proof : {"", "number", "point", "sequence", "same", "neighbour"}
        A part above 12; points between the parts; dates in order of rows under one reading only; both readings give
        the same dates; another column of the file.
    separator : str
    year_digits : int
        2 or 4; 0 where cells differ.
    """

    order: Order
    proof: str = ""
    separator: str = ""
    year_digits: int = 0

    def is_written_like(self, other: DateOrder) -> bool:
        """Whether both columns may come from one hand: other signs between the parts, or other years, come from another."""
        return (self.separator, self.year_digits) == (other.separator, other.year_digits)


def find_direct_format(sample: list[str]) -> str:
    """Return the plain ISO form that all of `sample` have, or an empty string.

    Examples
    --------
    >>> find_direct_format(["2012-09-04", "2014-03-08"]), find_direct_format(["2012-09-04", "4.9.2012"])
    ('%Y-%m-%d', '')
    """
    for form, shape in _DIRECT_SHAPES.items():
        if sample and all(re.fullmatch(shape, cell) for cell in sample):
            return form
    return ""


def split_dates(cells: pl.Series) -> pl.DataFrame:
    """Return the parts of each cell as text, and which form it has (null where it is no date).

    Columns: ``y m d a b n sep H M S f p z form``; ``a`` and ``b`` are day and month in an order still to be settled.
    """
    table = pl.DataFrame({"cell": cells.rename("cell")})
    made = pl.DataFrame({name: pl.repeat(None, len(cells), dtype=pl.String, eager=True) for name in (*_FIELDS, "form")})
    left = pl.repeat(True, len(cells), dtype=pl.Boolean, eager=True)  # noqa: FBT003  a value, not a flag
    for pattern, form in _FORMS:
        mask = left & cells.str.contains(pattern).fill_null(value=False)
        if not mask.any():
            continue
        parts = table.select(pl.col("cell").str.extract_groups(pattern)).unnest("cell")
        made = made.with_columns(
            [
                pl.when(mask).then(parts.get_column(name)).otherwise(pl.col(name)).alias(name)
                for name in _FIELDS
                if name in parts.columns
            ]
            + [pl.when(mask).then(pl.lit(form)).otherwise(pl.col("form")).alias("form")]
        )
        left = left & ~mask
    return made


def find_order(parts: pl.DataFrame, rows: pl.Series | None = None) -> DateOrder:
    """Return whether the day or the month stands first in the cells of form ``a/b/year``.

    Parameters
    ----------
    parts : polars.DataFrame
        From `split_dates`, one row a different cell.
    rows : polars.Series of UInt32, optional
        For each row of the table the row of `parts`, to look at the order of the dates.

    Examples
    --------
    >>> find_order(split_dates(pl.Series(["8/20/1934", "1/2/1942"]))).order
    'month_first'
    >>> find_order(split_dates(pl.Series(["01/02/2020", "03/04/2020"]))).order
    'open'
    """
    two = parts.filter(pl.col("form") == "two")
    first, second = two.get_column("a").cast(pl.Int64), two.get_column("b").cast(pl.Int64)
    separators, years = two.get_column("sep").unique().to_list(), two.get_column("y").str.len_bytes().unique().to_list()
    separator = separators[0] if len(separators) == 1 else ""
    found, proof = _settle_order(parts, rows, first, second, separator)
    return DateOrder(order=found, proof=proof, separator=separator, year_digits=years[0] if len(years) == 1 else 0)


def _settle_order(
    parts: pl.DataFrame, rows: pl.Series | None, first: pl.Series, second: pl.Series, separator: str
) -> tuple[Order, str]:
    """Return the order and its proof from the leading parts, as numbers."""
    day_proofs, month_proofs = int((first > 12).sum()), int((second > 12).sum())  # noqa: PLR2004  months
    if day_proofs and month_proofs:
        return "mixed", ""
    if day_proofs or month_proofs:
        return ("day_first" if day_proofs else "month_first"), "number"
    if separator == ".":
        return "day_first", "point"
    if (first == second).all():
        return "day_first", "same"
    ordered = _find_order_of_rows(parts, rows)
    return ordered, "sequence" if ordered != "open" else ""


def _find_order_of_rows(parts: pl.DataFrame, rows: pl.Series | None) -> Order:
    if rows is None:
        return "open"
    runs = {}
    for name, (day, month) in {"day_first": ("a", "b"), "month_first": ("b", "a")}.items():
        key = parts.select(
            pl.col("y").cast(pl.Int64) * 10_000 + pl.col(month).cast(pl.Int64) * 100 + pl.col(day).cast(pl.Int64)
        ).to_series()
        in_rows = key.gather(rows.drop_nulls()).drop_nulls()
        changes = in_rows.diff().drop_nulls()
        distinct = in_rows.n_unique()
        runs[name] = distinct >= ENOUGH_FOR_ORDER and (bool((changes >= 0).all()) or bool((changes <= 0).all()))
    if runs["day_first"] == runs["month_first"]:
        return "open"
    return "day_first" if runs["day_first"] else "month_first"


def parse_dates(cells: pl.Series, reading: ColumnReading) -> pl.Series:
    """Return `cells` as Date, or as Datetime in microseconds (UTC, without a zone) where any has a time of day.

    Cells that are no date are null. The order of day and month comes from ``reading.date_format``.

    Examples
    --------
    >>> german = ColumnReading(kind="date", date_format="%d.%m.%Y")
    >>> [str(day) for day in parse_dates(pl.Series(["01.02.2015", "31.02.2015"]), german).to_list()]
    ['2015-02-01', 'None']
    """
    direct = _parse_direct(cells, reading.date_format)
    if direct is not None:
        return direct
    different = cells.unique().drop_nulls()
    values = combine_parts(split_dates(different), day_first=reading.day_first)
    return cells.replace_strict(different, values, default=None, return_dtype=values.dtype)


def _parse_direct(cells: pl.Series, form: str) -> pl.Series | None:
    for known, has_time in _DIRECT:
        if known != form:
            continue
        if not has_time:
            made = cells.str.to_date(form, strict=False)
        else:
            quick = _parse_parts_apart(cells, form) if form.endswith("%.f") else None
            made = cells.str.to_datetime(form, time_unit="us", strict=False) if quick is None else quick
        if made.null_count() == cells.null_count():
            return made
    return None


def _parse_parts_apart(cells: pl.Series, form: str) -> pl.Series | None:
    """Return stamps whose seconds and equally many digits behind their point are read apart, in half the time; None where not so."""
    whole, parts = cells.str.slice(0, SECOND_LETTERS), cells.str.slice(SECOND_LETTERS)
    digits, most = parts.str.len_bytes().min(), parts.str.len_bytes().max()
    low, high = parts.min(), parts.max()
    is_plain = isinstance(low, str) and isinstance(high, str) and low >= ".0" and high < ".:"  # a point, then a digit
    if not is_plain or not isinstance(digits, int) or digits != most or digits > MOST_PARTS + 1:
        return None
    stamps = whole.str.to_datetime(form.removesuffix("%.f"), time_unit="us", strict=False)
    micros = parts.str.slice(1).cast(pl.Int64, strict=False) * 10 ** (MOST_PARTS + 1 - digits)
    made = (stamps.cast(pl.Int64) + micros).cast(pl.Datetime("us"))
    return made if made.null_count() == cells.null_count() else None


def combine_parts(parts: pl.DataFrame, *, day_first: bool | None) -> pl.Series:
    """Return the dates that the parts of `split_dates` stand for; null where they are none (30 February)."""
    is_two = pl.col("form") == "two"
    day_part, month_part = ("b", "a") if day_first is False else ("a", "b")
    month = (
        pl.when(is_two).then(pl.col(month_part))
        .when(pl.col("n").is_not_null()).then(pl.col("n").str.to_lowercase().replace_strict({name: str(number) for name, number in MONTHS.items()}, default=None, return_dtype=pl.String))
        .otherwise(pl.col("m"))
    )  # fmt: skip
    day = pl.when(is_two).then(pl.col(day_part)).otherwise(pl.col("d"))
    if day_first is None:
        day = pl.when(is_two & (pl.col("a") != pl.col("b"))).then(None).otherwise(day)
    short = pl.col("y").cast(pl.Int64)
    year = (
        pl.when(pl.col("y").str.len_bytes() == 2)  # noqa: PLR2004  named by its place
        .then(short + pl.when(short < PIVOT_YEAR).then(2000).otherwise(1900))
        .otherwise(short)
    )
    hour = pl.col("H").cast(pl.Int64).fill_null(0)
    half = pl.col("p").str.to_lowercase()
    hour = pl.when(half == "p").then(hour % 12 + 12).when(half == "a").then(hour % 12).otherwise(hour)
    iso = pl.concat_str(
        year.cast(pl.String).str.zfill(4), pl.lit("-"), month.str.zfill(2), pl.lit("-"), day.str.zfill(2), pl.lit(" "),
        hour.cast(pl.String).str.zfill(2), pl.lit(":"), pl.col("M").fill_null("00"), pl.lit(":"), pl.col("S").fill_null("00"),
    )  # fmt: skip
    stamps = iso.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    micros = pl.col("f").str.pad_end(9, "0").str.slice(0, 6).cast(pl.Int64).fill_null(0)
    zone = pl.col("z").str.replace(":", "", literal=True)
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    shift_minutes = pl.when(zone.str.contains(r"^[+-]")).then(
        sign * (zone.str.slice(1, 2).cast(pl.Int64, strict=False) * 60 + zone.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0))
    ).otherwise(0)  # fmt: skip
    moved = stamps + pl.duration(microseconds=micros) - pl.duration(minutes=shift_minutes)
    made = parts.select(moved.cast(pl.Datetime("us"))).to_series()
    has_time = parts.get_column("H").is_not_null().any()
    return made if has_time and not _is_midnight(made) else made.cast(pl.Date)


def _is_midnight(stamps: pl.Series) -> bool:
    """Return whether no date has a time of day: programs often write 00:00:00 behind plain dates."""
    return bool((stamps == stamps.dt.truncate("1d")).all())


def describe_format(parts: pl.DataFrame, order: DateOrder) -> str:
    """Return the usual form of the dates, such as ``%d.%m.%Y %H:%M``.

    Examples
    --------
    >>> describe_format(split_dates(pl.Series(["31-Jul-18"])), DateOrder(order="open"))
    '%d-%b-%y'
    """
    known = parts.filter(pl.col("form").is_not_null())
    if not known.height:
        return ""
    keys = known.select(
        "form",
        "sep",
        year=pl.col("y").str.len_bytes(),
        hour=pl.col("H").is_not_null(),
        second=pl.col("S").is_not_null(),
        half=pl.col("p").is_not_null(),
        zone=pl.col("z").is_not_null(),
        part=pl.col("f").is_not_null(),
    )
    form, sep, year, hour, second, half, zone, part = Counter(keys.iter_rows()).most_common(1)[0][0]
    if form == "two":
        form = f"%m{sep}%d{sep}%Y" if order.order == "month_first" else f"%d{sep}%m{sep}%Y"
    elif form in {"%Y-%m-%d", "%d %b %Y"} and sep:
        form = form.replace("-" if form == "%Y-%m-%d" else " ", sep)
    form = form.replace("%Y", "%y") if year == 2 else form  # noqa: PLR2004  two digits
    if hour and "%H" not in form:
        form += (
            (" %I:%M" if half else " %H:%M")
            + (":%S" if second else "")
            + ("%.f" if part else "")
            + (" %p" if half else "")
            + ("%z" if zone else "")
        )
    return str(form)
