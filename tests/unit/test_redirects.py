from __future__ import annotations

import pytest

from firebase_rest.errors import NetworkError
from firebase_rest.transport.redirects import follow
from firebase_rest.transport.wire import Request


def hop(location, url="https://db.firebaseio.com/a.json", status=307, method="GET", params=(), current=None):
    origin = Request(method, url, params)
    return follow(origin, origin if current is None else Request(method, current), status, location)


@pytest.mark.parametrize("status", [307, 308])
def test_read_follows_redirects(status):
    redirect = hop("https://s-1.firebaseio.com/b.json", status=status)
    assert redirect.request.url == "https://s-1.firebaseio.com/b.json"
    assert redirect.is_authenticated


def test_relative_location_is_resolved():
    assert (
        hop("/c.json", current="https://s-1.firebaseio.com/b.json").request.url == "https://s-1.firebaseio.com/c.json"
    )


@pytest.mark.parametrize(
    ("first", "second", "signed"),
    [
        ("db.firebaseio.com", "s-1.firebaseio.com", True),
        ("DB.firebaseio.com", "S-1.FirebaseIO.com", True),
        ("db.firebaseio.com", "db.firebaseio.com:444", True),
        ("db.europe-west1.firebasedatabase.app", "s.europe-west1.firebasedatabase.app", True),
        ("firebasestorage.googleapis.com", "storage.googleapis.com", True),
        ("db.example", "db.example", True),
        ("db.example:8443", "db.example:8443", True),
        ("db.example", "db.example:8443", False),
        ("db.firebaseio.com", "db.firebasedatabase.app", False),
        ("db.firebaseio.com", "firebaseio.com", False),
        ("db.firebaseio.com", "evilfirebaseio.com", False),
        ("db.firebaseio.com", "firebaseio.com.evil.example", False),
        ("db.firebaseio.com", "127.0.0.1", False),
        ("db.firebaseio.com", "[::1]", False),
        ("db.example", "db.firebaseio.com", False),
    ],
)
def test_credentials_stay_within_the_service(first, second, signed):
    assert hop(f"https://{second}/b.json", url=f"https://{first}/a.json").is_authenticated is signed


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9001", True),
        ("http://127.0.0.1:9000", "http://localhost:9001", True),
        ("http://localhost:9000", "http://[::1]:9001", True),
        ("http://127.0.0.1:9000", "http://127.0.0.1.evil.example", False),
        ("http://127.0.0.1:9000", "http://emulator:9000", False),
        ("http://emulator:9000", "http://127.0.0.1:9000", False),
        ("https://127.0.0.1:9000", "http://127.0.0.1:9000", False),
        ("https://db.firebaseio.com", "http://db.firebaseio.com", False),
        ("https://db.firebaseio.com", "ftp://db.firebaseio.com", False),
        ("https://db.firebaseio.com", "file:///etc/passwd", False),
        ("https://db.firebaseio.com", "javascript:alert(1)", False),
    ],
)
def test_plain_http_is_followed_on_loopback_only(first, second, allowed):
    if allowed:
        assert hop(f"{second}/b.json", url=f"{first}/a.json").is_authenticated
    else:
        with pytest.raises(NetworkError, match="not followed"):
            hop(f"{second}/b.json", url=f"{first}/a.json")


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example\\.firebaseio.com/b.json",
        "https://evil.example\\@db.firebaseio.com/b.json",
        "https://evil.example%2f.firebaseio.com/",
        "https://evil.example .firebaseio.com/",
        "https://evil.example;.firebaseio.com/",
        "https://evil.example#.firebaseio.com:x/",
        "https://user:password@db.firebaseio.com/",
        "https://db.firebaseio.com:port/",
        "https://db.firebaseio.com:99999/",
        "https://[db.firebaseio.com/",
        "https://[::1%25eth0]/",
        "https://\u2024firebaseio.com/",
    ],
)
def test_ambiguous_host_gets_no_credentials(location):
    try:
        redirect = hop(location)
    except NetworkError:
        return
    assert not redirect.is_authenticated
    assert "firebaseio" not in redirect.request.url


def test_query_of_location_takes_precedence():
    redirect = hop("https://s-1.firebaseio.com/b.json?ns=x&empty=", params=(("ns", "y"), ("orderBy", '"$key"')))
    assert redirect.request.params == (("ns", "x"), ("empty", ""), ("orderBy", '"$key"'))


def test_credential_echoed_in_a_redirect_is_dropped():
    redirect = hop("https://s-1.firebaseio.com/b.json?auth=stale&access_token=stale&x=1")
    assert redirect.request.params == (("x", "1"),)


def test_no_secret_is_sent_to_another_host():
    redirect = hop("https://evil.example/b.json", params=(("key", "k"), ("ac", "t"), ("orderBy", '"a"')))
    assert redirect.request.params == (("orderBy", '"a"'),)


def test_fragment_is_dropped_and_missing_path_is_root():
    assert hop("https://s-1.firebaseio.com#x").request.url == "https://s-1.firebaseio.com/"


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_write_does_not_follow_redirects(method):
    with pytest.raises(NetworkError, match=f"redirected a {method}") as caught:
        hop("https://s-1.firebaseio.com/b.json", method=method)
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("status", [301, 302, 303])
def test_other_redirects_are_not_firebases(status):
    with pytest.raises(NetworkError, match=f"HTTP {status}"):
        hop("https://console.firebase.google.com/", status=status)
