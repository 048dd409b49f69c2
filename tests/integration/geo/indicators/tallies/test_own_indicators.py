"""Organisations' own indicators, from the file to the figure, in every version."""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, func, insert, select

from geo.base import PageRequest
from geo.database.schema.surveys import survey
from geo.database.schema.tallies import own_indicator, pair_tally, tallied
from geo.errors import Conflict, DefinitionInvalid, UnreadableFile
from geo.indicators.definitions import Added, Definition, catalogue, check_own, read_catalogue
from geo.indicators.figures import ValuesQuery, find_changes, find_values
from geo.indicators.tallies import add_own, additions, count_surveys
from geo.indicators.tallies.from_sql import in_scans
from geo.indicators.tallies.recompute import recompute_all
from geo.indicators.tallies.store import make_missing
from geo.ingestion.loading import SourceOptions, load_survey, withdraw
from geo.people import open_organisation
from tests.support import factories as f
from tests.support.cli import Shell, survey_arguments

HEAD = """
id = "{id}"
name = "{name}"
description = "Share of homes with a working fan."
why = "Heat under tin roofs makes people ill."
direction = "up"
measure = "share"
counted = "households"
unit = "%"
unknown = "excluded"
source = "Our own survey"
"""


def document(numerator: str = "has_fan = 'yes'", *, name: str = "Homes with a fan", own_id: str = "own_fan") -> str:
    columns = {"has_fan": "text", "fans": "number"}
    used = "".join(f'[columns.{c}]\ntype = "{kind}"\n' for c, kind in columns.items() if c in numerator)
    return f'{HEAD.format(id=own_id, name=name)}numerator = """\n{numerator}\n"""\n{used}'


FAN = ("yes", "no", "yes", "yes", "yes ", "no", "yes", "", "yes", "no")
FANS = ("2", " 1", "1.0", "3", "0", "2 ", "1", "many", "2", "1")
"""Of ten, one says nothing; of the others six have a fan, and four say they have several."""


def with_fans(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Households that also say whether they have a fan, and how many."""
    return [row | {"has_fan": FAN[i % 10], "fans": FANS[i % 10]} for i, row in enumerate(rows)]


def add(connection: Connection, text: str, organisation: str = "local") -> Added:
    return add_own(connection, text, "own.toml", organisation)


def values(connection: Connection, **changes: Any) -> dict[str, float | None]:
    """The figures of `own_fan` by settlement; None where withheld."""
    query = ValuesQuery(cities=["pune"], indicators=["own_fan"], seen="all", page=PageRequest(limit=None), **changes)
    figures = find_values(connection, query).figures
    published = figures["value"].astype(object).where(figures["value"].notna(), None)
    return dict(zip(figures["settlement_code"], published, strict=True))


def survey_id(connection: Connection, slug: str = "2024") -> int:
    return int(connection.execute(select(survey.c.id).where(survey.c.slug == slug)).scalar_one())


@pytest.fixture
def city(connection: Connection, tmp_path: Path) -> Connection:
    f.load_city(connection, tmp_path, f.small_city())
    return connection


def test_every_version_keeps_its_figures_and_follows_later_loads(city: Connection, tmp_path: Path) -> None:
    assert add(city, document()).definition.version == 1
    f.load(city, tmp_path, with_fans(f.households(each=30)))
    first = values(city)
    assert first[f.code(0)] == 67
    assert values(city, version=1) == first

    second = add(city, document("fans > 1"))
    assert (second.definition.version, second.is_new) == (2, True)
    newest = values(city)
    assert newest[f.code(0)] == 44
    assert newest != first
    assert values(city, version=1) == first
    assert values(city, version=2) == newest
    f.assert_tallies_whole(city, survey_id(city))

    more = [{**row, "household_code": f"L{i}", "has_fan": "no"} for i, row in enumerate(with_fans(f.households()))]
    later = f.load(city, tmp_path, more)
    assert all((values(city, version=1)[code] or 0) < (value or 0) for code, value in first.items())
    assert values(city)[f.code(0)] == pytest.approx(44, abs=2)
    assert count_surveys(city, second.definition) == 1
    f.assert_tallies_whole(city, survey_id(city))

    assert later.upload_id is not None
    withdraw(city, later.upload_id)
    assert (values(city, version=1), values(city)) == (first, newest)
    f.assert_tallies_whole(city, survey_id(city))


@pytest.mark.parametrize(
    "numerator", ["has_fan = 'yes'", "fans >= 1", "fans / rooms > 1 OR has_fan = 'no' AND members > 3"]
)
@pytest.mark.parametrize("form", ["csv", "xlsx", "gpkg", "parquet"])
def test_first_load_counts_as_a_later_scan(city: Connection, tmp_path: Path, numerator: str, form: str) -> None:
    """A file keeps a column as text, as numbers or as yes and no; added before the load or after it, figures agree."""
    rows = with_fans(f.households())
    if form != "csv":
        rows = [row | {"fans": (2, 1, 1, 3, 0, 2, 1, None, 2, 1)[i % 10]} for i, row in enumerate(rows)]
    path = tmp_path / f"rows.{form}"
    match form:
        case "csv":
            f.write_csv(path, rows)
        case "xlsx":
            f.write_sheet(path, {"rows": [list(rows[0]), *(list(row.values()) for row in rows)]})
        case "gpkg":
            f.points(rows).to_file(path, engine="pyogrio")
        case _:
            pd.DataFrame(rows).to_parquet(path)
    add(city, document(numerator))
    f.load(city, tmp_path, path)
    f.assert_tallies_whole(city, survey_id(city))
    summed = values(city)
    assert any(value is not None and 0 < value < 100 for value in summed.values())
    city.execute(tallied.delete().where(tallied.c.indicator_id == "own_fan"))
    recompute_all(city)
    assert values(city) == summed


def test_a_column_no_file_has_is_unknown_for_all(city: Connection, tmp_path: Path) -> None:
    f.load(city, tmp_path, f.households())
    added = add(city, document())
    assert count_surveys(city, added.definition) == 0
    query = ValuesQuery(cities=["pune"], indicators=["own_fan"], seen="all")
    assert set(find_values(city, query).figures["status"]) == {"withheld"}


def test_the_same_again_changes_nothing(city: Connection, tmp_path: Path) -> None:
    f.load(city, tmp_path, with_fans(f.households()))
    text = document()
    add(city, text)
    rewritten = "# Seen again\r\n" + text.replace("\n", "\r\n")
    numbered = text.replace('name = "', 'version = 1\nname = "')
    for again in (text, rewritten, numbered):
        added = add(city, again)
        assert (added.definition.version, added.is_new) == (1, False)
    assert city.execute(select(func.count()).select_from(own_indicator)).scalar_one() == 1
    assert add(city, document(name="Homes with fans")).definition.version == 2
    assert add(city, text).definition.version == 3  # back to what it was: a version like any other


@pytest.mark.parametrize(("said", "expected"), [(1, "is 2"), (3, "is 2"), (7, "is 2")])
def test_a_version_that_is_not_the_next(city: Connection, said: int, expected: str) -> None:
    add(city, document())
    with pytest.raises(Conflict, match=expected):
        add(city, document("fans > 1").replace("name =", f"version = {said}\nname ="))
    assert add(city, document("fans > 1").replace("name =", "version = 2\nname =")).definition.version == 2


def test_a_first_version_is_one(city: Connection) -> None:
    with pytest.raises(Conflict, match="version 2, but the next of own_fan is 1"):
        add(city, document().replace("name =", "version = 2\nname ="))
    with pytest.raises(Conflict, match="is 1"):
        check_own(city, document().replace("name =", "version = 2\nname ="), "own.toml")
    assert check_own(city, document(), "own.toml").version == 1
    add(city, document())
    assert check_own(city, document("fans > 1"), "own.toml").version == 2


def test_an_id_of_another_organisation(city: Connection) -> None:
    add(city, document(), "mashal")
    with pytest.raises(Conflict, match="own_fan is an indicator of mashal"):
        add(city, document("fans > 1"), "shelter")
    with pytest.raises(Conflict, match="of mashal"):
        add(city, document(), "shelter")


@pytest.mark.parametrize(
    ("own_id", "says"),
    [
        ("drainage_any", "is an indicator that Vasti ships"),
        ("head_sex", "is a standard field"),
        ("internet", "is a standard field"),
        ("all", "cannot be an id"),
        ("unserved_fan", "cannot be an id"),
        ("own_", "cannot be an id"),
        ("own__fan", "cannot be an id"),
        ("x", "is not made of 2 to 63"),
        ("x" * 64, "is not made of 2 to 63"),
        ("own-fan", "is not made of 2 to 63"),
    ],
)
def test_ids_that_cannot_be(connection: Connection, own_id: str, says: str) -> None:
    for database in (None, connection):
        with pytest.raises(DefinitionInvalid, match=says):
            check_own(database, document(own_id=own_id), "own.toml")


def test_a_ladder_vasti_ships(connection: Connection) -> None:
    with pytest.raises(DefinitionInvalid, match="water is a ladder whose rungs Vasti ships"):
        add(connection, document().replace("unit =", 'ladder = "water"\nunit ='))


@pytest.mark.parametrize(
    "text",
    [
        "#" * (64 * 1024 + 1),
        "name = " + "[" * 20_000,
        "\ud800",
        document("(" * 5000 + "rooms > 3" + ")" * 5000),
        document("(" * 4000 + "rooms > 3" + ")" * 4000),
        document("rooms IN (" + ",".join(["1"] * 10_000) + ")"),
        document("rooms IN (" + ",".join(["1"] * 501) + ")"),
        document("NOT " * 2000 + "rooms > 3"),
        document("rooms > " + "-" * 3000 + "3"),
        document("rooms" + " + rooms" * 900 + " > 3"),
        document("rooms = 3" + " AND rooms = 3" * 900),
        document("rooms > 3 AND internet"),
    ],
    ids=range(12),
)
def test_what_is_refused_leaves_nothing_behind(connection: Connection, text: str) -> None:
    before = connection.execute(select(func.count()).select_from(own_indicator)).scalar_one()
    with pytest.raises((DefinitionInvalid, UnreadableFile)) as raised:
        add(connection, text)
    assert "own.toml" in str(raised.value)
    assert len(str(raised.value)) < 300
    assert connection.execute(select(func.count()).select_from(own_indicator)).scalar_one() == before


def score(score_name: str, deprivations: int = 3, values_each: int = 1) -> str:
    measure = "share" if score_name == "headcount" else "mean"
    cutoff = "" if score_name == "count" else "cutoff = 1.5\n"
    head = HEAD.format(id="own_score", name="Score").replace('"share"', f'"{measure}"')
    head = head.replace('"%"', '"things"') if score_name == "count" else head
    options = ", ".join(["1", *(str(i + 10) for i in range(values_each - 1))])
    parts = "".join(
        f"[[deprivations]]\nname = '{i}'\nexpression = \"rooms + {i} NOT IN ({options}) OR members > {i + 2}\"\n"
        for i in range(deprivations)
    )
    return f'{head}score = "{score_name}"\n{cutoff}{parts}'


FACILITY = """
numerator = "toilet_users IN ('community', 'public')"
facility = "community_toilet"
"""


def other(measure: str, rest: str) -> str:
    head = HEAD.format(id=f"own_{measure}", name="Other")
    return head.replace('"share"', f'"{measure}"').replace('"%"', '"of them"') + rest


MEASURES = {
    "share": document(),
    **{name: score(name) for name in ("count", "headcount", "adjusted", "intensity")},
    "largest": score("intensity", 20, 120),
    "density": other("density", 'numerator = "members > 2"'),
    "seat_load": other("seat_load", FACILITY),
    "distance": other("distance", 'facility = "water_point"'),
}


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_can_be_an_organisations(city: Connection, tmp_path: Path, name: str) -> None:
    f.load(city, tmp_path, with_fans(f.households()))
    added = add(city, MEASURES[name])
    f.load(city, tmp_path, with_fans(f.households(each=20)), survey=f.spec("2025"))
    for level in ("settlement", "ward", "city"):
        query = ValuesQuery(cities=["pune"], indicators=[added.definition.id], seen="all", level=level)
        figures = find_values(city, query).figures
        assert len(figures)
        assert set(figures["definition_version"]) == {1}
        if name not in ("seat_load", "distance"):
            assert "published" in set(figures["status"])
    for slug in ("2024", "2025"):
        f.assert_tallies_whole(city, survey_id(city, slug))


def numbered(i: int, version: int) -> dict[str, Any]:
    """A row of own_indicator whose definition compares with many values."""
    text = document(f"rooms IN ({', '.join(str(v + version) for v in range(20))}) OR members > {i}", own_id=f"own_{i}")
    return {"indicator_id": f"own_{i}", "version": version, "document": text}


def test_as_many_as_there_may_be(connection: Connection) -> None:
    organisation_id = open_organisation(connection, "local")
    connection.execute(
        insert(own_indicator), [numbered(i, 1) | {"organisation_id": organisation_id} for i in range(200)]
    )
    with pytest.raises(DefinitionInvalid, match="There are 200 indicators of organisations already"):
        add(connection, document())
    assert add(connection, document("rooms > 3", own_id="own_7")).definition.version == 2


def test_more_than_one_statement_holds(city: Connection, tmp_path: Path) -> None:
    """Eighty indicators in two versions each, beside the shipped ones: loads, scans, groups and pairs go on."""
    organisation_id = open_organisation(city, "local")
    rows = [numbered(i, version) | {"organisation_id": organisation_id} for i in range(80) for version in (1, 2)]
    city.execute(insert(own_indicator), rows)
    f.load(city, tmp_path, f.households())
    f.load(city, tmp_path, f.households()[:5])
    f.assert_tallies_whole(city, survey_id(city))
    f.load(city, tmp_path, f.households(), survey=f.spec("2025"))
    assert make_missing(city, survey_id(city, "2025"))
    n_pairs = select(func.count(pair_tally.c.indicator_id.distinct()))
    assert city.execute(n_pairs).scalar_one() > 80
    query = ValuesQuery(cities=["pune"], seen="all", level="city", page=PageRequest(limit=None))
    assert len(find_values(city, query).figures) == 2 * (80 + len(catalogue()))


def test_in_scans_keeps_to_what_a_statement_holds() -> None:
    largest = check_own(None, score("intensity", 20, 120), "own.toml")
    small = check_own(None, document("rooms > 3"), "own.toml")
    parts = list(in_scans([largest] * 20 + [small] * 150))
    assert [d for part in parts for d in part] == [largest] * 20 + [small] * 150
    for part in parts:
        assert len(part) <= 60
        assert sum(e.n_values for d in part for e in d.parts.values()) <= 20_000
    assert len(parts) < 8


def test_as_many_versions_as_there_may_be(city: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(additions, "MOST_VERSIONS", 2)
    add(city, document())
    add(city, document("fans > 1"))
    with pytest.raises(DefinitionInvalid, match="There are 2 versions"):
        add(city, document("fans > 2"))


def changed(connection: Connection) -> Mapping[str, Any]:
    query = ValuesQuery(
        cities=["pune"], indicators=["own_fan"], seen="all", level="city", access="full", page=PageRequest(limit=None)
    )
    row: Mapping[str, Any] = find_changes(connection, query, earlier="2024", later="2025").figures.iloc[0].to_dict()
    return row


def test_rounds_held_against_each_other_before_it_was_added(city: Connection, tmp_path: Path) -> None:
    """The households of both rounds are the same, and are compared as such by an indicator that came later."""
    sample = {"mode": "sample"}
    f.load(city, tmp_path, with_fans(f.households(each=30)), survey=f.spec(**sample))
    f.load(city, tmp_path, with_fans(f.households(each=30))[::-1], survey=f.spec("2025", **sample))
    recompute_all(city)
    add(city, document())
    assert (changed(city)["method"], changed(city)["n_pairs"]) == ("paired", 108)
    add(city, document("fans > 1"))
    assert (changed(city)["method"], changed(city)["n_pairs"]) == ("paired", 108)


def test_tallies_made_without_pairs_leave_those_for_later(city: Connection, tmp_path: Path) -> None:
    sample = {"mode": "sample"}
    for slug in ("2024", "2025"):
        f.load(city, tmp_path, with_fans(f.households(each=30)), survey=f.spec(slug, **sample))
    recompute_all(city)
    organisation_id = open_organisation(city, "local")
    city.execute(
        insert(own_indicator).values(
            indicator_id="own_fan", version=1, organisation_id=organisation_id, document=document()
        )
    )
    for slug in ("2024", "2025"):
        make_missing(city, survey_id(city, slug), derived=False)
    assert changed(city)["status"] == "withheld"
    recompute_all(city)
    assert changed(city)["method"] == "paired"


def test_an_id_that_a_later_vasti_ships_stays_the_organisations(
    city: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    f.load(city, tmp_path, with_fans(f.households()))
    add(city, document())
    shipped: dict[str, Definition] = catalogue() | {
        "own_fan": catalogue()["drainage_any"].model_copy(update={"id": "own_fan"})
    }
    monkeypatch.setattr(import_module("geo.indicators.definitions.catalogue"), "catalogue", lambda: shipped)
    assert read_catalogue(city).newest["own_fan"].name == "Homes with a fan"


def test_an_indicator_added_while_a_file_is_read(fresh_engine: Engine, tmp_path: Path) -> None:
    """A first load began without it, and ends with it."""
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, f.small_city())
        f.load(connection, tmp_path, with_fans(f.households()))
    done: list[Added] = []

    def add_meanwhile(_read: int, _total: int | None) -> None:
        if not done:
            with fresh_engine.begin() as other:
                done.append(add(other, document()))

    path = f.write_csv(tmp_path / "later.csv", with_fans(f.households(each=20)))
    with fresh_engine.begin() as connection:
        load_survey(
            connection,
            path,
            "pune",
            f.spec("2025"),
            source=SourceOptions(),
            options=f.options(tmp_path),
            progress=add_meanwhile,
        )
    assert done
    with fresh_engine.connect() as connection:
        assert values(connection, surveys=["2024"])[f.code(0)] is not None
        assert values(connection, surveys=["2025"])[f.code(0)] == 67
        for slug in ("2024", "2025"):
            f.assert_tallies_whole(connection, survey_id(connection, slug))


# The command line.


@pytest.fixture
def shell(fresh_url: str, tmp_path: Path) -> Shell:
    return Shell(fresh_url, tmp_path)


def test_from_file_to_figures_and_maps(shell: Shell, fresh_engine: Engine, tmp_path: Path) -> None:
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, f.small_city())
    rows = f.write_csv(tmp_path / "rows.csv", with_fans(f.households(each=30)))
    shell.run(*survey_arguments(rows))
    text = document(name="Homes <b>with</b> [/a] fan").replace("own_fan", "mashal_fan")
    path = tmp_path / "fan.toml"
    path.write_text("\ufeff" + text, encoding="utf-8")

    added = shell.run("indicators", "add", path, "--organisation", "mashal")
    assert added.stdout == "Indicator mashal_fan, version 1, is there.\nHouseholds of 1 survey answer it.\n"
    again = shell.run("indicators", "add", path, "--organisation", "mashal")
    assert again.stdout == "Indicator mashal_fan, version 1, is there already; nothing was changed.\n"
    assert "is an indicator of mashal" in shell.run("indicators", "add", path, code=4).stderr

    path.write_text(text.replace("has_fan = 'yes'", "has_fan = 'no'"), encoding="utf-8")
    assert "version 2, is there.\n" in shell.run("indicators", "add", path, "--organisation", "mashal").stdout
    noted = json.loads(shell.run("audit", "--format", "json").stdout)
    versions = [(row["organisation"], row["after"]) for row in noted if row["subject"] == "indicator mashal_fan"]
    assert versions == [("mashal", {"version": 1}), ("mashal", {"version": 2})]

    listed = json.loads(shell.run("indicators", "list", "--format", "json").stdout)
    assert [row["id"] for row in listed] == sorted([*catalogue(), "mashal_fan"])
    (mine,) = (row for row in listed if row["whose"] != "shipped")
    assert mine == {
        "id": "mashal_fan",
        "version": 2,
        "name": "Homes <b>with</b> [/a] fan",
        "counted": "households",
        "unit": "%",
        "whose": "mashal",
    }
    assert "Homes <b>with</b> [/a] fan" in shell.run("indicators", "list").stdout

    assert shell.run("indicators", "show", "mashal_fan", "--version", "1").stdout.strip() == text.strip()
    assert "has_fan = 'no'" in shell.run("indicators", "show", "mashal_fan").stdout
    assert 'id = "drainage_any"' in shell.run("indicators", "show", "drainage_any").stdout
    assert "no indicator 'fan'" in shell.run("indicators", "show", "fan", code=3).stderr
    missing = shell.run("indicators", "show", "mashal_fan", "--version", "3", code=3).stderr
    assert "no version 3 of mashal_fan; there is 1, 2" in missing

    figures = ["values", "--city", "pune", "--level", "city", "--indicator", "mashal_fan", "--format", "json"]
    by_version = {
        version: json.loads(shell.run(*figures, *version).stdout)[0]["value"] for version in ((), ("--version", "1"))
    }
    assert by_version == {(): 33.3, ("--version", "1"): 66.7}

    html = tmp_path / "map.html"
    shell.run("map", "coverage", "--city", "pune", "--survey", "2024", "--indicator", "mashal_fan", "-o", html)
    assert "<b>with</b>" not in html.read_text(encoding="utf-8")
    assert "Homes &lt;b&gt;with" in html.read_text(encoding="utf-8")


def test_check_needs_no_database(tmp_path: Path) -> None:
    shell = Shell("postgresql://nobody@127.0.0.1:1/none", tmp_path)
    path = tmp_path / "fan.toml"
    path.write_text(document("has_fan = 'yes' AND fans > 1 AND rooms > 2"), encoding="utf-8")
    sound = (
        "fan.toml is a sound definition of own_fan: it needs the field rooms and the file's own columns has_fan, fans."
    )
    assert shell.run("indicators", "check", path).stdout == f"{sound}\n"
    path.write_text(document("has_fan = 'yes'\n  AND fan > 1"), encoding="utf-8")
    told = shell.run("indicators", "check", path, code=1).stderr
    assert told.startswith("Error: fan.toml: the numerator uses fan, which is neither")
    assert told.endswith("(line 2, column 7; line 14 of the file).\n")
    path.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in shell.run("indicators", "check", path, code=1).stderr
    path.write_bytes(b"#" * 70_000)
    assert "larger than 64 KiB" in shell.run("indicators", "check", path, code=1).stderr
    assert "does not exist" in shell.run("indicators", "check", "nowhere.toml", code=1).stderr
    assert "does not exist" in shell.run("indicators", "check", tmp_path, code=1).stderr
    shell.run("indicators", "check", code=2)


def test_add_tells_of_columns_no_household_has(shell: Shell, fresh_engine: Engine, tmp_path: Path) -> None:
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, f.small_city())
        f.load(connection, tmp_path, f.households())
    (tmp_path / "fan.toml").write_text(document(), encoding="utf-8")
    told = shell.run("indicators", "add", "fan.toml").stdout
    assert "No household of any survey answers it: are the columns called as in the file?" in told
    assert (
        "'Not A Slug' cannot be the short name"
        in shell.run("indicators", "add", "fan.toml", "--organisation", "Not A Slug", code=1).stderr
    )
