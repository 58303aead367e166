"""All calls of Storage."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wire.case import ID_TOKEN, CaseContext, Response, WireCase, case
from wire.outcome import Shown, outcome

METADATA = json.dumps({"name": "images/a.png", "bucket": "wire.appspot.com", "size": "7", "downloadTokens": "D"})
CONTENT = Response("content", headers={"Content-Type": "image/png"})
MISSING = Response('{"error": {"code": 404, "message": "Not Found."}}', 404)


def put(file: Callable[[CaseContext], Any], *arguments: Any, **keywords: Any) -> WireCase:
    return case(lambda at: at.storage.child("images/a.png").put(file(at), *arguments, **keywords), METADATA)


def local(at: CaseContext) -> str:
    return at.file("local.png")


def downloaded(call: Callable[[Any, str], Any], response: Response = CONTENT) -> WireCase:
    """Return the result of `call(storage, target)` and the files in the folder."""

    def act(at: CaseContext) -> object:
        result = Shown(outcome(lambda: call(at.storage, str(at.folder / "there.png"))))
        return result, {path.name: path.read_bytes() for path in at.folder.iterdir()}

    return case(act, response)


def listed(at: CaseContext) -> object:
    return [file.name for file in at.storage.list_files()]


def addressed_twice(at: CaseContext) -> object:
    reference = image(at.storage)
    return [reference.get_url(None), reference.get_url(None)]


def image(storage: Any) -> Any:
    return storage.child("images/a.png")


FILES = {
    "put a path": put(local),
    "put a PathLike": put(lambda at: Path(local(at))),
    "put bytes": put(lambda at: b"content"),
    "put an open file": put(lambda at: io.BytesIO(b"content")),
    "put with a token": put(local, ID_TOKEN),
    "put with a token by keyword": put(local, token=ID_TOKEN),
    "put with a content type": put(local, None, "text/plain"),
    "put with a content type by keyword": put(lambda at: b"content", content_type="text/plain"),
    "put a missing file": put(lambda at: str(at.folder / "missing.png")),
    "put at a name with signs": case(lambda at: at.storage.child("images/a&b #+é%.png").put(b"content"), METADATA),
    "put at a child of two": case(lambda at: at.storage.child("images", "a.png").put(b"content"), METADATA),
    "put at a child of a child": case(lambda at: at.storage.child("images").child("a.png").put(b"content"), METADATA),
    "put at an int": case(lambda at: at.storage.child("images", 7).put(b"content"), METADATA),
    "put below a slash in front": case(lambda at: at.storage.child("/images/a.png").put(b"content"), METADATA),
    "put at the root": case(lambda at: at.storage.put(b"content"), METADATA),
    "rejected put": case(
        lambda at: image(at.storage).put(b"content"),
        Response('{"error": {"code": 403, "message": "Permission denied."}}', 403),
    ),
    "put of a service account": case(
        lambda at: at.admin.storage().child("images/a.png").put(b"content")["name"], METADATA
    ),
    "put twice with one reference": case(
        lambda at: [at.storage.child("a").put(b"content")["name"], at.storage.child("b").put(b"content")["name"]],
        METADATA,
    ),
    "get_url": case(lambda at: image(at.storage).get_url(None)),
    "get_url with a download token": case(lambda at: image(at.storage).get_url("0b3c-token")),
    "get_url with an ID token": case(lambda at: image(at.storage).get_url(ID_TOKEN), METADATA),
    "get_url with signs": case(lambda at: at.storage.child("images/a&b #+é%.png").get_url(None)),
    "get_url twice with one reference": case(addressed_twice),
    "get_url below a slash in front": case(lambda at: at.storage.child("/images/a.png").get_url(None)),
    "download": downloaded(lambda storage, name: image(storage).download("images/a.png", name)),
    "download with no path": downloaded(lambda storage, name: image(storage).download("", name)),
    "download with a token": downloaded(lambda storage, name: image(storage).download("images/a.png", name, ID_TOKEN)),
    "download by keyword": downloaded(
        lambda storage, name: image(storage).download(path="images/a.png", filename=name, token=None)
    ),
    "download with only the path": downloaded(lambda storage, name: storage.download("images/a.png", name)),
    "download as in Pyrebase 3": downloaded(lambda storage, name: image(storage).download(name)),
    "download with another path": downloaded(lambda storage, name: image(storage).download("other.png", name)),
    "download to a PathLike": downloaded(lambda storage, name: image(storage).download("", Path(name))),
    "download into a missing folder": downloaded(
        lambda storage, name: image(storage).download("", name.replace("there.png", "missing/there.png"))
    ),
    "get_url of a child of two": case(lambda at: at.storage.child("a", "b.png").get_url(None)),
    "get_url of the bucket": case(lambda at: at.storage.get_url(None)),
    "get_url with a slash at the end": case(lambda at: at.storage.child("a/").get_url(None)),
    "get_url with two slashes within": case(lambda at: at.storage.child("a//b").get_url(None)),
    "get_url with slashes in front": case(lambda at: [at.storage.child(name).get_url(None) for name in ("//a", "./a")]),
    "download of a missing file": downloaded(
        lambda storage, name: image(storage).download("images/a.png", name), MISSING
    ),
    "delete": case(lambda at: at.storage.delete("images/a.png", None), Response("", 204)),
    "delete with a token": case(lambda at: at.storage.delete("images/a.png", ID_TOKEN), Response("", 204)),
    "delete with signs": case(lambda at: at.storage.delete("images/a&b #+é.png", None), Response("", 204)),
    "delete as in Pyrebase 3": case(lambda at: at.storage.delete("images/a.png"), Response("", 204)),
    "delete a child": case(lambda at: image(at.storage).delete(None, None), Response("", 204)),
    "rejected delete": case(lambda at: at.storage.delete("images/a.png", None), MISSING),
    "list_files": case(listed, '{"items": [{"name": "a.png", "bucket": "wire.appspot.com"}], "prefixes": []}'),
    "storage with a service account": case(lambda at: at.admin.storage().storage_bucket),
}
