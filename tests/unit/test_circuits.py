"""Candidate circuits and their simulation: against PennyLane, against finite differences, and what cannot learn."""

import numpy as np
import pytest
import torch

from qednas.base.errors import InputError
from qednas.diffqas.candidates import AXES, PAPER, POOLS, REPAIRED, Candidate, brick, preimages, ring
from qednas.diffqas.simulator import Simulator

SHAPES = [(1, 2), (2, 3), (3, 1), (4, 5), (7, 3)]  # qubits, layers


def angles(n: int, depth: int, seed: int = 0) -> torch.Tensor:
    theta = torch.randn(depth, n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return theta.requires_grad_()


def penny_lane(candidate: Candidate, theta: torch.Tensor) -> torch.Tensor:
    """The same circuit, gate by gate."""
    import pennylane as qml

    depth, n = theta.shape

    @qml.qnode(qml.device("default.qubit", wires=n), interface="torch", diff_method="backprop")
    def probabilities(theta):
        for q in range(n if candidate.hadamard else 0):
            qml.Hadamard(q)
        for m in range(depth):
            for control, target in candidate.gates(n):
                qml.CNOT([control, target])
            for q in range(n):
                getattr(qml, candidate.axis(m).upper())(theta[m, q], wires=q)
        return qml.probs(wires=range(n))

    return probabilities(theta)


def test_numbers_and_names_of_the_paper():
    names = ["H-Ent-Rx", "H-Ent-Ry", "H-Ent-Rz", "H-Cyc-Rx", "H-Cyc-Ry", "H-Cyc-Rz"]
    names += ["Ent-Rx", "Ent-Ry", "Ent-Rz", "Cyc-Rx", "Cyc-Ry", "Cyc-Rz"]
    assert [str(c) for c in PAPER] == names
    assert brick(5) == [(0, 1), (2, 3), (1, 2), (3, 4)]
    assert ring(3) == [(0, 1), (1, 2), (2, 0)]


@pytest.mark.parametrize(("n", "depth"), SHAPES)
@pytest.mark.parametrize("pool", POOLS)
def test_probabilities_and_gradients_are_those_of_penny_lane(pool, n, depth):
    theta = angles(n, depth)
    slope = torch.randn(len(POOLS[pool]), 1 << n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = torch.stack([penny_lane(c, theta) for c in POOLS[pool]])
    (expected_gradient,) = torch.autograd.grad((expected * slope).sum(), theta)
    for dtype, allowed in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        found = Simulator(POOLS[pool], n, depth, dtype)(theta)
        assert found.dtype == dtype
        assert float((found - expected).detach().abs().max()) < allowed
        (gradient,) = torch.autograd.grad((found * slope.to(dtype)).sum(), theta, allow_unused=True)
        assert float((gradient - expected_gradient).abs().max()) < allowed


@pytest.mark.parametrize("candidate", [*PAPER, *REPAIRED], ids=str)
def test_gradient_is_that_of_the_parameter_shift_rule_on_larger_states(candidate):
    """13 qubits: more than one tile of a layer."""
    n, depth = 13, 3
    simulate = Simulator([candidate], n, depth)
    theta = angles(n, depth)
    slope = torch.randn(1 << n, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    value = (simulate(theta)[0] * slope).sum()
    if simulate.constant(candidate):
        assert not value.requires_grad
        return
    (gradient,) = torch.autograd.grad(value, theta)
    with torch.no_grad():
        for place in ((0, 0), (0, 12), (1, 5), (2, 3), (2, 9)):
            ends = []
            for shift in (np.pi / 2, -np.pi / 2):
                moved = theta.clone()
                moved[place] += shift
                ends.append((simulate(moved)[0] * slope).sum())
            assert float((ends[0] - ends[1]) / 2 - gradient[place]) == pytest.approx(0, abs=1e-12)


def test_six_candidates_of_the_paper_never_change_and_six_do():
    dead = [1, 3, 4, 6, 9, 12]
    assert [k for k, c in enumerate(PAPER, 1) if c.fixed] == dead
    first, second = (torch.stack([penny_lane(c, angles(4, 3, seed)) for c in PAPER]).detach() for seed in (0, 1))
    moved = (first - second).abs().amax(1)
    for number in range(1, 13):
        assert (float(moved[number - 1]) < 1e-14) == (number in dead)


def test_every_candidate_of_the_repaired_pool_learns():
    assert not any(c.fixed for c in REPAIRED)
    first, second = (Simulator(REPAIRED, 5, 4)(angles(5, 4, seed)).detach() for seed in (0, 1))
    assert float((first - second).abs().amax(1).min()) > 0.01
    distances = [float((a - b).abs().max()) for k, a in enumerate(first) for b in first[:k]]
    assert min(distances) > 1e-3  # no two are the same circuit


def test_probabilities_sum_to_one_at_the_size_of_the_paper():
    found = Simulator(PAPER, 17, 15, torch.float32)(angles(17, 15)).detach().double()
    assert (found >= 0).all()
    assert torch.allclose(found.sum(1), torch.ones(12, dtype=torch.float64), atol=1e-5)


def test_a_layer_of_cnots_is_a_permutation():
    source = preimages(ring(5), 5)
    assert sorted(source) == list(range(32))
    assert preimages([(0, 1)], 2).tolist() == [0, 1, 3, 2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((PAPER, 21, 2), "qubits = 21"),
        ((PAPER, 3, 0), "depth = 0"),
        (((), 3, 2), "no candidate"),
        ((PAPER, 3, 2, torch.int32), "dtype = torch.int32"),
    ],
)
def test_sizes_that_are_not_possible_are_told(arguments, words):
    with pytest.raises(InputError, match=words):
        Simulator(*arguments)


def test_wrong_circuits_and_angles_are_told():
    with pytest.raises(InputError, match="axis = 'Rw'"):
        Candidate(True, "Ent", ("Rw",))
    with pytest.raises(InputError, match="entangler = 'All'"):
        Candidate(True, "All", AXES)
    with pytest.raises(InputError, match=r"angles of shape \(3, 2\)"):
        Simulator(PAPER, 3, 2)(torch.zeros(3, 2))
