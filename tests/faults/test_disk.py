"""A disk that is full, read-only, forbidden or failing: a clear error, nothing lost, and the next try works."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.store.records import ReleaseRecord
from skiff.store.workspace import Workspace

IS_FULL_RUN = os.environ.get("SKIFF_FAULTS") == "all"
"""Every call instead of every seventh, and the system calls of the database too (minutes)."""

STRIDE = 1 if IS_FULL_RUN else 7
AT = "2026-03-01T09:00:00.000000Z"
FULL_RUN = pytest.mark.skipif(not IS_FULL_RUN, reason="takes minutes: set SKIFF_FAULTS=all")


def use(workspace: Workspace, *, size_bytes: int = 2000) -> ReleaseRecord:
    """Do what a run does to the workspace."""
    with workspace.lock("run"):
        run_id = workspace.start_run("run")
        record = workspace.add_dataset(
            os.urandom(size_bytes),
            name="a.csv",
            source_sha256="0" * 64,
            rows=1,
            columns=1,
            reading={},
            provenance={},
            kinds={},
        )
        workspace.ledger.append("data.add", subject=record.id, result={"rows": 1}, at=AT)
        release = workspace.releases.publish(
            {"model.onnx": os.urandom(size_bytes), "evidence.jsonl": workspace.ledger.export()},
            manifest={"format": 1},
            dataset_sha=record.sha256,
            run_id=run_id,
            promote=True,
        )
        workspace.write_report("report.html", os.urandom(size_bytes))
        workspace.finish_run(run_id)
    return release


def assert_whole(folder: Path, *, champion: int | None) -> None:
    with Workspace.open(folder) as workspace:
        assert workspace.verify().problems == ()
        assert workspace.releases.champion() == champion
        numbers = {record.number for record in workspace.releases.list()}
        assert numbers == {int(path.name) for path in (folder / ".skiff" / "releases").iterdir()}
    assert not list(folder.rglob(".skiff-tmp-*"))


@dataclass(frozen=True)
class Refusal:
    """What the operating system says, what Skiff must make of it, and whether it says so once or from then on."""

    number: int
    code: str
    is_lasting: bool


class Failing:
    """Lets the operating system refuse the n-th of the calls that change the disk, or all from it on until healed."""

    CALLS = ("write", "fsync", "replace", "rename", "mkdir", "open", "fchmod")

    def __init__(self, nth: int, refusal: Refusal) -> None:
        self.nth = nth
        self.refusal = refusal
        self.calls = 0
        self.healed = False

    def wrap(self, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            self.calls += 1
            is_due = self.calls >= self.nth if self.refusal.is_lasting else self.calls == self.nth
            if is_due and not self.healed:
                raise OSError(self.refusal.number, os.strerror(self.refusal.number))
            return real(*arguments, **options)

        return call


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "bookings"
    with Workspace.open(folder, create=True) as workspace:
        use(workspace)
    return folder


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(errno.ENOSPC, "disk_full", is_lasting=False),
        Refusal(errno.EIO, "disk_failing", is_lasting=True),
        pytest.param(Refusal(errno.ENOSPC, "disk_full", is_lasting=True), marks=FULL_RUN),
        pytest.param(Refusal(errno.EIO, "disk_failing", is_lasting=False), marks=FULL_RUN),
    ],
)
def test_every_single_call_that_the_disk_refuses_is_survived(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    codes: list[str] = []
    for nth in range(1, 200, STRIDE):
        folder = tmp_path / f"{nth}"
        shutil.copytree(template, folder)
        failing = Failing(nth, refusal)
        with Workspace.open(folder) as workspace:
            before = len(workspace.ledger.records())
            with monkeypatch.context() as patch:
                for name in Failing.CALLS:
                    patch.setattr(os, name, failing.wrap(getattr(os, name)))
                try:
                    use(workspace)
                except SkiffError as error:
                    codes.append(error.code)
                    assert error.where["folder"]  # noqa: PT017  the loop goes on until nothing is refused
                else:
                    break
            failing.healed = True
            assert len(workspace.ledger.records()) >= before
            assert workspace.releases.champion() in {1, 2}
            champion = workspace.releases.champion()
        assert_whole(folder, champion=champion)
        with Workspace.open(folder) as workspace:
            assert use(workspace).number in {2, 3}
        shutil.rmtree(folder)
    assert set(codes) == {refusal.code}
    assert len(codes) * STRIDE >= 35


CHILD = """
import json, resource, sys
sys.path.insert(0, sys.argv[1])
import test_disk
from skiff.core.errors import SkiffError
from skiff.store.workspace import Workspace
workspace = Workspace.open(sys.argv[2])
if sys.argv[3] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    test_disk.use(workspace, size_bytes=int(sys.argv[4]))
    print(json.dumps({"code": "done"}))
except SkiffError as error:
    print(json.dumps(error.as_dict()))
"""


def run_child(
    folder: Path, *, limit_bytes: int = 0, size_bytes: int = 2000, prefix: tuple[str, ...] = ()
) -> dict[str, object]:
    command = [*prefix, sys.executable, "-W", "error", "-c", CHILD]
    arguments = [str(Path(__file__).parent), str(folder), str(limit_bytes), str(size_bytes)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_limit_on_file_size_is_told_as_a_full_disk(tmp_path: Path, template: Path) -> None:
    folder = tmp_path / "bookings"
    shutil.copytree(template, folder)
    found = run_child(folder, limit_bytes=300_000, size_bytes=400_000)
    assert found["code"] == "disk_full"
    assert_whole(folder, champion=1)
    with Workspace.open(folder) as workspace:
        assert use(workspace).number == 2


@contextlib.contextmanager
def mounted(place: Path, *options: str) -> Iterator[None]:
    """Mount a small memory disk, or skip where this user may not."""
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    done = subprocess.run([mount, "-t", "tmpfs", *options, "tmpfs", str(place)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this machine does not allow mounting")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_fills_up_is_told_and_works_again_once_there_is_room(tmp_path: Path) -> None:
    place = tmp_path / "disk"
    with mounted(place, "-o", "size=3m"):
        folder = place / "bookings"
        codes = []
        with Workspace.open(folder, create=True) as workspace:
            use(workspace)
            for filler_kb in (2300, 2100, 1900, 1700, 1200, 600, 0):  # each leaves room for another part of a run
                filler = place / "filler"
                filler.write_bytes(bytes(min(filler_kb * 1024, shutil.disk_usage(place).free)))
                try:
                    use(workspace, size_bytes=150_000)
                    codes.append("done")
                except SkiffError as error:
                    codes.append(error.code)
                    assert str(place) in str(error.where["folder"])  # noqa: PT017  a loop over fillings
                filler.unlink()
            champion = workspace.releases.champion()
            # What was told as failed may have been promoted before the disk refused a later step, never the other way round.
            assert 1 + codes.count("done") <= champion <= 1 + len(codes)
        assert "disk_full" in codes
        assert codes[-1] == "done"
        assert set(codes) <= {"disk_full", "done"}
        assert_whole(folder, champion=champion)


def test_a_read_only_disk_can_be_read_and_refuses_writing_clearly(tmp_path: Path, template: Path) -> None:
    place = tmp_path / "disk"
    with mounted(place, "-o", "size=4m"):
        folder = place / "bookings"
        shutil.copytree(template, folder)
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        with Workspace.open(folder) as workspace:
            assert workspace.is_read_only
            assert workspace.releases.champion() == 1
            assert workspace.releases.read_file(1, "model.onnx")
            assert workspace.verify().ok
            for refuse in (
                lambda: workspace.write_report("report.html", b""),
                lambda: workspace.objects.put(b"new"),
                lambda: workspace.start_run("run"),
                lambda: workspace.releases.promote(1),
                lambda: workspace.ledger.append("check", subject="x", result={}, at=AT),
            ):
                with pytest.raises(SkiffError) as caught:
                    refuse()
                assert caught.value.code == "read_only"
        with pytest.raises(SkiffError) as caught:
            Workspace.open(place / "other", create=True)
        assert caught.value.code == "read_only"


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    is_root = os.geteuid() == 0
    if is_root:  # permissions do not bind root, but this flag does
        done = subprocess.run(["chattr", "+i", str(folder)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("this disk knows no immutable folders, and permissions do not bind root")
    else:
        folder.chmod(0o500)
    try:
        for place in (folder, folder / "bookings"):
            with pytest.raises(SkiffError) as caught:
                Workspace.open(place, create=True)
            assert caught.value.code == "no_permission"
            assert str(folder) in str(caught.value.where["folder"])
    finally:
        if is_root:
            subprocess.run(["chattr", "-i", str(folder)], check=True)
        else:
            folder.chmod(0o700)


@FULL_RUN
@pytest.mark.slow
@pytest.mark.parametrize(
    ("inject", "in_catalog", "expected"),
    [
        ("pwrite64:error=ENOSPC", True, "disk_full"),
        ("fdatasync:error=EIO", True, "disk_failing"),
        ("fsync:error=EIO", False, "disk_failing"),
        ("write:error=ENOSPC", False, "disk_full"),
        ("pwrite64:signal=SIGKILL", True, "killed"),
        ("fdatasync:signal=SIGKILL", True, "killed"),
    ],
)
def test_the_nth_system_call_refused_in_the_database_too_is_survived(
    tmp_path: Path, template: Path, inject: str, *, in_catalog: bool, expected: str
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not on this machine")
    folder = tmp_path / "bookings"
    call = inject.partition(":")[0]
    catalog = str(folder / ".skiff" / "catalog.db")
    scope = ("-P", catalog, "-P", f"{catalog}-wal") if in_catalog else ()
    codes = set()
    for nth in (1, 2, 3, 5, 8, 13, 21, 34):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(template, folder)
        rules = ("-e", f"trace={call}", "-e", f"inject={inject}:when={nth}")
        codes.add(run_traced(folder, ("strace", "-f", "-qq", "-o", "/dev/null", *scope, *rules)))
        with Workspace.open(folder) as workspace:
            champion = workspace.releases.champion()
        assert champion in {1, 2}
        assert_whole(folder, champion=champion)
    assert expected in codes
    assert codes <= {"done", expected}


def run_traced(folder: Path, prefix: tuple[str, ...]) -> str:
    """Return the code of the child's answer."""
    command = [*prefix, sys.executable, "-c", CHILD, str(Path(__file__).parent), str(folder), "0", "2000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "PTRACE" in done.stderr or "ptrace" in done.stderr:
        pytest.skip("this machine does not allow tracing")
    if done.returncode in {-9, 137}:
        return "killed"
    assert done.stdout, done.stderr
    return str(json.loads(done.stdout)["code"])
