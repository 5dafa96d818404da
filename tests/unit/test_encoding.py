"""Encodings: every bit string of small spaces, costs against the tables themselves."""

import itertools

import numpy as np
import pytest

from qednas.base.errors import InputError
from qednas.qnas.space.encoding import ENCODINGS, centred, counts
from qednas.qnas.space.pairwise import Pairwise
from qednas.qnas.space.space import Space


def random_cost(sizes: tuple[int, ...], seed: int = 0) -> Pairwise:
    draws = np.random.default_rng(seed)
    space = Space.of({f"c{i}": range(size) for i, size in enumerate(sizes)})
    pair = {(i, j): draws.normal(size=(sizes[i], sizes[j])) for i, j in itertools.combinations(range(len(sizes)), 2)}
    return Pairwise(space, 1.5, tuple(draws.normal(size=size) for size in sizes), pair)


def strings(n: int) -> np.ndarray:
    return np.array(list(itertools.product([0, 1], repeat=n)))


def bad_columns(name: str, space: Space, bits: np.ndarray) -> np.ndarray:
    """Columns (rows,) whose bits stand for no choice, from the words of the definition."""
    found = np.zeros(len(bits), dtype=int)
    start = 0
    for size in space.sizes:
        width = {"one-hot": size, "binary": (size - 1).bit_length(), "domain-wall": size - 1}[name]
        own = bits[:, start : start + width]
        start += width
        if name == "one-hot":
            found += own.sum(1) != 1
        elif name == "binary":
            found += own @ (1 << np.arange(width)[::-1]) >= size
        else:
            found += (np.diff(own, axis=1) > 0).any(1)
    return found


EXAMPLES = {  # of a column of 4 choices
    "one-hot": ["1000", "0100", "0010", "0001"],
    "binary": ["00", "01", "10", "11"],
    "domain-wall": ["000", "100", "110", "111"],
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_digits_to_bits_and_back(name):
    """The codes of one column as printed, then every configuration and every bit string of a mixed space."""
    encoding = ENCODINGS[name]
    one = Space.of({"a": "wxyz"})
    assert ["".join(map(str, row)) for row in encoding.encode(one, one.digits())] == EXAMPLES[name]
    space = random_cost((3, 2, 5)).space
    bits = encoding.encode(space, space.digits())
    digits, feasible = encoding.decode(space, bits)
    assert feasible.all()
    assert np.array_equal(digits, space.digits())
    everything = strings(encoding.qubits(space))
    digits, feasible = encoding.decode(space, everything)
    assert np.array_equal(feasible, bad_columns(name, space, everything) == 0)
    assert (digits[~feasible] == -1).all()
    assert np.array_equal(encoding.encode(space, digits[feasible]), everything[feasible])


@pytest.mark.parametrize("name", ["one-hot", "domain-wall"])
def test_the_hamiltonian_is_the_cost_and_the_penalty(name):
    """Equal on feasible strings; what the penalty adds elsewhere is its definition, at least once per bad column."""
    cost = random_cost((3, 2, 4))
    space, encoding = cost.space, ENCODINGS[name]
    bits = strings(encoding.qubits(space))
    digits, feasible = encoding.decode(space, bits)
    energies = encoding.hamiltonian(cost, 7.0).energies(bits)
    assert np.abs(energies[feasible] - cost.costs(digits[feasible])).max() < 1e-12
    added = (energies - encoding.hamiltonian(cost, 0.0).energies(bits)) / 7
    parts = np.split(bits, np.cumsum(encoding.widths(space))[:-1], axis=1)
    if name == "one-hot":
        expected = sum((part.sum(1) - 1) ** 2 for part in parts)
    else:  # between fixed ends there is always one wall; more come in pairs
        ends = [np.hstack([np.ones((len(p), 1)), p, np.zeros((len(p), 1))]) for p in parts]
        expected = sum((np.abs(np.diff(p, axis=1)).sum(1) - 1) / 2 for p in ends)
    assert np.allclose(added, expected, atol=1e-12)
    assert (added > bad_columns(name, space, bits) - 1e-12).all()


def test_thirty_columns_of_ten():
    cost = random_cost((10,) * 30)
    digits = cost.space.draw(20, np.random.default_rng(1))
    for name, qubits in {"one-hot": 300, "domain-wall": 270}.items():
        problem = ENCODINGS[name].hamiltonian(cost, 50.0)
        assert problem.qubits == qubits
        found = problem.energies(ENCODINGS[name].encode(cost.space, digits))
        assert np.allclose(found, cost.costs(digits), rtol=0, atol=1e-9)  # sums of 1e5 terms with the penalty


def test_how_a_cost_is_split_does_not_change_its_hamiltonian():
    """A constant moved into a column, and a column's costs moved into a pair, are the same cost."""
    cost = random_cost((3, 4))
    moved = cost.single[0] + 2.0, cost.single[1]
    other = Pairwise(cost.space, cost.constant - 3.0, moved, {(0, 1): cost.pair[0, 1] + 1.0})
    shift = np.array([0.3, -2.0, 5.0])
    third = Pairwise(
        cost.space, cost.constant, (cost.single[0] - shift, cost.single[1]), {(0, 1): cost.pair[0, 1] + shift[:, None]}
    )
    for name in ("one-hot", "domain-wall"):
        first = ENCODINGS[name].hamiltonian(cost, 1.0)
        for same in (other, third):
            found = ENCODINGS[name].hamiltonian(same, 1.0)
            assert found.constant == pytest.approx(first.constant, abs=1e-12)
            assert np.allclose(found.fields, first.fields, atol=1e-12)
            assert np.allclose(found.couplings, first.couplings, atol=1e-12)


def test_an_empty_one_hot_column_costs_the_average_of_its_choices():
    cost = random_cost((3, 4))
    problem = ENCODINGS["one-hot"].hamiltonian(cost, 2.0)
    for digit in range(4):
        bits = ENCODINGS["one-hot"].encode(cost.space, np.array([[0, digit]]))
        bits[0, :3] = 0
        assert problem.energies(bits)[0] == pytest.approx(cost.listed()[:, digit].mean() + 2.0, abs=1e-12)


def test_a_centred_cost_is_the_same_with_tables_that_average_to_zero():
    cost = random_cost((3, 2, 4))
    found = centred(cost)
    assert np.allclose(found.listed(), cost.listed(), atol=1e-12)
    assert found.constant == pytest.approx(cost.listed().mean(), abs=1e-12)
    assert np.allclose([own.sum() for own in found.single], 0, atol=1e-12)
    for table in found.pair.values():
        assert np.allclose(table.sum(0), 0, atol=1e-12)
        assert np.allclose(table.sum(1), 0, atol=1e-12)


@pytest.mark.parametrize("name", ENCODINGS)
def test_listed_energies(name):
    cost = random_cost((3, 2, 4))
    encoding = ENCODINGS[name]
    digits, feasible = encoding.decode(cost.space, strings(encoding.qubits(cost.space)))
    energies = encoding.diagonal(cost, 0.5)
    assert np.allclose(energies[feasible], cost.costs(digits[feasible]), atol=1e-12)
    if not feasible.all():
        assert np.allclose(energies[~feasible], cost.listed().max() + 0.5, atol=1e-12)


def test_words_of_the_binary_encoding():
    """Their sum is the cost wherever the codes are used; an unused one costs the average of its column."""
    cost = random_cost((3, 2, 5))
    encoding = ENCODINGS["binary"]
    bits = strings(encoding.qubits(cost.space))
    signs = 1.0 - 2 * bits
    words = encoding.words(cost)
    energies = sum(value * signs[:, list(word)].prod(1) for word, value in words.items())
    digits, feasible = encoding.decode(cost.space, bits)
    assert np.abs(energies[feasible] - cost.costs(digits[feasible])).max() < 1e-12
    unused = (bits[:, :2] == 1).all(1)  # of the first column, with the others feasible
    for row in np.flatnonzero(unused):
        rest, good = encoding.decode(cost.space, bits[row][None] * (np.arange(6) > 1))
        if good[0]:
            average = cost.listed()[:, rest[0, 1], rest[0, 2]].mean()
            assert energies[row] == pytest.approx(average, abs=1e-12)
    assert max(map(len, words)) == 2 + 3


def test_binary_columns_of_two_are_quadratic():
    cost = random_cost((2, 2, 2, 2))
    encoding = ENCODINGS["binary"]
    problem = encoding.hamiltonian(cost, 3.0)
    assert np.allclose(problem.diagonal(), cost.listed().ravel(), atol=1e-12)
    words = encoding.words(cost)
    assert words[()] == pytest.approx(problem.constant, abs=1e-12)
    assert words[2,] == pytest.approx(problem.fields[2], abs=1e-12)
    assert words[1, 3] == pytest.approx(problem.couplings[1, 3], abs=1e-12)


def test_what_each_encoding_takes():
    """By formula for one space, and against the terms and strings that there are for another."""
    found = counts(Space.of({f"e{i}": range(5) for i in range(6)}))
    assert [found[name]["qubits"] for name in ENCODINGS] == [30, 18, 24]
    assert found["one-hot"] == pytest.approx(
        {"qubits": 30, "linear": 30, "quadratic": 15 * 25, "higher": 0, "constraint": 60, "feasible": (5 / 32) ** 6}
    )
    assert found["domain-wall"]["feasible"] == pytest.approx((5 / 16) ** 6)
    assert found["binary"]["feasible"] == pytest.approx((5 / 8) ** 6)
    cost = random_cost((3, 2, 5))
    found = counts(cost.space)
    for name in ("one-hot", "domain-wall"):
        free, bound = (ENCODINGS[name].hamiltonian(cost, penalty) for penalty in (0.0, 1.0))
        assert found[name]["linear"] == np.count_nonzero(np.abs(free.fields) > 1e-12)
        assert found[name]["quadratic"] == np.count_nonzero(np.abs(free.couplings) > 1e-12)
        more = np.count_nonzero(np.abs(bound.couplings) > 1e-12) - found[name]["quadratic"]
        assert found[name]["constraint"] == more
    orders = np.array([len(word) for word in ENCODINGS["binary"].words(cost)])
    for term, mask in {"linear": orders == 1, "quadratic": orders == 2, "higher": orders > 2}.items():
        assert found["binary"][term] == mask.sum()
    for name, encoding in ENCODINGS.items():
        _, feasible = encoding.decode(cost.space, strings(encoding.qubits(cost.space)))
        assert found[name]["feasible"] == pytest.approx(feasible.mean())


def test_what_an_encoding_cannot_do_is_told():
    with pytest.raises(
        InputError, match=r"^binary encoding of column 'c1' with 3 choices is not quadratic: 2 are allowed$"
    ):
        ENCODINGS["binary"].hamiltonian(random_cost((2, 3)), 1.0)
    with pytest.raises(InputError, match=r"^all energies of 25 qubits: at most 20 "):
        ENCODINGS["one-hot"].diagonal(random_cost((5,) * 5), 1.0)
    for encoding, call in itertools.product(ENCODINGS.values(), ("hamiltonian", "diagonal")):
        with pytest.raises(InputError, match=r"^penalty = -1.0: a number of at least 0 is allowed$"):
            getattr(encoding, call)(random_cost((2, 2)), -1.0)
