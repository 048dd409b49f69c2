"""Kinds of files: which there are is the registry's to say."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE upload DROP CONSTRAINT upload_content_check,
    ADD CONSTRAINT upload_content_check CHECK (content ~ '^[a-z][a-z_]{0,39}$');
"""

DOWNGRADE = """
ALTER TABLE upload DROP CONSTRAINT upload_content_check,
    ADD CONSTRAINT upload_content_check CHECK (content IN ('boundaries', 'survey', 'facilities'));
"""


def upgrade() -> None:
    """Files of other kinds may be kept."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Fails where there are files of other kinds."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
