"""Settlements may end, and may be known by a list or by a point before anybody has drawn them."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE settlement ADD COLUMN ended_on DATE;
ALTER TABLE settlement ADD COLUMN upload_id INTEGER REFERENCES upload (id);
ALTER TABLE settlement ADD COLUMN point geometry(POINT, 4326);
ALTER TABLE settlement ADD COLUMN radius_m DOUBLE PRECISION;
ALTER TABLE settlement ADD CONSTRAINT settlement_radius_check
    CHECK (radius_m IS NULL OR (radius_m > 0 AND point IS NOT NULL));
CREATE INDEX settlement_upload_id_idx ON settlement (upload_id);

-- Whether households live in a settlement in a round that starts on a day or later, also in rounds the reader may not see.
CREATE FUNCTION gate.lives_later(of_settlement INTEGER, day DATE) RETURNS BOOLEAN
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.survey
        WHERE starts_on >= day AND city_id = (SELECT city_id FROM public.settlement WHERE id = of_settlement)
        AND EXISTS (
            SELECT FROM public.household
            WHERE survey_id = survey.id AND settlement_id = of_settlement AND is_live
        )
    )
$$;

-- Whether the bearer's organisation gave a settlement: it drew the newest outline or, where there is none, listed it.
CREATE FUNCTION gate.gave_settlement(of_settlement INTEGER) RETURNS BOOLEAN
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(upload.organisation_id = gate.organisation_id(), false)
    FROM public.settlement
    LEFT JOIN public.boundary ON boundary.settlement_id = settlement.id AND boundary.valid_to_on IS NULL
    LEFT JOIN public.upload ON upload.id = coalesce(boundary.upload_id, settlement.upload_id)
    WHERE settlement.id = of_settlement
$$;

CREATE FUNCTION gate.keep_settlements() RETURNS TRIGGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF gate.may('operator') OR (gate.may('steward') AND gate.gave_settlement(OLD.id)) THEN
        RETURN NEW;
    END IF;
    RAISE insufficient_privilege USING
        MESSAGE = 'a settlement is ended by a steward of the organisation that gave it, or by the operator';
END
$$;
CREATE TRIGGER settlement_ended BEFORE UPDATE ON settlement
    FOR EACH ROW WHEN (current_user = 'vasti_service') EXECUTE FUNCTION gate.keep_settlements();
"""

DOWNGRADE = """
DROP TRIGGER settlement_ended ON settlement;
DROP FUNCTION gate.keep_settlements();
DROP FUNCTION gate.gave_settlement(INTEGER);
DROP FUNCTION gate.lives_later(INTEGER, DATE);
DROP INDEX settlement_upload_id_idx;
ALTER TABLE settlement DROP CONSTRAINT settlement_radius_check;
ALTER TABLE settlement DROP COLUMN radius_m;
ALTER TABLE settlement DROP COLUMN point;
ALTER TABLE settlement DROP COLUMN upload_id;
ALTER TABLE settlement DROP COLUMN ended_on;
"""


def upgrade() -> None:
    """Adds what a settlement is known by besides outlines, and the day from which it is no more."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Takes both away; settlements that were ended are there again."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
