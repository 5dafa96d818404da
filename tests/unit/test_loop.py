"""The hybrid loop: ask, tell, failures, limits, and going on after an interruption."""

import json
import math

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.qnas.loop import Exhausted, Search
from qednas.qnas.methods import methods, searcher

CHOICES = {"depth": [1, 2, 3, 4], "width": ["a", "b", "c"], "cell": ["x", "y"]}
QUICK = ("random", "local", "evolution", "reinforce", "surrogate", "qaoa")


def started(method: str, seed: int, **options) -> Search:
    """A search; annealers with few sweeps, which are enough for 24 configurations."""
    own = searcher(method, options={"sweeps": 10}) if "annealing" in method else method
    return Search(CHOICES, own, seed, batch=5 if "annealing" in method else None, **options)


def score(named: dict[str, str]) -> float:
    """Single choices and one pair that matters; the best is 4, a, y."""
    return int(named["depth"]) - ord(named["width"]) + 3.0 * (named["depth"] == "4" and named["cell"] == "y")


@pytest.mark.parametrize("method", list(methods()))
def test_every_method_looks_at_the_whole_space_once(method):
    search = started(method, 1)
    found = search.run(score, 100)
    assert found["evaluations"] == 24
    assert len({tuple(trial["choices"].values()) for trial in found["history"]}) == 24
    assert found["best"] == {"depth": "4", "width": "a", "cell": "y"}
    assert found["best_score"] == score(found["best"])
    with pytest.raises(Exhausted, match="24 configurations"):
        search.ask()


@pytest.mark.parametrize("method", list(methods()))
def test_the_same_seed_gives_the_same_search(method):
    runs = [started(method, 3).run(score, 16)["history"] for _ in range(2)]
    assert runs[0] == runs[1]
    assert runs[0] != started(method, 4).run(score, 16)["history"]


@pytest.mark.parametrize("method", list(methods()))
def test_an_interrupted_search_goes_on_to_the_same_numbers(method, tmp_path):
    whole = started(method, 5).run(score, 18)
    for stop in (3, 12, 14, 18):
        started(method, 5, path=tmp_path / "state.json").run(score, stop)
    again = started(method, 5, path=tmp_path / "state.json").result()
    assert again["history"] == whole["history"]
    assert again["counts"] == whole["counts"]


def test_asking_twice_asks_for_the_same(tmp_path):
    search = Search(CHOICES, "random", path=tmp_path / "state.json")
    asked = search.ask()
    assert search.ask() == asked
    assert Search(CHOICES, "random", path=tmp_path / "state.json").ask() == asked


def test_trajectories_never_fall():
    search = Search(CHOICES, "random", seed=2)
    search.run(score, 10)
    best = search.best_so_far()
    assert best == list(np.maximum.accumulate([trial["score"] for trial in search.trials]))


@pytest.mark.parametrize("method", QUICK)
def test_failures_are_recorded_and_the_search_goes_on(method):
    def objective(named):
        if named["width"] == "b":
            raise RuntimeError("out of memory")
        return math.nan if named["cell"] == "x" else score(named)

    found = Search(CHOICES, method, seed=0).run(objective, 24)
    why = {trial["failed"] for trial in found["history"]}
    assert why == {None, "RuntimeError: out of memory", "score is nan"}
    assert found["failed"] == 8 + 8
    assert found["best"] == {"depth": "4", "width": "a", "cell": "y"}


@pytest.mark.parametrize("method", list(methods()))
def test_where_everything_fails_nothing_is_best(method):
    found = started(method, 0).run(lambda named: None, 24)
    assert (found["best"], found["best_score"], found["failed"]) == (None, None, 24)


def test_ctrl_c_is_not_a_failure_of_the_objective(tmp_path):
    def objective(named):
        raise KeyboardInterrupt

    search = Search(CHOICES, "random", path=tmp_path / "state.json")
    with pytest.raises(KeyboardInterrupt):
        search.run(objective, 5)
    assert len(Search(CHOICES, "random", path=tmp_path / "state.json")) == 0


@pytest.mark.parametrize("method", QUICK)
def test_limits_are_kept(method):
    costs = {"parameters": {"depth": {d: 10 * d for d in (1, 2, 3, 4)}, "width": {"a": 5}}}
    found = Search(CHOICES, method, costs=costs, limits={"parameters": 30}).run(score, 100)
    assert found["evaluations"] == 2 * (2 * 3 + 2)
    assert all(10 * int(t["choices"]["depth"]) + 5 * (t["choices"]["width"] == "a") <= 30 for t in found["history"])


def test_a_limit_that_only_a_measurement_tells():
    def objective(named):
        return {"score": score(named), "latency": float(named["depth"])}

    search = Search(CHOICES, "random", limits={"latency": 2.5})
    found = search.run(objective, 24)
    assert found["failed"] == 12
    assert int(found["best"]["depth"]) <= 2
    assert "latency = 4 is above its limit 2.5" in {trial["failed"] for trial in found["history"]}
    with pytest.raises(InputError, match="latency has a limit and no cost"):
        Search(CHOICES, "random", limits={"latency": 2.5}).run(score, 3)


def test_a_weighed_cost_moves_the_search_away():
    costs = {"parameters": {"depth": {4: 1.0}}}
    with_cost = Search(CHOICES, "surrogate", seed=1, costs=costs, weights={"parameters": 100.0})
    found = with_cost.run(score, 19)
    late = [trial["choices"]["depth"] for trial in found["history"][10:]]
    left = 18 - sum(trial["choices"]["depth"] != "4" for trial in found["history"][:10])
    assert "4" not in late[: min(left, len(late))]
    assert left > 0


def test_weights_need_a_surrogate_and_a_sum():
    with pytest.raises(InputError, match="local has no surrogate"):
        Search(CHOICES, "local", costs={"p": {"depth": {4: 1}}}, weights={"p": 1})
    with pytest.raises(InputError, match="weight of 'p'"):
        Search(CHOICES, "qaoa", costs={"p": lambda named: 1.0}, weights={"p": 1})


def test_scores_of_ones_own_can_be_told():
    search = Search(CHOICES, "evolution")
    own = {"depth": 4, "width": "a", "cell": "y"}
    search.tell(own, 9.0)
    with pytest.raises(InputError, match="told before"):
        search.tell(own, 9.0)
    found = search.run(score, 24)
    assert found["best_score"] == 9.0
    assert found["evaluations"] == 24


def test_unknown_methods_are_named():
    with pytest.raises(InputError, match="method 'annealer': one of qaoa, vqe"):
        Search(CHOICES, "annealer")


def test_a_state_of_another_search_is_refused(tmp_path):
    path = tmp_path / "state.json"
    Search(CHOICES, "random", seed=0, path=path).run(score, 3)
    before = path.read_bytes()
    with pytest.raises(InputError, match="another search \\(seed differs\\)"):
        Search(CHOICES, "random", seed=1, path=path)
    with pytest.raises(InputError, match="another search \\(choices differs\\)"):
        Search(CHOICES | {"cell": ["x", "z"]}, "random", seed=0, path=path)
    assert path.read_bytes() == before
    path.write_text(json.dumps([1]))
    with pytest.raises(InputError, match="another search"):
        Search(CHOICES, "random", path=path)
    path.write_text("{")
    with pytest.raises(InputError, match="not the state"):
        Search(CHOICES, "random", path=path)
