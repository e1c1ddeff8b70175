"""The tables of a workspace: each kept once, as Parquet, under the hash of its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.store.catalog import Catalog, to_text
from skiff.store.clock import Clock
from skiff.store.objects import Objects
from skiff.store.records import DatasetRecord, to_dataset
from skiff.store.schema import DATASET


class Datasets:
    """Adds, lists and finds datasets.

    Parameters
    ----------
    catalog : Catalog
    objects : Objects
    clock : callable
    """

    def __init__(self, catalog: Catalog, *, objects: Objects, clock: Clock) -> None:
        """Keep the parts."""
        self._catalog = catalog
        self._objects = objects
        self._clock = clock

    def add_dataset(
        self,
        frame_parquet: bytes | Path,
        *,
        name: str,
        source_sha256: str,
        rows: int,
        columns: int,
        reading: Mapping[str, Json],
        provenance: Mapping[str, str],
        kinds: Mapping[str, str],
    ) -> DatasetRecord:
        """Keep a table and return its record; the same bytes again return the record of the first time.

        The table's file is on the disk before the catalog knows of it, so a record never lacks its file.
        """
        sha256 = self._objects.put(frame_parquet)
        with self._catalog.write() as connection:
            found = self._catalog.fetch(connection, select(DATASET).where(DATASET.c.sha256 == sha256), DATASET)
            if found:
                return to_dataset(found[0])
            row: dict[str, Json] = {
                "sha256": sha256,
                "position": self._catalog.next_position(connection, DATASET.c.position),
                "created": self._clock(),
                "name": name,
                "source_sha256": source_sha256,
                "rows": rows,
                "columns": columns,
                "reading": to_text(reading),
                "provenance": to_text(provenance),
                "kinds": to_text(kinds),
            }
            self._catalog.insert(connection, DATASET, row)
        return to_dataset(row)

    def list(self) -> tuple[DatasetRecord, ...]:
        """Return all datasets, oldest first."""
        with self._catalog.read() as connection:
            rows = self._catalog.fetch(connection, select(DATASET).order_by(DATASET.c.position), DATASET)
        return tuple(to_dataset(row) for row in rows)

    def get(self, key: str) -> DatasetRecord:
        """Return the dataset with this id, hash or name; of several with one name, the newest.

        Raises
        ------
        SkiffError
            ``dataset_not_found``, listing what there is.
        """
        known = self.list()
        for record in reversed(known):
            if key in {record.id, record.sha256, record.name}:
                return record
        listed = ", ".join(f"{record.id} ({record.name})" for record in known) or "none yet"
        raise SkiffError(
            "dataset_not_found",
            what=f"There is no dataset '{key}' in this workspace.",
            where={"dataset": key},
            fix=f"The datasets are: {listed}. Add one with `skiff data add FILE`.",
        )

    def read_parquet(self, key: str) -> bytes:
        """Return the Parquet bytes of a dataset, checked against their hash.

        Raises
        ------
        SkiffError
            ``dataset_not_found``, ``object_not_found`` or ``object_damaged``.
        """
        return self._objects.get(self.get(key).sha256)
