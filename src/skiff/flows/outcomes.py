"""What really happened, joined with what was predicted: values checked against the question, files of any size."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

from skiff.core.errors import SkiffError
from skiff.deploy.tensors import to_text, to_yes_no
from skiff.store.predictions.ids import to_micros


def write_outcome(value: str | float | bool, *, classes: Sequence[str], is_number: bool, is_exact: bool = False) -> str:
    """Return an outcome as the log keeps it: the label, or the number as text.

    Parameters
    ----------
    value : str, number or bool
    classes : sequence of str
        The labels of the question; empty for a number.
    is_number : bool
    is_exact : bool
        Whether a label must be written as the release has it; otherwise letters may be large or small, and true and false
        stand for yes and no, as programs that pass a table on write them.

    Raises
    ------
    SkiffError
        ``bad_outcome``; never quoting the value.

    Examples
    --------
    >>> write_outcome(1, classes=("0", "1"), is_number=False), write_outcome("12.50", classes=(), is_number=True)
    ('1', '12.5')
    >>> write_outcome(True, classes=("no", "yes"), is_number=False)
    'yes'
    """
    if is_number:
        try:
            number = float(value)
        except (ValueError, OverflowError) as error:
            raise _refuse("a number") from error
        if isinstance(value, bool) or (is_exact and isinstance(value, str)) or not math.isfinite(number):
            raise _refuse("a finite number")
        return repr(number)
    label = to_text(value)
    if label in classes:
        return label
    if is_exact:
        raise _refuse(f"one of the {len(classes)} labels the release knows")
    matches = [name for name in classes if name.lower() == label.strip().lower()] or _match_yes_no(label, classes)
    if len(matches) == 1:
        return matches[0]
    raise _refuse(f"one of the {len(classes)} labels the release knows")


def read_moment(text: str | None) -> int | None:
    """Return when an outcome happened in microseconds since 1970, from an ISO 8601 text; one without a zone is UTC.

    Raises
    ------
    SkiffError
        ``bad_outcome``.

    Examples
    --------
    >>> read_moment("1970-01-01T00:00:01Z")
    1000000
    """
    if text is None or not text.strip():
        return None
    try:
        return to_micros(dt.datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError) as error:
        raise SkiffError(
            "bad_outcome",
            what="The time of an outcome cannot be read.",
            where={"field": "at"},
            fix="Write it as 2026-03-01 or 2026-03-01T09:30:00Z.",
        ) from error


def read_question(manifest: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:  # Any: a JSON document
    """Return the labels a release knows, and whether it predicts a number."""
    return tuple(manifest["classes"]), manifest["task"]["kind"] == "regression"


def _match_yes_no(label: str, classes: Sequence[str]) -> list[str]:
    """Return the class that says the same: programs that pass a table on turn yes and no into true and false."""
    try:
        wanted = to_yes_no(label)
        return [name for name in classes if to_yes_no(name) == wanted]
    except ValueError:  # other words than yes and no
        return []


def _refuse(expected: str) -> SkiffError:
    return SkiffError(
        "bad_outcome",
        what=f"An outcome is not {expected}.",
        where={"field": "value"},
        fix="Write the value as it stands in the target column of the training data.",
    )
