"""From HTTP to operations and back: who calls, which project, what body, and how the answer is written."""

from __future__ import annotations

import copy
import json
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from firebase_rest.emulator.auth import action_links, bodies, provider_pages
from firebase_rest.emulator.auth.errors import (
    Refusal,
    expect,
    invalid_payload,
    key_missing,
    not_found,
    not_implemented,
    unauthenticated,
)
from firebase_rest.emulator.auth.project import Call, Page, Project, default_config
from firebase_rest.emulator.auth.routes import ROUTES, Access, Place, Route, find
from firebase_rest.emulator.auth.tenants import target_tenant, tenant_in
from firebase_rest.transport.wire import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.transport.wire import Json

PREFIXES = (
    "/identitytoolkit.googleapis.com/",
    "/securetoken.googleapis.com/",
    "/www.googleapis.com/",
    "/accounts.google.com/",
    "/oauth2.googleapis.com/",
    "/emulator/",
)
_PAGES = {
    "/emulator/action": action_links.follow_link,
    "/emulator/provider": provider_pages.provider_page,
    "/accounts.google.com/o/oauth2/v2/auth": provider_pages.google_page,
}
"""For browsers."""
_JSON = "application/json"
_PRETTY_JSON = "application/json; charset=utf-8"


class AuthEmulator:
    """Firebase Auth in memory. Thread-safe; opens no socket.

    Args:
        project: the project that API keys belong to. Any key will do.
        clock: seconds since 1970; what ID tokens expire by.
        config: the settings that every project begins with; the usual ones, if there are none.
    """

    def __init__(self, project: str, clock: Callable[[], float], config: dict[str, Json] | None = None) -> None:
        self._name = project
        self._clock = clock
        self._config = default_config() if config is None else config
        self._lock = threading.RLock()
        self._projects: dict[str, Project] = {}

    def answer(self, request: Request) -> Response | None:
        """The answer to `request`, whatever its status; None if its path is not one of Auth's."""
        path = urlsplit(request.url).path
        if path != "/" and not path.startswith(PREFIXES):
            return None
        headers = {name.lower(): value for name, value in request.headers.items()}
        if request.method == "OPTIONS":
            return _preflight(headers)
        with self._lock:
            try:
                response = self._route(request, path, headers)
            except Refusal as refusal:
                response = _pretty(refusal.code, refusal.body())
            except RecursionError:
                response = _pretty(400, invalid_payload("It is nested too deeply.").body())
        return _with_origin(response, headers)

    def check_id_token(self, token: str) -> dict[str, Json] | None:
        """The claims of an ID token of this project that is neither expired nor revoked, else None."""
        with self._lock:
            try:
                return self._project(self._name, tenant_in(token)).signed_in(token).claims
            except Refusal:
                return None

    def reset(self) -> None:
        """Forget accounts, codes and settings."""
        with self._lock:
            self._projects.clear()

    def _project(self, name: str, tenant_id: str | None = None) -> Project:
        project = self._projects.get(name)
        if project is None:
            project = self._projects[name] = Project(name, self._clock)
            project.config = copy.deepcopy(self._config)
        return project.tenant_named(tenant_id) if tenant_id else project

    def _route(self, request: Request, path: str, headers: Mapping[str, str]) -> Response:
        if path == "/" and request.method in {"GET", "HEAD"}:
            docs = "https://firebase.google.com/docs/emulator-suite"
            return _pretty(200, {"authEmulator": {"ready": True, "docs": docs, "apiSpec": "/emulator/openapi.json"}})
        if path in _PAGES and request.method == "GET":
            query = dict(request.params)
            return _page(_PAGES[path](self._project(self._name, query.get("tenantId")), query))
        place = find(path)
        route = ROUTES.get((request.method, place.path))
        if route is None:
            return _no_such_verb(request, path, place)
        return _compact(200, self._call(request, route, place, headers))

    def _call(self, request: Request, route: Route, place: Place, headers: Mapping[str, str]) -> dict[str, Json]:
        params = dict(request.params)
        privileged = _is_privileged(route, params, headers)
        raw = request.body if isinstance(request.body, bytes) else b"".join(request.body or ())
        reads_body = request.method in {"POST", "PATCH"}
        body = bodies.read(
            raw if reads_body else b"",
            headers.get("content-type", "") if reads_body else "",
            route.fields,
            form=route.form,
        )
        if isinstance(route.operation, str):
            raise not_implemented(f"{route.operation} is not implemented in the Auth Emulator.")
        target = place.project or body.text("targetProjectId")
        if target and route.access is not Access.ANYBODY:
            problem = "Only authenticated requests can specify target_project_id."
            expect(privileged, f"INSUFFICIENT_PERMISSION : {problem}")
        url = urlsplit(request.url)
        project = self._project(target or self._name, target_tenant(place.tenant, body))
        expect(route.always or not project.disabled, "PROJECT_DISABLED")
        return route.operation(Call(project, body, params, privileged, f"{url.scheme}://{url.netloc}"))


def _is_privileged(route: Route, params: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """Has an administrator signed this? Refused where nobody did who may call."""
    if route.access is Access.ANYBODY:
        return False
    scheme, space, token = headers.get("authorization", "").partition(" ")
    if route.access is not Access.KEY and scheme.lower() == "bearer" and space:
        if token.lower() == "owner" or token.startswith("ya29."):
            return True
        raise unauthenticated()
    if not (params.get("key") or headers.get("x-goog-api-key")):
        raise key_missing()
    return False


def _no_such_verb(request: Request, path: str, place: Place) -> Response:
    if not place.verbs:
        raise not_found()
    query = f"?{urlencode(request.params, quote_via=quote)}" if request.params else ""
    refused = _compact(405, {"message": f"Method {request.method} not allowed for {path}{query}"})
    return Response(405, {**refused.headers, "allow": ",".join(place.verbs)}, refused.body)


def _compact(status: int, body: dict[str, Json]) -> Response:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Response(status, {"content-type": _JSON}, text.encode("utf-8", "surrogatepass"))


def _pretty(status: int, body: dict[str, Json]) -> Response:
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return Response(status, {"content-type": _PRETTY_JSON}, text.encode("utf-8", "surrogatepass"))


def _page(page: Page) -> Response:
    if page.location is not None:
        text = f"See Other. Redirecting to {page.location}"
        headers = {"location": page.location, "content-type": "text/plain; charset=utf-8"}
        return Response(page.status, headers, text.encode())
    return _pretty(page.status, page.body)


def _preflight(headers: Mapping[str, str]) -> Response:
    """A browser asks before it posts JSON; everything is allowed, as on the official emulator."""
    allowed = {"access-control-allow-methods": "GET,HEAD,PUT,PATCH,POST,DELETE"}
    if "access-control-request-headers" in headers:
        allowed["access-control-allow-headers"] = headers["access-control-request-headers"]
    return _with_origin(Response(204, {**allowed, "content-length": "0"}), headers)


def _with_origin(response: Response, headers: Mapping[str, str]) -> Response:
    shared = {"vary": "Origin"}
    if "origin" in headers:
        shared["access-control-allow-origin"] = headers["origin"]
    return Response(response.status, {**response.headers, **shared}, response.body)
