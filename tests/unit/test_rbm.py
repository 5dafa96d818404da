"""The restricted Boltzmann machine: amplitudes against the product they stand for, masks, counts and bad sizes."""

import numpy as np
import pytest
import torch

from qednas.base.errors import InputError, NumericalError
from qednas.qed.blocks.block import Block, all_configurations, exact_state
from qednas.qed.blocks.rbm import RBM, log_cosh


def machine(sites=5, density=2.0, reach=None, scale=0.4, seed=0) -> RBM:
    return RBM(sites, density, reach, scale=scale, generator=torch.Generator().manual_seed(seed))


def test_amplitudes_are_the_trace_over_the_hidden_spins():
    """psi(s) = sum_h exp(a s + b h + h W s) / 2^units, summed one hidden configuration after the other."""
    block = machine(sites=4, density=0.75)
    s = 1 - 2 * all_configurations(4).numpy()
    h = 1 - 2 * all_configurations(3).numpy()
    a, b, w = (p.detach().numpy() for p in (block.visible, block.hidden, block.weights))
    want = np.array([np.exp(a @ v) * np.mean([np.exp(b @ u + u @ w @ v) for u in h]) for v in s])
    found = np.exp(block.log_psi(all_configurations(4)).detach().numpy())
    np.testing.assert_allclose(found, want, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-8, 1.0, 30.0, 800.0])
def test_log_cosh_is_that_of_numpy_and_does_not_overflow(size):
    rng = np.random.default_rng(3)
    x = size * (rng.standard_normal(200) + 1j * rng.standard_normal(200))
    found = log_cosh(torch.from_numpy(x)).numpy()
    assert np.isfinite(found).all()
    if size <= 30:
        np.testing.assert_allclose(np.exp(found - np.log(np.cosh(x))), 1, atol=1e-10)
    else:  # |cosh x| is half of exp |Re x|, up to the other exponential
        far = np.abs(x.real) > 20
        np.testing.assert_allclose(found.real[far], np.abs(x.real[far]) - np.log(2), rtol=1e-14)


@pytest.mark.parametrize("reach", [0, 1, 2])
def test_hidden_units_do_not_see_beyond_their_reach(reach):
    """Flipping a far spin leaves the angle of a unit as it is; flipping one inside does not."""
    block = machine(sites=7, density=1.0, reach=reach)
    s = torch.ones(7, dtype=torch.float64)
    for k in range(7):
        turned = s.clone()
        turned[k] = -1
        moved = (block.angles(turned[None]) - block.angles(s[None]))[0].abs() > 1e-12
        assert moved.tolist() == [abs(j - k) <= reach for j in range(7)]


def test_counts():
    block = machine(sites=6, density=1.5)
    assert block.parameter_count == 2 * (6 + 9 + 54)
    short = RBM.from_weights(*(torch.tensor(v, dtype=torch.complex128) for v in ([0, 0], [1], [[1j, 0]])))
    assert short.used_parameters == 2
    assert short.mask.tolist() == [[True, False]]


def test_draws_belong_to_their_generator_and_scale():
    assert torch.equal(machine(seed=1).weights, machine(seed=1).weights)
    assert not torch.equal(machine(seed=1).weights, machine(seed=2).weights)
    wide = RBM(40, 25.0, scale=0.3, generator=torch.Generator().manual_seed(0)).weights.detach()
    for part in (
        wide.real,
        wide.imag,
    ):  # 40,000 draws: the standard error of a standard deviation is 0.3 / sqrt(80,000)
        assert abs(float(part.std()) - 0.3) < 5 * 0.3 / np.sqrt(2 * part.numel())


def test_exact_states_are_normalised_and_follow_the_basis_order():
    block = RBM(3, scale=0.0)
    with torch.no_grad():
        block.visible[0] = 1.0  # site 0 is the most significant bit, bit 0 is up
    psi = exact_state(block)
    assert np.linalg.norm(psi) == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(psi[:4] / psi[4:], np.exp(2), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: RBM(0), "sites = 0"),
        (lambda: RBM(4, 0.0), "density = 0.0"),
        (lambda: RBM(4, 1.0, -1), "reach = -1"),
        (lambda: all_configurations(21), "sites = 21"),
        (lambda: RBM.from_weights(torch.zeros(3), torch.zeros(2), torch.zeros(2, 4)), "visible has shape"),
    ],
)
def test_bad_sizes_are_one_line(call, text):
    with pytest.raises(InputError, match=text) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_an_amplitude_that_is_not_a_number_is_said():
    class Broken(Block):
        def log_psi(self, configurations):
            return torch.full((len(configurations),), float("nan"), dtype=torch.complex128)

    with pytest.raises(NumericalError, match="not a number"):
        exact_state(Broken(2))


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("options", [{"reach": 2}, {"reach": 2, "shifted": True}, {"shifted": True}, {}])
def test_ratios_look_only_at_the_units_that_see_a_flip(dtype, options):
    """Flips of one to eight sites, near and far apart, against amplitudes; units outside the windows do not see the sites."""
    block = RBM(9, 2, dtype=dtype, scale=0.4, generator=torch.Generator().manual_seed(3), **options)
    bits = torch.rand(20, 9, generator=torch.Generator().manual_seed(4)) < 0.5
    flips = [(0,), (8,), (3, 4), (1, 7), (0, 4, 8), (2, 3, 4, 5), tuple(range(1, 9))]
    with torch.no_grad():
        ratios = block.flip_ratios(bits, flips)
        for column, flip in enumerate(flips):
            other = bits.clone()
            other[:, list(flip)] ^= True
            wanted = torch.exp(block.log_psi(other) - block.log_psi(bits))
            torch.testing.assert_close(ratios[:, column].to(wanted.dtype), wanted, rtol=1e-10, atol=1e-12)
    order, starts, ends = block.windows
    bonds = block.bonds()[order]
    for site in range(9):
        outside = np.ones(len(bonds), bool)
        outside[starts[site] : ends[site]] = False
        assert not bonds[outside, site].any()
    if options == {"reach": 2, "shifted": True}:
        assert ends[4] - starts[4] == 2 * 5  # two filters at five places see the middle


def test_ratios_that_are_not_wanted_are_zero():
    block = RBM(6, 1, scale=0.3, generator=torch.Generator().manual_seed(1))
    bits = torch.rand(5, 6, generator=torch.Generator().manual_seed(2)) < 0.5
    wanted = torch.rand(5, 2, generator=torch.Generator().manual_seed(5)) < 0.5
    with torch.no_grad():
        some, every = block.flip_ratios(bits, [(0,), (2, 3)], wanted), block.flip_ratios(bits, [(0,), (2, 3)])
    torch.testing.assert_close(some, torch.where(wanted, every, 0))
