"""How the house is kept: what packages hand out is taken from their front doors, what people do stands in actions, no
test imports another, and tests mirror the packages."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tests.support.project import ROOT

TESTS = ROOT / "tests"


def test_tests_mirror_the_packages() -> None:
    folders = {
        path.parent.relative_to(TESTS / kind)
        for kind in ("unit", "integration")
        for path in TESTS.glob(f"{kind}/**/*.py")
    }
    assert Path("geo/ingestion/loading") in folders
    assert [folder for folder in sorted(folders) if not (ROOT / folder).is_dir()] == []


def test_no_test_imports_another() -> None:
    found = [
        f"{path.relative_to(TESTS)}: {node.module}"
        for path in sorted(TESTS.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and any(part.startswith("test_") for part in [*(node.module or "").split("."), *(a.name for a in node.names)])
    ]
    assert found == []


def imports(path: Path) -> list[tuple[str, str]]:
    """Each module something is imported from, and the name of it."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    found = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return [(node.module or "", name.name) for node in found for name in node.names]


def test_what_a_package_hands_out_is_taken_from_its_front_door() -> None:
    doors = {
        ".".join(stub.parent.relative_to(ROOT).parts): {name: module for module, name in imports(stub)}
        for stub in ROOT.glob("geo/**/__init__.pyi")
    }
    assert len(doors) == 17
    passed = [
        f"{path.relative_to(ROOT)}: from {module} import {name}"
        for folder in ("geo", "maps", "service", "tests")
        for path in sorted(ROOT.joinpath(folder).rglob("*.py"))
        for module, name in imports(path)
        for door, names in doors.items()
        if module == f"{door}.{names.get(name)}" and not path.is_relative_to(ROOT.joinpath(*door.split(".")))
    ]
    assert passed == []


def test_a_front_door_hands_out_what_it_lists() -> None:
    for stub in ROOT.glob("geo/**/__init__.pyi"):
        package = import_module(".".join(stub.parent.relative_to(ROOT).parts))
        listed = {name for _, name in imports(stub)}
        assert set(package.__all__) == listed
        for name in listed:
            value = getattr(package, name)
            assert not isinstance(value, ModuleType), f"{package.__name__}.{name}"


CHANGES = {"insert", "update", "delete", "upsert", "copy_frame"}
"""What a function of the core calls that writes to a table,"""
GATE_CHANGES = {"note", "note_use", "sign_in", "sign_out", "use_link"}
"""or, of the functions of the database, `func.gate`."""

BY_OTHERS = {
    *(f"geo.ingestion.loading.{name}" for name in ("load_boundaries", "load_facilities", "load_survey")),
    *("geo.database.restore", "geo.people.Acting.note"),
}
"""What changes something by way of other modules."""

AT_THE_COMMAND_LINE = {"load_boundaries", "load_facilities", "load_survey"}
"""What the command line does while a bar shows how far it is; `service.actions.loads` notes what came of it."""


def changing(path: Path) -> Iterator[str]:
    """The public functions of a module of the core that change something stored."""
    functions = {
        node.name: list(ast.walk(node))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    called = {name: {node.func for node in nodes if isinstance(node, ast.Call)} for name, nodes in functions.items()}
    found: set[str] = set()
    while grown := {
        name
        for name, calls in called.items()
        if name not in found
        and any(
            call.id in CHANGES | found
            if isinstance(call, ast.Name)
            else isinstance(call, ast.Attribute)
            and call.attr in GATE_CHANGES
            and ast.unparse(call.value) == "func.gate"
            for call in calls
        )
    }:
        found |= grown
    return (name for name in sorted(found) if not name.startswith("_"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def uses(path: Path) -> Iterator[str]:
    """What a module takes from the core, by its full name, and `geo.people.Acting.note` where it notes something."""
    taken = [(module, name) for module, name in imports(path) if module.split(".")[0] == "geo"]
    yield from (f"{module}.{name}" for module, name in taken)
    modules = {name: f"{module}.{name}" for module, name in taken}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield f"{modules[node.value.id]}.{node.attr}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "note":
            yield "geo.people.Acting.note"


def test_what_changes_something_is_done_by_actions_alone() -> None:
    direct = {f"{module_of(path)}.{name}" for path in ROOT.glob("geo/**/*.py") for name in changing(path)}
    handed_out = {
        f"{door}.{name}"
        for stub in ROOT.glob("geo/**/__init__.pyi")
        for door in [module_of(stub.parent)]
        for module, name in imports(stub)
        if f"{door}.{module}.{name}" in direct
    }
    assert {"geo.people.note", "geo.places.add_city", "geo.surveys.set_state", "geo.people.sign_in"} <= handed_out
    forbidden = direct | handed_out | BY_OTHERS
    passed = [
        f"{path.relative_to(ROOT)}: {name}"
        for folder in ("api", "pages", "cli")
        for path in sorted(ROOT.joinpath("service", folder).rglob("*.py"))
        for name in uses(path)
        if name in forbidden and not (folder == "cli" and name.rpartition(".")[2] in AT_THE_COMMAND_LINE)
    ]
    assert passed == []
