"""Every case is a test, by its name."""

import ast
from pathlib import Path


def named_cases() -> set[str]:
    """The cases that markers of this folder's tests name."""
    named = set()
    for module in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "case":
                named |= {str(each.value) for each in node.args if isinstance(each, ast.Constant)}
    return named


def test_every_case_is_a_test(all_cases: Path) -> None:
    folders = {f"{kind}/{each.name}" for kind in ("officer", "field") for each in all_cases.joinpath(kind).iterdir()}
    cases = {name for name in folders if all_cases.joinpath(name).is_dir()}
    assert cases
    assert cases - named_cases() == set()
