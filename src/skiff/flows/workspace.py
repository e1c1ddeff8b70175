"""What the command line does with a workspace, as methods (design §4.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from skiff.core.evidence import EvidenceRecord, Json
from skiff.core.finding import Finding, sort_findings
from skiff.core.settings import Settings
from skiff.flows.contracts import hold_or_learn
from skiff.flows.datasets import find_dataset, keep_dataset, keep_large, load_dataset
from skiff.flows.export import write_table
from skiff.flows.provenance import remember_provenance, remember_terms
from skiff.flows.read import read_table
from skiff.flows.recipes import find_recipe, remember_reading
from skiff.flows.stream import stream_table
from skiff.store.clock import now_utc
from skiff.store.files import explained
from skiff.store.layout import SKIFF_FOLDER, make_root
from skiff.store.ledger import LedgerCheck
from skiff.store.records import DatasetRecord, Promotion, ReleaseRecord
from skiff.store.settings import SETTINGS_FILE, read_settings, update_store, update_task, write_initial_settings
from skiff.store.streams import is_large_text
from skiff.store.unlock import VAULT_FILE, choose_secrets, create_box, has_content, refuse_plain
from skiff.store.workspace import Workspace as Store


class Workspace:
    """An engagement's folder, opened.

    Use it in a ``with`` block, or call `close` when done.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Workspace.open(folder, create=True) as workspace:
    ...     len(workspace.releases), len(workspace.ledger)
    (0, 0)
    """

    def __init__(self, store: Store) -> None:
        """Wrap an open store; see `open`."""
        self.store = store

    @classmethod
    def open(cls, folder: Path | str, *, create: bool = False) -> Self:
        """Open the workspace in `folder`.

        Raises
        ------
        SkiffError
            ``workspace_not_found``, ``not_a_workspace`` and what the disk says.
        """
        return cls(Store.open(folder, create=create))

    def __repr__(self) -> str:
        """Return where it is and what it holds, in one line."""
        root, champion = str(self.store.root), self.store.releases.champion()
        return f"Workspace({root!r}, {len(self.store.datasets.list())} datasets, {len(self.releases)} releases, champion {champion})"

    def close(self) -> None:
        """Let go of the folder."""
        self.store.close()

    def __enter__(self) -> Self:
        """Return the workspace."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the folder."""
        self.close()

    @property
    def root(self) -> Path:
        """Return the folder."""
        return self.store.root

    @property
    def settings(self) -> Settings:
        """Return what ``skiff.toml`` says."""
        return self.store.settings

    @property
    def datasets(self) -> tuple[DatasetRecord, ...]:
        """Return the datasets, oldest first."""
        return self.store.datasets.list()

    @property
    def releases(self) -> tuple[ReleaseRecord, ...]:
        """Return the releases, oldest first."""
        return self.store.releases.list()

    @property
    def ledger(self) -> tuple[EvidenceRecord, ...]:
        """Return what was done, oldest first."""
        return self.store.ledger.records()

    def verify_ledger(self) -> LedgerCheck:
        """Check that the ledger is what was written."""
        return self.store.ledger.verify()

    def promote(self, number: int, *, at: Callable[[], str] = now_utc) -> Promotion:
        """Let a release answer from now on, after its files were checked against its manifest.

        Raises
        ------
        SkiffError
            ``release_not_found``, ``release_damaged``.
        """
        with self.store.lock("promote"):
            self.store.releases.verify(number)
            done = self.store.releases.promote(number)
            self._note("promote", done, at())
        return done

    def rollback(self, *, at: Callable[[], str] = now_utc) -> Promotion:
        """Let the release before the present one answer again.

        Raises
        ------
        SkiffError
            Where there is none before it.
        """
        with self.store.lock("rollback"):
            done = self.store.releases.rollback()
            self._note("rollback", done, at())
        return done

    def _note(self, action: str, done: Promotion, at: str) -> None:
        result: dict[str, Json] = {"number": done.number, "previous": done.previous}
        self.store.ledger.append(action, subject=f"release {done.number}", result=result, at=at)


def make_workspace(folder: Path, *, target: str | None = None, encrypt: bool = False) -> dict[str, str | bool]:
    """Make a workspace with a commented ``skiff.toml``; nothing that exists is changed.

    Parameters
    ----------
    folder : Path
    target : str, optional
    encrypt : bool
        Whether what it will hold is encrypted.

    Raises
    ------
    SkiffError
        ``not_encrypted_yet`` where something plain is kept already; ``passphrase_missing``, ``passphrase_short`` … before
        anything is written.
    """
    settings = folder / SETTINGS_FILE
    with explained(folder):
        is_new = not settings.exists()
    if encrypt:
        _lock_new(folder.expanduser().absolute())
    with Store.open(folder, create=True) as store:
        if is_new and encrypt and target:  # the file says already that it is encrypted
            update_task(store.root, {"target": target})
        elif is_new and not encrypt:
            write_initial_settings(store.root, target=target)
        return {
            "workspace": str(store.root),
            "settings": str(store.root / SETTINGS_FILE),
            "is_new": is_new,
            "encrypted": store.box.cipher is not None,
        }


def _lock_new(root: Path) -> None:
    """Give a workspace that holds nothing yet a key, before anything is written; one that has a key is left as it is."""
    own = root / SKIFF_FOLDER
    if (own / VAULT_FILE).exists():
        return
    if has_content(own):
        raise refuse_plain(root)
    given = choose_secrets(root, configured=read_settings(root).store.key_file)
    make_root(root)
    update_store(root, {"encrypt": True})
    create_box(root, given)


def add_data(
    folder: Path, source: Path, *, provenance: Mapping[str, str] | None = None
) -> tuple[DatasetRecord, Sequence[Finding]]:
    """Read a file and keep it in the workspace, made where there is none yet; nothing is made for a file that cannot be read."""
    settings = read_settings(folder)
    target = settings.task.target
    recipe, words = find_recipe(settings, source.name), (target,) if target else ()
    if is_large_text(source):
        with Store.open(folder, create=True) as store, store.objects.stage(suffix=".parquet") as table:
            large = stream_table(source, table, recipe=recipe, keep_words=words)
            if large is not None:
                with store.lock("data add"):
                    kept = keep_large(store, large, table, at=now_utc())
                    remember_reading(store.root, settings, large)
                return kept.record, large.findings
    read = read_table(source, recipe=recipe, keep_words=words)
    with Store.open(folder, create=True) as store, store.lock("data add"):
        is_said = remember_provenance(store.root, provenance or {})
        if remember_terms(store.root, read.name, provenance or {}) or is_said:
            store.reload_settings()
        kept = keep_dataset(store, read, at=now_utc())
        broken = hold_or_learn(store, read, dataset_sha256=kept.record.sha256, at=now_utc())
        remember_reading(store.root, settings, read)
    return kept.record, sort_findings([*read.findings, *broken])


def export_data(store: Store, key: str | None, output: Path) -> DatasetRecord:
    """Write a dataset of the workspace as CSV or Parquet."""
    record = find_dataset(store, key)
    _, table = load_dataset(store, record.id)
    write_table(table.frame, output)
    return record
