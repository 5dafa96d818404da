"""Every block of the search space against plain evaluation: amplitudes, derivatives, ratios, walks, samples, symmetries."""

import numpy as np
import pytest
import torch

from qednas.base.errors import InputError, NumericalError
from qednas.physics.families import build
from qednas.physics.symmetries import permutations
from qednas.qed.blocks.attention import Attention
from qednas.qed.blocks.block import Block, Walk, all_configurations, exact_state
from qednas.qed.blocks.dense import Dense
from qednas.qed.blocks.derivatives import log_derivatives
from qednas.qed.blocks.jastrow import Jastrow, pair_orbits
from qednas.qed.blocks.mps import MPS, folded_path
from qednas.qed.blocks.product import Product
from qednas.qed.blocks.rbm import RBM
from qednas.qed.blocks.signed import Signed, marshall
from qednas.qed.blocks.superposition import Superposition
from recurrent_block import Recurrent
from studies.ch05.rings import heisenberg_ring, tfim_ring
from symmetric_block import Symmetric

SITES = 8
RING = torch.from_numpy(permutations(tfim_ring(SITES, 1.0)))
TURNS = torch.from_numpy(permutations(tfim_ring(SITES, 1.0), names=("translation",)))
REAL, COMPLEX = torch.float64, torch.complex128
ODD = torch.arange(SITES) % 2 == 1
FLIPS = [(0,), (3,), (2, 3), (0, 7), (4, 5, 6), tuple(range(SITES))]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made(name: str) -> Block:
    g = seeded(3)
    return {
        "rbm": lambda: RBM(SITES, scale=0.3, generator=g),
        "rbm real": lambda: RBM(SITES, 1.5, dtype=REAL, scale=0.3, generator=g),
        "rbm in reach": lambda: RBM(SITES, 1, 2, dtype=REAL, scale=0.3, generator=g),
        "rbm tied": lambda: RBM(SITES, 2, tied=TURNS, scale=0.3, generator=g),
        "rbm tied, even": lambda: RBM(SITES, 4, tied=RING, dtype=REAL, even=True, scale=0.3, generator=g),
        "rbm shifted": lambda: RBM(SITES, 2, 2, shifted=True, dtype=REAL, scale=0.3, generator=g),
        "rbm shifted, all": lambda: RBM(SITES, 1, shifted=True, even=True, scale=0.3, generator=g),
        "mps": lambda: MPS(SITES, 3, scale=0.5, generator=g),
        "mps complex": lambda: MPS(SITES, 3, dtype=COMPLEX, scale=0.5, generator=g),
        "mps folded": lambda: MPS(SITES, 4, path=folded_path(SITES), scale=0.5, generator=g),
        "dense": lambda: Dense(SITES, [6], generator=g),
        "dense, phase": lambda: Dense(SITES, [6, 5], phase=True, generator=g),
        "jastrow": lambda: Jastrow(SITES, scale=0.3, generator=g),
        "jastrow complex": lambda: Jastrow(SITES, scale=0.3, dtype=COMPLEX, generator=g),
        "jastrow distance": lambda: Jastrow(SITES, "distance", scale=0.3, generator=g),
        "jastrow without fields": lambda: Jastrow(SITES, fields=False, scale=0.3, generator=g),
        "jastrow of orbits": lambda: Jastrow(SITES, pair_orbits(RING), scale=0.3, generator=g),
        "product": lambda: Product([made("rbm real"), made("mps"), made("dense")]),
        "product, complex": lambda: Product([made("rbm"), made("mps complex")]),
        "product, mixed": lambda: Product([made("rbm"), made("mps"), made("dense, phase")]),
        "product, gated": lambda: Product(
            [made("rbm real"), made("jastrow"), made("dense")], torch.tensor([0.3, 0.0, 1.5], dtype=REAL)
        ),
        "superposition": lambda: Superposition([made("rbm real"), made("mps")], torch.tensor([0.7, 0.4], dtype=REAL)),
        "superposition, mixed": lambda: Superposition([made("rbm"), made("mps"), made("dense, phase")]),
        "attention": lambda: Attention(SITES, 8, 2, 2, generator=g),
        "attention, phase, sum Z": lambda: Attention(SITES, 8, 1, 2, phase=True, magnetisation=0, generator=g),
        "recurrent, phase": lambda: Recurrent(SITES, 5, phase=True, generator=g),
        "recurrent, sum Z": lambda: Recurrent(SITES, 5, magnetisation=2, generator=g),
        "symmetric mps": lambda: Symmetric(MPS(SITES, 3, scale=0.5, generator=g), RING, 1),
        "symmetric rbm": lambda: Symmetric(RBM(SITES, scale=0.3, generator=g), TURNS),
        "odd dense": lambda: Symmetric(Dense(SITES, [6], phase=True, generator=g), RING, -1),
        "signed rbm": lambda: Signed(RBM(SITES, scale=0.3, generator=g), ODD),
        "signed attention": lambda: Signed(Attention(SITES, 8, generator=g), ODD),
    }[name]()


NAMES = [
    "rbm", "rbm real", "rbm in reach", "rbm tied", "rbm tied, even", "mps", "mps complex", "mps folded", "dense",
    "dense, phase", "jastrow", "jastrow complex", "attention", "attention, phase, sum Z", "recurrent, phase",
    "recurrent, sum Z", "rbm shifted", "rbm shifted, all", "jastrow distance", "jastrow without fields", "jastrow of orbits",
    "product",
    "product, complex", "product, mixed", "product, gated",
    "superposition", "superposition, mixed", "symmetric mps", "symmetric rbm", "odd dense", "signed rbm",
    "signed attention",
]  # fmt: skip
every_block = pytest.mark.parametrize("name", NAMES)


def inside(block: Block) -> torch.Tensor:
    """Bits on which the block does not vanish by construction."""
    bits = all_configurations(SITES).bool()
    value = getattr(block, "magnetisation", None)
    if value is not None:
        return bits[bits.sum(1) == (SITES - value) // 2]
    sizes = np.abs(
        exact_state(block)
    )  # an odd state is zero wherever turning all spins over is one of the permutations
    return bits[torch.from_numpy(sizes > 1e-6 * sizes.max())][3::5]


@every_block
def test_derivatives_are_those_of_automatic_differentiation(name):
    block = made(name)
    bits = inside(block)
    found, want = block.derivatives(bits).table(), log_derivatives(block, bits)
    assert found.is_complex() != block.is_real
    if block.holomorphic:  # real and imaginary parts alternate in what automatic differentiation gives
        torch.testing.assert_close(found, want[:, ::2])
        torch.testing.assert_close(1j * found, want[:, 1::2])
    else:
        torch.testing.assert_close(found, want)
    if not isinstance(block, Symmetric | Signed) and "reach" not in name:
        assert found.shape[1] * (2 if block.holomorphic else 1) == block.parameter_count


@every_block
def test_products_with_the_factorised_table_are_those_with_the_table(name):
    block = made(name)
    o = block.derivatives(inside(block))
    table = o.table()
    assert (o.rows, o.columns) == tuple(table.shape)
    rows = torch.randn(o.rows, dtype=table.dtype, generator=seeded())
    columns = torch.randn(o.columns, dtype=table.dtype, generator=seeded(1))
    torch.testing.assert_close(o.gram(), table @ table.mH)
    torch.testing.assert_close(o.pull(rows), table.mH @ rows)
    torch.testing.assert_close(o.push(columns), table @ columns)
    stacked = o.stacked().table()
    torch.testing.assert_close(stacked, torch.cat([table.real, table.imag if table.is_complex() else 0 * table]))


@every_block
def test_ratios_are_those_of_two_amplitudes(name):
    block = made(name)
    bits = inside(block)
    found, plain = block.flip_ratios(bits, FLIPS), Block.flip_ratios(block, bits, FLIPS)
    assert found.is_complex() != block.is_real
    torch.testing.assert_close(found, plain, rtol=1e-10, atol=1e-12)


@every_block
def test_a_walk_stays_with_the_amplitudes(name):
    """Thirty proposals, accepted at random, in the order that the walk asks for: ratios and bits follow the plain ones."""
    block = made(name)
    bits = inside(block)
    before = bits.clone()
    quick, plain = block.walk(bits), Walk(block, bits)
    for round_ in range(5):
        plan = FLIPS
        if quick.order is not None:
            plan = sorted(FLIPS, key=lambda flip: min(quick.order[site] for site in flip))
        for number, flip in enumerate(plan):
            found, want = quick.propose(flip), plain.propose(flip)
            torch.testing.assert_close(found, want, rtol=1e-9, atol=1e-9)
            accepted = torch.rand(len(bits), generator=seeded(10 * round_ + number)) < 0.5
            accepted &= want > -torch.inf
            quick.accept(flip, accepted)
            plain.accept(flip, accepted)
            assert torch.equal(quick.bits, plain.bits)
    assert torch.equal(bits, before)  # the caller's configurations are not touched


@every_block
def test_exact_samples_have_the_distribution_of_the_state(name):
    """Pearson's statistic over configurations expected 5 times or more: beyond 5 sigma of chi^2 once in 3 million."""
    block = made(name)
    if not block.samples_exactly:
        with pytest.raises(InputError, match="Metropolis"):
            block.sample(3, seeded())
        return
    count = 40_000
    numbers = block.sample(count, seeded(5)).long().numpy() @ (1 << np.arange(SITES - 1, -1, -1))
    expected = np.abs(exact_state(block)) ** 2 * count
    seen = np.bincount(numbers, minlength=1 << SITES)
    assert seen[expected < 1e-9].sum() == 0
    often = expected > 5
    statistic, freedom = ((seen - expected)[often] ** 2 / expected[often]).sum(), often.sum()
    assert abs(statistic - freedom) < 5 * np.sqrt(2 * freedom)


@pytest.mark.parametrize("name", ["rbm tied", "rbm tied, even", "symmetric mps", "symmetric rbm", "odd dense"])
def test_symmetric_blocks_are_symmetric(name):
    block = made(name)
    bits = all_configurations(SITES).bool()[1::7]
    group = block.permutations if isinstance(block, Symmetric) else block.tied
    psi = torch.exp(block.log_psi(bits))
    for permutation in group:
        torch.testing.assert_close(torch.exp(block.log_psi(bits[:, permutation])), psi, rtol=1e-9, atol=1e-12)
    sign = {"rbm tied, even": 1, "symmetric mps": 1, "odd dense": -1}.get(name)
    if sign:
        torch.testing.assert_close(torch.exp(block.log_psi(~bits)), sign * psi, rtol=1e-9, atol=1e-12)


def test_tying_weights_is_copying_them():
    """A tied machine is the free one with every weight written in all its places."""
    block = made("rbm tied")
    free = RBM.from_weights(*(p.detach() for p in block.untied()))
    bits = all_configurations(SITES)[::3]
    torch.testing.assert_close(block.log_psi(bits), free.log_psi(bits))
    assert free.used_parameters > 4 * block.used_parameters


def test_the_sign_of_marshall():
    assert marshall(heisenberg_ring(6)).tolist() in ([False, True] * 3, [True, False] * 3)
    assert marshall(build("j1j2", 6, j2=0.3)).tolist() == [False, True] * 3
    assert marshall(build("mhs", 6)).tolist() == [False] * 6
    from qednas.physics.exact import ground_state

    psi = ground_state(build("xxz", 8, delta=1.0)).vector
    signs = (-1.0) ** (all_configurations(8) * marshall(build("xxz", 8, delta=1.0))).sum(1).numpy()
    kept = np.abs(psi) > 1e-12
    assert len(set(np.sign((psi * signs)[kept].real))) == 1


def test_a_matrix_product_state_of_full_bond_holds_any_state():
    """Its count of parameters is that of the literature, and bonds are never larger than the Hilbert space needs."""
    block = MPS(6, 1000)
    assert block.bonds == [1, 2, 4, 8, 4, 2, 1]
    assert block.parameter_count == sum(2 * a * b for a, b in zip(block.bonds, block.bonds[1:], strict=False))


def test_magnetisation_is_kept():
    block = Recurrent(7, 4, magnetisation=-3, generator=seeded())
    assert (block.sample(500, seeded()).sum(1) == 5).all()
    assert torch.isinf(block.log_psi(torch.zeros(1, 7)).real).all()


@pytest.mark.parametrize(
    ("build_it", "words"),
    [
        (lambda: MPS(4, 0), "bond = 0"),
        (lambda: MPS(4, 10**5), "GB"),
        (lambda: MPS(4, 2, path=torch.tensor([0, 1, 1, 3])), "every site"),
        (lambda: Dense(4, []), "widths"),
        (lambda: Dense(4, [3, 0]), "widths"),
        (lambda: Attention(4, 6, heads=4), "multiple of heads"),
        (lambda: Attention(4, 0), "width = 0"),
        (lambda: Attention(5, 4, magnetisation=0), "sum Z = 0"),
        (lambda: Recurrent(4, 0), "width = 0"),
        (lambda: RBM(4, dtype=torch.float32), "dtype"),
        (lambda: RBM(8, 1, 2, tied=TURNS), "reach = 2"),
        (lambda: RBM(8, 0.5, tied=RING), "no hidden unit"),
        (lambda: Symmetric(Jastrow(4), RING), "permutations"),
        (lambda: Symmetric(Jastrow(8), RING, 2), "turned = 2"),
        (lambda: Signed(Jastrow(4), ODD), "pattern"),
    ],
)
def test_sizes_that_are_not_possible_are_named(build_it, words):
    with pytest.raises(InputError, match=words):
        build_it()


def test_matrix_product_samples_have_the_magnetisation_asked_for():
    """The distribution is that of the state inside the sector (Pearson within 5 sigma of chi^2)."""
    block = MPS(SITES, 3, magnetisation=2, scale=0.4, generator=seeded(3))
    bits = block.sample(4096, seeded(5))
    assert (bits.sum(1) == (SITES - 2) // 2).all()
    p = np.abs(exact_state(block)) ** 2
    every = all_configurations(SITES)
    p[(every.sum(1) != (SITES - 2) // 2).numpy()] = 0
    seen = np.bincount(bits.long().numpy() @ (1 << np.arange(SITES - 1, -1, -1)), minlength=1 << SITES)
    expected = p / p.sum() * 4096
    often = expected > 5
    statistic, freedom = ((seen - expected)[often] ** 2 / expected[often]).sum(), often.sum() - 1
    assert abs(statistic - freedom) < 5 * np.sqrt(2 * freedom)


def test_shifted_weights_depend_on_the_distance_only():
    block = RBM(SITES, 1, 2, shifted=True, scale=0.3, generator=seeded())
    _, _, w = block.untied()
    for j in range(SITES):
        for k in range(SITES):
            want = block.weights[0, k - j + 2] if abs(k - j) <= 2 else 0.0
            assert w[j, k] == want


@pytest.mark.parametrize(
    ("build_it", "words"),
    [
        (lambda: Product([]), "at least one block"),
        (lambda: Product([Jastrow(4), Jastrow(5)]), "one length"),
        (lambda: Jastrow(4, "some"), "pairs = 'some'"),
        (lambda: MPS(4, 2, magnetisation=1), "sum Z = 1"),
        (lambda: RBM(SITES, 1, shifted=True, tied=TURNS), "see all sites"),
    ],
)
def test_blocks_that_cannot_be_are_refused(build_it, words):
    with pytest.raises(InputError, match=words):
        build_it()


def test_a_magnetisation_that_the_state_hardly_has_is_refused():
    block = MPS(SITES, 1)
    with torch.no_grad():
        for tensor in block.tensors:
            tensor[0, 1, 0] = 1e-6  # all up
    with pytest.raises(NumericalError, match="sum Z = -8"):
        MPS.sample(_with(block, -SITES), 16, seeded())


def _with(block: MPS, magnetisation: int) -> MPS:
    block.magnetisation = magnetisation
    return block
