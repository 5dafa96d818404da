"""The result store: what is kept, what makes it stale, and what it refuses."""

import errno
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
from qednas.base.task import declare, every_piece
from qednas.companion.comparison.consistency import inconsistencies
from qednas.companion.results import provenance, records
from qednas.companion.results.result import load
from qednas.companion.results.store import Store
from qednas.companion.results.tasks import declared_names, declaring_modules


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results", profile="paper")


@pytest.fixture
def log(tmp_path):
    return str(tmp_path / "calls.log")


def test_a_result_is_computed_once_and_comes_back_whole(store, log):
    first = store.get_or_run("02/small", tasks.small, log=log)
    again = store.get_or_run("02/small", tasks.small, log=log)
    assert tasks.calls(log) == 1
    assert again.digest == first.digest
    assert again["energy"] == -1.25
    assert again["levels"] == [1, 2.5, None]
    assert again["spectra"]["gap"] == 0.5
    np.testing.assert_array_equal(again["spectra"]["tfim"], [0, 0.5, 1])
    assert again.at("spectra.tfim.1") == 0.5
    assert set(again) == {"energy", "spectra", "levels"}


def test_changing_a_loaded_array_changes_nothing_in_the_store(store, log):
    result = store.get_or_run("02/small", tasks.small, log=log)
    result["spectra"]["tfim"][:] = 9
    np.testing.assert_array_equal(result["spectra"]["tfim"], [0, 0.5, 1])


def test_provenance_tells_where_a_number_comes_from(store, log):
    record = store.get_or_run("02/small", tasks.small, log=log, n=4).provenance
    assert record["profile"] == "paper"
    assert record["settings"] == {"log": log, "n": 4}
    assert {"python", "qednas", "numpy"} <= set(record["versions"])
    assert record["threads"]["OMP_NUM_THREADS"] == "1"
    assert record["peak_memory_mb"] > 1
    assert record["seconds"] >= 0
    assert {"companion_tasks", "qednas.base.errors"} <= set(record["code"])
    assert not any(name.startswith("qednas.companion") for name in record["code"])
    assert (record["version"], record["pieces"], record["data"]) == (1, {}, {})
    assert set(record["libraries"]) == {"numpy"}
    assert "OpenBLAS" in record["processor"]


def test_equal_content_gives_equal_files(tmp_path, log):
    paths = []
    for folder in ("a", "b"):
        store = Store(tmp_path / folder)
        paths.append(store.get_or_run("02/small", tasks.small, log=log).path.with_suffix(".npz"))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_key_changes_with_settings_and_upstream_only(tmp_path, log):
    store = Store(tmp_path / "a")
    key = store.get_or_run("02/up", tasks.plain, log=log, value=1).key
    assert store.get_or_run("02/up", tasks.plain, log=log, value=2).key != key
    # Neither the profile nor the place nor the tolerance class enters.
    other = Store(tmp_path / "b", profile="paper", seed=3)
    assert other.get_or_run("02/up", tasks.plain, tolerance="exact", log=log, value=1).key == key
    down = other.get_or_run("03/down", tasks.doubled, upstream=["02/up"])
    assert down["value"] == 2
    other.get_or_run("02/up", tasks.plain, log=log, value=5)
    row = other.status()[1]
    assert {key: row[key] for key in ("name", "state", "why", "compared")} == {
        "name": "03/down",
        "state": "stale",
        "why": "upstream 02/up changed",
        "compared": 1.0,
    }
    assert other.get_or_run("03/down", tasks.doubled, upstream=["02/up"])["value"] == 10


def test_a_measured_time_makes_nothing_stale(store):
    for seconds, value, computed in ((1.0, 3, 6), (2.0, 3, 6), (2.0, 4, 8)):
        store.get_or_run("02/up", tasks.timed, value=value, note=seconds)
        before = store.root.joinpath("03/down.json").stat().st_mtime_ns if computed == 6 and seconds == 2.0 else None
        down = store.get_or_run("03/down", tasks.doubled, upstream=["02/up"])
        assert down["value"] == computed
        assert before is None or down.path.stat().st_mtime_ns == before


def test_a_new_tolerance_class_is_recorded_without_computing_again(store, log):
    first = store.get_or_run("02/small", tasks.small, log=log)
    second = store.get_or_run("02/small", tasks.small, tolerance={"*": "exact", "energy": "converged"}, log=log)
    assert tasks.calls(log) == 1
    assert second.tolerance == {"*": "exact", "energy": "converged"}
    assert second.digest == first.digest
    np.testing.assert_array_equal(second["spectra"]["tfim"], first["spectra"]["tfim"])


def test_a_data_file_enters_the_key(store, log, tmp_path):
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"one")
    key = store.get_or_run("03/p", tasks.plain, source_files=[weights], log=log, value=1).key
    weights.write_bytes(b"two")
    assert store.get_or_run("03/p", tasks.plain, source_files=[weights], log=log, value=1).key != key
    weights.unlink()
    with pytest.raises(InputError, match="weights.bin"):
        store.get_or_run("03/p", tasks.plain, source_files=[weights], log=log, value=1)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package pk: work imports near, near imports deep (inside a function, relatively); aside is not imported."""
    folder = tmp_path / "lib" / "pk"
    (folder / "sub").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "sub" / "__init__.py").write_text("")
    (folder / "work.py").write_text("from pk.sub import near\n\ndef fn(n):\n    return {'n': near.times(n)}\n")
    (folder / "sub" / "near.py").write_text("def times(n):\n    from ..deep import FACTOR\n    return FACTOR * n\n")
    (folder / "deep.py").write_text('"""Doc."""\nFACTOR = 2\n')
    (folder / "aside.py").write_text("X = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "pk"]:
        del sys.modules[name]


def test_the_code_behind_a_result_is_what_it_imports_and_nothing_else(package):
    import pk.work

    def key():
        return files.canonical(provenance.code_behind(pk.work.__name__)[0])

    first = key()
    assert set(json.loads(first)) == {"pk", "pk.work", "pk.sub", "pk.sub.near", "pk.deep"}
    (package / "aside.py").write_text("X = 2  # not imported\n")
    (package / "deep.py").write_text('"""Another text."""\n\n# a comment\nFACTOR  =  2\n')
    assert key() == first
    (package / "deep.py").write_text("FACTOR = 3\n")
    assert key() != first
    assert {name for name, value in json.loads(key()).items() if json.loads(first)[name] != value} == {"pk.deep"}


def test_a_changed_module_makes_results_unverified_and_nothing_is_computed_again(package, tmp_path):
    work = package / "work.py"
    head = "from qednas.base.task import declare\n"
    work.write_text(head + work.read_text().replace("def fn", "@declare(version=1)\ndef fn"))
    store = Store(tmp_path / "results")

    def made():
        for name in [name for name in sys.modules if name.split(".")[0] == "pk"]:
            del sys.modules[name]
        import pk.work

        return store.get_or_run("02/n", pk.work.fn, n=2)

    first = made()
    assert store.status()[0]["state"] == "fresh"
    (package / "deep.py").write_text("TWO = 2\nFACTOR = TWO\n")
    row = store.status()[0]
    assert (row["state"], row["why"]) == ("unverified", "code of pk.deep changed")
    assert made().path.stat().st_mtime_ns == first.path.stat().st_mtime_ns
    work.write_text(work.read_text().replace("version=1", "version=2"))
    made_again = made()
    assert made_again.key != first.key
    assert store.status()[0]["state"] == "fresh"


def forget(package="pk"):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]


def test_a_task_that_moved_to_another_module_is_found_and_nothing_is_computed_again(package, tmp_path):
    text = "from qednas.base.task import declare\n\n@declare(version=1)\ndef squared(n):\n    return {'n': n * n}\n"
    (package / "first.py").write_text(text)
    from pk.first import squared

    store = Store(tmp_path / "results")
    before = store.get_or_run("02/n", squared, n=3).path.stat().st_mtime_ns
    forget()
    (package / "first.py").rename(package / "sub" / "second.py")
    row = store.status()[0]
    assert (row["state"], row["why"]) == (
        "unverified",
        "now also uses pk.sub, pk.sub.second; no longer uses pk.first",
    )
    for k in range(3):
        (package / "sub" / f"z{k}.py").write_text("")
    (package / "sub" / "second.py").write_text("from pk.sub import z0, z1, z2\n" + text)
    assert (
        store.status()[0]["why"] == "now also uses pk.sub, pk.sub.second, pk.sub.z0 and 2 more; no longer uses pk.first"
    )
    from pk.sub.second import squared as moved

    assert store.get_or_run("02/n", moved, n=3).path.stat().st_mtime_ns == before
    (package / "third.py").write_text(text)
    declaring_modules.cache_clear()
    assert "pk.sub.second and pk.third declare a task squared" in store.status()[0]["why"]
    (package / "third.py").unlink()
    (package / "sub" / "second.py").write_text(text.replace("squared", "cubed"))
    declaring_modules.cache_clear()
    assert store.status()[0]["why"] == "pk.first.squared no longer exists, and no module declares a task squared"


def test_only_another_version_of_a_library_makes_a_result_stale(store, log, monkeypatch):
    store.get_or_run("02/small", tasks.small, log=log)
    behind = provenance.code_behind
    for libraries, calls, why in (
        ({"numpy": provenance.version_of("numpy"), "torch": "2.0"}, 1, ""),  # used as well now: a change of the code
        ({"numpy": "0.1"}, 2, f"library numpy is 0.1, was {provenance.version_of('numpy')}"),
    ):
        monkeypatch.setattr(provenance, "code_behind", lambda module, now=libraries: (behind(module)[0], now))
        assert store.status()[0]["why"] == why
        store.get_or_run("02/small", tasks.small, log=log)
        assert tasks.calls(log) == calls


def test_no_two_tasks_of_the_project_have_one_name():
    files_of = [path for top, folder in provenance.package_folders().items() for path in (folder / top).rglob("*.py")]
    names = [name for path in files_of for name in declared_names(path.read_text())]
    assert len(names) > 100
    assert sorted(names) == sorted(set(names))


def test_what_a_study_does_to_what_its_tasks_gave_is_not_recorded(store):
    result = store.get_or_run("04/t", tasks.taken_apart, seeds=3, workers=1)
    recorded = records.read_tasks(records.path_of(result.path), result.digest)
    assert [one.output["mean"] for one in recorded.tasks] == result["means"]
    assert inconsistencies(store.root, "04/t") == []
    again = Store(store.root.parent / "again", recalled=store.root)
    assert again.get_or_run("04/t", tasks.taken_apart, seeds=3, workers=1).digest == result.digest


def test_two_pieces_of_one_name_are_refused():
    @declare(version=1)
    def one(task):
        return {}

    same = declare(version=1)(lambda task: {})
    same.__qualname__ = one.__qualname__

    @declare(version=1, pieces=(one, same))
    def whole():
        return {}

    with pytest.raises(InputError, match="two pieces of .*whole are called .*one: give one another name"):
        every_piece(whole)


def test_a_task_without_a_version_or_with_tasks_that_it_does_not_declare_is_refused(store):
    with pytest.raises(InputError, match=r"^companion_tasks.undeclared is a task without a version: write @declare"):
        store.get_or_run("02/u", tasks.undeclared, value=1)
    with pytest.raises(InputError, match=r"02/c: noisy_mean runs as a task but is not among the pieces"):
        store.get_or_run("02/c", tasks.careless, tasks=2)
    for version in (0, 1.5, True, "1"):
        with pytest.raises(InputError, match="task version"):
            declare(version)
    assert not list(store.root.rglob("*.json"))


def test_tasks_are_recorded_beside_their_result_and_taken_over_from_there(store, tmp_path, log):
    result = store.get_or_run("04/c", tasks.campaign, tasks=3, workers=1, log=log)
    recorded = records.read_tasks(records.path_of(result.path), result.digest)
    assert [one.arguments["seed"] for one in recorded.tasks] == [0, 1, 2]
    assert recorded.whole
    assert [one.output["mean"] for one in recorded.tasks] == result["means"]
    np.testing.assert_array_equal(recorded.tasks[1].output["spectrum"], result["spectra"][1])
    again = Store(tmp_path / "again", recalled=store.root)
    assert tasks.calls(log) == 3
    assert again.get_or_run("04/c", tasks.campaign, tasks=4, workers=1, log=log)["means"][:3] == result["means"]
    assert tasks.calls(log) == 4  # the fourth only


@pytest.mark.parametrize("damage", [b"", b"x" * 40, None])
def test_a_damaged_record_of_tasks_is_named(store, log, damage):
    result = store.get_or_run("04/c", tasks.campaign, tasks=2, workers=1, log=log)
    path = records.path_of(result.path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20] if damage is None else damage)
    with pytest.raises(files.CorruptFile, match=r"c.tasks is truncated or no record"):
        records.read_tasks(path, result.digest)
    path.write_bytes(whole)
    with pytest.raises(files.CorruptFile, match="another version of its result"):
        records.read_tasks(path, "0" * 64)


def test_large_arrays_are_recorded_by_projections(store, log, monkeypatch):
    monkeypatch.setattr(records, "LARGEST", 3000)
    result = store.get_or_run("04/c", tasks.campaign, tasks=3, workers=1, log=log)
    recorded = records.read_tasks(records.path_of(result.path), result.digest)
    assert not recorded.whole
    sums = list(recorded.projected.values())[0]
    output = tasks.noisy_mean({"seed": 0})
    assert sums == records.projected(output)
    output["spectrum"][3] *= 1.05
    assert sums["spectrum"]["projections"] != records.projected(output)["spectrum"]["projections"]


def test_every_part_of_the_header_is_under_the_seal(store, log):
    result = store.get_or_run("02/small", tasks.small, log=log)
    whole = json.loads(result.path.read_text())
    for change in (
        {"tolerance": "timing"},
        {"key": "0" * 64},
        {"provenance": {**whole["provenance"], "profile": "smoke"}},
        {"provenance": {**whole["provenance"], "seconds": 1e6}},
        {"provenance": {}},
        {"arrays": {**whole["arrays"], "file": "../../x.npz"}},
    ):
        result.path.write_text(json.dumps({**whole, **change}))
        row = store.status()[0]
        assert row["state"] == "corrupt", change
        assert "seal" in row["why"]
    result.path.write_text("[" * 5000 + "]" * 5000)
    assert store.status()[0]["state"] == "corrupt"
    forged = files.sealed({**whole, "arrays": {**whole["arrays"], "file": "../../x.npz"}})
    result.path.write_text(json.dumps(forged))
    assert "not its own file" in store.status()[0]["why"]


@pytest.mark.parametrize("kind", ["nan", "inf", "object", "set", "keys", "list"])
def test_values_that_no_reader_could_use_are_refused(store, kind):
    with pytest.raises(InputError, match="02/bad"):
        store.get_or_run("02/bad", tasks.returning, kind=kind)
    assert not list(store.root.rglob("bad*"))


def test_functions_without_a_source_of_their_own_are_refused(store):
    secret = 3

    def closing():
        return {"a": secret}

    for fn in (closing, len, type("Callable", (), {"__call__": lambda self: {}})()):
        with pytest.raises(InputError):
            store.get_or_run("02/f", fn)


@pytest.mark.parametrize("name", ["small", "02/", "../02/a", "02/../x", "02/a.json", "02/.hidden", "/etc/x"])
def test_names_outside_the_store_are_refused(store, log, name):
    with pytest.raises(InputError, match="result name"):
        store.get_or_run(name, tasks.small, log=log)


def test_settings_that_clash_or_cannot_be_keyed_are_refused(store, log):
    with pytest.raises(InputError, match="belongs upstream"):
        store.get_or_run("02/a", tasks.plain, log=log, value=np.ones(3))
    with pytest.raises(InputError, match="tolerance class"):
        store.get_or_run("02/a", tasks.plain, tolerance="loose", log=log, value=1)
    with pytest.raises(InputError, match="NaN"):
        store.get_or_run("02/a", tasks.plain, log=log, value=float("nan"))


@pytest.mark.parametrize("suffix", [".json", ".npz"])
@pytest.mark.parametrize("damage", ["truncated", "altered", "empty"])
def test_a_damaged_result_is_computed_again_or_refused(store, log, capsys, suffix, damage):
    result = store.get_or_run("02/small", tasks.small, log=log)
    path = result.path.with_suffix(suffix)
    whole = path.read_bytes()
    middle = whole.index(b"-1.25") + 1 if suffix == ".json" else len(whole) // 2
    altered = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    path.write_bytes({"truncated": whole[: len(whole) // 2], "altered": altered, "empty": b""}[damage])
    for broken in (lambda: store.read("02/small"), lambda: _render(store).get_or_run("02/small", tasks.small, log=log)):
        with pytest.raises(InputError, match=f"small{suffix}.*make reproduce ONLY=02"):
            broken()
    assert store.status()[0]["state"] == "corrupt"
    again = store.get_or_run("02/small", tasks.small, log=log)
    assert again.digest == result.digest
    assert "computing 02/small again" in capsys.readouterr().err
    assert path.read_bytes()[:50] == whole[:50]


def _render(store):
    return Store(store.root, mode="render", profile="paper")


def test_render_mode_never_computes(store, log):
    with pytest.raises(InputError, match=r"no result 02/small .*make reproduce ONLY=02$"):
        _render(store).get_or_run("02/small", tasks.small, log=log)
    store.get_or_run("02/small", tasks.small, log=log)
    shown = _render(store).get_or_run("02/small", tasks.small, log=log, n=99)  # whatever its key
    assert len(shown["spectra"]["tfim"]) == 3
    assert tasks.calls(log) == 1
    Store(store.root).get_or_run("02/up", tasks.plain, log=log, value=1)
    with pytest.raises(InputError, match="up.json is of the smoke profile, not a paper result"):
        _render(store).get_or_run("02/up", tasks.plain, log=log, value=1)


def test_upstream_comes_from_the_root_then_from_the_fallback(tmp_path, log):
    committed = Store(tmp_path / "paper", profile="paper")
    committed.get_or_run("02/up", tasks.plain, log=log, value=1)
    store = Store(tmp_path / "run", fallback=committed.root)
    assert store.read("02/up")["value"] == 1
    store.get_or_run("02/up", tasks.plain, log=log, value=2)
    assert store.read("02/up")["value"] == 2
    only = Store(tmp_path / "run", fallback=committed.root, prefer_fallback=True)
    assert only.read("02/up", asking="04/x")["value"] == 1
    assert only.read("02/up", asking="02/x")["value"] == 2
    with pytest.raises(InputError, match="02/none is missing"):
        store.read("02/none")


@pytest.mark.parametrize("where", ["write", "replace"])
def test_a_full_disk_is_one_clear_line_and_leaves_the_store_as_it_was(store, log, monkeypatch, where):
    before = store.get_or_run("02/small", tasks.small, log=log)
    if where == "write":
        monkeypatch.setattr(os, "fsync", _full)
    else:
        monkeypatch.setattr(os, "replace", _full)
    with pytest.raises(InputError, match=r"02/small: disk full: .*unchanged$"):
        store.get_or_run("02/small", tasks.small, log=log, n=8)
    monkeypatch.undo()
    assert not [path for path in store.root.rglob("*") if path.suffix == ".tmp"]
    assert load(store.root, "02/small").digest == before.digest


def _full(*_args):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="a real full disk needs root and mount")
def test_a_really_full_disk(tmp_path, log):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("this machine does not let root mount a tmpfs")
    try:
        store = Store(disk / "results")
        digest = store.get_or_run("02/small", tasks.small, log=log).digest
        (disk / "filler").write_bytes(b"x" * 30_000)
        with pytest.raises(InputError, match="disk full"):
            store.get_or_run("02/big", tasks.plain, log=log, value="x" * 50_000)
        assert load(store.root, "02/small").digest == digest
        assert not list(disk.rglob("*.tmp"))
        assert not list(disk.rglob("big*"))
    finally:
        subprocess.run(["umount", disk], check=True)


def test_two_processes_compute_a_result_once(tmp_path, log):
    root = tmp_path / "results"
    runs = [_run(root, "slow", log=log, seconds=1.0) for _ in range(2)]
    outputs = [run.communicate(timeout=30) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0] != ""
    assert tasks.calls(log) == 1
    assert sum("another process is computing it" in err for _, err in outputs) == 1


def test_killed_in_the_middle_it_resumes_to_the_same_result(tmp_path, log):
    whole = Store(tmp_path / "whole").get_or_run("04/c", tasks.campaign, tasks=8, workers=1, log=log + "0", seconds=0)
    root = tmp_path / "results"
    run = _run(root, "campaign", tasks=8, workers=2, log=log, seconds=0.25)
    _wait(lambda: len(list(root.rglob("00000*.json"))) >= 2, run)
    run.kill()  # SIGKILL
    run.communicate()
    kept = len(list(root.rglob("00000*.json")))
    assert 2 <= kept < 8
    assert not (root / "04" / "c.json").exists()
    before = tasks.calls(log)
    (clock,) = (root / ".partial").glob("*.seconds")
    assert 0 < float(clock.read_text()) < 60
    clock.write_text("1000\n")  # what was spent before the interruption counts
    store = Store(root)
    result = store.get_or_run("04/campaign", tasks.campaign, tasks=8, workers=2, log=log, seconds=0.25)
    assert 1000 < result.provenance["seconds"] < 1060
    assert tasks.calls(log) - before <= 8 - kept
    assert result.digest == whole.digest
    assert not list((root / ".partial").iterdir())


def _run(root, name, **settings):
    code = (
        "import sys, json, companion_tasks; from pathlib import Path; from qednas.companion.results.store import Store\n"
        "if __name__ == '__main__':\n"
        "    root, name, settings = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])\n"
        "    print(Store(root).get_or_run('04/' + name, getattr(companion_tasks, name), **settings).digest)"
    )
    script = root.parent / "run.py"
    script.write_text(code)
    support = str(Path(tasks.__file__).parent)
    return subprocess.Popen(
        [sys.executable, script, root, name, json.dumps(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": support},
    )


def _wait(condition, run, seconds=20.0):
    import time

    end = time.monotonic() + seconds
    while not condition():
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def test_nothing_is_ever_pickled():
    """No module of the package loads or writes pickles, in any disguise."""
    folder = Path(provenance.__file__).resolve().parents[1]
    words = ("import pickle", "pickle.", "joblib", "shelve", "allow_pickle=True", "torch.save(", "torch.load(")
    found = [(path.name, word) for path in folder.rglob("*.py") for word in words if word in path.read_text()]
    assert not found
