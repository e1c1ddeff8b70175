"""The tables of a workspace: each kept once, as Parquet, under the hash of its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import delete, select

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.store.catalog import Catalog, to_text
from skiff.store.clock import Clock
from skiff.store.erasures import Erasures
from skiff.store.objects import Objects
from skiff.store.records import DatasetRecord, to_dataset
from skiff.store.schema import DATASET, LOOK


class Datasets:
    """Adds, lists and finds datasets.

    Parameters
    ----------
    catalog : Catalog
    objects : Objects
    clock : callable
    erasures : Erasures
        Knows which dataset stands in place of one that was removed.
    """

    def __init__(self, catalog: Catalog, *, objects: Objects, clock: Clock, erasures: Erasures) -> None:
        """Keep the parts."""
        self._catalog = catalog
        self._objects = objects
        self._clock = clock
        self._erasures = erasures

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

        The id or hash of one from which a person was erased gives the one in its place.

        Raises
        ------
        SkiffError
            ``dataset_not_found``, listing what there is; ``dataset_erased``.
        """
        known = self.list()
        for record in reversed(known):
            if key in {record.id, record.sha256, record.name}:
                return record
        for sha256, gone in self._erasures.read().datasets.items():
            if key in {sha256, f"ds_{sha256[:12]}"}:
                found = self._erasures.follow(sha256)
                for record in known:
                    if record.sha256 == found:
                        return record
                raise _describe_erased(key, gone.at, gone.why)
        listed = ", ".join(f"{record.id} ({record.name})" for record in known) or "none yet"
        raise SkiffError(
            "dataset_not_found",
            what=f"There is no dataset '{key}' in this workspace.",
            where={"dataset": key},
            fix=f"The datasets are: {listed}. Add one with `skiff data add FILE`.",
        )

    def replace(
        self, sha256: str, frame_parquet: bytes, *, rows: int, splits: Mapping[str, str], note: str
    ) -> DatasetRecord:
        """Put a table in place of another of the same columns, in the same position; the other's file is left to the caller.

        Parameters
        ----------
        sha256 : str
            Of the table that is to go.
        frame_parquet : bytes
        rows : int
        splits : mapping of str to str
            Hash of sealed rows of the old table to that of the same rows in the new one: looks at them go on being counted.
        note : str
            Kept with the provenance.
        """
        new = self._objects.put(frame_parquet)
        with self._catalog.write() as connection:
            rows_of = {
                row["sha256"]: row
                for row in self._catalog.fetch(
                    connection, select(DATASET).where(DATASET.c.sha256.in_([sha256, new])), DATASET
                )
            }
            old = rows_of[sha256]
            for look in self._catalog.fetch(connection, select(LOOK).where(LOOK.c.dataset_sha256 == sha256), LOOK):
                moved = {"dataset_sha256": new, "split_sha256": splits.get(look["split_sha256"], look["split_sha256"])}
                self._catalog.update(connection, LOOK, look, **moved)
            if new in rows_of and new != sha256:  # the same table was kept before
                connection.execute(delete(DATASET).where(DATASET.c.sha256 == sha256))
                return to_dataset(rows_of[new])
            provenance = {**to_dataset(old).provenance, "changed": note}
            row = self._catalog.update(connection, DATASET, old, sha256=new, rows=rows, provenance=to_text(provenance))
        return to_dataset(row)

    def remove(self, sha256: str) -> None:
        """Take a dataset out of the list; its file is left to the caller."""
        with self._catalog.write() as connection:
            connection.execute(delete(DATASET).where(DATASET.c.sha256 == sha256))

    def read_parquet(self, key: str) -> bytes:
        """Return the Parquet bytes of a dataset, checked against their hash.

        Raises
        ------
        SkiffError
            ``dataset_not_found``, ``object_not_found`` or ``object_damaged``.
        """
        return self._objects.get(self.get(key).sha256)


def _describe_erased(key: str, at: str, why: str) -> SkiffError:
    reason = "its time of keeping had ended" if why == "retention" else "a person's data was erased"
    return SkiffError(
        "dataset_erased",
        what=f"The dataset was removed on {at[:10]}, because {reason}.",
        where={"dataset": key},
        fix="See what there is with `skiff data list`, or add newer data with `skiff data add FILE`.",
    )
