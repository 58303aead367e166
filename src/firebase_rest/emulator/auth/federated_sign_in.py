"""Signing in by identity providers, with credentials that a test makes up: JSON or an unsigned JWT as `id_token`.

https://firebase.google.com/docs/emulator-suite/connect_auth
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from firebase_rest.emulator.auth.accounts import PASSWORD, PHONE, Account, Provider, without_none
from firebase_rest.emulator.auth.errors import Refusal, bad_request, expect, not_implemented
from firebase_rest.emulator.auth.project import Call, Project, Reply, form_encoded, is_absolute_url, known_provider
from firebase_rest.emulator.auth.provider_pages import returned
from firebase_rest.emulator.auth.second_factors import pending
from firebase_rest.emulator.auth.tokens import decode_jwt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.transport.wire import Json

_ONLY_STRICT = "((Auth Emulator only accepts strict JSON or JWTs as fake id_tokens.))"
_NOT_STRICT = "((Auth Emulator failed to parse fake id_token as strict JSON.))"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as an identity provider knows him; `reply` is what the answer says of him."""

    provider_id: str
    raw_id: str
    reply: Reply
    attributes: Json = None
    """What SAML says of him: goes into the ID token."""

    @property
    def email(self) -> str | None:
        return cast("str | None", self.reply.get("email"))

    @property
    def vouched_for(self) -> bool:
        """Does the provider say that the address is his?"""
        return bool(self.reply.get("emailVerified"))

    def as_provider(self) -> Provider:
        reply = self.reply
        return without_none(
            providerId=self.provider_id,
            rawId=self.raw_id,
            federatedId=self.raw_id,
            displayName=reply.get("displayName"),
            photoUrl=reply.get("photoUrl"),
            email=reply.get("email"),
            screenName=reply.get("screenName"),
        )


def sign_in_with_idp(call: Call) -> Reply:
    """`accounts:signInWithIdp`: sign in, link with the user of `idToken`, or say what stands against it."""
    body, project = call.body, call.project
    for name in ("returnRefreshToken", "pendingIdToken"):
        if body.flag(name) or body.text(name):
            raise not_implemented(f"{name} is not implemented yet.")
    person = _person(_parameters(call))
    linking = project.signed_in(body.text("idToken")).account if body.text("idToken") else None
    known = project.accounts.by_provider(person.provider_id, person.raw_id)
    try:
        outcome, account = _find(project, person, known, linking)
    except Refusal as refusal:
        if not body.flag("returnIdpCredential"):
            raise
        return {**person.reply, "errorMessage": refusal.message}
    reply: Reply = {**person.reply, **outcome}
    if account is None:
        return reply
    project.accounts.settle(account, link=[person.as_provider()])
    if account.email == person.email:
        reply["emailVerified"] = account.email_verified
    reply = without_none(**reply)
    if account.mfa_info:
        return {**reply, **pending(project, account, person.provider_id)}
    account.last_login_at = str(project.now_ms())
    expect(not account.disabled, "USER_DISABLED")
    return {**reply, **project.issue(account, person.provider_id, attributes=person.attributes)}


def _parameters(call: Call) -> dict[str, str]:
    """What came back from the provider: the URL's query, over it the body, over that the URL's fragment."""
    uri = call.body.text("requestUri")
    expect(uri, "MISSING_REQUEST_URI")
    expect(is_absolute_url(uri), "INVALID_REQUEST_URI")
    parts = urlsplit(uri)
    query = {**_pairs(parts.query), **_pairs(call.body.text("postBody")), **_pairs(parts.fragment)}
    visit = returned(call.project, query, call.body.text("sessionId"))
    if visit is not None:
        query = {"providerId": visit.provider_id, "id_token": json.dumps(visit.claims)}
    if not query.get("providerId"):
        shown = urlunsplit(parts._replace(path=parts.path or "/", query=form_encoded(query), fragment=""))
        raise bad_request(f"INVALID_CREDENTIAL_OR_PROVIDER_ID : Invalid IdP response/credential: {shown}")
    return query


def _pairs(query: str) -> dict[str, str]:
    """The parameters; of one that is there twice, the first."""
    return dict(reversed(parse_qsl(query, keep_blank_values=True)))


def _person(query: Mapping[str, str]) -> Person:
    provider_id = known_provider(query["providerId"].lower())
    id_token, access_token = query.get("id_token"), query.get("access_token")
    claims = _claims(id_token) or _claims(access_token)
    if claims is None:
        raise _unreadable(provider_id, id_token, access_token)
    saml = _saml(query["SAMLResponse"]) if query.get("SAMLResponse") else {}
    reply = _described(provider_id, claims, saml)
    reply["oauthAccessToken"] = access_token or f"FirebaseAuthEmulatorFakeAccessToken_{provider_id}"
    reply["oauthIdToken"] = id_token
    return Person(provider_id, str(claims["sub"]), without_none(**reply), saml.get("attributeStatements"))


def _unreadable(provider_id: str, id_token: str | None, access_token: str | None) -> Refusal:
    if id_token:
        return bad_request(f"INVALID_IDP_RESPONSE : Unable to parse id_token: {id_token} {_ONLY_STRICT}")
    if access_token and provider_id in {"google.com", "apple.com"}:
        return not_implemented(
            f"The Auth Emulator only support sign-in with {provider_id} using id_token, not access_token. "
            "Please update your code to use id_token."
        )
    if access_token:
        return not_implemented(f"The Auth Emulator does not support {provider_id} sign-in with credentials.")
    return not_implemented("The Auth Emulator only supports sign-in with credentials (id_token required).")


def _claims(text: str | None) -> Reply | None:
    if not text:
        return None
    if text.startswith("{"):
        try:
            claims = cast("Reply", json.loads(text))
        except (ValueError, RecursionError):
            problem = f"INVALID_IDP_RESPONSE : Unable to parse id_token: {text} {_NOT_STRICT}"
            raise bad_request(problem) from None
    else:
        decoded = decode_jwt(text)
        if decoded is None:
            return None
        claims = decoded
    expect(
        claims.get("sub"),
        "INVALID_IDP_RESPONSE : Invalid Idp Response: id_token missing required fields. "
        '((Missing "sub" field. This field is required and must be a unique identifier.))',
    )
    expect(isinstance(claims["sub"], str), 'INVALID_IDP_RESPONSE : ((The "sub" field must be a string.))')
    return claims


def _saml(text: str) -> Reply:
    """The assertion of a SAML response, which here is JSON."""
    try:
        response = cast("Json", json.loads(text))
    except (ValueError, RecursionError):
        response = None
    assertion = response.get("assertion") if isinstance(response, dict) else None
    if not isinstance(assertion, dict):
        raise bad_request("INVALID_IDP_RESPONSE ((Missing assertion in SAMLResponse.))")
    subject = assertion.get("subject")
    if not isinstance(subject, dict):
        raise bad_request("INVALID_IDP_RESPONSE ((Missing assertion.subject in SAMLResponse.))")
    expect(subject.get("nameId"), "INVALID_IDP_RESPONSE ((Missing assertion.subject.nameId in SAMLResponse.))")
    return assertion


def _described(provider_id: str, claims: Reply, saml: Reply) -> Reply:
    email = str(claims["email"]).lower() if claims.get("email") else None
    reply: Reply = {
        "kind": "identitytoolkit#VerifyAssertionResponse",
        "context": "",
        "providerId": provider_id,
        "displayName": claims.get("name"),
        "fullName": claims.get("name"),
        "screenName": claims.get("screen_name"),
        "email": email,
        "emailVerified": bool(claims.get("email_verified")),
        "photoUrl": claims.get("picture"),
        "federatedId": claims["sub"],
    }
    if provider_id == "google.com":
        reply["federatedId"] = f"https://accounts.google.com/{claims['sub']}"
        reply["firstName"], reply["lastName"] = claims.get("given_name"), claims.get("family_name")
        reply["rawUserInfo"] = _json(_google_profile(claims, email))
    elif provider_id.startswith("saml."):
        subject = cast("Reply", saml.get("subject") or {})
        name = str(subject.get("nameId") or "")
        reply["email"] = name if name.count("@") == 1 and all(name.split("@")) else email
        reply["emailVerified"] = True
        if saml.get("attributeStatements") is not None:
            reply["rawUserInfo"] = _json(saml["attributeStatements"])
    else:
        reply["rawUserInfo"] = _json(claims)
    return reply


def _google_profile(claims: Reply, email: str | None) -> Reply:
    scopes = "openid https://www.googleapis.com/auth/userinfo.profile"
    return without_none(
        granted_scopes=scopes + (" https://www.googleapis.com/auth/userinfo.email" if email else ""),
        id=claims["sub"],
        name=claims.get("name"),
        given_name=claims.get("given_name"),
        family_name=claims.get("family_name"),
        verified_email=bool(claims.get("email_verified")),
        locale="en",
        email=email,
        picture=claims.get("picture"),
    )


def _json(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


# --- whose account it is ---


def _find(
    project: Project, person: Person, known: Account | None, linking: Account | None
) -> tuple[Reply, Account | None]:
    """What to add to the answer, and the account to sign in to; no account where somebody has to confirm first."""
    if linking is not None:
        expect(known is None, "FEDERATED_USER_ID_ALREADY_LINKED")
        _link(project, person, linking)
        return {"localId": linking.local_id}, linking
    if known is not None:
        return {"localId": known.local_id}, known
    one_per_address = not project.allow_duplicate_emails
    owner = project.accounts.by_email(person.email) if person.email and one_per_address else None
    if owner is None:
        account = _new_account(project, person, with_email=one_per_address)
        return {"localId": account.local_id, "isNewUser": True}, account
    if not person.vouched_for:
        ways = [provider["providerId"] for provider in owner.providers or ()]
        verified: list[Json] = [way for way in ways if way not in {PASSWORD, PHONE}]
        return {"localId": owner.local_id, "needConfirmation": True, "verifiedProvider": verified}, None
    recycled = any(
        provider["providerId"] == person.provider_id and provider.get("rawId") != person.raw_id
        for provider in owner.providers or ()
    )
    _take_over(project, person, owner)
    return {"localId": owner.local_id, **({"emailRecycled": True} if recycled else {})}, owner


def _link(project: Project, person: Person, account: Account) -> None:
    if person.email and not project.allow_duplicate_emails:
        owner = project.accounts.by_email(person.email)
        expect(owner is None or owner is account, "EMAIL_EXISTS")
        if not account.email:
            account.email, account.email_verified = person.email, person.vouched_for
    if person.email and person.vouched_for and account.email == person.email:
        account.email_verified = True


def _take_over(project: Project, person: Person, account: Account) -> None:
    """The provider vouches for the address. If nobody did before, the password may be somebody else's, so it goes."""
    if not account.email_verified:
        account.password_hash = account.phone_number = None
        account.revoke(str(project.now()))
    _copy_profile(person, account)
    account.email_verified = True


def _new_account(project: Project, person: Person, *, with_email: bool) -> Account:
    now = str(project.now_ms())
    account = Account(project.accounts.new_id(), created_at=now, last_login_at=now)
    _copy_profile(person, account)
    if with_email and person.email:
        account.email, account.email_verified = person.email, person.vouched_for
    project.accounts.add(account)
    return account


def _copy_profile(person: Person, account: Account) -> None:
    account.display_name = cast("str | None", person.reply.get("displayName"))
    account.photo_url = cast("str | None", person.reply.get("photoUrl"))
    account.screen_name = cast("str | None", person.reply.get("screenName"))
