"""Tests written with the fixtures catch each mutation of a rules file: an operator swapped, a `!` dropped.

A mutation changes one operator of one rule. The checks below run against every mutation; at least one must fail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest

from firebase_rest.rules.errors import RulesSyntaxError
from firebase_rest.testing import FirebaseEnvironment, assert_allowed, assert_denied

SWAPS = {
    "&&": "||", "||": "&&", "==": "!=", "!=": "==", "<=": "<", ">=": ">", "<": "<=", ">": ">=", "!": "", "+": "-",
    "true": "false", "false": "true", ".exists()": ".hasChildren()", "contains": "beginsWith",
}  # fmt: skip
OPERATOR = re.compile(r"\.exists\(\)|contains|true|false|&&|\|\||==|!=|<=|>=|[<>!+]")


def mutations(text: str) -> Iterator[str]:
    """Yield the text with one operator changed, for each operator of a rule."""
    for rule in re.finditer(r'"\.(?:read|write|validate)": *("(?:[^"\\]|\\.)*"|true|false)|if ([^;]*);', text):
        group = 1 if rule[1] else 2
        for match in OPERATOR.finditer(rule[group]):
            start = rule.start(group) + match.start()
            yield text[:start] + SWAPS[match[0]] + text[start + len(match[0]) :]


COUNTER = "data.exists() && newData.val() == data.val() + 1 || !data.exists() && newData.val() == 1"
IS_MEMBER = "root.child('members/' + auth.uid).exists()"
IS_EDITOR = "root.child('members').child(auth.uid).val() == 'editor'"
OWN_ITEMS = "query.orderByChild == 'owner' && query.equalTo == auth.uid && query.limitToFirst <= 10"
MAIL = (
    "newData.child('to').val() == $to && newData.child('text').val().contains('@') "
    "&& !root.child('blocked/' + auth.uid).exists()"
)

# --- rules files and their checks ------------------------------------------------------------------------------------

Checks = Callable[[FirebaseEnvironment], None]
FILES: dict[str, tuple[str, Checks]] = {}


def checks(rules: object) -> Callable[[Checks], Checks]:
    """Register a rules file with its checks."""

    def register(function: Checks) -> Checks:
        text = rules if isinstance(rules, str) else json.dumps({"rules": rules})
        FILES[function.__name__] = text, function
        return function

    return register


@checks(
    {"users": {"$uid": {".read": "auth != null && auth.uid == $uid", ".write": "auth != null && auth.uid == $uid"}}}
)
def owner_only(firebase):
    ada, bob, guest = (firebase.as_user(uid).database().child("users/ada") for uid in ("ada", "bob", None))
    assert_allowed(ada.get)
    assert_allowed(lambda: ada.set(1))
    for other in (bob, guest):
        assert_denied(other.get)
        assert_denied(lambda other=other: other.set(1))


@checks({".read": True, ".write": "auth.token.admin == true"})
def public_read(firebase):
    assert_allowed(firebase.as_user(None).database().get)
    assert_denied(lambda: firebase.as_user("u").database().set(1))
    assert_allowed(lambda: firebase.as_user("u", admin=True).database().set(1))


@checks({"posts": {"$id": {".write": "!data.exists() && newData.child('author').val() == auth.uid"}}})
def create_once(firebase):
    post = firebase.as_user("ada").database().child("posts/p")
    assert_denied(lambda: post.set({"author": "bob"}))
    assert_allowed(lambda: post.set({"author": "ada"}))
    assert_denied(lambda: post.set({"author": "ada"}))
    firebase.seed("a text", "posts/p")
    assert_denied(lambda: post.set({"author": "ada"}))


@checks({"n": {".write": True, ".validate": "newData.isNumber() && newData.val() >= 0 && newData.val() < 10"}})
def number_range(firebase):
    number = firebase.as_user(None).database().child("n")
    for value in (0, 9.5):
        assert_allowed(lambda value=value: number.set(value))
    for value in (-1, 10, "5", True):
        assert_denied(lambda value=value: number.set(value))


@checks(
    {"text": {".write": True, ".validate": "newData.isString() && newData.val().length <= 5 && newData.val() != ''"}}
)
def text_length(firebase):
    text = firebase.as_user(None).database().child("text")
    for value in ("a", "abcde"):
        assert_allowed(lambda value=value: text.set(value))
    for value in ("", "abcdef", 5):
        assert_denied(lambda value=value: text.set(value))


@checks({"count": {".write": True, ".validate": COUNTER}})
def counter(firebase):
    count = firebase.as_user(None).database().child("count")
    assert_denied(lambda: count.set(2))
    assert_allowed(lambda: count.set(1))
    assert_allowed(lambda: count.set(2))
    for value in (1, 2, 4):
        assert_denied(lambda value=value: count.set(value))


@checks({"at": {".write": True, ".validate": "newData.val() == now && newData.isNumber()"}})
def server_timestamp(firebase):
    at = firebase.as_user(None).database().child("at")
    assert_allowed(lambda: at.set({".sv": "timestamp"}))
    now = firebase.read("at")
    assert_denied(lambda: at.set(now + 60_000))
    assert_denied(lambda: at.set(now - 1))


@checks(
    {
        "members": {".read": "auth != null"},
        "room": {".read": IS_MEMBER, ".write": IS_EDITOR},
    }
)
def members_of_a_room(firebase):
    firebase.seed({"members": {"ada": "editor", "bob": "reader"}})
    ada, bob, eve, guest = (firebase.as_user(uid).database() for uid in ("ada", "bob", "eve", None))
    assert_allowed(ada.child("members").get)
    assert_denied(guest.child("members").get)
    for user in (ada, bob):
        assert_allowed(user.child("room").get)
    assert_denied(eve.child("room").get)
    assert_allowed(lambda: ada.child("room").set(1))
    for user in (bob, eve):
        assert_denied(lambda user=user: user.child("room").set(1))


@checks({"items": {".read": OWN_ITEMS, ".indexOn": "owner"}})
def query_based(firebase):
    items = firebase.as_user("ada").database().child("items")
    assert_allowed(items.order_by_child("owner").equal_to("ada").limit_to_first(10).get)
    assert_denied(items.order_by_child("owner").equal_to("ada").limit_to_first(11).get)
    assert_denied(items.order_by_child("owner").equal_to("bob").limit_to_first(10).get)
    assert_denied(items.order_by_key().equal_to("ada").limit_to_first(10).get)


@checks({"mail": {"$to": {".write": MAIL}}})
def mail(firebase):
    firebase.seed({"blocked": {"eve": True}})
    ada, eve = (firebase.as_user(uid).database().child("mail/bob") for uid in ("ada", "eve"))
    assert_allowed(lambda: ada.set({"to": "bob", "text": "me@here"}))
    assert_denied(lambda: ada.set({"to": "eve", "text": "me@here"}))
    assert_denied(lambda: ada.set({"to": "bob", "text": "me"}))
    assert_denied(lambda: eve.set({"to": "bob", "text": "me@here"}))


@checks("""
rules_version = '2';
service firebase.storage {
  match /b/{bucket}/o {
    match /users/{uid}/{file} {
      allow read: if request.auth != null && request.auth.uid == uid || resource.metadata.public == 'yes';
      allow create: if request.auth.uid == uid && request.resource.size <= 3 && !(resource != null);
      allow delete: if request.auth.uid == uid && resource.size > 1;
    }
  }
}
""")
def storage(firebase):
    firebase.seed_file("users/ada/a", b"xyz")
    firebase.seed_file("users/ada/one", b"x")
    firebase.seed_file("users/ada/public", b"x", metadata={"public": "yes"})
    ada, bob, guest = (firebase.as_user(uid).storage().child("users/ada") for uid in ("ada", "bob", None))
    assert_allowed(ada.child("a").get_bytes)
    for user in (bob, guest):
        assert_denied(user.child("a").get_bytes)
        assert_allowed(user.child("public").get_bytes)
    assert_allowed(lambda: ada.child("new").put(b"xyz"))
    assert_denied(lambda: ada.child("new").put(b"xyz"))
    assert_denied(lambda: ada.child("big").put(b"wxyz"))
    assert_denied(lambda: bob.child("other").put(b"xyz"))
    assert_denied(ada.child("one").delete)
    assert_denied(bob.child("a").delete)
    assert_allowed(ada.child("a").delete)


def passes(firebase: FirebaseEnvironment, text: str, check: Checks) -> bool:
    firebase.reset()
    try:
        firebase.load_rules(text)
        check(firebase)
    except (AssertionError, RulesSyntaxError):
        return False
    return True


@pytest.mark.parametrize("name", FILES)
def test_every_mutation_is_caught(firebase, name):
    text, check = FILES[name]
    assert passes(firebase, text, check)
    mutants = list(mutations(text))
    assert len(mutants) >= 2
    survivors = [mutant for mutant in mutants if passes(firebase, mutant, check)]
    assert survivors == []
