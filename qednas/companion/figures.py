"""One look for every figure, and files that are byte for byte the same when the numbers are."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qednas.base.errors import InputError
from qednas.base.files import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito, "Color universal design" (2008): eight colours told apart with every kind of colour vision; yellow
# last, it is weak on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")
MAP = "viridis"  # perceptually even, also in grey
WIDTH = 6.4  # inches, the book's text column
SVG_LIMIT = 300_000  # bytes; above it (large scatter plots, maps) PNG is the smaller file
PNG_DPI = 150
WATERMARK = "SMOKE - not a result"


def apply_style() -> None:
    """Set the style for every figure made from now on in this process."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "figure.figsize": (WIDTH, 3.9),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            # Opaque white also in a dark theme: transparent axes lose their black labels there.
            "figure.facecolor": "white",
            "axes.facecolor": "white",
            "savefig.facecolor": "white",
            "savefig.transparent": False,
            "axes.prop_cycle": cycler(color=COLOURS),
            "image.cmap": MAP,
            "font.size": 10,
            "axes.titlesize": 10.5,
            "axes.labelsize": 10,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "legend.fontsize": 9,
            "legend.frameon": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": "#dddddd",
            "grid.linewidth": 0.6,
            "axes.axisbelow": True,
            "lines.linewidth": 1.6,
            "lines.markersize": 5,
            "errorbar.capsize": 2.5,
            "svg.hashsalt": "qednas",  # element ids would be random otherwise
            "svg.fonttype": "path",  # looks the same without the reader's fonts
        }
    )


def watermark(fig: Figure) -> None:
    """Mark a figure of the smoke profile so that it cannot be taken for a result (once)."""
    if any(text.get_text() == WATERMARK for text in fig.texts):
        return
    look: dict[str, Any] = {"ha": "center", "va": "center", "rotation": 25}
    look |= {"fontsize": 26, "color": "#888888", "alpha": 0.35}
    fig.text(0.5, 0.5, WATERMARK, zorder=1000, **look)


def encode_figure(fig: Figure) -> tuple[str, bytes]:
    """("svg" or "png", file content) of a figure: SVG unless that is over SVG_LIMIT and the PNG is smaller."""
    svg = _file_bytes(fig, format="svg", metadata={"Date": None, "Creator": None})
    if len(svg) <= SVG_LIMIT:
        return "svg", svg
    png = _file_bytes(fig, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return ("png", png) if len(png) < len(svg) else ("svg", svg)


def _file_bytes(fig: Figure, **how: Any) -> bytes:
    import matplotlib as mpl

    buffer = BytesIO()
    with mpl.rc_context({"svg.hashsalt": "qednas", "savefig.facecolor": "white"}):
        fig.savefig(buffer, **how)
    return buffer.getvalue()


def write_figure(folder: Path, name: str, kind: str, content: bytes) -> Path:
    """Write `<folder>/<name>.<kind>` and drop the other kind, left by an earlier version of the figure."""
    if not name.replace("_", "").replace("-", "").isalnum():
        raise InputError(f"figure name {name!r}: letters, digits, _ and - only")
    path = folder / f"{name}.{kind}"
    write_atomic(path, content)
    (folder / f"{name}.{'png' if kind == 'svg' else 'svg'}").unlink(missing_ok=True)
    return path


def data_address(kind: str, content: bytes) -> str:
    """data: address of an image, so that an executed notebook is complete in itself."""
    mime = {"svg": "image/svg+xml", "png": "image/png"}[kind]
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"
