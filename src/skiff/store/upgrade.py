"""Bring a catalog to the tables that this version of Skiff knows. Loaded only when there is something to change."""

from __future__ import annotations

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"


def open_migrations() -> ScriptDirectory:
    """Return the steps there are."""
    return ScriptDirectory(str(MIGRATIONS))


def upgrade_catalog(connection: Connection, *, current: str | None) -> None:
    """Run the steps after `current` inside the transaction that `connection` has begun.

    Parameters
    ----------
    connection : Connection
    current : str or None
        Revision the catalog is at; None for an empty one.
    """
    script = open_migrations()
    context = MigrationContext.configure(connection)
    steps = list(script.iterate_revisions("head", current or "base"))
    with Operations.context(context):
        for step in reversed(steps):
            step.module.upgrade()
    context.stamp(script, "head")
