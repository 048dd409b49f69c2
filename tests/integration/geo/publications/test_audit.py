"""The audit of a publication: safe as it is made, and not safe once it says a figure too many."""

import pytest
from sqlalchemy import text

from geo import database
from geo.errors import NotFound
from geo.publications import audit_publication
from tests.support.cli import Shell
from tests.support.published_city import CITY, SmallCity


def test_a_publication_is_safe(small_city: SmallCity) -> None:
    engine = database.create_engine(small_city.url)
    with engine.connect() as connection:
        assert audit_publication(connection, CITY, "2024", []) == []
        with pytest.raises(NotFound, match="has no publication yet"):
            audit_publication(connection, CITY, "secret-draft")
    engine.dispose()


def test_a_publication_that_says_too_much_is_found_out(changing_city: SmallCity) -> None:
    engine = database.create_engine(changing_city.url)
    with engine.begin() as connection:
        # S02 has ten households: with it, the rest of its ward is S01, which has nine.
        said = connection.execute(
            text(
                "UPDATE published_figure SET reason = NULL, value = 70, n = 10, n_unknown = 0, population = 10 "
                "FROM published_block, published_place, publication, survey WHERE survey.slug = '2024' "
                "AND publication.survey_id = survey.id AND publication.state = 'current' "
                "AND published_figure.publication_id = publication.id "
                "AND published_block.publication_id = publication.id "
                "AND published_place.publication_id = publication.id "
                "AND published_figure.block = published_block.block AND published_figure.place = published_place.place "
                "AND published_block.indicator_id = 'drainage_any' AND group_field = '' AND settlement_code = 'S02'"
            )
        )
        assert said.rowcount == 2
    shell = Shell(changing_city.url, changing_city.folder)
    told = shell.run("publication", "audit", "--city", CITY, "--survey", "2024", "--whole", code=1)
    assert "Not safe" in told.stderr
    assert "settlement S01, drainage_any (households): answering between" in told.stdout
    engine.dispose()
