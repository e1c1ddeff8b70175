"""What was started and how it ended, and how often the sealed rows were looked at."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.store.catalog import Catalog, to_text
from skiff.store.clock import Clock
from skiff.store.records import RunRecord, RunStatus, to_run
from skiff.store.schema import LOOK, RUN


class Runs:
    """Records runs and counts looks.

    Parameters
    ----------
    catalog : Catalog
    actor : str
    clock : callable
    """

    def __init__(self, catalog: Catalog, *, actor: str, clock: Clock) -> None:
        """Keep the parts."""
        self._catalog = catalog
        self._actor = actor
        self._clock = clock

    def start_run(
        self, kind: str = "run", *, dataset_sha256: str | None = None, arguments: Mapping[str, object] | None = None
    ) -> str:
        """Record that work began, and return the run's id.

        Parameters
        ----------
        kind : str
            Which work: ``run``, ``train``, ``evaluate`` …
        dataset_sha256 : str, optional
        arguments : mapping, optional
            What was asked for; never cells of the data.
        """
        with self._catalog.write() as connection:
            row: dict[str, Json] = {
                "position": self._catalog.next_position(connection, RUN.c.position),
                "kind": kind,
                "actor": self._actor,
                "status": "running",
                "started": self._clock(),
                "finished": None,
                "dataset_sha256": dataset_sha256,
                "arguments": to_text(arguments or {}),
                "result": "{}",
            }
            self._catalog.insert(connection, RUN, row)
        return to_run(row).id

    def finish_run(
        self,
        run_id: str,
        *,
        status: RunStatus = "done",
        result: Mapping[str, object] | None = None,
        dataset_sha256: str | None = None,
    ) -> RunRecord:
        """Record how work ended.

        Parameters
        ----------
        run_id : str
        status : {"done", "failed", "stopped"}
        result : mapping, optional
            Hashes and numbers that later work needs, such as the object that holds a candidate.
        dataset_sha256 : str, optional
            The dataset, where it was not known at the start.
        """
        changes: dict[str, Json] = {"status": status, "finished": self._clock(), "result": to_text(result or {})}
        if dataset_sha256 is not None:
            changes["dataset_sha256"] = dataset_sha256
        with self._catalog.write() as connection:
            rows = self._catalog.fetch(connection, select(RUN).where(RUN.c.position == _parse_id(run_id)), RUN)
            if not rows:
                raise _describe_unknown(run_id)
            return to_run(self._catalog.update(connection, RUN, rows[0], **changes))

    def list(self) -> tuple[RunRecord, ...]:
        """Return all runs, oldest first."""
        with self._catalog.read() as connection:
            rows = self._catalog.fetch(connection, select(RUN).order_by(RUN.c.position), RUN)
        return tuple(to_run(row) for row in rows)

    def get(self, run_id: str) -> RunRecord:
        """Return one run.

        Raises
        ------
        SkiffError
            ``run_not_found``.
        """
        with self._catalog.read() as connection:
            rows = self._catalog.fetch(connection, select(RUN).where(RUN.c.position == _parse_id(run_id)), RUN)
        if not rows:
            raise _describe_unknown(run_id)
        return to_run(rows[0])

    def find_latest(self, kind: str, *, status: RunStatus = "done") -> RunRecord | None:
        """Return the newest run of a kind that ended this way, or None."""
        statement = select(RUN).where(RUN.c.kind == kind, RUN.c.status == status)
        with self._catalog.read() as connection:
            rows = self._catalog.fetch(connection, statement.order_by(RUN.c.position.desc()).limit(1), RUN)
        return to_run(rows[0]) if rows else None

    def close_interrupted(self) -> int:
        """Mark runs whose process is gone as interrupted, and return how many. Only while nobody else is here."""
        unfinished = select(RUN).where(RUN.c.status == "running")
        with self._catalog.read() as connection:
            if not self._catalog.fetch(connection, unfinished, RUN):
                return 0
        with self._catalog.write() as connection:
            rows = self._catalog.fetch(connection, unfinished, RUN)
            for row in rows:
                self._catalog.update(connection, RUN, row, status="interrupted")
        return len(rows)

    def count_look(self, dataset_sha256: str, split_sha256: str) -> int:
        """Record one more look at the sealed rows of a split, and return how many there were, this one included."""
        with self._catalog.write() as connection:
            at_split = select(LOOK).where(LOOK.c.dataset_sha256 == dataset_sha256, LOOK.c.split_sha256 == split_sha256)
            rows = self._catalog.fetch(connection, at_split, LOOK)
            if rows:
                return int(
                    self._catalog.update(connection, LOOK, rows[0], looks=rows[0]["looks"] + 1, last=self._clock())[
                        "looks"
                    ]
                )
            row: dict[str, Json] = {
                "dataset_sha256": dataset_sha256,
                "split_sha256": split_sha256,
                "looks": 1,
                "last": self._clock(),
            }
            self._catalog.insert(connection, LOOK, row)
        return 1

    def list_sealed(self, dataset_sha256: str) -> tuple[str, ...]:
        """Return the hashes of all sealed rows of a dataset that were looked at."""
        with self._catalog.read() as connection:
            rows = self._catalog.fetch(connection, select(LOOK).where(LOOK.c.dataset_sha256 == dataset_sha256), LOOK)
        return tuple(sorted(str(row["split_sha256"]) for row in rows))

    def read_looks(self, dataset_sha256: str, split_sha256: str) -> int:
        """Return how often the sealed rows of a split were looked at, without looking."""
        at_split = select(LOOK).where(LOOK.c.dataset_sha256 == dataset_sha256, LOOK.c.split_sha256 == split_sha256)
        with self._catalog.read() as connection:
            rows = self._catalog.fetch(connection, at_split, LOOK)
        return int(rows[0]["looks"]) if rows else 0


def _parse_id(run_id: str) -> int:
    prefix, _, digits = run_id.partition("_")
    if prefix != "run" or not digits.isdecimal():
        raise _describe_unknown(run_id)
    return int(digits)


def _describe_unknown(run_id: str) -> SkiffError:
    return SkiffError(
        "run_not_found",
        what=f"There is no run '{run_id}' in this workspace.",
        where={"run": run_id},
        fix="Run ids look like run_000001; the ledger names them: `skiff ledger show`.",
    )
