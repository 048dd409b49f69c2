"""Proposals for files as their publishers give them, held against what their columns are known to be."""

import time
from pathlib import Path

import pytest

from geo.errors import VastiError
from geo.fields import standard_fields
from geo.ingestion.mapping import Profile, read_profile
from geo.ingestion.mapping.profile import FieldMapping
from geo.ingestion.reading import FORMATS, ReadOptions
from geo.ingestion.suggesting import Proposal, suggest_profile
from tests.support.suggested import compare, proposed_profile

pytestmark = pytest.mark.filterwarnings("ignore")


def suggest(path: Path, encoding: str | None = None) -> Proposal:
    return suggest_profile(path, ReadOptions(encoding=encoding))


def columns(proposal: Proposal, confidence: str) -> dict[str, str]:
    """Target to column of the proposals that are this sure."""
    return {s.target: s.column for s in proposal.suggestions if s.confidence == confidence}


def test_suggest_malawi(real_files: Path) -> None:
    """Every field of the shipped profile and all answers but one, which says too little to be mapped by a machine."""
    shipped = read_profile("malawi-sdg")
    proposal = suggest(real_files / "mw_sdg_households" / "washmalawi.xlsx")
    score = compare(proposal, shipped)
    assert score.missing == score.wrong_sure == []
    assert score.values_total == 37
    assert score.values_equal >= 36
    assert proposed_profile(proposal).position == shipped.position


def test_suggest_renabap(real_files: Path) -> None:
    shipped = read_profile("renabap")
    folder = real_files / "ar_renabap_2023"
    (register,) = folder.glob("*.csv")
    proposal = suggest(register)
    score = compare(proposal, shipped)
    assert proposal.unit == "settlement"
    assert score.missing == score.wrong_sure == []
    assert score.values_equal == score.values_total == 40
    assert proposed_profile(suggest(folder / "barrios_inside_amba.geojson")).boundaries == shipped.boundaries


@pytest.mark.parametrize(
    ("name", "encoding"), [("dowalatrinesurvey.csv", None), ("Dowa Household Latrine survey.csv", "cp1252")]
)
def test_suggest_dowa(name: str, encoding: str | None, real_files: Path) -> None:
    proposal = suggest(real_files / "mw_dowa_latrines" / name, encoding)
    assert columns(proposal, "sure") == {
        "longitude": "longitude",
        "latitude": "latitude",
        "interviewed_on": "submitted_on",
    }
    profile = proposed_profile(proposal)
    assert profile.fields["interviewed_on"].format == "%m/%d/%Y"
    water = profile.fields["water_source"]
    assert water.multiple is not None
    assert water.multiple.separator == ", "
    assert water.values["Protected dug well"] == "protected_well"


def test_suggest_asuncion(real_files: Path) -> None:
    folder = real_files / "py_techo_asuncion"
    proposal = suggest(folder / "asentamientos_survey.csv")
    truth = Profile(
        name="truth",
        fields={
            "declared_settlement_code": FieldMapping(column="identificador"),
            "declared_settlement_name": FieldMapping(column="asentamiento"),
            "weight": FieldMapping(column="numero_aprox_viviendas"),
            "toilet_type": FieldMapping(column="excretas"),
            "electricity": FieldMapping(column="energia_tipo_provision"),
            "waste_collection": FieldMapping(column="eliminacion_basura_tipo"),
            "tenure_document": FieldMapping(column="titulo_lotes"),
        },
    )
    score = compare(proposal, truth)
    assert score.missing == score.wrong_sure == []
    assert set(columns(proposal, "sure")) <= set(truth.fields)
    boundaries = proposed_profile(suggest(folder / "central.zip", "latin-1")).boundaries
    assert boundaries is not None
    assert (boundaries.settlement_name, boundaries.ward_name) == ("nombre", "nombre_dis")


@pytest.mark.parametrize("name", ["favelas.shp", "favelas.geojson"])
def test_suggest_sao_vicente(name: str, real_files: Path) -> None:
    boundaries = proposed_profile(suggest(real_files / "br_ibge_favelas_sao_vicente" / name)).boundaries
    assert boundaries is not None
    assert (boundaries.settlement_code, boundaries.settlement_name) == ("cd_fcu", "nome")


def test_suggest_of_348_columns(real_files: Path) -> None:
    """A Kobo export with choices in columns of their own, headers mangled by R; in no more than seconds."""
    started = time.monotonic()
    proposal = suggest(real_files / "iq_reach_kobo" / "raw_data.csv")
    assert time.monotonic() - started < 5
    assert columns(proposal, "sure") == {
        "declared_settlement_code": "neighbourhood",
        "members": "num_hh_member",
        "interviewed_on": "date_assessment",
        "water_sufficient": "access_water_enough",
        "tenure_document": "property_title",
        "head_sex": "gender_hoh",
    }
    likely = columns(proposal, "likely")
    assert likely["household_code"] == "X_id"
    assert likely["water_source"] == "water_source_drinking"


def test_suggest_of_every_real_file_is_a_profile(real_files: Path) -> None:
    """Whatever can be read yields a profile that can be used, with nothing unsure in it."""
    made = 0
    for path in sorted(p for p in real_files.rglob("*") if p.suffix.lower() in FORMATS):
        try:
            proposal = suggest(path)
        except VastiError:
            continue
        profile = proposed_profile(proposal)
        unsure = {s.target for s in proposal.suggestions if s.confidence == "unsure"}
        assert not unsure & set(profile.fields), path.name
        assert set(profile.fields) <= set(standard_fields())
        made += 1
    assert made > 60
