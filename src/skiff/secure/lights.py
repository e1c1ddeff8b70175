"""The light in which every attack ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

Light: TypeAlias = Literal["red", "amber", "green"]

ORDER: tuple[Light, ...] = ("red", "amber", "green")


def find_worst(lights: Iterable[Light | None]) -> Light | None:
    """Return the worst of some lights, None where none is lit.

    Examples
    --------
    >>> find_worst(["green", None, "amber"]), find_worst([None])
    ('amber', None)
    """
    return min((light for light in lights if light is not None), key=ORDER.index, default=None)
