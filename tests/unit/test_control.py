"""The measurements of the chapter on control: what is trained, and what the runs are said to tell."""

import pytest

from qednas.base.parallel import Work
from studies.ch09.classification import SEARCHED
from studies.ch10 import blindness
from studies.ch10 import control_figures as pictures
from studies.ch10.blindness import SAME, blind_agents, run_blind
from studies.ch10.campaign import CIRCUITS
from studies.ch10.control import FIRST, OUTPUTS, best_rates, control_runs, networks
from studies.ch10.control_verdict import judge_control

METHODS = [*CIRCUITS, "random", "full"]
GRIDS = ["MiniGrid-Empty-5x5-v0", "MiniGrid-Empty-6x6-v0"]


def test_networks_are_those_of_the_paper():
    """157 trained numbers generate 6,023 and 5,825 weights."""
    for name, count in (("policy", 6023), ("value", 5825)):
        net = networks(OUTPUTS[name], ["searched"], [0], 10, 157)
        assert net.count == count
        assert sum(p[0].numel() for p in net.parameters()) == 157
        assert networks(OUTPUTS[name], ["full"], [0], 10, 157).trained_parameters == count
        assert 140 < networks(OUTPUTS[name], ["random"], [0], 10, 157).trained_parameters <= 157


def test_the_rate_of_a_method_is_the_one_that_earned_most_over_the_course():
    runs = [
        {"method": "x", "rate": r, "reward": reward}
        for r, reward in ((0.1, [0.0, 0.9]), (0.1, [0.1, 0.1]), (0.2, [0.3, 0.4]), (0.2, [0.3, 0.4]))
    ]
    assert best_rates(runs) == {"x": 0.2}


def made(late: dict[str, float], spread: dict[str, float], seeds: int = 3) -> list[dict]:
    return [
        {"environment": e, "method": m, "seed": s, "success": [0.1, 0.9 - 0.1 * (e == GRIDS[1])], "steps": [50.0, 6.0],
         "reward": [0.2, 0.9], "late": [late.get(m, 0.5) + 0.01 * s, spread.get(m, 0.2)], "episodes": [10, 100]}
        for e in GRIDS for m in METHODS for s in range(seeds)
    ]  # fmt: skip


def test_differences_are_read_off_the_runs():
    """Twelve candidates count: the uniform ones four times."""
    found = judge_control({"10/control": {"runs": made({SEARCHED: 0.8, "fixed/1": 0.2, "full": 0.9}, {SEARCHED: 0.1})}})
    gains = {name: own["gain"] for name, own in found["summary"].items() if isinstance(own, dict)}
    assert gains["over_fixed"] == pytest.approx(0.8 - (4 * 0.2 + 8 * 0.5) / 12)
    assert gains["over_full"] == pytest.approx(-0.1)
    assert gains["spread_over_fixed"] == pytest.approx(0.1)
    assert found["p"]["over_full"] < 1e-6  # the same difference for every seed
    assert gains["success_over_fixed"] == pytest.approx(0)
    assert found["summary"]["episodes"] == [100, 100]
    assert found["summary"]["success_units"] == 3
    assert found["summary"]["success"] == pytest.approx(0.8)
    assert found["final"][GRIDS[0]][SEARCHED]["late"] == pytest.approx(0.81)
    assert found["final"][GRIDS[0]][SEARCHED]["late_sem"] == pytest.approx(0.01 / 3**0.5)


def test_the_campaign_runs_and_is_shown():
    settings = {"environments": GRIDS[:1], "methods": METHODS, "rates": [0.001, 0.01], "rate_seeds": 1, "rate_updates": 2,
                "depth": 1, "updates": 6, "parameters": 157, "seeds": 2}  # fmt: skip
    found = control_runs(**settings, work=Work(1))
    assert len(found["runs"]) == 2 * len(METHODS)
    assert all(run["rate"] == found["rates"][run["method"]] for run in found["runs"])
    verdict = judge_control({"10/control": found})
    for picture in (pictures.grids(GRIDS), pictures.learning(found["runs"], verdict)):
        picture.canvas.draw()
    assert len(pictures.final_rows(verdict, GRIDS[0])) == len(METHODS)
    assert len(pictures.paired_rows(verdict)) == 5


def test_a_policy_whose_units_are_silent_is_called_blind(monkeypatch):
    """With a constant far below zero no unit of the first layer ever fires, whatever is seen."""
    task = {"environment": GRIDS[0], "methods": ["fixed/1"], "seeds": [0], "rates": [1e-9], "depth": 1, "parameters": 157,
            "updates": 1}  # fmt: skip
    assert run_blind(task)["runs"][0]["range"] > SAME

    def silenced(*arguments):
        net = networks(*arguments)
        net.constant.data -= 10
        return net

    monkeypatch.setattr(blindness, "networks", silenced)
    assert run_blind(task)["runs"][0]["range"] == 0


def test_blindness_is_counted_by_method_and_grid(monkeypatch):
    control = {"runs": [{"environment": e} for e in GRIDS], "rates": {"searched": 0.003, "fixed/2": 0.001}}
    ranges = {("searched", GRIDS[0]): 0.0, ("searched", GRIDS[1]): 1e-7}

    def run(task):
        assert task["rates"] == [0.003, 0.003, 0.001, 0.001]
        own = zip(task["methods"], task["seeds"], strict=True)
        e = task["environment"]
        return {"runs": [{"environment": e, "method": m, "seed": s,
                          "range": ranges.get((m, e), 1.0) if s == FIRST else 1.0} for m, s in own]}  # fmt: skip

    monkeypatch.setattr(blindness, "run_blind", run)
    found = blind_agents({"10/control": control}, ["searched", "fixed/2"], 3, 1, 157, 2, work=Work(1))
    assert found["blind"] == {e: {"searched": 0.5, "fixed/2": 0.0} for e in GRIDS}
    assert pictures.blind_rows(found)[0] == {"networks from": "searched", "5x5": "50", "6x6": "50"}
