"""Flows over an account that exists: looking at it, changing it, deleting it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from firebase_rest.auth.protocol.endpoint import Endpoint, call, validate_field
from firebase_rest.transport.wire import Flow, RetryPolicy
from firebase_rest.types import AccountInfo, AccountUpdate


def lookup(endpoint: Endpoint, id_token: str) -> Flow[AccountInfo]:
    """Everything Firebase knows about the account."""
    return cast(
        AccountInfo, (yield from call(endpoint.account("lookup", {"idToken": id_token}, RetryPolicy.IDEMPOTENT)))
    )


def update(
    endpoint: Endpoint,
    id_token: str,
    *,
    return_secure_token: bool = True,
    delete_attributes: Sequence[str] | None = None,
    delete_providers: Sequence[str] | None = None,
    **changes: str | None,
) -> Flow[AccountUpdate]:
    """Change the members that are not None. After a new e-mail address or password the old tokens are dead."""
    body = {
        "idToken": id_token,
        **changes,
        "deleteAttribute": list(delete_attributes) if delete_attributes else None,
        "deleteProvider": list(delete_providers) if delete_providers else None,
        "returnSecureToken": return_secure_token,
    }
    reply = yield from call(endpoint.account("update", body))
    for name in ("idToken", "refreshToken"):
        if name in reply:
            validate_field(reply, name)
    return cast(AccountUpdate, reply)


def delete(endpoint: Endpoint, id_token: str) -> Flow[dict[str, Any]]:
    """Delete the account."""
    return (yield from call(endpoint.account("delete", {"idToken": id_token})))
