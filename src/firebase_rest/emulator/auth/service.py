"""The Auth emulator, which handles HTTP requests."""

from __future__ import annotations

import copy
import json
import threading
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlencode

from firebase_rest.emulator.auth import bodies, errors, oob_codes, popup_pages, provider_pages
from firebase_rest.emulator.auth.bodies import AuthRequest
from firebase_rest.emulator.auth.model import AccountTracker
from firebase_rest.emulator.auth.outbox import Outbox
from firebase_rest.emulator.auth.project import AuthProject, default_config, remove_unused
from firebase_rest.emulator.auth.routes import COMMAND_LINE_PREFIXES, ROUTES, Access, AuthRoute, RouteMatch, find
from firebase_rest.emulator.auth.tenants import target_tenant, token_tenant
from firebase_rest.emulator.auth.validation import to_ascii_url
from firebase_rest.emulator.data_errors import SaveError
from firebase_rest.emulator.urls import RequestUrl
from firebase_rest.transport.wire import Json, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.emulator.auth.model import BrowserPage
    from firebase_rest.emulator.auth.outbox import Mail, TextMessage

PREFIXES = (
    "/identitytoolkit.googleapis.com/",
    "/securetoken.googleapis.com/",
    "/www.googleapis.com/",
    "/accounts.google.com/",
    "/oauth2.googleapis.com/",
    "/cloudresourcemanager.googleapis.com/",
    "/emulator/",
    *COMMAND_LINE_PREFIXES,
)
"""Prefixes of the paths that belong to Auth."""

_PAGES = {
    "/emulator/action": oob_codes.follow_link,
    "/emulator/provider": provider_pages.provider_page,
    "/accounts.google.com/o/oauth2/v2/auth": provider_pages.google_page,
}
"""Pages for browsers."""
_HTML_PAGES = {popup_pages.HANDLER: popup_pages.handler_page, popup_pages.IFRAME: popup_pages.iframe_page}
"""Pages of sign-in with the SDKs for the web. Pages of other sites cannot read them."""
_JSON = "application/json"
_PRETTY_JSON = "application/json; charset=utf-8"


class AuthJournal(AccountTracker, Protocol):
    """Saves the changes of requests. The methods raise `SaveError`."""

    def save(self, projects: Mapping[str, AuthProject], *, with_settings: bool) -> None:
        """Save changed accounts, and new and deleted tenants. With `with_settings`, save all settings too."""

    def clear(self) -> None:
        """Delete all saved data."""


class AuthEmulator:
    """Emulates Firebase Auth in memory. Thread-safe.

    Args:
        project: The project to which all API keys belong.
        clock: Returns the time in seconds since the epoch.
        config: The settings that every project starts with, or None for the default.
    """

    def __init__(self, project: str, clock: Callable[[], float], config: dict[str, Json] | None = None) -> None:
        self._name = project
        self._clock = clock
        self.default_config = default_config() if config is None else config
        self._lock = threading.RLock()
        self._projects: dict[str, AuthProject] = {}
        self._outbox = Outbox()
        self.journal: AuthJournal | None = None

    def handle(self, http_request: Request, url: RequestUrl | None = None) -> Response:
        """Return the response to a request, which may be an error."""
        url = RequestUrl.parse(http_request) if url is None else url
        headers = {name.lower(): value for name, value in http_request.headers.items()}
        if http_request.method == "OPTIONS":
            return _preflight(headers)
        if url.path in _HTML_PAGES and http_request.method == "GET":
            return self._html_page(url)
        with self._lock:
            try:
                response = self._route(http_request, url, headers)
            except errors.AuthHTTPError as error:
                response = _pretty(error.code, error.body())
            except RecursionError:
                response = _pretty(400, errors.invalid_payload("It is nested too deeply.").body())
            if self.journal is not None:
                try:
                    self.journal.save(self._projects, with_settings="/projects/" in url.path)
                except SaveError as error:
                    response = _pretty(507, errors.AuthHTTPError(507, str(error), []).body())
        return _with_origin(response, headers)

    def _html_page(self, url: RequestUrl) -> Response:
        query = dict(url.params)
        with self._lock:
            project = self._project(self._name, query.get("tid"))
            return _HTML_PAGES[url.path](project, query, url)

    def check_id_token(self, token: str) -> dict[str, Json] | None:
        """Return the claims of an ID token of this project, or None if it is invalid, expired or revoked."""
        with self._lock:
            try:
                return self._project(self._name, token_tenant(token)).signed_in(token).claims
            except errors.AuthHTTPError:
                return None

    @property
    def mails(self) -> tuple[Mail, ...]:
        """The last 1,000 e-mails that Firebase would have sent, oldest first."""
        with self._lock:
            return self._outbox.mails

    @property
    def sms(self) -> tuple[TextMessage, ...]:
        """The last 1,000 text messages that Firebase would have sent, oldest first."""
        with self._lock:
            return self._outbox.text_messages

    def reset(self) -> None:
        """Delete accounts, codes, messages and settings."""
        with self._lock:
            self._projects.clear()
            self._outbox.clear()
            if self.journal is not None:
                self.journal.clear()

    def load(self, journal: AuthJournal) -> None:
        """Save all further changes to `journal`. There must be no projects yet."""
        self.journal = journal

    def project(self, name: str) -> AuthProject:
        """Return a project. Create it if it does not exist."""
        return self._project(name)

    def _project(self, name: str, tenant_id: str | None = None) -> AuthProject:
        project = self._projects.get(name)
        if project is None:
            project = self._projects[name] = AuthProject(name, self._clock, outbox=self._outbox, tracker=self.journal)
            project.config = copy.deepcopy(self.default_config)
            remove_unused(self._projects, name, self.default_config)
        return project.get_tenant(tenant_id) if tenant_id else project

    def _route(self, http_request: Request, url: RequestUrl, headers: Mapping[str, str]) -> Response:
        method, path = http_request.method, url.path
        if path == "/" and method in {"GET", "HEAD"}:
            docs = "https://firebase.google.com/docs/emulator-suite"
            return _pretty(200, {"authEmulator": {"ready": True, "docs": docs, "apiSpec": "/emulator/openapi.json"}})
        if path in _PAGES and method == "GET":
            query = dict(url.params)
            return _page(_PAGES[path](self._project(self._name, query.get("tenantId")), query))
        match = find(path)
        route = ROUTES.get((method, match.path))
        if route is None:
            return _method_not_allowed(method, url, match)
        return _compact(200, self._call(http_request, url, route, match, headers))

    def _call(
        self, http_request: Request, url: RequestUrl, route: AuthRoute, match: RouteMatch, headers: Mapping[str, str]
    ) -> dict[str, Json]:
        params = dict(url.params)
        is_admin = _authenticate(route, params, headers)
        raw = http_request.body if isinstance(http_request.body, bytes) else b"".join(http_request.body or ())
        has_body = http_request.method in {"POST", "PATCH"} and route.reads_body
        body = bodies.read(
            raw if has_body else b"",
            headers.get("content-type", "") if has_body else "",
            route.fields,
            allows_form=route.allows_form,
        )
        if isinstance(route.operation, str):
            raise errors.not_implemented(f"{route.operation} is not implemented in the Auth Emulator.")
        target = match.project or body.string("targetProjectId")
        if target and route.access is not Access.PUBLIC:
            problem = "Only authenticated requests can specify target_project_id."
            errors.validate(is_admin, f"INSUFFICIENT_PERMISSION : {problem}")
        project = self._project(target or self._name, target_tenant(match.tenant, body))
        errors.validate(route.when_disabled or not project.disabled, "PROJECT_DISABLED")
        return route.operation(AuthRequest(project, body, params, is_admin, url.origin))


def _authenticate(route: AuthRoute, params: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """Return whether an administrator sent the request. Raises `AuthHTTPError` if credentials are missing."""
    if route.access is Access.PUBLIC:
        return False
    scheme, space, token = headers.get("authorization", "").partition(" ")
    if route.access is not Access.API_KEY and scheme.lower() == "bearer" and space:
        if token.lower() == "owner" or token.startswith("ya29."):
            return True
        raise errors.unauthenticated()
    if not (params.get("key") or headers.get("x-goog-api-key")):
        raise errors.key_missing()
    return False


def _method_not_allowed(method: str, url: RequestUrl, match: RouteMatch) -> Response:
    if not match.methods:
        raise errors.not_found()
    query = f"?{urlencode(url.params, quote_via=quote)}" if url.params else ""
    response = _compact(405, {"message": f"Method {method} not allowed for {url.path}{query}"})
    return Response(405, {**response.headers, "allow": ",".join(match.methods)}, response.body)


def _compact(status: int, body: dict[str, Json]) -> Response:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Response(status, {"content-type": _JSON}, text.encode("utf-8", "surrogatepass"))


def _pretty(status: int, body: dict[str, Json]) -> Response:
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return Response(status, {"content-type": _PRETTY_JSON}, text.encode("utf-8", "surrogatepass"))


def _page(page: BrowserPage) -> Response:
    if page.location is None:
        return _pretty(page.status, page.body)
    location = to_ascii_url(page.location)
    headers = {"location": location, "content-type": "text/plain; charset=utf-8"}
    return Response(page.status, headers, f"See Other. Redirecting to {location}".encode())


def _preflight(headers: Mapping[str, str]) -> Response:
    """Return the response to a CORS preflight request. As in the official emulator, it allows everything."""
    allowed = {"access-control-allow-methods": "GET,HEAD,PUT,PATCH,POST,DELETE"}
    if "access-control-request-headers" in headers:
        allowed["access-control-allow-headers"] = headers["access-control-request-headers"]
    if "access-control-request-private-network" in headers:
        allowed["access-control-allow-private-network"] = "true"
    return _with_origin(Response(204, {**allowed, "content-length": "0"}), headers)


def _with_origin(response: Response, headers: Mapping[str, str]) -> Response:
    shared = {"vary": "Origin"}
    if "origin" in headers:
        shared["access-control-allow-origin"] = headers["origin"]
    return Response(response.status, {**response.headers, **shared}, response.body)
