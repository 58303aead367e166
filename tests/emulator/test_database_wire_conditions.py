"""ETags and conditional requests: the table of the REST reference, line by line."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

TAG = {"X-Firebase-ETag": "true"}


def tag_of(db, path):
    return db.get(path, headers=TAG).headers["etag"]


def test_a_read_carries_a_tag_only_when_asked(db):
    db.put("a", {"x": 1})
    assert "etag" not in db.get("a").headers
    tag = tag_of(db, "a")
    assert len(tag) == 28
    assert '"' not in tag


def test_nothing_has_the_tag_null_etag(db):
    assert tag_of(db, "none") == "null_etag"


def test_equal_data_has_equal_tags_and_a_change_below_changes_the_parents(db):
    db.put("a", {"x": {"y": 1}})
    first = tag_of(db, "a")
    db.put("a/x/y", 2)
    assert tag_of(db, "a") != first
    db.put("a", '{"x": {"y": 1.0}}')
    assert tag_of(db, "a") == first


def test_a_put_answers_the_tag_of_what_it_wrote(db):
    tag = db.put("a", {"x": 1, "y": None}, headers=TAG).headers["etag"]
    assert tag == tag_of(db, "a")


def test_a_post_answers_the_tag_of_the_new_child(db):
    answer = db.post("list", {"x": 1}, headers=TAG)
    assert answer.headers["etag"] == tag_of(db, f"list/{answer.json()['name']}")


def test_a_delete_answers_null_etag(db):
    db.put("a", 1)
    answer = db.delete("a", headers=TAG)
    assert (answer.content, answer.headers["etag"]) == (b"null", "null_etag")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_write_whose_condition_holds_is_made_without_a_tag(db, method):
    db.put("a", 1)
    answer = db.request(method, "a", "2", headers={"if-match": tag_of(db, "a")})
    assert answer.status_code == 200
    assert "etag" not in answer.headers
    assert db.get("a").json() == (2 if method == "PUT" else None)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_write_whose_condition_fails_answers_412_with_what_is_there(db, method):
    db.put("a", {"x": [1, 2]})
    answer = db.request(method, "a", "2", headers={"if-match": "other"}, print="silent")
    assert (answer.status_code, answer.content) == (412, b'{"x":[1,2]}')
    assert answer.headers["etag"] == tag_of(db, "a")
    assert db.get("a").json() == {"x": [1, 2]}


def test_null_etag_means_only_if_absent(db):
    absent = {"if-match": "null_etag", **TAG}
    assert db.put("a", 1, headers=absent).status_code == 200
    answer = db.put("a", 2, headers=absent)
    assert (answer.status_code, answer.json()) == (412, 1)


def test_both_headers_give_the_new_tag(db):
    answer = db.put("a", 1, headers={"if-match": "null_etag", **TAG})
    assert answer.headers["etag"] == tag_of(db, "a")


def test_an_unchanged_place_is_304_without_a_body(db):
    db.put("a", {"x": 1})
    tag = tag_of(db, "a")
    answer = db.get("a", headers={"if-none-match": tag})
    assert (answer.status_code, answer.content) == (304, b"")
    db.put("a", 2)
    answer = db.get("a", headers={"if-none-match": tag})
    assert (answer.status_code, answer.content) == (200, b"2")
    assert answer.headers["etag"] == tag_of(db, "a")


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
def test_a_tag_where_none_is_supported_is_400(db, method, headers, params):
    answer = db.request(method, "a", '{"x":1}', headers=headers, **params)
    assert answer.status_code == 400
    assert "not supported" in answer.json()["error"]
    assert db.get("").json() is None


def test_a_shallow_read_has_the_tag_of_everything(db):
    db.put("a", {"x": {"y": 1}})
    answer = db.get("a", shallow="true", headers=TAG)
    assert answer.json() == {"x": True}
    assert answer.headers["etag"] == tag_of(db, "a")


def test_a_priority_is_part_of_the_tag_and_has_one_of_its_own(db):
    db.put("a", 1)
    plain = tag_of(db, "a")
    tag = db.put("a/.priority", 5, headers=TAG).headers["etag"]
    assert tag_of(db, "a") != plain
    assert tag_of(db, "a/.priority") == tag
    assert db.put("a/.priority", 6, headers={"if-match": tag}).status_code == 200


def test_of_many_conditional_writers_one_wins_each_round(db):
    def add_one(_):
        while True:
            answer = db.get("n", headers=TAG)
            headers = {"if-match": answer.headers["etag"]}
            if db.put("n", json.dumps((answer.json() or 0) + 1), headers=headers).status_code == 200:
                return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(40)))
    assert db.get("n").json() == 40
