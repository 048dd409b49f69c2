"""An attack on withheld settlements: a settlement that moves between wards is in one answer, and not in the other."""

import re
from datetime import date
from pathlib import Path

import geopandas as gpd
from fastapi.testclient import TestClient

from geo import database
from geo.ingestion.loading import LoadResult, load_boundaries, withdraw
from geo.ingestion.mapping import BoundaryColumns
from geo.ingestion.reading import ReadOptions
from tests.support import factories as f
from tests.support.public_addresses import FORMS
from tests.support.published_city import CITY, NAMES, WARDS, SmallCity, shapes

_FIGURES = "city=khandesh&indicator=household_toilet&indicator=density_households&indicator=drainage_any"
ANSWERS = (
    *(address for address in FORMS if not address.startswith("/api/v1/settlements")),
    *(f"/api/v1/values?{_FIGURES}&level={level}&format=geojson" for level in ("settlement", "ward", "city")),
    *(f"/api/v1/values?{_FIGURES}&level={level}" for level in ("settlement", "ward", "city")),
    *(
        f"/api/v1/values?city=khandesh&survey=2024&indicator=household_toilet&level={level}&by={field}"
        for level in ("settlement", "ward")
        for field in ("head_sex", "has_disability", "occupation")
    ),
    *(
        f"/api/v1/{path}&indicator=household_toilet&level=ward"
        for path in (
            "changes?city=khandesh&from=2019&to=2024",
            "gaps?city=khandesh&survey=2024",
            "trends?city=khandesh",
        )
    ),
)
"""Every public answer about the published rounds."""


def move(city: SmallCity, path: Path, wards: dict[str, str], valid_from_on: date | None = None) -> LoadResult:
    """Loads the small city's settlements as they are drawn, with some of them in other wards."""
    drawn = shapes()
    said = [WARDS[code] if code not in wards else wards[code] for code in drawn]
    columns = {"code": list(drawn), "name": [NAMES[code] for code in drawn], "ward": said}
    frame = gpd.GeoDataFrame(columns, geometry=list(drawn.values()), crs="EPSG:4326")
    engine = database.create_engine(city.url)
    with database.transaction(engine) as connection:
        result = load_boundaries(
            connection,
            f.write_boundaries(path, frame),
            CITY,
            read=ReadOptions(),
            columns=BoundaryColumns(settlement_code="code", settlement_name="name", ward_code="ward"),
            valid_from_on=valid_from_on,
            today=date(2025, 6, 1),
            options=f.options(city.folder),
        )
    engine.dispose()
    return result


def answers(client: TestClient) -> dict[str, bytes]:
    """What everybody is told of the published rounds, without the number that rises with every change of anything."""
    found = {address: client.get(address) for address in ANSWERS}
    assert {address: answer.status_code for address, answer in found.items()} == dict.fromkeys(ANSWERS, 200)
    return {address: re.sub(rb'"data_version":\d+', b"", answer.content) for address, answer in found.items()}


def ward_of(client: TestClient, code: str) -> str:
    """The ward that the list of settlements tells."""
    (row,) = client.get(f"/api/v1/settlements?city={CITY}&code={code}").json()["settlements"]
    return str(row["ward_code"])


def test_moving_a_settlement_tells_nothing_of_it(
    changing_city: SmallCity, changing_client: TestClient, tmp_path: Path
) -> None:
    before = answers(changing_client)
    reasons = changing_client.get(f"/api/v1/values?{_FIGURES}&survey=2024&settlement=S01").json()["values"]
    assert {row["reason"] for row in reasons} == {"protected"}
    moved = move(changing_city, tmp_path / "moved.gpkg", {"S01": "B"})
    assert moved.changes is not None
    assert [each.code for each in moved.changes.moves] == ["S01"]
    assert ward_of(changing_client, "S01") == "B"
    assert answers(changing_client) == before
    engine = database.create_engine(changing_city.url)
    with database.transaction(engine) as connection:
        withdraw(connection, moved.upload_id or 0)
    engine.dispose()
    assert ward_of(changing_client, "S01") == "A"
    assert answers(changing_client) == before


def test_nor_does_moving_it_to_a_ward_of_its_own_and_on(
    changing_city: SmallCity, changing_client: TestClient, tmp_path: Path
) -> None:
    before = answers(changing_client)
    move(changing_city, tmp_path / "first.gpkg", {"S01": "C", "S05": "A"}, date(2025, 1, 1))
    move(changing_city, tmp_path / "second.gpkg", {"S01": "B", "S05": "D"}, date(2025, 2, 1))
    assert answers(changing_client) == before
