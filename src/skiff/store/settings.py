"""``skiff.toml``: read with clear errors, first written with every key explained, changed without losing a comment."""

from __future__ import annotations

import json
import math
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skiff.core.errors import SkiffError
from skiff.core.settings import SECTIONS, Recipe, SettingDoc, Settings, decode_settings, list_settings, parse_document
from skiff.store.files import PRIVATE_FILE, explained, read_bytes, write_atomic

SETTINGS_FILE = "skiff.toml"

_HEAD = """\
# Settings of this workspace. Every line is optional: take away the "# " in front of a line to use it.
# What you give on the command line wins over this file. `skiff config` shows what is in force.
"""

_READING_HELP = """\
# How each source file was read, so that next month's file is read the same way. Skiff fills this in.
"""


def read_settings(folder: Path) -> Settings:
    """Return the settings of the workspace in `folder`; all defaults where it has no ``skiff.toml``.

    Raises
    ------
    SkiffError
        ``settings_unreadable``, ``setting_unknown``, ``setting_bad_type``, ``setting_bad_value``.
    """
    return decode_settings(_read_text(folder / SETTINGS_FILE), file=SETTINGS_FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingInForce:
    """One setting, its value now, and where that comes from: ``skiff.toml`` or ``default``."""

    path: str
    value: Any  # whatever the key holds
    origin: str
    meaning: str


def explain_settings(folder: Path) -> tuple[SettingInForce, ...]:
    """Return every setting with its value and origin: what ``skiff config`` shows."""
    text = _read_text(folder / SETTINGS_FILE)
    settings = decode_settings(text, file=SETTINGS_FILE)
    given = parse_document(text, file=SETTINGS_FILE)
    found = []
    for doc in list_settings():
        is_given = doc.key in given.get(doc.section, {})
        owner = getattr(settings, doc.section)
        value = doc.default if owner is None else getattr(owner, doc.key)
        if doc.section == "costs" and owner is None:
            value = None
        if doc.path == "store.database" and isinstance(value, str):
            value = _hide_password(value)
        origin = SETTINGS_FILE if is_given else "default"
        found.append(SettingInForce(path=doc.path, value=value, origin=origin, meaning=doc.meaning))
    for source, recipe in settings.reading.items():
        path = f"reading.{_write_key(source)}"
        found.append(SettingInForce(path=path, value=recipe, origin=SETTINGS_FILE, meaning="How this source is read."))
    for source, terms in given.get("terms", {}).items():
        path = f"terms.{_write_key(source)}"
        found.append(
            SettingInForce(
                path=path, value=terms, origin=SETTINGS_FILE, meaning="Purpose, legal basis and time of keeping."
            )
        )
    return tuple(found)


def write_initial_settings(
    folder: Path,
    *,
    target: str | None = None,
    time: str | None = None,
    group: str | None = None,
    positive: str | None = None,
    protected: Sequence[str] = (),
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
) -> Path:
    """Write a ``skiff.toml`` that explains every key, with the given ones filled in, and return its path.

    A file that a person may have changed is left as it is.
    """
    path = folder / SETTINGS_FILE
    given: dict[str, object] = {
        "task.target": target,
        "task.time": time,
        "task.group": group,
        "task.positive": positive,
        "task.protected": list(protected),
        "task.drop": list(drop),
        "task.keep": list(keep),
    }
    filled = {key: value for key, value in given.items() if value not in (None, [])}
    with explained(path):
        is_there = path.exists()
    if not is_there or (filled and _read_text(path) == build_initial_settings({})):
        write_atomic(path, build_initial_settings(filled).encode())
    return path


def build_initial_settings(filled: Mapping[str, object]) -> str:
    """Return the commented text, with the keys of `filled` (by path) in use and all others as comments."""
    parts = [_HEAD]
    docs = list_settings()
    for section, (_, line) in SECTIONS.items():
        parts.append(f"\n[{section}]\n# {line}\n")
        parts.extend(_write_doc(doc, filled) for doc in docs if doc.section == section)
    parts.append(f"\n{_READING_HELP}")
    return "".join(parts)


def _write_doc(doc: SettingDoc, filled: Mapping[str, object]) -> str:
    if doc.path in filled:
        return f"{doc.key} = {write_value(filled[doc.path])}  # {doc.meaning}\n"
    return f"# {doc.key} = {doc.example}  # {doc.meaning}\n"


def update_reading(folder: Path, source: str, recipe: Mapping[str, Any]) -> bool:
    """Keep how `source` was read in ``skiff.toml`` and return whether the file changed.

    Only the table ``[reading."source"]`` is touched, and in it only the lines whose value is new; comments stay.

    Parameters
    ----------
    folder : Path
    source : str
        Name of the source file.
    recipe : mapping
        Values that TOML can hold; those that are None are left out.

    Raises
    ------
    SkiffError
        ``settings_not_updated`` where the person wrote the table in a form that cannot be changed safely.
    """
    wanted = {key: value for key, value in recipe.items() if value is not None}
    return _update_table(folder, ("reading", source), wanted, subject=f"How '{source}' was read")


def update_task(folder: Path, answers: Mapping[str, Any]) -> bool:
    """Write keys of ``[task]`` into ``skiff.toml``, the others and all comments as they are; return whether it changed.

    Parameters
    ----------
    folder : Path
    answers : mapping
        Keys and values; an empty list that was not there before is not written.

    Raises
    ------
    SkiffError
        ``settings_not_updated`` where the person wrote the table in a form that cannot be changed safely.
    """
    return _update_section(folder, "task", answers)


def update_owner(folder: Path, answers: Mapping[str, Any]) -> bool:
    """Write keys of ``[owner]`` into ``skiff.toml`` as `update_task` does those of ``[task]``."""
    return _update_section(folder, "owner", answers)


def update_store(folder: Path, answers: Mapping[str, Any]) -> bool:
    """Write keys of ``[store]`` into ``skiff.toml`` as `update_task` does those of ``[task]``."""
    return _update_section(folder, "store", answers)


def update_privacy(folder: Path, answers: Mapping[str, Any]) -> bool:
    """Write keys of ``[privacy]`` into ``skiff.toml`` as `update_task` does those of ``[task]``."""
    return _update_section(folder, "privacy", answers)


def update_terms(folder: Path, source: str, terms: Mapping[str, Any]) -> bool:
    """Write what was agreed about a source into ``[terms."source"]`` as `update_reading` does how it was read."""
    wanted = {key: value for key, value in terms.items() if value not in (None, "", {})}
    return _update_table(folder, ("terms", source), wanted, subject=f"What was agreed about '{source}'")


def _update_section(folder: Path, section: str, answers: Mapping[str, Any]) -> bool:
    before = parse_document(_read_text(folder / SETTINGS_FILE), file=SETTINGS_FILE).get(section, {})
    news = {key: value for key, value in answers.items() if value or key in before}
    return _update_table(folder, (section,), {**before, **news}, subject="Your answers")


def _update_table(folder: Path, table: tuple[str, ...], wanted: Recipe, *, subject: str) -> bool:
    """Make one table of the file hold `wanted`, or refuse and leave the file as it is."""
    path = folder / SETTINGS_FILE
    text = _read_text(path)
    before = parse_document(text, file=SETTINGS_FILE)
    if _get_table(before, table) == wanted:
        return False
    changed = _replace_table(text, table, wanted)
    if _parse_or_none(changed) != _set_table(before, table, wanted):
        name = ".".join(_write_key(part) for part in table)
        raise SkiffError(
            "settings_not_updated",
            what=f"{subject} could not be written into {SETTINGS_FILE} without touching your own text.",
            where={"file": str(path), "setting": name},
            fix=f"Write it there as a table of its own, beginning with the line  [{name}]",
        )
    with explained(path):
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else PRIVATE_FILE
    write_atomic(path, changed.encode(), mode=mode)
    return True


def _get_table(document: Mapping[str, Any], table: tuple[str, ...]) -> object:
    """Return what stands at the path `table`, or None."""
    found: Any = document  # tables in tables
    for part in table:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _set_table(document: Mapping[str, Any], table: tuple[str, ...], wanted: Recipe) -> dict[str, Any]:
    """Return `document` with `wanted` at the path `table`."""
    first, *rest = table
    inner = document.get(first, {})
    return {**document, first: _set_table(inner, tuple(rest), wanted) if rest else wanted}


def _replace_table(text: str, table: tuple[str, ...], wanted: Recipe) -> str:
    """Return `text` with `table` holding `wanted`; appended where there is none."""
    lines = re.split(r"(?<=\n)", text)  # only where TOML breaks a line; str.splitlines knows ten more places
    header = _set_table({}, table, {})
    starts = [at for at, line in enumerate(lines) if line.lstrip().startswith("[") and _parse_or_none(line) == header]
    if not starts:
        gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        body_lines = "".join(_write_line(key, value) for key, value in wanted.items())
        return f"{text}{gap}[{'.'.join(_write_key(part) for part in table)}]\n{body_lines}"
    start = starts[0] + 1
    end = next((at for at in range(start, len(lines)) if lines[at].lstrip().startswith("[")), len(lines))
    body, missing = _edit_body(lines[start:end], wanted)
    return "".join([*lines[:start], *_insert_before_gap(body, missing), *lines[end:]])


def _edit_body(lines: Sequence[str], wanted: Recipe) -> tuple[list[str], list[str]]:
    """Return the lines of a table with new values where they differ, and lines for the keys it lacked."""
    kept: list[str] = []
    seen = set()
    for statement in _split_statements(lines):
        parsed = _parse_or_none(statement)
        if not parsed:  # a comment or an empty line
            kept.append(statement)
            continue
        key, value = next(iter(parsed.items()))
        seen.add(key)
        if key in wanted:
            kept.append(statement if wanted[key] == value else _write_line(key, wanted[key]))
    return kept, [_write_line(key, value) for key, value in wanted.items() if key not in seen]


def _split_statements(lines: Sequence[str]) -> Iterator[str]:
    """Yield each key with its value, which may run over several lines."""
    pending = ""
    for line in lines:
        pending += line
        if _parse_or_none(pending) is not None:
            yield pending
            pending = ""
    if pending:
        yield pending


def _insert_before_gap(body: list[str], missing: list[str]) -> list[str]:
    """Put new lines after the last key, before the blank lines and comments that belong to what follows."""
    if body and missing and not body[-1].endswith("\n"):
        body = [*body[:-1], body[-1] + "\n"]
    at = next((n for n in range(len(body), 0, -1) if _parse_or_none(body[n - 1])), 0)
    return [*body[:at], *missing, *body[at:]]


def _parse_or_none(text: str) -> dict[str, Any] | None:
    try:
        return parse_document(text)
    except SkiffError:
        return None


def _write_line(key: str, value: object) -> str:
    return f"{_write_key(key)} = {write_value(value)}\n"


def _write_key(key: str) -> str:
    is_bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if is_bare else write_value(key)


def write_value(value: object) -> str:
    """Return a value as TOML on one line.

    Examples
    --------
    >>> write_value(["a", 1, True, {"decimal": ","}])
    '["a", 1, true, {decimal = ","}]'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML's escapes are JSON's but for DEL
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_write_key(key)} = {write_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(write_value(item) for item in value) + "]"
    message = f"TOML has no form for {type(value).__name__}"
    raise TypeError(message)


def _read_text(path: Path) -> str:
    """Return the file's text; empty where there is no file."""
    with explained(path):
        is_there = path.exists()
    if not is_there:
        return ""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SkiffError(
            "settings_unreadable",
            what=f"{path.name} is not a text file in UTF-8.",
            where={"file": str(path)},
            fix="Save it as UTF-8 in your editor.",
        ) from error


def _hide_password(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    account, at, host = rest.rpartition("@")
    return f"{scheme}{mark}{account.partition(':')[0]}:…{at}{host}" if ":" in account else url
