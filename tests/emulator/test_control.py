"""Endpoints that the official emulators have for tools: discovery, rules, reset; and paths that Node's clients use."""

from __future__ import annotations

import pytest
import requests

from support.waiting import LIMIT

RULES = {"rules": {"files": [{"name": "storage.rules", "content": "service firebase.storage {}"}]}}


def test_hub_lists_the_emulators_at_the_requested_host(server):
    port = int(server.host.rpartition(":")[2])
    found = requests.get(f"http://localhost:{port}/emulators", timeout=LIMIT).json()
    assert set(found) == {"hub", "auth", "database", "storage"}
    assert {(item["host"], item["port"]) for item in found.values()} == {("localhost", port)}
    assert found["database"]["listen"] == [{"address": "localhost", "family": "IPv4", "port": port}]


@pytest.mark.parametrize("path", ["/", "/identitytoolkit.googleapis.com/v1/accounts:signUp", "/v0/b/b/o"])
def test_preflight_allows_the_requested_headers_and_private_networks(server, path):
    requested = {
        "Origin": "http://page.example",
        "Access-Control-Request-Headers": "Authorization,X-Client-Version",
        "Access-Control-Request-Private-Network": "true",
    }
    response = requests.options(f"http://{server.host}{path}", headers=requested, timeout=LIMIT)
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] in {"*", "http://page.example"}
    assert response.headers["Access-Control-Allow-Headers"] == "Authorization,X-Client-Version"
    assert response.headers["Access-Control-Allow-Private-Network"] == "true"


@pytest.mark.parametrize(("action", "enabled"), [("disable", False), ("enable", True)])
def test_hub_accepts_changes_of_function_triggers(server, action, enabled):
    response = requests.put(f"http://{server.host}/functions/{action}BackgroundTriggers", timeout=LIMIT)
    assert (response.status_code, response.json()) == (200, {"enabled": enabled})


def test_paths_of_function_triggers_stay_with_the_database(server, db):
    db.put("functions/enableBackgroundTriggers", 1)
    assert db.get("functions/enableBackgroundTriggers").json() == 1


def test_reset_deletes_the_files_only(server, db, files):
    db.put("a", 1)
    files.upload("a", b"x")
    response = requests.post(f"http://{server.host}/internal/reset", timeout=LIMIT)
    assert response.status_code == 200
    assert files.metadata("a").status_code == 404
    assert db.get("a").json() == 1


@pytest.mark.parametrize(("method", "path"), [("PUT", "/internal/setRules"), ("POST", "/internal/reset")])
@pytest.mark.parametrize(
    ("origin", "status"), [("https://evil.example", 403), ("null", 403), ("http://localhost:5173", 200)]
)
def test_pages_of_other_sites_cannot_set_rules_or_reset(server, method, path, origin, status):
    response = requests.request(
        method, f"http://{server.host}{path}", json=RULES, headers={"Origin": origin}, timeout=LIMIT
    )
    server.emulator.set_storage_rules(None)
    assert response.status_code == status, response.text


def test_unknown_and_misused_endpoints_list_the_known_ones(server):
    unknown = requests.post(f"http://{server.host}/internal/other", timeout=LIMIT)
    assert unknown.status_code == 501
    assert "/internal/reset" in unknown.text
    assert requests.get(f"http://{server.host}/internal/reset", timeout=LIMIT).status_code == 405


def test_json_api_without_its_prefix(server, db, files):
    files.upload("a/b.json", b"{}")
    bucket = f"http://{server.host}/b/{files.bucket}"
    assert requests.get(f"{bucket}/o", timeout=LIMIT).json()["items"][0]["name"] == "a/b.json"
    assert requests.get(f"{bucket}/o/a%2Fb.json", timeout=LIMIT).json()["name"] == "a/b.json"
    assert requests.get(f"{bucket}/o/a%2Fb.json?alt=media", timeout=LIMIT).content == b"{}"
    assert requests.get(bucket, timeout=LIMIT).json()["name"] == files.bucket
    assert requests.get(f"http://{server.host}/b", timeout=LIMIT).status_code == 200


@pytest.mark.parametrize("path", ["b", "b/x", "b/x/o", "b/x/o/y"])
def test_database_paths_below_b_stay_with_the_database(server, path):
    url = f"http://{server.host}/{path}.json"
    assert requests.put(url, json=1, timeout=LIMIT).json() == 1
    assert requests.get(url, timeout=LIMIT).json() == 1


def test_open_ended_content_range_sends_the_rest(server, files):
    url = f"http://{server.host}/upload/storage/v1/b/{files.bucket}/o"
    start = requests.post(url, params={"uploadType": "resumable", "name": "a"}, timeout=LIMIT)
    headers = {"Content-Range": "bytes 0-*/*"}
    response = requests.put(start.headers["Location"], data=b"x" * 1000, headers=headers, timeout=LIMIT)
    assert response.json()["size"] == "1000"
    start = requests.post(url, params={"uploadType": "resumable", "name": "b"}, timeout=LIMIT)
    first = {"Content-Range": "bytes 0-262143/*"}
    assert requests.put(start.headers["Location"], data=b"y" * 262_144, headers=first, timeout=LIMIT).status_code == 308
    rest = {"Content-Range": "bytes 262144-*/*"}
    assert requests.put(start.headers["Location"], data=b"z", headers=rest, timeout=LIMIT).json()["size"] == "262145"
