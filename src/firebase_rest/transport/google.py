"""google-auth, and nothing else: loading a service account, and renewing its access token over our own transport.

The law of this file: google-auth is imported inside functions, signs and understands; it sends nothing itself. (Its own
requests transport closes the session it was given, retries by itself, and knows no deadline.)
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from firebase_rest.errors import (
    ApiError,
    ConfigError,
    InvalidResponse,
    NetworkError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    Unauthenticated,
)
from firebase_rest.transport._json import dict_or_empty, parse_object
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.redact import redact
from firebase_rest.transport.settings import malformed_path
from firebase_rest.transport.wire import Flow, Request, Response, RetryPolicy

SCOPES = (
    "https://www.googleapis.com/auth/firebase.database",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/cloud-platform",
)
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, no secret

_ASK_FOR = 'the path of its key file, the file\'s content as a dict, google-auth credentials, or "adc"'
_NEW_KEY = "download a new key file in the Firebase console (project settings, service accounts)"


# --- loading ---------------------------------------------------------------------------------------------------------


def load(source: object, setting: str) -> Any:
    """Return google-auth credentials. Raises `ConfigError`, and OSError if the key file cannot be read."""
    if isinstance(source, str) and source == "adc":
        return _default_credentials()
    if isinstance(source, Mapping):
        return _from_info(cast(Mapping[str, Any], source), f"The service account in {setting}")
    if isinstance(source, (str, os.PathLike)):
        path = os.fsdecode(cast("str | os.PathLike[str]", source))
        _refuse_unless_path(path, setting)
        return _from_info(_read(path), f"The service account file {path!r}")
    return _scoped(source, setting)


def _refuse_unless_path(text: str, setting: str) -> None:
    kind = malformed_path(text)
    if kind is None:
        return
    hint = " (pass json.loads(text))" if kind.startswith("JSON text") else ""
    raise ConfigError(f"The service account in {setting} must be {_ASK_FOR}, got {kind}{hint}.")


def _read(path: str) -> Mapping[str, Any]:
    try:
        info = parse_object(Path(path).read_bytes())
    except OSError as error:  # its kind stays, which programs catch; its words name the setting
        error.strerror = f"{error.strerror} (the service account's key file, as configured)"
        raise
    if info:
        return info
    raise ConfigError(f"The service account file {path!r} is not JSON; {_NEW_KEY}.")


def _from_info(info: Mapping[str, Any], where: str) -> Any:
    from google.oauth2 import service_account

    complete = {"token_uri": TOKEN_URI, **info, "private_key": _private_key(info, where)}
    try:
        return service_account.Credentials.from_service_account_info(complete, scopes=SCOPES)  # type: ignore[no-untyped-call]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        text = str(error.args[0] if error.args else error)
    # google-auth names a missing field; of a key that cannot be parsed it quotes OpenSSL.
    problem = redact(text) if "missing fields" in text else "its 'private_key' is not a valid private key"
    raise ConfigError(f"{where} cannot be used: {problem}; {_NEW_KEY}.")


def _private_key(info: Mapping[str, Any], where: str) -> str:
    """Return the PEM text of the private key, with line breaks in place of a literal backslash and n."""
    key: object = info.get("private_key")
    problem: str | None
    if not isinstance(key, str):
        problem = "missing" if key is None else f"{type(key).__name__}, not a string"
    else:
        pem = re.sub(r"\\+[rn]", "\n", key).strip().strip("\"'")
        problem = _pem_problem(pem)
        if problem is None:
            return pem
    raise ConfigError(f"{where} cannot be used: its 'private_key' is {problem}; {_NEW_KEY}.")


def _pem_problem(pem: str) -> str | None:
    if "PUBLIC KEY" in pem or "CERTIFICATE" in pem:
        return "a public key or a certificate"
    if "-----BEGIN" not in pem:
        return "not the PEM text of a private key"
    if "-----END" not in pem:
        return "truncated (its last line is missing)"
    if "\n" not in pem:
        return "without line breaks (they were replaced or removed)"
    return None


def _default_credentials() -> Any:
    import google.auth as google_auth
    from google.auth import exceptions

    name = "GOOGLE_APPLICATION_CREDENTIALS"
    kind = malformed_path(os.environ.get(name) or ".")
    if kind is not None:
        raise ConfigError(f"{name} must be the path of a service account's key file, got {kind}.")
    try:
        return cast(Any, google_auth).default(scopes=SCOPES)[0]  # not typed to the last argument
    except (exceptions.DefaultCredentialsError, ValueError, KeyError, TypeError, AttributeError, OSError):
        pass
    problem = "no application default credentials were found"
    if os.environ.get(name):
        problem = f"the file that {name} names is missing or is not a key file"
    raise ConfigError(f'credentials="adc": {problem}; set {name} to the path of a service account\'s key file.')


def _scoped(source: object, setting: str) -> Any:
    from google.auth import credentials

    if not isinstance(source, credentials.Credentials):
        raise ConfigError(f"The service account in {setting} must be {_ASK_FOR}, got {type(source).__name__}.")
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


# --- signing without a private key -----------------------------------------------------------------------------------

SIGN_BLOB = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:signBlob"
METADATA = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/email"
_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotFound,
    429: RateLimited,
}


def sign_blob(email: str, message: bytes) -> Flow[bytes]:
    """Return Google's RS256 signature of `message` by the service account `email`.

    https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob
    """
    body = json.dumps({"payload": base64.b64encode(message).decode()}).encode()
    url, headers = SIGN_BLOB.format(quote(email, safe="@")), {"Content-Type": "application/json"}
    response = yield Request("POST", url, (), headers, body, RetryPolicy.IDEMPOTENT, reauth_on_401=True)
    blob = _check(response).json_object().get("signedBlob")
    try:
        if isinstance(blob, str) and blob:
            return base64.b64decode(blob, validate=True)
    except ValueError:
        pass
    raise InvalidResponse("Invalid IAM signBlob response: 'signedBlob' is missing.")


def own_email() -> Flow[str]:
    """Return the address of the service account of this machine, which Google's metadata server knows."""
    headers = {"Metadata-Flavor": "Google"}
    response = _check((yield Request("GET", METADATA, headers=headers, retry_policy=RetryPolicy.IDEMPOTENT)))
    email = response.text.strip()
    if "@" in email and email.isascii() and not email.startswith("<"):
        return email
    raise InvalidResponse("Invalid response of Google's metadata server: the service account's address is missing.")


def _check(response: Response) -> Response:
    if 200 <= response.status < 300:
        return response
    error = dict_or_empty(parse_object(response.body).get("error"))
    kind = ServerError if response.status >= 500 else _BY_STATUS.get(response.status, ApiError)
    message = str(error.get("message") or f"Google responded with HTTP {response.status}.")
    code = error.get("status")
    raise api_error(kind, response, message, code=code if isinstance(code, str) else None, details=error or None)
