"""Complete programs: each planted finding is reported on its line, and nothing else is.

A line that ends in `#! code ...` has these findings. `=== name.py` begins another file of the same program.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from firebase_rest.migrate.checker import Checker

HERE = Path(__file__).parent
_MARK = re.compile(r"\s*#! (.+)$")


def write_program(text: str, folder: Path) -> list[tuple[str, int, str]]:
    """Write the files of a program, and return the planted findings."""
    planted: list[tuple[str, int, str]] = []
    name, lines = "program.py", list[str]()
    files: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("=== "):
            name = line[4:]
            lines = files.setdefault(name, [])
            continue
        lines = files.setdefault(name, [])
        mark = _MARK.search(line)
        lines.append(_MARK.sub("", line))
        if mark:
            planted += [(name, len(lines), code) for code in mark[1].split()]
    for name, lines in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return sorted(planted)


def found_in(folder: Path) -> list[tuple[str, int, str]]:
    checker = Checker([folder])
    checker.check()
    return sorted((Path(item.path).relative_to(folder).as_posix(), item.line, item.code) for item in checker.findings)


@pytest.mark.parametrize("program", sorted(HERE.glob("planted/*.txt")), ids=lambda path: path.stem)
def test_planted_findings_are_reported(program, tmp_path) -> None:
    planted = write_program(program.read_text(encoding="utf-8"), tmp_path)
    assert planted
    assert found_in(tmp_path) == planted


@pytest.mark.parametrize("program", sorted(HERE.glob("clean/*.txt")), ids=lambda path: path.stem)
def test_clean_program_has_no_findings(program, tmp_path) -> None:
    assert write_program(program.read_text(encoding="utf-8"), tmp_path) == []
    assert found_in(tmp_path) == []
