"""The differences that are written down, read from `bugs.txt` and `differences.txt`.

After a first line: `# why`, then pages by name, each with the lines that only Pyrebase4 has (-) and only we have (+).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Pages(NamedTuple):
    theirs: tuple[str, ...]
    ours: tuple[str, ...]


def read(name: str) -> dict[str, dict[str, Pages]]:
    """{why: {page: what differs}}."""
    found: dict[str, dict[str, Pages]] = {}
    pages: dict[str, Pages] = {}
    page = ""
    for line in (HERE / name).read_text(encoding="utf-8").splitlines()[1:]:
        sign, _, text = line.partition(" ")
        if not line:
            continue
        if sign == "#":
            pages = found[text] = {}
        elif sign == "-":
            pages[page] = Pages((*pages[page].theirs, text), pages[page].ours)
        elif sign == "+":
            pages[page] = Pages(pages[page].theirs, (*pages[page].ours, text))
        else:
            assert line not in pages, f"{name}: {line!r} is there twice"
            page = line
            pages[page] = Pages((), ())
    return found


BUGS = read("bugs.txt")
"""Where Pyrebase4 breaks what is promised to programs. `test_promises` has each promise."""

DIFFERENCES = read("differences.txt")
"""Where we differ by intent."""

_ALL = [pages for group in (BUGS, DIFFERENCES) for pages in group.values()]
DIFFERENT: dict[str, Pages] = {name: pages for group in _ALL for name, pages in group.items()}
assert len(DIFFERENT) == sum(map(len, _ALL)), "a page is written down under two reasons"
