"""One writer at a time in a workspace, and a way to know that nobody is in it. Locks of the kernel: they die with their owner."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.store.clock import Clock, find_actor
from skiff.store.files import PRIVATE_FILE, explained

_NOTE_BYTES = 4096


class WriterLock:
    """The lock that a run, a promotion or anything else that changes a workspace holds.

    The kernel frees it when its process ends, however it ends. The file's text says who holds it, for the message
    that a second writer gets; it decides nothing.

    Parameters
    ----------
    path : Path
    root : Path
        The workspace, to name in the message.
    clock : callable
    """

    def __init__(self, path: Path, *, root: Path, clock: Clock) -> None:
        """Remember where the lock is; nothing is locked yet."""
        self._path = path
        self._root = root
        self._clock = clock
        self._depth = 0

    @contextlib.contextmanager
    def hold(self, purpose: str) -> Iterator[None]:
        """Hold the lock during the block. Holding it again inside the block is allowed.

        Raises
        ------
        SkiffError
            ``workspace_busy``, saying who works there, since when, and on what.
        """
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        with explained(self._path):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            self._take(handle, purpose)
            self._depth = 1
            try:
                yield
            finally:
                self._depth = 0
                with contextlib.suppress(OSError):  # the note is only for messages
                    os.ftruncate(handle, 0)
        finally:
            os.close(handle)

    def _take(self, handle: int, purpose: str) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise self._describe_busy(handle) from error
        note = {"purpose": purpose, "actor": find_actor(), "since": self._clock(), "process": os.getpid()}
        with contextlib.suppress(OSError):  # the note is only for messages: a full disk must not stop a rollback
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(note).encode(), 0)

    def _describe_busy(self, handle: int) -> SkiffError:
        try:
            note = json.loads(os.pread(handle, _NOTE_BYTES, 0))
            who = f" ('{note['purpose']}' by {note['actor']}, process {note['process']}, since {note['since']})"
        except (ValueError, KeyError, TypeError, OSError):  # it is just being written
            who = ""
        return SkiffError(
            "workspace_busy",
            what=f"Another Skiff command{who} is working in {self._root}.",
            where={"folder": str(self._root)},
            fix="Wait until it is done, or stop it; then run this command again. Reading works meanwhile.",
        )


class PresenceLock:
    """Held, shared, by everyone who has the workspace open; whoever can have it alone may sweep leftovers."""

    def __init__(self, path: Path) -> None:
        """Open the lock's file."""
        with explained(path):
            self._handle = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)

    def try_alone(self) -> bool:
        """Take the lock alone if nobody else has the workspace open."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        """Hold the lock together with others, until `close`. Waits for a sweep to end."""
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def close(self) -> None:
        """Let go."""
        os.close(self._handle)


@contextlib.contextmanager
def brief_lock(path: Path) -> Iterator[None]:
    """Hold the lock at `path` during a short block, waiting for whoever has it."""
    with explained(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
