"""What only administrators do with many accounts, and the emulator's own endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.emulator.auth.accounts import Account
from firebase_rest.emulator.auth.errors import expect, not_implemented
from firebase_rest.emulator.auth.project import Call, Project, Reply
from firebase_rest.emulator.auth.sign_in import PROJECT_NUMBER
from firebase_rest.emulator.auth.tokens import encode_jwt

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Json

PAGE = 20
MAX_PAGE = 1000
MAX_COOKIE_SECONDS = 14 * 24 * 3600
MIN_COOKIE_SECONDS = 300


def batch_get(call: Call) -> Reply:
    """GET `accounts:batchGet`: accounts by local id, `maxResults` at a time, from `nextPageToken` on.

    A full page has a token even when it is the last one, as with the official emulator.
    """
    text = call.params.get("maxResults", "")
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    size = min(asked or PAGE, MAX_PAGE)
    after = call.params.get("nextPageToken", "")
    tenant_id = call.params.get("tenantId")
    project = call.project if call.project.tenant or not tenant_id else call.project.tenant_named(tenant_id)
    page = [account for account in _by_id(project) if account.local_id > after][:size]
    reply: Reply = {
        "kind": "identitytoolkit#DownloadAccountResponse",
        "users": [account.as_json() for account in page],
    }
    return {**reply, "nextPageToken": page[-1].local_id} if len(page) == size else reply


def _by_id(project: Project) -> list[Account]:
    return sorted(project.accounts, key=lambda account: account.local_id)


def batch_delete(call: Call) -> Reply:
    """`accounts:batchDelete`: disabled accounts, or with `force` all that are named. Unknown ids are fine."""
    local_ids = call.body.texts("localIds")
    expect(0 < len(local_ids) <= MAX_PAGE, "LOCAL_ID_LIST_EXCEEDS_LIMIT")
    errors: list[Json] = []
    for index, local_id in enumerate(local_ids):
        account = call.project.accounts.get(local_id)
        if account is None:
            continue
        if account.disabled or call.body.flag("force"):
            call.project.accounts.delete(account)
        else:
            message = "NOT_DISABLED : Disable the account before batch deletion."
            errors.append({"index": index, "localId": local_id, "message": message})
    return {"errors": errors} if errors else {}


def query(call: Call) -> Reply:
    """`accounts:query`: all accounts, or with `returnUserInfo: false` their number."""
    if call.body.flag("returnUserInfo") is False:
        return {"recordsCount": str(len(call.project.accounts))}
    for name in ("expression", "limit"):
        if name in call.body:
            raise not_implemented(f"{name} is not implemented.")
    if call.body.text("offset") not in {"", "0"}:
        raise not_implemented("offset is not implemented.")
    if call.body.text("sortBy") not in {"", "SORT_BY_FIELD_UNSPECIFIED", "USER_ID"}:
        raise not_implemented("Only sorting by USER_ID is implemented.")
    accounts = _by_id(call.project)[:: -1 if call.body.text("order") == "DESC" else 1]
    return {"recordsCount": str(len(accounts)), "userInfo": [account.as_json() for account in accounts]}


def create_session_cookie(call: Call) -> Reply:
    """`projects/P:createSessionCookie`: a cookie with the claims of an ID token, good for `validDuration` seconds."""
    expect(call.body.text("idToken"), "MISSING_ID_TOKEN")
    seconds = int(call.body.text("validDuration") or 0) or MAX_COOKIE_SECONDS
    expect(MIN_COOKIE_SECONDS <= seconds <= MAX_COOKIE_SECONDS, "INVALID_DURATION")
    claims = call.project.signed_in(call.body.text("idToken")).claims
    now = call.project.now()
    issuer = f"https://session.firebase.google.com/{call.project.name}"
    return {"sessionCookie": encode_jwt({**claims, "iat": now, "exp": now + seconds, "iss": issuer})}


def get_project(call: Call) -> Reply:
    """GET `projects`: what a client may know of the project it talks to."""
    del call
    return {"projectId": PROJECT_NUMBER, "authorizedDomains": ["localhost"]}


def delete_accounts(call: Call) -> Reply:
    """DELETE `/emulator/v1/projects/P/accounts`: forget all accounts. Codes stay."""
    call.project.accounts.clear()
    return {}


def list_codes(call: Call) -> Reply:
    """GET `/emulator/v1/projects/P/oobCodes`: the mails whose codes nobody has used yet."""
    return {"oobCodes": [code.as_json() for code in call.project.codes.values()]}


def list_verification_codes(call: Call) -> Reply:
    """GET `/emulator/v1/projects/P/verificationCodes`: the text messages whose codes nobody has used yet."""
    return {"verificationCodes": [code.as_json() for code in call.project.verification_codes.values()]}


def get_config(call: Call) -> Reply:
    """GET `/emulator/v1/projects/P/config`."""
    return {
        "signIn": {"allowDuplicateEmails": call.project.allow_duplicate_emails},
        "emailPrivacyConfig": {"enableImprovedEmailPrivacy": call.project.email_privacy},
    }


def update_config(call: Call) -> Reply:
    """PATCH `/emulator/v1/projects/P/config`: changes what is given."""
    sign_in, privacy = call.body.record("signIn"), call.body.record("emailPrivacyConfig")
    duplicates = sign_in.flag("allowDuplicateEmails") if sign_in else None
    improved = privacy.flag("enableImprovedEmailPrivacy") if privacy else None
    if duplicates is not None:
        call.project.config["signIn"] = {"allowDuplicateEmails": duplicates}
    if improved is not None:
        call.project.config["emailPrivacyConfig"] = {"enableImprovedEmailPrivacy": improved}
    return get_config(call)
