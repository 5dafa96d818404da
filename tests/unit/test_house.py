"""The package stays thin: its lines, files, folders and functions have limits, and what is longer says why."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "qednas"
FILES = sorted(PACKAGE.rglob("*.py"))
LINES, FILE, FUNCTION, FOLDER = 20_000, 350, 60, 15
REASON = "# long: "  # above a function that is longer, and why


def test_the_package_is_thin():
    assert sum(len(path.read_text().splitlines()) for path in FILES) <= LINES


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=lambda folder: folder.name)
def test_folders_have_few_files(folder):
    assert len(list(folder.glob("*.py"))) <= FOLDER


def test_files_and_functions_fit():
    for path in FILES:
        lines = path.read_text().splitlines()
        assert len(lines) <= FILE, path
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > FUNCTION:
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                assert lines[first - 2].strip().startswith(REASON), f"{path}: {node.name}"
