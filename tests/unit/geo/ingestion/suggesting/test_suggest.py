"""A proposed profile against what the columns of made-up files are known to hold."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import pytest

from data.sample.city import write_sample
from geo.ingestion.mapping import Profile, read_profile
from geo.ingestion.mapping.evidence import ROWS_READ
from geo.ingestion.reading import ReadOptions
from geo.ingestion.suggesting import NOTHING, Proposal, Suggestion, suggest_profile, write_profile
from geo.messages import say_clauses
from tests.support import factories as f
from tests.support.suggested import compare, proposed_profile, uncommented


def suggest(folder: Path, columns: Mapping[str, Sequence[object]], **options: object) -> Proposal:
    """What is proposed for a CSV with these columns."""
    names = list(columns)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return suggest_profile(f.write_csv(folder / "survey.csv", rows), ReadOptions(), **options)  # type: ignore[arg-type]


def found(proposal: Proposal, target: str) -> Suggestion:
    (one,) = [s for s in proposal.suggestions if s.target == target]
    return one


def targets(proposal: Proposal) -> set[str]:
    return {s.target for s in proposal.suggestions}


def test_suggest_profile_of_the_sample_city(tmp_path: Path) -> None:
    """Every field of the shipped profiles, from the right column, with every answer mapped the same."""
    files = write_sample(tmp_path, households=3_000)
    for survey in files.surveys:
        assert survey.profile is not None
        shipped = read_profile(survey.profile)
        proposal = suggest_profile(survey.path, ReadOptions())
        score = compare(proposal, shipped)
        assert score.missing == []
        assert score.wrong_sure == []
        assert score.values_equal == score.values_total > 40
    boundaries = proposed_profile(suggest_profile(files.boundaries.path, ReadOptions())).boundaries
    assert boundaries == read_profile("sample-shapefile").boundaries


def test_suggest_profile_of_names_cut_to_ten_letters(tmp_path: Path) -> None:
    files = write_sample(tmp_path, households=2_000, settlements=30, file_format="shapefile")
    (survey,) = files.surveys
    score = compare(suggest_profile(survey.path, ReadOptions()), read_profile("sample-standard-shapefile"))
    assert score.missing == score.wrong_sure == []


def test_suggest_profile_of_standard_names_and_codes_lists_no_values(tmp_path: Path) -> None:
    path = f.write_csv(tmp_path / "standard.csv", f.households())
    proposal = suggest_profile(path, ReadOptions())
    assert {s.confidence for s in proposal.suggestions} == {"sure"}
    assert found(proposal, "toilet_type").values == ()
    assert found(proposal, "declared_settlement_code").column == "settlement_code"
    assert proposal.unmapped == []


MICS: dict[str, list[object]] = {
    "HH1": [1, 1, 2, 2],
    "WS1": [11, 31, 41, 96],
    "WS4": [10, 998, 30, 5],
    "WS7": [1, 2, 2, 8],
    "WS11": [31, 12, 95, 41],
    "WS15": [1, 2, 2, 1],
    "HH48": [4, 5, 2, 7],
    "hhweight": [1.2, 0.8, 1.1, 0.9],
}


def test_suggest_profile_of_mics(tmp_path: Path) -> None:
    """31 is a composting toilet in MICS, and a protected well."""
    profile = proposed_profile(suggest(tmp_path, MICS))
    assert profile.fields["toilet_type"].values == {
        "31": "composting",
        "12": "flush_septic",
        "95": "none",
        "41": "bucket",
    }
    assert profile.fields["water_source"].values["31"] == "protected_well"
    assert profile.fields["water_minutes"].values == {"998": "unknown"}
    assert profile.fields["water_sufficient"].values == {"1": False, "2": True, "8": "unknown"}
    assert profile.fields["toilet_users"].values == {"1": "shared", "2": "own"}
    assert {"members", "weight", "psu"} <= set(profile.fields)


def test_suggest_profile_of_dhs(tmp_path: Path) -> None:
    """31 is open defecation in DHS; its weights are millionths and wait for a person."""
    columns: dict[str, list[object]] = {
        "hhid": ["a1", "a2", "a3", "a4"],
        "hv005": [1_200_000, 800_000, 900_000, 1_100_000],
        "hv009": [4, 5, 2, 7],
        "hv201": [11, 43, 14, 62],
        "hv204": [996, 30, 998, 12],
        "hv205": [31, 41, 22, 15],
        "hv206": [0, 1, 1, 1],
        "hv225": [0, 1, 0, 9],
    }
    proposal = suggest(tmp_path, columns)
    profile = proposed_profile(proposal)
    assert profile.fields["toilet_type"].values == {
        "31": "none",
        "41": "composting",
        "22": "pit_slab",
        "15": "flush_unknown",
    }
    assert profile.fields["water_minutes"].values == {"996": 0, "998": "unknown"}
    assert profile.fields["members"].column == "hv009"
    assert found(proposal, "weight").confidence == "unsure"
    assert "weight" not in profile.fields
    # That there is electricity does not say whether it is metered.
    assert profile.fields["electricity"].values == {"0": "none"}


def test_suggest_profile_never_guesses_codes_without_a_scheme(tmp_path: Path) -> None:
    proposal = suggest(tmp_path, {"toilet_type": [11, 22, 31, 95], "water_source": [11, 31, 41, 96]})
    assert {s.confidence for s in proposal.suggestions} == {"unsure"}
    assert all(line.value is None for s in proposal.suggestions for line in s.values)
    text = write_profile(proposal)
    assert proposed_profile(proposal).fields == {}
    assert '# # "31" = ""' in text


def test_suggest_profile_leaves_an_unknown_answer_as_a_comment(tmp_path: Path) -> None:
    answers = ["Flush to sewer", "Septic tank", "Pit latrine with slab", "No toilet", "Other tank", "Don't know"]
    proposal = suggest(tmp_path, {"toilet_type": answers})
    profile = proposed_profile(proposal)
    assert "Other tank" not in profile.fields["toilet_type"].values
    assert profile.fields["toilet_type"].values["Don't know"] == "unknown"
    assert '# "Other tank" = ""   # not recognised' in write_profile(proposal)


def test_suggest_profile_never_drops_a_not(tmp_path: Path) -> None:
    """A known phrase inside a longer answer explains it only where nothing turns it round."""
    answers = ["Protected well", "Borehole", "Not a protected well", "The protected well nearby"]
    values = proposed_profile(suggest(tmp_path, {"water_source": answers})).fields["water_source"].values
    assert values == {
        "Protected well": "protected_well",
        "Borehole": "borehole",
        "The protected well nearby": "protected_well",
    }


@pytest.mark.parametrize(
    ("column", "answers", "expected"),
    [
        ("toilet_shared", ["Yes", "No"], {"Yes": "shared", "No": "own"}),
        ("is water insufficient?", ["yes", "no"], {"yes": False, "no": True}),
    ],
)
def test_suggest_profile_of_a_question_that_turns_yes_round(
    column: str, answers: list[str], expected: dict[str, object], tmp_path: Path
) -> None:
    ((_, mapping),) = proposed_profile(suggest(tmp_path, {column: answers})).fields.items()
    assert mapping.values == expected


@pytest.mark.parametrize(
    ("column", "answers", "target"),
    [
        ("shauchalay", ["sewer line", "septic tank", "khule mein shauch"], "toilet_type"),
        ("nali", ["khuli nali", "band nali", "koi nahi"], "drainage"),
        ("bijli", ["apna meter", "katiya", "nahi"], "electricity"),
        ("kachra", ["ghanta gadi", "kachra peti", "jalana"], "waste_collection"),
        ("abastecimento_agua", ["Rede geral", "Carro-pipa", "Chafariz"], "water_source"),
        ("energía eléctrica", ["Generador", "Conexión irregular", "No tiene"], "electricity"),
        ("SourceOfWater", ["forage", "puits protégé", "eau de pluie"], "water_source"),
    ],
)
def test_suggest_profile_in_many_languages(column: str, answers: list[str], target: str, tmp_path: Path) -> None:
    one = found(suggest(tmp_path, {column: answers}), target)
    assert one.confidence == "sure"
    assert all(line.value is not None for line in one.values)


def test_suggest_profile_of_another_question_about_water(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "water_source_cook": ["Borehole", "Tanker"],
        "water_source_other_specify": ["a pond", "River"],
    }
    assert targets(suggest(tmp_path, columns)) == set()


def test_suggest_profile_of_several_answers_in_a_cell(tmp_path: Path) -> None:
    proposal = suggest(tmp_path, {"water_source": ["borehole", "tanker", "borehole tanker", "rainwater borehole"]})
    mapping = proposed_profile(proposal).fields["water_source"]
    assert mapping.multiple is not None
    assert (mapping.multiple.separator, mapping.multiple.prefer) == (" ", ["borehole", "rainwater", "tanker"])
    assert set(mapping.values) == {"borehole", "tanker", "rainwater"}
    assert found(proposal, "water_source").confidence == "likely"


def test_suggest_profile_of_a_column_for_each_choice(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "wash/water_source/borehole": [1, 0, 1],
        "wash/water_source/tanker": [0, 1, 1],
        "n": [5, 6, 7],
    }
    proposal = suggest(tmp_path, columns)
    mapping = proposed_profile(proposal).fields["water_source"]
    assert mapping.column == "wash/water_source"
    assert mapping.multiple is not None
    assert mapping.values == {"borehole": "borehole", "tanker": "tanker"}
    assert proposal.unmapped == ["n"]


def test_suggest_profile_of_dates_that_read_two_ways(tmp_path: Path) -> None:
    proposal = suggest(tmp_path, {"interview_date": ["01/02/2024", "03/04/2024"]})
    assert found(proposal, "interviewed_on").confidence == "unsure"
    assert proposed_profile(proposal).fields == {}
    proposal = suggest(tmp_path, {"interview_date": ["01/02/2024", "13/04/2024"]})
    assert proposed_profile(proposal).fields["interviewed_on"].format == "%d/%m/%Y"


def test_suggest_profile_of_numbers(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "time to fetch water (hours)": ["0,5", "1,25", "2", "0,25"],
        "household members": ["4", "6", "99", "3"],
        "rooms": ["1", "NA", "2", "3"],
    }
    fields = proposed_profile(suggest(tmp_path, columns)).fields
    assert (fields["water_minutes"].unit, fields["water_minutes"].decimal) == ("hours", ",")
    assert fields["members"].values == {"99": "unknown"}
    assert fields["rooms"].values == {"NA": "unknown"}


def test_suggest_profile_of_positions(tmp_path: Path) -> None:
    lat, lon = ["18.52", "18.53"], ["73.85", "73.86"]
    position = proposed_profile(suggest(tmp_path, {"gps_lat": lat, "gps_long": lon})).position
    assert position is not None
    assert (position.latitude, position.longitude) == ("gps_lat", "gps_long")
    position = proposed_profile(suggest(tmp_path, {"gps": ["18.52 73.85 560 4", "18.53 73.86 560 5"]})).position
    assert position is not None
    assert position.columns() == ["gps"]
    metres = suggest(tmp_path, {"latitude": ["2048000", "2048010"], "longitude": ["379000", "379010"]})
    assert {s.confidence for s in metres.suggestions} == {"likely"}
    assert "name their CRS with --crs" in str(metres.notes[0])
    zoned = suggest(tmp_path, {"Easting": ["379000"], "Northing": ["2048000"], "Zone": ["43Q"]})
    position = proposed_profile(zoned).position
    assert position is not None
    assert (position.columns(), position.crs) == (["Easting", "Northing"], "EPSG:32643")


def test_suggest_profile_of_kobo_columns(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "start": ["2024-01-05T09:00:00.000+05:30", "2024-01-06T09:00:00.000+05:30"],
        "today": ["2024-01-05", "2024-01-06"],
        "_id": [5, 6],
        "_uuid": ["a", "b"],
        "_submission_time": ["2024-01-07T09:00:00", "2024-01-08T09:00:00"],
    }
    proposal = suggest(tmp_path, columns)
    assert found(proposal, "household_code").column == "_id"
    assert found(proposal, "interviewed_on").column == "today"
    assert {s.confidence for s in proposal.suggestions} == {"likely"}


def test_suggest_profile_of_a_register_with_a_scale(tmp_path: Path) -> None:
    steps: list[object] = ["Cobertura Total", "Inexistente", "Cobertura Parcial", "Sin dato"]
    columns: dict[str, list[object]] = {
        "id": [1, 2, 3, 4],
        "nombre": ["A", "B", "C", "D"],
        "cantidad de familias": [30, 50, 20, 10],
        "agua corriente": steps,
        "pct_electricidad": [10.5, 99.0, 0.0, 50.0],
    }
    proposal = suggest(tmp_path, columns)
    assert proposal.unit == "settlement"
    fields = proposed_profile(proposal).fields
    assert fields["weight"].column == "cantidad de familias"
    assert fields["declared_settlement_code"].column == "id"
    by_column = {hint.column: hint for hint in proposal.shares}
    assert by_column["pct_electricidad"].kind == "percent"
    assert by_column["agua corriente"].steps == {
        "Cobertura Total": 100,
        "Inexistente": 0,
        "Cobertura Parcial": "unknown",
        "Sin dato": "unknown",
    }
    assert proposed_profile(proposal).shares == {}
    assert tomllib.loads(uncommented(write_profile(proposal)))["shares"]["agua_corriente"]["kind"] == "scale"


def test_suggest_profile_of_shapes_as_text(tmp_path: Path) -> None:
    square = "POLYGON ((73 18, 73.1 18, 73.1 18.1, 73 18))"
    columns = {"slum_code": ["01", "02"], "slum_name": ["A", "B"], "wkt": [square, square.replace("73", "74")]}
    boundaries = proposed_profile(suggest(tmp_path, columns)).boundaries
    assert boundaries is not None
    assert (boundaries.settlement_code, boundaries.settlement_name, boundaries.shape) == (
        "slum_code",
        "slum_name",
        "wkt",
    )


def test_suggest_profile_of_polygons_without_a_code(tmp_path: Path) -> None:
    city: gpd.GeoDataFrame = f.small_city()[["settlement_name", "geometry"]]
    proposal = suggest_profile(f.write_boundaries(tmp_path / "city.gpkg", city), ReadOptions())
    assert found(proposal, "settlement_name").confidence == "sure"
    assert found(proposal, "settlement_code").confidence == "likely"
    boundaries = proposed_profile(proposal).boundaries
    assert boundaries is not None
    assert (boundaries.settlement_code, boundaries.settlement_name) == ("settlement_name", "settlement_name")


def test_suggest_profile_reads_a_bounded_part(tmp_path: Path) -> None:
    rows = "\n".join(f"{i},borehole" for i in range(ROWS_READ + 10))
    path = tmp_path / "long.csv"
    path.write_text(f"household_code,water_source\n{rows}\nlast,tanker\n", encoding="utf-8")
    proposal = suggest_profile(path, ReadOptions())
    assert (proposal.rows_read, proposal.is_whole) == (ROWS_READ, False)
    assert f"the first {ROWS_READ:,} rows" in write_profile(proposal)


def test_suggest_profile_of_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    path.write_text("household_code,toilet_type\n", encoding="utf-8")
    proposal = suggest_profile(path, ReadOptions())
    assert proposal.suggestions == []
    assert "no rows" in str(proposal.notes[0])
    assert isinstance(proposed_profile(proposal), Profile)


def test_suggest_profile_of_a_short_name_that_was_not_cut(tmp_path: Path) -> None:
    """Three letters that begin a known word are not that word."""
    proposal = suggest(tmp_path, {"pat": ["yes", "no"], "ele": ["yes", "no"], "wat": ["borehole", "tanker"]})
    assert "sure" not in {s.confidence for s in proposal.suggestions}
    assert set(proposed_profile(proposal).fields) <= {"water_source"}


def test_suggest_profile_with_nothing_but_blanks(tmp_path: Path) -> None:
    proposal = suggest(tmp_path, {"toilet_type": ["", " "], "water_source": ["n/a", "NA"], "id": [1, 2]})
    assert targets(proposal) == {"household_code"}


def test_what_a_person_says_of_a_column_goes_first(tmp_path: Path) -> None:
    answers = ["own", "shared"]
    proposal = suggest(tmp_path, {"q7": answers, "toilet": answers}, said={"q7": "toilet_type", "toilet": NOTHING})
    assert [(s.column, s.target, s.confidence) for s in proposal.suggestions] == [("q7", "toilet_type", "sure")]
    assert say_clauses(proposal.suggestions[0].why).startswith("you chose it")


def test_notes_are_in_the_words_of_their_readers(tmp_path: Path) -> None:
    rows = [{"settlement_code": f"S{i}", "x": 385_000 + i, "y": 2_050_000 + i, "dwellings": 20} for i in range(9)]
    notes = suggest_profile(f.write_csv(tmp_path / "register.csv", rows), ReadOptions(), unit="settlement").notes
    assert any("load it with --unit settlement" in str(note) for note in notes)
    assert [note.say("page") for note in notes if "--" in note.say("page") or "`" in note.say("page")] == []
    assert "A row is taken for a settlement." in [note.say("page") for note in notes]
