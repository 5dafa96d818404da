"""Error bars cover on fresh systems what they promise on those they were fitted on."""

import numpy as np
import pytest

from studies.ch03.calibration import fit_shares


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_the_part_that_makes_the_errors_gets_the_share(kind):
    """Laplace errors whose scale is twice one of the parts: that share is found to 15 %, the others stay small."""
    rng = np.random.default_rng(kind)
    parts = rng.uniform(0.5, 2.0, size=(4000, 3)) ** 2
    error = np.abs(rng.laplace(size=4000)) * 2 * parts[:, kind]
    shares = fit_shares(error, parts)
    assert shares[kind] == pytest.approx(2, rel=0.15)
    assert max(np.delete(shares, kind)) < 0.8


def test_shares_scale_with_the_errors():
    rng = np.random.default_rng(5)
    parts = rng.uniform(0.5, 2.0, size=(1000, 3))
    error = np.abs(rng.laplace(size=1000)) * np.sqrt((parts**2).sum(1))
    one, ten = fit_shares(error, parts), fit_shares(10 * error, parts)
    scale = [np.sqrt(((parts * s) ** 2).sum(1)).mean() for s in (one, ten)]
    assert scale[1] / scale[0] == pytest.approx(10, rel=0.2)  # the flat likelihood; quantiles set the size afterwards
