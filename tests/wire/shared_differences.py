"""Differences that many calls share: rules that convert a line of Pyrebase4 to ours. Everything else must be equal.

The name of a rule is its reason; `converted` applies all rules.
"""

from __future__ import annotations

import json
import mimetypes
import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import md5
from urllib.parse import quote

OLD = "https://www.googleapis.com/identitytoolkit/v3/relyingparty/"
NEW = "identity:/accounts:"
TODAY = {
    "verifyPassword": "signInWithPassword",
    "signupNewUser": "signUp",
    "verifyCustomToken": "signInWithCustomToken",
    "getAccountInfo": "lookup",
    "getOobConfirmationCode": "sendOobCode",
    "resetPassword": "resetPassword",
    "deleteAccount": "delete",
}


def todays_address(line: str) -> str:
    return re.sub(re.escape(OLD) + r"(\w+)", lambda found: NEW + TODAY[found[1]], line)


def no_nulls(line: str) -> str:
    head, separator, body = line.rpartition(" · ")
    if f"{NEW}update" not in head:
        return line
    present = {name: value for name, value in json.loads(body).items() if value is not None}
    return head + separator + json.dumps(present, sort_keys=True, ensure_ascii=False)


def none_as_empty(line: str) -> str:
    return line.replace('": null', '": ""') if NEW in line else line


def form(line: str) -> str:
    head, _, body = line.rpartition(" · ")
    if "securetoken" not in head:
        return line
    token = quote(json.loads(body)["refreshToken"] or "", safe="")
    head = head.replace("application/json", "application/x-www-form-urlencoded")
    return f"{head} · 'grant_type=refresh_token&refresh_token={token}'"


def asks_for_the_tag(line: str) -> str:
    return re.sub(r"( · if-match: \w+)", r"\1 · x-firebase-etag: true", line)


def object_in_the_path(line: str) -> str:
    return re.sub(
        r"^DELETE bucket:/o\?name=([^ &]+)", lambda found: f"DELETE bucket:/o/{quote(found[1], safe='')}", line
    )


def in_parts(line: str) -> str:
    found = re.fullmatch(r"(POST bucket:/o\?name=(\S+)(?: · authorization: \S+ \S+)?) · 'content'", line)
    if found is None:
        return line
    head, name = found.groups()
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    metadata = {"name": name, "contentType": kind, "md5Hash": b64encode(md5(b"content").digest()).decode()}
    parts = f"{json.dumps(metadata, sort_keys=True)} + Content-Type: {kind} b'content'"
    return f"{head} · content-type: multipart/related · x-goog-upload-protocol: multipart · {parts}"


RULES: dict[str, Callable[[str], str]] = {
    "Identity Toolkit requests use the current URL and method names.": todays_address,
    "Members that are None are omitted, because the server rejects null.": no_nulls,
    "Elsewhere in Auth, None is sent as empty text, which Firebase rejects with the same message.": none_as_empty,
    "A token is refreshed with a form, as documented.": form,
    "A conditional write also requests the new ETag.": asks_for_the_tag,
    "A deletion names the object in the path, as Firebase's SDKs do.": object_in_the_path,
    "An upload has a content type and a checksum, in a multipart body.": in_parts,
}


def converted(line: str) -> str:
    """Return the line as our library sends it."""
    for rule in RULES.values():
        line = rule(line)
    return line
