"""Cases: small inputs that people really have, and what is right for each. They are no part of the project."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.officer import Officer


@pytest.fixture(scope="session")
def all_cases() -> Path:
    """The folder of the cases."""
    folder = os.environ.get("VASTI_TEST_CASES")
    if not folder:
        pytest.skip("VASTI_TEST_CASES is not set: the cases to test with are not at hand")
    return Path(folder)


@pytest.fixture
def case_files(request: pytest.FixtureRequest, all_cases: Path, tmp_path: Path) -> Path:
    """A copy of the folder that the test's marker `case` names, such as "officer/A1-unanswered-settlement".

    Files beside the field cases' folders, which several of them use, lie in its parent.
    """
    (name,) = request.node.get_closest_marker("case").args
    kind, _, folder = name.partition("/")
    for shared in all_cases.joinpath(kind).iterdir():
        if shared.is_file():
            shutil.copyfile(shared, tmp_path / shared.name)
    # Made anew, since what is shared may be laid without a right to write.
    here: Path = tmp_path / folder
    here.mkdir()
    for file in all_cases.joinpath(kind, folder).iterdir():
        shutil.copyfile(file, here / file.name)
    return here


@pytest.fixture
def officer(case_files: Path, fresh_url: str) -> Officer:
    """Somebody at a command line in the case's folder, with a database of the test's own."""
    return Officer(fresh_url, case_files)


@pytest.fixture
def at_desk(fresh_url: str, tmp_path: Path) -> Officer:
    """Somebody at a command line with files of the test's own."""
    return Officer(fresh_url, tmp_path)
