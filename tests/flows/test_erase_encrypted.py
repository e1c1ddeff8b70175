"""A person is erased from an encrypted workspace: nothing of them is left in what it decrypts to, and it stays unreadable."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from tests.flows.test_encryption import PASSPHRASE, quiet, refuse_readable
from tests.flows.test_erase import (
    BUDGET_S,
    GUESTS,
    N_ROWS,
    find_bytes,
    find_learned,
    hash_all,
    log_guests,
    name_guest,
    read_table,
)

from skiff.core.errors import SkiffError
from skiff.core.progress import Silent
from skiff.flows import encryption
from skiff.flows.access import give_access
from skiff.flows.backup import back_up, restore
from skiff.flows.erase import Justification, erase, plan_erasure
from skiff.flows.predict import Columns, predict_file
from skiff.flows.predictions import export_predictions
from skiff.flows.retention import agree_terms, keep_retention
from skiff.flows.run import run
from skiff.flows.standing import open_standing
from skiff.flows.take_outcomes import OutcomeColumns, take_outcomes
from skiff.flows.verify import verify_bundle
from skiff.flows.wishes import Wishes
from skiff.flows.workspace import add_data, make_workspace
from skiff.store import vault as vaults
from skiff.store.champion import ReleaseShelf
from skiff.store.predictions.ids import IdMaker
from skiff.store.predictions.log import EVER, PredictionLog, open_store
from skiff.store.predictions.records import Outcome, PredictionRow
from skiff.store.workspace import Workspace

START = 1_767_225_600_000_000
"""2026-01-01 00:00 UTC, in microseconds."""

LATER = Justification(why="the data of spring", until="2999-01-01")


@pytest.fixture(scope="module", autouse=True)
def passphrase() -> object:
    """Give the passphrase, and stretch it cheaply."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKIFF_PASSPHRASE", PASSPHRASE)
        patch.setattr(vaults, "SCRYPT_N", 1 << 10)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    GUESTS.write_csv(folder / "guests.csv")
    run(folder / "guests.csv", Wishes(target="cancelled", budget_s=BUDGET_S), folder=folder / "guests")
    log_guests(folder / "guests")
    encryption.encrypt(folder / "guests", tell=quiet)
    shutil.rmtree(folder / "guests" / "reports")  # plain on purpose
    return folder / "guests"


@pytest.fixture
def workspace(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "guests"))


def decrypt_copy(folder: Path, place: Path) -> Path:
    """Return a plain copy of a workspace: what is in it can be searched without trusting the search that is tested."""
    shutil.copytree(folder, place)
    encryption.decrypt(place, tell=quiet)
    return place


def test_an_erased_person_is_in_nothing_that_the_workspace_decrypts_to(workspace: Path, tmp_path: Path) -> None:
    number = find_learned(workspace)
    name, mail = name_guest(number), f"guest{number:04d}@example.org"
    with Workspace.open(workspace) as opened:
        opened.windows.write_state("noted", {"seen": [name, "somebody else"]})
        opened.objects.put(json.dumps({"levels": [name]}).encode())
    assert find_bytes(workspace, name) == []
    assert find_bytes(decrypt_copy(workspace, tmp_path / "before"), name), "the copy shows who is there"
    made = erase(workspace, name, budget_s=BUDGET_S)
    found = made.certificate
    assert found.is_complete, (found.search.hits, found.search.unread)
    assert found.search.unread == ()
    assert {item.place: item.found for item in found.places} == {
        "datasets": 1,
        "review queue": 0,
        "prediction log": 1,
        "records": 1,
        "stored files": 1,
        "reports": 0,
    }
    assert [(item.release, item.fate, item.successor) for item in found.models] == [(1, "removed", "2")]
    assert verify_bundle(Path(made.files["json"])).is_whole
    refuse_readable(workspace / ".skiff")
    with Workspace.open(workspace) as opened:
        assert opened.verify().ok
        hashes = [item.hash for item in opened.erasures.read().subjects]
        assert hashes == [found.subject]
        with pytest.raises(SkiffError) as caught:
            open_standing(ReleaseShelf(workspace / ".skiff", box=opened.box), 1, keep="none")
        assert caught.value.code == "release_erased"
    assert find_bytes(workspace / ".skiff", found.subject) == []
    plain = decrypt_copy(workspace, tmp_path / "plain")
    assert find_bytes(plain, name) == []
    assert find_bytes(plain, mail) == []
    assert find_bytes(plain / ".skiff", found.subject), "decrypting gives the tombstones back too"
    left = GUESTS.filter(pl.col("guest") != name)
    assert read_table(workspace).equals(left.select(read_table(workspace).columns)), "nobody else's row was touched"
    assert plan_erasure(plain, name).subject == found.subject, "the key of the hash is the same"


class Stopping(Silent):
    """Stops the erasure when it begins something."""

    def __init__(self, stage: str) -> None:
        self.wanted = stage

    def stage(self, name: str, detail: str = "") -> None:
        del detail
        if name == self.wanted:
            raise KeyboardInterrupt


@pytest.mark.parametrize("stage", ["Retrain", "Search"])
def test_an_erasure_that_was_stopped_goes_on(workspace: Path, stage: str) -> None:
    number = find_learned(workspace)
    with pytest.raises(KeyboardInterrupt):
        erase(workspace, name_guest(number), budget_s=BUDGET_S, progress=Stopping(stage))
    refuse_readable(workspace / ".skiff")
    assert plan_erasure(workspace, name_guest(number)).is_resumed
    made = erase(workspace, name_guest(number), budget_s=BUDGET_S).certificate
    assert made.is_complete
    assert made.places[0].found == 1
    assert [(item.release, item.fate, item.successor) for item in made.models] == [(1, "removed", "2")]


def hide(opened: Workspace, path: Path, value: str) -> None:
    """Write a value into a file of the workspace as the workspace itself would."""
    path.write_bytes(opened.box.close(value.encode(), path.relative_to(opened.root / ".skiff").as_posix()))


def hide_in_ledger(opened: Workspace, value: str) -> None:
    opened.ledger.append("note", subject=value, result={}, at="2026-01-01T00:00:00Z")


def hide_in_file(opened: Workspace, value: str) -> None:
    hide(opened, opened.root / ".skiff" / "stray", value)


def hide_in_remark(opened: Workspace, value: str) -> None:
    predict_file(
        opened.root, write_rows(opened, f"about {value}"), output=opened.root.parent / "o.csv", columns=Columns(key="k")
    )


def write_rows(opened: Workspace, key: str) -> Path:
    path = opened.root.parent / "rows.csv"
    GUESTS[50:52].with_columns(k=pl.lit(key)).write_csv(path)
    return path


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (hide_in_ledger, "catalog: ledger.subject"),
        (hide_in_file, ".skiff/stray: decrypted"),
        (hide_in_remark, "prediction log: key"),
    ],
)
def test_what_is_left_in_something_encrypted_is_found_and_told(
    workspace: Path, place: Callable[[Workspace, str], None], told: str
) -> None:
    with Workspace.open(workspace) as opened:
        place(opened, name_guest(8))
    assert find_bytes(workspace / ".skiff", name_guest(8)) == []
    made = erase(workspace, name_guest(8), justification=LATER).certificate
    assert not made.is_complete
    assert list(made.search.hits) == [told]


def test_a_file_that_nobody_can_decrypt_makes_no_account_complete(workspace: Path) -> None:
    (workspace / ".skiff" / "stray").write_bytes(b"SKIFFENC" + bytes(200))
    made = erase(workspace, name_guest(8), justification=LATER).certificate
    assert not made.is_complete
    assert made.search.hits == ()
    assert [text.partition(":")[0] for text in made.search.unread] == [".skiff/stray"]


def test_a_damaged_release_is_told_and_left_where_it_is(workspace: Path) -> None:
    model = workspace / ".skiff" / "releases" / "0001" / "model.onnx"
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.chmod(0o600)
    model.write_bytes(data)
    made = erase(workspace, name_guest(8), justification=LATER).certificate
    assert not made.is_complete
    assert [text.partition(":")[0] for text in made.search.unread] == [".skiff/releases/0001/model.onnx"]
    assert model.read_bytes() == bytes(data)


def test_a_backup_comes_back_without_the_person_whatever_the_key(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = name_guest(12)
    back_up(workspace, tmp_path / "old.zip")
    found = erase(workspace, name, justification=LATER).certificate
    stones = tmp_path / "old.zip.erased.json"
    assert found.subject not in stones.read_text()
    with Workspace.open(workspace) as opened:
        assert opened.erasures.read_key().hex() not in stones.read_text()
    assert restore(tmp_path / "old.zip", tmp_path / "back").left_out == 1
    refuse_readable(tmp_path / "back" / ".skiff")
    assert find_bytes(decrypt_copy(tmp_path / "back", tmp_path / "plain"), name) == []
    assert restore(tmp_path / "old.zip", tmp_path / "named", tombstones=workspace).left_out == 1
    new = tmp_path / "new.txt"
    new.write_text("five other words that may open it\n")
    new.chmod(0o600)
    encryption.change_passphrase(workspace, new_file=new)
    with monkeypatch.context() as patch:
        patch.setenv("SKIFF_PASSPHRASE", new.read_text().strip())
        erase(workspace, name_guest(14), justification=LATER)
    assert restore(tmp_path / "old.zip", tmp_path / "old passphrase").left_out == 2, "the key is the backup's still"
    monkeypatch.setenv("SKIFF_PASSPHRASE", new.read_text().strip())
    before = stones.read_bytes()
    encryption.rotate(workspace, tell=quiet)
    assert stones.read_bytes() != before
    monkeypatch.setenv("SKIFF_PASSPHRASE", PASSPHRASE)
    with pytest.raises(SkiffError) as caught:
        restore(tmp_path / "old.zip", tmp_path / "never")
    assert caught.value.code == "wrong_passphrase"
    assert caught.value.where["file"] == str(stones)
    assert not (tmp_path / "never").exists()
    with monkeypatch.context() as patch:
        patch.setenv("SKIFF_PASSPHRASE", new.read_text().strip())
        encryption.add_key_file(workspace, tmp_path / "stick.key")
    monkeypatch.setenv("SKIFF_KEY_FILE", str(tmp_path / "stick.key"))
    assert restore(tmp_path / "old.zip", tmp_path / "both", tombstones=workspace).left_out == 2


def test_a_backup_written_while_it_was_plain_leaves_the_person_out_too(trained: Path, tmp_path: Path) -> None:
    plain = decrypt_copy(trained, tmp_path / "plain")
    back_up(plain, tmp_path / "old.zip")
    encryption.encrypt(plain, tell=quiet)
    erase(plain, name_guest(12), justification=LATER)
    assert restore(tmp_path / "old.zip", tmp_path / "back").left_out == 1
    assert find_bytes(tmp_path / "back", name_guest(12)) == []


def test_access_and_retention_read_what_is_encrypted(workspace: Path, tmp_path: Path) -> None:
    made = give_access(workspace, name_guest(12), tmp_path / "out")
    assert made.rows["predictions"] == 1
    held = json.loads((tmp_path / "out" / "data.json").read_text())["held"]
    [row] = next(rows for name, rows in held.items() if name.startswith("dataset"))
    assert row["email"] == "guest0012@example.org"
    assert held["predictions"][0]["outcome"] == "no"
    assert held["predictions"][0]["reasons"], "asked of the release, which is encrypted"
    agree_terms(workspace, None, column="email", news={"keep_days": 30.0})
    went = keep_retention(workspace, at=lambda: "2999-01-01T00:00:00Z")
    assert [(item.column, item.rows) for item in went.gone if item.kind == "column"] == [("email", N_ROWS)]
    refuse_readable(workspace / ".skiff")


def test_a_dry_run_changes_nothing(workspace: Path) -> None:
    plan_erasure(workspace, name_guest(5))  # makes the key
    before = hash_all(workspace)
    assert plan_erasure(workspace, name_guest(5)).found["datasets"] == 1
    assert hash_all(workspace) == before


def test_a_person_leaves_an_encrypted_database_server(database: str, tmp_path: Path) -> None:
    root = tmp_path / "w"
    root.mkdir()
    (root / "skiff.toml").write_text(f'[store]\nencrypt = true\ndatabase = "{database}"\n')
    GUESTS.write_csv(tmp_path / "guests.csv")
    add_data(root, tmp_path / "guests.csv")
    made = [
        PredictionRow(
            id=id_, at=at, release=1, role="champion", subject=name, inputs=json.dumps({"who": name}), label="no"
        )
        for id_, at, name in ((IdMaker().make(at), at, name_guest(at % 10)) for at in range(START, START + 10))
    ]
    with (
        Workspace.open(root) as opened,
        PredictionLog(open_store(root / ".skiff", database=database, box=opened.box), clock=lambda: START) as log,
    ):
        log.append(made)
        log.add_outcomes([Outcome(id=row.id, value="no") for row in made])
        opened.windows.write_state("noted", {"seen": [name_guest(8), "somebody else"]})
        assert find_rows(database, name_guest(8)) == []
    found = erase(root, name_guest(8)).certificate
    assert found.is_complete, (found.search.hits, found.search.unread)
    assert [item.found for item in found.places] == [1, 0, 1, 1, 0, 0]
    with Workspace.open(root) as opened:
        assert opened.windows.read_state("noted") == {"seen": ["[erased]", "somebody else"]}
        store = open_store(root / ".skiff", database=database, box=opened.box)
        left = store.read(0, EVER)
        assert [row.prediction for row in left] == [row for row in made if row.subject != name_guest(8)]
        assert len(store.read_outcomes()) == 9
        store.close()
        opened.ledger.append("note", subject=name_guest(7), result={}, at="2026-01-01T00:00:00Z")
    told = erase(root, name_guest(7)).certificate
    assert not told.is_complete
    assert told.search.hits == ("catalog: ledger.subject",)


def find_rows(database: str, value: str) -> list[str]:
    """Return the tables of a database with a row that shows the value."""
    import psycopg

    with psycopg.connect("postgresql://" + database.partition("://")[2]) as connection:
        tables = [row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        rows = {name: connection.execute(f'SELECT t::text FROM "{name}" t').fetchall() for name in tables}  # type: ignore[arg-type,unused-ignore]  # names from the database itself
    assert sum(map(len, rows.values())) > 20
    return [name for name, found in rows.items() if any(value in row[0] for row in found)]


@pytest.mark.real
@pytest.mark.slow
def test_a_passenger_leaves_an_encrypted_workspace(shared_data: Path, tmp_path: Path) -> None:
    source = tmp_path / "titanic.csv"
    shutil.copy(shared_data / "leakage" / "titanic_full.csv", source)
    root = tmp_path / "w"
    make_workspace(root, encrypt=True)
    run(source, Wishes(target="survived", budget_s=3.0), folder=root)
    predict_file(root, source, output=tmp_path / "answers.csv", columns=Columns(key="ticket", subject="name"))
    told = pl.read_csv(tmp_path / "answers.csv", infer_schema_length=None).select(id="skiff_id", value="survived")
    told.write_csv(tmp_path / "told.csv")
    take_outcomes(root, tmp_path / "told.csv", columns=OutcomeColumns(id="id", value="value"))
    back_up(root, tmp_path / "b.zip")
    export_predictions(root, tmp_path / "before.parquet")
    before = read_table(root)
    once = before["name"].value_counts().filter(pl.col("count") == 1)["name"].sort().to_list()
    name = next(name for name in once if plan_erasure(root, name).releases.get(1))
    assert give_access(root, name, tmp_path / "theirs").rows["predictions"] == 1
    shutil.rmtree(root / "reports")
    made = erase(root, name, budget_s=3.0)
    found = made.certificate
    assert found.is_complete, (found.search.hits, found.search.unread, found.models)
    assert verify_bundle(Path(made.files["json"])).is_whole
    refuse_readable(root / ".skiff")
    export_predictions(root, tmp_path / "after.parquet")
    logged = pl.read_parquet(tmp_path / "before.parquet").filter(pl.col("subject") != name)
    assert pl.read_parquet(tmp_path / "after.parquet").sort("id").equals(logged.sort("id"))
    assert read_table(root).equals(before.filter(pl.col("name") != name))
    assert find_bytes(decrypt_copy(root, tmp_path / "plain"), name) == []
    assert restore(tmp_path / "b.zip", tmp_path / "back").left_out == 1
    assert find_bytes(decrypt_copy(tmp_path / "back", tmp_path / "bare"), name) == []
