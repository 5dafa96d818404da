"""Spectra, proxies and analytic references of entanglement."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qednas.physics.entanglement import (
    FLOOR,
    LEVELS,
    PROXIES,
    chord_length,
    levels,
    mode_proxies,
    page_entropy,
    proxies,
    schmidt_spectra,
    smallest_subset_sums,
)
from qednas.physics.gaussian.gaussian_modes import gaussian_proxies
from spins import entropies, haar_state, reduced_spectrum

probabilities = st.lists(st.integers(1, 10**6), min_size=1, max_size=40).map(
    lambda ws: np.sort(np.array(ws) / sum(ws))[::-1]
)
polarisations = st.lists(st.floats(0, 1), min_size=1, max_size=9).map(np.array)


def brute_proxies(p):
    """The definitions, term by term."""
    xi = [-np.log(q) for q in p if q > 0]
    weight = [q for q in p if q > 0]
    entropy = sum(q * x for q, x in zip(weight, xi, strict=True))
    second, third = (sum(q * (x - entropy) ** k for q, x in zip(weight, xi, strict=True)) for k in (2, 3))
    lowest = sorted(min(x, -np.log(FLOOR)) for x in xi)[:LEVELS]
    lowest += [-np.log(FLOOR)] * (LEVELS - len(lowest))
    return {
        "entropy": entropy,
        "mean": sum(lowest) / LEVELS,
        "variance": second,
        "skewness": third / second**1.5 if second > 1e-9 else 0.0,
        "renyi2": -np.log(sum(q * q for q in weight)),
    }


def mode_spectrum(nu):
    """All 2**len(nu) probabilities of independent two-level modes."""
    p = np.ones(1)
    for x in nu:
        p = np.concatenate([p * (1 + x) / 2, p * (1 - x) / 2])
    return np.sort(p)[::-1]


@pytest.mark.parametrize("sites", [2, 3, 7, 10])
@pytest.mark.parametrize("real", [True, False])
def test_schmidt_spectra_are_density_matrix_eigenvalues(sites, real):
    psi = haar_state(np.random.default_rng(sites), sites)
    psi = 3.0 * (psi.real if real else psi)  # need not be normalised
    spectra = schmidt_spectra(psi, sites)
    assert len(spectra) == sites - 1
    psi /= np.linalg.norm(psi)
    for left, p in enumerate(spectra, 1):
        size = 2 ** min(left, sites - left)
        assert p.shape == (size,)
        assert (np.diff(p) <= 0).all()
        assert p.sum() == pytest.approx(1, abs=1e-13)
        np.testing.assert_allclose(p, reduced_spectrum(psi, sites, left)[:size], atol=1e-13)


def test_product_states_have_no_entanglement():
    rng = np.random.default_rng(0)
    psi = np.ones(1)
    for _ in range(8):
        psi = np.kron(psi, rng.normal(size=2))
    for p in schmidt_spectra(psi, 8):
        assert p[0] == pytest.approx(1, abs=1e-14)
        found = proxies(p)
        assert found["entropy"] == pytest.approx(0, abs=1e-12)
        assert found["renyi2"] == pytest.approx(0, abs=1e-12)
        assert found["skewness"] == 0


@pytest.mark.parametrize("rank", [1, 2, 4, 16])
def test_flat_spectra(rank):
    found = proxies(np.full(rank, 1 / rank))
    assert found["entropy"] == pytest.approx(np.log(rank), abs=1e-14)
    assert found["renyi2"] == pytest.approx(np.log(rank), abs=1e-14)
    assert found["variance"] == pytest.approx(0, abs=1e-14)
    assert found["skewness"] == 0
    filled = min(rank, LEVELS)
    assert found["mean"] == pytest.approx((filled * np.log(rank) - (LEVELS - filled) * np.log(FLOOR)) / LEVELS)


@given(probabilities)
def test_proxies_are_their_definitions(p):
    found, want = proxies(p), brute_proxies(p)
    assert tuple(found) == PROXIES
    for name in PROXIES:
        assert found[name] == pytest.approx(want[name], abs=1e-6 if name == "skewness" else 1e-10)
    assert 0 <= found["renyi2"] <= found["entropy"] + 1e-12 <= np.log(len(p)) + 1e-11


@given(probabilities)
def test_zero_probabilities_change_nothing(p):
    assert proxies(np.append(p, [0.0, 0.0])) == pytest.approx(proxies(p), abs=1e-6)


@given(probabilities, st.integers(1, 20))
def test_levels_are_ascending_and_floored(p, count):
    found = levels(np.random.default_rng(0).permutation(p), count)
    assert found.shape == (count,)
    assert (np.diff(found) >= 0).all()
    kept = min(count, len(p))
    np.testing.assert_allclose(found[:kept], np.minimum(-np.log(p[:kept]), -np.log(FLOOR)))
    assert (found[kept:] == -np.log(FLOOR)).all()


@given(polarisations)
def test_mode_proxies_are_those_of_the_product_spectrum(nu):
    found, spectrum = mode_proxies(nu)
    dense = mode_spectrum(nu)
    want = proxies(dense)
    for name in PROXIES:
        assert found[name] == pytest.approx(want[name], abs=1e-5 if name == "skewness" else 1e-9)
    np.testing.assert_allclose(spectrum, dense[:64], atol=1e-14)


def test_many_modes_are_fast_and_ordered():
    nu = np.random.default_rng(0).uniform(0, 1, 400)
    found, spectrum = mode_proxies(nu)
    assert spectrum.shape == (64,)
    assert (np.diff(spectrum) <= 0).all()
    p = np.stack([(1 + nu) / 2, (1 - nu) / 2])
    assert found["entropy"] == pytest.approx(-(p * np.log(p)).sum(), rel=1e-12)
    assert spectrum[0] == pytest.approx(p[0].prod(), rel=1e-9)


def same_proxies(modes):
    found = gaussian_proxies(modes)
    assert found.shape == (len(modes), len(PROXIES))
    for row, nu in zip(found, modes, strict=True):
        want = mode_proxies(nu)[0]
        for name, value in zip(PROXIES, row, strict=True):
            assert value == pytest.approx(want[name], rel=1e-10, abs=1e-10), (name, nu)


def test_many_cuts_at_once_have_the_proxies_of_each():
    """Cuts of very different numbers of modes in one call, from one mode to sixty, and with hardly any entanglement."""
    rng = np.random.default_rng(0)
    modes = [rng.uniform(0, 1, count) for count in (1, 2, 5, 7, 8, 9, 20, 60)]
    modes += [1 - 10.0 ** -rng.uniform(0, 14, count) for count in (3, 30)]
    modes += [rng.uniform(0, 1e-3, 12), -rng.uniform(0, 1, 6), np.append(np.ones(10), 0.3)]
    modes += [
        rng.permutation(np.linspace(0.99, 0.999, 600))
    ]  # nearly equal: the seven softest count, wherever they stand
    same_proxies(modes)
    same_proxies(modes[::-1])
    for nu in modes:  # what stands beside a cut does not matter
        np.testing.assert_allclose(gaussian_proxies([nu]), gaussian_proxies([nu, modes[7]])[:1], rtol=1e-12, atol=1e-12)


def test_pure_and_maximally_mixed_modes():
    same_proxies([np.ones(4), np.ones(1), np.zeros(1), np.zeros(12), np.array([]), np.array([1 - 1e-12, 0.3])])
    pure, bell = gaussian_proxies([np.ones(5), np.array([1.0, 0.0, 1.0])])
    assert pure == pytest.approx([0, -np.log(FLOOR) * (LEVELS - 1) / LEVELS, 0, 0, 0], abs=1e-12)
    mean = (2 * np.log(2) - np.log(FLOOR) * (LEVELS - 2)) / LEVELS
    assert bell == pytest.approx([np.log(2), mean, 0, 0, np.log(2)], abs=1e-12)


@given(st.lists(polarisations, min_size=1, max_size=6))
def test_proxies_of_random_cuts(modes):
    found = gaussian_proxies(modes)
    for row, nu in zip(found, modes, strict=True):
        want = np.array(list(mode_proxies(nu)[0].values()))
        np.testing.assert_allclose(row[[0, 1, 2, 4]], want[[0, 1, 2, 4]], rtol=1e-9, atol=1e-9)
        assert row[3] == pytest.approx(want[3], rel=1e-5, abs=1e-5) or abs(want[2] - 1e-9) < 1e-12


@given(st.lists(st.floats(0, 50), max_size=9).map(sorted), st.integers(1, 80))
def test_smallest_subset_sums(values, count):
    every = sorted(sum(s) for r in range(len(values) + 1) for s in itertools.combinations(values, r))
    np.testing.assert_allclose(smallest_subset_sums(np.array(values), count), every[:count], atol=1e-9)


def test_page_entropy_values():
    # Page, PRL 71, 1291 (1993): sum_{k=n+1}^{mn} 1/k - (m - 1)/(2n); 12 spins, half: 3.659025
    assert page_entropy(64, 64) == pytest.approx(3.659025, abs=1e-6)
    assert page_entropy(2, 2) == pytest.approx(1 / 3 + 1 / 4 - 1 / 4, abs=1e-14)
    assert page_entropy(4, 8) == page_entropy(8, 4)
    assert page_entropy(1, 64) == pytest.approx(0, abs=1e-14)
    assert page_entropy(2**10, 2**12) == pytest.approx(10 * np.log(2) - 2**10 / 2**13, abs=1e-3)


def test_random_states_have_the_page_entropy():
    """Mean of 300 Haar states within 4 standard errors: the draw is fixed; a fresh one would fail 6 times in 100,000."""
    rng = np.random.default_rng(7)
    left, sites = 4, 9
    drawn = np.array([entropies([reduced_spectrum(haar_state(rng, sites), sites, left)])[0] for _ in range(300)])
    sem = drawn.std(ddof=1) / np.sqrt(len(drawn))
    assert sem < 0.003  # tight enough to tell Page from the maximum 4 ln 2 and from the leading term alone
    assert abs(drawn.mean() - page_entropy(2**left, 2 ** (sites - left))) < 4 * sem
    assert abs(drawn.mean() - left * np.log(2)) > 40 * sem


def test_chord_length():
    assert chord_length(64, 32) == pytest.approx(128 / np.pi)
    assert chord_length(64, 32, periodic=True) == pytest.approx(64 / np.pi)
    assert chord_length(1000, 1) == pytest.approx(2, abs=1e-4)  # 2 l next to the end
    assert chord_length(30, 7) == pytest.approx(chord_length(30, 23))
