"""How the tests themselves are kept: what two of them need is in tests/support, and none imports another."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_no_test_imports_another() -> None:
    found = [
        f"{path.relative_to(TESTS)}: {node.module}"
        for path in sorted(TESTS.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and any(part.startswith("test_") for part in [*(node.module or "").split("."), *(a.name for a in node.names)])
    ]
    assert found == []
