"""Operations of administrators, and the endpoints of the emulator itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.emulator.auth.accounts import Account
from firebase_rest.emulator.auth.errors import not_implemented, validate
from firebase_rest.emulator.auth.sign_in import PROJECT_NUMBER
from firebase_rest.emulator.jwt import encode_unsigned

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.model import Payload
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.emulator.auth.request import AuthRequest
    from firebase_rest.transport.wire import Json

PAGE = 20
MAX_PAGE = 1000
MAX_COOKIE_SECONDS = 14 * 24 * 3600
MIN_COOKIE_SECONDS = 300


def batch_get(request: AuthRequest) -> Payload:
    """GET `accounts:batchGet`: return a page of `maxResults` accounts by local ID, after `nextPageToken`.

    A full page has a token even if it is the last one, as in the official emulator.
    """
    text = request.params.get("maxResults", "")
    requested = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    size = min(requested or PAGE, MAX_PAGE)
    after = request.params.get("nextPageToken", "")
    tenant_id = request.params.get("tenantId")
    project = request.project if request.project.tenant or not tenant_id else request.project.tenant_named(tenant_id)
    page = [account for account in _by_id(project) if account.local_id > after][:size]
    payload: Payload = {
        "kind": "identitytoolkit#DownloadAccountResponse",
        "users": [account.to_json() for account in page],
    }
    return {**payload, "nextPageToken": page[-1].local_id} if len(page) == size else payload


def _by_id(project: AuthProject) -> list[Account]:
    return sorted(project.accounts, key=lambda account: account.local_id)


def batch_delete(request: AuthRequest) -> Payload:
    """`accounts:batchDelete`: delete the given accounts if they are disabled, or all with `force`."""
    local_ids = request.body.strings("localIds")
    validate(0 < len(local_ids) <= MAX_PAGE, "LOCAL_ID_LIST_EXCEEDS_LIMIT")
    errors: list[Json] = []
    for index, local_id in enumerate(local_ids):
        account = request.project.accounts.get(local_id)
        if account is None:
            continue
        if account.disabled or request.body.boolean("force"):
            request.project.accounts.delete(account)
        else:
            message = "NOT_DISABLED : Disable the account before batch deletion."
            errors.append({"index": index, "localId": local_id, "message": message})
    return {"errors": errors} if errors else {}


def query(request: AuthRequest) -> Payload:
    """`accounts:query`: return all accounts, or with `returnUserInfo: false` their number."""
    if request.body.boolean("returnUserInfo") is False:
        return {"recordsCount": str(len(request.project.accounts))}
    for name in ("expression", "limit"):
        if name in request.body:
            raise not_implemented(f"{name} is not implemented.")
    if request.body.string("offset") not in {"", "0"}:
        raise not_implemented("offset is not implemented.")
    if request.body.string("sortBy") not in {"", "SORT_BY_FIELD_UNSPECIFIED", "USER_ID"}:
        raise not_implemented("Only sorting by USER_ID is implemented.")
    accounts = _by_id(request.project)[:: -1 if request.body.string("order") == "DESC" else 1]
    return {"recordsCount": str(len(accounts)), "userInfo": [account.to_json() for account in accounts]}


def create_session_cookie(request: AuthRequest) -> Payload:
    """`projects/P:createSessionCookie`: return a cookie with the claims of an ID token, for `validDuration` seconds."""
    validate(request.body.string("idToken"), "MISSING_ID_TOKEN")
    seconds = int(request.body.string("validDuration") or 0) or MAX_COOKIE_SECONDS
    validate(MIN_COOKIE_SECONDS <= seconds <= MAX_COOKIE_SECONDS, "INVALID_DURATION")
    claims = request.project.signed_in(request.body.string("idToken")).claims
    now = request.project.now()
    issuer = f"https://session.firebase.google.com/{request.project.name}"
    return {"sessionCookie": encode_unsigned({**claims, "iat": now, "exp": now + seconds, "iss": issuer})}


def get_project(request: AuthRequest) -> Payload:
    """GET `projects`: return the public settings of the project."""
    del request
    return {"projectId": PROJECT_NUMBER, "authorizedDomains": ["localhost"]}


def delete_accounts(request: AuthRequest) -> Payload:
    """DELETE `/emulator/v1/projects/P/accounts`: delete all accounts. Codes remain."""
    request.project.accounts.clear()
    return {}


def list_codes(request: AuthRequest) -> Payload:
    """GET `/emulator/v1/projects/P/oobCodes`: return the unused codes of e-mail links."""
    return {"oobCodes": [code.to_json() for code in request.project.codes.values()]}


def list_verification_codes(request: AuthRequest) -> Payload:
    """GET `/emulator/v1/projects/P/verificationCodes`: return the unused codes of text messages."""
    return {"verificationCodes": [code.to_json() for code in request.project.verification_codes.values()]}


def get_config(request: AuthRequest) -> Payload:
    """GET `/emulator/v1/projects/P/config`."""
    return {
        "signIn": {"allowDuplicateEmails": request.project.allow_duplicate_emails},
        "emailPrivacyConfig": {"enableImprovedEmailPrivacy": request.project.email_privacy},
    }


def update_config(request: AuthRequest) -> Payload:
    """PATCH `/emulator/v1/projects/P/config`: update the given settings."""
    sign_in, privacy = request.body.object("signIn"), request.body.object("emailPrivacyConfig")
    duplicates = sign_in.boolean("allowDuplicateEmails") if sign_in else None
    improved = privacy.boolean("enableImprovedEmailPrivacy") if privacy else None
    if duplicates is not None:
        request.project.config["signIn"] = {"allowDuplicateEmails": duplicates}
    if improved is not None:
        request.project.config["emailPrivacyConfig"] = {"enableImprovedEmailPrivacy": improved}
    return get_config(request)
