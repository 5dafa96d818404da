"""The natural gradient: derivatives against finite differences, both forms of the step, exact training to known energies."""

import numpy as np
import pytest
import torch

from qednas.base.errors import InputError, NumericalError
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.qed.blocks.block import Block, all_configurations
from qednas.qed.blocks.derivatives import Derivatives, add_to_parameters, free_parameters, log_derivatives
from qednas.qed.blocks.rbm import RBM
from qednas.qed.vmc.exact_training import Space, sum_exactly, train_exactly
from qednas.qed.vmc.natural_gradient import natural_step


def machine(sites=4, density=1.0, seed=0, scale=0.3) -> RBM:
    return RBM(sites, density, scale=scale, generator=torch.Generator().manual_seed(seed))


def test_derivatives_are_finite_differences_of_second_order():
    """Halving the step divides the error of a central difference by four: the rate tells a wrong derivative from a rough one."""
    block, bits = machine(), all_configurations(4)[::3]
    exact = log_derivatives(block, bits)
    assert exact.shape == (6, block.parameter_count)
    count, rng = block.parameter_count, np.random.default_rng(0)
    direction = torch.from_numpy(rng.standard_normal(count))

    def difference(size: float) -> torch.Tensor:
        ends = []
        for sign in (1, -1):
            add_to_parameters(block, sign * size * direction)
            ends.append(block.log_psi(bits).detach())
            add_to_parameters(block, -sign * size * direction)
        return (ends[0] - ends[1]) / (2 * size)

    want = exact @ direction.to(torch.complex128)
    errors = [float((difference(size) - want).abs().max()) for size in (2e-3, 1e-3)]
    assert errors[1] < 1e-3
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.1)


def test_a_step_moves_every_parameter_in_its_order():
    block = machine()
    before = torch.cat([v.flatten() for v in free_parameters(block).values()])
    step = torch.arange(block.parameter_count, dtype=torch.float64)
    add_to_parameters(block, step)
    after = torch.cat([v.flatten() for v in free_parameters(block).values()])
    torch.testing.assert_close(after - before, step)


def random_system(rows: int, columns: int, seed: int = 0):
    rng = np.random.default_rng(seed)

    def complex_normal(*shape):
        return torch.from_numpy(rng.standard_normal(shape) + 1j * rng.standard_normal(shape))

    weights = torch.from_numpy(rng.dirichlet(np.ones(rows)))
    return complex_normal(rows, columns), complex_normal(rows), weights


@pytest.mark.parametrize(("rows", "columns"), [(40, 12), (6, 50)])
def test_both_forms_solve_the_same_equation(rows, columns):
    """(S + shift) d = -F with S and F written out as averages, whatever the shape of the table."""
    o, local, w = random_system(rows, columns)
    mean_o, mean_e = (w[:, None] * o).sum(0), (w * local).sum()
    s = (torch.einsum("i,ia,ib->ab", w.to(o.dtype), o.conj(), o) - torch.outer(mean_o.conj(), mean_o)).real
    f = (torch.einsum("i,ia,i->a", w.to(o.dtype), o.conj(), local) - mean_o.conj() * mean_e).real
    shift = 1e-3
    want = -torch.linalg.solve(s + shift * torch.trace(s) / columns * torch.eye(columns, dtype=s.dtype), f)
    found = natural_step(Derivatives([o]), local, w, shift)
    torch.testing.assert_close(found.direction, want, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(found.gradient, 2 * f, rtol=1e-10, atol=1e-12)
    assert found.length == pytest.approx(float(want @ s @ want), rel=1e-8)


def test_the_gradient_is_that_of_the_energy():
    space, block = Space.of(build("tfim", 4, h=0.7)), machine(seed=2)
    now = sum_exactly(block, space)
    gradient = natural_step(Derivatives([log_derivatives(block, space.bits)]), now.local, now.weights, 1e-3).gradient
    direction = gradient / gradient.norm()
    size = 1e-5
    add_to_parameters(block, size * direction)
    up = sum_exactly(block, space).energy
    add_to_parameters(block, -2 * size * direction)
    assert (up - sum_exactly(block, space).energy) / (2 * size) == pytest.approx(float(gradient.norm()), rel=1e-6)


def test_numbers_that_are_not_finite_stop_the_step():
    o, local, w = random_system(5, 3)
    local[2] = float("nan")
    with pytest.raises(NumericalError, match="not finite"):
        natural_step(Derivatives([o]), local, w, 1e-3)
    with pytest.raises(NumericalError, match="no solution"):
        natural_step(Derivatives([0 * o]), torch.ones(5, dtype=torch.complex128), w, 1e-3)


@pytest.mark.parametrize(("family", "parameters"), [("tfim", {"h": 1.0}), ("xxz", {"delta": 0.5}), ("mhs", {})])
def test_exact_training_meets_the_ground_state_from_above(family, parameters):
    hamiltonian = build(family, 6, **parameters)
    exact = ground_state(hamiltonian).energy
    found = train_exactly(Space.of(hamiltonian), machine(6, 2.0, seed=1, scale=0.1), steps=120)
    assert exact - 1e-9 <= found["energy"] < exact + 1e-4 * abs(exact)
    assert len(found["energies"]) == 121
    assert np.all(np.diff(found["energies"]) < 1e-6)
    assert found["variance"] < 1e-2


def test_the_variance_is_that_of_the_hamiltonian():
    h = build("tfim", 4, h=0.9)
    space, block = Space.of(h), machine(seed=3)
    now = sum_exactly(block, space)
    matrix = space.matrix.toarray()
    want = np.vdot(matrix @ now.psi, matrix @ now.psi).real - np.vdot(now.psi, matrix @ now.psi).real ** 2
    assert now.variance == pytest.approx(want, rel=1e-10)
    assert now.energy == pytest.approx(np.vdot(now.psi, matrix @ now.psi).real, rel=1e-12)


def test_a_system_too_large_for_exact_sums_is_refused_before_work():
    with pytest.raises(InputError, match="do not fit exact sums"):
        train_exactly(Space.of(build("tfim", 16, h=1.0)), RBM(16, 6.0))


def test_training_that_meets_nan_says_so():
    class Broken(Block):
        def __init__(self):
            super().__init__(4)
            self.a = torch.nn.Parameter(torch.tensor(float("nan"), dtype=torch.float64))

        def log_psi(self, configurations):
            return (self.a * configurations.sum(1)).to(torch.complex128)

    with pytest.raises(NumericalError, match="not a number"):
        train_exactly(Space.of(build("tfim", 4, h=1.0)), Broken(), steps=2)


def test_groups_of_parameters_may_differ_in_scale_by_any_factor():
    """Parameters of one group a thousand times as coarse: the change of the state, O d, is the same."""
    rng = np.random.default_rng(3)
    one, two = (torch.from_numpy(rng.standard_normal((12, n))) for n in (5, 30))
    local = torch.from_numpy(rng.standard_normal(12))
    weights = torch.full((12,), 1 / 12, dtype=torch.float64)
    changes = []
    for factor in (1.0, 1e3):
        o = Derivatives([one, two * factor], [0, 1])
        changes.append(o.push(natural_step(o, local, weights, 1e-2).direction))
    torch.testing.assert_close(changes[0], changes[1])
    o = Derivatives([one, two * 0], [0, 1])  # a group that does nothing is left alone
    step = natural_step(o, local, weights, 1e-2)
    assert (step.direction[5:] == 0).all()
    assert (step.gradient[5:] == 0).all()
    with pytest.raises(InputError, match="several blocks"):
        natural_step(o, local, weights, 1e-2, momentum=0.5, before=step.direction)
