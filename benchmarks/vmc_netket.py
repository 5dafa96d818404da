"""Variational Monte Carlo of one restricted Boltzmann machine: ours and NetKet's, each pinned to the same single core.

The sides are processes of their own, `vmc_netket.py ours` and `vmc_netket.py netket`, as NetKet lives in another environment.
`compare` starts them, asks in turns and prints the tables.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from sides import Side, serve

SITES, SAMPLES = 64, 1024  # one sweep of as many proposed flips as sites between samples; alpha = 1 throughout
EXACT = 1 - 1 / math.sin(math.pi / (2 * (2 * SITES + 1)))  # of -sum ZZ - sum X on an open chain (Pfeuty 1970)
AGREEMENT = 1e-9  # of local energies, Pauli units
CONFIGURATIONS = 256  # on which they are compared
ROUNDS, STEPS = 8, 8  # of the timing
STEP_RATE, STEP_SHIFT = 0.02, 1e-3  # while steps are timed
SIZES = (32, 64, 128, 256)
SIZE_ROUNDS = 4
CALIBRATION = 8  # steps after which a race knows how many it has time for
FINAL = {"samples": 65536, "chains": 1024, "sweeps": 2, "warm_up": 50}
BELOW = 3.0  # standard errors that our energy may lie below the exact one
# (first, last) of rate and shift, geometric in between; chosen on a seed that is not raced, see README.md.
OURS = {"rate": (0.3, 0.1), "shift": (1e-2, 1e-4), "longest": 1.0}
NETKET = {"form": "cg", "rate": (0.05, 0.05), "shift": (1e-2, 1e-2)}
FORMS = {"kernel": "kernel, Cholesky", "cg": "iterative, CG"}


class Ours:
    def __init__(self):
        import torch

        from qednas.physics.families import build
        from qednas.qed.blocks.rbm import RBM
        from qednas.qed.vmc import vmc

        self.torch, self.vmc = torch, vmc
        torch.set_num_threads(1)
        self.hamiltonian = lambda sites: build("tfim", sites, h=1.0)
        self.machine = lambda sites, seed: RBM(
            sites, 1.0, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
        )
        self.timed = {}

    def local_energies(self, visible: list, hidden: list, weights: list, bits: list) -> list[float]:
        block = self.machine(SITES, 0)
        with self.torch.no_grad():
            for own, value in ((block.visible, visible), (block.hidden, hidden), (block.weights, weights)):
                own.copy_(self.torch.tensor(value, dtype=own.dtype))
        values = self.vmc.LocalEnergy(self.hamiltonian(SITES))(block, self.torch.tensor(bits) != 0)
        return values.tolist()

    def steps(self, sites: int, count: int) -> list[float]:
        """Seconds of ``count`` more steps of the machine of that size."""
        hamiltonian, block, done = self.timed.get(sites, (self.hamiltonian(sites), self.machine(sites, 0), 0))
        settings = self.vmc.Settings(
            steps=count + 1, samples=SAMPLES, chains=SAMPLES, rate=(STEP_RATE,) * 2, shift=(STEP_SHIFT,) * 2, seed=done
        )
        history = self.vmc.train(hamiltonian, block, settings)
        self.timed[sites] = hamiltonian, block, done + 1
        return np.diff(history["seconds"]).tolist()

    def race(self, until: float, seed: int, **given) -> dict:
        """Train until that time of the clock, then measure the energy."""
        hamiltonian, block = self.hamiltonian(SITES), self.machine(SITES, seed)
        taken = 0

        def train(steps: int, first: int, last: int, margin: float = 0.0) -> np.ndarray:
            """Rate and shift go from the ``first`` to the ``last`` of their pairs; returns the seconds of the steps."""
            nonlocal taken
            pairs = {name: (given[name][first], given[name][last]) for name in ("rate", "shift")}
            settings = self.vmc.Settings(
                steps=steps, samples=SAMPLES, chains=SAMPLES, seed=seed + taken, **given | pairs
            )
            left = until - time.time() - margin
            seconds = self.vmc.train(hamiltonian, block, settings, seconds=left)["seconds"]
            taken += len(seconds)
            return seconds

        seconds = train(CALIBRATION, 0, 0)
        each, start = float(np.median(np.diff(seconds))), float(seconds[0])
        planned = max(1, round((until - time.time() - start) / each))
        train(planned, 0, 1, each)  # the last step has to end in time too
        if until - time.time() > start + each:  # steps were faster than foreseen
            train(planned, 1, 1, each)
        late = time.time() - until
        estimate = self.vmc.measure(hamiltonian, block, **FINAL, seed=seed + 1)
        return {"energy": estimate.mean, "error": estimate.error, "steps": taken, "planned": planned, "late": late}


class NetKet:
    def __init__(self):
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.environ["JAX_PLATFORMS"] = "cpu"
        import jax
        import netket
        import optax

        jax.config.update("jax_enable_x64", True)
        self.jax, self.nk, self.optax = jax, netket, optax
        self.hilbert = netket.hilbert.Spin(0.5, SITES)
        graph = netket.graph.Chain(SITES, pbc=False)
        self.operator = netket.operator.IsingJax(self.hilbert, graph, h=1.0, J=-1.0)
        self.timed = {}

    def state(self, seed: int, samples: int = SAMPLES, chains: int = SAMPLES, sweeps: int = 1, warm_up: int = 0):
        sampler = self.nk.sampler.MetropolisLocal(
            self.hilbert, n_chains=chains, sweep_size=sweeps * SITES, dtype=np.int8
        )
        return self.nk.vqs.MCState(
            sampler,
            self.nk.models.RBM(alpha=1, param_dtype=float),
            n_samples=samples,
            n_discard_per_chain=warm_up // sweeps,
            chunk_size=128,
            seed=seed,
            sampler_seed=seed + 1,
        )

    def driver(self, state, form: str, rate: float, shift):
        nk, optimiser = self.nk, self.optax.sgd(rate)
        if form == "kernel":
            return nk.driver.VMC_SR(
                self.operator, optimiser, diag_shift=shift, variational_state=state, use_ntk=True, on_the_fly=True
            )
        sr = nk.optimizer.SR(qgt=nk.optimizer.qgt.QGTOnTheFly(), diag_shift=shift, holomorphic=False)
        return nk.driver.VMC(self.operator, optimiser, variational_state=state, preconditioner=sr)

    def step(self, driver) -> float:
        start = time.perf_counter()
        driver.run(1, show_progress=False)
        self.jax.block_until_ready(driver.state.parameters)
        return time.perf_counter() - start

    def local_energies(self, visible: list, hidden: list, weights: list, bits: list) -> list[float]:
        state, array = self.state(0), self.jax.numpy.asarray
        dense = {"kernel": array(weights).T, "bias": array(hidden)}
        state.parameters = {"Dense": dense, "visible_bias": array(visible)}
        spins = 1 - 2 * np.array(bits, dtype=np.int8)
        reached, elements = self.operator.get_conn_padded(spins)
        ratios = np.exp(state.log_value(reached) - state.log_value(spins)[:, None])
        return (elements * ratios).sum(1).tolist()

    def steps(self, form: str, count: int) -> list[float]:
        """Seconds of ``count`` more steps; those of the first call are compiled."""
        if form not in self.timed:
            self.timed[form] = self.driver(self.state(0), form, STEP_RATE / 2, STEP_SHIFT)
        return [self.step(self.timed[form]) for _ in range(count)]

    def race(self, until: float, seed: int, form: str, rate: list[float], shift: list[float]) -> dict:
        """Train until that time of the clock, then measure the energy."""
        plan = {"from": 0, "steps": 0}

        def shift_at(step: int) -> float:
            share = min(1.0, (step - plan["from"]) / plan["steps"]) if plan["steps"] else 0.0
            return shift[0] * (shift[1] / shift[0]) ** share

        state = self.state(seed)
        driver = self.driver(state, form, rate[0], shift_at)
        for _ in range(2):
            self.step(driver)  # the compilation
        each = statistics.median(self.step(driver) for _ in range(CALIBRATION - 2))
        plan["steps"] = max(1, round((until - time.time()) / each))
        plan["from"] = driver.step_count
        driver.optimizer = self.optax.sgd(
            self.optax.exponential_decay(rate[0], plan["steps"], rate[1] / rate[0], end_value=rate[1])
            if rate[0] != rate[1]
            else rate[0]
        )
        while time.time() + each < until:
            self.step(driver)
        late = time.time() - until
        final = self.state(seed, FINAL["samples"], FINAL["chains"], FINAL["sweeps"], FINAL["warm_up"])
        final.parameters = state.parameters
        values = np.array(final.local_estimators(self.operator).data).real.reshape(FINAL["chains"], -1)
        error = values.mean(1).std(ddof=1) / math.sqrt(FINAL["chains"])
        taken = {"steps": int(driver.step_count), "planned": plan["steps"], "late": late}
        return {"energy": float(values.mean()), "error": float(error), **taken}


def side(name: str, pythons: dict[str, Path | str], environment: dict[str, str]) -> Side:
    return Side(pythons[name], __file__, name, environment=environment)


def same_energies(ours: Side, netket: Side) -> bool:
    """Do both sides give one and the same machine the same local energies?"""
    rng = np.random.default_rng(64)
    machine = {
        "visible": rng.normal(0, 0.1, SITES).tolist(),
        "hidden": rng.normal(0, 0.1, SITES).tolist(),
        "weights": rng.normal(0, 0.1, (SITES, SITES)).tolist(),
        "bits": rng.integers(0, 2, (CONFIGURATIONS, SITES)).tolist(),
    }
    a, b = (np.array(side.ask("local_energies", **machine)) for side in (ours, netket))
    difference = float(np.abs(a - b).max())
    agree = difference <= AGREEMENT
    print(
        f"local energies of one random machine on {CONFIGURATIONS} configurations: largest difference {difference:.0e}, "
        f"{'equal' if agree else 'NOT EQUAL'}"
    )
    return agree


def step_times(ours: Side, netket: Side) -> None:
    """Prints the time of a step, both sides in turns."""
    for form in FORMS:
        netket.ask("steps", form=form, count=3)  # the compilation
    ours.ask("steps", sites=SITES, count=1)
    seconds: dict[str, list[list[float]]] = {name: [] for name in ("ours", *FORMS)}
    for round_ in range(ROUNDS):
        turn = [("ours", lambda: ours.ask("steps", sites=SITES, count=STEPS))]
        turn += [(form, lambda form=form: netket.ask("steps", form=form, count=STEPS)) for form in FORMS]
        for name, ask in turn if round_ % 2 else turn[::-1]:
            seconds[name].append(ask())
    median = {name: statistics.median(s for part in parts for s in part) for name, parts in seconds.items()}
    print(f"{'a step':>28} {'ms':>7} {'ratio':>6}   {'smallest and largest ratio of a round':<38} {'peak MB':>7}")
    print(f"{'ours':>28} {1e3 * median['ours']:7.1f} {1:6.2f}   {'':<38} {ours.memory:7.0f}")
    for form, title in FORMS.items():
        ratios = [
            statistics.median(theirs) / statistics.median(own)
            for theirs, own in zip(seconds[form], seconds["ours"], strict=True)
        ]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        ratio = median[form] / median["ours"]
        print(f"{'NetKet, ' + title:>28} {1e3 * median[form]:7.1f} {ratio:6.2f}   {spread:<38} {netket.memory:7.0f}")


def cost(ours: Side) -> None:
    """Prints our step time against the number of sites."""
    seconds: dict[int, list[float]] = {sites: [] for sites in SIZES}
    peaks: dict[int, float] = {}
    for _ in range(SIZE_ROUNDS):
        for sites in SIZES:  # ascending, so that the peak of the first round belongs to the size
            seconds[sites] += ours.ask("steps", sites=sites, count=max(2, STEPS * SIZES[0] // sites))
            peaks.setdefault(sites, ours.memory)
    times = [statistics.median(seconds[sites]) for sites in SIZES]
    print(f"{'our step, sites':>28} " + " ".join(f"{sites:7d}" for sites in SIZES))
    print(f"{'ms':>28} " + " ".join(f"{1e3 * t:7.1f}" for t in times))
    print(f"{'peak MB':>28} " + " ".join(f"{peaks[sites]:7.0f}" for sites in SIZES))
    slope, error = fitted_slope(np.log(SIZES), np.log(times))
    print(f"{'time ~ sites^':>28} {slope:.2f} +- {error:.2f}")


def fitted_slope(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Of a straight line by least squares, and its standard error."""
    x = x - x.mean()
    slope = float((x * y).sum() / (x * x).sum())
    rest = y - y.mean() - slope * x
    return slope, math.sqrt(float((rest**2).sum()) / (len(x) - 2) / float((x * x).sum()))


def race(pythons: dict, environment: dict, seconds: float, seeds: int) -> bool:
    """Energies after the same wall time from the start of the process; True if none of ours is impossibly low."""
    print(
        f"{'seed':>6} {'side':>8} {'steps':>6} {'energy':>12} {'+-':>8} {'relative error':>16} {'+-':>8} {'ratio':>7}"
    )
    possible, errors = True, {"ours": [], "netket": []}
    for seed in range(seeds):
        found = {}
        for name in ("ours", "netket") if seed % 2 else ("netket", "ours"):
            until = time.time() + seconds
            with side(name, pythons, environment) as one:
                found[name] = one.ask("race", until=until, seed=seed, **(OURS if name == "ours" else NETKET))
        relative = {name: (f["energy"] - EXACT) / abs(EXACT) for name, f in found.items()}
        for name, f in found.items():
            errors[name].append((relative[name], f["error"] / abs(EXACT)))
        possible &= found["ours"]["energy"] >= EXACT - BELOW * found["ours"]["error"]
        for name in errors:
            f, ratio = found[name], f"{relative['netket'] / relative['ours']:7.1f}" if name == "netket" else ""
            print(
                f"{seed:6d} {name:>8} {f['steps']:6d} {f['energy']:12.6f} {f['error']:8.6f} {relative[name]:16.2e} "
                f"{f['error'] / abs(EXACT):8.0e} {ratio}"
            )
    mean = {name: statistics.fmean(e for e, _ in pairs) for name, pairs in errors.items()}
    spread = {name: math.sqrt(sum(s * s for _, s in pairs)) / seeds for name, pairs in errors.items()}
    print(
        f"   mean relative error: ours {mean['ours']:.2e} +- {spread['ours']:.0e}, NetKet {mean['netket']:.2e} +- "
        f"{spread['netket']:.0e}, ratio {mean['netket'] / mean['ours']:.1f}"
    )
    if not possible:
        print(f"one of our energies lies more than {BELOW:g} standard errors BELOW THE EXACT ONE")
    return possible


def compare(pythons: dict[str, Path | str], environment: dict[str, str], seconds: float, seeds: int) -> bool:
    """pythons: of "ours" and "netket".  Prints everything; True if the answers are right."""
    print(
        f"Variational Monte Carlo, {SITES} critical Ising spins, real RBM alpha = 1, {SAMPLES} samples a step, one core"
    )
    with side("ours", pythons, environment) as ours, side("netket", pythons, environment) as netket:
        agree = same_energies(ours, netket)
        step_times(ours, netket)
    with side("ours", pythons, environment) as ours:
        cost(ours)
    print(f"\nEnergy after {seconds:g} s from the start of the process (exact {EXACT:.9f})")
    return race(pythons, environment, seconds, seeds) and agree


if __name__ == "__main__":
    serve({"ours": Ours, "netket": NetKet}[sys.argv[1]])
