"""Refinement: exact small relatives move a prediction towards the truth, and only where there is something to correct."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from qednas.base.errors import InputError
from qednas.physics.entanglement import PROXIES, proxies
from qednas.physics.exact import ground_state
from qednas.physics.families import build
from qednas.qed.predictor import refine as refinement
from qednas.qed.predictor.inputs import predictor_inputs
from qednas.qed.predictor.predictor import (
    BEYOND,
    INTERVAL,
    ONE_STD,
    ROUNDING,
    VALIDATED_SITES,
    Calibration,
    Predictor,
    refine_shapes,
    shipped_predictor,
)
from qednas.qed.predictor.refine import (
    NOISES,
    SCALES,
    TERMS,
    Residuals,
    Widths,
    basis,
    posterior,
    refine,
    refined_profile,
    residuals,
)
from qednas.qed.predictor.small_parts import REFINE_SIZES, Part, solve_parts
from studies.ch03.calibration import fit_widths

NOWHERE = np.zeros((1, TERMS))  # a basis that vanishes: there the posterior is the noise alone


def central(sizes=(10, 12, 14)):
    """The basis at the central cuts of chains of these sizes."""
    return np.concatenate([basis(np.full(5, float(n)), n / 2 + np.arange(-2.0, 3), False) for n in sizes])


def residuals_of(weights, noise, rng, sizes=(10, 12, 14)):
    phi = central(sizes)
    return Residuals(phi, phi @ weights + noise * rng.normal(size=(len(phi), 5)), np.ones(5))


def drawn_weights(rng):
    return np.array(SCALES)[:, None] * rng.normal(size=(TERMS, 5))


def noise_of(seen):
    """The noise (5,) that the evidence chose."""
    mean, std = posterior(seen, NOWHERE)
    assert (mean == 0).all()
    return std[0]


class MeanField(Predictor):
    """A predictor that corrects nothing and is sure of 0.1, so that a refinement is all there is."""

    def __init__(self, growth=0.0, factor=1.0, wide=2.0):
        arrays = Calibration(growth=np.full(5, growth)).arrays()
        widths = Widths(np.full(5, factor), np.full(5, wide))
        super().__init__(arrays | widths.arrays("rebuilt") | widths.arrays("windows"))

    def profile(self, known):
        return known.base, np.full(known.base.shape, 0.1)

    def outside(self, known, sites):
        return ""


# Regression


def test_the_basis_is_that_of_the_formula():
    """u = 8 / D; of an infinite chain only w0 is left, and between windows nothing alternates."""
    sites, cut = np.array([14.0, 14.0, 33.0]), np.array([7.0, 6.0, 11.0])
    u = 8 / (2 * sites / np.pi * np.sin(np.pi * cut / sites))
    sign = np.array([-1, 1, -1])
    np.testing.assert_allclose(basis(sites, cut, False), np.stack([u**0, u, sign * np.sqrt(u), sign * u], 1))
    np.testing.assert_allclose(basis(sites, cut, True), np.stack([u**0, u, 0 * u, 0 * u], 1))
    np.testing.assert_allclose(basis(np.array([1e12]), np.array([5e11]), False), [[1, 0, 0, 0]], atol=1e-5)


def test_the_posterior_recovers_known_weights():
    """Residuals that follow the formula exactly are continued to 100 sites: within four of the standard deviations that are
    claimed (error rate 6e-5 a number), and those are small."""
    rng = np.random.default_rng(0)
    there = basis(np.array([100.0, 100.0]), np.array([50.0, 49.0]), False)
    for _ in range(20):
        weights = drawn_weights(rng)
        mean, std = posterior(residuals_of(weights, 0.0, rng), there)
        assert mean.shape == std.shape == (2, 5)
        assert (np.abs(mean - there @ weights) < 4 * std).all()
        assert std.max() < 0.1
        assert np.abs(mean - there @ weights).max() < 0.1


def test_the_posterior_falls_back_to_the_prior():
    """Without anything seen the mean is 0 and the standard deviation that of the prior scales."""
    none = Residuals(np.zeros((1, TERMS)), np.zeros((1, 5)), np.ones(5))
    there = basis(np.array([16.0, 100.0]), np.array([8.0, 50.0]), False)
    mean, std = posterior(none, there)
    assert (mean == 0).all()
    want = np.sqrt((np.square(SCALES) * there**2).sum(1) + min(NOISES) ** 2)  # of a zero the least noise is likeliest
    np.testing.assert_allclose(std, want[:, None] * np.ones(5))


def textbook(seen, there, noise):
    """Mean and standard deviation by Bishop's eqs. 3.50, 3.51, 3.58 and 3.59, in the space of the weights."""
    precision = np.diag(1 / np.square(SCALES)) + seen.phi.T @ seen.phi / noise**2
    covariance = np.linalg.inv(precision)
    mean = there @ covariance @ seen.phi.T @ seen.r / noise**2
    std = np.sqrt(noise**2 + np.einsum("ij,jk,ik->i", there, covariance, there))
    return mean, std[:, None] * np.ones(5)


@pytest.mark.parametrize("noise", NOISES)
def test_the_posterior_is_bayesian_linear_regression(noise, monkeypatch):
    rng = np.random.default_rng(1)
    monkeypatch.setattr(refinement, "NOISES", (noise,))
    seen = residuals_of(drawn_weights(rng), 0.2, rng)
    there = basis(np.array([16.0, 40.0, 40.0]), np.array([8.0, 20.0, 19.0]), False)
    for found, want in zip(posterior(seen, there), textbook(seen, there, noise), strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-7, atol=1e-9)


def test_the_noise_of_the_greatest_evidence_is_taken_for_each_proxy():
    """Evidence as the probability density of what was seen, proxy by proxy; then the posterior is that at this noise."""
    rng = np.random.default_rng(2)
    there = basis(np.array([16.0, 64.0]), np.array([8.0, 32.0]), False)
    taken = set()
    for _ in range(20):
        seen = residuals_of(drawn_weights(rng), np.array([1.0, 0.4, 0.1, 0.03, 0.0]), rng)
        prior = seen.phi @ np.diag(np.square(SCALES)) @ seen.phi.T
        chosen = []
        for column in seen.r.T:
            density = [
                multivariate_normal(np.zeros(len(column)), prior + noise**2 * np.eye(len(column))).logpdf(column)
                for noise in NOISES
            ]
            chosen.append(NOISES[int(np.argmax(density))])
        np.testing.assert_allclose(noise_of(seen), chosen)
        for k, noise in enumerate(chosen):
            for found, want in zip(posterior(seen, there), textbook(seen, there, noise), strict=True):
                np.testing.assert_allclose(found[:, k], want[:, k], rtol=1e-7, atol=1e-9)
        taken |= set(chosen)
    assert taken == set(NOISES)


def test_what_is_the_same_at_all_small_sizes_is_believed():
    """A constant residual: least noise, and the large chain has it too; a scattered one: most noise, and little is."""
    rng = np.random.default_rng(3)
    phi = central()
    there = basis(np.array([200.0]), np.array([100.0]), False)
    for constant in (-2.0, -0.3, 0.5, 1.5):
        r = np.tile([constant, 0.0, constant, 0.0, constant], (len(phi), 1))
        r[:, [1, 3]] = rng.normal(size=(len(phi), 2))
        seen = Residuals(phi, r, np.ones(5))
        np.testing.assert_allclose(noise_of(seen)[[0, 2, 4]], min(NOISES))
        assert (noise_of(seen)[[1, 3]] >= 0.3).all()
        mean, std = posterior(seen, there)
        np.testing.assert_allclose(mean[0, [0, 2, 4]], constant, atol=0.05 * abs(constant))
        assert (std[0, [0, 2, 4]] < 0.1).all()
        assert (std[0, [1, 3]] > 0.3).all()


def test_the_order_of_what_was_seen_does_not_matter():
    rng = np.random.default_rng(4)
    seen = residuals_of(drawn_weights(rng), 0.1, rng)
    order = rng.permutation(len(seen.r))
    there = basis(np.array([64.0]), np.array([32.0]), False)
    for one, other in zip(
        posterior(seen, there), posterior(Residuals(seen.phi[order], seen.r[order], seen.unit), there), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-8)


# Error bars


def held_out(rng, width):
    """A system whose residual at 16 sites misses its continuation by ``width`` of the claimed deviations (normal)."""
    seen = residuals_of(drawn_weights(rng), 0.1, rng)
    phi = basis(np.array([16.0]), np.array([8.0]), False)[0]
    mean, std = posterior(seen, phi[None])
    return seen, phi, mean[0] + width * std[0] * rng.normal(size=5)


def test_fitted_widths_cover_what_they_promise():
    """Of the systems they were fitted on exactly; of fresh ones within 4.5 standard errors of both samples together (error
    rate 7e-5 for all ten shares), whatever the scale of the errors is."""
    rng = np.random.default_rng(5)
    width, count, new = np.array([0.3, 1.0, 2.0, 5.0, 20.0]), 300, 600
    cases = [held_out(rng, width) for _ in range(count)]
    widths = fit_widths(cases)

    def inside(chosen, times):
        found = [(posterior(seen, phi[None]), r) for seen, phi, r in chosen]
        return np.mean([np.abs(mean[0] - r) <= std[0] * times for (mean, std), r in found], axis=0)

    fresh = [held_out(rng, width) for _ in range(new)]
    for share, times in ((ONE_STD, widths.factor), (INTERVAL, widths.factor * widths.wide)):
        np.testing.assert_allclose(inside(cases, times), share, atol=1.5 / count)
        slack = 4.5 * np.sqrt(share * (1 - share) * (1 / count + 1 / new))
        np.testing.assert_allclose(inside(fresh, times), share, atol=slack)
    np.testing.assert_allclose(widths.factor / width, 1.0, rtol=0.25)  # they are normal: 68.3 % is one deviation
    np.testing.assert_allclose(widths.wide, 1.645, rtol=0.25)


def test_widths_of_nothing_are_an_input_error():
    with pytest.raises(InputError, match="no held-out system"):
        fit_widths([])


def test_widths_come_back_from_their_arrays():
    widths = {kind: Widths(np.arange(5.0) + k, np.full(5, 1.6 + k)) for k, kind in enumerate(refinement.KINDS)}
    arrays = {name: a for kind, w in widths.items() for name, a in w.arrays(kind).items()}
    assert {name: a.shape for name, a in arrays.items()} == refine_shapes()
    for kind, w in widths.items():
        again = Widths.from_arrays(arrays, kind)
        assert (again.factor == w.factor).all()
        assert (again.wide == w.wide).all()


# Parts


def test_residuals_are_taken_near_the_middle():
    """At most two sites from it, and of windows the very middle; in units of the error bar of the largest part."""
    chain = build("annni", 40, kappa=0.3, h=0.8)
    parts = solve_parts(chain, (8, 11, 12))
    assert [p.sites for p in parts] == [8, 12]
    parts += solve_parts(build("annni", 41, kappa=0.3, h=0.8), (11,))
    seen = residuals(MeanField(), parts)
    cuts = {8: [2, 3, 4, 5, 6], 12: [4, 5, 6, 7, 8], 11: [4, 5, 6, 7]}
    phi = [basis(np.full(len(cuts[p.sites]), float(p.sites)), np.array(cuts[p.sites], float), False) for p in parts]
    np.testing.assert_array_equal(seen.phi, np.concatenate(phi))
    r = [(p.proxies - predictor_inputs(p.hamiltonian).base)[np.array(cuts[p.sites]) - 1] / 0.1 for p in parts]
    np.testing.assert_allclose(seen.r, np.concatenate(r), rtol=1e-12)
    assert (seen.unit == 0.1).all()
    windows = residuals(MeanField(), [Part(p.hamiltonian, p.proxies, True) for p in parts])
    middle = [basis(np.array([float(n)]), np.array([float(n // 2)]), True) for n in (8, 12, 11)]
    np.testing.assert_array_equal(windows.phi, np.concatenate(middle))
    own = [rows[cuts[p.sites].index(p.sites // 2)] for rows, p in zip(r, parts, strict=True)]
    np.testing.assert_allclose(windows.r, own, rtol=1e-12)


@pytest.mark.parametrize(
    ("family", "parameters"), [("j1j2", {"j2": 0.1}), ("xxz", {"delta": 0.5}), ("xxz", {"delta": 1.3}), ("xxz", {"delta": 2.0})]
)  # fmt: skip
def test_a_refined_mean_field_is_nearer_to_the_exact_chain(family, parameters):
    """One size beyond the exact parts, whose own residuals are all that is used."""
    chain = build(family, 16, **parameters)
    exact = np.array([proxies(ground_state(chain).spectra[7])[name] for name in PROXIES])
    known, mean, _, _ = refined_profile(MeanField(), chain, solve_parts(chain, (10, 12, 14)))
    before, after = np.abs(known.base[7] - exact), np.abs(mean[7] - exact)
    assert after[0] < 0.3 * before[0]
    assert (after < before).sum() >= 4


def test_the_error_bars_of_a_refinement_grow_with_the_size():
    """By the same factor as those of the prediction, and they double beyond what was checked."""
    chain = build("annni", 16, kappa=0.3, h=0.8)
    parts = solve_parts(chain, (8, 10))
    for sites in (16, 64, VALIDATED_SITES + 20):
        large = build("annni", sites, kappa=0.3, h=0.8)
        found = [
            refined_profile(MeanField(growth, factor), large, parts)[2] for growth, factor in ((0, 1), (0.5, 1), (0, 3))
        ]
        plain, grown, wider = (f - ROUNDING for f in found)
        np.testing.assert_allclose(grown, plain * (1 + 0.5 * np.log(sites / 16)), rtol=1e-9)
        np.testing.assert_allclose(wider, 3 * plain, rtol=1e-9)
        seen, cuts = residuals(MeanField(), parts), np.arange(1.0, sites)
        spread = posterior(seen, basis(np.full(sites - 1, float(sites)), cuts, False))[1] * 0.1
        np.testing.assert_allclose(plain, spread * (BEYOND if sites > VALIDATED_SITES else 1), rtol=1e-9)


def test_windows_refine_their_middle_only():
    chain = build("random_field", 40, w=3.0, disorder_seed=5)
    known, mean, std, wide = refined_profile(MeanField(wide=2.5), chain, solve_parts(chain, (8, 10)))
    others = np.arange(39) != 19
    np.testing.assert_array_equal(mean[others], known.base[others])
    assert (std[others] == 0.1).all()
    assert (mean[19] != known.base[19]).all()
    assert (std[19] != 0.1).all()
    assert (wide == 2.5).all()


def test_refined_entropies_are_not_negative():
    """Residuals below the small entropy itself leave nothing; the skewness may have any sign."""
    chain = build("mixed_field_ising", 20, h=0.8, g=0.2)
    part = solve_parts(chain, (10,))[0]
    _, mean, _, _ = refined_profile(MeanField(), chain, [Part(part.hamiltonian, part.proxies - 50, False)])
    assert (mean[:, np.array(PROXIES) != "skewness"] >= 0).all()
    assert (mean[9, [0, 2, 4]] == 0).all()
    assert mean[9, 3] < -1


def test_where_the_mean_field_is_exact_nothing_is_refined():
    chain = build("tfim", 20, h=0.9)
    part = solve_parts(chain, (10,))[0]
    predictor = MeanField()
    known, mean, std, wide = refined_profile(predictor, chain, [Part(part.hamiltonian, part.proxies + 1, False)])
    assert mean is known.base
    assert (std == 0.1).all()
    np.testing.assert_array_equal(wide, predictor.wide)


@pytest.mark.parametrize(
    ("family", "parameters", "kind"),
    [("annni", {"kappa": 0.3, "h": 0.8}, "the same Hamiltonian"), ("random_field", {"w": 3.0, "disorder_seed": 5}, "windows")],
)  # fmt: skip
def test_the_record_of_a_refinement(family, parameters, kind):
    """Complete, with the width of its own interval and a word about what it used."""
    answer = refine(MeanField(wide=2.0), build(family, 24, **parameters))
    assert answer["refined"]["exact"].startswith(kind)
    assert answer["refined"]["sizes"] == [10, 12, 14]
    assert len(answer["profile"]) == len(answer["profile_std"]) == 23
    assert answer["profile"][11] == answer["proxies"]["entropy"]
    for name in PROXIES:
        high, value, std = answer["interval90"][name][1], answer["proxies"][name], answer["std"][name]
        assert high == pytest.approx(value + 2.0 * std)
    assert answer["seconds"] > 0


# The shipped weights


def test_refining_says_what_it_used_and_keeps_exact_answers():
    plain, better = (
        shipped_predictor().predict(build("tfim", 64, h=1.0)),
        refine(shipped_predictor(), build("tfim", 64, h=1.0)),
    )
    assert better["refined"] == {"exact": "the same Hamiltonian", "sizes": [n for n in REFINE_SIZES if n % 2 == 0]}
    assert better["proxies"] == pytest.approx(plain["proxies"], abs=1e-9)
    disordered = refine(shipped_predictor(), build("random_field", 64, w=3.0, disorder_seed=5))
    assert disordered["refined"]["exact"].startswith("windows")


def test_refining_a_heisenberg_chain_is_right_one_size_beyond_its_exact_parts():
    """A chain of 16 sites, one size beyond the exact parts: the refined entropy is within 1 % of the exact one."""
    from qednas.physics.entanglement import proxies
    from qednas.physics.exact import ground_state

    chain = build("j1j2", 16, j2=0.1)
    exact = proxies(ground_state(chain).spectra[7])["entropy"]
    assert refine(shipped_predictor(), chain)["proxies"]["entropy"] == pytest.approx(exact, rel=0.01)
