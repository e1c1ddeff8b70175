"""A page on which the released model answers: one HTML file that runs model.onnx in the browser, without a network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import lzma
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from skiff.report.glossary import quote
from skiff.report.html import build_environment, build_style

ENGINE = "ort.wasm.bundle.min.mjs"
WASM = "ort-wasm-simd-threaded.wasm.xz"
"""onnxruntime-web 1.30.0 (MIT): the part for processors, unchanged; kept packed because it is 14 MB unpacked."""

MILLION = 1_000_000

LIMITS = (
    "An answer is a likelihood, not a fact. Someone who can overrule it should decide.",
    "It was learned from past cases. For a case unlike any of them the answer can be far off without looking so.",
    "A word that the model has never seen counts as unknown.",
    "Dates are written year-month-day; times count as UTC where they name no zone.",
)


def render_answer_page(manifest: Mapping[str, Any], model: bytes, *, title: str) -> str:  # Any: a JSON document
    """Return the page on which a release answers: a form for one case and a place to drop a table.

    Parameters
    ----------
    manifest : mapping
        Of the release.
    model : bytes
        Its ``model.onnx``; the page runs exactly these bytes.
    title : str

    Returns
    -------
    str
        One HTML file of about 5 MB and the model. Its content security policy lets it load nothing and send nothing: it
        works from a folder, a memory stick or any web server.

    Notes
    -----
    The same bytes each time for the same release. Answers agree with Python's to rounding (about 1e-12 in our trials).
    """
    assets = files("skiff.report") / "assets"
    style = build_style() + "\n" + (assets / "answers.css").read_text(encoding="utf-8")
    script = (assets / "answers.js").read_text(encoding="utf-8")
    task = manifest["task"]
    facts = {
        "kind": task["kind"],
        "unit": task.get("unit") or "",
        "classes": manifest["classes"],
        "outputs": manifest["outputs"],
        "inputs": [_describe_input(column) for column in manifest["inputs"]],
    }
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}' blob: 'wasm-unsafe-eval'; "
        "font-src data:; base-uri 'none'; form-action 'none'; connect-src 'none'"
    )
    return (
        build_environment()
        .get_template("answers.html.j2")
        .render(
            title=title,
            number=manifest.get("number", "–"),
            intro=_introduce(task),
            columns=[column["name"] for column in manifest["inputs"]],
            limits=LIMITS,
            sha256=hashlib.sha256(model).hexdigest(),
            policy=policy,
            style=Markup(style),  # noqa: S704  our own style sheet
            script=Markup(script),  # noqa: S704  our own script
            facts=Markup(_embed_json(facts)),  # noqa: S704  a JSON text in which no tag can begin
            engine=_pack((assets / ENGINE).read_bytes()),
            wasm=_pack(lzma.decompress((assets / WASM).read_bytes())),
            model=base64.b64encode(model).decode(),
        )
    )


def _introduce(task: Mapping[str, Any]) -> str:
    if task["kind"] == "regression":
        return f"It estimates {quote(task['target'])}."
    if task["kind"] == "binary":
        return f"It says how likely it is that {quote(task['target'])} is {quote(task['positive'])}."
    return f"It says which {quote(task['target'])} is most likely."


def _describe_input(column: Mapping[str, Any]) -> dict[str, object]:
    return {
        "name": column["name"],
        "kind": column["kind"],
        "levels": list(column.get("levels") or ()),
        "low": column.get("low"),
        "high": column.get("high"),
        "unit": column.get("unit") or "",
        "missing_words": list(column.get("missing_words") or ()),
        "hint": _hint(column),
    }


def _hint(column: Mapping[str, Any]) -> str:
    low, high = column.get("low"), column.get("high")
    if low is None or high is None:
        return ""
    if column["kind"] == "number":
        return f"seen: {_end(low)} to {_end(high)}"
    if column["kind"] == "date":
        return f"seen: {_day(low)} to {_day(high)}"
    return ""


def _end(value: float) -> str:
    """Write an end of a range so that what was seen is not said to lie outside it."""
    return (f"{value:,.6g}" if abs(value) < MILLION else f"{value:,.0f}").replace("-", "−", 1)


def _day(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, tz=UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return "a date beyond the calendar"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _pack(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, compresslevel=9, mtime=0)).decode()


def _embed_json(value: object) -> str:
    """Return JSON that cannot end the element it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")
