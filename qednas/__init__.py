"""QED-NAS companion: architecture searches over quantum systems, measured claim by claim.

Kept light on purpose: nothing is imported here until it is asked for, so that the command line starts quickly and so that
an edit to one wing never touches the result keys of another (see `companion.provenance`).
"""

from importlib import import_module

__version__ = "0.1.0"
OFFERED = ("families", "predict", "search")


def __getattr__(name: str):
    """What the package offers at the top is imported when it is asked for."""
    if name in OFFERED:
        return getattr(import_module("qednas.api"), name)
    raise AttributeError(f"module 'qednas' has no attribute {name!r}")
