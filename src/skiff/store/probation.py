"""Which release is on probation, for who serves: the ledger is the record, this is a note beside it that is read in microseconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from skiff.store.files import write_atomic

FILE = "probation.json"


class Trial(NamedTuple):
    """A release that was promoted by itself, and the one it is compared with."""

    release: int
    before: int


def note_trial(folder: Path, trial: Trial) -> None:
    """Note who is on probation in `folder`, the workspace's ``.skiff``; call it before the promotion, so that no row is missed.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> note_trial(folder, Trial(release=2, before=1))
    >>> read_trial(folder, 2), read_trial(folder, 3)
    (Trial(release=2, before=1), None)
    >>> end_trial(folder)
    >>> read_trial(folder, 2) is None
    True
    """
    write_atomic(folder / FILE, json.dumps(trial._asdict()).encode())


def read_trial(folder: Path, release: int) -> Trial | None:
    """Return the trial of `release`, None where it is on none; a note that cannot be read is none."""
    try:
        found = json.loads((folder / FILE).read_bytes())
        trial = Trial(release=int(found["release"]), before=int(found["before"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return trial if trial.release == release else None


def end_trial(folder: Path) -> None:
    """Take the note away."""
    (folder / FILE).unlink(missing_ok=True)
