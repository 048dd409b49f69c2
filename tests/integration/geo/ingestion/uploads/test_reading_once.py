"""A file that was sent is hashed once, and opened once to be understood and once to be loaded."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from geo.ingestion.loading import originals
from geo.ingestion.reading import FORMATS
from geo.ingestion.uploads import Work
from geo.settings import Settings
from tests.support import factories as f
from tests.support.office import bearer, client, decide, send, settings
from tests.support.two_organisations import TwoOrganisations

__all__ = ["client", "settings"]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often files are hashed and opened."""
    counts: Counter[str] = Counter()

    def counting(name: str, work: Any) -> Any:
        def counted(*given: Any, **named: Any) -> Any:
            counts[name] += 1
            return work(*given, **named)

        return counted

    monkeypatch.setattr(originals, "identify", counting("hashed", originals.identify))
    for suffix in (".csv", ".xlsx"):
        monkeypatch.setitem(FORMATS, suffix, counting("opened", FORMATS[suffix]))
    return counts


@pytest.mark.parametrize(
    ("name", "content"),
    [("rows.csv", "survey"), ("rows.xlsx", "survey"), ("list.csv", "boundaries"), ("blocks.csv", "facilities")],
)
def test_a_file_is_hashed_once_and_opened_once_a_step(
    client: TestClient,
    two: TwoOrganisations,
    settings: Settings,
    counted: Counter[str],
    tmp_path: Path,
    name: str,
    content: str,
) -> None:
    rows: list[dict[str, Any]] = {
        "survey": [row | {"household_code": f"{name}-{i}"} for i, row in enumerate(f.households(each=3))],
        "boundaries": [{"settlement_code": "Z1", "settlement_name": "Zone"}],
        "facilities": [f.facility(1, 1)],
    }[content]
    path = tmp_path / name
    if path.suffix == ".xlsx":
        f.write_sheet(path, {"rows": [list(rows[0]), *(list(row.values()) for row in rows)]})
    else:
        f.write_csv(path, rows)
    header = bearer(two, "steward")
    answer = send(client, header, path, "north-draft" if content == "survey" else "", content=content)
    number = answer.json()["id"]
    assert counted == {"hashed": 1}
    work = Work(two.owner, number, settings.originals_url)
    assert work.do("checking")
    assert counted == {"hashed": 1, "opened": 2}
    assert decide(client, header, number, "accept").status_code == 200
    assert work.do("loading")
    assert client.get(f"/api/v1/uploads/{number}", headers=header).json()["state"] == "loaded"
    assert counted == {"hashed": 1, "opened": 3}
