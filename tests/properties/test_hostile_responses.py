"""Hostile JSON in a response is read or raises a `FirebaseError`, and no other exception.

Each operation has one valid response, which is changed at every position. HOSTILE_EXAMPLES sets the number of changes
for each operation.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import firebase_rest
from firebase_rest import ApiError, FirebaseError
from firebase_rest.auth.jwt import base64url
from properties import hostile
from properties.hostile import CONFIG, LINK, TOKEN, USER, ScriptedSession

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "30"))

RAW = ("1e999", "-1e999", "NaN", "9" * 400, "9" * 5000, "-" + "9" * 400, "1e308", "0", "-1", "1.5", "true", "null")
ATOMS = (
    *RAW,
    '""',
    '"x"',
    '"\\ud800"',
    '"\\u0000\\r\\n"',
    '"https://[::1"',
    '"' + "y" * 100_000 + '"',
    "[]",
    "{}",
    "[null]",
    "[[]]",
    "[1, 2]",
    '["a"]',
    '{"a": 1}',
    '{"": {"": []}}',
    '{"a": 1, "a": [2]}',
    '[{"localId": 5, "index": 1e400}]',
    "[" * 900 + "]" * 900,
    '{"a":' * 400 + "1" + "}" * 400,
)
"""JSON texts that replace a value."""
PAGES = (b"", b"[", b"<html>", b'{"a": "\xff"}', b"[" * 100_000, b'{"a":' * 100_000, b"\xef\xbb\xbf{}", b"{}{}")


def changes(value: Any) -> Iterator[str]:
    """The JSON texts of `value` with one position changed."""
    text = json.dumps(value)
    yield from ATOMS
    for path in positions(value):
        template = json.dumps(put(value, path, "@here@"))
        for atom in ATOMS:
            yield template.replace('"@here@"', atom)
        yield json.dumps(removed(value, path))
    yield text[: len(text) // 2]


def positions(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from positions(inner, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[path[0]] = put(copy[path[0]], path[1:], new)
    return copy


def removed(value: Any, path: tuple[Any, ...]) -> Any:
    copy = list(value) if isinstance(value, list) else dict(value)
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = removed(copy[path[0]], path[1:])
    return copy


@dataclass
class Operation:
    """A call, and the JSON of Firebase's response to each of its requests."""

    call: Callable[[firebase_rest.App], Any]
    response: Any
    headers: dict[str, str] = field(default_factory=dict)
    framed: str = "{}"
    """How the JSON is sent, with {} for it."""
    status: int = 200


ACCOUNT = {
    "localId": "u1",
    "email": "ada@example.com",
    "emailVerified": True,
    "displayName": "Ada",
    "photoUrl": "https://a/b.png",
    "phoneNumber": "+15550100",
    "disabled": False,
    "passwordHash": "aGFzaA==",
    "salt": "c2FsdA==",
    "providerUserInfo": [{"providerId": "google.com", "rawId": "g1", "email": "a@b.c", "displayName": "A"}],
    "mfaInfo": [{"mfaEnrollmentId": "f1", "phoneInfo": "+1555", "displayName": "x", "enrolledAt": "2026-01-01"}],
    "customAttributes": '{"admin": true}',
    "tenantId": "t1",
    "createdAt": "1000",
    "lastLoginAt": 2500,
    "lastRefreshAt": "2026-01-02T03:04:05.678901234Z",
    "passwordUpdatedAt": 1500.5,
    "validSince": "3",
}
SIGNED_IN = {"kind": "k", **USER, "email": "ada@example.com", "registered": True}
MFA = {
    "mfaPendingCredential": "P",
    "mfaInfo": [{"mfaEnrollmentId": "f1", "phoneInfo": "+1***0100", "displayName": "x"}],
}
CONFIRM = {
    "needConfirmation": True,
    "email": "a@b.c",
    "providerId": "google.com",
    "verifiedProvider": ["password"],
    "pendingToken": "P",
}
TOTP = {
    "totpSessionInfo": {
        "sharedSecretKey": "K",
        "sessionInfo": "S",
        "verificationCodeLength": 6,
        "periodSec": 30,
        "hashingAlgorithm": "SHA1",
        "finalizeEnrollmentTime": "2026-01-01T00:00:00Z",
    }
}
METADATA = {
    "name": "a",
    "bucket": "x.appspot.com",
    "generation": "1700000000000000",
    "metageneration": "1",
    "contentType": "text/plain",
    "timeCreated": "2026-01-01T00:00:00.000Z",
    "updated": "2026-01-01T00:00:00.000Z",
    "size": "4",
    "md5Hash": "jXd/OF09/siBXSD3SWAm3A==",
    "crc32c": "rth90Q==",
    "etag": "CAE=",
    "downloadTokens": "t1,t2",
    "metadata": {"k": "v"},
}
LISTED = {"prefixes": ["a/b/"], "items": [{"name": "a/c", "bucket": "x.appspot.com"}], "nextPageToken": "n"}
TREE = {"a": {"n": 1, "b": [1, None, "x"]}, "c": "text"}
ERROR = {"error": {"code": 400, "message": "EMAIL_EXISTS", "errors": [{"reason": "x"}], "details": [{"reason": "R"}]}}


def session_of(result: Any, app: firebase_rest.App) -> Any:
    """Use a sign-in's result as programs do."""
    session = app.auth().session(result)
    return repr(session), session.user, session.uid


def live_value(app: firebase_rest.App) -> Any:
    failures: list[BaseException] = []
    with app.database().child("a").live(timeout=0.3, max_retries=0, on_error=failures.append) as live:
        value = live.value if hasattr(live, "value") else None
    for failure in failures:
        assert isinstance(failure, FirebaseError), failure
    return value


def stream_events(app: firebase_rest.App) -> Any:
    stream = app.database().child("a").stream(max_retries=0)
    received = []
    with stream:
        for event in stream:
            received.append((event, repr(event)))
            if len(received) == 1:
                break
    return received


def mfa(app: firebase_rest.App) -> Any:
    return app.auth().mfa


AUTH: dict[str, Operation] = {
    "sign in": Operation(
        lambda app: session_of(app.auth().sign_in_with_email_and_password("a@b.c", "secret"), app), SIGNED_IN
    ),
    "sign in with a second factor": Operation(lambda app: app.auth().sign_in_anonymous(), MFA),
    "sign in that needs confirmation": Operation(
        lambda app: app.auth().sign_in_with_idp("google.com", id_token="T"), CONFIRM
    ),
    "sign in with an error message": Operation(
        lambda app: app.auth().sign_in_with_idp("google.com", id_token="T"),
        {"errorMessage": "EMAIL_EXISTS", "pendingToken": "P", "nonce": "N"},
    ),
    "link with a registered number": Operation(
        lambda app: app.auth().link_with_phone_number(TOKEN, "S", "123456"),
        {"temporaryProof": "P", "phoneNumber": "+15550100"},
    ),
    "sign in by email link": Operation(
        lambda app: session_of(app.auth().sign_in_with_email_link("a@b.c", LINK), app), SIGNED_IN
    ),
    "refresh": Operation(
        lambda app: session_of(app.auth().refresh("R"), app),
        {"user_id": "u1", "id_token": TOKEN, "refresh_token": "R", "expires_in": "3600", "project_id": "1"},
    ),
    "refresh a session": Operation(
        lambda app: app.auth().session(USER).refresh(),
        {"user_id": "u1", "id_token": TOKEN, "refresh_token": "R", "expires_in": "3600"},
    ),
    "change password": Operation(lambda app: app.auth().change_password(TOKEN, "secret!"), SIGNED_IN),
    "change password of a session": Operation(
        lambda app: app.auth().change_email(fresh(app.auth()), "b@b.c"), {**SIGNED_IN, "idToken": "@fresh@"}
    ),
    "account info": Operation(lambda app: app.auth().get_account_info(TOKEN), {"kind": "k", "users": [ACCOUNT]}),
    "sign-in methods": Operation(
        lambda app: app.auth().fetch_sign_in_methods("a@b.c"), {"signinMethods": ["password"], "sessionId": "S"}
    ),
    "verification code": Operation(lambda app: app.auth().send_verification_code("+1555"), {"sessionInfo": "S"}),
    "password policy": Operation(
        lambda app: app.auth().get_password_policy(), {"customStrengthOptions": {"minPasswordLength": 6}}
    ),
    "auth uri": Operation(
        lambda app: repr(app.auth().auth_uri("google.com", "https://a/")),
        {"authUri": "https://accounts.google.com/?state=S&nonce=N", "sessionId": "S"},
    ),
    "check an action code": Operation(
        lambda app: app.auth().check_action_code("CODE"),
        {
            "requestType": "VERIFY_AND_CHANGE_EMAIL",
            "email": "a@b.c",
            "newEmail": "b@b.c",
            "mfaInfo": ACCOUNT["mfaInfo"][0],  # type: ignore[index]
        },
    ),
    "reset a password": Operation(lambda app: app.auth().confirm_password_reset("CODE", "secret!"), {"email": "a@b.c"}),
    "send a mail": Operation(lambda app: app.auth().send_password_reset_email("a@b.c"), {"email": "a@b.c"}),
    "factors": Operation(lambda app: hash(mfa(app).factors(TOKEN)), {"users": [ACCOUNT]}),
    "start TOTP": Operation(lambda app: mfa(app).start_totp(TOKEN).uri("ada", "App"), TOTP),
    "enrol by phone": Operation(
        lambda app: mfa(app).send_enrollment_code(TOKEN, "+1555"), {"phoneSessionInfo": {"sessionInfo": "S"}}
    ),
    "second factor": Operation(
        lambda app: mfa(app).send_code(hostile.mfa_required()), {"phoneResponseInfo": {"sessionInfo": "S"}}
    ),
    "finish a second factor": Operation(
        lambda app: mfa(app).sign_in_with_phone(hostile.mfa_required(), "S", "1"), {"idToken": TOKEN}
    ),
    "get a user": Operation(lambda app: hash(repr(app.auth().admin.get_user("u1"))), {"users": [ACCOUNT]}),
    "get users": Operation(
        lambda app: app.auth().admin.get_users(
            ["u1"], emails=["a@b.c"], phone_numbers=["+1555"], providers=[("google.com", "g")]
        ),
        {"users": [ACCOUNT]},
    ),
    "list users": Operation(
        lambda app: [user for user, _ in zip(app.auth().admin.list_users(), range(3), strict=False)],
        {"users": [ACCOUNT], "nextPageToken": "n"},
    ),
    "create a user": Operation(
        lambda app: app.auth().admin.create_user(email="a@b.c"), {"localId": "u1", "users": [ACCOUNT]}
    ),
    "delete users": Operation(
        lambda app: app.auth().admin.delete_users(["u1", "u2"]), {"errors": [{"index": 1, "localId": "u2"}]}
    ),
    "import users": Operation(
        lambda app: app.auth().admin.import_users([firebase_rest.ImportUserRecord("u1")]),
        {"error": [{"index": 0, "message": "m"}]},
    ),
    "action link": Operation(
        lambda app: app.auth().admin.password_reset_link("a@b.c"), {"oobLink": "https://a/", "email": "a@b.c"}
    ),
    "session cookie": Operation(lambda app: app.auth().create_session_cookie(TOKEN, 300), {"sessionCookie": "C"}),
    **{
        f"error {status}": Operation(
            lambda app: app.auth().create_user_with_email_and_password("a@b.c", "secret"), ERROR, status=status
        )
        for status in (400, 401, 403, 404, 429, 500, 503, 302, 204)
    },
}
DATABASE: dict[str, Operation] = {
    "get": Operation(lambda app: _used(app.database().child("a").get()), TREE),
    "get by child": Operation(lambda app: _used(app.database().child("a").order_by_child("n").get()), TREE),
    "get by value": Operation(lambda app: _used(app.database().child("a").order_by_value().get()), TREE),
    "get by priority": Operation(
        lambda app: _used(app.database().child("a").order_by_priority().get()), {"a": {".value": 1, ".priority": 2}}
    ),
    "shallow": Operation(lambda app: _used(app.database().child("a").shallow().get()), {"a": True}),
    "etag": Operation(lambda app: app.database().child("a").get_etag(), TREE),
    "push": Operation(lambda app: app.database().child("a").push(1), {"name": "-N"}),
    "set": Operation(lambda app: app.database().child("a").set(1), 1),
    "update": Operation(lambda app: app.database().child("a").update({"b": 1}), {"b": 1}),
    "exists": Operation(lambda app: app.database().child("a").exists(), TREE),
    "conditional set": Operation(lambda app: app.database().child("a").conditional_set(1, "e"), 1, status=412),
    "transaction": Operation(lambda app: app.database().child("a").transaction(lambda value: value), TREE),
    "stream": Operation(stream_events, {"path": "/a", "data": TREE}, framed="event: put\ndata: {}\n\n"),
    "patch event": Operation(stream_events, {"path": "/", "data": {"a/b": 1}}, framed="event: patch\ndata: {}\n\n"),
    "live": Operation(live_value, {"path": "/", "data": TREE}, framed="event: put\ndata: {}\n\n"),
    "cancel event": Operation(stream_events, "Permission denied", framed="event: cancel\ndata: {}\n\n"),
    **{
        f"database error {status}": Operation(
            lambda app: app.database().child("a").get(), {"error": "Permission denied"}, status=status
        )
        for status in (400, 401, 402, 403, 404, 412, 500, 503)
    },
}
STORAGE: dict[str, Operation] = {
    "metadata": Operation(lambda app: app.storage().child("a").get_metadata(), METADATA),
    "update metadata": Operation(
        lambda app: app.storage().child("a").update_metadata({"contentType": "a/b"}), METADATA
    ),
    "put": Operation(lambda app: app.storage().child("a").put(b"data"), METADATA),
    "upload": Operation(
        lambda app: app.storage().child("a").upload(b"data").run(),
        METADATA,
        {
            "X-Goog-Upload-URL": "https://firebasestorage.googleapis.com/v0/b/x.appspot.com/o?upload_id=U",
            "X-Goog-Upload-Status": "final",
            "X-Goog-Upload-Chunk-Granularity": "262144",
        },
    ),
    "download URL": Operation(lambda app: app.storage().child("a").get_download_url(), METADATA),
    "download token": Operation(lambda app: app.storage().child("a").create_download_token(), METADATA),
    "list page": Operation(lambda app: app.storage().list_page(), LISTED),
    "list": Operation(lambda app: [item for item, _ in zip(app.storage().list(), range(5), strict=False)], LISTED),
    "list files": Operation(
        lambda app: [item for item, _ in zip(app.storage().list_files(), range(5), strict=False)], LISTED
    ),
    "delete all": Operation(lambda app: app.storage().child("a").delete_all(confirm="a", workers=1), LISTED),
    "bytes": Operation(lambda app: app.storage().child("a").get_bytes(max_size=1000), METADATA),
    **{
        f"storage error {status}": Operation(
            lambda app: app.storage().child("a").get_metadata(),
            {"error": {"code": status, "message": "Permission denied."}},
            status=status,
        )
        for status in (400, 401, 403, 404, 412, 500)
    },
}
OPERATIONS = {"auth": AUTH, "database": DATABASE, "storage": STORAGE}


def fresh(auth: firebase_rest.Auth) -> firebase_rest.UserSession:
    """A session whose token lasts."""
    return auth.session({**USER, "idToken": lasting_token()})


def lasting_token() -> str:
    import time

    now = int(time.time())
    claims = {"sub": "u1", "iat": now, "exp": now + 3600}
    return f"{base64url(b'{}')}.{base64url(json.dumps(claims).encode())}."


def _used(snapshot: firebase_rest.Snapshot) -> Any:
    value = snapshot.val()
    return value, [(item.key(), item.val()) for item in snapshot.each() or []], repr(snapshot)


def session_for(operation: Operation, body: bytes) -> ScriptedSession:
    kind = {} if operation.framed == "{}" else {"Content-Type": "text/event-stream"}
    return ScriptedSession(body, operation.status, {**operation.headers, **kind})


def problem_with(operation: Operation, body: bytes) -> str:
    """Run an operation with a response body; return a description of the fault, or an empty string."""
    session = session_for(operation, body)
    with firebase_rest.initialize_app(CONFIG, session=session, retries=0, deadline=3) as app:
        try:
            repr(operation.call(app))
        except FirebaseError as error:
            repr(error)
            # The arguments of an ApiError end with the body, which pyrebase programs parse.
            return "" if isinstance(error, ApiError) else hostile.one_helpful_sentence(error)
        except Exception as error:  # noqa: BLE001 - the test looks for unexpected exceptions
            return hostile.location_of(error)
    return ""


CASES = [(service, name) for service, operations in OPERATIONS.items() for name in operations]
READ = [(service, name) for service, name in CASES if OPERATIONS[service][name].status == 200]


@pytest.fixture(autouse=True)
def emulated_auth(monkeypatch: pytest.MonkeyPatch) -> None:
    """User management without a service account."""
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9")


@pytest.mark.parametrize(("service", "name"), CASES)
def test_hostile_responses_raise_firebase_errors(service: str, name: str) -> None:
    operation = OPERATIONS[service][name]
    bodies = [operation.framed.replace("{}", text, 1).encode() for text in changes(operation.response)]

    @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from([*bodies, *PAGES]))
    def check(body: bytes) -> None:
        assert not problem_with(operation, body), body[:200]

    check()


@pytest.mark.parametrize(("service", "name"), READ)
def test_valid_responses_are_read(service: str, name: str) -> None:
    operation = OPERATIONS[service][name]
    body = operation.framed.replace("{}", json.dumps(operation.response), 1).encode()
    session = session_for(operation, body)
    with firebase_rest.initialize_app(CONFIG, session=session, retries=0, deadline=3) as app:
        if name in RAISES:
            with pytest.raises(RAISES[name]):
                operation.call(app)
        else:
            operation.call(app)


RAISES: dict[str, type[FirebaseError]] = {
    "sign in with a second factor": firebase_rest.MfaRequired,
    "sign in that needs confirmation": firebase_rest.AccountExistsWithDifferentCredential,
    "sign in with an error message": firebase_rest.EmailExists,
    "link with a registered number": firebase_rest.PhoneNumberExists,
    "cancel event": firebase_rest.PermissionDenied,
    "list": firebase_rest.InvalidResponse,
    "list files": firebase_rest.InvalidResponse,
    "delete all": firebase_rest.InvalidResponse,
}
"""Valid responses that are errors; of a list, because the same page is named as the next one twice."""
