"""Tables of chapter 3: rows of text from stored results; nothing is computed here."""

from __future__ import annotations

TIGHT = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"
OVER = "\N{NO-BREAK SPACE}/\N{NO-BREAK SPACE}"
RIVALS = {
    "errors": "predictor",
    "mean_field": "mean field alone",
    "boosting": "boosting",
    "nearest": "nearest neighbour",
}
SMALL_CHAINS = {"largest": "value at the largest size below", "scaling_fit": "fit to its own small chains"}


def spread(figures, sem: bool = False) -> str:
    """Median / 95th percentile of the relative error in %."""
    error = f"{TIGHT}{100 * figures['relative_median_sem']:.1f}" if sem else ""
    return f"{100 * figures['relative_median']:.1f}{error}{OVER}{100 * figures['relative_p95']:.0f}"


def split_records(random, sizes, critical, families, mixed) -> dict[str, dict]:
    """Figures of the entropy on every held-out part: name -> method -> figures, and ``test`` (systems)."""

    def record(source, errors=None) -> dict:
        rivals = {k: source[k]["entropy"] for k in ("mean_field", "boosting", "nearest")}
        return {"test": source["test"], "errors": (errors or source["errors"])["entropy"]} | rivals

    out = {"random points": record(random)}
    for size, source in sizes["sizes"].items():
        small_chains = {k: v["entropy"] for k, v in sizes["own"][size].items()}
        out[f"size {size}, trained to {sizes['trained']}"] = record(source) | small_chains
    out["near criticality"] = record(critical)
    out["mixtures of two families"] = record(mixed, mixed["errors"]["all"])
    out |= {f"family {name}".replace("_", " "): record(source) for name, source in families["families"].items()}
    return out


def splits(records: dict[str, dict]) -> list[dict]:
    """One row per held-out part."""
    rows = []
    for name, record in records.items():
        row = {"held out": name, "systems": record["test"]}
        row |= {text: spread(record[key]) for key, text in RIVALS.items()}
        row |= {text: spread(record[key]) if key in record else "" for key, text in SMALL_CHAINS.items()}
        calibrated = not name.startswith("family")
        rows.append(row | {"in 90 %": f"{100 * record['errors']['covered']:.0f}" if calibrated else ""})
    return rows


def ablation(result) -> list[dict]:
    """One row per variant, three proxies."""
    return [
        {"variant": name} | {proxy: spread(figures[proxy], sem=True) for proxy in ("entropy", "variance", "skewness")}
        for name, figures in result["variants"].items()
    ]


def refinements(result) -> list[dict]:
    """One row per kind of exact parts."""
    texts = {"rebuilt": "the same couplings at smaller sizes", "windows": "windows around the cut (disorder)"}
    return [
        {"exact parts": texts[kind], "systems": record["systems"]}
        | {
            text: spread(record[key]["entropy"], sem=True)
            for key, text in (("before", "predictor"), ("after", "refined"), ("scaling_fit", "scaling fit"))
        }
        | {"refined, in 90 %": f"{100 * record['after']['entropy']['covered']:.0f}"}
        for kind, record in result.items()
    ]
