"""What may be kept how long, and what is past its day (GDPR Art. 5(1)(e): no longer than is necessary)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from skiff.core.errors import SkiffError
from skiff.core.settings import ServingSettings, Terms

DAYS = {"d": 1.0, "w": 7.0, "m": 30.44, "y": 365.25}
"""Days in a unit; month and year as the Gregorian calendar has them on average (146,097 days in 400 years)."""

Kind: TypeAlias = Literal["dataset", "column", "log"]
LOG_FIELDS: Mapping[str, str] = {
    "inputs": "Inputs in the prediction log",
    "subject": "Names of persons in the prediction log",
    "": "Predictions and their outcomes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A dataset as the clock sees it."""

    id: str
    name: str
    created: str
    empty_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One thing that must go.

    Parameters
    ----------
    kind : {"dataset", "column", "log"}
    what : str
        A dataset's id, or the field of the log (empty: whole rows).
    name : str
        In words.
    column : str
        Where it is one column.
    days : float
    since, due : str
        When the clock began and ends, ISO 8601; empty for the log, where each row has its own.
    is_due : bool
    """

    kind: Kind
    what: str
    name: str
    days: float
    column: str = ""
    since: str = ""
    due: str = ""
    is_due: bool = False


def parse_span(text: str) -> float:
    """Return a span of time such as ``90d``, ``18m`` or ``2y`` in days; a plain number is days.

    Raises
    ------
    SkiffError
        ``span_unreadable``.

    Examples
    --------
    >>> parse_span("2y"), parse_span("90")
    (730.5, 90.0)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([dwmy]?)\s*", text.lower())
    if not found or float(found[1]) <= 0:
        raise SkiffError(
            "span_unreadable",
            what="The time of keeping is no span of time.",
            where={"option": "--keep-for"},
            fix="Write for example 90d, 18m or 2y.",
        )
    return float(found[1]) * DAYS[found[2] or "d"]


def list_due(
    datasets: Iterable[Kept], terms: Mapping[str, Terms], serving: ServingSettings, *, now: str
) -> tuple[Due, ...]:
    """Return everything that has a day, what is due first.

    Parameters
    ----------
    datasets : iterable of Kept
    terms : mapping of str to Terms
        By the name of the dataset.
    serving : ServingSettings
    now : str
        ISO 8601.

    Examples
    --------
    >>> table = Kept(id="ds_1", name="bookings.csv", created="2024-01-01T00:00:00+00:00")
    >>> found = list_due([table], {"bookings.csv": Terms(keep_days=90.0)}, ServingSettings(), now="2024-05-01T00:00:00+00:00")
    >>> found[0].due[:10], found[0].is_due
    ('2024-03-31', True)
    """
    made: list[Due] = []
    for item in datasets:
        agreed = terms.get(item.name)
        if agreed is None:
            continue
        if agreed.keep_days is not None:
            made.append(_date("dataset", item, "", agreed.keep_days, now))
        for column, own in agreed.columns.items():
            if own.keep_days is not None and column not in item.empty_columns:
                made.append(_date("column", item, column, own.keep_days, now))
    ages = {
        "inputs": serving.keep_inputs_days,
        "subject": serving.keep_subjects_days,
        "": serving.keep_predictions_days,
    }
    made += [
        Due(kind="log", what=field, name=LOG_FIELDS[field], days=days, is_due=True)
        for field, days in ages.items()
        if days is not None
    ]
    return tuple(sorted(made, key=lambda item: (item.kind == "log", item.due, item.name, item.column)))


def _date(kind: Kind, item: Kept, column: str, days: float, now: str) -> Due:
    due = dt.datetime.fromisoformat(item.created) + dt.timedelta(days=days)
    return Due(
        kind=kind,
        what=item.id,
        name=item.name,
        column=column,
        days=days,
        since=item.created,
        due=due.isoformat(),
        is_due=due <= dt.datetime.fromisoformat(now),
    )


def tell_terms(name: str, terms: Terms, *, purpose: str = "", legal_basis: str = "") -> Sequence[str]:
    """Return what was agreed about a dataset and its columns, as sentences; what nobody said is called not answered.

    Parameters
    ----------
    name : str
    terms : Terms
    purpose, legal_basis : str
        Said of the whole workspace ([owner]), where the dataset has none of its own.

    Examples
    --------
    >>> tell_terms("bookings.csv", Terms(purpose="call first", keep_days=90.0))
    ['bookings.csv: purpose: call first; legal basis: not answered; kept for 90 days']
    """
    why, basis = terms.purpose or purpose or "not answered", terms.legal_basis or legal_basis or "not answered"
    said = [f"{name}: purpose: {why}; legal basis: {basis}; {_say_days(terms.keep_days)}"]
    for column, own in terms.columns.items():
        parts = [
            *([f"purpose: {own.purpose}"] if own.purpose else []),
            *([f"legal basis: {own.legal_basis}"] if own.legal_basis else []),
            *([_say_days(own.keep_days)] if own.keep_days is not None else []),
        ]
        said.append(f"{name}, column “{column}”: {'; '.join(parts) or 'as the table'}")
    return said


def _say_days(days: float | None) -> str:
    return "time of keeping: not answered" if days is None else f"kept for {round(days):,} days"
