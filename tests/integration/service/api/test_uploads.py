"""Files over HTTP: received, checked, decided on, loaded, taken back; by the service and a worker as they run."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import literal, update
from sqlalchemy.dialects.postgresql import JSONB

from geo.database.schema.uploads import finding as finding_table
from geo.database.schema.uploads import upload as upload_table
from geo.places import add_city
from geo.settings import Settings
from tests.support import factories as f
from tests.support.browsing import cookie
from tests.support.office import API, Office, bearer, client, decide, office, officer, send, settings
from tests.support.two_organisations import TwoOrganisations, rows

__all__ = ["client", "office", "officer", "settings"]


def _households(path: Path, first: int, n: int = 20, **answers: Any) -> Path:
    return f.write_csv(path, [f.household(first + i, **answers) for i in range(n)])


def test_a_file_is_received_checked_accepted_loaded_and_withdrawn(
    office: Office, two: TwoOrganisations, tmp_path: Path, settings: Settings
) -> None:
    path = _households(tmp_path / "second half.csv", 5000, toilet_type="none")
    answer = send(office.client, office.header, path)
    assert answer.status_code == 202
    received = answer.json()
    number = received["id"]
    assert answer.headers["location"] == f"{API}/uploads/{number}"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (received["state"], received["sha256"], received["file_name"], received["counts"]) == (
        "received", digest, "second half.csv", None,
    )  # fmt: skip
    kept = Path(settings.originals_url) / "organisations" / "north" / digest[:2] / digest
    assert kept.read_bytes() == path.read_bytes()
    assert not list((settings.state_dir / "incoming").iterdir())

    with two.owner.connect() as connection:
        before = rows(connection, "SELECT count(*) FROM household WHERE is_live")
    office.work()
    checked = office.look(number)
    assert checked["state"] == "checked"
    assert checked["counts"] == {"rows_read": 20, "rows_loaded": 20, "rows_warned": 0, "rows_rejected": 0}
    assert checked["decisions"] == ["accept", "recheck", "refuse"]
    with two.owner.connect() as connection:
        assert rows(connection, "SELECT count(*) FROM household WHERE is_live") == before
    toilets = next(one for one in checked["preview"]["figures"] if one["indicator"] == "household_toilet")
    assert (toilets["n_before"], toilets["n_after"]) == (47, 67)
    assert toilets["after"] < toilets["before"]

    loaded = office.decided(number, "accept")
    assert (loaded["state"], loaded["problem"], loaded["progress"]) == ("loaded", None, None)
    assert loaded["decisions"] == ["withdraw"]
    figures = office.client.get(
        f"{API}/values?city=pune&survey=north-draft&level=city&indicator=household_toilet&access=full",
        headers=office.header,
    ).json()["values"]
    assert [(one["value"], one["n"]) for one in figures] == [(toilets["after"], 67)]

    assert office.decided(number, "withdraw")["state"] == "withdrawn"
    with two.owner.connect() as connection:
        assert rows(connection, "SELECT count(*) FROM household WHERE is_live") == before


def test_rows_with_errors_wait_for_a_decision(office: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    good = [f.household(6000 + i) for i in range(3)]
    bad = [f.household(6100, longitude=0.5, latitude=0.5, settlement_code="nowhere"), f.household(6001)]
    checked = office.sent(f.write_csv(tmp_path / "mixed.csv", [*good, *bad]))
    assert checked["state"] == "waiting"
    assert checked["counts"] == {"rows_read": 5, "rows_loaded": 3, "rows_warned": 0, "rows_rejected": 2}
    assert checked["problem"] == (
        "2 of 5 rows have errors: correct them and send the file again, or go on without them."
    )
    assert checked["decisions"] == ["skip_errors", "recheck", "refuse"]
    assert decide(office.client, office.header, checked["id"], "accept").status_code == 409
    found = office.client.get(f"{API}/uploads/{checked['id']}/findings", headers=office.header).json()
    assert [(one["row_number"], one["severity"]) for one in found["findings"]] == [(5, "error"), (6, "error")]
    assert all("What to do:" in one["meaning"] and " --" not in one["meaning"] for one in found["findings"])
    table = office.client.get(f"{API}/uploads/{checked['id']}/findings?format=csv", headers=office.header)
    assert table.text.splitlines()[0] == ("row_number,field,value,code,severity,longitude,latitude,meaning")
    assert len(table.text.splitlines()) == 3
    points = office.client.get(f"{API}/uploads/{checked['id']}/findings?format=gpkg", headers=office.header)
    assert points.headers["content-type"] == "application/geopackage+sqlite3"
    (tmp_path / "findings.gpkg").write_bytes(points.content)
    placed = gpd.read_file(tmp_path / "findings.gpkg")
    assert placed["row_number"].tolist() == [5, 6]
    assert (placed.geometry[0].x, placed.geometry[0].y) == (0.5, 0.5)
    loaded = office.decided(checked["id"], "skip_errors")
    assert loaded["state"] == "loaded"
    assert loaded["counts"]["rows_loaded"] == 3
    with two.owner.connect() as connection:
        count = f"SELECT count(*) FROM household WHERE upload_id = {checked['id']} AND is_live"
        assert rows(connection, count) == [(3,)]


def test_another_choice_is_checked_without_sending_again(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "accents.csv"
    rows_ = [f.household(6200 + i, toilet_type="letrina del año") for i in range(3)]
    f.write_csv(path, rows_, encoding="cp1252")
    checked = office.sent(path, encoding="utf-8")
    assert checked["state"] == "waiting"
    assert "name its encoding with `encoding`, such as cp1252" in checked["problem"]
    again = office.decided(checked["id"], "recheck", encoding="cp1252")
    assert again["state"] == "checked"
    assert [group["code"] for group in again["findings"]] == ["value_unmapped"]
    assert again["choices"]["encoding"] == "cp1252"
    mapping = 'name = "ours"\n[fields.toilet_type]\ncolumn = "toilet_type"\nvalues = {"letrina del año" = "pit_slab"}\n'
    mapped = office.decided(checked["id"], "recheck", encoding="cp1252", profile=mapping)
    assert mapped["state"] == "waiting"
    assert "has no column that names the settlement" in mapped["problem"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("survey.pdf", b"%PDF-1.7", "Vasti does not read .pdf"),
        ("survey.zip", b"PK\x03\x04 and no more", "is not a zip file or is damaged"),
        ("survey.gpkg", b"SQLite format 3\x00" + b"x" * 100, "survey.gpkg"),
        ("survey.xlsx", b"no workbook", "survey.xlsx"),
        ("survey.csv", b"household_code,longitude,latitude\n", "holds no rows"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    office: Office, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    checked = office.sent(path)
    assert checked["state"] == "refused"
    assert said in checked["problem"]
    assert str(tmp_path) not in checked["problem"]
    assert "/" not in checked["problem"].replace("and/or", "")


def test_the_same_file_again_is_told_so(office: Office, tmp_path: Path) -> None:
    path = _households(tmp_path / "twice.csv", 6300)
    first = office.sent(path)
    office.decided(first["id"], "accept")
    again = office.sent(path)
    assert (again["state"], again["problem"]) == (
        "refused",
        f"The same file is loaded already, as upload {first['id']}. To load it read otherwise, take that upload back "
        "first.",
    )


def test_a_round_whose_rows_make_no_figure_of_the_city_can_be_published(
    office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    """Half of the households were asked one thing and half another: both are unknown for too many of them all."""
    steward = bearer(two, "steward")
    with two.owner.begin() as connection:
        add_city(connection, "listed", "Listed")
    # Without an outline there is no density either.
    places = f.write_csv(tmp_path / "places.csv", [{"settlement_code": "A", "settlement_name": "A"}])
    sends = Office(office.client, steward, two, office.settings)
    listed = sends.sent(places, "", content="boundaries", city="listed")
    assert sends.decided(listed["id"], "accept")["state"] == "loaded"
    new = {"city": "listed", "slug": "halves", "starts_on": "2024-01-01", "ends_on": "2024-12-31", "mode": "census"}
    assert office.client.post(f"{API}/own/surveys", headers=steward, json=new).status_code == 201
    page = {"headers": {**steward, "accept": "text/html"}}
    assert "Load a file first." in office.client.get("/surveys/listed/halves", **page).text
    for asked, answer in (("drainage", "closed"), ("waste_collection", "door_to_door")):
        rows = [{"household_code": f"{asked}-{i}", "settlement_code": "A", asked: answer} for i in range(40)]
        sent = sends.sent(f.write_csv(tmp_path / f"{asked}.csv", rows), "halves", city="listed")
        assert sends.decided(sent["id"], "accept")["state"] == "loaded"
    shown = office.client.get("/surveys/listed/halves", **page).text
    assert "Figures of the city" not in shown
    assert 'value="published">Publish the round' in shown


def test_a_second_sheet_of_a_file_is_another_upload(office: Office, tmp_path: Path) -> None:
    rows = {name: [f.household(first + i) for i in range(10)] for name, first in (("one", 6350), ("two", 6370))}
    cells = {name: [list(these[0]), *(list(row.values()) for row in these)] for name, these in rows.items()}
    path = f.write_sheet(tmp_path / "both.xlsx", cells)
    for name in rows:
        sent = office.sent(path, layer=name)
        assert (sent["state"], sent["problem"]) == ("checked", None)
        assert office.decided(sent["id"], "accept")["state"] == "loaded"
    assert office.sent(path, layer="two")["state"] == "refused"


def test_a_file_that_was_sent_twice_is_loaded_once(office: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    path = _households(tmp_path / "both.csv", 6400)
    one, other = (office.sent(path)["id"] for _ in range(2))
    for number in (one, other):
        assert decide(office.client, office.header, number, "accept").status_code == 200
    office.work()
    assert (office.look(one)["state"], office.look(other)["state"]) == ("loaded", "refused")


def test_what_is_sent_must_be_whole(client: TestClient, officer: dict[str, str], tmp_path: Path) -> None:
    path = _households(tmp_path / "x.csv", 1)
    url = f"{API}/uploads"
    answer = client.post(url, headers=officer, data={"city": "pune"}, files={"file": ("x.csv", b"x")})
    (refused,) = answer.json()["invalid_params"]
    assert (answer.status_code, refused["name"], refused["reason"]) == (400, "survey", "is required")
    answer = client.post(url, headers=officer, data={"city": "pune", "survey": "north-draft"})
    assert [(p["name"], p["reason"]) for p in answer.json()["invalid_params"]] == [("file", "is required")]
    answer = client.post(
        url, headers=officer, data={"city": "pune", "survey": "north-draft"}, files={"file": ("x.csv", b"")}
    )
    assert (answer.status_code, answer.json()["detail"]) == (400, "x.csv is empty: there is nothing in it to load.")
    answer = send(client, officer, path, tolerance_m="far")
    assert answer.json()["invalid_params"] == [
        {"name": "tolerance_m", "code": "parameter_not_number", "params": {}, "reason": "must be a number"}
    ]
    answer = send(client, officer, path, skip_erors="true")
    assert answer.json()["invalid_params"] == [
        {"name": "skip_erors", "code": "parameter_not_known_here", "params": {}, "reason": "is not known here"}
    ]
    for city, survey, status in (("nowhere", "north-draft", 404), ("pune", "nothing", 404)):
        answer = client.post(
            url, headers=officer, data={"city": city, "survey": survey}, files={"file": ("x.csv", path.read_bytes())}
        )
        assert answer.status_code == status


@pytest.mark.parametrize("size", [5_000_001, 7_000_000])
def test_a_file_that_is_too_large_is_413(
    client: TestClient, officer: dict[str, str], tmp_path: Path, size: int, settings: Settings
) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(b"x" * size)
    answer = send(client, officer, path)
    assert answer.status_code == 413
    assert "larger than the limit of" in answer.json()["detail"]
    assert not list((settings.state_dir / "incoming").iterdir())


def test_a_body_without_a_length_is_held_to_its_size(client: TestClient, officer: dict[str, str]) -> None:
    def chunks(n: int) -> Iterator[bytes]:
        for _ in range(n):
            yield b"x" * 1_000_000

    answer = client.post(f"{API}/session", content=chunks(3), headers={"content-type": "application/json"})
    assert answer.status_code == 413
    header = officer | {"content-type": "multipart/form-data; boundary=x"}
    assert client.post(f"{API}/uploads", content=chunks(8), headers=header).status_code in (400, 413)


def test_names_of_files_are_plain(office: Office, tmp_path: Path) -> None:
    data = {"city": "pune", "survey": "north-draft"}
    for name, kept in (("../../etc/x.csv", "x.csv"), ("C:\\own\\y.csv", "y.csv"), ("é" * 300 + ".csv", None)):
        answer = office.client.post(
            f"{API}/uploads", headers=office.header, data=data, files={"file": (name, b"household_code\nx\n")}
        )
        assert answer.status_code == 202
        shown = answer.json()["file_name"]
        assert kept is None or shown == kept
        assert len(shown.encode()) <= 255
        assert shown.endswith(".csv")
    office.work()


def test_another_organisation_sees_and_decides_nothing(
    office: Office, two: TwoOrganisations, client: TestClient, tmp_path: Path
) -> None:
    number = office.sent(_households(tmp_path / "NORTH-SECRET.csv", 6500))["id"]
    for role in ("viewer", "contributor", "steward"):
        south = bearer(two, role, "south")
        expected = 403 if role == "viewer" else 404
        for path in (f"/uploads/{number}", f"/uploads/{number}/findings", f"/uploads/{number}/findings?format=csv"):
            answer = client.get(f"{API}{path}", headers=south)
            assert answer.status_code == expected
            assert "NORTH" not in answer.text
        for decision in ("accept", "skip_errors", "recheck", "refuse", "withdraw"):
            assert decide(client, south, number, decision).status_code == expected
        listed = client.get(f"{API}/uploads", headers=south)
        assert "NORTH" not in listed.text
    assert send(client, bearer(two, "contributor", "south"), _households(tmp_path / "y.csv", 1)).status_code == 404
    published = send(client, bearer(two, "contributor", "south"), _households(tmp_path / "y.csv", 1), "north-published")
    assert published.status_code == 403
    assert office.look(number)["state"] == "checked"
    assert client.get(f"{API}/uploads/{number}").status_code == 401


def test_what_changes_published_figures_is_for_a_steward(
    office: Office, two: TwoOrganisations, client: TestClient, tmp_path: Path
) -> None:
    checked = office.sent(_households(tmp_path / "late.csv", 6600), "north-published")
    answer = decide(client, office.header, checked["id"], "accept")
    assert (answer.status_code, "for a steward" in answer.json()["detail"]) == (403, True)
    steward = bearer(two, "steward")
    assert decide(client, steward, checked["id"], "accept").status_code == 200
    office.work()
    assert office.look(checked["id"])["state"] == "published"
    assert decide(client, office.header, checked["id"], "withdraw").status_code == 403
    assert decide(client, steward, checked["id"], "withdraw").status_code == 200
    office.work()
    assert office.look(checked["id"])["state"] == "withdrawn"


def test_the_audit_says_who_sent_decided_and_what_came_of_it(
    office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    number = office.sent(_households(tmp_path / "noted.csv", 6700))["id"]
    office.decided(number, "accept")
    noted = office.client.get(f"{API}/audit?limit=1000", headers=bearer(two, "steward")).json()["audit"]
    actions = [(one["action"], one["actor"]) for one in noted if one["subject"] == f"upload {number}"]
    assert actions == [
        ("file received", "contributor@north.org"),
        ("decided: accept", "contributor@north.org"),
        ("file loaded", "contributor@north.org"),
    ]


def test_uploads_come_in_pages_the_newest_first(office: Office) -> None:
    first = office.client.get(f"{API}/uploads?limit=2", headers=office.header).json()
    numbers = [one["id"] for one in first["uploads"]]
    assert numbers == sorted(numbers, reverse=True)
    next_ = next(one["href"] for one in first["links"] if one["rel"] == "next")
    second = office.client.get(next_, headers=office.header).json()
    assert max(one["id"] for one in second["uploads"]) < min(numbers)
    assert first["total"] == second["total"] > 4


def test_the_file_itself_comes_back(office: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    path = _households(tmp_path / "a b — ñ.csv", 6800)
    number = office.sent(path)["id"]
    answer = office.client.get(f"{API}/uploads/{number}/file", headers=office.header)
    assert answer.content == path.read_bytes()
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith(
        "attachment; filename*=utf-8''a%20b%20%E2%80%94%20%C3%B1.csv"
    )
    assert answer.headers["cache-control"] == "private, no-store"
    south = bearer(two, "steward", "south")
    assert office.client.get(f"{API}/uploads/{number}/file", headers=south).status_code == 404


def test_columns_of_other_names_are_understood_corrected_and_remembered(office: Office, tmp_path: Path) -> None:
    renamed = {
        "household_code": "HH ID", "toilet_type": "Type of toilet", "members": "Household size",
        "longitude": "_gps_longitude", "latitude": "_gps_latitude", "water_source": "Main source of drinking water",
    }  # fmt: skip
    kept = ("household_code", "longitude", "latitude", "members", "toilet_type", "water_source", "drainage")

    def sheet(name: str, first: int) -> Path:
        rows_ = [f.household(first + i, toilet_type="pit_slab") for i in range(20)]
        return f.write_csv(tmp_path / name, [{renamed.get(n, n): row[n] for n in kept} for row in rows_])

    checked = office.sent(sheet("form 1.csv", 8000))
    assert checked["state"] == "checked", checked["problem"]
    matched = {one["column"]: (one["field"], one["confidence"]) for one in checked["understood"]["matched"]}
    assert matched["Type of toilet"][0] == "toilet_type"
    assert matched["drainage"] == ("drainage", "sure")
    assert (matched["_gps_longitude"][0], matched["HH ID"][0]) == ("longitude", "household_code")
    assert "[fields.toilet_type]" in checked["choices"]["profile"]
    assert checked["understood"]["is_remembered"] is False
    toilets = [one for one in checked["preview"]["figures"] if one["indicator"] == "household_toilet"]
    assert toilets

    corrected = checked["choices"]["profile"].replace("[fields.members]\n", "[fields.rooms]\n")
    assert corrected != checked["choices"]["profile"]
    again = office.decided(checked["id"], "recheck", profile=corrected)
    assert (again["state"], again["choices"]["profile"]) == ("checked", corrected)
    office.decided(checked["id"], "accept")

    second = office.sent(sheet("form 2.csv", 8100))
    assert (second["understood"]["is_remembered"], second["choices"]["profile"]) == (True, corrected)


def test_reasons_are_told_in_words_and_as_codes(office: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    kinds = {"Borehole": 12, "The protected well nearby": 8}
    sources = [text for text, n in kinds.items() for _ in range(n)]
    path = f.write_csv(
        tmp_path / "wells.csv",
        [{"wells": i % 3} | f.household(8200 + i) | {"water_source": text} for i, text in enumerate(sources)],
    )
    checked = office.sent(path)
    (matched,) = [one for one in checked["understood"]["matched"] if one["field"] == "water_source"]
    assert matched["why"] == "the name means water source; both answers are known; look at “The protected well nearby”"
    assert matched["why_parts"] == [
        {"code": "name_means", "params": {"field": "water_source"}},
        {"code": "answers_known_all", "params": {"n": 2}},
        {"code": "answers_to_look_at", "params": {"answers": ["The protected well nearby"]}},
    ]
    (guessed,) = checked["understood"]["guessed"]
    holds = {"code": "answer_holds_phrase", "params": {"phrase": "protected well"}}
    assert (guessed["why"], guessed["why_parts"]) == ("it holds “protected well”", [holds])
    taken = {each["text"]: (each["why"], each["why_parts"]) for each in checked["read_as"]["answers"]}
    assert taken["The protected well nearby"] == ("it holds “protected well”", [holds])
    assert taken["Borehole"] == ("", [])
    page = office.client.get(f"/uploads/{checked['id']}", headers=cookie(two, "contributor")).text
    assert "look at “The protected well nearby”" in page
    assert "; it holds “protected well”" in page


def test_values_of_findings_are_told_in_words_and_as_codes(
    office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    path = f.write_csv(tmp_path / "again.csv", [f.household(8270), f.household(8271), f.household(8270)])
    number = office.sent(path)["id"]
    code = f.household(8270)["household_code"]

    def found() -> tuple[str, list[Any]]:
        (told,) = office.client.get(f"{API}/uploads/{number}/findings", headers=office.header).json()["findings"]
        assert f"code “{code} (row 2)” stands on an earlier row" in told["meaning"]
        return told["value"], told["params"]["values"]

    earlier = {"code": "row_earlier", "params": {"row": 2}}
    part = {"code": "code_on_row", "params": {"code": code, "earlier": earlier}}
    assert found() == (f"{code} (row 2)", [part])
    (group,) = office.look(number)["findings"]
    assert group["params"]["values"] == [part]
    assert f"“{code} (row 2)”" in group["sentence"]
    with two.owner.begin() as connection:
        connection.execute(
            update(finding_table).where(finding_table.c.upload_id == number).values(value=f"{code} (row 2)")
        )
    assert found() == (f"{code} (row 2)", [f"{code} (row 2)"])
    (group,) = office.look(number)["findings"]
    assert f"“{code} (row 2)”" in group["sentence"]


def test_reasons_that_were_kept_as_texts_are_told_as_they_were(
    office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    number = office.sent(_households(tmp_path / "earlier.csv", 8250))["id"]
    kept = {"column": "toilet_type", "field": "toilet_type", "confidence": "sure", "why": "it is called so"}
    answer = {"field": "toilet_type", "column": "toilet_type", "text": "vip", "rows": 20, "means": "vip"}
    understood = {"columns": ["toilet_type"], "matched": [kept], "notes": [], "is_remembered": False}
    answers = [answer | {"is_detail": False, "confidence": "likely", "why": "it holds “vip”"}]
    with two.owner.begin() as connection:
        connection.execute(
            update(upload_table)
            .where(upload_table.c.id == number)
            .values(understood=understood, read_as=upload_table.c.read_as + literal({"answers": answers}, JSONB))
        )
    told = office.look(number)
    said = [told["understood"]["matched"][0], told["read_as"]["answers"][0]]
    assert [each["why"] for each in said] == ["it is called so", "it holds “vip”"]
    assert said[0]["why_parts"] == [{"code": "as_told", "params": {"text": "it is called so"}}]
    page = office.client.get(f"/uploads/{number}", headers=cookie(two, "contributor")).text
    assert "it is called so" in page
    assert "; it holds “vip”" in page


def test_answers_are_said_and_remembered(office: Office, tmp_path: Path) -> None:
    def sheet(name: str, first: int) -> Path:
        said = {0: "nala", 1: "nala", 2: "kuccha"}
        rows_ = [f.household(first + i) | ({"drainage": said[i % 4]} if i % 4 in said else {}) for i in range(20)]
        return f.write_csv(tmp_path / name, [{"sheet": 1, "answers": 2} | row for row in rows_])

    checked = office.sent(sheet("answers 1.csv", 8300))
    assert [(group["code"], group["count"]) for group in checked["findings"]] == [("value_unmapped", 15)]
    meant = {"drainage": {"nala": "open", "kuccha": "unknown"}}
    again = office.decided(checked["id"], "recheck", answers=meant)
    assert (again["findings"], again["choices"]["answers"]) == ([], meant)
    drained = {one["indicator"]: one for one in again["preview"]["figures"]}["drainage_any"]
    assert drained["n_after"] - drained["n_before"] == 15
    office.decided(checked["id"], "accept")
    second = office.sent(sheet("answers 2.csv", 8350))
    assert (second["findings"], second["understood"]["is_remembered"]) == ([], True)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"drainage": {"nala": "river"}}, "where a code of drainage"),
        ({"internet": {"sim": "perhaps"}}, "where true, false or"),
        ({"members": {"many": 9}}, "which is no standard field of codes"),
        ({"nowhere": {"a": "b"}}, "'nowhere'"),
        ({"drainage": {"a": "open", "A ": "none"}}, "says two things"),
        ({"drainage": {" ": "open"}}, "an empty one"),
        ({"drainage": {"a" * 501: "open"}}, "longer than 500"),
    ],
)
def test_answers_that_cannot_be_meant_are_refused(office: Office, answers: dict[str, Any], says: str) -> None:
    answer = decide(office.client, office.header, 1, "recheck", answers=answers)
    assert (answer.status_code, says in answer.text) == (400, True), answer.text


@pytest.mark.parametrize("hostile", ["a\0b", "\ud800"])
@pytest.mark.parametrize("choice", ["crs", "layer", "profile", "columns", "answers"])
def test_what_no_database_holds_is_refused(office: Office, choice: str, hostile: str) -> None:
    chosen = {"columns": {hostile: "drainage"}, "answers": {"drainage": {hostile: "open"}}}.get(choice, hostile)
    body = json.dumps({"decision": "recheck", "choices": {choice: chosen}})
    header = dict(office.header) | {"content-type": "application/json"}
    answer = office.client.patch(f"{API}/uploads/1", headers=header, content=body)
    assert (answer.status_code, "choices" in answer.text) == (400, True), answer.text


def test_a_file_of_standard_names_is_read_as_it_says(office: Office, tmp_path: Path) -> None:
    """A column of a standard name holds that field even where its values do not look like it: each is a finding."""
    rows_ = [f.household(8200 + i, drainage=f"answer {i}") for i in range(10)]
    checked = office.sent(f.write_csv(tmp_path / "odd.csv", rows_))
    assert {group["code"]: group["count"] for group in checked["findings"]} == {"value_unmapped": 10}
    assert checked["counts"]["rows_warned"] == 10


def test_a_profile_sent_along_is_remembered_too(office: Office, tmp_path: Path) -> None:
    given = {"household_code": "hut", "latitude": "lat", "longitude": "lon", "toilet_type": "wc"}
    made = [f.household(8500 + i, toilet_type="Z") for i in range(5)]
    rows = [{short: row[name] for name, short in given.items()} for row in made]
    profile = (
        'name = "ours"\n[position]\nlongitude = "lon"\nlatitude = "lat"\n[fields.household_code]\ncolumn = "hut"\n'
        '[fields.toilet_type]\ncolumn = "wc"\n[fields.toilet_type.values]\nZ = "flush_sewer"\n'
    )
    first = office.sent(f.write_csv(tmp_path / "first.csv", rows), profile=profile)
    assert first["state"] == "checked", (first["problem"], first["findings"])
    assert office.decided(first["id"], "accept")["state"] == "loaded"
    second = office.sent(f.write_csv(tmp_path / "second.csv", [{**row, "hut": f"R{row['hut']}"} for row in rows]))
    assert (second["understood"]["is_remembered"], second["choices"]["profile"]) == (True, profile)
    # What somebody says of single columns of this file goes before it.
    third = office.decided(second["id"], "recheck", columns={"wc": ""})
    assert third["understood"]["is_remembered"] is False
    assert "toilet_type" not in third["choices"]["profile"]
    for upload, decision in ((first, "withdraw"), (second, "refuse")):
        office.decided(upload["id"], decision)
