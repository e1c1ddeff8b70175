"""Personal data of one file: report it, mask it, give it pseudonyms; what a person answered is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.finding import Finding
from skiff.core.settings import Settings
from skiff.data.checks.privacy import find_personal_data
from skiff.data.facts import gather_facts
from skiff.data.personal import PersonalColumn, find_personal_columns
from skiff.data.personal.kinds import PersonalAnswers
from skiff.data.personal.risk import Reidentification, measure_reidentification
from skiff.flows.export import refuse_unknown_format, write_table
from skiff.flows.read import read_table
from skiff.flows.recipes import find_recipe
from skiff.flows.settle import merge_answers
from skiff.flows.wishes import default_folder
from skiff.secure.pii import Treated, mask_table, pseudonymise_table
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.personal_key import name_key, read_personal_key
from skiff.store.settings import read_settings, update_privacy
from skiff.store.unlock import open_new_box

Treatment: TypeAlias = Literal["mask", "pseudonymise"]

TRAITS = ("CITY", "POSTCODE", "DEMOGRAPHIC", "DATE_OF_BIRTH")
"""Kinds that are looked at together: what a neighbour may know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PiiOutcome:
    """What is personal in a file, what was done about it, and how easily its rows lead back to persons.

    Parameters
    ----------
    name : str
        Of the file.
    rows : int
    columns : tuple of PersonalColumn
        All columns, personal or not.
    before, after : Reidentification or None
        None where there are no traits, or nothing was written.
    findings : tuple of Finding
    treatment : {"mask", "pseudonymise"} or None
    changed : dict of str to str
    output : str or None
    key : str or None
        Name of the key that made the pseudonyms; tells nothing of it.
    still_direct : tuple of str
        Columns of the written table in which a second look still finds direct identifiers.
    """

    name: str
    rows: int
    columns: tuple[PersonalColumn, ...]
    before: Reidentification | None
    findings: tuple[Finding, ...]
    after: Reidentification | None = None
    treatment: Treatment | None = None
    changed: dict[str, str] = field(default_factory=dict)
    output: str | None = None
    key: str | None = None
    still_direct: tuple[str, ...] = ()

    @property
    def personal(self) -> tuple[PersonalColumn, ...]:
        """The columns that are about persons."""
        return tuple(column for column in self.columns if column.is_personal)

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints; findings stand beside it."""
        return {
            "name": self.name,
            "rows": self.rows,
            "columns": [asdict(column) | {"personal": column.is_personal} for column in self.columns],
            "reidentification": {
                "before": asdict(self.before) if self.before else None,
                "after": asdict(self.after) if self.after else None,
            },
            "treatment": self.treatment,
            "changed": self.changed,
            "output": self.output,
            "key": self.key,
            "still_direct": list(self.still_direct),
        }


@dataclass(frozen=True, kw_only=True)
class Scan:
    """A file that was read and looked through, before anything is written."""

    outcome: PiiOutcome
    frame: pl.DataFrame
    traits: tuple[str, ...]
    sensitive: str


def place_answers(source: Path, given: Path | None) -> Path:
    """Return the workspace whose answers hold for a file: the one given, the one named after it, else where one stands."""
    if given is not None:
        return given
    named = default_folder(source)
    return named if (named / SKIFF_FOLDER).is_dir() else Path()


def scan_file(
    source: Path, *, folder: Path, sensitive: str = "", traits: Sequence[str] = (), said: PersonalAnswers | None = None
) -> Scan:
    """Read a file and say of every column whether it is about persons; nothing is written.

    Parameters
    ----------
    source : Path
    folder : Path
        The workspace whose answers hold.
    sensitive : str
        Column whose values must not become known (l-diversity).
    traits : sequence of str
        Columns to look at together; by default those that were found.
    said : PersonalAnswers, optional
        Answers beyond those of ``skiff.toml``.

    Raises
    ------
    SkiffError
        What `read_table` says; ``column_not_found``.
    """
    settings = read_settings(folder)
    read = read_table(source, recipe=find_recipe(settings, source.name))
    answers = merge_personal(settings, said or PersonalAnswers())
    for option, names in (("--sensitive", [sensitive] if sensitive else []), ("--quasi", traits)):
        for name in names:
            if name not in read.frame.columns:
                raise SkiffError.column_not_found(name, columns=read.frame.columns, file=source.name, option=option)
    columns = tuple(find_personal_columns(read.frame, personal=answers.yes, not_personal=answers.no))
    together = tuple(traits) or tuple(column.column for column in columns if column.type in TRAITS)
    outcome = PiiOutcome(
        name=read.name,
        rows=read.frame.height,
        columns=columns,
        before=measure_reidentification(read.frame, together, sensitive=sensitive),
        findings=tuple(find_personal_data(gather_facts(read.frame), said=answers)),
    )
    return Scan(outcome=outcome, frame=read.frame, traits=together, sensitive=sensitive)


def treat_file(scan: Scan, output: Path, *, treatment: Treatment, folder: Path, rotate: bool = False) -> PiiOutcome:
    """Write the table without its persons, look at it again, and count what its traits still give away.

    Parameters
    ----------
    scan : Scan
    output : Path
        ``.csv`` or ``.parquet``.
    treatment : {"mask", "pseudonymise"}
    folder : Path
        The workspace whose key makes the pseudonyms.
    rotate : bool
        Make a new key first.
    """
    refuse_unknown_format(output)
    found = scan.outcome
    key = None
    if treatment == "pseudonymise":
        box = open_new_box(folder, read_settings(folder))
        key = read_personal_key(folder / SKIFF_FOLDER, rotate=rotate, box=box)
    spared = [column for column in found.columns if column.column != scan.sensitive]
    treated: Treated = pseudonymise_table(scan.frame, spared, key=key) if key else mask_table(scan.frame, spared)
    write_table(treated.frame, output)
    looked_again = find_personal_columns(treated.frame)
    left = [item.column for item in looked_again if _is_left(item, treated, treatment)]
    return PiiOutcome(
        name=found.name,
        rows=found.rows,
        columns=found.columns,
        before=found.before,
        after=measure_reidentification(treated.frame, scan.traits, sensitive=scan.sensitive),
        findings=found.findings,
        treatment=treatment,
        changed=treated.changed,
        output=str(output),
        key=name_key(key) if key else None,
        still_direct=tuple(left),
    )


def _is_left(column: PersonalColumn, treated: Treated, treatment: Treatment) -> bool:
    """Whether a second look finds what should be gone; pseudonyms keep the form of what they stand for."""
    if column.risk != "direct":
        return False
    is_text = column.type == "FREE_TEXT_WITH_PII" and treatment == "mask"
    return is_text or column.column not in treated.changed


def list_unanswered(outcome: PiiOutcome, folder: Path) -> tuple[PersonalColumn, ...]:
    """Return the personal columns that nobody has been asked about yet."""
    privacy = read_settings(folder).privacy
    return tuple(
        column for column in outcome.personal if column.column not in (*privacy.personal, *privacy.not_personal)
    )


def remember_personal(folder: Path, said: PersonalAnswers) -> bool:
    """Keep answers in ``skiff.toml``, where the next look, check and run find them; return whether the file changed.

    Raises
    ------
    SkiffError
        ``settings_not_updated`` where the file has a form that cannot be changed safely.
    """
    answers = merge_personal(read_settings(folder), said)
    return update_privacy(folder, {"personal": list(answers.yes), "not_personal": list(answers.no)})


def merge_personal(settings: Settings, said: PersonalAnswers) -> PersonalAnswers:
    """Return all answers: what is said now wins over what was said before.

    Examples
    --------
    >>> merge_personal(Settings(), PersonalAnswers(no=("storm",))).no
    ('storm',)
    """
    known = settings.privacy
    yes, no = merge_answers(given=(said.yes, said.no), remembered=(known.personal, known.not_personal))
    return PersonalAnswers(yes=yes, no=no)
