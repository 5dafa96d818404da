"""PennyLane devices by name: which are here, what brings the others, how much memory there is for a simulated state.

PennyLane itself is imported where a circuit is run: it takes seconds.
"""

from __future__ import annotations

import inspect
import os
from importlib.metadata import entry_points

from qednas.base.errors import InputError

PACKAGES = {  # what brings a device that is not installed
    "aqt": "pennylane-aqt",
    "braket": "amazon-braket-pennylane-plugin",
    "cirq": "pennylane-cirq",
    "ionq": "pennylane-ionq",
    "lightning": "pennylane-lightning",
    "lightning.gpu": "pennylane-lightning-gpu",
    "lightning.kokkos": "pennylane-lightning-kokkos",
    "lightning.tensor": "pennylane-lightning-tensor",
    "qiskit": "pennylane-qiskit qiskit-aer",
    "qulacs": "pennylane-qulacs",
    "rigetti": "pennylane-rigetti",
}


def installed_devices() -> list[str]:
    """Names of the PennyLane devices that can be used here; found without importing them."""
    return sorted({entry.name for entry in entry_points(group="pennylane.plugins")})


def check_device(name: str | None, shots: int | None) -> None:
    """Raises InputError for a device that is not installed, and for shots that are not positive or have no device."""
    if shots is not None and (isinstance(shots, bool) or not isinstance(shots, int) or shots < 1):
        raise InputError(f"shots = {shots}: a positive whole number")
    if name is None:
        if shots is not None:
            raise InputError(f"shots = {shots}: they need a device, such as default.qubit; without one all is exact")
        return
    if name == "null.qubit":
        raise InputError("device = 'null.qubit' computes nothing: its answers are all zeros")
    if name not in installed_devices():
        package = PACKAGES.get(name) or PACKAGES.get(name.split(".")[0])
        advice = f"`pip install {package}` may bring it; " if package else ""
        raise InputError(f"device = {name!r} is not installed: {advice}here are {', '.join(installed_devices())}")


def takes_seed(name: str) -> bool:
    """Whether an installed device has a seed among its arguments; hardware has none."""
    (entry,) = entry_points(group="pennylane.plugins", name=name)
    return "seed" in inspect.signature(entry.load()).parameters


def memory() -> float:
    """Bytes of memory of this machine."""
    return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")


def one_line(error: Exception) -> str:
    """What a plug-in said, on one line: each has its own errors."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
