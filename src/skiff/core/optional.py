"""The one door for parts that only some users install."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from skiff.core.errors import SkiffError


def import_extra(module: str, *, extra: str) -> ModuleType:
    """Import `module`, or say which extra brings it.

    Raises
    ------
    SkiffError
        ``extra_missing``, naming the command that installs it.

    Examples
    --------
    >>> import_extra("json", extra="none").__name__
    'json'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SkiffError(
            "extra_missing",
            what=f"This needs '{module}', which the base installation leaves out.",
            where={"extra": extra},
            fix=f'Install it with: pip install "skiff-ml[{extra}]"',
        ) from error


def has_extra(module: str) -> bool:
    """Return whether `module` is installed, without importing it.

    Examples
    --------
    >>> has_extra("json"), has_extra("no_such_module")
    (True, False)
    """
    return importlib.util.find_spec(module) is not None
