"""Files made to harm, sent as anybody can: each is refused in plain words, and reads nothing but itself."""

import io
import json
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from geo.settings import Settings
from service.app import create_app
from service.work import jobs
from tests.support import factories as f
from tests.support.office import API, Office, bearer
from tests.support.two_organisations import TwoOrganisations

SECRET = "SECRET-OF-THE-MACHINE"


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of this machine that no upload may read."""
    path = tmp_path_factory.mktemp("machine") / "secret.csv"
    path.write_text(f"household_code,longitude,latitude\n{SECRET},73.75,18.58\n")
    return path


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    """A zip of these."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def nested(depth: int) -> bytes:
    content = b"household_code\nx\n"
    name = "a.csv"
    for level in range(depth):
        content, name = zipped((name, content)), f"{level}.zip"
    return content


def link_to(path: Path) -> bytes:
    """A zip whose only table is a symbolic link to another file."""
    member = zipfile.ZipInfo("survey.csv")
    member.create_system = 3
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped((member, str(path).encode()))


def workbook(sheet: bytes) -> bytes:
    """A workbook with this as its sheet."""
    return zipped(
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", b"<workbook><sheets><sheet name='a' sheetId='1'/></sheets></workbook>"),
        ("xl/worksheets/sheet1.xml", sheet),
    )


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE k [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
    + "]>"
)


def kml(body: str, head: str = "") -> bytes:
    return f'{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'.encode()


def point(name: str) -> str:
    return f"<Placemark><name>{name}</name><Point><coordinates>73.75,18.58</coordinates></Point></Placemark>"


HOSTILE: Mapping[str, tuple[str, Callable[[Path], bytes]]] = {
    "a zip of blanks": ("bomb.zip", lambda _: zipped(("a.csv", b" " * 300_000_000))),
    "ten thousand files": ("many.zip", lambda _: zipped(*((f"{i}.csv", b"") for i in range(10_001)))),
    "zips in zips": ("nested.zip", lambda _: nested(6)),
    "a link in a zip": ("link.zip", link_to),
    "a workbook of blanks": ("bomb.xlsx", lambda _: workbook(b" " * 300_000_000)),
    "an entity in a workbook": (
        "entity.xlsx",
        lambda path: workbook(f'<!DOCTYPE x [<!ENTITY s SYSTEM "file://{path}">]><worksheet>&s;</worksheet>'.encode()),
    ),
    "very many columns": ("wide.csv", lambda _: b",".join(b"c%d" % i for i in range(400_000)) + b"\n1\n"),
    "a column no text can name": ("nul.csv", lambda _: b"household_code,a\0b\nX1,1\n"),
    "a column named by half a letter": ("half.json", lambda _: b'[{"household_code":"X1","\\ud800":1}]'),
    "brackets in brackets": ("deep.json", lambda _: b"[" * 5_000_000),
    "a deep feature": (
        "deep.geojson",
        lambda _: (
            b'{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,"properties":{"a":'
            + b'{"a":' * 500_000
        ),
    ),
    "many laughs": ("laughs.kml", lambda _: kml(point("&a11;"), LAUGHS)),
    "an entity": ("entity.kml", lambda p: kml(point("&s;"), f'<!DOCTYPE k [<!ENTITY s SYSTEM "file://{p}">]>')),
    "a link to a file": (
        "link.kml",
        lambda p: kml(f"<NetworkLink><Link><href>file://{p}</href></Link></NetworkLink>"),
    ),
    **{
        f"a VRT called {suffix}": (
            f"vrt{suffix}",
            lambda p: (
                f"<OGRVRTDataSource><OGRVRTLayer name='secret'><SrcDataSource>{p}</SrcDataSource>"
                "</OGRVRTLayer></OGRVRTDataSource>".encode()
            ),
        )
        for suffix in (".gpkg", ".kml", ".shp", ".geojson", ".fgb", ".json", ".gdb")
    },
    "a path of GDAL's": ("path.geojson", lambda p: f"/vsicurl/file://{p}".encode()),
    "a pointer for Parquet": ("x.parquet", lambda p: b"PAR1" + str(p).encode() + b"\xff\xff\xff\x7fPAR1"),
    "a cell of megabytes": (
        "cell.csv",
        lambda _: b"household_code,longitude,latitude,note\nX3,73.75,18.58," + b"x" * 20_000_000 + b"\n",
    ),
    "noughts": ("noughts.csv", lambda _: b"\x00" * 1_000_000),
}

READ_AS_THEY_ARE: Mapping[str, tuple[str, Callable[[Path], bytes]]] = {
    "paths in a zip": (
        "paths.zip",
        lambda _: zipped(("../../../../etc/survey.csv", b"household_code,longitude,latitude\nX1,73.75,18.58\n")),
    ),
    "a very large shape": (
        "shape.csv",
        lambda _: b'household_code,wkt\nX2,"LINESTRING(' + b"73.75 18.58," * 400_000 + b'73.75 18.58)"\n',
    ),
    "formulas and scripts": (
        "scripts.csv",
        lambda _: (
            b"household_code,longitude,latitude,drainage,settlement_code\n"
            b"=cmd|' /C calc'!A0,73.75,18.58,<script>alert(1)</script>,\"'; DROP TABLE upload; --\"\n"
            b"X5,0,0,@SUM(1),nowhere\n"
        ),
    ),
}
"""What is no harm once it is read as it should be."""


@pytest.fixture(scope="module")
def checked(
    two: TwoOrganisations, secret: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Office, dict[str, int]]]:
    """Each of them sent, and looked at by one worker."""
    settings = Settings(state_dir=tmp_path_factory.mktemp("state"), upload_max_mb=50, upload_memory_mb=1_500)
    jobs.prepare(two.owner.url.render_as_string(hide_password=False))
    with TestClient(create_app(two.service, settings), base_url="https://testserver") as client:
        office = Office(client, bearer(two, "contributor"), two, settings)
        numbers = {}
        for name, (file_name, make) in {**HOSTILE, **READ_AS_THEY_ARE}.items():
            answer = client.post(
                f"{API}/uploads",
                headers=office.header,
                data={"city": "pune", "survey": "north-draft"},
                files={"file": (file_name, make(secret))},
            )
            assert answer.status_code == 202, answer.text
            numbers[name] = answer.json()["id"]
        office.work()
        yield office, numbers


def told(office: Office, number: int) -> str:
    """Everything an upload says, and every row of its findings."""
    found = office.client.get(f"{API}/uploads/{number}/findings?format=csv", headers=office.header)
    return f"{json.dumps(office.look(number))}{found.text}"


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_made_to_harm_is_refused_in_plain_words(
    checked: tuple[Office, dict[str, int]], name: str, secret: Path
) -> None:
    office, numbers = checked
    upload = office.look(numbers[name])
    assert upload["state"] in ("refused", "waiting"), upload
    assert upload["problem"]
    assert "Traceback" not in upload["problem"]
    assert not upload["counts"] or upload["counts"]["rows_loaded"] == 0
    said = told(office, numbers[name])
    assert SECRET not in said
    assert str(secret.parent) not in upload["problem"]


@pytest.mark.parametrize("name", READ_AS_THEY_ARE)
def test_what_is_no_harm_is_read_as_it_is(checked: tuple[Office, dict[str, int]], name: str) -> None:
    office, numbers = checked
    upload = office.look(numbers[name])
    assert upload["counts"], (upload["state"], upload["problem"])
    assert upload["counts"]["rows_read"] >= 1


def test_findings_run_nothing_in_a_spreadsheet(checked: tuple[Office, dict[str, int]]) -> None:
    office, numbers = checked
    url = f"{API}/uploads/{numbers['formulas and scripts']}/findings?format=csv"
    text = office.client.get(url, headers=office.header).text
    assert "<script>" in text
    for line in text.splitlines()[1:]:
        assert not any(cell.strip('"').startswith(("=", "+", "@")) for cell in line.split(","))


def test_the_worker_goes_on(checked: tuple[Office, dict[str, int]], tmp_path: Path) -> None:
    office, _ = checked
    assert office.sent(f.write_csv(tmp_path / "good.csv", [f.household(9_500)]))["state"] == "checked"
