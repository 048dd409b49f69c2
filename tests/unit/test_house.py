"""How the house is kept: what packages hand out is taken from their front doors, and no test imports another."""

import ast
from importlib import import_module
from pathlib import Path
from types import ModuleType

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent


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
    assert len(doors) == 16
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
