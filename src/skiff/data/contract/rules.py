"""What a table is agreed to look like: rules, each with what it rests on and what a person answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias, get_args

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json

FORMAT_VERSION = 1
"""``format`` of `Contract.as_json`."""

RuleKind: TypeAlias = Literal[
    "unique",
    "order",
    "sum",
    "product",
    "days",
    "past",
    "minimum",
    "maximum",
    "scale",
    "levels",
    "form",
    "missing",
    "type",
    "present",
]
Status: TypeAlias = Literal["proposed", "confirmed", "rejected"]

CODES: Mapping[RuleKind, str] = {
    "present": "schema.missing_column",
    "type": "schema.kind_changed",
    "missing": "schema.new_missing",
    "levels": "schema.new_levels",
    "form": "schema.form_changed",
    "unique": "schema.repeated_key",
    "minimum": "schema.out_of_range",
    "maximum": "schema.out_of_range",
    "scale": "schema.out_of_range",
    "past": "schema.out_of_range",
    "order": "schema.broken_relation",
    "sum": "schema.broken_relation",
    "product": "schema.broken_relation",
    "days": "schema.broken_relation",
}
"""The code of the finding for each kind of broken rule."""

DUST = 1e-9
"""Share of a total that is the computer's rounding, not a difference."""

DAY_S = 86_400.0

ALPHA = 0.05
"""One minus the confidence of `Rule.bound`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that is so in every row, or every file.

    Parameters
    ----------
    kind : str
        ``present`` and ``type`` (`word`) of a column; ``missing``: at most the share `high` of its cells is empty;
        ``minimum`` (`low`), ``maximum`` (`high`), ``scale`` (whole numbers from `low` to `high`), ``levels``, ``form``
        (`word`), ``past`` (never in the future); ``unique`` (all columns together); ``order`` (first ≤ second);
        ``sum`` and ``product`` (first = all others added up, or multiplied, within `high`); ``days`` (first = days from
        second to third).
    columns : tuple of str
    low, high : float or None
        Dates in seconds since 1970-01-01.
    levels : tuple of str
        Allowed levels, each shared by at least five rows, or stated by a person.
    word : str
    n : int
        Rows (or cells) that it was seen to hold in, without an exception; for ``missing``, rows looked at.
    status : {"proposed", "confirmed", "rejected"}
        What a person said.
    is_stated : bool
        Whether a person gave its limits rather than the data.
    """

    kind: RuleKind
    columns: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] = ()
    word: str = ""
    n: int = 0
    status: Status = "proposed"
    is_stated: bool = False

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        """What the rule is about: two rules with one key differ in their limits only."""
        return self.kind, self.columns

    @property
    def bound(self) -> float:
        """Share of exceptions that would still have let `n` rows pass without one, at most, with 95 % confidence.

        References
        ----------
        Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404, for no exception: 1 − 0.05^(1/n); near 3/n, the rule of
        three of Hanley and Lippman-Hand 1983, doi:10.1001/jama.1983.03330370053031.

        Examples
        --------
        >>> round(Rule(kind="unique", columns=("booking",), n=300).bound, 4)
        0.0099
        """
        return 1.0 - float(ALPHA ** (1.0 / self.n)) if self.n else 1.0

    def as_json(self) -> dict[str, Json]:
        """Return what differs from the plain case."""
        made: dict[str, Json] = {"kind": self.kind, "columns": list(self.columns)}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name not in made and value != item.default:
                made[item.name] = list(value) if isinstance(value, tuple) else value
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a table is agreed to look like.

    Parameters
    ----------
    name : str
        Of the table.
    columns : tuple of str
        Those it had when the rules were learned, in order.
    rows : int
        Rows they were learned from.
    rules : tuple of Rule
    """

    name: str
    columns: tuple[str, ...]
    rows: int
    rules: tuple[Rule, ...]

    @property
    def in_force(self) -> tuple[Rule, ...]:
        """The rules that nobody has rejected."""
        return tuple(rule for rule in self.rules if rule.status != "rejected")

    def restrict_to(self, columns: Iterable[str]) -> Contract:
        """Return the part of the contract that is about `columns` only: what a model or a service needs.

        Examples
        --------
        >>> agreed = Contract(name="stays", columns=("nights", "city"), rows=80,
        ...                   rules=(Rule(kind="present", columns=("nights",)), Rule(kind="present", columns=("city",))))
        >>> [rule.columns for rule in agreed.restrict_to(["city"]).rules]
        [('city',)]
        """
        wanted = set(columns)
        return replace(
            self,
            columns=tuple(name for name in self.columns if name in wanted),
            rules=tuple(rule for rule in self.rules if wanted.issuperset(rule.columns)),
        )

    def as_json(self) -> dict[str, Json]:
        """Return the contract as JSON values; `build_contract` reads them."""
        return {
            "format": FORMAT_VERSION,
            "name": self.name,
            "columns": list(self.columns),
            "rows": self.rows,
            "rules": [rule.as_json() for rule in self.rules],
        }


def build_contract(body: Mapping[str, Any]) -> Contract:
    """Return the contract that `Contract.as_json` described.

    Raises
    ------
    SkiffError
        ``contract_unreadable`` where it is not one, or is of a newer Skiff.

    Examples
    --------
    >>> agreed = Contract(name="stays", columns=("nights",), rows=80,
    ...                   rules=(Rule(kind="minimum", columns=("nights",), low=1.0, n=80),))
    >>> build_contract(agreed.as_json()) == agreed
    True
    """
    try:
        if body["format"] > FORMAT_VERSION:
            raise _refuse("was made by a newer Skiff", fix="Update Skiff:  pip install --upgrade skiff-ml")
        rules = tuple(_build_rule(item) for item in body["rules"])
        columns = tuple(str(name) for name in body["columns"])
        return Contract(name=str(body["name"]), columns=columns, rows=int(body["rows"]), rules=rules)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _refuse("is not a contract that Skiff can read") from error


def _build_rule(item: Mapping[str, Any]) -> Rule:
    kinds, statuses = get_args(RuleKind), get_args(Status)
    known = {entry.name for entry in fields(Rule)}
    values: dict[str, Any] = {
        name: tuple(str(part) for part in value) if isinstance(value, list) else value
        for name, value in item.items()
        if name in known
    }
    numbers = (values.get("low"), values.get("high"))
    is_sound = all(number is None or isinstance(number, (int, float)) for number in numbers)
    if values["kind"] not in kinds or values.get("status", "proposed") not in statuses or not is_sound:
        raise ValueError
    return Rule(**values)


def _refuse(what: str, *, fix: str = "Export it again:  skiff data contract export") -> SkiffError:
    return SkiffError("contract_unreadable", what=f"The contract {what}.", fix=fix)


def year_of(seconds: float) -> float:
    """Return the calendar year (UTC) of a moment in seconds since 1970-01-01.

    Examples
    --------
    >>> year_of(0.0), year_of(1.8e9)
    (1970.0, 2027.0)
    """
    return float(dt.datetime.fromtimestamp(seconds, tz=dt.UTC).year)
