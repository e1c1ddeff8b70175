"""Fit on a Dask cluster that is already there, through joblib."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import joblib  # type: ignore[import-untyped]  # ships no types

from skiff.core.errors import SkiffError
from skiff.core.optional import import_extra

Job = TypeVar("Job")
Made = TypeVar("Made")

CONNECT_S = 10
"""Seconds to wait for the scheduler to answer."""


class Cluster:
    """Runs one function over many jobs on the workers of an open Dask client, in the order of the jobs."""

    def __call__(self, function: Callable[[Job], Made], jobs: Sequence[Job]) -> list[Made]:
        """Return ``function(job)`` for every job."""
        with joblib.parallel_config("dask"):
            made: list[Made] = joblib.Parallel()(joblib.delayed(function)(job) for job in jobs)
        return made


@contextmanager
def open_cluster(address: str) -> Iterator[Cluster]:
    """Connect to the scheduler at `address`, such as ``tcp://10.0.0.5:8786``, for as long as the block lasts.

    Parameters
    ----------
    address : str
        Of a scheduler that runs already and whose workers have the same version of Skiff. Your rows travel to them.

    Raises
    ------
    SkiffError
        ``extra_missing`` without ``skiff-ml[dask]``; ``cluster_not_reached``.
    """
    distributed = import_extra("distributed", extra="dask")
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=True)
    except (OSError, ValueError, TimeoutError) as error:
        raise SkiffError(
            "cluster_not_reached",
            what=f"No Dask scheduler answers at {address}.",
            where={"setting": "scale.address"},
            fix='Start it with  dask scheduler  and  dask worker ADDRESS , or write  engine = "local"  under [scale].',
        ) from error
    with client:
        yield Cluster()
