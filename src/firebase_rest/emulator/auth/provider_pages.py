"""Fake pages of identity providers, which redirect immediately with a test user.

They support two ways to sign in with a browser: `createAuthUri` with a provider, followed by `signInWithIdp` with the
callback URL; and Google's consent page and token exchange, with PKCE. The parameter `login_hint` sets the e-mail
address. The official emulator does not have these pages.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlunsplit

from firebase_rest.auth.jwt import encode_unsigned
from firebase_rest.emulator.auth.errors import OAuthHTTPError, bad_request, validate
from firebase_rest.emulator.auth.model import AuthorizationCode, BrowserPage, Payload, random_id
from firebase_rest.emulator.auth.tokens import LIFETIME
from firebase_rest.emulator.auth.validation import form_encoded, is_absolute_url, split_url, validate_provider_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.auth.bodies import AuthRequest
    from firebase_rest.emulator.auth.project import AuthProject


DEFAULT_EMAIL = "somebody@example.com"


def begin_sign_in(request: AuthRequest) -> Payload:
    """`accounts:createAuthUri` with a `providerId`: return the URL to open in the browser."""
    body = request.body
    callback_url = body.string("continueUri")
    validate(callback_url, "MISSING_CONTINUE_URI")
    validate(is_absolute_url(callback_url), "INVALID_CONTINUE_URI")
    provider_id = validate_provider_id(body.string("providerId"))
    session_id = body.string("sessionId") or random_id(27)
    custom = body.object("customParameter")
    custom_fields = custom.string_fields() if custom else {}
    query = {
        **{name: str(value) for name, value in custom_fields.items()},
        "provider": provider_id,
        "redirect_uri": callback_url,
        "state": secrets.token_urlsafe(24),
        "session": session_id,
    }
    return {
        "kind": "identitytoolkit#CreateAuthUriResponse",
        "authUri": f"{request.origin}/emulator/provider?{form_encoded(query)}",
        "providerId": provider_id,
        "sessionId": session_id,
    }


def provider_page(project: AuthProject, query: Mapping[str, str]) -> BrowserPage:
    """GET `/emulator/provider`: redirect from the page to which `createAuthUri` leads."""
    code = AuthorizationCode(_profile(query), query.get("provider", ""), query.get("session", ""))
    return _redirect_back(project, query, code)


def google_page(project: AuthProject, query: Mapping[str, str]) -> BrowserPage:
    """GET `/accounts.google.com/o/oauth2/v2/auth`: redirect from Google's consent page."""
    claims: Payload = {
        **_profile(query),
        "iss": "https://accounts.google.com",
        "aud": query.get("client_id", ""),
        "nonce": query.get("nonce", ""),
    }
    return _redirect_back(project, query, AuthorizationCode(claims, challenge=query.get("code_challenge", "")))


def _profile(query: Mapping[str, str]) -> Payload:
    email = query.get("login_hint") or DEFAULT_EMAIL
    name = email.partition("@")[0].capitalize()
    # Derive the user ID from the address, so that the same address always has the same ID.
    sub = str(int.from_bytes(hashlib.sha256(email.encode("utf-8", "surrogatepass")).digest()[:8], "big"))
    return {"sub": sub, "email": email, "email_verified": True, "name": name}


def _redirect_back(project: AuthProject, query: Mapping[str, str], sign_in: AuthorizationCode) -> BrowserPage:
    target = split_url(query.get("redirect_uri", ""))
    if target is None or not target.netloc:
        return BrowserPage(400, {"authEmulator": {"error": "missing redirect_uri query parameter"}})
    code = secrets.token_urlsafe(32)
    project.authorization_codes[code] = sign_in
    callback = {**dict(parse_qsl(target.query)), "state": query.get("state", ""), "code": code}
    return BrowserPage(303, location=urlunsplit(target._replace(path=target.path or "/", query=form_encoded(callback))))


def redeem_callback(project: AuthProject, query: Mapping[str, str], session_id: str) -> AuthorizationCode | None:
    """Return the sign-in of a callback and delete its code. Return None if the callback contains no code."""
    if "code" not in query or "providerId" in query:
        return None
    code = project.authorization_codes.pop(query["code"], None)
    if code is None or code.challenge:
        raise bad_request("INVALID_IDP_RESPONSE : The code in the callback is unknown, used, or for another call.")
    validate(code.session_id == session_id, "INVALID_IDP_RESPONSE : The sessionId is that of another sign-in.")
    return code


def exchange_code(request: AuthRequest) -> Payload:
    """POST `/oauth2.googleapis.com/token`: return Google's tokens for a code and its PKCE verifier."""
    body = request.body
    code = request.project.authorization_codes.pop(body.string("code"), None)
    digest = hashlib.sha256(body.string("code_verifier").encode("utf-8", "surrogatepass")).digest()
    proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if code is None or code.challenge != proof:
        raise OAuthHTTPError("invalid_grant", "Malformed auth code.")
    now = request.project.now()
    return {
        "access_token": secrets.token_urlsafe(48),
        "expires_in": LIFETIME - 1,
        "id_token": encode_unsigned({**code.claims, "iat": now, "exp": now + LIFETIME}),
        "scope": "openid email profile",
        "token_type": "Bearer",
    }
