"""What a person may write into ``skiff.toml``: every key optional, typed, with its meaning beside it.

The same fields check a file, write the commented first one (`skiff.store.settings`) and print ``skiff config``,
so that none of the three can drift from the others. A key is only here if it does something.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_type_hints

import msgspec

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.task import Costs

Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
Recipe: TypeAlias = dict[str, Any]  # whatever TOML can hold: the reader of tables knows its own keys

CLOSE_ENOUGH = 0.6
"""Similarity above which another key is suggested (the default of `difflib.get_close_matches`)."""


def _meaning(text: str, example: str) -> dict[str, str]:
    return {"meaning": text, "example": example}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSettings:
    """What is predicted, and from which columns."""

    target: Name | None = field(default=None, metadata=_meaning("The column to predict.", '"churned"'))
    time: Name | None = field(
        default=None,
        metadata=_meaning("The column that says when a row happened; the newest rows then judge.", '"date"'),
    )
    group: Name | None = field(
        default=None,
        metadata=_meaning("The column that says which rows belong together, such as a customer.", '"customer"'),
    )
    positive: str | None = field(
        default=None, metadata=_meaning("The answer you want to catch, where there are two.", '"yes"')
    )
    protected: tuple[Name, ...] = field(
        default=(), metadata=_meaning("Columns the model must not learn from but is judged by.", '["sex", "age_group"]')
    )
    drop: tuple[Name, ...] = field(default=(), metadata=_meaning("Columns to leave out.", '["internal_note"]'))
    keep: tuple[Name, ...] = field(
        default=(), metadata=_meaning("Columns to use although a check would leave them out.", '["status"]')
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CriteriaSettings:
    """What a model must reach before it is released."""

    require: tuple[Name, ...] = field(
        default=(),
        metadata=_meaning("Each line must hold, or there is no release.", '["roc_auc >= 0.75", "recall >= 0.6"]'),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerSettings:
    """Who answers for the data and the model; printed in the documents, never sent anywhere."""

    name: str = field(default="", metadata=_meaning("Your name or your company's.", '"Ada Example"'))
    email: str = field(default="", metadata=_meaning("Where questions about the model go.", '"ada@example.org"'))
    licence: str = field(default="", metadata=_meaning("Under which terms the model may be used.", '"proprietary"'))
    purpose: str = field(
        default="", metadata=_meaning("What the model is for, in one sentence.", '"Decide whom to call first."')
    )
    client: str = field(default="", metadata=_meaning("For whom the work is done.", '"Example Hotels Ltd"'))
    legal_basis: str = field(
        default="",
        metadata=_meaning("Why the data may be used, where it is about people.", '"contract, GDPR Art. 6(1)(b)"'),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How long and how training runs."""

    budget_s: Annotated[float, msgspec.Meta(gt=0)] = field(
        default=60.0, metadata=_meaning("Seconds that training may take.", "60.0")
    )
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = field(
        default=0, metadata=_meaning("The same seed on the same data gives the same model.", "0")
    )
    prefer: Literal["best", "small"] = field(
        default="best", metadata=_meaning('"best" score, or the "small" model where the difference is noise.', '"best"')
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where the catalog and the files are kept."""

    database: Name | None = field(
        default=None,
        metadata=_meaning("Another database than .skiff/catalog.db, as a URL.", '"postgresql+psycopg://host/name"'),
    )
    objects: Name | None = field(
        default=None,
        metadata=_meaning("Another folder for datasets and models than .skiff/objects.", '"/mnt/big/objects"'),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of ``skiff.toml``, checked.

    Parameters
    ----------
    task : TaskSettings
    criteria : CriteriaSettings
    costs : Costs or None
        None where the file has no ``[costs]``, or an empty one: then no money is reported.
    owner : OwnerSettings
    train : TrainSettings
    reading : mapping of str to mapping
        How each source was read (``[reading."orders.csv"]``), so that next month's file is read the same way.
    store : StoreSettings

    Examples
    --------
    >>> Settings().train.budget_s
    60.0
    """

    task: TaskSettings = field(default_factory=TaskSettings)
    criteria: CriteriaSettings = field(default_factory=CriteriaSettings)
    costs: Costs | None = None
    owner: OwnerSettings = field(default_factory=OwnerSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    reading: dict[str, Recipe] = field(default_factory=dict)
    store: StoreSettings = field(default_factory=StoreSettings)


SECTIONS: Mapping[str, tuple[type[Any], str]] = {
    "task": (TaskSettings, "What is predicted, and from which columns."),
    "criteria": (CriteriaSettings, "What a model must reach before it is released."),
    "costs": (Costs, "What each kind of answer costs you, per row; a gain is negative."),
    "owner": (OwnerSettings, "Who answers for this; printed in the documents, never sent anywhere."),
    "train": (TrainSettings, "How long and how training runs."),
    "store": (StoreSettings, "Where things are kept."),
}
"""Each table with fixed keys, and its line in the commented file. ``[reading]`` has a table for each source instead."""

_COST_MEANINGS: Mapping[str, dict[str, str]] = {
    "currency": _meaning("The currency, as three letters.", '"EUR"'),
    "false_positive": _meaning("A warning that was wrong.", "5.0"),
    "false_negative": _meaning("A case that was missed.", "100.0"),
    "true_positive": _meaning("A case that was caught.", "0.0"),
    "true_negative": _meaning("A quiet row that was rightly left alone.", "0.0"),
    "rows_per_month": _meaning("How many rows you decide on in a month.", "1000.0"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingDoc:
    """One key of ``skiff.toml``: where it stands, what it means, an example in TOML and the value it has if unset."""

    section: str
    key: str
    meaning: str
    example: str
    default: Json

    @property
    def path(self) -> str:
        """Return the key with its table, as in ``train.budget_s``."""
        return f"{self.section}.{self.key}"


def list_settings() -> tuple[SettingDoc, ...]:
    """Return every key that has a fixed name, in the order of the file.

    Examples
    --------
    >>> [doc.path for doc in list_settings() if doc.section == "train"]
    ['train.budget_s', 'train.seed', 'train.prefer']
    """
    return tuple(_describe_fields())


def _describe_fields() -> Iterator[SettingDoc]:
    for section, (owner, _) in SECTIONS.items():
        for item in dataclasses.fields(owner):
            notes = item.metadata or _COST_MEANINGS[item.name]
            given: Any = item.default  # every key of every section has one
            default: Json = list(given) if isinstance(given, tuple) else given
            yield SettingDoc(
                section=section, key=item.name, meaning=notes["meaning"], example=notes["example"], default=default
            )


def decode_settings(text: str, *, file: str = "skiff.toml") -> Settings:
    r"""Check the text of a ``skiff.toml`` and return its settings.

    Parameters
    ----------
    text : str
    file : str
        Name to show in errors.

    Raises
    ------
    SkiffError
        ``settings_unreadable`` (not TOML), ``setting_unknown`` (all unknown keys at once), ``setting_bad_type``,
        ``setting_bad_value``; ``where.setting`` is the path of the key.

    Examples
    --------
    >>> decode_settings('[train]\nbudget_s = 90').train.budget_s
    90.0
    >>> decode_settings('[train]\nbudget = 90')
    Traceback (most recent call last):
        ...
    skiff.core.errors.SkiffError: There is no setting 'train.budget'. Did you mean 'train.budget_s'?
    """
    document = parse_document(text, file=file)
    if document.get("costs") == {}:  # the commented first file has the empty table; it states no costs
        del document["costs"]
    unknown = list(_find_unknown(document))
    if unknown:
        raise _describe_unknown(unknown, file)
    try:
        settings = msgspec.convert(document, Settings)
    except msgspec.ValidationError as error:
        raise _describe_invalid(error, file) from error
    for path in _find_endless(document):
        raise _refuse_value(path, "must be an ordinary number", file)
    return settings


def parse_document(text: str, *, file: str = "skiff.toml") -> dict[str, Any]:
    """Return the raw tables and keys of a TOML text.

    Raises
    ------
    SkiffError
        ``settings_unreadable``, with the line.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where: dict[str, str | int] = {"file": file}
        line = re.search(r"at line (\d+)", str(error))
        if line:
            where["line"] = int(line[1])
        place = f"line {line[1]}" if line else "its end"
        raise SkiffError(
            "settings_unreadable",
            what=f"{file} cannot be understood near {place}.",
            where=where,
            fix='A line looks like  name = "text"  or  name = 12 ; texts need quotes, and each name appears once.',
        ) from error


def _find_unknown(document: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield the path of each unknown key with the paths it may have meant."""
    for section, body in document.items():
        if section == "reading":
            continue
        if section not in SECTIONS:
            yield section, [*SECTIONS, "reading"]
        elif isinstance(body, dict):
            known = [item.name for item in dataclasses.fields(SECTIONS[section][0])]
            for key in body:
                if key not in known:
                    yield f"{section}.{key}", [f"{section}.{name}" for name in known]


def _describe_unknown(unknown: list[tuple[str, list[str]]], file: str) -> SkiffError:
    first, known = unknown[0]
    close = _find_closest(first, known) or _find_closest(first, [doc.path for doc in list_settings()])
    if len(unknown) == 1:
        what = f"There is no setting '{first}'."
    else:
        what = f"There are no such settings: {', '.join(repr(path) for path, _ in unknown)}."
    hint = f"Did you mean '{close[0]}'?" if close else f"Known here: {', '.join(known)}."
    return SkiffError("setting_unknown", what=what, where={"file": file, "setting": first}, fix=hint)


def _find_closest(path: str, known: Iterable[str]) -> list[str]:
    """Return the known path whose own name, its table aside, is closest; empty where none is close."""
    names = {name.rpartition(".")[2]: name for name in reversed(list(known))}
    close = difflib.get_close_matches(path.rpartition(".")[2].lower(), names, n=1, cutoff=CLOSE_ENOUGH)
    return [names[name] for name in close]


_TYPE_WORDS = {
    "str": "a text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list in [ ]",
    "object": "a table",
    "null": "nothing",
}


def _describe_invalid(error: msgspec.ValidationError, file: str) -> SkiffError:
    """Turn msgspec's sentence, which ends in a path such as ``$.train.budget_s``, into ours."""
    text = str(error)
    path = (re.search(r"at `\$\.?(.*)`", text) or ("", ""))[1].replace("[...]", "")
    types = re.match(r"Expected `([^`]+)`, got `([^`]+)`", text)
    if types:
        wanted, got = (
            " or ".join(_TYPE_WORDS.get(word, word) for word in part.split(" | ")) for part in types.groups()
        )
        rule = f"must be {wanted.removesuffix(' or nothing')}, not {got}"
        return _refuse_value(path, rule, file, code="setting_bad_type")
    rules = ((r"length >= 1", "must not be empty"), (r"> 0", "must be more than 0"), (r">= 0", "must be 0 or more"))
    rule = next((words for mark, words in rules if mark in text), "cannot have this value")
    if "enum" in text:
        rule = "must be one of " + ", ".join(f'"{choice}"' for choice in _list_choices(path))
    return _refuse_value(path, rule, file)


def _refuse_value(path: str, rule: str, file: str, *, code: str = "setting_bad_value") -> SkiffError:
    key = path.partition("[")[0]
    example = next((doc.example for doc in list_settings() if doc.path == key), "")
    fix = f"For example:  {key.rpartition('.')[2]} = {example}" if example else f"Look at {path} in {file}."
    return SkiffError(code, what=f"The setting '{path}' {rule}.", where={"file": file, "setting": path}, fix=fix)


def _list_choices(path: str) -> tuple[str, ...]:
    section, _, key = path.partition(".")
    owner = SECTIONS[section][0]
    return get_args(get_type_hints(owner)[key])


def _find_endless(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of numbers that are infinite or not a number: TOML allows them, no setting means them."""
    for section in SECTIONS:
        for key, value in document.get(section, {}).items():
            if isinstance(value, float) and not math.isfinite(value):
                yield f"{section}.{key}"
