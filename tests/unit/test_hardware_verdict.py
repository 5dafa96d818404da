"""What is read from the measurements on noise and hardware, and that everything is shown."""

import numpy as np
import pytest

from studies.ch14 import hardware_figures as pictures
from studies.ch14.hardware_verdict import (
    LIBRARY_DEFAULT,
    chance_with_errors,
    device_noise,
    fidelity,
    finite_shots,
    judge_hardware,
    layer_limits,
    shortest_compilation,
    shortest_on_device,
    survival,
)
from studies.ch14.mitigation import METHODS, TUNERS

DEVICE = {"two": 0.01, "one": 0.0, "readout": 0.02, "seconds": 1e-7, "t1": 1e-4, "t2": 5e-5, "qubits": 100}
NOISES = ["none", "depolarising 0.01", "device FakeX"]


def compiled(two, depth):
    return {"two": np.array(two), "depth": np.array(depth), "one": np.array(two), "qubits": 4}


def made_up() -> dict:
    """Four costs each, with numbers that tell what they are."""
    rng, four = np.random.default_rng(0), np.arange(4.0)
    maps = {
        "all-to-all": compiled([[40], [70]], [[20], [30]]),
        "line": compiled([[90, 80], [150, 170]], [[40, 50], [70, 80]]),
        "grid": compiled([[60, 60], [110, 110]], [[30, 30], [60, 60]]),
        "heavy-hex": compiled([[100, 95], [160, 170]], [[60, 61], [90, 90]]),
    }
    found = {"xy-complete, one-hot": {**maps, "network": compiled([[70], [130]], [[15], [25]])}, "x, binary": maps}

    def samples(level):
        arrays = {name: level * np.ones((4, 2)) for name in ("energy", "feasible", "ratio", "distance", "microseconds")}
        return arrays | {
            "optimum": level * np.array([0.5, 0.4]) + 0.001 * four[:, None],
            "near": level * np.array([0.55, 0.6]) + 0 * four[:, None],
            "shots": np.ones((4, 2)), "signal": level * np.ones((4, 2)), "two": 10 * np.ones((4, 2)), "one": 0 * np.ones((4, 2)),
            "gate depth": np.ones((4, 2)), "qubits": 5 * np.ones((4, 2)),
        }  # fmt: skip

    def kind(level):
        reading = {name: np.full(4, level) for name in ("ratio", "near", "optimum", "energy")}
        more = {name: own + 0.01 for name, own in reading.items()}
        tuned = {
            "moved": 0.02 * np.ones(4),
            "transferred": {"noisy": reading, "true": more},
            "own": {"noisy": more, "true": reading},
        }
        uniform = {"ratio": np.full(4, 0.4), "optimum": np.full(4, 0.05), "near": np.full(4, 0.1), "shots": np.ones(4)}
        return {"samples": samples(level), "tuned": tuned, "uniform": uniform}

    kinds = {name: kind(level) for name, level in zip(NOISES, (1.0, 0.9, 0.8), strict=True)}
    shape = (4, len(METHODS), 3)
    recovered, error = np.zeros(shape), np.ones(shape)
    recovered[:, METHODS.index(LIBRARY_DEFAULT)] = [0.9, 0.7, 0.8]
    error[:, METHODS.index(LIBRARY_DEFAULT)] = [0.1, 2.0, 0.2]
    error[:, METHODS.index("circuit, linear"), 1] = 0.5
    near = np.full((4, len(TUNERS), 3), 0.3)
    near[:, TUNERS.index("both"), 1] = 0.2
    some = {"near": np.full(4, 0.4), "optimum": np.full(4, 0.1), "true": np.full(4, -1.0)}
    tuning = {"near": near, "optimum": near, "true": -near, "best": some, "shipped": some, "uniform": some}
    recovery = {"recovered": recovered, "error": error, "loss": np.ones(4)}
    layers = {name: rng.random((4, 2)) for name in ("ratio", "optimum", "near", "exact")} | {
        "feasible": np.ones((4, 2))
    }
    return {
        "14/routing": {"found": {"5": found, "4": found}, "device": DEVICE, "product": {}, "depths": [1, 2]},
        "14/limit": {"found": {"xy-complete, one-hot, 5": layers, "x, binary, 4": layers}, "depths": [1, 2]},
        "14/noise": {"found": {"x, binary, 3 x 4": kinds, "xy-complete, one-hot, 3 x 3": kinds},
                     "noises": NOISES, "depths": [1, 2], "circuits": [["x", "binary", 3, 4], ["xy-complete", "one-hot", 3, 3]]},
        "14/mitigation": {
            "recovery": {"x, binary, 3 x 4, p = 2": {"device FakeX": recovery}},
            "tuning": {"x, binary, 3 x 4": {"device FakeX": tuning}},
            "circuits": [["x", "binary", 3, 4]], "noises": ["device FakeX"], "shots": [0, 100, 1000],
            "methods": list(METHODS), "tuners": list(TUNERS),
        },
    }  # fmt: skip


def test_the_shortest_compilation_is_taken():
    maps = made_up()["14/routing"]["found"]["5"]["xy-complete, one-hot"]
    assert shortest_compilation(maps, "line") == {
        "two": 80, "depth": 50, "median": 85, "layer": 70, "layer_depth": 20, "one": 80,
    }  # fmt: skip
    assert shortest_on_device(maps)["two"] == 70  # the network
    del maps["network"]
    assert shortest_on_device(maps)["two"] == 95


def test_layers_by_hand():
    counts = {"two": 100.0, "layer": 50.0, "one": 0.0, "depth": 30.0}
    assert fidelity(counts, DEVICE, 1) == pytest.approx(0.99**100)
    assert fidelity(counts, DEVICE, 3) == pytest.approx(0.99**200)
    assert fidelity(counts, DEVICE, 1, 0.1) == pytest.approx(0.999**100)
    own = layer_limits(counts, 4, DEVICE)
    assert own["one"] == pytest.approx(0.99**100)
    for layers, threshold in ((own["half"], 0.5), (own["e"], np.exp(-1))):
        gates = 100 * layers if layers < 1 else 100 + 50 * (layers - 1)
        assert 0.99**gates == pytest.approx(threshold)
    assert own["half"] < 1
    assert (1 - own["needed"]) ** 250 == pytest.approx(np.exp(-1))
    assert own["waits"] == pytest.approx(30 * 1e-7 / 5e-5)
    assert own["read"] == pytest.approx(0.98**4)


def test_where_something_errs_a_shot_tells_nothing():
    counts = {"two": 1e6, "layer": 1e6, "one": 0.0}
    found = chance_with_errors(np.full((3, 2), 0.8), 0.5, counts, 4, DEVICE, [1, 2], 0.5)
    np.testing.assert_allclose(found["today"], 0.005)
    none = chance_with_errors(np.full((3, 2), 0.8), 0.5, counts, 4, {**DEVICE, "two": 0.0, "readout": 0.0}, [1, 2], 0.5)
    np.testing.assert_allclose(none["today"], 0.8)
    some = chance_with_errors(np.full((1, 1), 0.8), 0.0, {"two": 100.0, "layer": 1.0, "one": 0.0}, 0, DEVICE, [1], 0.5)
    np.testing.assert_allclose(some["at worst"], 0.8 * 0.99**100)
    np.testing.assert_allclose(some["today"], 0.8 * 0.99**50)


def test_what_survives_is_above_any_bit_string():
    """Ten gates of two qubits at 1 %, five qubits read; the best are two of twenty configurations among 32 strings."""
    own = survival(made_up()["14/noise"])["x, binary, 3 x 4"]
    chance = 0.99**10 * 0.99**5
    np.testing.assert_allclose(own["chance"], chance)
    np.testing.assert_allclose(own["energy"], 0.9)
    flat = 0.1 * 20 / 32
    np.testing.assert_allclose(own["near"][1], (0.9 * 0.6 - flat) / (0.6 - flat))
    assert own["power"]["energy"] == pytest.approx(np.log(0.9) / np.log(chance))


def test_claims_are_read_off_the_results():
    found = judge_hardware(made_up())
    own, tests = found["summary"], found["summary"]["tests"]
    assert tests["signal"]["gain"] == pytest.approx(0.8 * 0.5 + 0.0015 - 0.05)
    assert tests["deeper"]["gain"] == pytest.approx(0.04)
    assert tests["mitigated"]["gain"] == pytest.approx(-0.1)
    assert set(found["p"]) == set(tests)
    assert found["p"]["signal"] == pytest.approx(2 / 16)  # four differences of one sign
    assert tests["signal"]["pairs"] == 4
    assert own["recovery"]["recovered_units"] == 4
    assert own["routing"]["5"]["xy-complete, one-hot"]["routed"] == pytest.approx((100 + 95) / 2 / 40)
    assert own["recovery"]["recovered"] == pytest.approx(0.8)
    assert own["recovery"]["error_few"] == pytest.approx(2.0)
    assert own["recovery"]["error_many"] == pytest.approx(0.2)
    assert (own["recovery"]["few"], own["recovery"]["many"]) == (100, 1000)
    assert own["recovery"]["best_few"] == "circuit, linear"
    assert own["recovery"]["best_many"] == LIBRARY_DEFAULT
    assert own["routing"]["5"]["xy-complete, one-hot"]["overhead"] == pytest.approx(70 / 40)
    assert own["noise"]["x, binary, 3 x 4"]["device FakeX"]["tuned"]["gain"] == pytest.approx(-0.01)
    assert own["noise"]["x, binary, 3 x 4"]["device FakeX"]["tuned"]["loss"] == pytest.approx(-0.01)
    assert set(own["depth"]["x, binary, 4"]["estimated"]) == {
        f"{name}{end}" for name in ("at worst", "today", "a tenth", "a hundredth") for end in ("", "_sem")
    }
    assert finite_shots([0, 1000, 100]) == [2, 1]
    assert device_noise(["none", "depolarising 1"]) == "depolarising 1"


def test_everything_is_shown():
    made = made_up()
    summary = judge_hardware(made)["summary"]
    routing, noise, mitigation = (made[f"14/{name}"] for name in ("routing", "noise", "mitigation"))
    for figure in (
        pictures.routing(routing), pictures.depth(summary["depth"], [1, 2]), pictures.samples(noise),
        pictures.survival(summary["survival"]),
        pictures.recovery(mitigation), pictures.tuning(mitigation),
    ):  # fmt: skip
        figure.draw_without_rendering()
    first, second = pictures.routing_rows(routing, "5")
    assert first["line"] == "80 (50)"
    assert second["swap network"] == ""
    assert pictures.angle_rows(summary["noise"])[0]["angles move by (%)"] == "2.00 ± 0.00"
    assert pictures.shots_rows(noise)[0]["shots"] == "10"
    assert pictures.circuit_title("x, domain-wall, 3 x 4") == "X, domain-wall, 3 × 4"
