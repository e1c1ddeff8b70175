"""Which Python distributions Skiff stands on here: names, versions and licences, from what is installed."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

ROOT = "skiff-ml"
DEVELOPMENT = "dev"
"""The extra that only developers install: not part of what answers."""

_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?[^;]*(?:;(.*))?$")
_EXTRA = re.compile(r"extra\s*==\s*[\"']([^\"']+)[\"']")
_LICENCE_CLASSIFIER = "License :: "
MOST_LETTERS = 80
"""A longer ``License`` field is the text of a licence, not its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One installed distribution.

    Parameters
    ----------
    name : str
        As the registry compares names: small letters and hyphens (PEP 503).
    version : str
    licence : str
        As its metadata states it; empty where it states none.
    is_expression : bool
        Whether `licence` is an SPDX expression (PEP 639).
    needs : tuple of str
        The installed distributions that it asks for.
    is_optional : bool
        Whether only an extra of Skiff asks for it.
    """

    name: str
    version: str
    licence: str = ""
    is_expression: bool = False
    needs: tuple[str, ...] = ()
    is_optional: bool = False


def normalise(name: str) -> str:
    """Return the name as registries compare it (PEP 503).

    Examples
    --------
    >>> normalise("Scikit_Learn")
    'scikit-learn'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def list_packages() -> tuple[Package, ...]:
    """Return Skiff and what it asks for, followed to the end, by name; what is not installed here is not in the list.

    Read once for the process: what has been imported does not change with what is installed later.

    Examples
    --------
    >>> names = [package.name for package in list_packages()]
    >>> "onnxruntime" in names, "pytest" in names
    (True, False)
    """
    needed = _follow(ROOT, extras=frozenset())
    offered = _list_extras(ROOT) - {DEVELOPMENT}
    wider = _follow(ROOT, extras=offered)
    found = (_describe(name, wider, is_optional=name not in needed) for name in sorted(wider))
    return tuple(package for package in found if package is not None)


def _follow(root: str, *, extras: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return every installed distribution that is reached, with the extras that were asked of it."""
    reached: dict[str, frozenset[str]] = {}
    waiting = [(root, extras)]
    while waiting:
        name, wanted = waiting.pop()
        known = reached.get(name)
        if known is not None and wanted <= known:
            continue
        if known is None and _find(name) is None:
            continue
        reached[name] = wanted | (known or frozenset())
        waiting += _list_needs(name, reached[name])
    return reached


def _list_needs(name: str, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    found = _find(name)
    needs = []
    for text in (found.requires or ()) if found else ():
        match = _REQUIREMENT.match(text)
        if match is None:
            continue
        asked = _EXTRA.search(match[3] or "")
        if asked is not None and normalise(asked[1]) not in extras:
            continue
        inner = frozenset(normalise(extra.strip()) for extra in (match[2] or "").split(",") if extra.strip())
        needs.append((normalise(match[1]), inner))
    return needs


def _list_extras(name: str) -> frozenset[str]:
    found = _find(name)
    return frozenset(normalise(extra) for extra in (found.metadata.get_all("Provides-Extra") if found else None) or ())


def _find(name: str) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _describe(name: str, reached: dict[str, frozenset[str]], *, is_optional: bool) -> Package | None:
    found = _find(name)
    if found is None:
        return None
    expression = _read_field(found, "License-Expression")
    needs = {need for need, _ in _list_needs(name, reached[name]) if need in reached}
    return Package(
        name=name,
        version=found.version,
        licence=expression or _name_licence(found.metadata.get_all("Classifier") or (), _read_field(found, "License")),
        is_expression=bool(expression),
        needs=tuple(sorted(needs)),
        is_optional=is_optional,
    )


def _read_field(found: importlib.metadata.Distribution, name: str) -> str:
    return "\n".join(found.metadata.get_all(name) or ()).strip()


def _name_licence(classifiers: Iterable[str], text: str) -> str:
    named = [item.rpartition(" :: ")[2] for item in classifiers if item.startswith(_LICENCE_CLASSIFIER)]
    if named:
        return "; ".join(sorted(named))
    return text if "\n" not in text and len(text) <= MOST_LETTERS else ""
