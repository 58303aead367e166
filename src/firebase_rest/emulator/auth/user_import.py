"""`accounts:batchCreate`: users that come from elsewhere, with the hashes of their passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.emulator.auth.accounts import PASSWORD, PHONE, Account, Provider, random_id
from firebase_rest.emulator.auth.errors import Refusal, expect
from firebase_rest.emulator.auth.profile import check_claims
from firebase_rest.emulator.auth.project import Call, Project, Reply, email_address

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.bodies import Body
    from firebase_rest.transport.wire import Json

_CLAIM_PROBLEMS = {
    "INVALID_CLAIMS": "Invalid custom claims provided.",
    "CLAIMS_TOO_LARGE": "Custom claims provided are too large.",
    "FORBIDDEN_CLAIM": "Custom claims provided include a reserved claim.",
}


def batch_create(call: Call) -> Reply:
    """Take over all users that can be taken over; `error` says why the others cannot."""
    users = call.body.records("users")
    expect(users, "MISSING_USER_ACCOUNT")
    if call.body.flag("sanityCheck"):
        _check_for_doubles(call.project, users)
    if not call.body.flag("allowOverwrite"):
        seen: set[str] = set()
        for user in users:
            expect(user.text("localId") not in seen, f"DUPLICATE_LOCAL_ID : {user.text('localId')}")
            seen.add(user.text("localId"))
    errors: list[Json] = []
    for index, user in enumerate(users):
        problem = _problem(call, user)
        if problem is not None:
            errors.append({"index": index, "message": problem})
    return {"kind": "identitytoolkit#UploadAccountResponse", "error": errors}


def _problem(call: Call, user: Body) -> str | None:
    """Take a user over; what stands against it, or None."""
    try:
        _take_over(call, user)
    except Refusal as refusal:
        return _CLAIM_PROBLEMS.get(refusal.message.partition(" :")[0], refusal.message)
    return None


def _check_for_doubles(project: Project, users: list[Body]) -> None:
    emails: set[str] = set()
    for user in users:
        email = user.text("email")
        if email and not project.allow_duplicate_emails:
            expect(email not in emails, f"DUPLICATE_EMAIL : {email}")
            emails.add(email)
    known: set[tuple[str, str]] = set()
    for user in users:
        for provider in user.records("providerUserInfo"):
            who = provider.text("providerId"), provider.text("rawId")
            expect(who not in known, f"DUPLICATE_RAW_ID : Provider id({who[0]}), Raw id({who[1]})")
            known.add(who)


def _take_over(call: Call, user: Body) -> None:
    project = call.project
    expect(user.text("localId"), "localId is missing")
    account = Account(user.text("localId"), display_name=user.given("displayName"), photo_url=user.given("photoUrl"))
    account.last_login_at = user.given("lastLoginAt")
    tenant_id = user.text("tenantId")
    problem = "Tenant id in userInfo does not match the tenant id in request."
    expect(not tenant_id or tenant_id == project.tenant_id, problem)
    _set_password(account, user, project)
    if user.text("customAttributes"):
        check_claims(user.text("customAttributes"))
        account.custom_attributes = user.text("customAttributes")
    linked = _providers(project, user)
    if user.text("phoneNumber"):
        expect(user.text("phoneNumber").startswith("+"), "phone number format is invalid")
        account.phone_number = user.text("phoneNumber")
    account.valid_since = str(project.now())
    account.created_at = user.given("createdAt") or str(project.now_ms())
    account.email = _email(call, user)
    account.email_verified = bool(user.flag("emailVerified"))
    account.disabled = bool(user.flag("disabled"))
    if user.records("mfaInfo"):
        expect(account.email, "Second factor account requires email to be presented.")
        expect(account.email_verified, "Second factor account requires email to be verified.")
        account.mfa_info = _factors(user.records("mfaInfo"), project.now_iso())
    known = project.accounts.get(account.local_id)
    if known is not None:
        expect(call.body.flag("allowOverwrite"), "localId belongs to an existing account - can not overwrite.")
        project.accounts.delete(known)
    project.accounts.add(account, linked)


def _set_password(account: Account, user: Body, project: Project) -> None:
    if user.text("passwordHash"):
        account.password_hash, account.salt = user.text("passwordHash"), user.given("salt")
        account.password_updated_at = project.now_ms()
    elif user.text("rawPassword"):
        account.set_password(user.text("rawPassword"), project.now_ms(), user.text("salt") or None)


def _email(call: Call, user: Body) -> str | None:
    if not user.text("email"):
        return None
    email = email_address(user.text("email"), "email is invalid")
    owner = call.project.accounts.by_email(email)
    strict = call.body.flag("sanityCheck") and not call.project.allow_duplicate_emails
    problem = f"((Auth Emulator does not support importing duplicate email: {user.text('email')}))"
    taken = "email exists in other account in database" if strict else problem
    expect(owner is None or owner.local_id == user.text("localId"), taken)
    return email


def _providers(project: Project, user: Body) -> list[Provider]:
    linked: list[Provider] = []
    for provider in user.records("providerUserInfo"):
        provider_id, raw_id = provider.text("providerId"), provider.text("rawId")
        if provider_id in {PASSWORD, PHONE}:
            continue
        unparsed = (
            "((Parsing federatedId is not implemented in Auth Emulator; please specify providerId AND rawId as a "
            "workaround.))"
        )
        missing = unparsed if provider.text("federatedId") else "federatedId or (providerId & rawId) is required"
        expect(provider_id and raw_id, missing)
        owner = project.accounts.by_provider(provider_id, raw_id)
        free = owner is None or owner.local_id == user.text("localId")
        expect(free, "raw id exists in other account in database")
        linked.append(provider.json())
    return linked


def _factors(records: list[Body], now: str) -> list[dict[str, Json]]:
    """The second factors; ids and times that are missing are filled in."""
    given = [record.text("mfaEnrollmentId") for record in records if record.text("mfaEnrollmentId")]
    expect(len(given) == len(set(given)), "Enrollment id already exists.")
    factors: list[dict[str, Json]] = []
    for record in records:
        number = record.text("phoneInfo")
        expect(number, "Second factor not supported.")
        expect(number.startswith("+"), "Phone number format is invalid")
        more: dict[str, Json] = {
            "mfaEnrollmentId": record.text("mfaEnrollmentId") or random_id(28),
            "enrolledAt": record.text("enrolledAt") or now,
            "unobfuscatedPhoneInfo": number,
        }
        factors.append({**record.json(), **more})
    numbers = {str(factor["phoneInfo"]) for factor in factors}
    expect(len(numbers) == len(factors), "INTERNAL_ERROR : MFA Enrollment Phone Numbers must be unique.")
    return factors
