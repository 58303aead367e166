"""V4 signed URLs, compared with the published conformance vectors."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

import firebase_rest
from firebase_rest.errors import ConfigError, UsageError
from firebase_rest.storage.location import PRODUCTION, ObjectLocation
from firebase_rest.storage.signed_url import V4SigningRequest
from firebase_rest.transport.google_auth import sign_blob
from support.flow_driver import drive, json_response, sent_json

EMAIL = "test-iam-credentials@dummy-project-id.iam.gserviceaccount.com"
WHEN = datetime(2019, 2, 1, 9, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def key():
    pytest.importorskip("cryptography", reason="the oldest google-auth signs without it")
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def account(key):
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"client_email": EMAIL, "private_key": pem.decode(), "type": "service_account", "project_id": "p"}


@pytest.mark.parametrize(
    ("name", "headers", "digest"),
    [
        ("test-object", {}, "00e2fb794ea93d7adb703edaebdd509821fcc7d4f1a79ac5c8d2b394df109320"),
        (
            "path/with/slashes/under_score/amper&sand/file.ext",
            {"header/name/with/slash": "should-be-encoded"},
            "f1d206dd8cbe1b892d4081ccddae0927d9f5fee5653fb2a2f43e7c20ed455cad",
        ),
    ],
)
def test_canonical_request_matches_conformance_vectors(name, headers, digest):
    to_sign = V4SigningRequest(ObjectLocation(PRODUCTION, "test-bucket", name), EMAIL, 10, WHEN, "GET", headers)
    assert to_sign.canonical_hash == digest
    assert to_sign.message.decode().split("\n") == [
        "GOOG4-RSA-SHA256",
        "20190201T090000Z",
        "20190201/auto/storage/goog4_request",
        digest,
    ]


def test_signed_url_has_a_valid_signature(key, account):
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA256

    config = {"storageBucket": "test-bucket", "serviceAccount": account}
    with firebase_rest.initialize_app(config) as app:
        reference = app.storage().child("a b/c.txt")
        url = reference.signed_url(timedelta(hours=1), "PUT", params={"generation": "5"})
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert (parts.netloc, parts.path) == ("storage.googleapis.com", "/test-bucket/a%20b/c.txt")
    assert query["X-Goog-Expires"] == "3600"
    assert query["generation"] == "5"
    when = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    message = V4SigningRequest(
        ObjectLocation(PRODUCTION, "test-bucket", "a b/c.txt"), EMAIL, 3600, when, "PUT", {}, {"generation": "5"}
    ).message
    signature = bytes.fromhex(query["X-Goog-Signature"])
    key.public_key().verify(signature, message, padding.PKCS1v15(), SHA256())


def test_sign_blob_request():
    (request,), signature = drive(sign_blob(EMAIL, b"text"), json_response({"signedBlob": "c2lnbmVk"}))
    assert signature == b"signed"
    assert request.url.endswith(f"/serviceAccounts/{EMAIL}:signBlob")
    assert sent_json(request) == {"payload": "dGV4dA=="}


def test_signed_url_without_service_account_raises():
    with firebase_rest.initialize_app({"storageBucket": "b"}) as app:
        with pytest.raises(ConfigError, match="serviceAccount"):
            app.storage().child("a").signed_url(60)
        with pytest.raises(UsageError, match="method"):
            app.storage().child("a").signed_url(60, "PATCH")
