"""How a file was read is kept with its upload: layer, encoding, CRS, where some of its rows lie."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column."""
    op.add_column("upload", sa.Column("read_as", JSONB, nullable=True))


def downgrade() -> None:
    """Drops it; a check finds the same again."""
    op.drop_column("upload", "read_as")
