"""The correction of a mean field: one formula in numpy and torch, with the limits that it promises."""

import numpy as np
import pytest
import torch

from qednas.physics.entanglement import PROXIES, chord_length
from qednas.qed.predictor.correction import (
    BEND,
    LAYERS,
    LEAST,
    LOG_EXPONENT,
    LOG_REACH,
    LOG_XI,
    LOGARITHMIC,
    LONG,
    OUTPUTS,
    PER_PROXY,
    RATES,
    SHARED,
    SMALL,
    TINY,
    UNITS,
    between,
    corrected,
    lengths,
    network,
    positive,
)
from studies.ch03.training import drift

BASE = (0.8, 15.0, 1.1, 2.0, 0.5)
ENTROPIES = np.array(LOGARITHMIC)
SLOPE = (1 - BEND**2 / 4) / (1 + BEND**2 / 4)  # of the root where nothing is added
RATE = np.array([1 / 6, 0, 1 / 6, 0, 1 / 8])  # c/6, and c/8 for Renyi-2, at c = 1


def raw(value, bounds):
    """The parameter for which ``between`` gives exp(value)."""
    low, high = bounds
    return -np.log((high - low) / (value - low) - 1)


def theta_of(log_xi=1.0, exponent=1.0, log_reach=0.5, **named):
    """Parameters (1, 1, OUTPUTS) with the same c0 ... c3 and m for every proxy."""
    theta = np.zeros(OUTPUTS)
    theta[:SHARED] = (
        raw(log_xi, LOG_XI) - LONG,
        raw(np.log(exponent), LOG_EXPONENT),
        raw(log_reach, LOG_REACH),
    )
    for j, name in enumerate(("c0", "c1", "c2", "c3", "m")):
        theta[SHARED + j :: PER_PROXY] = named.pop(name, 0.0)
    assert not named
    return theta[None, None]


def apply(theta, sites, cut, base=BASE, gate=1.0, grows=1.0):
    """All proxies of one cut."""
    one = [np.array([float(v)]) for v in (gate, grows, sites, cut)]
    return corrected(theta, np.array([base]), *one, np)[0, 0]


def unbent(value, size):
    """What was bent to ``value`` over ``size``: with a = value and y the argument, (2 a - y)^2 = y^2 + (BEND size)^2."""
    size = np.asarray(size)
    return np.where(ENTROPIES, value - BEND**2 / 4 * (size**2 / value - size), value)


def share(base):
    """By how much additive corrections of these proxies (5,) are scaled."""
    base = np.asarray(base)
    return np.where(ENTROPIES, (base + 1e-4) / (base + 0.2), 1.0)


def bare(theta, sites, cut, base=BASE, gate=1.0, grows=1.0):
    """As ``apply``, with the bend that keeps entropies positive undone (no m)."""
    return unbent(apply(theta, sites, cut, base, gate, grows), base)


def random_theta(rng, members=3, rows=1, scale=1.0):
    return scale * rng.normal(size=(members, rows, OUTPUTS))


def random_rows(rng, rows=40):
    sites = rng.integers(6, 300, rows).astype(float)
    return {
        "base": np.abs(rng.normal(size=(rows, len(PROXIES)))),
        "gate": np.where(rng.random(rows) < 0.3, 0.0, rng.random(rows)),
        "grows": np.clip(rng.uniform(-0.5, 1.5, rows), 0, 1),
        "sites": sites,
        "cut": np.floor(1 + (sites - 1) * rng.random(rows)),
    }


def test_the_constants_are_those_that_the_formula_names():
    """The tests below write the numbers out; c/6 and c/8 are those of the five proxies in their order."""
    assert PROXIES == ("entropy", "mean", "variance", "skewness", "renyi2")
    assert pytest.approx(RATE) == RATES
    assert (SMALL, LEAST, BEND) == (0.2, 1e-4, 0.2)
    assert OUTPUTS == 3 + 5 * 5


def test_numpy_and_torch_are_one_formula():
    rng = np.random.default_rng(0)
    sizes = [7, 8, 8, OUTPUTS]
    weights = {}
    for k in range(LAYERS):
        weights[f"w{k}"] = rng.normal(size=(3, sizes[k], sizes[k + 1])) * sizes[k] ** -0.5
        weights[f"b{k}"] = rng.normal(size=(3, 1, sizes[k + 1]))
    rows = random_rows(rng)
    rows["base"][:3] = 0.0
    x = rng.normal(size=(len(rows["sites"]), 7))
    theta = network(weights, x, np)
    theirs = network({k: torch.tensor(w) for k, w in weights.items()}, torch.tensor(x), torch)
    assert theta.shape == (3, len(x), OUTPUTS)
    np.testing.assert_allclose(theta, theirs, rtol=1e-10, atol=1e-12)
    value = corrected(theta, **rows, xp=np)
    tensors = {name: torch.tensor(array) for name, array in rows.items()}
    assert value.shape == (3, len(x), len(PROXIES))
    np.testing.assert_allclose(value, corrected(theirs, **tensors, xp=torch), rtol=1e-9, atol=1e-12)
    single = {name: array.float() for name, array in tensors.items()}
    np.testing.assert_allclose(value, corrected(theirs.float(), **single, xp=torch), rtol=1e-3, atol=1e-3)
    for given in (rows, tensors, single):
        given.pop("base")
    change = drift(theta, **rows, factor=4.0, xp=np)
    assert change.shape == value.shape
    np.testing.assert_allclose(change, drift(theirs, **tensors, factor=4.0, xp=torch), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(change, drift(theirs.float(), **single, factor=4.0, xp=torch), rtol=1e-3, atol=1e-3)


def test_the_network_is_an_ensemble_of_its_members():
    rng = np.random.default_rng(1)
    sizes = [4, 5, 5, OUTPUTS]
    weights = {f"w{k}": rng.normal(size=(2, sizes[k], sizes[k + 1])) for k in range(LAYERS)}
    weights |= {f"b{k}": rng.normal(size=(2, 1, sizes[k + 1])) for k in range(LAYERS)}
    x = rng.normal(size=(6, 4))
    for member in range(2):
        h = x
        for k in range(LAYERS):
            h = h @ weights[f"w{k}"][member] + weights[f"b{k}"][member]
            h = np.tanh(h) if k + 1 < LAYERS else h
        np.testing.assert_allclose(network(weights, x, np)[member], h, rtol=1e-12)


# The bend


def test_the_bend_leaves_its_size_as_it_is():
    """At any size, so that a correction of nothing is nothing; below sqrt(TINY) there is no slope to keep."""
    size = np.logspace(-9, 4, 27)
    np.testing.assert_allclose(positive(size, size, np), size, rtol=1e-6)
    np.testing.assert_allclose(positive(size[10:], size[10:], np), size[10:], rtol=1e-14)
    np.testing.assert_allclose(positive(torch.tensor(size), torch.tensor(size), torch), size, rtol=1e-6)


@pytest.mark.parametrize("xp", [np, torch])
def test_the_bend_is_a_smooth_maximum_with_nothing(xp):
    """Far above its size a value is kept up to a hundredth of the size, far below nothing a share of the size squared is left."""
    size = 0.3
    value = np.array([-1e9, -1e4, -30.0, 30.0, 1e4, 1e9])
    with np.errstate(all="raise"):
        given = [np.broadcast_to(a, value.shape).copy() for a in (value, size)]
        found = np.asarray(positive(*(given if xp is np else map(torch.tensor, given)), xp))
    np.testing.assert_allclose(found[3:], value[3:] - BEND**2 / 4 * size, rtol=1e-5)
    np.testing.assert_allclose(found[1:3], BEND**2 / 4 * size**2 / -value[1:3], rtol=1e-2)
    assert 0 <= found[0] < 1e-6
    fine = np.linspace(-5, 5, 2001)
    found = positive(fine, np.full(fine.shape, size), np)
    assert (found > 0).all()
    assert (np.diff(found) > 0).all()
    assert (np.diff(found, 2) > -1e-12).all()  # convex
    assert (np.diff(found) < np.diff(fine)).all()
    kept = fine > size  # where it crosses the plain value
    assert (found[kept] < fine[kept]).all()
    assert (found[~kept] > np.maximum(fine[~kept], 0) - 1e-15).all()


def test_the_bend_has_no_scale_of_its_own():
    rng = np.random.default_rng(6)
    value, size = rng.normal(size=200), rng.uniform(0.1, 2, 200)
    plain = positive(value, size, np)
    for scale in (1e-6, 1e-3, 17.0, 1e5):
        np.testing.assert_allclose(
            positive(scale * value, scale * size, np), scale * plain, rtol=1e-8
        )  # TINY has a scale, 1e-12


def test_the_slope_of_the_bend():
    """100/101 where nothing is added, 0 and 1 at the ends; the derivative that training sees is that of the curve."""
    value, size = (torch.tensor(v, requires_grad=True, dtype=float) for v in ([0.7, 0.0, -200.0, 200.0], [0.7] * 4))
    positive(value, size, torch).sum().backward()
    assert value.grad[0] == pytest.approx((1 + SLOPE) / 2) == pytest.approx(100 / 101)
    assert value.grad[2] < 1e-4
    assert value.grad[3] > 1 - 1e-4
    step = 1e-5
    numbers = value.detach().numpy()
    slope = (positive(numbers + step, 0.7, np) - positive(numbers - step, 0.7, np)) / (2 * step)
    np.testing.assert_allclose(value.grad, slope, rtol=1e-4, atol=1e-6)
    wider = (positive(numbers, 0.7 + step, np) - positive(numbers, 0.7 - step, np)) / (2 * step)
    np.testing.assert_allclose(size.grad, wider, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_entropies_are_never_negative(dtype):
    """Whatever the network says, and in the precision of training too; the mean level and the skewness are free."""
    rng = np.random.default_rng(7)
    rows = {name: torch.tensor(array.astype(dtype)) for name, array in random_rows(rng, 400).items()}
    rows["base"][:50] = 0.0
    rows["base"][50:100] *= 1e-6
    least = []
    for scale in (1.0, 30.0, 1000.0):
        theta = torch.tensor(random_theta(rng, rows=400, scale=scale).astype(dtype))
        value = corrected(theta, **rows, xp=torch).numpy()
        assert np.isfinite(value).all()
        assert (value[..., ENTROPIES] >= 0).all()
        least.append(value[..., ~ENTROPIES].min())
    assert max(least) < -1
    pushed = apply(theta_of(c0=-50.0), 20, 10)
    assert (pushed[ENTROPIES] > 0).all()
    assert (pushed[ENTROPIES] < 0.01).all()  # (BEND size)^2 / 4 / 50


# The formula


@pytest.mark.parametrize("xp", [np, torch])
def test_a_closed_gate_returns_the_base(xp):
    """To the last bits, small entropies and all, whatever the network says; nothing stays nothing up to sqrt(TINY) / 2."""
    rng = np.random.default_rng(2)
    rows = random_rows(rng) | {"gate": np.zeros(40)}
    rows["base"][0] = 0.0
    rows["base"][1] = 1e-13
    rows["base"][2] = 1e-7
    theta = random_theta(rng, rows=40, scale=30.0)
    given = rows if xp is np else {name: torch.tensor(array) for name, array in rows.items()}
    value = np.asarray(corrected(theta if xp is np else torch.tensor(theta), **given, xp=xp))
    want = np.broadcast_to(rows["base"], value.shape)
    np.testing.assert_array_equal(value[..., ~ENTROPIES], want[..., ~ENTROPIES])
    np.testing.assert_allclose(value, want, rtol=1e-15 * 4, atol=1.01 * TINY**0.5 / 2)
    np.testing.assert_allclose(value[:, 3:], want[:, 3:], rtol=1e-14, atol=0)


def test_the_formula_term_by_term():
    """Every coefficient on its own, at an odd and an even cut, against the text of the module."""
    sites, gate, xi, p, b = 30, 0.7, np.exp(2.0), 0.9, np.exp(1.2)
    for cut in (10, 15):
        chord = chord_length(sites, cut)
        length = -0.5 * np.log(chord**-2 + xi**-2)
        for grows in (1.0, 0.4, 0.0):
            bounded = (1 - grows) * RATE * (np.log(chord) - length)
            parts = {
                "c0": np.ones(5),
                "c1": grows * np.where(ENTROPIES, length, 1 / (1 + length)),
                "c2": np.full(5, (-1.0) ** cut * np.exp(-p * length)),
                "c3": np.full(5, np.exp(-chord / b)),
            }
            for name, part in parts.items():
                found = bare(theta_of(2.0, p, 1.2, **{name: 0.3}), sites, cut, gate=gate, grows=grows)
                want = np.array(BASE) + gate * (share(BASE) * np.array(UNITS) * 0.3 * part - bounded)
                np.testing.assert_allclose(found, want, rtol=1e-9, err_msg=name)
            lifted = np.array(BASE) * np.exp(gate * grows * 0.3)
            found = unbent(apply(theta_of(2.0, p, 1.2, m=0.3), sites, cut, gate=gate, grows=grows), lifted)
            np.testing.assert_allclose(found, lifted - gate * bounded, rtol=1e-9)


def test_each_proxy_has_parameters_of_its_own():
    """A change of one block of the parameters moves one proxy; a change of a shared one moves all."""
    rng = np.random.default_rng(8)
    theta = random_theta(rng, members=1, scale=0.5)
    plain = apply(theta, 30, 10, grows=0.5)
    for k in range(len(PROXIES)):
        for j in range(PER_PROXY):
            other = theta.copy()
            other[..., SHARED + PER_PROXY * k + j] += 0.1
            moved = apply(other, 30, 10, grows=0.5) != plain
            assert moved.tolist() == [i == k for i in range(len(PROXIES))]
    for j in range(SHARED):
        other = theta.copy()
        other[..., j] += 0.1
        assert (apply(other, 30, 10, grows=0.5) != plain).all()


def test_small_entropies_are_corrected_by_shares_of_themselves():
    """(base + 1e-4) / (base + 0.2): half at 0.2 nats, a thousandth of 1 nat at 1e-4; mean and skewness as they are."""
    for base, part in ((1e9, 1.0), (0.2, 0.2001 / 0.4), (0.01, 0.0101 / 0.21), (1e-4, 2e-4 / 0.2001), (0.0, 5e-4)):
        for c0 in (0.3, -1e-5) if base else (0.3,):
            found = bare(theta_of(8.9, c0=c0), 20, 10, base=[max(base, 1e-30)] * 5)
            for k, logarithmic in enumerate(LOGARITHMIC):
                want = UNITS[k] * c0 * (part if logarithmic else 1.0)
                assert found[k] - base == pytest.approx(want, rel=1e-3, abs=1e-7 * (base > 1) + 1e-12)


def test_a_finite_correlation_length_saturates():
    """Far beyond xi the correction is that of the infinite chain, at every size and cut."""
    theta = theta_of(np.log(3), c0=0.1, c1=0.4)
    growth = np.where(ENTROPIES, np.log(3), 1 / (1 + np.log(3)))
    limit = share(BASE) * np.array(UNITS) * (0.1 + 0.4 * growth)
    for sites, cut in ((200, 100), (1000, 500), (1000, 100), (10**5, 5 * 10**4)):
        np.testing.assert_allclose(bare(theta, sites, cut) - BASE, limit, atol=2e-3)
    assert (np.abs(bare(theta, 8, 4) - BASE - limit) > 0.01).all()  # the chain is not yet longer than xi


def test_below_the_correlation_length_growth_is_logarithmic():
    theta = theta_of(8.9, c1=1 / 6)
    for sites, cut in ((200, 100), (400, 200), (100, 32), (100, 50)):
        found = (bare(theta, sites, cut) - BASE)[ENTROPIES]
        np.testing.assert_allclose(found, share(BASE)[ENTROPIES] * np.log(chord_length(sites, cut)) / 6, rtol=1e-3)


def free_base(sites):
    """Proxies that grow as those of the free chain do, at the half-chain cut."""
    return np.array(BASE) + RATE * np.log(chord_length(sites, sites // 2))


def test_a_gapless_conserving_chain_keeps_the_growth_of_its_base():
    """Below the longest xi, e^9, a half-chain cut of N sites loses r (D/xi)^2 / 2 at most, and nothing as xi -> infinity."""
    for sites in (16, 64, 200):
        base = free_base(sites)
        lost = base - bare(theta_of(LOG_XI[1] - 1e-6), sites, sites // 2, base=base, grows=0.0)
        np.testing.assert_allclose(lost, RATE * (2 * sites / np.pi / np.exp(9.0)) ** 2 / 2, rtol=1e-2, atol=1e-9)
        assert np.abs(lost).max() < 3e-5
        nearer = base - bare(theta_of(7.0), sites, sites // 2, base=base, grows=0.0)
        assert (lost[ENTROPIES] < nearer[ENTROPIES]).all()


@pytest.mark.parametrize("xi", [2.0, 5.0])
def test_a_finite_correlation_length_bounds_a_conserving_chain(xi):
    """For D >> xi the proxies are base - r ln(D/xi), before the bend: the growth of the base itself, c/6 and c/8, is gone."""
    theta = theta_of(np.log(xi))
    found = []
    for sites in (100, 200, 1000):
        base, chord = free_base(sites), 2 * sites / np.pi
        want = base - RATE * np.log(chord / xi)
        np.testing.assert_allclose(
            bare(theta, sites, sites // 2, base=base, grows=0.0), want, atol=(xi / chord) ** 2 / 2
        )
        np.testing.assert_allclose(want, np.array(BASE) + RATE * np.log(xi), atol=1e-12)
        half = bare(theta, sites, sites // 2, base=base, grows=0.5)
        np.testing.assert_allclose(half, (base + want) / 2, atol=(xi / chord) ** 2)
        assert (apply(theta, sites, sites // 2, base=base, grows=0.0)[~ENTROPIES] == base[~ENTROPIES]).all()
        found.append(apply(theta, sites, sites // 2, base=base, grows=0.0))
    grown = found[-1] - found[0]  # after the bend a little of the growth is left
    assert (grown[ENTROPIES] < 0.25 * RATE[ENTROPIES] * np.log(10)).all()


def test_the_limit_of_a_conserving_correction():
    """c0, the alternation that a finite xi leaves, c2 xi^-p, and r ln(D/xi); nothing of c1, m and the ends."""
    theta = theta_of(2.0, 0.8, c0=0.2, c1=0.7, c2=0.5, c3=0.4, m=0.6)
    chord = chord_length(10**5, 5 * 10**4)
    base = np.array(BASE) + 3.0  # enough to lose ln(D/xi)
    for cut, sign in ((5 * 10**4, 1), (5 * 10**4 + 1, -1)):
        added = share(base) * np.array(UNITS) * (0.2 + sign * 0.5 * np.exp(-0.8 * 2.0))
        want = base + added - RATE * (np.log(chord) - 2.0)
        np.testing.assert_allclose(bare(theta, 10**5, cut, base=base, grows=0.0), want, rtol=1e-6)


def test_what_the_ends_do_decays_with_their_reach():
    for log_reach in (0.0, 1.0):
        theta = theta_of(8.9, 1.0, log_reach, c3=0.3)
        for sites, cut in ((12, 6), (12, 3), (40, 5), (40, 6)):  # of either sign of the cut
            found = bare(theta, sites, cut) - BASE
            want = share(BASE) * np.array(UNITS) * 0.3 * np.exp(-chord_length(sites, cut) / np.exp(log_reach))
            np.testing.assert_allclose(found, want, rtol=1e-6, atol=1e-12)


def test_both_halves_of_an_even_chain_agree():
    rng = np.random.default_rng(4)
    theta = random_theta(rng, scale=0.5)
    for sites in (6, 20, 101):
        cuts = np.arange(1.0, sites)
        rows = [np.tile(BASE, (len(cuts), 1)), *(np.full(len(cuts), v) for v in (0.8, 0.7, float(sites))), cuts]
        value = corrected(theta, *rows, np)
        if sites % 2 == 0:
            np.testing.assert_allclose(value, value[:, ::-1], rtol=1e-9, atol=1e-9)
        else:  # the alternation turns over with the cut
            assert np.abs(value - value[:, ::-1]).max() > 1e-3


def test_the_alternation_follows_the_sign_of_the_cut():
    smooth = np.array([apply(theta_of(2.0), 30, c) for c in range(10, 20)])
    alternating = np.array([apply(theta_of(2.0, c2=0.1), 30, c) for c in range(10, 20)])
    assert (np.sign(alternating - smooth) == ((-1.0) ** np.arange(10, 20))[:, None]).all()


def test_numbers_between_bounds():
    x = np.array([-600.0, -1.0, 0.0, 1.0, 600.0])
    for bounds in (LOG_XI, LOG_REACH, LOG_EXPONENT):
        found = np.log(between(bounds, x, np))
        assert found[0] == pytest.approx(bounds[0])
        assert found[2] == pytest.approx(sum(bounds) / 2)
        assert found[-1] == pytest.approx(bounds[1])
        assert (np.diff(found) > 0).all()
    assert np.log(between(LOG_XI, np.array(raw(2.0, LOG_XI)), np)) == pytest.approx(2.0)


def test_lengths_are_those_of_the_formula():
    """From numbers set by hand; before training the correlation length is much longer than the chains of the data set."""
    theta = theta_of(2.5, 0.6, 0.7)
    xi, p, b, chord, length = (np.asarray(v).item() for v in lengths(theta, np.array([40.0]), np.array([13.0]), np))
    assert (xi, p, b) == pytest.approx((np.exp(2.5), 0.6, np.exp(0.7)))
    assert chord == pytest.approx(80 / np.pi * np.sin(13 * np.pi / 40)) == pytest.approx(chord_length(40, 13))
    assert length == pytest.approx(-np.log(chord**-2 + np.exp(-5.0)) / 2)
    untrained = lengths(np.zeros((1, 1, OUTPUTS)), np.array([16.0]), np.array([8.0]), np)
    xi, _, b, chord, length = (np.asarray(v).item() for v in untrained)
    assert xi > 100 > chord
    assert b == pytest.approx(np.exp(0.75))
    assert length == pytest.approx(np.log(chord), abs=1e-3)


# Drift


@pytest.mark.parametrize("grows", [0.0, 0.35, 1.0])
@pytest.mark.parametrize("factor", [2.0, 4.0])
def test_drift_is_the_change_of_the_correction_at_a_base_that_is_held(grows, factor):
    """Two corrections with the same base, one of a chain ``factor`` times as long; the bend is undone, and the base is so
    large that its share is whole.  Alternation is left out."""
    rng = np.random.default_rng(9)
    base = np.array([2e4, 15.0, 1e4, 2.0, 3e4])
    for _ in range(10):
        theta = random_theta(rng, members=1, scale=0.7)
        theta[..., SHARED + 2 :: PER_PROXY] = 0.0  # c2
        m = theta[0, 0, SHARED + 4 :: PER_PROXY]
        gate, sites = rng.uniform(0.2, 1), float(rng.integers(8, 40))
        cut = float(rng.integers(1, sites))
        lifted = base * np.exp(gate * grows * m)
        short, long = (unbent(apply(theta, n * sites, n * cut, base, gate, grows), lifted) for n in (1.0, factor))
        one = [np.array([v]) for v in (gate, grows, sites, cut)]
        found = drift(theta, *one, factor, np)[0, 0]
        np.testing.assert_allclose(found[~ENTROPIES], (long - short)[~ENTROPIES], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found[ENTROPIES], (long - short)[ENTROPIES], rtol=1e-4, atol=1e-7)


def test_drift_knows_nothing_of_constants_and_alternation():
    rng = np.random.default_rng(10)
    one = [np.array([v]) for v in (0.8, 0.6, 14.0, 5.0)]
    theta = random_theta(rng)
    plain = drift(theta, *one, 4.0, np)
    other = theta.copy()
    for j in (0, 2, 4):  # c0, c2, m
        other[..., SHARED + j :: PER_PROXY] += rng.normal()
    np.testing.assert_array_equal(drift(other, *one, 4.0, np), plain)
    assert (plain != 0).all()
    assert not drift(theta, np.zeros(1), *one[1:], 4.0, np).any()  # gate
    np.testing.assert_allclose(drift(theta, *one, 1.0, np), 0, atol=1e-14)


def test_drift_beyond_the_correlation_length():
    """A gapped correction does not drift; that of a conserving chain takes r ln(factor) from its base."""
    one = [np.array([v]) for v in (1.0, 1.0, 2000.0, 1000.0)]
    theta = theta_of(1.0, 1.0, 0.5, c0=0.3, c1=0.8, c3=0.9)
    assert np.abs(drift(theta, *one, 4.0, np)).max() < 1e-4
    one[1] = np.zeros(1)
    np.testing.assert_allclose(drift(theta, *one, 4.0, np)[0, 0], -RATE * np.log(4), atol=1e-5)
    critical = theta_of(8.99, 1.0, 0.5, c1=0.8)
    found = drift(critical, np.ones(1), np.ones(1), np.array([20.0]), np.array([10.0]), 4.0, np)[0, 0]
    np.testing.assert_allclose(found[ENTROPIES], 0.8 * np.log(4) * np.array([1, 1, 1]), rtol=1e-3)


def test_gradients_are_finite_everywhere():
    """Closed gates, empty bases and entropies that are bent up: nothing that training meets gives a NaN."""
    rng = np.random.default_rng(5)
    rows = {name: torch.tensor(array) for name, array in random_rows(rng).items()}
    rows["base"][:5] = 0.0
    for dtype, scales in ((torch.float64, (0.0, 1.0, 50.0)), (torch.float32, (0.0, 1.0, 10.0))):
        given = {name: array.to(dtype) for name, array in rows.items()}
        plain = {name: array for name, array in given.items() if name != "base"}
        for scale in scales:
            theta = torch.tensor(random_theta(rng, rows=40, scale=scale), dtype=dtype, requires_grad=True)
            change = drift(theta, **plain, factor=4.0, xp=torch).abs().sum()
            (corrected(theta, **given, xp=torch).sum() + change).backward()
            assert torch.isfinite(theta.grad).all()
