"""What every unit test is given."""

import sys

import pytest


@pytest.fixture(autouse=True)
def _no_figures_left():
    """Close what a test drew: some tests ask that nothing is open, and tests run in any order."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
