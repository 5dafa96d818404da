"""What all tests share: one thread, and property tests that take the same examples every time."""

import os
import signal

# A job that a script puts into the background inherits "ignore Ctrl-C", and so would the programs that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("MPLBACKEND", "agg")

from hypothesis import settings  # noqa: E402

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
