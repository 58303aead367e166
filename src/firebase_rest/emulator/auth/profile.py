"""Looking at, changing and deleting accounts: by their user with an ID token, or by an administrator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.auth.accounts import ANONYMOUS, PASSWORD, PHONE, Account, without_none
from firebase_rest.emulator.auth.errors import bad_request, expect, not_implemented
from firebase_rest.emulator.auth.factors import enrollments
from firebase_rest.emulator.auth.passwords import strong_password
from firebase_rest.emulator.auth.project import (
    Call,
    Code,
    Project,
    Reply,
    email_address,
    phone_number,
)
from firebase_rest.emulator.auth.sign_in import custom_claims

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.bodies import Body
    from firebase_rest.transport.wire import Json

MAX_CLAIMS = 1000
"""Characters that `customAttributes` may have."""


def lookup(call: Call) -> Reply:
    """`accounts:lookup`: the account behind `idToken`; for an administrator all that match any of the identifiers."""
    found: list[Account | None]
    if call.privileged:
        found = _matching(call.body, call.project)
    else:
        expect(call.body.text("idToken"), "MISSING_ID_TOKEN")
        found = [call.project.signed_in(call.body.text("idToken")).account]
    users = {account.local_id: account.as_json() for account in found if account is not None}
    reply: Reply = {"kind": "identitytoolkit#GetAccountInfoResponse"}
    return {**reply, "users": list(users.values())} if users else reply


def _matching(body: Body, project: Project) -> list[Account | None]:
    if body.texts("initialEmail"):
        raise not_implemented("Lookup by initialEmail is not implemented.")
    accounts = project.accounts
    return [
        *(accounts.get(local_id) for local_id in body.texts("localId")),
        *(accounts.by_email(email.lower()) for email in body.texts("email")),
        *(accounts.by_phone_number(number) for number in body.texts("phoneNumber")),
        *(accounts.by_provider(who.text("providerId"), who.text("rawId")) for who in body.records("federatedUserId")),
    ]


def delete(call: Call) -> Reply:
    """`accounts:delete`."""
    if call.privileged:
        expect(call.body.text("localId"), "MISSING_LOCAL_ID")
        account = call.project.accounts.get(call.body.text("localId"))
        if account is None:
            raise bad_request("USER_NOT_FOUND")
    else:
        expect(call.body.text("idToken"), "MISSING_ID_TOKEN")
        account = call.project.signed_in(call.body.text("idToken")).account
    call.project.accounts.delete(account)
    return {"kind": "identitytoolkit#DeleteAccountResponse"}


def update(call: Call) -> Reply:
    """`accounts:update`: with `idToken`, with the `oobCode` of a mail, or by an administrator with `localId`."""
    body = call.body
    for name in ("provider", "upgradeToFederatedLogin"):
        if name in body:
            raise not_implemented(f"{name} is not implemented yet.")
    if call.privileged:
        expect(body.text("localId"), "MISSING_LOCAL_ID")
    else:
        expect(body.text("idToken") or body.text("oobCode"), "INVALID_REQ_TYPE : Unsupported request parameters.")
        expect("customAttributes" not in body, "INSUFFICIENT_PERMISSION")
    if body.text("customAttributes"):
        check_claims(body.text("customAttributes"))
    for attribute in body.texts("deleteAttribute"):
        if attribute in {"PROVIDER", "RAW_USER_INFO"}:
            raise not_implemented(f"deleteAttribute: {attribute}")
    return _apply_code(call) if body.text("oobCode") else _change(call)


def check_claims(text: str) -> None:
    """Refuse `customAttributes` that are too long, no JSON object, or hold reserved names."""
    expect(len(text) <= MAX_CLAIMS, "CLAIMS_TOO_LARGE")
    try:
        claims = cast("Json", json.loads(text))
    except (ValueError, RecursionError):
        raise bad_request("INVALID_CLAIMS") from None
    custom_claims(claims)


def apply_code(project: Project, text: str) -> tuple[Account, Code]:
    """Use up a VERIFY_EMAIL, VERIFY_AND_CHANGE_EMAIL or RECOVER_EMAIL code; the account it changed."""
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
    expect(code.request_type == "VERIFY_EMAIL" or accounts.by_email(email) is None, "EMAIL_EXISTS")
    account.email, account.email_verified = email, True
    accounts.settle(account)
    return account, code


def _apply_code(call: Call) -> Reply:
    account, code = apply_code(call.project, call.body.text("oobCode"))
    return _updated(account, code.new_email)


def _whose(call: Call) -> tuple[Account, str | None]:
    """The account to change: a user's own, with the provider of his sign-in, or the one an administrator names."""
    body, project = call.body, call.project
    if body.text("idToken"):
        signed_in = project.signed_in(body.text("idToken"))
        expect(body.flag("disableUser") is None, "OPERATION_NOT_ALLOWED")
        return signed_in.account, signed_in.provider
    found = project.accounts.get(body.text("localId"))
    if found is None:
        raise bad_request("USER_NOT_FOUND")
    return found, None


def _change(call: Call) -> Reply:
    body, project = call.body, call.project
    account, provider = _whose(call)
    new_email = _checked_email(call, account)
    password = strong_password(project, body.text("password")) if body.text("password") else None
    number = _checked_phone_number(call, account)
    factors = body.record("mfa")
    enrolled = enrollments(factors.records("enrollments"), new_ids=False) if factors else None
    link = body.record("linkProviderUserInfo")
    if link is not None:
        expect(link.text("providerId"), "MISSING_PROVIDER_ID")
        expect(link.text("rawId"), "MISSING_RAW_ID")

    # Everything is checked: nothing below refuses, so a change happens as a whole or not at all.
    moved = new_email is not None and new_email != account.email
    if moved:
        if provider != ANONYMOUS and account.email and not account.initial_email:
            account.initial_email = account.email
        account.email, account.email_verified = new_email, False
    if password:
        account.set_password(password, project.now_ms())
        provider = PASSWORD
    revoked = bool(password) or moved or bool(body.text("validSince"))
    if revoked:
        account.revoke(str(project.now()))
    account.phone_number = number
    if factors:
        account.mfa_info = enrolled or None
    _copy_fields(call, account)
    _delete_attributes(account, body)
    project.accounts.settle(
        account,
        link=[] if link is None else [link.texts_present()],
        unlink=body.texts("deleteProvider"),
    )
    if moved and provider != ANONYMOUS and account.initial_email:
        project.new_code(call.origin, "recoverEmail", "RECOVER_EMAIL", account.initial_email)
    return {**_updated(account, new_email), **(project.issue(account, provider) if revoked and provider else {})}


def _checked_email(call: Call, account: Account) -> str | None:
    if not call.body.text("email"):
        return None
    email = email_address(call.body.text("email"))
    if email != account.email:
        expect(call.project.accounts.by_email(email) is None, "EMAIL_EXISTS")
        expect(
            call.privileged or not call.project.email_privacy,
            "OPERATION_NOT_ALLOWED : Please verify the new email before changing email.",
        )
    return email


def _checked_phone_number(call: Call, account: Account) -> str | None:
    number = call.body.text("phoneNumber")
    if not call.privileged or not number or number == account.phone_number:
        return account.phone_number
    phone_number(number)
    expect(call.project.accounts.by_phone_number(number) is None, "PHONE_NUMBER_EXISTS")
    return number


def _copy_fields(call: Call, account: Account) -> None:
    body = call.body
    account.display_name = body.given("displayName") if "displayName" in body else account.display_name
    account.photo_url = body.given("photoUrl") if "photoUrl" in body else account.photo_url
    if not call.privileged:
        return
    if body.flag("disableUser") is not None:
        account.disabled = body.flag("disableUser")
    if body.flag("emailVerified") is not None:
        account.email_verified = body.flag("emailVerified")
    account.custom_attributes = body.given("customAttributes") or account.custom_attributes
    account.created_at = body.given("createdAt") or account.created_at
    account.last_login_at = body.given("lastLoginAt") or account.last_login_at
    account.valid_since = body.given("validSince") or account.valid_since


def _delete_attributes(account: Account, body: Body) -> None:
    attributes = set(body.texts("deleteAttribute"))
    if PASSWORD in body.texts("deleteProvider"):
        attributes |= {"EMAIL", "PASSWORD"}
    if PHONE in body.texts("deleteProvider"):
        account.phone_number = None
    if "DISPLAY_NAME" in attributes:
        account.display_name = None
    if "PHOTO_URL" in attributes:
        account.photo_url = None
    if "PASSWORD" in attributes:
        account.password_hash = account.salt = None
    if "EMAIL" in attributes:
        account.email = account.email_verified = account.email_link_sign_in = None


def _updated(account: Account, new_email: str | None) -> Reply:
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
