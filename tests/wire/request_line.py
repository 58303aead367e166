"""A request as one line of text with only the parts that matter to Firebase.

Omitted or normalized are:

- headers of the transport and of the sender, and `Accept: */*`;
- equivalent percent-encodings of path and query, and the order of parameters;
- whitespace in JSON, `charset` UTF-8, and the type of an empty body;
- times, ids and signature of a service account's assertion; the boundary of parts.

Frequent addresses have short names: `db:`, `bucket:`, `identity:`, `token:`.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, unquote_plus

from wire.case import BUCKET, DATABASE, ID_TOKEN

CARRIERS = {
    "host",
    "user-agent",
    "x-goog-api-client",
    "accept-encoding",
    "connection",
    "content-length",
    "transfer-encoding",
}
SHORT = {
    DATABASE: "db:",
    f"https://firebasestorage.googleapis.com/v0/b/{BUCKET}": "bucket:",
    "https://identitytoolkit.googleapis.com/v1/": "identity:/",
    "http://127.0.0.1/token": "token:",
    ID_TOKEN: "ID_TOKEN",
}
CRLF = b"\r\n"
FLEETING = {"iat", "exp", "kid"}


def line(request: dict[str, Any]) -> str:
    """`METHOD url · header: value · body`, with a readable URL."""
    path, _, query = request["target"].partition("?")
    segments = [quote(unquote_plus(segment), safe=" :") for segment in path.split("/")]
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    url = request["host"] + "/".join(segments) + ("?" if pairs else "") + "&".join(f"{k}={v}" for k, v in pairs)
    return short(" · ".join([f"{request['method']} {url}", *_headers(request), *_body(request)]))


def short(text: str) -> str:
    """Replace frequent addresses by their short names."""
    for long, name in SHORT.items():
        text = text.replace(long, name)
    return text


def _headers(request: dict[str, Any]) -> list[str]:
    headers = {name: value for name, value in request["headers"].items() if name not in CARRIERS}
    if headers.get("accept") == "*/*":
        del headers["accept"]
    kind = headers.get("content-type", "")
    if not request["body"]:
        headers.pop("content-type", None)
    elif kind.startswith(("application/json", "multipart/related")):
        headers["content-type"] = kind.partition(";")[0]
    return [f"{name}: {value}" for name, value in sorted(headers.items())]


def _body(request: dict[str, Any]) -> list[str]:
    body, kind = request["body"], request["headers"].get("content-type", "")
    if not body:
        return []
    if request["target"] == "/token":
        return [_assertion(body)]
    if kind.startswith("application/json"):
        return [_json(body.encode("latin-1"))]
    if kind.startswith("multipart/related; boundary="):
        return [_parts(body.encode("latin-1"), kind.partition("=")[2].encode())]
    return [repr(body)]


def _json(body: bytes) -> str:
    said = json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False)
    return said.encode(errors="backslashreplace").decode()  # an unpaired surrogate


def _parts(body: bytes, boundary: bytes) -> str:
    """Return the metadata, and the file with its type."""
    preamble, metadata, file, end = body.split(b"--" + boundary)
    assert (preamble, end.strip()) == (b"", b"--")
    kind, content = file.strip(b"\r\n").split(b"\r\n\r\n")
    return f"{_json(metadata.partition(2 * CRLF)[2])} + {kind.decode()} {content!r}"


def _assertion(body: str) -> str:
    form = {name: values[0] for name, values in parse_qs(body).items()}
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in form["assertion"].split(".")[:2])
    said = {name: value for name, value in {**header, **claims}.items() if name not in FLEETING}
    said["aud"] = said["aud"].rpartition("/")[2]  # its port differs in each run
    said["scope"] = said["scope"].replace("https://www.googleapis.com/auth/", "")
    return json.dumps({"grant_type": form["grant_type"], **said}, sort_keys=True)
