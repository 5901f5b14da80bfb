"""What is the same on two forges that are kept alike."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sync_link",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("parent", sa.BigInteger(), nullable=False),
        sa.Column("here_key", sa.String(length=200), nullable=True),
        sa.Column("there_key", sa.String(length=200), nullable=True),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("here_seen", sa.Text(), nullable=False),
        sa.Column("there_seen", sa.Text(), nullable=False),
        sa.Column("here_updated_us", sa.BigInteger(), nullable=False),
        sa.Column("there_updated_us", sa.BigInteger(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sync_link")),
        sa.UniqueConstraint("project_id", "kind", "parent", "here_key", name="uq_sync_link_here"),
        sa.UniqueConstraint("project_id", "kind", "parent", "there_key", name="uq_sync_link_there"),
    )
    with op.batch_alter_table("sync_link", schema=None) as batch_op:
        batch_op.create_index("ix_sync_link_project_id_made_us", ["project_id", "made_us"], unique=False)
