"""Pages of identity providers that ask nobody anything: they send the browser back at once, as somebody made up.

With them a whole sign-in in the browser can be tried: `createAuthUri` with a provider and `signInWithIdp` with the URL
that the browser came back to; and Google's own consent page and token exchange, with PKCE. `login_hint` says whose
e-mail address it is to be. The official emulator has none of this.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from firebase_rest.emulator.auth.accounts import random_id
from firebase_rest.emulator.auth.errors import OAuthRefusal, bad_request, expect
from firebase_rest.emulator.auth.project import Page, form_encoded, is_absolute_url, known_provider
from firebase_rest.emulator.auth.tokens import LIFETIME, encode_jwt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.auth.project import Call, Project, Reply

SOMEBODY = "somebody@example.com"


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody was on a provider's page; the code that the browser brings back stands for this."""

    claims: Reply
    provider_id: str = "google.com"
    session_id: str = ""
    challenge: str = ""


def begin(call: Call) -> Reply:
    """`accounts:createAuthUri` with a `providerId`: where to send the browser."""
    body = call.body
    back = body.text("continueUri")
    expect(back, "MISSING_CONTINUE_URI")
    expect(is_absolute_url(back), "INVALID_CONTINUE_URI")
    provider_id = known_provider(body.text("providerId"))
    session_id = body.text("sessionId") or random_id(27)
    given = body.record("customParameter")
    query = {
        **{name: str(value) for name, value in (given.texts_present() if given else {}).items()},
        "provider": provider_id,
        "redirect_uri": back,
        "state": secrets.token_urlsafe(24),
        "session": session_id,
    }
    return {
        "kind": "identitytoolkit#CreateAuthUriResponse",
        "authUri": f"{call.origin}/emulator/provider?{form_encoded(query)}",
        "providerId": provider_id,
        "sessionId": session_id,
    }


def provider_page(project: Project, query: Mapping[str, str]) -> Page:
    """GET `/emulator/provider`: where `createAuthUri` sends the browser."""
    visit = Visit(_person(query), query.get("provider", ""), query.get("session", ""))
    return _back(project, query, visit)


def google_page(project: Project, query: Mapping[str, str]) -> Page:
    """GET `/accounts.google.com/o/oauth2/v2/auth`: Google's consent page."""
    claims: Reply = {
        **_person(query),
        "iss": "https://accounts.google.com",
        "aud": query.get("client_id", ""),
        "nonce": query.get("nonce", ""),
    }
    return _back(project, query, Visit(claims, challenge=query.get("code_challenge", "")))


def _person(query: Mapping[str, str]) -> Reply:
    email = query.get("login_hint") or SOMEBODY
    name = email.partition("@")[0].capitalize()
    # The same address is the same person, however often he comes.
    sub = str(int.from_bytes(hashlib.sha256(email.encode()).digest()[:8], "big"))
    return {"sub": sub, "email": email, "email_verified": True, "name": name}


def _back(project: Project, query: Mapping[str, str], visit: Visit) -> Page:
    target = urlsplit(query.get("redirect_uri", ""))
    if not (target.scheme and target.netloc):
        return Page(400, {"authEmulator": {"error": "missing redirect_uri query parameter"}})
    code = secrets.token_urlsafe(32)
    project.visits[code] = visit
    came = {**dict(parse_qsl(target.query)), "state": query.get("state", ""), "code": code}
    return Page(303, location=urlunsplit(target._replace(path=target.path or "/", query=form_encoded(came))))


def returned(project: Project, query: Mapping[str, str], session_id: str) -> Visit | None:
    """Who came back from a provider's page with these parameters; None for a callback that holds no code."""
    if "code" not in query or "providerId" in query:
        return None
    visit = project.visits.pop(query["code"], None)
    if visit is None or visit.challenge:
        raise bad_request("INVALID_IDP_RESPONSE : The code in the callback is unknown, used, or not for this call.")
    expect(visit.session_id == session_id, "INVALID_IDP_RESPONSE : The session id is not that of this sign-in.")
    return visit


def exchange_code(call: Call) -> Reply:
    """POST `/oauth2.googleapis.com/token`: Google's tokens for a code, if the verifier is the challenge's."""
    body = call.body
    visit = call.project.visits.pop(body.text("code"), None)
    digest = hashlib.sha256(body.text("code_verifier").encode()).digest()
    proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if visit is None or not hmac.compare_digest(visit.challenge, proof):
        raise OAuthRefusal("invalid_grant", "Malformed auth code.")
    now = call.project.now()
    return {
        "access_token": secrets.token_urlsafe(48),
        "expires_in": LIFETIME - 1,
        "id_token": encode_jwt({**visit.claims, "iat": now, "exp": now + LIFETIME}),
        "scope": "openid email profile",
        "token_type": "Bearer",
    }
