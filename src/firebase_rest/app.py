"""`initialize_app` and `App`: read the configuration and create the services."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from firebase_rest.configuration import emulator_hosts, read_configuration
from firebase_rest.errors import UsageError
from firebase_rest.transport.base_reference import AppContext
from firebase_rest.transport.credentials import (
    ANONYMOUS,
    EMULATOR_ADMIN,
    AppCheck,
    Credentials,
    ServiceAccount,
    StorageUserCredentials,
    TokenSource,
    UserCredentials,
    is_token_source,
    user_credentials,
    validate_app_check,
)
from firebase_rest.transport.lifecycle import Closable
from firebase_rest.transport.options import Options
from firebase_rest.transport.redaction import redact
from firebase_rest.transport.requestor import Requestor
from firebase_rest.transport.session import MAX_RESPONSE_SIZE, SessionTransport
from firebase_rest.transport.settings import malformed_path, similar_key
from firebase_rest.transport.tracebacks import hide_locals

if TYPE_CHECKING:
    from requests import Session
    from typing_extensions import Self

    from firebase_rest.auth.client import Auth
    from firebase_rest.auth.token_verifier import KeySet
    from firebase_rest.database.location import Location
    from firebase_rest.database.reference import Database
    from firebase_rest.storage.reference import Storage


@hide_locals  # a service account is among the arguments
def initialize_app(
    config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    *,
    session: Session | None = None,
    timeout: float | tuple[float, float] = (10, 60),
    deadline: float | None = None,
    retries: int = 3,
    headers: Mapping[str, str] | None = None,
    credentials: object = None,
    app_check: AppCheck | None = None,
    locale: str | None = None,
    max_response_size: int = MAX_RESPONSE_SIZE,
) -> App:
    """Return an `App` for a Firebase project. Nothing is sent, and services validate their settings at first use.

    Args:
        config: The web app's configuration from the Firebase console: a mapping, JSON text, the console's JavaScript
            snippet, or the path of a JSON file such as google-services.json. Keys: `apiKey`, `authDomain`, `projectId`,
            `databaseURL`, `storageBucket`, `serviceAccount`, `serviceAccountId`, `emulatorHosts`; others are ignored.
            Default: the environment variable FIREBASE_CONFIG (JSON text or a path). Optional with `credentials`.
        session: A `requests.Session` to use. The App does not close it.
        timeout: Seconds without data, or a pair (seconds to connect, seconds without data).
        deadline: Seconds for a whole call; None for no limit.
        retries: Maximum number of retries of a request that can be repeated safely.
        headers: Headers of every request. An API key that is restricted to a website or app needs "Referer",
            "X-Android-Package" and "X-Android-Cert", or "X-Ios-Bundle-Identifier".
        credentials: A service account: the path of its key file, the file's content as a mapping, google-auth
            credentials, or "adc" for the application default credentials. Default: `serviceAccount` in `config`.
        app_check: An App Check token, or a function that returns the current one.
        locale: The language of the emails and text messages that Auth sends, such as "pt-BR".
        max_response_size: The maximum size in bytes of a decompressed body that a call reads into memory, and of an
            event of a stream. Default: 256 MB, Firebase's limit for a read. Downloads to files are not limited.

    Raises:
        ConfigError: The configuration is missing or cannot be parsed.
        UsageError: An option is invalid.
        OSError: A file cannot be read.

    https://firebase.google.com/docs/projects/learn-more#config-files-objects
    """
    _check_type(credentials)
    settings = read_configuration(config, required=credentials is None)
    options = Options().replace(timeout, deadline, retries)
    transport = SessionTransport(session, headers, validate_app_check(app_check), max_response_size)
    return App(settings, transport, options, credentials, locale)


def _check_type(credentials: object) -> None:
    """Raise `ConfigError` if the credentials are of a type that is not supported."""
    # Checked here, because with an emulator google-auth never sees the credentials.
    if credentials is None or isinstance(credentials, (str, os.PathLike, Mapping)) or hasattr(credentials, "refresh"):
        return
    from firebase_rest.transport.google_auth import load

    load(credentials, "credentials")


class App(Closable):
    """A Firebase project: creates its services. Thread-safe.

    `initialize_app` returns it. It is a context manager that calls `close()`.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        transport: SessionTransport,
        options: Options,
        credentials: object = None,
        locale: str | None = None,
    ) -> None:
        # Without the service account, because an App can be pickled.
        self._config = {key: value for key, value in config.items() if key not in ("serviceAccount", "private_key")}
        self._transport = transport
        self._options = options
        self._locale = locale
        self._emulators = emulator_hosts(config)
        self._keys: dict[str, KeySet] = {}  # Google's public keys, which every Auth of this App shares
        setting, source = "credentials", credentials
        if source is None:
            setting, source = "serviceAccount", config.get("serviceAccount")
        fetch = Requestor(transport, ANONYMOUS, options).fetch
        self._account = None if source is None else ServiceAccount(source, fetch, setting)
        project = self._config.get("projectId")
        self._context = AppContext(self._account, self.api_key, self._emulators["storage"], project)

    def __repr__(self) -> str:
        url = redact(str(self.database_url or ""))
        name = self._config.get("projectId") or (url if malformed_path(url) is None else "")
        return f"<{type(self).__name__} {name}>" if name else f"<{type(self).__name__}>"

    def close(self) -> None:
        """Close all streams and connections, except those of a `session` that you passed to `initialize_app`."""
        self._transport.close()

    def with_options(
        self,
        *,
        timeout: float | tuple[float, float] | None = None,
        deadline: float | None = None,
        retries: int | None = None,
    ) -> Self:
        """Return a copy of this App with other limits. Both use the same session.

        Args:
            timeout: Seconds without data, or a pair (seconds to connect, seconds without data).
            deadline: Seconds for a whole call; `math.inf` removes the limit.
            retries: Maximum number of retries.
        """
        copy = self.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.__dict__["_options"] = self._options.replace(timeout, deadline, retries)
        return copy

    # --- configuration ----------------------------------------------------------------------------------------------

    @property
    def requests(self) -> Session:
        """The `requests.Session` of all requests."""
        return self._transport.session

    @property
    def api_key(self) -> str | None:
        """`apiKey` as configured."""
        return self._config.get("apiKey")

    @property
    def auth_domain(self) -> str | None:
        """`authDomain` as configured."""
        return self._config.get("authDomain")

    @property
    def database_url(self) -> str | None:
        """`databaseURL` as configured."""
        return self._config.get("databaseURL")

    @property
    def storage_bucket(self) -> str | None:
        """`storageBucket` as configured."""
        return self._config.get("storageBucket")

    @property
    def project_id(self) -> str | None:
        """`projectId` as configured, or else the project of the service account."""
        configured = self._config.get("projectId")
        return (
            configured
            if configured or self._account is None
            else getattr(self._account.google_credentials, "project_id", None)
        )

    @property
    def credentials(self) -> Any:
        """The google-auth credentials of the service account, or None."""
        return None if self._account is None else self._account.google_credentials

    # --- services ---------------------------------------------------------------------------------------------------

    def auth(self, tenant_id: str | None = None) -> Auth:
        """Return the Auth service. Its first request raises `ConfigError` without an `apiKey`.

        Args:
            tenant_id: The tenant whose users sign in (Identity Platform).
        """
        from firebase_rest.auth.client import Auth

        if not isinstance(cast(object, tenant_id), (str, type(None))):
            raise UsageError(f"tenant_id must be a string or None, got {type(tenant_id).__name__}.")
        requestor = Requestor(self._transport, ANONYMOUS, self._options)
        emulator = self._emulators["auth"]
        return Auth(requestor, self._config, emulator, self._account, self._keys, self._locale, tenant_id)

    def database(self, url: str | TokenSource | None = None, *, user: str | TokenSource | None = None) -> Database:
        """Return the root of a database. Its first request raises `ConfigError` without a `databaseURL`.

        Args:
            url: The URL of another database than the configured one. (A `UserSession` in its place is the `user`.)
            user: The ID token or `UserSession` that authenticates all requests.
        """
        from firebase_rest.database.reference import Database

        return Database(*self._database(url, user))

    def _database(self, url: object, user: object) -> tuple[Requestor, Location, AppContext]:
        from firebase_rest.database.location import locate

        chosen_url, user = _split_target("url", url, user)
        hint = similar_key("databaseURL", self._config)
        configured = self.database_url if chosen_url is None else chosen_url
        location = locate(configured, self._emulators["database"], hint)
        return self._requestor(location.base, user, UserCredentials), location, self._context

    def storage(self, bucket: str | TokenSource | None = None, *, user: str | TokenSource | None = None) -> Storage:
        """Return a bucket. Its first request raises `ConfigError` without a `storageBucket`.

        Args:
            bucket: The name of another bucket than the configured one, with or without "gs://". (A `UserSession` in
                its place is the `user`.)
            user: The ID token or `UserSession` that authenticates all requests.
        """
        from firebase_rest.storage.location import locate
        from firebase_rest.storage.reference import Storage

        chosen_bucket, chosen_user = _split_target("bucket", bucket, user)
        hint = similar_key("storageBucket", self._config)
        configured = self.storage_bucket if chosen_bucket is None else chosen_bucket
        location = locate(configured, self._emulators["storage"], hint)
        requestor = self._requestor(location.base, chosen_user, StorageUserCredentials)
        return Storage(requestor, location, self._context)

    def _requestor(self, base: str, user: object, user_type: type[UserCredentials]) -> Requestor:
        credentials = self._credentials(base) if user is None else user_credentials(user, user_type)
        return Requestor(self._transport, credentials, self._options)

    def _credentials(self, base: str) -> Credentials:
        if self._account is None:
            return ANONYMOUS
        # Only emulators use plain http, and an access token must not be sent there.
        return EMULATOR_ADMIN if base.startswith("http://") else self._account


def _split_target(name: str, value: object, user: object) -> tuple[str | None, object]:
    """Return the URL or bucket, and the user. The argument `name` accepts a session too, which is then the user."""
    if is_token_source(value) and user is None:
        return None, value
    if value is None or isinstance(value, str):
        return value, user
    raise UsageError(f"{name} must be a string or None, got {type(value).__name__}; pass a token as user=.")
