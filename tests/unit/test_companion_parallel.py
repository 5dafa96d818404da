"""map_tasks: the same results however many workers, however often interrupted."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import companion_tasks as tasks
from qednas.base import files
from qednas.base.errors import InputError
from qednas.base.parallel import TaskError, Work, map_tasks
from qednas.base.progress import every

JOBS = [{"seed": seed} for seed in range(4)]


def digest(rows):
    plain, arrays = files.split({"rows": rows})
    return files.digest(plain, {name: files.sha256(array.tobytes()) for name, array in sorted(arrays.items())})


def test_results_do_not_depend_on_workers_or_executor(tmp_path):
    one = map_tasks(tasks.noisy_mean, JOBS, work=Work(1))
    two = map_tasks(tasks.noisy_mean, JOBS, work=Work(2, tmp_path))
    resumed = map_tasks(tasks.noisy_mean, JOBS, work=Work(1, tmp_path))
    with ThreadPoolExecutor(3) as executor:
        threads = map_tasks(tasks.noisy_mean, JOBS, executor=executor)
    assert [row["seed"] for row in two] == [0, 1, 2, 3]
    assert digest(one) == digest(two) == digest(resumed) == digest(threads)


def test_finished_tasks_are_not_run_again(tmp_path):
    log = str(tmp_path / "log")
    jobs = [{**job, "log": log} for job in JOBS]
    map_tasks(tasks.noisy_mean, jobs[:3], work=Work(1, tmp_path / "c"))
    map_tasks(tasks.noisy_mean, jobs, work=Work(1, tmp_path / "c"))
    assert tasks.calls(log) == 4
    torn = next((tmp_path / "c").glob("000001-*.npz"))
    torn.write_bytes(torn.read_bytes()[:100])
    rows = map_tasks(tasks.noisy_mean, jobs, work=Work(1, tmp_path / "c"))
    assert tasks.calls(log) == 5
    assert digest(rows) == digest(map_tasks(tasks.noisy_mean, JOBS, work=Work(1)))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_task_is_named_and_the_finished_ones_are_kept(tmp_path, workers):
    jobs = [{"seed": seed} for seed in range(5)]
    with pytest.raises(TaskError, match=r'task 4 of 5 {"seed":3}: ZeroDivisionError: division by zero'):
        map_tasks(tasks.failing, jobs, work=Work(workers, tmp_path))
    if workers == 1:
        assert len(list(tmp_path.glob("*.json"))) == 3
        with pytest.raises(InputError, match="task 1 of 1 .*no such family"):
            map_tasks(tasks.failing, [{"seed": 3, "input": True}], work=Work(1))


def test_a_dying_worker_is_reported():
    with pytest.raises(TaskError, match="worker process died"):
        map_tasks(tasks.dying, JOBS, work=Work(2))


def test_no_task_and_no_worker():
    assert map_tasks(tasks.failing, []) == []
    with pytest.raises(InputError, match="workers = 0: a whole number, 1 or more"):
        map_tasks(tasks.failing, JOBS, work=Work(0))


def test_ctrl_c_ends_the_workers_and_keeps_what_is_finished(tmp_path):
    log = str(tmp_path / "log")
    script = tmp_path / "run.py"
    script.write_text(
        "import sys, companion_tasks as t; from pathlib import Path; from qednas.base.parallel import Work, map_tasks\n"
        "if __name__ == '__main__':\n"
        "    jobs = [{'seed': s, 'seconds': 0.3, 'log': sys.argv[1]} for s in range(40)]\n"
        "    try:\n        map_tasks(t.noisy_mean, jobs, work=Work(2, Path(sys.argv[2])))\n"
        "    except KeyboardInterrupt:\n        print('interrupted')\n        sys.exit(130)\n"
    )
    support = str(Path(tasks.__file__).parent)
    run = subprocess.Popen(
        [sys.executable, script, log, tmp_path / "c"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": support},
        start_new_session=True,
    )
    end = time.monotonic() + 20
    while len(list(tmp_path.glob("c/*.json"))) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to the workers too
    out, err = run.communicate(timeout=10)
    assert (run.returncode, out) == (130, "interrupted\n"), err
    assert len(list(tmp_path.glob("c/*.json"))) >= 2
    done = tasks.calls(log)
    time.sleep(0.7)
    assert tasks.calls(log) == done  # nobody works on


def test_progress_is_one_line_per_interval(capsys, monkeypatch):
    clock = iter(np.arange(0.0, 100.0, 2.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    progress = every(5.0, "02/dataset")
    for done in range(1, 11):
        progress(done, 10, "tfim")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("02/dataset: 3/10 tfim, ~")
