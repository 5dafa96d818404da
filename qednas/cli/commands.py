"""The ``qednas`` command.  Results go to stdout (one JSON object with --json), progress to stderr; a user's mistake is
one line and status 2, Ctrl-C is status 130."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qednas import __version__
from qednas.base.errors import InputError, NumericalError
from qednas.cli import answers


class Parser(argparse.ArgumentParser):
    """argparse whose errors are one line, like every other error of this command."""

    def error(self, message: str):
        raise InputError(f"{message} (see `{self.prog} --help`)")


def parameters(pairs: list[str]) -> dict[str, str]:
    """``["h=1", ...]`` as a dictionary; values stay text until the family checks them."""
    out: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InputError(f"-p {pair}: need name=value")
        if name in out:
            raise InputError(f"-p {name} is given twice")
        out[name] = value
    return out


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run_reference(args) -> Mapping[str, Any]:
    from qednas.physics.reference import reference
    from qednas.physics.system_file import system

    hamiltonian = system(args.system, args.sites, parameters(args.parameter))
    return reference(hamiltonian, args.method, chi_max=args.chi, progress=progress)


def run_predict(args) -> Mapping[str, Any]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # matrices this small are slower on several threads

    from qednas.physics.system_file import system
    from qednas.qed.predictor.predict import predict

    return predict(system(args.system, args.sites, parameters(args.parameter)), refine=args.refine)


def run_search(args) -> Mapping[str, Any]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

    from qednas.physics.system_file import system
    from qednas.qed.search.search import search

    hamiltonian = system(args.system, args.sites, parameters(args.parameter))
    blocks = None if args.blocks is None else [name.strip() for name in args.blocks.split(",") if name.strip()]
    return search(
        hamiltonian,
        number(args.seconds, "seconds"),
        seed=integer(args.seed, "seed"),
        blocks=blocks,
        budget=None if args.parameters is None else integer(args.parameters, "parameters"),
        folder=args.out,
        progress=progress,
    )


def run_diffqas(args) -> Mapping[str, Any]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

    from qednas.base.progress import at_most_every
    from qednas.circuits.devices import memory
    from qednas.data.images import image_sets
    from qednas.data.series import SERIES
    from qednas.diffqas.simulator import MOST_QUBITS
    from qednas.diffqas.tasks.classify import HIDDEN, classify
    from qednas.diffqas.tasks.forecast import forecast

    def report(step: int, total: int, text: str) -> None:
        progress(f"step {step} of {total}, {text}")

    from_file = Path(args.dataset).is_file()
    if args.dataset not in (*image_sets(), *SERIES) and not from_file:
        known = ", ".join((*image_sets(), *SERIES))
        raise InputError(f"data set {args.dataset!r}: one of {known}, or a file with a number in each line")
    depth, epochs = integer(args.depth, "depth"), integer(args.epochs, "epochs")
    shots = None if args.shots is None else integer(args.shots, "shots")
    if shots is not None and (need := 8 * MOST_QUBITS * shots) > memory():
        raise InputError(
            f"--shots {shots}: samples take up to {need / 1e9:.3g} GB, this machine has {memory() / 1e9:.3g} GB"
        )
    common = {
        "seed": integer(args.seed, "seed"),
        "folder": args.out,
        "device": args.device,
        "shots": shots,
        "progress": at_most_every(5.0, report),
    }
    if args.dataset in SERIES or from_file:
        for name, value in (("classes", args.classes), ("hidden", args.hidden)):
            if value is not None:
                raise InputError(f"--{name} {value}: {args.dataset} is a series, which has none")
        return forecast(args.dataset, depth, epochs, **common)
    hidden = HIDDEN if args.hidden is None else [integer(size.strip(), "hidden") for size in args.hidden.split(",")]
    return classify(args.dataset, args.classes or "all", depth, epochs, hidden=hidden, **common)


def run_nas(args) -> Mapping[str, Any]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

    from qednas.base.progress import every
    from qednas.qnas.table_search import search_table

    evaluations, seed = integer(args.evaluations, "evaluations"), integer(args.seed, "seed")
    return search_table(args.table, args.method, evaluations, seed, args.out, every(5.0, "evaluations"))


def number(text: str, name: str) -> float:
    """A number that is not negative.  Raises InputError that names the option."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value < float("inf"):
        raise InputError(f"--{name} {text}: a number, not negative")
    return value


def integer(text: str, name: str) -> int:
    """A whole number that is not negative.  Raises InputError that names the option."""
    if not (text.isascii() and text.isdigit()):
        raise InputError(f"--{name} {text}: a whole number, not negative")
    return int(text)


def run_claims(args) -> Mapping[str, Any]:
    from qednas.companion import paths
    from qednas.companion.ledger import claims
    from qednas.companion.results.store import Store

    root = paths.project_root()
    store = Store(paths.paper_results(root), mode="render", profile="paper")
    return {"claims": claims.evaluate(store, root / "book" / "claims.yml")}


def run_status(args) -> Mapping[str, Any]:
    from qednas.companion.paths import project_root
    from qednas.companion.results.status import collect

    return {"results": collect(project_root())}


def parser() -> Parser:
    top = Parser(prog="qednas", description="Architecture search with quantum ideas, measured.")
    top.add_argument("--version", action="version", version=f"qednas {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable, show: Callable, text: str) -> Parser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--json", action="store_true", help="print one JSON object on stdout")
        sub.set_defaults(run=run, show=show)
        return sub

    sub = command(
        "reference", run_reference, answers.reference, "ground state by exact diagonalisation, free fermions or DMRG"
    )
    take_system(sub)
    sub.add_argument("--method", default="auto", help="auto, ed, free-fermion or dmrg")
    sub.add_argument("--chi", type=int, default=256, help="largest DMRG bond dimension (default 256)")
    text = "entanglement predicted from the couplings by the shipped predictor"
    sub = command("predict", run_predict, answers.predict, text)
    take_system(sub)
    sub.add_argument("--refine", action="store_true", help="correct it by exact results at 10-14 sites (seconds)")
    text = "find and train a network for a ground state, from its predicted entanglement"
    take_search(command("search", run_search, answers.search, text))
    text = "search the circuit that generates the weights of a network"
    take_training(command("diffqas", run_diffqas, answers.diffqas, text))
    take_table(command("nas", run_nas, answers.nas, "search a table of evaluated architectures"))
    command("claims", run_claims, answers.claims, "every claim of the papers with its measured verdict")
    command("status", run_status, answers.status, "which stored results are fresh, stale or corrupt, and why")
    return top


def take_system(sub: Parser) -> None:
    sub.add_argument("system", metavar="SYSTEM", help="a family (tfim, xxz, ...) or a YAML file")
    sub.add_argument("--sites", required=True, help="number of spins")
    sub.add_argument(
        "-p", dest="parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the family"
    )


def take_seed(sub: Parser) -> None:
    sub.add_argument("--seed", default="0", metavar="K", help="of all random numbers (default 0)")


def take_search(sub: Parser) -> None:
    take_system(sub)
    sub.add_argument(
        "--seconds", default="120", metavar="S", help="time for everything, training included (default 120)"
    )
    take_seed(sub)
    sub.add_argument(
        "--blocks", metavar="A,B", help="kinds of blocks to choose from: jastrow, rbm, mps, dense, attention"
    )
    sub.add_argument("--parameters", metavar="P", help="most parameters of the network (default 40 per site)")
    sub.add_argument("--out", metavar="DIR", help="folder for the network; an interrupted search goes on from there")


def take_training(sub: Parser) -> None:
    sub.add_argument(
        "--dataset",
        required=True,
        help="images: mnist, fashion-mnist, cifar10 or digits; series: bessel, damped-pendulum, delayed-control, narma5, "
        "narma10, or a file with a number in each line (of several, the last one counts)",
    )
    sub.add_argument("--classes", metavar="A,B", help="which classes, or all (default)")
    sub.add_argument("--depth", default="15", metavar="M", help="layers of every circuit (default 15)")
    sub.add_argument("--epochs", default="5", metavar="E", help="passes through the training data (default 5)")
    take_seed(sub)
    sub.add_argument("--hidden", metavar="A,B", help="units of the hidden layers of the classifier (default 128,64)")
    sub.add_argument(
        "--device",
        metavar="NAME",
        help="run every circuit on this PennyLane device, such as default.mixed or lightning.qubit: for small networks, as in "
        "--dataset digits --hidden 4 (default: the exact simulator of this package)",
    )
    sub.add_argument("--shots", metavar="K", help="samples a circuit on the device (default: exact probabilities)")
    sub.add_argument(
        "--out",
        metavar="DIR",
        help="folder for the trained network, which needs no quantum simulator: weights.safetensors, network.onnx, network.json",
    )


def take_table(sub: Parser) -> None:
    sub.add_argument("table", metavar="TABLE.csv", help="columns of choices, then `score` (higher is better)")
    sub.add_argument(
        "--method",
        required=True,
        help="qaoa, vqe, grover, annealing, simulated-annealing, surrogate, uniform (these fit a surrogate), evolution, local, "
        "reinforce, tpe or random",
    )
    sub.add_argument("--evaluations", required=True, metavar="E", help="rows to look at")
    take_seed(sub)
    sub.add_argument("--out", metavar="FILE", help="file that keeps the state; an interrupted search goes on from it")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    try:
        args = parser().parse_args(argv)
        out = args.run(args)
        text = json.dumps(out, allow_nan=False) if args.json else "\n".join(args.show(out))
        return answer(text)
    except (InputError, NumericalError) as error:
        print(f"qednas: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("qednas: interrupted", file=sys.stderr)
        return 130


def answer(text: str) -> int:
    """Print the result.  Raises InputError when it cannot be written; a reader that went away is status 1."""
    try:
        print(text, flush=True)
        return 0
    except OSError as error:
        # what is left in the buffer of stdout must not fail again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 1
        raise InputError(f"the answer cannot be written: {error.strerror}") from None
