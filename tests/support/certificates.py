"""Google's token signing with local keys, and an endpoint for their certificates."""

from __future__ import annotations

import base64
import datetime as dt
import json
import threading
import time
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from support.scripted_server import Peer

PROJECT = "demo-project"
LIFETIME = 3600


@cache
def key(key_id: str) -> rsa.RSAPrivateKey:
    """Return the private key of this id; created at the first call."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate(key_id: str) -> str:
    """Return a self-signed certificate for the key, in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "securetoken.system.gserviceaccount.com")])
    now = dt.datetime.now(dt.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key(key_id).public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=1))
    builder = builder.not_valid_after(now + dt.timedelta(days=1))
    return builder.sign(key(key_id), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def id_claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of an ID token; None removes a claim."""
    now = int(time.time())
    claims = {
        "iss": f"https://securetoken.google.com/{PROJECT}",
        "aud": PROJECT,
        "sub": "u1",
        "user_id": "u1",
        "iat": now - 60,
        "auth_time": now - 60,
        "exp": now + LIFETIME,
        "firebase": {"identities": {}, "sign_in_provider": "password"},
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def cookie_claims(**changes: Any) -> dict[str, Any]:
    return id_claims(**{"iss": f"https://session.firebase.google.com/{PROJECT}", **changes})


def signed(claims: Any, key_id: str = "k1", **header: Any) -> str:
    """Return a token signed with RS256; `header` changes its header, None removes a member."""
    head = {"alg": "RS256", "typ": "JWT", "kid": key_id, **header}
    text = f"{part({name: value for name, value in head.items() if value is not None})}.{part(claims)}"
    return f"{text}.{part(key(key_id).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def unsigned(claims: Any, **header: Any) -> str:
    return f"{part({'alg': 'none', 'typ': 'JWT', **header})}.{part(claims)}."


def by_hmac(claims: Any, secret: bytes, **header: Any) -> str:
    """Return a token signed with HS256. With the certificate as secret, this is a known forgery."""
    text = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k1', **header})}.{part(claims)}"
    digest = hmac.HMAC(secret, hashes.SHA256())
    digest.update(text.encode())
    return f"{text}.{part(digest.finalize())}"


class Certificates:
    """A script for a `ScriptedServer` that returns the certificates of `key_ids` at any path. `count` is the number
    of requests.

    Responses wait until `gate` is set.
    """

    def __init__(self, *key_ids: str, cache_control: str | None = "public, max-age=3600") -> None:
        self.key_ids = list(key_ids)
        self.cache_control = cache_control
        self.count = 0
        self.gate = threading.Event()
        self.gate.set()
        self.body: str | None = None
        self.status = 200

    def __call__(self, peer: Peer) -> None:
        while True:
            peer.read_request()
            self.count += 1
            self.gate.wait(20)
            body = self.body or json.dumps({key_id: certificate(key_id) for key_id in self.key_ids})
            headers = {"Content-Type": "application/json"}
            if self.cache_control is not None:
                headers["Cache-Control"] = self.cache_control
            peer.respond(body, self.status, headers)
