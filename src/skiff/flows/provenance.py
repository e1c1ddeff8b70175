"""Where a table comes from: what ``skiff.toml`` and the options say, with the file's own name as the last resort."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from skiff.core.settings import Settings, Terms
from skiff.govern.retention import parse_span
from skiff.store.settings import read_settings, update_owner, update_terms


def gather_provenance(settings: Settings, name: str, *, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the answers about the origin of a table: what was said now wins over ``skiff.toml``.

    Parameters
    ----------
    settings : Settings
    name : str
        Of the file: its source where nobody names another.
    given : dict, optional
        By the keys of `skiff.data.provenance.QUESTIONS`.

    Examples
    --------
    >>> gather_provenance(Settings(), "bookings.csv", given={"owner": "Example Hotels Ltd"})
    {'source': 'bookings.csv', 'owner': 'Example Hotels Ltd'}
    """
    owner = settings.owner
    known = {
        "source": owner.source,
        "owner": owner.client,
        "licence": owner.data_licence or owner.licence,
        "legal_basis": owner.legal_basis,
        "collected": owner.collected,
    }
    answers = known | {key: value for key, value in (given or {}).items() if value}
    answers["source"] = answers["source"] or name
    return {key: value for key, value in answers.items() if value}


KEYS = {
    "source": "source",
    "owner": "client",
    "licence": "data_licence",
    "legal_basis": "legal_basis",
    "collected": "collected",
}
"""Where each answer stands under ``[owner]`` in ``skiff.toml``."""


def remember_provenance(folder: Path, given: Mapping[str, str]) -> bool:
    """Write answers about the origin of the data into ``skiff.toml``, so that nobody is asked twice.

    Raises
    ------
    SkiffError
        ``settings_not_updated`` where the file has a form that cannot be changed safely.
    """
    answers = {KEYS[key]: text.strip() for key, text in given.items() if key in KEYS and text.strip()}
    return update_owner(folder, answers) if answers else False


TERMS = {
    "purpose": "What is it used for?",
    "keep_for": "How long may it be kept (90d, 18m, 2y; counted from today)?",
}
"""What is asked beside the origin: GDPR Art. 5(1)(b) and (e), Art. 13(2)(a)."""


def remember_terms(folder: Path, name: str, given: Mapping[str, str]) -> bool:
    """Write purpose and time of keeping of a table into ``skiff.toml``; what is not said stays as it was.

    Raises
    ------
    SkiffError
        ``span_unreadable``, ``settings_not_updated``.
    """
    said = {key: given.get(key, "").strip() for key in TERMS}
    news: dict[str, Any] = {
        "purpose": said["purpose"],
        "keep_days": parse_span(said["keep_for"]) if said["keep_for"] else None,
    }
    news = {key: value for key, value in news.items() if value not in (None, "")}
    if not news:
        return False
    return change_terms(folder, name, news)


def change_terms(folder: Path, name: str, news: Mapping[str, Any], *, column: str | None = None) -> bool:
    """Change what was agreed about a table, or about one column of it.

    Parameters
    ----------
    folder : Path
    name : str
        Of the table.
    news : mapping
        ``purpose``, ``legal_basis``, ``keep_days``; only these change.
    column : str, optional
    """
    known = read_settings(folder).terms.get(name, Terms())
    plain: dict[str, Any] = msgspec.to_builtins(known)
    if column is None:
        plain |= news
    else:
        plain["columns"] = {**plain["columns"], column: {**plain["columns"].get(column, {}), **news}}
    plain["columns"] = {
        name: {key: value for key, value in own.items() if value not in (None, "")}
        for name, own in plain["columns"].items()
    }
    return update_terms(folder, name, plain)
