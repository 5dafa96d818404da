"""The correction of a mean field: one formula in numpy and torch, with the limits that it promises."""

import numpy as np
import pytest
import torch

from qednas.physics.entanglement import PROXIES, chord_length
from qednas.qed.correction import (
    LAYERS,
    LOG_EXPONENT,
    LOG_XI,
    LOGARITHMIC,
    OUTPUTS,
    PER_PROXY,
    SHARED,
    SHARPNESS,
    UNITS,
    between,
    corrected,
    network,
    softplus,
)

BASE = (0.8, 15.0, 1.1, 2.0, 0.5)


def raw(value, bounds):
    """The parameter for which ``between`` gives exp(value)."""
    low, high = bounds
    return -np.log((high - low) / (value - low) - 1)


def theta_of(log_xi=1.0, exponent=1.0, **named):
    """Parameters (1, 1, OUTPUTS) with the same c0 ... c4 and m for every proxy."""
    theta = np.zeros(OUTPUTS)
    theta[0], theta[1] = raw(log_xi, LOG_XI), raw(np.log(exponent), LOG_EXPONENT)
    for j, name in enumerate(("c0", "c1", "c2", "c3", "c4", "m")):
        theta[SHARED + j :: PER_PROXY] = named.pop(name, 0.0)
    assert not named
    return theta[None, None]


def apply(theta, sites, cut, base=BASE, gate=1.0, grows=1.0):
    """All proxies of one cut."""
    one = [np.array([float(v)]) for v in (gate, grows, sites, cut)]
    return corrected(theta, np.array([base]), *one, np)[0, 0]


def random_theta(rng, members=3, rows=1, scale=1.0):
    return scale * rng.normal(size=(members, rows, OUTPUTS))


def random_rows(rng, rows=40):
    sites = rng.integers(6, 300, rows).astype(float)
    return {
        "base": np.abs(rng.normal(size=(rows, len(PROXIES)))),
        "gate": np.where(rng.random(rows) < 0.3, 0.0, rng.random(rows)),
        "grows": (rng.random(rows) < 0.5).astype(float),
        "sites": sites,
        "cut": np.floor(1 + (sites - 1) * rng.random(rows)),
    }


def test_numpy_and_torch_are_one_formula():
    rng = np.random.default_rng(0)
    sizes = [7, 8, 8, OUTPUTS]
    weights = {}
    for k in range(LAYERS):
        weights[f"w{k}"] = rng.normal(size=(3, sizes[k], sizes[k + 1])) * sizes[k] ** -0.5
        weights[f"b{k}"] = rng.normal(size=(3, 1, sizes[k + 1]))
    rows = random_rows(rng)
    x = rng.normal(size=(len(rows["sites"]), 7))
    theta = network(weights, x, np)
    theirs = network({k: torch.tensor(w) for k, w in weights.items()}, torch.tensor(x), torch)
    assert theta.shape == (3, len(x), OUTPUTS)
    np.testing.assert_allclose(theta, theirs, rtol=1e-10, atol=1e-12)
    value = corrected(theta, **rows, xp=np)
    tensors = {name: torch.tensor(array) for name, array in rows.items()}
    assert value.shape == (3, len(x), len(PROXIES))
    np.testing.assert_allclose(value, corrected(theirs, **tensors, xp=torch), rtol=1e-10, atol=1e-12)
    single = {name: array.float() for name, array in tensors.items()}
    np.testing.assert_allclose(value, corrected(theirs.float(), **single, xp=torch), rtol=1e-3, atol=1e-3)


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


@pytest.mark.parametrize("xp", [np, torch])
def test_a_closed_gate_returns_the_base(xp):
    """Bit for bit, small entropies and all, whatever the network says."""
    rng = np.random.default_rng(2)
    rows = random_rows(rng) | {"gate": np.zeros(40)}
    rows["base"][0] = 0.0
    rows["base"][1] = 1e-13
    theta = random_theta(rng, rows=40, scale=30.0)
    given = rows if xp is np else {name: torch.tensor(array) for name, array in rows.items()}
    value = np.asarray(corrected(theta if xp is np else torch.tensor(theta), **given, xp=xp))
    assert (value == rows["base"]).all()


def test_the_formula_term_by_term():
    """Every coefficient on its own, at an odd and an even cut, against the text of the module."""
    sites, gate, xi, p = 30, 0.7, np.exp(2.0), 0.9
    for cut in (10, 15):
        chord = chord_length(sites, cut)
        length = -0.5 * np.log(chord**-2 + xi**-2)
        sign = (-1.0) ** cut
        for k, logarithmic in enumerate(LOGARITHMIC):
            added = {
                "c0": 1.0,
                "c1": length if logarithmic else 1 / (1 + length),
                "c2": sign * np.exp(-p * length),
                "c3": sign / chord,
                "c4": np.exp(-chord / xi),
            }
            for name, part in added.items():
                theta = theta_of(2.0, p, **{name: 0.3})
                want = BASE[k] + gate * UNITS[k] * 0.3 * part
                want = softplus(want, np) if logarithmic else want
                assert apply(theta, sites, cut, gate=gate)[k] == pytest.approx(want, rel=1e-9), name
                kept = apply(theta, sites, cut, gate=gate, grows=0.0)[k]
                assert kept == pytest.approx(BASE[k] if name == "c1" else want, rel=1e-6), name
            scaled = apply(theta_of(2.0, p, m=0.3), sites, cut, gate=gate)[k]
            want = BASE[k] * np.exp(gate * 0.3)
            assert scaled == pytest.approx(softplus(want, np) if logarithmic else want, rel=1e-9)
            assert apply(theta_of(2.0, p, m=0.3), sites, cut, grows=0.0)[k] == pytest.approx(BASE[k], rel=1e-6)


def test_a_finite_correlation_length_saturates():
    """Far beyond xi the correction is that of the infinite chain, at every size and cut."""
    theta = theta_of(np.log(3), c0=0.1, c1=0.4)
    limit = 0.1 + 0.4 * np.log(3)
    for sites, cut in ((200, 100), (1000, 500), (1000, 100), (10**5, 5 * 10**4)):
        assert apply(theta, sites, cut)[0] - BASE[0] == pytest.approx(limit, abs=1e-3)
    assert abs(apply(theta, 8, 4)[0] - BASE[0] - limit) > 0.01  # the chain is not yet longer than xi


def test_below_the_correlation_length_growth_is_logarithmic():
    theta = theta_of(8.9, c1=1 / 6)
    growth = (apply(theta, 400, 200) - apply(theta, 200, 100)) / np.log(2)
    for k, logarithmic in enumerate(LOGARITHMIC):
        if logarithmic:
            assert growth[k] == pytest.approx(1 / 6, rel=0.01)
    for cut in (32, 50):
        assert apply(theta, 100, cut)[0] - BASE[0] == pytest.approx(np.log(chord_length(100, cut)) / 6, abs=1e-3)


def test_a_conserving_correction_tends_to_a_constant():
    """Without growth it changes between N and any larger size by no more than what still decays at N:
    |c2| exp(-p L) + |c3| / D + |c4| exp(-D / xi), in the units of each proxy; cuts of even length."""
    rng = np.random.default_rng(3)
    first, second = (1000, 500), (10**5, 5 * 10**4)
    chord = chord_length(*first)
    for _ in range(50):
        theta = random_theta(rng, members=1, scale=1.5)
        theta[..., 0] -= 3.0  # ln xi below 3 nearly always
        change = np.abs(apply(theta, *second, grows=0.0) - apply(theta, *first, grows=0.0))
        xi, p = (between(b, theta[0, 0, k], np) for k, b in enumerate((LOG_XI, LOG_EXPONENT)))
        length = -0.5 * np.log(chord**-2 + xi**-2)
        left = np.exp(-p * length) - xi**-p if xi < chord else np.exp(-p * length)
        for k, unit in enumerate(UNITS):
            _, _, c2, c3, c4, _ = np.abs(theta[0, 0, SHARED + PER_PROXY * k :][:PER_PROXY])
            assert change[k] <= unit * (c2 * left + c3 / chord + c4 * np.exp(-chord / xi)) + 1e-9
    quiet = theta_of(1.5, c0=0.3, c1=0.4, c2=1.0, c3=1.0, c4=1.0, m=0.3)
    change = np.abs(apply(quiet, *second, grows=0.0) - apply(quiet, *first, grows=0.0))
    assert (change < 1e-2).all()
    critical = theta_of(8.9, c1=0.4)
    assert apply(critical, *second)[0] - apply(critical, *first)[0] > 0.5  # a correction that may grow does
    assert apply(critical, *second, grows=0.0)[0] == pytest.approx(apply(critical, *first, grows=0.0)[0], abs=1e-12)


def test_the_limit_of_a_conserving_correction():
    """c0, and the alternation that a finite xi leaves: c2 xi^-p."""
    theta = theta_of(2.0, 0.8, c0=0.2, c2=0.5, c3=0.4, c4=0.3)
    for cut, sign in ((5 * 10**4, 1), (5 * 10**4 + 1, -1)):
        want = np.array(BASE) + np.array(UNITS) * (0.2 + sign * 0.5 * np.exp(-0.8 * 2.0))
        np.testing.assert_allclose(apply(theta, 10**5, cut, grows=0.0), want, rtol=1e-4, atol=1e-4)


def test_both_halves_of_an_even_chain_agree():
    rng = np.random.default_rng(4)
    theta = random_theta(rng, scale=0.5)
    for sites in (6, 20, 101):
        cuts = np.arange(1.0, sites)
        rows = [np.tile(BASE, (len(cuts), 1)), *(np.full(len(cuts), v) for v in (0.8, 1.0, float(sites))), cuts]
        value = corrected(theta, *rows, np)
        if sites % 2 == 0:
            np.testing.assert_allclose(value, value[:, ::-1], rtol=1e-9, atol=1e-9)
        else:  # the alternation turns over with the cut
            assert np.abs(value - value[:, ::-1]).max() > 1e-3


def test_the_alternation_follows_the_sign_of_the_cut():
    for name in ("c2", "c3"):
        smooth = np.array([apply(theta_of(2.0), 30, c)[0] for c in range(10, 20)])
        alternating = np.array([apply(theta_of(2.0, **{name: 0.1}), 30, c)[0] for c in range(10, 20)])
        assert (np.sign(alternating - smooth) == (-1.0) ** np.arange(10, 20)).all()


def test_entropies_cannot_be_negative():
    value = apply(theta_of(c0=-50.0), 20, 10)
    for k, logarithmic in enumerate(LOGARITHMIC):
        assert (0 <= value[k] < 1e-6) if logarithmic else value[k] < 0


@pytest.mark.parametrize("xp", [np, torch])
def test_softplus_is_a_smooth_maximum_that_does_not_overflow(xp):
    x = np.array([-1e300, -1e6, -1.0, 0.0, 1.0, 1e6, 1e300])
    with np.errstate(over="raise", invalid="raise"):
        value = np.asarray(softplus(x if xp is np else torch.tensor(x), xp))
    np.testing.assert_allclose(value, np.maximum(x, 0), atol=np.log(2) / SHARPNESS + 1e-12)
    assert value[3] == pytest.approx(np.log(2) / SHARPNESS)
    fine = np.linspace(-1, 1, 201)
    found = softplus(fine, np)
    np.testing.assert_allclose(found, np.log1p(np.exp(SHARPNESS * fine)) / SHARPNESS, rtol=1e-10)
    slopes = np.diff(found) / np.diff(fine)
    assert (slopes > 0).all()
    assert (slopes <= 1 + 1e-12).all()


def test_numbers_between_bounds():
    x = np.array([-600.0, -1.0, 0.0, 1.0, 600.0])
    found = np.log(between(LOG_XI, x, np))
    assert found[0] == pytest.approx(LOG_XI[0])
    assert found[2] == pytest.approx(sum(LOG_XI) / 2)
    assert found[-1] == pytest.approx(LOG_XI[1])
    assert (np.diff(found) > 0).all()
    assert np.log(between(LOG_XI, np.array(raw(2.0, LOG_XI)), np)) == pytest.approx(2.0)


def test_gradients_are_finite_everywhere():
    """Closed gates, empty bases and entropies that are bent up: nothing that training meets gives a NaN."""
    rng = np.random.default_rng(5)
    rows = {name: torch.tensor(array) for name, array in random_rows(rng).items()}
    rows["base"][:5] = 0.0
    for scale in (0.0, 1.0, 50.0):
        theta = torch.tensor(random_theta(rng, rows=40, scale=scale), requires_grad=True)
        corrected(theta, **rows, xp=torch).sum().backward()
        assert torch.isfinite(theta.grad).all()
