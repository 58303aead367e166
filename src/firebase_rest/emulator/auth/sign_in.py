"""Sign-up, sign-in, and the refresh of tokens. https://firebase.google.com/docs/reference/rest/auth"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.auth import provider_pages
from firebase_rest.emulator.auth.bodies import AuthRequest, format_number
from firebase_rest.emulator.auth.errors import bad_request, not_implemented, validate
from firebase_rest.emulator.auth.factors import read_factors
from firebase_rest.emulator.auth.model import ANONYMOUS, CUSTOM, PASSWORD, Account, Payload, random_id, without_none
from firebase_rest.emulator.auth.passwords import validate_password, validate_password_at_sign_in
from firebase_rest.emulator.auth.second_factors import pending_credential
from firebase_rest.emulator.auth.tokens import RefreshToken, decode_claims
from firebase_rest.emulator.auth.validation import is_absolute_url, validate_email, validate_phone_number

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.transport.wire import Json

CUSTOM_TOKEN_AUDIENCE = "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit"
PROJECT_NUMBER = "12345"
RESERVED_CLAIMS = (
    "iss", "aud", "sub", "iat", "exp", "nbf", "jti", "nonce",
    "azp", "acr", "amr", "cnf", "auth_time", "firebase", "at_hash", "c_hash",
)  # fmt: skip


def sign_up(request: AuthRequest) -> Payload:
    """`accounts:signUp`: create an account, or add an e-mail address and password to the account of `idToken`.

    An administrator (`projects/P/accounts`) can set any field, and receives no tokens.
    """
    body, project = request.body, request.project
    provider = None
    if request.is_admin:
        validate(not (body.string("idToken") and body.string("localId")), "UNEXPECTED_PARAMETER : User ID")
        validate(project.accounts.get(body.string("localId")) is None, "DUPLICATE_LOCAL_ID")
    else:
        validate(not body.string("localId"), "UNEXPECTED_PARAMETER : User ID")
        provider = ANONYMOUS
        if body.string("idToken") or body.string("password") or body.string("email"):
            provider = PASSWORD
            validate(body.string("email"), "MISSING_EMAIL")
            validate(body.string("password"), "MISSING_PASSWORD")
            validate(project.allows("allowPasswordSignup"), "OPERATION_NOT_ALLOWED")
        else:
            validate(project.allows("enableAnonymousUser"), "ADMIN_ONLY_OPERATION")
    new = _new_account(request, provider)
    if body.string("idToken"):
        account = project.signed_in(body.string("idToken")).account
        _upgrade(account, new)
        project.accounts.update_indexes(account)
    else:
        account = new
        account.created_at = account.last_login_at
        project.accounts.add(account)
    payload = without_none(
        kind="identitytoolkit#SignupNewUserResponse",
        localId=account.local_id,
        displayName=account.display_name,
        email=account.email,
    )
    return {**payload, **(project.issue(account, provider) if provider else {})}


def _new_account(request: AuthRequest, provider: str | None) -> Account:
    """Return a new account with the validated fields of the request. Do not store it."""
    body, project = request.body, request.project
    account = Account(body.string("localId") or project.accounts.new_id(), last_login_at=str(project.now_ms()))
    if request.is_admin:
        account.display_name = body.optional_string("displayName")
        account.photo_url = body.optional_string("photoUrl")
        account.email_verified = body.boolean("emailVerified") or False
        if body.string("phoneNumber"):
            account.phone_number = validate_phone_number(body.string("phoneNumber"))
            validate(project.accounts.by_phone_number(account.phone_number) is None, "PHONE_NUMBER_EXISTS")
        account.disabled = body.boolean("disabled") or None
    elif provider == PASSWORD:
        account.display_name = body.optional_string("displayName")
        account.email_verified = False
    if body.string("email") or ("email" in body and provider):
        account.email = validate_email(body.string("email"))
        validate(project.accounts.by_email(account.email) is None, "EMAIL_EXISTS")
    if body.string("password"):
        account.set_password(validate_password(project, body.string("password")), project.now_ms())
        account.valid_since = str(project.now())
    if "mfaInfo" in body:
        account.mfa_info = read_factors(body.objects("mfaInfo"), new_ids=True)
    return account


def _upgrade(account: Account, new: Account) -> None:
    """Copy the fields of a sign-up to the existing account of its ID token."""
    account.email, account.email_verified = new.email, new.email_verified
    account.display_name = new.display_name
    account.last_login_at = new.last_login_at
    account.password_hash, account.salt, account.hash_parameters = new.password_hash, new.salt, {}
    account.password_updated_at = new.password_updated_at
    account.revoke(new.valid_since or "0")


def sign_in_with_password(request: AuthRequest) -> Payload:
    """`accounts:signInWithPassword`: sign in with an e-mail address and password."""
    body, project = request.body, request.project
    validate(project.allows("allowPasswordSignup"), "PASSWORD_LOGIN_DISABLED")
    validate("email" in body, "MISSING_EMAIL")
    email = validate_email(body.string("email"))
    validate(body.string("password"), "MISSING_PASSWORD")
    if body.string("captchaResponse") or body.string("captchaChallenge"):
        raise not_implemented("captcha unimplemented")
    if body.string("idToken") or body.string("pendingIdToken"):
        raise not_implemented("idToken / pendingIdToken is no longer in use and unsupported by the Auth Emulator.")
    account = project.accounts.by_email(email)
    if account is None:
        raise bad_request("INVALID_LOGIN_CREDENTIALS" if project.email_privacy else "EMAIL_NOT_FOUND")
    validate(not account.disabled, "USER_DISABLED")
    problem = "INVALID_LOGIN_CREDENTIALS" if project.email_privacy else "INVALID_PASSWORD"
    validate(account.has_password(body.string("password")), problem)
    validate_password_at_sign_in(project, body.string("password"))
    payload: Payload = {
        "kind": "identitytoolkit#VerifyPasswordResponse",
        "registered": True,
        "localId": account.local_id,
        "email": email,
    }
    if account.mfa_info:
        return {**payload, **pending_credential(project, account, PASSWORD)}
    account.last_login_at = str(project.now_ms())
    return {**payload, **project.issue(account, PASSWORD)}


def sign_in_with_custom_token(request: AuthRequest) -> Payload:
    """`accounts:signInWithCustomToken`: sign in with a JWT, which may be unsigned, or the JSON of its claims."""
    token = request.body.string("token")
    validate(token, "MISSING_CUSTOM_TOKEN")
    payload = _parse_custom_token(token, request.project.tenant_id)
    local_id = _format_uid(payload.get("uid"))
    if local_id is None:
        local_id = _format_uid(payload.get("user_id"))
    if not local_id:
        raise bad_request("MISSING_IDENTIFIER")
    extra = custom_claims(payload["claims"]) if "claims" in payload else {}
    account = request.project.accounts.get(local_id)
    is_new = account is None
    account = account or request.project.create_account(local_id)
    validate(not account.disabled, "USER_DISABLED")
    account.custom_auth, account.last_login_at = True, str(request.project.now_ms())
    response: Payload = {"kind": "identitytoolkit#VerifyCustomTokenResponse", "isNewUser": is_new}
    return {**response, **request.project.issue(account, CUSTOM, extra)}


def _parse_custom_token(token: str, tenant_id: str | None) -> Payload:
    """Return the claims of a custom token. Raises `AuthHTTPError` if it is invalid."""
    if token.startswith("{"):
        try:
            return cast("Payload", json.loads(token))
        except (ValueError, RecursionError):
            problem = "((Auth Emulator only accepts strict JSON or JWTs as fake custom tokens.))"
            raise bad_request(f"INVALID_CUSTOM_TOKEN : {problem}") from None
    payload = decode_claims(token)
    validate(tenant_id is None or (payload or {}).get("tenant_id") == tenant_id, "TENANT_ID_MISMATCH")
    if payload is None:
        raise bad_request("INVALID_CUSTOM_TOKEN : Invalid assertion format")
    audience = payload.get("aud")
    validate(
        audience == CUSTOM_TOKEN_AUDIENCE,
        f"INVALID_CUSTOM_TOKEN : ((Invalid aud (audience): {'undefined' if audience is None else audience} "
        "Note: Firebase ID Tokens / third-party tokens cannot be used with signInWithCustomToken.))",
    )
    return payload


def _format_uid(value: Json) -> str | None:
    """Return a UID as a string. Numbers and booleans are formatted as in JavaScript."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return format_number(value) if isinstance(value, (int, float)) else None


def custom_claims(claims: Json) -> Payload:
    """Return the claims. Raises `AuthHTTPError` if they are not an object or contain a reserved name."""
    if not isinstance(claims, dict):
        raise bad_request("INVALID_CLAIMS")
    for name in RESERVED_CLAIMS:
        validate(name not in claims, f"FORBIDDEN_CLAIM : {name}")
    return claims


def sign_in_with_email_link(request: AuthRequest) -> Payload:
    """`accounts:signInWithEmailLink`: sign in with a code, or link the address to the account of `idToken`."""
    body, project = request.body, request.project
    validate(project.allows("enableEmailLinkSignin"), "OPERATION_NOT_ALLOWED")
    linking = project.signed_in(body.string("idToken")).account if body.string("idToken") else None
    validate(body.string("email"), "MISSING_EMAIL")
    email = body.string("email").lower()
    validate(body.string("oobCode"), "MISSING_OOB_CODE")
    code = project.codes.get(body.string("oobCode"))
    if code is None or code.request_type != "EMAIL_SIGNIN":
        raise bad_request("INVALID_OOB_CODE")
    validate(email == code.email, "INVALID_EMAIL : The email provided does not match the sign-in email address.")
    del project.codes[code.code]
    owner = project.accounts.by_email(email)
    is_new = linking is None and owner is None
    account = linking or owner or project.create_account()
    validate(not account.disabled, "USER_DISABLED")
    validate(owner is None or owner is account, "EMAIL_EXISTS")
    account.email, account.email_verified, account.email_link_sign_in = email, True, True
    project.accounts.update_indexes(account)
    payload: Payload = {
        "kind": "identitytoolkit#EmailLinkSigninResponse",
        "email": email,
        "localId": account.local_id,
        "isNewUser": is_new,
    }
    if account.mfa_info:
        return {**payload, **pending_credential(project, account, PASSWORD)}
    account.last_login_at = str(project.now_ms())
    return {**payload, **project.issue(account, PASSWORD)}


def create_auth_uri(request: AuthRequest) -> Payload:
    """`accounts:createAuthUri` with an `identifier`: return the sign-in methods of an e-mail address."""
    body, project = request.body, request.project
    if body.string("providerId"):
        return provider_pages.begin_sign_in(request)
    validate(body.string("identifier"), "MISSING_IDENTIFIER")
    validate(body.string("continueUri"), "MISSING_CONTINUE_URI")
    email = validate_email(body.string("identifier"), "INVALID_IDENTIFIER")
    validate(is_absolute_url(body.string("continueUri")), "INVALID_CONTINUE_URI")
    session_id = body.string("sessionId") or random_id(27)
    payload: Payload = {"kind": "identitytoolkit#CreateAuthUriResponse", "sessionId": session_id}
    if project.email_privacy:
        return payload
    accounts = project.accounts.find_all_by_email(email)
    providers, methods = _sign_in_methods(accounts[0]) if accounts else ([], [])
    return {**payload, "registered": bool(accounts), "allProviders": providers, "signinMethods": methods}


def _sign_in_methods(account: Account) -> tuple[list[Json], list[Json]]:
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


def grant_token(request: AuthRequest) -> Payload:
    """`securetoken.googleapis.com/v1/token`: return new tokens for a refresh token."""
    body, project = request.body, request.project
    validate(body.string("grantType"), "MISSING_GRANT_TYPE")
    validate(body.string("grantType") == "refresh_token", "INVALID_GRANT_TYPE")
    validate(body.string("refreshToken"), "MISSING_REFRESH_TOKEN")
    token = RefreshToken.decode(body.string("refreshToken"))
    account = project.accounts.get(token.local_id) if token and token.project == project.name else None
    if token is None or account is None:
        raise bad_request("INVALID_REFRESH_TOKEN")
    validate(not account.disabled, "USER_DISABLED")
    validate(token.generation == account.generation, "TOKEN_EXPIRED")
    return _token_response(project, account, token)


def _token_response(project: AuthProject, account: Account, token: RefreshToken) -> Payload:
    issued = project.issue(account, token.provider, token.extra, second_factor=token.second_factor)
    return {
        "id_token": issued["idToken"],
        "access_token": issued["idToken"],
        "expires_in": issued["expiresIn"],
        "refresh_token": issued["refreshToken"],
        "token_type": "Bearer",
        "user_id": account.local_id,
        "project_id": PROJECT_NUMBER,
    }
