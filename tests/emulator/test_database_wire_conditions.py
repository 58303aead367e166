"""ETags and conditional requests, following the table of the REST reference."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

TAG = {"X-Firebase-ETag": "true"}


def tag_of(db, path):
    return db.get(path, headers=TAG).headers["etag"]


def test_read_has_an_etag_only_on_request(db):
    db.put("a", {"x": 1})
    assert "etag" not in db.get("a").headers
    tag = tag_of(db, "a")
    assert len(tag) == 28
    assert '"' not in tag


def test_etag_of_missing_data_is_null_etag(db):
    assert tag_of(db, "none") == "null_etag"


def test_equal_data_has_equal_etags(db):
    db.put("a", {"x": {"y": 1}})
    first = tag_of(db, "a")
    db.put("a/x/y", 2)
    assert tag_of(db, "a") != first
    db.put("a", '{"x": {"y": 1.0}}')
    assert tag_of(db, "a") == first


def test_put_returns_the_etag_of_the_new_value(db):
    tag = db.put("a", {"x": 1, "y": None}, headers=TAG).headers["etag"]
    assert tag == tag_of(db, "a")


def test_post_returns_the_etag_of_the_new_child(db):
    response = db.post("list", {"x": 1}, headers=TAG)
    assert response.headers["etag"] == tag_of(db, f"list/{response.json()['name']}")


def test_delete_returns_null_etag(db):
    db.put("a", 1)
    response = db.delete("a", headers=TAG)
    assert (response.content, response.headers["etag"]) == (b"null", "null_etag")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_matching_condition_writes_without_etag_header(db, method):
    db.put("a", 1)
    response = db.request(method, "a", "2", headers={"if-match": tag_of(db, "a")})
    assert response.status_code == 200
    assert "etag" not in response.headers
    assert db.get("a").json() == (2 if method == "PUT" else None)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_failed_condition_returns_412_with_current_data(db, method):
    db.put("a", {"x": [1, 2]})
    response = db.request(method, "a", "2", headers={"if-match": "other"}, print="silent")
    assert (response.status_code, response.content) == (412, b'{"x":[1,2]}')
    assert response.headers["etag"] == tag_of(db, "a")
    assert db.get("a").json() == {"x": [1, 2]}


def test_null_etag_condition_means_only_if_absent(db):
    absent = {"if-match": "null_etag", **TAG}
    assert db.put("a", 1, headers=absent).status_code == 200
    response = db.put("a", 2, headers=absent)
    assert (response.status_code, response.json()) == (412, 1)


def test_condition_and_etag_header_return_the_new_etag(db):
    response = db.put("a", 1, headers={"if-match": "null_etag", **TAG})
    assert response.headers["etag"] == tag_of(db, "a")


def test_unchanged_data_is_304_without_body(db):
    db.put("a", {"x": 1})
    tag = tag_of(db, "a")
    response = db.get("a", headers={"if-none-match": tag})
    assert (response.status_code, response.content) == (304, b"")
    db.put("a", 2)
    response = db.get("a", headers={"if-none-match": tag})
    assert (response.status_code, response.content) == (200, b"2")
    assert response.headers["etag"] == tag_of(db, "a")


@pytest.mark.parametrize(
    ("method", "headers", "params"),
    [
        ("GET", {"if-match": "x"}, {}),
        ("POST", {"if-match": "x"}, {}),
        ("PATCH", {"if-match": "x"}, {}),
        ("PATCH", TAG, {}),
        ("GET", TAG, {"orderBy": '"$key"'}),
        ("GET", {"if-none-match": "x"}, {"orderBy": '"$key"', "limitToFirst": "1"}),
    ],
)
def test_unsupported_etag_request_is_400(db, method, headers, params):
    response = db.request(method, "a", '{"x":1}', headers=headers, **params)
    assert response.status_code == 400
    assert "not supported" in response.json()["error"]
    assert db.get("").json() is None


def test_shallow_read_has_the_etag_of_all_data(db):
    db.put("a", {"x": {"y": 1}})
    response = db.get("a", shallow="true", headers=TAG)
    assert response.json() == {"x": True}
    assert response.headers["etag"] == tag_of(db, "a")


def test_priority_is_part_of_the_etag(db):
    db.put("a", 1)
    plain = tag_of(db, "a")
    tag = db.put("a/.priority", 5, headers=TAG).headers["etag"]
    assert tag_of(db, "a") != plain
    assert tag_of(db, "a/.priority") == tag
    assert db.put("a/.priority", 6, headers={"if-match": tag}).status_code == 200


def test_one_of_many_conditional_writers_succeeds(db):
    def add_one(_):
        while True:
            response = db.get("n", headers=TAG)
            headers = {"if-match": response.headers["etag"]}
            if db.put("n", json.dumps((response.json() or 0) + 1), headers=headers).status_code == 200:
                return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(40)))
    assert db.get("n").json() == 40
