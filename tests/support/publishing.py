"""Publishing a round as `vasti publish` does, in the test's own transaction."""

from sqlalchemy import Connection, text

from geo.indicators.tallies import recompute
from geo.places import find_city
from geo.publications import make_publication
from geo.surveys import find_survey, set_state


def publish(connection: Connection, city: str, survey: str) -> int:
    """Publishes a round, with what it rests on now; the number of its publication."""
    city_id = find_city(connection, city)
    set_state(connection, city_id, survey, "published")
    survey_id = find_survey(connection, city_id, survey)["id"]
    recompute(connection, survey_id)
    return make_publication(connection, survey_id).number


def publish_anew(connection: Connection, city: str, survey: str) -> int:
    """Publishes a round once more, under another name: the figures are the same; the number of its publication."""
    renamed = text("UPDATE survey SET name = name || ' (again)' WHERE slug = :survey")
    connection.execute(renamed, {"survey": survey})
    return publish(connection, city, survey)
