"""Signing without a private key: Google signs for a service account that may ask for it.

https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob
"""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from firebase_rest.auth.protocol.refusals import check
from firebase_rest.errors import InvalidResponse
from firebase_rest.transport.wire import Flow, Request, RetryPolicy

SIGN_BLOB = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:signBlob"
METADATA = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/email"
"""Answers on Google's own machines only."""


def sign(email: str, message: bytes) -> Flow[bytes]:
    """The RS256 signature of `message` by the service account; the request is to be signed by who may ask for it."""
    body = json.dumps({"payload": base64.b64encode(message).decode()}).encode()
    url = SIGN_BLOB.format(quote(email, safe="@"))
    request = Request(
        "POST", url, (), {"Content-Type": "application/json"}, body, RetryPolicy.IDEMPOTENT, reauth_on_401=True
    )
    blob = check((yield request)).json_object().get("signedBlob")
    try:
        if isinstance(blob, str) and blob:
            return base64.b64decode(blob, validate=True)
    except ValueError:
        pass
    raise InvalidResponse("What answered in place of Google's IAM sent no signature.")


def own_email() -> Flow[str]:
    """The e-mail address of the service account that this machine of Google's runs as."""
    request = Request("GET", METADATA, headers={"Metadata-Flavor": "Google"}, retry_policy=RetryPolicy.IDEMPOTENT)
    email = check((yield request)).text.strip()
    if "@" in email and email.isascii() and not email.startswith("<"):
        return email
    raise InvalidResponse("What answered in place of Google's metadata server named no service account.")
