"""What was said on the command line or in a call, and the folder where it is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was said on the command line or in a call; None and empty mean "not said"."""

    target: str | None = None
    time: str | None = None
    group: str | None = None
    positive: str | None = None
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    seed: int | None = None
    budget_s: float | None = None
    threads: int = 2


def default_folder(source: Path) -> Path:
    """Return the workspace for a file: a folder beside it, named after it.

    Examples
    --------
    >>> default_folder(Path("work/bookings.csv.gz")).as_posix()
    'work/bookings'
    >>> default_folder(Path("work/bookings")).as_posix()
    'work/bookings-skiff'
    """
    stem = source.name.split(".")[0] or "workspace"
    return source.with_name(stem if stem != source.name else f"{stem}-skiff")
