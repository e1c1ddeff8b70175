"""A release under attack, end to end: lights, ledger, page, gate."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from skiff.cli.secure import ATTACKS as ATTACKS_IN_HELP
from skiff.core.errors import SkiffError
from skiff.flows.conclude import RunOutcome
from skiff.flows.learned import find_split
from skiff.flows.run import run
from skiff.flows.secure import ATTACKS, SecureOutcome, SecureWishes, secure
from skiff.flows.settle import Wishes
from skiff.report.secure import SecureStory, Told
from skiff.secure.lights import Light
from skiff.store.workspace import Workspace

VERDICTS = re.compile(r"\b(safe|secure[ds]?|compliant|certified|fair|guaranteed?|protected|risk-free)\b", re.IGNORECASE)
QUICK = SecureWishes(budget_s=2.0)


@pytest.fixture(scope="module")
def attacked(finished: tuple[RunOutcome, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[SecureOutcome, Path]:
    """Return what came of attacking a copy of the bookings, and the copy."""
    folder = tmp_path_factory.mktemp("attacked") / "bookings"
    shutil.copytree(finished[1], folder)
    set_secure(folder, 'sensitive = ["channel", "breakfast"]\nimmutable = ["lead_days"]\n')
    return secure(folder, QUICK), folder


def set_secure(folder: Path, lines: str) -> None:
    path = folder / "skiff.toml"
    path.write_text(path.read_text().replace("[secure]\n", f"[secure]\n{lines}", 1))


def test_every_attack_ends_in_a_light_or_says_why_not(attacked: tuple[SecureOutcome, Path]) -> None:
    made, _ = attacked
    assert [item.attack for item in made.story.told] == list(ATTACKS)
    for item in made.story.told:
        assert item.light in {"red", "amber", "green"} or "too few" in item.headline.lower()
        assert item.light in {None, "green"} or item.remedy
        assert item.light is None or item.not_measured


def test_no_word_promises_more_than_was_measured(attacked: tuple[SecureOutcome, Path]) -> None:
    made, folder = attacked
    page = re.sub(r"<style>.*?</style>", "", (folder / "reports" / "secure.html").read_text(), flags=re.DOTALL)
    words = re.sub(r"<[^>]+>|secure\.html|\[secure\]", " ", page)
    assert VERDICTS.findall(words) == []
    for item in made.story.told:
        told = " ".join((item.headline, *item.sentences, item.remedy, item.not_measured)).replace("[secure]", "")
        assert VERDICTS.findall(told) == []


def test_the_ledger_and_the_page_name_each_other(attacked: tuple[SecureOutcome, Path]) -> None:
    made, folder = attacked
    with Workspace.open(folder) as workspace:
        record = next(item for item in workspace.ledger.records() if item.id == made.story.evidence)
        assert workspace.ledger.verify().ok
    assert record.action == "secure"
    assert record.subject == "release 1"
    assert record.result["lights"] == {item.attack: item.light for item in made.story.told}
    assert made.story.evidence in (folder / "reports" / "secure.html").read_text()


def test_exposed_rows_are_rows_the_release_learned_from(attacked: tuple[SecureOutcome, Path]) -> None:
    made, folder = attacked
    with Workspace.open(folder) as workspace:
        split = find_split(workspace, 1)
    assert split is not None
    test = set((split[1] + 1).tolist())
    assert made.exposed_rows
    assert not test & set(made.exposed_rows)


def test_no_cell_is_told(attacked: tuple[SecureOutcome, Path]) -> None:
    made, folder = attacked
    told = json.dumps(made.as_result(), default=str) + (folder / "reports" / "secure.html").read_text()
    assert "agency" not in told
    assert "B100" not in told


def test_the_same_seed_finds_the_same(attacked: tuple[SecureOutcome, Path]) -> None:
    made, folder = attacked
    wishes = SecureWishes(attacks=("attributes", "inversion", "evasion", "extraction"))
    again = secure(folder, wishes)
    assert [item.measured for item in again.story.told] == [
        item.measured for item in made.story.told if item.attack in wishes.attacks
    ]


def test_a_red_light_says_no_only_where_it_is_a_gate(attacked: tuple[SecureOutcome, Path], tmp_path: Path) -> None:
    folder = tmp_path / "gated"
    shutil.copytree(attacked[1], folder)
    wishes = SecureWishes(attacks=("evasion",))
    path = folder / "skiff.toml"
    path.write_text(path.read_text().replace('immutable = ["lead_days"]', 'immutable = ["breakfast"]'))
    ungated = secure(folder, wishes)
    assert ungated.is_yes
    path.write_text(path.read_text().replace("[secure]\n", '[secure]\ngate = ["evasion"]\n', 1))
    gated = secure(folder, wishes)
    assert gated.is_yes == (gated.story.told[0].light != "red")
    assert gated.story.told[0].light == ungated.story.told[0].light


@pytest.mark.parametrize(
    ("light", "gate", "is_yes"),
    [("red", ("evasion",), False), ("red", ("membership",), True), ("amber", ("evasion",), True)],
)
def test_only_red_at_a_gate_says_no(light: Light, gate: tuple[str, ...], *, is_yes: bool) -> None:
    told = Told(attack="evasion", light=light, headline="Changing one cell turns 80 % over.")
    story = SecureStory(title="bookings", created="2026-03-01T06:00:00Z", release=1, told=(told,), gate=gate)
    made = SecureOutcome(story=story, files={}, exposed_rows=(), seconds={"evasion": 0.1})
    assert made.is_yes is is_yes
    assert ("gate says no" in story.headline) is not is_yes


def test_misspelt_columns_are_refused_with_the_closest(attacked: tuple[SecureOutcome, Path], tmp_path: Path) -> None:
    folder = tmp_path / "misspelt"
    shutil.copytree(attacked[1], folder)
    path = folder / "skiff.toml"
    path.write_text(path.read_text().replace('immutable = ["lead_days"]', 'immutable = ["lead_day"]'))
    with pytest.raises(SkiffError) as caught:
        secure(folder, SecureWishes(attacks=("evasion",)))
    assert caught.value.code == "column_not_found"
    assert "lead_days" in caught.value.fix


def test_a_release_that_is_not_there_is_refused(attacked: tuple[SecureOutcome, Path]) -> None:
    with pytest.raises(SkiffError, match="7"):
        secure(attacked[1], SecureWishes(release=7, attacks=("evasion",)))


def test_values_are_attacked_where_that_makes_sense(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rooms = random.integers(1, 6, 500)
    rent = (300 + 200 * rooms + random.normal(0, 60, 500)).round(2)
    pl.DataFrame({"rooms": rooms, "floor": random.integers(0, 9, 500), "rent": rent}).write_csv(tmp_path / "flats.csv")
    run(tmp_path / "flats.csv", Wishes(target="rent", budget_s=1.5), folder=tmp_path / "flats")
    made = secure(tmp_path / "flats", QUICK)
    assert [item.attack for item in made.story.told] == ["membership", "inversion", "extraction"]
    assert any("no decision" in sentence for sentence in made.story.skipped)


def test_the_help_names_all_attacks() -> None:
    assert ATTACKS_IN_HELP == ATTACKS
