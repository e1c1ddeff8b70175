"""How one column is read: what is settled about it, and how that is kept for the next file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, get_args

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json

Kind: TypeAlias = Literal["number", "boolean", "date", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnReading:
    """How the cells of one column become values.

    Parameters
    ----------
    kind : {"number", "boolean", "date", "text"}
    is_integer : bool
        Whether a number is always whole.
    decimal, thousands : str
        Marks inside numbers; `thousands` is empty where none is used.
    currency, unit : str
        Sign or word beside every number, taken off.
    percent : bool
        Numbers carry a percent sign and become fractions.
    date_format : str
        Usual form, ``%d.%m.%Y``; the order of ``%d`` and ``%m`` settles which comes first.
    epoch : {"", "day", "s", "ms", "us", "ns", "excel"}
        Dates counted as numbers: year, month and day in one number; seconds or parts of them since 1970; days of a
        spreadsheet.
    time_zone : str
        ``UTC`` where cells carried a zone and were moved to UTC.
    true, false : tuple of str
        Words for yes and no, lower case.
    missing : tuple of str
        Words that stand for no value, as written; a number sentinel as its digits.
    levels_kept : tuple of str
        Words that often mean "no value" but are values here.
    reason : str
        Why a column that looks like something else is text: ``leading_zeros``, ``long_digits``, ``time_of_day``,
        ``mixed``, ``ambiguous_dates``, ``mixed_dates``, ``currencies``, ``percent``, ``zones``, ``asked``; else empty.

    Examples
    --------
    >>> ColumnReading(kind="number", decimal=",", thousands=".").as_recipe()
    {'kind': 'number', 'decimal': ',', 'thousands': '.'}
    """

    kind: Kind
    is_integer: bool = False
    decimal: str = "."
    thousands: str = ""
    currency: str = ""
    unit: str = ""
    percent: bool = False
    date_format: str = ""
    epoch: str = ""
    time_zone: str = ""
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    levels_kept: tuple[str, ...] = ()
    reason: str = ""

    @property
    def day_first(self) -> bool | None:
        """Whether the day stands before the month; None where the form does not say."""
        day, month = self.date_format.find("%d"), self.date_format.find("%m")
        return None if day < 0 or month < 0 else day < month

    def as_recipe(self) -> dict[str, Json]:
        """Return what differs from the plain case, for ``skiff.toml``."""
        made: dict[str, Json] = {"kind": self.kind}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name != "kind" and value != item.default:
                made[item.name] = list(value) if isinstance(value, tuple) else value
        return made

    @classmethod
    def from_recipe(cls, column: str, recipe: Mapping[str, Any]) -> ColumnReading:
        """Return the reading that `recipe` (a table of ``skiff.toml``) describes.

        Raises
        ------
        SkiffError
            ``recipe_invalid`` where a key or a kind is not known.
        """
        known = {item.name for item in fields(cls)}
        wrong = sorted(set(recipe) - known)
        kind = recipe.get("kind", "text")
        if wrong or kind not in get_args(Kind):
            problem = f"the key '{wrong[0]}'" if wrong else f"the kind '{kind}'"
            raise SkiffError(
                "recipe_invalid",
                what=f"How to read '{column}' has {problem}, which Skiff does not know.",
                where={"column": column, "setting": "reading"},
                fix=f"Kinds are {', '.join(get_args(Kind))}; keys are {', '.join(sorted(known))}.",
            )
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in recipe.items()
        }
        return cls(**{"kind": "text", **values})
