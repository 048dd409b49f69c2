"""Old Excel workbooks and OpenDocument sheets hold what a person sees in them, dates as dates."""

import base64
import zipfile
import zlib
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from geo.ingestion.reading import Note, ReadOptions, open_layer
from geo.ingestion.reading.workbook_cells import OddCells, find_odd_cells

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

# K1 has 5 members, K2 #N/A and K3 #DIV/0!.
EXCEL_97_ERRORS = (
    "c-rk)O=uHA6#iy+)BMn;o0=9{p@f39roGf&ytJ!=_8^w(K}7^jnmvTJi6p(~L8~=KLGYw_DfHr{>ct=Qpf?XnMGt}?Bzp8DD0pbIee*J"
    "lspil?Eh_UZ^UdVVH?uGM-pu~IS&5YwAM{l43&vog>V?r#XA@My{tp|}?|HK6*C8sN#y^E{hyvLXz|*!@K^a3C?+Oguw_XqfpQxO{c}("
    "PUZekm8kbOuA>BA_oz#Xzg(am0UFi$b>V7|x7XUzNAa-DgUv}JJ`E6zl6pUUD>Mj!V@A?JO>V?MBD7@c@2v-t82QPT!+ppZ??{GA=WRx"
    "6f3aT|AYZXq>OMw|k;gzsJg_~x(F=Lv1!Ub_I<e{8e|8`y6e7BCO*94B~*67scKTZAXF#q3;h6$2D%a3SSXKI2lbXWiMfTPRY#9vPOjS"
    "JFsCZqB@z?G1~$jg!2UID>X>$2iq(+OAjcetmm1J?Wff%RF!3wQYWv^b8)Z$PqL+$~_jd)Fzn+nXmG!JGtG%94C*d?w{;bjl&D9xyHTy"
    "be<8$J7;%Ydw|-dFUKDDmOeXssJ%R1xfox5?<}H^ZaWzoFOLNbi6L?Omc$dsuZ7wYJ~DUzwmpOlTlwy(ds#cy5aDKwx%Nw59ijB1fnKm"
    ")&Und)us<<$DZSA^Z?IklHDH9))lUkkHXEo-R$EGKvN|Znj1D}M6Vb-@6A@@=XlQ6?XlQ6?G!3C1=uP!_A5gCiLG@i{jY?I2Ci!o19C<"
    "qC=*9F9a#R;^p{e}oLO}R)iA|32zZXiJq_Y<=jWqi)-E{uaYoDn9KbszCZ`~4V_Wadm{QSe`UkC8g$1n"
)

CELLS = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"


def write_excel_97(path: Path, packed: str = EXCEL_97) -> None:
    path.write_bytes(zlib.decompress(base64.b85decode(packed)))


def ods_cell(value: Any) -> str:
    match value:
        case date():
            kind = f'office:value-type="date" office:date-value="{value.isoformat()}"'
        case int():
            kind = f'office:value-type="float" office:value="{value}"'
        case _:
            kind = 'office:value-type="string"'
    return f"<table:table-cell {kind}><text:p>{escape(str(value))}</text:p></table:table-cell>"


def ods_rows(rows: list[list[Any]]) -> str:
    return "".join(f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>" for row in rows)


def write_ods(path: Path, rows: str = ods_rows(ROWS)) -> None:
    content = (
        f'<office:document-content xmlns:office="{OFFICE}" xmlns:table="{CELLS}" xmlns:text="{TEXT}"'
        f' xmlns:calcext="{CALC}">'
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


def read_members(path: Path) -> tuple[list[object], list[Note]]:
    with open_layer(path, ReadOptions()) as layer:
        return [value for batch in layer.batches for value in batch.columns["members"].to_pylist()], layer.notes


def test_errors_of_an_old_workbook_are_the_text_a_person_sees(tmp_path: Path) -> None:
    path = tmp_path / "t.xls"
    write_excel_97(path, EXCEL_97_ERRORS)
    assert read_members(path) == (["5", "#N/A", "#DIV/0!"], [])


def test_a_damaged_old_workbook_has_no_odd_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.xls"
    write_excel_97(path, EXCEL_97_ERRORS)
    whole = path.read_bytes()
    for at in range(0, len(whole), 97):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        assert isinstance(find_odd_cells(path, "Visits"), OddCells)
        path.write_bytes(whole[:at])
        assert isinstance(find_odd_cells(path, "Visits"), OddCells)


ODS_ERROR = 'table:formula="of:=1/0" office:value-type="string" office:string-value="" calcext:value-type="error"'


def test_errors_of_opendocument_are_the_text_a_person_sees(tmp_path: Path) -> None:
    """LibreOffice of earlier years wrote 0 as the value of an error, which would count as no member."""
    note = "<office:annotation><text:p>Ask Ravi</text:p></office:annotation>"
    rows = (
        f"<table:table-cell {ODS_ERROR}>{note}<text:p>#DIV/0!</text:p></table:table-cell>",
        '<table:table-cell table:formula="of:=LN(-1)" office:value-type="float" office:value="0">'
        "<text:p>Err:502</text:p></table:table-cell>",
        '<table:table-cell table:formula="of:=[.A2]-7" office:value-type="float" office:value="0">'
        "<text:p>0</text:p></table:table-cell>",
    )
    body = "".join(f"<table:table-row>{ods_cell('K')}{cell}</table:table-row>" for cell in rows)
    twice = f"<table:table-cell {ODS_ERROR}><text:p>#N/A</text:p></table:table-cell>"
    body += f'<table:table-row table:number-rows-repeated="2">{ods_cell("K")}{twice}</table:table-row>'
    body += f"<table:table-row>{ods_cell('K')}{ods_cell(4)}</table:table-row>"
    path = tmp_path / "t.ods"
    write_ods(path, ods_rows([["code", "members"]]) + body)
    assert read_members(path) == (["#DIV/0!", "Err:502", "0", "#N/A", "#N/A", "4"], [])


def test_formulas_of_opendocument_that_nobody_calculated_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "t.ods"
    formula = '<table:table-cell table:formula="of:=1+1"/>'
    write_ods(path, ods_rows([["code", "members"]]) + f"<table:table-row>{ods_cell('K')}{formula}</table:table-row>")
    assert read_members(path) == ([None], [Note("formulas_without_values", "members")])


def test_errors_said_of_a_million_rows_cost_no_more_than_the_sheet(tmp_path: Path) -> None:
    path = tmp_path / "t.ods"
    repeated = 'table:number-columns-repeated="9999999"'
    many = f"<table:table-cell {ODS_ERROR} {repeated}><text:p>#N/A</text:p></table:table-cell>"
    far = f'<table:table-row table:number-rows-repeated="9999999">{many * 200}</table:table-row>'
    write_ods(path, ods_rows([["code", "members"], ["K", 4]]) + far)
    odd = find_odd_cells(path, "Visits")
    rows: list[list[object]] = [["code", "members"], ["K", 4]]
    odd.show_errors(rows)
    assert (rows, len(odd.errors)) == ([["code", "members"], ["K", 4]], 200)
