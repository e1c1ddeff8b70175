"""A workspace that is encrypted holds nothing to read, and answers like its plain twin."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest

from skiff.core.errors import SkiffError
from skiff.flows import encryption
from skiff.flows.backup import back_up, restore
from skiff.flows.conclude import RunOutcome
from skiff.flows.govern import write_mapping
from skiff.flows.handover import hand_over
from skiff.flows.model import Model
from skiff.flows.monitor import monitor_log
from skiff.flows.predict import Columns, predict_file
from skiff.flows.predictions import export_predictions
from skiff.flows.run import run
from skiff.flows.take_outcomes import OutcomeColumns, take_outcomes
from skiff.flows.verify import verify_bundle
from skiff.flows.wishes import Wishes
from skiff.flows.workspace import make_workspace
from skiff.store import vault as vaults
from skiff.store.workspace import Workspace

PASSPHRASE = "five words that do not belong"
KNOWN = {
    "vault.json", "vault.lock", "catalog.db", "catalog.db-wal", "catalog.db-shm", "ledger.head", "ledger.lock", "writer.lock",
    "presence.lock", "erasures.lock", ".gitignore", "keys.lock", "trusted.json", "api_keys.json",
}  # fmt: skip
"""Files of ``.skiff`` that are not encrypted whole, each for a reason: locks, wrapped or public keys, and the catalog."""


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the passphrase, and stretch it cheaply."""
    monkeypatch.setenv("SKIFF_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(vaults, "SCRYPT_N", 1 << 10)


def quiet(part: str) -> None:
    """Tell nobody."""
    del part


def find_words(root: Path, words: Iterable[bytes]) -> list[tuple[str, bytes]]:
    """Return every file under `root` that holds one of the words."""
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return [(name, word) for name, data in files.items() for word in words if word in data]


def refuse_readable(own: Path) -> None:
    """Fail where a file of ``.skiff`` is neither known nor encrypted."""
    for path in own.rglob("*"):
        is_log = path.parent.name == "predictions"
        if path.is_file() and path.name not in KNOWN and not is_log:
            assert path.read_bytes().startswith(b"SKIFFENC"), path


@pytest.fixture(scope="module")
def plain(finished: tuple[RunOutcome, Path], bookings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a plain workspace that has run, answered and heard."""
    root = tmp_path_factory.mktemp("twins") / "plain"
    shutil.copytree(finished[1], root)
    answers = root.parent / "answers.csv"
    predict_file(root, bookings, output=answers, columns=Columns(key="booking", subject="channel"))
    told = pl.read_csv(answers).select(id="skiff_id", value="cancelled")
    told.head(900).write_csv(root.parent / "told.csv")
    take_outcomes(root, root.parent / "told.csv", columns=OutcomeColumns(id="id", value="value"))
    return root


@pytest.fixture
def twin(plain: Path, tmp_path: Path) -> Path:
    """Return its twin, encrypted."""
    root = tmp_path / "twin"
    shutil.copytree(plain, root)
    shutil.rmtree(root / "reports")
    encryption.encrypt(root, tell=quiet)
    return root


def read_log(root: Path, output: Path) -> pl.DataFrame:
    """Return the whole log."""
    export_predictions(root, output)
    return pl.read_parquet(output).sort("id")


def test_nothing_of_the_table_can_be_read_and_everything_is_as_before(
    plain: Path, twin: Path, bookings: Path, tmp_path: Path
) -> None:
    table = pl.read_csv(bookings)
    words = [
        *(name.encode() for name in table["booking"]),
        b"lead_days",
        b"breakfast",
        b"agency",
        b"cancelled",
        b"bookings.csv",
    ]
    assert find_words(plain / ".skiff", words)
    assert find_words(twin / ".skiff", words) == []
    refuse_readable(twin / ".skiff")
    before, after = read_log(plain, tmp_path / "a.parquet"), read_log(twin, tmp_path / "b.parquet")
    assert before.equals(after)
    with Workspace.open(plain) as first, Workspace.open(twin) as second:
        assert second.verify().ok
        assert second.ledger.records()[: len(first.ledger.records())] == first.ledger.records()
        assert second.datasets.list() == first.datasets.list()
        for record in first.releases.list():
            for name in first.releases.read_manifest(record.number)["files"]:  # type: ignore[union-attr]
                assert first.releases.read_file(record.number, name) == second.releases.read_file(record.number, name)
    one = predict_file(plain, bookings, is_logged=False).frame.drop("skiff_id", strict=False)
    two = predict_file(twin, bookings, is_logged=False).frame.drop("skiff_id", strict=False)
    assert one.equals(two)


def test_the_twin_goes_on_working_and_comes_back_from_a_backup(twin: Path, bookings: Path, tmp_path: Path) -> None:
    predict_file(twin, bookings, output=tmp_path / "again.csv", columns=Columns(key="booking"))
    assert monitor_log(twin).release == 1
    bundle = hand_over(twin).path
    assert verify_bundle(bundle).is_whole
    model = Model.load(twin / ".skiff" / "releases" / "0001")
    assert len(model.predict(pl.read_csv(bookings))) == 1_200
    made = back_up(twin, tmp_path / "b.zip", with_keys=True)
    assert made.is_encrypted
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        inside = b"".join(archive.read(name) for name in archive.namelist() if name != "skiff.toml")
    assert b"lead_days" not in inside
    restore(tmp_path / "b.zip", tmp_path / "again")
    with Workspace.open(tmp_path / "again") as workspace:
        assert workspace.verify().ok
    first, second = read_log(twin, tmp_path / "a.parquet"), read_log(tmp_path / "again", tmp_path / "b.parquet")
    assert first.equals(second)


def test_a_backup_is_not_restored_with_another_key(twin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    back_up(twin, tmp_path / "b.zip")
    monkeypatch.setenv("SKIFF_PASSPHRASE", "another handful of words")
    with pytest.raises(SkiffError) as caught:
        restore(tmp_path / "b.zip", tmp_path / "again")
    assert caught.value.code == "wrong_passphrase"
    assert [path.name for path in tmp_path.iterdir() if path.name not in {"twin", "b.zip"}] == []


def test_decrypting_gives_back_the_plain_workspace(plain: Path, twin: Path, tmp_path: Path) -> None:
    encryption.decrypt(twin, tell=quiet)
    before = {path.relative_to(plain): path for path in plain.rglob("*") if path.is_file()}
    after = {path.relative_to(twin): path for path in twin.rglob("*") if path.is_file()}
    for name, path in before.items():
        if {"objects", "releases"} & set(name.parts) or name.name == "signing.json":
            assert path.read_bytes() == after[name].read_bytes(), name
    assert not (twin / ".skiff" / "vault.json").exists()
    assert read_log(plain, tmp_path / "a.parquet").equals(read_log(twin, tmp_path / "b.parquet"))
    with Workspace.open(twin) as workspace:
        assert workspace.verify().ok
        assert [record.result for record in workspace.ledger.records() if record.action == "encrypt"] == [
            {"is_on": True, "cipher": "AES-256-GCM"},
            {"is_on": False},
        ]


def test_a_new_key_leaves_nothing_that_the_old_one_opens(twin: Path, tmp_path: Path) -> None:
    encryption.add_key_file(twin, tmp_path / "stick.key")
    old = {path: path.read_bytes() for path in (twin / ".skiff").rglob("*") if path.is_file()}
    with Workspace.open(twin) as workspace:
        old_id = workspace.box.cipher.id  # type: ignore[union-attr]
    made = encryption.rotate(twin, tell=quiet)
    assert made.opened_by == ("passphrase",)
    assert len(made.dropped) == 1
    for path, data in old.items():
        if data.startswith(b"SKIFFENC"):
            assert not path.exists() or path.read_bytes() != data
    assert not [path for path in (twin / ".skiff").rglob("*") if path.is_file() and old_id in path.read_bytes()[:64]]
    with Workspace.open(twin) as workspace:
        assert workspace.verify().ok


def test_a_changed_row_of_the_log_or_the_catalog_is_refused(twin: Path, tmp_path: Path) -> None:
    [month] = (twin / ".skiff" / "predictions").glob("*.db")
    connection = sqlite3.connect(month)
    first, second = connection.execute("SELECT id, label FROM prediction LIMIT 2").fetchall()
    connection.execute("UPDATE prediction SET label = ? WHERE id = ?", (second[1], first[0]))  # another row's answer
    connection.commit()
    connection.close()
    with pytest.raises(SkiffError) as caught:
        read_log(twin, tmp_path / "x.parquet")
    assert caught.value.code == "encrypted_damaged"
    connection = sqlite3.connect(twin / ".skiff" / "catalog.db")
    connection.execute("UPDATE dataset SET rows = rows + 1")
    connection.commit()
    connection.close()
    with pytest.raises(SkiffError) as caught, Workspace.open(twin) as workspace:
        workspace.datasets.list()
    assert caught.value.code == "catalog_damaged"


def test_it_is_shown_by_evidence_and_no_longer_once_it_is_plain(twin: Path) -> None:
    def standing() -> str:
        write_mapping(twin, "gdpr")
        rows = list(csv.DictReader((twin / "reports" / "govern-gdpr.csv").read_text().splitlines()))
        return json.dumps(next(row for row in rows if "GDPR-32" in row.values()))

    assert "encrypted at rest (AES-256-GCM)" in standing()
    encryption.decrypt(twin, tell=quiet)
    assert "encrypted at rest" not in standing()


def test_nobody_else_may_have_it_open_while_it_changes(twin: Path) -> None:
    with Workspace.open(twin), pytest.raises(SkiffError) as caught:
        encryption.decrypt(twin, tell=quiet)
    assert caught.value.code == "workspace_in_use"
    with pytest.raises(SkiffError) as caught:
        encryption.encrypt(twin, tell=quiet)
    assert caught.value.code == "encrypted_already"


@pytest.mark.real
@pytest.mark.slow
def test_no_passenger_can_be_found_in_an_encrypted_workspace(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "titanic.csv"
    shutil.copy(shared_data / "leakage" / "titanic_full.csv", source)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    root = tmp_path / "w"
    make_workspace(root, encrypt=True)
    run(source, Wishes(target="survived", budget_s=5.0), folder=root)
    predict_file(root, source, output=tmp_path / "answers.csv", columns=Columns(key="ticket", subject="name"))
    told = pl.read_csv(tmp_path / "answers.csv", infer_schema_length=None).select(id="skiff_id", value="survived")
    told.write_csv(tmp_path / "told.csv")
    assert take_outcomes(root, tmp_path / "told.csv").counts["new"] == told.height
    monitor_log(root)
    back_up(root, tmp_path / "b.zip")
    table = pl.read_csv(source, infer_schema=False)
    # Short words such as "C85" stand in random bytes by chance; eight characters do not.
    cells = {cell.encode() for name in table.columns for cell in table[name].drop_nulls().unique() if len(cell) >= 8}
    assert len(cells) > 1_500
    words = [*cells, *(name.encode() for name in table.columns if len(name) >= 8)]
    assert find_words(root / ".skiff", words) == []
    assert list((tmp_path / "tmp").iterdir()) == []
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        inside = b"".join(archive.read(name) for name in archive.namelist() if name != "skiff.toml")
    assert not [word for word in words if word in inside]
    refuse_readable(root / ".skiff")
    restore(tmp_path / "b.zip", tmp_path / "again")
    one = predict_file(root, source, is_logged=False).frame.select(pl.col("^skiff_[lp].*$"))
    assert one.equals(predict_file(tmp_path / "again", source, is_logged=False).frame.select(pl.col("^skiff_[lp].*$")))
    encryption.decrypt(tmp_path / "again", tell=quiet)
    assert one.equals(predict_file(tmp_path / "again", source, is_logged=False).frame.select(pl.col("^skiff_[lp].*$")))
