"""Run a scenario against a Storage emulator over HTTP and record its responses in a comparable form.

Random values (tokens, generations, times, ETags) are replaced by their kind. Formats in which the official emulator
always differs are converted to production's format and recorded in `quirks` (`known_file_differences.QUIRKS`).
"""

from __future__ import annotations

import base64
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from official.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OWNER = {"Authorization": "Bearer owner"}
BUCKET = "demo-project.appspot.com"

_KEPT = (
    "accept-ranges", "cache-control", "content-disposition", "content-encoding", "content-language", "content-length",
    "content-range", "content-type", "x-goog-metageneration", "x-goog-storage-class", "x-goog-upload-chunk-granularity",
    "x-goog-upload-size-received", "x-goog-upload-status",
)  # fmt: skip
_WORDS = {"OK", "Not Found", "Bad Request", "Not Implemented", "Forbidden", "No Content"}


class FileTranscript(Recording):
    """One emulator's run of a scenario: sends the requests and records the responses.

    `rules` sets the permissions of users: "allow", "deny" or "signed-in".
    """

    def __init__(self, host: str, rules: Callable[[str], None]) -> None:
        super().__init__()
        self.host = host
        self.rules = rules
        self.quirks: set[str] = set()
        self._tokens: dict[str, str] = {}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.clear()

    # --- calls ---

    def call(self, verb: str, path: str, data: bytes = b"", headers: dict[str, str] | None = None) -> requests.Response:
        """Send a request below the bucket ("/o...") and record the response."""
        return self.upload_to(f"http://{self.host}/v0/b/{BUCKET}{path}", data, headers, verb=verb)

    def upload_to(
        self, url: str, data: bytes = b"", headers: dict[str, str] | None = None, *, verb: str = "POST"
    ) -> requests.Response:
        """Send a request to a complete URL, such as that of a resumable upload."""
        response = self._session.request(verb, url, data=data, headers=headers, timeout=20, allow_redirects=False)
        shown = re.sub(r"upload_id=[\w-]+", "upload_id=ID", url.replace(self.host, "HOST"))
        shown = re.sub(r"pageToken=[^&]+", "pageToken=TOKEN", shown)
        for token, name in self._tokens.items():
            shown = shown.replace(token, name)
        self._into.append([verb, shown, response.status_code, self._headers(response), self._body(response)])
        return response

    def put(self, name: str, data: bytes = b"hello world", content_type: str | None = "text/plain") -> Any:
        """Send a simple upload."""
        headers = {"Content-Type": content_type} if content_type else {}
        return self.call("POST", f"/o?name={quote(name, safe='')}", data, headers).json()

    def multipart(self, name: str, metadata: bytes = b"{}", data: bytes = b"hello world", **more: str) -> Any:
        """Send a multipart upload with the content type `header` of the request and `part_type` of the file's
        part."""
        part = more.get("part_type", "Content-Type: text/plain")
        body = (
            b"--B\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
            + metadata
            + b"\r\n--B\r\n"
            + part.encode()
            + b"\r\n\r\n"
            + data
            + b"\r\n--B--"
        )
        headers = {"Content-Type": more.get("header", "multipart/related; boundary=B")}
        if more.get("protocol", "multipart"):
            headers["X-Goog-Upload-Protocol"] = more.get("protocol", "multipart")
        return self.call("POST", f"/o?name={quote(name, safe='')}", body, headers)

    def start(self, name: str, metadata: bytes = b"{}", **headers: str) -> str:
        """Start a resumable upload and return its URL."""
        sent = {
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "Content-Type": "application/json; charset=utf-8",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        response = self.call("POST", f"/o?name={quote(name, safe='')}", metadata, sent)
        return response.headers.get("x-goog-upload-url", "")

    def command(
        self, url: str, command: str, data: bytes = b"", offset: int | None = None, verb: str = "POST"
    ) -> requests.Response:
        """Send a command of a resumable upload."""
        headers = {"X-Goog-Upload-Command": command}
        if offset is not None:
            headers["X-Goog-Upload-Offset"] = str(offset)
        return self.upload_to(url, data, headers, verb=verb)

    def get(self, name: str, query: str = "", headers: dict[str, str] | None = None, verb: str = "GET") -> Any:
        """Send a request for one object."""
        return self.call(verb, f"/o/{quote(name, safe='')}{query}", headers=headers)

    def read(self, name: str, headers: dict[str, str] | None = None) -> requests.Response:
        """Download an object."""
        return self.get(name, "?alt=media", {"Accept-Encoding": "gzip", **(headers or {})})

    def patch(self, name: str, body: bytes, headers: dict[str, str] | None = None) -> requests.Response:
        """Update metadata."""
        sent = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
        return self.call("PATCH", f"/o/{quote(name, safe='')}", body, sent)

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Do not record the requests inside the block."""
        before, self._into = self._into, []
        try:
            yield
        finally:
            self._into = before

    def close(self) -> None:
        self._session.close()

    # --- random values, and formats of the official emulator ---

    def _headers(self, response: requests.Response) -> dict[str, Any]:
        selected: dict[str, Any] = {name: response.headers[name] for name in _KEPT if name in response.headers}
        if "accept-ranges" in selected:
            self._download_headers(response, selected)
        else:
            selected.pop("content-length", None)
            for name in ("cache-control", "content-disposition", "content-encoding", "content-language"):
                if selected.pop(name, None) is not None:
                    self.quirks.add("an object's headers with its metadata")
        no_json = not response.content and response.request.method != "HEAD"
        if response.status_code >= 400 or no_json or self._is_a_word(response):
            selected.pop("content-type", None)
        self._upload_headers(response, selected)
        return selected

    def _download_headers(self, response: requests.Response, selected: dict[str, Any]) -> None:
        lines = response.raw.headers.getlist("x-goog-hash")
        if len(lines) == 1:
            self.quirks.add("one line of checksums")
        selected["x-goog-hash"] = sorted(part.strip() for line in lines for part in line.split(","))
        if "x-goog-metadatageneration" in response.headers:
            self.quirks.add("metageneration misspelt")
            selected["x-goog-metageneration"] = response.headers["x-goog-metadatageneration"]
        for name in ("content-encoding", "cache-control"):
            if selected.get(name) == "":
                self.quirks.add("empty headers")
                del selected[name]
        if selected.get("content-encoding") == "identity":
            del selected["content-encoding"]  # equals an absent value
        if selected.get("cache-control") == "private, max-age=0":
            del selected["cache-control"]  # production's default
        selected["content-disposition"], _, file_name = selected["content-disposition"].partition("; filename*=")
        if file_name and not file_name.startswith("utf-8''"):
            self.quirks.add("a file name from the object's name")

    def _upload_headers(self, response: requests.Response, selected: dict[str, Any]) -> None:
        if selected.pop("x-goog-upload-chunk-granularity", "262144") == "10000":
            self.quirks.add("granularity 10000")
        cancelled = response.request.headers.get("x-goog-upload-command") == "cancel"
        if cancelled or response.status_code == 400:
            if selected.pop("x-goog-upload-status", None) is None and response.status_code == 200:
                self.quirks.add("no status")
            selected.pop("x-goog-upload-size-received", None)

    def _is_a_word(self, response: requests.Response) -> bool:
        plain = response.headers.get("content-type", "").startswith("text/plain")
        return plain and "accept-ranges" not in response.headers and response.text in _WORDS

    def _body(self, response: requests.Response) -> Any:
        if self._is_a_word(response):
            self.quirks.add("one word of text")
            return f"error {response.status_code}" if response.status_code >= 400 else ""
        if (
            response.headers.get("content-type", "").startswith("application/json")
            and response.request.method != "HEAD"
        ):
            value = response.json()
            if "error" in value:
                # The messages of production are known for a few errors only.
                error = value["error"]
                spelt_out = error["code"] == 403 or "prefix parameter" in error["message"]
                return error if spelt_out else f"error {error['code']}"
            return self._resource(value) if "generation" in value else self._listing(value)
        if response.status_code >= 400:
            return f"error {response.status_code}"
        return response.content.decode("latin-1")

    def _listing(self, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "nextPageToken": "more"} if value.get("nextPageToken") else value

    def _resource(self, value: dict[str, Any]) -> dict[str, Any]:
        resource = dict(value)
        if len(resource.pop("generation")) < 16:
            self.quirks.add("generations in milliseconds")
        assert resource.pop("etag")
        for name in ("timeCreated", "updated"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", resource.pop(name))
        if resource["crc32c"].isdigit():
            self.quirks.add("crc32c in decimal")
            resource["crc32c"] = base64.b64encode(int(resource["crc32c"]).to_bytes(4, "big")).decode()
        if resource.get("metadata") == {}:
            self.quirks.add("empty metadata")
            del resource["metadata"]
        disposition = resource.get("contentDisposition", "")
        if disposition == "inline":
            self.quirks.add("no file name")
        if disposition.startswith("inline; filename*=utf-8''"):
            resource["contentDisposition"] = "inline"
        resource["downloadTokens"] = [self._token(token) for token in resource.get("downloadTokens", "").split(",")]
        return resource

    def _token(self, token: str) -> str:
        return self._tokens.setdefault(token, f"token {len(self._tokens) + 1}")
