"""Households are not indexed by position: nothing looks for them by it, and every load and withdrawal filled the index."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drops the index, and those of its parts."""
    op.drop_index("household_geom_idx", "household")


def downgrade() -> None:
    """Makes it again."""
    op.create_index("household_geom_idx", "household", ["geom"], postgresql_using="gist")
