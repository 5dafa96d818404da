"""The twelve circuits of DiffQAS-QT in this package and in its peers: probabilities, and the gradient of a loss of them.

Every side is a process of its own and gets the same angles (depth, n) and the same loss, sum_kx slope_kx p_k(x).  One step of
a circuit k is its probabilities and the gradient of its part of the loss; ours takes all circuits in one step, as it is used.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import logging
import os
import sys
import time
from unittest.mock import MagicMock

import numpy as np
from sides import serve

from qednas.diffqas.candidates import PAPER, Candidate

DOUBLE, SINGLE = "double", "single"


def problem(n: int, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Angles (depth, n) and slope (12, 2^n)."""
    rng = np.random.default_rng([n, depth])
    return rng.uniform(-np.pi, np.pi, (depth, n)), rng.normal(size=(len(PAPER), 1 << n))


class Pool:
    """A side: subclasses say how the circuits are made (``ready``) and how a step of one of them is taken (``step``)."""

    def __init__(self, precision: str):
        self.precision = precision

    def start(self, n: int, depth: int) -> None:
        """Another problem."""
        self.theta, self.slope = problem(n, depth)
        self.n, self.depth = n, depth
        self.probabilities = np.zeros(self.slope.shape)
        self.gradients = np.zeros((len(PAPER), depth, n))
        self.ready()

    def ready(self) -> None:
        raise NotImplementedError

    def step(self, k: int) -> tuple:
        """Probabilities (2^n,) of circuit ``k`` and the gradient (depth, n) of its part of the loss."""
        raise NotImplementedError

    def timed(self, k: int) -> float:
        """Seconds of one step of circuit ``k``, whose answers are kept; of the first step, with its compilation."""
        start = time.perf_counter()
        found = self.step(k)
        seconds = time.perf_counter() - start
        self.keep(k, *found)
        del found
        gc.collect()  # what a circuit recorded may be gigabytes, and the next one is not to pay for it
        return seconds

    def keep(self, k: int, probabilities, gradient) -> None:
        self.probabilities[k], self.gradients[k] = np.asarray(probabilities), np.asarray(gradient)

    def save(self, path: str) -> None:
        np.savez(path, probabilities=self.probabilities, gradient=self.gradients.sum(0))


class Ours(Pool):
    def __init__(self, precision: str):
        super().__init__(precision)
        import torch

        from qednas.diffqas.simulator import Simulator

        torch.set_num_threads(1)
        self.torch, self.simulator = torch, Simulator
        self.dtype = torch.float64 if precision == DOUBLE else torch.float32

    def ready(self) -> None:
        self.simulate = self.simulator(PAPER, self.n, self.depth, self.dtype)
        self.angles = self.torch.tensor(self.theta, requires_grad=True)
        self.factor = self.torch.tensor(self.slope, dtype=self.dtype)

    def step(self, k: int) -> tuple:
        """Of all circuits, whatever ``k`` is."""
        found = self.simulate(self.angles)
        (gradient,) = self.torch.autograd.grad((found * self.factor).sum(), self.angles)
        return found.detach(), gradient

    def keep(self, k: int, probabilities, gradient) -> None:
        self.probabilities[:], self.gradients[0] = np.asarray(probabilities), np.asarray(gradient)


class PennyLane(Pool):
    """In double precision, which is what `default.qubit` makes of angles in double precision."""

    def __init__(self, precision: str):
        super().__init__(precision)
        import pennylane
        import torch

        torch.set_num_threads(1)
        self.torch, self.qml = torch, pennylane

    def ready(self) -> None:
        self.angles = self.torch.tensor(self.theta, requires_grad=True)
        self.factor = self.torch.tensor(self.slope)
        self.nodes = [self.node(candidate) for candidate in PAPER]

    def node(self, candidate: Candidate):
        qml, n = self.qml, self.n
        gates, rotations = candidate.gates(n), [getattr(qml, candidate.axis(m).upper()) for m in range(self.depth)]

        @qml.qnode(qml.device("default.qubit", wires=n), interface="torch", diff_method="backprop")
        def probabilities(theta):
            for q in range(n if candidate.hadamard else 0):
                qml.Hadamard(q)
            for m, rotation in enumerate(rotations):
                for pair in gates:
                    qml.CNOT(pair)
                for q in range(n):
                    rotation(theta[m, q], wires=q)
            return qml.probs(wires=range(n))

        return probabilities

    def step(self, k: int) -> tuple:
        found = self.nodes[k](self.angles)
        (gradient,) = self.torch.autograd.grad((found * self.factor[k]).sum(), self.angles)
        return found.detach(), gradient


class StandIn(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Empty modules for what TorchQuantum imports but no simulation uses.

    Its plug-ins to hardware need a qiskit that does not go with numpy 2; torchvision has the images of its examples.
    """

    NAMES = ("qiskit", "qiskit_ibm_runtime", "torchvision")

    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if name.split(".")[0] in self.NAMES else None

    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__, module.__all__, module.__file__ = [], [], spec.name
        return module

    def exec_module(self, module):
        pass


class TorchQuantum(Pool):
    """In single precision: its states are complex64."""

    def __init__(self, precision: str):
        super().__init__(precision)
        sys.meta_path.insert(0, StandIn())
        import torch
        import torchquantum

        torch.set_num_threads(1)
        self.torch, self.tq = torch, torchquantum

    def ready(self) -> None:
        self.angles = self.torch.tensor(self.theta, dtype=self.torch.float32, requires_grad=True)
        self.factor = self.torch.tensor(self.slope, dtype=self.torch.float32)

    def step(self, k: int) -> tuple:
        apply, candidate, n = self.tq.functional, PAPER[k], self.n
        device, gates = self.tq.QuantumDevice(n_wires=n), candidate.gates(n)
        for q in range(n if candidate.hadamard else 0):
            apply.hadamard(device, wires=q)
        for m in range(self.depth):
            rotation = getattr(apply, candidate.axis(m).lower())
            for pair in gates:
                apply.cnot(device, wires=list(pair))
            for q in range(n):
                rotation(device, wires=q, params=self.angles[m, q])
        found = device.get_states_1d().abs().square()[0]
        (gradient,) = self.torch.autograd.grad((found * self.factor[k]).sum(), self.angles)
        return found.detach(), gradient


class TensorCircuit(Pool):
    """On JAX; every circuit is a function of its own, compiled at its first step."""

    def __init__(self, precision: str):
        super().__init__(precision)
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.environ["JAX_PLATFORMS"] = "cpu"
        logging.disable(logging.WARNING)  # it misses optimisers that are not used here
        import jax
        import tensorcircuit

        self.jax, self.tc, self.backend = jax, tensorcircuit, tensorcircuit.set_backend("jax")
        tensorcircuit.set_dtype("complex128" if precision == DOUBLE else "complex64")

    def ready(self) -> None:
        kind = np.float64 if self.precision == DOUBLE else np.float32
        self.angles = self.jax.numpy.asarray(self.theta.astype(kind))
        self.factor = self.jax.numpy.asarray(self.slope.astype(kind))
        self.compiled = [
            self.backend.jit(self.backend.value_and_grad(self.loss(candidate), has_aux=True)) for candidate in PAPER
        ]

    def loss(self, candidate: Candidate):
        """A scan over the layers: the whole circuit at once compiles for minutes, and is not faster then."""
        n, tc, jax = self.n, self.tc, self.jax
        gates, rotation = candidate.gates(n), candidate.axes[0].lower()  # the same in every layer

        def layer(state, angles):
            circuit = tc.Circuit(n, inputs=state)
            for pair in gates:
                circuit.cnot(*pair)
            for q in range(n):
                getattr(circuit, rotation)(q, theta=angles[q])
            return circuit.state(), None

        def loss(theta, slope):
            circuit = tc.Circuit(n)
            for q in range(n if candidate.hadamard else 0):
                circuit.h(q)
            state, _ = jax.lax.scan(layer, circuit.state(), theta)
            found = state.real**2 + state.imag**2
            return (found * slope).sum(), found

        return loss

    def step(self, k: int) -> tuple:
        (_, found), gradient = self.compiled[k](self.angles, self.factor[k])
        return self.jax.block_until_ready((found, gradient))


SIDES = {"ours": Ours, "pennylane": PennyLane, "torchquantum": TorchQuantum, "tensorcircuit": TensorCircuit}

if __name__ == "__main__":
    serve(lambda: SIDES[sys.argv[1]](sys.argv[2]))
