"""Value and gradient of the twelve circuits of DiffQAS-QT: ours beside PennyLane, TorchQuantum and TensorCircuit-NG.

The sides (`circuits_peers.py`) are processes pinned to the same single core; `compare` asks them in turns and prints tables.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from circuits_peers import DOUBLE, SINGLE
from sides import Side
from vmc_netket import fitted_slope

from qednas.diffqas.candidates import PAPER

PROBLEMS = ((13, 10, 5), (17, 15, 3))  # qubits, layers, rounds of the timing
SIDES = {
    "ours, double": ("ours", DOUBLE),
    "ours, single": ("ours", SINGLE),
    "PennyLane, double": ("pennylane", DOUBLE),
    "TensorCircuit-NG, double": ("tensorcircuit", DOUBLE),
    "TensorCircuit-NG, single": ("tensorcircuit", SINGLE),
    "TorchQuantum, single": ("torchquantum", SINGLE),
}
OURS = ("ours, double", "ours, single")
REFERENCES = ("PennyLane, double", "TensorCircuit-NG, double")
AGREEMENT = {DOUBLE: 1e-12, SINGLE: 1e-5}  # of ours with both references, by every measure of `differences`
SAME_CIRCUIT = 1e-3  # of a peer in single precision, which may be less exact than ours but has to be the same circuit
LIVE = [k for k, candidate in enumerate(PAPER) if not candidate.fixed]
COST_QUBITS, COST_DEPTH, COST_ROUNDS = range(8, 21, 2), 10, 2


def side(title: str, pythons: dict[str, Path | str], environment: dict[str, str]) -> Side:
    name, precision = SIDES[title]
    script = Path(__file__).with_name("circuits_peers.py")
    return Side(pythons[name], script, name, precision, environment=environment)


def differences(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> dict[str, float]:
    """Largest difference of a probability and of an entry of the gradient, and both in 2-norms relative to the expected.

    At 17 qubits all probabilities may be below 1e-5, so the first measure alone would let anything pass in single precision.
    """
    p, q = found["probabilities"], expected["probabilities"]  # (circuit, state)
    g, h = found["gradient"], expected["gradient"]  # (layer, qubit)
    return {
        "p": float(np.abs(p - q).max()),
        "p relative": float((np.linalg.norm(p - q, axis=1) / np.linalg.norm(q, axis=1)).max()),  # the worst circuit
        "g": float(np.abs(g - h).max()),
        "g relative": float(np.linalg.norm(g - h) / np.linalg.norm(h)),
    }


def first_steps(sides: dict[str, Side]) -> dict[str, float]:
    """Seconds of the first step of all circuits, with compilation."""
    seconds = dict.fromkeys(sides, 0.0)
    for title, one in sides.items():
        for k in range(1 if title in OURS else len(PAPER)):
            seconds[title] += one.ask("timed", k=k)
        print(f"  {title}: first step of all circuits {seconds[title]:.1f} s", file=sys.stderr)
    return seconds


def same_answers(sides: dict[str, Side]) -> bool:
    """Prints how far the answers of the last steps are from the references'; True if they are the same."""
    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        for title, one in sides.items():
            path = Path(folder, "answers.npz")
            one.ask("save", path=str(path))
            with np.load(path) as stored:
                answers[title] = dict(stored)
    agree = True
    print(f"{'difference from':>26} {'':26} {'|dp|':>8} {'relative':>8} {'|dg|':>8} {'relative':>8}")
    pairs = [(REFERENCES[0], title) for title in answers if title != REFERENCES[0]]
    for reference, title in pairs + [(REFERENCES[1], title) for title in OURS]:
        found = differences(answers[title], answers[reference])
        precision = SIDES[title][1]
        allowed = AGREEMENT[precision] if title in OURS or precision == DOUBLE else SAME_CIRCUIT
        equal = all(value <= allowed for value in found.values())  # false for what is not a number, too
        agree &= equal
        numbers = " ".join(f"{value:8.0e}" for value in found.values())
        print(f"{reference:>26} {title:>26} {numbers} {'equal' if equal else 'NOT EQUAL'} ({allowed:g})")
    return agree


def turns(sides: dict[str, Side], rounds: int) -> dict[str, np.ndarray]:
    """Seconds (round, circuit); ours takes its step of all circuits beside every circuit of the others."""
    seconds = {title: np.zeros((rounds, len(PAPER))) for title in sides}
    for r in range(rounds):
        for k in range(len(PAPER)):
            for title in sorted(sides, reverse=bool((r + k) % 2)):  # who goes first alternates
                seconds[title][r, k] = sides[title].ask("timed", k=k)
        print(f"  round {r + 1} of {rounds}", file=sys.stderr)
    return seconds


def ratios(theirs: np.ndarray, own: np.ndarray, circuits: list[int]) -> list[float]:
    """Of every round: their time of the given circuits by ours of the whole pool."""
    return (theirs[:, circuits].sum(1) / own.mean(1)).tolist()


def step_times(n: int, depth: int, rounds: int, pythons: dict, environment: dict) -> bool:
    """Prints the answers and times of one size; True if the answers are right."""
    print(f"{n} qubits, {depth} layers")
    with ExitStack() as stack:
        sides = {title: stack.enter_context(side(title, pythons, environment)) for title in SIDES}
        for one in sides.values():
            one.ask("start", n=n, depth=depth)
        first = first_steps(sides)
        agree = same_answers(sides)
        seconds = turns(sides, rounds)
        memory = {title: one.memory for title, one in sides.items()}
    print(f"{'':26} {'first':>8} {'a step':>8} {'to ours, double':>26} {'to ours, single':>26} {'peak':>6}")
    print(f"{'':26} {'s':>8} {'s':>8} {'all  (rounds)   live':>26} {'all  (rounds)   live':>26} {'MB':>6}")
    for title, taken in seconds.items():
        step = statistics.median(taken.mean(1) if title in OURS else taken.sum(1))
        cells = ""
        for own in OURS if title not in OURS else ():
            every, live = (ratios(taken, seconds[own], chosen) for chosen in (list(range(len(PAPER))), LIVE))
            spread = f"({min(every):.0f} to {max(every):.0f})"
            cells += f" {f'{statistics.median(every):.1f} {spread:>12} {statistics.median(live):6.1f}':>26}"
        print(f"{title:>26} {first[title]:8.1f} {step:8.4f} {cells or ' ' * 54} {memory[title]:6.0f}", flush=True)
    return agree


def peak_memory(pythons: dict, environment: dict) -> None:
    """Prints the peak of processes that do nothing but our steps of the larger size."""
    n, depth, _ = PROBLEMS[-1]
    for title in OURS:
        with side(title, pythons, environment) as one:
            one.ask("start", n=2, depth=1)
            loaded = one.memory
            one.ask("start", n=n, depth=depth)
            for _ in range(2):
                one.ask("timed", k=0)
        print(
            f"{title}, {n} qubits, {depth} layers: peak of the process {one.memory:.0f} MB, "
            f"{loaded:.0f} MB of them before the first circuit"
        )


def cost(pythons: dict, environment: dict) -> None:
    """Prints our time of a step against the number of qubits."""
    print(f"our step of all circuits, {COST_DEPTH} layers")
    print(f"{'qubits':>26} " + " ".join(f"{n:8d}" for n in COST_QUBITS))
    for title in OURS:
        seconds: dict[int, list[float]] = {n: [] for n in COST_QUBITS}
        with side(title, pythons, environment) as one:
            for _ in range(COST_ROUNDS):
                for n in COST_QUBITS:
                    one.ask("start", n=n, depth=COST_DEPTH)
                    one.ask("timed", k=0)  # loads code, touches memory
                    seconds[n] += [one.ask("timed", k=0) for _ in range(3)]
        times = [statistics.median(taken) for taken in seconds.values()]
        local = np.diff(np.log2(times)) / np.diff(COST_QUBITS)
        print(f"{title + ', ms':>26} " + " ".join(f"{1e3 * t:8.2f}" for t in times))
        print(f"{'doublings a qubit':>26} {'':8} " + " ".join(f"{a:8.2f}" for a in local))
        for least in (COST_QUBITS[0], 14):
            chosen = [i for i, n in enumerate(COST_QUBITS) if n >= least]
            a, error = fitted_slope(np.array(COST_QUBITS)[chosen], np.log2(times)[chosen])
            print(f"{'':26} time ~ 2^(a qubits), a = {a:.2f} +- {error:.2f} from {least} qubits on", flush=True)


def compare(pythons: dict[str, Path | str], environment: dict[str, str]) -> bool:
    """pythons: of "ours", "pennylane", "torchquantum", "tensorcircuit".  Prints everything; True if the answers are right."""
    print(
        f"Probabilities of {len(PAPER)} circuits and the gradient of a loss of them, one core; "
        f"{len(LIVE)} circuits are live: angles change their probabilities"
    )
    agree = True
    for n, depth, rounds in PROBLEMS:
        agree &= step_times(n, depth, rounds, pythons, environment)
    peak_memory(pythons, environment)
    cost(pythons, environment)
    return agree
