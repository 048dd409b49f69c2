"""Makes one publication, with groups, in a process of its own: prints the seconds as JSON. The database stays as is.

Arguments: the database's URL, the city's slug and the survey's slug.
"""

import json
import sys
import time

from sqlalchemy import create_engine

from geo.indicators.tallies import recompute
from geo.places import find_city
from geo.publications import make_publication
from geo.surveys import find_survey


def main(url: str, city: str, survey: str) -> None:
    """Counts the groups that are not counted yet, makes the publication by the clock, and takes it all back."""
    with create_engine(url).connect() as connection:
        survey_id = find_survey(connection, find_city(connection, city), survey)["id"]
        recompute(connection, survey_id)
        started = time.perf_counter()
        made = make_publication(connection, survey_id)
        seconds = time.perf_counter() - started
        connection.rollback()
    assert made.is_new
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
