"""A file in parts over a line that breaks off (tus 1.0.0), as the service and a worker run it."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient

from geo.settings import Settings
from service.serve import listen
from tests.support import factories as f
from tests.support.office import API, Office, bearer, client, office, officer, settings
from tests.support.parts import PART, announce, append
from tests.support.two_organisations import TwoOrganisations

__all__ = ["client", "office", "officer", "settings"]


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """A file of households."""
    return f.write_csv(tmp_path / "x.csv", [f.household(7000 + i) for i in range(30)]).read_bytes()


def test_a_file_in_parts_becomes_an_upload(office: Office, content: bytes, settings: Settings) -> None:
    client, header = office.client, dict(office.header)
    made = announce(client, header, len(content))
    assert (made.status_code, made.headers["tus-resumable"]) == (201, "1.0.0")
    at = made.headers["location"]
    assert append(client, header, at, 0, content[:1000]).headers["upload-offset"] == "1000"
    asked = client.head(at, headers=header)
    assert (asked.status_code, asked.headers["upload-offset"], asked.headers["upload-length"]) == (
        200, "1000", str(len(content)),
    )  # fmt: skip
    assert asked.headers["cache-control"] == "private, no-store"
    wrong = append(client, header, at, 500, content[500:])
    assert (wrong.status_code, wrong.json()["detail"]) == (
        409,
        "1000 bytes have come so far, not 500: go on from there.",
    )
    done = append(client, header, at, 1000, content[1000:])
    assert (done.status_code, done.headers["upload-offset"]) == (204, str(len(content)))
    office.work()
    upload = client.get(done.headers["content-location"], headers=header).json()
    assert (upload["state"], upload["file_name"], upload["counts"]["rows_read"]) == ("checked", "parts.csv", 30)
    assert client.head(at, headers=header).status_code == 404
    assert list(settings.incoming_dir.iterdir()) == []


@pytest.fixture
def port(client: TestClient) -> Iterator[int]:
    """The same service on a port of this machine, for lines that break off."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(client.app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()
    listener.close()


def test_what_came_before_a_break_is_kept(office: Office, content: bytes, port: int) -> None:
    client, header = office.client, dict(office.header)
    at = announce(client, header, len(content)).headers["location"]
    headers = header | PART | {"upload-offset": "0", "content-length": str(len(content)), "host": "testserver"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    deadline = time.monotonic() + 20
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(f"PATCH {at} HTTP/1.1\r\n{lines}\r\n".encode() + content[:700])
        while client.head(at, headers=header).headers["upload-offset"] != "700":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert "at this moment" in append(client, header, at, 700, content[700:]).json()["detail"]
    while (done := append(client, header, at, 700, content[700:])).status_code == 409:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    upload = client.get(done.headers["content-location"], headers=header).json()
    assert upload["size_bytes"] == len(content)
    client.patch(f"{API}/uploads/{upload['id']}", headers=header, json={"decision": "refuse"})


def test_what_is_wrong_is_said_before_the_file_is_sent(office: Office, two: TwoOrganisations) -> None:
    client, header = office.client, dict(office.header)
    assert announce(client, header, 5_000_001).status_code == 413
    assert announce(client, header, 10, survey="nothing").status_code == 404
    assert announce(client, header, 10, survey="south-published").status_code == 403
    assert announce(client, header, 10, filename="").status_code == 400
    bad = announce(client, header, 10, tolerance_m="far").json()
    assert bad["invalid_params"] == [
        {"name": "tolerance_m", "code": "parameter_not_number", "params": {}, "reason": "must be a number"}
    ]
    assert announce(client, bearer(two, "viewer"), 10).status_code == 403
    assert client.post(f"{API}/incoming").status_code == 400
    answer = client.post(
        f"{API}/incoming", headers=header | {"upload-length": "10", "upload-metadata": "filename no-base64!"}
    )
    assert answer.status_code == 400


def test_more_bytes_than_announced_are_refused(office: Office) -> None:
    client, header = office.client, dict(office.header)
    at = announce(client, header, 10).headers["location"]
    assert (
        append(client, header, at, 0, b"x" * 11).json()["detail"] == "More bytes came than the 10 that were announced."
    )
    assert append(client, header | {"content-type": "text/plain"}, at, 0, b"x").status_code == 204
    wrong = client.patch(at, headers=header | {"upload-offset": "1", "content-type": "text/plain"}, content=b"x")
    assert wrong.status_code == 400
    assert client.delete(at, headers=header).status_code == 204
    assert client.delete(at, headers=header).status_code == 404


def test_nobody_else_can_ask_append_or_remove(office: Office, two: TwoOrganisations) -> None:
    client = office.client
    at = announce(client, dict(office.header), 10).headers["location"]
    for other in (bearer(two, "contributor", "south"), bearer(two, "steward")):
        assert client.head(at, headers=other).status_code == 404
        assert append(client, other, at, 0, b"x" * 10).status_code == 404
        assert client.delete(at, headers=other).status_code == 404
    assert client.head(at).status_code == 401
    assert client.delete(at, headers=office.header).status_code == 204


def test_so_many_at_a_time_and_no_more(office: Office) -> None:
    client, header = office.client, dict(office.header)
    places = [announce(client, header, 10).headers["location"] for _ in range(20)]
    answer = announce(client, header, 10)
    assert (answer.status_code, answer.json()["detail"][:31]) == (409, "20 files are on their way alrea")
    for at in places:
        client.delete(at, headers=header)


def test_what_is_spoken_is_told(client: TestClient, officer: dict[str, str]) -> None:
    told = client.options(f"{API}/incoming")
    assert told.status_code == 204
    assert [told.headers[f"tus-{name}"] for name in ("version", "extension", "max-size")] == [
        "1.0.0",
        "creation,termination",
        "5000000",
    ]
    answer = client.post(f"{API}/incoming", headers=officer | {"tus-resumable": "0.2.2"})
    assert (answer.status_code, answer.headers["tus-version"]) == (412, "1.0.0")


@pytest.mark.parametrize("path", [f"{API}/uploads", "/uploads"])
def test_half_a_file_sent_at_once_leaves_nothing(
    office: Office, content: bytes, port: int, settings: Settings, path: str
) -> None:
    client, header = office.client, dict(office.header)
    before = client.get(f"{API}/uploads", headers=header).json()["total"]
    fields = [("city", "pune"), ("survey", "north-draft")]
    form = "".join(f'--x\r\ncontent-disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields)
    form += '--x\r\ncontent-disposition: form-data; name="file"; filename="half.csv"\r\n\r\n'
    headers = header | {"content-type": "multipart/form-data; boundary=x", "content-length": "9000", "host": "x"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(f"POST {path} HTTP/1.1\r\n{lines}\r\n{form}".encode() + content[:500])
        time.sleep(0.2)
    # The service goes on, and knows of no such file.
    assert client.get(f"{API}/uploads", headers=header).json()["total"] == before
    settings.incoming_dir.mkdir(exist_ok=True)
    assert list(settings.incoming_dir.iterdir()) == []
