"""What a release is made of, for machines: a CycloneDX 1.6 bill of materials with the model's card.

Written by hand because the library for this format has no class for a model's card and drops it (cyclonedx-python-lib 11.12);
its strict validator holds the result in the tests.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol
from urllib.parse import quote

from skiff.core.evidence import Json, canonical_json
from skiff.core.measurement import Measurement
from skiff.report.content import ColumnStory, RunStory
from skiff.report.glossary import clean_name
from skiff.report.limits import describe_limits

SPECIFICATION = "1.6"
"""ECMA-424, https://cyclonedx.org/docs/1.6/json/"""

NAMESPACE = uuid.UUID("2f0c4e0e-6f5b-5a9c-8f7e-3c9f0c1d7a55")
"""Ours, so that the same content always has the same serial number (RFC 9562, version 5)."""

TASKS = {"binary": "classification", "multiclass": "classification", "regression": "regression"}
MODEL, DATA = "model.onnx", "training-data"


class Listed(Protocol):
    """What this page needs of an installed distribution (`skiff.store.packages.Package` has it)."""

    @property
    def name(self) -> str:
        """Name as registries compare it."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def licence(self) -> str:
        """As stated; may be empty."""

    @property
    def is_expression(self) -> bool:
        """Whether the licence is an SPDX expression."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of what it asks for."""

    @property
    def is_optional(self) -> bool:
        """Whether an extra asks for it."""


def build_sbom(story: RunStory, packages: Sequence[Listed], *, task: str = "") -> dict[str, Json]:
    """Return the bill of materials of a release as JSON: the model, its data, and the software it was made with.

    Parameters
    ----------
    story : RunStory
        Of a run that has a release.
    packages : sequence of Listed
    task : str
        What is done in words; by default classification or regression.

    Notes
    -----
    States what was installed where the model was made. To answer, the model itself needs an ONNX runtime alone. A licence is
    printed as its package states it; one that states none has none here. Nobody looked for known weaknesses: `skiff doctor
    --advisories` does that.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> made = build_sbom(build_example_story(), [])
    >>> made["bomFormat"], made["specVersion"], made["metadata"]["component"]["type"]
    ('CycloneDX', '1.6', 'machine-learning-model')
    """
    body: dict[str, Json] = {
        "metadata": {
            "timestamp": story.created,
            "tools": {"components": [{"type": "application", "name": "skiff-ml", "version": story.skiff_version}]},
            "component": _describe_model(story, task or TASKS[story.task.kind]),
        },
        "components": [_describe_data(story), *map(_describe_package, packages)],
        "dependencies": [
            {"ref": MODEL, "dependsOn": [DATA, *sorted(map(build_purl, packages))]},
            *_list_dependencies(packages),
        ],
    }
    serial = uuid.uuid5(NAMESPACE, hashlib.sha256(canonical_json(body)).hexdigest())
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        **body,
    }


def build_purl(package: Listed) -> str:
    """Return the address by which scanners know a distribution (ECMA-427, type ``pypi``).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> build_purl(SimpleNamespace(name="scikit-learn", version="1.7.0+cu"))
    'pkg:pypi/scikit-learn@1.7.0%2Bcu'
    """
    return f"pkg:pypi/{quote(package.name, safe='.-')}@{quote(package.version, safe='.-')}"


def _describe_model(story: RunStory, task: str) -> dict[str, Json]:
    release, model = story.release, story.model
    numbers: Json = [] if release is None else [{"alg": "SHA-256", "content": release.sha256}]
    stated: dict[str, Json] = {"licenses": [{"license": {"name": story.licence}}]} if story.licence else {}
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": clean_name(story.title),
        "version": str(release.number) if release and release.number else "0",
        "description": f"Predicts “{clean_name(story.task.target)}”; one ONNX file from raw columns to the answer.",
        "hashes": numbers,
        **stated,
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "supervised"},
                "task": task,
                "architectureFamily": ", ".join(name for name, _ in model.members) if model else "",
                "modelArchitecture": model.name if model else "",
                "datasets": [{"ref": DATA}],
                "inputs": [{"format": f"{clean_name(item.name)}: {item.kind}"} for item in _list_inputs(story)],
                "outputs": [{"format": text} for text in _list_outputs(story)],
            },
            "quantitativeAnalysis": {"performanceMetrics": _list_metrics(story)},
            "considerations": {
                "useCases": [story.purpose] if story.purpose else [],
                "technicalLimitations": list(describe_limits(story)),
            },
            "properties": [
                *(_property(f"evidence:{topic}", record) for topic, record in sorted(story.evidence.items())),
                _property("gate", "passed" if story.gate.passed else "not passed"),
            ],
        },
    }


def _list_inputs(story: RunStory) -> list[ColumnStory]:
    return [column for column in story.dataset.schema if column.role in {"used", "time"}]


def _list_outputs(story: RunStory) -> list[str]:
    if story.task.kind == "regression":
        return ["number"]
    return ["label", f"probabilities of {len(story.task.classes)} classes"]


def _list_metrics(story: RunStory) -> list[Json]:
    if story.evaluation is None:
        return []
    found = [_describe_metric(measured, "") for measured in story.evaluation.metrics.values()]
    for part in story.evaluation.slices:
        where = f"{clean_name(part.column)} = {clean_name(part.level)}"
        found += [_describe_metric(measured, where) for measured in part.metrics.values()]
    return found


def _describe_metric(measured: Measurement, part: str) -> Json:
    said: dict[str, Json] = {"type": measured.name, "value": repr(measured.value)}
    if measured.low is not None and measured.high is not None:
        said["confidenceInterval"] = {"lowerBound": repr(measured.low), "upperBound": repr(measured.high)}
    return {**said, "slice": f"{part}, n = {measured.n}" if part else f"rows kept aside, n = {measured.n}"}


def _describe_data(story: RunStory) -> Json:
    data = story.dataset
    personal = [name for item in story.findings if item.code.startswith("privacy.") for name in item.columns]
    return {
        "type": "data",
        "bom-ref": DATA,
        "name": clean_name(data.name),
        "hashes": [{"alg": "SHA-256", "content": data.sha256}],
        "data": [
            {
                "type": "dataset",
                "name": clean_name(data.name),
                "description": f"{data.rows:,} rows and {data.columns:,} columns; not part of the release.",
                "sensitiveData": list(dict.fromkeys(clean_name(name) for name in personal)),
                **_name_owner(data.provenance.get("owner") or story.owner),
            }
        ],
    }


def _name_owner(owner: str) -> dict[str, Json]:
    return {"governance": {"owners": [{"organization": {"name": owner}}]}} if owner else {}


def _describe_package(package: Listed) -> Json:
    said: dict[str, Json] = {
        "type": "library",
        "bom-ref": build_purl(package),
        "name": package.name,
        "version": package.version,
        "scope": "optional" if package.is_optional else "required",
        "purl": build_purl(package),
    }
    if package.licence and package.is_expression:
        said["licenses"] = [{"expression": package.licence}]
    elif package.licence:
        said["licenses"] = [{"license": {"name": package.licence}}]
    else:
        said["properties"] = [_property("licence", "not stated by the package")]
    return said


def _list_dependencies(packages: Iterable[Listed]) -> list[Json]:
    known = {package.name: build_purl(package) for package in packages}
    return [{"ref": known[package.name], "dependsOn": _name_needs(package, known)} for package in packages]


def _name_needs(package: Listed, known: Mapping[str, str]) -> list[Json]:
    return [known[name] for name in sorted(package.needs) if name in known]


def _property(name: str, value: str) -> Json:
    return {"name": f"skiff:{name}", "value": value}
