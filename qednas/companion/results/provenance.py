"""Where a number comes from: which sources, which versions, which machine."""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import resource
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from qednas.base.errors import InputError

PACKAGE, STUDIES = "qednas", "studies"  # the studies lie in book/, and are there in a checkout only
RECORDED = {"numpy": "numpy", "scipy": "scipy", "torch": "torch", "tenpy": "physics-tenpy", "pennylane": "pennylane"}
# Libraries that compute numbers, {module: distribution}: the versions of those that a task's modules import are in its key.
NUMERIC = RECORDED | {
    "numba": "numba",
    "sklearn": "scikit-learn",
    "mitiq": "mitiq",
    "optuna": "optuna",
    "dimod": "dimod",
    "dwave": "dwave-samplers",
    "minigrid": "minigrid",
    "onnxruntime": "onnxruntime",
    "qiskit": "qiskit",
    "qiskit_aer": "qiskit-aer",
    "qiskit_ibm_runtime": "qiskit-ibm-runtime",
}
COMPANION = f"{PACKAGE}.companion"
# How tasks are declared, shared out and written down: none of it changes a number; versions count through the key.
MACHINERY = frozenset(
    f"{PACKAGE}.base.{name}" for name in ("files", "locks", "parallel", "progress", "recording", "task")
)
SHORT = 12  # characters of a hash of one module
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def function_name(fn: Callable[..., Any]) -> str:
    """ "module:qualname" of a function that the store can key.

    Raises InputError for what has no source file of its own or hides values in a closure: neither would be in the key.
    """
    module, name = getattr(fn, "__module__", None), getattr(fn, "__qualname__", None)
    if not module or not name or not hasattr(fn, "__code__"):
        raise InputError(f"the store runs plain functions of a module, not {fn!r} (give values as settings)")
    if module == "__main__":
        raise InputError(f"the store runs functions of a module; move {name} from the notebook into {PACKAGE}/")
    if fn.__closure__:
        raise InputError(f"{module}.{name} closes over local values, which no key can see: pass them as settings")
    return f"{module}:{name}"


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and body:
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                if isinstance(first.value.value, str):
                    node.body = body[1:]
    return tree


def _imports(tree: ast.Module, module: str, is_package: bool) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
                base = ".".join([*parts, base] if base else parts)
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
    return names


@lru_cache(maxsize=4096)
def _parsed(path: str, _mtime: int, _size: int, module: str) -> tuple[str, frozenset[str]]:
    source = Path(path).read_bytes()
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise InputError(f"{path}, line {error.lineno}: {error.msg}") from None
    imports = _imports(tree, module, Path(path).name == "__init__.py")
    code = ast.dump(_without_docstrings(tree))  # comments, docstrings and layout do not change a result
    return hashlib.sha256(code.encode()).hexdigest(), frozenset(imports)


def source_file(module: str, folder: Path) -> Path | None:
    """File of `module` where its top-level package lies in `folder`; None if there is no such module."""
    base = folder.joinpath(*module.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def _read(module: str, path: Path) -> tuple[str, frozenset[str]]:
    state = path.stat()
    return _parsed(str(path), state.st_mtime_ns, state.st_size, module)


def closure(
    start: set[str], folders: dict[str, Path], left_out: Callable[[str], bool] = lambda module: False
) -> tuple[dict[str, str], set[str]]:
    """Hashes of `start` and of every module they import, directly or not, inside the packages of `folders`; and the top-level
    packages that they import from elsewhere.

    Modules for which `left_out` is true do not count, and neither does what only they import.

    `folders` maps a top-level package to the folder that holds it. Sub-package __init__ files count; the top one does
    not: it holds the version alone, and a new version number changes no result.
    """
    hashes: dict[str, str] = {}
    outside: set[str] = set()
    waiting = sorted(start)
    while waiting:
        module = waiting.pop()
        top = module.split(".")[0]
        if top not in folders:
            outside.add(top)
            continue
        if module in hashes or module == PACKAGE or left_out(module):
            continue
        path = source_file(module, folders[top])
        if path is None:
            continue
        hashes[module], imports = _read(module, path)
        for name in imports:
            parts = name.split(".")
            waiting.extend(".".join(parts[:k]) for k in range(1, len(parts) + 1))
        parents = module.split(".")[:-1]
        waiting.extend(".".join(parents[:k]) for k in range(1, len(parents) + 1))
    return dict(sorted(hashes.items())), outside


def is_machinery(module: str) -> bool:
    """Whether a module says how tasks are declared, shared out and kept, which changes no number; preparing data does."""
    return module in MACHINERY or module == COMPANION or module.startswith(f"{COMPANION}.")


def package_folders() -> dict[str, Path]:
    """Folders that hold the package and the studies of the book's chapters."""
    root = Path(__file__).resolve().parents[3]
    return {PACKAGE: root, STUDIES: root / "book"}


def code_behind(module: str) -> tuple[dict[str, str], dict[str, str]]:
    """Hashes of the sources behind `module`, itself and what it imports from its own package, qednas and the studies, and the
    versions of the numerical libraries that these import.

    The companion itself does not count (:func:`is_machinery`).
    """
    top = module.split(".")[0]
    folders = package_folders()
    if top not in folders:
        loaded = sys.modules.get(module)
        file = getattr(loaded, "__file__", None)
        if file is None:
            raise InputError(f"module {module} has no source file, so no result can be keyed by it")
        depth = len(module.split(".")) + (1 if Path(file).name == "__init__.py" else 0)
        folders[top] = Path(file).resolve().parents[depth - 1]
    hashes, outside = closure({module}, folders, is_machinery)
    used = sorted({"numpy", *(outside & set(NUMERIC))})
    return {name: digest[:SHORT] for name, digest in hashes.items()}, {NUMERIC[name]: version_of(name) for name in used}


@lru_cache(maxsize=64)
def version_of(module: str) -> str:
    """Version of the distribution that holds a numerical library."""
    try:
        return metadata.version(NUMERIC[module])
    except metadata.PackageNotFoundError:
        return "not installed"


def notebook_modules(sources: Iterable[str]) -> dict[str, str]:
    """Hashes of the modules of the package and the studies behind a notebook, from the sources of its code cells."""
    names: set[str] = set()
    for source in sources:
        try:
            imported = _imports(ast.parse(source), "", False)
        except SyntaxError:  # a cell with magics: its text is in the chapter's key anyway
            continue
        for name in imported:
            parts = name.split(".")
            names.update(".".join(parts[:k]) for k in range(1, len(parts) + 1))
    return closure(names, package_folders())[0]


def versions() -> dict[str, str]:
    """Versions of Python, the package and of those numerical libraries that are in use in this process."""
    from qednas import __version__

    table = {"python": ".".join(map(str, sys.version_info[:3])), PACKAGE: __version__}
    for name in RECORDED:
        if name in sys.modules:
            table[name] = version_of(name)
    return table


def processor() -> str:
    """Kind of processor as far as it changes rounding: its maker, and the kernels that numerical libraries chose for it.

    Results of the same code, seed and threads agree to the last digits on one kind, and only statistically between kinds.
    """
    import numpy  # noqa: F401  (its BLAS must be loaded to be asked)
    from threadpoolctl import threadpool_info

    about: dict[str, str] = {}
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            about.setdefault(name.strip(), value.strip())
    vectors = {"avx512f", "avx2"} & set(about.get("flags", "").split())
    wide = "avx512f" in vectors and os.environ.get("ATEN_CPU_CAPABILITY") != "avx2"
    kernels = sorted({str(pool["architecture"]) for pool in threadpool_info() if pool.get("architecture")})
    level = "AVX-512" if wide else "AVX2" if vectors else "no AVX2"
    return ", ".join(
        [platform.machine(), about.get("vendor_id", "unknown"), level, *(f"OpenBLAS {k}" for k in kernels)]
    )


def threads() -> dict[str, Any]:
    """Thread limits in force: they can change the last digits."""
    limits: dict[str, Any] = {name: os.environ[name] for name in THREADS if name in os.environ}
    if "torch" in sys.modules:
        limits["torch"] = sys.modules["torch"].get_num_threads()
    return limits


def peak_memory_mb() -> float:
    """Largest resident memory so far of this process or of one of its finished children, in MB (Linux: kB counted)."""
    kilobytes = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(kilobytes / 1024, 1)


def today() -> str:
    """UTC date."""
    return datetime.now(UTC).date().isoformat()
