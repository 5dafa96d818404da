"""Chapter 1's measurements of networks: bounds that hold, statistics that tell known spectra apart."""

import numpy as np
import pytest

from qednas.base.parallel import Work
from qednas.physics.entanglement import page_entropy, schmidt_spectra
from studies.ch01.entropy_laws import haar_state
from studies.ch01.learned_machines import learned_machines
from studies.ch01.network_laws import (
    ENSEMBLES,
    POISSON,
    UNITARY,
    draw_machine,
    exact_machines,
    gap_ratio,
    random_machines,
    region_entropy,
    short_range_draws,
)


def test_exact_machines_are_exact():
    found = exact_machines(8, [2, 3])
    assert found["worst_entropy"] < 1e-12
    assert found["worst_stabiliser"] < 1e-12
    assert [row["sites"] for row in found["rows"]] == [8, 8, 12]


def test_no_short_range_machine_exceeds_its_bound():
    """The bound is 2 R ln 2 for any weights; with wide weights and R = 1 the draws come near to it, so it is a test."""
    found = short_range_draws(8, [1, 2], 60, spread=1.5, seed=2)
    for f in found["ranges"].values():
        assert np.max(f["largest"]) <= f["bound"] + 1e-9
    assert found["ranges"]["1"]["share"] > 0.8
    # range 1 leaves a reachable maximum even for a chain of two: never more than the smaller side holds
    assert found["ranges"]["2"]["largest"][0] <= np.log(2) + 1e-9


def test_gap_ratios_of_known_level_statistics():
    """Independent levels give 2 ln 2 - 1; eigenvalues of random Hermitian matrices 0.5996 (standard errors below 0.003)."""
    rng = np.random.default_rng(5)
    poisson = [gap_ratio(np.exp(-rng.uniform(0, 30, 400))) for _ in range(60)]
    assert np.mean(poisson) == pytest.approx(POISSON, abs=4 * np.std(poisson) / np.sqrt(60))
    unitary = []
    for _ in range(30):
        a = rng.standard_normal((200, 200)) + 1j * rng.standard_normal((200, 200))
        unitary.append(gap_ratio(np.exp(-np.linalg.eigvalsh(a + a.conj().T) / 20)))
    assert np.mean(unitary) == pytest.approx(UNITARY, abs=4 * np.std(unitary) / np.sqrt(30) + 5e-4)


def test_levels_beyond_double_precision_do_not_count():
    spectrum = np.array([0.5, 0.3, 0.2, 1e-25, 3e-26])
    assert gap_ratio(spectrum) == gap_ratio(spectrum[:3])


def test_region_entropy_of_a_contiguous_block_is_that_of_the_cut():
    psi = haar_state(6, np.random.default_rng(1))
    p = schmidt_spectra(psi, 6)[2]
    want = -(p * np.log(p)).sum()
    assert region_entropy(psi, 6, [0, 1, 2]) == pytest.approx(want, abs=1e-12)
    assert region_entropy(psi, 6, [5, 3, 4]) == pytest.approx(want, abs=1e-12)  # the other side, in any order


def test_random_machines_repeat_and_report_slopes():
    one, two = (random_machines([4, 6, 8], 5, seed=1, work=Work(1)) for _ in range(2))
    assert one == two
    assert one["page"][-1] == pytest.approx(page_entropy(16, 16))
    assert set(one["ensembles"]) == set(ENSEMBLES)
    e = one["ensembles"]["imaginary, spread 2/√N"]
    x = np.array([6, 8])
    assert e["slope"] == pytest.approx(np.polyfit(x, e["entropy"][1:], 1)[0])
    assert e["slope_share"] == pytest.approx(e["slope"] / (np.log(2) / 2))


def test_drawn_weights_have_the_variances_of_their_ensemble():
    machine = draw_machine(50, np.random.default_rng(0), 0.3, 0.7, 4.0)
    w = machine.weights.detach().numpy()
    for part, want in ((w.real, 0.3), (w.imag, 0.7)):
        assert abs(part.std() - want) < 5 * want / np.sqrt(2 * part.size)
    assert machine.used_parameters == w.size  # no biases


def test_learned_machines_meet_the_exact_energies():
    """Energies of the modified Haldane-Shastry chain, to nine digits from the literature's own Hamiltonian."""
    found = learned_machines([6, 8], 2, 60, 2.0, work=Work(1))
    for row, energy in zip(found["rows"], (-14.499069437265, -18.486334613764), strict=True):
        assert row["exact_energy"] == pytest.approx(energy, abs=1e-9)
        assert 0 <= row["error"] < 1e-7
        assert row["worst_entropy"] < 1e-5
        assert row["infidelity"] < 1e-6
    assert found["rows"][1]["exact_entropy"] == pytest.approx(1.049530, abs=1e-6)
    assert found["rows"][1]["exact_renyi2"] == pytest.approx(0.793286, abs=1e-6)
    assert found["lowest"] > -1e-9
