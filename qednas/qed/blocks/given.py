"""What is known of a ground state without solving it, and given to every network alike."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Given:
    """What is known of a ground state without solving it.

    pattern: sites whose spins carry the sign of Marshall.  positive: behind it amplitudes are positive, or nearly all of them.
    even: turning all spins over changes nothing.  magnetisation: sum Z, where it is conserved.  images: permutations of the
    sites (group, sites) under which H stays as it is, the identity included.
    """

    sites: int
    pattern: tuple[bool, ...]
    positive: bool
    even: bool
    magnetisation: int | None
    images: tuple[tuple[int, ...], ...]

    @property
    def is_ring(self) -> bool:
        """Whether every site is the image of every other."""
        return len({g[0] for g in self.images}) == self.sites

    @property
    def group(self) -> torch.Tensor:
        return torch.tensor(self.images)
