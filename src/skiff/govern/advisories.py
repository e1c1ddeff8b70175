"""Known weaknesses of the software in use, looked up in a copy of a public collection that a person brings.

Nothing is asked over the network. What was not really looked up is called "not audited", never "none known".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

Record: TypeAlias = Mapping[str, Any]  # Any: a JSON document in OSV format, https://ossf.github.io/osv-schema/
State: TypeAlias = Literal["none known", "weak", "not audited"]

ECOSYSTEM = "PyPI"
LEAST_RECORDS = 5_000
"""A whole export of this ecosystem held more than 15,000 records in 2025; with fewer in hand a package that is not named proves nothing."""

MOST_DAYS = 30
"""How old the newest record of a copy may be before "none known" is no longer said: our choice, one release of most packages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """What is known of one package."""

    name: str
    version: str
    state: State
    advisories: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What is known of all packages.

    Parameters
    ----------
    day : str
        When it was looked up.
    lines : tuple of AuditLine
    records : int
        How many advisories were read.
    newest : str
        When the newest of them was changed; empty where there is none.
    """

    day: str
    lines: tuple[AuditLine, ...]
    records: int = 0
    newest: str = ""

    @property
    def is_fine(self) -> bool | None:
        """Return False where a weakness is known, True where every package was looked up and none is, else None."""
        if any(line.state == "weak" for line in self.lines):
            return False
        return True if self.lines and all(line.state == "none known" for line in self.lines) else None

    def describe(self) -> str:
        """Return the result in one sentence with its date."""
        weak = [line for line in self.lines if line.state == "weak"]
        missed = [line for line in self.lines if line.state == "not audited"]
        if weak:
            named = ", ".join(f"{line.name} {line.version} ({', '.join(line.advisories)})" for line in weak)
            rest = f" {len(missed)} others were not audited." if missed else ""
            return f"known weaknesses ({self.day}): {named}.{rest}"
        if missed or not self.lines:
            why = missed[0].why if missed else "no package was found"
            return f"not audited ({self.day}): {len(missed)} of {len(self.lines)} packages were not looked up, because {why}"
        return (
            f"no known weakness ({self.day}): all {len(self.lines)} packages looked up in {self.records:,} advisories, "
            f"the newest of {self.newest[:10]}"
        )


def audit_packages(packages: Mapping[str, str], records: Iterable[Record] | None, *, today: str) -> Audit:
    """Look packages up in advisories.

    Parameters
    ----------
    packages : mapping of str to str
        Name to version.
    records : iterable of mapping, optional
        Advisories in OSV format; None where nobody brought any.
    today : str
        ISO date.

    Examples
    --------
    >>> audit_packages({"jinja2": "2.4.1"}, None, today="2026-11-26").describe()
    'not audited (2026-11-26): 1 of 1 packages were not looked up, because nobody named a copy of the advisories'
    """
    if records is None:
        lines = [_miss(name, version, "nobody named a copy of the advisories") for name, version in packages.items()]
        return Audit(day=today, lines=tuple(lines))
    wanted = {canonicalize_name(name): version for name, version in packages.items()}
    hits: dict[str, set[str]] = {name: set() for name in wanted}
    unclear: set[str] = set()
    count, newest = 0, ""
    for record in records:
        own = [part for part in record.get("affected") or () if _names_ecosystem(part)]
        if not own:
            continue
        count += 1
        newest = max(newest, str(record.get("modified") or ""))
        if record.get("withdrawn"):
            continue
        for part in own:
            name = canonicalize_name(str(part["package"].get("name", "")))
            if name not in wanted:
                continue
            is_hit = is_affected(part, wanted[name])
            if is_hit is None:
                unclear.add(name)
            elif is_hit:
                hits[name].add(str(record.get("id", "unnamed")))
    doubt = _find_doubt(count, newest, today)
    lines = [_judge(name, version, hits, unclear, doubt) for name, version in packages.items()]
    return Audit(day=today, lines=tuple(lines), records=count, newest=newest)


def is_affected(part: Record, version: str) -> bool | None:
    """Return whether a version is in the ``affected`` part of an advisory; None where that cannot be told.

    Notes
    -----
    The rules are those of the OSV schema: listed versions, and ranges of events in which the last event at or before the version
    decides. Versions are ordered as PEP 440 says.

    Examples
    --------
    >>> part = {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.1.6"}]}]}
    >>> is_affected(part, "3.1.5"), is_affected(part, "3.1.6"), is_affected(part, "newest")
    (True, False, None)
    """
    if version in (part.get("versions") or ()):
        return True
    try:
        own = Version(version)
        if any(Version(str(item)) == own for item in part.get("versions") or () if _is_version(str(item))):
            return True
        ranges = [item for item in part.get("ranges") or () if item.get("type") == "ECOSYSTEM"]
        if not ranges and not part.get("versions"):
            return None
        return any(_is_in(item.get("events") or (), own) for item in ranges)
    except (InvalidVersion, AttributeError, TypeError):
        return None


def _is_in(events: Iterable[Mapping[str, str]], own: Version) -> bool:
    """Return whether the events, in order, leave the version affected."""
    steps = []
    for event in events:
        for kind, text in event.items():
            if kind in {"introduced", "fixed", "last_affected"}:
                steps.append((Version("0.dev0") if text == "0" else Version(text), kind))
    is_hit = False
    for at, kind in sorted(steps, key=lambda step: step[0]):
        if kind == "introduced" and own >= at:
            is_hit = True
        elif (kind == "fixed" and own >= at) or (kind == "last_affected" and own > at):
            is_hit = False
    return is_hit


def _judge(name: str, version: str, hits: Mapping[str, set[str]], unclear: set[str], doubt: str) -> AuditLine:
    key = canonicalize_name(name)
    if hits[key]:
        return AuditLine(name=name, version=version, state="weak", advisories=tuple(sorted(hits[key])))
    if key in unclear:
        return _miss(name, version, "an advisory names it in a way that cannot be compared")
    return _miss(name, version, doubt) if doubt else AuditLine(name=name, version=version, state="none known")


def _miss(name: str, version: str, why: str) -> AuditLine:
    return AuditLine(name=name, version=version, state="not audited", why=why)


def _find_doubt(count: int, newest: str, today: str) -> str:
    """Return why a package that no advisory names is still not known to be without weaknesses; empty where it is."""
    if count < LEAST_RECORDS:
        return f"the copy holds {count:,} advisories for Python packages, fewer than a whole one has"
    try:
        age = (date.fromisoformat(today) - date.fromisoformat(newest[:10])).days
    except ValueError:
        return "the copy does not say how new it is"
    return f"the newest advisory of the copy is {age} days old" if age > MOST_DAYS else ""


def _names_ecosystem(part: Any) -> bool:  # noqa: ANN401  a piece of a stranger's JSON
    return (
        isinstance(part, Mapping)
        and isinstance(part.get("package"), Mapping)
        and part["package"].get("ecosystem") == ECOSYSTEM
    )


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
