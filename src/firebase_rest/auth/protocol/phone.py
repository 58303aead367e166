"""Flows over phone numbers. https://firebase.google.com/docs/auth/web/phone-auth"""

from __future__ import annotations

from firebase_rest.auth.protocol.endpoint import Endpoint, call, validate_field
from firebase_rest.auth.protocol.outcome import tokens
from firebase_rest.transport.wire import Flow
from firebase_rest.types import SignedIn


def send_code(endpoint: Endpoint, phone_number: str, app_proof: dict[str, str]) -> Flow[str]:
    """Have a code sent; the session info that goes with it. `app_proof` shows that a genuine app asks."""
    reply = yield from call(endpoint.account("sendVerificationCode", {"phoneNumber": phone_number, **app_proof}))
    return validate_field(reply, "sessionInfo")


def sign_in(endpoint: Endpoint, session_info: str, code: str, id_token: str | None = None) -> Flow[SignedIn]:
    """Sign in with a code; with `id_token` the number is linked to that user, or replaces his."""
    body = {"sessionInfo": session_info, "code": code, "idToken": id_token}
    return (yield from tokens(endpoint.account("signInWithPhoneNumber", body)))


def sign_in_with_proof(endpoint: Endpoint, phone_number: str, temporary_proof: str) -> Flow[SignedIn]:
    """Sign in to the account that a number turned out to belong to."""
    body = {"phoneNumber": phone_number, "temporaryProof": temporary_proof}
    return (yield from tokens(endpoint.account("signInWithPhoneNumber", body)))
