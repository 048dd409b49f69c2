"""What one file, account and organisation may take: rows, parts, originals, disk; each told in a sentence."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from geo.errors import StorageFull
from geo.ingestion.uploads import Limits, Work
from geo.settings import Settings
from service.app import create_app
from service.work import jobs
from tests.support import factories as f
from tests.support.office import Office, bearer, send
from tests.support.parts import announce
from tests.support.two_organisations import TwoOrganisations


@pytest.fixture
def office(two: TwoOrganisations, tmp_path: Path) -> Iterator[Office]:
    """North's officer, where a file may have 100 rows, and little room is for anybody."""
    jobs.prepare(two.owner.url.render_as_string(hide_password=False))
    settings = Settings(state_dir=tmp_path / "state", upload_rows=100, incoming_mb=3, originals_mb=1)
    with TestClient(create_app(two.service, settings), base_url="https://testserver") as client:
        yield Office(client, bearer(two, "contributor"), two, settings)


def test_m6_a_few_kilobytes_with_many_rows_are_refused_with_a_sentence(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    code = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, type=pa.int32()), pa.array(["01"]))
    pq.write_table(pa.table({"settlement_code": code}), path)
    upload = office.sent(path)
    assert upload["state"] == "refused"
    assert upload["problem"] == (
        "bomb.parquet has more than 100 rows, the most that are read of one file; send it in parts."
    )
    rows = [f.household(i, i % 4, household_code=f"many-{i}") for i in range(101)]
    upload = office.sent(f.write_csv(tmp_path / "many.csv", rows))
    assert (upload["state"], upload["counts"]) == ("refused", None)
    assert office.sent(f.write_csv(tmp_path / "enough.csv", rows[:100]))["state"] == "checked"


def test_m6_what_an_account_is_sending_in_parts_has_a_quota(office: Office) -> None:
    client, header = office.client, dict(office.header)
    first = announce(client, header, 2_000_000)
    assert first.status_code == 201
    refused = announce(client, header, 1_000_001)
    assert refused.status_code == 507
    assert refused.json()["detail"] == (
        "With this file, the files you are sending would take more than 3 MB: finish one of them, or remove one."
    )
    assert client.delete(first.headers["location"], headers=header).status_code == 204
    again = announce(client, header, 1_000_001)
    assert again.status_code == 201
    client.delete(again.headers["location"], headers=header)


def test_m6_what_is_kept_of_an_organisation_has_a_quota(office: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    rows = [f.household(i, i % 4, household_code=f"kept-{i}", note="x" * 8_000) for i in range(80)]
    path = f.write_csv(tmp_path / "large.csv", rows)
    assert 600_000 < path.stat().st_size < 800_000
    assert send(office.client, office.header, path).status_code == 202
    # The same file is kept once.
    assert send(office.client, office.header, path).status_code == 202
    other = f.write_csv(tmp_path / "other.csv", rows[1:])
    refused = send(office.client, office.header, other)
    assert refused.status_code == 507
    assert refused.json()["detail"] == (
        "With this file, the files kept of your organisation would take more than 1 MB: ask the operator for more room."
    )
    assert list(office.settings.incoming_dir.iterdir()) == []
    south = bearer(two, "contributor", "south")
    assert send(office.client, south, other, "south-draft").status_code == 202
    office.work()


def test_m6_a_worker_looks_at_the_disk_before_it_reads_a_file(
    office: Office, two: TwoOrganisations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f.household(i, i % 4, household_code=f"disk-{i}") for i in range(8)]
    number = send(office.client, office.header, f.write_csv(tmp_path / "disk.csv", rows)).json()["id"]
    asked: list[int] = []

    def full(_: Path, wanted_bytes: int) -> None:
        asked.append(wanted_bytes)
        raise StorageFull

    monkeypatch.setattr("geo.ingestion.uploads.work.check_disk", full)
    with pytest.raises(StorageFull):
        Work(two.owner, number, office.settings.originals_url, Limits(disk=tmp_path)).do("checking")
    assert asked == [office.look(number)["size_bytes"]]
    assert office.look(number)["state"] == "received"
    office.work()
    assert office.look(number)["state"] == "checked"
