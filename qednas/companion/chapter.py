"""What a notebook needs, from one place: settings, results, figures, tables, text with numbers, verdicts."""

from __future__ import annotations

import html
import inspect
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qednas.base.errors import InputError
from qednas.base.parallel import Work, fix_threads
from qednas.companion import paths, profiles
from qednas.companion.results.result import Result
from qednas.companion.results.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMOKE_NOTE = "Smoke profile: small settings that test the machinery. **These numbers are not results.**"
FULL_NAME = re.compile(r"\d\d/")


def open_store(root: Path, profile: str, seed: int = 0) -> Store:
    """Store of a profile as the environment asks for it.

    QEDNAS_MODE=render reads the committed paper results and computes nothing; otherwise results go to the build folder
    and upstream results of the paper profile may come from the committed ones (QEDNAS_UPSTREAM=committed: first).
    """
    profiles.check_profile(profile)
    mode = os.environ.get("QEDNAS_MODE") or "run"
    if mode == "render":
        if profile != "paper":
            raise InputError(f"QEDNAS_MODE=render shows the paper profile only, not {profile!r}")
        return Store(paths.paper_results(root), mode=mode, profile=profile, seed=seed)
    return Store(
        paths.build_results(root, profile),
        fallback=paths.committed_results(root, profile),
        mode=mode,
        profile=profile,
        seed=seed,
        prefer_fallback=os.environ.get("QEDNAS_UPSTREAM") == "committed",
        recalled=paths.committed_results(root, profile) if os.environ.get("QEDNAS_TASKS") == "recall" else None,
    )


class Chapter:
    """One chapter in one profile; making it shows the chapter's header."""

    def __init__(self, number: str, *, profile: str = "smoke", seed: int = 0, root: Path | None = None):
        from qednas.companion.figures import apply_style

        self.number, self.profile, self.seed = str(number).zfill(2), profile, seed
        self.root = root or paths.project_root()
        self.store = open_store(self.root, profile, seed)
        self.info = profiles.chapter_info(self.root, self.number)
        self.settings = self.info.for_profile(profile)
        fix_threads(1)
        apply_style()
        self._show_header()

    def get_or_run(
        self,
        name: str,
        fn: Callable[..., Mapping[str, Any]],
        *,
        upstream: Sequence[str] = (),
        tolerance: str | Mapping[str, str] = "seeded",
        source_files: Sequence[Path] = (),
        block: str | None = None,
        picked: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Result:
        """Result `name` of this chapter (see `Store.get_or_run`); `seed` is passed if `fn` takes it.

        Settings come from the chapter's profile: all of a `block` ("training"; "." for the whole profile), single ones as
        `picked` says ({"systems": "space.systems"}); others are written in the notebook.
        """
        full = self._full(name)
        if not full.startswith(f"{self.number}/"):
            raise InputError(f"chapter {self.number} cannot make {name}: it belongs to another chapter")
        origins: dict[str, str] = {} if block is None else {"*": block}
        given = {} if block is None else profiles.setting_at(self.settings, block)
        if not isinstance(given, Mapping):
            raise InputError(f"{full}: block {block!r} of the settings is no mapping")
        origins |= picked or {}
        given = {**given, **{name: profiles.setting_at(self.settings, path) for name, path in (picked or {}).items()}}
        if clash := sorted(set(given) & set(settings)):
            raise InputError(f"{full}: {', '.join(clash)} is set twice, in the notebook and in the chapter's settings")
        settings = {**given, **settings}
        workers = settings.pop(profiles.WORKERS, Work().workers)
        if "seed" in inspect.signature(fn).parameters:
            settings.setdefault("seed", self.seed)
        return self.store.get_or_run(
            full,
            fn,
            upstream=[self._full(other) for other in upstream],
            tolerance=tolerance,
            source_files=source_files,
            origins=origins,
            workers=workers,
            **settings,
        )

    def read(self, name: str) -> Result:
        """A result of this chapter or, with its number ("02/dataset"), of an earlier one."""
        return self.store.read(self._full(name), asking=self._full(""))

    def figure(self, fig: Figure, name: str, *, caption: str, alt: str) -> None:
        """Show a figure with its caption and alt text and, where results are made, write it beside them."""
        import matplotlib.pyplot as plt

        from qednas.companion import figures

        if not caption.strip() or not alt.strip():
            raise InputError(f"figure {name}: a caption and an alt text, both not empty")
        if self.profile == "smoke":
            figures.watermark(fig)
        kind, content = figures.encode_figure(fig)
        plt.close(fig)  # the inline backend would show it a second time
        if self.store.mode == "run":
            figures.write_figure(self.store.root / self.number, name, kind, content)
        source, text = figures.data_address(kind, content), html.escape(alt, quote=True)
        _display(
            f'<figure class="qednas-figure" id="fig-{self.number}-{html.escape(name)}">'
            f'<img src="{source}" alt="{text}" style="background:#fff;max-width:100%">'
            f"<figcaption>{html.escape(caption, quote=False)}</figcaption></figure>",
            caption,
        )

    def table(
        self,
        rows: Sequence[Mapping[str, Any] | Sequence[Any]],
        columns: Sequence[str] | Mapping[str, str] | None = None,
        *,
        caption: str,
        formats: Mapping[str, str] | None = None,
    ) -> None:
        """Show a table. `columns` are keys (or key -> heading; default the keys of the first row), rows mappings or
        sequences in that order.

        `formats` gives a format specification per key; floats default to four digits.
        """
        if columns is None:
            columns = list(rows[0]) if rows else []
        headings = dict(columns) if isinstance(columns, Mapping) else {name: name for name in columns}
        cells = []
        for row in rows:
            if not isinstance(row, Mapping):
                if len(row) != len(headings):
                    raise InputError(f"table row {row!r}: {len(headings)} columns are {', '.join(headings)}")
                row = dict(zip(headings, row, strict=True))
            cells.append([_cell(row.get(key), (formats or {}).get(key)) for key in headings])
        _display(
            _html_table(list(headings.values()), cells, caption), _text_table(list(headings.values()), cells, caption)
        )

    def say(self, text: str, **values: Any) -> None:
        """Show Markdown text whose numbers are results: "{gap:.3g}" stands for the value `gap`."""
        from IPython.display import Markdown, display

        try:
            filled = text.format(**values)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise InputError(f"text {text[:60]!r}: {error!r} does not fit the values {', '.join(values)}") from None
        display(Markdown(filled))

    def ledger(self) -> list[dict[str, Any]]:
        """Show this chapter's rows of the claims ledger with their computed verdicts; returns them."""
        from qednas.companion.ledger import claims, ledger

        rows = claims.evaluate(self.store, self.root / "book" / "claims.yml", chapter=self.number)
        if not rows:
            self.say("No claim of the papers is judged by this chapter.")
            return rows
        shown = ledger.mark_trivial(sorted(rows, key=lambda row: row["kind"] != "paper"))
        keys = ("statement", "source", "verdict", "why")
        columns = {"id": "claim", "kind": "of", **{key: ledger.COLUMNS[key] for key in keys}}
        caption = (
            "What this chapter judges: claims of the papers, then our own questions. p is two-sided; Holm corrects the tests of "
            'a family together; "would decide" says how many in all, with a power of 0.8.'
        )
        self.table(shown, columns, caption=caption)
        return rows

    def _full(self, name: str) -> str:
        return name if FULL_NAME.match(name) else f"{self.number}/{name}"

    def _show_header(self) -> None:
        from IPython.display import Markdown, display

        from qednas.companion.results.provenance import versions

        minutes = ", ".join(f"{name} {_minutes(self.info.minutes[name])}" for name in profiles.PROFILES)
        used = ", ".join(f"{name} {version}" for name, version in versions().items())
        lines = [
            f"**Claim.** {self.info.claim}",
            f"**What you will see.** {self.info.shows}",
            f"**Needs.** {self.info.needs}",
            f"**Run time** on two cores: {minutes}. This page: {self.profile} profile, seed {self.seed}; {used}.",
        ]
        if self.profile == "smoke":
            lines.insert(0, SMOKE_NOTE)
        display(Markdown("\n\n".join(lines)))


def _minutes(minutes: float) -> str:
    return f"{minutes:.3g} min" if minutes >= 1 else f"{60 * minutes:.0f} s"


def _cell(value: Any, spec: str | None) -> str:
    if value is None:
        return ""
    if spec is None and isinstance(value, float):
        spec = ".4g"
    return format(value, spec) if spec else str(value)


def _html_table(headings: Sequence[str], cells: Sequence[Sequence[str]], caption: str) -> str:
    head = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in headings)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in cells)
    return (
        f'<table class="table qednas-table"><caption>{html.escape(caption, quote=False)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _text_table(headings: Sequence[str], cells: Sequence[Sequence[str]], caption: str) -> str:
    rows = [headings, ["---"] * len(headings), *cells]
    lines = ["| " + " | ".join(text.replace("|", "\\|") for text in row) + " |" for row in rows]
    return "\n".join([caption, "", *lines])


def _display(page: str, text: str) -> None:
    from IPython.display import display

    display({"text/html": page, "text/plain": text}, raw=True)
