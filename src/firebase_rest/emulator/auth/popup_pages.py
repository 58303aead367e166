"""The pages of popup and redirect sign-in with the SDK for the web.

The application opens `/emulator/auth/handler` in a popup or redirects to it, and the user selects an account on this
page. The page passes the result to `/emulator/auth/iframe`, which the SDK has embedded in the application: by a message
from the popup, or by the session storage after a redirect. The iframe passes the result to the SDK.

Invariants: parameters reach the pages only as escaped text or as JSON. The handler redirects only to authorized
domains, and only pages of authorized domains can embed the iframe.
https://firebase.google.com/docs/auth/web/google-signin
"""

from __future__ import annotations

import json
import re
import secrets
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from firebase_rest.emulator.auth.validation import split_url
from firebase_rest.emulator.hosts import is_loopback
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.auth.model import Payload, Provider
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.emulator.urls import RequestUrl

HANDLER = "/emulator/auth/handler"
IFRAME = "/emulator/auth/iframe"

_MAX_ACCOUNTS = 100
_AUTH_TYPE = re.compile(r"(?:signIn|link|reauth)Via(?P<way>Popup|Redirect)")
_DOMAIN = re.compile(r"[A-Za-z0-9.-]+")

# The title, IDs, classes, texts and `toggleForm` are those of the official emulator's page: end-to-end tests use them.
_HANDLER_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Auth Emulator IDP Login Widget</title>
<style nonce="{nonce}">
body {{ font: 16px sans-serif; max-width: 30em; margin: 2em auto; padding: 0 1em }}
button, input {{ font: inherit; display: block; width: 100%; margin: .5em 0; padding: .5em; box-sizing: border-box }}
button {{ text-align: left; cursor: pointer }}
ul {{ list-style: none; padding: 0 }}
small {{ display: block }}
</style>
<h1 id="title">Sign-in with <span class="js-provider-id">{provider}</span></h1>
<div id="accounts-list">
<p class="js-accounts-help-text">{help} No password is needed.</p>
<ul>
{accounts}
<li id="add-account-button" class="js-new-account"><button type="button">Add new account</button></li>
</ul>
</div>
<div id="add-user" hidden>
<button type="button" id="autogen-button">Auto-generate user information</button>
<form id="main-form">
<label>Email <input id="email-input" name="email" type="email" required></label>
<label>Display name (optional) <input id="display-name-input" name="name"></label>
<label>Screen name (optional) <input id="screen-name-input" name="screen_name"></label>
<label>Profile photo URL (optional) <input id="profile-photo-input" name="picture"></label>
<button type="button" id="back-button">Back</button>
<button id="sign-in">Sign in with <span class="js-provider-id">{provider}</span></button>
</form>
</div>
<p id="problem" role="alert"></p>
<script type="application/json" id="request">{request}</script>
<script nonce="{nonce}">{script}</script>
"""

_HANDLER_SCRIPT = """
"use strict";
const request = JSON.parse(document.getElementById("request").textContent);

function relay(event) {
  const frames = window.opener ? window.opener.frames : [];
  let sent = false;
  for (let index = 0; index < frames.length; index++) {
    try {
      const query = new URLSearchParams(frames[index].location.search);
      if (frames[index].location.pathname !== request.iframe) continue;
      if (query.get("apiKey") !== request.apiKey || query.get("appName") !== request.appName) continue;
      frames[index].postMessage({ firebaseAuthEvent: event, storageKey: request.storageKey }, location.origin);
      sent = true;
    } catch (error) {}  // a frame of another origin
  }
  return sent;
}

function finish(claims) {
  const url = new URL(location.origin + location.pathname);
  url.searchParams.set("providerId", request.providerId);
  url.searchParams.set("id_token", JSON.stringify(claims));
  if (request.providerId.startsWith("saml.")) {
    url.searchParams.set("SAMLResponse", JSON.stringify({ assertion: { subject: { nameId: claims.email } } }));
  }
  const event = {
    type: request.authType, eventId: request.eventId, tenantId: request.tenantId, urlResponse: url.href,
    sessionId: "unused", postBody: "", error: null,
  };
  if (request.redirectUrl) {
    sessionStorage.setItem(request.storageKey, JSON.stringify(event));
    location.replace(request.redirectUrl);
  } else if (!relay(event)) {
    document.getElementById("problem").textContent = "The application that opened this window was not found.";
  }
}

function toggleForm(shown) {
  document.getElementById("add-user").hidden = !shown;
  document.getElementById("accounts-list").hidden = shown;
}

function randomNumber(length) {
  const digits = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(digits, (digit) => digit % 10).join("");
}

for (const account of document.querySelectorAll(".js-reuse-account")) {
  account.addEventListener("click", () => finish(JSON.parse(decodeURIComponent(account.dataset.idToken))));
}
document.querySelector(".js-new-account").addEventListener("click", () => toggleForm(true));
document.getElementById("back-button").addEventListener("click", () => toggleForm(false));
document.getElementById("autogen-button").addEventListener("click", () => {
  const number = randomNumber(6);
  document.getElementById("email-input").value = `user.${number}@example.com`;
  document.getElementById("display-name-input").value = `User ${number}`;
  document.getElementById("screen-name-input").value = `user_${number}`;
});
document.getElementById("main-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const filled = Array.from(new FormData(event.target)).filter(([name, value]) => value);
  finish({ sub: randomNumber(20), email_verified: true, ...Object.fromEntries(filled) });
});
"""

_IFRAME_PAGE = """<!DOCTYPE html>
<meta charset="utf-8">
<title>Sign-in helper of the Firebase emulator</title>
<script nonce="{nonce}">
"use strict";
const query = new URLSearchParams(location.search);
const storageKey = "firebase:redirectEvent:" + query.get("apiKey") + ":" + query.get("appName");
const none = { type: "unknown", error: { code: "auth/no-auth-event" } };
let application = null;

function send(authEvent) {
  const message = { type: "authEvent", authEvent };
  application.send("authEvent", message, () => {}, gapi.iframes.CROSS_ORIGIN_IFRAMES_FILTER);
}

window.addEventListener("message", (message) => {
  if (message.origin !== location.origin || !message.data || message.data.storageKey !== storageKey) return;
  if (application) send(message.data.firebaseAuthEvent);
  else sessionStorage.setItem(storageKey, JSON.stringify(message.data.firebaseAuthEvent));
});

function connect() {
  application = gapi.iframes.getContext().getParentIframe();
  const supported = () => ({ status: "ACK", webStorageSupport: true });
  application.register("webStorageSupport", supported, gapi.iframes.CROSS_ORIGIN_IFRAMES_FILTER);
  const stored = sessionStorage.getItem(storageKey);
  sessionStorage.removeItem(storageKey);
  send(stored ? JSON.parse(stored) : none);
}

window.gapi_onload = () => gapi.load("gapi.iframes", { callback: connect, timeout: 10000 });
</script>
<script src="https://apis.google.com/js/api.js"></script>
"""


def handler_page(project: AuthProject, query: Mapping[str, str], url: RequestUrl) -> Response:
    """GET `/emulator/auth/handler`: return the page on which the user selects an account of an identity provider."""
    provider_id, auth_type = query.get("providerId", ""), query.get("authType", "")
    match = _AUTH_TYPE.fullmatch(auth_type)
    if not query.get("apiKey") or not provider_id:
        return _problem("The parameters apiKey and providerId are missing.")
    if not query.get("appName") or match is None:
        return _problem("Only the SDK for the web can use this page. With other clients use signInWithCredential.")
    redirect_url = query.get("redirectUrl", "") if match["way"] == "Redirect" else ""
    if match["way"] == "Redirect" and not is_authorized(project, redirect_url, url):
        return _problem(
            "The domain of redirectUrl is not authorized. Add it to authorizedDomains in the settings of the project."
        )
    request: Payload = {
        "apiKey": query["apiKey"],
        "appName": query["appName"],
        "authType": auth_type,
        "eventId": query.get("eventId"),
        "iframe": IFRAME,
        "providerId": provider_id,
        "redirectUrl": redirect_url,
        "storageKey": f"firebase:redirectEvent:{query['apiKey']}:{query['appName']}",
        "tenantId": query.get("tid"),
    }
    nonce = secrets.token_urlsafe(16)
    shown_provider = escape(provider_id[0].upper() + provider_id[1:])
    accounts = _account_items(project, provider_id)
    text = _HANDLER_PAGE.format(
        provider=shown_provider,
        help="Select an account, or add one." if accounts else f"No {shown_provider} accounts exist in the emulator.",
        accounts=accounts,
        request=_script_json(request),
        script=_HANDLER_SCRIPT,
        nonce=nonce,
    )
    policy = f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; frame-ancestors 'none'"
    return _html(200, text, f"{policy}; base-uri 'none'; form-action 'none'")


def iframe_page(project: AuthProject, _: Mapping[str, str], url: RequestUrl) -> Response:
    """GET `/emulator/auth/iframe`: return the page that the SDK embeds in pages of authorized domains."""
    sources = [
        f"{scheme}://{prefix}{domain}:*"
        for domain in ("127.0.0.1", *_authorized_domains(project, url))
        if _DOMAIN.fullmatch(domain)
        for scheme in ("http", "https")
        for prefix in ("", "*.")
        if not prefix or not domain[-1].isdigit()
    ]
    nonce = secrets.token_urlsafe(16)
    return _html(200, _IFRAME_PAGE.replace("{nonce}", nonce), f"frame-ancestors 'self' {' '.join(sources)}")


def is_authorized(project: AuthProject, address: str, url: RequestUrl) -> bool:
    """Return whether a redirect to `address` is allowed, because its host is authorized or this machine."""
    parts = split_url(address)
    if parts is None or parts.scheme not in {"http", "https"} or parts.hostname is None or "\\" in address:
        return False
    host = parts.hostname.lower().rstrip(".")
    domains = _authorized_domains(project, url)
    return is_loopback(host) or any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _authorized_domains(project: AuthProject, url: RequestUrl) -> list[str]:
    """Return the domains in the settings, and the host of the emulator."""
    settings = project.config.get("authorizedDomains")
    default = ["localhost", f"{project.name}.firebaseapp.com", f"{project.name}.web.app"]
    domains = default if not isinstance(settings, list) else [name for name in settings if isinstance(name, str)]
    try:
        emulator_host = urlsplit(url.origin).hostname
    except ValueError:
        emulator_host = None
    return [domain.lower() for domain in (*domains, emulator_host) if domain]


def _account_items(project: AuthProject, provider_id: str) -> str:
    found = [
        provider
        for account in project.accounts
        for provider in account.providers or []
        if provider["providerId"] == provider_id and provider.get("rawId")
    ]
    return "\n".join(map(_account_item, found[:_MAX_ACCOUNTS]))


def _account_item(provider: Provider) -> str:
    claims = {
        "sub": provider["rawId"],
        "name": provider.get("displayName"),
        "screen_name": provider.get("screenName"),
        "email": provider.get("email"),
        "email_verified": True,
        "picture": provider.get("photoUrl"),
    }
    token = quote(json.dumps({name: value for name, value in claims.items() if value is not None}), safe="")
    name = escape(str(provider.get("displayName") or "(No display name)"))
    email = escape(str(provider.get("email") or ""))
    button = f'<button type="button">{name} <small>{email}</small></button>'
    return f'<li class="js-reuse-account" data-id-token="{token}">{button}</li>'


def _script_json(value: Payload) -> str:
    """Return JSON for a script element. It contains no tag, which could end the element."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _problem(text: str) -> Response:
    return _html(400, f"<!DOCTYPE html>\n<title>Emulator</title>\n<p>{escape(text)}</p>\n", "default-src 'none'")


def _html(status: int, text: str, policy: str) -> Response:
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "access-control-allow-origin": "",  # unlike responses of the API, pages of other origins cannot read this page
    }
    return Response(status, headers, text.encode("utf-8", "replace"))
