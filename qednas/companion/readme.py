"""The parts of README.md that show results, written from results/paper between their markers, never by hand.

What is shown stands in ``book/readme.yml``; only stored values get into it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qednas.base.errors import InputError
from qednas.base.files import write_atomic
from qednas.base.progress import note
from qednas.companion import paths, profiles
from qednas.companion.ledger import claims
from qednas.companion.ledger.ledger import score
from qednas.companion.results.store import Store, load, names
from qednas.companion.results.tolerance import tolerance_class

PLACE = re.compile(r"\{([^{}]*)\}")  # {result | key | format} or {result | key | how | format}
CHANGES: Mapping[str, Callable[[Any], Any]] = {"exp": math.exp, "count": len}


def contents(root: Path) -> dict[str, Any]:
    """``book/readme.yml``: figures, expected, found.  Raises InputError where a part is missing."""
    path = root / "book" / "readme.yml"
    content = profiles.read_yaml(path)
    if not isinstance(content, dict) or not {"figures", "expected", "found"} <= set(content):
        raise InputError(f"{path}: figures, expected and found are needed")
    return content


def places(text: str) -> list[tuple[str, str]]:
    """(result, key) of every stored value that a text shows."""
    return [(parts[0], parts[1]) for parts in map(split_place, PLACE.findall(text))]


def split_place(place: str) -> list[str]:
    """[result, key, format] or [result, key, how, format].  Raises InputError for anything else."""
    parts = [part.strip() for part in place.split("|")]
    if len(parts) not in (3, 4) or not all(parts):
        raise InputError(f"book/readme.yml: {{{place}}} is not {{result | key | format}}")
    return parts


def format_place(committed: Path, place: str) -> str:
    """A stored value as the README shows it.  Raises InputError for one that is not there or does not fit its format."""
    name, key, *how, form = split_place(place)
    try:
        value = load(committed, name).at(key)
        for change in how:
            value = CHANGES[change](value) if change in CHANGES else float(change) * value
        return format(value, form)
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"book/readme.yml: {{{place}}}: {error}") from None


def with_values(committed: Path, text: str) -> str:
    """A text with its stored values in place."""
    return PLACE.sub(lambda match: format_place(committed, match[1]), text)


def shown_values(root: Path) -> list[tuple[str, str]]:
    """(result, key) of every stored value in the README, each once."""
    content = contents(root)
    texts = [content["found"], *(row["value"] for row in content["expected"])]
    return list(dict.fromkeys(place for text in texts for place in places(text)))


def findings(root: Path) -> str:
    """What was found, a paragraph of numbers from the results for every paper, and the count of verdicts."""
    committed = paths.paper_results(root)
    rows = claims.evaluate(Store(committed, mode="render", profile="paper"), root / "book" / "claims.yml")
    text = with_values(committed, contents(root)["found"]).strip()
    return f"{text}\n\nVerdicts: {score(rows)}; what is true or false by construction is not counted."


def expected_values(root: Path) -> str:
    """The table of expected values, with tolerance class and the seconds each result took."""
    committed = paths.paper_results(root)
    lines = ["| result file | what | expected | tolerance | seconds |", "|---|---|---|---|---|"]
    for row in contents(root)["expected"]:
        ((name, key),) = places(row["value"])
        result = load(committed, name)
        kind, seconds = tolerance_class(result.tolerance, key), result.provenance["seconds"]
        value = with_values(committed, row["value"])
        lines.append(f"| `results/paper/{name}.json` | {row['what']} | {value} | {kind} | {seconds:.0f} |")
    return "\n".join(lines)


def run_times(root: Path) -> str:
    """Measured time and memory of each chapter of the paper profile."""
    committed = paths.paper_results(root)
    lines = ["| chapter | seconds measured | peak memory (MB) |", "|---|---|---|"]
    for number in profiles.chapters(root):
        results = [load(committed, name) for name in names(committed) if name.startswith(f"{number}/")]
        if results:
            seconds = sum(result.provenance["seconds"] for result in results)
            memory = max(result.provenance["peak_memory_mb"] for result in results)
            lines.append(f"| {number} {profiles.chapter_info(root, number).title} | {seconds:.0f} | {memory:.0f} |")
    return "\n".join(lines)


def figures(root: Path) -> str:
    """The best figures, from the files beside their results."""
    out = []
    for row in contents(root)["figures"]:
        folder, name = row["figure"].split("/")
        files = [
            p for p in sorted((paths.paper_results(root) / folder).glob(f"{name}.*")) if p.suffix in (".svg", ".png")
        ]
        if not files:
            raise InputError(f"README shows figure {folder}/{name}, which results/paper does not have")
        out.append(f"![{row['alt']}]({files[0].relative_to(root).as_posix()})")
    return "\n\n".join(out)


SECTIONS: Mapping[str, Callable[[Path], str]] = {
    "found": findings,
    "profiles": run_times,
    "targets": expected_values,
    "figures": figures,
}


def fill_blocks(root: Path, text: str) -> str:
    """README text with every `<!-- results:NAME -->` ... `<!-- /results:NAME -->` block written anew.

    Raises InputError for a block without its end or with an unknown name.
    """
    for name in re.findall(r"<!-- results:(\w+) -->", text):
        if name not in SECTIONS:
            raise InputError(f"README.md: unknown block results:{name}; there are {', '.join(SECTIONS)}")
        block = re.compile(rf"<!-- results:{name} -->.*?<!-- /results:{name} -->", re.DOTALL)
        if not block.search(text):
            raise InputError(f"README.md: block results:{name} has no end")
        body = f"<!-- results:{name} -->\n{SECTIONS[name](root)}\n<!-- /results:{name} -->"
        text = block.sub(body.replace("\\", r"\\"), text)
    return text


def write(root: Path) -> None:
    """Bring README.md up to the committed results, once every result that it shows has been accepted."""
    known = set(names(paths.paper_results(root)))
    if missing := sorted({name for name, _ in shown_values(root)} - known):
        note(f"README.md stays as it is until {', '.join(missing)} is accepted")
        return
    path = root / "README.md"
    write_atomic(path, fill_blocks(root, path.read_text(encoding="utf-8")).encode())
