"""Hamiltonians from YAML: every feature, every mistake."""

import pytest
import yaml

from qednas.base.errors import InputError
from qednas.physics.families import build
from qednas.physics.system_file import choose_sector, load, parse, system


def parsed(text, sites=6):
    return parse(yaml.safe_load(text), sites)


def strings(text, sites=6):
    return {(letters, places): c for letters, places, c in parsed(text, sites).terms()}


def test_a_family_written_out_is_the_family(tmp_path):
    path = tmp_path / "ising.yaml"
    path.write_text("terms:\n  - {op: ZZ, coupling: -1.0}\n  - {op: X, coupling: -0.7}\n")
    h = load(path, 8)
    assert sorted(h.terms()) == sorted(build("tfim", 8, h=0.7).terms())
    assert h.name == "ising"
    assert str(h.sector) == "parity_x=lowest"


def test_ranges_and_words():
    assert strings("terms: [{op: XX, range: 3, coupling: 2}]") == {("XX", (i, i + 3)): 2.0 for i in range(3)}
    assert strings("terms: [{op: ZXZ, coupling: -1}]") == {("ZXZ", (i, i + 1, i + 2)): -1.0 for i in range(4)}
    assert strings("terms: [{op: ZXZ, range: 2, coupling: 1}]") == {("ZXZ", (i, i + 2, i + 4)): 1.0 for i in range(2)}
    assert strings("terms: [{op: ZIZ, coupling: 1}]") == {("ZZ", (i, i + 2)): 1.0 for i in range(4)}


def test_power_laws():
    found = strings("terms: [{op: ZZ, power_law: 2.5, coupling: -1.5}]")
    assert found == {("ZZ", (i, j)): pytest.approx(-1.5 * (j - i) ** -2.5) for i in range(6) for j in range(i + 1, 6)}


def test_periodic_boundaries():
    found = strings("boundary: periodic\nterms: [{op: XY, coupling: 1}, {op: Z, coupling: 0.5}]")
    assert found["YX", (0, 5)] == 1.0  # X on site 5, Y on site 0
    assert sum(letters != "Z" for letters, _ in found) == 6
    assert sum(letters == "Z" for letters, _ in found) == 6
    ring = strings("boundary: periodic\nterms: [{op: ZZ, power_law: 1, coupling: 1}]")
    assert ring["ZZ", (0, 5)] == ring["ZZ", (2, 3)] == 1.0
    assert ring["ZZ", (0, 3)] == pytest.approx(1 / 3)
    assert ring["ZZ", (0, 4)] == pytest.approx(1 / 2)


def test_couplings_site_by_site():
    found = strings("terms: [{op: Z, coupling: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}, {op: XX, range: 4, coupling: [7, 8]}]")
    assert [found["Z", (i,)] for i in range(6)] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert (found["XX", (0, 4)], found["XX", (1, 5)]) == (7.0, 8.0)


def test_explicit_places():
    found = strings(
        "terms: [{op: ZZ, sites: [[0, 5], [4, 2]], coupling: [0.3, 0.4]}, {op: X, sites: [1, 3], coupling: 2}]"
    )
    assert found == {("ZZ", (0, 5)): 0.3, ("ZZ", (2, 4)): 0.4, ("X", (1,)): 2.0, ("X", (3,)): 2.0}
    directed = strings("terms: [{op: XYZ, sites: [[5, 0, 2]], coupling: 1}]")
    assert directed == {("YZX", (0, 2, 5)): 1.0}


@pytest.mark.parametrize(
    ("terms", "sites", "sector"),
    [
        ("{op: XX, coupling: 1}, {op: YY, coupling: 1}, {op: ZZ, coupling: 0.5}", 6, "magnetisation=+0"),
        ("{op: XX, coupling: 1}, {op: YY, coupling: 1}", 7, "magnetisation=lowest"),
        ("{op: XX, coupling: 1}, {op: YY, coupling: 1}, {op: Z, coupling: 0.5}", 6, "magnetisation=lowest"),
        ("{op: ZZ, coupling: 1}, {op: X, coupling: 1}", 6, "parity_x=lowest"),
        ("{op: XX, coupling: 1}, {op: Z, coupling: 1}", 6, "parity_z=lowest"),
        ("{op: XX, coupling: 1}, {op: Z, coupling: 1}, {op: X, coupling: 1}", 6, "none"),
    ],
)
def test_sectors_follow_the_symmetry(terms, sites, sector):
    h = parsed(f"terms: [{terms}]", sites)
    assert str(h.sector) == sector
    assert h.conserves(h.sector)
    assert choose_sector(h) == h.sector


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs `terms:`"),
        ("terms: 3", "needs `terms:`"),
        ("terms: []", "needs `terms:`"),
        ("- {op: X, coupling: 1}", "needs `terms:`"),
        ("lattice: square\nterms: [{op: X, coupling: 1}]", "unknown key 'lattice'; allowed: terms, boundary"),
        ("boundary: closed\nterms: [{op: X, coupling: 1}]", "boundary = 'closed': need open or periodic"),
        ("terms: [{op: QX, coupling: 1.0}]", "term 1: op 'QX' is not made of X, Y, Z, I"),
        ("terms: [{op: xx, coupling: 1.0}]", "not made of X, Y, Z, I"),
        ("terms: [{op: '', coupling: 1.0}]", "not made of X, Y, Z, I"),
        ("terms: [{op: II, coupling: 1.0}]", "not made of X, Y, Z, I"),
        ("terms: [{op: 3, coupling: 1.0}]", "not made of X, Y, Z, I"),
        ("terms: [{op: X, coupling: 1}, {op: XX}]", "term 2: needs both op and coupling"),
        ("terms: [{coupling: 1}]", "needs both op and coupling"),
        ("terms: [X]", "needs both op and coupling"),
        ("terms: [{op: X, coupling: 1, strength: 2}]", "unknown key 'strength'"),
        ("terms: [{op: XX, coupling: .nan}]", "coupling of XX = nan: need a finite number"),
        ("terms: [{op: XX, coupling: .inf}]", "finite number"),
        ("terms: [{op: XX, coupling: 1e9}]", "finite number from -1e\\+06"),
        ("terms: [{op: XX, coupling: strong}]", "'strong' is not a number"),
        ("terms: [{op: XX, coupling: null}]", "None is not a number"),
        ("terms: [{op: XX, coupling: [1, 2]}]", "lists 2 values for 5 places"),
        ("terms: [{op: XX, coupling: {a: 1}}]", "is not a number"),
        ("terms: [{op: XX, range: 2, power_law: 1, coupling: 1}]", "only one of range, power_law, sites"),
        ("terms: [{op: XX, range: 6, coupling: 1}]", "range = 6"),
        ("terms: [{op: XX, range: 0, coupling: 1}]", "range = 0"),
        ("terms: [{op: XX, range: 1.5, coupling: 1}]", "whole number"),
        ("terms: [{op: ZXZ, range: 3, coupling: 1}]", "ZXZ with range 3 does not fit on 6 sites"),
        ("terms: [{op: ZXZ, power_law: 2, coupling: 1}]", "power_law needs a two-letter op"),
        ("terms: [{op: ZZ, power_law: -1, coupling: 1}]", "power_law = -1"),
        ("terms: [{op: ZZ, power_law: .nan, coupling: 1}]", "power_law = nan"),
        ("terms: [{op: ZZ, sites: 3, coupling: 1}]", "must be a list"),
        ("terms: [{op: ZZ, sites: [], coupling: 1}]", "must be a list"),
        ("terms: [{op: ZZ, sites: [[0, 6]], coupling: 1}]", "site of ZZ = 6: need a whole number from 0 to 5"),
        ("terms: [{op: ZZ, sites: [[0, -1]], coupling: 1}]", "site of ZZ = -1"),
        ("terms: [{op: ZZ, sites: [[1, 1]], coupling: 1}]", "need 2 distinct sites"),
        ("terms: [{op: ZZ, sites: [[1]], coupling: 1}]", "need 2 distinct sites"),
        ("terms: [{op: ZZ, sites: [[0, a]], coupling: 1}]", "not a number"),
        ("terms: [{op: ZZ, coupling: 1}, {op: ZZ, coupling: -1}]", "is zero"),
        ("terms: [{op: Z, coupling: 0}]", "is zero"),
    ],
)  # fmt: skip
def test_every_mistake_is_one_clear_line(tmp_path, text, message):
    path = tmp_path / "system.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        load(path, 6)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("text", ["terms: [{op: XX, ", "terms: {a: b: c}", "\tterms: 1", "terms: &a [*b]", "%bad"])
def test_malformed_yaml_names_file_and_line(tmp_path, text):
    path = tmp_path / "system.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match="is not valid YAML") as caught:
        load(path, 6)
    assert str(caught.value).startswith(f"{path}, line ")
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="absent.yaml: cannot be read"):
        load(tmp_path / "absent.yaml", 6)
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path, 6)
    (tmp_path / "picture.yaml").write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file|not valid YAML"):
        load(tmp_path / "picture.yaml", 6)


def test_yaml_cannot_run_code(tmp_path):
    path = tmp_path / "system.yaml"
    path.write_text("terms: !!python/object/apply:os.system ['touch pwned']\n")
    with pytest.raises(InputError, match="not valid YAML"):
        load(path, 6)


def test_system_is_a_family_or_a_file(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text("terms: [{op: X, coupling: 1}]")
    assert system("tfim", 6, {"h": "1"}).name == "tfim"
    assert system(str(path), 6).name == "mine"
    with pytest.raises(InputError, match="-p h=...: a YAML file has no parameters"):
        system(str(path), 6, {"h": "1"})
    with pytest.raises(InputError, match="unknown system"):
        system("mine", 6)
