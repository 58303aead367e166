"""`assert_allowed`, `assert_denied` and the environment that they use."""

from __future__ import annotations

import os
import re
import time

import pytest
import requests

import firebase_rest
from firebase_rest.emulator import Emulator
from firebase_rest.testing import FirebaseEnvironment, assert_allowed, assert_denied

RULES = """{
  "rules": {
    "users": {
      "$uid": {
        ".read": "auth != null && auth.uid == $uid || auth.token.admin == true",
        ".write": "auth != null && auth.uid == $uid",
        "age": {".validate": "newData.isNumber() && newData.val() >= 0"}
      }
    }
  }
}"""


@pytest.fixture
def rules(firebase):
    firebase.load_rules(RULES)


def test_assert_allowed_returns_the_result(firebase, rules):
    firebase.seed({"users": {"ada": {"age": 36}}})
    ada = firebase.as_user("ada").database()
    assert assert_allowed(lambda: ada.child("users/ada/age").get()).val() == 36
    assert_allowed(lambda: ada.child("users/ada/age").set(37))
    assert firebase.read("users/ada/age") == 37


@pytest.mark.parametrize("check", [assert_allowed, assert_denied])
def test_assertions_require_a_function(firebase, rules, check):
    with pytest.raises(TypeError, match=r"^Expected a function, got Snapshot; write lambda: before the call\.$"):
        check(firebase.as_user("ada").database().child("users/ada").get())


def test_assert_allowed_names_the_rule_and_its_values(firebase, rules):
    bob = firebase.as_user("bob").database()
    with pytest.raises(AssertionError) as caught:
        assert_allowed(lambda: bob.child("users/ada").get())
    text = str(caught.value)
    assert text.startswith("Expected the rules to allow the action.\nread /users/ada is denied.")
    assert ".read of /users/$uid (line 5) at /users/ada: false" in text
    assert "auth.uid = 'bob'" in text
    assert "$uid = 'ada'" in text
    assert isinstance(caught.value.__cause__, firebase_rest.PermissionDenied)


def test_assert_allowed_names_the_validate_rule(firebase, rules):
    ada = firebase.as_user("ada").database()
    with pytest.raises(
        AssertionError, match=re.escape(".validate of /users/$uid/age (line 7) at /users/ada/age: false")
    ):
        assert_allowed(lambda: ada.child("users/ada/age").set(-1))


def test_assert_denied_names_the_rule_that_allowed(firebase, rules):
    admin = firebase.as_user("root", admin=True).database()
    with pytest.raises(AssertionError) as caught:
        assert_denied(lambda: admin.child("users/ada").get())
    assert str(caught.value).startswith("Expected the rules to deny the action.\nread /users/ada is allowed.")
    assert "auth.token.admin = True" in str(caught.value)


def test_assert_denied_passes_for_unauthenticated_clients_and_wrong_users(firebase, rules):
    assert_denied(lambda: firebase.as_user(None).database().child("users/ada").get())
    assert_denied(lambda: firebase.as_user("bob").database().child("users/ada").set({"age": 1}))
    assert_denied(lambda: firebase.as_user("ada").database().child("users/ada").set({"age": "x"}))


def test_assertions_work_with_any_client(firebase, rules):
    url = f"http://{firebase.server.host}/users/ada.json"
    token = firebase.as_user("ada").token
    assert assert_allowed(lambda: requests.get(url, params={"auth": token}, timeout=10)).json() is None
    assert_denied(lambda: requests.get(url, timeout=10))


def test_action_without_a_decision_fails(firebase, rules):
    for check in (assert_allowed, assert_denied):
        with pytest.raises(AssertionError, match="no request that security rules apply to"):
            check(firebase.read)


def test_other_errors_of_the_action_are_raised(firebase, rules):
    for check in (assert_allowed, assert_denied):
        with pytest.raises(ZeroDivisionError):
            check(lambda: 1 / 0)


def test_assertions_without_an_environment_explain_what_to_use(monkeypatch):
    monkeypatch.setattr("firebase_rest.testing.environment._environments", [])
    with pytest.raises(RuntimeError, match="use the fixture firebase_emulator or FirebaseTestCase"):
        assert_allowed(lambda: None)


def test_reset_removes_rules_data_users_files_and_moves_the_clock_back(firebase, rules):
    firebase.seed({"a": 1})
    firebase.seed_file("a.txt", b"content")
    firebase.clock.advance(10_000)
    firebase.reset()
    assert firebase.read() is None
    assert firebase.app.database().get().val() is None
    assert [item.name for item in firebase.app.storage().list_files()] == []
    assert abs(firebase.clock() - time.time()) < 5


def test_reset_takes_less_than_a_millisecond(firebase, rules):
    firebase.seed({"a": {str(n): n for n in range(1000)}})
    times = []
    for _ in range(20):
        start = time.perf_counter()
        firebase.emulator.reset()
        times.append(time.perf_counter() - start)
    assert sorted(times)[10] < 0.001


def test_rules_are_loaded_from_a_path(firebase, tmp_path, monkeypatch):
    (tmp_path / "database.rules.json").write_text(RULES)
    firebase.load_rules(tmp_path / "database.rules.json")
    monkeypatch.chdir(tmp_path)
    firebase.load_rules("database.rules.json")
    assert_denied(lambda: firebase.app.database().get())
    with pytest.raises(FileNotFoundError):
        firebase.load_rules("missing.json")


def test_clock_expires_tokens(firebase, rules):
    ada = firebase.as_user("ada").database()
    assert_allowed(lambda: ada.child("users/ada").get())
    firebase.clock.advance(3601)
    with pytest.raises(firebase_rest.TokenExpired):
        ada.child("users/ada").get()


def test_seeded_file_has_type_and_metadata(firebase):
    firebase.seed_file("notes/a b.txt", b"text", content_type="text/plain", metadata={"owner": "ada"})
    file = firebase.app.storage().child("notes/a b.txt")
    assert file.get_bytes() == b"text"
    metadata = file.get_metadata()
    assert (metadata["contentType"], metadata["metadata"]) == ("text/plain", {"owner": "ada"})


def test_environment_variables_are_restored():
    before = dict(os.environ)
    inner = FirebaseEnvironment("demo-other")
    assert os.environ["FIREBASE_DATABASE_EMULATOR_HOST"] == inner.server.host
    inner.close()
    assert dict(os.environ) == before


def test_emulator_can_be_passed(firebase):
    emulator = Emulator(database_rules='{"rules": {}}')
    with emulator.serve() as server:
        url = f"http://{server.host}/a.json"
        assert_denied(lambda: requests.get(url, timeout=10), emulator)


def test_user_has_the_claims_of_the_account(firebase):
    firebase.load_rules('{"rules": {"$claim": {".read": "auth.token[$claim] == root.child($claim).val()"}}}')
    claims = {"email": "ada@example.com", "email_verified": True, "name": "Ada", "phone_number": "+15555550100"}
    firebase.seed({**claims, "role": "editor"})
    firebase.as_user("ada")
    ada = firebase.as_user("ada", **claims, role="editor").database()
    for name, value in {**claims, "role": "editor"}.items():
        assert assert_allowed(lambda name=name: ada.child(name).get()).val() == value
    assert firebase.app.auth().get_account_info(firebase.as_user("ada").token)["users"][0]["displayName"] == "Ada"
