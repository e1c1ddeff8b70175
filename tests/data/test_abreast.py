"""Columns worked on side by side, and values kept once they are known."""

from __future__ import annotations

import threading

import pytest

from skiff.data.abreast import computed_once, map_abreast


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_results_stand_in_the_order_of_the_items(threads: int) -> None:
    assert map_abreast(str, range(50), threads=threads) == [str(number) for number in range(50)]


def test_nothing_comes_of_nothing() -> None:
    assert map_abreast(str, []) == []


def test_one_thread_is_the_callers_own() -> None:
    assert map_abreast(lambda _: threading.get_ident(), range(3), threads=1) == [threading.get_ident()] * 3


def test_an_error_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        map_abreast(lambda number: 1 // number, [2, 1, 0])


class Column:
    """Counts how often it is asked to count."""

    def __init__(self) -> None:
        self.asked = 0

    @computed_once
    def n_distinct(self) -> int:
        """Return the number of different values."""
        self.asked += 1
        return 7


def test_a_property_is_computed_once_for_each_object() -> None:
    one, other = Column(), Column()
    assert (one.n_distinct, one.n_distinct, one.asked, other.asked) == (7, 7, 1, 0)


def test_a_property_of_the_class_says_what_it_is() -> None:
    assert Column.n_distinct.__doc__ == "Return the number of different values."


def test_two_objects_are_counted_at_the_same_time() -> None:
    # With one lock for all objects the first would wait for the second for ever, which waits for the lock.
    both = threading.Barrier(2, timeout=20.0)

    class Slow:
        @computed_once
        def met(self) -> bool:
            both.wait()
            return True

    assert map_abreast(lambda thing: thing.met, [Slow(), Slow()]) == [True, True]
