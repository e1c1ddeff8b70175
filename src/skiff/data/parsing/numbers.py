"""Columns of numbers: marks inside them, signs around them, and what they count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import polars as pl

from skiff.data.parsing.reading import ColumnReading

LONGEST_ID = 15
"""Digits a double holds exactly (IEEE 754-2019: 53 bits, 15.95 decimal digits); a longer number is an id, not a count."""

CURRENCIES = (
    "US$", "R$", "A$", "C$", "$", "€", "£", "¥", "₹", "₽", "₩", "₺", "₪", "₴", "฿", "₫", "¢", "zł", "Kč", "kr.", "kr", "Ft", "lei",
    "Fr.", "руб.", "руб", "元", "円",
    "EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN",
    "TRY", "RUB", "BRL", "MXN", "ARS", "CLP", "COP", "ZAR", "KRW", "SGD", "HKD", "TWD", "THB", "ILS", "AED", "SAR",
)  # fmt: skip
"""Signs and ISO 4217 codes in use beside amounts; longer before shorter."""

UNITS = frozenset({
    "kg", "g", "mg", "µg", "t", "lb", "lbs", "oz", "km", "m", "cm", "mm", "mi", "ft", "in", "inch", "yd", "l",
    "ml", "cl", "dl", "gal", "liter", "litre", "liters", "litres", "h", "hr", "hrs", "hour", "hours", "std", "min",
    "mins", "minute", "minutes", "s", "sec", "secs", "second", "seconds", "ms", "d", "day", "days", "tag", "tage",
    "week", "weeks", "month", "months", "monate", "year", "years", "yr", "yrs", "jahre", "°c", "°f", "c°", "w",
    "kw", "kwh", "mw", "mwh", "gw", "wh", "v", "a", "ma", "mah", "hz", "khz", "mhz", "ghz", "b", "kb", "mb", "gb",
    "tb", "kib", "mib", "gib", "px", "pt", "pcs", "pc", "stk", "stück", "st", "qm", "m2", "m²", "m3", "m³", "sqm",
    "sqft", "km²", "ha", "km/h", "kph", "mph", "hp", "ps", "cc", "rpm", "bar", "psi", "hpa", "nm", "kcal", "cal",
    "kj", "j", "ppm", "x",
})  # fmt: skip
"""Units written directly behind a number; other words need a blank before them and at least three letters."""

DECIMAL_PROOF = 20
"""Different grouped numbers, all with exactly three digits behind the mark, that prove a thousands mark where whole
numbers stand without it: as decimals one in ten would have lost a final zero, 0.9^20 = 0.12, and 999 stands bare."""

RARE = 20
"""One mark this many times as frequent as the other: the rare ones are cells that cannot be read."""

_GROUPS_WITH_DOT = "|".join(rf"(?:{mark}\d{{2,3}})*{mark}\d{{3}}" for mark in (",", "['’]", " "))
_GROUPS_WITH_COMMA = "|".join(rf"(?:{mark}\d{{3}})+" for mark in (r"\.", "['’]", " "))
_WITH_DOT = rf"^(?:\d+|[1-9]\d{{0,2}}(?:{_GROUPS_WITH_DOT}))?(?:\.\d*)?(?:[eE][+-]?\d+)?$"
_WITH_COMMA = rf"^(?:\d+|[1-9]\d{{0,2}}(?:{_GROUPS_WITH_COMMA}))?(?:,\d*)?(?:[eE][+-]?\d+)?$"
"""One mark groups a whole number: in "56 272,715" the blank does, so the comma stands before decimals."""

Evidence: TypeAlias = Literal["none", "dot", "comma", "open"]

_SPACES = "\u00a0\u202f\u2009\u2007"
_BODY = r"\d[\d.,'’ ]*(?:[eE][+-]?\d{1,3})?|[.,]\d+"
_SHAPE = re.compile(
    rf"(?P<o1>\()?\s*(?P<s1>[-+])?\s*(?P<pre>%|[^\d\s.,()'’+%-]{{1,4}}\.?)?\s*(?P<o2>\()?\s*(?P<s2>[-+])?\s*(?P<body>{_BODY})"
    r"\s*(?:(?P<s3>-)(?=[\s)%$€£¥₹₽₩₺₪₴฿₫¢]|$))?(?P<c2>\))?\s*(?P<post>%|[^\d\s.,()'’+%-][^\d\s()%]{0,11}\.?)?\s*(?P<s4>-)?\s*(?P<c1>\))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSigns:
    """What stands around the numbers of a column."""

    currency: str = ""
    unit: str = ""
    percent: bool = False
    is_mixed: str = ""


def split_number(cell: str) -> tuple[str, str, str] | None:
    """Return what stands before the digits of `cell`, the digits, and what stands behind; None if it is no number.

    Examples
    --------
    >>> split_number("($1,250.60)"), split_number("12 kg"), split_number("44.62-€"), split_number("12-A")
    (('$', '1,250.60', ''), ('', '12', 'kg'), ('', '44.62', '€'), None)
    """
    text = cell.strip().replace("−", "-")
    for space in _SPACES:
        text = text.replace(space, " ")
    found = _SHAPE.fullmatch(text)
    if not found:
        return None
    opened, closed = (sum(bool(found[name]) for name in names) for names in (("o1", "o2"), ("c1", "c2")))
    if opened != closed or opened + sum(bool(found[name]) for name in ("s1", "s2", "s3", "s4")) > 1:
        return None
    return found["pre"] or "", found["body"].strip(), found["post"] or ""


def find_signs(cells: Sequence[str]) -> NumberSigns | None:
    """Return the signs that a sample of cells shares; None where they are no numbers or share none.

    Examples
    --------
    >>> find_signs(["$5", "$1,200.50"]), find_signs(["9.8%", "0.1%"]).percent, find_signs(["12 kg", "7 kg"]).unit
    (NumberSigns(currency='$', unit='', percent=False, is_mixed=''), True, 'kg')
    """
    parts = [split for split in map(split_number, cells) if split]
    before = Counter(pre for pre, _, _ in parts if pre)
    behind = Counter(post for _, _, post in parts if post)
    percent = behind.pop("%", 0) + before.pop("%", 0)
    money = {sign: count for sign, count in (before + behind).items() if sign in CURRENCIES}
    others = {sign for sign in [*before, *behind] if sign not in CURRENCIES}
    if sum(bool(part) for part in (percent, money, others)) > 1:
        return None
    if percent:
        plain = sum(not (pre or post) and body.strip("0.,") != "" for pre, body, post in parts)
        return NumberSigns(percent=True, is_mixed="percent" if plain else "")
    if money:
        return NumberSigns(
            currency=max(money, key=lambda sign: money[sign]), is_mixed="currencies" if len(money) > 1 else ""
        )
    if others:
        return _find_unit(cells, before, behind, n_parts=len(parts))
    return NumberSigns()


def _find_unit(cells: Sequence[str], before: Counter[str], behind: Counter[str], *, n_parts: int) -> NumberSigns | None:
    has_blank = all(re.search(r"\d[-)]?\s+\S+$", cell.strip()) for cell in cells if split_number(cell))
    is_known = {unit: is_unit(unit) or (len(unit) >= 3 and has_blank) for unit in behind}  # noqa: PLR2004  shorter ones are parts of codes
    if before or not all(is_known.values()):
        return None
    unit, count = behind.most_common(1)[0]
    if len(behind) == 1 and count == n_parts:
        return NumberSigns(unit=unit)
    are_units = all(map(is_unit, behind)) and sum(behind.values()) >= n_parts / 2
    return NumberSigns(unit=unit, is_mixed="units") if are_units else None


def is_unit(word: str) -> bool:
    """Return whether `word` is a unit of measure people write behind numbers.

    Examples
    --------
    >>> is_unit("kg"), is_unit("Stk."), is_unit("Main")
    (True, True, False)
    """
    return word.lower().rstrip(".") in UNITS


def find_decimal_evidence(cells: pl.Series) -> Evidence:
    """Return which decimal mark the digits of `cells` (unique, signs taken off) prove.

    ``none``: no mark occurs; ``open``: each could be thousands or decimals.

    Examples
    --------
    >>> [find_decimal_evidence(pl.Series(cells)) for cells in (["20,75"], ["1,234.5"], ["1.234"], ["12"], ["56 272,715"])]
    ['comma', 'dot', 'open', 'none', 'comma']
    """
    marked = cells.filter(cells.str.contains("[.,]"))
    if not len(marked):
        return "none"
    as_dot, as_comma = marked.str.contains(_WITH_DOT), marked.str.contains(_WITH_COMMA)
    dots, commas, either = (int(mask.sum()) for mask in (as_dot & ~as_comma, as_comma & ~as_dot, as_dot & as_comma))
    if dots and commas:
        return "dot" if dots > RARE * commas else "comma" if commas > RARE * dots else "open"
    if dots or commas:
        return "dot" if dots else "comma"
    return _weigh_groups(cells, marked.filter(as_dot & as_comma)) if either else "none"


def _weigh_groups(cells: pl.Series, either: pl.Series) -> Evidence:
    """Decide between thousands and three decimals from whole numbers that stand without a mark."""
    is_comma, is_dot = bool(either.str.contains(",").any()), bool(either.str.contains(".", literal=True).any())
    if is_comma and is_dot:
        return "open"
    bare = cells.filter(cells.str.contains(r"^\d+$"))
    if bare.str.contains(r"^\d{4,}$").any():  # 1234 bare beside 1.234: the mark is decimal
        return "comma" if is_comma else "dot"
    if len(bare) and len(either) >= DECIMAL_PROOF:
        return "dot" if is_comma else "comma"
    return "open"


def find_thousands(cells: pl.Series, decimal: str) -> str:
    """Return the thousands mark that occurs in `cells`, or an empty string.

    Examples
    --------
    >>> find_thousands(pl.Series(["19.678,85", "12,00"]), ","), find_thousands(pl.Series(["12.5"]), ".")
    ('.', '')
    """
    for mark in (",", ".", "'", "’", " "):
        if mark != decimal and cells.str.contains(rf"\d{re.escape(mark)}\d{{2,3}}", literal=False).any():
            return mark
    return ""


def strip_signs(cells: pl.Series, reading: ColumnReading) -> pl.DataFrame:
    """Return the digits of each cell without signs (``body``) and whether it is negative (``minus``)."""
    text = cells.str.strip_chars().str.replace_all("−", "-", literal=True)
    if cells.str.contains(f"[{_SPACES}]").any():
        text = text.str.replace_all(f"[{_SPACES}]", " ")
    for sign in filter(None, (reading.currency, reading.unit, "%" if reading.percent else "")):
        escaped = re.escape(sign)  # only at an end: 12€50 is not 1250
        text = text.str.replace(rf"^([-+(\s]*){escaped}", "${1}").str.replace(rf"{escaped}([-)\s]*)$", "${1}")
    text = text.str.strip_chars()
    in_brackets = text.str.starts_with("(") & text.str.ends_with(")")
    if in_brackets.any():
        text = pl.select(pl.when(in_brackets).then(text.str.strip_chars("() ")).otherwise(text)).to_series()
    minus = in_brackets | text.str.contains(r"^-|[^eE]-$")
    return pl.DataFrame({"body": text.str.replace(r"^[-+]\s*", "").str.replace(r"\s*-$", ""), "minus": minus})


def parse_numbers(cells: pl.Series, reading: ColumnReading) -> pl.Series:
    """Return `cells` as Float64 (Int64 where the reading says whole numbers); cells that do not fit are null.

    Exact: the digits are put into plain form and read once, so 9.8 % is the double nearest to 0.098.

    Examples
    --------
    >>> money = ColumnReading(kind="number", currency="$", thousands=",")
    >>> parse_numbers(pl.Series(["($1,250.60)", "$5", "12 EUR"]), money).to_list()
    [-1250.6, 5.0, None]
    """
    is_plain = reading.decimal == "." and not (reading.thousands or reading.currency or reading.unit or reading.percent)
    if is_plain:
        made = _cast_plain(cells, reading)
        if made is not None:
            return made
    different = cells.unique().drop_nulls()
    values = _parse_careful(different, reading)
    if len(different) == len(cells):  # nothing repeats: keep the order by reading the cells themselves
        return _parse_careful(cells, reading)
    return cells.replace_strict(different, values, default=None, return_dtype=values.dtype)


def _cast_plain(cells: pl.Series, reading: ColumnReading) -> pl.Series | None:
    """Return the direct cast where it reads every cell that holds something, else None."""
    made = cells.cast(pl.Int64 if reading.is_integer else pl.Float64, strict=False)
    if made.null_count() != cells.null_count():
        return None
    if not reading.is_integer and not made.is_finite().fill_null(value=True).all():
        return None
    return made


def _parse_careful(cells: pl.Series, reading: ColumnReading) -> pl.Series:
    parts = strip_signs(cells, reading)
    body, decimal = parts.get_column("body"), re.escape(reading.decimal)
    if reading.thousands:
        mark = "['’]" if reading.thousands in "'’" else re.escape(reading.thousands)
        groups = rf"\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}|\d+"
    else:
        mark, groups = "", r"\d+"
    fits = body.str.contains(rf"^(?:(?:{groups})(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d{{1,3}})?$")
    plain = body.str.replace_all(mark, "") if mark else body
    if reading.decimal != ".":
        plain = plain.str.replace(reading.decimal, ".", literal=True)
    if reading.percent:
        plain = plain + pl.Series(["e-2"])
    signed = pl.select(pl.when(parts.get_column("minus")).then(pl.lit("-") + plain).otherwise(plain)).to_series()
    wanted = pl.Int64 if reading.is_integer else pl.Float64
    made = signed.cast(wanted, strict=False)
    sane = fits & made.is_finite() if wanted == pl.Float64 else fits
    return pl.select(pl.when(sane).then(made).otherwise(None)).to_series().rename(cells.name)
