"""Local reports of Skiff's own faults: lines of code, never a value."""

from __future__ import annotations

import hashlib
import tempfile
import traceback
from pathlib import Path


def write_fault(error: BaseException) -> tuple[str, str]:
    """Write where `error` came from and return the report's id and path.

    The message of the exception is left out: a library may have put a cell of the data into it. Where the report
    cannot be written its path is empty; the id is still a fingerprint of the place that failed.
    """
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    text = "\n".join([type(error).__name__, *lines, ""])
    report_id = hashlib.sha256(text.encode()).hexdigest()[:8]
    try:
        folder = Path(tempfile.mkdtemp(prefix="skiff-fault-"))
        path = folder / f"{report_id}.txt"
        path.write_text(text)
    except OSError:
        return report_id, ""
    return report_id, str(path)
