"""The one kind of exception Skiff raises on purpose.

A problem *in the client's data* is a `Finding`, not an exception. An exception says that work could not be
done, and always carries four things: a stable code, what is wrong, where, and how to fix it. It never quotes
a cell of the data.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Self

Where = Mapping[str, str | int]


class SkiffError(Exception):
    """Work that could not be done, said so that a person can act on it.

    Parameters
    ----------
    code : str
        Stable snake_case identifier, e.g. ``column_not_found``. Each has a page in ``docs/reference/errors.md``.
    what : str
        One sentence: what is wrong and what was expected. Never a cell of the client's data.
    where : mapping of str to str or int, optional
        Any of ``file``, ``row`` (data rows counted from 1), ``column``, ``setting``.
    fix : str
        The next command or setting to try, one sentence.

    Examples
    --------
    >>> error = SkiffError("file_empty", what="orders.csv holds no rows.", where={"file": "orders.csv"},
    ...                    fix="Export the table again and check that it is not empty.")
    >>> error.as_dict()["code"]
    'file_empty'
    """

    def __init__(self, code: str, *, what: str, where: Where | None = None, fix: str) -> None:
        """Keep the four parts and build the message from them."""
        super().__init__(f"{what} {fix}")
        self.code = code
        self.what = what
        self.where: dict[str, str | int] = dict(where or {})
        self.fix = fix

    def as_dict(self) -> dict[str, object]:
        """Return the four parts in the shape every face prints (design §4.2)."""
        return {"code": self.code, "what": self.what, "where": self.where, "fix": self.fix}

    @classmethod
    def column_not_found(cls, name: str, *, columns: Iterable[str], file: str = "", option: str = "") -> Self:
        """Say that a column is not in the table and name the closest one that is.

        Examples
        --------
        >>> print(SkiffError.column_not_found("amont", columns=["amount", "city"], file="orders.csv").fix)
        Did you mean 'amount'? The columns are: amount, city.
        """
        known = list(columns)
        lowered = {column.lower(): column for column in reversed(known)}
        close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
        listed = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")  # noqa: PLR2004
        hint = f"Did you mean '{lowered[close[0]]}'? " if close else ""
        where: dict[str, str | int] = {"column": name}
        if file:
            where["file"] = file
        if option:
            where["option"] = option
        place = f" in {file}" if file else " in the table"
        return cls(
            "column_not_found",
            what=f"There is no column '{name}'{place}.",
            where=where,
            fix=f"{hint}The columns are: {listed}.",
        )
