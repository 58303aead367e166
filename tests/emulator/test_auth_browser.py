"""Sign-in in the local browser, with the provider pages of our emulator."""

from __future__ import annotations

import dataclasses
import socket
import subprocess
import sys
from queue import Queue
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from emulator.accounts import auth_environment
from firebase_rest import (
    InvalidContinueUrl,
    InvalidCredentials,
    InvalidResponse,
    NetworkTimeout,
    SignInCancelled,
    UsageError,
)
from firebase_rest.auth.loopback import CallbackServer
from firebase_rest.auth.providers import AuthUri
from support.waiting import LIMIT


@pytest.fixture
def env(monkeypatch):
    with auth_environment(monkeypatch) as environment:
        yield environment


def browse(uri):
    """A browser whose user gives every consent."""
    return requests.get(uri, timeout=LIMIT)


def test_google_sign_in_uses_pkce(env):
    pages = []

    def browser(uri):
        pages.append(parse_qs(urlsplit(uri).query))
        browse(uri)

    user = env.auth.sign_in_with_google("client", "secret", login_hint="ada@example.com", open_browser=browser)
    assert user["email"] == "ada@example.com"
    assert user["providerId"] == "google.com"
    [page] = pages
    assert page["code_challenge_method"] == ["S256"]
    assert page["redirect_uri"][0].startswith("http://127.0.0.1:")
    verifier = parse_qs(next(r.body for r in env.sent if r.path_url == "/oauth2.googleapis.com/token").decode())
    assert len(verifier["code_verifier"][0]) >= 43
    assert verifier["code_verifier"][0] not in str(page)


def test_google_can_be_linked_to_a_user(env):
    session = env.auth.session(env.auth.sign_in_anonymous())
    env.auth.sign_in_with_google("client", user=session, open_browser=browse)
    assert session.claims["firebase"]["sign_in_provider"] == "google.com"


def test_provider_sign_in_in_the_browser(env):
    user = env.auth.sign_in_with_browser("oidc.mine", parameters={"login_hint": "b@x.org"}, open_browser=browse)
    assert user["providerId"] == "oidc.mine"
    assert user["email"] == "b@x.org"
    session = env.someone("c@example.com")
    env.auth.sign_in_with_browser("github.com", user=session, open_browser=browse)
    assert env.auth.get_account_info(session)["users"][0]["providerUserInfo"][0]["providerId"] == "password"
    assert session.claims["firebase"]["identities"].keys() == {"email", "github.com"}


def test_stored_auth_uri_finishes_with_callback(env):
    started = env.auth.auth_uri("google.com", "https://example.com/back", scopes=["email", "profile"])
    assert started.uri not in repr(started)
    assert started.session_id not in repr(started)
    saved = dataclasses.asdict(started)
    callback = requests.get(started.uri, allow_redirects=False, timeout=LIMIT).headers["location"]
    assert callback.startswith("https://example.com/back?")
    user = env.auth.finish_sign_in(AuthUri(**saved), callback)
    assert user["providerId"] == "google.com"
    with pytest.raises(InvalidCredentials) as again:
        env.auth.finish_sign_in(started, callback)
    assert parse_qs(urlsplit(callback).query)["code"][0] not in repr(again.value) + str(again.value)


def test_callback_of_other_sign_in_is_rejected_before_sending(env):
    mine, other = (env.auth.auth_uri("google.com", "https://example.com/back") for _ in range(2))
    callback = requests.get(other.uri, allow_redirects=False, timeout=LIMIT).headers["location"]
    env.sent.clear()
    with pytest.raises(UsageError, match="state"):
        env.auth.finish_sign_in(mine, callback)
    assert env.sent == []


def test_denied_consent_raises_sign_in_cancelled(env):
    started = env.auth.auth_uri("google.com", "https://example.com/back")
    callback = f"https://example.com/back?error=access_denied&state={started.state}"
    with pytest.raises(SignInCancelled) as error:
        env.auth.finish_sign_in(started, callback)
    assert error.value.code == "access_denied"


@pytest.mark.parametrize(
    "forged", [{"code": "forged", "state": "forged"}, {"code": "forged"}, {"error": "access_denied"}]
)
def test_callback_with_wrong_state_gets_error_page(env, forged):
    pages = Queue()

    def browser(uri):
        redirect = parse_qs(urlsplit(uri).query)["redirect_uri"][0]
        pages.put(requests.get(redirect, params=forged, timeout=LIMIT))
        pages.put(browse(uri))

    user = env.auth.sign_in_with_google("client", open_browser=browser, timeout=LIMIT)
    assert user["providerId"] == "google.com"
    rejected, last = pages.get(timeout=LIMIT), pages.get(timeout=LIMIT)
    assert (rejected.status_code, "Not signed in" in rejected.text) == (400, True)
    assert "go back to the program" in last.text
    assert "Signed in" not in last.text, "the exchange is still to come"


def test_forged_callbacks_do_not_end_the_wait(env):
    def browser(uri):
        redirect = parse_qs(urlsplit(uri).query)["redirect_uri"][0]
        requests.get(redirect, params={"code": "forged", "state": "forged"}, timeout=LIMIT)

    with pytest.raises(NetworkTimeout):
        env.auth.sign_in_with_browser("github.com", open_browser=browser, timeout=0.5)


def test_rejection_has_a_separate_page(env):
    pages = Queue()

    def browser(uri):
        query = parse_qs(urlsplit(uri).query)
        no = {"error": "access_denied", "state": query["state"][0]}
        pages.put(requests.get(query["redirect_uri"][0], params=no, timeout=LIMIT))

    with pytest.raises(SignInCancelled):
        env.auth.sign_in_with_google("client", open_browser=browser, timeout=LIMIT)
    assert "You are not signed in" in pages.get(timeout=LIMIT).text


def test_wait_ends_with_network_timeout(env):
    with pytest.raises(NetworkTimeout, match=r"0\.05 s"):
        env.auth.sign_in_with_google("client", timeout=0.05, open_browser=lambda uri: None)


def callback_server(browser):
    """A server that opens the URL that `browser` returns."""
    return CallbackServer(open_browser=lambda uri: browser()(uri), timeout=LIMIT)  # noqa: PLW0108 - defined later


def test_other_requests_are_not_the_callback():
    with callback_server(lambda: browser) as receiver:

        def browser(_uri):
            assert requests.get(receiver.url + "favicon.ico", timeout=LIMIT).status_code == 404
            assert b"location.hash" in requests.get(receiver.url, timeout=LIMIT).content
            requests.post(receiver.url, data={"code": "c", "state": "s"}, timeout=LIMIT)

        assert receiver.wait("") == (receiver.url, "code=c&state=s")
        assert receiver.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("port", ["8080", 70_000, -1, 80.0])
def test_invalid_port_is_rejected(port):
    with pytest.raises(UsageError, match="port"):
        CallbackServer(port)


def test_port_in_use_is_named():
    with CallbackServer() as receiver, pytest.raises(UsageError, match="port"):
        CallbackServer(urlsplit(receiver.url).port)


def test_silent_connection_does_not_delay_callback():
    with (
        callback_server(lambda: browser) as receiver,
        socket.create_connection(("127.0.0.1", urlsplit(receiver.url).port)),
    ):

        def browser(_uri):
            requests.get(receiver.url, params={"code": "c"}, timeout=LIMIT)

        assert receiver.wait("")[0].endswith("?code=c")


def failing(uri):
    raise RuntimeError(uri)


@pytest.mark.parametrize("open_browser", [lambda uri: False, failing])
def test_missing_browser_raises_at_once(env, open_browser):
    with pytest.raises(UsageError, match="open_browser=print"):
        env.auth.sign_in_with_google("client", open_browser=open_browser)


def test_first_callback_wins():
    with callback_server(lambda: browser) as receiver:

        def browser(_uri):
            for code in ("first", "second"):
                requests.get(receiver.url, params={"code": code}, timeout=LIMIT)

        assert receiver.wait("")[0].endswith("?code=first")


def test_google_token_with_wrong_nonce_is_rejected(env):
    def browser(uri):
        nonce = parse_qs(urlsplit(uri).query)["nonce"][0]
        browse(uri.replace(nonce, "another"))

    with pytest.raises(InvalidResponse, match="nonce"):
        env.auth.sign_in_with_google("client", open_browser=browser)
    assert not any("signInWithIdp" in path for path in env.paths())


@pytest.mark.parametrize("other", ["of-another-client", "%C3%A9"])
def test_stolen_code_is_useless_without_verifier(env, other):
    def browser(uri):
        challenge = parse_qs(urlsplit(uri).query)["code_challenge"][0]
        browse(uri.replace(challenge, other))

    with pytest.raises(InvalidCredentials, match="invalid_grant") as caught:
        env.auth.sign_in_with_google("client", open_browser=browser)
    assert caught.value.code == "invalid_grant"
    assert caught.value.message == "Google rejected the authorization code: Malformed auth code."


def test_google_callback_without_code_is_rejected(env):
    def browser(uri):
        query = parse_qs(urlsplit(uri).query)
        requests.get(query["redirect_uri"][0], params={"id_token": "x", "state": query["state"][0]}, timeout=LIMIT)

    with pytest.raises(UsageError, match="no authorization code"):
        env.auth.sign_in_with_google("client", open_browser=browser)


def test_continue_uri_is_required(env):
    with pytest.raises(InvalidContinueUrl):
        env.auth.auth_uri("google.com", "nowhere")
    started = env.auth.auth_uri("google.com", "https://example.com/back", session_id="mine")
    assert started.session_id == "mine"


def test_scopes_are_list_or_string_with_spaces(env):
    requested = []

    def browser(uri):
        requested.append(parse_qs(urlsplit(uri).query)["scope"])
        browse(uri)

    for scopes in ("openid email", ["openid", "email"]):
        env.auth.sign_in_with_google("client", scopes=scopes, open_browser=browser)
    env.auth.auth_uri("github.com", "https://example.com/back", scopes="user:email  repo")
    assert requested == [["openid email"]] * 2
    assert b'"oauthScope": "user:email repo"' in env.sent[-1].body


def test_empty_client_id_opens_no_browser(env):
    with pytest.raises(UsageError, match="client_id must not be empty"):
        env.auth.sign_in_with_google("", open_browser=pytest.fail)


def test_posted_callback_may_be_bytes(env):
    started = env.auth.auth_uri("google.com", "https://example.com/back")
    callback = requests.get(started.uri, allow_redirects=False, timeout=LIMIT).headers["location"]
    user = env.auth.finish_sign_in(started, "https://example.com/back", urlsplit(callback).query.encode())
    assert user["providerId"] == "google.com"
    again = env.auth.auth_uri("google.com", "https://example.com/back")
    callback = requests.get(again.uri, allow_redirects=False, timeout=LIMIT).headers["location"]
    assert env.auth.finish_sign_in(again, callback, b"")["localId"] == user["localId"]


def test_auth_uri_can_be_stored_and_restored(env):
    started = env.auth.auth_uri("google.com", "https://example.com/back")
    with pytest.raises(UsageError, match=r"AuthUri\(\*\*saved\)"):
        env.auth.finish_sign_in(dataclasses.asdict(started), "https://example.com/back")


def test_sign_in_link_requires_continue_url(env):
    with pytest.raises(UsageError, match="settings must contain url"):
        env.auth.send_sign_in_link_to_email("ada@example.com", None)
    assert env.sent == []


def test_default_browser_is_opened(env, monkeypatch):
    monkeypatch.setattr("webbrowser.open", browse)
    assert env.auth.sign_in_with_google("client")["providerId"] == "google.com"


def test_browser_modules_are_loaded_lazily():
    code = "import sys, firebase_rest.auth.client; print({'webbrowser', 'http.server', 'keyring'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
