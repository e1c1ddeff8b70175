"""The bill of materials is what CycloneDX says it must be, and tells the truth about the release."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from skiff.report.examples import build_example_story
from skiff.report.sbom import build_sbom
from skiff.store.packages import Package, list_packages

VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


def find_fault(made: object) -> object:
    return VALIDATOR.validate_str(json.dumps(made))


def test_the_bill_is_strictly_valid_with_all_that_is_installed() -> None:
    packages = list_packages()
    made = build_sbom(build_example_story(), packages)
    assert find_fault(made) is None
    assert len(made["components"]) == len(packages) + 1  # type: ignore[arg-type]  # a list


@pytest.mark.parametrize("story", [
    build_example_story(),
    replace(build_example_story(), model=None, evaluation=None, release=None, licence="", purpose=""),
    replace(build_example_story(), licence="CC-BY-4.0", owner="Example Hotels Ltd", purpose="Call guests before they cancel"),
])  # fmt: skip
def test_every_kind_of_story_is_strictly_valid(story: object) -> None:
    odd = [Package(name="odd", version="1.0+x/y", licence="Ask us"), Package(name="none", version="2")]
    assert find_fault(build_sbom(story, odd)) is None  # type: ignore[arg-type]  # a story


def test_the_validator_would_notice() -> None:
    made = build_sbom(build_example_story(), [])
    made["metadata"]["component"]["modelCard"]["modelParameters"]["approach"]["type"] = "guessed"  # type: ignore[index,call-overload]
    assert find_fault(made) is not None


def test_the_same_release_gives_the_same_bill_and_another_one_another_serial_number() -> None:
    story, packages = build_example_story(), list_packages()
    first = build_sbom(story, packages)
    assert json.dumps(build_sbom(story, packages)) == json.dumps(first)
    assert build_sbom(replace(story, title="Another"), packages)["serialNumber"] != first["serialNumber"]


def test_the_card_inside_has_the_numbers_of_the_story() -> None:
    story = build_example_story()
    card = build_sbom(story, [])["metadata"]["component"]["modelCard"]  # type: ignore[index,call-overload]
    told = {
        item["type"]: item
        for item in card["quantitativeAnalysis"]["performanceMetrics"]
        if "kept aside" in item["slice"]
    }
    assert story.evaluation is not None
    assert {name: float(item["value"]) for name, item in told.items()} == {
        name: measured.value for name, measured in story.evaluation.metrics.items()
    }
    assert {item["name"] for item in card["properties"]} >= {f"skiff:evidence:{topic}" for topic in story.evidence}
