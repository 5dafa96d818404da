"""The chapter object, figures and profiles: what a notebook shows and where it writes."""

import matplotlib.pyplot as plt
import pytest

import companion_tasks as tasks
from qednas.base.errors import InputError
from qednas.companion import figures, profiles
from qednas.companion.chapter import Chapter
from qednas.companion.results.status import collect
from small_project import write_project


@pytest.fixture
def root(tmp_path, monkeypatch):
    for name in ("QEDNAS_MODE", "QEDNAS_UPSTREAM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QEDNAS_ROOT", str(tmp_path))
    return write_project(tmp_path)


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, as text."""
    found = []
    keep = lambda *objects, **_how: found.extend(str(getattr(item, "data", item)) for item in objects)  # noqa: E731
    monkeypatch.setattr("IPython.display.display", keep)
    return found


def curve(scale=1.0):
    fig, ax = plt.subplots()
    ax.plot([0, 1], [0, scale], label="entropy")
    ax.set_xlabel("field h")
    return fig


def test_the_header_says_what_a_reader_asks(root, shown):
    chapter = Chapter("1", profile="smoke")
    (header,) = shown
    for text in ("not results", r"$S = \ln 2$", "One number", "nothing", "smoke 6 s, paper 2 min", "seed 0", "numpy 2"):
        assert text in header
    assert chapter.settings["size"] == 3
    Chapter("01", profile="paper")
    assert "not results" not in shown[-1]


def test_results_go_to_the_build_folder_under_the_chapter(root, shown, tmp_path):
    chapter = Chapter("01", profile="smoke")
    log = str(tmp_path / "log")
    result = chapter.get_or_run("first", tasks.plain, log=log, block="first")
    assert result.path == root / "_build/smoke/results/01/first.json"
    assert Chapter("02", profile="smoke").read("01/first")["value"] == 2
    assert result.provenance["origins"] == {"*": "first"}
    with pytest.raises(InputError, match="another chapter"):
        chapter.get_or_run("02/x", tasks.plain, log=log, value=1)


def test_status_names_the_setting_that_changed(root, shown, tmp_path):
    log = str(tmp_path / "log")
    chapter = Chapter("01", profile="smoke")
    chapter.get_or_run("first", tasks.plain, log=log, block="first")
    assert [(row["name"], row["state"]) for row in collect(root)][0] == ("01/first", "fresh")
    info = root / "book/chapters/01.yml"
    info.write_text(info.read_text().replace("{value: 2}", "{value: 4, more: 1}"))
    row = collect(root)[0]
    assert row["state"] == "stale"
    assert "setting value in book/chapters/01.yml is 4, was 2" in row["why"]
    assert "setting more in book/chapters/01.yml is 1, was not there" in row["why"]
    assert {(row["name"], row["state"]) for row in collect(root)[1:]} == {("01/", "missing"), ("02/", "missing")}


def test_figures_are_files_that_depend_on_the_numbers_only(root, shown):
    chapter = Chapter("01", profile="paper")
    path = root / "_build/paper/results/01/entropy.svg"
    contents = []
    for scale in (1.0, 1.0, 2.0):
        chapter.figure(curve(scale), "entropy", caption="Entropy < 1.", alt='entropy "against" field')
        contents.append(path.read_bytes())
    assert contents[0] == contents[1] != contents[2]
    assert b"<dc:date>" not in contents[0]
    assert 'alt="entropy &quot;against&quot; field"' in shown[-1]
    assert "Entropy &lt; 1." in shown[-1]
    assert not plt.get_fignums()
    for caption, alt in (("", "x"), ("x", " ")):
        with pytest.raises(InputError, match="alt text"):
            chapter.figure(curve(), "entropy", caption=caption, alt=alt)
    with pytest.raises(InputError, match="figure name"):
        chapter.figure(curve(), "../x", caption="c", alt="a")


def test_smoke_figures_are_marked_and_large_ones_become_png(root, shown, monkeypatch):
    fig = curve()
    Chapter("01", profile="smoke").figure(fig, "f", caption="c", alt="a")
    assert [text.get_text() for text in fig.texts] == [figures.WATERMARK]
    folder = root / "_build/smoke/results/01"
    assert (folder / "f.svg").is_file()
    monkeypatch.setattr(figures, "SVG_LIMIT", 100)
    monkeypatch.setattr(figures, "PNG_DPI", 20)
    Chapter("01", profile="smoke").figure(curve(), "f", caption="c", alt="a")
    assert [path.name for path in folder.iterdir()] == ["f.png"]


def test_render_mode_writes_nothing(root, shown, monkeypatch):
    monkeypatch.setenv("QEDNAS_MODE", "render")
    chapter = Chapter("01", profile="paper")
    chapter.figure(curve(), "entropy", caption="c", alt="a")
    assert not (root / "_build").exists()
    assert not (root / "results").exists()
    with pytest.raises(InputError, match="ONLY=01"):
        chapter.get_or_run("first", tasks.plain, log="x", value=1)
    with pytest.raises(InputError, match="paper profile only"):
        Chapter("01", profile="smoke")


def test_tables_and_text(root, shown):
    chapter = Chapter("01", profile="paper")
    rows = [{"n": 10, "s": 0.123456, "what": "a|b <i>"}, {"n": 12, "s": None}]
    chapter.table(rows, {"n": "sites", "s": "entropy", "what": "what"}, caption="Two rows.", formats={"s": ".2f"})
    assert "<td>0.12</td>" in shown[-1]
    assert "a|b &lt;i&gt;" in shown[-1]
    assert "<caption>Two rows.</caption>" in shown[-1]
    chapter.table([[1, 2.0]], ["a", "b"], caption="c")
    with pytest.raises(InputError, match="2 columns"):
        chapter.table([[1, 2, 3]], ["a", "b"], caption="c")
    chapter.say("S = {s:.3f}", s=0.12345)
    assert shown[-1] == "S = 0.123"
    with pytest.raises(InputError, match="does not fit"):
        chapter.say("{missing}", s=1)


def test_the_ledger_of_a_chapter(root, shown, tmp_path):
    chapter = Chapter("01", profile="paper")
    assert chapter.ledger()[0]["verdict"] == "pending"
    chapter.get_or_run("first", tasks.plain, log=str(tmp_path / "log"), value=3)
    (row,) = chapter.ledger()
    assert (row["verdict"], row["why"]) == ("holds", "value = 3, claimed at most 3")
    assert "<td>holds</td>" in shown[-1]
    Chapter("02", profile="paper").ledger()
    assert "No claim" in shown[-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: [", "01.yml, line"),
        ("- a", "a mapping with"),
        ("title: x", "claim is missing"),
        ("title: a\nclaim: a\nshows: a\nneeds: a\nminutes: {smoke: 1}", "minutes needs"),
        ("title: a\nclaim: a\nshows: a\nneeds: a\nminutes: {smoke: 1, paper: 1}\nsmoke: 3", "smoke is not a mapping"),
    ],
)
def test_malformed_chapter_files_are_named(root, text, message):
    (root / "book/chapters/01.yml").write_text(text)
    with pytest.raises(InputError, match=message):
        Chapter("01")


def test_unknown_profile_chapter_and_toc_entries(root, shown, monkeypatch):
    with pytest.raises(InputError, match="smoke or paper"):
        Chapter("01", profile="large")
    with pytest.raises(InputError, match="07.yml is missing"):
        Chapter("07")
    assert list(profiles.chapters(root)) == ["01", "02"]
    assert list(profiles.select(root, "2")) == ["02"]
    with pytest.raises(InputError, match="ONLY=9: no such chapter; there are 01 02"):
        profiles.select(root, "9")
    (root / "book/02_chapter.ipynb").unlink()
    with pytest.raises(InputError, match="02_chapter.ipynb, which does not exist"):
        profiles.chapters(root)
    monkeypatch.setenv("QEDNAS_ROOT", str(root / "book"))
    with pytest.raises(InputError, match="is not the project"):
        Chapter("01")


def test_colours_are_told_apart_with_every_kind_of_colour_vision():
    """Smallest CIE L*a*b* distance between the first six colours, as seen and with simulated dichromacy."""
    import numpy as np

    colours = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in figures.COLOURS[:6]])
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    # Dichromat projections of linear RGB: Vienot, Brettel and Mollon, Color Res. Appl. 24, 243 (1999).
    protan = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
    deutan = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    for seen in (np.eye(3), protan, deutan):
        xyz = np.clip(linear @ seen.T, 0, 1) @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
        f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        lab = np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)
        distance = np.linalg.norm(lab[:, None] - lab[None], axis=-1)[~np.eye(6, dtype=bool)]
        assert distance.min() > 10  # about four just noticeable differences


def test_how_many_processes_share_the_tasks_is_no_setting(root, shown, tmp_path):
    ch = Chapter("02", profile="paper", root=root)
    first, second = (
        ch.get_or_run("rows", tasks.campaign, tasks=2, workers=workers, log=str(tmp_path / "log")) for workers in (1, 2)
    )
    assert first.provenance["settings"] == {"tasks": 2, "log": str(tmp_path / "log")}
    assert first.key == second.key
    assert tasks.calls(tmp_path / "log") == 2
    with pytest.raises(InputError, match="workers = 0: a whole number, 1 or more"):
        ch.get_or_run("rows", tasks.campaign, tasks=3, workers=0, log=str(tmp_path / "log"))
