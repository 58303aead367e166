"""`accounts:batchCreate`: import of users, with their password hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.emulator.auth.accounts import PASSWORD, PHONE, Account, Provider, random_id
from firebase_rest.emulator.auth.errors import AuthHTTPError, validate
from firebase_rest.emulator.auth.profile import validate_claims
from firebase_rest.emulator.auth.validation import validate_email

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.bodies import Body
    from firebase_rest.emulator.auth.model import Payload
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.emulator.auth.request import AuthRequest
    from firebase_rest.transport.wire import Json

_CLAIM_PROBLEMS = {
    "INVALID_CLAIMS": "Invalid custom claims provided.",
    "CLAIMS_TOO_LARGE": "Custom claims provided are too large.",
    "FORBIDDEN_CLAIM": "Custom claims provided include a reserved claim.",
}


def batch_create(request: AuthRequest) -> Payload:
    """Import all valid users; `error` in the response lists the others."""
    users = request.body.objects("users")
    validate(users, "MISSING_USER_ACCOUNT")
    if request.body.boolean("sanityCheck"):
        _validate_unique(request.project, users)
    if not request.body.boolean("allowOverwrite"):
        seen: set[str] = set()
        for user in users:
            validate(user.string("localId") not in seen, f"DUPLICATE_LOCAL_ID : {user.string('localId')}")
            seen.add(user.string("localId"))
    errors: list[Json] = []
    for index, user in enumerate(users):
        problem = _problem(request, user)
        if problem is not None:
            errors.append({"index": index, "message": problem})
    return {"kind": "identitytoolkit#UploadAccountResponse", "error": errors}


def _problem(request: AuthRequest, user: Body) -> str | None:
    """Import a user. Return the error message, or None."""
    try:
        _take_over_account(request, user)
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
    known: set[tuple[str, str]] = set()
    for user in users:
        for provider in user.objects("providerUserInfo"):
            identity = provider.string("providerId"), provider.string("rawId")
            validate(identity not in known, f"DUPLICATE_RAW_ID : Provider id({identity[0]}), Raw id({identity[1]})")
            known.add(identity)


def _take_over_account(request: AuthRequest, user: Body) -> None:
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
    _set_password(account, user, project)
    if user.string("customAttributes"):
        validate_claims(user.string("customAttributes"))
        account.custom_attributes = user.string("customAttributes")
    linked = _providers(project, user)
    if user.string("phoneNumber"):
        validate(user.string("phoneNumber").startswith("+"), "phone number format is invalid")
        account.phone_number = user.string("phoneNumber")
    account.valid_since = str(project.now())
    account.created_at = user.optional_string("createdAt") or str(project.now_ms())
    account.email = _email(request, user)
    account.email_verified = bool(user.boolean("emailVerified"))
    account.disabled = bool(user.boolean("disabled"))
    if user.objects("mfaInfo"):
        validate(account.email, "Second factor account requires email to be presented.")
        validate(account.email_verified, "Second factor account requires email to be verified.")
        account.mfa_info = _factors(user.objects("mfaInfo"), project.now_iso())
    known = project.accounts.get(account.local_id)
    if known is not None:
        validate(request.body.boolean("allowOverwrite"), "localId belongs to an existing account - can not overwrite.")
        project.accounts.delete(known)
    project.accounts.add(account, linked)


def _set_password(account: Account, user: Body, project: AuthProject) -> None:
    if user.string("passwordHash"):
        account.password_hash, account.salt = user.string("passwordHash"), user.optional_string("salt")
        account.password_updated_at = project.now_ms()
    elif user.string("rawPassword"):
        account.set_password(user.string("rawPassword"), project.now_ms(), user.string("salt") or None)


def _email(request: AuthRequest, user: Body) -> str | None:
    if not user.string("email"):
        return None
    email = validate_email(user.string("email"), "email is invalid")
    owner = request.project.accounts.by_email(email)
    strict = request.body.boolean("sanityCheck") and not request.project.allow_duplicate_emails
    problem = f"((Auth Emulator does not support importing duplicate email: {user.string('email')}))"
    taken = "email exists in other account in database" if strict else problem
    validate(owner is None or owner.local_id == user.string("localId"), taken)
    return email


def _providers(project: AuthProject, user: Body) -> list[Provider]:
    linked: list[Provider] = []
    for provider in user.objects("providerUserInfo"):
        provider_id, raw_id = provider.string("providerId"), provider.string("rawId")
        if provider_id in {PASSWORD, PHONE}:
            continue
        unparsed = (
            "((Parsing federatedId is not implemented in Auth Emulator; please specify providerId AND rawId as a "
            "workaround.))"
        )
        missing = unparsed if provider.string("federatedId") else "federatedId or (providerId & rawId) is required"
        validate(provider_id and raw_id, missing)
        owner = project.accounts.by_provider(provider_id, raw_id)
        free = owner is None or owner.local_id == user.string("localId")
        validate(free, "raw id exists in other account in database")
        linked.append(provider.fields())
    return linked


def _factors(records: list[Body], now: str) -> list[dict[str, Json]]:
    """Return the second factors with missing IDs and times filled in."""
    given = [record.string("mfaEnrollmentId") for record in records if record.string("mfaEnrollmentId")]
    validate(len(given) == len(set(given)), "Enrollment id already exists.")
    factors: list[dict[str, Json]] = []
    for record in records:
        number = record.string("phoneInfo")
        validate(number, "Second factor not supported.")
        validate(number.startswith("+"), "Phone number format is invalid")
        more: dict[str, Json] = {
            "mfaEnrollmentId": record.string("mfaEnrollmentId") or random_id(28),
            "enrolledAt": record.string("enrolledAt") or now,
            "unobfuscatedPhoneInfo": number,
        }
        factors.append({**record.fields(), **more})
    numbers = {str(factor["phoneInfo"]) for factor in factors}
    validate(len(numbers) == len(factors), "INTERNAL_ERROR : MFA Enrollment Phone Numbers must be unique.")
    return factors
