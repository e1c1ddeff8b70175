"""How a long piece of work tells how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Listens to work that takes a while; faces implement it, rooms and flows call it."""

    def stage(self, name: str, detail: str = "") -> None:
        """Say that a new stage of the journey begins, e.g. ``"Train"``."""

    def step(self, message: str, *, done: float | None = None, total: float | None = None) -> None:
        """Say how far the stage is; `done` and `total` in the same unit (seconds, rows, candidates)."""

    def note(self, message: str) -> None:
        """Say one sentence that stays on the screen."""


class Silent:
    """A listener that ignores everything: the default in Python and in tests."""

    def stage(self, name: str, detail: str = "") -> None:
        """Ignore."""

    def step(self, message: str, *, done: float | None = None, total: float | None = None) -> None:
        """Ignore."""

    def note(self, message: str) -> None:
        """Ignore."""
