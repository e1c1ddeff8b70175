"""Attack a release the way strangers would, and say in which light it stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.progress import Progress, Silent
from skiff.core.settings import Settings
from skiff.data.personal import find_personal_columns
from skiff.data.task import encode_target
from skiff.deploy.featurizer import featurize
from skiff.flows.evaluate import answer_frame
from skiff.flows.retrain import Champion, load_champion
from skiff.report.secure import (
    Exposed,
    SecureStory,
    Told,
    render_secure,
    tell_attributes,
    tell_evasion,
    tell_extraction,
    tell_inversion,
    tell_membership,
    tell_poison,
    tell_too_few,
)
from skiff.secure.answers import Suspect
from skiff.secure.attributes import People, measure_attributes
from skiff.secure.evasion import measure_evasion
from skiff.secure.extraction import measure_extraction
from skiff.secure.inversion import measure_inversion
from skiff.secure.lights import Light
from skiff.secure.membership import MIN_ROWS, draw_members
from skiff.secure.poison import measure_poison
from skiff.secure.price import (
    Priced,
    RemedyName,
    Shadows,
    answer_outside,
    attack_shadows,
    price_retraining,
    price_rounding,
)
from skiff.store.clock import now_utc
from skiff.store.workspace import Workspace
from skiff.train.demands import Demands, read_amounts, settle_directions
from skiff.train.shadows import REGULARISED, STRICT, ShadowPlan, fit_shadows, plan_shadows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

Attack: TypeAlias = Literal["membership", "attributes", "inversion", "evasion", "extraction", "poison"]
ATTACKS: tuple[Attack, ...] = get_args(Attack)

MOST_MODELS, LEAST_MODELS = 16, 8
"""Shadow models: with 16 each row is learned by about eight and not learned by about eight; fewer than eight say little of a row."""

RETRAINED: dict[RemedyName, str] = {"regularised": REGULARISED, "strict": STRICT}
"""Remedies that are another recipe, the mildest first: a stronger one is tried where the one before is not green."""

MOST_ROWS = 20_000
"""Rows that shadows learn from at most, each half of them; a larger table is sampled."""

MIN_OF_CLASS = 20
"""Rows that the second largest class must have, so that no half misses it."""

PLANNED_SHARE = 0.8
"""Share of the budget that is planned with, for shadows whose time is estimated from the first two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureWishes:
    """What shall be tried, and how hard.

    Parameters
    ----------
    release : int or None
        Number; None for the one that answers.
    attacks : tuple of str
    budget_s : float
        Seconds for the shadow models.
    seed, threads : int
    """

    release: int | None = None
    attacks: tuple[Attack, ...] = ATTACKS
    budget_s: float = 60.0
    seed: int = 0
    threads: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureOutcome:
    """What came of it."""

    story: SecureStory
    files: dict[str, str]
    exposed_rows: tuple[int, ...]
    seconds: dict[str, float]

    @property
    def is_yes(self) -> bool:
        """Whether no gate says no."""
        return not self.story.refused

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        story = self.story
        return {
            "release": story.release,
            "light": story.light,
            "gate": {"passed": self.is_yes, "attacks": list(story.gate), "refused": list(story.refused)},
            "attacks": {
                item.attack: {
                    "light": item.light,
                    "headline": item.headline,
                    "sentences": list(item.sentences),
                    "remedy": item.remedy,
                    "not_measured": item.not_measured,
                    "measured": {found.name: found for found in item.measured},
                    "seconds": self.seconds[item.attack],
                }
                for item in story.told
            },
            "exposed_rows": list(self.exposed_rows),
            "skipped": list(story.skipped),
            "files": self.files,
            "evidence": story.evidence,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outside:
    """Rows of the table, and what models that did not learn from each say to it, NaN where there is none."""

    rows: Int
    answers: Float


@dataclass(kw_only=True)
class _Siege:
    """One release under attack, and what has been found so far."""

    champion: Champion
    settings: Settings
    wishes: SecureWishes
    progress: Progress
    y: Float = field(init=False)
    exposed_rows: tuple[int, ...] = ()
    outside: _Outside | None = None

    def __post_init__(self) -> None:
        self.y, _ = encode_target(self.champion.table.frame, self.champion.task)

    @property
    def suspect(self) -> Suspect:
        """Return the released file as its users have it."""
        predictor = self.champion.predictor
        return Suspect(
            ask=lambda frame: answer_frame(predictor, frame),
            kind=self.champion.task.kind,
            inputs=predictor.signature.inputs,
            threshold=predictor.threshold,
        )

    def take(self, rows: Int) -> pl.DataFrame:
        """Return rows of the table that the release came from."""
        return self.champion.table.frame[rows]

    @property
    def strangers(self) -> Int:
        """Return the rows that the release was judged on, or those it learned from where none was kept aside."""
        return self.champion.test if len(self.champion.test) else self.champion.train


def secure(
    folder: Path,
    wishes: SecureWishes | None = None,
    *,
    progress: Progress | None = None,
    at: Callable[[], str] = now_utc,
) -> SecureOutcome:
    """Attack a release and write ``reports/secure.html``; nothing about the release changes.

    Parameters
    ----------
    folder : Path
        The workspace.
    wishes : SecureWishes, optional
    progress : Progress, optional

    Raises
    ------
    SkiffError
        ``no_release``, ``release_not_found``; ``column_not_found`` for a name under ``[secure]`` that is not in the table.

    Notes
    -----
    Shadow models learn from training rows alone. Of the sealed rows inversion, evasion and extraction see the columns; attribute
    inference also sees their answers, which is noted in the ledger.
    """
    wishes = wishes or SecureWishes()
    with Workspace.open(folder) as workspace:
        settings = workspace.settings
        siege = _Siege(
            champion=load_champion(workspace, wishes.release),
            settings=settings,
            wishes=wishes,
            progress=progress or Silent(),
        )
        _refuse_unknown(settings, siege.champion)
        told: list[Told] = []
        skipped: list[str] = []
        seconds: dict[str, float] = {}
        for attack in (name for name in ATTACKS if name in wishes.attacks):
            began = time.monotonic()
            found = ATTACK_WITH[attack](siege)
            seconds[attack] = time.monotonic() - began
            (told.append if isinstance(found, Told) else skipped.append)(found)  # type: ignore[arg-type]  # one list for each
        story = SecureStory(
            title=workspace.root.name,
            created=at(),
            release=siege.champion.number,
            told=tuple(told),
            skipped=tuple(skipped),
            gate=settings.secure.gate,
        )
        noted = workspace.ledger.append(
            "secure", subject=f"release {siege.champion.number}", result=_tell_ledger(story), at=at()
        )
        story = SecureStory(
            title=story.title, created=story.created, release=story.release, told=story.told, skipped=story.skipped,
            gate=story.gate, evidence=noted.id,
        )  # fmt: skip
        written = workspace.write_report("secure.html", render_secure(story).encode())
    return SecureOutcome(
        story=story, files={"secure_html": str(written)}, exposed_rows=siege.exposed_rows, seconds=seconds
    )


def _attack_membership(siege: _Siege) -> Told:
    """Train shadows on halves of the training rows and attack each with all others."""
    champion, wishes = siege.champion, siege.wishes
    chance = np.random.default_rng(wishes.seed)
    rows = np.sort(chance.permutation(champion.train)[:MOST_ROWS])
    y = siege.y[rows]
    if len(rows) < MIN_ROWS or not _has_classes(champion, y):
        return tell_too_few("membership", len(rows))
    siege.progress.stage("Membership", "models that learn from halves of the training rows")
    members = [(item["name"], item["weight"]) for item in champion.manifest["preprocessing"]["members"]]
    plan = _plan(siege, rows, members)
    shadows = _train_shadows(siege, plan, n_models=None)
    found = attack_shadows(shadows, seed=wishes.seed)
    priced = [price_rounding(shadows, seed=wishes.seed)]
    for name, recipe in RETRAINED.items():
        if found.light == "green" or priced[-1].membership.light == "green":
            break
        siege.progress.step(f"measuring what a remedy does, and what it costs: {recipe}")
        after = _train_shadows(siege, _plan(siege, rows, [(recipe, 1.0)]), n_models=found.n_models)
        priced.append(price_retraining(name, shadows, after, seed=wishes.seed))
    siege.outside = _Outside(rows=rows, answers=answer_outside(shadows))
    siege.exposed_rows = tuple(int(rows[item.row]) + 1 for item in found.exposed)
    return tell_membership(
        found,
        _keep_worth_telling(priced, found.light),
        Exposed(table=champion.table.name, rows=siege.exposed_rows),
        recipe=", ".join(plan.names),
        stand_ins=plan.stand_ins,
    )


def _keep_worth_telling(priced: Sequence[Priced], light: Light | None) -> Sequence[Priced]:
    """Return the remedies, none where none is needed."""
    return () if light == "green" else priced


def _has_classes(champion: Champion, y: Float) -> bool:
    if champion.task.kind == "regression":
        return True
    sizes = np.sort(np.bincount(y.astype(np.int64), minlength=2))
    return bool(sizes[-2] >= MIN_OF_CLASS)


def _plan(siege: _Siege, rows: Int, members: Sequence[tuple[str, float]]) -> ShadowPlan:
    champion, wishes = siege.champion, siege.wishes
    task, frame = champion.task, champion.table.frame
    groups = None
    if task.group is not None:
        groups = frame[task.group].cast(str).rank("dense").fill_null(0).to_numpy().astype(np.int64)[rows]
    return plan_shadows(
        frame[rows],
        siege.y[rows],
        task,
        champion.predictor.signature.inputs,
        members=members,
        featurize=featurize,
        now=time.monotonic,
        budget_s=wishes.budget_s,
        seed=wishes.seed,
        threads=wishes.threads,
        groups=groups,
        demands=_read_demands(siege, rows),
    )


def _read_demands(siege: _Siege, rows: Int) -> Demands:
    """Return what was asked of the training, as the settings have it now."""
    task, frame = siege.champion.task, siege.take(rows)
    needed = np.ones(len(rows), dtype=bool)
    train = siege.settings.train
    inputs = siege.champion.predictor.signature.inputs
    known = {name: way for name, way in train.monotone.items() if name in {column.name for column in inputs}}
    return Demands(
        weights=read_amounts(frame, task.weight, needed, setting="task.weight") if task.weight else None,
        exposure=read_amounts(frame, task.exposure, needed, setting="task.exposure") if task.exposure else None,
        exposure_column=task.exposure or "",
        monotone=settle_directions(known, inputs, task),
        quantile=train.quantile if task.kind == "regression" else None,
    )


def _train_shadows(siege: _Siege, plan: ShadowPlan, *, n_models: int | None) -> Shadows:
    """Train as many shadows as the budget allows, or a settled number."""
    wishes = siege.wishes
    members = draw_members(len(plan.table.y), n_models or MOST_MODELS, seed=wishes.seed)
    began = time.monotonic()
    answers = fit_shadows(plan, members[: wishes.threads], seed=wishes.seed)
    spent = max(time.monotonic() - began, 1e-3)
    if n_models is None:
        affordable = wishes.threads * int(PLANNED_SHARE * wishes.budget_s / spent)
        members = members[: max(LEAST_MODELS, min(MOST_MODELS, affordable))]
    while len(answers) < len(members):
        siege.progress.step(
            f"{len(answers)} of {len(members)} models trained", done=float(len(answers)), total=float(len(members))
        )
        batch = members[len(answers) : len(answers) + wishes.threads]
        answers += fit_shadows(plan, batch, seed=wishes.seed + len(answers))
    return Shadows(answers=np.stack(answers), members=members, y=plan.table.y, kind=siege.champion.task.kind)


def _attack_attributes(siege: _Siege) -> Told | str:
    """Ask the model for columns of people it learned from, and of others."""
    champion = siege.champion
    names = _find_sensitive(siege)
    if not names:
        return (
            "Attribute inference was not tried: no column of the model is personal, or named under [secure] sensitive."
        )
    if not len(champion.test):
        return "Attribute inference was not tried: no row was kept aside that the model did not learn from."
    siege.progress.stage("Attributes", ", ".join(names))
    learned = People(rows=siege.take(champion.train), y=siege.y[champion.train])
    others = People(rows=siege.take(champion.test), y=siege.y[champion.test])
    return tell_attributes(measure_attributes(siege.suspect, learned, others, names, seed=siege.wishes.seed))


def _find_sensitive(siege: _Siege) -> tuple[str, ...]:
    """Return the columns worth hiding: those named, else those found to be personal."""
    inputs = [column.name for column in siege.champion.predictor.signature.inputs]
    named = siege.settings.secure.sensitive
    if not named:
        found = {
            item.column for item in find_personal_columns(siege.champion.table.frame.select(inputs)) if item.is_personal
        }
        found = (found | set(siege.settings.privacy.personal)) - set(siege.settings.privacy.not_personal)
        named = tuple(name for name in inputs if name in found)
    return tuple(name for name in named if name in inputs)


def _attack_evasion(siege: _Siege) -> Told | str:
    """Change cells until decisions turn over."""
    if siege.champion.task.kind == "regression":
        return "Evasion was not tried: a model of numbers takes no decision that could be turned over."
    siege.progress.stage("Evasion", "cells that people can change")
    found = measure_evasion(
        siege.suspect,
        siege.take(siege.strangers),
        siege.take(siege.champion.train),
        immutable=siege.settings.secure.immutable,
        seed=siege.wishes.seed,
    )
    return tell_evasion(found)


def _attack_extraction(siege: _Siege) -> Told:
    """Make a copy by asking."""
    siege.progress.stage("Extraction", "a copy made by asking")
    found = measure_extraction(
        siege.suspect, siege.take(siege.strangers), siege.take(siege.champion.train), seed=siege.wishes.seed
    )
    return tell_extraction(found, is_value=siege.champion.task.kind == "regression")


def _attack_inversion(siege: _Siege) -> Told | str:
    """Make up rows that please the model, and see whom they resemble."""
    champion = siege.champion
    if not len(champion.test):
        return "Inversion was not tried: no row was kept aside that the model did not learn from."
    siege.progress.stage("Inversion", "rows made up to please the model")
    found = measure_inversion(
        siege.suspect, siege.take(champion.train), siege.take(champion.test), seed=siege.wishes.seed
    )
    return tell_inversion(found)


def _attack_poison(siege: _Siege) -> Told | str:
    """Look for signs that decide alone and for nests of contradicted answers."""
    champion, outside = siege.champion, siege.outside
    if champion.task.kind == "regression":
        return "Poison was not looked for: the hints are made for decisions, not for numbers."
    siege.progress.stage("Poison", "signs and contradicted answers")
    rows = np.sort(champion.train)[:MOST_ROWS] if outside is None else outside.rows
    found = measure_poison(
        siege.suspect,
        siege.take(rows),
        siege.y[rows],
        outside=None if outside is None else outside.answers,
        seed=siege.wishes.seed,
    )
    return tell_poison(found, table=champion.table.name, rows=(rows + 1).tolist())


ATTACK_WITH: dict[Attack, Callable[[_Siege], Told | str]] = {
    "membership": _attack_membership,
    "attributes": _attack_attributes,
    "inversion": _attack_inversion,
    "evasion": _attack_evasion,
    "extraction": _attack_extraction,
    "poison": _attack_poison,
}


def _refuse_unknown(settings: Settings, champion: Champion) -> None:
    """Refuse names under ``[secure]`` that are not in the table: a misspelt one would be attacked in silence."""
    columns = champion.table.frame.columns
    for key, names in (("immutable", settings.secure.immutable), ("sensitive", settings.secure.sensitive)):
        for name in names:
            if name not in columns:
                raise SkiffError.column_not_found(name, columns=columns, option=f"[secure] {key}")


def _tell_ledger(story: SecureStory) -> dict[str, Json]:
    lights: dict[str, Json] = {item.attack: item.light for item in story.told}
    measured: dict[str, Json] = {
        f"{item.attack}.{found.name}": {"value": found.value, "low": found.low, "high": found.high, "n": found.n}
        for item in story.told
        for found in item.measured
    }
    return {
        "lights": lights,
        "measured": measured,
        "gate": [*story.gate],
        "refused": [*story.refused],
        "sealed_answers_seen": any(item.attack == "attributes" for item in story.told),
    }
