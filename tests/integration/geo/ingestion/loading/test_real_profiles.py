"""The profiles Vasti ships, over the files they are for: every answer of a finite vocabulary is known."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import Connection, text

from geo.ingestion.findings import Findings
from geo.ingestion.loading import ErrorsFound, SourceOptions, load_boundaries, read_boundaries
from geo.ingestion.mapping import BoundaryColumns, Mapper, Observations, Profile, Value, read_profile
from geo.ingestion.mapping.profile import FieldMapping, Multiple
from geo.ingestion.reading import ReadOptions, open_layer
from geo.places import add_city
from tests.support import factories as f

LATIN_1 = ReadOptions(encoding="latin-1")


def mapped(path: Path, profile: str | Profile, encoding: str | None = None) -> tuple[Observations, pd.DataFrame]:
    """A file of one batch in standard fields, and its findings."""
    findings, options = Findings(), ReadOptions(encoding=encoding)
    with open_layer(path, options) as layer:
        chosen = read_profile(profile) if isinstance(profile, str) else profile
        mapper = Mapper(layer, chosen, options, path.name)
        (observations,) = [mapper.map(batch, findings) for batch in layer.batches]
    return observations, findings.frame()


def counts(observations: Observations, field: str) -> Counter[Any]:
    """How often each answer was given; None for unknown."""
    return Counter(observations.fields[field].to_pylist())


def draw_city(connection: Connection, folder: Path, path: Path, columns: Any, read: ReadOptions) -> Any:
    add_city(connection, "real", "Real")
    return load_boundaries(
        connection,
        path,
        "real",
        read=read,
        columns=columns,
        valid_from_on=None,
        today=f.TODAY,
        options=f.options(folder, skip_errors=True),
    )


def test_techo_boundaries_under_their_full_names(real_files: Path) -> None:
    """The shapefile cut nombre_distrito to ten characters; that is told, once."""
    path = real_files / "py_techo_asuncion" / "central.zip"
    found = read_boundaries(path, LATIN_1, read_profile("techo-paraguay"))
    assert found.columns.ward_name == "nombre_dis"
    notes = found.findings.frame().query("code == 'column_matched'")
    assert notes[["field", "value"]].to_numpy().tolist() == [["ward_name", "nombre_dis"]]
    assert notes["row_number"].isna().all()
    assert found.frame["ward_name"].notna().all()


def test_techo_survey_loads_by_its_own_codes(connection: Connection, tmp_path: Path, real_files: Path) -> None:
    """Codes are 205.0 in the shapefile and 205 in the survey; 25 settlements say they have no dwellings.

    One row has no code, and a name that only one settlement bears.
    """
    folder, profile = real_files / "py_techo_asuncion", read_profile("techo-paraguay")
    draw_city(connection, tmp_path, folder / "central.zip", profile, LATIN_1)
    path = folder / "asentamientos_survey.csv"
    result = f.load(
        connection,
        tmp_path,
        path,
        city="real",
        survey=f.spec("2016", unit="settlement"),
        source=SourceOptions(profile=profile, unit="settlement"),
        skip_errors=True,
    )
    codes = set(connection.execute(text("SELECT code FROM settlement")).scalars())
    survey = pd.read_csv(path, dtype=str, keep_default_na=False)
    found = result.findings.frame()
    (by_name,) = found.loc[found["code"] == "joined_by_name", "row_number"] - 2
    joins = survey["identificador"].isin(codes) | (survey.index == by_name)
    expected = survey[joins]
    assert result.rows_read == 405
    assert result.rows_loaded == len(expected) == 319
    assert "value_unmapped" not in set(found["code"])
    assert (found["code"] == "settlement_empty").sum() == 25
    assert "weight_invalid" not in set(found["code"])
    stored = connection.execute(text("SELECT sum(weight), count(DISTINCT settlement_id) FROM household")).one()
    assert stored[0] == expected["numero_aprox_viviendas"].astype(int).sum()
    assert stored[1] == len(expected)
    both = connection.execute(
        text("SELECT electricity FROM household WHERE extra->>'energia_tipo_provision' = 'ANDE, irregular'")
    ).scalars()
    assert set(both) <= {"irregular"}


def test_techo_survey_answers(real_files: Path) -> None:
    observations, found = mapped(real_files / "py_techo_asuncion" / "asentamientos_survey.csv", "techo-paraguay")
    assert counts(observations, "toilet_type") == {
        "pit_slab": 263,
        "flush_septic": 71,
        "flush_sewer": 17,
        "hanging": 11,
        "none": 6,
        None: 37,
    }
    assert counts(observations, "electricity") == {"metered": 228, "irregular": 165, "none": 1, None: 11}
    assert counts(observations, "water_source") == {"piped_yard": 316, None: 89}
    assert counts(observations, "waste_collection") == {"door_to_door": 191, "burned_or_buried": 170, None: 44}
    assert found.empty


DOWA = [
    ("Dowa Household Latrine survey.csv", "cp1252"),
    ("dowalatrinesurvey.csv", None),
    ("dowalatrinesurvey.xlsx", None),
]


@pytest.mark.parametrize(("name", "encoding"), DOWA)
def test_dowa_latrines_answers(real_files: Path, name: str, encoding: str | None) -> None:
    """The raw export and the cleaned table say the same, but for the sign of every latitude."""
    observations, found = mapped(real_files / "mw_dowa_latrines" / name, "dowa-latrines", encoding)
    assert found.empty
    assert counts(observations, "water_source") == {
        "borehole": 51,
        "piped_yard": 16,
        "piped_dwelling": 6,
        "unprotected_well": 6,
        "surface": 4,
        "protected_well": 4,
        "public_tap": 1,
        "unprotected_spring": 1,
    }
    assert counts(observations, "toilet_type") == {"flush_pit": 6, None: 83}
    assert counts(observations, "toilet_users") == {"own": 7, "community": 1, None: 81}
    assert counts(observations, "toilet_emptied") == {"never": 72, None: 17}
    assert observations.fields["interviewed_on"].null_count == 0
    assert (np.sign(observations.lat) == (1 if encoding else -1)).all()
    kept = [json.loads(line)["water_source"] for line in observations.extra.to_pylist()]  # type: ignore[union-attr]
    assert sum(", " in sources for sources in kept) == 7


def test_dowa_latrines_place_where_they_are(connection: Connection, tmp_path: Path, real_files: Path) -> None:
    """All 89 of the cleaned table lie in southern Malawi; the export's have lost their minus: it is named."""
    box = gpd.GeoDataFrame({"code": ["MW"]}, geometry=[shapely.box(32.6, -17.2, 36, -9.3)], crs="EPSG:4326")
    path = f.write_boundaries(tmp_path / "malawi.gpkg", box)
    draw_city(connection, tmp_path, path, BoundaryColumns(settlement_code="code"), ReadOptions())
    profile = read_profile("dowa-latrines")
    for (name, encoding), kept in zip(DOWA[:2], (0, 89), strict=True):
        source = SourceOptions(profile=profile, read=ReadOptions(encoding=encoding))
        survey = f.spec("2020", starts_on=pd.Timestamp(2020, 10, 1).date(), ends_on=pd.Timestamp(2020, 10, 31).date())
        if not kept:
            with pytest.raises(ErrorsFound) as raised, connection.begin_nested():
                f.load(
                    connection,
                    tmp_path,
                    real_files / "mw_dowa_latrines" / name,
                    city="real",
                    survey=survey,
                    source=source,
                )
            assert raised.value.result.rows_rejected == 89
            assert set(raised.value.result.findings.frame()["code"]) == {"latitude_sign_lost"}
            continue
        result = f.load(
            connection, tmp_path, real_files / "mw_dowa_latrines" / name, city="real", survey=survey, source=source
        )
        assert (result.rows_loaded, result.rows_warned) == (kept, 0)


def test_renabap_answers(real_files: Path) -> None:
    (path,) = (real_files / "ar_renabap_2023").glob("*.csv")
    observations, found = mapped(path, "renabap")
    assert found.empty
    assert counts(observations, "electricity")["irregular"] == 3670
    assert observations.fields["toilet_type"].null_count == 0


def test_malawi_answers(real_files: Path) -> None:
    """The publisher counts 21,243 open pits; two walks to the water are longer than a day."""
    observations, found = mapped(real_files / "mw_sdg_households" / "washmalawi.xlsx", "malawi-sdg")
    assert counts(observations, "toilet_type")["pit_no_slab"] == 21_243
    assert found[["code", "value"]].to_numpy().tolist() == [
        ["value_out_of_range", "3600"],
        ["value_out_of_range", "2000"],
    ]
    where = observations.fields["water_minutes"].is_null().to_numpy(zero_copy_only=False)
    lines = np.array(observations.extra.to_pylist())[where]  # type: ignore[union-attr]
    assert {json.loads(line).get("water_collection_time_mins") for line in lines} >= {"3600", "2000"}


SOURCES: dict[str, Value] = {
    "piped": "piped_dwelling",
    "tap": "public_tap",
    "borehole": "borehole",
    "trucking": "tanker",
    "bottled": "bottled",
}


def test_several_answers_in_a_cell_or_a_column_each_are_the_same(real_files: Path, tmp_path: Path) -> None:
    """A Kobo export that went through R has both: with either one alone, every household's answer is the same."""
    path = real_files / "iq_reach_kobo" / "raw_data.csv"
    whole = pd.read_csv(path, dtype=str, keep_default_na=False)
    without = tmp_path / "without.csv"
    whole.drop(columns="water_sources").to_csv(without, index=False)
    multiple = Multiple(prefer=["piped_dwelling", "borehole", "public_tap", "tanker", "bottled"])
    field = FieldMapping(column="section/water_sources", values=SOURCES, multiple=multiple)
    profile = Profile(name="p", fields={"water_source": field})
    one, one_found = mapped(path, profile)
    other, other_found = mapped(without, profile)
    assert counts(one, "water_source")["piped_dwelling"] == whole["water_sources"].str.contains("piped").sum() == 566
    assert one.fields["water_source"].equals(other.fields["water_source"])
    assert one_found.empty
    assert other_found.empty


def test_kibera_numbers_with_words_are_kept_as_text(real_files: Path) -> None:
    """ "200-300" and "Ksh5 per can" are no numbers: unknown, reported, and kept as they stand."""
    (path,) = (real_files / "ke_mapkibera_watsan").glob("*.geojson")
    columns = {"members": "watsan:users_per_day", "water_minutes": "watsan:cost"}
    fields = {name: FieldMapping(column=column) for name, column in columns.items()}
    observations, found = mapped(path, Profile(name="kibera", fields=fields))
    said = gpd.read_file(path)
    for name, column in columns.items():
        reported = found[(found["field"] == name) & (found["code"] == "value_not_a_number")]
        assert len(reported) > 1
        assert set(reported["value"]) & {"200-300", "Ksh5 per 20litre can"}
        at = reported["row_number"].astype(int).to_numpy() - 1
        assert observations.fields[name].take(at.tolist()).null_count == len(at)
        lines = observations.extra.take(at.tolist()).to_pylist()  # type: ignore[union-attr]
        kept = [json.loads(line)[column] for line in lines]
        assert kept == said[column].iloc[at].tolist()
