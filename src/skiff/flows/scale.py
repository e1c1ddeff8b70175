"""Train on a cluster where the settings name one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from skiff.connect.cluster import open_cluster
from skiff.core.errors import SkiffError
from skiff.core.settings import Settings

if TYPE_CHECKING:
    from skiff.train.workers import Workers


@contextmanager
def open_workers(settings: Settings) -> Iterator[Workers | None]:
    """Return where folds are fitted: None for this process, or a Dask cluster while the block lasts.

    Raises
    ------
    SkiffError
        ``cluster_not_named``, ``cluster_not_reached``, ``extra_missing``.

    Examples
    --------
    >>> with open_workers(Settings()) as workers:
    ...     workers is None
    True
    """
    if settings.scale.engine == "local":
        yield None
        return
    if settings.scale.address is None:
        raise SkiffError(
            "cluster_not_named",
            what="The setting scale.engine asks for a Dask cluster, but nothing says where it is.",
            where={"setting": "scale.address"},
            fix='Write  address = "tcp://HOST:8786"  under [scale] in skiff.toml; `dask scheduler` prints it.',
        )
    with open_cluster(settings.scale.address) as cluster:
        yield cluster
