"""Which operation answers which path, and what its body may hold."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import unquote

from firebase_rest.emulator.auth import (
    administration,
    federated_sign_in,
    oob_codes,
    passwords,
    phone_sign_in,
    profile,
    provider_pages,
    second_factors,
    sign_in,
    tenants,
    user_import,
)
from firebase_rest.emulator.auth.bodies import Flag, Kind, ListOf, Record, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.auth.project import Operation

_TEXT, _FLAG, _INT64 = Text(), Flag(), Text(integer=True)
_TEXTS = ListOf(_TEXT)
_ANY_RECORDS = ListOf(Record({}))
_APP_PROOF: dict[str, Kind] = {
    **dict.fromkeys(["captchaResponse", "iosReceipt", "iosSecret", "playIntegrityToken", "recaptchaToken"], _TEXT),
    "safetyNetToken": _TEXT,
    "autoRetrievalInfo": Record({"appSignatureHash": _TEXT}),
    "clientType": Text(
        ("CLIENT_TYPE_UNSPECIFIED", "CLIENT_TYPE_WEB", "CLIENT_TYPE_ANDROID", "CLIENT_TYPE_IOS"),
    ),
    "recaptchaVersion": Text(("RECAPTCHA_VERSION_UNSPECIFIED", "RECAPTCHA_ENTERPRISE")),
}
_SEND_CODE: dict[str, Kind] = {**_APP_PROOF, "phoneNumber": _TEXT, "tenantId": _TEXT}
_PHONE: dict[str, Kind] = {
    **dict.fromkeys(["code", "idToken", "phoneNumber", "sessionInfo", "temporaryProof", "tenantId"], _TEXT),
    "verificationProof": _TEXT,
    "operation": Text(("VERIFY_OP_UNSPECIFIED", "SIGN_UP_OR_IN", "REAUTH", "UPDATE", "LINK")),
}
_IDP: dict[str, Kind] = {
    **dict.fromkeys(["idToken", "pendingIdToken", "pendingToken", "postBody", "requestUri", "sessionId"], _TEXT),
    **dict.fromkeys(["autoCreate", "returnIdpCredential", "returnRefreshToken", "returnSecureToken"], _FLAG),
    "delegatedProjectNumber": _INT64,
    "tenantId": _TEXT,
}
_MFA: dict[str, Kind] = {
    **dict.fromkeys(["idToken", "displayName", "mfaEnrollmentId", "mfaPendingCredential", "tenantId"], _TEXT),
    "phoneEnrollmentInfo": Record({**_APP_PROOF, "phoneNumber": _TEXT}),
    "phoneSignInInfo": Record({**_APP_PROOF, "phoneNumber": _TEXT}),
    "phoneVerificationInfo": Record(
        dict.fromkeys(["androidVerificationProof", "code", "phoneNumber", "sessionInfo"], _TEXT)
    ),
    "totpEnrollmentInfo": Record({}),
    "totpVerificationInfo": Record(dict.fromkeys(["sessionInfo", "verificationCode"], _TEXT)),
}
_FACTOR = Record(dict.fromkeys(["mfaEnrollmentId", "displayName", "phoneInfo", "enrolledAt"], _TEXT))

_SIGN_UP: dict[str, Kind] = {
    **dict.fromkeys(["email", "password", "idToken", "localId", "displayName", "photoUrl", "phoneNumber"], _TEXT),
    **dict.fromkeys(["captchaChallenge", "captchaResponse", "instanceId", "targetProjectId", "tenantId"], _TEXT),
    **dict.fromkeys(["disabled", "emailVerified"], _FLAG),
    "mfaInfo": ListOf(_FACTOR),
}
_SIGN_IN: dict[str, Kind] = {
    **dict.fromkeys(["email", "password", "idToken", "pendingIdToken", "oobCode", "token", "tenantId"], _TEXT),
    **dict.fromkeys(["captchaChallenge", "captchaResponse", "instanceId"], _TEXT),
    "delegatedProjectNumber": _INT64,
    "returnSecureToken": _FLAG,
}
_EMAIL_LINK = dict.fromkeys(["email", "idToken", "oobCode", "tenantId"], _TEXT)
_CREATE_AUTH_URI: dict[str, Kind] = {
    **dict.fromkeys(["identifier", "continueUri", "providerId", "sessionId", "tenantId", "context"], _TEXT),
    **dict.fromkeys(["appId", "authFlowType", "hostedDomain", "oauthScope", "otaApp", "openidRealm"], _TEXT),
    "customParameter": Record({}),
}
_LOOKUP: dict[str, Kind] = {
    **dict.fromkeys(["idToken", "targetProjectId", "tenantId"], _TEXT),
    **dict.fromkeys(["localId", "email", "phoneNumber", "initialEmail"], _TEXTS),
    "federatedUserId": ListOf(Record({"providerId": _TEXT, "rawId": _TEXT})),
    "delegatedProjectNumber": _INT64,
}
_DELETE: dict[str, Kind] = {
    **dict.fromkeys(["idToken", "localId", "targetProjectId", "tenantId"], _TEXT),
    "delegatedProjectNumber": _INT64,
}
_ATTRIBUTES = (
    "USER_ATTRIBUTE_NAME_UNSPECIFIED", "EMAIL", "DISPLAY_NAME", "PROVIDER", "PHOTO_URL", "PASSWORD", "RAW_USER_INFO",
)  # fmt: skip
_PROVIDER = dict.fromkeys(
    ["providerId", "rawId", "federatedId", "email", "displayName", "photoUrl", "phoneNumber", "screenName"], _TEXT
)
_UPDATE: dict[str, Kind] = {
    **dict.fromkeys(["idToken", "oobCode", "localId", "email", "password", "displayName", "photoUrl"], _TEXT),
    **dict.fromkeys(["phoneNumber", "customAttributes", "targetProjectId", "tenantId", "instanceId"], _TEXT),
    **dict.fromkeys(["captchaChallenge", "captchaResponse"], _TEXT),
    **dict.fromkeys(["disableUser", "emailVerified", "returnSecureToken", "upgradeToFederatedLogin"], _FLAG),
    **dict.fromkeys(["createdAt", "lastLoginAt", "validSince", "delegatedProjectNumber"], _INT64),
    **dict.fromkeys(["deleteProvider", "provider"], _TEXTS),
    "deleteAttribute": ListOf(Text(_ATTRIBUTES)),
    "linkProviderUserInfo": Record(_PROVIDER),
    "mfa": Record({"enrollments": ListOf(_FACTOR)}),
}
_REQUEST_TYPES = (
    "OOB_REQ_TYPE_UNSPECIFIED", "PASSWORD_RESET", "OLD_EMAIL_AGREE", "NEW_EMAIL_ACCEPT", "VERIFY_EMAIL",
    "RECOVER_EMAIL", "EMAIL_SIGNIN", "VERIFY_AND_CHANGE_EMAIL", "REVERT_SECOND_FACTOR_ADDITION",
)  # fmt: skip
_SEND_OOB_CODE: dict[str, Kind] = {
    **dict.fromkeys(["email", "idToken", "newEmail", "continueUrl", "targetProjectId", "tenantId", "userIp"], _TEXT),
    **dict.fromkeys(["androidMinimumVersion", "androidPackageName", "dynamicLinkDomain", "linkDomain"], _TEXT),
    **dict.fromkeys(["captchaResp", "challenge"], _TEXT),
    **dict.fromkeys(["returnOobLink", "canHandleCodeInApp", "androidInstallApp"], _FLAG),
    "requestType": Text(_REQUEST_TYPES),
}
_RESET_PASSWORD = dict.fromkeys(["oobCode", "newPassword", "email", "oldPassword", "tenantId"], _TEXT)
_QUERY: dict[str, Kind] = {
    "expression": _ANY_RECORDS,
    "limit": _INT64,
    "offset": _INT64,
    "order": Text(("ORDER_UNSPECIFIED", "ASC", "DESC")),
    "returnUserInfo": _FLAG,
    "sortBy": Text(("SORT_BY_FIELD_UNSPECIFIED", "USER_ID", "NAME", "CREATED_AT", "LAST_LOGIN_AT", "USER_EMAIL")),
    "tenantId": _TEXT,
}
_GRANT = dict.fromkeys(["grantType", "refreshToken", "code"], _TEXT)
_BATCH_DELETE: dict[str, Kind] = {"localIds": _TEXTS, "force": _FLAG, "tenantId": _TEXT}
_COOKIE = {"idToken": _TEXT, "validDuration": _INT64, "tenantId": _TEXT}
_EXCHANGE = dict.fromkeys(["grant_type", "client_id", "client_secret", "code", "code_verifier", "redirect_uri"], _TEXT)
_STRENGTH: dict[str, Kind] = dict.fromkeys(
    [f"contains{kind}Character" for kind in ("Lowercase", "Uppercase", "Numeric", "NonAlphanumeric")], _FLAG
)
_CONFIG: dict[str, Kind] = {
    "passwordPolicyConfig": Record(
        {
            "forceUpgradeOnSignin": _FLAG,
            "passwordPolicyEnforcementState": Text(("PASSWORD_POLICY_ENFORCEMENT_STATE_UNSPECIFIED", "OFF", "ENFORCE")),
            "passwordPolicyVersions": ListOf(Record({"customStrengthOptions": Record(_STRENGTH)})),
        }
    ),
    "signIn": Record({"allowDuplicateEmails": _FLAG}),
    "emailPrivacyConfig": Record({"enableImprovedEmailPrivacy": _FLAG}),
    "blockingFunctions": Record({"triggers": Record({})}),
}
_FACTOR_SETTINGS = Record(
    {
        "state": Text(("STATE_UNSPECIFIED", "DISABLED", "ENABLED", "MANDATORY")),
        "enabledProviders": ListOf(Text(("PROVIDER_UNSPECIFIED", "PHONE_SMS"))),
    }
)
_TENANT: dict[str, Kind] = {
    **dict.fromkeys(["allowPasswordSignup", "enableEmailLinkSignin", "enableAnonymousUser", "disableAuth"], _FLAG),
    "displayName": _TEXT,
    "mfaConfig": _FACTOR_SETTINGS,
}
_IMPORTED: dict[str, Kind] = {
    **dict.fromkeys(["localId", "email", "displayName", "photoUrl", "phoneNumber", "customAttributes"], _TEXT),
    **dict.fromkeys(["passwordHash", "salt", "rawPassword", "tenantId"], _TEXT),
    **dict.fromkeys(["emailVerified", "disabled"], _FLAG),
    **dict.fromkeys(["createdAt", "lastLoginAt", "validSince"], _INT64),
    "providerUserInfo": ListOf(Record(_PROVIDER)),
    "mfaInfo": ListOf(_FACTOR),
}
_BATCH_CREATE: dict[str, Kind] = {
    **dict.fromkeys(["hashAlgorithm", "signerKey", "saltSeparator", "tenantId"], _TEXT),
    **dict.fromkeys(["allowOverwrite", "sanityCheck"], _FLAG),
    "passwordHashOrder": Text(("UNSPECIFIED_ORDER", "SALT_AND_PASSWORD", "PASSWORD_AND_SALT")),
    "delegatedProjectNumber": _INT64,
    "users": ListOf(Record(_IMPORTED)),
}


class Access(Enum):
    """Who may call."""

    ANYBODY = "no credential is looked at"
    KEY = "whoever has an API key"
    KEY_OR_ADMIN = "whoever has an API key; an administrator may do more"
    ADMIN = "administrators only"


@dataclass(frozen=True, slots=True)
class Route:
    """How a verb on a path is answered. `operation` is a name where Firebase has what this emulator has not."""

    operation: Operation | str
    fields: Mapping[str, Kind] = field(default_factory=dict[str, Kind])
    access: Access = Access.KEY_OR_ADMIN
    form: bool = False
    """URL-encoded bodies are taken as well as JSON."""
    always: bool = False
    """Answered even where nobody may sign in."""


_V1 = "/identitytoolkit.googleapis.com/v1"
_V2 = "/identitytoolkit.googleapis.com/v2"
_P1 = f"{_V1}/projects/{{project}}"
_P2 = f"{_V2}/projects/{{project}}"
_EMULATOR = "/emulator/v1/projects/{project}"
_IN_TENANT = "/projects/{project}/tenants/{tenant}"

_ACCOUNTS: dict[tuple[str, str], Route] = {
    ("POST", f"{_P1}/accounts"): Route(sign_in.sign_up, _SIGN_UP, Access.ADMIN),
    ("POST", f"{_P1}/accounts:lookup"): Route(profile.lookup, _LOOKUP, Access.ADMIN),
    ("POST", f"{_P1}/accounts:update"): Route(profile.update, _UPDATE, Access.ADMIN),
    ("POST", f"{_P1}/accounts:delete"): Route(profile.delete, _DELETE, Access.ADMIN),
    ("POST", f"{_P1}/accounts:sendOobCode"): Route(oob_codes.send_oob_code, _SEND_OOB_CODE, Access.ADMIN),
    ("GET", f"{_P1}/accounts:batchGet"): Route(administration.batch_get, access=Access.ADMIN),
    ("POST", f"{_P1}/accounts:batchCreate"): Route(user_import.batch_create, _BATCH_CREATE, Access.ADMIN),
    ("POST", f"{_P1}/accounts:batchDelete"): Route(
        administration.batch_delete, _BATCH_DELETE, Access.ADMIN, always=True
    ),
    ("POST", f"{_P1}/accounts:query"): Route(administration.query, _QUERY, Access.ADMIN),
    ("POST", f"{_P1}:createSessionCookie"): Route(
        administration.create_session_cookie, _COOKIE, Access.ADMIN, always=True
    ),
    ("POST", "/oauth2.googleapis.com/token"): Route(provider_pages.exchange_code, _EXCHANGE, Access.ANYBODY, form=True),
    ("DELETE", f"{_EMULATOR}/accounts"): Route(administration.delete_accounts, access=Access.ANYBODY, always=True),
    ("GET", f"{_EMULATOR}/oobCodes"): Route(administration.list_codes, access=Access.ANYBODY, always=True),
    ("GET", f"{_EMULATOR}/verificationCodes"): Route(
        administration.list_verification_codes, access=Access.ANYBODY, always=True
    ),
}
"""What a project has, and each of its tenants has too."""

_SETTINGS: dict[tuple[str, str], Route] = {
    ("GET", f"{_P2}/config"): Route(tenants.get_config, {}, Access.ADMIN),
    ("PATCH", f"{_P2}/config"): Route(tenants.update_config, _CONFIG, Access.ADMIN),
    ("GET", f"{_P2}/tenants"): Route(tenants.list_tenants, {}, Access.ADMIN),
    ("POST", f"{_P2}/tenants"): Route(tenants.create_tenant, _TENANT, Access.ADMIN),
    ("GET", f"{_P2}/tenants/{{tenant}}"): Route(tenants.get_tenant, {}, Access.ADMIN, always=True),
    ("DELETE", f"{_P2}/tenants/{{tenant}}"): Route(tenants.delete_tenant, {}, Access.ADMIN, always=True),
    ("PATCH", f"{_P2}/tenants/{{tenant}}"): Route(tenants.update_tenant, _TENANT, Access.ADMIN, always=True),
}

# Firebase has these, and neither the official emulator nor this one does.
_PROVIDER_SETTINGS = ("defaultSupportedIdpConfigs", "inboundSamlConfigs", "oauthIdpConfigs")
_LACKING: dict[tuple[str, str], str] = {
    ("GET", f"{_V2}/defaultSupportedIdps"): "defaultSupportedIdps.list",
    ("POST", f"{_P2}/identityPlatform:initializeAuth"): "projects.identityPlatform.initializeAuth",
    **{
        ("POST", f"{_P2}/tenants/{{tenant}}:{name}"): f"projects.tenants.{name}"
        for name in ("getIamPolicy", "setIamPolicy", "testIamPermissions")
    },
    **{
        (verb, f"{_P2}{tenant}/{kind}{item}"): f"projects{tenant[:8].replace('/', '.')}.{kind}.{name}"
        for tenant in ("", "/tenants/{tenant}")
        for kind in _PROVIDER_SETTINGS
        for verb, item, name in (
            ("GET", "", "list"),
            ("POST", "", "create"),
            ("GET", "/{id}", "get"),
            ("PATCH", "/{id}", "patch"),
            ("DELETE", "/{id}", "delete"),
        )
    },
}

ROUTES: dict[tuple[str, str], Route] = {
    ("POST", f"{_V1}/accounts:signUp"): Route(sign_in.sign_up, _SIGN_UP),
    ("POST", f"{_V1}/accounts:signInWithPassword"): Route(sign_in.sign_in_with_password, _SIGN_IN),
    ("POST", f"{_V1}/accounts:signInWithCustomToken"): Route(sign_in.sign_in_with_custom_token, _SIGN_IN),
    ("POST", f"{_V1}/accounts:signInWithEmailLink"): Route(sign_in.sign_in_with_email_link, _EMAIL_LINK),
    ("POST", f"{_V1}/accounts:signInWithIdp"): Route(federated_sign_in.sign_in_with_idp, _IDP),
    ("POST", f"{_V1}/accounts:sendVerificationCode"): Route(phone_sign_in.send_verification_code, _SEND_CODE),
    ("POST", f"{_V1}/accounts:signInWithPhoneNumber"): Route(phone_sign_in.sign_in_with_phone_number, _PHONE),
    ("POST", f"{_V2}/accounts/mfaEnrollment:start"): Route(second_factors.start_enrollment, _MFA),
    ("POST", f"{_V2}/accounts/mfaEnrollment:finalize"): Route(second_factors.finish_enrollment, _MFA),
    ("POST", f"{_V2}/accounts/mfaEnrollment:withdraw"): Route(second_factors.withdraw, _MFA),
    ("POST", f"{_V2}/accounts/mfaSignIn:start"): Route(second_factors.start_sign_in, _MFA),
    ("POST", f"{_V2}/accounts/mfaSignIn:finalize"): Route(second_factors.finish_sign_in, _MFA),
    ("POST", f"{_V1}/accounts:createAuthUri"): Route(sign_in.create_auth_uri, _CREATE_AUTH_URI),
    ("POST", f"{_V1}/accounts:lookup"): Route(profile.lookup, _LOOKUP),
    ("POST", f"{_V1}/accounts:update"): Route(profile.update, _UPDATE),
    ("POST", f"{_V1}/accounts:delete"): Route(profile.delete, _DELETE),
    ("POST", f"{_V1}/accounts:sendOobCode"): Route(oob_codes.send_oob_code, _SEND_OOB_CODE),
    ("POST", f"{_V1}/accounts:resetPassword"): Route(oob_codes.reset_password, _RESET_PASSWORD),
    ("GET", f"{_V1}/projects"): Route(administration.get_project),
    ("POST", "/securetoken.googleapis.com/v1/token"): Route(sign_in.grant_token, _GRANT, Access.KEY, form=True),
    **_ACCOUNTS,
    **{(verb, path.replace("/projects/{project}", _IN_TENANT)): route for (verb, path), route in _ACCOUNTS.items()},
    **_SETTINGS,
    **{
        (verb, path): Route(f"identitytoolkit.{name}", access=Access.ADMIN)
        for (verb, path), name in _LACKING.items()
    },
    ("POST", f"{_P1}:queryAccounts"): Route(administration.query, _QUERY, Access.ADMIN),
    ("GET", f"{_EMULATOR}/config"): Route(administration.get_config, access=Access.ANYBODY),
    ("PATCH", f"{_EMULATOR}/config"): Route(administration.update_config, _CONFIG, Access.ANYBODY),
    **{
        ("POST", f"{_V1}/accounts:{name}"): Route(f"identitytoolkit.accounts.{name}")
        for name in (
            "signInWithGameCenter", "verifyIosClient", "issueSamlResponse",
        )
    },
    ("POST", f"{_V2}/accounts:revokeToken"): Route("identitytoolkit.accounts.revokeToken"),
    ("GET", f"{_V1}/recaptchaParams"): Route(phone_sign_in.get_recaptcha_params),
    ("GET", f"{_V1}/sessionCookiePublicKeys"): Route("identitytoolkit.getSessionCookiePublicKeys"),
    ("GET", f"{_V2}/passwordPolicy"): Route(passwords.get_password_policy),
    ("GET", f"{_V2}/recaptchaConfig"): Route("identitytoolkit.getRecaptchaConfig"),
}  # fmt: skip

_LEGACY = {
    "createAuthUri": "accounts:createAuthUri",
    "deleteAccount": "accounts:delete",
    "emailLinkSignin": "accounts:signInWithEmailLink",
    "getAccountInfo": "accounts:lookup",
    "getOobConfirmationCode": "accounts:sendOobCode",
    "getProjectConfig": "projects",
    "resetPassword": "accounts:resetPassword",
    "setAccountInfo": "accounts:update",
    "signupNewUser": "accounts:signUp",
    "verifyAssertion": "accounts:signInWithIdp",
    "verifyCustomToken": "accounts:signInWithCustomToken",
    "sendVerificationCode": "accounts:sendVerificationCode",
    "verifyPassword": "accounts:signInWithPassword",
    "verifyPhoneNumber": "accounts:signInWithPhoneNumber",
}
"""The v3 names of the same operations, which older clients still call."""
_LEGACY_PREFIX = "/www.googleapis.com/identitytoolkit/v3/relyingparty/"
_PROJECT = re.compile(
    r"(/identitytoolkit\.googleapis\.com/v[12]|/emulator/v1)/projects/([^/:]+)(?:(/tenants)/([^/:]+))?"
)
_ITEM = re.compile(rf"/({'|'.join(_PROVIDER_SETTINGS)})/[^/]+$")
_VERBS_OF: dict[str, list[str]] = {}
for _verb, _path in ROUTES:
    _VERBS_OF.setdefault(_path, []).append(_verb)


@dataclass(frozen=True, slots=True)
class Place:
    """A path, taken apart: what to look up in `ROUTES`, the project and tenant it names, the verbs that it takes."""

    path: str
    project: str | None
    tenant: str | None
    verbs: tuple[str, ...]


def find(path: str) -> Place:
    """Where a path (percent-encoded, without query) leads; `verbs` is empty for nowhere."""
    if path.startswith(_LEGACY_PREFIX):
        path = f"{_V1}/{_LEGACY.get(path[len(_LEGACY_PREFIX) :], '')}"
    path = path.replace("%3A", ":").replace("%3a", ":")
    named = _PROJECT.match(path)
    if named is None:
        return Place(path, None, None, tuple(_VERBS_OF.get(path, ())))
    tenant = "/tenants/{tenant}" if named[3] else ""
    rest = _ITEM.sub(r"/\1/{id}", path[named.end() :])
    template = f"{named[1]}/projects/{{project}}{tenant}{rest}"
    tenant_id = unquote(named[4]) if named[4] else None
    return Place(template, unquote(named[2]), tenant_id, tuple(_VERBS_OF.get(template, ())))
