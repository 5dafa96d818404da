"""Where the pixels of the Landsat table lie, put together from neighbourhoods that overlap.

The table has every pixel with its eight neighbours, in an order that means nothing.  Two rows whose neighbourhoods agree in two
columns (or rows) of pixels, 24 numbers, lie side by side.
"""

from __future__ import annotations

from collections import defaultdict, deque

import numpy as np

from qednas.base.errors import InputError

TILE = 10  # pixels along the side of a tile
REACH = 1  # pixels that a neighbourhood reaches out


def pixel_positions(x: np.ndarray) -> np.ndarray:
    """(count, 2) row and column in the picture of each row of x (count, 36); -1 for the few that fit nowhere.

    Raises InputError where overlaps contradict each other.
    """
    near = x.reshape(len(x), 3, 3, -1)
    steps: list[list[tuple[int, int, int]]] = [[] for _ in x]  # (other row of the table, rows down, columns right)
    for ours, theirs, move in ((near[:, 1:], near[:, :-1], (1, 0)), (near[:, :, 1:], near[:, :, :-1], (0, 1))):
        known = defaultdict(list)
        for place, block in enumerate(theirs):
            known[block.tobytes()].append(place)
        for place, block in enumerate(ours):
            matches = known[block.tobytes()]
            if len(matches) == 1:  # where a field is all alike there are several: the others tell where it lies
                steps[place].append((matches[0], *move))
                steps[matches[0]].append((place, -move[0], -move[1]))
    largest = np.full((len(x), 2), -1)
    todo = set(range(len(x)))
    while todo:
        start = min(todo)
        where = {start: (0, 0)}
        waiting = deque([start])
        while waiting:
            one = waiting.popleft()
            for other, down, right in steps[one]:
                there = where[one][0] + down, where[one][1] + right
                if other not in where:
                    where[other] = there
                    waiting.append(other)
                elif where[other] != there:
                    raise InputError(f"the neighbourhoods of rows {one} and {other} contradict each other")
        todo -= set(where)
        if len(where) > (largest[:, 0] >= 0).sum():
            largest[:] = -1
            largest[list(where)] = np.array(list(where.values())) - np.min(list(where.values()), axis=0)
    return largest


def assign_tiles(place: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The tile (count,) of every pixel, and whether (count,) its neighbourhood has nothing in common with those of other tiles.

    That is so for pixels that are not at the edge of their tile; of those without a place it is never so.
    """
    within = place % side
    inner = np.all((within >= REACH) & (within < side - REACH) & (place >= 0), axis=1)
    across = place[:, 1].max() // side + 1
    return (place[:, 0] // side * across + place[:, 1] // side).clip(0), inner
