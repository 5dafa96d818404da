"""Whole runs of a tiny project with real kernels: finished, killed, interrupted, failing; verify and accept after them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

import companion_tasks as tasks
from qednas.base.errors import InputError
from qednas.companion import execution, run_state
from qednas.companion.accept import accept
from qednas.companion.comparison.verify import verify
from qednas.companion.results import sums
from qednas.companion.results.result import load
from small_project import SUPPORT, notebook, write_project


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project with a finished paper run (never changed by a test: copy it)."""
    root = write_project(tmp_path_factory.mktemp("finished"))
    done = run(root, "reproduce")
    assert done.returncode == 0, done.stderr
    return root, done


def start(root, *arguments, **environment):
    """Start a runner command in the project `root`."""
    values = {"QEDNAS_ROOT": str(root), "PYTHONPATH": str(SUPPORT), "TASK_LOG": str(root / "calls.log"), **environment}
    return subprocess.Popen(
        [sys.executable, "-m", "qednas.companion.runner", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **values},
        start_new_session=True,
    )


def run(root, *arguments, **environment):
    process = start(root, *arguments, **environment)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def copied(finished, tmp_path):
    """A private copy of the finished project."""
    return shutil.copytree(finished[0], tmp_path / "project")


def digests(root):
    results = root / "_build/paper/results"
    return {number: run_state.chapter_results(results, number) for number in ("01", "02")}


def test_a_finished_run(finished):
    root, done = finished
    lines = done.stderr.splitlines()
    assert lines[0] == "[1/2] 01 Chapter 01: running, about 2 min; left after it: 1 chapter, ~2 min"
    assert "      progress of the first chapter" in lines  # the kernel's stderr, live
    assert any(line.startswith("[2/2] 02 Chapter 02: running, about 2 min; the last") for line in lines)
    assert "0 of 3 results agree with results/paper, 0 do not, 3 new" in done.stdout
    state = json.loads((root / "_build/paper/run.json").read_text())
    assert state["state"] == "finished"
    assert list(state["chapters"]) == ["01", "02"]
    results = root / "_build/paper/results"
    assert load(results, "02/double")["value"] == 6
    assert load(results, "01/first").provenance["profile"] == "paper"
    assert load(results, "01/first").provenance["threads"]["OMP_NUM_THREADS"] == "1"
    assert (results / "01/line.svg").is_file()
    executed = json.loads((root / "_build/paper/book/01_chapter.ipynb").read_text())
    assert "The value is 3.00." in json.dumps(executed)
    assert sorted(path.name for path in (root / "_build/paper/book").iterdir()) == [
        "01_chapter.ipynb",
        "02_chapter.ipynb",
    ]


def test_killed_anywhere_the_next_run_ends_with_the_same_results(finished, tmp_path):
    root = write_project(tmp_path)
    log = root / "calls.log"
    process = start(root, "reproduce", TASK_SECONDS="0.4")
    wait(lambda: tasks.calls(log) >= 3, process)  # the first chapter and some tasks of the second
    process.kill()
    process.communicate()
    wait(lambda: not writes(log), None)  # the kernel ends with its parent
    before = tasks.calls(log)
    assert before < 6
    again = run(root, "reproduce")
    assert again.returncode == 0, again.stderr
    assert "going on with the interrupted paper run; it had 1 of 2 chapters" in again.stderr
    assert "[1/2] 01 Chapter 01: kept" in again.stderr
    # Settings of the slow run are those of the quick one but for the time: tasks are counted, values compared.
    assert (
        load(root / "_build/paper/results", "02/double").digest
        == load(finished[0] / "_build/paper/results", "02/double").digest
    )
    assert digests(root)["02"]["02/rows"] == digests(finished[0])["02"]["02/rows"]
    assert not list((root / "_build/paper/results/.partial").iterdir())


def writes(log):
    """Whether somebody is still writing to the log."""
    size = log.stat().st_size
    time.sleep(1.2)
    return log.stat().st_size != size


def wait(condition, process, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


def test_ctrl_c_is_one_line_and_a_second_run_is_refused_meanwhile(tmp_path):
    root = write_project(tmp_path)
    process = start(root, "reproduce", "--profile", "smoke", TASK_SECONDS="2")
    wait(lambda: tasks.calls(root / "calls.log") >= 2, process)
    second = run(root, "reproduce", "--profile", "smoke")
    assert second.returncode == 2
    assert second.stderr.startswith("qednas: error: another run of the smoke profile is going on")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert err.splitlines()[-1].startswith("qednas: interrupted;")
    assert "Traceback" not in err
    assert not list((root / "_build/smoke/book").glob(".*"))
    assert not writes(root / "calls.log")


def test_a_failing_chapter_is_one_line(tmp_path):
    root = write_project(tmp_path)
    failed = run(root, "reproduce", "--profile", "smoke", TASK_FAILS="1")
    assert failed.returncode == 1
    last = failed.stderr.splitlines()[-1]
    assert last.startswith("qednas: error: chapter 02, 02_chapter.ipynb, cell 5: ValueError: broken on purpose")
    assert "Traceback" not in failed.stderr
    assert (root / "_build/smoke/book/02_chapter.failed.ipynb").is_file()
    assert not (root / "_build/smoke/book/02_chapter.ipynb").exists()


def test_accept_then_verify_one_chapter_and_render(finished, tmp_path):
    root = copied(finished, tmp_path)
    taken = accept(root)
    assert taken == ["01/first", "02/double", "02/rows"]
    assert (root / "results/paper/01/line.svg").is_file()
    assert (root / "results/paper/02/rows.tasks").is_file()
    assert not sums.problems(root / "results/paper")
    assert not [path for path in (root / "results").iterdir() if path.name != "paper"]
    lines = []
    assert verify(root, "paper", write=lines.append) == 0
    assert lines[-1] == "verify: 3 of 3 results agree with results/paper, 0 do not"
    # One chapter, from scratch, on the committed results of the other.
    before = tasks.calls(root / "calls.log")
    one = run(root, "reproduce", "--only", "2", TASK_LOG=str(finished[0] / "calls.log"))
    assert one.returncode == 0, one.stderr + one.stdout
    assert "2 of 2 results agree" in one.stdout
    assert tasks.calls(finished[0] / "calls.log") >= before
    with pytest.raises(InputError, match="the last full run is altered"):
        accept(root)
    assert accept(root, only="02") == ["02/double", "02/rows"]
    assert (root / "results/paper/01/line.svg").is_file()
    # Rendering reads the committed results and writes nowhere but into its folder.
    shown = subprocess.run(
        [sys.executable, "-c", "import sys; from pathlib import Path; from qednas.companion.execution import render_chapters;"
         "render_chapters(Path(sys.argv[1]))", tmp_path / "out"],
        env={**os.environ, "QEDNAS_ROOT": str(root), "PYTHONPATH": str(SUPPORT), "TASK_LOG": str(tmp_path / "no.log")},
        capture_output=True, text=True,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "The value is 3.00." in (tmp_path / "out/01_chapter.ipynb").read_text()
    assert not (tmp_path / "no.log").exists()


def test_verify_names_what_is_wrong(finished, tmp_path):
    root = copied(finished, tmp_path)
    accept(root)
    committed = root / "results/paper/01/first.json"
    from qednas.base import files

    record = files.read_record(committed)
    header = {key: record[key] for key in ("name", "key", "tolerance", "provenance")}
    files.write_record(committed, {"value": 3.001}, header)
    (root / "_build/paper/results/02/double.json").unlink()
    rows = root / "_build/paper/results/02/rows.npz"
    rows.write_bytes(rows.read_bytes()[:-9])
    lines = []
    assert verify(root, "paper", write=lines.append) == 1
    text = "\n".join(lines)
    assert "01/first" in text
    assert "COMMITTED FILE it is not what was accepted" in text
    assert "MISMATCH in 1 of 1: value deviates by 0.00033, allowed 1e-12" in text
    assert "verify: claim C1 does not hold by the committed results, holds by this run" in text
    assert "02/double" in text
    assert "MISSING in this run" in text
    assert "CORRUPT" in text
    assert lines[-1] == "verify: 0 of 3 results agree with results/paper, 3 do not"


def test_smoke_values_are_expected_and_compared(tmp_path):
    root = write_project(tmp_path)
    assert run(root, "reproduce", "--profile", "smoke").returncode == 0
    done = run(root, "expect")
    assert done.returncode == 0, done.stderr
    assert "3 smoke results are what the tests expect now" in done.stdout
    kept = sorted(path.relative_to(root / "results/smoke").as_posix() for path in (root / "results/smoke").rglob("*.*"))
    assert kept == ["01/first.json", "02/double.json", "02/rows.json", "02/rows.npz"]
    done = run(root, "verify", "--profile", "smoke")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        "verify: 3 of 3 results agree with results/smoke, 0 do not",
    )
    info = root / "book/chapters/01.yml"
    info.write_text(info.read_text().replace("{value: 2}", "{value: 4}"))
    done = run(root, "reproduce", "--profile", "smoke")
    assert done.returncode == 1
    assert "01/first" in done.stdout
    assert "the settings of the run is not the committed one" in done.stdout
    # One chapter alone builds on what is expected of the others.
    shutil.rmtree(root / "_build")
    assert run(root, "reproduce", "--profile", "smoke", "--only", "02").returncode == 0


def test_recorded_tasks_are_taken_over_only_where_that_is_asked_for(finished, tmp_path):
    root = copied(finished, tmp_path)
    accept(root)
    settings = {"TASK_LOG": str(finished[0] / "calls.log")}
    before = tasks.calls(finished[0] / "calls.log")
    done = run(root, "reproduce", "--only", "02", "--recall", **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert tasks.calls(finished[0] / "calls.log") == before
    assert run(root, "reproduce", "--only", "02", **settings).returncode == 0
    assert tasks.calls(finished[0] / "calls.log") == before + 5


def test_accept_refuses_what_is_no_finished_paper_run(finished, tmp_path):
    empty = write_project(tmp_path / "empty")
    for arguments in ((empty,), (empty, "paper")):
        with pytest.raises(InputError, match="run make reproduce first"):
            accept(*arguments)
    with pytest.raises(InputError, match="smoke numbers are not results"):
        accept(empty, "smoke")
    root = copied(finished, tmp_path)
    with pytest.raises(InputError, match="no finished run of chapter 02"):
        accept(root, only="02")
    state = run_state.read_state(root / "_build/paper")
    state.state = run_state.RUNNING
    state.write(root / "_build/paper")
    with pytest.raises(InputError, match="the last full run is running"):
        accept(root)
    state.state = run_state.FINISHED
    state.write(root / "_build/paper")
    (root / "book/chapters/01.yml").write_text(
        (root / "book/chapters/01.yml").read_text().replace("value: 3", "value: 4")
    )
    with pytest.raises(InputError, match=r"01/first is stale \(setting value"):
        accept(root)
    path = root / "_build/paper/results/02/rows.json"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="rows.json is truncated"):
        accept(root)
    assert not (root / "results").exists()


def test_verify_without_a_run(tmp_path):
    root = write_project(tmp_path)
    with pytest.raises(InputError, match="run make reproduce PROFILE=smoke first"):
        verify(root, "smoke")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ('profile = "smoke"', "has no parameter seed; it has profile"),
        ('profile = "smoke"\nseed = int(0)', "'seed = int\\(0\\)' is not name = literal"),
        ('profile = "smoke"\nseed: int = 0', "is not name = literal"),
    ],
)
def test_parameters_are_checked_before_anything_runs(tmp_path, parameters, message):
    path = tmp_path / "01_x.ipynb"
    path.write_text(json.dumps(notebook(["1"], parameters)))
    with pytest.raises(InputError, match=message):
        execution.execute(path, tmp_path / "out.ipynb", {"profile": "smoke", "seed": 0}, {})
    path.write_text("{")
    with pytest.raises(InputError, match="is not a notebook"):
        execution.parameters_of(path)
