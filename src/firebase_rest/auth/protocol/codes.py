"""Flows over mailed action codes: having them sent, looking at them, using them up.

https://firebase.google.com/docs/auth/custom-email-handler
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from firebase_rest.auth.protocol.endpoint import Endpoint, call
from firebase_rest.transport.wire import Flow, RetryPolicy
from firebase_rest.types import ActionCodeResult, EmailSent

NO_SETTINGS: Mapping[str, Any] = {}


def send_verification(endpoint: Endpoint, id_token: str, settings: Mapping[str, Any] = NO_SETTINGS) -> Flow[EmailSent]:
    """Have a mail sent that verifies the account's address."""
    return (yield from _send(endpoint, "VERIFY_EMAIL", settings, idToken=id_token))


def send_change(
    endpoint: Endpoint, id_token: str, new_email: str, settings: Mapping[str, Any] = NO_SETTINGS
) -> Flow[EmailSent]:
    """Have a mail sent to a new address, which becomes the account's when its link is followed."""
    return (yield from _send(endpoint, "VERIFY_AND_CHANGE_EMAIL", settings, idToken=id_token, newEmail=new_email))


def send_reset(endpoint: Endpoint, email: str, settings: Mapping[str, Any] = NO_SETTINGS) -> Flow[EmailSent]:
    """Have a mail sent with which the password can be set anew."""
    return (yield from _send(endpoint, "PASSWORD_RESET", settings, email=email))


def send_sign_in_link(endpoint: Endpoint, email: str, settings: Mapping[str, Any]) -> Flow[EmailSent]:
    """Have a mail sent with a link that signs in. `settings` name the URL that it leads to."""
    return (yield from _send(endpoint, "EMAIL_SIGNIN", settings, email=email))


def _send(endpoint: Endpoint, kind: str, settings: Mapping[str, Any], **who: str) -> Flow[EmailSent]:
    return cast(EmailSent, (yield from call(endpoint.account("sendOobCode", {"requestType": kind, **who, **settings}))))


def look_at(endpoint: Endpoint, code: str) -> Flow[ActionCodeResult]:
    """What a code is for: requestType, email, newEmail. It is not used up."""
    return cast(
        ActionCodeResult,
        (yield from call(endpoint.account("resetPassword", {"oobCode": code}, RetryPolicy.IDEMPOTENT))),
    )


def reset_password(endpoint: Endpoint, code: str, new_password: str) -> Flow[ActionCodeResult]:
    """Set a new password with the code from the mail, which is used up by it."""
    return cast(
        ActionCodeResult,
        (yield from call(endpoint.account("resetPassword", {"oobCode": code, "newPassword": new_password}))),
    )


def apply(endpoint: Endpoint, code: str) -> Flow[ActionCodeResult]:
    """Do what a code is for: verify an address, change it, take a change back. It is used up."""
    return cast(ActionCodeResult, (yield from call(endpoint.account("update", {"oobCode": code}))))
