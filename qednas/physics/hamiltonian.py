"""One description of a spin-1/2 Hamiltonian, from which every backend is made.

A Hamiltonian is a sum of Pauli strings with real couplings,

    H = sum_t  c_t  prod_i P_{t,i},        P in {I, X, Y, Z},

kept in the symplectic form P = i^{x z} X^x Z^z (so Y = i X Z), one row of bits ``x`` and one of ``z`` per string.
Site 0 is the most significant bit of a basis state; bit 0 is spin up (Z = +1).  Energies are in Pauli units.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from qednas.base.errors import InputError

LETTERS = {"I": (0, 0), "X": (1, 0), "Y": (1, 1), "Z": (0, 1)}
NAMES = {bits: letter for letter, bits in LETTERS.items()}


@dataclass(frozen=True)
class Sector:
    """The symmetry sector in which "the ground state" is the lowest state, in ED and in DMRG alike.

    kind
        ``none``, ``parity_x`` (prod X = value), ``parity_z`` (prod Z = value) or ``magnetisation`` (sum Z = value).
    value
        The quantum number; ``None`` means "the sector that holds the lowest energy" (ties go to the first of
        +1, -1 or to the smallest \\|sum Z\\|).
    """

    kind: str = "none"
    value: int | None = None

    def __str__(self) -> str:
        if self.kind == "none":
            return "none"
        return f"{self.kind}={'lowest' if self.value is None else format(self.value, '+d')}"


@dataclass(frozen=True, eq=False)
class Hamiltonian:
    """Sum of Pauli strings on ``sites`` spins.

    x, z
        bool arrays (terms, sites): the symplectic form of each string; no two rows are equal.
    couplings
        float array (terms,), Pauli energy units.
    sector
        Where the ground state is looked for; see :class:`Sector`.
    pinning
        What was added to the bare family to make the ground state unique (already part of the terms), or "".
    name, parameters
        Where the Hamiltonian came from; for labels only.
    """

    sites: int
    x: np.ndarray
    z: np.ndarray
    couplings: np.ndarray
    sector: Sector = field(default_factory=Sector)
    pinning: str = ""
    name: str = "custom"
    parameters: dict = field(default_factory=dict)

    @classmethod
    def from_terms(cls, sites: int, terms: Iterable[tuple[str, tuple[int, ...], float]], **labels) -> Hamiltonian:
        """Build from (letters, sites, coupling) triples, e.g. ``("ZZ", (0, 1), -1.0)``.

        Equal strings are added up and zeros dropped.
        Raises InputError for letters other than X, Y, Z, I, sites outside the chain or repeated, a coupling that is
        not a finite real number, or when nothing is left.
        """
        merged: dict[tuple[bytes, bytes], float] = {}
        for letters, places, coupling in terms:
            x, z = np.zeros(sites, bool), np.zeros(sites, bool)
            if len(letters) != len(places):
                raise InputError(f"operator {letters!r} acts on {len(letters)} sites but {list(places)} are given")
            if len(set(places)) != len(places) or not all(0 <= i < sites for i in places):
                raise InputError(f"sites {list(places)} of {letters!r}: need distinct sites in 0..{sites - 1}")
            if not np.isfinite(coupling):
                raise InputError(f"coupling {coupling} of {letters!r} on sites {list(places)} is not a finite number")
            for letter, i in zip(letters, places, strict=True):
                if letter not in LETTERS:
                    raise InputError(f"operator {letters!r}: {letter!r} is not one of X, Y, Z, I")
                x[i], z[i] = LETTERS[letter]
            key = (x.tobytes(), z.tobytes())
            merged[key] = merged.get(key, 0.0) + float(coupling)
        nonzero = [(k, c) for k, c in merged.items() if c != 0.0 and any(k[0] + k[1])]
        if not nonzero:
            raise InputError("the Hamiltonian is zero: no term with a non-zero coupling acts on any site")
        xs = np.array([np.frombuffer(k[0], bool) for k, _ in nonzero])
        zs = np.array([np.frombuffer(k[1], bool) for k, _ in nonzero])
        return cls(sites, xs, zs, np.array([c for _, c in nonzero]), **labels)

    def groups(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Strings grouped by their letters, read from left to right: {letters: (rows of ``couplings`` (k,), sites (k, len))}."""
        support = self.x | self.z
        code = self.x.astype(np.int8) + 2 * self.z.astype(np.int8)  # 1 X, 2 Z, 3 Y
        weight = support.sum(1)
        out: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for w in np.unique(weight):
            rows = np.flatnonzero(weight == w)
            places = np.nonzero(support[rows])[1].reshape(len(rows), w)
            letters = np.take_along_axis(code[rows], places, 1)
            if w <= 31:  # a word as one number, which sorts faster than a row
                weights = 4 ** np.arange(w - 1, -1, -1, dtype=np.int64)
                _, first, which = np.unique(letters @ weights, return_index=True, return_inverse=True)
            else:
                _, first, which = np.unique(letters, axis=0, return_index=True, return_inverse=True)
            for k, word in enumerate(letters[first]):
                chosen = which.reshape(-1) == k
                out["".join("IXZY"[c] for c in word)] = rows[chosen], places[chosen]
        return out

    def terms(self) -> list[tuple[str, tuple[int, ...], float]]:
        """The (letters, sites, coupling) triples, identities left out; the inverse of :meth:`from_terms`."""
        out = []
        for letters, (rows, places) in self.groups().items():
            out += [(letters, tuple(p), c) for p, c in zip(places.tolist(), self.couplings[rows].tolist(), strict=True)]
        return out

    def in_sector(self, sector: Sector) -> Hamiltonian:
        """The same operator with the ground state looked for in another sector."""
        return replace(self, sector=sector)

    def swap_xz(self) -> Hamiltonian:
        """Hadamard on every site: X <-> Z, Y -> -Y.  Entanglement and energies do not change; prod X <-> prod Z."""
        swapped = {"parity_x": "parity_z", "parity_z": "parity_x"}
        if self.sector.kind == "magnetisation":
            raise InputError("a magnetisation sector has no counterpart after exchanging X and Z")
        sign = np.where((self.x & self.z).sum(1) % 2, -1.0, 1.0)
        sector = Sector(swapped.get(self.sector.kind, "none"), self.sector.value)
        return replace(self, x=self.z, z=self.x, couplings=self.couplings * sign, sector=sector)

    @property
    def is_real(self) -> bool:
        """Whether the matrix is real in the Z basis: every string has an even number of Y."""
        return not ((self.x & self.z).sum(1) % 2).any()

    @property
    def conserves_parity_z(self) -> bool:
        """[H, prod Z] = 0."""
        return not (self.x.sum(1) % 2).any()

    @property
    def conserves_parity_x(self) -> bool:
        """[H, prod X] = 0."""
        return not (self.z.sum(1) % 2).any()

    @property
    def conserves_magnetisation(self) -> bool:
        """[H, sum Z] = 0, seen from the ladder form: every product has as many S+ as S-."""
        scale = np.abs(self.couplings).max()
        return all(
            letters.count("P") == letters.count("M")
            for (letters, _), c in self.ladder_terms().items()
            if abs(c) > 1e-13 * scale
        )

    def conserves(self, sector: Sector) -> bool:
        """Whether H commutes with the symmetry that ``sector`` names."""
        return sector.kind == "none" or getattr(self, f"conserves_{sector.kind}")

    def ladder_terms(self) -> dict[tuple[str, tuple[int, ...]], complex]:
        """Expand X = P + M, Y = -iP + iM (P = S+, M = S-) and add equal products up.

        Returns ``{(letters over P M Z, sites): coefficient}``.  Products that cancel are left out.
        """
        out: dict[tuple[str, tuple[int, ...]], complex] = {}
        for letters, places, c in self.terms():
            products: list[tuple[str, complex]] = [("", c)]
            for letter in letters:
                grown = []
                for head, a in products:
                    if letter == "Z":
                        grown.append((head + "Z", a))
                    else:
                        up, down = (1, 1) if letter == "X" else (-1j, 1j)
                        grown += [(head + "P", a * up), (head + "M", a * down)]
                products = grown
            for word, a in products:
                out[word, places] = out.get((word, places), 0) + a
        scale = max(abs(a) for a in out.values())
        return {k: a for k, a in out.items() if abs(a) > 1e-13 * scale}

    def masks(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Integers of the x and z bits (site 0 most significant) and complex weights c * i^{number of Y}; <= 62 sites."""
        weight = 1 << np.arange(self.sites - 1, -1, -1, dtype=np.int64)
        phase = np.array([1, 1j, -1, -1j])[(self.x & self.z).sum(1) % 4]
        return self.x @ weight, self.z @ weight, self.couplings * phase

    def connected(self, configurations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Everything a local energy needs: the flips that H makes and their matrix elements.

        configurations: int or bool array (batch, sites) of bits.
        Returns ``flips`` bool (n_flips, sites) and ``elements`` (batch, n_flips) with
        ``elements[b, f] = <s_b| H |s_b xor flip_f>``, so that E_loc(s) = sum_f elements psi(s xor flip_f) / psi(s).
        """
        s = np.asarray(configurations, bool)
        flips, group = np.unique(self.x, axis=0, return_inverse=True)
        odd = (s[:, None, :] ^ self.x[None]) & self.z[None]  # (batch, terms, sites)
        phase = np.array([1, 1j, -1, -1j])[(self.x & self.z).sum(1) % 4]
        values = np.where(odd.sum(2) % 2, -1.0, 1.0) * (self.couplings * phase)
        elements = np.zeros((len(s), len(flips)), complex)
        np.add.at(elements.T, group.reshape(-1), values.T)
        return flips, elements.real if self.is_real else elements

    def to_pennylane(self):
        """The same operator as a ``pennylane`` linear combination, wire i = site i."""
        import pennylane as qml

        pauli = {"X": qml.PauliX, "Y": qml.PauliY, "Z": qml.PauliZ}
        operators, coefficients = [], []
        for letters, places, c in self.terms():
            operators.append(qml.prod(*(pauli[a](i) for a, i in zip(letters, places, strict=True))))
            coefficients.append(c)
        return qml.dot(coefficients, operators)
