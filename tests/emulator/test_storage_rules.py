"""Enforcement of security rules in Storage."""

from __future__ import annotations

import json

import pytest
import requests

import firebase_rest
from firebase_rest.emulator import Emulator
from firebase_rest.rules.errors import RulesSyntaxError
from firebase_rest.testing import FirebaseEnvironment, assert_allowed, assert_denied

RULES = """
rules_version = '2';
service firebase.storage {
  function isOwner(uid) {
    return request.auth != null && request.auth.uid == uid;
  }
  match /b/{bucket}/o {
    match /users/{uid}/{file=**} {
      allow read: if isOwner(uid);
      allow create: if isOwner(uid) && request.resource.size < 100
                    && request.resource.contentType.matches('image/(png|jpeg)');
      allow update: if isOwner(uid) && request.resource.metadata.keys().hasOnly(['title']);
      allow delete: if isOwner(uid) && resource.timeCreated < request.time - duration.value(1, 'h');
    }
    match /public/{name} { allow get; }
    match /once/{name} { allow create: if resource == null; }
    match /firestore/{name} {
      allow read: if firestore.get(/databases/(default)/documents/users/$(request.auth.uid)).data.admin;
    }
  }
}
"""


@pytest.fixture(scope="module")
def environment():
    environment = FirebaseEnvironment()
    yield environment
    environment.close()


@pytest.fixture
def firebase(environment):
    environment.reset()
    environment.load_rules(RULES)
    return environment


def upload(user, name, content=b"x", content_type="image/png"):
    return lambda: user.storage().child(name).put(content, content_type=content_type)


def test_only_the_owner_can_read(firebase):
    firebase.seed_file("users/ada/deep/a.png", b"content")
    ada, bob, anonymous = firebase.as_user("ada"), firebase.as_user("bob"), firebase.as_user(None)
    assert assert_allowed(lambda: ada.storage().child("users/ada/deep/a.png").get_bytes()) == b"content"
    for user in (bob, anonymous):
        assert_denied(lambda user=user: user.storage().child("users/ada/deep/a.png").get_bytes())
        assert_denied(lambda user=user: user.storage().child("users/ada/deep/a.png").get_metadata())


def test_upload_is_checked_for_size_and_type(firebase):
    ada = firebase.as_user("ada")
    assert_allowed(upload(ada, "users/ada/a.png"))
    assert_denied(upload(ada, "users/ada/a.png", b"x" * 100))
    assert_denied(upload(ada, "users/ada/a.png", content_type="image/gif"))
    assert_denied(upload(firebase.as_user("bob"), "users/ada/a.png"))
    assert_denied(upload(ada, "elsewhere.png"))


def test_update_and_delete_see_both_resources(firebase):
    firebase.seed_file("users/ada/a.png", b"x")
    file = firebase.as_user("ada").storage().child("users/ada/a.png")
    assert_allowed(lambda: file.update_metadata({"metadata": {"title": "Sea"}}))
    assert_denied(lambda: file.update_metadata({"metadata": {"title": "Sea", "extra": "x"}}))
    assert_denied(file.delete)
    firebase.clock.advance(3590)
    assert_denied(file.delete)


def test_delete_after_an_hour(firebase):
    firebase.seed_file("users/ada/a.png", b"x")
    firebase.clock.advance(3601)
    assert_allowed(lambda: firebase.as_user("ada").storage().child("users/ada/a.png").delete())


def test_overwrite_is_create_with_the_existing_resource(firebase):
    user = firebase.as_user("ada")
    assert_allowed(upload(user, "once/a"))
    assert_denied(upload(user, "once/a"))


def test_list_rule_gets_the_prefix(firebase):
    firebase.seed_file("users/ada/a.png", b"x")
    ada = firebase.as_user("ada")
    assert_allowed(lambda: list(ada.storage().child("users/ada/").list_files()))
    assert_denied(lambda: list(ada.storage().child("users/bob/").list_files()))
    assert_denied(lambda: list(ada.storage().list_files()))
    assert_denied(lambda: list(ada.storage().child("public/").list_files()))


def test_download_token_and_administrators_bypass_rules(firebase):
    firebase.seed_file("users/ada/a.png", b"content")
    file = firebase.as_user("ada").storage().child("users/ada/a.png")
    url = file.get_url(file.get_metadata()["downloadTokens"])
    firebase.emulator.decisions.clear()
    assert requests.get(url, timeout=10).content == b"content"
    assert not firebase.emulator.decisions
    gcs = f"http://{firebase.server.host}/storage/v1/b/{firebase.server.config['storageBucket']}/o"
    assert requests.get(gcs, timeout=10).json()["items"][0]["name"] == "users/ada/a.png"


def test_resumable_upload_is_denied_when_it_ends(firebase, tmp_path):
    path = tmp_path / "big.png"
    path.write_bytes(b"x" * 600_000)
    with pytest.raises(firebase_rest.PermissionDenied):
        firebase.as_user("ada").storage().child("users/ada/big.png").upload(path).run()


def test_firestore_functions_are_reported_as_unsupported(firebase):
    with pytest.raises(AssertionError, match=r"firestore\.get\(\) and firestore\.exists\(\) are not supported"):
        assert_allowed(lambda: firebase.as_user("ada").storage().child("firestore/a").get_bytes())


def test_decision_is_explained(firebase):
    assert_denied(lambda: firebase.as_user("bob").storage().child("users/ada/a.png").get_bytes())
    text = firebase.emulator.decisions[-1].explain()
    assert text.startswith("get /b/")
    assert "/o/users/ada/a.png is denied." in text
    assert "allow read of /b/{bucket}/o/users/{uid}/{file=**} (line 9)" in text
    assert "request.auth.uid = 'bob'" in text
    assert "request.auth.uid == uid = False" in text


VERSION_1 = "service firebase.storage { match /b/{b}/o { match /{f=**} { allow read, write; } } }"


def test_list_needs_version_2(firebase):
    firebase.load_rules(VERSION_1)
    url = f"http://{firebase.server.host}/v0/b/{firebase.server.config['storageBucket']}/o"
    response = requests.get(url, timeout=10)
    assert response.status_code == 400
    message = response.json()["error"]["message"]
    assert message.startswith('Listing objects in a bucket is disallowed for rules_version = "1".')


def put_rules(server, *contents):
    files = [{"name": "storage.rules", "content": text} for text in contents]
    url = f"http://{server.host}/internal/setRules"
    return requests.put(url, json={"rules": {"files": files}}, timeout=10)


def test_rules_are_published_as_in_the_official_emulator():
    with Emulator().serve() as server:
        url = f"http://{server.host}/v0/b/bucket/o?name=a"
        assert requests.post(url, data=b"x", timeout=10).status_code == 200
        response = put_rules(server, RULES)
        assert (response.status_code, response.json()) == (200, {"message": "Rules updated successfully"})
        assert requests.post(url, data=b"x", timeout=10).status_code == 403
        server.emulator.reset()
        assert requests.post(url, data=b"x", timeout=10).status_code == 200


def test_invalid_rules_are_rejected_with_line_and_column():
    with Emulator(storage_rules=RULES).serve() as server:
        response = put_rules(server, "service firebase.storage {\n  allow read;\n}")
        assert response.status_code == 400
        assert response.json()["message"] == "There was an error updating rules, see logs for more details"
        assert response.json()["error"]["message"] == "2:3: Unexpected 'allow'."
        assert put_rules(server).status_code == 400
        assert put_rules(server, RULES, RULES).status_code == 400
        address = f"http://{server.host}/internal/setRules"
        assert requests.put(address, data=b"{", timeout=10).status_code == 400
        assert requests.post(address, data=b"{}", timeout=10).status_code == 405
        assert requests.post(f"http://{server.host}/v0/b/bucket/o?name=a", data=b"x", timeout=10).status_code == 403


ARRAY = "Request body must include 'rules.files' array"
MEMBER = "Each member of 'rules.files' array must contain 'name' and 'content'"
MEMBER_OF_SEVERAL = "Each member of 'rules.files' array must contain 'name', 'content', and 'resource'"
FILE = {"name": "a", "content": RULES}


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({}, ARRAY),
        ({"files": []}, ARRAY),
        ({"files": "x"}, ARRAY),
        ({"files": [{"content": RULES}]}, MEMBER),
        ({"files": [{"name": "a"}]}, MEMBER),
        ({"files": [{"name": "a", "content": 1}]}, MEMBER),
        ({"files": ["x"]}, MEMBER),
        ({"files": [{**FILE, "resource": "b"}, FILE]}, MEMBER_OF_SEVERAL),
        ({"files": [FILE, {"name": "a", "resource": "b"}]}, MEMBER_OF_SEVERAL),
    ],
)
def test_incomplete_rules_are_rejected_as_in_the_official_emulator(rules, message):
    with Emulator().serve() as server:
        response = requests.put(f"http://{server.host}/internal/setRules", json={"rules": rules}, timeout=10)
        assert (response.status_code, response.json()["message"]) == (400, message)
        assert requests.post(f"http://{server.host}/v0/b/b/o?name=a", data=b"x", timeout=10).status_code == 200


def test_buckets_can_have_their_own_rules(tmp_path):
    closed = "service firebase.storage { match /b/{b}/o { match /{p=**} { allow write: if false; } } }"
    opened = closed.replace("false", "true")
    texts = {"open": opened, "closed": closed}
    files = [{"name": "storage.rules", "resource": name, "content": text} for name, text in texts.items()]

    def statuses(server):
        return [
            requests.post(f"http://{server.host}/v0/b/{bucket}/o?name=a", data=b"x", timeout=10).status_code
            for bucket in ("open", "closed", "other")
        ]

    with Emulator(data=tmp_path) as emulator, emulator.serve() as server:
        url = f"http://{server.host}/internal/setRules"
        broken = [files[0], {**files[1], "content": "x"}]
        assert requests.put(url, json={"rules": {"files": broken}}, timeout=10).status_code == 400
        assert statuses(server) == [200, 200, 200]
        assert requests.put(url, json={"rules": {"files": files}}, timeout=10).status_code == 200
        assert statuses(server) == [200, 403, 403]
    with Emulator(data=tmp_path) as emulator, emulator.serve() as server:
        assert statuses(server) == [200, 403, 403]


def test_invalid_rules_in_the_constructor_raise():
    with pytest.raises(RulesSyntaxError, match=r"1:1: Expected 'service firebase.storage'"):
        Emulator(storage_rules="match /b { }")


def test_rules_type_is_detected_from_the_content(firebase):
    firebase.load_rules(json.dumps({"rules": {".read": False}}), VERSION_1)
    assert_denied(lambda: firebase.as_user("ada").database().get())
    assert_allowed(upload(firebase.as_user("ada"), "any"))
