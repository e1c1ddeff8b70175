"""One engagement's folder, opened: its settings, datasets, runs, objects, ledger, releases and reports."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.settings import Settings
from skiff.store.box import PLAIN, Box
from skiff.store.catalog import Catalog
from skiff.store.clock import Clock, find_actor, now_utc
from skiff.store.contracts import Contracts
from skiff.store.datasets import Datasets
from skiff.store.erasures import Erasures
from skiff.store.files import make_folder, sweep_staging
from skiff.store.kept import read_kept
from skiff.store.layout import (
    SKIFF_FOLDER,
    find_objects_root,
    is_on_read_only_disk,
    make_own_folders,
    make_root,
    refuse_missing,
)
from skiff.store.ledger import Ledger, LedgerCheck
from skiff.store.locks import PresenceLock, WriterLock
from skiff.store.objects import Objects
from skiff.store.records import DatasetRecord, RunRecord, RunStatus
from skiff.store.releases import Releases
from skiff.store.reports import Reports
from skiff.store.reviews import Reviews
from skiff.store.runs import Runs
from skiff.store.settings import read_settings
from skiff.store.unlock import describe_encryption, has_content, open_box, open_new_box
from skiff.store.windows import Windows

CATALOG_FILE = "catalog.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSummary:
    """What a workspace holds, in numbers."""

    root: str
    datasets: int
    runs: int
    releases: int
    champion: int | None
    ledger_records: int
    ledger_head: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceCheck:
    """Whether everything in a workspace is as it was written.

    Parameters
    ----------
    ok : bool
    ledger : LedgerCheck
    problems : tuple of SkiffError
        Each with the file it is about and what to do.
    checked_files : int
    """

    ok: bool
    ledger: LedgerCheck
    problems: tuple[SkiffError, ...]
    checked_files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What opening mended after a process that was killed: files removed, runs marked, releases recorded."""

    leftovers: int = 0
    interrupted_runs: int = 0
    adopted_releases: tuple[int, ...] = ()


class Workspace:
    """An open workspace. Make one with `Workspace.open`; use it in a ``with`` block.

    Parameters
    ----------
    root : Path
    settings : Settings
    catalog : Catalog
    presence : PresenceLock or None
        None where the disk is read-only.
    objects_root : Path
    clock : callable
    box : Box
        What bytes go through on their way to the disk.

    Attributes
    ----------
    root : Path
    settings : Settings
    actor : str
    box : Box
    objects : Objects
    datasets : Datasets
    contracts : Contracts
    runs : Runs
    releases : Releases
    ledger : Ledger
    reports : Reports
    erasures : Erasures
        Tombstones of what was erased.
    windows : Windows
        Judged windows of predictions, and what watching remembers.
    reviews : Reviews
        Rows that wait for a person, and what was decided.
    sweep : Sweep
        What opening mended.
    """

    def __init__(
        self,
        *,
        root: Path,
        settings: Settings,
        catalog: Catalog,
        presence: PresenceLock | None,
        objects_root: Path,
        clock: Clock,
        box: Box = PLAIN,
    ) -> None:
        """Put the parts together; see `open`."""
        own = root / SKIFF_FOLDER
        self.root = root
        self.settings = settings
        self.box = box
        self.actor = find_actor()
        self.sweep = Sweep()
        self._own = own
        self._catalog = catalog
        self._presence = presence
        self._writer = WriterLock(own / "writer.lock", root=root, clock=clock)
        self.objects = Objects(objects_root, box=box)
        self.erasures = Erasures(own, box=box)
        self.datasets = Datasets(catalog, objects=self.objects, clock=clock, erasures=self.erasures)
        self.contracts = Contracts(catalog, objects=self.objects, clock=clock)
        self.runs = Runs(catalog, actor=self.actor, clock=clock)
        self.releases = Releases(
            catalog,
            root=own / "releases",
            staging=own / "tmp",
            hold=self._writer.hold,
            clock=clock,
            erasures=self.erasures,
            box=box,
        )
        self.ledger = Ledger(
            catalog, head_path=own / "ledger.head", actor=self.actor, anchors=self.releases.list_anchors, box=box
        )
        self.reports = Reports(root / "reports")
        self.windows = Windows(catalog, clock=clock)
        self.reviews = Reviews(catalog, clock=clock)

    @classmethod
    def open(cls, folder: Path | str, *, create: bool = False, clock: Clock = now_utc) -> Self:
        """Open the workspace in `folder`, mending what a killed process left.

        Parameters
        ----------
        folder : Path or str
        create : bool
            Whether to make it if it is not there.
        clock : callable
            Gives the time for the records.

        Raises
        ------
        SkiffError
            ``workspace_not_found``, ``not_a_workspace``, ``workspace_newer``, ``catalog_damaged``, the problems of
            ``skiff.toml``, what `skiff.store.unlock.open_box` says of an encrypted one, and what the disk says.
        """
        root = Path(folder).expanduser().absolute()
        refuse_missing(root, is_wanted=create)
        if create:
            make_root(root)
        settings = read_settings(root)
        own = root / SKIFF_FOLDER
        is_read_only = own.is_dir() and is_on_read_only_disk(own)
        presence = None
        if not is_read_only:
            make_own_folders(own)
            presence = PresenceLock(own / "presence.lock")
        try:
            is_alone = presence is not None and presence.try_alone()
            workspace = cls._assemble(root, settings, presence=presence, is_read_only=is_read_only, clock=clock)
            try:
                if is_alone:
                    workspace.sweep = workspace._sweep_leftovers()  # noqa: SLF001  our own instance
            except BaseException:
                workspace._catalog.close()  # noqa: SLF001  our own instance
                raise
            if presence is not None:
                presence.share()
        except BaseException:
            if presence is not None:
                presence.close()
            raise
        return workspace

    @classmethod
    def _assemble(
        cls, root: Path, settings: Settings, *, presence: PresenceLock | None, is_read_only: bool, clock: Clock
    ) -> Self:
        own = root / SKIFF_FOLDER
        objects_root = find_objects_root(settings, root)
        if not is_read_only:
            make_folder(objects_root)
        is_new = not has_content(own)
        box = open_box(root, settings) if is_read_only else open_new_box(root, settings)
        catalog = Catalog.open(
            own / CATALOG_FILE, database=settings.store.database, is_read_only=is_read_only, cipher=box.cipher
        )
        made = cls(
            root=root,
            settings=settings,
            catalog=catalog,
            presence=presence,
            objects_root=objects_root,
            clock=clock,
            box=box,
        )
        if is_new and box.cipher is not None:
            made.ledger.append("encrypt", subject="workspace", result=describe_encryption(is_on=True), at=clock())
        return made

    def close(self) -> None:
        """Close the catalog and let others sweep."""
        self._catalog.close()
        if self._presence is not None:
            self._presence.close()
            self._presence = None

    def __enter__(self) -> Self:
        """Return the workspace itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Return the folder it is in."""
        return f"Workspace({str(self.root)!r})"

    @property
    def is_read_only(self) -> bool:
        """Return whether the disk allows reading only."""
        return self._catalog.is_read_only

    @property
    def trials_folder(self) -> Path:
        """Return where an unfinished training keeps what it tried."""
        return self.root / SKIFF_FOLDER / "trials"

    def lock(self, purpose: str) -> AbstractContextManager[None]:
        """Give a block in which nobody else changes the workspace; readers go on.

        Raises
        ------
        SkiffError
            ``workspace_busy``, saying who works there, since when and on what.
        """
        return self._writer.hold(purpose)

    def reload_settings(self) -> Settings:
        """Read ``skiff.toml`` again, after it was written, and return its settings."""
        self.settings = read_settings(self.root)
        return self.settings

    def describe(self) -> WorkspaceSummary:
        """Return what the workspace holds, in numbers."""
        records = self.ledger.records()
        return WorkspaceSummary(
            root=str(self.root),
            datasets=len(self.datasets.list()),
            runs=len(self.runs.list()),
            releases=len(self.releases.list()),
            champion=self.releases.champion(),
            ledger_records=len(records),
            ledger_head=self.ledger.head,
            size_bytes=sum(_list_sizes(self._own)),
        )

    def verify(self) -> WorkspaceCheck:
        """Read everything and compare it with its hashes: catalog, ledger, objects, releases."""
        problems: list[SkiffError] = []
        ledger = LedgerCheck(ok=False, n=0, first_bad=None, reason="The catalog that holds it is damaged.", head="")
        with _collected(problems):
            self._catalog.check()
        with _collected(problems):
            ledger = self.ledger.verify()
            if not ledger.ok:
                raise _describe_ledger(ledger, self._own / CATALOG_FILE)
        names = set(self.objects.list())
        with _collected(problems):
            names |= {record.sha256 for record in self.datasets.list()}
        for sha256 in sorted(names):
            with _collected(problems):
                self.objects.verify(sha256)
        files = len(names)
        with _collected(problems):
            gone = self.erasures.read().releases
            for record in self.releases.list():
                if str(record.number) in gone:
                    continue
                files += 1
                with _collected(problems):
                    self.releases.verify(record.number)
        unique = tuple({str(problem): problem for problem in problems}.values())  # damage met twice is told once
        return WorkspaceCheck(ok=not unique, ledger=ledger, problems=unique, checked_files=files)

    def add_dataset(
        self,
        frame_parquet: bytes | Path,
        *,
        name: str,
        source_sha256: str,
        rows: int,
        columns: int,
        reading: Mapping[str, Json],
        provenance: Mapping[str, str],
        kinds: Mapping[str, str],
    ) -> DatasetRecord:
        """Keep a table: see `Datasets.add_dataset`."""
        return self.datasets.add_dataset(
            frame_parquet,
            name=name,
            source_sha256=source_sha256,
            rows=rows,
            columns=columns,
            reading=reading,
            provenance=provenance,
            kinds=kinds,
        )

    def start_run(
        self, kind: str = "run", *, dataset_sha256: str | None = None, arguments: Mapping[str, object] | None = None
    ) -> str:
        """Record that work began: see `Runs.start_run`."""
        return self.runs.start_run(kind, dataset_sha256=dataset_sha256, arguments=arguments)

    def finish_run(
        self,
        run_id: str,
        *,
        status: RunStatus = "done",
        result: Mapping[str, object] | None = None,
        dataset_sha256: str | None = None,
    ) -> RunRecord:
        """Record how work ended: see `Runs.finish_run`."""
        return self.runs.finish_run(run_id, status=status, result=result, dataset_sha256=dataset_sha256)

    def count_look(self, dataset_sha256: str, split_sha256: str) -> int:
        """Count a look at the sealed rows: see `Runs.count_look`."""
        return self.runs.count_look(dataset_sha256, split_sha256)

    def read_kept(self, path: Path) -> bytes:
        """Return what a file in the workspace holds, decrypted where it is encrypted: see `skiff.store.kept.read_kept`."""
        return read_kept(path, box=self.box, own=self._own, objects=self.objects.root)

    def list_texts(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the texts of the catalog, the ledger's too, column by column: see `Catalog.list_texts`."""
        return self._catalog.list_texts()

    def blank_records(self, change: Callable[[str], str]) -> int:
        """Change texts of the catalog's records, the ledger's aside: see `Catalog.blank`."""
        return self._catalog.blank(change)

    def compact(self) -> None:
        """Rewrite the catalog so that nothing of what was removed stays in its file: see `Catalog.compact`."""
        self._catalog.compact()

    def write_report(self, name: str, data: bytes) -> Path:
        """Write a file to hand over: see `Reports.write_report`."""
        return self.reports.write_report(name, data)

    def _sweep_leftovers(self) -> Sweep:
        """Mend what a killed process left. Only while nobody else has the workspace open."""
        folders = [self.root, self._own, self._own / "tmp"]
        if self.reports.root.is_dir():
            folders.append(self.reports.root)
        leftovers = sum(sweep_staging(folder) for folder in folders) + self.objects.sweep()
        return Sweep(
            leftovers=leftovers,
            interrupted_runs=self.runs.close_interrupted(),
            adopted_releases=self.releases.adopt(),
        )


@contextlib.contextmanager
def _collected(problems: list[SkiffError]) -> Iterator[None]:
    """Keep a problem and go on, so that all are reported at once."""
    try:
        yield
    except SkiffError as error:
        problems.append(error)


def _describe_ledger(check: LedgerCheck, path: Path) -> SkiffError:
    return SkiffError(
        "ledger_damaged",
        what=f"The ledger is not as it was written. {check.reason}",
        where={"file": str(path), "record": check.first_bad or 0},
        fix="Find out who changed it, and put the workspace back from a backup; records before that one can be trusted.",
    )


def _list_sizes(folder: Path) -> Iterator[int]:
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # staging files come and go
            if path.is_file():
                yield path.stat().st_size
