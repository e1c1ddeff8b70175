"""Ctrl-C once keeps the best model so far; Ctrl-C twice stops at once."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopFlag:
    """Says whether the user asked to stop; hand its ``__call__`` to a flow."""

    def __init__(self) -> None:
        """Start unasked."""
        self.is_asked = False

    def __call__(self) -> bool:
        """Return whether to finish with what there is."""
        return self.is_asked


@contextmanager
def listen_for_stop() -> Iterator[StopFlag]:
    """Turn the first Ctrl-C into a flag for the time of a ``with`` block; the second is a KeyboardInterrupt."""
    flag = StopFlag()

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        if flag.is_asked:
            raise KeyboardInterrupt
        flag.is_asked = True
        sys.stderr.write("\nFinishing with the best model so far … (press Ctrl-C again to stop at once)\n")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, before)
