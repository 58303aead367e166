"""google-auth, and nothing else: loading a service account, and renewing its access token over our own transport.

The law of this file: google-auth is imported inside functions, signs and understands; it sends nothing itself. (Its own
requests transport closes the session it was given, retries by itself, and knows no deadline.)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

from firebase_rest.errors import ConfigError, InvalidResponse, NetworkError, RateLimited, ServerError, Unauthenticated
from firebase_rest.transport._json import dict_or_empty, parse_object
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.redact import redact
from firebase_rest.transport.wire import Request, Response, RetryPolicy

SCOPES = (
    "https://www.googleapis.com/auth/firebase.database",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/cloud-platform",
)
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, no secret

_ASK_FOR = (
    'a service account is the path of its key file, the file\'s content as a dict, google-auth credentials, or "adc"'
)


# --- loading ---------------------------------------------------------------------------------------------------------


def load(source: object) -> Any:
    """google-auth credentials from what a program configured. Raises `ConfigError`, and OSError for a missing file."""
    if isinstance(source, str) and source == "adc":
        return _default_credentials()
    if isinstance(source, Mapping):
        return _from_info(cast(Mapping[str, Any], source), "The service account mapping")
    if isinstance(source, (str, os.PathLike)):
        path = str(Path(cast("str | os.PathLike[str]", source)))
        if "\n" in path or path.lstrip().startswith(("{", "-----BEGIN")):
            # Opening it would put the private key into the OSError's file name.
            raise ConfigError(f"The service account is a key or JSON text, not a path: {_ASK_FOR} (json.loads(text)).")
        return _from_info(_read(Path(path)), f"The service account file {path!r}")
    return _scoped(source)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        info = parse_object(path.read_bytes())
    except OSError as error:  # its kind stays, which programs catch; its words name the setting
        error.strerror = f"{error.strerror} (the service account's key file, as configured)"
        raise
    if info:
        return info
    raise ConfigError(
        f"The service account file {str(path)!r} is not JSON; download a new key in the Firebase console "
        "(project settings, service accounts)."
    )


def _from_info(info: Mapping[str, Any], where: str) -> Any:
    from google.oauth2 import service_account

    complete = {"token_uri": TOKEN_URI, **info}
    try:
        return service_account.Credentials.from_service_account_info(complete, scopes=SCOPES)  # type: ignore[no-untyped-call]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # google-auth's sentence names the missing field, or says that the key cannot be parsed; the key is not in it.
        problem = f"{where} cannot be used: {redact(str(error.args[0] if error.args else error))}"
    raise ConfigError(problem)


def _default_credentials() -> Any:
    import google.auth as google_auth
    from google.auth import exceptions

    try:
        return cast(Any, google_auth).default(scopes=SCOPES)[0]  # not typed to the last argument
    except exceptions.DefaultCredentialsError:
        pass
    raise ConfigError(
        'credentials="adc": no application default credentials were found; set GOOGLE_APPLICATION_CREDENTIALS to a '
        "key file's path."
    )


def _scoped(source: object) -> Any:
    from google.auth import credentials

    if not isinstance(source, credentials.Credentials):
        raise ConfigError(f"{_ASK_FOR[0].upper()}{_ASK_FOR[1:]}, not {type(source).__name__}.")
    return cast(Any, credentials).with_scopes_if_required(source, SCOPES)


# --- renewing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Answer:
    """What google-auth expects back from a transport."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class _Exchange:
    """google-auth's transport, over ours; keeps the last answer."""

    def __init__(self, fetch: Callable[[Request], Response]) -> None:
        self._fetch = fetch
        self.last: Response | None = None

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_ignored: object,  # a timeout: ours holds
    ) -> _Answer:
        data = body.encode() if isinstance(body, str) else body
        answer = self.last = self._fetch(Request(method, url, (), dict(headers or {}), data, RetryPolicy.IDEMPOTENT))
        if answer.status == 429 or answer.status >= 500:
            # Our tries are used up; google-auth's own would multiply them.
            kind = RateLimited if answer.status == 429 else ServerError
            raise api_error(kind, answer, f"Google's token server answered HTTP {answer.status}.")
        return _Answer(answer.status, answer.headers, answer.body)


def renew(google: Any, fetch: Callable[[Request], Response]) -> None:
    """Get a new access token. Raises `Unauthenticated` (`code` such as "invalid_grant") or `NetworkError`."""
    from google.auth import exceptions

    exchange = _Exchange(fetch)
    problem: Exception
    try:
        google.refresh(exchange)
        return
    except exceptions.TransportError as error:
        problem = NetworkError(f"Google gave no token to sign for the service account: {_words(error)}")
    except exceptions.GoogleAuthError as error:
        problem = _refusal(error, exchange.last)
    except (ValueError, TypeError, KeyError, AttributeError):
        problem = InvalidResponse("What answered in place of Google's token server did not send a token.")
    raise problem


def _words(error: Exception) -> str:
    return redact(str(error.args[0] if error.args else error))


def _refusal(error: Exception, answer: Response | None) -> Exception:
    words = f"Google gave the service account no token: {_words(error)}"
    code = dict_or_empty(error.args[1] if len(error.args) > 1 else None).get("error")
    if answer is None or answer.status < 400:
        return Unauthenticated(words, status=401, message=words)
    return api_error(Unauthenticated, answer, words, code=code if isinstance(code, str) else None)


def outlives_now(google: Any) -> bool:
    """Whether the token that is there has not expired yet."""
    if not google.token:
        return False
    return google.expiry is None or datetime.now(timezone.utc).replace(tzinfo=None) < google.expiry
