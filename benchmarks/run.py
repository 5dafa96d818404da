"""`make bench`: our speed beside other packages, measured in one run on this machine; prints a table with the ratios.

The peers live in environments of their own under `_build`, made from the lists of `benchmarks/` when first needed.  Wrong
answers are a failure (status 1); times are reported, never asserted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import circuits
import qaoa
import vmc_netket

ROOT = Path(__file__).resolve().parents[1]
SITES, CHAINS = 16, 10
AGREEMENT = 1e-10  # energies (Pauli units) and probabilities
REPEATS = 5
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


def peers(variant: str = "") -> Path:
    """The Python of `_build/bench<variant>-venv`; made, or made anew, when it is not of this `requirements<variant>.txt`."""
    requirements = ROOT / "benchmarks" / f"requirements{variant}.txt"
    home = ROOT / "_build" / f"bench{variant}-venv"
    stamp, wanted = home / "requirements.sha256", hashlib.sha256(requirements.read_bytes()).hexdigest()
    python = home / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making {home.relative_to(ROOT)} (once)", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--requirement", requirements], check=True)
        stamp.write_text(wanted)  # last: an interrupted installation is made again
    return python


def with_own_packages(python: Path) -> Path:
    """Lets that Python find the packages of this environment after its own: big ones need not be installed twice."""
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    Path(found, "project.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def environment() -> dict[str, str]:
    return os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "book")))}


def run(*command, **options) -> subprocess.CompletedProcess:
    return subprocess.run([*map(str, command)], text=True, env=environment(), cwd=ROOT, **options)


def exact_diagonalisation() -> bool:
    """Ours beside QuSpin; True if the answers agree."""
    print(f"Ground state, gap and the spectra of all cuts, {SITES} spins, {CHAINS} random chains, one thread")
    script = ROOT / "benchmarks" / "ed_quspin.py"
    rows = json.loads(run(peers(), script, SITES, CHAINS, stdout=subprocess.PIPE, check=True).stdout)
    print(f"{'chain':>6} {'ours s':>8} {'QuSpin s':>9} {'ratio':>6}   {'gap':>9} {'|dE|':>8} {'max |dp|':>9}")
    for row in rows:
        s = row["seconds"]
        print(
            f"{row['seed']:6d} {s['ours']:8.3f} {s['quspin']:9.3f} {s['quspin'] / s['ours']:6.2f}   "
            f"{row['gap']:9.2e} {row['energy_difference']:8.0e} {row['spectra_difference']:9.0e}"
        )
    total = {name: sum(row["seconds"][name] for row in rows) for name in rows[0]["seconds"]}
    ratios = [row["seconds"]["quspin"] / row["seconds"]["ours"] for row in rows]
    print(
        f"   all {total['ours']:8.3f} {total['quspin']:9.3f} {total['quspin'] / total['ours']:6.2f}   "
        f"(median ratio {statistics.median(ratios):.2f}, smallest {min(ratios):.2f})"
    )
    print(
        f"       QuSpin without the second eigenpair, so without the gap that ours has: {total['quspin_k1']:.3f} s, "
        f"ratio {total['quspin_k1'] / total['ours']:.2f}"
    )
    worst = max(max(row["energy_difference"], row["spectra_difference"]) for row in rows)
    agree = worst <= AGREEMENT
    print(f"largest difference of an energy or a probability {worst:.1e}: {'equal' if agree else 'NOT EQUAL'}")
    return agree


def import_seconds() -> float:
    code = "import time; t = time.perf_counter(); import qednas, qednas.cli.commands; print(time.perf_counter() - t)"
    return statistics.median(
        float(run(sys.executable, "-c", code, stdout=subprocess.PIPE).stdout) for _ in range(REPEATS)
    )


def predict_seconds() -> tuple[float, str]:
    """Median time from starting the command to its end, and what it complained about (empty if nothing)."""
    seconds, complaint = [], ""
    command = (
        sys.executable,
        "-m",
        "qednas.cli.commands",
        "predict",
        "xxz",
        "--sites",
        "100",
        "-p",
        "delta=0.5",
        "--json",
    )
    for _ in range(REPEATS):
        start = time.perf_counter()
        done = run(*command, capture_output=True)
        seconds.append(time.perf_counter() - start)
        complaint = done.stderr.strip() if done.returncode else complaint
    return statistics.median(seconds), complaint


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=("exact", "vmc", "circuits", "qaoa", "start"), help="one part instead of all")
    parser.add_argument("--seconds", type=float, default=75, help="wall time of each side of a race (default 75)")
    parser.add_argument("--seeds", type=int, default=3, help="how many races (default 3)")
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    good = True
    if given.only in (None, "exact"):
        print()
        good &= exact_diagonalisation()
    if given.only in (None, "vmc"):
        print(flush=True)
        pythons = {"ours": sys.executable, "netket": peers("-vmc")}
        good &= vmc_netket.compare(pythons, environment(), given.seconds, given.seeds)
    if given.only in (None, "circuits"):
        print(flush=True)
        theirs = with_own_packages(peers("-circuits"))
        pythons = {"ours": sys.executable, "pennylane": sys.executable, "torchquantum": theirs, "tensorcircuit": theirs}
        good &= circuits.compare(pythons, environment())
    if given.only in (None, "qaoa"):
        print(flush=True)
        pythons = {"ours": sys.executable, "pennylane": sys.executable, "qokit": peers("-qaoa")}
        good &= qaoa.compare(pythons, environment())
    if given.only in (None, "start"):
        print(f"\nimport qednas, qednas.cli.commands             {import_seconds():6.3f} s (median of {REPEATS})")
        seconds, complaint = predict_seconds()
        print(f"qednas predict, 100 sites, start to end {seconds:4.2f} s (median of {REPEATS}) {complaint}")
        good &= not complaint
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"bench: {' '.join(map(str, error.cmd[:4]))} ... ended with status {error.returncode}")
    except KeyboardInterrupt:
        sys.exit(130)
