"""The review queue: one row to one person at a time, nothing that was acknowledged lost; the same on both databases."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.store.catalog import Catalog
from skiff.store.reviews import NewReview, Reviews, Wanted

KILLS = int(os.environ.get("SKIFF_KILLS", "3"))
HOLD_S = 60.0
BOTH = Wanted(sources=("planted", "log"), is_hidden=False)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> str:
        return (
            f"2026-03-01T{9 + self.seconds // 3600:02d}:{self.seconds // 60 % 60:02d}:{self.seconds % 60:02d}.000000Z"
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Catalog]:
    """Return a function that opens the same, at first empty, catalog."""
    database = None if request.param == "sqlite" else request.getfixturevalue("database")
    return lambda: Catalog.open(tmp_path / "catalog.db", database=database)


@pytest.fixture
def reviews(open_again: Callable[[], Catalog], clock: Clock) -> Iterator[Reviews]:
    catalog = open_again()
    yield Reviews(catalog, clock=clock)
    catalog.close()


def build(number: int, **changes: object) -> NewReview:
    given: dict[str, object] = {
        "source": "log", "item": f"{number:024x}", "reason": "abstention", "rule": "unsure", "rank": number, "release": 1,
        "subject": f"guest {number % 2}", "advice": '{"answer":"yes"}', "words": 5,
    }  # fmt: skip
    return NewReview(**{**given, **changes})  # type: ignore[arg-type]  # a table of arguments


def give(reviews: Reviews, reviewer: str, wanted: Wanted = BOTH, *, seen: str = "after") -> str | None:
    found = reviews.claim(reviewer, wanted, hold_s=HOLD_S, seen=seen)
    return None if found is None else found.id


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(SkiffError) as caught:
        act()
    return caught.value.code


def test_a_row_is_queued_once_and_given_in_order(reviews: Reviews) -> None:
    assert reviews.add([build(2), build(1), build(2)]) == 2
    assert reviews.add([build(1), build(3)]) == 1
    assert [record.item[-1] for record in reviews.list(state="open")] == ["1", "2", "3"]
    first = reviews.claim("ada", BOTH, hold_s=HOLD_S, seen="after")
    assert first is not None
    assert first.item == build(1).item
    assert first.item not in first.id


def test_two_people_never_hold_the_same_row_and_one_gets_theirs_back(reviews: Reviews, clock: Clock) -> None:
    reviews.add([build(number) for number in (1, 2)])
    mine, theirs = give(reviews, "ada"), give(reviews, "bob")
    assert mine != theirs
    assert give(reviews, "ada") == mine
    assert give(reviews, "eve") is None
    clock.seconds = 61
    assert give(reviews, "eve") == mine
    assert refused(lambda: reviews.answer_first(mine or "", "ada", "yes")) == "review_not_held"


def test_answers_come_first_then_final_and_stay(reviews: Reviews, clock: Clock) -> None:
    reviews.add([build(1)])
    row = give(reviews, "ada") or ""
    assert refused(lambda: reviews.answer_final(row, "ada", "yes")) == "review_not_first"
    clock.seconds = 7
    assert reviews.answer_first(row, "ada", "no").first_ms == 7_000
    assert reviews.answer_first(row, "ada", "no").first == "no"
    assert refused(lambda: reviews.answer_first(row, "ada", "yes")) == "review_answered"
    assert refused(lambda: reviews.skip(row, "ada")) == "review_answered"
    clock.seconds = 9
    done = reviews.answer_final(row, "ada", "yes", why="seen before")
    assert (done.state, done.first, done.final, done.why, done.total_ms) == ("done", "no", "yes", "seen before", 9_000)
    assert reviews.answer_final(row, "ada", "yes").answered == done.answered
    assert refused(lambda: reviews.answer_final(row, "ada", "no")) == "review_answered"
    assert refused(lambda: reviews.answer_final(row, "bob", "yes")) == "review_answered"
    assert give(reviews, "ada") is None
    assert reviews.count_done("ada") == 1
    assert reviews.list_done() == (done,)


def test_who_comes_back_keeps_the_first_answer_and_who_takes_over_begins_anew(reviews: Reviews, clock: Clock) -> None:
    reviews.add([build(1)])
    row = give(reviews, "ada") or ""
    reviews.answer_first(row, "ada", "no")
    clock.seconds = 100
    assert give(reviews, "ada") == row
    assert reviews.get(row).first == "no"
    clock.seconds = 300
    assert give(reviews, "bob") == row
    assert (reviews.get(row).first, reviews.get(row).first_ms) == (None, None)


def test_a_skipped_row_comes_last(reviews: Reviews) -> None:
    reviews.add([build(1), build(2)])
    first = give(reviews, "ada") or ""
    reviews.skip(first, "ada")
    second = give(reviews, "ada")
    assert second != first
    assert give(reviews, "bob") == first
    assert refused(lambda: reviews.skip("0" * 16, "ada")) == "review_not_found"


def test_the_suggestion_may_come_with_the_row(reviews: Reviews) -> None:
    reviews.add([build(1)])
    row = give(reviews, "ada", seen="first") or ""
    assert reviews.answer_final(row, "ada", "yes").first is None


def test_a_planted_row_hides_behind_a_row_with_the_same_reason(reviews: Reviews) -> None:
    hidden = Wanted(sources=("planted", "log"))
    reviews.add([build(1, source="planted", item="planted:a:1", reason="control", truth='{"answer":"no"}')])
    assert give(reviews, "ada", hidden) is None
    reviews.add([build(2)])
    assert reviews.get(give(reviews, "ada", hidden) or "").source == "log"
    reviews.add([build(3, reason="control", rank=0)])
    assert reviews.get(give(reviews, "bob", hidden) or "").source == "planted"


def test_labels_are_asked_for_alone(reviews: Reviews) -> None:
    label = Wanted(sources=("label",), dataset_sha256="d" * 64)
    reviews.add([build(1), build(2, source="label", item="d:2", dataset_sha256="d" * 64, advice=None)])
    row = give(reviews, "ada", label) or ""
    assert reviews.get(row).source == "label"
    assert reviews.get(give(reviews, "ada") or "").source == "log"
    assert give(reviews, "ada", label) == row
    assert reviews.answer_final(row, "ada", "yes").state == "done"


def test_rows_go_by_what_they_are_about_and_old_ones_forget_whom(reviews: Reviews, clock: Clock) -> None:
    reviews.add([build(number) for number in range(1, 5)])
    assert reviews.erase_items([build(2).item, "unknown"]) == 1
    clock.seconds = 3_600
    assert reviews.forget(subjects_before=clock()) == 3
    assert {record.subject for record in reviews.list()} == {None}
    assert reviews.forget(rows_before=clock()) == 3
    assert reviews.list() == ()


def test_rows_of_a_release_that_goes_wait_on_without_its_suggestion_or_leave(reviews: Reviews) -> None:
    reviews.add([build(1), build(2), build(3, source="planted", item="planted:a:1"), build(4, release=2), build(5)])
    done, begun = give(reviews, "ada", Wanted()) or "", give(reviews, "bob", Wanted()) or ""
    for row in (done, begun):
        reviews.answer_first(row, "ada" if row == done else "bob", "no")
    reviews.answer_final(done, "ada", "no")
    assert reviews.hand_over(1, 7) == (2, 0)
    waiting = {record.id: record for record in reviews.list(state="open")}
    assert sorted((record.release, record.advice is None) for record in waiting.values()) == [
        (2, False),
        (7, True),
        (7, True),
    ]
    assert (waiting[begun].first, waiting[begun].reviewer) == (None, None)
    assert reviews.get(done).release == 1
    assert refused(lambda: reviews.answer_final(begun, "bob", "no")) == "review_not_held"
    again = reviews.claim("bob", Wanted(), hold_s=HOLD_S, seen="after")
    assert again is not None
    assert reviews.answer_final(again.id, "bob", "no").final == "no"
    assert reviews.hand_over(7, None) == (0, 1)
    assert [record.release for record in reviews.list(state="open")] == [2]


def test_ten_people_at_once_share_the_rows(open_again: Callable[[], Catalog], clock: Clock) -> None:
    catalog = open_again()
    Reviews(catalog, clock=clock).add([build(number) for number in range(40)])
    taken: list[str] = []

    def work(name: str) -> None:
        mine = open_again()
        queue = Reviews(mine, clock=clock)
        while (row := give(queue, name)) is not None:
            queue.answer_first(row, name, "no")
            queue.answer_final(row, name, "no")
            taken.append(row)
        mine.close()

    people = [threading.Thread(target=work, args=(f"person {number}",)) for number in range(10)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert len(taken) == len(set(taken)) == 40
    catalog.close()


WORK = """
import os, sys, itertools
from pathlib import Path
from skiff.store.catalog import Catalog
from skiff.store.clock import now_utc
from skiff.store.reviews import NewReview, Reviews, Wanted
catalog = Catalog.open(Path(sys.argv[1]), database=sys.argv[2] or None)
reviews = Reviews(catalog, clock=now_utc)
for number in itertools.count():
    name = f"{sys.argv[3]}-{number}"
    reviews.add([NewReview(source="log", item=name, reason="control", rule="", rank=1, advice='{"answer":"a"}')])
    print("q", name, flush=True)
    found = reviews.claim("ada", Wanted(), hold_s=60, seen="after")
    reviews.answer_first(found.id, "ada", "a")
    print("f", found.item, flush=True)
    reviews.answer_final(found.id, "ada", "a")
    print("d", found.item, flush=True)
"""


def test_nothing_that_was_acknowledged_is_lost_by_kill(
    open_again: Callable[[], Catalog], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database = request.getfixturevalue("database") if "postgres" in request.node.name else ""
    chance, told = random.Random(3), list[str]()
    open_again().close()
    for number in range(KILLS):
        command = [sys.executable, "-c", WORK, str(tmp_path / "catalog.db"), database, str(number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            told.append(worker.stdout.readline().strip())  # it works
            time.sleep(chance.uniform(0.0, 0.15))
            worker.send_signal(signal.SIGKILL)
            told += worker.stdout.read().rpartition("\n")[0].splitlines()
    catalog = open_again()
    catalog.check()
    records = {record.item: record for record in Reviews(catalog, clock=Clock()).list()}
    for line in told:
        kind, item = line.split(" ")
        assert item in records
        assert kind == "q" or records[item].first == "a"
        assert kind != "d" or records[item].state == "done"
    assert len(told) > 2 * KILLS
    catalog.close()
