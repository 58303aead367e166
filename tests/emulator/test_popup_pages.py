"""The pages of popup and redirect sign-in. `tests/official/test_popup_browser.py` uses them in a browser."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

import pytest
import requests

from emulator.wire import LIMIT

OWNER = {"Authorization": "Bearer owner"}
PARAMETERS = {
    "apiKey": "key",
    "appName": "[DEFAULT]",
    "authType": "signInViaPopup",
    "providerId": "google.com",
    "eventId": "1",
    "redirectUrl": "http://localhost:5173/app",
    "scopes": "profile",
    "v": "11.0.0",
}
PAYLOADS = [
    "<script>pwned()</script>",
    "</script><script>pwned()</script>",
    '"><img src=x onerror=pwned()>',
    "'-pwned()-'",
    "{nonce}{script}{0}",
    "<!--<script>",
    "\u2028pwned()//",
    "javascript:pwned()",
]


@pytest.fixture
def page(server):
    """Request the handler with changed parameters; None removes one."""

    def request(path="handler", **changes):
        params = {name: value for name, value in {**PARAMETERS, **changes}.items() if value is not None}
        return requests.get(f"http://{server.host}/emulator/auth/{path}", params=params, timeout=LIMIT)

    return request


@pytest.fixture
def import_user(server):
    def send(**provider):
        url = f"http://{server.host}/identitytoolkit.googleapis.com/v1/projects/demo-test/accounts:batchCreate"
        users = [{"localId": "u", "providerUserInfo": [{"providerId": "google.com", "rawId": "1", **provider}]}]
        assert requests.post(url, json={"users": users}, headers=OWNER, timeout=LIMIT).json()["error"] == []

    return send


def embedded(response):
    """Return the data that the page's script reads."""
    return json.loads(re.search(r'id="request">(.*?)</script>', response.text, re.DOTALL)[1])


def claims(text):
    """Return the claims of the first account on the page."""
    return json.loads(unquote(re.search(r'data-id-token="([^"]*)"', text)[1]))


def test_handler_lists_the_accounts_of_the_provider(page, import_user):
    import_user(displayName="Ada & Co", email="ada@example.com")
    text = page().text
    assert ">Ada &amp; Co <small>ada@example.com</small></button>" in text
    assert claims(text) == {"sub": "1", "name": "Ada & Co", "email": "ada@example.com", "email_verified": True}
    other = page(providerId="github.com").text.partition("<script")[0]
    assert "js-reuse-account" not in other
    assert "No Github.com accounts exist" in other


@pytest.mark.parametrize(
    "hook",
    [
        "<title>Auth Emulator IDP Login Widget</title>",
        'id="accounts-list"',
        "js-new-account",
        ">Add new account<",
        'id="add-user"',
        'id="autogen-button"',
        ">Auto-generate user information<",
        'id="main-form"',
        'id="email-input"',
        'id="display-name-input"',
        'id="screen-name-input"',
        'id="profile-photo-input"',
        'id="back-button"',
        'id="sign-in"',
        '>Sign in with <span class="js-provider-id">Google.com</span><',
        "function toggleForm(",
    ],
)
def test_handler_page_has_the_elements_of_the_official_page(page, hook):
    assert hook in page().text


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("name", [*PARAMETERS, "tid"])
def test_parameter_cannot_inject_markup(page, name, payload):
    plain = page(authType="signInViaRedirect", providerId="saml.x")
    response = page(**{"authType": "signInViaRedirect", "providerId": "saml.x", name: payload})
    if response.status_code == 200:
        assert len(re.findall(r"<\w", response.text)) == len(re.findall(r"<\w", plain.text))
        assert payload not in response.text or "<" not in payload
        assert embedded(response).keys() == embedded(plain).keys()
    else:
        assert payload not in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("field", ["displayName", "email", "rawId", "photoUrl", "screenName"])
def test_account_cannot_inject_markup(page, import_user, field, payload):
    import_user(**{field: payload})
    text = page().text
    assert "<img" not in text
    assert text.count("<script") == 2
    assert claims(text)["email_verified"] is True


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:5173/a?b#c",
        "https://app.localhost/",
        "http://127.0.0.1/",
        "http://127.8.9.1:1/",
        "http://[::1]:3000/",
        "https://demo-test.firebaseapp.com/",
        "https://demo-test.web.app/login",
        "https://preview.demo-test.web.app/login",
    ],
)
def test_redirect_to_an_authorized_domain(page, url):
    response = page(authType="signInViaRedirect", redirectUrl=url)
    assert response.status_code == 200
    assert embedded(response)["redirectUrl"] == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "https://evil.example/",
        "//evil.example/",
        "/relative",
        "javascript:alert(1)",
        "JavaScript://localhost/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://localhost@evil.example/",
        "http://evil.example\\@localhost/",
        "http://localhost\\.evil.example/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "https://evildemo-test.web.app/",
        "https://demo-test.web.app.evil.example/",
        "http:evil.example",
        "http:///evil.example",
        "http://[",
        "http://localhost:99999/",
        "http://evil.example#@localhost/",
        "http://evil.example?@localhost/",
    ],
)
def test_redirect_to_another_domain_is_rejected(page, url):
    response = page(authType="signInViaRedirect", redirectUrl=url)
    assert response.status_code == 400
    assert "authorized" in response.text
    assert "evil" not in response.text


def test_popup_never_redirects(page):
    assert embedded(page(redirectUrl="https://evil.example/"))["redirectUrl"] == ""


def test_domains_of_the_settings_are_authorized(server, page):
    url = f"http://{server.host}/identitytoolkit.googleapis.com/v2/projects/demo-test/config"
    settings = {"authorizedDomains": ["app.example.com", "bad host; script-src *"]}
    params = {"updateMask": "authorizedDomains"}
    requests.patch(url, params=params, json=settings, headers=OWNER, timeout=LIMIT).raise_for_status()
    allowed = page(authType="signInViaRedirect", redirectUrl="https://app.example.com/x")
    assert allowed.status_code == 200
    rejected = page(authType="signInViaRedirect", redirectUrl="https://demo-test.web.app/")
    assert rejected.status_code == 400
    public = f"http://{server.host}/identitytoolkit.googleapis.com/v1/projects?key=k"
    assert requests.get(public, timeout=LIMIT).json()["authorizedDomains"] == settings["authorizedDomains"]
    policy = page("iframe").headers["Content-Security-Policy"]
    assert "https://app.example.com:*" in policy
    assert "script-src" not in policy


def test_iframe_can_be_embedded_by_authorized_domains_only(page):
    policy = page("iframe").headers["Content-Security-Policy"]
    assert policy.startswith("frame-ancestors 'self' ")
    assert {"http://localhost:*", "http://127.0.0.1:*", "https://demo-test.firebaseapp.com:*"} <= set(policy.split())
    assert not {"*", "http://*:*", "https://*:*"} & set(policy.split())


def test_handler_cannot_be_embedded_or_read_by_other_origins(server):
    headers = {"Origin": "https://evil.example"}
    for path in ("handler", "iframe"):
        url = f"http://{server.host}/emulator/auth/{path}"
        response = requests.get(url, params=PARAMETERS, headers=headers, timeout=LIMIT)
        assert response.headers["Access-Control-Allow-Origin"] == ""
    handler = requests.get(f"http://{server.host}/emulator/auth/handler", params=PARAMETERS, timeout=LIMIT)
    assert "frame-ancestors 'none'" in handler.headers["Content-Security-Policy"]


@pytest.mark.parametrize("changes", [{"apiKey": None}, {"providerId": ""}, {"appName": None}, {"authType": "unknown"}])
def test_incomplete_request_is_rejected(page, changes):
    response = page(**changes)
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


def test_malformed_host_header_is_no_error(server):
    url = f"http://{server.host}/emulator/auth/iframe"
    for host in ("[", "localhost:x", ""):
        response = requests.get(url, headers={"Host": host}, timeout=LIMIT)
        assert response.status_code < 500
