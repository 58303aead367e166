"""Sign-in by popup and by redirect with the web SDK in Chromium, on our emulator.

The SDK and the emulator's iframe load Google's `api.js`, which connects frames. Here `gapi_stand_in.js` takes its
place, because tests run without the Internet.
"""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import trustme

from firebase_rest.emulator import Emulator
from official.browser import MissingBrowser, Page, Pages
from official.processes import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firebase_rest.emulator.server import Server

EMAIL = "ada@example.com"


class _Script(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = (HERE / "gapi_stand_in.js").read_bytes()
        self.send_response(200)
        self.send_header("content-type", "text/javascript")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def pages(official_components: None) -> Iterator[Pages]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Script)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("apis.google.com").configure_cert(context)
    # The handshake is done in the thread of the connection: Chromium opens connections that it may not use.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    rule = f"--host-resolver-rules=MAP apis.google.com:443 127.0.0.1:{server.server_address[1]}"
    try:
        with Pages([rule, "--ignore-certificate-errors"]) as pages:
            yield pages
    except MissingBrowser as error:
        pytest.skip(str(error))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with Emulator("demo-test").serve() as server:
        yield server


START = """
    const app = sdk.initializeApp({apiKey: "key", authDomain: "demo-test.firebaseapp.com", projectId: "demo-test"});
    window.auth = sdk.getAuth(app);
    sdk.connectAuthEmulator(auth, args[0], {disableWarnings: true});
    window.settled = (promise) => {
      window.outcome = promise.then(
        (found) => found && {email: found.user.email, uid: found.user.uid, provider: found.providerId},
        (error) => ({code: error.code}));
    };
"""
POPUP = "settled(sdk.signInWithPopup(auth, new sdk.GoogleAuthProvider()));"
OUTCOME = "return await outcome;"


def start(page: Page, server: Server) -> None:
    page.run(START, f"http://{server.host}")


def add_account(page: Page, email: str = EMAIL) -> None:
    page.click(".js-new-account")
    page.type("#email-input", email)
    page.click("#sign-in")


def test_popup_signs_in_with_a_new_account_and_then_with_a_known_one(pages: Pages, server: Server) -> None:
    with pages.open() as page:
        start(page, server)
        page.run(POPUP)
        page.window(1)
        add_account(page)
        page.window(0)
        first = page.run(OUTCOME)
        assert (first["email"], first["provider"]) == (EMAIL, "google.com")
        page.run("await sdk.signOut(auth);" + POPUP)
        page.window(1)
        page.click("#accounts-list li")
        page.window(0)
        assert page.run(OUTCOME) == first


def test_account_of_an_anonymous_user_is_linked_by_popup(pages: Pages, server: Server) -> None:
    with pages.open() as page:
        start(page, server)
        uid = page.run("return (await sdk.signInAnonymously(auth)).user.uid;")
        page.run('settled(sdk.linkWithPopup(auth.currentUser, new sdk.OAuthProvider("microsoft.com")));')
        page.window(1)
        add_account(page)
        page.window(0)
        linked = page.run(OUTCOME)
        assert (linked["uid"], linked["provider"]) == (uid, "microsoft.com")


@pytest.mark.slow  # the SDK waits eight seconds for a result
def test_closed_popup_is_reported(pages: Pages, server: Server) -> None:
    with pages.open() as page:
        start(page, server)
        page.run(POPUP)
        page.window(1)
        page.find("#main-form")
        page.close_window()
        page.window(0)
        assert page.run(OUTCOME) == {"code": "auth/popup-closed-by-user"}


def test_redirect_signs_in(pages: Pages, server: Server) -> None:
    with pages.open() as page:
        start(page, server)
        page.run("sdk.signInWithRedirect(auth, new sdk.GithubAuthProvider());")
        add_account(page)
        page.run("for (let n = 0; !window.sdk && n < 1000; n++) await new Promise(r => setTimeout(r, 10));")
        start(page, server)
        page.run("settled(sdk.getRedirectResult(auth));")
        assert page.run(OUTCOME)["provider"] == "github.com"
        page.run("settled(sdk.getRedirectResult(auth));")
        assert page.run(OUTCOME) is None


def test_page_without_a_pending_redirect_has_no_result(pages: Pages, server: Server) -> None:
    with pages.open() as page:
        start(page, server)
        page.run("settled(sdk.getRedirectResult(auth));")
        assert page.run(OUTCOME) is None


PAYLOADS = [
    "<script>window.pwned = 1</script>",
    "</script><script>window.pwned = 1</script>",
    '"><img src=x onerror="window.pwned = 1">',
    "';window.pwned = 1;'",
    '"};window.pwned = 1;//',
    "javascript:window.pwned=1",
    "<svg onload=window.pwned=1>",
]
PARAMETERS = {
    "apiKey": "key",
    "appName": "[DEFAULT]",
    "authType": "signInViaRedirect",
    "providerId": "google.com",
    "eventId": "1",
    "redirectUrl": "http://127.0.0.1:9/app",
    "tid": "tenant",
    "scopes": "profile",
    "customParameters": "{}",
    "v": "1",
}


def test_payload_runs_where_nothing_is_escaped(pages: Pages) -> None:
    with pages.open() as page:
        for payload in (PAYLOADS[0], PAYLOADS[2], PAYLOADS[6]):
            page.go(f"data:text/html,{payload}")
            assert page.run("await new Promise(r => setTimeout(r, 50)); return window.pwned ?? null;") == 1


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_of_the_handler_runs_no_script(pages: Pages, server: Server, name: str) -> None:
    with pages.open() as page:
        for path in ("handler", "iframe"):
            for payload in PAYLOADS:
                query = urlencode({**PARAMETERS, name: payload})
                page.go(f"http://{server.host}/emulator/auth/{path}?{query}")
                assert page.run("await new Promise(r => setTimeout(r)); return window.pwned ?? null;") is None


def test_account_runs_no_script(pages: Pages, server: Server) -> None:
    users = [
        {
            "localId": f"u{number}",
            "providerUserInfo": [
                {"providerId": "google.com", "rawId": payload, "displayName": payload, "email": payload}
            ],
        }
        for number, payload in enumerate(PAYLOADS)
    ]
    url = f"http://{server.host}/identitytoolkit.googleapis.com/v1/projects/demo-test/accounts:batchCreate"
    pages.http.post(url, json={"users": users}, headers={"Authorization": "Bearer owner"}, timeout=20)
    with pages.open() as page:
        page.go(f"http://{server.host}/emulator/auth/handler?{urlencode({**PARAMETERS, 'tid': ''})}")
        assert page.run("return document.querySelectorAll('.js-reuse-account').length;") == len(PAYLOADS)
        assert page.run("return window.pwned ?? null;") is None


def test_page_of_another_site_cannot_embed_the_iframe(pages: Pages, server: Server) -> None:
    """The iframe would deliver the result of a sign-in to the page that embeds it."""
    with pages.open() as page:
        page.go("data:text/html,<body></body>")
        address = f"http://{server.host}/emulator/auth/iframe?apiKey=key&appName=a"
        embed = """
            const frame = document.createElement("iframe");
            const loaded = new Promise(resolve => { frame.onload = resolve; });
            frame.src = args[0];
            document.body.append(frame);
            await loaded;
        """
        page.run(embed, address)
        assert page.frame_address() == "chrome-error://chromewebdata/"
