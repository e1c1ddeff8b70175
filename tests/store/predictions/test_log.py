"""What the log promises, over SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from skiff.core.errors import SkiffError
from skiff.store.predictions import sqlite as sqlite_log
from skiff.store.predictions.ids import IdMaker
from skiff.store.predictions.keeping import plan_keeping
from skiff.store.predictions.log import PredictionLog
from skiff.store.predictions.reader import SCHEMA, PredictionReader
from skiff.store.predictions.records import Outcome, PredictionRow, Store
from skiff.store.predictions.sqlite import PATIENT_TURNS, TURNS, WAL_PAGES, SqliteStore
from skiff.store.predictions.writer import Writer

from .conftest import DAY, START, Clock, build_rows


def test_what_was_appended_is_read_back(log: PredictionLog, store: Store) -> None:
    rows = build_rows(700, key="B-1", subject="ada", latency_us=120, is_control=1)
    log.append(rows)
    frame = PredictionReader(store).read_window()
    assert frame.columns == [*SCHEMA, "in.nights", "in.city"]
    assert frame.height == 700
    assert frame["id"].to_list() == [row.id for row in rows]
    first = frame.row(0, named=True)
    assert first["at"] == dt.datetime(2026, 1, 1)
    assert first["probabilities"] == [0.25, 0.75]
    assert (first["key"], first["subject"], first["decision"], first["is_control"]) == ("B-1", "ada", "act", True)
    assert (first["in.nights"], first["in.city"], first["outcome"]) == (2.0, "Oslo", None)


def test_a_window_crosses_months_and_is_half_open(log: PredictionLog, store: Store) -> None:
    for day in range(90):
        log.append(build_rows(1, at=START + day * DAY))
    reader = PredictionReader(store)
    since, until = dt.datetime(2026, 1, 30, tzinfo=dt.UTC), dt.datetime(2026, 3, 2)
    frame = reader.read_window(since, until)
    assert frame.height == reader.count(since, until) == 31
    assert frame["at"].is_sorted()
    assert frame["at"].max() == dt.datetime(2026, 3, 1)
    assert reader.count() == 90
    assert reader.count(release=2) == 0


def test_kinds_of_answers_are_told_apart(log: PredictionLog, store: Store) -> None:
    log.append(build_rows(1, label=None, value=12.5, low=10.0, high=15.0, inputs=None))
    log.append(build_rows(1, label="b", value=0.5, probabilities="[0.2,0.5,0.3]", inputs=None))
    frame = PredictionReader(store).read_window().sort("label", nulls_last=False)
    assert frame["probabilities"].to_list() == [None, [0.2, 0.5, 0.3]]
    assert frame.row(0, named=True)["high"] == 15.0
    assert frame.columns == list(SCHEMA)


def test_an_empty_log_has_all_columns(store: Store) -> None:
    assert PredictionReader(store).read_window().schema == pl.Schema(SCHEMA)


def test_outcomes_come_late_corrected_twice_and_for_strangers(log: PredictionLog, store: Store, clock: Clock) -> None:
    rows = build_rows(3)
    log.append(rows)
    clock.now += 70 * DAY
    first = log.add_outcomes([Outcome(id=rows[0].id, value="no", at=5), Outcome(id="0" * 24, value="no")])
    assert first.states == ("new", "unknown")
    assert log.add_outcomes([Outcome(id=rows[0].id, value="no", at=5)]).states == ("duplicate",)
    assert log.add_outcomes([Outcome(id=rows[0].id, value="yes", at=6)]).states == ("corrected",)
    assert log.add_outcomes([Outcome(id="../../x", value="no"), Outcome(key="none", value="no")]).count("unknown") == 2
    reader = PredictionReader(store)
    frame = reader.read_window()
    assert frame["outcome"].to_list() == ["yes", None, None]
    assert [item.value for item in reader.read_history(rows[0].id)] == ["no", "yes"]
    assert reader.read_history("nonsense") == []
    assert reader.count_outcomes() == 2


def test_an_outcome_by_key_judges_every_prediction_of_the_case_and_its_shadow(log: PredictionLog, store: Store) -> None:
    maker = IdMaker()
    old = build_rows(1, key="B-7", maker=maker)
    [new] = build_rows(1, at=START + 40 * DAY, key="B-7", maker=maker)
    shadow = new._replace(id=f"{new.id}s", role="shadow", release=2)
    log.append([*old, new, shadow])
    assert log.add_outcomes([Outcome(key="B-7", value="no")]).states == ("new",)
    assert PredictionReader(store).read_window()["outcome"].to_list() == ["no", "no", "no"]
    assert log.add_outcomes([Outcome(id=shadow.id, value="yes")]).states == ("corrected",)
    assert PredictionReader(store).read_window()["outcome"].to_list() == ["no", "yes", "yes"]


def test_a_person_is_erased_with_inputs_and_outcomes(log: PredictionLog, store: Store) -> None:
    gone = build_rows(2, subject="ada", inputs='{"note":"secret-note"}')
    kept = build_rows(2, subject="bob")
    log.append([*gone, *kept])
    log.add_outcomes([Outcome(id=gone[0].id, value="secret-outcome"), Outcome(id=kept[0].id, value="no")])
    assert log.erase_subject("ada") == 2
    frame = PredictionReader(store).read_window()
    assert frame["subject"].to_list() == ["bob", "bob"]
    assert PredictionReader(store).count_outcomes() == 1
    assert log.erase_subject("ada") == 0


def test_a_person_is_found_by_subject_key_or_input_and_only_their_rows_go(log: PredictionLog, store: Store) -> None:
    by_subject = build_rows(2, subject=" ada ")
    by_key = build_rows(1, key="ada")
    by_input = build_rows(1, inputs='{"guest":"ada"}')
    others = [*build_rows(2, subject="adam"), *build_rows(1, key="B-7", inputs='{"guest":"bob"}')]
    log.append([*by_subject, *by_key, *by_input, *others])
    log.add_outcomes([Outcome(id=row.id, value="no") for row in (by_subject[0], others[0])])
    found = [row.prediction for row in store.find_person(["ada"], ['"ada"'])]
    assert {row.id for row in found} == {row.id for row in (*by_subject, *by_key, *by_input)}
    by_name = [row.prediction for row in store.find_person(["ada"], [])]
    assert {row.id for row in by_name} == {row.id for row in (*by_subject, *by_key)}
    assert [row.inputs for row in by_name if row.key] == [by_key[0].inputs]
    assert store.list_names() == {" ada ", "ada", "adam", "B-7"}
    assert sorted(row.value for row in store.read_outcomes()) == ["no", "no"]
    assert store.erase_rows([row.id for row in found]) == 4
    assert [row.id for row in store.read_outcomes()] == [others[0].id]
    assert store.find_person(["ada"], ['"ada"']) == []
    reader = PredictionReader(store)
    assert reader.count() == 3
    assert reader.count_outcomes() == 1
    assert store.erase_rows([row.id for row in found]) == 0


def test_no_search_of_the_bytes_finds_an_erased_person(tmp_path: Path, clock: Clock) -> None:
    with PredictionLog(SqliteStore(tmp_path / "log"), clock=clock) as log:
        for number in range(200):
            log.append(build_rows(20, subject=f"person-{number:05d}", inputs=f'{{"note":"about-{number:05d}"}}'))
        assert log.erase_subject("person-00100") == 20
        log.append(build_rows(5, subject="another"))
        found = b"".join(path.read_bytes() for path in (tmp_path / "log").iterdir())
    assert b"person-00100" not in found
    assert b"about-00100" not in found
    assert b"person-00101" in found


def test_fields_and_rows_are_forgotten_by_age(log: PredictionLog, store: Store, clock: Clock) -> None:
    for day in (0, 20, 50):
        log.append(build_rows(2, at=START + day * DAY, subject="ada"))
    clock.now = START + 60 * DAY
    assert log.forget(field="inputs", older_than_days=30) == 4
    assert log.forget(field="subject", older_than_days=45) == 2
    reader = PredictionReader(store)
    assert reader.read_window()["in.city"].null_count() == 4
    assert reader.read_window()["subject"].null_count() == 2
    assert log.forget(older_than_days=15) == 4
    assert reader.count() == 2
    log.append(build_rows(1, at=clock()))
    assert reader.count() == 3
    with pytest.raises(ValueError, match="no field"):
        log.forget(field="label", older_than_days=1)  # type: ignore[arg-type]  what a caller must not do


def test_a_month_that_is_wholly_old_goes_as_a_file(tmp_path: Path, clock: Clock) -> None:
    with PredictionLog(SqliteStore(tmp_path / "log"), clock=clock) as log:
        for day in (0, 40, 70):
            log.append(build_rows(1, at=START + day * DAY))
        clock.now = START + 75 * DAY
        assert log.forget(older_than_days=30) == 2
        assert sorted(path.name for path in (tmp_path / "log").glob("*.db")) == ["2026-02.db", "2026-03.db"]


def test_files_are_private_under_any_umask(tmp_path: Path, clock: Clock) -> None:
    with PredictionLog(SqliteStore(tmp_path / "log"), clock=clock) as log:
        log.append(build_rows(1))
        assert (tmp_path / "log").stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "log").iterdir()} == {0o600}


def test_two_logs_write_at_the_same_time_without_loss(open_again: Callable[[], Store], store: Store) -> None:
    def write(problems: list[BaseException]) -> None:
        try:
            with PredictionLog(open_again(), clock=Clock()) as log:
                for turn in range(80):
                    rows = build_rows(5 if turn % 2 else 1)
                    if len(rows) > 1 or not log.try_append(rows):
                        log.append(rows)
        except BaseException as error:  # noqa: BLE001  handed to the test's thread
            problems.append(error)

    problems: list[BaseException] = []
    writers = [threading.Thread(target=write, args=(problems,)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert problems == []
    assert PredictionReader(store).count() == 3 * 40 * (5 + 1)


def test_rows_are_written_in_place_where_it_takes_no_waiting(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_log, "SLOW_S", 60.0)  # a machine that is busy with other tests looks like a slow disk
    maker, kept = IdMaker(), 0
    with PredictionLog(SqliteStore(tmp_path / "log"), clock=clock) as log:
        first = build_rows(1, maker=maker)
        assert not log.try_append(first)  # no month is open yet
        log.append(first)
        for _ in range(3 * TURNS):
            row = build_rows(1, maker=maker)
            if log.try_append(row):
                kept += 1
            else:
                log.append(row)
        assert 3 * (TURNS - PATIENT_TURNS) - PATIENT_TURNS <= kept < 3 * TURNS
        [wal] = (tmp_path / "log").glob("*-wal")
        assert wal.stat().st_size < 3 * WAL_PAGES * 4_096  # it is moved into the file all the same
        assert not log.try_append(build_rows(1, maker=maker, at=START + 40 * DAY))  # another month
    with sqlite3.connect(tmp_path / "log" / "2026-01.db") as connection:
        assert connection.execute("SELECT count(*) FROM prediction").fetchall() == [(1 + 3 * TURNS,)]
    connection.close()


def test_a_slow_disk_is_left_to_the_writing_thread_for_a_round(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_log, "SLOW_S", 0.0)
    maker, taken = IdMaker(), list[bool]()
    with PredictionLog(SqliteStore(tmp_path / "log"), clock=clock) as log:
        log.append(build_rows(1, maker=maker))
        for _ in range(2 * TURNS + 2 * PATIENT_TURNS + 2):
            row = build_rows(1, maker=maker)
            taken.append(log.try_append(row))
            if not taken[-1]:
                log.append(row)
    assert [place for place, is_taken in enumerate(taken) if is_taken] == [PATIENT_TURNS, TURNS + 2 * PATIENT_TURNS + 1]


def test_a_lock_that_another_holds_is_never_waited_for_in_place(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_log, "SLOW_S", 60.0)
    maker = IdMaker()
    with PredictionLog(SqliteStore(tmp_path / "log"), clock=clock) as log:
        for _ in range(PATIENT_TURNS):
            row = build_rows(1, maker=maker)
            assert not log.try_append(row)
            log.append(row)
        assert log.try_append(build_rows(1, maker=maker))
        other = sqlite3.connect(tmp_path / "log" / "2026-01.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        held = build_rows(1, maker=maker)
        began = time.perf_counter()
        assert not any(log.try_append(held) for _ in range(20))
        assert time.perf_counter() - began < 1.0  # milliseconds; `append` would wait 15 seconds
        waiting = threading.Thread(target=log.append, args=(held,))
        waiting.start()
        other.execute("ROLLBACK")
        waiting.join()
        assert log.try_append(build_rows(1, maker=maker))
        [(n_rows,)] = other.execute("SELECT count(*) FROM prediction").fetchall()
        other.close()
    assert n_rows == PATIENT_TURNS + 3


def test_too_many_waiting_rows_are_refused_and_those_taken_are_kept() -> None:
    gate, kept = threading.Event(), list[PredictionRow]()

    def append(rows: list[PredictionRow]) -> None:
        gate.wait()
        kept.extend(rows)

    writer = Writer(append, most_waiting=10)
    taken: list[SkiffError | None] = []
    writer.submit(build_rows(6), taken.append)
    writer.submit(build_rows(4), taken.append)
    with pytest.raises(SkiffError) as caught:
        writer.submit(build_rows(1), taken.append)
    assert caught.value.code == "log_busy"
    gate.set()
    writer.close()
    assert taken == [None, None]
    assert len(kept) == 10


def test_a_group_that_fails_is_told_and_the_next_works(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "log")
    problems: list[SkiffError | None] = []

    def append(rows: list[PredictionRow]) -> None:
        if len(rows) == 3:
            raise SkiffError("disk_full", what="No room.", fix="Free some.")
        store.append(rows)

    writer = Writer(append)
    with pytest.raises(SkiffError):
        writer.write(build_rows(3))
    writer.write(build_rows(2))
    writer.submit(build_rows(1), problems.append)
    writer.close()
    assert problems == [None]
    assert store.count(0, 2**53) == 3
    store.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_in_the_writer_leaves_nobody_waiting() -> None:
    def append(rows: list[PredictionRow]) -> None:
        raise ZeroDivisionError(str(len(rows)))

    writer = Writer(append)
    with pytest.raises(SkiffError) as caught:
        writer.write(build_rows(1))
    assert caught.value.code == "log_stopped"
    with pytest.raises(SkiffError):
        writer.write(build_rows(1))
    writer.close()


def test_a_damaged_month_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    store = SqliteStore(folder)
    (folder / "2026-01.db").write_bytes(b"not a database" * 100)
    with pytest.raises(SkiffError) as caught:
        store.read(0, 2**53)
    assert caught.value.code == "log_damaged"


def test_inputs_are_kept_as_the_settings_say() -> None:
    row = {"name": "Ada", "nights": 2, "extra": 1}
    assert plan_keeping("all", ["name", "nights"])(row) == '{"name":"Ada","nights":2}'
    assert plan_keeping(("nights",), ["name", "nights"])(row) == '{"nights":2}'
    hashed = plan_keeping("hashed", ["name", "gone"], hash_key=b"k")(row)
    assert hashed is not None
    assert "Ada" not in hashed
    assert '"gone":null' in hashed
    assert hashed != plan_keeping("hashed", ["name", "gone"], hash_key=b"other")(row)
    with pytest.raises(SkiffError, match="does not take"):
        plan_keeping(("salary",), ["name"])


def test_a_window_can_be_kept_as_parquet(log: PredictionLog, store: Store, tmp_path: Path) -> None:
    log.append(build_rows(3))
    PredictionReader(store).read_window().write_parquet(tmp_path / "log.parquet")
    assert pl.read_parquet(tmp_path / "log.parquet")["in.city"].to_list() == ["Oslo"] * 3
