"""What pages tell browsers, and what they refuse; how they look and feel is for tests/browser."""

import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import text

from service.http.access import COOKIE
from service.logs import JsonLines
from service.pages import accounts, cities, sign_in, static, surveys, uploads
from tests.support import factories as f
from tests.support.browsing import HTML, cookie, token
from tests.support.office import Office, bearer, client, office, officer, settings
from tests.support.two_organisations import PASSWORD, SECRETS, TwoOrganisations

__all__ = ["client", "office", "officer", "settings"]

OTHER_SITE = {"sec-fetch-site": "cross-site"}
OWN_SITE = {"sec-fetch-site": "same-origin"}


@pytest.fixture(autouse=True)
def _nobody(client: TestClient) -> None:
    client.cookies.clear()
    client.follow_redirects = False


OF_NORTH = ("/surveys/pune/north-draft", "/uploads/{}", "/uploads/{}/findings")
OF_EACH = ("/surveys", "/cities", "/cities/pune", "/accounts", "/keys")
PAGES = (*OF_NORTH, *OF_EACH)


def north_upload(client: TestClient, two: TwoOrganisations) -> int:
    """The number of an upload of north's."""
    answer = client.get("/api/v1/uploads", headers=bearer(two, "contributor"))
    return int(answer.json()["uploads"][-1]["id"])


@pytest.mark.parametrize("address", [*PAGES, "/sign-in", "/password", "/nothing", "/uploads/999999"])
def test_every_page_tells_browsers_what_to_allow(
    client: TestClient,
    two: TwoOrganisations,
    address: str,
) -> None:
    answer = client.get(address.format(north_upload(client, two)), headers=cookie(two, "steward"))
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "no-store" in answer.headers["cache-control"]
    # Nothing of the page needs what the policy forbids.
    assert not re.search(r"<script(?! src)|<style| style=| on[a-z]+=", answer.text)


@pytest.mark.parametrize("address", PAGES)
def test_who_has_not_signed_in_is_sent_to_and_comes_back(
    client: TestClient,
    two: TwoOrganisations,
    address: str,
) -> None:
    wanted = address.format(north_upload(client, two))
    answer = client.get(wanted, headers=HTML)
    assert answer.status_code == 303
    assert "north" not in answer.text
    page = client.get(answer.headers["location"], headers=HTML)
    then = re.search(r'name="then" value="([^"]*)"', page.text)
    assert then is not None
    given = {"email": "contributor@north.org", "password": PASSWORD, "then": then[1]}
    answer = client.post("/sign-in", headers=HTML | OWN_SITE, data=given)
    assert (answer.status_code, answer.headers["location"]) == (303, wanted)
    set_cookie = answer.headers["set-cookie"]
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(set_cookie.split("; "))


def test_the_first_page_is_the_surveys(client: TestClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/surveys")


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_leads_to_no_other_site(client: TestClient, two: TwoOrganisations, then: str) -> None:
    given = {"email": "viewer@north.org", "password": PASSWORD, "then": then}
    assert client.post("/sign-in", headers=HTML | OWN_SITE, data=given).headers["location"] == "/surveys"


def test_another_organisation_sees_nothing(client: TestClient, two: TwoOrganisations) -> None:
    number = north_upload(client, two)
    listed = client.get("/api/v1/accounts", headers=bearer(two, "steward")).json()["accounts"]
    person_of_north = listed[0]["id"]
    for role in ("viewer", "contributor", "steward"):
        south = cookie(two, role, "south")
        for address in PAGES:
            answer = client.get(address.format(number), headers=south)
            assert answer.status_code in ((403, 404) if address in OF_NORTH else (200, 403)), address
            assert not any(word in answer.text for word in (SECRETS[0], "north.org")), address
        assert "north-draft" not in client.get("/surveys", headers=south).text
        csrf = token(two, role, "south")
        for path, form in (
            ("decision", {"decision": "withdraw"}),
            ("reading", {"crs": "EPSG:4326"}),
            ("columns", {"column": "a", "field": "", "was": "x"}),
            ("kept", {"column": "a", "was": "left", "keep": "a"}),
            ("answers", {"field": "drainage", "text": "a", "means": "open", "was": "", "kind": "guessed"}),
        ):
            answer = client.post(f"/uploads/{number}/{path}", headers=south, data=csrf | form)
            assert answer.status_code in (403, 404), path
        published = client.post("/surveys/pune/north-draft/state", headers=south, data=csrf | {"state": "published"})
        assert published.status_code in (403, 404)
        person = client.post(f"/accounts/{person_of_north}", headers=south, data=csrf | {"change": "link"})
        assert (person.status_code, "password?link" in person.text) == (404 if role == "steward" else 403, False)
    assert client.get(f"/uploads/{number}", headers=cookie(two, "viewer")).status_code == 403


FORMS: Mapping[str, dict[str, str]] = {
    "/surveys": {
        **{"city": "pune", "name": "Forged", "starts_on": "2024-01-01", "ends_on": "2024-12-31"},
        **{"unit": "household", "mode": "census"},
    },
    "/surveys/pune/north-draft/state": {"state": "published"},
    "/surveys/pune/north-draft/publishing": {"publishing": "steward"},
    "/cities": {"name": "Forged", "slug": "forged"},
    "/cities/pune/settlements": {"code": "none", "ended_on": ""},
    "/city-requests": {"name": "Forged", "slug": "forged", "note": "Forged"},
    "/city-requests/1": {"state": "added", "reason": ""},
    "/uploads/{}/decision": {"decision": "withdraw"},
    "/uploads/{}/reading": {"crs": "EPSG:4326"},
    "/uploads/{}/columns": {"column": "a", "field": "", "was": "x"},
    "/uploads/{}/answers": {"field": "drainage", "text": "a", "means": "open", "was": "", "kind": "guessed"},
    "/uploads/{}/kept": {"column": "a", "was": "left", "keep": "a"},
    "/accounts": {"email": "forged@north.org", "name": "Forged", "role": "viewer"},
    "/accounts/1": {"change": "link"},
    "/keys": {"name": "Forged", "role": "viewer", "days": "9"},
    "/keys/1/revoke": {},
    "/sign-out": {},
}


def _shape(address: str) -> str:
    """An address with {} for all that differs from one to another."""
    known = {"pune", "north-draft", "1"}
    parts = address.partition("?")[0].split("/")
    return "/".join("{}" if part in known or part.startswith("{") else part for part in parts)


def test_every_page_and_form_is_tried() -> None:
    """By another organisation, by other sites, and by who has not signed in; a new one is added to the lists above."""
    open_to_all = {"/", "/sign-in", "/password", "/static/{}"}
    # Sent with a file: see test_a_file_sent_by_another_site_is_not_taken.
    tried = {"GET": {*map(_shape, PAGES)}, "POST": {*map(_shape, FORMS), "/uploads"}}
    routers = (sign_in, accounts, cities, surveys, uploads, static)
    for route in (route for page in routers for route in page.router.routes):
        assert isinstance(route, APIRoute)
        for method in (route.methods or set()) - {"HEAD"}:
            shape = _shape(route.path)
            assert shape in tried[method] | open_to_all, (method, shape)


@pytest.mark.parametrize("address", FORMS)
@pytest.mark.parametrize(
    ("csrf", "status", "says"),
    [("", 400, "The csrf is required."), ("0" * 64, 403, "may come from another site"), ("é", 403, "another site")],
)
def test_forms_of_other_sites_do_nothing(
    client: TestClient, two: TwoOrganisations, address: str, csrf: str, status: int, says: str
) -> None:
    number = north_upload(client, two)
    before = client.get(f"/api/v1/uploads/{number}", headers=bearer(two, "contributor")).json()["state"]
    answer = client.post(address.format(number), headers=cookie(two, "steward"), data=FORMS[address] | {"csrf": csrf})
    assert (answer.status_code, says in answer.text) == (status, True)
    assert client.get(f"/api/v1/uploads/{number}", headers=bearer(two, "contributor")).json()["state"] == before
    assert client.get("/surveys", headers=cookie(two, "steward")).status_code == 200


def test_nobody_is_signed_in_by_another_site(client: TestClient, two: TwoOrganisations) -> None:
    given = {"email": "viewer@north.org", "password": PASSWORD}
    answer = client.post("/sign-in", headers=HTML | OTHER_SITE, data=given)
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    given = {"link": "x", "password": "x" * 20, "again": "x" * 20}
    assert client.post("/password", headers=HTML | OTHER_SITE, data=given).status_code == 403


@pytest.mark.parametrize("address", ["/sign-in", "/password"])
def test_l9_browsers_that_do_not_say_where_a_form_is_from_bring_its_token(
    client: TestClient, two: TwoOrganisations, address: str
) -> None:
    """An older browser: another site can neither read the page's token nor set the cookie it goes with."""
    given = {"email": "viewer@north.org", "password": PASSWORD, "link": "x", "again": PASSWORD}
    page = client.get(address, headers=HTML)
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found is not None
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(page.headers["set-cookie"].split("; "))
    kept = page.headers["set-cookie"].partition(";")[0]
    assert kept.startswith("__Host-")
    client.cookies.clear()
    refused = [({}, {}), ({"cookie": kept}, {}), ({}, {"csrf": found[1]}), ({"cookie": kept}, {"csrf": "0" * 64})]
    for header, form in refused:
        answer = client.post(address, headers=HTML | header, data=given | form)
        assert (answer.status_code, COOKIE in answer.headers.get("set-cookie", "")) == (403, False)
    answer = client.post(address, headers=HTML | {"cookie": kept}, data=given | {"csrf": found[1]})
    assert answer.status_code == (303 if address == "/sign-in" else 404)
    # The same browser's next page goes with the same cookie: two tabs do not lock each other out.
    again = client.get(address, headers=HTML | {"cookie": kept})
    assert found[1] in again.text


def test_l9_the_link_that_sets_a_password_reaches_no_log(client: TestClient, two: TwoOrganisations) -> None:
    """It stands behind the #; one that was made before goes on there, and a person without JavaScript puts it in."""
    new = {"email": "linked@north.org", "name": "Linked", "role": "viewer"}
    made = client.post("/accounts", headers=cookie(two, "steward"), data=token(two, "steward") | new)
    found = re.search(r"http[^<]*/password#link=[A-Za-z0-9_-]{43}(?=<)", made.text)
    assert found is not None
    old = client.get(f"/password?link={found[0].rpartition('=')[2]}", headers=HTML)
    assert (old.status_code, old.headers["location"]) == (303, "/password#" + found[0].rpartition("#")[2])
    given = {"link": found[0], "password": PASSWORD, "again": PASSWORD}
    assert client.post("/password", headers=HTML | OWN_SITE, data=given | {"again": "another"}).status_code == 400
    assert client.post("/password", headers=HTML | OWN_SITE, data=given).status_code == 303


def test_a_file_sent_by_another_site_is_not_taken(
    client: TestClient,
    two: TwoOrganisations,
    tmp_path: Path,
) -> None:
    path = f.write_csv(tmp_path / "forged.csv", f.households(1, 1))
    fields = {"city": "pune", "survey": "north-draft"}
    for header, status in ((cookie(two, "contributor"), 403), (HTML, 303), (cookie(two, "viewer"), 403)):
        with path.open("rb") as file:
            answer = client.post("/uploads", headers=header, data=fields, files={"file": ("forged.csv", file)})
        assert answer.status_code == status
    total = client.get("/api/v1/uploads", headers=bearer(two, "contributor")).json()["uploads"]
    assert "forged.csv" not in [upload["file_name"] for upload in total]


def test_problems_are_pages_for_people_and_problems_for_programs(
    client: TestClient,
    two: TwoOrganisations,
) -> None:
    steward = cookie(two, "steward")
    page = client.get("/uploads/999999", headers=steward)
    assert (page.status_code, "There is no upload 999999." in page.text) == (404, True)
    program = client.get("/uploads/999999", headers={"cookie": steward["cookie"]})
    assert program.headers["content-type"] == "application/problem+json"
    assert "Nothing" not in client.get("/surveys?nonsense=1", headers=steward).text
    csrf = token(two, "steward")
    empty = client.post(
        "/uploads",
        headers=steward,
        data=csrf | {"city": "pune", "survey": "north-draft"},
        files={"file": ("", b"")},
    )
    assert (empty.status_code, "No file was chosen" in empty.text) == (400, True)
    large = client.post(
        "/uploads",
        headers=steward,
        data=csrf | {"city": "pune", "survey": "north-draft"},
        files={"file": ("large.csv", b"x" * 7_000_000)},
    )
    assert (large.status_code, "larger than the limit of" in large.text) == (413, True)


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/api/v1/uploads/1"), ("POST", "/uploads/1/decision"), ("POST", "/sign-in")]
)
def test_only_files_may_be_large(client: TestClient, two: TwoOrganisations, method: str, path: str) -> None:
    header = bearer(two, "contributor") | {"content-type": "application/x-www-form-urlencoded"}
    assert client.request(method, path, headers=header, content=b"a=" + b"x" * 2_000_000).status_code == 413


def test_a_round_with_mistakes_keeps_what_was_typed(client: TestClient, two: TwoOrganisations) -> None:
    given = FORMS["/surveys"] | {"name": "Typed", "starts_on": "2024-12-31", "ends_on": "2024-01-01"}
    answer = client.post("/surveys", headers=cookie(two, "contributor"), data=token(two, "contributor") | given)
    assert answer.status_code == 400
    assert "would end (2024-01-01) before it starts" in answer.text
    assert 'value="Typed"' in answer.text
    for changed, says in (
        ({"name": "गाव"}, "short name too"),
        ({"starts_on": "soon"}, "The first day is not valid"),
        ({"mode": ""}, "was every household visited, or a sample?"),
    ):
        form = token(two, "contributor") | FORMS["/surveys"] | changed
        assert says in client.post("/surveys", headers=cookie(two, "contributor"), data=form).text


def test_a_round_s_way_of_surveying_is_not_chosen_for_the_officer(client: TestClient, two: TwoOrganisations) -> None:
    form = client.get("/surveys", headers=cookie(two, "contributor")).text
    choices = form.partition('name="mode"')[2].partition("</select>")[0]
    assert " required" in choices
    assert '<option value="">' in choices
    assert " selected" not in choices


def test_columns_of_a_survey_with_outlines_are_its_answers(
    office: Office, client: TestClient, two: TwoOrganisations, tmp_path: Path
) -> None:
    """A row is a settlement, drawn: its file could be one of boundaries too."""
    new = {"city": "pune", "slug": "profiles", "starts_on": "2024-01-01", "ends_on": "2024-12-31", "unit": "settlement"}
    new["mode"] = "census"
    assert client.post("/api/v1/own/surveys", headers=office.header, json=new).status_code == 201
    frame = f.small_city().assign(weight=[40, 50, 60, 70], toilet_type=["vip", "none", "vip", "none"])
    told = office.sent(f.write_boundaries(tmp_path / "profiles.gpkg", frame), "profiles")
    assert "[boundaries]" in told["choices"]["profile"]
    page = client.get(f"/uploads/{told['id']}", headers=cookie(two, "contributor"))
    held = re.findall(r'name="column" value="([^"]*)"><input type="hidden" name="was" value="([^"]*)"', page.text)
    assert {("toilet_type", "toilet_type"), ("weight", "weight")} <= set(held)


def test_a_round_without_household_sizes_counts_households_and_says_so(
    office: Office, client: TestClient, two: TwoOrganisations, tmp_path: Path
) -> None:
    new = {"city": "pune", "slug": "unsized", "starts_on": "2024-01-01", "ends_on": "2024-12-31", "mode": "census"}
    assert client.post("/api/v1/own/surveys", headers=office.header, json=new).status_code == 201
    rows = [{**row, "members": None, "toilet_type": "none"} for row in f.households(each=12)]
    told = office.sent(f.write_csv(tmp_path / "without.csv", rows), "unsized")
    assert office.decided(told["id"], "accept")["state"] == "loaded"
    page = client.get("/surveys/pune/unsized", headers=cookie(two, "contributor")).text
    assert "figures that would count people count households" in page
    assert "practise open defecation" in page


def test_columns_that_say_the_same_are_refused(
    client: TestClient,
    two: TwoOrganisations,
    office: Office,
    tmp_path: Path,
) -> None:
    number = office.sent(f.write_csv(tmp_path / "two.csv", f.households(1, 2)))["id"]
    form = {"column": ["a", "b"], "field": ["toilet_type", "toilet_type"], "was": ["", ""]}
    header, csrf = cookie(two, "contributor"), token(two, "contributor")
    answer = client.post(f"/uploads/{number}/columns", headers=header, data=csrf | form)
    assert (answer.status_code, "only one can" in answer.text) == (400, True)
    form = {"column": ["no_such"], "field": ["toilet_type"], "was": [""]}
    assert client.post(f"/uploads/{number}/columns", headers=header, data=csrf | form).status_code == 303
    office.work()
    page = client.get(f"/uploads/{number}", headers=header).text
    assert "has no column &#34;no_such&#34;" in page
    assert "Waits for you" in page


def test_static_files_are_kept_for_good_by_their_version(client: TestClient, two: TwoOrganisations) -> None:
    page = client.get("/sign-in", headers=HTML).text
    for address in re.findall(r'(?:href|src)="(/static/[^"]*)"', page):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert client.get(address[:-3] + "xxx").headers["cache-control"] == "no-cache"
    assert client.get("/static/../app.py").status_code == 404
    assert client.get("/static/base.html").status_code == 404


def test_metrics_are_for_the_operator(client: TestClient, two: TwoOrganisations) -> None:
    assert client.get("/metrics").status_code == 401
    for role in ("viewer", "contributor", "steward"):
        assert client.get("/metrics", headers=bearer(two, role)).status_code == 403
    client.get("/api/v1/cities")
    client.get("/api/v1/uploads/1", headers=bearer(two, "contributor"))
    client.get("/api/v1/SECRET-PATH")
    operator = {"authorization": f"Bearer {two.sessions['operator@vasti.org']}"}
    text = client.get("/metrics", headers=operator).text
    assert re.search(r'vasti_requests_total\{method="GET",route="[^"]*/uploads/\{number\}",status="200"\} [1-9]', text)
    assert 'route="none",status="404"' in text
    assert "SECRET" not in text
    assert re.search(r'vasti_request_seconds_count\{method="GET",route="[^"]*cities"\} ', text)
    assert re.search(r'vasti_uploads\{state="loaded"\} [4-9]', text)
    assert 'vasti_uploads{state="waiting"}' in text
    assert "vasti_jobs" in text


def test_every_line_of_the_log_names_its_request(
    client: TestClient,
    two: TwoOrganisations,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    lines: list[dict[str, object]] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(JsonLines().format(record)))

    logger = logging.getLogger("vasti")
    before, kept = logger.level, Kept()
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    try:
        with f.write_csv(tmp_path / "SECRET.csv", f.households(1, 1)).open("rb") as file:
            answer = client.post(
                "/api/v1/uploads",
                headers=bearer(two, "contributor") | {"x-request-id": "from-the-proxy-1"},
                data={"city": "pune", "survey": "north-draft"},
                files={"file": ("SECRET.csv", file)},
            )
        refused = client.get("/api/v1/uploads/999999?limit=SECRET", headers=bearer(two, "contributor"))
    finally:
        logger.removeHandler(kept)
        logger.setLevel(before)
    assert answer.headers["x-request-id"] == "from-the-proxy-1"
    received = next(line for line in lines if line["says"] == "file received")
    assert (received["request"], received["upload"]) == ("from-the-proxy-1", answer.json()["id"])
    went_wrong = next(line for line in lines if line["says"] == "request")
    assert went_wrong["request"] == refused.headers["x-request-id"]
    assert "SECRET" not in json.dumps(lines)


@pytest.mark.parametrize("address", [*FORMS, "/sign-in", "/password", "/surveys/a%00b/north-draft", "/cities/a%00b"])
def test_forms_take_any_text(client: TestClient, two: TwoOrganisations, address: str) -> None:
    """Each field in turn holds a character that no database takes: what is wrong is said, and nothing breaks."""
    given = FORMS.get(address) or {"email": "a@b.org", "password": PASSWORD, "link": "x", "again": PASSWORD}
    where = address.format(north_upload(client, two))
    headers = cookie(two, "steward")
    assert client.get(f"{where}?next=%00&link=%00&cursor=%00", headers=headers).status_code < 500
    for field in given:
        form = token(two, "steward") | given | {field: "a\0b"}
        assert client.post(where, headers=headers, data=form).status_code < 500, field


def test_correcting_positions_keeps_what_else_was_chosen(
    client: TestClient, office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    rows = [row | {"household_code": f"S{i}"} for i, row in enumerate(f.households(each=3))]
    rows[0] |= {"longitude": rows[0]["latitude"], "latitude": rows[0]["longitude"]}
    checked = office.sent(f.write_csv(tmp_path / "swapped.csv", rows), new_settlements="true")
    page = client.get(f"/uploads/{checked['id']}", headers=cookie(two, "contributor")).text
    form = next(form for form in page.split("<form") if 'name="fix"' in form and "Correct 1 position" in form)
    said = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)) | {"fix": "yes"}
    answer = client.post(f"/uploads/{checked['id']}/reading", headers=cookie(two, "contributor"), data=said)
    assert answer.status_code == 303, answer.text
    choices = office.look(checked["id"])["choices"]
    assert (choices["fix"], choices["new_settlements"]) == (True, True)


def test_a_published_round_leads_to_its_download_once_it_is_there(client: TestClient, two: TwoOrganisations) -> None:
    def page() -> str:
        return str(client.get("/surveys/pune/north-published", headers=cookie(two, "viewer")).text)

    address = "/api/v1/publications/pune/north-published/1/download"
    with two.owner.begin() as connection:
        connection.execute(text("DELETE FROM publication_download"))
    assert address not in page()
    with two.owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO publication_download SELECT publication.id, 'x', 240000 FROM publication "
                "JOIN survey ON survey.id = survey_id WHERE slug = 'north-published'"
            )
        )
    assert f'<a href="{address}">Download publication 1</a>' in page()
    assert "0.2 MB, zip" in page()
