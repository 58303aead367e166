"""The README: its links lead somewhere, and its figures are those of the benchmarks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINKS = sorted({link for link in re.findall(r'(?:\]\(|src=")([^)"]+)[)"]', README) if "://" not in link})


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("link", LINKS)
def test_link_leads_to_a_file_and_heading(link: str) -> None:
    path, _, anchor = link.partition("#")
    assert (ROOT / path).is_file()
    assert not anchor or anchor in anchors(ROOT / path)


def test_figures_are_those_of_the_benchmarks() -> None:
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    small = results["small get"]
    found = re.search(r"(\d\.\d+) of the CPU time.*?\((\d\.\d+) with asyncio\).*?Pyrebase4 (\d\.\d+)", README)
    assert found is not None
    assert [float(figure) for figure in found.groups()] == [
        small["firebase_rest"],
        small["firebase_rest.aio"],
        small["pyrebase4"],
    ]


def test_chart_shows_the_results() -> None:
    chart = (ROOT / "docs" / "images" / "benchmarks.svg").read_text(encoding="utf-8")
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    for case in ("small get", "16 small gets at once", "ordered get", "20,001 events"):
        for ratio in results[case].values():
            assert f">{ratio:.2f}<" in chart


def test_first_example_is_short() -> None:
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert example is not None
    assert len([line for line in example[1].splitlines() if line]) <= 15
