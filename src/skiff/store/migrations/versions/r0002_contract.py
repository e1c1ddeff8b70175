"""Contracts: what the client's tables are agreed to look like, each version kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "contract",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("dataset_sha256", sa.String(64), nullable=True),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("contract")
