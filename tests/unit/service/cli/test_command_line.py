"""The command line itself: what its help costs, what it says, and that every error has an exit code."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from geo import errors
from geo.errors import VastiError
from service.cli.commands import COMMANDS
from service.cli.main import app, exit_code
from tests.support.project import ROOT

HEAVY = (
    *("pandas", "numpy", "geopandas", "shapely", "pyproj", "pyogrio", "pyarrow", "scipy", "sqlalchemy", "alembic"),
    *("psycopg", "fastapi", "starlette", "uvicorn", "procrastinate", "jinja2", "folium", "openpyxl"),
)

HELP = """import sys
sys.argv = ['vasti', '--help']
from service.cli.main import run
try: run()
except SystemExit as end: assert not end.code
"""

PROCESSOR_TIME = "\nimport time, sys; print(time.process_time(), file=sys.stderr)"


def _told_by(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr


def test_help_imports_nothing_heavy() -> None:
    modules = _told_by(HELP + "print(*sys.modules, file=sys.stderr)").split()
    assert "typer" in modules
    assert not {name.partition(".")[0] for name in modules} & set(HEAVY)


def test_help_takes_no_more_than_four_times_what_its_libraries_do() -> None:
    def seconds(program: str) -> float:
        return min(float(_told_by(program + PROCESSOR_TIME)) for _ in range(3))

    # As much of them as a command line's help needs.
    assert seconds(HELP) <= 4 * seconds("import typer, rich, pydantic; pydantic.BaseModel")


def test_a_command_leaves_its_modules_out_of_searches_for_garbage() -> None:
    of_command = HELP.replace("'--help'", "'load', 'survey', '--help'")
    told = _told_by(of_command + "import gc; print(gc.get_freeze_count(), gc.isenabled(), file=sys.stderr)")
    left_out, still_searches = told.split()
    assert int(left_out) > 100_000
    assert still_searches == "True"


def _all_of(name: str) -> Iterator[str]:
    """A command and those below it."""

    def below(command: Any, path: str) -> Iterator[str]:
        yield path
        for inner in getattr(command, "commands", {}):
            yield from below(command.commands[inner], f"{path} {inner}")

    return below(_command(name), name)


def _command(name: str) -> Any:
    root: Any = typer.main.get_group(app)
    return root.get_command(None, name)


def test_help_tells_of_each_command_what_its_own_help_says() -> None:
    for name, command in COMMANDS.items():
        assert (_command(name).help or "").strip().splitlines()[0] == command.help


@pytest.mark.parametrize("name", COMMANDS)
def test_f16_no_help_shows_what_a_program_is_made_of(name: str) -> None:
    for path in _all_of(name):
        shown = CliRunner().invoke(app, [*path.split(), "--help"]).output
        assert "Usage" in shown
        assert "dataclasses" not in shown
        assert "object at 0x" not in shown
        assert "default: None" not in shown


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert CliRunner().invoke(app, ["--version"]).output == f"vasti {project['version']}\n"


def test_every_error_has_an_exit_code() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, VastiError)]
    assert len(kinds) > 20
    assert {exit_code(kind.__new__(kind)) for kind in kinds} <= {1, 3, 4, 5}
