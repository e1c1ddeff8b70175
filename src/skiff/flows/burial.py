"""Remove a release that learned from an erased person, and say what becomes of rows that waited for a person beside its suggestion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skiff.flows.erase_plan import is_about
from skiff.flows.persons import Person
from skiff.store.workspace import Workspace

QUESTION = ("kind", "target", "classes", "positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Burial:
    """What went with a release.

    Parameters
    ----------
    files : int
        That were destroyed.
    waiting, undecided : int
        Rows of the review queue that go on waiting without its suggestion, and that left it undecided.
    """

    files: int
    waiting: int
    undecided: int


def bury_release(workspace: Workspace, number: int, person: Person, *, successor: str = "") -> Burial:
    """Destroy a release's files; rows that it put before people are decided under the one that answers now.

    Parameters
    ----------
    successor : str
        Number of the release in its place, or nothing.
    """
    home = _find_home(workspace, number)
    waiting, undecided = workspace.reviews.hand_over(number, home)
    files = workspace.releases.bury(
        number,
        successor=successor,
        home=str(home or ""),
        keep=lambda path: not is_about(workspace, path, person),
    )
    return Burial(files=files, waiting=waiting, undecided=undecided)


def _find_home(workspace: Workspace, number: int) -> int | None:
    """Return the release that answers now, where it is another one and is asked the same question."""
    champion = workspace.releases.champion()
    if champion is None or champion == number or workspace.erasures.find_release(champion) is not None:
        return None
    asked: list[Any] = [
        workspace.releases.read_manifest(item)["task"] for item in (number, champion)
    ]  # Any: JSON documents
    return champion if all(asked[0].get(name) == asked[1].get(name) for name in QUESTION) else None
