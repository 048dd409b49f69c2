"""Text in whatever encoding it comes: declared truly, declared wrongly, or not at all."""

from pathlib import Path

import pytest

from geo.errors import UnreadableFile
from geo.ingestion.reading import ReadOptions, open_layer
from geo.ingestion.reading.encodings import codec_named
from geo.messages import Message
from tests.support.factories import small_city, write_shapefile

NAMES = ["São", "Ñembý", "Málaga", "x"]
CITY = small_city().assign(settlement_name=NAMES)


def read(path: Path, column: str, **options: str) -> tuple[list[str], list[tuple[str, str | Message | None]]]:
    with open_layer(path, ReadOptions(**options)) as layer:
        values = [value for batch in layer.batches for value in batch.columns[column].to_pylist()]
        return values, [(note.code, note.value) for note in layer.notes]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_csv_encoding_told_by_its_bytes(tmp_path: Path, written: str, found: str | None) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(("nome,x\n" + "".join(f"{name},1\n" for name in NAMES)).encode(written))
    assert read(path, "nome") == (NAMES, [("encoding_guessed", found)] if found else [])


def test_csv_late_byte_decides_for_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 1_500_000 + b"\xe3,1\n")
    values, notes = read(path, "a")
    assert values[-1] == "ã"
    assert notes == [("encoding_guessed", "cp1252")]


def test_csv_named_encoding_is_not_doubted(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("nome\nSão\n".encode())
    assert read(path, "nome", encoding="latin-1") == (["SÃ£o"], [])


@pytest.mark.parametrize(
    ("cpg", "written", "noted"),
    [
        ("ISO 88591", "latin-1", None),
        ("ANSI 1252", "cp1252", None),
        ("1252", "cp1252", None),
        ("utf-8", "utf-8", None),
        ("UTF-8", "cp1252", "cp1252"),
        ("<!DOCTYPE html><html>Not found</html>", "cp1252", "cp1252"),
        ("ISO-8859-1", "utf-8", "utf-8"),
        (None, "utf-8", "utf-8"),
        (None, "cp1252", None),
    ],
    ids=["latin", "ansi", "number", "lower", "wrong", "page", "utf8-after-all", "none-utf8", "language-byte"],
)
def test_dbf_encoding(tmp_path: Path, cpg: str | None, written: str, noted: str | None) -> None:
    path = write_shapefile(tmp_path, CITY, encoding={"latin-1": "ISO-8859-1", "cp1252": "CP1252"}.get(written, "UTF-8"))
    path.with_suffix(".cpg").unlink(missing_ok=True)
    dbf = bytearray(path.with_suffix(".dbf").read_bytes())
    dbf[29] = 0x57 if noted is None else 0
    path.with_suffix(".dbf").write_bytes(dbf)
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    assert read(path, "settl_name") == (NAMES, [("encoding_guessed", noted)] if noted else [])


def test_dbf_geoserver_names_the_encoding_in_cst(tmp_path: Path) -> None:
    russian = ["Русский"] * 4
    path = write_shapefile(tmp_path, CITY.assign(settlement_name=russian), encoding="CP1251")
    path.with_suffix(".cpg").unlink()
    path.with_suffix(".cst").write_text("windows-1251")
    assert read(path, "settl_name")[0] == russian


def test_dbf_character_cut_by_the_width(tmp_path: Path) -> None:
    """UTF-8 text longer than its column loses half a character at the end: the rest is text all the same."""
    path = write_shapefile(tmp_path, CITY.assign(settlement_name="é" * 40))
    dbf = path.with_suffix(".dbf").read_bytes()
    path.with_suffix(".dbf").write_bytes(dbf.replace("é".encode() * 40, "é".encode() * 39 + b"x\xc3"))
    assert set(read(path, "settl_name")[0]) == {"é" * 39 + "x"}


def test_dbf_alone_is_a_table(tmp_path: Path) -> None:
    path = write_shapefile(tmp_path, CITY).with_suffix(".dbf")
    with open_layer(path, ReadOptions()) as layer:
        assert not layer.has_geometry
        assert sum(len(batch.row_numbers) for batch in layer.batches) == 4


def test_dbf_named_encoding_is_not_doubted(tmp_path: Path) -> None:
    path = write_shapefile(tmp_path, CITY)
    assert read(path, "settl_name", encoding="latin-1")[0][0] == "SÃ£o"
    with pytest.raises(UnreadableFile, match="not a text encoding"):
        read(path, "settl_name", encoding="klingon")


@pytest.mark.parametrize(
    ("text", "codec"),
    [("ANSI 1250", "cp1250"), ("Big-5", "cp950"), ("LDID/87", "cp1252"), ("65001", "utf-8"), ("koi8r", "koi8-r")],
)
def test_codec_named(text: str, codec: str) -> None:
    assert codec_named(text) == codec


@pytest.mark.parametrize("text", ["", "klingon", "<html>" + "x" * 100])
def test_codec_named_none(text: str) -> None:
    assert codec_named(text) is None
