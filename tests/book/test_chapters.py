"""Chapters as they are committed: without outputs, short, with captions, and told by the table of contents."""

import ast

import nbformat
import pytest

from qednas.companion import paths, profiles

ROOT = paths.project_root()
CHAPTERS = profiles.chapters(ROOT)
STRIPPED_KEYS = ("papermill", "execution", "ExecuteTime", "collapsed", "scrolled")


@pytest.fixture(params=sorted(CHAPTERS), ids=lambda number: f"chapter-{number}")
def number(request):
    return request.param


@pytest.fixture
def notebook(number):
    found = nbformat.read(CHAPTERS[number], as_version=4)
    nbformat.validate(found)
    return found


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def calls(notebook, method):
    """Calls ch.<method>(...) in the code cells."""
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == method
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "ch"
            ):
                yield node


def test_every_notebook_of_the_folder_is_in_the_table_of_contents():
    assert sorted(CHAPTERS.values()) == sorted((ROOT / "book").glob("*.ipynb"))


def test_stripped_of_outputs_and_execution_metadata(notebook):
    for key in STRIPPED_KEYS:
        assert key not in notebook.metadata
    for cell in notebook.cells:
        assert not [key for key in STRIPPED_KEYS if key in cell.metadata], cell.source
    for cell in code_cells(notebook):
        assert cell.outputs == [], cell.source
        assert cell.execution_count is None, cell.source


def test_short(notebook):
    assert len(notebook.cells) <= 30
    for cell in code_cells(notebook):
        assert len(cell.source.splitlines()) <= 15, cell.source


def test_parameters_cell_is_exact_and_first(notebook):
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert [cell.source for cell in tagged] == ['profile = "smoke"\nseed = 0']
    assert code_cells(notebook)[0] is tagged[0]


def test_opens_with_a_title_and_the_chapter_object(number, notebook):
    first = notebook.cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert f'ch = Chapter("{number}", profile=profile, seed=seed)' in code_cells(notebook)[1].source


def test_ends_with_its_ledger(number, notebook):
    if number == "17":
        assert any("claims.evaluate" in cell.source for cell in code_cells(notebook))  # the whole ledger
    else:
        assert "ch.ledger()" in code_cells(notebook)[-1].source


def test_figures_have_name_caption_and_alternative_text(notebook):
    for call in calls(notebook, "figure"):
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        assert {"caption", "alt"} <= set(keywords), ast.unparse(call)
        assert isinstance(ast.literal_eval(call.args[1]), str)
        for name in ("caption", "alt"):
            if isinstance(keywords[name], ast.Constant):
                assert keywords[name].value.strip(), ast.unparse(call)


def test_tables_have_captions(notebook):
    for call in calls(notebook, "table"):
        assert "caption" in {keyword.arg for keyword in call.keywords}, ast.unparse(call)


def test_figures_are_shown_by_the_chapter_object_only(notebook):
    for cell in code_cells(notebook):
        assert "plt.show" not in cell.source
        assert "savefig" not in cell.source


def test_settings_for_both_profiles(number):
    info = profiles.chapter_info(ROOT, number)
    for profile in profiles.PROFILES:
        info.for_profile(profile)
    assert set(info.settings["smoke"]) == set(info.settings["paper"])
