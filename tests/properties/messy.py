"""Random tables written as clients write them: any dialect, encoding and habit, with the truth beside the bytes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Literal

from hypothesis import strategies as st

Value = None | bool | int | float | str | dt.date | dt.datetime
Quoting = Literal["minimal", "text", "all"]

WORDS: dict[str, str] = {
    "utf-8": "Größe café 東京 Ελλάδα Москва señor naïve İstanbul 서울 Łódź ערב مرحبا crème 📦box plain blue house oak",
    "cp1252": "Größe Übung Straße café naïve garçon señor Málaga Zürich Köln façade jalapeño crème plain blue house",
    "cp1250": "Łódź źródło święto gęś Příliš žluťoučký kůň úpěl ďábelské ódy řeka štěstí město plain zelený",
    "cp1251": "Москва улица зелёный большой город хлеб молоко вода красный синий дерево камень окно",
    "koi8-r": "Москва улица зелёный большой город хлеб молоко вода красный синий дерево камень окно",
    "cp866": "Москва улица зелёный большой город хлеб молоко вода красный синий дерево камень окно",
    "cp1253": "Αθήνα δρόμος μεγάλος πόλη ψωμί γάλα νερό κόκκινος μπλε δέντρο πέτρα παράθυρο",
    "cp1254": "İstanbul çarşı ağaç güneş yağmur kırmızı şehir büyük küçük değil ışık öğrenci çiçek",
    "cp1255": "שלום ירושלים רחוב גדול עיר לחם חלב מים אדום כחול עץ אבן חלון ילדים",
    "cp1256": "مدينة شارع كبير خبز حليب ماء أحمر أزرق شجرة حجر نافذة كتاب مدرسة",
    "mac_roman": "Größe Übung Straße café naïve garçon señor Málaga Zürich Köln façade jalapeño crème",
    "cp850": "Größe Übung Straße café naïve garçon señor Málaga Zürich Köln façade jalapeño crème",
    "gb18030": "北京 上海 客户 产品 数量 价格 日期 红色 蓝色 绿色 城市 街道 面包 牛奶",
    "big5": "臺北 高雄 客戶 產品 數量 價格 日期 紅色 藍色 綠色 城市 街道 麵包 牛奶",
    "cp932": "東京 大阪 顧客 商品 数量 価格 りんご みかん カメラ テレビ 青色 緑色 ひらがな 京都",
    "euc_jp": "東京 大阪 顧客 商品 数量 価格 りんご みかん カメラ テレビ 青色 緑色 ひらがな 京都",
    "cp949": "서울 부산 고객 상품 수량 가격 사과 우유 빨강 파랑 도시 거리 학교 나무",
}
"""Words of daily life by encoding: an encoding without a mark can only be told from real words."""

WIDE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
SLIP = "see below"
MARKERS = ("NA", "n/a", "-", "?", "NULL", "#N/A", "nan")
LOCALES = ((".", ""), (".", ","), (",", ""), (",", "."), (",", " "), (",", "\u00a0"), (".", "'"), (".", " "))
"""Decimal and thousands marks in use side by side (CLDR)."""
YES_NO = (("yes", "no"), ("ja", "nein"), ("True", "False"), ("Y", "N"), ("oui", "non"), ("sí", "no"), ("TRUE", "FALSE"))
DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%b %d, %Y", "%d-%b-%y",
         "%d.%m.%y", "%m/%d/%y", "%d %B %Y")  # fmt: skip
TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%Y-%m-%dT%H:%M:%S.%f",
         "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%SZ")  # fmt: skip
FREE = "abcdefg ABC,;|\t\"'\\äé€ñ東мα\u2028\u0085\u00a0\u200b\ue00d\ue00e\U0001f600:^~#=+-@.0123456789()%$"
"""Letters that have broken readers: separators of lines in Unicode, private use, delimiters, quotes, formula signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The truth about one column beside its cells as written."""

    name: str
    kind: str
    form: str
    values: list[Value]
    cells: list[str]
    told: str = ""

    @property
    def proves_by_name(self) -> bool:
        """Whether only the name tells that numbers are points in time."""
        return self.form == "%Y%m%d" or self.form.startswith("counted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How the table is put into bytes."""

    delimiter: str
    quote: str
    escape: str
    quoting: Quoting
    newline: str
    encoding: str
    separator_line: bool = False
    trailing: bool = False
    drops_empty_ends: bool = False
    titles: tuple[str, ...] = ()
    blank_after_titles: bool = False
    has_header: bool = True
    groups: tuple[str, ...] = ()
    header_again_at: int | None = None
    totals: bool = False
    notes: tuple[str, ...] = ()
    subtotal_every: int = 0
    blank_first: int = 0
    quotes_at_random: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Messy:
    """A file of bytes, and what it holds."""

    data: bytes
    columns: list[Column]
    writing: Writing
    n_rows: int
    names: list[str]

    def show(self) -> str:
        """Return the file as text, for a person who looks into a failure."""
        return repr(self.data.decode(self.writing.encoding)[:3_000])


def group_digits(whole: str, mark: str) -> str:
    """Return the digits of a whole number in groups of three."""
    first = len(whole) % 3 or 3
    return mark.join([whole[:first], *[whole[at : at + 3] for at in range(first, len(whole), 3)]]) if mark else whole


def write_number(value: Decimal, decimal: str, thousands: str, *, negative: str = "-") -> str:
    """Return `value` as people of a place write it."""
    digits = f"{abs(value):f}"
    whole, _, part = digits.partition(".")
    made = group_digits(whole, thousands) + (decimal + part if part else "")
    if value >= 0:
        return made
    return f"({made})" if negative == "()" else f"{made}-" if negative == "after" else f"{negative}{made}"


def _numbers(random: Random, n_rows: int, locale: tuple[str, str]) -> Column:
    decimal, thousands = locale
    form = random.choice(
        ["whole", "whole", "big", "money", "money", "part", "percent", "unit", "scientific", "mixed parts"]
    )
    places = {
        "whole": 0,
        "big": 0,
        "money": 2,
        "part": random.randint(1, 6),
        "percent": random.randint(0, 2),
        "unit": random.choice([0, 1]),
    }
    size = random.choice([1, 10, 1_000, 1_000_000])
    negative = random.choice(["-", "-", "-", "−", "()", "after"])
    before, behind = "", ""
    if form == "money":
        before, behind = random.choice(
            [("$", ""), ("€ ", ""), ("", " €"), ("", "€"), ("EUR ", ""), ("", " CHF"), ("£", ""), ("", "")]
        )
    if form == "unit":
        behind = random.choice([" kg", "kg", " km/h", " °C", " Stück", "m²", " pcs", " Liter"])
    if form == "percent":
        behind = random.choice(["%", " %"])
    values: list[Value] = []
    cells = []
    for _ in range(n_rows):
        drawn = random.uniform(-0.2, 1) * (10**14 if form == "big" else size * 100)
        spread = random.randint(1, 4) if form == "mixed parts" else places.get(form, 3)
        exact = Decimal(repr(drawn)).quantize(Decimal(1).scaleb(-spread))
        exact = abs(exact) if exact == 0 else exact
        if form == "scientific":
            shown = f"{drawn:.{spread}e}"
            exact, text = Decimal(shown), shown.replace(".", decimal)
        else:
            text = write_number(exact, decimal, thousands, negative=negative)
        if exact < 0 and text.startswith("-") and before in {"$", "£"} and random.random() < 0.5:
            cells.append(f"-{before}{text[1:]}")
        else:
            cells.append(f"{before}{text}{behind}")
        values.append(float(exact.scaleb(-2)) if form == "percent" else float(exact))
    return Column(name="", kind="number", form=f"{form} {locale}", values=values, cells=cells)


def _ids(random: Random, n_rows: int) -> Column:
    form = random.choice(["zeros", "long", "phone"])
    digits = {"zeros": 5, "long": random.randint(17, 24), "phone": 11}[form]
    made = [str(random.randrange(10**digits)).zfill(digits) for _ in range(n_rows)]
    made[0] = ("0" if form == "zeros" else "9") + made[0][1:]
    made = [f"+{cell}" for cell in made] if form == "phone" else made
    return Column(name="", kind="text", form=form, values=list(made), cells=made)


def _dates(random: Random, n_rows: int) -> Column:
    has_time = random.random() < 0.4
    form = random.choice(TIMES if has_time else DATES)
    start = dt.datetime(random.randint(1970, 2060), 1, 1)
    values: list[Value] = []
    cells = []
    offset = random.choice([0, 120, -300, 330])
    has_summer = random.random() < 0.3  # the zone's offset changes twice a year
    for _ in range(n_rows):
        moment = start + dt.timedelta(seconds=random.randrange(86_400 * 1_500))
        finest = {"%f": 1, "%S": 1}.get(form[-2:], 60) if "%S" not in form else 1
        moment = moment.replace(second=moment.second if finest == 1 else 0)
        moment = moment.replace(microsecond=random.randrange(10**6) if "%f" in form else 0)
        if "%z" in form:
            zoned = moment.replace(tzinfo=dt.UTC).astimezone(
                dt.timezone(dt.timedelta(minutes=offset + 60 * (has_summer and 3 < moment.month < 11)))
            )
            cells.append(zoned.strftime(form))
        else:
            cells.append(moment.strftime(form))
        values.append(moment if has_time else moment.date())
    name = "date" if form == "%Y%m%d" and len(set(cells)) < 10 else ""  # 20220423 in a few rows may be any number
    return Column(name=name, kind="date", form=form, values=values, cells=cells)


def _counted(random: Random, n_rows: int) -> Column:
    unit = random.choice(["s", "ms", "excel"])
    values: list[Value] = []
    cells = []
    for _ in range(n_rows):
        moment = dt.datetime(2015, 1, 1) + dt.timedelta(seconds=random.randrange(86_400 * 2_000))
        seconds = int(moment.replace(tzinfo=dt.UTC).timestamp())
        if unit == "excel":
            values.append(moment.date())
            cells.append(str((moment.date() - dt.date(1899, 12, 30)).days))
        else:
            values.append(moment)
            cells.append(str(seconds * (1 if unit == "s" else 1_000)))
    return Column(
        name="date" if unit == "excel" else "created_at",
        kind="date",
        form=f"counted {unit}",
        values=values,
        cells=cells,
    )


def _yes_no(random: Random, n_rows: int) -> Column:
    yes, no = random.choice(YES_NO)
    values: list[Value] = [True, False, *[random.random() < 0.5 for _ in range(n_rows)]][:n_rows]
    return Column(name="", kind="boolean", form=yes, values=values, cells=[yes if value else no for value in values])


def _texts(random: Random, n_rows: int, words: Sequence[str], *, is_wide: bool) -> Column:
    form = random.choice(["category", "sentence", "free", "code"])
    made = []
    levels = random.sample(list(words), k=min(len(words), random.randint(2, 8)))
    for _ in range(n_rows):
        if form == "category":
            made.append(random.choice(levels))
        elif form == "code":
            made.append(f"{random.choice('ABC')}-{random.randint(1, 99)}")
        else:
            parts = [random.choice(words) for _ in range(random.randint(1, 8))]
            if form == "free" and is_wide:
                parts.insert(
                    random.randint(0, len(parts)), "".join(random.choice(FREE) for _ in range(random.randint(1, 8)))
                )
            mark = random.choice([" ", " ", " ", ", ", "; ", "\n", '" "', "|", "\t", " '", "'s "])
            made.append(mark.join(parts))
    return Column(name="", kind="text", form=form, values=list(made), cells=made)


def _with_slips(random: Random, column: Column) -> Column:
    """Return the column with one thing that goes wrong in it: an entry no one can read, a sentinel, an answer that looks missing."""
    n_rows = len(column.values)
    values, cells = list(column.values), list(column.cells)
    if column.kind == "number" and column.form.startswith("money") and n_rows >= 25 and random.random() < 0.3:
        at = random.randrange(n_rows)
        values[at], cells[at] = None, SLIP
        return replace(column, values=values, cells=cells, told="reading.unparsed_cells")
    if column.form.startswith("whole") and n_rows >= 12 and random.random() < 0.3:
        places = random.sample(range(n_rows), k=4)
        others = [value for at, value in enumerate(values) if isinstance(value, float) and at not in places]
        low = min(others, default=-999.0)
        for at in places:
            values[at], cells[at] = (None if low >= -999 / 5 else -999.0), "-999"
        return replace(
            column, values=values, cells=cells, told="reading.placeholder_missing" if low >= -999 / 5 else ""
        )
    if column.form == "category" and random.random() < 0.2:
        for at in random.sample(range(n_rows), k=2):
            values[at] = cells[at] = "None"
        return replace(column, values=values, cells=cells, told="reading.level_kept")
    return column


def _with_gaps(random: Random, column: Column) -> Column:
    rate = random.choice([0, 0, 0.1, 0.4])
    sign = random.choice(["", "", "", " ", random.choice(MARKERS)])
    if column.form in {"sentence", "free"}:
        sign = ""  # among sentences a lone "?" is what somebody wrote: it is kept, as it must be
    gone = [random.random() < rate and at > 1 for at in range(len(column.values))]
    return replace(
        column,
        values=[None if is_gone else value for value, is_gone in zip(column.values, gone, strict=True)],
        cells=[sign if is_gone else cell for cell, is_gone in zip(column.cells, gone, strict=True)],
    )


def make_columns(random: Random, n_rows: int, n_columns: int, words: Sequence[str], *, is_wide: bool) -> list[Column]:
    """Return columns of all kinds; one habit of writing numbers for the whole table."""
    locale = random.choice(LOCALES)
    columns: list[Column] = []
    for place in range(n_columns):
        kind = random.choice(["number", "number", "number", "date", "text", "text", "id", "yes_no", "counted"])
        if place == 0 and random.random() < 0.5:
            kind = "text"
        column = (
            _numbers(random, n_rows, locale) if kind == "number"
            else _dates(random, n_rows) if kind == "date"
            else _texts(random, n_rows, words, is_wide=is_wide) if kind == "text"
            else _ids(random, n_rows) if kind == "id"
            else _yes_no(random, n_rows) if kind == "yes_no"
            else _counted(random, n_rows)
        )  # fmt: skip
        name = random.choice(words) + random.choice([" name", " name", " no.", "_x", ", net", ' "old"', " (EUR)"])
        columns.append(_with_slips(random, _with_gaps(random, replace(column, name=column.name or name))))
    return columns


def write_cell(cell: str, writing: Writing, *, is_text: bool) -> str:
    """Return `cell` quoted as `writing` says, so that it can be read back."""
    special = (writing.delimiter, "\n", "\r", writing.quote)
    needs = any(mark in cell for mark in special) or (bool(writing.escape) and writing.escape in cell)
    if not (needs or writing.quoting == "all" or (writing.quoting == "text" and is_text)):
        return cell
    if writing.escape:
        cell = cell.replace(writing.escape, writing.escape * 2).replace(writing.quote, writing.escape + writing.quote)
    else:
        cell = cell.replace(writing.quote, writing.quote * 2)
    return f"{writing.quote}{cell}{writing.quote}"


def write_table(columns: Sequence[Column], writing: Writing) -> bytes:
    """Return the bytes of the file."""
    random = Random(writing.quotes_at_random)
    width = len(columns)
    lines = [""] * writing.blank_first
    lines += [f"sep={writing.delimiter}"] if writing.separator_line else []
    lines += [write_cell(title, writing, is_text=True) for title in writing.titles]
    lines += [""] if writing.blank_after_titles and writing.titles else []
    end = writing.delimiter if writing.trailing else ""
    if writing.groups:
        lines.append(
            writing.delimiter.join(write_cell(group, writing, is_text=False) for group in writing.groups) + end
        )
    header = writing.delimiter.join(write_cell(column.name, writing, is_text=True) for column in columns) + end
    if writing.has_header:
        lines.append(header)
    n_rows = len(columns[0].cells)
    for at in range(n_rows):
        cells = [
            write_cell(
                column.cells[at],
                replace(writing, quoting="all") if writing.quotes_at_random and random.random() < 0.3 else writing,
                is_text=column.kind == "text",
            )
            for column in columns
        ]
        if writing.drops_empty_ends:
            while len(cells) > 1 and not cells[-1]:
                cells.pop()
        lines.append(writing.delimiter.join(cells) + (end if len(cells) == width else ""))
        if writing.header_again_at == at:
            lines.append(header)
        if writing.subtotal_every and (at + 1) % writing.subtotal_every == 0:
            first = at + 1 - writing.subtotal_every
            lines.append(writing.delimiter.join(_sum_cells(columns, writing, "Subtotal", first, at + 1)) + end)
    if writing.totals:
        lines.append(writing.delimiter.join(_sum_cells(columns, writing, "Total", 0, n_rows)) + end)
    lines += ["", *[write_cell(note, writing, is_text=True) for note in writing.notes]] if writing.notes else []
    return (writing.newline.join(lines) + writing.newline).encode(writing.encoding)


def _sum_cells(columns: Sequence[Column], writing: Writing, label: str, first: int, stop: int) -> list[str]:
    made = [label]
    for column in columns[1:]:
        plain = column.form.startswith(("whole", "money"))
        values = [Decimal(repr(value)) for value in column.values[first:stop] if isinstance(value, float)]
        decimal, thousands = next((locale for locale in LOCALES if column.form.endswith(str(locale))), (".", ""))
        total = sum(values, Decimal(0)).quantize(Decimal(1) if column.form.startswith("whole") else Decimal("0.01"))
        made.append(write_cell(write_number(total, decimal, thousands), writing, is_text=False) if plain else "")
    return made


def _can_write(columns: Sequence[Column], encoding: str) -> bool:
    try:
        text = "".join([cell for column in columns for cell in [column.name, *column.cells]])
        return text.encode(encoding).decode(encoding) == text  # some encodings store two signs as one
    except UnicodeEncodeError:
        return False


DELIMITERS = (",", ";", "\t", "|", ",", ";", "^", "~", "\x1f", "\x01")
STYLES = (('"', ""), ('"', ""), ('"', "\\"), ("'", ""))
HABITS = ("plain", "plain", "sep", "trailing", "ends", "titles", "titles", "again", "totals", "subtotals", "notes", "doubled", "unnamed",
          "headless", "groups", "blank lines", "random quotes", "comment")  # fmt: skip


@st.composite
def messy_files(draw: st.DrawFn) -> Messy:
    """Draw a table and a way of writing it."""
    quote, escape = draw(st.sampled_from(STYLES), label="quote")
    writing = Writing(
        delimiter=draw(st.sampled_from(DELIMITERS), label="delimiter"),
        quote=quote,
        escape=escape,
        quoting=draw(st.sampled_from(["minimal", "minimal", "text", "all"]), label="quoting"),
        newline=draw(st.sampled_from(["\n", "\r\n", "\r"]), label="newline"),
        encoding=draw(st.sampled_from([*WIDE, *[name for name in WORDS if name != "utf-8"]]), label="encoding"),
    )
    n_rows, n_columns = draw(st.integers(3, 40), label="rows"), draw(st.integers(2, 8), label="columns")
    random = Random(draw(st.integers(0, 2**32 - 1), label="seed"))
    return build_messy(
        random, writing, n_rows=n_rows, n_columns=n_columns, habit=draw(st.sampled_from(HABITS), label="habit")
    )


def build_messy(random: Random, writing: Writing, *, n_rows: int, n_columns: int, habit: str) -> Messy:
    """Fill a table with cells, add the habit where the table allows it, and write all."""
    is_wide = writing.encoding in WIDE
    words = WORDS["utf-8" if is_wide else writing.encoding].split()
    columns = make_columns(random, n_rows, n_columns, words, is_wide=is_wide)
    if not _can_write(columns, writing.encoding):
        writing = replace(writing, encoding="utf-8")
    columns, writing = _add_habit(random, columns, writing, habit)
    written = [cell for column in columns for cell in [column.name if writing.has_header else "", *column.cells]]
    if writing.escape and not any('"' in cell for cell in written):
        writing = replace(writing, escape="")  # where no quote is escaped, nothing tells that a backslash escapes
    labels = [column.name for column in columns]
    if writing.groups:
        labels = [f"{group} {label}".strip() for group, label in zip(_carry(writing.groups), labels, strict=True)]
    names = name_truly(labels if writing.has_header else [""] * len(labels))
    return Messy(data=write_table(columns, writing), columns=columns, writing=writing, n_rows=n_rows, names=names)


def _carry(groups: Sequence[str]) -> list[str]:
    made: list[str] = []
    for group in groups:
        made.append(group or (made[-1] if made else ""))
    return made


def name_truly(labels: Sequence[str]) -> list[str]:
    """Return the names that columns must have: unique, invented where the file has none."""
    names: list[str] = []
    for place, label in enumerate(labels, start=1):
        wanted = " ".join(label.split()) or f"column_{place}"
        made, number = wanted, 1
        while made in names:
            made, number = f"{wanted}.{number}", number + 1
        names.append(made)
    return names


def _add_habit(random: Random, columns: list[Column], writing: Writing, habit: str) -> tuple[list[Column], Writing]:
    """Return the table and how it is written with one more habit of people, where the table can show it."""
    n_rows, names = len(columns[0].cells), [column.name for column in columns]
    if habit == "doubled" and not columns[-1].proves_by_name:
        names[-1] = names[0]
    if habit == "unnamed" and len(columns) > 3:
        at = random.randrange(len(columns))
        names[at] = names[at] if columns[at].proves_by_name else ""
    if habit == "groups" and len(columns) == 5 and not any(column.proves_by_name for column in columns):
        names[3:] = names[1:3]
        writing = replace(writing, groups=("", "2019", "", "2020", ""))
    if habit == "headless":
        is_plain = any(column.kind in {"number", "date"} and all(column.cells) for column in columns)
        writing = replace(writing, has_header=not is_plain or any(column.proves_by_name for column in columns))
    columns = [replace(column, name=name) for column, name in zip(columns, names, strict=True)]
    first = columns[0]
    sums = [column for column in columns[1:] if column.form.startswith(("whole", "money"))]
    has_sums = (
        first.form in {"category", "code"}
        and len(columns) > 2
        and bool(sums)
        and not any("xa0" in column.form for column in sums)
    )
    whole = has_sums and all("" not in column.cells for column in [first])
    return columns, replace(
        writing,
        separator_line=habit == "sep",
        trailing=habit == "trailing",
        drops_empty_ends=habit == "ends" and len(columns) > 2,  # two columns, most with one cell, are lines of prose
        titles=("Report of the shop",) * random.randint(1, 2)
        if habit == "titles"
        else ("# exported by till",)
        if habit == "comment"
        else (),
        blank_after_titles=random.random() < 0.5,
        header_again_at=random.randrange(n_rows) if habit == "again" else None,
        totals=habit in {"totals", "subtotals"} and has_sums,
        subtotal_every=random.randint(2, 5) if habit == "subtotals" and whole else 0,
        notes=("Source: till system",) if habit == "notes" else (),
        blank_first=random.randint(1, 3) if habit == "blank lines" else 0,
        quotes_at_random=random.randrange(1, 1_000) if habit == "random quotes" else 0,
    )
