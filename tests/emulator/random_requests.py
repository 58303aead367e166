"""Random requests to all services: mostly close to valid ones, because those get past the first checks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

from firebase_rest.emulator.auth.bodies import BoolField, ListField, ObjectField, StringField
from firebase_rest.emulator.auth.routes import ROUTES

if TYPE_CHECKING:
    import random

SCALARS = [
    None, True, False, 0, -1, 1, 2**63, -(2**70), 10**400, 0.5, 1e308, -0.0, "", "a", "x" * 2000, "é😀", "\udfff",
    "\x00",
    "ada@example.com", "A@B", "+15550100", "secret1", "google.com", "oidc.x", "saml.x", "http://localhost/x",
    "http://[",
    "javascript:x", "../..", "%2e%2e", "%", "a/b", "a#b", ".value", ".priority", ".sv", "-1", "007", "9" * 5000, "NaN",
]  # fmt: skip
KEYS = [
    "a",
    "b",
    "0",
    "1",
    ".value",
    ".priority",
    ".sv",
    ".info",
    "$",
    "#",
    "",
    "a/b",
    "/",
    "x" * 800,
    "increment",
    "é",
]
NAMES = ["a", "a b", "a/b", "é", "..", "%25", "a%2Fb", "%", "x" * 1100, "a?b", "_", "", "a\\b", "%00", "%ff", "a//b"]
IDENTIFIERS = ["demo-test", "other", "%2e", "x" * 200, "a b", "é", ""]
VERBS = ["GET", "GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "X"]
TOKENS = [
    "owner", "", "x", "a.b.c", "ya29.x", "Bearer owner", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.", "e30.e30.",
    "W10.W10.", "é",
    "eyJhbGciOiJub25lIn0.eyJpYXQiOjFlOTk5LCJleHAiOi0xZTk5OX0.",
]  # fmt: skip
DATABASE_PARAMETERS = [
    "orderBy", "startAt", "startAfter", "endAt", "endBefore", "equalTo", "limitToFirst", "limitToLast", "shallow",
    "print",
    "format", "callback", "download", "timeout", "writeSizeLimit", "auth", "access_token", "auth_variable_override",
    "ns",
    "x-http-method-override", "sse", "dryRun", "disableTriggers", "",
]  # fmt: skip
DATABASE_VALUES = [
    '"$key"', '"$value"', '"$priority"', '"a"', '"a/b"', '"', "1", "-1", "1e999", "true", "null", "{}", "[", "",
    "pretty",
    "silent", "export", "1s", "0ms", "16min", "tiny", "unlimited", "huge", "PUT", "PATCH", "\x00", "é", "9" * 400,
    '{"uid":"a"}', '{"uid":[]}', "demo-test", "a/b", "$", "x" * 200,
]  # fmt: skip
DATABASE_PATHS = [
    "/{}.json", "/{}/{}.json", "/.json", "/.settings/rules.json", "/.settings/rulesets.json",
    "/.settings/ruleset_labels.json",
    "/.settings/{}.json", "/.settings/defaultWriteSizeLimit.json", "/.inspect/databases.json", "/.inspect/coverage",
    "/.info.json",
    "/{}/.priority.json", "/{}", "/", "//.json", "/%.json", "/%C3%28.json", "/emulators", "/.ws",
]  # fmt: skip
STORAGE_PATHS = [
    "/v0/b/{b}/o", "/v0/b/{b}/o/{n}", "/v0/b/{b}", "/v0/b", "/storage/v1/b/{b}/o", "/storage/v1/b/{b}/o/{n}",
    "/storage/v1/b/{b}",
    "/storage/v1/b", "/upload/storage/v1/b/{b}/o", "/upload/storage/v1/b/{b}/o/{n}", "/download/storage/v1/b/{b}/o/{n}",
    "/resumable/upload/storage/v1/b/{b}/o", "/b/{b}/o", "/b/{b}/o/{n}", "/b/{b}/o/{n}/copyTo/b/{b}/o/{n}",
    "/storage/v1/b/{b}/o/{n}/rewriteTo/b/{b}/o/{n}", "/storage/v1/b/{b}/o/{n}/compose", "/storage/v1/b/{b}/o/{n}/acl",
    "/storage/v1/b/{b}/o/{n}/acl/{n}", "/{b}/{n}", "/internal/setRules", "/internal/reset", "/internal/{n}",
    "/batch/storage/v1",
]  # fmt: skip
STORAGE_PARAMETERS = {
    "name": NAMES, "uploadType": ["media", "multipart", "resumable", "x"], "upload_id": ["x", ""], "alt": ["media",
    "json"],
    "prefix": NAMES, "delimiter": ["/", "", "x"], "maxResults": ["1", "0", "-1", "x", "9" * 30], "pageToken": ["a",
    "%", "x" * 99],
    "token": ["x", ""], "generation": ["1", "x", "-1", "9" * 40], "ifGenerationMatch": ["0", "1", "x", "9" * 40],
    "ifMetagenerationMatch": ["1", "x"], "fields": ["items(name)", "x(", "*"], "projection": ["full", "x"],
    "X-Goog-Signature": ["x"], "X-Goog-Expires": ["1", "x"], "X-Goog-Date": ["20200101T000000Z", "x"],
    "Expires": ["1", "x"],
    "startOffset": NAMES, "endOffset": NAMES, "upload_protocol": ["resumable", "multipart"],
    "predefinedAcl": ["publicRead", "x"],
    "includeTrailingDelimiter": ["true"], "versions": ["true"], "matchGlob": ["*"], "userProject": ["x"],
}  # fmt: skip
STORAGE_HEADERS = {
    "x-goog-upload-protocol": ["resumable", "multipart", "raw", "x"],
    "x-goog-upload-command": ["start", "upload", "upload, finalize", "finalize", "query", "cancel", "x",
    "start, finalize"],
    "x-goog-upload-offset": ["0", "1", "-1", "x", "9" * 30],
    "x-goog-upload-header-content-length": ["0", "10", "x", "-5"],
    "content-range": ["bytes 0-4/5", "bytes */*", "bytes 0-*/*", "bytes 5-4/3", "x", "bytes */5",
    "bytes 0-9999999999999/*"],
    "range": ["bytes=0-1", "bytes=-1", "bytes=5-", "bytes=x", "bytes=9-1", "bytes=0-0,2-3", "bytes=" + "9" * 30 + "-"],
    "content-type": ["multipart/related; boundary=b", "multipart/related", "application/json", "text/plain; x=\x01",
    "é/é"],
    "content-md5": ["x", "1B2M2Y8AsgTpgAmY7PhCfg=="],
    "x-goog-hash": ["crc32c=AAAAAA==", "md5=x", "x"],
    "if-match": ["x"], "if-none-match": ["*"], "content-encoding": ["gzip", "x"], "x-upload-content-length": ["5", "x"],
}  # fmt: skip
MULTIPART = (
    b'--b\r\ncontent-type: application/json\r\n\r\n{"name": "a"}\r\n--b\r\ncontent-type: a/b\r\n\r\ndata\r\n--b--\r\n'
)


class RandomRequest(NamedTuple):
    """A request as it is sent: `target` is the path with the query, `headers` and `body` are bytes or Latin-1 text."""

    verb: str
    target: str
    headers: dict[str, str]
    body: bytes


def random_request(rng: random.Random, console_token: str) -> RandomRequest:
    """Return the next request. `console_token` is the token of the console's page."""
    make = rng.choice([_auth_request, _database_request, _storage_request] * 3 + [_console_request])
    verb, path, params, headers, body = make(rng)
    if make is _console_request and rng.random() < 0.9:
        headers["x-console-token"] = console_token
    if rng.random() < 0.05:
        verb = rng.choice(VERBS)
    if rng.random() < 0.05:
        headers["host"] = rng.choice(["localhost", "[", "a:b", "x.firebaseio.com", "evil.example", "x.localhost:1", ""])
    if rng.random() < 0.1:
        headers["origin"] = rng.choice(["http://localhost", "https://evil.example", "null", "["])
    if rng.random() < 0.3:
        scheme = rng.choice(["Bearer ", "Firebase ", "bearer ", "", "Basic "])
        headers["authorization"] = scheme + rng.choice(TOKENS)
    query = urlencode(params, errors="replace") if rng.random() < 0.9 else "&=%&a=%zz&" + "a=1&" * rng.randrange(50)
    target = path + (f"?{query}" if query else "")
    safe = {name: _header(value) for name, value in headers.items()}
    return RandomRequest(verb, quote(target, safe="/?&=%:;,+.~!*'()$@#[]\\"), safe, body)


def _header(value: str) -> str:
    return (
        "".join(character for character in value if character not in "\r\n\x00")
        .encode("utf-8", "replace")
        .decode("latin-1")
    )


def random_value(rng: random.Random, depth: int = 0):
    """Return a JSON value, often one that is special for the database."""
    if depth > 4 or rng.random() < 0.5:
        return rng.choice(SCALARS)
    if rng.random() < 0.3:
        return [random_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(KEYS): random_value(rng, depth + 1) for _ in range(rng.randrange(5))}


def _text(rng: random.Random, value) -> bytes:
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    if rng.random() < 0.15:
        cut = rng.randrange(len(text) + 1)
        text = text[:cut] + rng.choice([b"", b"}", b"\x00", b"[" * 3000, b"1e999", b"NaN", b"\xff"]) + text[cut + 1 :]
    return text if rng.random() < 0.97 else rng.randbytes(rng.randrange(60))


def _auth_value(rng: random.Random, kind, depth: int = 0):
    if rng.random() < 0.1 or depth > 3:
        return rng.choice(SCALARS)
    if isinstance(kind, StringField):
        return (
            rng.choice([*kind.one_of])
            if kind.one_of
            else rng.choice(["1", "300", "8"])
            if kind.integer
            else rng.choice([value for value in SCALARS if isinstance(value, str)])
        )
    if isinstance(kind, BoolField):
        return rng.random() < 0.5
    if isinstance(kind, ListField):
        return [_auth_value(rng, kind.item, depth + 1) for _ in range(rng.randrange(3))]
    assert isinstance(kind, ObjectField)
    return _auth_object(rng, kind.fields, depth + 1)


def _auth_object(rng: random.Random, fields, depth: int = 0):
    chosen = [name for name in fields if rng.random() < 0.4]
    return {name: _auth_value(rng, fields[name], depth) for name in chosen}


ALL_ROUTES = sorted(ROUTES)
PAGES = ["/emulator/action", "/emulator/provider", "/accounts.google.com/o/oauth2/v2/auth", "/emulator/auth/handler",
         "/emulator/auth/iframe", "/", "/emulator/openapi.json"]  # fmt: skip
PAGE_PARAMETERS = {
    "mode": ["resetPassword", "verifyEmail", "signIn", "recoverEmail", "verifyAndChangeEmail", "x"], "oobCode": ["x",
    ""],
    "apiKey": ["k"], "continueUrl": ["http://localhost/", "x", "http://["], "newPassword": ["secret1", "x",
    "NEW_PASSWORD_HERE"],
    "redirect_uri": ["http://localhost/", "http://[", "x"], "redirectUrl": ["http://localhost/", "http://[",
    "javascript:x"],
    "authType": ["signInViaPopup", "signInViaRedirect", "x"], "appName": ["a"], "providerId": ["google.com",
    "<script>"],
    "tid": ["t", "\x00"], "tenantId": ["t"], "state": ["x"], "login_hint": ["é"], "code_challenge": ["x"],
    "eventId": ["1"],
}  # fmt: skip


def _auth_request(rng: random.Random):
    if rng.random() < 0.1:
        params = {name: rng.choice(values) for name, values in PAGE_PARAMETERS.items() if rng.random() < 0.6}
        return "GET", rng.choice(PAGES), params, {}, b""
    verb, path = rng.choice(ALL_ROUTES)
    fields = ROUTES[verb, path].fields
    path = path.replace("{project}", rng.choice(IDENTIFIERS)).replace("{tenant}", rng.choice(IDENTIFIERS))
    path = path.replace("{id}", "x")
    params = {"key": "k"} if rng.random() < 0.8 else {}
    for name in ("pageSize", "maxResults", "nextPageToken", "pageToken", "updateMask", "tenantId"):
        if rng.random() < 0.1:
            params[name] = rng.choice(["1", "0", "-1", "x", "signIn.allowDuplicateEmails", "a.b,c", ".", "²"])
    headers = {
        "content-type": rng.choice(["application/json"] * 8 + ["", "text/plain", "application/x-www-form-urlencoded"])
    }
    if rng.random() < 0.6:
        headers["authorization"] = "Bearer owner"
    body = _text(rng, _auth_object(rng, fields) if rng.random() < 0.9 else random_value(rng)) if verb != "GET" else b""
    return verb, path, params, headers, body


def _database_request(rng: random.Random):
    path = rng.choice(DATABASE_PATHS[:2] * 5 + DATABASE_PATHS)
    path = path.format(quote(rng.choice(KEYS), safe=""), quote(rng.choice(KEYS), safe=""))
    params = {rng.choice(DATABASE_PARAMETERS): rng.choice(DATABASE_VALUES) for _ in range(rng.choice([0, 0, 1, 2, 4]))}
    headers = {}
    for name, values in {
        "accept": ["text/event-stream", "*/*"], "if-match": ["null_etag", "x"], "if-none-match": ["null_etag", "x"],
        "x-firebase-etag": ["true", "x"], "x-http-method-override": ["PUT", "DELETE", "GET", "X"],
        "content-type": ["application/json", "text/plain"],
    }.items():  # fmt: skip
        if rng.random() < 0.1:
            headers[name] = rng.choice(values)
    verb = rng.choice(VERBS[:6])
    body = _text(rng, random_value(rng)) if verb in {"PUT", "POST", "PATCH"} else b""
    return verb, path, params, headers, body


def _storage_request(rng: random.Random):
    path = rng.choice(STORAGE_PATHS).format(
        b=quote(rng.choice(["b", "demo-test.appspot.com", "é", ""])), n=rng.choice(NAMES)
    )
    params = {name: rng.choice(values) for name, values in STORAGE_PARAMETERS.items() if rng.random() < 0.12}
    headers = {name: rng.choice(values) for name, values in STORAGE_HEADERS.items() if rng.random() < 0.15}
    verb = rng.choice(VERBS[:7])
    body = (
        b""
        if verb in {"GET", "HEAD"}
        else rng.choice([b"", b"data", MULTIPART, _text(rng, random_value(rng)), b"x" * 70_000])
    )
    return verb, path, params, headers, body


CONSOLE_PATHS = ["state", "children", "rules", "coverage", "requests", "decisions", "changes", "x", ""]


def _console_request(rng: random.Random):
    if rng.random() < 0.1:
        target = rng.choice(
            ["/.console/", "/.console/app.js", "/.console/../x", "/.console/%2e%2e/x", "/_admin/export"]
        )
        return rng.choice(VERBS[:7]), target, {}, {"accept": "text/html"}, b""
    names = ("database", "path", "start", "after", "limit", "number", "bucket")
    params = {name: str(rng.choice(SCALARS)) for name in names if rng.random() < 0.3}
    if rng.random() < 0.6:
        return "GET", f"/.console/api/{rng.choice(CONSOLE_PATHS)}", params, {}, b""
    body = {
        "service": rng.choice(["database", "storage", *SCALARS]),
        "rules": rng.choice(
            ['{"rules": {".read": "auth.uid == $a", "$a": {}}}', "service firebase.storage {}", *SCALARS]
        ),
        "method": rng.choice(["read", "write", "get", "create", *SCALARS]),
        **{
            name: random_value(rng)
            for name in ("path", "user", "value", "database", "bucket", "name", "options", "size")
        },
    }
    return "POST", "/.console/api/simulate", params, {"content-type": "application/json"}, _text(rng, body)
