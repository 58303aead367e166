"""Service accounts through google-auth: load an account, refresh its access token, sign with Google IAM.

google-auth is imported at first use. It signs and parses, but sends nothing, because its transport for requests closes
the session, retries, and has no deadline.
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

from firebase_rest.errors import ConfigError, InvalidResponse, NetworkError, Unauthenticated
from firebase_rest.transport.failure import api_error, class_of_status
from firebase_rest.transport.json_fields import dict_or_empty, parse_object
from firebase_rest.transport.redaction import redact
from firebase_rest.transport.settings import malformed_path
from firebase_rest.transport.wire import Flow, Request, Response, RetryPolicy

SCOPES = (
    "https://www.googleapis.com/auth/firebase.database",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/cloud-platform",
)
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - not a secret

_ACCEPTED = 'the path of its key file, the file\'s content as a dict, google-auth credentials, or "adc"'
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
        _validate_path(path, setting)
        return _from_info(_read_key_file(path), f"The service account file {path!r}")
    return _add_scopes(source, setting)


def _validate_path(text: str, setting: str) -> None:
    description = malformed_path(text)
    if description is None:
        return
    hint = " (pass json.loads(text))" if description.startswith("JSON text") else ""
    raise ConfigError(f"The service account in {setting} must be {_ACCEPTED}, got {description}{hint}.")


def _read_key_file(path: str) -> Mapping[str, Any]:
    try:
        info = parse_object(Path(path).read_bytes())
    except OSError as error:  # raised again with its own class, which programs catch
        error.strerror = f"{error.strerror} (the service account's key file, as configured)"
        raise
    if info:
        return info
    raise ConfigError(f"The service account file {path!r} is not JSON; {_NEW_KEY}.")


def _from_info(info: Mapping[str, Any], origin: str) -> Any:
    from google.oauth2 import service_account

    present = {name: value for name, value in info.items() if value is not None and value != ""}
    key: object = present.get("private_key")
    # Values from environment files contain a backslash and n in place of each line break.
    pem = re.sub(r"\\+[rn]", "\n", key).strip().strip("\"'") if isinstance(key, str) else key
    complete = {"token_uri": TOKEN_URI, **present, "private_key": pem}
    problem = _info_problem(complete)
    if problem is None:
        try:
            return service_account.Credentials.from_service_account_info(complete, scopes=SCOPES)  # type: ignore[no-untyped-call]
        except (ValueError, KeyError, TypeError, AttributeError):
            problem = "'private_key' is not a valid private key"
    raise ConfigError(f"{origin} cannot be used: {problem}; {_NEW_KEY}.")


def _info_problem(info: Mapping[str, Any]) -> str | None:
    """Return a description of what is wrong with the content of a key file, without its values, or None."""
    if info.get("type", "service_account") != "service_account":
        return "'type' is not 'service_account' (for other credentials, pass \"adc\")"
    for name in ("private_key", "client_email", "token_uri"):
        value = info.get(name)
        if not isinstance(value, str) or not value:
            return f"'{name}' is missing" if not value else f"'{name}' is {type(value).__name__}, not a string"
    if not info["token_uri"].startswith(("https://", "http://")):
        return "'token_uri' is not a URL"
    if info.get("universe_domain", "googleapis.com") != "googleapis.com":  # google-cloud-storage would quote the value
        return "'universe_domain' is not 'googleapis.com', and Firebase has no other"
    pem: str = info["private_key"]
    if "PUBLIC KEY" in pem or "CERTIFICATE" in pem:
        return "'private_key' is a public key or a certificate"
    if "-----BEGIN" not in pem:
        return "'private_key' is not the PEM text of a private key"
    if "-----END" not in pem:
        return "'private_key' is truncated (its last line is missing)"
    return None if "\n" in pem else "'private_key' has no line breaks (they were replaced or removed)"


def _default_credentials() -> Any:
    import google.auth as google_auth
    from google.auth import exceptions

    name = "GOOGLE_APPLICATION_CREDENTIALS"
    description = malformed_path(os.environ.get(name) or ".")
    if description is not None:
        raise ConfigError(f"{name} must be the path of a service account's key file, got {description}.")
    try:
        return cast(Any, google_auth).default(scopes=SCOPES)[0]  # not fully typed
    except (exceptions.DefaultCredentialsError, ValueError, KeyError, TypeError, AttributeError, OSError):
        pass
    problem = "no application default credentials were found"
    if os.environ.get(name):
        problem = f"the file that {name} names is missing or is not a key file"
    raise ConfigError(f'credentials="adc": {problem}; set {name} to the path of a service account\'s key file.')


def _add_scopes(source: object, setting: str) -> Any:
    from google.auth import credentials

    if not isinstance(source, credentials.Credentials):
        raise ConfigError(f"The service account in {setting} must be {_ACCEPTED}, got {type(source).__name__}.")
    return cast(Any, credentials).with_scopes_if_required(source, SCOPES)


# --- refreshing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _GoogleResponse:
    """The response type that google-auth expects."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class _GoogleTransport:
    """A google-auth transport that sends requests with `fetch`, and stores the last response."""

    def __init__(self, fetch: Callable[[Request], Response]) -> None:
        self._fetch = fetch
        self.last_response: Response | None = None

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_ignored: object,  # a timeout; the timeout of the App applies instead
    ) -> _GoogleResponse:
        data = body.encode() if isinstance(body, str) else body
        response = self._fetch(Request(method, url, (), dict(headers or {}), data, RetryPolicy.IDEMPOTENT))
        self.last_response = response
        if response.status == 429 or response.status >= 500:
            # Raised here, because google-auth would retry although `fetch` has already retried.
            message = f"Google's token server responded with HTTP {response.status}."
            raise api_error(class_of_status(response.status), response, message)
        return _GoogleResponse(response.status, response.headers, response.body)


def refresh(credentials: Any, fetch: Callable[[Request], Response]) -> None:
    """Get a new access token. Raises `Unauthenticated` (`code` such as "invalid_grant") or `NetworkError`."""
    from google.auth import exceptions

    transport = _GoogleTransport(fetch)
    problem: Exception
    try:
        credentials.refresh(transport)
        return
    except exceptions.TransportError as error:
        problem = NetworkError(f"The service account's access token could not be refreshed: {_text(error)}")
    except exceptions.GoogleAuthError as error:
        problem = _refresh_error(error, transport.last_response)
    except (ValueError, TypeError, KeyError, AttributeError):
        problem = InvalidResponse("Invalid response of Google's token server: the access token is missing.")
    raise problem


def _text(error: Exception) -> str:
    return redact(str(error.args[0] if error.args else error))


def _refresh_error(error: Exception, response: Response | None) -> Exception:
    message = f"Google issued no access token for the service account: {_text(error)}"
    code = dict_or_empty(error.args[1] if len(error.args) > 1 else None).get("error")
    if response is None or response.status < 400:
        return Unauthenticated(message, status=401, message=message)
    return api_error(Unauthenticated, response, message, code=code if isinstance(code, str) else None)


def is_unexpired(credentials: Any) -> bool:
    """Return whether google-auth credentials have an access token that has not expired."""
    if not credentials.token:
        return False
    return credentials.expiry is None or datetime.now(timezone.utc).replace(tzinfo=None) < credentials.expiry


# --- signing without a private key -----------------------------------------------------------------------------------

SIGN_BLOB = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:signBlob"
METADATA = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/email"


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


def metadata_server_email() -> Flow[str]:
    """Return the address of the machine's service account, from Google's metadata server."""
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
    message = str(error.get("message") or f"Google responded with HTTP {response.status}.")
    code = error.get("status")
    text = code if isinstance(code, str) else None
    raise api_error(class_of_status(response.status), response, message, code=text, details=error or None)
