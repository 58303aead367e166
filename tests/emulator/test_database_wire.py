"""GET, PUT, POST, PATCH and DELETE on the database: exact bytes, statuses and headers."""

from __future__ import annotations

import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from firebase_rest.emulator import Emulator
from firebase_rest.transport.wire import Request
from support.waiting import LIMIT


def error(message):
    return f'{{\n  "error" : {json.dumps(message)}\n}}\n'


def test_put_returns_the_value_and_get_reads_it(db):
    assert db.put("a/b", {"x": [1, None, 3], "y": "é"}).content == '{"x":[1,null,3],"y":"é"}'.encode()
    assert db.get("a/b").content == '{"x":[1,null,3],"y":"é"}'.encode()
    assert db.get("a/b/x/2").content == b"3"


def test_missing_data_is_null_with_status_200(db):
    response = db.get("no/such/place")
    assert (response.status_code, response.content) == (200, b"null")


def test_responses_have_the_headers_of_production(db):
    for response in (db.get(), db.put("a", 1), db.get("a", orderBy="x")):
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["access-control-allow-origin"] == "*"
        assert int(response.headers["content-length"]) == len(response.content)


def test_post_creates_a_child_with_a_push_id(db):
    before = int(time.time() * 1000)
    name = db.post("list", {"x": 1}).json()["name"]
    alphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
    made = 0
    for character in name[:8]:
        made = made * 64 + alphabet.index(character)
    assert len(name) == 20
    assert before <= made <= int(time.time() * 1000)
    assert db.get(f"list/{name}").json() == {"x": 1}


def test_push_ids_ascend(db):
    names = [db.post("list", i).json()["name"] for i in range(20)]
    assert names == sorted(names)
    assert list(db.get("list").json().values()) == list(range(20))


def test_patch_replaces_only_the_given_children(db):
    db.put("a", {"x": {"p": 1, "q": 2}, "y": 1, "z": 1})
    response = db.patch("a", '{"x": {"p": 3}, "z": null}')
    assert (response.status_code, response.content) == (200, b'{"x":{"p":3},"z":null}')
    assert db.get("a").json() == {"x": {"p": 3}, "y": 1}


def test_patch_writes_multiple_paths(db):
    db.put("", {"users": {"a": {"name": "A", "age": 1}}})
    assert db.patch("", {"users/a/name": "B", "/log//x/": {"at": 1}}).status_code == 200
    assert db.get("").json() == {"users": {"a": {"name": "B", "age": 1}}, "log": {"x": {"at": 1}}}


def test_delete_returns_null_even_without_data(db):
    db.put("a", 1)
    for _ in range(2):
        response = db.delete("a")
        assert (response.status_code, response.content) == (200, b"null")
    assert db.get("").content == b"null"


@pytest.mark.parametrize("null_body", ["null", "{}", "[]", '{"x":[{}]}'])
def test_put_null_deletes(db, null_body):
    db.put("a", {"b": 1, "c": 2})
    assert db.put("a/b", null_body).status_code == 200
    assert db.get("a").json() == {"c": 2}


def test_patch_null_deletes_the_path(db):
    db.put("a/b", 1)
    assert db.patch("a", "null", print="silent", writeSizeLimit="tiny").status_code == 204
    assert db.get("").json() is None


def test_empty_patch_changes_nothing(db):
    db.put("a", 1)
    assert db.patch("", "{}").content == b"{}"
    assert db.get("a").json() == 1


@pytest.mark.parametrize("via", ["header", "parameter"])
def test_post_with_method_override(db, via):
    def override(verb, data):
        name = "x-http-method-override"
        options = {"headers": {name: verb}} if via == "header" else {name: verb}
        return db.post("a", data, **options)

    assert override("PUT", '{"x":1}').content == b'{"x":1}'
    assert override("PATCH", '{"y":2}').content == b'{"y":2}'
    assert db.get("a").json() == {"x": 1, "y": 2}
    assert override("DELETE", None).content == b"null"
    assert db.get("a").json() is None


def test_server_values_are_resolved_in_the_response(db):
    before = int(time.time() * 1000)
    response = db.put(
        "a", {"t": {".sv": "timestamp"}, "u": [{".sv": "timestamp"}], "n": {".sv": {"increment": 2}}}
    ).json()
    assert before <= response["t"] <= int(time.time() * 1000)
    assert response == {"t": response["t"], "u": [response["t"]], "n": 2}
    assert db.patch("a", {"n": {".sv": {"increment": -0.5}}, "m/k": {".sv": "timestamp"}}).json()["n"] == 1.5
    assert db.get("a/n").content == b"1.5"


def test_concurrent_increments_are_all_applied(db):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: db.put("n", {".sv": {"increment": 1}}), range(100)))
    assert db.get("n").content == b"100"


@pytest.mark.parametrize("escaped", ["%E2%82%AC%20%2B%25", "%E2%82%AC+%2B%25"])
def test_path_is_decoded_once_and_plus_is_a_space(server, escaped):
    url = f"http://{server.host}/{escaped}.json"
    assert requests.put(url, data="1", timeout=LIMIT).status_code == 200
    assert requests.get(f"http://{server.host}/.json", timeout=LIMIT).json() == {"€ +%": 1}


def test_empty_path_segments_are_ignored(server, db):
    db.put("a/b", 1)
    for path in ("//a///b.json", "/a/b/.json"):
        assert requests.get(f"http://{server.host}{path}", timeout=LIMIT).content == b"1"


def test_escaped_slash_in_path_is_rejected(server):
    response = requests.get(f"http://{server.host}/a%2Fb.json", timeout=LIMIT)
    assert (response.status_code, response.text) == (400, error("Invalid path: Invalid token in path"))


@pytest.mark.parametrize(
    "path", ["a.b", "a%23", "a%5B", "%5D", "%24x", "a%0A", ".info/connected", ".info", ".priority", "a/.value"]
)
def test_invalid_path_is_rejected(db, path):
    for method in ("GET", "PUT", "DELETE"):
        response = db.request(method, path, "1")
        assert (response.status_code, response.text) == (400, error("Invalid path: Invalid token in path"))


def test_path_depth_and_key_length_are_limited(db):
    assert db.get("/".join(["k"] * 32)).status_code == 200
    assert db.get("/".join(["k"] * 33)).status_code == 400
    assert db.get("k" * 768).status_code == 200
    assert db.get("k" * 769).status_code == 400
    assert db.post("/".join(["k"] * 32), "1").status_code == 400
    assert db.put("/".join(["k"] * 31), '{"a":{"b":1}}').status_code == 400
    assert db.patch("/".join(["k"] * 31), '{"a/b":1}').status_code == 400
    assert db.patch("", {"k" * 769: 1}).status_code == 400


def test_path_without_json_suffix_returns_advice(server):
    response = requests.get(f"http://{server.host}/a/b", timeout=LIMIT)
    assert (response.status_code, response.text) == (403, "append .json to your request URI to use the REST API.")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "body", "message"),
    [
        ("PUT", None, "Error: No data supplied."),
        ("POST", "", "Error: No data supplied."),
        ("PATCH", "", "Error: No data supplied."),
        ("PUT", "{", "Invalid data; couldn't parse JSON object, array, or value."),
        ("PUT", "1e400", "Invalid data; a number is too large for a double."),
        (
            "PUT",
            '{"a":{"b":1},\n "c.d":1}',
            "Invalid data; couldn't parse key beginning at 2:2. Key value can't be empty or contain $ # [ ] / or .",
        ),
        (
            "PATCH",
            '{"a/b":{"c/d":1}}',
            "Invalid data; couldn't parse key beginning at 1:9. Key value can't be empty or contain $ # [ ] / or .",
        ),
        (
            "PATCH",
            '{"a/.sv":1}',
            "Invalid data; couldn't parse key beginning at 1:2. Key value can't be empty or contain $ # [ ] / or .",
        ),
        (
            "PATCH",
            "[1]",
            "Invalid data; couldn't parse JSON object. Are you sending a JSON object with valid key names?",
        ),
        ("PATCH", "7", "Invalid data; couldn't parse JSON object. Are you sending a JSON object with valid key names?"),
        (
            "PATCH",
            '{"a":1,"a/b":2}',
            "Invalid data; the update has overlapping paths: '/a' and '/a/b'.",
        ),
        ("PATCH", '{"a":1,"/a":2}', "Invalid data; the update has overlapping paths: '/a' and '/a'."),
        ("PATCH", '{"a/.priority":true}', "Invalid data; a priority must be null, a number or a string."),
    ],
)
def test_invalid_body_is_rejected_without_changes(db, method, body, message):
    db.put("", {"a": "before"})
    response = db.request(method, "", body)
    assert (response.status_code, response.text) == (400, error(message))
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert db.get("").json() == {"a": "before"}


def test_priorities_appear_only_in_export_format(db):
    db.put("a", {"b": {".value": 1, ".priority": "p"}, "c": [1, 2], ".priority": 5})
    assert db.get("a").content == b'{"b":1,"c":[1,2]}'
    assert db.get("a", format="export").json() == {
        "b": {".value": 1, ".priority": "p"},
        "c": {"0": 1, "1": 2},
        ".priority": 5,
    }
    assert db.get("a/.priority").content == b"5"


def test_priority_has_its_own_path(db):
    db.put("a", {"b": 1})
    assert db.put("a/.priority", '"high"').content == b'"high"'
    assert db.patch("", {"a/b/.priority": {".sv": {"increment": 3}}}).json() == {"a/b/.priority": 3}
    assert db.get("a", format="export").json() == {"b": {".value": 1, ".priority": 3}, ".priority": "high"}
    assert db.patch("a", {"c": 1}).status_code == 200
    assert db.get("a/.priority").json() == "high"
    assert db.delete("a/.priority").content == b"null"
    assert db.get("a", format="export").json() == {"b": {".value": 1, ".priority": 3}, "c": 1}
    for response in (db.patch("a/.priority", "{}"), db.post("a/.priority", "1")):
        assert response.status_code == 400


def test_update_can_create_a_child_and_set_a_priority(db):
    assert db.patch("a", {".priority": 1, "b": 2}).status_code == 200
    assert db.get("a", format="export").json() == {"b": 2, ".priority": 1}


def test_write_without_priority_clears_it(db):
    db.put("a", {".value": 1, ".priority": 1})
    db.put("a", 2)
    assert db.get("a", format="export").json() == 2


def test_empty_update_key_means_the_path_itself(db):
    db.put("a", {"x": 1})
    assert db.patch("a", {"": {"y": 2}}).status_code == 200
    assert db.get("a").json() == {"y": 2}


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 204), ("PUT", 204), ("POST", 204), ("PATCH", 204), ("DELETE", 204)]
)
def test_print_silent_returns_204(db, method, status):
    response = db.request(method, "a", '{"x":1}', print="silent")
    assert (response.status_code, response.content) == (status, b"")
    assert "content-type" not in response.headers


def test_print_pretty_indents(db):
    db.put("a", {"x": [1, 2], "y": {"z": True}})
    assert db.get("a", print="pretty").text == '{\n  "x" : [ 1, 2 ],\n  "y" : {\n    "z" : true\n  }\n}'


def test_errors_are_indented_with_any_print_parameter(db):
    for style in ("pretty", "silent"):
        response = db.get("a", print=style, limitToFirst="1")
        assert response.text == error("orderBy must be defined when other query parameters are defined")


def test_callback_parameter_returns_javascript(db):
    db.put("a", {"x": 1})
    response = db.get("a", callback="got.it")
    assert response.text == 'got.it({"x":1});'
    assert response.headers["content-type"] == "application/javascript; charset=utf-8"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("data.json", 'attachment; filename="data.json"'),
        ('a"b\r\nX-Evil: 1', 'attachment; filename="a_b__X-Evil: 1"'),
        ("ü.json", "attachment; filename*=UTF-8''%C3%BC.json"),
    ],
)
def test_download_parameter_sets_content_disposition(db, name, header):
    assert db.get("a", download=name).headers["content-disposition"] == header


@pytest.mark.parametrize(
    ("timeout", "status"),
    [("1ms", 200), ("15min", 200), ("10s", 200), ("0s", 400), ("16min", 400), ("10", 400), ("x", 400)],
)
def test_timeout_parameter_is_validated(db, timeout, status):
    assert db.get("a", timeout=timeout).status_code == status


@pytest.mark.parametrize(("limit", "status"), [("tiny", 200), ("unlimited", 200), ("huge", 400)])
def test_write_size_limit_parameter_is_validated(db, limit, status):
    assert db.put("a", "1", writeSizeLimit=limit).status_code == status


def test_unknown_parameters_are_ignored(db):
    assert db.put("a", "1", disableTriggers="true", ac="token", sse="true", x="y").status_code == 200


@pytest.mark.parametrize("options", [{}, {"format": "export"}])
def test_shallow_read_truncates_below_children(db, options):
    db.put("a", {"0": {"x": 1}, "1": 2})
    assert db.get("a", shallow="true", **options).json() == {"0": True, "1": True}
    assert db.get("a/1", shallow="true").content == b"2"
    assert db.get("none", shallow="true").content == b"null"
    assert db.get("a", shallow="true", print="pretty").text == '{\n  "0" : true,\n  "1" : true\n}'


def test_shallow_read_pages_by_key(db):
    db.put("a", dict.fromkeys("abcd", 1))
    assert db.get("a", shallow="true", limitToFirst="2").json() == {"a": True, "b": True}
    assert db.get("a", shallow="true", limitToFirst="2", startAfter="b").json() == {"c": True, "d": True}
    assert db.get("a", shallow="true", limitToFirst="2", startAfter='"d"').content == b"null"
    assert db.get("none", shallow="true", limitToFirst="1").content == b"null"


def test_query_without_results_returns_empty_object(db):
    db.put("a", {"x": 1, "y": 2})
    for path in ("a", "none", "a/x"):
        response = db.get(path, orderBy='"$value"', startAt="9")
        assert (response.status_code, response.content) == (200, b"{}")
    assert db.get("none", orderBy='"$key"').content == b"null"


def test_query_returns_arrays_with_null_items(db):
    db.put("a", ["a", "b", "c", "d"])
    assert db.get("a", orderBy='"$key"', limitToFirst="2").content == b'["a","b"]'
    assert db.get("a", orderBy='"$key"', startAt='"1"', endAt='"2"').content == b'[null,"b","c"]'
    assert db.get("a", orderBy='"$key"', startAt='"3"').content == b'{"3":"d"}'


def test_duplicate_order_by_is_rejected(server):
    url = f"http://{server.host}/a.json?orderBy=%22a%22&orderBy=%22b%22"
    assert requests.get(url, timeout=LIMIT).status_code == 400


def test_numbers_keep_their_type(db):
    db.put("a", "[1.0, 1.5, -0, 9223372036854775807, 9223372036854775808, 1e21, true]")
    assert db.get("a").content == b"[1,1.5,0,9223372036854775807,9.223372036854776e+18,1e+21,true]"


@pytest.mark.parametrize("path", ["a", "v0/b/x"])
def test_ns_parameter_selects_a_separate_database(server, db, path):
    url = f"http://{server.host}/{path}.json"
    for name in ("one", "two"):
        requests.put(url, params={"ns": name}, data=f'"{name}"', timeout=LIMIT)
    assert requests.get(url, params={"ns": "one"}, timeout=LIMIT).json() == "one"
    assert requests.get(url, params={"ns": "two"}, timeout=LIMIT).json() == "two"
    names = [
        entry["name"]
        for entry in requests.get(f"http://{server.host}/.inspect/databases.json?ns=x", timeout=LIMIT).json()
    ]
    assert {"one", "two"} <= set(names)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Other.firebaseio.com", "other"),
        ("other.europe-west1.firebasedatabase.app:443", "other"),
        ("127.0.0.1:9000", "demo-test-default-rtdb"),
        ("localhost", "demo-test-default-rtdb"),
    ],
)
def test_firebase_host_selects_the_database(server, host, name):
    requests.put(f"http://{server.host}/a.json", headers={"Host": host}, data="1", timeout=LIMIT)
    assert requests.get(f"http://{server.host}/a.json?ns={name}", timeout=LIMIT).json() == 1


def test_invalid_database_name_is_403(db):
    response = db.get("a", ns="a.b")
    assert (response.status_code, response.text) == (403, error("Invalid Firebase database name"))


def test_cors_allows_every_origin(server):
    response = requests.options(
        f"http://{server.host}/a.json?ns=x",
        headers={"Origin": "http://x", "Access-Control-Request-Headers": "x-firebase-etag"},
        timeout=LIMIT,
    )
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-allow-headers"] == "x-firebase-etag"
    assert response.headers["access-control-expose-headers"] == "ETag"
    assert {"GET", "PUT", "POST", "PATCH", "DELETE"} <= set(
        response.headers["access-control-allow-methods"].split(", ")
    )
    auth = requests.options(f"http://{server.host}/identitytoolkit.googleapis.com/v1/x", timeout=LIMIT)
    assert auth.status_code == 204


def test_head_returns_get_without_body(db):
    db.put("a", {"x": 1})
    response = db.request("HEAD", "a")
    assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", "7")


def test_unknown_method_is_405(db):
    assert db.request("PURGE", "a").status_code == 405


@pytest.mark.slow
def test_body_of_20_megabytes(db):
    data = {f"k{i}": "x" * 1000 for i in range(20_000)}
    assert db.put("big", data, print="silent").status_code == 204
    assert db.get("big").json() == data


def test_chunked_request_body(server):
    response = requests.put(f"http://{server.host}/a.json", data=iter([b'{"x"', b":1}"]), timeout=LIMIT)
    assert response.json() == {"x": 1}


def test_connection_is_reused(server):
    host, port = server.host.split(":")
    with socket.create_connection((host, int(port)), timeout=LIMIT) as connection:
        stream = connection.makefile("rb")
        for number in range(3):
            body = str(number).encode()
            connection.sendall(
                b"PUT /a.json HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = dict(line.split(b": ", 1) for line in iter(stream.readline, b"\r\n"))
            assert stream.read(int({k.lower(): v for k, v in headers.items()}[b"content-length"])) == body
        stream.close()


def test_incomplete_request_body_changes_nothing(server, db):
    host, port = server.host.split(":")
    db.put("a", '"before"')
    with socket.create_connection((host, int(port)), timeout=LIMIT) as connection:
        connection.sendall(b"PUT /a.json HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n1")
    assert db.get("a").json() == "before"


def test_in_process_request_gets_the_same_response(server, db):
    db.put("a", {"x": [1, 2], "n": 5})
    for path, params in (("a", ()), ("a", (("print", "pretty"),)), ("a.b", ()), ("a", (("orderBy", "x"),))):
        wire = db.get(path, **dict(params))
        inner = server.emulator.handle(Request("GET", f"http://{server.host}/{path}.json", params))
        assert (inner.status, inner.body) == (wire.status_code, wire.content)
        assert inner.headers.items() <= {name.lower(): value for name, value in wire.headers.items()}.items()


def test_query_string_in_url_and_iterable_body():
    emulator = Emulator()
    emulator.handle(Request("PUT", "http://h/a.json?ns=x&print=silent", body=[b'{"b"', b":1}"]))
    assert emulator.handle(Request("GET", "http://x.firebaseio.com/a.json")).body == b'{"b":1}'


def test_reset_deletes_data_rules_and_settings(server, db):
    owner = {"Authorization": "Bearer owner"}
    db.put("a", "1")
    db.put(".settings/rules", '{"rules":{}}', headers=owner)
    server.emulator.reset()
    assert db.get("").content == b"null"
    assert re.sub(r"\s", "", db.get(".settings/rules", headers=owner).text) == '{"rules":{".read":true,".write":true}}'


def test_rules_are_stored_as_text_for_administrators(db):
    owner = {"Authorization": "Bearer owner"}
    text = '{\n  // everybody\n  "rules": {".read": true}\n}'
    assert db.put(".settings/rules", text, headers=owner).json() == {"status": "ok"}
    assert db.get(".settings/rules", headers=owner).text == text
    assert db.get(".settings/rules", headers=owner, format="strict").json() == {"rules": {".read": True}}
    assert db.put(".settings/rules", '{"rules":{}}', headers=owner, dryRun="true").status_code == 200
    assert db.get(".settings/rules", headers=owner).text == text
    bad = db.put(".settings/rules", "{}", headers=owner)
    assert (bad.status_code, bad.text) == (400, error("1:2: Expected 'rules' property."))
    assert db.put(".settings/rules", "", headers=owner).status_code == 400
    assert db.post(".settings/rules", text, headers=owner).status_code == 405
    for response in (db.get(".settings/rules"), db.put(".settings/rules", text)):
        assert (response.status_code, response.text) == (401, error("Permission denied"))


def test_settings_are_stored(db):
    owner = {"Authorization": "Bearer owner"}
    assert db.get(".settings/defaultWriteSizeLimit", headers=owner).json() == "large"
    assert db.put(".settings/defaultWriteSizeLimit", '"small"', headers=owner).json() == "small"
    assert db.get(".settings/defaultWriteSizeLimit", headers=owner).json() == "small"
    assert db.put(".settings/defaultWriteSizeLimit", '"tiny"', headers=owner).status_code == 400
    assert db.put(".settings/strictTriggerValidation", "false", headers=owner).json() is False
    assert db.delete(".settings/strictTriggerValidation", headers=owner).status_code == 405
    assert db.get(".settings/a/b", headers=owner).status_code == 400
    assert db.get(".inspect/other").status_code == 400
