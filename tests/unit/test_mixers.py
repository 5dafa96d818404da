"""Compiled loops and mixers against dense matrices and products qubit by qubit."""

from functools import reduce

import numpy as np
import pytest
from scipy.linalg import expm

from qednas.base.errors import InputError
from qednas.circuits import statevector
from qednas.qnas.optimisers.mixers import (
    ColumnMixer,
    ProjectorMixer,
    XMixer,
    adjacency,
    biased_mixer,
    biased_probabilities,
    product,
    xy_mixer,
)

J = np.array([[0.0, -1.0], [1.0, 0.0]])
X = np.array([[0.0, 1.0], [1.0, 0.0]])


def on_axes(state: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
    """Every axis of a tensor times its matrix."""
    tensor = state.reshape([len(own) for own in matrices])
    for axis, own in enumerate(matrices):
        tensor = np.moveaxis(np.tensordot(own, tensor, (1, axis)), 0, axis)
    return tensor.ravel()


def random_state(count: int, rng: np.random.Generator) -> np.ndarray:
    state = rng.normal(size=(2, count))
    return state / np.linalg.norm(state)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 11, 12, 14])  # short of blocks of the cache, and beyond
@pytest.mark.parametrize(("dtype", "allowed"), [(np.float64, 1e-14), (np.float32, 1e-6)])
def test_turns_of_all_bits_and_their_slopes(n, dtype, allowed):
    rng = np.random.default_rng(n)
    phi, x, w = rng.normal(size=n), *random_state(1 << n, rng)
    turned = x.astype(dtype)
    statevector.turn(turned, np.cos(phi).astype(dtype), np.sin(phi).astype(dtype))
    expected = on_axes(x, [expm(own * J) for own in phi[::-1]])
    np.testing.assert_allclose(turned, expected, atol=allowed)
    found = np.zeros(n, dtype)
    statevector.turn_slopes(x.astype(dtype), w.astype(dtype), found)
    for bit in range(n):
        alone = [J if q == n - 1 - bit else np.eye(2) for q in range(n)]
        assert found[bit] == pytest.approx(w @ on_axes(x, alone), abs=allowed)


def test_cos_and_sin_are_as_good_as_the_angle():
    angles = np.random.default_rng(0).uniform(-1, 1, 20000) * np.repeat([1.0, 10.0, 1000.0, 1e6], 5000)
    found = np.array([statevector.cos_sin(own) for own in angles])
    allowed = 2e-16 * (2 + np.abs(angles))
    assert (np.abs(found - np.stack([np.cos(angles), np.sin(angles)], 1)).max(1) <= allowed).all()


def test_phases_there_and_back():
    rng = np.random.default_rng(0)
    state, slope, diagonal = random_state(37, rng), random_state(37, rng), rng.normal(size=37)
    new = np.empty_like(state)
    statevector.phase(*state, diagonal, 0.7, *new)
    plain = state[0] + 1j * state[1]
    np.testing.assert_allclose(new[0] + 1j * new[1], np.exp(-0.7j * diagonal) * plain, atol=1e-15)
    before = np.exp(0.7j * diagonal) * (slope[0] + 1j * slope[1])
    found = statevector.phase_back(*slope, diagonal, 0.7, *state)
    np.testing.assert_allclose(slope[0] + 1j * slope[1], before, atol=1e-15)
    assert found == pytest.approx(np.imag(before.conj() @ (diagonal * plain)), abs=1e-15)


@pytest.mark.parametrize("n", [1, 4, 13])
def test_the_x_mixer_is_its_exponential(n):
    rng = np.random.default_rng(n)
    mixer, betas, state = XMixer(n), rng.normal(size=n), random_state(1 << n, rng)
    before = mixer.complex_amplitudes(state)
    mixer.apply(state, betas)
    expected = on_axes(before, [expm(-1j * own * X) for own in betas])
    np.testing.assert_allclose(mixer.complex_amplitudes(state), expected, atol=1e-14)


@pytest.mark.parametrize("kind", ["xy-complete", "xy-ring"])
@pytest.mark.parametrize("sizes", [(4,), (2, 3), (3, 4, 2, 5), (2, 2, 2, 2, 2, 7), (40, 2)])
def test_xy_mixers_are_their_exponentials(kind, sizes):
    rng = np.random.default_rng(0)
    mixer, betas = xy_mixer(sizes, kind), rng.normal(size=len(sizes))
    state = random_state(mixer.amplitudes, rng)
    before = mixer.complex_amplitudes(state)
    mixer.apply(state, betas)
    expected = on_axes(before, [expm(-1j * b * adjacency(d, kind)) for b, d in zip(betas, sizes, strict=True)])
    if kind == "xy-complete":  # a projector, which is the XY mixer plus 1
        expected = np.exp(-1j * betas.sum()) * expected
    np.testing.assert_allclose(mixer.complex_amplitudes(state), expected, atol=1e-14)


def test_a_biased_mixer_is_its_exponential_and_for_equal_shares_the_other():
    rng = np.random.default_rng(0)
    shares = [rng.dirichlet(np.ones(size)) for size in (2, 5, 3)]
    mixer, betas = biased_mixer(shares), rng.normal(size=3)
    state = random_state(30, rng)
    before, again = mixer.complex_amplitudes(state), state.copy()
    mixer.apply(state, betas)
    matrices = [
        expm(-1j * beta * len(own) * np.outer(own**0.5, own**0.5)) for beta, own in zip(betas, shares, strict=True)
    ]
    np.testing.assert_allclose(mixer.complex_amplitudes(state), on_axes(before, matrices), atol=1e-14)
    equal = biased_mixer([np.full(d, 1 / d) for d in (2, 5, 3)])
    expected = again.copy()
    equal.apply(again, betas)
    xy_mixer((2, 5, 3), "xy-complete").apply(expected, betas)
    np.testing.assert_allclose(again, expected, atol=1e-15)


def test_a_biased_qubit_is_that_of_egger():
    """2 |s><s| - 1 = cos(theta) Z + sin(theta) X for s = RY(theta) |0>, whose probability of 1 is sin^2(theta / 2)."""
    theta = 0.8
    (start,) = biased_mixer([np.array([np.cos(theta / 2), np.sin(theta / 2)]) ** 2]).start()[:1]
    expected = np.cos(theta) * np.diag([1.0, -1.0]) + np.sin(theta) * X
    np.testing.assert_allclose(2 * np.outer(start, start) - np.eye(2), expected, atol=1e-15)


def mixers():
    rng = np.random.default_rng(0)
    shares = [rng.dirichlet(np.ones(size)) for size in (4, 5, 6)]
    return [XMixer(12), xy_mixer((5,) * 4, "xy-complete"), xy_mixer((5, 2, 4, 7), "xy-ring"), biased_mixer(shares)]


@pytest.mark.parametrize("mixer", mixers(), ids=["x", "complete", "ring", "biased"])
def test_a_mixer_is_unitary_and_its_start_an_eigenstate(mixer):
    rng = np.random.default_rng(0)
    betas, state = rng.normal(size=mixer.angles), random_state(mixer.amplitudes, rng)
    before = state.copy()
    mixer.apply(state, betas)
    assert np.abs(state - before).max() > 1e-3
    assert np.linalg.norm(state) == pytest.approx(1, abs=1e-14)
    mixer.apply(state, -betas)
    np.testing.assert_allclose(state, before, atol=1e-14)
    start = mixer.start()
    assert np.linalg.norm(start) == pytest.approx(1, abs=1e-14)
    moved = start.copy()
    mixer.apply(moved, betas)
    assert abs(np.vdot(mixer.complex_amplitudes(start), mixer.complex_amplitudes(moved))) == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("mixer", mixers(), ids=["x", "complete", "ring", "biased"])
def test_the_start_has_the_highest_eigenvalue(mixer):
    """exp(-i beta B) turns the start by the largest phase: a random state is turned by less, for a small beta."""
    rng = np.random.default_rng(0)

    def mean(state: np.ndarray) -> float:
        moved = state.copy()
        mixer.apply(moved, np.full(mixer.angles, 1e-4))
        return -np.angle(np.vdot(mixer.complex_amplitudes(state), mixer.complex_amplitudes(moved))) / 1e-4

    assert all(mean(mixer.start()) > mean(random_state(mixer.amplitudes, rng)) for _ in range(20))


@pytest.mark.parametrize("mixer", mixers(), ids=["x", "complete", "ring", "biased"])
def test_undo_takes_slopes_back_and_finds_the_gradient(mixer):
    """A loss linear in the state after the mixer: the slope before is the mixer's transpose, here its inverse, of the slope."""
    rng = np.random.default_rng(0)
    before, slope = random_state(mixer.amplitudes, rng), random_state(mixer.amplitudes, rng)
    betas, after, wanted = rng.normal(size=mixer.angles), before.copy(), slope.copy()
    mixer.apply(after, betas)
    mixer.apply(wanted, -betas)
    kept = slope.copy()
    gradient = mixer.undo(slope, after, betas)
    np.testing.assert_allclose(slope, wanted, atol=1e-14)

    def loss(changed: np.ndarray) -> float:
        state = before.copy()
        mixer.apply(state, changed)
        return float((kept * state).sum())

    differences = [(loss(betas + 1e-5 * own) - loss(betas - 1e-5 * own)) / 2e-5 for own in np.eye(mixer.angles)]
    np.testing.assert_allclose(gradient, differences, atol=1e-9)


def test_product_states_and_shares():
    np.testing.assert_allclose(product([np.array([1.0, 2.0]), np.array([3.0, 5.0])]), [3, 5, 6, 10])
    five = [np.random.default_rng(k).normal(size=2 + k) for k in range(5)]
    np.testing.assert_allclose(product(five), reduce(np.kron, five), rtol=1e-14)
    first, second = biased_probabilities([1, 0], (3, 4), 0.5)
    np.testing.assert_allclose(first, [0.25, 0.5, 0.25])
    np.testing.assert_allclose(second, [0.5, 1 / 6, 1 / 6, 1 / 6])


def test_what_is_too_large_or_unknown_is_told():
    with pytest.raises(InputError, match=r"^a state of 21 qubits: 1 to 20 are allowed$"):
        XMixer(21)
    with pytest.raises(InputError, match=r"^a state of 4194305 amplitudes: at most 4194304 are allowed$"):
        ProjectorMixer([np.ones(4194305)])
    with pytest.raises(InputError, match=r"^a state of 9765625 amplitudes: at most 4194304 are allowed$"):
        xy_mixer((5,) * 10, "xy-ring")
    with pytest.raises(InputError, match=r"^mixer 'xy': xy-complete or xy-ring$"):
        adjacency(3, "xy")
    for share in (0.2, 1.0):
        with pytest.raises(InputError, match=rf"^share = {share} of a choice among 4: from 0.25 to below 1$"):
            biased_probabilities([0], (4,), share)


def test_columns_of_a_general_mixer_need_not_be_alike():
    rng = np.random.default_rng(0)
    matrices = [own + own.T for own in (rng.normal(size=(d, d)) for d in (2, 3, 4))]
    starts = [np.eye(d)[0] for d in (2, 3, 4)]
    mixer, betas = ColumnMixer(matrices, starts), rng.normal(size=3)
    state = mixer.start()
    mixer.apply(state, betas)
    columns = [expm(-1j * beta * own)[:, 0] for beta, own in zip(betas, matrices, strict=True)]
    np.testing.assert_allclose(mixer.complex_amplitudes(state), reduce(np.kron, columns), atol=1e-14)
