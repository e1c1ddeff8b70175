"""Copy a release out of the workspace, with a page on which it answers if asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skiff.core.errors import SkiffError
from skiff.flows.standing import refuse_none
from skiff.report.answers import render_answer_page
from skiff.store.files import make_folder, write_atomic
from skiff.store.trust import SIGNATURE_FILE
from skiff.store.workspace import Workspace

PAGE = "index.html"
READABLE, OPEN_FOLDER = 0o644, 0o755
"""What is handed over may be read by whoever gets the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRelease:
    """What was copied out."""

    release: int
    folder: Path
    files: tuple[str, ...]

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return {"release": self.release, "folder": str(self.folder), "files": list(self.files)}


def give_release(folder: Path, output: Path, *, release: int | None = None, with_page: bool = False) -> GivenRelease:
    """Copy a release's files to a folder, after they were checked against their hashes.

    Parameters
    ----------
    folder : Path
        The workspace.
    output : Path
        A new folder, or an empty one.
    release : int, optional
        By default the one that answers now.
    with_page : bool
        Add ``index.html``: a form and a place to drop a table, answered by the same ``model.onnx`` in any browser,
        without a network.

    Raises
    ------
    SkiffError
        ``no_release``, ``release_not_found``, ``folder_not_empty``, and what the disk says.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise SkiffError(
            "folder_not_empty",
            what=f"{output} is there already and not an empty folder.",
            where={"folder": str(output)},
            fix="Name a new folder; nothing was written.",
        )
    with Workspace.open(folder) as workspace:
        number = release or refuse_none(workspace.releases.champion(), str(workspace.root))
        record = workspace.releases.verify(number)
        manifest: dict[str, Any] = dict(workspace.releases.read_manifest(number))  # Any: a JSON document
        files = {name: workspace.releases.read_file(number, name) for name in manifest["files"]}
        files["manifest.json"] = workspace.releases.read_document(number)
        signature = workspace.releases.read_signature(number)
        files |= {} if signature is None else {SIGNATURE_FILE: signature}
    if with_page:
        title = f"{record.path.parents[2].name}: {manifest['task']['target']}"
        files[PAGE] = render_answer_page(manifest, files["model.onnx"], title=title).encode()
    make_folder(output, mode=OPEN_FOLDER)
    for name, data in files.items():
        write_atomic(output / name, data, mode=READABLE)
    return GivenRelease(release=number, folder=output, files=tuple(files))
