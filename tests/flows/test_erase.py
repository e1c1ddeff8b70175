"""A person is erased from everything a workspace holds, the models too, and nobody else is touched."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from skiff.core.errors import SkiffError
from skiff.deploy.predictor import Predictor
from skiff.flows.access import give_access
from skiff.flows.backup import back_up, restore
from skiff.flows.breach import write_breach
from skiff.flows.candidates import load_candidate_of
from skiff.flows.doctor import examine
from skiff.flows.erase import Justification, erase, plan_erasure
from skiff.flows.learned import list_unseen
from skiff.flows.persons import Person, find_logged
from skiff.flows.retention import agree_terms, keep_retention, list_reminders, show_retention
from skiff.flows.review import ReviewQueue
from skiff.flows.run import run
from skiff.flows.standing import open_standing
from skiff.flows.verify import verify_bundle
from skiff.flows.watch import watch_once
from skiff.flows.wishes import Wishes
from skiff.flows.workspace import Workspace as Opened
from skiff.flows.workspace import add_data
from skiff.store.champion import ReleaseShelf
from skiff.store.predictions.keeping import plan_keeping
from skiff.store.predictions.log import PredictionLog, open_store, to_micros
from skiff.store.predictions.records import Outcome, PredictionRow
from skiff.store.reviews import NewReview
from skiff.store.workspace import Workspace

BUDGET_S = 1.0
N_ROWS = 500
FIRST = ("Ada", "Bruno", "Chiara", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas")
LAST = ("Rossi", "Müller", "O'Neill", "Novák", "Silva", "Haddad", "Berg", "Laurent", "Costa", "Weber")


def name_guest(number: int) -> str:
    return f"{FIRST[number % 10]} {LAST[number // 10 % 10]}-{LAST[number // 100 % 10]}"


def build_guests(n_rows: int = N_ROWS, *, seed: int = 3) -> pl.DataFrame:
    """Return bookings of named guests; guest 3 came twice."""
    random = np.random.default_rng(seed)
    lead = random.gamma(2.0, 20.0, n_rows).round()
    channel = random.choice(["web", "phone", "agency"], n_rows)
    score = -1.5 + 0.03 * lead + 1.2 * (channel == "agency") + random.normal(0, 0.5, n_rows)
    numbers = [3 if row == 7 else row for row in range(n_rows)]
    return pl.DataFrame(
        {
            "guest": [name_guest(number) for number in numbers],
            "email": [f"guest{number:04d}@example.org" for number in numbers],
            "lead_days": lead,
            "price": random.normal(120, 35, n_rows).round(2),
            "channel": channel,
            "cancelled": np.where(random.random(n_rows) < 1 / (1 + np.exp(-score)), "yes", "no"),
        }
    )


GUESTS = build_guests()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    GUESTS.write_csv(folder / "guests.csv")
    outcome = run(folder / "guests.csv", Wishes(target="cancelled", budget_s=BUDGET_S), folder=folder / "guests")
    assert outcome.is_yes
    log_guests(folder / "guests")
    return folder / "guests"


@pytest.fixture
def workspace(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "guests"))


def log_guests(folder: Path, n_rows: int = 40, *, is_known: bool = True) -> None:
    """Answer some guests by name and send what happened."""
    with Workspace.open(folder) as opened:
        number = opened.releases.champion()
        assert number is not None
        predictor = Predictor(opened.releases.read_file(number, "model.onnx"))
    names = [column.name for column in predictor.signature.inputs]
    keep = plan_keeping("all", names)
    rows = GUESTS[:n_rows]
    answers = predictor.predict_columns(rows)
    at = to_micros(dt.datetime.now(tz=dt.UTC))
    with PredictionLog(open_store(folder / ".skiff"), clock=lambda: at) as log:
        made = [
            PredictionRow(
                id=log.ids.make(at + place),
                at=at + place,
                release=number,
                role="champion",
                subject=cells["guest"],
                key=f"K-{place}",
                inputs=keep({name: cells[name] for name in names}),
                label=str(answers.labels[place]),
                value=float(answers.probabilities[place, 1]),
            )
            for place, cells in enumerate(rows.iter_rows(named=True))
        ]
        log.append(made)
        if is_known:
            log.add_outcomes([Outcome(id=row.id, value="no") for row in made])


def list_bytes(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file, every packed member and every decoded table: written apart from the search it checks."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            yield str(path), data
            if data[:4] == b"PK\x03\x04":
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    for name in archive.namelist():
                        yield f"{path}:{name}", archive.read(name)
            if data[:2] == b"\x1f\x8b":
                yield f"{path}:gz", gzip.decompress(data)
            if data[:4] == b"PAR1":
                yield f"{path}:table", pl.read_parquet(io.BytesIO(data)).write_csv().encode()


def find_bytes(folder: Path, value: str) -> list[str]:
    forms = [value.encode(), value.encode("utf-16-le"), json.dumps(value)[1:-1].encode(), value.lower().encode()]
    return [name for name, data in list_bytes(folder) if any(form in data for form in forms)]


def read_table(folder: Path) -> pl.DataFrame:
    with Workspace.open(folder) as opened:
        return pl.read_parquet(io.BytesIO(opened.datasets.read_parquet(opened.datasets.list()[-1].id)))


def find_learned(folder: Path) -> int:
    """Return a guest whose row the release learned from."""
    for number in range(20, 40):
        if plan_erasure(folder, name_guest(number)).releases.get(1):
            return number
    raise AssertionError


def test_an_erased_person_is_nowhere_and_a_new_release_answers(workspace: Path) -> None:
    number = find_learned(workspace)
    name, mail = name_guest(number), f"guest{number:04d}@example.org"
    with Workspace.open(workspace) as opened:
        opened.write_report("note.html", f"<p>{name}</p>".encode())
        opened.write_report("note.pdf", b"%PDF-1.7 letters as drawings")
        opened.write_report("list.csv.gz", gzip.compress(f"guest\n{name}\n".encode()))
        opened.write_report("fix_list.csv", b"row,given,suggested,confidence\n1,no,yes,0.9\n")
        opened.windows.write_state("noted", {"seen": [name, "somebody else"]})
        opened.objects.put(json.dumps({"levels": [name]}).encode())
        logged = find_logged(opened, Person(name=name, hash="", values=(name,)))[0].prediction.id
        asked = {"source": "log", "reason": "abstention", "rule": "The model holds back.", "release": 1}
        opened.reviews.add(
            [
                NewReview(item=logged, rank=1, **asked),
                NewReview(item="b", rank=2, subject=name, **asked),
                NewReview(item="c", rank=3, inputs=json.dumps({"note": f"called {name}"}), **asked),
                NewReview(item="d", rank=4, subject="somebody else", **asked),
            ]
        )
    assert find_bytes(workspace, name)
    made = erase(workspace, name, budget_s=BUDGET_S)
    found = made.certificate
    assert found.is_complete, found.search.hits
    assert {item.place: item.found for item in found.places} == {
        "datasets": 1,
        "review queue": 3,
        "prediction log": 1,
        "records": 1,
        "stored files": 1,
        "reports": 4,
    }
    assert found.places[-1].names == ("fix_list.csv", "list.csv.gz", "note.html", "note.pdf")
    assert find_bytes(workspace, name) == []
    assert find_bytes(workspace, mail) == [], "what else named the person went too"
    assert found.search.values == 2
    assert [(item.release, item.fate, item.successor) for item in found.models] == [(1, "removed", "2")]
    assert [(item.waiting, item.undecided) for item in found.models] == [(1, 0)]
    assert "1 row of the review queue goes on waiting" in Path(made.files["html"]).read_text()
    with Workspace.open(workspace) as opened:
        assert opened.verify().ok
        assert opened.releases.champion() == 2
        assert not (workspace / ".skiff" / "releases" / "0001" / "model.onnx").exists()
        with pytest.raises(SkiffError, match="Release 1 was removed") as caught:
            opened.releases.promote(1)
        assert caught.value.code == "release_erased"
        assert opened.windows.read_state("noted") == {"seen": ["[erased]", "somebody else"]}
        assert [(record.item, record.release) for record in opened.reviews.list()] == [("d", 2)]
    left = GUESTS.filter(pl.col("guest") != name)
    assert read_table(workspace).equals(left.select(read_table(workspace).columns)), "nobody else's row was touched"


def test_a_row_answered_before_the_erasure_is_decided_under_the_release_that_answers_now(workspace: Path) -> None:
    number = find_learned(workspace)
    settings = workspace / "skiff.toml"
    settings.write_text(
        settings.read_text().replace("[review]", '[review]\nstakes_column = "price"\nstakes_amount = 1.0')
    )
    log_guests(workspace, 60, is_known=False)
    with Workspace.open(workspace) as opened:
        queue = ReviewQueue(opened)
        assert queue.fill() == 60
        queue.close()
    [model] = erase(workspace, name_guest(number), budget_s=BUDGET_S).certificate.models
    assert (model.waiting, model.undecided) == (59, 0)
    with Workspace.open(workspace) as opened:
        queue = ReviewQueue(opened)
        assert queue.fill() == 0
        assert queue.count_waiting() == 59
        shown = queue.give("ada")
        assert shown is not None
        assert shown.answers == ("no", "yes")
        first = queue.take_first(shown.id, "ada", "no")
        assert first.suggestion is None
        assert queue.take_final(shown.id, "ada", "no").final == "no"
        assert (queue.count_waiting(), queue.n_gone, queue.n_stuck) == (58, 0, 0)
        for record in opened.reviews.list(state="open"):  # as if nobody had asked for the queue before
            opened.reviews.remove(record.id)
        opened.windows.write_state("review", {})
        assert queue.fill() == 58
        assert {(record.release, record.advice) for record in opened.reviews.list(state="open")} == {(2, None)}
        queue.close()


def test_the_certificate_is_checked_without_the_workspace(workspace: Path, tmp_path: Path) -> None:
    made = erase(
        workspace, name_guest(3), justification=Justification(why="a new season's data comes", until="2999-01-01")
    )
    place = Path(made.files["json"])
    checked = verify_bundle(place)
    assert checked.is_whole
    assert [item.check for item in checked.checks] == ["signature", "key", "complete"]
    assert name_guest(3) not in place.read_text() + Path(made.files["html"]).read_text()
    forged = tmp_path / "forged.json"
    forged.write_text(place.read_text().replace('"found": 2', '"found": 1', 1))
    assert not verify_bundle(forged).is_whole


def test_both_rows_of_a_person_go_and_the_sealed_rows_stay_the_same(workspace: Path) -> None:
    with Workspace.open(workspace) as opened:
        before = opened.releases.list()[0].dataset_sha256
        mails = read_table(workspace)["email"].to_numpy()[list_unseen(opened, before)].tolist()
        looks = [opened.runs.read_looks(before, split) for split in opened.runs.list_sealed(before)]
    plan = plan_erasure(workspace, name_guest(3))
    assert list(plan.datasets.values()) == [2]
    erase(workspace, name_guest(3), justification=Justification(why="later", until="2999-01-01"))
    with Workspace.open(workspace) as opened:
        rows = list_unseen(opened, before)
        now = opened.datasets.list()[0].sha256
        assert [opened.runs.read_looks(now, split) for split in opened.runs.list_sealed(now)] == looks
    wanted = [mail for mail in mails if mail != "guest0003@example.org"]
    assert read_table(workspace)["email"].to_numpy()[rows].tolist() == wanted


def test_who_was_learned_from_is_exact_for_each_release_and_stays_so(tmp_path: Path) -> None:
    """Rows without an answer train nothing, and a row that one split seals another may learn from."""
    answers = [None if row % 10 == 4 else answer for row, answer in enumerate(GUESTS["cancelled"])]
    table = GUESTS.with_columns(pl.Series("cancelled", answers))
    table.write_csv(tmp_path / "guests.csv")
    folder = tmp_path / "w"
    for seed in (0, 1):
        assert run(
            tmp_path / "guests.csv", Wishes(target="cancelled", budget_s=BUDGET_S, seed=seed), folder=folder
        ).is_yes
    learned: dict[int, set[str]] = {}
    with Workspace.open(folder) as opened:
        for place, record in enumerate(item for item in opened.ledger.records() if item.action == "train"):
            found = load_candidate_of(opened, record.subject)
            assert found is not None
            learned[place + 1] = set(found.prepared.frame["email"][found.prepared.split.train])
    assert [len(mails) // 10 for mails in learned.values()] == [35, 35]  # four fifths of the 450 with an answer
    only_first = min(learned[1] - learned[2])
    both = min(learned[1] & learned[2] - {only_first})
    assert plan_erasure(folder, "guest0004@example.org").releases == {1: 0, 2: 0}
    assert plan_erasure(folder, only_first).releases == {1: 1, 2: 0}
    assert plan_erasure(folder, both).releases == {1: 1, 2: 1}
    others = [mail for mail in (min(learned[2] - learned[1]), max(learned[1] & learned[2])) if mail != both]
    for gone in (only_first, both):  # the candidates go with the first table; what they knew must not
        erase(folder, gone, justification=Justification(why="later", until="2999-01-01"))
        for mail in others:
            assert plan_erasure(folder, mail).releases == {1: int(mail in learned[1]), 2: int(mail in learned[2])}
        assert plan_erasure(folder, "guest0014@example.org").releases == {1: 0, 2: 0}


def test_a_dry_run_changes_nothing(workspace: Path) -> None:
    plan_erasure(workspace, name_guest(5))  # makes the key
    before = hash_all(workspace)
    plan = plan_erasure(workspace, name_guest(5))
    assert hash_all(workspace) == before
    assert plan.found["datasets"] == 1
    assert plan.champion == 1


def hash_all(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith((".lock", "-shm", "-wal"))
    }


def test_a_model_that_stays_needs_a_reason_and_a_day_and_is_reminded_of(workspace: Path) -> None:
    number = find_learned(workspace)
    with pytest.raises(SkiffError, match="written reason") as caught:
        erase(workspace, name_guest(number), justification=Justification(why="later", until="2020-01-01"))
    assert caught.value.code == "justification_unfit"
    made = erase(
        workspace, name_guest(number), justification=Justification(why="the data of spring", until="2999-01-01")
    )
    assert made.certificate.is_complete
    assert [(item.fate, item.until) for item in made.certificate.models] == [("kept", "2999-01-01")]
    with Workspace.open(workspace) as opened:
        assert opened.releases.champion() == 1
        assert list_reminders(opened, now="2998-12-31T00:00:00Z") == ()
        assert [item.release for item in list_reminders(opened, now="2999-01-01T00:00:00Z")] == [1]
        opened.releases.verify(1)
    fine = [
        check.is_fine
        for check in examine(folder=workspace, at=lambda: "2999-02-01T00:00:00Z")
        if check.name == "Erasure"
    ]
    assert fine == [False]
    again = erase(workspace, name_guest(number), budget_s=BUDGET_S)
    assert [(item.release, item.fate) for item in again.certificate.models] == [(1, "removed")]
    with Workspace.open(workspace) as opened:
        assert opened.releases.champion() == 2
        assert opened.erasures.read().kept == ()


def test_where_no_model_passes_the_old_one_answers_and_the_same_command_goes_on(workspace: Path) -> None:
    number = find_learned(workspace)
    settings = workspace / "skiff.toml"
    before = settings.read_text()
    settings.write_text(before.replace("[criteria]", '[criteria]\nrequire = ["roc_auc >= 0.9999"]'))
    made = erase(workspace, name_guest(number), budget_s=BUDGET_S)
    assert not made.certificate.is_complete
    assert [item.fate for item in made.certificate.models] == ["open"]
    with Workspace.open(workspace) as opened:
        assert opened.releases.champion() == 1
    settings.write_text(before)
    done = erase(workspace, name_guest(number), budget_s=BUDGET_S)
    assert done.certificate.is_complete
    assert done.certificate.places[0].found == 1, "what was found at first is still told"
    with Workspace.open(workspace) as opened:
        assert opened.releases.champion() == 2


def test_the_ledger_stays_whole_and_names_nobody(workspace: Path) -> None:
    erase(workspace, name_guest(8), justification=Justification(why="later", until="2999-01-01"))
    with Opened.open(workspace) as opened:
        assert opened.verify_ledger().ok
        told = [record for record in opened.ledger if record.action.startswith("erase")]
        assert [record.action for record in told][:1] == ["erase.begin"]
        assert told[-1].action == "erase"
        assert all(name_guest(8) not in json.dumps(record.result) + record.subject for record in opened.ledger)


def test_a_server_says_why_a_release_is_gone(workspace: Path) -> None:
    number = find_learned(workspace)
    erase(workspace, name_guest(number), budget_s=BUDGET_S)
    with pytest.raises(SkiffError, match="learned from a person") as caught:
        open_standing(ReleaseShelf(workspace / ".skiff"), 1, keep="none")
    assert caught.value.code == "release_erased"


def test_a_key_of_a_prediction_is_a_name_too(workspace: Path) -> None:
    made = erase(workspace, "K-11", budget_s=BUDGET_S)
    assert {item.place: item.found for item in made.certificate.places}["prediction log"] == 1
    assert made.certificate.is_complete
    assert made.certificate.search.short_values == 1, "four bytes are too few to search for"


def test_somebody_unknown_gives_an_account_of_nothing(workspace: Path) -> None:
    made = erase(workspace, "Nobody Atall")
    assert made.certificate.is_complete
    assert sum(item.found for item in made.certificate.places) == 0
    with pytest.raises(SkiffError) as caught:
        plan_erasure(workspace, "  ")
    assert caught.value.code == "subject_empty"
    with pytest.raises(SkiffError) as caught:
        plan_erasure(workspace, "x", column="gest")
    assert caught.value.code == "column_not_found"


def test_a_mention_in_somebody_elses_text_is_told_and_not_touched(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "guest": [name_guest(number) for number in range(60)],
            "note": [f"friend of {name_guest(4)}" if number == 9 else "quiet room" for number in range(60)],
        }
    )
    table.write_csv(tmp_path / "notes.csv")
    add_data(tmp_path / "w", tmp_path / "notes.csv")
    made = erase(tmp_path / "w", name_guest(4), column="guest")
    assert not made.certificate.is_complete
    assert any("column 'note'" in hit for hit in made.certificate.search.hits)
    assert read_table(tmp_path / "w").height == 59


def test_a_table_made_by_retraining_loses_the_persons_rows_though_it_has_no_names(workspace: Path) -> None:
    learned = GUESTS.select("lead_days", "price", "channel", "cancelled")
    stream = io.BytesIO()
    learned.write_parquet(stream)
    with Workspace.open(workspace) as opened:
        kept = opened.add_dataset(
            stream.getvalue(),
            name="guests.csv and outcomes",
            source_sha256="0" * 64,
            rows=learned.height,
            columns=4,
            reading={"format": "log", "champion": 1},
            provenance={},
            kinds=dict.fromkeys(learned.columns, "number"),
        )
    erase(workspace, name_guest(3), justification=Justification(why="later", until="2999-01-01"))
    with Workspace.open(workspace) as opened:
        now = pl.read_parquet(io.BytesIO(opened.datasets.read_parquet(kept.id)))
    assert now.height == N_ROWS - 2
    assert now.equals(learned.filter(GUESTS["guest"] != name_guest(3)))


def test_an_older_backup_is_put_back_without_the_person(workspace: Path, tmp_path: Path) -> None:
    number = find_learned(workspace)
    name = name_guest(number)
    back_up(workspace, tmp_path / "old.zip")
    erase(workspace, name, budget_s=BUDGET_S)
    stones = tmp_path / "old.zip.erased.json"
    assert stones.exists()
    assert name not in stones.read_text()
    made = restore(tmp_path / "old.zip", tmp_path / "back")
    assert made.left_out == 1
    assert made.without_model, "the model that learned from the person does not come back"
    assert find_bytes(tmp_path / "back", name) == []
    assert read_table(tmp_path / "back").height == N_ROWS - 1
    with Workspace.open(tmp_path / "back") as opened:
        assert opened.verify().ok
    stones.unlink()
    named = restore(tmp_path / "old.zip", tmp_path / "again", tombstones=workspace)
    assert named.left_out == 1


def test_access_gathers_rows_predictions_and_what_must_be_said(workspace: Path, tmp_path: Path) -> None:
    agree_terms(workspace, None, news={"purpose": "to plan rooms", "keep_days": 700.0})
    made = give_access(workspace, name_guest(12), tmp_path / "out")
    assert made.rows["predictions"] == 1
    held = json.loads((tmp_path / "out" / "data.json").read_text())
    [row] = next(rows for name, rows in held["held"].items() if name.startswith("dataset"))
    assert row["email"] == "guest0012@example.org"
    assert held["held"]["predictions"][0]["outcome"] == "no"
    assert held["held"]["predictions"][0]["reasons"]
    assert "to plan rooms" in held["about"]["What it is used for (Art. 15(1)(a))"][0]
    assert "700 days" in held["about"]["How long it is kept (Art. 15(1)(d))"][0]
    page = (tmp_path / "out" / "read-me.html").read_text()
    assert "guest0012@example.org" in page
    assert "guest0013@example.org" not in page
    with pytest.raises(SkiffError) as caught:
        give_access(workspace, name_guest(12), tmp_path / "out")
    assert caught.value.code == "folder_not_empty"
    first = give_access(workspace, name_guest(12), tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert set(archive.namelist()) == set(first.files)


def test_what_was_kept_long_enough_goes_on_its_day(workspace: Path) -> None:
    agree_terms(workspace, None, column="email", news={"keep_days": 30.0})
    agree_terms(workspace, None, news={"keep_days": 90.0})
    now = dt.datetime.now(tz=dt.UTC)

    def later(days: int) -> str:
        return (now + dt.timedelta(days=days)).isoformat()

    assert keep_retention(workspace, at=lambda: later(10)).gone == ()
    assert [item.is_due for item in show_retention(workspace, at=lambda: later(40)).due] == [True, False]
    went = keep_retention(workspace, at=lambda: later(40))
    assert [(item.kind, item.column, item.rows) for item in went.gone] == [("column", "email", N_ROWS)]
    assert find_bytes(workspace / ".skiff" / "objects", "guest0012@example.org") == []
    table = read_table(workspace)
    assert table["email"].null_count() == N_ROWS
    assert table["guest"].equals(GUESTS["guest"])
    assert keep_retention(workspace, at=lambda: later(41)).gone == ()
    went = keep_retention(workspace, at=lambda: later(91))
    assert [(item.kind, item.rows) for item in went.gone] == [("dataset", N_ROWS)]
    with Workspace.open(workspace) as opened:
        assert opened.datasets.list() == ()
        assert opened.verify().ok
        assert [record.action for record in opened.ledger.records()][-1] == "retention"
        with pytest.raises(SkiffError, match="time of keeping") as caught:
            opened.datasets.get(opened.releases.list()[0].dataset_sha256)
        assert caught.value.code == "dataset_erased"


def test_watching_lets_go_of_what_is_due_and_reminds_of_a_model_that_was_to_go(workspace: Path) -> None:
    number = find_learned(workspace)
    until = (dt.datetime.now(tz=dt.UTC) + dt.timedelta(days=20)).date().isoformat()
    erase(workspace, name_guest(number), justification=Justification(why="later", until=until))
    agree_terms(workspace, None, column="email", news={"keep_days": 30.0})
    later = (dt.datetime.now(tz=dt.UTC) + dt.timedelta(days=40)).isoformat().replace("+00:00", "Z")
    found = watch_once(workspace, is_forced=True, clock=lambda: later).retention
    assert found is not None
    assert [item.column for item in found.gone] == ["email"]
    assert [item.release for item in found.reminders] == [1]
    assert name_guest(number) not in found.reminders[0].sentence


def test_the_breach_worksheet_counts_and_leaves_open_what_nobody_said(workspace: Path) -> None:
    made = write_breach(
        workspace,
        answers={"nature": "a laptop was stolen", "contact": "", "consequences": "", "measures": ""},
        known_at="2026-03-02T09:30:00Z",
        at=lambda: "2026-03-03T10:00:00.000000Z",
    )
    text = Path(made["files"]["md"]).read_text()
    assert "a laptop was stolen" in text
    assert "2026-03-05 10:00 UTC" in text
    assert "48 hours are left" in text
    assert f"{N_ROWS:,} rows, about {N_ROWS - 1:,} different persons" in text
    assert "unanswered" in text
    with Workspace.open(workspace) as opened:
        assert "laptop" not in json.dumps([record.result for record in opened.ledger.records()])
    with pytest.raises(SkiffError) as caught:
        write_breach(workspace, answers={}, known_at="yesterday")
    assert caught.value.code == "bad_time"


@pytest.mark.parametrize(
    ("file", "column"), [("leakage/titanic_full.csv", "name"), ("classification/telco_churn.csv.gz", "customerID")]
)
def test_real_persons_leave_no_byte(shared_data: Path, tmp_path: Path, file: str, column: str) -> None:
    add_data(tmp_path / "w", shared_data / file)
    before = read_table(tmp_path / "w")
    texts = before[column].to_list()
    for place in (0, 17, len(texts) // 2, len(texts) - 1):
        made = erase(tmp_path / "w", texts[place])
        assert made.certificate.columns == (column,)
        assert made.certificate.is_complete, made.certificate.search.hits
        assert find_bytes(tmp_path / "w", texts[place]) == []
    gone = {texts[place] for place in (0, 17, len(texts) // 2, len(texts) - 1)}
    assert read_table(tmp_path / "w").equals(before.filter(~pl.col(column).is_in(gone)))
