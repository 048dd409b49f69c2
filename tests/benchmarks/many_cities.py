"""A database with many cities: the published rows of one, copied under other names."""

from urllib.parse import urlencode

from geo.database.cluster.folders import DATABASE, PORT, ROLE
from tests.benchmarks.stage import CITY, Stage

CITIES = 20

_NAME = "many_cities"

# Of the figures each publication has a partition of its own.
_COPY = """
DO $$
DECLARE
    of_city INTEGER; of_survey INTEGER; made INTEGER; first INTEGER; listed TEXT; names TEXT;
BEGIN
    SELECT id INTO first FROM publication WHERE state = 'current';
    FOR i IN 2..{cities} LOOP
        INSERT INTO city (slug, name) VALUES ('{city}-' || i, 'Bench ' || i) RETURNING id INTO of_city;
        INSERT INTO survey (slug, name, city_id, organisation_id, starts_on, ends_on, unit, mode, state)
            SELECT slug, name, of_city, organisation_id, starts_on, ends_on, unit, mode, state
            FROM survey WHERE id = (SELECT survey_id FROM publication WHERE id = first) RETURNING id INTO of_survey;
        INSERT INTO publication (survey_id, number, state, basis, sha256)
            SELECT of_survey, number, state, basis, sha256 FROM publication WHERE id = first RETURNING id INTO made;
        EXECUTE format('CREATE TABLE published_figure_%s PARTITION OF published_figure FOR VALUES IN (%s)', made, made);
        FOREACH listed IN ARRAY ARRAY['published_place', 'published_block', 'published_figure'] LOOP
            SELECT string_agg(quote_ident(column_name), ', ') INTO names FROM information_schema.columns
                WHERE table_schema = 'public' AND table_name = listed AND column_name <> 'publication_id';
            EXECUTE format(
                'INSERT INTO %I (publication_id, %s) SELECT %s, %s FROM %I WHERE publication_id = %s',
                listed, names, made, names, listed, first
            );
        END LOOP;
    END LOOP;
END
$$
"""


def make_many_cities(stage: Stage) -> dict[str, str]:
    """Copies the stage's database and multiplies its city; the environment of a service on the copy."""
    stage.sql(f"CREATE DATABASE {_NAME} TEMPLATE {DATABASE}")
    stage.sql(f"\\connect {_NAME}", _COPY.format(cities=CITIES, city=CITY), "VACUUM ANALYZE")
    where = urlencode({"host": stage.socket_dir, "port": PORT})
    return stage.environment | {"VASTI_DATABASE_URL": f"postgresql://{ROLE}@/{_NAME}?{where}"}
