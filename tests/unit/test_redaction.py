from __future__ import annotations

import json
import logging

import pytest

from firebase_rest.transport.redaction import (
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
def test_recognizable_secrets_are_masked_anywhere(secret):
    shown = redact(f"before {secret} after")
    assert MASK in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    for part in (JWT, "abcdefgh", "dXNl", "pw@", "xxx"):
        assert part not in shown


@pytest.mark.parametrize(
    "text", ["", "a plain sentence", "https://h/p.json?orderBy=%22a%22", "ada@example.com", "Bearer owner", "author=me"]
)
def test_other_text_is_unchanged(text):
    assert redact(text) == text


def test_query_parameters_are_masked_by_name():
    pairs = (("auth", "x"), ("orderBy", '"$key"'), ("print", JWT))
    assert redact_params(pairs) == [("auth", MASK), ("orderBy", '"$key"'), ("print", MASK)]


@pytest.mark.parametrize("name", ["AUTH", "Access_Token", "x-goog-signature", "oobcode"])
def test_names_of_secret_parameters_are_masked_in_any_case(name: str) -> None:
    assert redact_params([(name, "secret")]) == [(name, MASK)]
    assert redact(f"https://host/a.json?{name}=secret&x=1") == f"https://host/a.json?{name}={MASK}&x=1"
    assert secrets_in([(name, "secret")], None) == {"secret"}


def test_secrets_of_a_json_body_are_found_by_name():
    body = json.dumps({name: f"{name}-value" for name in SECRET_FIELDS} | {"email": "a@b.de", "code": 5}).encode()
    secrets = secrets_in((("key", "k"), ("ns", "n")), body)
    assert secrets == {"k", "5"} | {f"{name}-value" for name in SECRET_FIELDS if name != "code"}


def test_secrets_of_a_form_are_found_by_name():
    assert secrets_in((), b"grant_type=x&refresh_token=r%2Fs") == {"r/s"}


@pytest.mark.parametrize("body", [None, b"", b"[1]", b"\xff\xfe", b"5", iter([b"a"]), b"x" * 100_000])
def test_other_bodies_have_no_secrets(body):
    assert secrets_in((), body) == set()


def test_secret_is_masked_in_json_and_url_encoding():
    secret = 'p\u00e4ss "w"/+'
    for text in (secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), "p%C3%A4ss%20%22w%22/%2B"):
        assert MASK in mask_secrets({secret}, f"quoted: {text}")


def test_short_secrets_are_not_masked():
    assert encoded_variants({"a", "12345", ""}) == []
    assert mask_secrets({"the"}, "the end") == "the end"


def test_log_filter_is_installed_once():
    install_log_filter()
    install_log_filter()
    for name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
        filters = [entry for entry in logging.getLogger(name).filters if isinstance(entry, RedactingFilter)]
        assert len(filters) == 1


def test_masked_record_keeps_its_text():
    record = logging.LogRecord("urllib3", logging.DEBUG, "f", 1, "GET %s %d", ("/a.json?auth=s3cret&b=1", 200), None)
    assert RedactingFilter().filter(record)
    assert record.getMessage() == f"GET /a.json?auth={MASK}&b=1 200"
