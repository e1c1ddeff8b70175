"""How-to-run notes and continuous-integration files for one release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

NAMES = {
    "README.md.j2": "README.md",
    "github.yml.j2": "ci/github-actions.yml",
    "gitlab.yml.j2": "ci/gitlab-ci.yml",
    "predict.py.j2": "predict.py",
}


def list_papers(manifest: Mapping[str, Any], *, title: str, fingerprint: str, with_page: bool) -> dict[str, bytes]:
    """Return the texts of a bundle by name.

    Parameters
    ----------
    manifest : mapping
        Of the release.
    title : str
    fingerprint : str
        Of the signing key.
    with_page : bool
        Whether the bundle holds the browser page.
    """
    environment = Environment(  # Markdown, YAML and Python, shown as text: names are quoted where they are put in
        loader=PackageLoader("skiff.report.handover"),
        autoescape=False,  # noqa: S701  no HTML is made here
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["python"] = lambda value: json.dumps(value, ensure_ascii=False)
    columns = [
        {"name": column["name"], "kind": column["kind"], "dtype": column["dtype"]} for column in manifest["inputs"]
    ]
    task = manifest["task"]
    known = {
        "title": " ".join(title.split()),
        "columns": columns,
        "task": task,
        "number": manifest.get("number"),
        "classes": manifest["classes"],
        "outputs": manifest["outputs"],
        "fingerprint": fingerprint,
        "with_page": with_page,
        "versions": manifest["software"],
    }
    made = {name: environment.get_template(template).render(**known).encode() for template, name in NAMES.items()}
    made["verify.py"] = (files("skiff.store") / "bundle_check.py").read_bytes()
    return made
