"""`vasti publication`: a publication as a file, and taking one back."""

import hashlib
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from shapely import box
from sqlalchemy import Engine, text

from geo import database
from geo.base import PageRequest
from geo.people import find_audit
from tests.support.cli import Shell
from tests.support.disks import small_disk_at
from tests.support.published_city import CITY, HOUSEHOLDS, SmallCity, write_households
from tests.support.publishing import publish_anew

OF_ROUND = ("--city", CITY, "--survey", "2024")


@pytest.fixture
def shell(changing_city: SmallCity) -> Shell:
    return Shell(changing_city.url, changing_city.folder)


@pytest.fixture
def owner(changing_city: SmallCity) -> Iterator[Engine]:
    engine = database.create_engine(changing_city.url)
    yield engine
    engine.dispose()


@pytest.fixture
def three(owner: Engine) -> None:
    """Two former publications of the round besides the current one."""
    for _ in range(2):
        with database.transaction(owner) as connection:
            publish_anew(connection, CITY, "2024")


def kept(shell: Shell) -> list[Path]:
    """The downloads that are kept, half of one too."""
    return [path for path in (shell.folder / "state").rglob("*") if "publications" in path.parts and path.is_file()]


def states(owner: Engine) -> dict[int, str]:
    asked = (
        "SELECT number, publication.state FROM publication JOIN survey ON survey.id = survey_id WHERE slug = '2024' "
        "ORDER BY number"
    )
    with owner.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text(asked))}


def noted(owner: Engine, action: str) -> list[Any]:
    with owner.connect() as connection:
        rows = find_audit(connection, PageRequest(limit=None)).rows
    return [(row.organisation, row.subject, row.before, row.after) for row in rows if row.action == action]


def test_publishing_makes_the_download(shell: Shell, owner: Engine) -> None:
    told = shell.run("publish", *OF_ROUND)
    assert told.stdout == f"Survey 2024 of {CITY} is published: publication 1.\n"
    (path,) = kept(shell)
    assert path.stem == hashlib.sha256(path.read_bytes()).hexdigest()
    shell.run("publish", *OF_ROUND)
    assert kept(shell) == [path]


def test_a_publication_is_written_to_a_file(shell: Shell, three: None) -> None:
    told = shell.run("publication", "download", *OF_ROUND, "-o", "now.zip")
    assert told.stdout.startswith("Publication 3 of survey 2024 is in now.zip (0.")
    shell.run("publication", "download", *OF_ROUND, "--number", "1", "--output", "first.zip")
    digests = set()
    for name in ("now.zip", "first.zip"):
        with zipfile.ZipFile(shell.folder / name) as source:
            digests.add(hashlib.sha256(source.read("figures.csv")).hexdigest())
    assert len(digests) == 2
    refused = shell.run("publication", "download", *OF_ROUND, "--number", "9", "-o", "none.zip", code=3)
    assert refused.stderr == f"Error: There is no publication 9 of survey 2024 in {CITY}.\n"
    draft = ("--city", CITY, "--survey", "secret-draft")
    assert "has no publication yet" in shell.run("publication", "download", *draft, "-o", "none.zip", code=3).stderr
    shell.run("publication", "download", *OF_ROUND, "-o", "nowhere/none.zip", code=5)
    assert not list(shell.folder.glob("*none.zip*"))


def test_a_former_publication_that_was_wrong_is_retracted(shell: Shell, owner: Engine, three: None) -> None:
    shell.run("publication", "download", *OF_ROUND, "--number", "2", "-o", "second.zip")
    assert len(kept(shell)) == 1
    told = shell.run("publication", "retract", *OF_ROUND, "--number", "2")
    assert told.stdout == "Publication 2 of survey 2024 is retracted: nobody can read it any more.\n"
    assert states(owner) == {1: "superseded", 2: "retracted", 3: "current"}
    assert kept(shell) == []
    assert noted(owner, "publication retracted") == [("shelter", f"survey {CITY}/2024", None, {"number": 2})]
    again = shell.run("publication", "retract", *OF_ROUND, "--number", "2", code=4)
    assert again.stderr == "Error: Publication 2 of survey 2024 is retracted already.\n"
    shell.run("publication", "download", *OF_ROUND, "--number", "2", "-o", "again.zip", code=3)
    # Its number is given to no other.
    with database.transaction(owner) as connection:
        assert publish_anew(connection, CITY, "2024") == 4


@pytest.mark.parametrize("verb", ["retract", "remove"])
def test_what_everybody_reads_is_not_taken_back(shell: Shell, owner: Engine, three: None, verb: str) -> None:
    sure = ["--yes"] if verb == "remove" else []
    refused = shell.run("publication", verb, *sure, *OF_ROUND, "--number", "3", code=4)
    assert refused.stderr == (
        "Error: Publication 3 of survey 2024 is what everybody reads, and stays. Publish the round anew, or take it "
        "back to draft, first.\n"
    )
    assert states(owner)[3] == "current"
    assert (
        "There is no publication 9" in shell.run("publication", verb, *sure, *OF_ROUND, "--number", "9", code=3).stderr
    )


def test_a_former_publication_is_removed_with_all_that_belongs_to_it(shell: Shell, owner: Engine, three: None) -> None:
    shell.run("publication", "download", *OF_ROUND, "--number", "1", "-o", "first.zip")
    of_first = (
        "SELECT publication.id FROM publication JOIN survey ON survey.id = survey_id WHERE slug = '2024' AND number = 1"
    )
    with owner.connect() as connection:
        first = connection.execute(text(of_first)).scalar_one()
    told = shell.run("publication", "remove", "--yes", *OF_ROUND, "--number", "1")
    assert told.stdout == "Publication 1 of survey 2024 is removed.\n"
    assert states(owner) == {2: "superseded", 3: "current"}
    tables = ("published_place", "published_block", "published_figure", "publication_counts", "publication_download")
    with owner.connect() as connection:
        for table in tables:
            asked = text(f"SELECT count(*) FROM {table} WHERE publication_id = :id")
            assert connection.execute(asked, {"id": first}).scalar() == 0, table
        part = text("SELECT to_regclass(:name)")
        assert connection.execute(part, {"name": f"published_figure_{first}"}).scalar() is None
    assert kept(shell) == []
    assert noted(owner, "publication removed") == [("shelter", f"survey {CITY}/2024", {"number": 1}, None)]


def test_the_newest_of_a_round_that_was_taken_back_stays(shell: Shell, owner: Engine, three: None) -> None:
    shell.run("publish", *OF_ROUND, "--draft")
    refused = shell.run("publication", "remove", "--yes", *OF_ROUND, "--number", "3", code=4)
    assert "is the newest of survey 2024, and stays: without it, its number would be given" in refused.stderr
    shell.run("publication", "remove", "--yes", *OF_ROUND, "--number", "1")
    assert states(owner) == {2: "retracted", 3: "retracted"}


def test_what_later_publications_still_say_is_not_removed(shell: Shell, owner: Engine, three: None) -> None:
    with owner.begin() as connection:
        kept_still = (
            "UPDATE published_figure SET kept_from = 1 FROM publication JOIN survey ON survey.id = survey_id "
            "WHERE publication.id = publication_id AND slug = '2024' AND number = 2 AND block = 0 AND place = 0"
        )
        assert connection.execute(text(kept_still)).rowcount
    refused = shell.run("publication", "remove", "--yes", *OF_ROUND, "--number", "1", code=4)
    assert "Publication 1 of survey 2024 stays: figures of it are still in publication 2, because" in refused.stderr
    assert states(owner)[1] == "superseded"


def test_removing_is_asked_about(shell: Shell, owner: Engine, three: None) -> None:
    refused = shell.run("publication", "remove", *OF_ROUND, "--number", "1", code=1)
    assert "no longer held against it" in refused.stdout + refused.stderr
    assert states(owner)[1] == "superseded"


def test_removing_waits_for_nobody_for_long(shell: Shell, owner: Engine, three: None) -> None:
    with owner.connect() as reading:
        reading.execute(text("SELECT count(*) FROM published_figure"))
        began = time.monotonic()
        shell.run("publication", "remove", "--yes", *OF_ROUND, "--number", "1", code=4)
        assert time.monotonic() - began < 60
    assert states(owner)[1] == "superseded"


@pytest.fixture
def small_disk(shell: Shell) -> Iterator[Path]:
    """A disk of its own for what is kept, on which there is next to no room."""
    folder = shell.folder / "state"
    folder.mkdir()
    with small_disk_at(folder, "64k") as disk:
        yield disk


@pytest.mark.parametrize("where", ["where it is kept", "where it is made"])
def test_without_room_the_publication_stands_and_the_download_comes_later(
    shell: Shell, owner: Engine, small_disk: Path, where: str
) -> None:
    elsewhere = shell.folder / "elsewhere"
    elsewhere.mkdir()
    state, temporary = (small_disk, elsewhere) if where == "where it is kept" else (elsewhere, small_disk)
    with owner.begin() as connection:
        connection.execute(text("UPDATE survey SET name = 'Round of last year' WHERE slug = '2024'"))
    told = shell.run("publish", *OF_ROUND, VASTI_STATE_DIR=str(state), TMPDIR=str(temporary))
    assert told.stdout == f"Survey 2024 of {CITY} is published: publication 2.\n"
    assert told.stderr.startswith(
        "The download of publication 2 of survey 2024 is not there yet: there is no room left"
    )
    assert states(owner) == {1: "superseded", 2: "current"}
    assert [path for path in small_disk.rglob("*") if path.is_file()] == []
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    written = ("publication", "download", *OF_ROUND, "-o", "later.zip")
    shell.run(*written, VASTI_STATE_DIR=str(state), TMPDIR=str(temporary))
    with zipfile.ZipFile(shell.folder / "later.zip") as source:
        assert source.testzip() is None


def test_what_a_publication_rests_on_changes_and_the_command_says_so(
    shell: Shell, owner: Engine, tmp_path: Path
) -> None:
    """A frame size, a new settlement, its end, facilities, a withdrawal of some rows, and of all."""
    (tmp_path / "frame.csv").write_text("settlement_code,households\nS01,900\n")
    (tmp_path / "toilets.csv").write_text(
        "facility_code,kind,latitude,longitude\nT1,community_toilet,18.6001,73.8001\n"
    )
    drawn = gpd.GeoDataFrame({"code": ["S07"], "name": ["Seven"]}, geometry=[box(73.9, 18.6, 73.901, 18.601)], crs=4326)
    drawn.to_file(tmp_path / "one.geojson")
    is_behind = (
        "Survey 2024 is published: everybody reads its former figures until a worker, or `vasti publish "
        f"--city {CITY} --survey 2024`, makes the next publication."
    )
    for changed in (
        ("load", "frame", str(tmp_path / "frame.csv"), *OF_ROUND),
        ("load", "boundaries", str(tmp_path / "one.geojson"), "--city", CITY),
        ("settlement", "end", "S07", "--city", CITY, "--on", "2021-01-01"),
        ("load", "facilities", str(tmp_path / "toilets.csv"), "--city", CITY),
    ):
        assert is_behind in shell.run(*changed).stdout.splitlines()
        shell.run("publish", *OF_ROUND)
    with owner.connect() as connection:
        of_round = "SELECT upload.id FROM upload JOIN survey ON survey.id = survey_id WHERE survey.slug = '2024'"
        *former, last = connection.execute(text(f"{of_round} AND upload.state = 'loaded' ORDER BY 1")).scalars()
    for number in former:
        assert shell.run("withdraw", str(number)).stdout.splitlines()[-1] == is_behind
    assert shell.run("withdraw", str(last)).stdout.splitlines()[-1] == (
        "Survey 2024 has no rows any more, and everybody still reads its former figures: `vasti publish "
        f"--city {CITY} --survey 2024 --draft` takes them back."
    )


def test_a_load_into_a_published_round_says_what_everybody_reads(shell: Shell, tmp_path: Path) -> None:
    path = write_households(tmp_path, "2024b", dict(HOUSEHOLDS))
    told = shell.run("load", "survey", str(path), *OF_ROUND).stdout
    assert "Survey 2024 is published: everybody reads its former figures" in told
    assert "draft" not in told
    of_draft = shell.run("load", "survey", str(path), "--city", CITY, "--survey", "secret-draft").stdout
    assert "Survey secret-draft is a draft until `vasti publish" in of_draft
