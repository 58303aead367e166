"""The documented differences, read from `bugs.txt` and `differences.txt`.

After a first line: `# why`, then cases by name, each with the lines that only Pyrebase4 has (-) and only we have (+).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Lines(NamedTuple):
    theirs: tuple[str, ...]
    ours: tuple[str, ...]


def read(name: str) -> dict[str, dict[str, Lines]]:
    """{reason: {case: difference}}."""
    found: dict[str, dict[str, Lines]] = {}
    cases: dict[str, Lines] = {}
    case = ""
    for line in (HERE / name).read_text(encoding="utf-8").splitlines()[1:]:
        sign, _, text = line.partition(" ")
        if not line:
            continue
        if sign == "#":
            cases = found[text] = {}
        elif sign == "-":
            cases[case] = Lines((*cases[case].theirs, text), cases[case].ours)
        elif sign == "+":
            cases[case] = Lines(cases[case].theirs, (*cases[case].ours, text))
        else:
            assert line not in cases, f"{name}: {line!r} is there twice"
            case = line
            cases[case] = Lines((), ())
    return found


BUGS = read("bugs.txt")
"""Bugs of Pyrebase4. `test_compat_guarantees` tests the guarantee that each one breaks."""

DIFFERENCES = read("differences.txt")
"""Intended differences."""

_ALL = [cases for group in (BUGS, DIFFERENCES) for cases in group.values()]
DIFFERENT: dict[str, Lines] = {name: cases for group in _ALL for name, cases in group.items()}
assert len(DIFFERENT) == sum(map(len, _ALL)), "a case is documented under two reasons"
