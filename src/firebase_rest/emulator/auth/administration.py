"""Operations of administrators, including the import of users, and the endpoints that only emulators have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.auth.jwt import encode_unsigned
from firebase_rest.emulator.auth.errors import AuthHTTPError, not_implemented, validate
from firebase_rest.emulator.auth.model import PASSWORD, PHONE, Account, Payload, Provider, random_id
from firebase_rest.emulator.auth.password_hashes import read_parameters
from firebase_rest.emulator.auth.profile import validate_claims
from firebase_rest.emulator.auth.sign_in import PROJECT_NUMBER
from firebase_rest.emulator.auth.validation import validate_email
from firebase_rest.emulator.credentials import SESSION_ISSUER

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.bodies import AuthRequest, Body
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.transport.wire import Json

MAX_BATCH = 1000
MAX_COOKIE_SECONDS = 14 * 24 * 3600
MIN_COOKIE_SECONDS = 300


def batch_get(request: AuthRequest) -> Payload:
    """GET `accounts:batchGet`: return a page of `maxResults` accounts after `nextPageToken`, sorted by local ID.

    A full page has a token even if it is the last one, as in the official emulator.
    """
    size = request.page_size("maxResults")
    after = request.params.get("nextPageToken", "")
    tenant_id = request.params.get("tenantId")
    project = request.project if request.project.tenant or not tenant_id else request.project.get_tenant(tenant_id)
    page = [account for account in _by_id(project) if account.local_id > after][:size]
    users: list[Json] = [account.to_json() for account in page]
    payload: Payload = {"kind": "identitytoolkit#DownloadAccountResponse", "users": users}
    return {**payload, "nextPageToken": page[-1].local_id} if len(page) == size else payload


def _by_id(project: AuthProject) -> list[Account]:
    return sorted(project.accounts, key=lambda account: account.local_id)


def batch_delete(request: AuthRequest) -> Payload:
    """`accounts:batchDelete`: delete the accounts in `localIds` that are disabled, or with `force` all of them."""
    local_ids = request.body.strings("localIds")
    validate(0 < len(local_ids) <= MAX_BATCH, "LOCAL_ID_LIST_EXCEEDS_LIMIT")
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
    """`accounts:query`: return all accounts, or only their number with `returnUserInfo: false`."""
    if request.body.boolean("returnUserInfo") is False:
        return {"recordsCount": str(len(request.project.accounts))}
    for name in ("expression", "limit"):
        if name in request.body:
            raise not_implemented(f"{name} is not implemented.")
    if request.body.string("offset") not in {"", "0"}:
        raise not_implemented("offset is not implemented.")
    if request.body.string("sortBy") not in {"", "SORT_BY_FIELD_UNSPECIFIED", "USER_ID"}:
        raise not_implemented("Only sorting by USER_ID is implemented.")
    accounts = _by_id(request.project)
    if request.body.string("order") == "DESC":
        accounts.reverse()
    return {"recordsCount": str(len(accounts)), "userInfo": [account.to_json() for account in accounts]}


def create_session_cookie(request: AuthRequest) -> Payload:
    """`projects/P:createSessionCookie`: return a cookie with the claims of an ID token, for `validDuration` seconds."""
    validate(request.body.string("idToken"), "MISSING_ID_TOKEN")
    seconds = int(request.body.string("validDuration") or 0) or MAX_COOKIE_SECONDS
    validate(MIN_COOKIE_SECONDS <= seconds <= MAX_COOKIE_SECONDS, "INVALID_DURATION")
    claims = request.project.signed_in(request.body.string("idToken")).claims
    now = request.project.now()
    issuer = f"{SESSION_ISSUER}{request.project.name}"
    return {"sessionCookie": encode_unsigned({**claims, "iat": now, "exp": now + seconds, "iss": issuer})}


def get_project(request: AuthRequest) -> Payload:
    """GET `projects`: return the public settings of the project."""
    domains = request.project.config.get("authorizedDomains", ["localhost"])
    return {"projectId": PROJECT_NUMBER, "authorizedDomains": domains}


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
    """GET `/emulator/v1/projects/P/config`: return some settings."""
    return {
        "signIn": {"allowDuplicateEmails": request.project.allow_duplicate_emails},
        "emailPrivacyConfig": {"enableImprovedEmailPrivacy": request.project.email_privacy},
    }


def update_config(request: AuthRequest) -> Payload:
    """PATCH `/emulator/v1/projects/P/config`: update the settings in the body."""
    sign_in, privacy = request.body.object("signIn"), request.body.object("emailPrivacyConfig")
    duplicates = sign_in.boolean("allowDuplicateEmails") if sign_in else None
    improved = privacy.boolean("enableImprovedEmailPrivacy") if privacy else None
    if duplicates is not None:
        request.project.config["signIn"] = {"allowDuplicateEmails": duplicates}
    if improved is not None:
        request.project.config["emailPrivacyConfig"] = {"enableImprovedEmailPrivacy": improved}
    return get_config(request)


_CLAIM_PROBLEMS = {
    "INVALID_CLAIMS": "Invalid custom claims provided.",
    "CLAIMS_TOO_LARGE": "Custom claims provided are too large.",
    "FORBIDDEN_CLAIM": "Custom claims provided include a reserved claim.",
}


def batch_create(request: AuthRequest) -> Payload:
    """`accounts:batchCreate`: import all valid users. `error` in the response lists the others."""
    users = request.body.objects("users")
    validate(users, "MISSING_USER_ACCOUNT")
    parameters = read_parameters(request.body.fields())
    if request.body.boolean("sanityCheck"):
        _validate_unique(request.project, users)
    if not request.body.boolean("allowOverwrite"):
        seen: set[str] = set()
        for user in users:
            validate(user.string("localId") not in seen, f"DUPLICATE_LOCAL_ID : {user.string('localId')}")
            seen.add(user.string("localId"))
    errors: list[Json] = []
    for index, user in enumerate(users):
        message = _try_import_user(request, user, parameters)
        if message is not None:
            errors.append({"index": index, "message": message})
    return {"kind": "identitytoolkit#UploadAccountResponse", "error": errors}


def _try_import_user(request: AuthRequest, user: Body, parameters: dict[str, str]) -> str | None:
    """Import a user. Return the error message, or None on success."""
    try:
        _import_user(request, user, parameters)
    except AuthHTTPError as error:
        return _CLAIM_PROBLEMS.get(error.message.partition(" :")[0], error.message)
    return None


def _validate_unique(project: AuthProject, users: list[Body]) -> None:
    emails: set[str] = set()
    for user in users:
        email = user.string("email")
        if email and not project.allow_duplicate_emails:
            validate(email not in emails, f"DUPLICATE_EMAIL : {email}")
            emails.add(email)
    identities: set[tuple[str, str]] = set()
    for user in users:
        for provider in user.objects("providerUserInfo"):
            provider_id, raw_id = provider.string("providerId"), provider.string("rawId")
            problem = f"DUPLICATE_RAW_ID : Provider id({provider_id}), Raw id({raw_id})"
            validate((provider_id, raw_id) not in identities, problem)
            identities.add((provider_id, raw_id))


def _import_user(request: AuthRequest, user: Body, parameters: dict[str, str]) -> None:
    """Add the account of a user. Raises `AuthHTTPError`."""
    project = request.project
    validate(user.string("localId"), "localId is missing")
    account = Account(
        user.string("localId"),
        display_name=user.optional_string("displayName"),
        photo_url=user.optional_string("photoUrl"),
    )
    account.last_login_at = user.optional_string("lastLoginAt")
    tenant_id = user.string("tenantId")
    problem = "Tenant id in userInfo does not match the tenant id in request."
    validate(not tenant_id or tenant_id == project.tenant_id, problem)
    _set_password(account, user, project, parameters)
    if user.string("customAttributes"):
        validate_claims(user.string("customAttributes"))
        account.custom_attributes = user.string("customAttributes")
    linked = _read_providers(project, user)
    if user.string("phoneNumber"):
        validate(user.string("phoneNumber").startswith("+"), "phone number format is invalid")
        account.phone_number = user.string("phoneNumber")
    account.valid_since = str(project.now())
    account.created_at = user.optional_string("createdAt") or str(project.now_ms())
    account.email = _read_email(request, user)
    account.email_verified = bool(user.boolean("emailVerified"))
    account.disabled = bool(user.boolean("disabled"))
    if user.objects("mfaInfo"):
        validate(account.email, "Second factor account requires email to be presented.")
        validate(account.email_verified, "Second factor account requires email to be verified.")
        account.mfa_info = _read_factors(user.objects("mfaInfo"), project.now_iso())
    existing = project.accounts.get(account.local_id)
    if existing is not None:
        validate(request.body.boolean("allowOverwrite"), "localId belongs to an existing account - can not overwrite.")
        project.accounts.delete(existing)
    project.accounts.add(account, linked)


def _set_password(account: Account, user: Body, project: AuthProject, parameters: dict[str, str]) -> None:
    if user.string("passwordHash"):
        account.password_hash, account.salt = user.string("passwordHash"), user.optional_string("salt")
        account.password_updated_at, account.hash_parameters = project.now_ms(), parameters
    elif user.string("rawPassword"):
        account.set_password(user.string("rawPassword"), project.now_ms(), user.string("salt") or None)


def _read_email(request: AuthRequest, user: Body) -> str | None:
    if not user.string("email"):
        return None
    email = validate_email(user.string("email"), "email is invalid")
    owner = request.project.accounts.by_email(email)
    problem = f"((Auth Emulator does not support importing duplicate email: {user.string('email')}))"
    if request.body.boolean("sanityCheck") and not request.project.allow_duplicate_emails:
        problem = "email exists in other account in database"
    validate(owner is None or owner.local_id == user.string("localId"), problem)
    return email


def _read_providers(project: AuthProject, user: Body) -> list[Provider]:
    linked: list[Provider] = []
    for provider in user.objects("providerUserInfo"):
        provider_id, raw_id = provider.string("providerId"), provider.string("rawId")
        if provider_id in {PASSWORD, PHONE}:
            continue
        problem = "federatedId or (providerId & rawId) is required"
        if provider.string("federatedId"):
            problem = (
                "((Parsing federatedId is not implemented in Auth Emulator; please specify providerId AND rawId as a "
                "workaround.))"
            )
        validate(provider_id and raw_id, problem)
        owner = project.accounts.by_provider(provider_id, raw_id)
        is_available = owner is None or owner.local_id == user.string("localId")
        validate(is_available, "raw id exists in other account in database")
        linked.append(provider.fields())
    return linked


def _read_factors(records: list[Body], now: str) -> list[dict[str, Json]]:
    """Return the second factors. Fill in missing IDs and times."""
    enrollment_ids = [record.string("mfaEnrollmentId") for record in records if record.string("mfaEnrollmentId")]
    validate(len(enrollment_ids) == len(set(enrollment_ids)), "Enrollment id already exists.")
    factors: list[dict[str, Json]] = []
    for record in records:
        number = record.string("phoneInfo")
        validate(number, "Second factor not supported.")
        validate(number.startswith("+"), "Phone number format is invalid")
        factor: dict[str, Json] = {
            **record.fields(),
            "mfaEnrollmentId": record.string("mfaEnrollmentId") or random_id(28),
            "enrolledAt": record.string("enrolledAt") or now,
            "unobfuscatedPhoneInfo": number,
        }
        factors.append(factor)
    numbers = {str(factor["phoneInfo"]) for factor in factors}
    validate(len(numbers) == len(factors), "INTERNAL_ERROR : MFA Enrollment Phone Numbers must be unique.")
    return factors
