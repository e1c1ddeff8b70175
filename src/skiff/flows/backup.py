"""A workspace in one file, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.flows.revenants import apply_tombstones
from skiff.store.backups import build_beside, gather, open_backup, refuse_backup, unpack, write_backup
from skiff.store.clock import now_utc
from skiff.store.erasures import Backup
from skiff.store.files import explained
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.settings import read_settings, update_store
from skiff.store.signing import load_signing_key
from skiff.store.tombstones import SIDECAR, read_tombstones
from skiff.store.trust import add_trusted
from skiff.store.unlock import VAULT_FILE
from skiff.store.workspace import Workspace

DISK = frozenset({"disk_full", "no_permission", "read_only", "disk_failing", "file_unusable"})
"""Not the backup's fault."""

SECRETS = frozenset(
    {
        "wrong_passphrase",
        "wrong_key_file",
        "passphrase_missing",
        "passphrase_empty",
        "secret_exposed",
        "key_file_unknown",
    }
)
"""Nor is it where an encrypted one cannot be opened: the person has the wrong key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupOutcome:
    """A backup that was written, or put back."""

    file: Path
    workspace: Path
    created: str
    files: int
    size_bytes: int
    sha256: str
    ledger_records: int
    ledger_head: str
    with_keys: bool
    fingerprint: str
    left_out: int = 0
    without_model: bool = False
    is_encrypted: bool = False

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return {
            "file": str(self.file),
            "workspace": str(self.workspace),
            "created": self.created,
            "files": self.files,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "ledger_records": self.ledger_records,
            "ledger_head": self.ledger_head,
            "with_keys": self.with_keys,
            "fingerprint": self.fingerprint,
            "persons_left_out": self.left_out,
            "without_model": self.without_model,
            "encrypted": self.is_encrypted,
        }


def back_up(folder: Path, output: Path, *, with_keys: bool = False, at: Callable[[], str] = now_utc) -> BackupOutcome:
    """Write a workspace into one file, while others go on working in it.

    Parameters
    ----------
    folder : Path
    output : Path
        Replaced where it is there, once the new one is whole.
    with_keys : bool
        Whether the signing key, API keys and the key of pseudonyms go in: then the file must be kept as secret as they are.

    Raises
    ------
    SkiffError
        ``backup_elsewhere`` for a workspace whose catalog is in a database server; ``object_damaged``; what the disk says.

    Notes
    -----
    The file holds the client's data, encrypted where the workspace is. ``reports/``, unfinished trainings and locks are left out.
    """
    created = at()
    with Workspace.open(folder) as workspace:
        if workspace.settings.store.database:
            raise SkiffError(
                "backup_elsewhere",
                what="The catalog of this workspace is in a database server, whose own tools must back it up.",
                where={"setting": "store.database"},
                fix="Use pg_dump for the database, and copy .skiff/objects, .skiff/releases and, where it is encrypted, .skiff/vault.json after it.",
            )
        own = workspace.root / SKIFF_FOLDER
        with explained(output):
            output.parent.mkdir(parents=True, exist_ok=True)
        key = load_signing_key(own, box=workspace.box)
        add_trusted(own, key.public.hex())
        workspace.erasures.note_backup(Backup(file=str(output.expanduser().absolute()), created=created))
        box = workspace.box
        with gather(
            workspace.root, objects=workspace.objects.root, staging=own / "tmp", with_keys=with_keys, box=box
        ) as contents:
            index = write_backup(
                output, contents, key, workspace=workspace.root.name, created=created, with_keys=with_keys, box=box
            )
        made = _describe(
            output, workspace.root, index.created, len(index.files), index.head, index.with_keys, key.fingerprint
        )
        made = replace(made, is_encrypted=box.cipher is not None)
        workspace.ledger.append(
            "backup",
            subject=output.name,
            result={
                "sha256": made.sha256,
                "files": made.files,
                "ledger_head": made.ledger_head,
                "with_keys": with_keys,
                "key": made.fingerprint,
            },
            at=at(),
        )
    return made


def restore(
    source: Path,
    folder: Path,
    *,
    key: str = "",
    tombstones: Path | None = None,
    at: Callable[[], str] = now_utc,
) -> BackupOutcome:
    """Put a workspace back into a new or empty folder, after everything in the backup was checked.

    Whoever was erased since the backup was written is left out: the tombstones beside it say who, by keyed hashes.

    Parameters
    ----------
    source : Path
    folder : Path
    key : str
        Fingerprint of the key you trust; empty where you have none to compare.
    tombstones : Path, optional
        Another file of tombstones than the one beside the backup, or a workspace that has them.

    Raises
    ------
    SkiffError
        ``folder_not_empty``, ``file_not_found``, ``erasures_damaged``; ``backup_refused``, and then the folder is as it was.
    """
    target = folder.expanduser().absolute()
    with explained(target):
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise SkiffError(
                "folder_not_empty",
                what=f"{target} is there already and not an empty folder.",
                where={"folder": str(target)},
                fix="Name a new folder; nothing was written.",
            )
    stones_at = _find_stones(source, tombstones)
    with open_backup(source) as (archive, index):
        if key and key.replace(" ", "") != index.fingerprint.replace(" ", ""):
            raise refuse_backup(source, f"it was signed with key {index.fingerprint}, not with the one you named")
        with build_beside(target) as staging:
            unpack(archive, index, staging, path=source)
            _settle(staging, source, at)
            left_out, without_model = _leave_out(staging, stones_at, at)
    made = _describe(source, target, index.created, len(index.files), index.head, index.with_keys, index.fingerprint)
    return replace(made, left_out=left_out, without_model=without_model, is_encrypted=VAULT_FILE in index.files)


def _find_stones(source: Path, given: Path | None) -> Path:
    """Return where it stands who must not come back: the named file or workspace, else the file beside the backup."""
    if given is None:
        return source.with_name(source.name + SIDECAR)
    if not given.exists():
        raise SkiffError(
            "file_not_found",
            what=f"There is no {given.name} to read tombstones from.",
            where={"file": str(given), "option": "--tombstones"},
            fix="Name the workspace in which persons were erased, or the .erased.json file beside a backup.",
        )
    return given


def _leave_out(staging: Path, stones_at: Path, at: Callable[[], str]) -> tuple[int, bool]:
    """Erase whoever must not come back; tombstones that are sealed are opened by what opened the backup, or by what it is asked for."""
    with Workspace.open(staging) as workspace:
        stones = read_tombstones(stones_at, box=workspace.box, configured=workspace.settings.store.key_file)
    return apply_tombstones(staging, stones, at=at) if stones else (0, False)


def _settle(staging: Path, source: Path, at: Callable[[], str]) -> None:
    """Open what was unpacked, read all of it, and note where it came from.

    A stranger's settings are looked at before anything is opened by them: they could name a folder or a server elsewhere.
    """
    try:
        settings = read_settings(staging)
        if settings.store.database:
            raise refuse_backup(source, "its settings name a database server")
        if settings.store.objects is not None:
            update_store(staging, {"objects": f"{SKIFF_FOLDER}/objects"})
        with Workspace.open(staging) as workspace:
            check = workspace.verify()
            if not check.ok:
                raise check.problems[0]
            workspace.ledger.append(
                "restore", subject=source.name, result={"sha256": _hash(source), "records": check.ledger.n}, at=at()
            )
    except SkiffError as error:
        if error.code in SECRETS and "vault.json" in str(error.where.get("file", "")):
            error.where["file"] = str(source)  # the folder in the making is gone by now
        if error.code in DISK | SECRETS or error.code == "backup_refused":
            raise
        raise refuse_backup(source, f"what it holds does not fit together ({error.code})") from error


def _describe(  # noqa: PLR0917  the parts of one result
    path: Path, root: Path, created: str, n_files: int, head: object, with_keys: bool, fingerprint: str
) -> BackupOutcome:
    known = head if isinstance(head, dict) else {}
    return BackupOutcome(
        file=path,
        workspace=root,
        created=created,
        files=n_files,
        size_bytes=path.stat().st_size,
        sha256=_hash(path),
        ledger_records=int(known.get("seq", 0)),
        ledger_head=str(known.get("hash", "")),
        with_keys=with_keys,
        fingerprint=fingerprint,
    )


def _hash(path: Path) -> str:
    with explained(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
