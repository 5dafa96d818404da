"""What a Hamiltonian tells of its ground state before it is solved: signs, sector, symmetries."""

from __future__ import annotations

import numpy as np
import torch

from qednas.physics.exact import ground_state
from qednas.physics.hamiltonian import Hamiltonian
from qednas.physics.symmetries import generators, is_symmetry, permutations
from qednas.qed.blocks.block import all_configurations, spins
from qednas.qed.blocks.given import Given
from qednas.qed.blocks.signed import marshall
from qednas.qed.predictor.small_parts import small_relatives
from qednas.qed.vmc.local_energy import LocalEnergy

RELATIVES = (10, 9)  # sites of the short chain on which signs are looked at
WRONG = 0.01  # share of wrong signs from which on blocks have to learn them
PROBES = 256  # configurations on which signs of matrix elements are looked at


def given_of(hamiltonian: Hamiltonian, width: int | None = None) -> Given:
    """What a Hamiltonian on a chain, or on rows of ``width`` sites, tells of its ground state."""
    sector = hamiltonian.sector
    pattern = marshall(hamiltonian)
    conserved = sector.kind == "magnetisation"
    value = sector.value if sector.value is not None else hamiltonian.sites % 2
    symmetries, translations = generators(hamiltonian.sites, width), ("translation", "translation of rows")
    periodic = width is not None and all(is_symmetry(hamiltonian, symmetries[name]) for name in translations)
    images = permutations(hamiltonian, width, translations if periodic else None)
    return Given(
        sites=hamiltonian.sites,
        pattern=tuple(pattern.tolist()),
        positive=wrong_signs(hamiltonian) < WRONG,
        even=hamiltonian.conserves_parity_x and not (sector.kind == "parity_x" and sector.value == -1),
        magnetisation=value if conserved else None,
        images=tuple(map(tuple, images.tolist())),
    )


def wrong_signs(hamiltonian: Hamiltonian) -> float:
    """Share of the weight |psi|^2, from 0 to 1/2, whose amplitudes the sign of Marshall gets wrong.

    Measured on the exact ground state of a short relative of a chain.  Where there is none (a lattice, a system of few sites),
    0 if no off-diagonal element of H is positive behind the sign, which makes amplitudes positive (Perron and Frobenius), else
    1/2.
    """
    if not hamiltonian.is_real:
        return 0.5
    relatives = small_relatives(hamiltonian, RELATIVES)
    if not relatives:
        return 0.5 if frustrated(hamiltonian, marshall(hamiltonian)) else 0.0
    small = relatives[0][0]
    psi = ground_state(small).vector.real
    odd = (all_configurations(small.sites).bool() & marshall(small)).sum(1) % 2
    positive = float((psi**2)[psi * np.where(odd.numpy(), -1.0, 1.0) > 0].sum() / (psi**2).sum())
    return min(positive, 1 - positive)


def frustrated(hamiltonian: Hamiltonian, pattern: torch.Tensor) -> bool:
    """Whether an off-diagonal element of H is positive behind a sign, on configurations drawn at random."""
    terms = LocalEnergy(hamiltonian)
    bits = torch.rand(PROBES, hamiltonian.sites, generator=torch.Generator().manual_seed(0)) < 0.5
    elements = terms.elements(spins(bits))[1]
    signs = torch.tensor([(-1.0) ** int(pattern[list(flip)].sum()) for flip in terms.flips], dtype=torch.float64)
    return bool((elements.real * signs > 1e-12).any() if elements.is_complex() else (elements * signs > 1e-12).any())
