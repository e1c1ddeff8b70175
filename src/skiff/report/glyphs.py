"""Which signs a font of ours can draw: PDF/A refuses a document with one that it cannot."""

from __future__ import annotations

import struct
import unicodedata
from functools import cache
from importlib.resources import files

STANDS_FOR = "□"
"""Shown for a sign that has no picture, as browsers do."""

FORMAT_SEGMENTS, FORMAT_GROUPS = 4, 12


@cache
def list_signs(font: str) -> frozenset[int]:
    """Return the code points that a font in our assets has pictures for.

    References
    ----------
    ISO/IEC 14496-22:2019, Open Font Format, 5.2.1 "cmap", formats 4 and 12.

    Examples
    --------
    >>> signs = list_signs("SourceSans3-Regular.ttf")
    >>> ord("é") in signs, ord("Ж") in signs, ord("語") in signs
    (True, True, False)
    """
    data = (files("skiff.report") / "assets" / font).read_bytes()
    (n_tables,) = struct.unpack_from(">H", data, 4)
    entries = [struct.unpack_from(">4sIII", data, 12 + 16 * place) for place in range(n_tables)]
    start = next(offset for tag, _, offset, _ in entries if tag == b"cmap")
    (n_maps,) = struct.unpack_from(">H", data, start + 2)
    found: set[int] = set()
    for place in range(n_maps):
        _, _, offset = struct.unpack_from(">HHI", data, start + 4 + 8 * place)
        at = start + offset
        (form,) = struct.unpack_from(">H", data, at)
        if form == FORMAT_SEGMENTS:
            found.update(_read_segments(data, at))
        elif form == FORMAT_GROUPS:
            found.update(_read_groups(data, at))
    return frozenset(found)


def _read_segments(data: bytes, at: int) -> set[int]:
    """Read format 4: ends, starts, shifts and offsets of runs; glyph 0 is no picture."""
    (doubled,) = struct.unpack_from(">H", data, at + 6)
    n = doubled // 2
    ends = struct.unpack_from(f">{n}H", data, at + 14)
    starts = struct.unpack_from(f">{n}H", data, at + 16 + doubled)
    shifts = struct.unpack_from(f">{n}H", data, at + 16 + 2 * doubled)
    offsets_at = at + 16 + 3 * doubled
    offsets = struct.unpack_from(f">{n}H", data, offsets_at)
    found: set[int] = set()
    for place, (first, last, shift, offset) in enumerate(zip(starts, ends, shifts, offsets, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if offset:
                (glyph,) = struct.unpack_from(">H", data, offsets_at + 2 * place + offset + 2 * (code - first))
            if glyph and (glyph + shift) % 65_536:
                found.add(code)
    return found


def _read_groups(data: bytes, at: int) -> set[int]:
    """Read format 12: runs of code points with the first glyph of each."""
    (n,) = struct.unpack_from(">I", data, at + 12)
    found: set[int] = set()
    for place in range(n):
        first, last, glyph = struct.unpack_from(">III", data, at + 16 + 12 * place)
        found.update(code for code in range(first, last + 1) if glyph + code - first)
    return found


def replace_unknown(text: str, signs: frozenset[int]) -> str:
    """Return the text with each sign that has no picture replaced; those that combine with the one before are dropped.

    Examples
    --------
    >>> replace_unknown("日本 Tokyo", frozenset(range(32, 127)))
    '□□ Tokyo'
    """
    if text.isascii():
        return text
    unknown = {sign for sign in set(text) if ord(sign) not in signs and sign not in "\n\t"}
    return text.translate({ord(sign): _stand_in(sign) for sign in unknown}) if unknown else text


def _stand_in(sign: str) -> str:
    return "" if unicodedata.category(sign) in {"Mn", "Me", "Cf", "Cc"} else STANDS_FOR
