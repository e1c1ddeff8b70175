"""The catalog's tables. The migrations build the same ones; a test holds the two together.

Every row of a table but the ledger's carries a ``seal``, the SHA-256 of its other values, so that a flipped bit in the
database file is noticed when the row is read. The ledger's rows carry their own chained hashes.
Structured values are kept as canonical JSON text: one form on every database.
What may hold words of the client is `Text`, `Name` or `Digest` (`skiff.store.cells`): an encrypted workspace encrypts it.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table

from skiff.store.cells import Digest, Name, Text

METADATA = MetaData()

DATASET = Table(
    "dataset",
    METADATA,
    Column("sha256", Digest, primary_key=True),
    Column("position", BigInteger, nullable=False, unique=True),
    Column("created", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("source_sha256", Digest, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("columns", BigInteger, nullable=False),
    Column("reading", Text, nullable=False),
    Column("provenance", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("seal", Digest, nullable=False),
)

RUN = Table(
    "run",
    METADATA,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(64), nullable=False),
    Column("actor", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("started", String(32), nullable=False),
    Column("finished", String(32), nullable=True),
    Column("dataset_sha256", Digest, nullable=True),
    Column("arguments", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("seal", Digest, nullable=False),
)

LOOK = Table(
    "look",
    METADATA,
    Column("dataset_sha256", Digest, primary_key=True),
    Column("split_sha256", Digest, primary_key=True),
    Column("looks", BigInteger, nullable=False),
    Column("last", String(32), nullable=False),
    Column("seal", Digest, nullable=False),
)

RELEASE = Table(
    "release",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("created", String(32), nullable=False),
    Column("run_id", String(32), nullable=True),
    Column("dataset_sha256", Digest, nullable=False),
    Column("manifest_sha256", Digest, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("seal", Digest, nullable=False),
)

PROMOTION = Table(
    "promotion",
    METADATA,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("at", String(32), nullable=False),
    Column("undone", String(32), nullable=True),
    Column("seal", Digest, nullable=False),
)

CONTRACT = Table(
    "contract",
    METADATA,
    Column("name", Name(255), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("created", String(32), nullable=False),
    Column("dataset_sha256", Digest, nullable=True),
    Column("body_sha256", Digest, nullable=False),
    Column("seal", Digest, nullable=False),
)

WINDOW = Table(
    "window",
    METADATA,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String(16), nullable=False),
    Column("release", BigInteger, nullable=False),
    Column("since", String(32), nullable=False),
    Column("until", String(32), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("judged", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("seal", Digest, nullable=False),
)

WATCH = Table(
    "watch",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("seal", Digest, nullable=False),
)

REVIEW = Table(
    "review",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("source", String(16), nullable=False),
    Column("item", Name(256), nullable=False, unique=True),
    Column("dataset_sha256", Digest, nullable=True),
    Column("release", BigInteger, nullable=True),
    Column("subject", Name(1024), nullable=True),
    Column("key", Text, nullable=True),
    Column("inputs", Text, nullable=True),
    Column("reason", String(32), nullable=False),
    Column("rule", Text, nullable=False),
    Column("advice", Text, nullable=True),
    Column("truth", Text, nullable=True),
    Column("rank", BigInteger, nullable=False),
    Column("queued", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reviewer", Name(256), nullable=True),
    Column("claimed_until", BigInteger, nullable=True),
    Column("shown", BigInteger, nullable=True),
    Column("first", Text, nullable=True),
    Column("seen", String(16), nullable=True),
    Column("final", Text, nullable=True),
    Column("why", Text, nullable=True),
    Column("first_ms", BigInteger, nullable=True),
    Column("total_ms", BigInteger, nullable=True),
    Column("words", BigInteger, nullable=True),
    Column("answered", String(32), nullable=True),
    Column("seal", Digest, nullable=False),
    Index("review_waiting", "state", "rank"),
    Index("review_subject", "subject"),
)
"""Rows that wait for a person, and what was decided. ``item`` names the prediction, or the row of a dataset, so that none is queued
twice; the inputs of a prediction stay in the prediction log."""

LEDGER = Table(
    "ledger",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False),
    Column("at", String(32), nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("prev", Digest, nullable=False),
    Column("hash", Digest, nullable=False),
)

LEDGER_HEAD = Table(
    "ledger_head",
    METADATA,
    Column("name", String(16), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Digest, nullable=False),
)

VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), nullable=False))
"""Alembic's own table, so not one of ours: the revision the catalog is at."""
