"""Which letters the bytes stand for, and whether they are a text at all."""

from __future__ import annotations

import codecs
import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

CHUNK_BYTES = 1 << 22
"""Bytes checked at a time, so that a large file is never held a second time as text."""

SAMPLE_LETTERS = 4_000
"""Letters outside ASCII that are judged; shares are then known to within two per cent."""

BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks (Unicode 16.0, §23.8); UTF-32 first, because its mark begins with that of UTF-16."""

SINGLE_BYTE = ("cp1252", "cp1250", "cp1251", "iso8859-15", "cp1254", "cp1253", "koi8-r", "mac_roman", "cp850", "cp866",
               "cp1255", "cp1256", "iso8859-7", "cp874")  # fmt: skip
"""One byte a letter, the likeliest first: where two read a file equally well, the earlier is taken."""

DOUBLE_BYTE = ("gb18030", "cp932", "big5", "cp949", "euc_jp")
"""One or two bytes a letter."""

PLAUSIBLE = 0.35
"""Mean score of a letter from which a reading is believed; wrong encodings score below 0 on whole sentences."""

DAMAGED_SHARE = 0.1
"""Up to this share of broken sequences among the right ones, a file is damaged UTF-8 rather than another encoding."""

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
    rivals : tuple of str
        Other encodings that read the file about as well, but differently.
    """

    name: str
    reason: str = "valid"
    damaged_bytes: int = 0
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
    Otherwise each candidate reads the lines that hold high bytes and is scored letter by letter: letters of one script
    within a word, upper case only where upper case can stand, symbols outside words, common characters of the script.
    Short texts can be plausible in two encodings; then `rivals` names the others.

    References
    ----------
    Li, S. and Momoi, K. (2001), A composite approach to language/encoding detection, 19th Unicode Conference: coding
    scheme, then character distribution. Scores here are own and tested on round trips (`tests/data/parsing`).

    Examples
    --------
    >>> decide_encoding("Größe;Preis\n12;3 €".encode("cp1252")).name
    'cp1252'
    >>> decide_encoding("Größe".encode()).name
    'utf-8'
    """
    for mark, name in BOMS:
        if data.startswith(mark):
            return Encoding(name=name, reason="mark")
    wide = _find_wide(data[:65_536])
    if wide:
        return Encoding(name=wide, reason="pattern")
    if data.isascii() or _is_utf8(data):
        return Encoding(name="utf-8")
    sample = b"\n".join(itertools.islice(_lines_with_high_bytes(data), 2_000))
    good, bad = _count_utf8(sample)
    if bad and bad <= DAMAGED_SHARE * good:
        return Encoding(name="utf-8", damaged_bytes=bad)
    return _decide_by_letters(sample)


def decode_text(data: bytes, encoding: Encoding) -> str:
    """Return `data` as text; bytes that are broken in otherwise good UTF-8 are read as Windows-1252.

    Raises
    ------
    UnicodeDecodeError
        Where `data` is not valid in `encoding` (and the encoding was not found damaged before).
    LookupError
        Where Python does not know `encoding`.
    """
    if not encoding.damaged_bytes:
        return data.decode(encoding.name)
    return "".join(_decode_damaged(data))


def _decode_damaged(data: bytes) -> Iterator[str]:
    start = 0
    while start < len(data):
        try:
            yield data[start:].decode("utf-8")
            return  # noqa: TRY300  the plain way
        except UnicodeDecodeError as error:
            yield data[start : start + error.start].decode("utf-8")
            broken = data[start + error.start : start + error.end]
            yield broken.decode("cp1252", errors="replace")
            start += error.end


def _find_wide(head: bytes) -> str:
    """Return UTF-16 or UTF-32 without a mark: plain letters then have zero bytes at every second (fourth) place."""
    usable = len(head) - len(head) % 4
    if usable < 4:  # noqa: PLR2004  one UTF-32 letter
        return ""
    even, odd = head[0:usable:2].count(0) / (usable / 2), head[1:usable:2].count(0) / (usable / 2)
    is_one_sided = max(even, odd) > 0.3 and min(even, odd) < 0.05  # noqa: PLR2004  Western and mixed tables alike; spaces and digits alone give 0.3
    name = ("utf-16-le" if odd > even else "utf-16-be") if is_one_sided else ""
    if min(even, odd) > 0.3 and head[2:usable:4].count(0) > 0.9 * usable / 4:  # noqa: PLR2004  three of four bytes are zero
        name = "utf-32-le"
    if not name:
        return ""
    try:
        text = head[:usable].decode(name, errors="ignore")
    except UnicodeDecodeError:
        return ""
    return name if "\x00" not in text and _share_printable(text) > 1 - CONTROL_SHARE else ""


def _share_printable(text: str) -> float:
    return sum(mark.isprintable() or mark in "\t\r\n" for mark in text) / max(len(text), 1)


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), CHUNK_BYTES):
            decoder.decode(data[start : start + CHUNK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _lines_with_high_bytes(data: bytes) -> Iterator[bytes]:
    for found in re.finditer(rb"[^\r\n]{0,200}[\x80-\xff][^\r\n]{0,200}", data):
        yield found[0]


def _count_utf8(sample: bytes) -> tuple[int, int]:
    """Return how many letters of several bytes are whole, and how many sequences are broken."""
    text = sample.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    return sum(mark > "\x7f" for mark in text) - broken, broken


def _decide_by_letters(sample: bytes) -> Encoding:
    scored = {}
    for name in (*DOUBLE_BYTE, *SINGLE_BYTE):
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            try:  # a sample cut inside a letter, or a single stray byte: judged, but behind a clean reading
                text = sample.decode(name, errors="replace")
            except UnicodeDecodeError:
                continue
            if text.count("\ufffd") > 0.02 * sum(mark > "\x7f" for mark in text):
                continue
        scored[name] = (_score(text, name), text)
    if not scored:
        return Encoding(name="cp1252", reason="letters", damaged_bytes=sum(byte > 127 for byte in sample))  # noqa: PLR2004  the end of ASCII
    best = max(scored, key=lambda name: scored[name][0])
    rivals = tuple(
        name for name, (score, text) in scored.items()
        if name != best and score > max(PLAUSIBLE, scored[best][0] - 0.05) and text != scored[best][1]
    )  # fmt: skip
    if best == "cp1252" and not re.search(rb"[\x80-\x9f]", sample):
        best = "iso-8859-1"  # the two differ only in the bytes that are not there
    return Encoding(name=best, reason="letters", rivals=rivals)


_COMMON_LATIN = frozenset("áéíóúàèìòùâêîôûäëïöüñçåæøßœãõÁÉÍÓÚÀÈÌÒÙÂÊÎÔÛÄËÏÖÜÑÇÅÆØŒÃÕ")
_OUTSIDE_WORDS = frozenset("€£¥¢§°²³½¼¾«»“”„‘–—…±×·•™®©¿¡ªº№µ")
_INSIDE_WORDS = frozenset("’·\u00ad")


def _score(text: str, encoding: str) -> float:
    """Return the mean plausibility of the letters outside ASCII, from -2 to 1."""
    total = count = 0.0
    for at, mark in enumerate(text):
        if mark <= "\x7f":
            continue
        before = text[at - 1] if at else " "
        after = text[at + 1] if at + 1 < len(text) else " "
        total += _score_letter(mark, before, after, encoding)
        count += 1
        if count >= SAMPLE_LETTERS:
            break
    return total / count if count else 0.0


def _score_letter(mark: str, before: str, after: str, encoding: str) -> float:  # noqa: PLR0911  one rule a line, read top down
    if mark in _OUTSIDE_WORDS:
        return -1.0 if before.isalpha() and after.isalpha() and mark not in "«»" else 0.8
    if mark in _INSIDE_WORDS:
        return 0.8
    if mark == "\xa0" or "\u3000" <= mark <= "\u303f" or "\uff01" <= mark <= "\uff60":
        return 0.5
    if not mark.isalpha():
        return -1.0 if unicodedata.category(mark) in {"So", "Sm", "Sk", "Po", "Pf", "Pi", "No", "Sc"} else -2.0
    script, neighbour = _script(mark), _script(before) if before.isalpha() else ""
    if script in {"CJK", "KANA", "HANGUL"}:
        return _score_east_asian(mark, script, encoding)
    if neighbour and neighbour != script:
        return -1.0
    if mark.isupper() and (before.islower() or (after.islower() and before.isalpha())):
        return -1.0
    if script == "LATIN" and min(before, after) > "\x7f" and before.isalpha() and after.isalpha():
        return -1.0  # three accents in a row: a word of another script
    if script == "LATIN":
        return 1.0 if mark in _COMMON_LATIN else 0.9 if mark not in "ðÐþÞýÝ" else 0.3
    return 0.95 if script in {"CYRILLIC", "GREEK"} else 0.9


def _script(mark: str) -> str:
    if mark <= "\u024f":
        return "LATIN"
    for script, low, high in (("GREEK", "\u0370", "\u03ff"), ("CYRILLIC", "\u0400", "\u052f"), ("KANA", "\u3040", "\u30ff"),
                              ("CJK", "\u3400", "\u9fff"), ("HANGUL", "\uac00", "\ud7a3")):  # fmt: skip
        if low <= mark <= high:
            return script
    return "OTHER"


_LEVEL_ONE = {
    "gb18030": ("gb2312", 0xB0, 0xD7),
    "big5": ("big5", 0xA4, 0xC6),
    "cp932": ("shift_jis", 0x88, 0x97),
    "euc_jp": ("euc_jp", 0xB0, 0xCF),
    "cp949": ("euc_kr", 0xB0, 0xC8),
}
"""The first levels of the national standards hold the characters of daily life (GB 2312-80, Big5, JIS X 0208, KS X 1001)."""


def _score_east_asian(mark: str, script: str, encoding: str) -> float:  # noqa: PLR0911  each return is one ground
    if script == "KANA":
        return 1.0 if encoding in {"cp932", "euc_jp"} else -0.5
    if script == "HANGUL" and encoding not in {"cp949"}:  # noqa: FURB171  one of a growing set
        return -0.5
    if encoding not in _LEVEL_ONE:
        return 0.0
    standard, low, high = _LEVEL_ONE[encoding]
    try:
        lead = mark.encode(standard)[0]
    except UnicodeEncodeError:
        return -0.6
    if not low <= lead <= high:
        return -0.4
    if encoding == "gb18030":  # Korean and Japanese bytes crowd into its first rows; Chinese uses all of them
        return 0.7 if lead <= 0xC8 else 1.0  # noqa: PLR2004  the last row of Hangul in KS X 1001
    return 0.85
