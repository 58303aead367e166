"""Methods of `Auth` for servers: create and verify tokens, and manage users.

https://firebase.google.com/docs/auth/admin
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from firebase_rest.auth import jwt
from firebase_rest.auth.admin import Admin
from firebase_rest.auth.arguments import optional, validate_duration, validate_email, validate_uid
from firebase_rest.auth.base import AuthBase, Token, id_token_of
from firebase_rest.auth.protocol import admin
from firebase_rest.auth.protocol.admin import ProjectEndpoint
from firebase_rest.auth.token_verifier import ID_TOKEN, SESSION_COOKIE, KeySet, TokenType, TokenVerifier
from firebase_rest.errors import ConfigError, NetworkError, TokenRevoked, UserDisabled
from firebase_rest.transport import google_auth
from firebase_rest.transport.arguments import as_float, validate_bool, validate_int, validate_str
from firebase_rest.transport.credentials import EMULATOR_ADMIN, Credentials, ServiceAccount
from firebase_rest.transport.json_fields import dict_or_empty
from firebase_rest.transport.requestor import Requestor

MAX_MINUTES = 60
"""Maximum lifetime of custom tokens in minutes."""
MIN_COOKIE, MAX_COOKIE = 300, 14 * 24 * 3600
"""Lifetime of session cookies in seconds."""

_EMULATED_ISSUER = "firebase-auth-emulator@example.com"


@dataclass(frozen=True, slots=True)
class CustomTokenSigner:
    """Signs custom tokens with the service account's private key, or with Google IAM for the account `email`.

    Tokens for an emulator are unsigned, as in the official SDKs. `requestor` has no credentials.
    """

    requestor: Requestor
    account: ServiceAccount | None
    email: str | None
    emulated: bool

    def sign(self, uid: str, claims: Mapping[str, Any] | None, minutes: int, tenant_id: str | None) -> str:
        """Return a custom token for `uid`."""
        payload = _payload(uid, claims, minutes, tenant_id)
        if self.emulated:
            return jwt.encode_unsigned(_add_issuer(_EMULATED_ISSUER, payload))
        if self.account is None:
            raise ConfigError(
                "create_custom_token() requires a service account: add 'serviceAccount' to the configuration, the path "
                "of a key file or its content."
            )
        credentials = self.account.google_credentials
        if _has_private_key(credentials):
            from google.auth import jwt as google_jwt

            claims = _add_issuer(credentials.signer_email, payload)
            # google-auth ships no types.
            return bytes(google_jwt.encode(credentials.signer, claims)).decode()  # type: ignore[no-untyped-call]
        configured = optional(validate_email, "serviceAccountId", self.email)
        email = configured or _email_of(credentials) or self._email_of_metadata_server()
        text = jwt.signing_input("RS256", _add_issuer(email, payload))
        signature = self.requestor.with_credentials(self.account).run(google_auth.sign_blob(email, text.encode()))
        return f"{text}.{jwt.base64url(signature)}"

    def _email_of_metadata_server(self) -> str:
        try:
            return self.requestor.run(google_auth.metadata_server_email())
        except NetworkError:
            pass
        raise ConfigError(
            "create_custom_token() requires a private key or the service account's email address, and the credentials "
            "have neither; add the address as 'serviceAccountId' to the configuration, or use a key file."
        )


def _payload(uid: object, claims: Mapping[str, Any] | None, minutes: object, tenant_id: str | None) -> dict[str, Any]:
    uid = validate_uid("uid", uid)
    lifetime = 60 * validate_int("expiry_minutes", minutes, 1, MAX_MINUTES)
    additional = json.loads(jwt.encode_custom_claims("additional_claims", claims))
    now = int(time.time())
    payload: dict[str, Any] = {"aud": jwt.CUSTOM_TOKEN_AUDIENCE, "iat": now, "exp": now + lifetime, "uid": uid}
    if additional:
        payload["claims"] = additional
    if tenant_id is not None:
        payload["tenant_id"] = tenant_id
    return payload


def _add_issuer(email: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {**payload, "iss": email, "sub": email}


def _has_private_key(credentials: Any) -> bool:
    """Return whether google-auth credentials sign locally. Other signers send a request over their own connection."""
    from google.auth import crypt

    return isinstance(getattr(credentials, "signer", None), crypt.RSASigner)


def _email_of(credentials: Any) -> str | None:
    # Credentials of a Google machine have "default" until their first token.
    email = getattr(credentials, "service_account_email", None)
    return email if isinstance(email, str) and "@" in email else None


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The configuration of server methods.

    `account_email` is the service account for which Google IAM signs. `keys` contains Google's public keys by URL; all
    `Auth` objects of an App share it. `hint` is appended to the error for a missing project ID.
    """

    project_id: str | None
    account: ServiceAccount | None
    account_email: str | None
    keys: dict[str, KeySet]
    hint: str = ""


class ServerTokenMethods(AuthBase):
    """Methods for servers. They require the project ID, and most of them also a service account."""

    _server: ServerConfig
    _id_token_type: TokenType = ID_TOKEN
    _session_cookie_type: TokenType = SESSION_COOKIE

    @property
    def admin(self) -> Admin:
        """User management. It requires a service account, or an emulator.

        Raises `ConfigError` without a service account or a project ID.
        """
        return Admin(self._requestor.with_credentials(self._administrator()), self._project_endpoint())

    def create_custom_token(
        self,
        uid: str,
        additional_claims: Mapping[str, Any] | None = None,
        expiry_minutes: int = 60,
        *,
        tenant_id: str | None = None,
    ) -> str:
        """Create a token with which an app signs in as `uid`.

        The service account's private key signs the token, and nothing is sent. For credentials without a private key,
        Google IAM signs the token for the account `serviceAccountId` of the configuration, or for the account of the
        credentials.

        Args:
            uid: The user's ID, 1 to 128 characters. The sign-in creates an unknown user.
            additional_claims: Custom claims, at most 1,000 characters as JSON.
            expiry_minutes: Lifetime of the token, 1 to 60.
            tenant_id: The tenant of the user.

        Raises:
            UsageError: An argument is invalid, or a claim is reserved.
            ConfigError: There is no service account.

        https://firebase.google.com/docs/auth/admin/create-custom-tokens
        """
        server = self._server
        signer = CustomTokenSigner(self._requestor, server.account, server.account_email, self._is_emulated)
        return signer.sign(uid, additional_claims, expiry_minutes, self._tenant(tenant_id))

    def verify_id_token(
        self,
        token: Token,
        check_revoked: bool = False,
        *,
        clock_skew_seconds: float = 0,
        tenant_id: str | None = None,
    ) -> dict[str, Any]:
        """Verify an ID token that a client has sent. Unsigned tokens are valid only if the App uses an Auth emulator.

        Args:
            token: The ID token, or a `UserSession`, whose current token is verified.
            check_revoked: Whether to read the account too, which requires a service account, and to reject tokens of
                disabled and deleted users, and tokens that were issued before the user's sessions were revoked.
            clock_skew_seconds: Difference of clocks to tolerate, 0 to 60.
            tenant_id: Accept only tokens of this tenant. By default the tokens of all tenants are valid; see
                `claims["firebase"]["tenant"]`.

        Returns:
            The claims, and "uid".

        Raises:
            TokenExpired: The token has expired.
            InvalidToken: The token is invalid; `code` is the reason.
            TokenRevoked, UserDisabled, UserNotFound: Only with `check_revoked`.

        https://firebase.google.com/docs/auth/admin/verify-id-tokens
        """
        # Invalid text raises `InvalidToken`, not `UsageError`, because a client sent it.
        received = validate_str("token", token) if isinstance(token, str) else id_token_of(token, "token")
        return self._verify(self._id_token_type, received, check_revoked, clock_skew_seconds, tenant_id)

    def verify_session_cookie(
        self,
        cookie: str,
        check_revoked: bool = False,
        *,
        clock_skew_seconds: float = 0,
        tenant_id: str | None = None,
    ) -> dict[str, Any]:
        """Verify a session cookie. Arguments, result and errors are those of `verify_id_token`.

        https://firebase.google.com/docs/auth/admin/manage-cookies
        """
        received = validate_str("cookie", cookie)
        return self._verify(self._session_cookie_type, received, check_revoked, clock_skew_seconds, tenant_id)

    def create_session_cookie(self, id_token: Token, expires_in: int | timedelta) -> str:
        """Create a session cookie from a user's ID token. It requires a service account.

        Args:
            id_token: The user's ID token, or a `UserSession`.
            expires_in: Lifetime, 5 minutes to 14 days, in seconds or as a timedelta.

        Raises:
            SessionExpired: Firebase rejects the ID token.

        https://firebase.google.com/docs/auth/admin/manage-cookies
        """
        seconds = validate_duration("expires_in", expires_in, MIN_COOKIE, MAX_COOKIE)
        flow = admin.create_session_cookie(self._project_endpoint(), id_token_of(id_token), seconds)
        return self._requestor.with_credentials(self._administrator()).run(flow)

    def _verify(
        self, token_type: TokenType, token: str, check_revoked: bool, skew: float, tenant_id: str | None
    ) -> dict[str, Any]:
        check_revoked = validate_bool("check_revoked", check_revoked)
        verifier = TokenVerifier(token_type, self._project(), self._is_emulated, self._requestor, self._server.keys)
        claims = verifier.verify(token, skew, self._tenant(tenant_id))
        if check_revoked:
            self._check_account(claims)
        return claims

    def _check_account(self, claims: Mapping[str, Any]) -> None:
        tenant_id = dict_or_empty(claims.get("firebase")).get("tenant")
        accounts = self.admin.for_tenant(tenant_id) if tenant_id else self.admin
        uid = claims["uid"]
        user = accounts.get_user(uid)
        if user.disabled:
            message = f"The user {uid!r} is disabled."
            raise UserDisabled(message, status=401, code="USER_DISABLED", message=message)
        # "iat", not "auth_time": a new password brings new tokens with the "auth_time" of the earlier sign-in.
        issued_at = as_float(claims.get("iat")) or 0
        if user.tokens_valid_after is not None and issued_at < user.tokens_valid_after.timestamp():
            message = f"The sessions of the user {uid!r} were revoked after this token was issued."
            raise TokenRevoked(message, status=401, code="REVOKED", message=message)

    @property
    def _is_emulated(self) -> bool:
        return self._endpoint.emulator is not None

    def _tenant(self, tenant_id: str | None) -> str | None:
        return optional(validate_str, "tenant_id", tenant_id) or self._endpoint.tenant_id

    def _project_endpoint(self) -> ProjectEndpoint:
        account = self._server.account
        quota_project = None
        if account is not None and not self._is_emulated:
            quota_project = getattr(account.google_credentials, "quota_project_id", None)
        return ProjectEndpoint(self._endpoint, self._project(), self._endpoint.tenant_id, quota_project)

    def _administrator(self) -> Credentials:
        if self._is_emulated:
            return EMULATOR_ADMIN
        if self._server.account is None:
            raise ConfigError(
                "This method requires a service account: add 'serviceAccount' to the configuration (the path of a key "
                'file or its content), or pass credentials="adc".'
            )
        return self._server.account

    def _project(self) -> str:
        project = self._server.project_id
        if project is None and self._server.account is not None:
            project = getattr(self._server.account.google_credentials, "project_id", None)
        if isinstance(project, str) and project:
            return project
        raise ConfigError(
            "The configuration has no 'projectId', which tokens and user management require; copy it from the Firebase "
            f"console (project settings, general).{self._server.hint}"
        )
