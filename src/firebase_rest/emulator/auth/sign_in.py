"""Signing up, signing in, and refreshing. https://firebase.google.com/docs/reference/rest/auth"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.auth import provider_pages
from firebase_rest.emulator.auth.accounts import ANONYMOUS, CUSTOM, PASSWORD, Account, random_id, without_none
from firebase_rest.emulator.auth.bodies import number_text
from firebase_rest.emulator.auth.errors import bad_request, expect, not_implemented
from firebase_rest.emulator.auth.factors import enrollments
from firebase_rest.emulator.auth.passwords import expect_still_good, strong_password
from firebase_rest.emulator.auth.project import (
    Call,
    Project,
    Reply,
    email_address,
    is_absolute_url,
    phone_number,
)
from firebase_rest.emulator.auth.second_factors import pending
from firebase_rest.emulator.auth.tokens import RefreshToken, decode_jwt

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Json

CUSTOM_TOKEN_AUDIENCE = "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit"
PROJECT_NUMBER = "12345"
RESERVED_CLAIMS = (
    "iss", "aud", "sub", "iat", "exp", "nbf", "jti", "nonce",
    "azp", "acr", "amr", "cnf", "auth_time", "firebase", "at_hash", "c_hash",
)  # fmt: skip


def sign_up(call: Call) -> Reply:
    """`accounts:signUp`: a new account by e-mail or anonymous, or e-mail and password for the one behind `idToken`.

    As an administrator (`projects/P/accounts`): an account with any of its fields, and no tokens.
    """
    body, project = call.body, call.project
    provider = None
    if call.privileged:
        expect(not (body.text("idToken") and body.text("localId")), "UNEXPECTED_PARAMETER : User ID")
        expect(project.accounts.get(body.text("localId")) is None, "DUPLICATE_LOCAL_ID")
    else:
        expect(not body.text("localId"), "UNEXPECTED_PARAMETER : User ID")
        provider = ANONYMOUS
        if body.text("idToken") or body.text("password") or body.text("email"):
            provider = PASSWORD
            expect(body.text("email"), "MISSING_EMAIL")
            expect(body.text("password"), "MISSING_PASSWORD")
            expect(project.allows("allowPasswordSignup"), "OPERATION_NOT_ALLOWED")
        else:
            expect(project.allows("enableAnonymousUser"), "ADMIN_ONLY_OPERATION")
    new = _new_fields(call, provider)
    if body.text("idToken"):
        account = project.signed_in(body.text("idToken")).account
        _upgrade(account, new)
        project.accounts.settle(account)
    else:
        account = new
        account.created_at = account.last_login_at
        project.accounts.add(account)
    reply = without_none(
        kind="identitytoolkit#SignupNewUserResponse",
        localId=account.local_id,
        displayName=account.display_name,
        email=account.email,
    )
    return {**reply, **(project.issue(account, provider) if provider else {})}


def _new_fields(call: Call, provider: str | None) -> Account:
    """An account with the fields of the request, checked, that is not kept yet."""
    body, project = call.body, call.project
    account = Account(body.text("localId") or project.accounts.new_id(), last_login_at=str(project.now_ms()))
    if call.privileged:
        account.display_name = body.given("displayName")
        account.photo_url = body.given("photoUrl")
        account.email_verified = body.flag("emailVerified") or False
        if body.text("phoneNumber"):
            account.phone_number = phone_number(body.text("phoneNumber"))
            expect(project.accounts.by_phone_number(account.phone_number) is None, "PHONE_NUMBER_EXISTS")
        account.disabled = body.flag("disabled") or None
    elif provider == PASSWORD:
        account.display_name = body.given("displayName")
        account.email_verified = False
    if body.text("email") or ("email" in body and provider):
        account.email = email_address(body.text("email"))
        expect(project.accounts.by_email(account.email) is None, "EMAIL_EXISTS")
    if body.text("password"):
        account.set_password(strong_password(project, body.text("password")), project.now_ms())
        account.valid_since = str(project.now())
    if "mfaInfo" in body:
        account.mfa_info = enrollments(body.records("mfaInfo"), new_ids=True)
    return account


def _upgrade(account: Account, new: Account) -> None:
    """Give an existing account the fields of a sign-up that named it by its ID token."""
    account.email, account.email_verified = new.email, new.email_verified
    account.display_name = new.display_name
    account.last_login_at = new.last_login_at
    account.password_hash, account.salt = new.password_hash, new.salt
    account.password_updated_at = new.password_updated_at
    account.revoke(new.valid_since or "0")


def sign_in_with_password(call: Call) -> Reply:
    """`accounts:signInWithPassword`."""
    body, project = call.body, call.project
    expect(project.allows("allowPasswordSignup"), "PASSWORD_LOGIN_DISABLED")
    expect("email" in body, "MISSING_EMAIL")
    email = email_address(body.text("email"))
    expect(body.text("password"), "MISSING_PASSWORD")
    if body.text("captchaResponse") or body.text("captchaChallenge"):
        raise not_implemented("captcha unimplemented")
    if body.text("idToken") or body.text("pendingIdToken"):
        raise not_implemented("idToken / pendingIdToken is no longer in use and unsupported by the Auth Emulator.")
    account = project.accounts.by_email(email)
    if account is None:
        raise bad_request("INVALID_LOGIN_CREDENTIALS" if project.email_privacy else "EMAIL_NOT_FOUND")
    expect(not account.disabled, "USER_DISABLED")
    wrong = "INVALID_LOGIN_CREDENTIALS" if project.email_privacy else "INVALID_PASSWORD"
    expect(account.has_password(body.text("password")), wrong)
    expect_still_good(project, body.text("password"))
    reply: Reply = {
        "kind": "identitytoolkit#VerifyPasswordResponse",
        "registered": True,
        "localId": account.local_id,
        "email": email,
    }
    if account.mfa_info:
        return {**reply, **pending(project, account, PASSWORD)}
    account.last_login_at = str(project.now_ms())
    return {**reply, **project.issue(account, PASSWORD)}


def sign_in_with_custom_token(call: Call) -> Reply:
    """`accounts:signInWithCustomToken`: a JWT, signed or not, or for tests the bare JSON of its claims."""
    token = call.body.text("token")
    expect(token, "MISSING_CUSTOM_TOKEN")
    payload = _custom_token(token, call.project.tenant_id)
    local_id = _identifier(payload.get("uid"))
    if local_id is None:
        local_id = _identifier(payload.get("user_id"))
    if not local_id:
        raise bad_request("MISSING_IDENTIFIER")
    extra = custom_claims(payload["claims"]) if "claims" in payload else {}
    account = call.project.accounts.get(local_id)
    is_new = account is None
    now = str(call.project.now_ms())
    if account is None:
        account = Account(local_id, created_at=now)
        call.project.accounts.add(account)
    expect(not account.disabled, "USER_DISABLED")
    account.custom_auth, account.last_login_at = True, now
    reply: Reply = {"kind": "identitytoolkit#VerifyCustomTokenResponse", "isNewUser": is_new}
    return {**reply, **call.project.issue(account, CUSTOM, extra)}


def _custom_token(token: str, tenant_id: str | None) -> Reply:
    if token.startswith("{"):
        try:
            return cast("Reply", json.loads(token))
        except (ValueError, RecursionError):
            problem = "((Auth Emulator only accepts strict JSON or JWTs as fake custom tokens.))"
            raise bad_request(f"INVALID_CUSTOM_TOKEN : {problem}") from None
    payload = decode_jwt(token)
    expect(tenant_id is None or (payload or {}).get("tenant_id") == tenant_id, "TENANT_ID_MISMATCH")
    if payload is None:
        raise bad_request("INVALID_CUSTOM_TOKEN : Invalid assertion format")
    audience = payload.get("aud")
    expect(
        audience == CUSTOM_TOKEN_AUDIENCE,
        f"INVALID_CUSTOM_TOKEN : ((Invalid aud (audience): {'undefined' if audience is None else audience} "
        "Note: Firebase ID Tokens / third-party tokens cannot be used with signInWithCustomToken.))",
    )
    return payload


def _identifier(value: Json) -> str | None:
    """A uid may come as a number or a boolean; then it is the text that JavaScript prints for it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, (int, float)) else None


def custom_claims(claims: Json) -> Reply:
    """The claims, if they are an object without reserved names."""
    if not isinstance(claims, dict):
        raise bad_request("INVALID_CLAIMS")
    for name in RESERVED_CLAIMS:
        expect(name not in claims, f"FORBIDDEN_CLAIM : {name}")
    return claims


def sign_in_with_email_link(call: Call) -> Reply:
    """`accounts:signInWithEmailLink`: with the code of an EMAIL_SIGNIN mail; with `idToken` the address is linked."""
    body, project = call.body, call.project
    expect(project.allows("enableEmailLinkSignin"), "OPERATION_NOT_ALLOWED")
    linking = project.signed_in(body.text("idToken")).account if body.text("idToken") else None
    expect(body.text("email"), "MISSING_EMAIL")
    email = body.text("email").lower()
    expect(body.text("oobCode"), "MISSING_OOB_CODE")
    code = project.codes.get(body.text("oobCode"))
    if code is None or code.request_type != "EMAIL_SIGNIN":
        raise bad_request("INVALID_OOB_CODE")
    expect(email == code.email, "INVALID_EMAIL : The email provided does not match the sign-in email address.")
    del project.codes[code.code]
    owner = project.accounts.by_email(email)
    account = linking or owner
    is_new = account is None
    if account is None:
        account = Account(project.accounts.new_id(), created_at=str(project.now_ms()))
        project.accounts.add(account)
    expect(not account.disabled, "USER_DISABLED")
    expect(owner is None or owner is account, "EMAIL_EXISTS")
    account.email, account.email_verified, account.email_link_sign_in = email, True, True
    project.accounts.settle(account)
    reply: Reply = {
        "kind": "identitytoolkit#EmailLinkSigninResponse",
        "email": email,
        "localId": account.local_id,
        "isNewUser": is_new,
    }
    if account.mfa_info:
        return {**reply, **pending(project, account, PASSWORD)}
    account.last_login_at = str(project.now_ms())
    return {**reply, **project.issue(account, PASSWORD)}


def create_auth_uri(call: Call) -> Reply:
    """`accounts:createAuthUri` with an `identifier`: which ways of signing in an e-mail address has."""
    body, project = call.body, call.project
    if body.text("providerId"):
        return provider_pages.begin(call)
    expect(body.text("identifier"), "MISSING_IDENTIFIER")
    expect(body.text("continueUri"), "MISSING_CONTINUE_URI")
    email = email_address(body.text("identifier"), "INVALID_IDENTIFIER")
    expect(is_absolute_url(body.text("continueUri")), "INVALID_CONTINUE_URI")
    reply: Reply = {
        "kind": "identitytoolkit#CreateAuthUriResponse",
        "sessionId": body.text("sessionId") or random_id(27),
    }
    if project.email_privacy:
        return reply
    accounts = project.accounts.knowing_email(email)
    providers, methods = _ways_in(accounts[0]) if accounts else ([], [])
    return {**reply, "registered": bool(accounts), "allProviders": providers, "signinMethods": methods}


def _ways_in(account: Account) -> tuple[list[Json], list[Json]]:
    providers: list[Json] = []
    methods: list[Json] = []
    for provider in account.providers or []:
        name = provider["providerId"]
        if name == PASSWORD:
            providers.append(name)
            methods.extend(["password"] if account.password_hash else [])
            methods.extend(["emailLink"] if account.email_link_sign_in else [])
        elif name != "phone":
            providers.append(name)
            methods.append(name)
    return providers, methods


def grant_token(call: Call) -> Reply:
    """`securetoken.googleapis.com/v1/token`: a refresh token for fresh ones; here names are snake_case."""
    body, project = call.body, call.project
    expect(body.text("grantType"), "MISSING_GRANT_TYPE")
    expect(body.text("grantType") == "refresh_token", "INVALID_GRANT_TYPE")
    expect(body.text("refreshToken"), "MISSING_REFRESH_TOKEN")
    token = RefreshToken.decode(body.text("refreshToken"))
    account = project.accounts.get(token.local_id) if token and token.project == project.name else None
    if token is None or account is None:
        raise bad_request("INVALID_REFRESH_TOKEN")
    expect(not account.disabled, "USER_DISABLED")
    expect(token.generation == account.generation, "TOKEN_EXPIRED")
    return _granted(project, account, token)


def _granted(project: Project, account: Account, token: RefreshToken) -> Reply:
    fresh = project.issue(account, token.provider, token.extra, second_factor=token.second_factor)
    return {
        "id_token": fresh["idToken"],
        "access_token": fresh["idToken"],
        "expires_in": fresh["expiresIn"],
        "refresh_token": fresh["refreshToken"],
        "token_type": "Bearer",
        "user_id": account.local_id,
        "project_id": PROJECT_NUMBER,
    }
