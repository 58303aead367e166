"""Signing by Google IAM for credentials without a private key."""

from __future__ import annotations

import base64

import pytest
import responses
from google.auth.credentials import Credentials

from firebase_rest import (
    ApiError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    Unauthenticated,
    initialize_app,
)
from firebase_rest.transport.google_auth import SIGN_BLOB

EMAIL = "robot@demo.iam.gserviceaccount.com"
URL = SIGN_BLOB.format(EMAIL)
CONFIG = {"apiKey": "key", "projectId": "demo", "storageBucket": "demo.appspot.com", "serviceAccountId": EMAIL}
SIGNATURE = {"signedBlob": base64.b64encode(b"signature").decode()}
REJECTED = {
    "error": {"code": 401, "message": "Request had invalid authentication credentials.", "status": "UNAUTHENTICATED"}
}
CALLS = {
    "create_custom_token": lambda app: app.auth().create_custom_token("uid"),
    "signed_url": lambda app: app.storage().child("a").signed_url(60),
}


class Keyless(Credentials):
    """Credentials of a machine: an access token, no private key."""

    service_account_email = EMAIL

    def __init__(self) -> None:
        super().__init__()
        self.token = "access-1"
        self.refreshes = 0

    def refresh(self, request: object) -> None:
        self.refreshes += 1
        self.token = f"access-{self.refreshes + 1}"


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@responses.activate
def test_rejected_access_token_is_refreshed_once(call):
    credentials = Keyless()
    responses.post(URL, json=REJECTED, status=401)
    responses.post(URL, json=SIGNATURE)
    call(initialize_app(CONFIG, credentials=credentials))
    sent = [request.request.headers["Authorization"] for request in responses.calls]
    assert sent == ["Bearer access-1", "Bearer access-2"]
    assert credentials.refreshes == 1


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ApiError),
        (401, Unauthenticated),
        (403, PermissionDenied),
        (404, NotFound),
        (429, RateLimited),
        (500, ServerError),
    ],
)
@responses.activate
def test_error_has_the_type_of_its_status(call, status, kind):
    responses.post(URL, json={"error": {"code": status, "message": "No.", "status": "REASON"}}, status=status)
    with pytest.raises(kind, match="No") as caught:
        call(initialize_app(CONFIG, credentials=Keyless(), retries=0))
    assert (caught.value.status, caught.value.code) == (status, "REASON")
