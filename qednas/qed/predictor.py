"""Phase 1: the entanglement of a large ground state from its couplings, by the trained ensemble; numpy only."""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path

import numpy as np

from qednas.companion.weights import write_weights
from qednas.errors import InputError
from qednas.physics.entanglement import PROXIES
from qednas.physics.hamiltonian import Hamiltonian
from qednas.qed.scaling_form import LAYERS, OFFSETS, OUTPUTS, network, scaling_form
from qednas.qed.term_space import NAMES, OTHER, features

SHIPPED = Path(__file__).parent / "weights" / "predictor.safetensors"
VALIDATED_SITES = 200
NEIGHBOUR_SLACK = 1.5  # how far beyond the training points' own spacing still counts as inside
ARRAYS = {"centre", "spread", "floor", "known"} | {f"{kind}{k}" for kind in "wb" for k in range(LAYERS)}


def expected_shapes(arrays: dict[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """The shapes that belong together, with the ensemble size, hidden width and number of known points that arrays have."""
    members, _, width = arrays["w0"].shape if arrays["w0"].ndim == 3 else (0, 0, 0)
    sizes = [len(NAMES)] + [width] * (LAYERS - 1) + [OUTPUTS]
    shapes: dict[str, tuple[int, ...]] = {"centre": (len(NAMES),), "spread": (len(NAMES),), "floor": (len(PROXIES),)}
    shapes["known"] = (len(arrays["known"]) if arrays["known"].ndim else 0, len(NAMES))
    for k in range(LAYERS):
        shapes |= {f"w{k}": (members, sizes[k], sizes[k + 1]), f"b{k}": (members, 1, sizes[k + 1])}
    return shapes


class Predictor:
    """Trained ensemble.

    arrays: float32 weights ``w0, b0, ...`` of :func:`qednas.qed.scaling_form.network`, feature ``centre`` and ``spread``,
    relative error ``floor`` (5,), and ``known`` (points, features), the standardised training features.
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
            raise InputError(f"{path}: the weights do not fit this version ({len(NAMES)} features, {OUTPUTS} outputs)")
        if not all(np.isfinite(a).all() for a in arrays.values()):
            raise InputError(f"{path}: the weights hold values that are not finite")
        return cls(arrays, record)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file, whole or not at all."""
        write_weights(Path(path), self.arrays, self.record)

    def proxies(self, rows: np.ndarray, sites: np.ndarray, cut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation (n, cuts, 5) for features (n, f), sites (n, 1) and cuts (n, c)."""
        a = self.arrays
        x = ((rows - a["centre"]) / a["spread"]).astype(np.float32)
        value = scaling_form(network(a, x, np), sites, cut, np)
        mean = value.mean(0)
        floor = a["floor"] * (np.abs(mean) + OFFSETS)
        return mean, np.sqrt(value.var(0) + floor**2)

    @property
    def reach(self) -> float:
        """Distance to the nearest training point below which a Hamiltonian counts as inside the training region."""
        if not hasattr(self, "_reach"):
            self._reach = NEIGHBOUR_SLACK * float(
                np.quantile(self.distance(self.arrays["known"], skip_self=True), 0.99)
            )
        return self._reach

    def distance(self, x: np.ndarray, *, skip_self: bool = False) -> np.ndarray:
        """Euclidean distance (n,) of standardised features x (n, f) to the nearest training point."""
        known = self.arrays["known"].astype(float)
        square = (x**2).sum(1)[:, None] + (known**2).sum(1) - 2 * x.astype(float) @ known.T
        if skip_self:
            np.fill_diagonal(square, np.inf)
        return np.sqrt(np.maximum(square.min(1), 0))

    def predict(self, hamiltonian: Hamiltonian) -> dict:
        """Proxies and standard deviations at the half-chain cut, the entropy of every cut (nats), and whether the
        Hamiltonian lies in the region of the training data (``why`` says what is outside)."""
        start = time.perf_counter()
        row, sites = features(hamiltonian), hamiltonian.sites
        cuts = np.arange(1.0, sites)
        mean, std = self.proxies(row[None], np.array([[float(sites)]]), cuts[None])
        half = sites // 2 - 1
        distance = float(self.distance((row - self.arrays["centre"])[None] / self.arrays["spread"])[0])
        why = []
        if row[OTHER] > 0:
            why.append("it has terms that no training system has")
        elif distance > self.reach:
            why.append(f"its couplings are {distance:.1f} from the nearest training system (inside: {self.reach:.1f})")
        if sites > VALIDATED_SITES:
            why.append(f"more than {VALIDATED_SITES} sites were never checked")
        return {
            "proxies": {name: float(v) for name, v in zip(PROXIES, mean[0, half], strict=True)},
            "std": {name: float(v) for name, v in zip(PROXIES, std[0, half], strict=True)},
            "profile": [float(v) for v in mean[0, :, 0]],
            "in_domain": not why,
            "why": "; ".join(why),
            "seconds": time.perf_counter() - start,
        }


@cache
def shipped() -> Predictor:
    """The predictor that comes with the package."""
    return Predictor.load()
