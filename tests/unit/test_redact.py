from __future__ import annotations

import json
import logging

import pytest

from firebase_rest.transport.redact import (
    MASK,
    SECRET_FIELDS,
    SECRET_PARAMS,
    RedactingFilter,
    encoded_variants,
    install_log_filter,
    mask_secrets,
    redact,
    redact_params,
    secrets_in,
)
from firebase_rest.transport.wire import Request

JWT = "eyJhbGciOiJub25lIn0.eyJ1aWQiOiJhIn0."


@pytest.mark.parametrize("name", sorted(SECRET_PARAMS))
def test_secret_parameters_of_a_url_are_masked(name):
    shown = redact(f"https://h/p.json?a=1&{name}=s3cret%2Dx&b=2 and ?{name}=s3cret'")
    assert "s3cret" not in shown
    assert shown == f"https://h/p.json?a=1&{name}={MASK}&b=2 and ?{name}={MASK}'"


@pytest.mark.parametrize(
    "secret",
    [JWT, f"token {JWT}!", "Authorization: Bearer abcdefgh-1", "bearer ya29.abcdefgh", "Basic dXNlcjpwdw==",
     "Firebase abcdefgh.1", "AIza" + "x" * 35, "https://user:pw@host/", "redis://:pw@host"],
)  # fmt: skip
def test_what_can_be_recognised_anywhere_is_masked(secret):
    shown = redact(f"before {secret} after")
    assert MASK in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    for part in (JWT, "abcdefgh", "dXNl", "pw@", "xxx"):
        assert part not in shown


@pytest.mark.parametrize(
    "text", ["", "a plain sentence", "https://h/p.json?orderBy=%22a%22", "ada@example.com", "Bearer owner", "author=me"]
)
def test_everything_else_stays_as_it_is(text):
    assert redact(text) == text


def test_pairs_of_a_query_are_masked_by_name():
    pairs = (("auth", "x"), ("orderBy", '"$key"'), ("print", JWT))
    assert redact_params(pairs) == [("auth", MASK), ("orderBy", '"$key"'), ("print", MASK)]


def test_the_secrets_of_a_request_are_known_by_name():
    body = json.dumps({name: f"{name}-value" for name in SECRET_FIELDS} | {"email": "a@b.de", "code": 5}).encode()
    found = secrets_in(Request("POST", "https://h", (("key", "k"), ("ns", "n")), body=body))
    assert found == {"k", "5"} | {f"{name}-value" for name in SECRET_FIELDS if name != "code"}


def test_the_secrets_of_a_form_are_known_too():
    assert secrets_in(Request("POST", "https://h", body=b"grant_type=x&refresh_token=r%2Fs")) == {"r/s"}


@pytest.mark.parametrize("body", [None, b"", b"[1]", b"\xff\xfe", b"5", iter([b"a"]), b"x" * 100_000])
def test_a_body_of_another_kind_holds_none(body):
    assert secrets_in(Request("POST", "https://h", body=body)) == set()


def test_a_secret_is_found_as_json_and_urls_write_it():
    secret = 'p\u00e4ss "w"/+'
    for text in (secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), "p%C3%A4ss%20%22w%22/%2B"):
        assert MASK in mask_secrets({secret}, f"quoted: {text}")


def test_short_secrets_are_left_alone_because_they_are_words():
    assert encoded_variants({"a", "12345", ""}) == []
    assert mask_secrets({"the"}, "the end") == "the end"


def test_log_lines_of_urllib3_are_masked_and_guarding_twice_is_once():
    install_log_filter()
    install_log_filter()
    for name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
        filters = [entry for entry in logging.getLogger(name).filters if isinstance(entry, RedactingFilter)]
        assert len(filters) == 1


def test_a_masked_record_keeps_its_sentence():
    record = logging.LogRecord("urllib3", logging.DEBUG, "f", 1, "GET %s %d", ("/a.json?auth=s3cret&b=1", 200), None)
    assert RedactingFilter().filter(record)
    assert record.getMessage() == f"GET /a.json?auth={MASK}&b=1 200"
