"""The supernet and its gradients against finite differences, exact states and limits; the search against known ground states."""

import numpy as np
import pytest
import torch

from qednas.base.errors import InputError
from qednas.physics.entanglement import proxies, schmidt_spectra
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.qed.blocks.block import all_configurations, exact_state
from qednas.qed.blocks.derivatives import add_to_parameters
from qednas.qed.blocks.mps import MPS
from qednas.qed.blocks.rbm import RBM
from qednas.qed.search import differentiable_search, sampling
from qednas.qed.search.differentiable_search import gate_slopes, search_architecture
from qednas.qed.search.entanglement_loss import MATCHED, exact_distance, sampled_distance
from qednas.qed.search.ground_state import given_of
from qednas.qed.search.sampling import FullSummation, MarkovSampling
from qednas.qed.search.settings import SearchSettings
from qednas.qed.search.supernet import Gumbel, Supernet
from qednas.qed.vmc.exact_training import Space, sum_exactly

PARTS = {"jastrow": ["jastrow/distance"], "rbm": ["rbm/1x2", "rbm/2x3"], "mps": ["mps/2"]}
REAL = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stirred(combine: str = "product", sites: int = 6, family: str = "tfim", **couplings) -> tuple:
    """A Hamiltonian and a supernet with weights that are not small."""
    h = build(family, sites, **(couplings or {"h": 0.8}))
    net = Supernet(PARTS, given_of(h), combine=combine, seed=1)
    with torch.no_grad():
        for p in net.state.parameters():
            p += 0.2 * torch.randn(p.shape, dtype=p.dtype, generator=seeded(4))
    net.set_gates(torch.tensor([0.3, 0.5, 0.2, 0.7], dtype=REAL))
    return h, net


def test_gates_are_a_softmax_over_none_and_the_sizes():
    _, net = stirred()
    net.logits["rbm"] = torch.tensor([0.0, 1.0, 2.0], dtype=REAL)
    gates = net.gates(0.5)
    want = np.exp([0.0, 2.0, 4.0]) / np.exp([0.0, 2.0, 4.0]).sum()
    np.testing.assert_allclose(gates[1:3], want[1:])
    assert gates[0] == 0.5  # two choices without preference
    cold = net.gates(1e-3)
    np.testing.assert_allclose(cold[1:3], [0.0, 1.0], atol=1e-12)


def test_gumbel_noise_chooses_with_the_probabilities_of_the_softmax():
    """At temperature zero the largest of logit + noise is a draw from the softmax; 4 sigma of 4,000 draws."""
    _, net = stirred()
    net.logits["rbm"] = torch.tensor([0.0, 0.5, 1.0], dtype=REAL)
    noise = Gumbel(net, 0.0, seeded(2))
    drawn = [int((net.logits["rbm"] + noise.next()["rbm"]).argmax()) for _ in range(4000)]
    seen = np.bincount(drawn, minlength=3) / 4000
    want = net.probabilities()["rbm"]
    assert np.all(np.abs(seen - want) < 4 * np.sqrt(np.array(want) / 4000))


def test_slow_noise_has_the_memory_and_the_spread_that_it_should():
    _, net = stirred()
    noise = Gumbel(net, 0.9, seeded(3))
    values = torch.stack([noise.next()["rbm"] for _ in range(6000)])
    assert values.var() == pytest.approx(np.pi**2 / 6, rel=0.15)
    scores = torch.special.ndtri(torch.exp(-torch.exp(-values)))
    assert (scores[1:] * scores[:-1]).mean() == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize("combine", ["product", "superposition"])
def test_slopes_of_the_gates_are_finite_differences_of_the_loss(combine, monkeypatch):
    """Second order: half the step, a quarter of the error."""
    monkeypatch.setattr(sampling, "LOUDEST", np.inf)
    h, net = stirred(combine)
    wanted = {"entropy": 0.4, "variance": 0.5, "renyi2": 0.3}
    sums, strength = FullSummation(h, wanted), 0.7

    def loss() -> float:
        found = sums.draw(net)
        return found.energy + strength * found.distance.value

    slopes = gate_slopes(net, sums.draw(net), strength)
    gates = net.mixture.gates.clone()
    for k in range(len(gates)):
        errors = []
        for step in (4e-3, 2e-3):
            ends = []
            for sign in (1, -1):
                moved = gates.clone()
                moved[k] += sign * step
                net.set_gates(moved)
                ends.append(loss())
            errors.append(abs((ends[0] - ends[1]) / (2 * step) - float(slopes[k])))
            net.set_gates(gates)
        assert errors[0] < 1e-3
        assert errors[1] < 0.3 * errors[0] + 1e-9


def test_the_pull_of_entanglement_is_never_louder_than_half_the_spread_of_the_energies():
    h, net = stirred("product")
    found = FullSummation(h, {"entropy": 0.4, "variance": 0.5, "renyi2": 0.3}).draw(net)
    ratio = found.spread(found.distance.local) / found.spread(found.local)
    for strength, expected in ((0.1 / ratio, 0.1), (0.5 / ratio, 0.5), (70.0 / ratio, 0.5)):
        added = found.loss_local(strength) - found.local
        assert found.spread(added) / found.spread(found.local) == pytest.approx(expected)
    assert torch.equal(found.loss_local(0.0), found.local)


def test_the_exact_distance_and_its_slope():
    h = build("tfim", 6, h=0.8)
    block = RBM(6, 1, dtype=REAL, scale=0.3, generator=seeded())
    wanted = {"entropy": 0.4, "variance": 0.5, "renyi2": 0.3, "skewness": 9.0}
    space = Space.of(h)

    def distance():
        found = sum_exactly(block, space)
        with torch.no_grad():
            logs = block.log_psi(space.bits)
        return found, exact_distance(logs, space.numbers, 6, found.weights, wanted)

    found, at = distance()
    own = proxies(schmidt_spectra(exact_state(block), 6)[2])
    for name in MATCHED:
        assert at.proxies[name] == pytest.approx(own[name], abs=1e-9)
    o = block.derivatives(space.bits).table()
    w = found.weights
    slope = 2 * ((w * (at.local - (w * at.local).sum()))[:, None] * (o - w @ o)).sum(0).real
    direction = torch.randn(len(slope), dtype=REAL, generator=seeded(1))
    ends = []
    for sign in (1, -1):
        add_to_parameters(block, sign * 1e-4 * direction)
        ends.append(distance()[1].value)
        add_to_parameters(block, -sign * 1e-4 * direction)
    assert float(slope @ direction) == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-4)


def test_the_sampled_slope_of_the_renyi_entropy_is_the_exact_one():
    """From 200,000 pairs of exact samples; every parameter within 5 standard errors (64 blocks), 3 for the entropy."""
    block = MPS(6, 2, scale=0.4, generator=seeded(2))
    bits_all = all_configurations(6)
    psi = torch.from_numpy(exact_state(block).real)
    w = psi**2
    logs = block.log_psi(bits_all).detach()
    wanted = {"renyi2": 0.1}
    exact = exact_distance(logs, np.arange(64), 6, w, wanted | {"entropy": 1.0, "variance": 1.0})
    own = exact.proxies["renyi2"]
    o = block.derivatives(bits_all).table()
    # the slope of S_2 itself, exactly: rho = M M^T, d S_2 = -4 tr(rho dM M^T) / tr rho^2
    matrix = psi.reshape(8, 8)
    rho = matrix @ matrix.T
    gradient = (-4 * (rho @ matrix) / (rho**2).sum()).reshape(-1) * psi
    slope = ((o - w @ o) * gradient[:, None]).sum(0) * 2 * (own - 0.1) / 0.25**2
    slopes, entropies = [], []
    for k in range(64):
        bits = block.sample(6250, seeded(100 + k))
        found = sampled_distance(block, bits, wanted, conserved=None)
        table = block.derivatives(bits).table()
        local = found.local.real
        scale = 2 * (own - 0.1) / (2 * (found.proxies["renyi2"] - 0.1))
        slopes.append(2 * ((local - local.mean())[:, None] * (table - table.mean(0))).mean(0) * scale)
        entropies.append(found.proxies["renyi2"])
    slopes = torch.stack(slopes)
    error = slopes.std(0) / 8
    assert torch.all((slopes.mean(0) - slope).abs() < 5 * error + 1e-9)
    assert abs(np.mean(entropies) - own) < 3 * np.std(entropies) / 8 + 1e-3


def test_gates_follow_only_as_far_as_the_state_allows():
    h, net = stirred()
    found = sum_exactly(net.state, Space.of(h))
    bits, before = Space.of(h).bits, net.mixture.gates.clone()
    target = torch.ones(4, dtype=REAL)
    logs = net.state.log_psi(bits).real.detach()
    net.follow(target, bits, found.weights, 0.05)
    change = net.state.log_psi(bits).real.detach() - logs
    w = found.weights
    assert float((w * (change - w @ change) ** 2).sum().sqrt()) == pytest.approx(0.05, rel=1e-6)
    share = (net.mixture.gates - before) / (target - before)
    torch.testing.assert_close(share, share[0].expand(4))
    net.follow(target, bits, found.weights, 1e9)
    torch.testing.assert_close(net.mixture.gates, target)


def test_ranking_is_by_probability_within_the_budget():
    _, net = stirred()
    net.logits |= {
        "jastrow": torch.tensor([0.0, 2.0]),
        "rbm": torch.tensor([0.0, 0.1, 3.0]),
        "mps": torch.tensor([1.0, 0.0]),
    }
    assert str(net.best()) == "jastrow/distance + rbm/2x3"
    counts = dict(zip(net.names, net.counts.tolist(), strict=True))
    assert str(net.best(int(counts["jastrow/distance"] + counts["rbm/1x2"]))) == "jastrow/distance + rbm/1x2"
    with pytest.raises(InputError, match="at most 1 parameters"):
        net.best(1)
    assert len(net.rank_architectures()) == 2 * 3 * 2 - 1
    assert sum(np.exp(log) for log, _ in net.rank_architectures()) < 1  # the empty one has the rest


def test_architectures_are_drawn_by_their_probability_and_none_twice():
    """The first of the drawn ones is a draw from the distribution; 4 sigma of 3,000 draws."""
    _, net = stirred()
    net.logits |= {"jastrow": torch.tensor([0.0, 1.0]), "rbm": torch.tensor([0.0, 0.1, 1.0])}
    probable = net.rank_architectures()
    first = [str(net.draw_architectures(0, 3, seeded(k))[0]) for k in range(3000)]
    whole = sum(np.exp(log) for log, _ in probable)
    for log, architecture in probable[:4]:
        p = np.exp(log) / whole
        assert abs(first.count(str(architecture)) / 3000 - p) < 4 * np.sqrt(p * (1 - p) / 3000)
    several = net.draw_architectures(2, 100, seeded(1))
    assert len(several) == len(set(several)) == len(probable)
    assert several[:2] == [a for _, a in probable[:2]]


@pytest.mark.parametrize("changed", [{}, {"softmax": "plain"}, {"level": "one"}, {"entanglement": 0.0}])
def test_a_search_by_exact_sums_comes_close_to_the_ground_state(changed):
    h = build("tfim", 8, h=1.0)
    exact = ground_state(h)
    wanted = proxies(schmidt_spectra(exact.vector, 8)[3])
    net = Supernet(PARTS, given_of(h))
    run = search_architecture(h, net, SearchSettings(steps=60, **changed), wanted=wanted, exact=True)
    assert run["energy"].min() == pytest.approx(exact.energy, rel=5e-3)
    assert np.all(run["energy"] > exact.energy - 1e-9)
    assert run["probabilities"]["rbm"].shape == (60, 3)
    assert (run["distance"] > 0).any() == (changed != {"entanglement": 0.0})
    assert np.abs(run["probabilities"]["rbm"][:15] - 1 / 3).max() < 1e-12  # fixed at first
    assert np.abs(run["probabilities"]["rbm"][-1] - 1 / 3).max() > 1e-3  # where nothing is to gain gates hardly move


def test_a_search_without_time_left_makes_no_step():
    h = build("tfim", 8, h=1.0)
    run = search_architecture(
        h, Supernet(PARTS, given_of(h)), SearchSettings(steps=4), wanted={}, seconds=-1.0, exact=True
    )
    assert run["steps"] == 0


def test_sampled_and_exact_search_see_the_same_energies():
    h = build("xxz", 8, delta=1.0)
    wanted = proxies(schmidt_spectra(ground_state(h).vector, 8)[3])
    runs = []
    for exact in (True, False):
        net = Supernet(PARTS, given_of(h))
        settings = SearchSettings(steps=40, samples=512, softmax="plain", fixed=0.0)
        runs.append(search_architecture(h, net, settings, wanted=wanted, exact=exact))
    assert runs[1]["energy"][-5:].mean() == pytest.approx(ground_state(h).energy, rel=2e-2)
    h, net = stirred(sites=8, family="xxz", delta=1.0)
    sampling = MarkovSampling(h, net, 6144, {"renyi2": 0.5}, seeded(8))
    sampled = sampling.draw(net)
    held_out = sampling.draw_for_architecture(net, sampled)
    assert len(sampled.bits) == 4096
    assert len(held_out.bits) == 2048
    assert held_out.energy != sampled.energy
    exactly = FullSummation(h, {"renyi2": 0.5, "entropy": 0.5, "variance": 0.5}).draw(net)
    for found in (sampled, held_out):
        assert abs(found.energy - exactly.energy) < 4 * found.error
    assert sampled.distance.proxies["renyi2"] == pytest.approx(exactly.distance.proxies["renyi2"], abs=0.1)


def test_an_interrupted_search_goes_on_to_the_same_numbers(tmp_path, monkeypatch):
    h = build("tfim", 8, h=1.0)
    wanted, settings = {"renyi2": 0.2}, SearchSettings(steps=10, samples=64, fixed=0.2)
    whole = search_architecture(h, Supernet(PARTS, given_of(h)), settings, wanted=wanted)
    path = tmp_path / "search.safetensors"

    class Interrupted(Exception):
        pass

    def stop(step, *_):
        if step == 5:
            raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(differentiable_search, "SAVE_SECONDS", 0.0)
        with pytest.raises(Interrupted):
            search_architecture(
                h, Supernet(PARTS, given_of(h)), settings, wanted=wanted, checkpoint=path, progress=stop
            )
    rest = search_architecture(h, Supernet(PARTS, given_of(h)), settings, wanted=wanted, checkpoint=path)
    np.testing.assert_allclose(rest["energy"], whole["energy"], rtol=1e-10)
    np.testing.assert_allclose(rest["probabilities"]["rbm"], whole["probabilities"]["rbm"], rtol=1e-8)
    kept = path.read_bytes()
    other = build("tfim", 8, h=1.1)
    with pytest.raises(InputError, match="another system"):
        search_architecture(other, Supernet(PARTS, given_of(other)), settings, wanted=wanted, checkpoint=path)
    with pytest.raises(InputError, match="another search"):
        search_architecture(h, Supernet(PARTS, given_of(h)), settings, wanted={"renyi2": 0.3}, checkpoint=path)
    assert path.read_bytes() == kept


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"level": "two"}, "level = 'two'"),
        ({"softmax": "hard"}, "softmax = 'hard'"),
        ({"samples": 5}, "samples = 5"),
        ({"cost": -1.0}, "cost = -1.0"),
        ({"rate": (0.0, 0.1)}, "all positive"),
    ],
)
def test_settings_that_make_no_sense_are_named(changed, words):
    with pytest.raises(InputError, match=words):
        SearchSettings(**changed)


def test_another_way_to_combine_is_refused():
    with pytest.raises(InputError, match="combine = 'tensor'"):
        Supernet(PARTS, given_of(build("tfim", 6, h=1.0)), combine="tensor")
