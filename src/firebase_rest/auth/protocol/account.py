"""Flows over an account that exists: looking at it, changing it, deleting it, and the mails about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from firebase_rest.auth.protocol.endpoint import Endpoint, call
from firebase_rest.auth.replies import AccountInfo
from firebase_rest.transport.wire import Flow, Repeat


def lookup(endpoint: Endpoint, id_token: str) -> Flow[AccountInfo]:
    """Everything Firebase knows about the account."""
    return cast(AccountInfo, (yield from call(endpoint.account("lookup", {"idToken": id_token}, Repeat.ALWAYS))))


def update(
    endpoint: Endpoint,
    id_token: str,
    *,
    return_secure_token: bool = True,
    delete_attributes: Sequence[str] | None = None,
    **changes: str | None,
) -> Flow[dict[str, Any]]:
    """Change the members that are not None. After a new e-mail address or password the old tokens are dead."""
    body = {
        "idToken": id_token,
        **changes,
        "deleteAttribute": list(delete_attributes) if delete_attributes else None,
        "returnSecureToken": return_secure_token,
    }
    return (yield from call(endpoint.account("update", body)))


def delete(endpoint: Endpoint, id_token: str) -> Flow[dict[str, Any]]:
    """Delete the account."""
    return (yield from call(endpoint.account("delete", {"idToken": id_token})))


def send_verification_mail(endpoint: Endpoint, id_token: str) -> Flow[dict[str, Any]]:
    """Have a mail sent that verifies the account's address."""
    return (yield from call(endpoint.account("sendOobCode", {"requestType": "VERIFY_EMAIL", "idToken": id_token})))


def send_reset_mail(endpoint: Endpoint, email: str) -> Flow[dict[str, Any]]:
    """Have a mail sent with which the password can be set anew."""
    return (yield from call(endpoint.account("sendOobCode", {"requestType": "PASSWORD_RESET", "email": email})))


def reset_password(endpoint: Endpoint, code: str, new_password: str) -> Flow[dict[str, Any]]:
    """Set a new password with the code from the mail, which is used up by it."""
    return (yield from call(endpoint.account("resetPassword", {"oobCode": code, "newPassword": new_password})))
