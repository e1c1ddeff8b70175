"""What a single cell looks like; used where only a handful of cells is judged (headers, footers, samples)."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Look: TypeAlias = Literal["blank", "number", "date", "time", "text"]

_NUMBER = re.compile(
    r"""[-+−]?\s*(?:[$€£¥₹₽]|[A-Z]{3}\s)?\s*[-+−]?\s*
        (?: \d+(?:[.,]\d+)?(?:[eE][-+]?\d+)? | \d{1,3}(?:[.,'’\u00a0\u202f ]\d{2,3})+(?:[.,]\d+)? | [.,]\d+ )
        \s*(?:-?(?:%|[$€£¥₹₽])|[A-Z]{3})?\s*-?""",
    re.VERBOSE,
)
_DATE = re.compile(
    r"""(?:\w{2,10},?\s+)?(?:
        \d{4}[-/.]\d{1,2}[-/.]\d{1,2} | \d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})
      | \d{1,2}(?:st|nd|rd|th|\.)?[\s/-]+(?:de\s+)?[^\W\d]{3,10}\.?,?[\s/-]+(?:de\s+)?\d{2,4}
      | [^\W\d]{3,10}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}
      | \d{4}[\s/-]+[^\W\d]{3,10}[\s/-]+\d{1,2}
    )(?:[T\s,]+\d{1,2}:\d{2}.*)?""",
    re.VERBOSE,
)
_TIME = re.compile(r"\d{1,3}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?")


def look_at(cell: str | None) -> Look:
    """Return what `cell` looks like by itself.

    Examples
    --------
    >>> [look_at(cell) for cell in ("", "(1,250.60)", "31-Jul-18", "09:58", "Porto", "12-%")]
    ['blank', 'number', 'date', 'time', 'text', 'number']
    """
    text = (cell or "").strip()
    if not text:
        return "blank"
    if text[0] == "(" and text[-1] == ")":
        text = text[1:-1].strip()
    if _DATE.fullmatch(text):
        return "date"
    if _NUMBER.fullmatch(text):
        return "number"
    return "time" if _TIME.fullmatch(text) else "text"


def is_year(cell: str | None) -> bool:
    """Return whether `cell` is a year of our time, which may also head a column.

    Examples
    --------
    >>> is_year("2019"), is_year("20190")
    (True, False)
    """
    return re.fullmatch(r"\s*(?:19|20)\d\d\s*", cell or "") is not None
