"""Known shares of the population, from a small table that a person names."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from skiff.core.finding import Finding
from skiff.core.settings import Settings
from skiff.data.coverage import build_population, find_unrepresentative, measure_representation
from skiff.flows.read import read_table


def read_population(
    settings: Settings, *, folder: Path | None, given: Path | None
) -> dict[str, dict[str, float]] | None:
    """Return the known shares of the population, or None where nobody named a table of them."""
    named = settings.coverage.population
    path = given or ((folder or Path()) / named if named else None)
    return build_population(read_table(path).frame) if path is not None else None


def find_coverage(frame: pl.DataFrame, settings: Settings, *, folder: Path) -> list[Finding]:
    """Compare a table with the population that ``skiff.toml`` names; nothing where it names none."""
    known = read_population(settings, folder=folder, given=None)
    return find_unrepresentative(measure_representation(frame, known)[0]) if known else []
