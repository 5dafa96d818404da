"""The measurements of the chapter on QAOA: what is measured, how runs are put together, and what is read from them."""

from collections import defaultdict

import numpy as np
import pytest
from scipy.stats import spearmanr

from qednas.base.errors import InputError
from qednas.base.parallel import Work
from qednas.base.statistics import compare
from qednas.qnas.optimisers.angles import Tuning
from qednas.qnas.optimisers.qaoa import QAOA
from qednas.qnas.space.encoding import centred
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.surrogate.surrogate import BayesianQuadratic, target
from studies.ch12 import (
    depths as depth_study,
)
from studies.ch12 import (
    instances,
)
from studies.ch12 import (
    landscapes as landscape_study,
)
from studies.ch12 import (
    optimiser_figures as optimiser_pictures,
)
from studies.ch12 import (
    optimisers as optimiser_study,
)
from studies.ch12 import (
    qaoa_figures as qaoa_pictures,
)
from studies.ch12 import (
    surrogates as surrogate_study,
)
from studies.ch12.depths import (
    STRATEGIES,
    by_depth,
    descents,
    pair_share,
    quality,
    run_exact_spsa,
    run_qaoa_shots,
    start_of,
)
from studies.ch12.instances import cells, instance, random_cost
from studies.ch12.landscapes import encodings, run_ends, run_landscape, run_moved, run_own
from studies.ch12.optimisers import grover_runs, run_annealing, run_vqe
from studies.ch12.surrogates import correlation, run_surrogates
from studies.ch12.verdict import averaged, judge_qaoa, judge_shots, ramp_concentration, transfer_ratios, with_logs
from studies.spaces.nasbench201 import nasbench201

SMALL = random_cost((3, 4, 2), np.random.default_rng(3))


def no_pairs(cost: Pairwise) -> Pairwise:
    return Pairwise(cost.space, cost.constant, cost.single)


def test_costs_are_of_the_cells_they_say():
    space, rows = cells(4)
    table = nasbench201("cifar10")
    np.testing.assert_array_equal(table.digits[rows], space.digits() + 1)
    np.testing.assert_array_equal(cells(5)[1], np.arange(15625))
    for kind, choices, columns in (("fitted", 5, 6), ("fitted", 4, 6), ("random", 3, 4)):
        own = instance(kind, choices, 1, columns)
        assert own.space.sizes == (choices,) * columns
        assert own.listed().mean() == pytest.approx(0, abs=1e-9)
        assert own.listed().std() == pytest.approx(1)
    cost = instance("fitted", 4, 0)
    assert correlation(-cost.listed().ravel(), table.means[rows]) > 0.5
    assert not np.allclose(cost.listed(), instance("fitted", 4, 1).listed())


@pytest.mark.parametrize("choices", [4, 5])
def test_costs_are_fitted_to_single_trainings_of_different_cells(choices, monkeypatch):
    asked = []

    class Recorder(BayesianQuadratic):
        def fit(self, space, digits, scores):
            asked.append((digits + 5 - choices, scores))
            return super().fit(space, digits, scores)

    monkeypatch.setattr(instances, "BayesianQuadratic", Recorder)
    table = nasbench201("cifar10")
    for seed in (0, 1):
        instance("fitted", choices, seed)
        digits, scores = asked[-1]
        assert len(np.unique(digits, axis=0)) == 100
        assert (table.scores[table.space.index(digits)] == scores[:, None]).any(1).all()
    assert not np.array_equal(asked[0][0], asked[1][0])


def test_other_costs_are_refused():
    with pytest.raises(InputError, match="3 operations per edge: 4 or 5"):
        cells(3)
    with pytest.raises(InputError, match="kind 'guessed' with 6 columns"):
        instance("guessed", 5, 0)
    with pytest.raises(InputError, match="kind 'fitted' with 4 columns"):
        instance("fitted", 5, 0, columns=4)


def test_quality_by_hand():
    energies = np.arange(200.0)[::-1]
    uniform = quality(energies, np.full(200, 1 / 200))
    assert uniform == pytest.approx({"ratio": 0.5, "optimum": 1 / 200, "near": 2 / 200})
    second = np.zeros(200)
    second[198] = 1.0
    assert quality(energies, second) == pytest.approx({"ratio": 198 / 199, "optimum": 0, "near": 1})


@pytest.mark.parametrize("seed", range(4))
def test_descents_are_those_of_a_walk_by_neighbours(seed):
    cost = random_cost((3, 4, 2, 3), np.random.default_rng(seed))
    best, reached, steps, ends = int(cost.listed().argmin()), 0, 0, set()
    for here in cost.space.digits():
        while True:
            around = cost.space.neighbours(here)
            costs = cost.costs(around)
            if costs.min() >= cost.costs(here[None])[0]:
                break
            here, steps = around[costs.argmin()], steps + 1
        end = int(cost.space.index(here))
        ends.add(end)
        reached += end == best
    assert descents(cost) == pytest.approx({"reached": reached / 72, "steps": steps / 72, "minima": len(ends)})


def test_without_pairs_there_is_one_minimum():
    own = no_pairs(SMALL)
    assert descents(own) == pytest.approx({"reached": 1, "steps": 2 / 3 + 3 / 4 + 1 / 2, "minima": 1})
    assert pair_share(own) == 0


def test_the_share_of_pairs_is_what_a_sum_over_columns_leaves():
    costs = SMALL.listed().ravel()
    bits = SMALL.space.one_hot(SMALL.space.digits())
    left = costs - bits @ np.linalg.lstsq(bits, costs, rcond=None)[0]
    assert pair_share(SMALL) == pytest.approx(left.var() / costs.var())
    pairs = Pairwise(SMALL.space, 0.0, tuple(0 * own for own in SMALL.single), centred(SMALL).pair)
    assert pair_share(pairs) == pytest.approx(1)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategies_are_those_of_qaoa(strategy):
    """Also layer by layer, where one chain of optimisations serves all depths."""
    own = {"shipped ramp": {"steps": 0}, "cvar": {"objective": "cvar", "alpha": 0.2}}.get(
        strategy, {"strategy": strategy}
    )
    for depth, (found, circuits) in zip((1, 3), by_depth(strategy, SMALL, "xy-ring", [1, 3], 4, 0.2), strict=True):
        options = {"steps": 4} | own
        wanted = QAOA(depth, "xy-ring", **options).optimise(SMALL, np.random.default_rng(0))
        np.testing.assert_allclose(found.probabilities(), wanted.probabilities(), atol=1e-10)
        assert circuits == wanted.evaluations


def test_one_cost_at_two_depths():
    task = {"mixer": "x", "choices": 4, "kind": "random", "seed": 0, "depths": [1, 2], "steps": 2, "alpha": 0.2}
    found = depth_study.run_depths(task)
    costs = instance("random", 4, 0).listed()
    assert found["uniform"] == pytest.approx(
        {"ratio": costs.max() / np.ptp(costs), "optimum": 4**-6, "near": 41 / 4096}
    )
    assert found["ratio"].shape == (len(STRATEGIES), 2)
    assert (found["ratio"] > found["uniform"]["ratio"]).all()
    assert (found["near"] >= found["optimum"]).all()
    assert (found["circuits"][0] == 0).all()
    assert (np.diff(found["circuits"][STRATEGIES.index("interp")]) > 0).all()


def test_spsa_starts_and_counts_as_told(monkeypatch):
    monkeypatch.setattr(depth_study, "instance", lambda *_: SMALL)
    task = {"kind": "random", "choices": 0, "seed": 1, "mixer": "xy-complete", "depth": 2, "starts": [1, 0.25],
            "shots": [1000, 0], "circuits": [30, 60], "steps": 40}  # fmt: skip
    found = run_qaoa_shots(task)
    for place, share in enumerate(task["starts"]):
        earlier = {"angles": start_of(SMALL, "xy-complete", 2, share)}
        own = QAOA(2, "xy-complete", steps=0).optimise(SMALL, np.random.default_rng(0), earlier)
        start = quality(own.diagonal.energies, own.probabilities())
        assert found["start"]["ratio"][place] == pytest.approx(start["ratio"])
    assert found["start"]["ratio"][0] > found["start"]["ratio"][1]
    assert (found["lbfgs"]["ratio"] > found["start"]["ratio"]).all()
    assert (found["ratio"] < found["lbfgs"]["ratio"][:, None, None] + 1e-3).all()
    assert (found["ratio"][1] > found["start"]["ratio"][1]).all()  # from far away every step helps
    counted = QAOA(2, "xy-complete", steps=(60 - 10) // 2, objective_shots=50)
    assert counted.optimise(SMALL, np.random.default_rng(0)).evaluations == 61  # one more for the value at the end


def test_exact_values_replace_estimates_and_nothing_else(monkeypatch):
    def exact(tuning, angles):
        return float(tuning.circuit.probabilities(angles) @ tuning.circuit.energies)

    monkeypatch.setattr(Tuning, "estimate", exact)
    for share in (1.0, 0.25):
        earlier = {"angles": start_of(SMALL, "xy-ring", 2, share)}
        solver = QAOA(2, "xy-ring", steps=9, objective_shots=1)
        wanted = solver.optimise(SMALL, np.random.default_rng(4), earlier).probabilities()
        found = run_exact_spsa(SMALL, "xy-ring", 2, share, 9, np.random.default_rng(4))[1]
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_one_layer_has_its_symmetries():
    for mixer, choices in (("xy-complete", 5), ("x", 4)):
        own = run_landscape({"mixer": mixer, "choices": choices, "kind": "random", "seed": 0, "points": 5})
        for name in ("ratio", "optimum"):
            np.testing.assert_allclose(own[name][:, 0], own[name][:, -1], atol=1e-10)  # a whole period apart
            np.testing.assert_allclose(own[name][0], own[name][0, 0], atol=1e-12)  # without phases nothing moves
            np.testing.assert_allclose(own[name][:, 2], own[name][0, 0], atol=1e-12)  # without mixing neither
        assert own["unmixed"] < 1e-12
        assert own["ratio"].max() > own["ratio"][0, 0] + 0.05


def test_encodings_and_starts():
    found = encodings()
    assert [found["cells"][name]["qubits"] for name in ("one-hot", "binary", "domain-wall")] == [30, 18, 24]
    assert found["most_feasible"] == pytest.approx(5**6 / 2**18)
    assert found["without_none"]["binary"]["feasible"] == 1
    assert found["start_error"] < 1e-15


def test_own_angles_come_home():
    place = {"kind": "random", "choices": 3, "columns": 4, "seed": 2, "mixer": "xy-complete", "depth": 2}
    angles = run_own({**place, "steps": 15})["angles"]
    found = run_moved({**place, "angles": [angles, [[0, 0], [0, 0]]]})
    own = QAOA(2, "xy-complete", steps=15).optimise(instance("random", 3, 2, 4), np.random.default_rng(0))
    assert found["ratio"][0] == pytest.approx(quality(own.diagonal.energies, own.probabilities())["ratio"], abs=1e-10)
    assert found["ratio"][1] == pytest.approx(found["uniform"])
    costs = instance("random", 3, 2, 4).listed()
    assert found["uniform"] == pytest.approx(costs.max() / np.ptp(costs))


def test_ends_of_ramps_in_their_units():
    task = {"kind": "random", "choices": 3, "columns": 4, "seed": 2, "mixer": "xy-complete", "depth": 2, "steps": 30}
    found = run_ends(task)
    np.testing.assert_allclose(found["ends"], found["in_units"] * [np.log(81) ** 0.5, 1 / 3])
    assert 0.9 < found["relative"] <= 1


def test_vqe_without_steps_is_a_uniform_measurement():
    task = {"kind": "random", "seed": 0, "layers": [0, 2], "alpha": 0.2, "steps": 0}
    found = run_vqe(task)
    np.testing.assert_allclose(found["optimum"][:, 0], 4**-6)
    trained = run_vqe({**task, "steps": 25})
    assert (trained["ratio"][0] > 0.8).all()
    assert (trained["near"] >= trained["optimum"]).all()


def test_penalties_keep_shots_feasible():
    task = {"annealer": "thermal", "kind": "random", "seed": 0, "sweeps": [50], "penalties": [0.1, 3.0], "shots": 40}
    found = run_annealing(task)
    assert found["feasible"][0, 0] < 0.2
    assert found["feasible"][0, 1] > 0.9
    assert (found["optimum"] <= found["feasible"]).all()
    assert (found["seconds"] > 0).all()


def test_grover_spends_what_is_expected():
    """fails for one seed in 10,000"""
    found = grover_runs(5, [2, 3, 4], [5, 6], 150, 0, work=Work(1))
    for name in ("calls", "measurements"):
        own = found[name]
        sem = own.std(1, ddof=1) / own.shape[1] ** 0.5
        assert (np.abs(own.mean(1) - found["expected"][name]) < 4.2 * sem).all()
    assert found["sizes"] == [25, 125, 625]
    assert found["iterations"] == 98
    assert found["success"] > 0.999
    assert 0.5 < found["slope"] < 0.7


def test_correlation_of_ranks():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 6, 50), rng.integers(0, 6, 50)
    assert correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert correlation(np.ones(5), np.arange(5)) == 0


def test_a_surrogate_that_knows_all_is_perfect(monkeypatch):
    """... and one that is told to be wrong is not; what was evaluated is judged by what was seen."""
    table = nasbench201("cifar10")

    class Oracle:
        def __init__(self, kind, sign):
            self.kind, self.sign = kind, sign

        def fit(self, space, digits, scores):
            known = target(table.means) if self.kind == "rank" else (table.means - scores.mean()) / scores.std()
            self.costs = lambda digits: -self.sign * known
            return self

        def mean(self):
            return self

    models = {"right": lambda kind: Oracle(kind, 1), "wrong": lambda kind: Oracle(kind, -1)}
    monkeypatch.setattr(surrogate_study, "MODELS", models)
    found = run_surrogates({"counts": [20, 15_000], "models": ["right", "wrong"], "seed": 0})
    for kind in ("rank", "raw"):
        for name, value in (("r2", 1), ("spearman", 1), ("spearman_top", 1), ("rank", 1)):
            np.testing.assert_allclose(found["right"][kind][name], value)
        np.testing.assert_allclose(found["wrong"][kind]["spearman"], -1)
        np.testing.assert_allclose(found["wrong"][kind]["rank"], 15_625)
    assert found["evaluated"]["rank"][0] > found["evaluated"]["rank"][1]


def test_a_surrogate_learns():
    found = run_surrogates({"counts": [25, 400], "models": ["quadratic"], "seed": 0})["quadratic"]["rank"]
    assert found["r2"][1] > found["r2"][0] + 0.2
    assert found["spearman"][1] > 0.8


def marked(task):
    """A made-up run that tells its task."""
    return {"value": np.array([task["seed"], ["fitted", "random"].index(task["kind"])], float)}


@pytest.mark.parametrize(
    ("module", "piece", "runs", "options"),
    [
        (depth_study, "run_qaoa_shots", "qaoa_shot_runs", ("x", 4, 1, [1.0], [0], [20], 1)),
        (optimiser_study, "run_vqe", "vqe_runs", ([0], 1, 0.2)),
    ],
)
def test_runs_are_put_together_by_kind(module, piece, runs, options, monkeypatch):
    monkeypatch.setattr(module, piece, marked)
    found = getattr(module, runs)(*options, instances=3, work=Work(1))["found"]
    for place, kind in enumerate(("fitted", "random")):
        np.testing.assert_array_equal(found[kind]["value"], [[seed, place] for seed in range(3)])


def test_runs_are_put_together_by_circuit_place_and_annealer(monkeypatch):
    monkeypatch.setattr(depth_study, "run_depths", lambda task: marked(task) | {"choices": task["choices"]})
    found = depth_study.depth_runs([["x", 4], ["xy-ring", 5]], [2, 1], 2, 1, 0.2, work=Work(1))
    assert list(found["found"]) == ["x, 4", "xy-ring, 5"]
    assert found["depths"] == [1, 2]
    np.testing.assert_array_equal(found["found"]["xy-ring, 5"]["random"]["value"], [[0, 1], [1, 1]])
    np.testing.assert_array_equal(found["found"]["x, 4"]["fitted"]["choices"], [4, 4])
    monkeypatch.setattr(optimiser_study, "run_annealing", lambda task: marked(task) | {"sweeps": task["sweeps"][0]})
    own = optimiser_study.annealing_runs({"thermal": [7], "quantum": [3]}, [1.0], 5, 2, work=Work(1))["found"]
    np.testing.assert_array_equal(own["quantum"]["random"]["value"], [[0, 1], [1, 1]])
    np.testing.assert_array_equal(own["thermal"]["random"]["sweeps"], [7, 7])
    monkeypatch.setattr(landscape_study, "run_ends", lambda task: {"columns": task["columns"], "seed": task["seed"]})
    parts = landscape_study.concentration_runs(["x", "y"], [["random", 3, 3], ["random", 3, 5]], 1, 2, 1, work=Work(1))
    np.testing.assert_array_equal(parts["found"]["y"][1]["columns"], [5, 5])
    np.testing.assert_array_equal(parts["found"]["y"][0]["seed"], [0, 1])


def test_angles_are_moved_from_sources_to_targets(monkeypatch):
    """Two groups of two costs: the place of a ratio tells whose angles, the value whose cost."""
    monkeypatch.setattr(landscape_study, "run_own", lambda task: {"angles": [task["columns"], task["seed"]]})
    monkeypatch.setattr(landscape_study, "run_moved", lambda task: {
        "ratio": np.array([100 * task["columns"] + 10 * task["seed"] + columns + seed / 10 for columns, seed in task["angles"]]),
        "uniform": 0.5,
    })  # fmt: skip
    found = landscape_study.transfer_runs("x", [["random", 3, 2], ["random", 3, 4]], 1, 2, 1, work=Work(1))
    assert found["ratio"][1, 0, 0, 1] == pytest.approx(400 + 2.1)
    assert found["ratio"].shape == (2, 2, 2, 2)
    assert found["uniform"].shape == (2, 2)


def test_moved_angles_are_compared_with_own_ones():
    """Own angles reach .9, those of the same group .8, of another .7; a uniform measurement .5."""
    ratio = np.full((2, 3, 2, 3), 0.7)
    for group in range(2):
        ratio[group, :, group, :] = 0.8
        for k in range(3):
            ratio[group, k, group, k] = 0.9
    found = transfer_ratios(ratio, np.full((2, 3), 0.5))
    np.testing.assert_allclose(found["relative"], [[8 / 9, 7 / 9], [7 / 9, 8 / 9]])
    np.testing.assert_allclose(found["gain"], [[0.75, 0.5], [0.5, 0.75]])
    np.testing.assert_allclose(found["gain_sem"], 0, atol=1e-12)


def test_means_have_their_errors_beside_them():
    found = averaged({"a": {"b": np.array([[1.0, 2.0], [3.0, 2.0]])}, "c": np.array([5.0])})
    assert found["a"] == {"b": [2, 2], "b_sem": [1, 0]}
    assert found["c"] == 5
    assert found["c_sem"] == 0
    assert with_logs({"rank": {"rank": np.array([10.0])}})["rank"]["log_rank"] == [1]
    found = compare(np.arange(1.0, 7), 0.0)
    assert found == pytest.approx({"gain": 3.5, "gain_sem": (3.5 / 6) ** 0.5, "pairs": 6, "wins": 1, "p": 2 / 64})
    parts = [{"ends": np.ones((2, 2)), "in_units": np.array([[1.0, 2], [3, 2]]), "relative": np.ones(2)}]
    found = ramp_concentration(parts)
    assert found["in_units"] == [[2, 2]]
    assert found["spread"] == pytest.approx([0.5, 0])


def made_up() -> dict:
    """Results of four costs each, with numbers that tell what they are."""
    rng = np.random.default_rng(0)
    four = np.arange(4)

    def qaoa(level):
        arrays = {
            name: np.broadcast_to(level * np.array([0.5, 1.0]), (4, len(STRATEGIES), 2)) for name in ("optimum", "near")
        }
        return arrays | {
            "ratio": np.full((4, len(STRATEGIES), 2), 0.8), "circuits": np.full((4, len(STRATEGIES), 2), 9.0),
            "uniform": {"ratio": np.full(4, 0.5), "optimum": np.full(4, 0.01), "near": np.full(4, 0.01)},
            "descent": {"reached": np.full(4, 0.7), "steps": np.full(4, 3.0)},
        }  # fmt: skip

    def annealer(best, sweeps):
        optimum = np.stack([[0.1 * best, best]] * sweeps)
        return {name: np.stack([optimum] * 4) for name in ("optimum", "feasible", "seconds")}

    def shot(start):
        return {"ratio": np.full((4, 2, 2, 2), 0.6), "optimum": np.full((4, 2, 2, 2), 0.1), "uniform": np.full(4, 0.1),
                "start": {"ratio": np.full((4, 2), start)}, "lbfgs": {"ratio": np.full((4, 2), 0.9)}}  # fmt: skip

    levels = {"r2": 0.5, "spearman": 0.8, "spearman_top": 0.1, "rank": 100.0}
    model = {kind: {name: np.full((4, 2), value) for name, value in levels.items()} for kind in ("rank", "raw")}
    end = {"ends": rng.random((4, 2)), "in_units": rng.random((4, 2)) + 1, "relative": rng.random(4)}
    grid = {"gammas": np.linspace(0, 4, 3), "betas": np.linspace(-1, 1, 3), "ramp": [1.0, -0.2], "choices": 5}
    vqe = np.stack([np.tile([0.2, 0.6, 0.4], (2, 1))] * 4)
    maps = {name: rng.random((3, 3)) for name in ("ratio", "optimum")}
    return {
        "12/depth": {"found": {"xy-complete, 5": {"fitted": qaoa(0.6), "random": qaoa(0.2)}, "x, 4": defaultdict(dict, {
            "fitted": qaoa(0.5), "random": qaoa(0.1)})}, "strategies": list(STRATEGIES), "depths": [1, 2], "alpha": 0.2},
        "12/vqe": {"found": {kind: {"optimum": vqe, "ratio": vqe, "near": vqe} for kind in ("fitted", "random")},
                   "layers": [0, 1, 2], "steps": 5},
        "12/annealing": {"found": {name: {kind: annealer(best, n) for kind in ("fitted", "random")}
                                   for name, best, n in (("thermal", 0.3, 2), ("quantum", 0.2, 1))},
                         "sweeps": {"thermal": [10, 100], "quantum": [10]}, "penalties": [0.5, 1.0], "shots": 5},
        "12/shots": {"found": {"fitted": shot(0.3), "random": shot(0.4)}, "starts": [1, 0.5], "shots": [64, 0],
                     "circuits": [20, 40]},
        "12/concentration": {"found": {"xy-complete": [end, end]}, "places": [["random", 3, 3], ["fitted", 5, 6]], "depth": 4},
        "12/transfer": {"ratio": rng.random((2, 4, 2, 4)) / 4 + 0.6, "uniform": np.full((2, 4), 0.5), "depth": 4,
                        "groups": [["random", 3, 3], ["fitted", 5, 6]]},
        "12/landscape": {"runs": [{**grid, **maps, "mixer": m, "unmixed": u} for m, u in (("x", 1e-16), ("xy-ring", 3e-16))]},
        "12/surrogate": {"found": {"quadratic": model, "linear": model, "evaluated": {"rank": np.stack([10.0 ** four] * 2, 1)}},
                         "counts": [50, 110]},
        "12/grover": {"sizes": [25, 125], "calls": rng.random((2, 6)) + 1, "measurements": rng.random((2, 6)) + 1,
                      "expected": {"calls": [1.5, 1.5], "measurements": [1.5, 1.5]}},
    }  # fmt: skip


def test_claims_are_read_off_the_results():
    found = judge_qaoa(made_up())
    tests = found["summary"]["tests"]
    assert tests["amplified"]["gain"] == pytest.approx(0.6 - 0.01)
    assert tests["over_descent"]["gain"] == pytest.approx(0.6 - 0.7)
    assert tests["entangled"]["gain"] == pytest.approx(0.6 - 0.2)
    assert tests["tunnelling"]["gain"] == pytest.approx(0.2 - 0.3)
    # Exact for 4 and for 8 differences of one sign; simulated annealing has the best penalty at its most sweeps too.
    assert found["p"] == pytest.approx(
        {"amplified": 1 / 8, "over_descent": 1 / 8, "entangled": 1 / 128, "tunnelling": 1 / 128,
         "tunnelling_for_its_work": 1 / 128}
    )  # fmt: skip
    assert tests["tunnelling_for_its_work"]["gain"] == pytest.approx(0.2 - 0.3)
    assert found["summary"]["near_units"] == 4
    assert found["summary"]["near"] == pytest.approx(0.6)
    assert found["unmixed"] == 3e-16
    fit = found["summary"]["fit"]
    assert fit["evaluations"] == 110
    assert fit["log_rank"] == pytest.approx(2)
    assert fit["top"] == 1
    assert fit["at_top"] == {"hits": 4, "units": 4}
    assert fit["log_rank_evaluated"] == pytest.approx(1.5)
    assert found["summary"]["annealed"]["chance"] == pytest.approx(1 - 0.8**64)
    assert "seconds" not in found["summary"]["annealing"]["thermal"]["fitted"]


def test_losses_are_of_the_same_cost_and_start():
    lost = judge_shots(made_up()["12/shots"]["found"])
    np.testing.assert_allclose(lost["fitted"]["lost"], 0.3)
    np.testing.assert_allclose(lost["random"]["start"]["lost"], 0.5)


def test_everything_is_shown():
    made = {name.split("/")[1]: own for name, own in made_up().items()}
    depth, others = made["depth"], optimiser_pictures
    for figure in (
        qaoa_pictures.landscape(made["landscape"]["runs"]), qaoa_pictures.depth(depth, "fitted"),
        qaoa_pictures.objectives(depth, "xy-complete, 5"), qaoa_pictures.concentration(made["concentration"]),
        qaoa_pictures.shots(made["shots"]), others.vqe(made["vqe"]), others.annealing(made["annealing"]),
        others.grover(made["grover"]), others.surrogate(made["surrogate"]),
    ):  # fmt: skip
        figure.draw_without_rendering()
    first, *_, uniform, descent = qaoa_pictures.strategy_rows(depth, "xy-complete, 5")
    assert first["optimum (%), fitted costs"] == "60.0 ± 0.0"
    assert uniform["optimum (%), fitted costs"] == "1"
    assert descent["optimum (%), random costs"] == "70.0 ± 0.0"
    rows = qaoa_pictures.mixer_rows(depth)
    assert rows[1]["mixer (configurations)"] == "X (4,096)"
    assert rows[1]["optimum in 64 uniform measurements (%)"] == f"{100 * (1 - 0.99**64):.1f}"
    assert list(qaoa_pictures.transfer_rows(made["transfer"])[1])[:2] == ["used on", "from random costs, 27"]
    assert others.annealing_rows(made["annealing"])[1]["penalty, fitted costs"] == "1"
    assert qaoa_pictures.encoding_rows(encodings(), "without_none")[1]["feasible strings"] == "100 %"


def test_times_are_told():
    found = depth_study.look_times("x", 4, 1, 1, 1)
    assert set(found["timing"]) == {"look_seconds", "circuit_seconds", "search_seconds", "slowdown"}
    assert found["configurations"] == 4096
