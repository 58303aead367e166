"""Storage requests to a served emulator with plain `requests`."""

from __future__ import annotations

import json
from urllib.parse import quote

import requests

from support.waiting import LIMIT

KB256 = 256 * 1024
OWNER = {"Authorization": "Bearer owner"}


class Files:
    """One bucket of a served emulator."""

    def __init__(self, host, bucket="demo-test.appspot.com"):
        self.objects = f"http://{host}/v0/b/{bucket}/o"
        self.bucket = bucket
        self.session = requests.Session()

    def request(self, method, url, data=None, headers=None, **options):
        return self.session.request(method, url, data=data, headers=headers, timeout=LIMIT, **options)

    def object_url(self, name, query=""):
        return f"{self.objects}/{quote(name, safe='')}{query}"

    def upload(self, name, data, content_type="text/plain", query="", headers=None):
        url = f"{self.objects}?name={quote(name, safe='')}{query}"
        return self.request("POST", url, data, {"Content-Type": content_type, **(headers or {})})

    def download(self, name, headers=None, query="", **options):
        return self.request("GET", self.object_url(name, f"?alt=media{query}"), headers=headers, **options)

    def metadata(self, name, query="", headers=None):
        return self.request("GET", self.object_url(name, query), headers=headers)

    def patch(self, name, changes, query=""):
        return self.request("PATCH", self.object_url(name, query), json.dumps(changes))

    def delete(self, name, query=""):
        return self.request("DELETE", self.object_url(name, query))

    def list(self, query=""):
        return self.request("GET", f"{self.objects}{query}")

    def start(self, name, metadata=None, size=None, query="", headers=None):
        sent = {
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "Content-Type": "application/json; charset=utf-8",
            **(headers or {}),
        }
        if size is not None:
            sent["X-Goog-Upload-Header-Content-Length"] = str(size)
        url = f"{self.objects}?name={quote(name, safe='')}{query}"
        return self.request("POST", url, json.dumps(metadata or {}), sent)

    def command(self, url, command, data=None, offset=None, method="POST"):
        headers = {"X-Goog-Upload-Command": command}
        if offset is not None:
            headers["X-Goog-Upload-Offset"] = str(offset)
        return self.request(method, url, data, headers)

    def received(self, url):
        response = self.command(url, "query")
        assert response.status_code == 200
        return response.headers["X-Goog-Upload-Status"], int(response.headers["X-Goog-Upload-Size-Received"])

    def close(self):
        self.session.close()


def error(response):
    """Return status and message of an error response, whose body must contain the status."""
    details = response.json()["error"]
    assert details["code"] == response.status_code
    return response.status_code, details["message"]
