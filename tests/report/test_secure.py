"""What attacks found is told with its range, and what chance could do is told as such."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from skiff.core.measurement import Measurement
from skiff.report.glossary import REASONS
from skiff.report.secure import (
    Exposed,
    Told,
    tell_attributes,
    tell_evasion,
    tell_extraction,
    tell_inversion,
    tell_membership,
    tell_rare_class,
)
from skiff.secure.attributes import Attributes, ColumnAttack
from skiff.secure.evasion import Evasion
from skiff.secure.extraction import Extraction
from skiff.secure.inversion import Inversion
from skiff.secure.lights import Light, measure_share
from skiff.secure.membership import draw_members
from skiff.secure.price import Shadows, attack_shadows, price_rounding

NOBODY = Exposed(table="bookings.csv", rows=())


def build_shadows(*, memory: float, n_rows: int = 400) -> Shadows:
    members = draw_members(n_rows, 8, seed=0)
    logits = np.random.default_rng(0).normal(size=members.shape) + memory * members
    p = 1 / (1 + np.exp(-logits))
    return Shadows(answers=np.stack([1 - p, p], axis=2), members=members, y=np.ones(n_rows), kind="binary")


def test_remedies_offline_attackers_and_the_control_are_told_with_ranges() -> None:
    shadows = build_shadows(memory=1.0)
    found = attack_shadows(shadows)
    told = tell_membership(found, [price_rounding(shadows)], NOBODY, recipe="boosting")
    for start in ("An attacker whose own models", "Control:", "Give answers in coarse steps"):
        (sentence,) = [item for item in told.sentences if item.startswith(start)]
        assert " to " in sentence
    (remedy,) = [item for item in told.sentences if item.startswith("Give answers in coarse steps")]
    assert remedy.count(" to ") >= 4  # recognised, lead, and two prices
    assert {"offline_tpr_at_fpr_0.01", "control_tpr_at_fpr_0.01"} <= {item.name for item in told.measured}


def test_membership_that_chance_could_do_is_no_light_and_no_remedy() -> None:
    found = replace(attack_shadows(build_shadows(memory=0.0)), light=None)
    told = tell_membership(found, [], NOBODY, recipe="boosting")
    assert told.headline.startswith("Too few rows to say")
    assert told.remedy == ""
    assert any("Control:" in sentence for sentence in told.sentences)


def test_a_rare_class_is_named_as_the_reason() -> None:
    assert "5,000 training rows" in tell_rare_class(5_000, 20).headline
    assert "20" in tell_rare_class(5_000, 20).headline


@pytest.mark.parametrize("light", [None, "green", "amber", "red"])
def test_attributes_are_told_by_their_light(light: Light | None) -> None:
    gap = Measurement(name="attribute_gap[sick]", value=0.06, low=-0.01, high=0.1, n=900)
    column = ColumnAttack(column="sick", with_model=0.6, without_model=0.6, gain=gap, gap=gap, light=light)
    told = tell_attributes(Attributes(light=light, columns=(column,), untried=()), absent=("diagnosis",))
    assert ("too few" in told.headline.lower()) is (light is None)
    assert bool(told.remedy) is (light in {"amber", "red"})
    assert any("diagnosis" in sentence for sentence in told.sentences)


def tell_untried() -> list[Told]:
    evasion = Evasion(
        light=None, flipped=(), anyhow=None, columns=(), distance=None, immutable=(), untouched=("remark",), n_rows=90
    )
    same = measure_share("fidelity_at_1000", 99, 100, method="", baseline=0.99)
    unsure = measure_share("inverted_nearer_to_learned", 15, 22, method="", baseline=0.5)
    return [
        tell_evasion(evasion),
        tell_extraction(Extraction(light=None, fidelity=(), n_rows=90), is_value=False),
        tell_extraction(Extraction(light=None, fidelity=(same,), n_rows=100), is_value=False),
        tell_inversion(Inversion(light=None, nearer=unsure, n_distinct=40)),
        tell_inversion(Inversion(light=None, nearer=None, n_distinct=0)),
    ]


def test_what_could_not_be_tried_is_said_in_each_attacks_words() -> None:
    for told in tell_untried():
        assert told.headline.startswith("Too few")
        assert told.remedy == ""


def test_a_reason_can_stand_behind_a_colon() -> None:
    assert [code for code, reason in REASONS.items() if ":" in reason] == []
