"""How a file was read, kept in ``skiff.toml`` so that next month's file is read the same way or fails saying what changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skiff.core.evidence import Json
from skiff.core.settings import Settings
from skiff.flows.read import ReadTable
from skiff.flows.stream import StreamedTable
from skiff.store.settings import update_reading

DECIDED = ("csv", "xlsx", "html")
"""Formats in which something had to be decided; Parquet, Arrow and JSON say themselves what they hold."""


def find_recipe(settings: Settings, name: str) -> Mapping[str, Any] | None:
    """Return how a file of this name was read before: the same name, or one that differs in its numbers only.

    Examples
    --------
    >>> settings = Settings(reading={"bookings-2026-11.csv": {"delimiter": ";"}})
    >>> find_recipe(settings, "bookings-2026-12.csv")
    {'delimiter': ';'}
    >>> find_recipe(settings, "guests-2026-12.csv") is None
    True
    """
    if name in settings.reading:
        return settings.reading[name]
    alike = [known for known in settings.reading if mask_numbers(known) == mask_numbers(name)]
    return settings.reading[alike[-1]] if alike else None


def remember_reading(folder: Path, settings: Settings, read: ReadTable | StreamedTable) -> bool:
    """Write how a file was read into ``skiff.toml`` and return whether that changed it; what stands there already stays.

    Raises
    ------
    SkiffError
        ``settings_not_updated`` where the file has a form that cannot be changed safely.
    """
    if read.reading.get("format") not in DECIDED or find_recipe(settings, read.name) is not None:
        return False
    return update_reading(folder, read.name, read.reading)


def mask_numbers(name: str) -> str:
    """Return a file name without its numbers: this month's and next month's are alike.

    Examples
    --------
    >>> mask_numbers("bookings-2026-11.csv")
    'bookings-#-#.csv'
    """
    return re.sub(r"\d+", "#", name)


def list_units(reading: Mapping[str, Json]) -> dict[str, str]:
    """Return the signs that were taken off when a file was read, by column.

    Examples
    --------
    >>> list_units({"columns": {"share": {"kind": "number", "percent": True}, "price": {"kind": "number", "unit": "EUR"}}})
    {'share': '%', 'price': 'EUR'}
    """
    columns = reading.get("columns")
    made: dict[str, str] = {}
    for name, recipe in columns.items() if isinstance(columns, dict) else ():
        if isinstance(recipe, dict):
            unit = "%" if recipe.get("percent") else recipe.get("currency") or recipe.get("unit") or ""
            if unit:
                made[name] = str(unit)
    return made
