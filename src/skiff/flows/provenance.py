"""Where a table comes from: what ``skiff.toml`` and the options say, with the file's own name as the last resort."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from skiff.core.settings import Settings
from skiff.data.provenance import list_answers
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.settings import read_settings, update_owner


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
    answers = {KEYS[key]: text.strip() for key, text in given.items() if text.strip()}
    return update_owner(folder, answers) if answers else False


def list_open_questions(folder: Path, name: str) -> tuple[tuple[str, str], ...]:
    """Return what to ask before the first table of a workspace is kept: key and question; nothing once one has been."""
    if (folder / SKIFF_FOLDER).is_dir():
        from skiff.store.workspace import Workspace

        with Workspace.open(folder) as workspace:
            if workspace.datasets.list():
                return ()
    known = gather_provenance(read_settings(folder), name)
    return tuple(
        (answer.key, answer.question)
        for answer in list_answers(known)
        if not answer.text or (answer.key == "source" and answer.text == name)
    )
