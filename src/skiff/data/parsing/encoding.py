"""Which letters the bytes stand for, and whether they are a text at all."""

from __future__ import annotations

import codecs
import itertools
import re
from dataclasses import dataclass, replace

from skiff.data.parsing.letters import measure_letters, measure_mixture

CHUNK_BYTES = 1 << 22
"""Bytes checked at a time, so that a large file is never held a second time as text."""

SAMPLE_LETTERS = 800
"""Bytes outside ASCII that are judged; shares are then known to within four per cent, and chances multiply."""

SAMPLE_LINE_BYTES = 20_000
SAMPLE_BYTES = 8_000_000

BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks (Unicode 16.0, §23.8); UTF-32 first, because its mark begins with that of UTF-16."""

PRIORS: dict[str, float] = {
    "cp1252": 0.0, "gb18030": -1.0, "cp932": -1.0, "cp1251": -1.0, "cp1250": -1.5, "big5": -1.5, "cp949": -1.5, "cp1254": -2.0,
    "cp1253": -2.0, "cp1255": -2.0, "cp1256": -2.0, "cp1257": -2.5, "euc_jp": -2.5, "cp874": -2.5, "koi8-r": -2.5, "iso8859-2": -2.5,
    "iso8859-15": -3.0, "iso8859-7": -3.0, "mac_roman": -3.0, "cp850": -3.0, "cp866": -3.0, "cp437": -4.0, "cp852": -4.0,
    "iso8859-5": -4.5,
}  # fmt: skip
"""Encodings that are tried, with the logarithm of how common each is beside Windows-1252."""

DOUBLE_BYTE = frozenset({"gb18030", "cp932", "big5", "cp949", "euc_jp"})
"""One or two bytes a letter."""

ASCII_LETTER = 3.4
"""Logarithm of the thirty letters an ASCII byte may be: what a reading saves that takes it for half of a character."""

BROKEN = 12.0
"""What a byte that an encoding cannot read costs: as much as two letters that no language uses."""

EITHER = 0.7
"""What each letter costs where it may be UTF-8 or a stray byte of another encoding: log 2."""

CLOSE_CALL = 4.6
"""A reading whose letters are up to e^4.6 = 100 times less likely is named as a rival."""

TWINS = frozenset({("cp1252", "cp1254"), ("cp1254", "cp1252")})
"""Encodings that differ in six letters alone, ðýþ or ğış: in a table of several countries the other letters, which both share,
speak for a language that uses neither, so the one is named beside the other up to twice as far."""

LEAST_PLAUSIBLE = -9.0
"""Mean logarithm of a letter below which no reading makes sense."""

DAMAGED_SHARE = 0.1
"""Up to this share of broken sequences among the right ones, a file is damaged UTF-8 rather than another encoding."""

MOST_PLACES = 10
"""Places of damage that are named."""

LEAST_ZEROS = 0.02
"""Share of zero bytes at one of two places from which a text without a mark is UTF-16: line ends and delimiters alone give it."""

WIDE_PRINTABLE = 0.97

CONTROL_SHARE = 0.01
"""Above this share of control characters bytes are no text; tables hold only tabs and line ends."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"), (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
    (b"\x7fELF", "a program"), (b"MZ\x90", "a program"), (b"\x89HDF", "an HDF5 file"), (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"), (b"\x28\xb5\x2f\xfd", "a Zstandard archive"), (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"), (b"\x93NUMPY", "a NumPy array"), (b"RDX", "an R workspace"),
    (b"$FL2", "an SPSS file"), (b"<stata_dta", "a Stata file"), (b"HEADER RECORD", "a SAS file"),
)  # fmt: skip
_PICKLE = re.compile(rb"\x80[\x02-\x05]|(?:c[a-z_]\w*(?:\.\w+)*\n\w+\n|\(lp0\n|\(dp0\n)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How bytes become text.

    Parameters
    ----------
    name : str
        Python's name of the encoding; ``utf-8-sig`` and ``utf-16`` where a byte order mark said so.
    reason : {"mark", "valid", "pattern", "letters", "asked"}
        What settled it: a byte order mark, bytes that are valid UTF-8, the pattern of zero bytes, how plausible the
        letters are, or a recipe.
    damaged_bytes : int
        Bytes that are not valid in it; they are read as Windows-1252.
    damaged_lines : tuple of int
        Lines of the file (from 1) that hold one, the first few.
    rivals : tuple of str
        Other encodings that read the file about as well, but differently.
    """

    name: str
    reason: str = "valid"
    damaged_bytes: int = 0
    damaged_lines: tuple[int, ...] = ()
    rivals: tuple[str, ...] = ()


def find_binary_kind(data: bytes) -> str:
    """Return what `data` is if it is clearly no text (``"a picture"``), else an empty string.

    Examples
    --------
    >>> find_binary_kind(b"%PDF-1.7 ..."), find_binary_kind(b"name;city")
    ('a PDF document', '')
    """
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if _PICKLE.match(data):
        return "a Python pickle"
    head = data[:65_536]
    if any(data.startswith(mark) for mark, _ in BOMS) or _find_wide(head):
        return ""
    controls = len(
        head.translate(None, bytes(itertools.chain(b"\t\n\r\f\x1a\x1c\x1d\x1e\x1f\x01\x02", range(32, 256))))
    )
    if controls > CONTROL_SHARE * len(head) or b"\x00" in head:
        return "binary data"
    return ""


def decide_encoding(data: bytes) -> Encoding:
    r"""Return how `data` is to be read: by its mark, by being valid UTF-8, or by the letters that come out.

    Notes
    -----
    UTF-8 is tried first and on every byte: text in another encoding is practically never valid UTF-8 by chance.
    Otherwise each candidate reads the first lines that hold high bytes; the one whose letters are likeliest in a language it
    is used for wins (`letters`). Short texts can be plausible in two encodings; then `rivals` names the others.

    References
    ----------
    Li, S. and Momoi, K. (2001), A composite approach to language/encoding detection, 19th Unicode Conference: coding
    scheme, then character distribution. Rates here are own and tested on round trips (`tests/properties/test_reading.py`).

    Examples
    --------
    >>> decide_encoding("Größe;Preis\n12;3 €".encode("cp1252")).name
    'cp1252'
    >>> decide_encoding("Größe".encode()).name
    'utf-8'
    """
    for mark, name in BOMS:
        if data.startswith(mark):
            return _find_damage(data, Encoding(name=name, reason="mark"))
    wide = _find_wide(data[:65_536])
    if wide:
        return _find_damage(data, Encoding(name=wide, reason="pattern"))
    if data.isascii() or _is_utf8(data):
        return Encoding(name="utf-8")
    sample = _take_high_lines(data)
    good, bad = _count_utf8(sample)
    if good and bad <= DAMAGED_SHARE * good:
        return _find_damage(data, Encoding(name="utf-8"))
    return _find_damage(data, _decide_by_letters(sample, may_be_utf8=good > 0))


def _find_damage(data: bytes, encoding: Encoding) -> Encoding:
    """Return `encoding` with the number of letters that are not valid in it, and the first lines that hold one."""
    try:
        data.decode(encoding.name)
    except UnicodeDecodeError:
        text = _decode_marked(data, encoding.name)
        places = [found.start() for found in itertools.islice(_MARKED.finditer(text), MOST_PLACES)]
        lines = dict.fromkeys(1 + len(_LINE_END.findall(text, 0, place)) for place in places)
        return replace(encoding, damaged_bytes=len(_MARKED.findall(text)), damaged_lines=tuple(lines))
    return encoding


def decode_text(data: bytes, encoding: Encoding) -> str:
    """Return `data` as text; bytes that are not valid in a damaged file are read as Windows-1252.

    Raises
    ------
    UnicodeDecodeError
        Where `data` is not valid in `encoding` (and the encoding was not found damaged before).
    LookupError
        Where Python does not know `encoding`.
    """
    if not encoding.damaged_bytes:
        return data.decode(encoding.name)
    return _decode_marked(data, encoding.name).translate(_WESTERN)


def _decode_marked(data: bytes, name: str) -> str:
    """Return `data` as text in which each byte that is not valid is a lone surrogate (or U+FFFD in UTF-16 and UTF-32)."""
    if name in {"utf-8", "utf-8-sig"} or not name.startswith("utf"):
        return data.decode(name, errors="surrogateescape")
    return data.decode(name, errors="replace")


def _to_western(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_WESTERN = {0xDC00 + byte: _to_western(byte) for byte in range(128, 256)}
_MARKED = re.compile("[\udc80-\udcff\ufffd]")
_LINE_END = re.compile(r"\r\n|\n|\r")


def _find_wide(head: bytes) -> str:
    """Return UTF-16 or UTF-32 without a mark: line ends and plain letters then have zero bytes at every second (fourth) place."""
    usable = len(head) - len(head) % 4
    if usable < 4 or b"\x00" not in head:  # noqa: PLR2004  one UTF-32 letter
        return ""
    even, odd = head[0:usable:2].count(0) / (usable / 2), head[1:usable:2].count(0) / (usable / 2)
    name = ""
    if max(even, odd) > LEAST_ZEROS and min(even, odd) < 0.1 * max(even, odd):
        name = "utf-16-le" if odd > even else "utf-16-be"
    elif head[2:usable:4].count(0) > 0.9 * usable / 4 and head[3:usable:4].count(0) > 0.9 * usable / 4:
        name = "utf-32-le"
    elif head[0:usable:4].count(0) > 0.9 * usable / 4 and head[1:usable:4].count(0) > 0.9 * usable / 4:
        name = "utf-32-be"
    if not name:
        return ""
    text = head[:usable].decode(name, errors="ignore")
    return name if text.count("\x00") <= 0.01 * len(text) and _share_printable(text) > WIDE_PRINTABLE else ""


def _share_printable(text: str) -> float:
    return sum(mark.isprintable() or mark in "\t\r\n\x01\x1f\u3000\xa0\u2028" for mark in text) / max(len(text), 1)


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), CHUNK_BYTES):
            decoder.decode(data[start : start + CHUNK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _take_high_lines(data: bytes) -> bytes:
    """Return the first cells that hold words with high bytes not seen before, until enough of those are seen.

    A word that comes twice proves no more than once, or a header that repeats it would make a guess look certain.
    """
    cells: dict[bytes, None] = {}
    words: set[bytes] = set()
    seen = 0
    for found in re.finditer(rb"[^\r\n]*[\x80-\xff][^\r\n]*", data):
        line = re.sub(rb"[0-9]+(?:[.,][0-9]+)*", b"0", found[0][:SAMPLE_LINE_BYTES])
        for cell in re.split(rb"[\x00-\x1f,;\"]", line):
            if cell in cells or cell.isascii():
                continue
            new = set(_HIGH_WORD.findall(cell)) - words
            if new:
                words |= new
                cells[cell] = None
                seen += len(cell) - len(cell.translate(None, _HIGH))
        if seen >= SAMPLE_LETTERS or found.start() > SAMPLE_BYTES:
            break
    return b"\n".join(cells)


_HIGH = bytes(range(128, 256))
_HIGH_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")


def _count_utf8(sample: bytes) -> tuple[int, int]:
    """Return how many letters of several bytes are whole, and how many bytes are not part of one."""
    text = sample.decode("utf-8", errors="surrogateescape")
    broken = len(_MARKED.findall(text))
    return sum(mark > "\x7f" for mark in text) - broken, broken


def _decide_by_letters(sample: bytes, *, may_be_utf8: bool) -> Encoding:
    """Return the encoding in which the letters of `sample` are likeliest."""
    n_ascii = sum(byte < 128 for byte in sample)  # noqa: PLR2004  the end of ASCII
    scores: dict[str, float] = {}
    texts: dict[str, str] = {}
    for name, prior in PRIORS.items():
        text = sample.decode(name, errors="replace")
        taken = n_ascii - sum(mark <= "\x7f" for mark in text)
        readable = text.replace("\ufffd", "")
        scores[name] = (
            prior + measure_letters(readable, name) + ASCII_LETTER * taken - BROKEN * (len(text) - len(readable))
        )
        texts[name] = text
    if may_be_utf8:
        texts["utf-8"] = sample.decode("utf-8", errors="surrogateescape").translate(_WESTERN)
        n_letters = sum(mark > "\x7f" for mark in texts["utf-8"])
        scores["utf-8"] = measure_mixture(texts["utf-8"]) - 2.0 - EITHER * n_letters
    best = max(scores, key=lambda name: scores[name])
    reach = {name: CLOSE_CALL * (2 if (name, best) in TWINS else 1) for name in scores}
    rivals = tuple(
        sorted((name for name, score in scores.items() if name != best and score > scores[best] - reach[name] and texts[name] != texts[best]),
               key=lambda name: -scores[name])
    )  # fmt: skip
    if best == "cp1252" and not re.search(rb"[\x80-\x9f]", sample):
        best = "iso-8859-1"  # the two differ only in the bytes that are not there
    return Encoding(name=best, reason="letters", rivals=rivals)
