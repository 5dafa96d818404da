"""Variational Monte Carlo: local energies, chains, errors, training to known energies, resuming, and what stops a run."""

import numpy as np
import pytest
import torch

from qednas.base.errors import InputError, NumericalError
from qednas.physics.basis import Basis, Flips
from qednas.physics.exact import ground_state
from qednas.physics.families import FAMILIES, build
from qednas.physics.hamiltonian import Hamiltonian, Sector
from qednas.qed.blocks.attention import Attention
from qednas.qed.blocks.block import Block, all_configurations, exact_state
from qednas.qed.blocks.jastrow import Jastrow
from qednas.qed.blocks.mps import MPS
from qednas.qed.blocks.product import Product
from qednas.qed.blocks.rbm import RBM
from qednas.qed.blocks.registry import make_ready
from qednas.qed.blocks.signed import Signed, marshall
from qednas.qed.vmc.estimates import Estimate, over_chains, split_r_hat
from qednas.qed.vmc.local_energy import LocalEnergy
from qednas.qed.vmc.metropolis import Metropolis, random_configurations
from qednas.qed.vmc.sampler import Sampler
from qednas.qed.vmc.swap import renyi2
from qednas.qed.vmc.vmc import Settings, check_above, measure, train

POINTS = {
    "tfim": {"h": 0.8}, "xy": {"gamma": 0.4, "h": 0.7}, "xxz": {"delta": 1.4}, "j1j2": {"j2": 0.3}, "cluster": {"h": 0.4},
    "ssh": {"delta": -0.3}, "annni": {"kappa": 0.3, "h": 0.9}, "long_range_ising": {"alpha": 2.5, "h": 1.2},
    "random_field": {"w": 2, "disorder_seed": 3}, "random_tfim": {"h": 1, "w": 0.5, "disorder_seed": 1},
    "mixed_field_ising": {"h": 1, "g": 0.2}, "cluster_ising": {"lam": 0.4, "h": 0.3}, "tfim_2d": {"h": 2, "width": 4},
    "mhs": {},
}  # fmt: skip
REAL = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("family", FAMILIES)
def test_local_energies_are_those_of_the_matrix(family):
    h = build(family, 8, **POINTS[family])
    block = RBM(8, scale=0.3, generator=seeded(1))
    psi = np.exp(block.log_psi(all_configurations(8)).detach().numpy())
    want = Flips(h, Basis(8, Sector())).to_csr() @ psi / psi
    found = LocalEnergy(h)(block, all_configurations(8)).numpy()
    np.testing.assert_allclose(found, want, rtol=1e-10, atol=1e-10)
    plain = LocalEnergy(h)
    s = 1.0 - 2.0 * all_configurations(8).to(REAL)
    diagonal, off = plain.elements(s)
    flips, elements = h.connected(all_configurations(8).numpy())
    assert np.allclose(diagonal.numpy() + off.numpy().sum(1), elements.sum(1))
    assert len(plain.flips) == sum(f.any() for f in flips)


def test_a_complex_hamiltonian_has_complex_local_energies():
    h = Hamiltonian.from_terms(4, [("XY", (0, 1), 0.7), ("YZ", (2, 3), 0.4), ("Z", (1,), 0.3)])
    block = RBM(4, dtype=REAL, scale=0.3, generator=seeded())
    psi = np.exp(block.log_psi(all_configurations(4)).detach().numpy())
    want = Flips(h, Basis(4, Sector())).to_csr() @ psi / psi
    np.testing.assert_allclose(LocalEnergy(h)(block, all_configurations(4)).numpy(), want, atol=1e-12)


def numbers(bits: torch.Tensor) -> np.ndarray:
    return bits.long().numpy() @ (1 << np.arange(bits.shape[1] - 1, -1, -1))


@pytest.mark.parametrize("family", ["tfim", "xxz", "xy", "cluster_ising"])
def test_chains_settle_on_the_distribution_of_the_state(family):
    """8,192 chains, each looked at once: Pearson's statistic within 5 sigma of chi^2 (once in 3 million)."""
    h = build(family, 6, **POINTS[family])
    block = RBM(6, scale=0.3, generator=seeded(2))
    markov = Metropolis(h, 8192, seeded(3))
    bits = markov.run(block, 40)
    assert 0.05 < markov.accepted < 1
    p = np.abs(exact_state(block)) ** 2
    basis = Basis(6, h.sector) if h.sector.kind in ("magnetisation", "parity_z") else Basis(6, Sector())
    allowed = np.zeros(64, bool)
    allowed[basis.states] = True
    seen = np.bincount(numbers(bits), minlength=64)
    assert seen[~allowed].sum() == 0
    expected = np.where(allowed, p, 0) / p[allowed].sum() * 8192
    often = expected > 5
    statistic, freedom = ((seen - expected)[often] ** 2 / expected[often]).sum(), often.sum() - 1
    assert abs(statistic - freedom) < 5 * np.sqrt(2 * freedom)


def test_matrix_product_chains_are_those_of_plain_evaluation():
    """The same seed, environments or not: the same configurations."""
    h = build("tfim", 8, h=0.8)
    block = MPS(8, 3, scale=0.4, generator=seeded(1))
    quick = Metropolis(h, 50, seeded(4)).run(block, 3)
    order = block.places
    block.walk = lambda bits: _ordered(Block.walk(block, bits), order)  # type: ignore[method-assign]
    assert torch.equal(quick, Metropolis(h, 50, seeded(4)).run(block, 3))


def _ordered(walk, order):
    walk.order = order
    return walk


def test_starts_lie_in_their_sector():
    assert (random_configurations(7, Sector("magnetisation", -3), 40, seeded()).sum(1) == 5).all()
    assert (random_configurations(6, Sector("parity_z", -1), 40, seeded()).sum(1) % 2 == 1).all()
    assert set((random_configurations(7, Sector("magnetisation"), 40, seeded()).sum(1)).tolist()) == {3}
    with pytest.raises(InputError, match="sum Z = 2"):
        random_configurations(7, Sector("magnetisation", 2), 4, seeded())


def test_errors_cover_correlated_chains():
    """Autoregressive series with a correlation time of 19: the true mean lies within 2 errors in 95 % of 400 runs.

    Allowed: 4 binomial standard deviations, so one failure in 16,000; errors that ignored the correlation would hold 35 %.
    """
    rng = np.random.default_rng(0)
    runs, records, chains, memory = 400, 40, 64, 0.9
    x = rng.normal(size=(runs, chains)) / np.sqrt(1 - memory**2)
    series = []
    for _ in range(records):
        x = memory * x + rng.normal(size=x.shape)
        series.append(x)
    found = [over_chains(np.array(series)[:, k]) for k in range(runs)]
    held = np.mean([abs(e.mean) < 2 * e.error for e in found])
    assert abs(held - 0.954) < 4 * np.sqrt(0.954 * 0.046 / runs)
    assert 8 < np.mean([e.correlation for e in found]) < 19  # 40 records see less than the 19 of an endless chain
    assert np.mean([e.variance for e in found]) == pytest.approx(1 / (1 - memory**2), rel=0.05)


def test_r_hat_tells_chains_that_have_not_mixed():
    rng = np.random.default_rng(1)
    mixed = rng.normal(size=(50, 20))
    assert split_r_hat(mixed) == pytest.approx(1, abs=0.02)
    assert split_r_hat(mixed + 2 * np.arange(20)) > 2
    assert split_r_hat(mixed + np.linspace(0, 5, 50)[:, None]) > 1.3  # all chains still drift
    assert split_r_hat(mixed[:3]) is None
    assert split_r_hat(np.ones((8, 3))) is None


def test_energies_below_the_exact_one_are_refused():
    check_above(Estimate(-10.2, 0.1, 1.0, None, None), -10.0)
    with pytest.raises(NumericalError, match="lies below"):
        check_above(Estimate(-10.4, 0.1, 1.0, None, None), -10.0)
    with pytest.raises(NumericalError, match="lies below"):
        check_above(Estimate(float("nan"), 0.1, 1.0, None, None), -10.0)


@pytest.mark.parametrize("name", ["rbm", "rbm complex", "mps", "attention"])
def test_training_meets_the_ground_state_of_a_chain(name):
    h = build("tfim", 8, h=1.0)
    exact = ground_state(h).energy
    block = {
        "rbm": lambda: RBM(8, 2, dtype=REAL, scale=0.05, generator=seeded()),
        "rbm complex": lambda: RBM(8, 1, scale=0.05, generator=seeded()),
        "mps": lambda: MPS(8, 4, generator=seeded()),
        "attention": lambda: Attention(8, 8, 1, 2, generator=seeded()),
    }[name]()
    samples = 128 if name == "attention" else 256
    run = train(h, block, Settings(steps=60, samples=samples, chains=samples, rate=(0.3, 0.05), longest=0.5))
    assert run["stopped"] == ""
    assert run["steps"] == len(run["energy"]) == 60
    e = measure(h, block, 1 << 13, exact=exact)
    assert e.mean - exact < 2e-3 * abs(exact) + 3 * e.error
    assert e.v_score(8) < 0.05
    assert np.all(np.diff(run["seconds"]) > 0)


def test_a_sign_that_is_given_makes_an_antiferromagnet_easy():
    h = build("xxz", 8, delta=1.0)
    exact = ground_state(h).energy
    block = Signed(RBM(8, 2, dtype=REAL, scale=0.05, generator=seeded()), marshall(h))
    train(h, block, Settings(steps=60, samples=256, chains=256, rate=(0.2, 0.05), shift=(1e-2, 1e-3)))
    e = measure(h, block, 1 << 13, exact=exact)
    assert e.mean - exact < 2e-3 * abs(exact) + 3 * e.error


def test_the_sampled_energy_is_that_of_the_state():
    h = build("j1j2", 8, j2=0.4)
    block = RBM(8, 1, scale=0.2, generator=seeded(7))
    psi = exact_state(block)
    basis = Basis(8, h.sector)
    inside = np.zeros(256, complex)
    inside[basis.states] = psi[basis.states]
    inside /= np.linalg.norm(inside)
    want = np.vdot(inside, Flips(h, Basis(8, Sector())).to_csr() @ inside).real
    e = measure(h, block, 1 << 15)
    assert abs(e.mean - want) < 4 * e.error
    assert e.r_hat == pytest.approx(1, abs=0.05)


def test_an_interrupted_run_goes_on_to_the_same_numbers(tmp_path, monkeypatch):
    h = build("tfim", 8, h=1.0)
    settings = Settings(steps=12, samples=128, chains=64, momentum=0.5)

    def fresh():
        return RBM(8, 1, scale=0.05, generator=seeded())

    whole = train(h, fresh(), settings)
    path = tmp_path / "run.safetensors"

    class Interrupted(Exception):
        pass

    def stop(step, *_):
        if step == 5:
            raise Interrupted

    from qednas.qed.vmc import training_run, vmc

    with monkeypatch.context() as patch:
        patch.setattr(vmc, "SAVE_SECONDS", 0.0)
        with pytest.raises(Interrupted):
            train(h, fresh(), settings, checkpoint=path, progress=stop)
    block = fresh()
    rest = train(h, block, settings, checkpoint=path)
    np.testing.assert_allclose(rest["energy"], whole["energy"], rtol=1e-12)
    again = train(h, block, settings, checkpoint=path)  # finished: nothing is done anew
    np.testing.assert_array_equal(again["energy"], rest["energy"])
    for other, words in (
        ((build("tfim", 8, h=1.1), fresh(), settings), "another system"),
        ((h, RBM(8, 2), settings), "another block"),
        ((h, fresh(), Settings(steps=12, samples=128, chains=128)), "another settings"),
    ):
        kept = path.read_bytes()
        with pytest.raises(InputError, match=words):
            train(*other, checkpoint=path)
        assert path.read_bytes() == kept
    monkeypatch.setattr(training_run, "VERSION", training_run.VERSION + 1)
    with pytest.raises(InputError, match="another version"):
        train(h, fresh(), settings, checkpoint=path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="cannot be read"):
        train(h, fresh(), settings, checkpoint=path)


def test_training_that_meets_nan_keeps_the_last_good_state():
    h = build("tfim", 6, h=1.0)
    block = RBM(6, 1, dtype=REAL, scale=0.05, generator=seeded())

    def poison(step, *_):
        if step == 3:
            with torch.no_grad():
                block.weights[0, 0] = float("nan")

    run = train(h, block, Settings(steps=9, samples=64, chains=64), progress=poison)
    assert run["stopped"].startswith("step 3")
    assert "not finite" in run["stopped"]
    assert run["steps"] == 3
    assert all(torch.isfinite(p).all() for p in block.parameters())
    assert np.isfinite(run["energy"]).all()


def test_a_budget_of_time_ends_a_run():
    make_ready()  # compiling is not what takes the time here
    run = train(build("tfim", 6, h=1.0), RBM(6), Settings(steps=10**6, samples=64, chains=64), seconds=0.3)
    assert run["stopped"].startswith("out of time")
    assert 0 < run["steps"] < 10**4


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_no_time_left_is_no_time_and_not_all_of_it(seconds):
    run = train(build("tfim", 6, h=1.0), RBM(6, 1), Settings(steps=5, samples=64, chains=8), seconds=seconds)
    assert run["stopped"] == "out of time after 0 steps"
    assert len(run["energy"]) == 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"steps": 0}, "steps = 0"),
        ({"samples": 100, "chains": 64}, "multiple of chains"),
        ({"momentum": 1.0}, "momentum"),
        ({"rate": (0.1, 0.0)}, "all positive"),
        ({"renewed": 1.5}, "renewed = 1.5"),
    ],
)
def test_settings_that_make_no_sense_are_named(changed, words):
    with pytest.raises(InputError, match=words):
        Settings(**changed)


def test_a_block_of_another_size_is_refused():
    with pytest.raises(InputError, match="the block has 5 sites, the Hamiltonian 6"):
        train(build("tfim", 6, h=1.0), RBM(5), Settings())


@pytest.mark.parametrize("family", ["tfim", "xxz", "xy"])
def test_the_swap_estimator_agrees_with_the_exact_state(family):
    """Every cut within 4 standard errors (7 cuts: once in 2,000); outside the sector of sum Z or prod Z the state is zero."""
    h = build(family, 8, **POINTS[family])
    block = RBM(8, 1, scale=0.4, generator=seeded(4))
    psi = exact_state(block)
    if h.sector.kind in ("magnetisation", "parity_z"):
        outside = np.ones(256, bool)
        outside[Basis(8, h.sector).states] = False
        psi[outside] = 0
        psi /= np.linalg.norm(psi)
    found = renyi2(h, block, [range(k) for k in range(1, 8)], 1 << 14)
    for k in range(1, 8):
        p = np.linalg.svd(psi.reshape(1 << k, -1), compute_uv=False) ** 2
        assert abs(found.entropy[k - 1] + np.log((p**2).sum())) < 4 * found.error[k - 1] + 1e-9


def test_swaps_that_cannot_be_resolved_say_so():
    h, block = build("tfim", 6, h=1.0), RBM(6, scale=0.3, generator=seeded())
    with pytest.raises(InputError, match="region"):
        renyi2(h, block, [range(6)], 64, chains=64)
    with pytest.raises(InputError, match="pairs = 10"):
        renyi2(h, block, [[0]], 10)
    imaginary = 1j * torch.randn(12, 12, generator=seeded(3), dtype=REAL) * 12**-0.5 * 2  # nearly maximal entropy
    nothing = torch.zeros(12, dtype=torch.complex128)
    wild = RBM.from_weights(nothing, nothing, imaginary)
    with pytest.raises(InputError, match="not resolved"):
        renyi2(build("tfim", 12, h=1.0), wild, [range(6)], 16, chains=16)


def test_a_run_that_loses_what_it_gained_goes_back():
    """A step that is spoilt on purpose is undone, and the steps after it are half as long."""
    h = build("tfim", 8, h=1.0)
    block = RBM(8, 1, dtype=REAL, scale=0.05, generator=seeded())

    def spoil(step, *_):
        if step == 22:
            with torch.no_grad():
                block.weights.mul_(0).add_(0.5 * torch.randn(8, 8, dtype=REAL, generator=seeded(7)))

    run = train(h, block, Settings(steps=60, samples=256, chains=256, rate=(0.2, 0.05)), progress=spoil)
    assert run["scale"][:22].min() == 1.0
    assert run["scale"][-1] == 0.5
    assert run["energy"][22] > run["energy"][21] + 0.5
    assert run["energy"][-1] == pytest.approx(ground_state(h).energy, rel=5e-3)


def test_new_chains_find_weight_where_the_old_ones_have_never_been():
    """Frozen chains on one side of a barrier: only those that start anew, annealed, reach the other."""
    h = build("mixed_field_ising", 12, h=0.5, g=0.1)
    block = Jastrow(12, "distance", fields=False, scale=0.0)
    with torch.no_grad():
        block.pairs[0] = 3.0  # |psi|^2 falls by exp(-12) for every domain wall
    source = Sampler(h, block, 64, seeded(), 5)
    source.markov.bits = torch.zeros(64, 12, dtype=torch.bool)
    source.draw(block, 1, 5)
    assert source.markov.bits.double().mean() < 0.1
    source.renew(block, 0.5, 0, 40)
    assert 0.1 < source.markov.bits.double().mean() < 0.4  # about half of the new half turned over


def test_a_product_with_a_matrix_product_state_is_trained_in_its_sector():
    h = build("xxz", 8, delta=1.0)
    factors = [Jastrow(8, "distance", fields=False, generator=seeded(1)), MPS(8, 2, generator=seeded())]
    block = Signed(Product(factors), marshall(h))
    settings = Settings(steps=80, samples=256, chains=256, rate=(0.3, 0.05), longest=0.5, renewed=0.125)
    train(h, block, settings)
    e = measure(h, block, 1 << 13, exact=ground_state(h).energy)
    assert e.mean == pytest.approx(ground_state(h).energy, rel=5e-3)


def test_time_and_steps_share_one_schedule(monkeypatch):
    """With a budget of time the rate falls with the time that has passed, and what an interrupted run took counts."""
    ticks = iter(np.arange(0.0, 1000.0, 0.25))
    run = train(
        build("tfim", 4, h=1.0), RBM(4, dtype=REAL, generator=seeded()), Settings(steps=10**6, samples=64, chains=64),
        seconds=10.0, clock=lambda: next(ticks),
    )  # fmt: skip
    assert run["steps"] == pytest.approx(20, abs=2)  # two looks at the clock a step
    assert run["seconds"][-1] <= 10.5
