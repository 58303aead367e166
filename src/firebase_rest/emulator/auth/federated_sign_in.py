"""Sign-in with identity providers. The credentials are fake: JSON, or an unsigned JWT, as `id_token`.

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
    """A user of an identity provider. `payload` is the part of the response about the user."""

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
    profile = _read_profile(_callback_params(request))
    linking = project.signed_in(body.string("idToken")).account if body.string("idToken") else None
    existing = project.accounts.by_provider(profile.provider_id, profile.raw_id)
    try:
        account_fields, account = _find_account(project, profile, existing, linking)
    except AuthHTTPError as error:
        if not body.boolean("returnIdpCredential"):
            raise
        return {**profile.payload, "errorMessage": error.message}
    payload: Payload = {**profile.payload, **account_fields}
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


def _callback_params(request: AuthRequest) -> dict[str, str]:
    """Return the parameters of the callback. `postBody` overrides the query, and the fragment overrides both."""
    uri = request.body.string("requestUri")
    validate(uri, "MISSING_REQUEST_URI")
    validate(is_absolute_url(uri), "INVALID_REQUEST_URI")
    parts = urlsplit(uri)
    post_body = request.body.string("postBody")
    query = {**_parse_query(parts.query), **_parse_query(post_body), **_parse_query(parts.fragment)}
    code = redeem_callback(request.project, query, request.body.string("sessionId"))
    if code is not None:
        query = {"providerId": code.provider_id, "id_token": json.dumps(code.claims)}
    if not query.get("providerId"):
        url = urlunsplit(parts._replace(path=parts.path or "/", query=form_encoded(query), fragment=""))
        raise bad_request(f"INVALID_CREDENTIAL_OR_PROVIDER_ID : Invalid IdP response/credential: {url}")
    return query


def _parse_query(query: str) -> dict[str, str]:
    """Return the parameters of a query string. If a name is repeated, the first value counts."""
    return dict(reversed(parse_qsl(query, keep_blank_values=True)))


def _read_profile(query: Mapping[str, str]) -> FederatedProfile:
    provider_id = validate_provider_id(query["providerId"].lower())
    id_token, access_token = query.get("id_token"), query.get("access_token")
    claims = _parse_claims(id_token) or _parse_claims(access_token)
    if claims is None:
        raise _unsupported_credential(provider_id, id_token, access_token)
    saml = _parse_assertion(query["SAMLResponse"]) if query.get("SAMLResponse") else {}
    payload = _describe(provider_id, claims, saml)
    payload["oauthAccessToken"] = access_token or f"FirebaseAuthEmulatorFakeAccessToken_{provider_id}"
    payload["oauthIdToken"] = id_token
    return FederatedProfile(provider_id, str(claims["sub"]), without_none(**payload), saml.get("attributeStatements"))


def _unsupported_credential(provider_id: str, id_token: str | None, access_token: str | None) -> AuthHTTPError:
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


def _parse_claims(text: str | None) -> Payload | None:
    """Return the claims of a fake credential, or None if it is missing or neither JSON nor a JWT."""
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


def _parse_assertion(text: str) -> Payload:
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
    """Return the part of the response about the user."""
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


def _find_account(
    project: AuthProject, profile: FederatedProfile, existing: Account | None, linking: Account | None
) -> tuple[Payload, Account | None]:
    """Return fields of the response about the account, and the account.

    The account is None if another account has the e-mail address, and the user must sign in to that account first.

    Args:
        project: The project.
        profile: The user of the identity provider.
        existing: The account to which the profile is linked, or None.
        linking: The account of the ID token in the request, or None.
    """
    if linking is not None:
        validate(existing is None, "FEDERATED_USER_ID_ALREADY_LINKED")
        _link(project, profile, linking)
        return {"localId": linking.local_id}, linking
    if existing is not None:
        return {"localId": existing.local_id}, existing
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
    """Sign in to the account with the e-mail address that the identity provider has verified."""
    if not account.email_verified:  # an attacker may have created the account, so remove the credentials
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
