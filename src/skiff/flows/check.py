"""Look a table over: quality always, leaks and split where a target is named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from skiff.core.progress import Progress, Silent
from skiff.core.settings import Settings
from skiff.flows.read import read_table
from skiff.flows.recipes import find_recipe
from skiff.flows.wishes import Wishes
from skiff.report.numbers import describe_shape
from skiff.store.settings import read_settings

if TYPE_CHECKING:
    from skiff.flows.look_over import CheckOutcome


def check_file(
    source: Path | object,
    wishes: Wishes,
    *,
    settings: Settings | None = None,
    folder: Path | None = None,
    population: Path | None = None,
    progress: Progress | None = None,
) -> CheckOutcome:
    """Read and check a file or frame; nothing is written.

    Parameters
    ----------
    source : Path or frame
    wishes : Wishes
        Without a target only the table itself is checked.
    settings : Settings, optional
    folder : Path, optional
        A workspace, whose contract the table is held against.
    population : Path, optional
        A small table of known shares (column, level, share); by default what ``[coverage] population`` names.

    Notes
    -----
    What judges is loaded on one core while the file is read on another: from a cold start that is a tenth of the time.
    """
    progress = progress or Silent()
    settings = settings or Settings()
    progress.stage("Read", source.name if isinstance(source, Path) else "table")
    target = wishes.target or settings.task.target
    recipe = find_recipe(settings, source.name) if isinstance(source, Path) else None
    with ThreadPoolExecutor(max_workers=1) as pool:
        reading = pool.submit(read_table, source, recipe=recipe, keep_words=(target,) if target else ())
        from skiff.flows.look_over import look_over
        from skiff.flows.population import read_population

        read = reading.result()
    known = read_population(settings, folder=folder, given=population)
    progress.stage("Check", describe_shape(read.frame.height, read.frame.width))
    return look_over(read, wishes, settings=settings, folder=folder, known=known, progress=progress)


def recall_settings(folder: Path, wishes: Wishes) -> Settings:
    """Return what was settled in a workspace: all defaults where there is none, or it asks another question.

    Raises
    ------
    SkiffError
        Where its ``skiff.toml`` cannot be read.
    """
    settings = read_settings(folder)
    asks_another = wishes.target is not None and settings.task.target not in (None, wishes.target)
    return Settings() if asks_another else settings
