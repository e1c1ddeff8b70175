"""Review: the rows that wait for a person, and what was decided about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "review",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("item", sa.String(256), nullable=False, unique=True),
        sa.Column("dataset_sha256", sa.String(64), nullable=True),
        sa.Column("release", sa.BigInteger, nullable=True),
        sa.Column("subject", sa.String(1024), nullable=True),
        sa.Column("key", sa.Text, nullable=True),
        sa.Column("inputs", sa.Text, nullable=True),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("advice", sa.Text, nullable=True),
        sa.Column("truth", sa.Text, nullable=True),
        sa.Column("rank", sa.BigInteger, nullable=False),
        sa.Column("queued", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reviewer", sa.String(256), nullable=True),
        sa.Column("claimed_until", sa.BigInteger, nullable=True),
        sa.Column("shown", sa.BigInteger, nullable=True),
        sa.Column("first", sa.Text, nullable=True),
        sa.Column("seen", sa.String(16), nullable=True),
        sa.Column("final", sa.Text, nullable=True),
        sa.Column("why", sa.Text, nullable=True),
        sa.Column("first_ms", sa.BigInteger, nullable=True),
        sa.Column("total_ms", sa.BigInteger, nullable=True),
        sa.Column("words", sa.BigInteger, nullable=True),
        sa.Column("answered", sa.String(32), nullable=True),
        sa.Column("seal", sa.String(64), nullable=False),
    )
    op.create_index("review_waiting", "review", ["state", "rank"])
    op.create_index("review_subject", "review", ["subject"])


def downgrade() -> None:
    """Take it away."""
    op.drop_table("review")
