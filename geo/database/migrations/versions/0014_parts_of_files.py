"""An upload is an organisation's file with what was read of it: another layer or sheet of it is another upload."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UPGRADE = """
DROP INDEX upload_once_idx;
DROP INDEX upload_once_a_layer_idx;
CREATE UNIQUE INDEX upload_once_idx ON upload (
    organisation_id, city_id, content, coalesce(survey_id, 0), sha256, coalesce(profile ->> 'part', profile ->> 'layer', '')
) WHERE state = 'loaded';
"""

DOWNGRADE = """
DROP INDEX upload_once_idx;
CREATE UNIQUE INDEX upload_once_idx ON upload (city_id, content, coalesce(survey_id, 0), sha256)
WHERE state = 'loaded' AND content <> 'facilities';
CREATE UNIQUE INDEX upload_once_a_layer_idx ON upload (city_id, sha256, coalesce(profile ->> 'layer', ''))
WHERE state = 'loaded' AND content = 'facilities';
"""


def upgrade() -> None:
    """Tells the parts of a file apart."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Holds a file of a survey or of boundaries to be loaded once; fails where two parts of one are."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
