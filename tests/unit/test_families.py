"""The families: their formulas, their sizes and parameters, and a unique ground state in every one."""

from collections import Counter

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.physics.exact import ground_state
from qednas.physics.families import EDGE_FIELD, FAMILIES, build, check_number
from qednas.physics.hamiltonian import Hamiltonian, Sector
from spins import PARAMETERS


def strings(h):
    return {(letters, places): c for letters, places, c in h.terms()}


def chain(sites, word, coupling, distance=1):
    """The word on every set of neighbours at ``distance``."""
    reach = distance * (len(word) - 1)
    return {(word, tuple(range(i, i + reach + 1, distance))): coupling for i in range(sites - reach)}


def boundary(sites, left, right):
    """The two boundary stabilisers of a cluster chain."""
    return {(left, (0, 1)): -1.0, (right, (sites - 2, sites - 1)): -1.0}


def heisenberg(sites, coupling=1.0, zz=1.0, distance=1):
    return (
        chain(sites, "XX", coupling, distance)
        | chain(sites, "YY", coupling, distance)
        | chain(sites, "ZZ", coupling * zz, distance)
    )


# The formulas of the families, written out a second time
FORMULAS = [
    ("tfim", {"h": 0.7}, lambda n: chain(n, "ZZ", -1.0) | chain(n, "X", -0.7)),
    ("xy", {"gamma": 0.5, "h": 0.4}, lambda n: chain(n, "XX", -0.75) | chain(n, "YY", -0.25) | chain(n, "Z", -0.4)),
    ("xxz", {"delta": -0.6}, lambda n: heisenberg(n, zz=-0.6)),
    ("xxz", {"delta": 2.0}, lambda n: heisenberg(n, zz=2.0) | {("Z", (0,)): EDGE_FIELD, ("Z", (n - 1,)): -EDGE_FIELD}),
    ("j1j2", {"j2": 0.4}, lambda n: heisenberg(n) | heisenberg(n, 0.4, distance=2)),
    ("cluster", {"h": 0.5}, lambda n: chain(n, "ZXZ", -1.0) | chain(n, "X", -0.5) | boundary(n, "XZ", "ZX")),
    ("annni", {"kappa": 0.3, "h": 0.8}, lambda n: chain(n, "ZZ", -1.0) | chain(n, "ZZ", 0.3, 2) | chain(n, "X", -0.8)),
    ("mixed_field_ising", {"h": 0.8, "g": 0.2}, lambda n: chain(n, "ZZ", -1.0) | chain(n, "X", -0.8) | chain(n, "Z", -0.2)),
    ("cluster_ising", {"lam": 0.4, "h": 0.3},
     lambda n: chain(n, "XZX", -1.0) | chain(n, "YY", 0.4) | chain(n, "Z", -0.3) | boundary(n, "ZX", "XZ")),
]  # fmt: skip


@pytest.mark.parametrize(("family", "parameters", "formula"), FORMULAS)
@pytest.mark.parametrize("sites", [6, 8])
def test_formulas(family, parameters, formula, sites):
    assert strings(build(family, sites, **parameters)) == pytest.approx(formula(sites))


def test_ssh_bonds_alternate_and_end_spins_are_pinned_where_free():
    for delta in (0.3, -0.3):
        found = strings(build("ssh", 8, delta=delta))
        for i in range(7):
            want = 1 + delta if i % 2 == 0 else 1 - delta
            assert found["XX", (i, i + 1)] == found["YY", (i, i + 1)] == pytest.approx(want)
        assert (("Z", (0,)) in found) == (delta < 0)
    assert build("ssh", 8, delta=0.3).pinning == ""
    assert "edge field" in build("ssh", 8, delta=-0.3).pinning


def test_long_range_couplings_fall_off():
    found = strings(build("long_range_ising", 7, alpha=1.5, h=0.5))
    for i in range(7):
        for j in range(i + 1, 7):
            assert found["ZZ", (i, j)] == pytest.approx(-((j - i) ** -1.5))
    assert sum(letters == "X" for letters, _ in found) == 7


def test_modified_haldane_shastry_is_periodic():
    sites = 8
    found = strings(build("mhs", sites))
    for (letters, (i, j)), c in found.items():
        d = sites / np.pi * np.sin(np.pi * (j - i) / sites)
        assert c == pytest.approx((1 if letters == "ZZ" else -1) / d**2)
    assert len(found) == 3 * sites * (sites - 1) // 2
    assert found["XX", (0, 1)] == pytest.approx(found["XX", (0, sites - 1)])


@pytest.mark.parametrize(("sites", "width"), [(12, 3), (16, 4), (10, 2)])
def test_square_lattice_bonds(sites, width):
    """Every site sits on a rows x width grid, numbered boustrophedon; two sites are bonded exactly when they touch."""
    place = {}
    for i in range(sites):
        row, column = divmod(i, width)
        place[i] = (row, column if row % 2 == 0 else width - 1 - column)
    h = build("tfim_2d", sites, h=2.0, width=width)
    touching = {
        (i, j)
        for i in range(sites)
        for j in range(i + 1, sites)
        if abs(place[i][0] - place[j][0]) + abs(place[i][1] - place[j][1]) == 1
    }
    found = strings(h)
    assert {p for letters, p in found if letters == "ZZ"} == touching
    assert {c for (letters, _), c in found.items() if letters == "ZZ"} == {-1.0}
    degrees = Counter(i for p in touching for i in p)
    assert max(degrees.values()) <= 4


def test_disorder_belongs_to_its_seed():
    fields = {
        s: [c for letters, _, c in build("random_field", 10, w=2.0, disorder_seed=s).terms() if letters == "Z"]
        for s in (1, 2)
    }
    assert fields[1] != fields[2]
    again = [c for letters, _, c in build("random_field", 10, w=2.0, disorder_seed=1).terms() if letters == "Z"]
    assert fields[1] == again
    assert max(map(abs, fields[1])) <= 2.0
    found = strings(build("random_tfim", 200, h=0.5, w=0.4, disorder_seed=1))
    bonds = -np.array([c for (letters, _), c in found.items() if letters == "ZZ"])
    sides = -np.array([c for (letters, _), c in found.items() if letters == "X"])
    assert 0.6 <= bonds.min() < 0.7 < 1.3 < bonds.max() <= 1.4
    assert 0.3 <= sides.min() < 0.35 < 0.65 < sides.max() <= 0.7


def test_there_are_enough_families_over_all_classes():
    assert len(FAMILIES) >= 12
    words = " ".join(f.phases for f in FAMILIES.values())
    for phase in ("gapped", "gapless", "critical", "topological", "long-range", "disordered"):
        assert phase in words


@pytest.mark.parametrize("family", FAMILIES)
def test_the_ground_state_is_unique(family):
    """The policy of each family does its work: a conserved sector, and a gap inside it."""
    h = build(family, 10, **PARAMETERS[family])
    assert h.name == family
    assert h.parameters == PARAMETERS[family]
    assert h.conserves(h.sector)
    assert h.sector.kind == "none" or h.sector.value is not None
    state = ground_state(h)
    assert state.gap > 0.05


@pytest.mark.parametrize(
    ("family", "parameters", "degenerate_without"),
    [
        ("tfim", {"h": 0.2}, "sector"),
        ("ssh", {"delta": -0.8}, "pinning"),
        ("xxz", {"delta": 20.0}, "pinning"),
        ("cluster", {"h": 0.0}, "pinning"),
    ],
)
def test_the_policy_is_needed(family, parameters, degenerate_without):
    """Without it the ground state is degenerate, with it there is a gap of order one."""
    sites = 8
    h = build(family, sites, **parameters)
    assert ground_state(h).gap > 0.3
    if degenerate_without == "sector":
        bare = h.in_sector(Sector())
    else:
        added = {("Z", (0,)), ("Z", (sites - 1,)), ("XZ", (0, 1)), ("ZX", (sites - 2, sites - 1))}
        bare = Hamiltonian.from_terms(sites, [t for t in h.terms() if t[:2] not in added], sector=h.sector)
    assert ground_state(bare).gap < 0.01


@pytest.mark.parametrize(
    ("family", "sites", "parameters", "message"),
    [
        ("nosuch", 8, {}, "unknown system 'nosuch'.*tfim"),
        ("tfim", 8, {}, "tfim needs h"),
        ("tfim", 8, {"g": 1}, "no parameter 'g'.*h"),
        ("tfim", 8, {"h": "nan"}, "h = 'nan'.*finite"),
        ("tfim", 8, {"h": "inf"}, "finite"),
        ("tfim", 8, {"h": "1e9"}, "from -100 to 100"),
        ("tfim", 8, {"h": "much"}, "not a number"),
        ("tfim", 8, {"h": None}, "not a number"),
        ("tfim", 1, {"h": 1}, "whole number from 2 to 1000"),
        ("tfim", -3, {"h": 1}, "whole number"),
        ("tfim", 1001, {"h": 1}, "whole number"),
        ("tfim", "8.5", {"h": 1}, "whole number"),
        ("tfim", "many", {"h": 1}, "not a number"),
        ("xxz", 9, {"delta": 1}, "even number of sites"),
        ("xxz", 8, {"delta": -1}, "from -0.999"),
        ("mhs", 7, {}, "even number of sites"),
        ("cluster", 2, {"h": 1}, "at least 3 sites"),
        ("tfim_2d", 10, {"h": 1, "width": 4}, "multiple of width=4"),
        ("tfim_2d", 3, {"h": 1, "width": 3}, "multiple of width=3"),
        ("tfim_2d", 12, {"h": 1, "width": 2.5}, "whole number"),
        ("random_field", 8, {"w": 1}, "needs disorder_seed"),
        ("random_field", 8, {"w": 1, "disorder_seed": -1}, "whole number from 0"),
        ("random_field", 8, {"w": -1, "disorder_seed": 1}, "from 0 to 100"),
    ],
)
def test_bad_requests_are_one_clear_line(family, sites, parameters, message):
    with pytest.raises(InputError, match=message) as caught:
        build(family, sites, **parameters)
    assert "\n" not in str(caught.value)


def test_numbers_may_come_as_text():
    assert check_number("h", "0.5", 0, 1) == 0.5
    assert check_number("n", "4", 0, 9, integer=True) == 4
    assert isinstance(check_number("n", "4", 0, 9, integer=True), int)
    assert build("tfim", "8", h="1").parameters == {"h": 1.0}
