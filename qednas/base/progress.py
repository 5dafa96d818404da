"""Progress as plain lines on stderr: readable in a terminal, in a log and in an executed notebook alike."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

Progress = Callable[[int, int, str], None]


def note(line: str) -> None:
    """One line on stderr, now."""
    print(line, file=sys.stderr, flush=True)


def every(seconds: float, label: str) -> Progress:
    """`progress(done, total, text)` that prints at most one line per `seconds`, with the time left by extrapolation."""
    start = last = time.monotonic()
    first: int | None = None

    def progress(done: int, total: int, text: str = "") -> None:
        nonlocal last, first
        now = time.monotonic()
        if first is None:
            first = done  # what was resumed took no time: it must not enter the estimate
        if now - last < seconds:
            return
        last = now
        left = f", ~{(now - start) / (done - first) * (total - done):.0f} s left" if done > first else ""
        note(f"{label}: {done}/{total} {text}".rstrip() + left)

    return progress


def at_most_every(seconds: float, report: Progress) -> Progress:
    """``report``, called at most once in so many seconds."""
    last = -math.inf

    def limited(done: int, total: int, text: str) -> None:
        nonlocal last
        if (now := time.perf_counter()) - last >= seconds:
            last = now
            report(done, total, text)

    return limited
