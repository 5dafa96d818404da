"""What may be asked for next: listed row by row where that is possible, drawn and checked where the space is too large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from qednas.qnas.space.interfaces import Candidates
from qednas.qnas.space.space import Space

DRAWS = 200  # rounds of drawing in a space that cannot be listed before it counts as exhausted


@dataclass(frozen=True)
class Listing:
    """Configurations (rows, columns), all different, that can be evaluated: a table's, or all of a space within its limits."""

    space: Space
    digits: np.ndarray

    @cached_property
    def places(self) -> dict[bytes, int]:
        """Row of every configuration, by its bytes."""
        return {row.tobytes(): place for place, row in enumerate(self.digits.astype(np.int64))}

    def rows(self, digits: np.ndarray) -> np.ndarray:
        """(n,) rows of configurations (n, columns); -1 where there is none."""
        return np.array(
            [self.places.get(row.tobytes(), -1) for row in np.asarray(digits, dtype=np.int64)], dtype=np.int64
        )

    def candidates(self, taken: Sequence[np.ndarray] | np.ndarray) -> Candidates:
        """What is left when the configurations ``taken`` are."""
        free = np.ones(len(self.digits), dtype=bool)
        if len(taken):
            rows = self.rows(np.asarray(taken))
            free[rows[rows >= 0]] = False

        def allowed(digits: np.ndarray) -> np.ndarray:
            rows = self.rows(digits)
            return (rows >= 0) & free[rows]

        def draw(count: int, rng: np.random.Generator) -> np.ndarray:
            left = np.flatnonzero(free)
            return self.digits[rng.choice(left, size=min(count, len(left)), replace=False)]

        return Candidates(self.space, allowed, draw, lambda: self.digits[free])


@dataclass(frozen=True)
class Unlisted:
    """A space too large to list.  within: digits (n, columns) -> mask (n,) of those inside every hard limit."""

    space: Space
    within: Callable[[np.ndarray], np.ndarray]

    def candidates(self, taken: Sequence[np.ndarray] | np.ndarray) -> Candidates:
        """What is left when the configurations ``taken`` are."""
        keys = {np.asarray(row, dtype=np.int64).tobytes() for row in taken}

        def allowed(digits: np.ndarray) -> np.ndarray:
            digits = np.asarray(digits, dtype=np.int64)
            fresh = np.array([row.tobytes() not in keys for row in digits], dtype=bool)
            fresh[fresh] = self.within(digits[fresh])
            return fresh

        def draw(count: int, rng: np.random.Generator) -> np.ndarray:
            chosen: dict[bytes, np.ndarray] = {}
            for _ in range(DRAWS):
                drawn = self.space.draw(max(16, count), rng)
                for row in drawn[allowed(drawn)]:
                    chosen.setdefault(row.tobytes(), row)
                if len(chosen) >= count:
                    break
            return np.array(list(chosen.values())[:count], dtype=np.int64).reshape(-1, len(self.space.sizes))

        return Candidates(self.space, allowed, draw, None)
