"""The sides of a comparison, each a process of its own, as packages live in different environments.

A side answers requests, one JSON object a line, until its input ends; all of them are pinned to the same single core.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def serve(make: Callable[[], object]) -> None:
    """Answer requests {"do": method, ...arguments} with {"answer": ..., "memory": peak in MB}."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # packages talk
    side = make()
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(side, request.pop("do"))(**request)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"answer": answer, "memory": memory}), file=out, flush=True)


class Side:
    """A script that serves, to be used in a with statement.  ``memory``: its peak so far in MB."""

    def __init__(self, python: Path | str, script: Path | str, *arguments: str, environment: dict[str, str]):
        command = [str(python), "-W", "ignore", str(script), *arguments]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.memory = 0.0

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()  # it only waits for the next request
        self.process.wait()

    def ask(self, do: str, **given):
        try:
            self.process.stdin.write(json.dumps({"do": do, **given}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            raise subprocess.CalledProcessError(self.process.wait(), self.process.args)
        reply = json.loads(line)
        self.memory = reply["memory"]
        return reply["answer"]
