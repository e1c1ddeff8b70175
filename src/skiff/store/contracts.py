"""What the client's tables are agreed to look like: every version kept, each under the hash of its bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.store.catalog import Catalog, to_text
from skiff.store.clock import Clock
from skiff.store.objects import Objects
from skiff.store.records import ContractRecord
from skiff.store.schema import CONTRACT


class Contracts:
    """Adds and finds the contracts of a workspace.

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

    def add(self, name: str, body: Mapping[str, Json], *, dataset_sha256: str | None = None) -> ContractRecord:
        """Keep the next version of a contract; the same content as the last version changes nothing.

        Parameters
        ----------
        name : str
            Of the table it is about.
        body : mapping
            The contract as JSON values.
        dataset_sha256 : str, optional
            The dataset it was learned from.
        """
        sha256 = self._objects.put(to_text(body).encode())
        with self._catalog.write() as connection:
            chosen = select(CONTRACT).where(CONTRACT.c.name == name).order_by(CONTRACT.c.version.desc()).limit(1)
            last = self._catalog.fetch(connection, chosen, CONTRACT)
            if last and last[0]["body_sha256"] == sha256:
                return _to_record(last[0])
            row: dict[str, Json] = {
                "name": name,
                "version": int(last[0]["version"]) + 1 if last else 1,
                "created": self._clock(),
                "dataset_sha256": dataset_sha256,
                "body_sha256": sha256,
            }
            self._catalog.insert(connection, CONTRACT, row)
        return _to_record(row)

    def list(self, name: str | None = None) -> tuple[ContractRecord, ...]:
        """Return all versions, oldest first; of one contract where `name` is given."""
        chosen = select(CONTRACT).order_by(CONTRACT.c.created, CONTRACT.c.name, CONTRACT.c.version)
        if name is not None:
            chosen = chosen.where(CONTRACT.c.name == name)
        with self._catalog.read() as connection:
            return tuple(_to_record(row) for row in self._catalog.fetch(connection, chosen, CONTRACT))

    def list_current(self) -> tuple[ContractRecord, ...]:
        """Return the newest version of each contract, in the order in which they were changed last."""
        newest = {record.name: record for record in sorted(self.list(), key=lambda record: record.version)}
        return tuple(sorted(newest.values(), key=lambda record: (record.created, record.name)))

    def get(self, name: str, version: int | None = None) -> ContractRecord:
        """Return one contract, by default its newest version.

        Raises
        ------
        SkiffError
            ``contract_not_found``, listing what there is.
        """
        for record in reversed(self.list(name)):
            if version in {None, record.version}:
                return record
        known = ", ".join(f"'{record.name}' (version {record.version})" for record in self.list_current()) or "none yet"
        wanted = f"'{name}'" if version is None else f"'{name}' in version {version}"
        raise SkiffError(
            "contract_not_found",
            what=f"There is no contract {wanted} in this workspace.",
            where={"contract": name},
            fix=f"The contracts are: {known}. Make one with `skiff data contract learn`.",
        )

    def read(self, record: ContractRecord) -> dict[str, Any]:
        """Return the content of a contract, checked against its hash.

        Raises
        ------
        SkiffError
            ``object_not_found`` or ``object_damaged``.
        """
        body: dict[str, Any] = json.loads(self._objects.get(record.sha256))
        return body


def _to_record(row: Mapping[str, Any]) -> ContractRecord:
    return ContractRecord(
        name=row["name"],
        version=row["version"],
        created=row["created"],
        dataset_sha256=row["dataset_sha256"],
        sha256=row["body_sha256"],
    )
