"""The datasheet: Croissant 1.1 metadata of the training table, with what nobody answered said openly."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from copy import deepcopy

from skiff.core.evidence import Json
from skiff.data.provenance import UNANSWERED, list_answers
from skiff.report.content import ColumnStory, RunStory
from skiff.report.glossary import clean_name

CONTEXT: dict[str, Json] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "skiff": "urn:skiff:terms:",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The JSON-LD context of the specification, https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html."""

DATA_TYPES = {
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "category": "sc:Text",
    "text": "sc:Text",
    "date": "sc:Date",
}
STORED_TYPES = {"Int64": "sc:Integer", "Datetime": "sc:DateTime"}
"""Where how a column is stored says more than its kind."""

FILE_ID = "table"
MAX_LIMITATIONS = 50


def build_datasheet(story: RunStory) -> dict[str, Json]:
    """Return the table's Croissant 1.1 JSON-LD: what it is, its hash, its columns, and what nobody answered.

    Notes
    -----
    Holds no cell of the data. The questions follow the datasheets of Gebru et al. (2021),
    https://doi.org/10.1145/3458723; an empty answer is written as ``not answered``.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> sheet = build_datasheet(build_example_story())
    >>> sheet["@type"], sheet["license"], sheet["distribution"][0]["sha256"][:4]
    ('sc:Dataset', 'not answered', 'abab')
    """
    data = story.dataset
    name = clean_name(data.name)
    given = {
        "licence": story.licence,
        "owner": story.owner,
        **{key: text for key, text in data.provenance.items() if text},
    }
    answers = {answer.key: answer.text for answer in list_answers(given)} | {"purpose": story.purpose}
    unanswered: list[Json] = [key for key, text in answers.items() if not text]
    return {
        "@context": deepcopy(CONTEXT),  # readers of the dict change it in place
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": name,
        "description": f"{data.rows:,} rows and {data.columns:,} columns, used to predict “{clean_name(story.task.target)}”.",
        "datePublished": story.created,
        "version": "1.0.0",
        "license": answers["licence"] or UNANSWERED,
        "creator": {"@type": "sc:Organization", "name": answers["owner"] or UNANSWERED},
        "citeAs": f"{name}, SHA-256 {data.sha256}",
        "isLiveDataset": False,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": FILE_ID,
                "name": name,
                "contentUrl": name,
                "encodingFormat": mimetypes.guess_type(name)[0] or "text/csv",
                "sha256": data.sha256,
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "rows",
                "name": "rows",
                "field": [_build_field(column, index) for index, column in enumerate(data.schema)],
            }
        ],
        **_answer_rai(story, answers),
        "rai:personalSensitiveInformation": _list_personal(story),
        "rai:dataLimitations": _list_limitations(story),
        "skiff:legalBasis": answers["legal_basis"] or UNANSWERED,
        "skiff:provenance": {key: value or UNANSWERED for key, value in answers.items()},
        "skiff:reading": dict(data.reading),
        "skiff:unanswered": unanswered,
        "skiff:evidence": dict(story.evidence),
    }


def _answer_rai(story: RunStory, answers: Mapping[str, str]) -> dict[str, Json]:
    """Return the responsible-AI fields that somebody answered or that were counted; an absent one was not."""
    gappy = [column for column in story.dataset.schema if column.missing_rate > 0.0]
    told: dict[str, Json] = {
        "rai:dataUseCases": answers["purpose"],
        "rai:dataCollection": answers["source"],
        "rai:dataCollectionMissingData": "; ".join(
            f"{clean_name(column.name)}: {column.missing_rate:.1%} empty" for column in gappy[:MAX_LIMITATIONS]
        ),
        "temporalCoverage": answers["collected"],
    }
    return {key: value for key, value in told.items() if value}


def _build_field(column: ColumnStory, index: int) -> Json:
    name = clean_name(column.name)
    return {
        "@type": "cr:Field",
        "@id": f"rows/{index:04d}",
        "name": name,
        "description": f"{column.kind}; {column.missing_rate:.1%} missing; {column.role.replace('_', ' ')}",
        "dataType": STORED_TYPES.get(column.dtype, DATA_TYPES.get(column.kind, "sc:Text")),
        "source": {"fileObject": {"@id": FILE_ID}, "extract": {"column": column.name}},
    }


def _list_limitations(story: RunStory) -> list[Json]:
    told: list[Json] = [clean_name(item.what) for item in story.findings if item.severity != "info"]
    return told[:MAX_LIMITATIONS]


def _list_personal(story: RunStory) -> list[Json]:
    """Name the columns with findings about personal data; an empty list says that none were found, not that there are none."""
    names: list[Json] = [
        clean_name(name) for item in story.findings if item.code.startswith("privacy.") for name in item.columns
    ]
    return list(dict.fromkeys(names))
