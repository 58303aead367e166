"""Sign-in with identity providers, with fake credentials: JSON or an unsigned JWT as `id_token`.

https://firebase.google.com/docs/emulator-suite/connect_auth
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from firebase_rest.emulator.auth.errors import AuthHTTPError, bad_request, not_implemented, validate
from firebase_rest.emulator.auth.model import PASSWORD, PHONE, Account, Payload, Provider, without_none
from firebase_rest.emulator.auth.provider_pages import redeem_callback
from firebase_rest.emulator.auth.second_factors import pending_credential
from firebase_rest.emulator.auth.tokens import decode_claims
from firebase_rest.emulator.auth.validation import form_encoded, is_absolute_url, validate_provider_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.auth.bodies import AuthRequest
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.transport.wire import Json

_ONLY_STRICT = "((Auth Emulator only accepts strict JSON or JWTs as fake id_tokens.))"
_NOT_STRICT = "((Auth Emulator failed to parse fake id_token as strict JSON.))"


@dataclass(frozen=True, slots=True)
class FederatedProfile:
    """A user at an identity provider; `payload` is the part of the response about the user."""

    provider_id: str
    raw_id: str
    payload: Payload
    attributes: Json = None
    """The SAML attributes, which are added to the ID token."""

    @property
    def email(self) -> str | None:
        return cast("str | None", self.payload.get("email"))

    @property
    def email_verified(self) -> bool:
        """Whether the provider has verified the e-mail address."""
        return bool(self.payload.get("emailVerified"))

    def as_provider(self) -> Provider:
        payload = self.payload
        return without_none(
            providerId=self.provider_id,
            rawId=self.raw_id,
            federatedId=self.raw_id,
            displayName=payload.get("displayName"),
            photoUrl=payload.get("photoUrl"),
            email=payload.get("email"),
            screenName=payload.get("screenName"),
        )


def sign_in_with_idp(request: AuthRequest) -> Payload:
    """`accounts:signInWithIdp`: sign in, or link the provider to the account of `idToken`."""
    body, project = request.body, request.project
    for name in ("returnRefreshToken", "pendingIdToken"):
        if body.boolean(name) or body.string(name):
            raise not_implemented(f"{name} is not implemented yet.")
    profile = _profile(_parameters(request))
    linking = project.signed_in(body.string("idToken")).account if body.string("idToken") else None
    known = project.accounts.by_provider(profile.provider_id, profile.raw_id)
    try:
        outcome, account = _find(project, profile, known, linking)
    except AuthHTTPError as error:
        if not body.boolean("returnIdpCredential"):
            raise
        return {**profile.payload, "errorMessage": error.message}
    payload: Payload = {**profile.payload, **outcome}
    if account is None:
        return payload
    project.accounts.update_indexes(account, link=[profile.as_provider()])
    if account.email == profile.email:
        payload["emailVerified"] = account.email_verified
    payload = without_none(**payload)
    if account.mfa_info:
        return {**payload, **pending_credential(project, account, profile.provider_id)}
    account.last_login_at = str(project.now_ms())
    validate(not account.disabled, "USER_DISABLED")
    return {**payload, **project.issue(account, profile.provider_id, attributes=profile.attributes)}


def _parameters(request: AuthRequest) -> dict[str, str]:
    """Return the parameters of the callback: the query, overridden by `postBody`, then by the fragment."""
    uri = request.body.string("requestUri")
    validate(uri, "MISSING_REQUEST_URI")
    validate(is_absolute_url(uri), "INVALID_REQUEST_URI")
    parts = urlsplit(uri)
    query = {**_pairs(parts.query), **_pairs(request.body.string("postBody")), **_pairs(parts.fragment)}
    code = redeem_callback(request.project, query, request.body.string("sessionId"))
    if code is not None:
        query = {"providerId": code.provider_id, "id_token": json.dumps(code.claims)}
    if not query.get("providerId"):
        shown = urlunsplit(parts._replace(path=parts.path or "/", query=form_encoded(query), fragment=""))
        raise bad_request(f"INVALID_CREDENTIAL_OR_PROVIDER_ID : Invalid IdP response/credential: {shown}")
    return query


def _pairs(query: str) -> dict[str, str]:
    """Return the parameters; the first one if a name occurs twice."""
    return dict(reversed(parse_qsl(query, keep_blank_values=True)))


def _profile(query: Mapping[str, str]) -> FederatedProfile:
    provider_id = validate_provider_id(query["providerId"].lower())
    id_token, access_token = query.get("id_token"), query.get("access_token")
    claims = _claims(id_token) or _claims(access_token)
    if claims is None:
        raise _unreadable_credential(provider_id, id_token, access_token)
    saml = _saml(query["SAMLResponse"]) if query.get("SAMLResponse") else {}
    payload = _describe(provider_id, claims, saml)
    payload["oauthAccessToken"] = access_token or f"FirebaseAuthEmulatorFakeAccessToken_{provider_id}"
    payload["oauthIdToken"] = id_token
    return FederatedProfile(provider_id, str(claims["sub"]), without_none(**payload), saml.get("attributeStatements"))


def _unreadable_credential(provider_id: str, id_token: str | None, access_token: str | None) -> AuthHTTPError:
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


def _claims(text: str | None) -> Payload | None:
    if not text:
        return None
    if text.startswith("{"):
        try:
            claims = cast("Payload", json.loads(text))
        except (ValueError, RecursionError):
            problem = f"INVALID_IDP_RESPONSE : Unable to parse id_token: {text} {_NOT_STRICT}"
            raise bad_request(problem) from None
    else:
        decoded = decode_claims(text)
        if decoded is None:
            return None
        claims = decoded
    validate(
        claims.get("sub"),
        "INVALID_IDP_RESPONSE : Invalid Idp Response: id_token missing required fields. "
        '((Missing "sub" field. This field is required and must be a unique identifier.))',
    )
    validate(isinstance(claims["sub"], str), 'INVALID_IDP_RESPONSE : ((The "sub" field must be a string.))')
    return claims


def _saml(text: str) -> Payload:
    """Return the assertion of a fake SAML response, which is JSON."""
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
    validate(subject.get("nameId"), "INVALID_IDP_RESPONSE ((Missing assertion.subject.nameId in SAMLResponse.))")
    return assertion


def _describe(provider_id: str, claims: Payload, saml: Payload) -> Payload:
    email = str(claims["email"]).lower() if claims.get("email") else None
    payload: Payload = {
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
        payload["federatedId"] = f"https://accounts.google.com/{claims['sub']}"
        payload["firstName"], payload["lastName"] = claims.get("given_name"), claims.get("family_name")
        payload["rawUserInfo"] = _json(_google_profile(claims, email))
    elif provider_id.startswith("saml."):
        subject = cast("Payload", saml.get("subject") or {})
        name = str(subject.get("nameId") or "")
        payload["email"] = name if name.count("@") == 1 and all(name.split("@")) else email
        payload["emailVerified"] = True
        if saml.get("attributeStatements") is not None:
            payload["rawUserInfo"] = _json(saml["attributeStatements"])
    else:
        payload["rawUserInfo"] = _json(claims)
    return payload


def _google_profile(claims: Payload, email: str | None) -> Payload:
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


# --- finding the account ---


def _find(
    project: AuthProject, profile: FederatedProfile, known: Account | None, linking: Account | None
) -> tuple[Payload, Account | None]:
    """Return fields of the response, and the account; None if the user must confirm first."""
    if linking is not None:
        validate(known is None, "FEDERATED_USER_ID_ALREADY_LINKED")
        _link(project, profile, linking)
        return {"localId": linking.local_id}, linking
    if known is not None:
        return {"localId": known.local_id}, known
    unique_emails = not project.allow_duplicate_emails
    owner = project.accounts.by_email(profile.email) if profile.email and unique_emails else None
    if owner is None:
        account = _new_account(project, profile, with_email=unique_emails)
        return {"localId": account.local_id, "isNewUser": True}, account
    if not profile.email_verified:
        provider_ids = [provider["providerId"] for provider in owner.providers or ()]
        verified: list[Json] = [provider_id for provider_id in provider_ids if provider_id not in {PASSWORD, PHONE}]
        return {"localId": owner.local_id, "needConfirmation": True, "verifiedProvider": verified}, None
    recycled = any(
        provider["providerId"] == profile.provider_id and provider.get("rawId") != profile.raw_id
        for provider in owner.providers or ()
    )
    _take_over_account(project, profile, owner)
    return {"localId": owner.local_id, **({"emailRecycled": True} if recycled else {})}, owner


def _link(project: AuthProject, profile: FederatedProfile, account: Account) -> None:
    if profile.email and not project.allow_duplicate_emails:
        owner = project.accounts.by_email(profile.email)
        validate(owner is None or owner is account, "EMAIL_EXISTS")
        if not account.email:
            account.email, account.email_verified = profile.email, profile.email_verified
    if profile.email and profile.email_verified and account.email == profile.email:
        account.email_verified = True


def _take_over_account(project: AuthProject, profile: FederatedProfile, account: Account) -> None:
    """Sign in to an account with a verified address. An unverified account may be an attacker's: drop its password."""
    if not account.email_verified:
        account.password_hash = account.phone_number = None
        account.revoke(str(project.now()))
    _copy_profile(profile, account)
    account.email_verified = True


def _new_account(project: AuthProject, profile: FederatedProfile, *, with_email: bool) -> Account:
    now = str(project.now_ms())
    account = Account(project.accounts.new_id(), created_at=now, last_login_at=now)
    _copy_profile(profile, account)
    if with_email and profile.email:
        account.email, account.email_verified = profile.email, profile.email_verified
    project.accounts.add(account)
    return account


def _copy_profile(profile: FederatedProfile, account: Account) -> None:
    account.display_name = cast("str | None", profile.payload.get("displayName"))
    account.photo_url = cast("str | None", profile.payload.get("photoUrl"))
    account.screen_name = cast("str | None", profile.payload.get("screenName"))
