"""One record whatever the method: the methods agree where they overlap, and say what they rest on."""

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.physics.entanglement import PROXIES
from qednas.physics.families import build
from qednas.physics.reference import choose_method, reference

SAME = ("energy", "entropy", "renyi2")


@pytest.mark.parametrize(
    ("family", "sites", "parameters", "method"),
    [
        ("tfim", 300, {"h": 1.0}, "free-fermion"),
        ("ssh", 12, {"delta": -0.4}, "free-fermion"),
        ("xxz", 16, {"delta": 0.5}, "ed"),
        ("xxz", 18, {"delta": 0.5}, "dmrg"),
        ("long_range_ising", 10, {"alpha": 2, "h": 1}, "ed"),
    ],
)
def test_auto_takes_the_exact_method_that_fits(family, sites, parameters, method):
    assert choose_method(build(family, sites, **parameters)) == method


def test_the_three_methods_agree_on_one_chain():
    hamiltonian = build("xy", 10, gamma=0.4, h=0.6)
    records = [reference(hamiltonian, method) for method in ("ed", "free-fermion", "dmrg")]
    for other in records[1:]:
        for key in SAME:
            assert other[key] == pytest.approx(records[0][key], abs=1e-9)
        np.testing.assert_allclose(other["profile"], records[0]["profile"], atol=1e-9)
        np.testing.assert_allclose(other["spectrum"][:4], records[0]["spectrum"][:4], atol=1e-10)
        assert other["proxies"] == pytest.approx(records[0]["proxies"], rel=1e-5)
        assert other["sector"] == records[0]["sector"] == "parity_z=+1"
    assert records[0]["gap"] == pytest.approx(records[1]["gap"], abs=1e-9)
    assert records[2]["gap"] is None
    assert all(record["converged"] for record in records)


def test_record_has_one_entropy_a_cut_and_all_proxies():
    record = reference(build("cluster", 9, h=0.3))
    assert len(record["profile"]) == 8
    assert set(record["proxies"]) == set(PROXIES)
    assert record["profile"][3] == record["entropy"] == record["proxies"]["entropy"]
    assert "boundary stabilisers" in record["pinning"]


def test_long_chains_leave_the_profile_out():
    assert reference(build("tfim", 300, h=2.0))["profile"] == []


def test_unknown_method_is_named():
    with pytest.raises(InputError, match="method 'exact': need one of auto, ed, free-fermion, dmrg"):
        reference(build("tfim", 8, h=1), "exact")
