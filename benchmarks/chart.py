"""Draw the chart of the documentation, docs/images/benchmarks.svg, from results.json.

    python benchmarks/run.py --json benchmarks/results.json
    python benchmarks/chart.py

`make chart` runs the second line. The file does not depend on the date.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

HERE = Path(__file__).parent
CHART = HERE.parent / "docs" / "images" / "benchmarks.svg"

CLIENTS = {
    "firebase_rest.aio": "#9a3412",
    "firebase_rest": "#ea580c",
    "requests": "#a8a29e",
    "firebase_admin": "#78716c",
    "pyrebase4": "#44403c",
}
CASES = {
    "small get": "Small read",
    "16 small gets at once": "16 small reads at once",
    "ordered get": "Read ordered by a child",
    "20,001 events": "20,001 events of a stream",
}


def main() -> None:
    results: dict[str, dict[str, float]] = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "firebase_rest", "font.family": "sans-serif"})
    figure, panels = plt.subplots(1, len(CASES), figsize=(12, 2.6), layout="constrained")
    figure.suptitle("CPU time of the client, relative to plain requests (less is better)", fontsize=11)
    for panel, (case, title) in zip(panels, CASES.items(), strict=True):
        ratios = {name: results[case][name] for name in reversed(CLIENTS) if name in results[case]}
        bars = panel.barh(list(ratios), list(ratios.values()), color=[CLIENTS[name] for name in ratios])
        panel.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
        panel.set_title(title, fontsize=9)
        panel.set_xlim(0, max(ratios.values()) * 1.25)
        panel.set_xticks([])
        panel.tick_params(axis="y", length=0, labelsize=8)
        panel.spines[:].set_visible(False)
    figure.patch.set_facecolor("white")  # readable in dark themes
    figure.savefig(CHART, metadata={"Date": None, "Creator": None})
    lines = CHART.read_text(encoding="utf-8").splitlines()
    CHART.write_text("".join(f"{line.rstrip()}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
