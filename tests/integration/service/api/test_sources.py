"""From a figure to the files and the definition it rests on."""

from fastapi.testclient import TestClient

from tests.support.office import API, bearer, client, settings
from tests.support.two_organisations import TwoOrganisations, rows

__all__ = ["client", "settings"]


def test_a_figure_leads_to_its_uploads_and_its_definition(client: TestClient, two: TwoOrganisations) -> None:
    answer = client.get(f"{API}/values?indicator=household_toilet&survey=north-published&level=city").json()
    (figure,) = answer["values"]
    template = next(one["href"] for one in answer["links"] if one["rel"] == "sources")
    found = client.get(template.format(**figure))
    assert found.status_code == 200
    assert found.headers["etag"]
    sources = found.json()
    assert sources["definition_version"] == figure["definition_version"] == sources["definition"]["version"]
    assert sources["definition"]["id"] == "household_toilet"
    with two.owner.connect() as connection:
        ((upload_id, n),) = rows(
            connection,
            "SELECT u.id, rows_loaded FROM upload u JOIN survey s ON s.id = survey_id WHERE slug = 'north-published'",
        )
    (upload,) = sources["uploads"]
    assert set(upload) == {"id", "uploaded_at"}
    assert (upload["id"], sources["rows_loaded"]) == (upload_id, 50)
    assert "SECRET" not in found.text
    exact = client.get(f"{template.format(**figure)}?access=full", headers=bearer(two, "viewer")).json()
    assert [exact["rows_loaded"]] == [n] == [48]


def test_a_drafts_sources_are_for_those_who_see_it_in_full(client: TestClient, two: TwoOrganisations) -> None:
    url = f"{API}/values/pune/north-draft/household_toilet/sources"
    assert client.get(url).status_code == 404
    assert client.get(f"{url}?access=full").status_code == 401
    assert client.get(f"{url}?access=full", headers=bearer(two, "steward", "south")).status_code == 404
    assert len(client.get(f"{url}?access=full", headers=bearer(two, "viewer")).json()["uploads"]) == 1


def test_what_is_not_there_is_404(client: TestClient) -> None:
    for place in ("nowhere/north-published/household_toilet", "pune/2031/household_toilet", "pune/north-published/x"):
        answer = client.get(f"{API}/values/{place}/sources")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
