"""Attack a release the way strangers would, and say in which light it stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.progress import Progress, Silent
from skiff.core.settings import Settings
from skiff.flows.champion import Champion, load_champion
from skiff.flows.secure.attributes import attack_attributes
from skiff.flows.secure.evasion import attack_evasion
from skiff.flows.secure.extraction import attack_extraction
from skiff.flows.secure.inversion import attack_inversion
from skiff.flows.secure.membership import attack_membership
from skiff.flows.secure.poison import attack_poison
from skiff.flows.secure.siege import Attack, SecureWishes, Siege
from skiff.report.secure import SecureStory, Told, render_secure
from skiff.store.clock import now_utc
from skiff.store.workspace import Workspace

ATTACK_WITH: dict[Attack, Callable[[Siege], Told | str]] = {
    "membership": attack_membership,
    "attributes": attack_attributes,
    "inversion": attack_inversion,
    "evasion": attack_evasion,
    "extraction": attack_extraction,
    "poison": attack_poison,
}

ATTACKS: tuple[Attack, ...] = tuple(ATTACK_WITH)


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
        siege = Siege(
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
        story = replace(story, evidence=noted.id)
        written = workspace.write_report("secure.html", render_secure(story).encode())
    return SecureOutcome(
        story=story, files={"secure_html": str(written)}, exposed_rows=siege.exposed_rows, seconds=seconds
    )


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
