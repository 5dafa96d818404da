"""The audit: what it draws, what it finds, how it goes on, and what it stamps."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import companion_tasks as tasks
from qednas.base import files
from qednas.base.errors import InputError
from qednas.companion.comparison import audit as module
from qednas.companion.comparison.audit import audit
from qednas.companion.comparison.audit_plan import Item, Journal, draw_items, read_run
from qednas.companion.comparison.consistency import inconsistencies
from qednas.companion.results import records, sums
from qednas.companion.results.result import load
from qednas.companion.results.status import collect
from qednas.companion.results.store import Store
from small_project import SUPPORT, write_project


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with committed paper results: a study with recorded tasks, its verdict, a result without tasks."""
    root = write_project(tmp_path / "project")
    monkeypatch.setenv("QEDNAS_ROOT", str(root))
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT))
    monkeypatch.setenv("TASK_LOG", str(root / "calls.log"))
    folder = root / "results/paper"
    store = Store(folder, profile="paper")
    store.get_or_run("01/runs", tasks.trainings, tolerance="statistical", methods=["a", "b"], seeds=4)
    store.get_or_run("01/verdict", tasks.mean_error, upstream=["01/runs"], tolerance="statistical")
    store.get_or_run("02/first", tasks.plain, tolerance="exact", log=str(root / "calls.log"), value=3)
    sums.write_sums(folder)
    return root


def told(root, **options):
    lines = []
    status = audit(root, write=lines.append, minutes=1, **options)
    return status, "\n".join(lines)


def rewritten(root, name, change):
    """Change the data of a committed result as an author would who also writes its checksums anew."""
    path = root / f"results/paper/{name}.json"
    record = files.read_record(path)
    data = files.whole_data(path, record)
    change(data)
    files.write_record(path, data, {key: record[key] for key in ("name", "key", "tolerance", "provenance")})
    result = load(root / "results/paper", name)
    recorded = records.read_tasks(records.path_of(path), record["digest"])
    if recorded is not None:
        records.write_tasks(records.path_of(path), result.digest, recorded.tasks)
    sums.write_sums(root / "results/paper")


def test_an_untouched_run_agrees_and_says_how_much_was_looked_at(project):
    status, text = told(project)
    assert status == 0
    assert "10 of 10 tasks of 3 of 3 results computed again" in text
    assert "(100.0%)" in text
    assert "0 deviate" in text
    assert not list((project / "_build/audit").iterdir())


def test_a_value_changed_in_a_row_in_a_verdict_or_in_a_task_is_found(project):
    def row(data):
        data["runs"][3]["error"] *= 1.05

    def verdict(data):
        data["mean"] *= 1.05

    for name, change in (("01/runs", row), ("01/verdict", verdict)):
        shutil.copytree(project / "results", project / "kept")
        rewritten(project, name, change)
        status, text = told(project)
        assert status == 1, name
        assert name in text
        shutil.rmtree(project / "results")
        (project / "kept").rename(project / "results")
    path = project / "results/paper/01/runs.tasks"
    result = load(project / "results/paper", "01/runs")
    recorded = records.read_tasks(path, result.digest).tasks
    recorded[5].output["error"] += 0.01
    records.write_tasks(path, result.digest, recorded)
    sums.write_sums(project / "results/paper")
    status, text = told(project, chapter="1")
    assert status == 1
    assert "01/runs: error deviates" in text


def test_an_edited_file_is_named_without_computing(project):
    path = project / "results/paper/02/first.json"
    path.write_text(path.read_text().replace('"value": 3', '"value": 4'))
    status, text = told(project, chapter="01")
    assert status == 0  # of another chapter
    status, text = told(project)
    assert status == 1
    assert "02/first: it is not what was accepted" in text


def test_results_whose_code_changed_are_stamped_once_their_tasks_agree(project, monkeypatch):
    real = module.provenance.code_behind
    changed = lambda name: ({**real(name)[0], "qednas.base.errors": "0" * 12}, real(name)[1])  # noqa: E731
    monkeypatch.setattr("qednas.companion.results.provenance.code_behind", changed)
    states = {row["name"]: row["state"] for row in collect(project) if row["store"] == "results/paper"}
    assert states == {"01/runs": "unverified", "01/verdict": "unverified", "02/first": "unverified"}
    status, text = told(project, unverified=True, chapter="01")
    assert status == 0
    assert "2 results stamped with the code of today: 01/runs, 01/verdict" in text
    states = {row["name"]: row["state"] for row in collect(project) if row["store"] == "results/paper"}
    assert states == {"01/runs": "fresh", "01/verdict": "fresh", "02/first": "unverified"}
    assert not sums.problems(project / "results/paper")
    stamp = load(project / "results/paper", "01/runs").provenance["audited"]
    assert stamp["tasks"] >= 3
    with pytest.raises(InputError, match=r"no task to audit: chapter 01 has no unverified result"):
        told(project, unverified=True, chapter="01")


def test_every_second_of_the_run_is_as_likely_to_be_drawn_as_any_other():
    """The first item drawn is one of weight w with chance w / sum: 20,000 draws, four standard errors."""
    items = [Item("01/a", str(k), seconds) for k, seconds in enumerate((1.0, 2.0, 5.0, 12.0))]
    counts = (
        np.bincount([int(draw_items(items, seed, False)[0].identity) for seed in range(20_000)], minlength=4) / 20_000
    )
    expected = np.array([1, 2, 5, 12]) / 20
    assert np.all(np.abs(counts - expected) < 4 * np.sqrt(expected * (1 - expected) / 20_000))
    many = [Item(f"0{k % 3}/x", str(k), 1.0 + k) for k in range(60)]
    assert {item.result for item in draw_items(many, 0, True)[:9]} == {"00/x", "01/x", "02/x"}
    assert sorted(item.key for item in draw_items(many, 0, True)) == sorted(item.key for item in many)


def test_bad_arguments_are_one_line(project):
    for options, message in (
        ({"minutes": 0.0}, "MINUTES=0: a positive number"),
        ({"minutes": float("nan")}, "MINUTES=nan"),
        ({"chapter": "09"}, "ONLY=09|no such chapter"),
    ):
        with pytest.raises(InputError, match=message):
            audit(project, write=lambda line: None, **{"minutes": 1.0, **options})
    with pytest.raises(InputError, match="no unverified result"):
        told(project, unverified=True)


def test_an_interrupted_audit_goes_on(project):
    journal = Journal(project, project / "results/paper", [1.0, 0, None, False])
    item = read_run(project / "results/paper").items[0]
    journal.path.parent.mkdir(parents=True)
    journal.add(item.key, [], 5.0)
    lines = []
    assert audit(project, minutes=1.0, write=lines.append) == 0
    assert "going on with 1 tasks done in 5 s" in lines[0]
    assert not journal.path.exists()


def test_a_task_that_fails_now_is_a_deviation(project, monkeypatch):
    path = project / "results/paper/01/runs.tasks"
    result = load(project / "results/paper", "01/runs")
    recorded = list(records.read_tasks(path, result.digest).tasks)
    del recorded[2].arguments["seed"]
    records.write_tasks(path, result.digest, recorded)
    sums.write_sums(project / "results/paper")
    status, text = told(project, chapter="01")
    assert status == 1
    assert "01/runs: task KeyError: 'seed'" in text
    assert "a task of scatter is not recorded" in text


def test_consistency_needs_no_computing(project):
    assert inconsistencies(project / "results/paper", "01/runs") == []
    assert inconsistencies(project / "results/paper", "01/verdict") == []


def test_the_inputs_of_a_result_are_those_that_it_was_made_from(project, tmp_path):
    """A run of one chapter builds on committed results; an input that is another by now is none."""
    committed, run = (
        project / "results/paper",
        Store(tmp_path / "run", fallback=project / "results/paper", profile="paper"),
    )
    run.get_or_run("01/verdict", tasks.mean_error, upstream=["01/runs"], tolerance="statistical")
    assert inconsistencies(run.root, "01/verdict", committed) == []
    for others in ((), (tmp_path / "elsewhere",)):
        (missing,) = inconsistencies(run.root, "01/verdict", *others)
        assert missing.why == "01/verdict: the input 01/runs that it was made from is not here"
    rewritten(project, "01/runs", lambda data: data["runs"][3].update(error=9.0))
    (other,) = inconsistencies(run.root, "01/verdict", committed)
    assert "that it was made from is not here" in other.why


def test_what_is_stale_is_named_and_not_drawn_from(project):
    rewritten(project, "01/runs", lambda data: None)
    Store(project / "results/paper", profile="paper").get_or_run(
        "01/runs", tasks.trainings, tolerance="statistical", methods=["a", "b"], seeds=5
    )
    sums.write_sums(project / "results/paper")
    status, text = told(project)
    assert status == 0
    assert "audit: stale, so not drawn from: 01/verdict" in text
    assert "of 2 of 2 results computed again" in text


def test_from_the_command_line(project):
    done = subprocess.run(
        [sys.executable, "-m", "qednas.companion.runner", "audit", "--minutes", "0.5", "--seed", "3"],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(SUPPORT)}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "0 deviate" in done.stdout
    listed = (project / "results/paper" / sums.NAME).read_text()
    assert set(json.loads(json.dumps(listed.split()[1::2]))) == {
        "01/runs.json", "01/runs.tasks", "01/verdict.json", "02/first.json",
    }  # fmt: skip
    assert Path(project / "results/paper/SHA256SUMS").is_file()
