"""Figures and tables of routing, noise and mitigation: they only read results."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qednas.base.statistics import mean_and_sem
from qednas.companion.figures import COLOURS
from studies.ch12.qaoa_figures import MARKS, MIXERS, plus_minus
from studies.ch12.verdict import averaged
from studies.ch14.hardware_records import DepthEstimate, NoiseMeans, Survival
from studies.ch14.hardware_verdict import (
    ERRORS,
    WORST,
    device_noise,
    layer_limits,
    shortest_compilation,
    shortest_on_device,
)
from studies.ch14.noise import circuit_name

MAPS = {
    "all-to-all": "all qubits coupled",
    "line": "line",
    "grid": "grid",
    "heavy-hex": "heavy hexagons",
    "network": "swap network",
}
TUNERS = {"none": "no mitigation", "read-out": "read-out", "zero noise": "zero noise", "both": "both"}


def circuit_title(circuit: str) -> str:
    """ "x, binary" or "x, binary, 3 x 4" as a heading."""
    mixer, encoding, *rest = circuit.split(", ")
    name = f"{MIXERS[mixer]}, {encoding}"
    return name + (f", {rest[0].replace('x', '×')}" if rest else "")


def noise_title(noise: str) -> str:
    kind, _, value = noise.partition(" ")
    return {
        "none": "no noise",
        "depolarising": f"depolarising {value}",
        "device": f"noise of {value.removeprefix('Fake')}",
    }[kind]


def routing(result):
    """Gates of two qubits of one layer, and their depth: a column for each number of operations, a mark for each map."""
    import matplotlib.pyplot as plt

    spaces = list(result["found"])
    figure, axes = plt.subplots(
        2, len(spaces), figsize=(3.6 * len(spaces), 6.0), squeeze=False, sharex="col", sharey="row"
    )
    for column, choices in enumerate(spaces):
        circuits = result["found"][choices]
        for row, (key, label) in enumerate((("two", "gates of two qubits"), ("depth", "depth in such gates"))):
            axis = axes[row, column]
            for place, (colour, mark, name) in enumerate(zip(COLOURS, MARKS, MAPS, strict=False)):
                at = [k for k, maps in enumerate(circuits.values()) if name in maps]
                values = [np.asarray(maps[name][key])[0] for maps in circuits.values() if name in maps]
                middle = np.array([np.median(counts) for counts in values])
                spread = np.array(
                    [[m - counts.min(), counts.max() - m] for m, counts in zip(middle, values, strict=True)]
                ).T
                axis.errorbar(
                    np.array(at) + 0.13 * (place - 2), middle, spread, fmt=mark, color=colour, ms=5, label=MAPS[name]
                )
            axis.set(yscale="log")
            axes[row, 0].set_ylabel(label)
        names = [
            f"{MIXERS[circuit.split(', ')[0]]}\n{circuit.split(', ')[1]}".replace(", ", ",\n") for circuit in circuits
        ]
        axes[1, column].set_xticks(range(len(circuits)), names, fontsize=8)
        axes[0, column].set_title(f"{choices} operations per edge")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def routing_rows(result, choices: str) -> list[dict]:
    """Fewest gates of two qubits of one layer on every map, and their depth."""
    rows = []
    for circuit, maps in result["found"][choices].items():
        counts = {name: shortest_compilation(maps, name) for name in maps}
        row: dict[str, str | int] = {"circuit": circuit_title(circuit), "qubits": int(maps["heavy-hex"]["qubits"])}
        rows.append(row | {
            MAPS[name]: f"{counts[name]['two']:,.0f} ({counts[name]['depth']:.0f})" if name in counts else ""
            for name in MAPS
        })  # fmt: skip
    return rows


def room_rows(result) -> list[dict]:
    """What the device's errors leave room for, for every number of operations."""
    rows = []
    for choices, circuits in result["found"].items():
        for circuit, maps in circuits.items():
            qubits = int(maps["heavy-hex"]["qubits"])
            room = layer_limits(shortest_on_device(maps), qubits, result["device"])
            rows.append({
                "circuit": circuit_title(circuit), "operations": choices, "qubits": qubits,
                "no error in a layer": f"{100 * room['one']:.2g} %", "layers to 1/e": f"{room['e']:.2f}",
                "error needed for 4": f"{room['needed']:.1e}",
            })  # fmt: skip
    return rows


def depth(summary: Mapping[str, DepthEstimate], depths: list[int]):
    """Chance of the best 1 % in a shot against layers: without noise, and estimated with the device's errors and fewer."""
    import matplotlib.pyplot as plt

    labels = {
        WORST: "device, at worst",
        "today": "errors of the device",
        "a tenth": "a tenth of them",
        "a hundredth": "a hundredth",
    }
    rows = -(-len(summary) // 2)
    figure, axes = plt.subplots(rows, 2, figsize=(6.6, 0.9 + 2.6 * rows), squeeze=False, sharey=True)
    for axis in axes.flat[len(summary) :]:
        axis.remove()
    for axis, (name, chances) in zip(axes.flat, summary.items(), strict=False):
        axis.errorbar(depths, chances["near"], chances["near_sem"], fmt="ko-", ms=4, label="no noise")
        for colour, mark, errors in zip((COLOURS[0], *COLOURS), MARKS, ERRORS, strict=False):
            line = ":" if errors == WORST else "-"
            value, sem = chances["estimated"][errors], chances["estimated"][f"{errors}_sem"]
            axis.errorbar(depths, value, sem, fmt=mark + line, ms=4, color=colour, label=labels[errors])
        axis.axhline(0.01, color="0.5", ls="--", lw=1.2, label="uniform configurations")
        *circuit, choices = name.split(", ")
        axis.set_title(f"{MIXERS[circuit[0]]}, {circuit[1]}, {int(choices) ** 6:,} cells")
        axis.set(xlabel="layers $p$", yscale="log", ylim=(1e-4, 1.4))
        axis.set_xticks(depths, map(str, depths))
    for axis in axes[:, 0]:
        axis.set_ylabel("best 1 % in a shot")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def samples(result):
    """Chance of the best 5 % and feasible share against layers, one line a noise, one column a circuit."""
    import matplotlib.pyplot as plt

    means, depths, count = averaged(result["found"]), result["depths"], len(result["circuits"])
    figure, axes = plt.subplots(2, count, figsize=(2.55 * count, 5.6), squeeze=False, sharex=True)
    for column, circuit in enumerate(map(circuit_name, result["circuits"])):
        for row, (key, label) in enumerate((("near", "best 5 % in a shot"), ("feasible", "feasible share of shots"))):
            axis = axes[row, column]
            for colour, mark, noise in zip(COLOURS, MARKS, result["noises"], strict=False):
                readings = means[circuit][noise]["samples"]
                look = {"fmt": f"{mark}-", "ms": 4, "lw": 1.2, "color": colour, "label": noise_title(noise)}
                axis.errorbar(depths, readings[key], readings[f"{key}_sem"], **look)
            if key == "near":
                level = means[circuit][result["noises"][0]]["uniform"]["near"]
                axis.axhline(level, color="0.5", ls="--", lw=1.2, label="uniform configurations")
            axis.set(ylim=(0, 1.02))
            axes[row, 0].set_ylabel(label)
        axes[0, column].set_title(circuit_title(circuit))
        axes[1, column].set_xlabel("layers $p$")
        axes[1, column].set_xticks(depths, map(str, depths))
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def shots_rows(result, depth_place: int = 0) -> list[dict]:
    """Shots until the optimum was seen with a chance of 90 %, and what else noise does, one row a circuit and noise."""
    rows = []
    means = averaged(result["found"])
    for circuit in map(circuit_name, result["circuits"]):
        for noise in result["noises"]:
            kind = means[circuit][noise]
            readings = kind["samples"]

            def cell(key: str, form: str, factor: float = 1.0, readings=readings) -> str:
                return plus_minus(readings, key, (depth_place,), form, factor)

            rows.append({
                "circuit": circuit_title(circuit), "noise": noise_title(noise),
                "gates of two qubits": f"{readings['two'][depth_place]:.0f}", "energy left (%)": cell("signal", ".0f", 100),
                "optimum (%)": cell("optimum", ".1f", 100), "shots": f"{10 ** readings['shots'][depth_place]:.0f}",
                "shots, uniform": f"{10 ** kind['uniform']['shots']:.0f}",
            })  # fmt: skip
    return rows


def angle_rows(summary: Mapping[str, Mapping[str, NoiseMeans]]) -> list[dict]:
    """One layer: how far the best angles move with noise, and what using the noiseless ones costs."""
    rows = []
    for circuit, kinds in summary.items():
        for noise, kind in kinds.items():
            if noise == "none" or "tuned" not in kind:
                continue
            tuned = kind["tuned"]
            rows.append({
                "circuit": circuit_title(circuit), "noise": noise_title(noise),
                "angles move by (%)": plus_minus(tuned, "moved", (), ".2f", 100),
                "energy with noise": plus_minus(tuned["transferred"]["noisy"], "energy", (), ".3f"),
                "gained with noise (1/1000)": plus_minus(tuned, "gain", (), ".2f", 1000),
                "lost without (1/1000)": plus_minus(tuned, "loss", (), ".2f", 1000),
            })  # fmt: skip
    return rows


def survival(summary: Mapping[str, Survival]):
    """What is left of the energy and of the chance of the best 5 % against the chance that nothing errs: a point for every
    circuit, depth and strength of depolarising noise."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(7.0, 3.9), sharey=True)
    for axis, (key, label) in zip(axes, (("energy", "energy"), ("near", "chance of the best 5 %")), strict=True):
        for colour, mark, (circuit, shares) in zip(COLOURS, MARKS, summary.items(), strict=False):
            axis.errorbar(
                shares["chance"],
                shares[key],  # type: ignore[literal-required]
                shares[f"{key}_sem"],  # type: ignore[literal-required]
                fmt=mark,
                ms=5,
                color=colour,
                label=circuit_title(circuit),
            )
        axis.plot([0, 1], [0, 1], color="0.5", ls="--", lw=1.2)
        axis.set(xlabel="chance that nothing errs", xlim=(0, 1), ylim=(0, 1.02), title=label)
    axes[0].set_ylabel("share that is left")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def recovery(result):
    """Share of the lost energy that every method brings back, and its error, with the noise of the device."""
    import matplotlib.pyplot as plt

    noise, methods = device_noise(result["noises"]), result["methods"]
    figure, axes = plt.subplots(
        2,
        len(result["recovery"]),
        figsize=(3.6 * len(result["recovery"]), 7.4),
        squeeze=False,
        sharey=True,
        sharex="row",
    )
    order = sorted(range(len(result["shots"])), key=lambda place: result["shots"][place] or np.inf)
    y = np.arange(len(methods))[::-1]
    for column, (circuit, kinds) in enumerate(averaged(result["recovery"]).items()):
        measures = kinds[noise]
        for row, (key, label) in enumerate(
            (("recovered", "share of the loss recovered"), ("error", "error over the loss"))
        ):
            axis = axes[row, column]
            for rank, (colour, mark, place) in enumerate(zip(COLOURS, MARKS, order, strict=False)):
                shots = result["shots"][place]
                value, sem = np.array(measures[key])[:, place], np.array(measures[f"{key}_sem"])[:, place]
                axis.errorbar(
                    value,
                    y + 0.17 * (1.5 - rank),
                    xerr=sem,
                    fmt=mark,
                    ms=4.5,
                    color=colour,
                    label=f"{shots:,} shots" if shots else "exact",
                )
            axis.axvline(1, color="0.5", ls="--", lw=1.2)
            axis.set_yticks(y, methods, fontsize=8)
            axis.set_xlabel(label)
        axes[0, column].set_title(circuit_title(circuit.split(", p")[0]) + f", $p$ = {circuit[-1]}")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def tuning(result):
    """Chance of the best 5 % that is lost where angles are chosen by estimated energies, with and without mitigation, against
    shots of an energy; beside the angles of lowest true energy, paired by cost."""
    import matplotlib.pyplot as plt

    panels = [
        (circuit, noise) for circuit, kinds in result["tuning"].items() for noise in result["noises"] if noise in kinds
    ]
    figure, axes = plt.subplots(1, len(panels), figsize=(3.6 * len(panels), 3.8), squeeze=False, sharey=True)
    places = [place for place, count in enumerate(result["shots"]) if count]
    for axis, (circuit, noise) in zip(axes[0], panels, strict=True):
        tuned = result["tuning"][circuit][noise]
        best = np.asarray(tuned["best"]["near"])
        for rank, (colour, mark, (name, label)) in enumerate(zip(COLOURS, MARKS, TUNERS.items(), strict=False)):
            lost = best[:, None] - np.asarray(tuned["near"])[:, result["tuners"].index(name)][:, places]
            mean, sem = mean_and_sem(100 * lost)
            x = np.array([result["shots"][place] for place in places]) * 1.1 ** (rank - 1.5)
            axis.errorbar(x, mean, sem, fmt=f"{mark}-", ms=5, lw=1.2, color=colour, label=label)
        axis.axhline(0, color="0.5", ls="--", lw=1.2)
        shipped, _ = mean_and_sem(100 * (best - np.asarray(tuned["shipped"]["near"])))
        axis.set(xscale="log", xlabel="shots of an energy", title=f"{circuit_title(circuit)},\n{noise_title(noise)}")
        axis.text(
            0.98, 0.95, f"shipped angles: {shipped:.1f}", transform=axis.transAxes, ha="right", va="top", fontsize=9
        )
    axes[0, 0].set_ylabel("best 5 % in a shot: lost (points)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def device_rows(result) -> list[dict]:
    """The same search on every device."""
    return [
        {
            "device": name,
            "regret": f"{runs['regret']:.2f} ± {runs['regret_sem']:.2f}",
            "infeasible shots (%)": f"{100 * runs['infeasible']:.0f}",
            "circuits of a search": f"{runs['circuits']:.0f}" if runs["circuits"] else "",
        }
        for name, runs in result["devices"].items()
    ]
