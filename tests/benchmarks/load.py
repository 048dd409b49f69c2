"""Loading a survey file against ogr2ogr with a spatial join, and against a bare COPY with the same indexes."""

from tests.benchmarks.measure import Result, Run, in_turns
from tests.benchmarks.stage import FOLDER, Stage

PEAK_BOUND_MB = 2_500

# The fastest of three that were tried (a left join takes four times as long, an update five times). It drops what
# lies in no settlement, which ours reports.
JOIN = """
CREATE TABLE peer_placed AS
SELECT h.*, s.id AS settlement_id FROM peer_household h JOIN peer_settlement s ON ST_Intersects(s.geom, h.geom)
"""


def measure_load(stage: Stage, runs: int) -> list[Result]:
    """Two lines: one process from file to tallies, against each peer."""
    stage.ogr2ogr(stage.boundaries, "peer_settlement", "-nlt", "PROMOTE_TO_MULTI")
    stage.sql("ANALYZE peer_settlement")
    stage.load("first")
    table = stage.sql("SELECT 'household_' || id FROM survey WHERE slug = 'first'").output.strip()
    copied = (FOLDER / "households.copy").resolve()
    stage.sql(f"\\copy {table} TO '{copied}' (FORMAT BINARY)")

    def ours(number: int) -> Run:
        stage.settle()
        return stage.load(f"round-{number}")

    def gdal(_: int) -> Run:
        stage.sql("DROP TABLE IF EXISTS peer_household, peer_placed")
        stage.settle()
        loaded = stage.ogr2ogr(stage.households, "peer_household")
        joined = stage.sql("ANALYZE peer_household", JOIN)
        return Run(loaded.seconds + joined.seconds)

    def bare(_: int) -> Run:
        stage.sql("DROP TABLE IF EXISTS bare")
        stage.settle()
        return stage.sql(
            "BEGIN",
            # In the transaction that made the table COPY may skip the write-ahead log, as ours does.
            "CREATE TABLE bare (LIKE household INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
            f"\\copy bare FROM '{copied}' (FORMAT BINARY)",
            "ALTER TABLE bare ADD PRIMARY KEY (survey_id, upload_id, row_number)",
            "CREATE UNIQUE INDEX ON bare (survey_id, household_code) WHERE is_live",
            "CREATE INDEX ON bare (settlement_id)",
            "COMMIT",
        )

    mine, by_gdal, by_copy = in_turns([ours, gdal, bare], runs)
    copied.unlink()
    peak = max(run.peak_mb for run in mine)
    seconds = [run.seconds for run in mine]
    return [
        Result(
            *("load", "ogr2ogr + spatial join", seconds, [run.seconds for run in by_gdal], 0.8),
            peak_mb=peak,
            peak_bound_mb=PEAK_BOUND_MB,
        ),
        Result(
            *("load", "bare COPY + indexes", seconds, [run.seconds for run in by_copy], 3.0),
            peak_mb=peak,
            peak_bound_mb=PEAK_BOUND_MB,
        ),
    ]
