"""One flipped bit, anywhere in what Skiff keeps, is noticed and named, or changes nothing that can be read."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.store.clock import now_utc
from skiff.store.workspace import Workspace

FLIPS = int(os.environ.get("SKIFF_FLIPS", "24"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chance = random.Random(5)
    folder = tmp_path_factory.mktemp("template") / "bookings"
    with Workspace.open(folder, create=True) as workspace:
        for n in range(3):
            run_id = workspace.start_run("run", arguments={"n": n})
            record = workspace.add_dataset(
                chance.randbytes(3000),
                name=f"{n}.csv",
                source_sha256="0" * 64,
                rows=n,
                columns=2,
                reading={"delimiter": ";"},
                provenance={"source": "a client"},
                kinds={"a": "number"},
            )
            workspace.ledger.append("data.add", subject=record.id, result={"rows": n, "auc": n / 7}, at=now_utc())
            workspace.count_look(record.sha256, "0" * 64)
            workspace.releases.publish(
                {"model.onnx": chance.randbytes(3000), "evidence.jsonl": workspace.ledger.export()},
                manifest={"format": 1, "n": n},
                dataset_sha=record.sha256,
                run_id=run_id,
                promote=True,
            )
            workspace.finish_run(run_id)
    return folder


def read_everything(workspace: Workspace) -> tuple[object, ...]:
    return (
        workspace.datasets.list(),
        workspace.runs.list(),
        workspace.releases.list(),
        workspace.releases.champion(),
        workspace.ledger.records(),
        [workspace.runs.read_looks(record.sha256, "0" * 64) for record in workspace.datasets.list()],
    )


def flip(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.chmod(0o600)
    path.write_bytes(data)


def test_a_flipped_bit_in_any_file_of_content_is_noticed_and_the_file_named(template: Path, tmp_path: Path) -> None:
    chance = random.Random(1)
    folder = tmp_path / "bookings"
    shutil.copytree(template, folder)
    files = [
        path for name in ("objects", "releases") for path in (folder / ".skiff" / name).rglob("*") if path.is_file()
    ]
    assert len(files) == 15  # for each of three: a dataset, and a release of four files
    with Workspace.open(folder) as workspace:
        for n in range(FLIPS):
            path = files[n % len(files)]
            whole = path.read_bytes()
            flip(path, chance)
            check = workspace.verify()
            assert [problem.where["file"] for problem in check.problems if "ledger" not in problem.code] == [str(path)]
            path.write_bytes(whole)
        assert workspace.verify().ok


def test_a_flipped_bit_in_the_ledger_s_head_is_noticed(template: Path, tmp_path: Path) -> None:
    chance = random.Random(2)
    folder = tmp_path / "bookings"
    shutil.copytree(template, folder)
    path = folder / ".skiff" / "ledger.head"
    whole = path.read_bytes()
    with Workspace.open(folder) as workspace:
        for _ in range(FLIPS):
            flip(path, chance)
            is_same = path.read_bytes().strip() == whole.strip()  # a blank became another blank
            assert is_same or not workspace.ledger.verify().ok, path.read_bytes()
            path.write_bytes(whole)


def test_a_flipped_bit_in_the_catalog_is_noticed_or_changes_nothing(template: Path, tmp_path: Path) -> None:
    chance = random.Random(3)
    folder = tmp_path / "bookings"
    with Workspace.open(template) as workspace:
        expected = repr(read_everything(workspace)).replace(str(template), str(folder))
    noticed = 0
    for _ in range(FLIPS):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(template, folder)
        flip(folder / ".skiff" / "catalog.db", chance)
        try:
            with Workspace.open(folder) as workspace:
                check = workspace.verify()
                if check.ok:
                    assert repr(read_everything(workspace)) == expected
                else:
                    noticed += 1
        except SkiffError as error:
            assert error.code in {"catalog_damaged", "workspace_newer", "read_only"}, error.code  # noqa: PT017  a loop over flips
            noticed += 1
    assert noticed > 0
