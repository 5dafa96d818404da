"""QAOA and VQE: value and gradient beside PennyLane's lightning.qubit, value beside QOKit, and our cost against size.

The sides (`qaoa_peers.py`) are processes pinned to the same single core; `compare` asks them in turns and prints tables.
"""

from __future__ import annotations

import statistics
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from qaoa_peers import LAYERS, VQE_QUBITS
from sides import Side
from vmc_netket import fitted_slope

QUBITS, DEPTH, ROUNDS = 16, 4, 7
STEPS = 5  # of ours in a round; the median counts
AGREEMENT = (
    1e-10  # of the energy and of every entry of the gradient, in units of the standard deviation of the energies
)
PEERS = {  # title: (side, ours beside it, ratio wanted at least)
    "PennyLane, value and gradient": ("pennylane", "ours", 12.0),
    "QOKit, value": ("qokit", "ours-value", 1.0),
}
ALONE = {  # title: (side, milliseconds wanted at most, None for no bar)
    "15,625 configurations, xy-complete": ("ours-columns", 30.0),
    "15,625 configurations, xy-ring": ("ours-ring", 30.0),
    "15,625 configurations, multi-angle": ("ours-multi-angle", None),
    f"VQE, {VQE_QUBITS} qubits, {LAYERS} layers, double": ("ours-vqe", 60.0),
    f"VQE, {VQE_QUBITS} qubits, {LAYERS} layers, single": ("ours-vqe-single", None),
}
COST_QUBITS = range(8, 21, 2)


def side(name: str, pythons: dict[str, Path | str], environment: dict[str, str]) -> Side:
    python = pythons["ours" if name.startswith("ours") else name]
    return Side(python, Path(__file__).with_name("qaoa_peers.py"), name, environment=environment)


def difference(found: tuple[float, list[float]], expected: tuple[float, list[float]], unit: float) -> float:
    """The largest, of the energies and, where both sides have one, of the gradients' entries."""
    values = [found[0] - expected[0]]
    if found[1] and expected[1]:
        values += list(np.subtract(found[1], expected[1]))
    return float(np.abs(values).max() / unit)


def met(good: bool) -> str:
    return "met" if good else "NOT MET"


def beside(pythons: dict, environment: dict) -> bool:
    """Prints our times beside the peers'; True if the answers are the same."""
    from qaoa_peers import problem

    unit = float(problem(QUBITS, DEPTH)[0].diagonal().std())
    print(f"{QUBITS} qubits, all couplings, X mixer, depth {DEPTH}")
    print(f"{'':>34} {'theirs s':>9} {'ours s':>9} {'ratio  (rounds)':>22} {'difference':>11}")
    agree = True
    for title, (theirs, own, wanted) in PEERS.items():
        seconds: dict[str, list[float]] = {theirs: [], own: []}
        with ExitStack() as stack:
            sides = {name: stack.enter_context(side(name, pythons, environment)) for name in seconds}
            for one in sides.values():
                one.ask("start", n=QUBITS, depth=DEPTH)
                one.ask("timed")  # compiles or loads code, touches memory
            for r in range(ROUNDS):
                for name in sorted(sides, reverse=bool(r % 2)):  # who goes first alternates
                    count = STEPS if name == own else 1
                    seconds[name].append(statistics.median(sides[name].ask("timed") for _ in range(count)))
            apart = difference(sides[own].ask("answer"), sides[theirs].ask("answer"), unit)
        ratios = [a / b for a, b in zip(seconds[theirs], seconds[own], strict=True)]
        ratio = statistics.median(ratios)
        agree &= apart <= AGREEMENT  # false for what is not a number, too
        print(
            f"{title:>34} {statistics.median(seconds[theirs]):9.4f} {statistics.median(seconds[own]):9.4f} "
            f"{f'{ratio:.0f}  ({min(ratios):.0f} to {max(ratios):.0f})':>22} {apart:11.0e} "
            f"{'equal' if apart <= AGREEMENT else 'NOT EQUAL'}; at least {wanted:g} wanted: {met(ratio >= wanted)}",
            flush=True,
        )
    return agree


def alone(pythons: dict, environment: dict) -> None:
    """Prints our times where there is no peer."""
    print(f"value and gradient, depth {DEPTH}, milliseconds (median of {ROUNDS * STEPS}, smallest)")
    for title, (name, wanted) in ALONE.items():
        with side(name, pythons, environment) as one:
            one.ask("start", n=QUBITS, depth=DEPTH)
            one.ask("timed")
            times = [1e3 * one.ask("timed") for _ in range(ROUNDS * STEPS)]
        median = statistics.median(times)
        bar = "" if wanted is None else f"   at most {wanted:g} wanted: {met(median <= wanted)}"
        print(f"{title:>40} {median:8.2f} {min(times):8.2f}{bar}", flush=True)


def cost(pythons: dict, environment: dict) -> None:
    """Prints our time against the number of qubits."""
    times = []
    with side("ours", pythons, environment) as one:
        for n in COST_QUBITS:
            one.ask("start", n=n, depth=DEPTH)
            one.ask("timed")
            times.append(statistics.median(one.ask("timed") for _ in range(STEPS)))
        memory = one.memory
    print(f"our value and gradient, X mixer, depth {DEPTH}; peak {memory:.0f} MB")
    print(f"{'qubits':>20} " + " ".join(f"{n:8d}" for n in COST_QUBITS))
    print(f"{'ms':>20} " + " ".join(f"{1e3 * t:8.2f}" for t in times))
    large = [i for i, n in enumerate(COST_QUBITS) if n >= 14]
    a, error = fitted_slope(np.array(COST_QUBITS)[large], np.log2(times)[large])
    print(f"{'':>20} time ~ 2^(a qubits), a = {a:.2f} +- {error:.2f} from 14 qubits on", flush=True)


def compare(pythons: dict[str, Path | str], environment: dict[str, str]) -> bool:
    """pythons: of "ours", "pennylane", "qokit".  Prints everything; True if the answers are right."""
    agree = beside(pythons, environment)
    alone(pythons, environment)
    cost(pythons, environment)
    if not agree:
        print("the answers differ", file=sys.stderr)
    return agree
