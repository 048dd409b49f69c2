"""Figures that stay as a former publication has them, as few households have changed since; what hinders the next."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_FIGURES = """
SELECT said.city, said.survey, said.publication, said.starts_on, said.ends_on, place.level, place.code,
    place.ward_code, place.ward_name, place.settlement_code, place.settlement_name,
    nullif(block.group_field, '') AS group_by, nullif(figure.group_name, '') AS group_name,
    block.indicator_id AS indicator, block.indicator_name, block.definition_version, block.counted, block.is_headline,
    block.unit, figure.value, figure.low, figure.high, figure.n, figure.n_unknown, figure.bound_low,
    figure.bound_high, figure.population, figure.unserved, figure.unserved_low, figure.unserved_high,
    figure.response_rate, figure.deff, figure.n_eff, figure.method, figure.flags,
    CASE WHEN figure.reason IS NULL THEN 'published' ELSE 'withheld' END AS status, figure.reason{more}
FROM open.publications AS said
JOIN published_block AS block ON block.publication_id = said.publication_id
JOIN published_figure AS figure
    ON figure.publication_id = said.publication_id AND figure.block = block.block
JOIN published_place AS place
    ON place.publication_id = said.publication_id AND place.place = figure.place
"""

UPGRADE = f"""
ALTER TABLE published_figure ADD COLUMN kept_from INTEGER;
ALTER TABLE survey ADD COLUMN publishing_problem TEXT;
ALTER TABLE publication ADD COLUMN is_correction BOOLEAN DEFAULT false NOT NULL;
-- They were kept in another form: later publications are not held against these.
DELETE FROM publication_counts;
CREATE OR REPLACE VIEW open.figures AS {_FIGURES.format(more=", figure.kept_from")};
COMMENT ON COLUMN open.figures.kept_from IS
    'The publication of this round whose figure this still is, because few households have changed since; NULL: its own.';
"""  # noqa: S608 (all of it stands here)

# A view cannot lose a column: those that stand on it are made anew by the next publication.
DOWNGRADE = f"""
DROP VIEW IF EXISTS open.figures_wide;
DROP VIEW open.figures;
CREATE VIEW open.figures AS {_FIGURES.format(more="")};
ALTER TABLE publication DROP COLUMN is_correction;
ALTER TABLE survey DROP COLUMN publishing_problem;
ALTER TABLE published_figure DROP COLUMN kept_from;
"""


def upgrade() -> None:
    """Adds the columns."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Drops them."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
