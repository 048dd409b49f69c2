"""Files sent in parts, as a client of tus does."""

from base64 import b64encode
from typing import Any

from fastapi.testclient import TestClient

from tests.support.office import API

PART = {"content-type": "application/offset+octet-stream", "tus-resumable": "1.0.0"}


def metadata(**fields: str) -> str:
    """What Upload-Metadata says."""
    named = {"filename": "parts.csv", "city": "pune", "survey": "north-draft"} | fields
    return ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in named.items())


def announce(client: TestClient, header: dict[str, str], length: int, **fields: str) -> Any:
    """Announces a file; the answer."""
    headers = header | {"upload-length": str(length), "upload-metadata": metadata(**fields)}
    return client.post(f"{API}/incoming", headers=headers)


def append(client: TestClient, header: dict[str, str], at: str, offset: int, part: bytes) -> Any:
    """Sends a part; the answer."""
    return client.patch(at, headers=header | PART | {"upload-offset": str(offset)}, content=part)
