"""JSON Web Tokens: decoded without verification, encoded without a signature."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest

from firebase_rest.auth.jwt import encode_unsigned, parse
from firebase_rest.emulator.credentials import parse_timestamp


def part(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("claims", [{}, {"sub": "ü", "n": 1.5}, {"a": [None, True]}, {"lone": "\ud800"}])
def test_encoded_claims_are_decoded(claims: dict[str, Any]) -> None:
    token = encode_unsigned(claims)
    assert token.endswith(".")
    parsed = parse(token)
    assert parsed
    assert (parsed.header, parsed.claims, parsed.signature) == ({"alg": "none", "typ": "JWT"}, claims, "")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "e30.e30",
        "e30.e30.e30.e30",
        "e30.W10.",
        f"{part('null')}.e30.",
        f"{part('[1]')}.e30.",
        "ü.ü.",
        "e30.\x00.",
    ],
)
def test_malformed_token_is_none(token: str) -> None:
    assert parse(token) is None


def test_header_and_signature_are_not_verified() -> None:
    parsed = parse(f"{part('{}')}.{part(json.dumps({'a': 1}))}.any_signature")
    assert parsed
    assert parsed.claims == {"a": 1}


def test_claims_nested_too_deeply_are_none() -> None:
    assert parse(f"e30.{part('[' * 100_000)}.") is None


def test_number_with_thousands_of_digits_is_none() -> None:
    claims = '{"exp": ' + "9" * 5000 + "}"
    assert parse(f"e30.{part(claims)}.") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), (1.5, 1.5), (10**400, math.inf), (-(10**400), -math.inf), (True, None), ("1", None), (None, None)],
)
def test_seconds_of_a_time_claim(value: Any, expected: float | None) -> None:
    assert parse_timestamp(value) == expected
