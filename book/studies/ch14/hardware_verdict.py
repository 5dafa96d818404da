"""What the measurements on noise and hardware say: how many layers a device has room for, and tests paired by cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from qednas.base.statistics import Gain, compare, estimate, mean_and_sem
from qednas.base.task import declare
from studies.ch12.depths import NEAR
from studies.ch12.verdict import averaged
from studies.ch14.device.noise import READ
from studies.ch14.device.routing import DeviceMedians
from studies.ch14.hardware_records import (
    Compilation,
    DepthEstimate,
    HardwareVerdict,
    LayerLimits,
    MitigationMeans,
    NoiseMeans,
    Recovery,
    RoutingCosts,
    Survival,
)
from studies.ch14.mitigation import METHODS, TUNERS
from studies.ch14.noise import circuit_name
from studies.ch14.routing import Routed

WORST = "at worst"
ERRORS = {WORST: 1.0, "today": 1.0, "a tenth": 0.1, "a hundredth": 0.01}  # of the device's errors
DEVICE_MAP = "heavy-hex"
LIBRARY_DEFAULT = (
    "read-out and circuit, Richardson"  # Richardson is what both libraries extrapolate by unless told otherwise
)
SHOTS = 64  # of one proposal


def shortest_compilation(maps: Mapping[str, Routed], name: str) -> Compilation:
    """Of one circuit on a map, over seeds."""
    two, depth = np.asarray(maps[name]["two"]), np.asarray(maps[name]["depth"])
    best = two.argmin(1)
    gates, deep = (table[np.arange(len(two)), best].astype(float) for table in (two, depth))
    further = [
        float(row[-1] - row[0]) / max(len(two) - 1, 1) if len(two) > 1 else float(row[0]) for row in (gates, deep)
    ]
    one = np.asarray(maps[name]["one"])[0, best[0]]
    return {"two": gates[0], "depth": deep[0], "median": float(np.median(two[0])), "layer": further[0],
            "layer_depth": further[1], "one": float(one)}  # fmt: skip


def shortest_on_device(maps: Mapping[str, Routed]) -> Compilation:
    """The shorter of what Sabre and the swap network make of a circuit on heavy hexagons."""
    compilations = [shortest_compilation(maps, name) for name in (DEVICE_MAP, "network") if name in maps]
    return min(compilations, key=lambda one: one["two"])


def fidelity(counts: Compilation, device: DeviceMedians, layers: float, errors: float = 1.0) -> float:
    """Chance that no gate of so many layers errs, with the device's errors times ``errors``."""
    share = 1 + (layers - 1) * counts["layer"] / counts["two"]
    log = counts["two"] * math.log1p(-errors * device["two"]) + counts["one"] * math.log1p(-errors * device["one"])
    return math.exp(share * log)


def layer_limits(counts: Compilation, qubits: int, device: DeviceMedians) -> LayerLimits:
    """What a device has room for."""
    whole, per_layer = fidelity(counts, device, 1), fidelity(counts, device, 2) / fidelity(counts, device, 1)

    def layers(threshold: float) -> float:
        first = math.log(threshold) / math.log(whole)
        return first if first < 1 else 1 + math.log(threshold / whole) / math.log(per_layer)

    four = counts["two"] + 3 * counts["layer"]
    return {
        "one": whole, "half": layers(0.5), "e": layers(math.exp(-1)), "needed": -math.expm1(-1 / four),
        "waits": counts["depth"] * device["seconds"] / device["t2"], "read": (1 - device["readout"]) ** qubits,
    }  # fmt: skip


def chance_with_errors(
    near: Any, feasible: float, counts: Compilation, qubits: int, device, depths: Sequence[int], power: float
) -> Any:
    """{errors: (instances, depths)} chance that a shot is among the best 1 %: of what it is without noise, above any bit string,
    the share (chance that nothing errs)^power is left.  feasible: share of bit strings that is a configuration.

    With power 1, "at worst", a circuit in which anything errs tells nothing; for the others it is that of :func:`survival`.
    """
    clean, flat = np.asarray(near), NEAR * feasible
    out = {}
    for name, factor in ERRORS.items():
        intact = np.array([fidelity(counts, device, p, factor) for p in depths])
        intact = (intact * (1 - factor * device["readout"]) ** qubits) ** (1.0 if name == WORST else power)
        out[name] = intact * clean + (1 - intact) * flat
    return out


def survival(noise) -> dict[str, Survival]:
    """{circuit: what depolarising noise leaves}."""
    by_circuit: dict[str, Survival] = {}
    for circuit in map(circuit_name, noise["circuits"]):
        kinds = noise["found"][circuit]
        shares: dict[str, Any] = {key: [] for key in ("chance", "energy", "energy_sem", "near", "near_sem")}
        for name in noise["noises"]:
            if not name.startswith("depolarising") or "none" not in kinds:
                continue
            strength, measured = float(name.split()[1]), {k: np.asarray(x) for k, x in kinds[name]["samples"].items()}
            clean = np.asarray(kinds["none"]["samples"]["near"])
            sizes = 1 / np.asarray(kinds[name]["uniform"]["optimum"])[:, None]
            flat = np.asarray(kinds[name]["uniform"]["near"])[:, None] * sizes / 2 ** measured["qubits"]
            left = {"energy": measured["signal"], "near": (measured["near"] - flat) / (clean - flat)}
            gates = measured["two"].mean(0) * np.log1p(-strength) + measured["one"].mean(0) * np.log1p(-strength / 10)
            shares["chance"] += np.exp(gates + measured["qubits"].mean(0) * np.log1p(-READ)).tolist()
            for key, values in left.items():
                mean, sem = mean_and_sem(values)
                shares[key] += mean
                shares[f"{key}_sem"] += sem
        if shares["chance"]:
            logs = np.log(shares["chance"])
            shares["power"] = {key: float(np.log(shares[key]) @ logs / (logs @ logs)) for key in ("energy", "near")}
            by_circuit[circuit] = cast(Survival, shares)
    return by_circuit


def routing_costs(routing) -> dict[str, dict[str, RoutingCosts]]:
    """{choices: {circuit: what it takes on the device}}."""
    by_choices: dict[str, dict[str, RoutingCosts]] = {}
    for choices, circuits in routing["found"].items():
        for circuit, maps in circuits.items():
            counts, qubits = shortest_on_device(maps), int(maps[DEVICE_MAP]["qubits"])
            free = shortest_compilation(maps, "all-to-all")
            by_choices.setdefault(choices, {})[circuit] = cast(RoutingCosts, {
                "counts": {name: shortest_compilation(maps, name) for name in maps}, "qubits": qubits,
                "overhead": counts["two"] / free["two"],
                **estimate(np.asarray(maps[DEVICE_MAP]["two"])[0] / free["two"], "routed"),
                "limits": layer_limits(counts, qubits, routing["device"]), "device": counts,
            })  # fmt: skip
    return by_choices


def depth_estimates(routing, limit, survived: Mapping[str, Survival]) -> dict[str, DepthEstimate]:
    """{circuit: as measured without noise, and estimated}.

    survived: see :func:`survival`; its power for the same encoding, measured on fewer qubits, is used.
    """
    powers = {name.split(", ")[1]: shares["power"]["near"] for name, shares in survived.items()}
    estimates: dict[str, DepthEstimate] = {}
    for name, runs in limit["found"].items():
        mixer, encoding, choices = name.split(", ")
        maps = routing["found"][choices][f"{mixer}, {encoding}"]
        qubits = int(maps[DEVICE_MAP]["qubits"])
        share = int(choices) ** 6 / 2.0**qubits
        estimated = chance_with_errors(
            runs["near"],
            share,
            shortest_on_device(maps),
            qubits,
            routing["device"],
            limit["depths"],
            powers.get(encoding, 1.0),
        )
        estimates[name] = cast(DepthEstimate, averaged({**runs, "estimated": estimated}))
    return estimates


def noise_means(noise) -> dict[str, dict[str, NoiseMeans]]:
    """{circuit: {noise: means with errors}}."""
    means: dict[str, dict[str, NoiseMeans]] = {}
    for circuit, kinds in noise["found"].items():
        for name, runs in kinds.items():
            extended = dict(runs)
            if "tuned" in runs:
                before, after = runs["tuned"]["transferred"], runs["tuned"]["own"]
                gain = np.asarray(before["noisy"]["energy"]) - after["noisy"]["energy"]
                loss = np.asarray(after["true"]["energy"]) - before["true"]["energy"]
                extended["tuned"] = {**runs["tuned"], "gain": gain, "loss": loss}
            means.setdefault(circuit, {})[name] = cast(NoiseMeans, averaged(extended))
    return means


def device_noise(noises: Sequence[str]) -> str:
    """The noise of a device, or the last there is."""
    return next((name for name in noises if name.startswith("device")), noises[-1])


def paired_tests(inputs) -> dict[str, Gain]:
    """Paired by cost, on the first circuit and the noise of the device: ``signal``, one layer against a uniform draw, chance of
    the optimum; ``deeper``, the second depth against the first, chance of the best 5 %; ``mitigated``, angles tuned with both
    mitigations against none at the fewest shots, chance of the best 5 %."""
    noise, mitigation = inputs["14/noise"], inputs["14/mitigation"]
    runs = noise["found"][circuit_name(noise["circuits"][0])][device_noise(noise["noises"])]
    optimum, near = np.asarray(runs["samples"]["optimum"]), np.asarray(runs["samples"]["near"])
    tuning = mitigation["tuning"][circuit_name(mitigation["circuits"][0])][device_noise(mitigation["noises"])]
    place = finite_shots(mitigation["shots"])[0]
    tuned = np.asarray(tuning["near"])[:, :, place]
    return {
        "signal": compare(optimum[:, 0], np.asarray(runs["uniform"]["optimum"])),
        "deeper": compare(near[:, 1], near[:, 0]),
        "mitigated": compare(tuned[:, TUNERS.index("both")], tuned[:, TUNERS.index("none")]),
    }


def finite_shots(shots: Sequence[int]) -> list[int]:
    """Places of shots that are a number, fewest first."""
    return sorted((place for place, count in enumerate(shots) if count), key=lambda place: shots[place])


def recovery(mitigation) -> Recovery:
    """What the default of the libraries recovers, and which methods are best."""
    name = device_noise(mitigation["noises"])
    runs = [kinds[name] for kinds in mitigation["recovery"].values()]
    few, *_, many = [*finite_shots(mitigation["shots"]), finite_shots(mitigation["shots"])[-1]]
    # Costs of the same seed are alike in all circuits: a seed counts once.
    recovered, error = (np.mean([np.asarray(run[key]) for run in runs], axis=0) for key in ("recovered", "error"))
    row = METHODS.index(LIBRARY_DEFAULT)
    out: dict[str, float] = {}
    for key, values in (
        ("recovered", recovered[:, row, many]), ("error_few", error[:, row, few]), ("error_many", error[:, row, many]),
    ):  # fmt: skip
        out |= estimate(values, key)
    return cast(Recovery, out | {
        "few": mitigation["shots"][few], "many": mitigation["shots"][many],
        "best_few": METHODS[int(error[:, :, few].mean(0).argmin())],
        "best_many": METHODS[int(error[:, :, many].mean(0).argmin())],
    })  # fmt: skip


@declare(version=1)
def judge_hardware(inputs) -> HardwareVerdict:
    """From the results "routing", "limit", "noise" and "mitigation" of chapter 14."""
    mitigation = inputs["14/mitigation"]
    tests = paired_tests(inputs)
    p = {name: test.pop("p") for name, test in tests.items()}
    return {
        "summary": {
            "routing": routing_costs(inputs["14/routing"]),
            "survival": (survived := survival(inputs["14/noise"])),
            "depth": depth_estimates(inputs["14/routing"], inputs["14/limit"], survived),
            "noise": noise_means(inputs["14/noise"]),
            "mitigation": cast(MitigationMeans, {part: averaged(mitigation[part]) for part in ("recovery", "tuning")}),
            "recovery": recovery(mitigation),
            "tests": tests,
        },
        "p": p,
    }
