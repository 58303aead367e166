"""The methods of `Auth` for servers: tokens made, tokens verified, and the way to user management.

https://firebase.google.com/docs/auth/admin
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from firebase_rest.auth.admin import Admin
from firebase_rest.auth.arguments import optional, validate_duration
from firebase_rest.auth.keys import KeySet
from firebase_rest.auth.protocol import admin
from firebase_rest.auth.protocol.admin import ProjectEndpoint
from firebase_rest.auth.room import Room, Token, id_token_of
from firebase_rest.auth.tokens import Minter
from firebase_rest.auth.verify import ID_TOKEN, SESSION_COOKIE, Kind, Verifier
from firebase_rest.errors import ConfigError, TokenRevoked, UserDisabled
from firebase_rest.transport._json import dict_or_empty
from firebase_rest.transport.arguments import as_float, validate_bool, validate_str
from firebase_rest.transport.credentials import EMULATOR_ADMIN, Credentials, ServiceAccount

SHORTEST_COOKIE, LONGEST_COOKIE = 300, 14 * 24 * 3600
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Server:
    """What an App has for its servers. `account_email` is the service account that Google is to sign for.

    `keys` are Google's public keys by their URL, shared by all `Auth` objects of the App; `hint` is
    added to the sentence for a missing project id.
    """

    project_id: str | None
    account: ServiceAccount | None
    account_email: str | None
    keys: dict[str, KeySet]
    hint: str = ""


class ServerSide(Room):
    """Tokens on a server."""

    _server: Server
    _id_tokens: Kind = ID_TOKEN
    _session_cookies: Kind = SESSION_COOKIE

    @property
    def admin(self) -> Admin:
        """User management: needs a service account, and in front of an emulator nothing.

        Raises `ConfigError` without a service account or a project id.
        """
        return Admin(self._requestor.with_credentials(self._administrator()), self._accounts())

    def create_custom_token(
        self,
        uid: str,
        additional_claims: Mapping[str, Any] | None = None,
        expiry_minutes: int = 60,
        *,
        tenant_id: str | None = None,
    ) -> str:
        """A token with which an app signs in as `uid`.

        Made here, without the network, by the service account's key. Credentials without a key have Google sign, for
        the account that `serviceAccountId` in the configuration names, or the one that they belong to. Raises
        `UsageError` for reserved claims, more than 1,000 characters of claims or more than 60 minutes, and
        `ConfigError` without a service account. https://firebase.google.com/docs/auth/admin/create-custom-tokens
        """
        server = self._server
        minter = Minter(self._requestor, server.account, server.account_email, self._endpoint.emulator is not None)
        return minter.mint(uid, additional_claims, expiry_minutes, self._tenant(tenant_id))

    def verify_id_token(
        self,
        token: Token,
        check_revoked: bool = False,
        *,
        clock_skew_seconds: float = 0,
        tenant_id: str | None = None,
    ) -> dict[str, Any]:
        """The claims of an ID token that a client sent, and "uid", if the token is genuine and of this project.

        Tenants are part of the project: without `tenant_id`, and on the Auth of no tenant, the tokens of all of them
        count (`claims["firebase"]["tenant"]`). Of a `UserSession` it is the current token that is looked at.
        Raises `TokenExpired`, and `InvalidToken` (whose `code` says why) for whatever else is wrong, which both are
        `Unauthenticated`. With `check_revoked` Firebase is asked about the user, as an administrator: raises
        `TokenRevoked`, `UserDisabled`, `UserNotFound`. Clocks may differ by `clock_skew_seconds` (0 to 60). With
        `tenant_id` only this tenant's tokens will do. In front of an emulator, and nowhere else, unsigned tokens count.
        https://firebase.google.com/docs/auth/admin/verify-id-tokens
        """
        # A client's token: any text that is not a valid one is `InvalidToken`, not a mistake of this program.
        received = validate_str("token", token) if isinstance(token, str) else id_token_of(token, "token")
        return self._verified(self._id_tokens, received, check_revoked, clock_skew_seconds, tenant_id)

    def verify_session_cookie(
        self,
        cookie: str,
        check_revoked: bool = False,
        *,
        clock_skew_seconds: float = 0,
        tenant_id: str | None = None,
    ) -> dict[str, Any]:
        """The claims of a session cookie, and "uid"; everything as in `verify_id_token`.

        https://firebase.google.com/docs/auth/admin/manage-cookies
        """
        kind = self._session_cookies
        return self._verified(kind, validate_str("cookie", cookie), check_revoked, clock_skew_seconds, tenant_id)

    def create_session_cookie(self, id_token: Token, expires_in: int | timedelta) -> str:
        """A session cookie, good for 5 minutes to 14 days (seconds or a timedelta), from a user's ID token.

        Needs a service account. Raises `SessionExpired` for an ID token that Firebase does not take.
        https://firebase.google.com/docs/auth/admin/manage-cookies
        """
        seconds = validate_duration("expires_in", expires_in, SHORTEST_COOKIE, LONGEST_COOKIE)
        flow = admin.create_session_cookie(self._accounts(), id_token_of(id_token), seconds)
        return self._requestor.with_credentials(self._administrator()).run(flow)

    def _verified(
        self, kind: Kind, token: str, check_revoked: bool, skew: float, tenant_id: str | None
    ) -> dict[str, Any]:
        wanted = validate_bool("check_revoked", check_revoked)
        emulated = self._endpoint.emulator is not None
        claims = Verifier(kind, self._project(), emulated, self._requestor, self._server.keys).verify(
            token, skew, self._tenant(tenant_id)
        )
        if wanted:
            self._check_revoked(claims)
        return claims

    def _tenant(self, tenant_id: str | None) -> str | None:
        return optional(validate_str, "tenant_id", tenant_id) or self._endpoint.tenant_id

    def _check_revoked(self, claims: Mapping[str, Any]) -> None:
        tenant_id = dict_or_empty(claims.get("firebase")).get("tenant")
        accounts = self.admin.for_tenant(tenant_id) if tenant_id else self.admin
        user = accounts.get_user(claims["uid"])
        if user.disabled:
            words = f"The user {user.uid!r} is disabled."
            raise UserDisabled(words, status=401, code="USER_DISABLED", message=words)
        # "iat", not "auth_time": the tokens that come with a new password keep the time of the sign-in before it.
        issued = as_float(claims.get("iat")) or 0
        if user.tokens_valid_after is not None and issued < user.tokens_valid_after.timestamp():
            words = f"The sessions of the user {user.uid!r} were revoked after this token was issued."
            raise TokenRevoked(words, status=401, code="REVOKED", message=words)

    def _accounts(self) -> ProjectEndpoint:
        account = self._server.account
        emulated = self._endpoint.emulator is not None
        quota = None if account is None or emulated else getattr(account.google, "quota_project_id", None)
        return ProjectEndpoint(self._endpoint, self._project(), self._endpoint.tenant_id, quota_project=quota)

    def _administrator(self) -> Credentials:
        if self._endpoint.emulator is not None:
            return EMULATOR_ADMIN
        if self._server.account is None:
            raise ConfigError(
                "This needs a service account: add 'serviceAccount' to the configuration (the path of a key file or "
                'its content), or pass credentials="adc".'
            )
        return self._server.account

    def _project(self) -> str:
        project = self._server.project_id
        if project is None and self._server.account is not None:
            project = getattr(self._server.account.google, "project_id", None)
        if isinstance(project, str) and project:
            return project
        raise ConfigError(
            "The configuration has no 'projectId', which tokens and user management need; copy it from the Firebase "
            f"console (project settings, general).{self._server.hint}"
        )
