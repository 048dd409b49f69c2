"""Old Excel workbooks and OpenDocument sheets hold what a person sees in them, dates as dates."""

import base64
import zipfile
import zlib
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from geo.ingestion.formats import open_layer
from geo.ingestion.layers import ReadOptions

ROWS: list[list[Any]] = [
    ["household_code", "settlement_code", "members", "interviewed_on", "drainage"],
    ["007", "01", 4, date(2024, 3, 5), "closed"],
    ["Ñ-8", "02", 2, date(2024, 3, 6), "none"],
]

# The rows above as an Excel 97 workbook, which nothing we use can write.
EXCEL_97 = (
    "c-rk)O-L0{6#nkKdA=Wi-qSSDKt#yO47C=y(N|%)QmjRP1p0I?`S3Xt^Il19vdm==v?|&NwrFENi+-q}phb(oeilIxXf0a>1ufL+"
    "+%xk`t-uE<81oJH+<VTw_nSL&?mhR;yq+qZ9=}^PgJoz#0P{`+1&eHgQY5FuLG_NKin%;Y$?>tS5DAkb3xarD{3@h;sQf(x4R`eC"
    "B!N$qPT&-}EK}C3A@=bYl0uE4m88H8vXr2bM^(nMpXCOYx4GpLmV4N8nPn@rofgM2mFTK(@n-Q+t(NObpm-l}pAT$lMg?A~S$zJA"
    "aN7p4*G?tV>#U+$FTw=Kp&incw$fv`i73$C-q_jMc#JTOa&q<rzB@I*x7@0JR^!{()-FKyA4~0_zu3d%#O3y@nhuP>>E%T-Mw7Z%"
    "cNg;ER3??p%wiaYq!;pp$AEP@BL}Rs(bI1kG6rO1Hk+11(#*1j=FE^B>XUYc8mG*xw9lmEurzuslft`UCsStfqznK}O}lBuG&NJe"
    "=ucZ2X^`#BjuvIxNdqt`UPRS?!SN-&B)$~$x+@}SAjaiVUVU+Tz}Z`0-*)zOCwka2!h4Fl^K4cR3I`Wd59(aPH361EO7+}hJIjmA"
    "x{1qGEX%14<#pW^Ug5wfx4Fc%b#$LyjCYAGi^^N6Joe?_!|JimiEUJ#?3g)MKKVW|j#}CY4eGD1Q8b7Kas8UYqeLzjUX=RCvhufx"
    "71rY3*d1?sjbTo$Q9>z8S5t3CENGhdu3RlZT3|ubNz*-M@dswX%t5ccU}oiyr!-Q*%w-%~@4e87)or6VLmsF02TqMS!yc#W%ZSIR"
    "F=v!H?=Ns_%&Dwx8rc;AMeJXQ!iNtZK79D_;ls!3LGYQ<JxA-_Nm`u=L*9R#IZE^XZ<7BOhhWi_rH{(}Fe$fjHm~`!5kZmT5-aSJ"
    "`(LPVgzj!*5Pdw3!Mx`$ePxKn&$Hr=@qf33^1c6jKI2^F`~L)o+V&F"
)

CELLS = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"


def write_excel_97(path: Path) -> None:
    path.write_bytes(zlib.decompress(base64.b85decode(EXCEL_97)))


def ods_cell(value: Any) -> str:
    match value:
        case date():
            kind = f'office:value-type="date" office:date-value="{value.isoformat()}"'
        case int():
            kind = f'office:value-type="float" office:value="{value}"'
        case _:
            kind = 'office:value-type="string"'
    return f"<table:table-cell {kind}><text:p>{escape(str(value))}</text:p></table:table-cell>"


def write_ods(path: Path) -> None:
    rows = "".join(f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>" for row in ROWS)
    content = (
        f'<office:document-content xmlns:office="{OFFICE}" xmlns:table="{CELLS}" xmlns:text="{TEXT}">'
        f'<office:body><office:spreadsheet><table:table table:name="Visits">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{MANIFEST}"/>')
        archive.writestr("content.xml", content)


@pytest.mark.parametrize("name", ["visits.xls", "VISITS.XLS", "visits.ods"])
def test_read_workbook(tmp_path: Path, name: str) -> None:
    """Leading zeros stay, a number is the number seen, and a date is a date whatever its cell's format."""
    path = tmp_path / name
    (write_ods if path.suffix == ".ods" else write_excel_97)(path)
    with open_layer(path, ReadOptions()) as layer:
        assert layer.columns == ROWS[0]
        (batch,) = layer.batches
    assert batch.row_numbers.tolist() == [2, 3]
    read = list(zip(*(column.to_pylist() for column in batch.columns.values()), strict=True))
    assert read == [(code, place, str(members), on, drain) for code, place, members, on, drain in ROWS[1:]]
