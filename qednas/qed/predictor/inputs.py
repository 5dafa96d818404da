"""What the predictor knows of a Hamiltonian before it corrects anything: its couplings and its mean field, at its own size.

The mean field (:mod:`qednas.physics.gaussian.mean_field`) is solved for the chain that is asked about, so the growth with the
size comes from physics; a network trained on small chains only corrects it.  Where the mean field is exact nothing is corrected.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from qednas.physics.canonical_frame import Frame, canonical
from qednas.physics.gaussian.mean_field import MeanField, mean_field
from qednas.physics.hamiltonian import Hamiltonian, Sector
from qednas.qed.predictor.term_space import NAMES, features

GLOBAL = [*NAMES, "interaction", "missing"]  # of the whole chain
LOCAL = [  # of one cut, in the mean field; only where couplings vary in space
    "mean-field entropy",
    "its curvature",
    "mean-field variance",
    "bond across",
    "bonds beside",
    "their difference",
    "Z across",
    "Z beside",
    "Z around",
]
SPREADS = [k for k, name in enumerate(NAMES) if name.endswith("spread")]
RANGE_1 = [NAMES.index(f"{axis}{axis} range 1") for axis in "XY"]
FIELD_SPREAD = NAMES.index("Z spread")
LOCALISED = (
    0.7,
    1.3,
)  # spread of the field over the hopping up to which half of the interactions count, from which all
EQUAL = 1e-9  # couplings that differ by less are one number and its rounding
# share of the free chain in the base against the conserved coupling over the hopping: above 1 the gap opens exponentially
# slowly, and in between the mixture, unlike either part, is off by nearly the same at 12 and at 48 sites
MELTED = ((1.1, 1.3, 2.0), (1.0, 0.5, 0.0))
HALF_GATE = 0.02  # share of interactions at which half of a correction is let through


@dataclass(frozen=True)
class PredictorInputs:
    """row: (GLOBAL,); local: (cuts, LOCAL); base: mean-field proxies (cuts, 5).

    gate: 0 where the mean field is exact, towards 1 with the share of interactions.
    grows: how far a correction may grow with the size, 0 to 1; not at all in uniform chains with conserved sum Z.
    """

    row: np.ndarray
    local: np.ndarray
    base: np.ndarray
    gate: float
    grows: float


def varies(row: np.ndarray) -> bool:
    """Whether fields or bonds vary in space."""
    return bool((row[SPREADS] > EQUAL).any())


def is_uniform_and_conserving(frame: Frame, row: np.ndarray) -> bool:
    """Equal bonds everywhere and hopping that conserves sum Z.

    There the mean field of the interactions would dimerise the chain (Peierls), whatever their sign, and the entropy of the
    gapless chain would stop growing; the free chain has the right growth, c = 1, and is taken as the base.
    """
    return frame.magnetisation is not None and not varies(row) and bool(abs(row[RANGE_1[0]] - row[RANGE_1[1]]) <= EQUAL)


def strength_in(frame: Frame, row: np.ndarray) -> float:
    """Factor of the interactions in the mean field of a chain that is not uniform, or does not conserve sum Z.

    1, but in weak disorder that conserves sum Z the full mean field dimerises as it does without disorder, and half of it is
    nearer to the exact entropy at every size; strong disorder localises, and the full one is right.
    """
    if frame.magnetisation is None:
        return 1.0
    hopping = max(abs(row[RANGE_1[0]]), abs(row[RANGE_1[1]]), 1e-9)
    return float(np.interp(row[FIELD_SPREAD] / hopping, LOCALISED, (0.5, 1.0)))


def conserving_frame(hamiltonian: Hamiltonian, frame: Frame, row: np.ndarray) -> Frame | None:
    """The frame whose z is the axis that sum Z is conserved along, of a chain with equal bonds whose canonical frame has its
    strongest axis there; None for others."""
    sector = hamiltonian.sector
    if sector.kind != "magnetisation" or sector.value is None or frame.order[0] != 2 or varies(row):
        return None
    return Frame(replace(hamiltonian, sector=Sector()), (0, 1, 2), None, sector.value)


def surroundings(state: MeanField, base: np.ndarray) -> np.ndarray:
    """LOCAL features (cuts, LOCAL) of every cut, the same for a chain and its mirror image: entropies, strength of the
    bonds and magnetisations of the sites next to the cut."""
    around = np.pad(base[:, 0], 1, mode="edge")
    n, shift = state.sites, int(state.ancillas)
    c = state.correlation[shift : shift + n, shift : shift + n]
    bond = np.sqrt((np.diagonal(c, 1) ** 2 + np.diagonal(c, -1) ** 2) / 2)
    beside, z = np.pad(bond, 1), np.pad(np.diagonal(c), 1)
    left, right = beside[:-2], beside[2:]
    return np.stack(
        [
            base[:, 0],
            (around[:-2] + around[2:]) / 2 - base[:, 0],
            base[:, 2],
            bond,
            (left + right) / 2,
            np.abs(left - right),
            z[1:-2] * z[2:-1],
            (z[1:-2] ** 2 + z[2:-1] ** 2) / 2,
            (z[:-3] ** 2 + z[3:] ** 2) / 2,
        ],
        1,
    )


def predictor_inputs(hamiltonian: Hamiltonian) -> PredictorInputs:
    """Features and mean field of a Hamiltonian."""
    frame = canonical(hamiltonian)
    row = features(hamiltonian, frame)
    conserving = is_uniform_and_conserving(frame, row)
    state = mean_field(hamiltonian, 0.0 if conserving else strength_in(frame, row), frame)
    base = state.profile()
    local = surroundings(state, base) if varies(row) else np.zeros((len(base), len(LOCAL)))
    free = 1.0 if conserving else 0.0
    if not conserving and (across := conserving_frame(hamiltonian, frame, row)) is not None:
        ratio = np.abs(row[RANGE_1[0]]) / max(abs(row[RANGE_1[1]]), EQUAL)
        free = float(np.interp(ratio, *MELTED))
        if free:
            base = free * mean_field(hamiltonian, 0.0, across).profile() + (1 - free) * base
    share = state.interaction + state.missing
    return PredictorInputs(
        np.append(row, [state.interaction, state.missing]), local, base, share / (share + HALF_GATE), 1 - free
    )
