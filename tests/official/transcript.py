"""Run a scenario against an Auth emulator over HTTP and record its responses in a comparable form.

Random values (user ids, tokens, codes, times, addresses) are replaced by their kind: the
first user id becomes "uid 1", a time that is now becomes "now, ms", an ID token its header, claims and signature.
"""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

import requests

from official.recording import Recording

PROJECT = "demo-project"
OWNER = {"Authorization": "Bearer owner"}
IDENTITY = "/identitytoolkit.googleapis.com/v1/"
SETTINGS = f"/identitytoolkit.googleapis.com/v2/projects/{PROJECT}"
CUSTOM_TOKEN_AUDIENCE = "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit"

# The format of a time: its unit, and number, string of digits or RFC 3339.
_TIMES = {
    "createdAt": "string of ms",
    "lastLoginAt": "string of ms",
    "passwordUpdatedAt": "ms",
    "validSince": "string of s",
    "lastRefreshAt": "RFC 3339",
    "enrolledAt": "RFC 3339",
    "iat": "s",
    "exp": "s",
    "auth_time": "s",
}
_TOKENS = {"idToken", "id_token", "access_token", "sessionCookie"}
_NEAR = {"now": 0, "in an hour": 3600, "in two weeks": 14 * 24 * 3600}
_CHANCE_ID = 28  # characters of an id that the emulator chose
_IDS = {"localId": "uid", "user_id": "uid", "sub": "uid", "tenantId": "tenant", "mfaEnrollmentId": "factor"}
_RANDOM = {
    "salt", "sessionId", "oobCode", "refreshToken", "refresh_token", "passwordHash", "sessionInfo", "temporaryProof",
    "mfaPendingCredential", "mfaEnrollmentId", "second_factor_identifier",
}  # fmt: skip


def base64url(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def jwt(claims: dict[str, Any], *, algorithm: str = "none", signature: bytes = b"") -> str:
    header = {"alg": algorithm, "typ": "JWT", **({"kid": "k1"} if algorithm != "none" else {})}
    return f"{base64url(header)}.{base64url(claims)}.{base64url(signature) if signature else ''}"


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


class Transcript(Recording):
    """One emulator's run of a scenario: sends the requests and records the responses.

    `calls` are the methods and paths of all requests.
    """

    def __init__(self, host: str) -> None:
        super().__init__()
        self.host = host
        self.calls: set[tuple[str, str]] = set()
        self._ids: dict[str, str] = {}
        self._session = requests.Session()
        self._session.trust_env = False

    # --- calls ---

    def call(self, verb: str, path: str, **options: Any) -> Any:
        """Send a request, record the response and return its JSON."""
        response = self._session.request(
            verb, f"http://{self.host}{path}", timeout=20, allow_redirects=False, **options
        )
        self.calls.add((verb, path))
        headers = {name: response.headers.get(name) for name in ("content-type", "allow", "location")}
        is_json = response.headers.get("content-type", "").startswith("application/json")
        body = response.json() if is_json else response.text
        self._into.append([verb, self._named(path), response.status_code, self._plain(headers), self._plain(body)])
        return body

    def post(self, operation: str, /, **fields: Any) -> Any:
        """Send a user's request to `accounts:OPERATION`."""
        return self.call("POST", f"{IDENTITY}accounts:{operation}?key=any", json=fields)

    def admin(self, operation: str, verb: str = "POST", project: str = PROJECT, **fields: Any) -> Any:
        """Send an administrator's request to `projects/P` + OPERATION ("/accounts:update",
        ":createSessionCookie")."""
        options = {"params": fields} if verb == "GET" else {"json": fields}
        return self.call(verb, f"{IDENTITY}projects/{project}{operation}", headers=OWNER, **options)

    def refresh(self, token: str) -> Any:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return self.call("POST", "/securetoken.googleapis.com/v1/token?key=any", data=form)

    def emulator(self, verb: str, path: str, project: str = PROJECT, **options: Any) -> Any:
        """Send a request to the emulator's own API, such as `oobCodes`."""
        return self.call(verb, f"/emulator/v1/projects/{project}/{path}", **options)

    def code(self) -> Any:
        """Return the last email."""
        return self.emulator("GET", "oobCodes")["oobCodes"][-1]

    def sms(self) -> Any:
        """Return the last text message. The transcript omits `code`."""
        path = f"/emulator/v1/projects/{PROJECT}/verificationCodes"
        messages = self._session.get(f"http://{self.host}{path}", timeout=20).json()["verificationCodes"]
        self._into.append([path, self._plain({**messages[-1], "code": len(messages[-1]["code"])})])
        return messages[-1]

    def second_factor(self, operation: str, /, **fields: Any) -> Any:
        """Send a user's request to v2 `accounts/OPERATION` ("mfaEnrollment:start")."""
        return self.call("POST", f"/identitytoolkit.googleapis.com/v2/accounts/{operation}?key=any", json=fields)

    def set_email_privacy(self, on: bool) -> Any:
        config = {"emailPrivacyConfig": {"enableImprovedEmailPrivacy": on}}
        return self.emulator("PATCH", "config", json=config)

    def begin(self) -> None:
        """Delete the accounts of earlier scenarios."""
        for mail in self.emulator("GET", "oobCodes")["oobCodes"]:
            self._use_up(mail)
        for message in self.emulator("GET", "verificationCodes")["verificationCodes"]:
            self.post("signInWithPhoneNumber", sessionInfo=message["sessionInfo"], code=message["code"])
        for project in (PROJECT, "other-project"):
            self.emulator("DELETE", "accounts", project)
        self.call("PATCH", f"{SETTINGS}/config", headers=OWNER, json={})
        for tenant in self.call("GET", f"{SETTINGS}/tenants?pageSize=1000", headers=OWNER)["tenants"]:
            self.call("DELETE", f"{SETTINGS}/tenants/{tenant['tenantId']}", headers=OWNER)
        self.responses.clear()
        self.calls.clear()
        self._ids.clear()

    def _use_up(self, mail: dict[str, Any]) -> None:
        kind, code = mail["requestType"], mail["oobCode"]
        if kind == "PASSWORD_RESET":
            self.post("resetPassword", oobCode=code, newPassword="secret1")
        elif kind == "EMAIL_SIGNIN":
            self.post("signInWithEmailLink", email=mail["email"], oobCode=code)
        else:
            self.post("update", oobCode=code)

    def close(self) -> None:
        self._session.close()

    # --- random values ---

    def _plain(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._plain(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self._plain(item, key) for item in value]
        if key in _TIMES and value is not None:
            return _when(value, key)
        if not isinstance(value, str):
            return value
        if key in _IDS and len(value) == _CHANCE_ID and value not in self._ids:
            self._ids[value] = f"{_IDS[key]} {len(self._ids) + 1}"
        if key in _TOKENS:
            header, _, signature = value.split(".")
            return [json.loads(base64.urlsafe_b64decode(header + "==")), self._plain(claims_of(value)), signature]
        if key == "passwordHash":
            return value.split(":")[0]
        if key in _RANDOM:
            return f"<{key}>"
        value = re.sub(r"oobCode=[\w-]+", "oobCode=<oobCode>", value.replace(self.host, "HOST"))
        return self._named(value)

    def _named(self, text: str) -> str:
        """Random ids -> their names, in the order of first occurrence."""
        for chosen, name in self._ids.items():
            text = text.replace(chosen, name)
        return text


def _when(value: Any, key: str) -> str:
    """Describe a time: its format, and "now", "in an hour" or its age."""
    kind = _TIMES[key]
    if kind == "RFC 3339":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value), value
        return kind
    assert isinstance(value, str if kind.startswith("string") else int), (key, value)
    seconds = int(value) / (1000 if kind.endswith("ms") else 1) - time.time()
    near = next((name for name, at in _NEAR.items() if abs(seconds - at) < 30), None)
    return f"{near or value}, {kind}"
