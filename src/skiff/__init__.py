"""Skiff: from a client's messy file to a machine-learning model you can stand behind.

Names are looked up on first use (PEP 562), so that ``import skiff`` loads no frame, learning or server library.

Examples
--------
>>> import skiff
>>> skiff.__version__
'0.1.0'
"""

from __future__ import annotations

import importlib
import os
import sys
import types
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skiff.core.errors import SkiffError
    from skiff.core.finding import Finding
    from skiff.core.measurement import Measurement
    from skiff.core.task import Task
    from skiff.flows.fit import check, train
    from skiff.flows.model import Model, load
    from skiff.flows.workspace import Workspace

# Learning libraries' threads spin while they wait for each other; on a machine that does anything else as well, a fit of half
# a second then takes half a minute. Read when their runtime is loaded, so it must be said before; a setting of yours wins.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

_HOMES = {
    "Finding": "skiff.core.finding",
    "Measurement": "skiff.core.measurement",
    "Model": "skiff.flows.model",
    "SkiffError": "skiff.core.errors",
    "Task": "skiff.core.task",
    "Workspace": "skiff.flows.workspace",
    "check": "skiff.flows.fit",
    "load": "skiff.flows.model",
    "train": "skiff.flows.fit",
}

__all__ = [
    "Finding",
    "Measurement",
    "Model",
    "SkiffError",
    "Task",
    "Workspace",
    "__version__",
    "check",
    "load",
    "train",
]


def __getattr__(name: str) -> object:
    """Import the module that holds `name` when it is first asked for."""
    if name not in _HOMES:
        message = f"module 'skiff' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)


class _Root(types.ModuleType):
    """The package itself, of which ``train`` stays the function: importing the folder of that name would bind it over it."""

    @property
    def train(self) -> object:
        """Return the function; ``from skiff.train import …`` still finds the folder."""
        return __getattr__("train")

    @train.setter
    def train(self, folder: object) -> None:
        """Let the import system say where the folder is, and keep the function."""


sys.modules[__name__].__class__ = _Root
