"""A linter for prose: docstrings, comments, error messages and documents must not contain unclear phrases.

`python tests/unit/test_prose.py` prints the findings. Text in backticks or double quotes is exempt, because it quotes
code, Firebase or a user.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]

RULES = {
    r"law of (this|the) \w+": "state what the file contains; write `# Invariant: ...` beside the code",
    r"\b(?-i:is none|are none)\b|\bthat is no(ne)?\b": "is invalid; is not a valid ...",
    r"\bis no (key|port|token|list|number|file|path|url|uid|code|name|json|etag|bucket|mapping)\b": "is not valid",
    r"\banswers? (what|that|with what)\b": "returns ...",
    r"\b(nobody|somebody|everybody|whoever|whomever)\b": "name the one who acts: the client, the server, the caller",
    r"\bgoes on\b|\bgo on\b|\bgoing on\b": "continues; resumes",
    r"\bwhat was (given|waited|uploaded|sent|written)\b": "name the thing: the value, the argument, the file",
    r"\bin a box\b": "in-memory",
    r"\bfor good\b": "permanently",
    r"\bpure rooms?\b|\bthe house\b": "pure module; package; architecture",
    r"\bin peace\b": "unchanged; without a report",
    r"\btold apart\b|\btells? apart\b": "distinguish",
    r"\bsays? (yes|no)\b": "accepts; rejects",
    r"\bhalf of a (character|surrogate)\b": "an unpaired surrogate",
    r"\bwhole or not at all\b|\bwhole or absent\b": "complete, or not at all",
    r"\bpatience\b|\bpatient\b": "give the time or the limit",
    r"\bstrangers?\b": "a host outside Firebase; another user",
    r"\bmend(s|ed|ing)?\b|\bcures?\b": "fix; hint",
    r"\bas it (is|was) (said|told)\b|\btells it all\b": "see ...",
    r"\bits time is over\b|\bis over\b": "has expired; has ended",
    r"\bone word of ascii\b": "printable ASCII without spaces",
    r"\bthe very (same|place)\b|\bthat very\b": "the same; itself",
    r"\bsign of life\b": "keep-alive",
    r"\bkept true\b|\bkeeps? (it )?true\b|\bstays? true\b": "in sync",
    r"\bgoes round in circles\b": "repeats",
    r"\bwhatever (it|its|the|they|their)\b": "name what may vary, or leave it out",
    r"\bof (its|their) own\b": "own; separate",
    r"\bby hand\b": "manually; directly",
    r"\bwithout saying\b": "without reporting",
    r"\bnot one to\b|\bcan be none\b": "cannot be ...",
}
"""Regular expression -> what to write instead."""

COMPILED = [(re.compile(pattern, re.IGNORECASE), advice) for pattern, advice in RULES.items()]
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r'``.+?``|`[^`]*`|"[^"\n]*"|“[^”]*”', re.DOTALL)


class Finding(NamedTuple):
    position: str
    phrase: str
    advice: str

    def __str__(self) -> str:
        return f"{self.position}: {self.phrase!r}: {self.advice}"


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [
        ROOT / name for name in listed.stdout.split() if (ROOT / name).exists() and name != "tests/unit/test_prose.py"
    ]


def without_quotes(text: str) -> str:
    """Replace code and quotations by spaces; keep the line breaks."""
    return QUOTED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def docstrings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        for statement in getattr(node, "body", None) or () if not isinstance(node, (ast.Lambda, ast.IfExp)) else ():
            value = getattr(statement, "value", None) if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.lineno, value.value


def error_messages(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield string literals in `raise` statements and in calls of exception classes."""
    exception = re.compile(r"(Error|Conflict|Expired|Response|Timeout|Type|Cancelled|Warning)$")
    for node in ast.walk(tree):
        name = getattr(getattr(node, "func", None), "id", "") or getattr(getattr(node, "func", None), "attr", "")
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and exception.search(name)):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    yield inner.lineno, inner.value


def comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of the prose in a file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield 1, CODE_BLOCK.sub(lambda match: re.sub(r"[^\n]", "", match[0]), source)
        return
    tree = ast.parse(source)
    yield from docstrings(tree)
    yield from comments(source)
    if "tests" not in path.relative_to(ROOT).parts:
        yield from error_messages(tree)


def findings(path: Path) -> Iterator[Finding]:
    for line, text in texts(path):
        plain = without_quotes(text)
        for pattern, advice in COMPILED:
            for match in pattern.finditer(plain):
                position = f"{path.relative_to(ROOT)}:{line + plain.count(chr(10), 0, match.start())}"
                yield Finding(position, " ".join(match[0].split()), advice)


def all_findings() -> list[Finding]:
    files = tracked("*.py", "*.md", "*.yml", "*.toml", "Makefile", "tests/wire/*.txt")
    return sorted({finding for path in files if "planted" not in path.parts for finding in findings(path)})


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git lists the files")
def test_prose_contains_no_unclear_phrase() -> None:
    found = all_findings()
    assert not found, "\n" + "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The law of this file: x", True),
        ("The ETag is none", True),
        ("Firebase says `is none`", False),
        ('Firebase answers "nobody"', False),
        ("Return the children in order.", False),
    ],
)
def test_phrases_are_found_outside_of_quotations_only(text: str, expected: bool) -> None:
    assert any(pattern.search(without_quotes(text)) for pattern, _ in COMPILED) is expected


if __name__ == "__main__":
    for finding in all_findings():
        print(finding)  # noqa: T201 - the output of a script
