"""Phase 1: the entanglement of a large ground state from its couplings, by mean field and trained ensemble; numpy only."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from qednas.base.errors import InputError
from qednas.base.weights import write_weights
from qednas.physics.entanglement import PROXIES
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.predictor.correction import LAYERS, OFFSETS, OUTPUTS, corrected, network
from qednas.qed.predictor.inputs import GLOBAL, LOCAL, PredictorInputs, predictor_inputs
from qednas.qed.predictor.term_space import OTHER

SHIPPED = Path(__file__).parent / "weights" / "predictor.safetensors"
TRAINED_SITES = 16
VALIDATED_SITES = 200
BEYOND = 2.0  # factor of the error bars above VALIDATED_SITES
NEIGHBOUR_SLACK = 1.5  # how far beyond the training points' own spacing still counts as inside
ROUNDING = 1e-6  # relative error bar where the mean field is exact
ONE_STD, INTERVAL = 0.683, 0.90  # shares of errors that an error bar and an interval are to hold
NONNEGATIVE = np.array([name != "skewness" for name in PROXIES])
INPUTS = len(GLOBAL) + len(LOCAL)


@dataclass(frozen=True)
class Calibration:
    """Error bars fitted on held-out systems, per proxy.

    shares (5, 3): of the ensemble spread, of the correction |value - base|, and of gate (|value| + offset), added in
    quadrature to one standard deviation (68.3 % of held-out errors are smaller).  wide (5,): half width of the 90 %
    interval in standard deviations.  growth (5,): relative growth of the error bars with ln(sites / 16).
    """

    shares: np.ndarray = field(default_factory=lambda: np.ones((len(PROXIES), 3)) * [1.0, 0.0, 0.0])
    wide: np.ndarray = field(default_factory=lambda: np.full(len(PROXIES), 1.645))
    growth: np.ndarray = field(default_factory=lambda: np.zeros(len(PROXIES)))

    def arrays(self) -> dict[str, np.ndarray]:
        return {"error_shares": self.shares, "error_wide": self.wide, "error_growth": self.growth}


REFINE_KINDS = ("rebuilt", "windows")  # of the exact parts of qednas.qed.predictor.refine


def refine_shapes() -> dict[str, tuple[int, ...]]:
    """Arrays of the error bars of a refinement, by kind of exact parts."""
    return {f"refine_{kind}_{name}": (len(PROXIES),) for kind in REFINE_KINDS for name in ("factor", "wide")}


def expected_shapes(arrays: dict[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """The shapes that belong together, with the ensemble size, hidden width and number of known points that arrays have."""
    members, _, width = arrays["w0"].shape if arrays["w0"].ndim == 3 else (0, 0, 0)
    sizes = [INPUTS] + [width] * (LAYERS - 1) + [OUTPUTS]
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("centre", "spread", "low", "high"), (INPUTS,))
    shapes |= {name: a.shape for name, a in Calibration().arrays().items()}
    shapes |= refine_shapes()
    shapes["known"] = (len(arrays["known"]) if arrays["known"].ndim else 0, len(GLOBAL))
    for k in range(LAYERS):
        shapes |= {f"w{k}": (members, sizes[k], sizes[k + 1]), f"b{k}": (members, 1, sizes[k + 1])}
    return shapes


ARRAYS = (
    {"centre", "spread", "low", "high", "known", "error_shares", "error_wide", "error_growth"}
    | {f"{kind}{k}" for kind in "wb" for k in range(LAYERS)}
    | set(refine_shapes())
)


def fade_correction(
    mean: np.ndarray, std: np.ndarray, base: np.ndarray, trust: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation with the share ``trust`` of the correction: far from everything that it was trained on a
    network guesses, and the mean field does not.  What is left out may have been right, and widens the error bar."""
    correction = mean - base
    return base + trust * correction, np.hypot(std, (1 - trust) * correction)


class Prediction(TypedDict):
    """Entanglement of a ground state in nats; keys of the dictionaries are the five proxies, at the half-chain cut."""

    proxies: dict[str, float]
    std: dict[str, float]
    interval90: dict[str, list[float]]  # [low, high]
    profile: list[float]  # entropy of every cut
    profile_std: list[float]
    in_domain: bool  # inside the region of the training data
    why: str  # it is not, or ""
    seconds: float
    refined: NotRequired[dict[str, Any]]  # by which exact parts


class Predictor:
    """Trained ensemble.

    arrays: float32 weights ``w0, b0, ...`` of :func:`qednas.qed.predictor.correction.network`, feature ``centre`` and ``spread``,
    the ``low`` and ``high`` ends of the standardised training features, the arrays of :class:`Calibration`, the error bars of
    :mod:`qednas.qed.predictor.refine`, and ``known`` (points, GLOBAL), the standardised couplings of the training set.
    """

    def __init__(self, arrays: dict[str, np.ndarray], record: dict | None = None):
        self.arrays, self.record = arrays, record or {}

    @classmethod
    def load(cls, path: str | Path = SHIPPED) -> Predictor:
        """Read a safetensors file.  Raises InputError naming it when it is missing, truncated, corrupt or of another shape."""
        from safetensors import SafetensorError, safe_open

        path = Path(path)
        try:
            with safe_open(path, framework="numpy") as stream:
                arrays = {name: stream.get_tensor(name) for name in stream.keys()}
                record = json.loads((stream.metadata() or {}).get("record", "{}"))
        except FileNotFoundError:
            raise InputError(f"{path}: the predictor's weights are missing; run chapter 03") from None
        except (SafetensorError, OSError, ValueError) as error:
            raise InputError(f"{path}: not a readable weight file ({error})") from None
        if ARRAYS != set(arrays) or {name: a.shape for name, a in arrays.items()} != expected_shapes(arrays):
            raise InputError(f"{path}: the weights do not fit this version ({INPUTS} features, {OUTPUTS} outputs)")
        if not all(np.isfinite(a).all() for a in arrays.values()):
            raise InputError(f"{path}: the weights hold values that are not finite")
        return cls(arrays, record)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file, whole or not at all."""
        write_weights(Path(path), self.arrays, self.record)

    def calibrated(self, calibration: Calibration) -> Predictor:
        """The same ensemble with other error bars."""
        fitted = {name: a.astype(np.float32) for name, a in calibration.arrays().items()}
        return Predictor(self.arrays | fitted, self.record)

    def ensemble(self, x, base, gate, grows, sites, cut) -> tuple[np.ndarray, np.ndarray]:
        """Mean and spread (rows, 5) of the members; x (rows, GLOBAL + LOCAL), base (rows, 5), the others (rows,).

        Features outside the range of the training set count as its end.
        """
        a = self.arrays
        inside = np.clip((x - a["centre"]) / a["spread"], a["low"], a["high"]).astype(np.float32)
        if (inside == inside[0]).all():  # all cuts of a uniform chain
            inside = inside[:1]
        theta = network(a, inside, np).astype(float)
        value = corrected(theta, base, gate, grows, sites, cut, np)
        return value.mean(0), value.std(0)

    def proxies(self, x, base, gate, grows, sites, cut) -> tuple[np.ndarray, np.ndarray]:
        """Mean and calibrated standard deviation (rows, 5); arguments as for :meth:`ensemble`."""
        mean, spread = self.ensemble(x, base, gate, grows, sites, cut)
        size = np.abs(mean) + OFFSETS
        parts = np.stack([spread, np.abs(mean - base), np.asarray(gate)[:, None] * size], -1)  # (rows, 5, 3)
        std = np.sqrt(((parts * self.arrays["error_shares"]) ** 2).sum(-1))
        return mean, std * self.size_factor(sites) + ROUNDING * size

    def size_factor(self, sites) -> np.ndarray:
        """Factor (rows, 5) of the error bars of chains longer than those trained on; sites (rows,) or a number."""
        sites = np.atleast_1d(np.asarray(sites, float))[:, None]
        growth = self.arrays["error_growth"] * np.maximum(np.log(sites / TRAINED_SITES), 0)
        return (1 + growth) * np.where(sites > VALIDATED_SITES, BEYOND, 1)

    @property
    def wide(self) -> np.ndarray:
        """Half width (5,) of the 90 % intervals in standard deviations."""
        return self.arrays["error_wide"].astype(float)

    @property
    def reach(self) -> float:
        """Distance to the nearest training point below which a Hamiltonian counts as inside the training region."""
        if not hasattr(self, "_reach"):
            self._reach = NEIGHBOUR_SLACK * float(
                np.quantile(self.distance(self.arrays["known"], skip_self=True), 0.99)
            )
        return self._reach

    def distance(self, x: np.ndarray, *, skip_self: bool = False) -> np.ndarray:
        """Euclidean distance (n,) of standardised couplings x (n, GLOBAL) to the nearest training point."""
        known = self.arrays["known"].astype(float)
        square = (x**2).sum(1)[:, None] + (known**2).sum(1) - 2 * x.astype(float) @ known.T
        if skip_self:
            np.fill_diagonal(square, np.inf)
        return np.sqrt(np.maximum(square.min(1), 0))

    def distance_of(self, rows: np.ndarray) -> np.ndarray:
        """Distance (n,) of couplings (n, GLOBAL) to the nearest training point."""
        count = len(GLOBAL)
        return self.distance((rows - self.arrays["centre"][:count]) / self.arrays["spread"][:count])

    def trust(self, rows: np.ndarray) -> np.ndarray:
        """How much of the correction is applied (n,) for couplings (n, GLOBAL): 1 inside the region of the training data,
        falling to 0 at twice its reach."""
        return np.clip(2 - self.distance_of(rows) / self.reach, 0, 1)

    def profile(self, inputs: PredictorInputs) -> tuple[np.ndarray, np.ndarray]:
        """Proxies and standard deviations (cuts, 5) of every cut of a chain."""
        cuts = len(inputs.base)
        whole = np.ones(cuts)
        x = np.concatenate([np.tile(inputs.row, (cuts, 1)), inputs.local], 1)
        mean, std = self.proxies(
            x,
            inputs.base,
            inputs.gate * whole,
            float(inputs.grows) * whole,
            (cuts + 1) * whole,
            np.arange(1.0, cuts + 1),
        )
        return fade_correction(mean, std, inputs.base, self.trust(inputs.row[None]))

    def outside(self, inputs: PredictorInputs, sites: int) -> str:
        """Why a Hamiltonian is outside the region of the training data, or ""."""
        distance = float(self.distance_of(inputs.row[None])[0])
        why = []
        if inputs.row[OTHER] > 0:
            why.append("it has terms that no training system has")
        elif distance > self.reach:
            why.append(f"its couplings are {distance:.1f} from the nearest training system (inside: {self.reach:.1f})")
        if sites > VALIDATED_SITES:
            why.append(f"more than {VALIDATED_SITES} sites were never checked")
        return "; ".join(why)

    def predict(self, hamiltonian: Hamiltonian) -> Prediction:
        """What the couplings alone say of the ground state."""
        start = time.perf_counter()
        inputs = predictor_inputs(hamiltonian)
        mean, std = self.profile(inputs)
        return self.answer(mean, std, self.outside(inputs, hamiltonian.sites), self.wide, start)

    def answer(self, mean: np.ndarray, std: np.ndarray, why: str, wide: np.ndarray, start: float) -> Prediction:
        """The record of :meth:`predict` from mean and std (cuts, 5) and the half width (5,) of intervals in standard deviations.

        start: when the work began, by ``time.perf_counter``.
        """
        half = (len(mean) + 1) // 2 - 1
        reach = std[half] * wide
        low, high = mean[half] - reach, mean[half] + reach
        low = np.where(NONNEGATIVE, np.maximum(low, 0), low)
        return {
            "proxies": dict(zip(PROXIES, mean[half].tolist(), strict=True)),
            "std": dict(zip(PROXIES, std[half].tolist(), strict=True)),
            "interval90": {name: [float(a), float(b)] for name, a, b in zip(PROXIES, low, high, strict=True)},
            "profile": mean[:, 0].tolist(),
            "profile_std": std[:, 0].tolist(),
            "in_domain": not why,
            "why": why,
            "seconds": time.perf_counter() - start,
        }


@cache
def shipped_predictor() -> Predictor:
    """The predictor that comes with the package."""
    return Predictor.load()


def predictor_identity() -> dict[str, str]:
    """For the keys of results that ask the shipped predictor: the checksum of its weights."""
    return {"weights": hashlib.sha256(SHIPPED.read_bytes()).hexdigest()}
