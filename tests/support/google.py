"""A service account with a local key, and its token endpoint."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from support.scripted_server import Peer

EMAIL = "robot@demo-project.iam.gserviceaccount.com"


@cache
def key_pair() -> tuple[str, str]:
    """Return a private and a public key in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def key_file(token_uri: str, **changes: Any) -> dict[str, Any]:
    """Return the content of a key file."""
    return {
        "type": "service_account",
        "project_id": "demo-project",
        "private_key_id": "1",
        "private_key": key_pair()[0],
        "client_email": EMAIL,
        "token_uri": token_uri,
        **changes,
    }


class TokenEndpoint:
    """A script for a `ScriptedServer` that returns "ya29.token-1", "ya29.token-2", ... for signed requests of the
    account.

    Any other path is a database that accepts only the newest token.
    """

    def __init__(self, expires_in: int = 3600) -> None:
        self.expires_in = expires_in
        self.given = 0
        self.assertions: list[dict[str, Any]] = []

    @property
    def token(self) -> str:
        return f"ya29.token-{self.given}"

    def __call__(self, peer: Peer) -> None:
        while True:
            request = peer.read_request()
            if request.path == "/token":
                form = parse_qs(request.body.decode())
                self.assertions.append(dict(jwt.decode(form["assertion"][0], certs={"1": key_pair()[1]})))
                self.given += 1
                payload = {"access_token": self.token, "expires_in": self.expires_in, "token_type": "Bearer"}
                peer.respond(json.dumps(payload), headers={"Content-Type": "application/json"})
            elif request.headers.get("authorization") == f"Bearer {self.token}":
                peer.respond("7")
            else:
                peer.respond('{"error": "Unauthorized request."}', 401)
