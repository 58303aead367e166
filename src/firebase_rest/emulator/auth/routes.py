"""The routes of Auth: the paths, their operations, and the fields of their bodies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import unquote

from firebase_rest.emulator.auth import (
    administration,
    command_line,
    federated_sign_in,
    oob_codes,
    passwords,
    phone_sign_in,
    profile,
    provider_pages,
    second_factors,
    sign_in,
    tenants,
)
from firebase_rest.emulator.auth.bodies import BoolField, FieldType, ListField, ObjectField, Operation, StringField

if TYPE_CHECKING:
    from collections.abc import Mapping


def _fields(
    strings: str = "", *, bools: str = "", int64s: str = "", lists: str = "", **others: FieldType
) -> dict[str, FieldType]:
    """Return the types of fields. The arguments are names, separated by spaces; `lists` are lists of strings."""
    types: list[tuple[str, FieldType]] = [(strings, StringField()), (bools, BoolField())]
    types += [(int64s, StringField(integer=True)), (lists, ListField(StringField()))]
    return {**{name: kind for names, kind in types for name in names.split()}, **others}


def _object(strings: str = "", **others: FieldType) -> ObjectField:
    return ObjectField({**_fields(strings), **others})


def _enum(values: str) -> StringField:
    return StringField(tuple(values.split()))


_APP_PROOF = _fields(
    "captchaResponse iosReceipt iosSecret playIntegrityToken recaptchaToken safetyNetToken",
    autoRetrievalInfo=_object("appSignatureHash"),
    clientType=_enum("CLIENT_TYPE_UNSPECIFIED CLIENT_TYPE_WEB CLIENT_TYPE_ANDROID CLIENT_TYPE_IOS"),
    recaptchaVersion=_enum("RECAPTCHA_VERSION_UNSPECIFIED RECAPTCHA_ENTERPRISE"),
)
_SEND_CODE = {**_APP_PROOF, **_fields("phoneNumber tenantId")}
_PHONE_PROOF = ObjectField({**_APP_PROOF, **_fields("phoneNumber")})
_PHONE = _fields(
    "code idToken phoneNumber sessionInfo temporaryProof tenantId verificationProof",
    operation=_enum("VERIFY_OP_UNSPECIFIED SIGN_UP_OR_IN REAUTH UPDATE LINK"),
)
_IDP = _fields(
    "idToken pendingIdToken pendingToken postBody requestUri sessionId tenantId",
    bools="autoCreate returnIdpCredential returnRefreshToken returnSecureToken",
    int64s="delegatedProjectNumber",
)
_MFA = _fields(
    "idToken displayName mfaEnrollmentId mfaPendingCredential tenantId",
    phoneEnrollmentInfo=_PHONE_PROOF,
    phoneSignInInfo=_PHONE_PROOF,
    phoneVerificationInfo=_object("androidVerificationProof code phoneNumber sessionInfo"),
    totpEnrollmentInfo=_object(),
    totpVerificationInfo=_object("sessionInfo verificationCode"),
)
_FACTOR = _object("mfaEnrollmentId displayName phoneInfo enrolledAt")
_SIGN_UP = _fields(
    "email password idToken localId displayName photoUrl phoneNumber captchaChallenge captchaResponse instanceId "
    "targetProjectId tenantId",
    bools="disabled emailVerified",
    mfaInfo=ListField(_FACTOR),
)
_SIGN_IN = _fields(
    "email password idToken pendingIdToken oobCode token tenantId captchaChallenge captchaResponse instanceId",
    bools="returnSecureToken",
    int64s="delegatedProjectNumber",
)
_EMAIL_LINK = _fields("email idToken oobCode tenantId")
_CREATE_AUTH_URI = _fields(
    "identifier continueUri providerId sessionId tenantId context appId authFlowType hostedDomain oauthScope otaApp "
    "openidRealm",
    customParameter=_object(),
)
_LOOKUP = _fields(
    "idToken targetProjectId tenantId",
    int64s="delegatedProjectNumber",
    lists="localId email phoneNumber initialEmail",
    federatedUserId=ListField(_object("providerId rawId")),
)
_DELETE = _fields("idToken localId targetProjectId tenantId", int64s="delegatedProjectNumber")
_PROVIDER = _object("providerId rawId federatedId email displayName photoUrl phoneNumber screenName")
_UPDATE = _fields(
    "idToken oobCode localId email password displayName photoUrl phoneNumber customAttributes targetProjectId "
    "tenantId instanceId captchaChallenge captchaResponse",
    bools="disableUser emailVerified returnSecureToken upgradeToFederatedLogin",
    int64s="createdAt lastLoginAt validSince delegatedProjectNumber",
    lists="deleteProvider provider",
    deleteAttribute=ListField(
        _enum("USER_ATTRIBUTE_NAME_UNSPECIFIED EMAIL DISPLAY_NAME PROVIDER PHOTO_URL PASSWORD RAW_USER_INFO")
    ),
    linkProviderUserInfo=_PROVIDER,
    mfa=_object(enrollments=ListField(_FACTOR)),
)
_SEND_OOB_CODE = _fields(
    "email idToken newEmail continueUrl targetProjectId tenantId userIp androidMinimumVersion androidPackageName "
    "dynamicLinkDomain linkDomain captchaResp challenge",
    bools="returnOobLink canHandleCodeInApp androidInstallApp",
    requestType=_enum(
        "OOB_REQ_TYPE_UNSPECIFIED PASSWORD_RESET OLD_EMAIL_AGREE NEW_EMAIL_ACCEPT VERIFY_EMAIL RECOVER_EMAIL "
        "EMAIL_SIGNIN VERIFY_AND_CHANGE_EMAIL REVERT_SECOND_FACTOR_ADDITION"
    ),
)
_RESET_PASSWORD = _fields("oobCode newPassword email oldPassword tenantId")
_QUERY = _fields(
    "tenantId",
    bools="returnUserInfo",
    int64s="limit offset",
    expression=ListField(_object()),
    order=_enum("ORDER_UNSPECIFIED ASC DESC"),
    sortBy=_enum("SORT_BY_FIELD_UNSPECIFIED USER_ID NAME CREATED_AT LAST_LOGIN_AT USER_EMAIL"),
)
_GRANT = _fields("grantType refreshToken code")
_BATCH_DELETE = _fields("tenantId", bools="force", lists="localIds")
_COOKIE = _fields("idToken tenantId", int64s="validDuration")
_EXCHANGE = _fields("grant_type client_id client_secret code code_verifier redirect_uri")
_KINDS = ("Lowercase", "Uppercase", "Numeric", "NonAlphanumeric")
_STRENGTH = ObjectField(_fields(bools=" ".join(f"contains{kind}Character" for kind in _KINDS)))
_POLICY = _fields(
    bools="forceUpgradeOnSignin",
    passwordPolicyEnforcementState=_enum("PASSWORD_POLICY_ENFORCEMENT_STATE_UNSPECIFIED OFF ENFORCE"),
    passwordPolicyVersions=ListField(_object(customStrengthOptions=_STRENGTH)),
)
_EMAIL_PRIVACY = _fields(bools="enableImprovedEmailPrivacy")
_CONFIG = _fields(
    lists="authorizedDomains",
    passwordPolicyConfig=ObjectField(_POLICY),
    signIn=ObjectField(_fields(bools="allowDuplicateEmails")),
    emailPrivacyConfig=ObjectField(_EMAIL_PRIVACY),
    blockingFunctions=_object(triggers=_object()),
)
_TENANT = _fields(
    "displayName",
    bools="allowPasswordSignup enableEmailLinkSignin enableAnonymousUser disableAuth",
    passwordPolicyConfig=ObjectField(_POLICY),
    emailPrivacyConfig=ObjectField(_EMAIL_PRIVACY),
    mfaConfig=_object(
        state=_enum("STATE_UNSPECIFIED DISABLED ENABLED MANDATORY"),
        enabledProviders=ListField(_enum("PROVIDER_UNSPECIFIED PHONE_SMS")),
    ),
)
_IMPORTED = _fields(
    "localId email displayName photoUrl phoneNumber customAttributes passwordHash salt rawPassword tenantId",
    bools="emailVerified disabled",
    int64s="createdAt lastLoginAt validSince",
    providerUserInfo=ListField(_PROVIDER),
    mfaInfo=ListField(_FACTOR),
)
_BATCH_CREATE = _fields(
    "hashAlgorithm signerKey saltSeparator targetProjectId tenantId",
    bools="allowOverwrite sanityCheck",
    int64s="delegatedProjectNumber rounds memoryCost cpuMemCost parallelization blockSize dkLen",
    passwordHashOrder=_enum("UNSPECIFIED_ORDER SALT_AND_PASSWORD PASSWORD_AND_SALT"),
    users=ListField(ObjectField(_IMPORTED)),
)
_BATCH_GET = _fields("nextPageToken targetProjectId tenantId", int64s="delegatedProjectNumber maxResults")
_SIGN_OUT = _fields("instanceId localId targetProjectId tenantId")


class Access(Enum):
    """The credentials that a route requires."""

    PUBLIC = "no credentials needed"
    API_KEY = "API key"
    API_KEY_OR_ADMIN = "API key, or an administrator with more rights"
    ADMIN = "administrators only"


@dataclass(frozen=True, slots=True)
class AuthRoute:
    """A method and path. `operation` is a function, or the name of an operation that is not implemented."""

    operation: Operation | str
    fields: Mapping[str, FieldType] = field(default_factory=dict[str, FieldType])
    access: Access = Access.API_KEY_OR_ADMIN
    allows_form: bool = False
    """Whether URL-encoded bodies are accepted too."""
    reads_body: bool = True
    """Whether the body is parsed."""
    when_disabled: bool = False
    """Whether the route may be used in a tenant with sign-in disabled."""


COMMAND_LINE_PREFIXES = ("/identitytoolkit/v3/relyingparty/", "/oauth2/v3/token")
"""Prefixes of paths of the Firebase command line, which do not contain the host."""

_V1 = "/identitytoolkit.googleapis.com/v1"
_V2 = "/identitytoolkit.googleapis.com/v2"
_P1 = f"{_V1}/projects/{{project}}"
_P2 = f"{_V2}/projects/{{project}}"
_EMULATOR = "/emulator/v1/projects/{project}"
_IN_TENANT = "/projects/{project}/tenants/{tenant}"

_ACCOUNTS: dict[tuple[str, str], AuthRoute] = {
    ("POST", f"{_P1}/accounts"): AuthRoute(sign_in.sign_up, _SIGN_UP, Access.ADMIN),
    ("POST", f"{_P1}/accounts:lookup"): AuthRoute(profile.lookup, _LOOKUP, Access.ADMIN),
    ("POST", f"{_P1}/accounts:update"): AuthRoute(profile.update, _UPDATE, Access.ADMIN),
    ("POST", f"{_P1}/accounts:delete"): AuthRoute(profile.delete, _DELETE, Access.ADMIN),
    ("POST", f"{_P1}/accounts:sendOobCode"): AuthRoute(oob_codes.send_oob_code, _SEND_OOB_CODE, Access.ADMIN),
    ("GET", f"{_P1}/accounts:batchGet"): AuthRoute(administration.batch_get, access=Access.ADMIN),
    ("POST", f"{_P1}/accounts:batchCreate"): AuthRoute(administration.batch_create, _BATCH_CREATE, Access.ADMIN),
    ("POST", f"{_P1}/accounts:batchDelete"): AuthRoute(
        administration.batch_delete, _BATCH_DELETE, Access.ADMIN, when_disabled=True
    ),
    ("POST", f"{_P1}/accounts:query"): AuthRoute(administration.query, _QUERY, Access.ADMIN),
    ("POST", f"{_P1}:createSessionCookie"): AuthRoute(
        administration.create_session_cookie, _COOKIE, Access.ADMIN, when_disabled=True
    ),
    ("POST", "/oauth2.googleapis.com/token"): AuthRoute(
        provider_pages.exchange_code, _EXCHANGE, Access.PUBLIC, allows_form=True
    ),
    ("DELETE", f"{_EMULATOR}/accounts"): AuthRoute(
        administration.delete_accounts, access=Access.PUBLIC, when_disabled=True
    ),
    ("GET", f"{_EMULATOR}/oobCodes"): AuthRoute(administration.list_codes, access=Access.PUBLIC, when_disabled=True),
    ("GET", f"{_EMULATOR}/verificationCodes"): AuthRoute(
        administration.list_verification_codes, access=Access.PUBLIC, when_disabled=True
    ),
}
"""Routes that a project and each of its tenants have."""

_SETTINGS: dict[tuple[str, str], AuthRoute] = {
    ("GET", f"{_P2}/config"): AuthRoute(tenants.get_config, {}, Access.ADMIN),
    ("PATCH", f"{_P2}/config"): AuthRoute(tenants.update_config, _CONFIG, Access.ADMIN),
    ("GET", f"{_P2}/tenants"): AuthRoute(tenants.list_tenants, {}, Access.ADMIN),
    ("POST", f"{_P2}/tenants"): AuthRoute(tenants.create_tenant, _TENANT, Access.ADMIN),
    ("GET", f"{_P2}/tenants/{{tenant}}"): AuthRoute(tenants.get_tenant, {}, Access.ADMIN, when_disabled=True),
    ("DELETE", f"{_P2}/tenants/{{tenant}}"): AuthRoute(tenants.delete_tenant, {}, Access.ADMIN, when_disabled=True),
    ("PATCH", f"{_P2}/tenants/{{tenant}}"): AuthRoute(tenants.update_tenant, _TENANT, Access.ADMIN, when_disabled=True),
}

# Operations of Firebase that neither the official emulator nor this one supports.
_PROVIDER_SETTINGS = ("defaultSupportedIdpConfigs", "inboundSamlConfigs", "oauthIdpConfigs")
_NOT_IMPLEMENTED: dict[tuple[str, str], str] = {
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

_LEGACY_PREFIX = "/www.googleapis.com/identitytoolkit/v3/relyingparty/"

# The paths of the command line contain no host, unless FIREBASE_GOOGLE_URL and FIREBASE_RESOURCEMANAGER_URL contain it.
_COMMAND_LINE: dict[tuple[str, str], AuthRoute] = {
    ("POST", f"{_LEGACY_PREFIX}uploadAccount"): AuthRoute(command_line.upload_account, _BATCH_CREATE, Access.ADMIN),
    ("POST", f"{_LEGACY_PREFIX}downloadAccount"): AuthRoute(command_line.download_account, _BATCH_GET, Access.ADMIN),
    ("POST", f"{_LEGACY_PREFIX}signOutUser"): AuthRoute(command_line.sign_out_user, _SIGN_OUT, Access.ADMIN),
    ("POST", "/www.googleapis.com/oauth2/v3/token"): AuthRoute(
        command_line.grant_access_token, access=Access.PUBLIC, reads_body=False
    ),
    ("POST", "/cloudresourcemanager.googleapis.com/v1/projects/{project}:testIamPermissions"): AuthRoute(
        command_line.test_permissions, _fields(lists="permissions"), Access.ADMIN
    ),
}

_GRANT_TOKEN = AuthRoute(sign_in.grant_token, _GRANT, Access.API_KEY, allows_form=True)

ROUTES: dict[tuple[str, str], AuthRoute] = {
    ("POST", f"{_V1}/accounts:signUp"): AuthRoute(sign_in.sign_up, _SIGN_UP),
    ("POST", f"{_V1}/accounts:signInWithPassword"): AuthRoute(sign_in.sign_in_with_password, _SIGN_IN),
    ("POST", f"{_V1}/accounts:signInWithCustomToken"): AuthRoute(sign_in.sign_in_with_custom_token, _SIGN_IN),
    ("POST", f"{_V1}/accounts:signInWithEmailLink"): AuthRoute(sign_in.sign_in_with_email_link, _EMAIL_LINK),
    ("POST", f"{_V1}/accounts:signInWithIdp"): AuthRoute(federated_sign_in.sign_in_with_idp, _IDP),
    ("POST", f"{_V1}/accounts:sendVerificationCode"): AuthRoute(phone_sign_in.send_verification_code, _SEND_CODE),
    ("POST", f"{_V1}/accounts:signInWithPhoneNumber"): AuthRoute(phone_sign_in.sign_in_with_phone_number, _PHONE),
    ("POST", f"{_V2}/accounts/mfaEnrollment:start"): AuthRoute(second_factors.start_enrollment, _MFA),
    ("POST", f"{_V2}/accounts/mfaEnrollment:finalize"): AuthRoute(second_factors.finish_enrollment, _MFA),
    ("POST", f"{_V2}/accounts/mfaEnrollment:withdraw"): AuthRoute(second_factors.withdraw, _MFA),
    ("POST", f"{_V2}/accounts/mfaSignIn:start"): AuthRoute(second_factors.start_sign_in, _MFA),
    ("POST", f"{_V2}/accounts/mfaSignIn:finalize"): AuthRoute(second_factors.finish_sign_in, _MFA),
    ("POST", f"{_V1}/accounts:createAuthUri"): AuthRoute(sign_in.create_auth_uri, _CREATE_AUTH_URI),
    ("POST", f"{_V1}/accounts:lookup"): AuthRoute(profile.lookup, _LOOKUP),
    ("POST", f"{_V1}/accounts:update"): AuthRoute(profile.update, _UPDATE),
    ("POST", f"{_V1}/accounts:delete"): AuthRoute(profile.delete, _DELETE),
    ("POST", f"{_V1}/accounts:sendOobCode"): AuthRoute(oob_codes.send_oob_code, _SEND_OOB_CODE),
    ("POST", f"{_V1}/accounts:resetPassword"): AuthRoute(oob_codes.reset_password, _RESET_PASSWORD),
    ("GET", f"{_V1}/projects"): AuthRoute(administration.get_project),
    ("POST", "/securetoken.googleapis.com/v1/token"): _GRANT_TOKEN,
    **_ACCOUNTS,
    **{(verb, path.replace("/projects/{project}", _IN_TENANT)): route for (verb, path), route in _ACCOUNTS.items()},
    **_SETTINGS,
    **_COMMAND_LINE,
    **{
        (verb, path): AuthRoute(f"identitytoolkit.{name}", access=Access.ADMIN)
        for (verb, path), name in _NOT_IMPLEMENTED.items()
    },
    ("POST", f"{_P1}:queryAccounts"): AuthRoute(administration.query, _QUERY, Access.ADMIN),
    ("GET", f"{_EMULATOR}/config"): AuthRoute(administration.get_config, access=Access.PUBLIC),
    ("PATCH", f"{_EMULATOR}/config"): AuthRoute(administration.update_config, _CONFIG, Access.PUBLIC),
    **{
        ("POST", f"{_V1}/accounts:{name}"): AuthRoute(f"identitytoolkit.accounts.{name}")
        for name in (
            "signInWithGameCenter", "verifyIosClient", "issueSamlResponse",
        )
    },
    ("POST", f"{_V2}/accounts:revokeToken"): AuthRoute("identitytoolkit.accounts.revokeToken"),
    ("GET", f"{_V1}/recaptchaParams"): AuthRoute(phone_sign_in.get_recaptcha_params),
    ("GET", f"{_V1}/sessionCookiePublicKeys"): AuthRoute("identitytoolkit.getSessionCookiePublicKeys"),
    ("GET", f"{_V2}/passwordPolicy"): AuthRoute(passwords.get_password_policy),
    ("GET", f"{_V2}/recaptchaConfig"): AuthRoute("identitytoolkit.getRecaptchaConfig"),
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
"""The operations by their names in API version 3, which older clients use."""
_PROJECT = re.compile(
    r"(/identitytoolkit\.googleapis\.com/v[12]|/cloudresourcemanager\.googleapis\.com/v1|/emulator/v1)/projects/([^/:]+)(?:(/tenants)/([^/:]+))?"
)
_ITEM = re.compile(rf"/({'|'.join(_PROVIDER_SETTINGS)})/[^/]+$")
_METHODS: dict[str, list[str]] = {}
for _verb, _path in ROUTES:
    _METHODS.setdefault(_path, []).append(_verb)


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """A parsed path: the path in `ROUTES`, the project and the tenant in the path, and the supported methods."""

    path: str
    project: str | None
    tenant: str | None
    methods: tuple[str, ...]


def find(path: str) -> RouteMatch:
    """Parse a raw path. `methods` of the result is empty if the path is unknown."""
    if path.startswith(COMMAND_LINE_PREFIXES):
        path = f"/www.googleapis.com{path}"
    if path.startswith(_LEGACY_PREFIX):
        current = _LEGACY.get(path[len(_LEGACY_PREFIX) :])
        path = f"{_V1}/{current}" if current else path
    path = path.replace("%3A", ":").replace("%3a", ":")
    match = _PROJECT.match(path)
    if match is None:
        return RouteMatch(path, None, None, tuple(_METHODS.get(path, ())))
    tenant = "/tenants/{tenant}" if match[3] else ""
    rest = _ITEM.sub(r"/\1/{id}", path[match.end() :])
    template = f"{match[1]}/projects/{{project}}{tenant}{rest}"
    tenant_id = unquote(match[4]) if match[4] else None
    return RouteMatch(template, unquote(match[2]), tenant_id, tuple(_METHODS.get(template, ())))
