"""Attacks on the kept files of other organisations, and what their hashes and names let somebody do."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from geo import database
from geo.database import service_url
from geo.errors import UnreadableFile
from geo.ingestion.loading import originals
from geo.ingestion.loading.originals import Kept
from geo.people import enter
from geo.settings import Settings
from service.actions.receive import plain_name
from tests.support import factories as f
from tests.support.migrating import migrate
from tests.support.office import API, Office, bearer, client, office, officer, settings
from tests.support.two_organisations import TwoOrganisations, refused, rows

__all__ = ["client", "office", "officer", "settings"]

_CLAIMS = """
INSERT INTO upload (organisation_id, account_id, city_id, content, survey_id, sha256, file_name, size_bytes,
    uploaded_by, profile, state, choices)
SELECT gate.organisation_id(), gate.account_id(), city_id, 'survey', id, :sha256, :name, 1, 'x', '{}', 'received', '{}'
FROM survey WHERE slug = 'south-draft' RETURNING id
"""


@pytest.fixture
def north_sha256(office: Office, tmp_path: Path) -> str:
    """The hash of a file that north sent."""
    path = f.write_csv(tmp_path / "north only.csv", [f.household(1, household_code=str(tmp_path))])
    return str(office.sent(path)["sha256"])


def test_m11_a_hash_of_anothers_file_opens_nothing(
    two: TwoOrganisations, client: TestClient, settings: Settings, north_sha256: str
) -> None:
    with two.service.begin() as connection:
        enter(connection, two.token("contributor", "south"))
        claimed = connection.execute(text(_CLAIMS), {"sha256": north_sha256, "name": "mine.csv"}).scalar_one()
    answer = client.get(f"{API}/uploads/{claimed}/file", headers=bearer(two, "contributor", "south"))
    assert (answer.status_code, "toilet" in answer.text) == (404, False)
    south = Kept("south", north_sha256, "mine.csv", is_with_all_others=False)
    with pytest.raises(UnreadableFile), originals.as_file(south, settings.originals_url):
        pass
    north = Kept("north", north_sha256, "mine.csv", is_with_all_others=False)
    with originals.as_file(north, settings.originals_url) as path:
        assert b"toilet" in path.read_bytes()


def test_m11_no_new_row_reads_where_originals_of_all_lay(
    service: Connection, two: TwoOrganisations, north_sha256: str
) -> None:
    enter(service, two.token("contributor", "south"))
    claims = _CLAIMS.replace("choices)", "choices, kept_under)").replace("'{}'\nFROM", "'{}', 'installation'\nFROM")
    assert "kept_under" in claims
    assert refused(service, claims.replace(":sha256", f"'{north_sha256}'").replace(":name", "'x'"))
    assert refused(service, "UPDATE upload SET kept_under = 'installation'")
    assert refused(service, f"UPDATE upload SET sha256 = '{north_sha256}'")


@pytest.mark.parametrize("name", ["work/PWNED.csv", "..\\x.csv", "/etc/x.csv", "..", ".", "", "a" * 256, "अ" * 100])
def test_m11_names_hold_no_folders(service: Connection, two: TwoOrganisations, name: str) -> None:
    enter(service, two.token("contributor", "south"))
    with pytest.raises(IntegrityError, match="upload_file_name_check"), service.begin_nested():
        service.execute(text(_CLAIMS), {"sha256": "a" * 64, "name": name})
    announce = (
        "INSERT INTO incoming (account_id, file_name, size_bytes, fields) VALUES (gate.account_id(), :name, 1, '{}')"
    )
    with pytest.raises(IntegrityError, match="incoming_file_name_check"), service.begin_nested():
        service.execute(text(announce), {"name": name})


def test_m11_a_name_leads_out_of_no_folder(settings: Settings, north_sha256: str, tmp_path: Path) -> None:
    """Even if a row had one."""
    for name in (f"{tmp_path}/out.csv", "../out.csv"):
        kept = Kept("north", north_sha256, name, is_with_all_others=False)
        with originals.as_file(kept, settings.originals_url) as path:
            assert path.name == "out.csv"
    assert not (tmp_path / "out.csv").is_symlink()


@pytest.mark.parametrize("name", ["घर" * 200 + ".geojson", "a" * 300, "x." + "घ" * 300])
def test_m11_long_names_are_cut_to_what_a_file_may_be_called(name: str, tmp_path: Path) -> None:
    cut = plain_name(name)
    (tmp_path / cut).write_bytes(b"x")
    assert name.endswith(".geojson") == cut.endswith(".geojson")


def test_m11_hashes_are_no_publics(client: TestClient, two: TwoOrganisations, service: Connection) -> None:
    for path in (f"{API}/surveys", f"{API}/values/pune/north-published/household_toilet/sources"):
        answer = client.get(path)
        assert (answer.status_code, "sha256" in answer.text, "rows_loaded" in answer.text) == (200, False, True)
    full = f"{API}/values/pune/north-published/household_toilet/sources?access=full"
    assert "sha256" not in client.get(full, headers=bearer(two, "viewer")).text
    assert rows(service, "SELECT sha256 FROM upload") == []


def test_m11_originals_of_before_are_read_after_an_upgrade(
    fresh_url: str, fresh_engine: Engine, tmp_path: Path
) -> None:
    """A database and a folder as an earlier version left them, or as a backup of it brings them back."""
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, f.small_city())
        result = f.load(connection, tmp_path, f.households())
        migrate(connection, "0009")
    kept_apart = next((tmp_path / "originals" / "organisations" / "local").glob("*/*"))
    with fresh_engine.connect() as connection:
        ((sha256,),) = rows(connection, f"SELECT sha256 FROM upload WHERE id = {result.upload_id}")
    as_before = tmp_path / "originals" / str(sha256)[:2] / str(sha256)
    as_before.parent.mkdir(exist_ok=True)
    (kept_apart.parents[1] / str(sha256)[:2] / str(sha256)).rename(as_before)
    with fresh_engine.begin() as connection:
        connection.execute(text(f"UPDATE upload SET file_name = 'C:\\old\\homes.csv' WHERE id = {result.upload_id}"))
    database.upgrade(fresh_url)
    with fresh_engine.connect() as connection:
        found = "SELECT o.slug AS organisation, u.* FROM upload u JOIN organisation o ON o.id = organisation_id"
        row = connection.execute(text(f"{found} WHERE u.id = {result.upload_id}")).mappings().one()
    assert row["file_name"] == "homes.csv"
    with originals.as_file(Kept.of(row), f"{tmp_path}/originals") as path:
        assert b"toilet" in path.read_bytes()
    assert b"toilet" in b"".join(originals.open_kept(Kept.of(row), f"{tmp_path}/originals"))
    service = database.create_engine(service_url(fresh_url, None))
    with service.connect() as connection:
        assert refused(connection, "UPDATE upload SET kept_under = 'installation'")
    service.dispose()
