"""Lookup, update and deletion of accounts, by a user with an ID token or by an administrator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.auth.errors import bad_request, not_implemented, validate
from firebase_rest.emulator.auth.factors import read_factors
from firebase_rest.emulator.auth.model import ANONYMOUS, PASSWORD, PHONE, Account, ActionCode, Payload, without_none
from firebase_rest.emulator.auth.passwords import validate_password
from firebase_rest.emulator.auth.sign_in import custom_claims
from firebase_rest.emulator.auth.validation import validate_email, validate_phone_number

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.bodies import AuthRequest, Body
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.transport.wire import Json

MAX_CLAIMS = 1000
"""Maximum length of `customAttributes` in characters."""


def lookup(request: AuthRequest) -> Payload:
    """`accounts:lookup`: return the account of `idToken`, or for an administrator all accounts with an identifier."""
    accounts: list[Account | None]
    if request.is_admin:
        accounts = _matching_accounts(request.body, request.project)
    else:
        validate(request.body.string("idToken"), "MISSING_ID_TOKEN")
        accounts = [request.project.signed_in(request.body.string("idToken")).account]
    users = {account.local_id: account.to_json() for account in accounts if account is not None}
    payload: Payload = {"kind": "identitytoolkit#GetAccountInfoResponse"}
    return {**payload, "users": list(users.values())} if users else payload


def _matching_accounts(body: Body, project: AuthProject) -> list[Account | None]:
    if body.strings("initialEmail"):
        raise not_implemented("Lookup by initialEmail is not implemented.")
    accounts = project.accounts
    return [
        *(accounts.get(local_id) for local_id in body.strings("localId")),
        *(accounts.by_email(email.lower()) for email in body.strings("email")),
        *(accounts.by_phone_number(number) for number in body.strings("phoneNumber")),
        *(
            accounts.by_provider(identity.string("providerId"), identity.string("rawId"))
            for identity in body.objects("federatedUserId")
        ),
    ]


def delete(request: AuthRequest) -> Payload:
    """`accounts:delete`: delete the account of `idToken`, or for an administrator the account with `localId`."""
    if request.is_admin:
        validate(request.body.string("localId"), "MISSING_LOCAL_ID")
        account = request.project.accounts.get(request.body.string("localId"))
        if account is None:
            raise bad_request("USER_NOT_FOUND")
    else:
        validate(request.body.string("idToken"), "MISSING_ID_TOKEN")
        account = request.project.signed_in(request.body.string("idToken")).account
    request.project.accounts.delete(account)
    return {"kind": "identitytoolkit#DeleteAccountResponse"}


def update(request: AuthRequest) -> Payload:
    """`accounts:update`: update the account of `idToken`, `oobCode` or, for an administrator, `localId`."""
    body = request.body
    for name in ("provider", "upgradeToFederatedLogin"):
        if name in body:
            raise not_implemented(f"{name} is not implemented yet.")
    if request.is_admin:
        validate(body.string("localId"), "MISSING_LOCAL_ID")
    else:
        validate(body.string("idToken") or body.string("oobCode"), "INVALID_REQ_TYPE : Unsupported request parameters.")
        validate("customAttributes" not in body, "INSUFFICIENT_PERMISSION")
    if body.string("customAttributes"):
        validate_claims(body.string("customAttributes"))
    for attribute in body.strings("deleteAttribute"):
        if attribute in {"PROVIDER", "RAW_USER_INFO"}:
            raise not_implemented(f"deleteAttribute: {attribute}")
    return _apply_code(request) if body.string("oobCode") else _change(request)


def validate_claims(text: str) -> None:
    """Raise `AuthHTTPError` if `customAttributes` is too long or not a JSON object of valid claims."""
    validate(len(text) <= MAX_CLAIMS, "CLAIMS_TOO_LARGE")
    try:
        claims = cast("Json", json.loads(text))
    except (ValueError, RecursionError):
        raise bad_request("INVALID_CLAIMS") from None
    custom_claims(claims)


def apply_code(project: AuthProject, text: str) -> tuple[Account, ActionCode]:
    """Apply a code that verifies, changes or recovers an address, and delete it. Return the account and the code."""
    code = project.codes.get(text)
    if code is None:
        raise bad_request("INVALID_OOB_CODE")
    if code.request_type not in {"VERIFY_EMAIL", "VERIFY_AND_CHANGE_EMAIL", "RECOVER_EMAIL"}:
        raise not_implemented(code.request_type)
    del project.codes[text]
    accounts = project.accounts
    recovering = code.request_type == "RECOVER_EMAIL"
    account = accounts.by_initial_email(code.email) if recovering else accounts.by_email(code.email)
    if account is None:
        raise bad_request("INVALID_OOB_CODE")
    email = code.new_email or code.email
    validate(code.request_type == "VERIFY_EMAIL" or accounts.by_email(email) is None, "EMAIL_EXISTS")
    account.email, account.email_verified = email, True
    accounts.update_indexes(account)
    return account, code


def _apply_code(request: AuthRequest) -> Payload:
    account, code = apply_code(request.project, request.body.string("oobCode"))
    return _update_response(account, code.new_email)


def _account_to_change(request: AuthRequest) -> tuple[Account, str | None]:
    """Return the account to change, and the sign-in provider of the ID token or None without a token."""
    body, project = request.body, request.project
    if body.string("idToken"):
        signed_in = project.signed_in(body.string("idToken"))
        validate(body.boolean("disableUser") is None, "OPERATION_NOT_ALLOWED")
        return signed_in.account, signed_in.provider
    account = project.accounts.get(body.string("localId"))
    if account is None:
        raise bad_request("USER_NOT_FOUND")
    return account, None


def _change(request: AuthRequest) -> Payload:
    body, project = request.body, request.project
    account, provider = _account_to_change(request)
    new_email = _validate_new_email(request, account)
    password = validate_password(project, body.string("password")) if body.string("password") else None
    number = _validate_new_phone_number(request, account)
    mfa = body.object("mfa")
    factors = read_factors(mfa.objects("enrollments"), new_ids=False) if mfa else None
    link = body.object("linkProviderUserInfo")
    if link is not None:
        validate(link.string("providerId"), "MISSING_PROVIDER_ID")
        validate(link.string("rawId"), "MISSING_RAW_ID")

    # Invariant: no statement below raises an exception, so that an update is atomic.
    has_new_email = new_email is not None and new_email != account.email
    if has_new_email:
        if provider != ANONYMOUS and account.email and not account.initial_email:
            account.initial_email = account.email
        account.email, account.email_verified = new_email, False
    if password:
        account.set_password(password, project.now_ms())
        provider = PASSWORD
    revokes_tokens = bool(password) or has_new_email or bool(body.string("validSince"))
    if revokes_tokens:
        account.revoke(str(project.now()))
    account.phone_number = number
    if mfa:
        account.mfa_info = factors or None
    _copy_fields(request, account)
    _delete_attributes(account, body)
    linked = [] if link is None else [link.string_fields()]
    project.accounts.update_indexes(account, linked, unlink=body.strings("deleteProvider"))
    if has_new_email and provider != ANONYMOUS and account.initial_email:
        project.send_mail(project.new_code(request.origin, "recoverEmail", "RECOVER_EMAIL", account.initial_email))
    tokens = project.issue(account, provider) if revokes_tokens and provider else {}
    return {**_update_response(account, new_email), **tokens}


def _validate_new_email(request: AuthRequest, account: Account) -> str | None:
    if not request.body.string("email"):
        return None
    email = validate_email(request.body.string("email"))
    if email != account.email:
        validate(request.project.accounts.by_email(email) is None, "EMAIL_EXISTS")
        problem = "OPERATION_NOT_ALLOWED : Please verify the new email before changing email."
        validate(request.is_admin or not request.project.email_privacy, problem)
    return email


def _validate_new_phone_number(request: AuthRequest, account: Account) -> str | None:
    number = request.body.string("phoneNumber")
    if not request.is_admin or not number or number == account.phone_number:
        return account.phone_number
    validate_phone_number(number)
    validate(request.project.accounts.by_phone_number(number) is None, "PHONE_NUMBER_EXISTS")
    return number


def _copy_fields(request: AuthRequest, account: Account) -> None:
    body = request.body
    account.display_name = body.optional_string("displayName") if "displayName" in body else account.display_name
    account.photo_url = body.optional_string("photoUrl") if "photoUrl" in body else account.photo_url
    if not request.is_admin:
        return
    if body.boolean("disableUser") is not None:
        account.disabled = body.boolean("disableUser")
    if body.boolean("emailVerified") is not None:
        account.email_verified = body.boolean("emailVerified")
    account.custom_attributes = body.optional_string("customAttributes") or account.custom_attributes
    account.created_at = body.optional_string("createdAt") or account.created_at
    account.last_login_at = body.optional_string("lastLoginAt") or account.last_login_at
    account.valid_since = body.optional_string("validSince") or account.valid_since


def _delete_attributes(account: Account, body: Body) -> None:
    attributes = set(body.strings("deleteAttribute"))
    if PASSWORD in body.strings("deleteProvider"):
        attributes |= {"EMAIL", "PASSWORD"}
    if PHONE in body.strings("deleteProvider"):
        account.phone_number = None
    if "DISPLAY_NAME" in attributes:
        account.display_name = None
    if "PHOTO_URL" in attributes:
        account.photo_url = None
    if "PASSWORD" in attributes:
        account.password_hash = account.salt = None
    if "EMAIL" in attributes:
        account.email = account.email_verified = account.email_link_sign_in = None


def _update_response(account: Account, new_email: str | None) -> Payload:
    return without_none(
        kind="identitytoolkit#SetAccountInfoResponse",
        localId=account.local_id,
        emailVerified=account.email_verified,
        providerUserInfo=None if account.providers is None else [dict(provider) for provider in account.providers],
        email=account.email,
        displayName=account.display_name,
        photoUrl=account.photo_url,
        newEmail=new_email,
        passwordHash=account.password_hash,
    )
