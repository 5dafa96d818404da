"""Pixels put back into their picture, and tiles of it that share nothing."""

import numpy as np
import pytest

from qednas.base.errors import InputError
from studies.spaces.landsat import assign_tiles, pixel_positions


def neighbourhoods(picture):
    rows, columns = picture.shape[0] - 2, picture.shape[1] - 2
    around = [picture[r : r + rows, c : c + columns] for r in range(3) for c in range(3)]
    return np.stack(around, axis=2).reshape(rows * columns, -1)


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 255, size=(25, 32, 4)).astype(np.float32)


def test_shuffled_pixels_find_their_places(picture):
    x = neighbourhoods(picture)
    order = np.random.default_rng(1).permutation(len(x))
    found = pixel_positions(x[order])
    assert np.array_equal(found[:, 0] * 30 + found[:, 1], order)


def test_a_pixel_from_elsewhere_has_no_place(picture):
    stranger = np.random.default_rng(2).integers(0, 255, size=(1, 36)).astype(np.float32)
    found = pixel_positions(np.concatenate([neighbourhoods(picture), stranger]))
    assert (found[:-1] >= 0).all()
    assert (found[-1] == -1).all()


def test_overlaps_that_contradict_each_other_are_told():
    around = np.arange(36, dtype=np.float32).reshape(3, 3, 4)
    # Each is the one before moved by a pixel, and the first is the last moved so.
    circle = np.stack([around, np.roll(around, -1, 1), np.roll(around, -2, 1)]).reshape(3, -1)
    with pytest.raises(InputError, match="contradict each other"):
        pixel_positions(circle)


def test_neighbourhoods_of_different_tiles_share_no_pixel(picture):
    place = pixel_positions(neighbourhoods(picture))
    tile, inner = assign_tiles(place, 10)
    assert (
        inner.sum() == 2 * 3 * 64 + 3 * 8 * 2
    )  # of 23 x 30 pixels: whole tiles, and two rows of the ones that are cut off
    seen = {}
    for (row, column), own in zip(place[inner], tile[inner], strict=True):
        for r in range(row, row + 3):
            for c in range(column, column + 3):
                assert seen.setdefault((r, c), own) == own
