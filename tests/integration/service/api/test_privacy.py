"""What no public answer may hold: households, people, file names, drafts."""

import json

import pytest
from fastapi.testclient import TestClient

from tests.support.published_city import SECRETS

EVERYTHING = [
    *("/healthz", "/readyz", "/api/v1/openapi.json"),
    *("/api/v1/cities", "/api/v1/surveys", "/api/v1/indicators"),
    *(f"/api/v1/settlements?format={form}" for form in ("json", "geojson")),
    *(
        f"/api/v1/values?level={level}&format={form}"
        for level in ("settlement", "ward", "city")
        for form in ("json", "csv", "geojson")
    ),
    *(
        f"/api/v1/changes?city=khandesh&from=2019&to=2024&level={level}&format={form}"
        for level in ("settlement", "ward", "city")
        for form in ("json", "csv")
    ),
    *(
        f"/api/v1/gaps?city=khandesh&indicator=household_toilet&target=80&level={level}&format={form}"
        for level in ("settlement", "ward")
        for form in ("json", "csv", "geojson")
    ),
    *(
        f"/api/v1/trends?city=khandesh&level={level}&format={form}"
        for level in ("settlement", "ward", "city")
        for form in ("json", "csv")
    ),
    *(
        f"/api/v1/values?survey=2024&indicator=household_toilet&indicator=tenure_documented&by={by}&level={level}"
        for by in ("head_sex", "has_disability", "occupation", "tenure_document")
        for level in ("settlement", "ward", "city")
    ),
    *(
        f"/maps/coverage?city=khandesh&survey=2024&indicator={indicator}"
        for indicator in ("household_toilet", "open_defecation", "density_persons", "community_toilet_use")
    ),
]

# Longitudes of households: beside the boundaries' own, which are round.
POSITIONS = ("73.80001", "73.80004", "73.8000400", "73.80201", "18.60001")


@pytest.mark.parametrize("address", EVERYTHING)
def test_no_body_or_header_holds_a_household_a_person_or_a_draft(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    told = answer.text + json.dumps(dict(answer.headers))
    for secret in (*SECRETS, *POSITIONS):
        assert secret not in told


# The name of what was asked for comes back; what is known must not.
DRAFTS = [
    "/api/v1/values?survey=secret-draft",
    "/api/v1/values?survey=1",
    "/api/v1/changes?city=khandesh&from=2019&to=secret-draft",
    "/api/v1/changes?city=khandesh&from=secret-draft&to=2024",
    "/api/v1/changes?city=khandesh&from=1&to=2",
    "/api/v1/gaps?city=khandesh&indicator=household_toilet&survey=secret-draft",
    "/api/v1/gaps?city=khandesh&indicator=household_toilet&survey=1",
    "/maps/coverage?city=khandesh&survey=secret-draft&indicator=household_toilet",
    "/maps/coverage?city=khandesh&survey=1&indicator=household_toilet",
]


@pytest.mark.parametrize("address", DRAFTS)
def test_a_draft_is_as_if_it_were_not(client: TestClient, address: str) -> None:
    draft = client.get(address)
    absent = client.get(address.replace("secret-draft", "never-was"))
    assert draft.status_code == absent.status_code == 400
    assert draft.text.replace("secret-draft", "never-was") == absent.text
    assert "choose from 2019, 2024" in draft.text


def test_withheld_figures_do_not_come_with_the_map(client: TestClient) -> None:
    html = client.get("/maps/coverage?city=khandesh&survey=2024&indicator=household_toilet").text
    assert "so that no household can be identified" in html
    assert "55.56" not in html  # 5 of 9, which is withheld
    assert "56 %" not in html
