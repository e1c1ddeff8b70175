"""Columns worked on side by side: Polars and NumPy let other threads run while they count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar, overload

Item = TypeVar("Item")
Made = TypeVar("Made")

THREADS = 2
"""Threads that count columns: one Polars call on one column keeps little more than one core busy."""


def map_abreast(function: Callable[[Item], Made], items: Iterable[Item], *, threads: int = THREADS) -> list[Made]:
    """Return ``function(item)`` of every item, in their order, made on a few threads.

    Parameters
    ----------
    function : callable
        Pure: it may be running for several items at once.
    items : iterable
    threads : int
        One works through the items in the caller's own thread.

    Examples
    --------
    >>> map_abreast(len, ["Rome", "Oslo", "Bonn", "Zug"])
    [4, 4, 4, 3]
    """
    known = list(items)
    if threads <= 1 or len(known) <= 1:
        return [function(item) for item in known]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(function, known))


class computed_once(Generic[Made]):  # noqa: N801  used like `functools.cached_property`
    """A property computed when first asked for and then kept, without a lock: two threads that ask at once may both compute it.

    `functools.cached_property` of Python 3.11 holds one lock for all objects of a class, so that no two columns could be
    counted at the same time.

    Examples
    --------
    >>> class Column:
    ...     @computed_once
    ...     def n_distinct(self) -> int:
    ...         return 7
    >>> column = Column()
    >>> column.n_distinct, vars(column)
    (7, {'n_distinct': 7})
    """

    def __init__(self, function: Callable[[Any], Made]) -> None:
        """Keep the function and what it says of itself."""
        self._function = function
        self._name = function.__name__
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> computed_once[Made]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Made: ...
    def __get__(self, instance: object | None, owner: type) -> computed_once[Made] | Made:
        """Return the value, or the property itself where a class is asked."""
        if instance is None:
            return self
        made = self._function(instance)
        vars(instance)[self._name] = made  # found before this property from now on
        return made
