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

SECRET_NAMES = frozenset({"passphrase", "password", "passwd", "secret", "key", "encryption_key", "secret_key"})
"""Names under which a secret might be written into the file; none of them is a setting."""

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
    weight: Name | None = field(
        default=None, metadata=_meaning("The column that says how much each row counts.", '"survey_weight"')
    )
    exposure: Name | None = field(
        default=None,
        metadata=_meaning(
            "The column that says how much each row could have counted: years, visits, hours.", '"years"'
        ),
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
    source: str = field(
        default="", metadata=_meaning("Where the data comes from: a system, an export, a survey.", '"booking system"')
    )
    data_licence: str = field(default="", metadata=_meaning("Under which terms the data may be used.", '"CC BY 4.0"'))
    collected: str = field(
        default="", metadata=_meaning("In which period the data was collected.", '"2023-01 to 2024-12"')
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
    quantile: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = field(
        default=None,
        metadata=_meaning("Predict the amount that this share of rows stays at or under, instead of the mean.", "0.9"),
    )
    monotone: dict[str, Literal["up", "down"]] = field(
        default_factory=dict,
        metadata=_meaning("Columns along which the answer may only rise or fall.", '{ income = "up", age = "down" }'),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """What a person has said of columns that may be about persons."""

    personal: tuple[Name, ...] = field(
        default=(), metadata=_meaning("Columns that are personal, whatever Skiff finds.", '["loyalty_no"]')
    )
    not_personal: tuple[Name, ...] = field(
        default=(), metadata=_meaning("Columns that are not personal although they look so.", '["storm_name"]')
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnTerms:
    """Why a column is kept, on which legal basis, and how long."""

    purpose: str = ""
    legal_basis: str = ""
    keep_days: Annotated[float, msgspec.Meta(gt=0)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The same of a table, counted from the day it was taken in, with what differs for single columns."""

    purpose: str = ""
    legal_basis: str = ""
    keep_days: Annotated[float, msgspec.Meta(gt=0)] | None = None
    columns: dict[str, ColumnTerms] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleSettings:
    """Where training is computed."""

    engine: Literal["local", "dask"] = field(
        default="local", metadata=_meaning('"local" on this machine, "dask" on a cluster that runs already.', '"local"')
    )
    address: Name | None = field(
        default=None,
        metadata=_meaning("The scheduler of that cluster; your rows travel to its workers.", '"tcp://10.0.0.5:8786"'),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageSettings:
    """Whom the data stands for."""

    population: Name | None = field(
        default=None,
        metadata=_meaning(
            "A table (column, level, share) of known shares that groups are compared with; beside this file.",
            '"population.csv"',
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersSettings:
    """What each answer says besides itself."""

    coverage: Annotated[float, msgspec.Meta(gt=0, lt=1)] = field(
        default=0.9,
        metadata=_meaning("How often the truth must lie in the range or the set that is given with an answer.", "0.9"),
    )
    review_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = field(
        default=0.1, metadata=_meaning("Share of the least sure answers that a person should look at.", "0.1")
    )
    reasons: bool = field(
        default=True, metadata=_meaning("Whether a release can say what each column adds to an answer.", "true")
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
    encrypt: bool = field(
        default=False,
        metadata=_meaning(
            "Whether what .skiff holds is encrypted; an existing workspace needs `skiff encrypt`.", "true"
        ),
    )
    key_file: Name | None = field(
        default=None,
        metadata=_meaning(
            "The file, outside the workspace, whose key opens it. The path is no secret; a passphrase never stands here.",
            '"/home/me/keys/bookings.key"',
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingSettings:
    """How releases answer over HTTP and in batches, and what the prediction log keeps, for how long."""

    keep_inputs: Literal["all", "hashed", "none"] | tuple[Name, ...] = field(
        default="all",
        metadata=_meaning(
            'Which inputs the prediction log keeps: "all", "hashed", "none", or a list of columns.',
            '["nights", "city"]',
        ),
    )
    keep_inputs_days: Annotated[float, msgspec.Meta(gt=0)] | None = field(
        default=None, metadata=_meaning("After how many days the kept inputs are emptied.", "90.0")
    )
    keep_subjects_days: Annotated[float, msgspec.Meta(gt=0)] | None = field(
        default=None, metadata=_meaning("After how many days it is forgotten whom a prediction was about.", "180.0")
    )
    keep_predictions_days: Annotated[float, msgspec.Meta(gt=0)] | None = field(
        default=None, metadata=_meaning("After how many days predictions and their outcomes are removed.", "730.0")
    )
    control_share: Annotated[float, msgspec.Meta(ge=0, lt=1)] = field(
        default=0.0,
        metadata=_meaning(
            "Share of cases, chosen by chance, on which your decision must not follow the model.", "0.02"
        ),
    )
    challenger: Annotated[int, msgspec.Meta(ge=1)] | None = field(
        default=None, metadata=_meaning("Number of a release that is tried beside the one that answers.", "4")
    )
    challenger_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = field(
        default=0.0,
        metadata=_meaning("Share of cases that the challenger answers; at 0 it only listens, as a shadow.", "0.1"),
    )
    requests_per_second: Annotated[float, msgspec.Meta(gt=0)] | None = field(
        default=None, metadata=_meaning("How many requests a second each key may send.", "50.0")
    )
    body_limit_mb: Annotated[float, msgspec.Meta(gt=0, le=1024)] = field(
        default=8.0, metadata=_meaning("How large a request may be, in megabytes.", "8.0")
    )
    row_limit: Annotated[int, msgspec.Meta(ge=1, le=50_000)] = field(
        default=10_000, metadata=_meaning("How many rows a request may hold.", "10000")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSettings:
    """How windows of predictions are judged."""

    false_alarms_per_month: Annotated[float, msgspec.Meta(gt=0, le=100)] = field(
        default=1.0,
        metadata=_meaning("How many false alarms a month you accept, over all columns and windows together.", "1.0"),
    )
    window: Literal["1h", "1d", "7d", "30d"] = field(
        default="1d", metadata=_meaning("How long a window is, when the prediction log is judged by time.", '"7d"')
    )
    joint: bool = field(
        default=True,
        metadata=_meaning("Whether all columns are also compared together, on a sample of the training rows.", "true"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """When `skiff watch` looks."""

    schedule: Name = field(
        default="0 6 * * *",
        metadata=_meaning("A line of cron: minute, hour, day of month, month, weekday.", '"0 6 * * 1-5"'),
    )
    timezone: Name = field(default="UTC", metadata=_meaning("The time zone it is meant in.", '"Europe/Paris"'))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """Who is told, and how."""

    to: tuple[Name, ...] = field(
        default=(),
        metadata=_meaning(
            "Where messages go, as Apprise writes addresses: mailtos, slack, msteams, discord, ntfys, jsons and more.",
            '["ntfys://ntfy.example.org/bookings"]',
        ),
    )
    owner: str = field(default="", metadata=_meaning("Who acts on an alert; named in each message.", '"Ada Example"'))
    cool_down_hours: Annotated[float, msgspec.Meta(ge=0)] = field(
        default=24.0, metadata=_meaning("An alert that stays open is not sent again before so many hours.", "24.0")
    )
    allow_private: bool = field(
        default=False,
        metadata=_meaning("Whether messages may go to servers on this machine or in a private network.", "false"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainSettings:
    """When a challenger is trained, and who lets it answer."""

    mode: Literal["off", "suggest", "automatic"] = field(
        default="suggest",
        metadata=_meaning(
            '"off" never trains by itself, "suggest" trains and leaves the promotion to you, "automatic" promotes too.',
            '"suggest"',
        ),
    )
    min_outcomes: Annotated[int, msgspec.Meta(ge=50)] = field(
        default=500, metadata=_meaning("How many new outcomes are a reason to try, and the least to try with.", "500")
    )
    max_age_days: Annotated[float, msgspec.Meta(gt=0)] | None = field(
        default=None, metadata=_meaning("After how many days a release is old enough to try again.", "180.0")
    )
    on_alert: bool = field(default=True, metadata=_meaning("Whether an alert is a reason to try.", "true"))
    watch_rows: Annotated[int, msgspec.Meta(ge=50)] = field(
        default=300,
        metadata=_meaning(
            "Outcomes after which an automatic promotion is judged, and taken back if it was wrong.", "300"
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureSettings:
    """What `skiff secure` may try, and which attacks must not succeed."""

    immutable: tuple[Name, ...] = field(
        default=(), metadata=_meaning("Columns that a person cannot change about themselves.", '["age", "sex"]')
    )
    sensitive: tuple[Name, ...] = field(
        default=(), metadata=_meaning("Columns that must not be found out by asking the model.", '["diagnosis"]')
    )
    gate: tuple[Literal["membership", "attributes", "inversion", "evasion", "extraction", "poison"], ...] = field(
        default=("membership",), metadata=_meaning("Attacks whose red light ends with exit code 1.", '["membership"]')
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSettings:
    """Which rows a person decides, and how people are measured."""

    stakes_column: Name | None = field(
        default=None,
        metadata=_meaning("The column that says how much is at stake; otherwise that of [costs] amount.", '"loan"'),
    )
    stakes_amount: float | None = field(
        default=None, metadata=_meaning("From this amount on a person decides, whatever the model says.", "50000.0")
    )
    out_of_range: bool = field(
        default=True,
        metadata=_meaning("Whether a person decides on rows unlike all that the model learned from.", "true"),
    )
    advice: Literal["after", "first", "never"] = field(
        default="after",
        metadata=_meaning('Show the suggestion "after" a first answer, "first" (with the row), or "never".', '"after"'),
    )
    planted_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = field(
        default=0.1,
        metadata=_meaning("Share of rows given out whose answer is known: see `skiff review plant`.", "0.1"),
    )
    wrong_advice_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = field(
        default=0.5, metadata=_meaning("Share of those rows whose suggestion is wrong, on purpose if need be.", "0.5")
    )
    answers_are: Literal["outcomes", "opinions"] = field(
        default="outcomes",
        metadata=_meaning(
            '"outcomes" where a reviewer can see the truth, "opinions" where only time will tell.', '"opinions"'
        ),
    )
    claim_minutes: Annotated[float, msgspec.Meta(gt=0)] = field(
        default=15.0, metadata=_meaning("For how long a row is kept for the one it was given to.", "15.0")
    )
    days: Annotated[float, msgspec.Meta(gt=0)] = field(
        default=30.0, metadata=_meaning("Answers older than so many days are not queued any more.", "30.0")
    )
    most_waiting: Annotated[int, msgspec.Meta(ge=1)] = field(
        default=10_000, metadata=_meaning("How many rows may wait; more stay in the log until there is room.", "10000")
    )
    worth_gain: Annotated[float, msgspec.Meta(gt=0, lt=1)] = field(
        default=0.01,
        metadata=_meaning("Share of the error that the next 100 labels must take away to be worth giving.", "0.01"),
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
    coverage : CoverageSettings
    answers : AnswersSettings
    privacy : PrivacySettings
    scale : ScaleSettings
    terms : mapping of str to Terms
        Purpose, legal basis and time of keeping of each source (``[terms."orders.csv"]``).
    reading : mapping of str to mapping
        How each source was read (``[reading."orders.csv"]``), so that next month's file is read the same way.
    store : StoreSettings
    serving : ServingSettings
    monitor : MonitorSettings
    watch : WatchSettings
    alerts : AlertSettings
    retrain : RetrainSettings
    secure : SecureSettings
    review : ReviewSettings

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
    coverage: CoverageSettings = field(default_factory=CoverageSettings)
    answers: AnswersSettings = field(default_factory=AnswersSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    scale: ScaleSettings = field(default_factory=ScaleSettings)
    terms: dict[str, Terms] = field(default_factory=dict)
    reading: dict[str, Recipe] = field(default_factory=dict)
    store: StoreSettings = field(default_factory=StoreSettings)
    serving: ServingSettings = field(default_factory=ServingSettings)
    monitor: MonitorSettings = field(default_factory=MonitorSettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    retrain: RetrainSettings = field(default_factory=RetrainSettings)
    secure: SecureSettings = field(default_factory=SecureSettings)
    review: ReviewSettings = field(default_factory=ReviewSettings)


SECTIONS: Mapping[str, tuple[type[Any], str]] = {
    "task": (TaskSettings, "What is predicted, and from which columns."),
    "criteria": (CriteriaSettings, "What a model must reach before it is released."),
    "costs": (Costs, "What each kind of answer costs you, per row; a gain is negative."),
    "owner": (OwnerSettings, "Who answers for this; printed in the documents, never sent anywhere."),
    "train": (TrainSettings, "How long and how training runs."),
    "coverage": (CoverageSettings, "Whom the data stands for."),
    "answers": (AnswersSettings, "What each answer says besides itself."),
    "privacy": (PrivacySettings, "Which columns are about persons, as you answered."),
    "scale": (ScaleSettings, "Where training is computed."),
    "store": (StoreSettings, "Where things are kept."),
    "serving": (ServingSettings, "How predictions are served, and what their log keeps."),
    "monitor": (MonitorSettings, "How windows of predictions are judged."),
    "watch": (WatchSettings, "When `skiff watch` looks."),
    "alerts": (AlertSettings, "Who is told, and how."),
    "retrain": (RetrainSettings, "When a new model is tried against the one that answers."),
    "secure": (SecureSettings, "What an attacker on the model can and must not do."),
    "review": (ReviewSettings, "Which rows a person decides, and how people are measured."),
}
"""Each table with fixed keys, and its line in the commented file. ``[reading]`` has a table for each source instead."""

_COST_MEANINGS: Mapping[str, dict[str, str]] = {
    "currency": _meaning("The currency, as three letters.", '"EUR"'),
    "false_positive": _meaning("A warning that was wrong.", "5.0"),
    "false_negative": _meaning("A case that was missed.", "100.0"),
    "true_positive": _meaning("A case that was caught.", "0.0"),
    "true_negative": _meaning("A quiet row that was rightly left alone.", "0.0"),
    "rows_per_month": _meaning("How many rows you decide on in a month.", "1000.0"),
    "amount": _meaning("The column that says how much is at stake in a row.", '"loan"'),
    "by_amount": _meaning("Which costs are shares of that amount instead of fixed sums.", '["false_negative"]'),
    "capacity_per_week": _meaning("How many rows you can act on in a week, such as calls.", "50.0"),
    "review": _meaning("What it costs when a person looks at one row.", "3.0"),
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
    ['train.budget_s', 'train.seed', 'train.prefer', 'train.quantile', 'train.monotone']
    """
    return tuple(_describe_fields())


def _describe_fields() -> Iterator[SettingDoc]:
    for section, (owner, _) in SECTIONS.items():
        for item in dataclasses.fields(owner):
            notes = item.metadata or _COST_MEANINGS[item.name]
            # Any: of each key's own type; every key of every section has one
            given: Any = item.default if item.default_factory is dataclasses.MISSING else item.default_factory()
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
        ``settings_unreadable`` (not TOML), ``secret_in_settings``, ``setting_unknown`` (all unknown keys at once),
        ``setting_bad_type``, ``setting_bad_value``; ``where.setting`` is the path of the key.

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
    _refuse_secrets(document, file)
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


def _refuse_secrets(document: Mapping[str, Any], file: str) -> None:
    """Refuse a passphrase or a key: whoever gets the folder gets this file."""
    named = [("", document), *((f"{section}.", body) for section, body in document.items() if section != "reading")]
    for prefix, body in named:
        for key in body if isinstance(body, dict) else ():
            if key.lower().replace("-", "_") in SECRET_NAMES:
                raise SkiffError(
                    "secret_in_settings",
                    what=f"{file} holds a secret under '{prefix}{key}', where whoever gets the folder can read it.",
                    where={"file": file, "setting": f"{prefix}{key}"},
                    fix="Take it out and choose another. Give a passphrase by SKIFF_PASSPHRASE or --passphrase-file, or name "
                    'a key file outside the workspace, as in  key_file = "/home/me/keys/bookings.key"',
                )


def _find_unknown(document: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield the path of each unknown key with the paths it may have meant."""
    for section, body in document.items():
        if section == "reading":
            continue
        if section == "terms":
            yield from _find_unknown_terms(body)
        elif section not in SECTIONS:
            yield section, [*SECTIONS, "reading", "terms"]
        elif isinstance(body, dict):
            known = [item.name for item in dataclasses.fields(SECTIONS[section][0])]
            for key in body:
                if key not in known:
                    yield f"{section}.{key}", [f"{section}.{name}" for name in known]


def _find_unknown_terms(body: object) -> Iterator[tuple[str, list[str]]]:
    known = [item.name for item in dataclasses.fields(Terms)]
    own = [item.name for item in dataclasses.fields(ColumnTerms)]
    for source, agreed in body.items() if isinstance(body, dict) else ():
        for key, value in agreed.items() if isinstance(agreed, dict) else ():
            if key not in known:
                yield f"terms.{source}.{key}", [f"terms.{source}.{name}" for name in known]
            elif key == "columns" and isinstance(value, dict):
                for column, terms in value.items():
                    wrong = [name for name in terms if name not in own] if isinstance(terms, dict) else []
                    for name in wrong:
                        yield (
                            f"terms.{source}.columns.{column}.{name}",
                            [f"terms.{source}.columns.{column}.{item}" for item in own],
                        )


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
    rules = (
        (r"length >= 1", "must not be empty"),
        (r"> 0", "must be more than 0"),
        (r">= 0", "must be 0 or more"),
        (r">= 1", "must be 1 or more"),
        (r"< 1", "must be less than 1"),
        (r"<= 1(\.0)?( |$)", "must not be above 1"),
    )
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
    choices = get_args(get_type_hints(owner)[key])
    return tuple(choice for option in choices for choice in (get_args(option) or (option,)) if isinstance(choice, str))


def _find_endless(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of numbers that are infinite or not a number: TOML allows them, no setting means them."""
    for section in SECTIONS:
        for key, value in document.get(section, {}).items():
            if isinstance(value, float) and not math.isfinite(value):
                yield f"{section}.{key}"
