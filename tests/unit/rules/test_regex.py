"""Regular expressions of rules: equal to `re` on its common ground, and linear in the text."""

from __future__ import annotations

import random
import re

import pytest

from firebase_rest.rules.errors import EvaluationError, ExpressionError
from firebase_rest.rules.regex import compile_regex

PIECES = [
    "a",
    "b",
    ".",
    "[ab]",
    "[^a]",
    "a*",
    "b+",
    "(a|b)",
    "(ab)?",
    "a{2}",
    "b{1,3}",
    "\\d",
    "\\w*",
    "(a|bb)+",
    "[a-c1]",
]


def test_random_patterns_agree_with_re() -> None:
    chooser = random.Random(7)
    for _ in range(2000):
        body = "".join(chooser.choices(PIECES, k=chooser.randint(1, 4)))
        pattern = chooser.choice(["", "^"]) + body + chooser.choice(["", "$"])
        text = "".join(chooser.choices("abc1\n", k=chooser.randint(0, 8)))
        flags = chooser.choice([0, re.IGNORECASE])
        expected = re.search(pattern.replace("$", r"\Z"), text, flags | re.ASCII) is not None
        assert compile_regex(pattern, ignore_case=bool(flags)).matches(text) is expected, (pattern, text)


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|a)*$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_pattern_that_backtracks_exponentially_in_re_is_linear(pattern: str) -> None:
    assert compile_regex(pattern).matches("a" * 50_000 + "!") is False


def test_pattern_with_too_many_steps_is_an_error() -> None:
    regex = compile_regex("(a|b)*a(a|b){900}c")
    chooser = random.Random(1)
    with pytest.raises(EvaluationError, match="too many steps"):
        regex.matches("".join(chooser.choices("ab", k=100_000)))


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "[a", "a**", "*a", "a{2,1}", "a{9999}", "(?:a)", "\\1", "a|", "[b-a]", "a\\", "\\q", "a$b", "a^"],
)
def test_unsupported_pattern_is_rejected(pattern: str) -> None:
    with pytest.raises(ExpressionError):
        compile_regex(pattern)


@pytest.mark.parametrize("pattern", ["^a", "^a$", "$", "^$", "^[^b]*$", "^(ab|a)", "b$"])
@pytest.mark.parametrize("text", ["", "a", "ab", "ba", "aab", "b" * 50])
def test_anchored_pattern_agrees_with_re(pattern: str, text: str) -> None:
    assert compile_regex(pattern).matches(text) is (re.search(pattern.replace("$", r"\Z"), text) is not None)


@pytest.mark.parametrize("pattern", ["^[a-z]*$", "a{3}b", "^(ab)+$", "^(a|b)*c", "[^a-z]", "^(a|b)*!?$"])
@pytest.mark.parametrize("rest", ["", "!", "c", "ab", "aaab" * 1025])
def test_long_text_agrees_with_re(pattern: str, rest: str) -> None:
    for text in ("a" * 20_000 + rest, rest + "ab" * 10_000, "a" * 4096 + rest + "b" * 4096):
        expected = re.search(pattern.replace("$", r"\Z"), text) is not None
        assert compile_regex(pattern).matches(text) is expected, (pattern, len(text))


def test_text_with_thousands_of_different_characters_is_matched() -> None:
    text = "".join(map(chr, range(0x4E00, 0x6300))) * 5
    regex = compile_regex("^[^a]*(b|c)?[^a]{0,3}d?$")
    assert regex.matches(text)
    assert not regex.matches(text + "a")


def test_too_large_pattern_is_rejected_before_it_is_used() -> None:
    with pytest.raises(ExpressionError, match="too large"):
        compile_regex("((a{100}){100}){100}")
    assert compile_regex("(a{1,20}){20}").matches("a" * 40)
