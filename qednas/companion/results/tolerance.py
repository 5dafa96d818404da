"""Tolerance classes: how far a value of a rerun may be from the stored one, by what kind of value it is."""

from __future__ import annotations

from collections.abc import Mapping

from qednas.companion.results.result import MEASURED_TIME

LIMITS = {"exact": 1e-12, "converged": 1e-8, "seeded": 1e-6}  # |new - old| / max(1, |old|)


def tolerance_class(tolerance: str | Mapping[str, str], path: str) -> str:
    """Class of the value at a dotted path: the longest prefix in `tolerance` counts, "*" in it stands for any one part, and "*"
    alone is the default.

    Measured times ("timing", "seconds", "..._seconds") are of the class timing without saying so."""
    parts = path.split(".")
    if any(MEASURED_TIME.fullmatch(part) for part in parts):
        return "timing"
    if isinstance(tolerance, str):
        return tolerance
    best, chosen = 0, tolerance.get("*", "seeded")
    for pattern, kind in tolerance.items():
        wanted = pattern.split(".")
        if pattern != "*" and best < len(wanted) <= len(parts):
            if all(want in ("*", part) for want, part in zip(wanted, parts, strict=False)):
                best, chosen = len(wanted), kind
    return chosen
