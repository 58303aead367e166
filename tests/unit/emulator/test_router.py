"""The service of a request, and the parsing of its URL."""

from __future__ import annotations

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.router import Router, Service
from firebase_rest.emulator.urls import RequestUrl
from firebase_rest.transport.wire import Request


def url(text: str, *params: tuple[str, str]) -> RequestUrl:
    return RequestUrl.parse(Request("GET", text, params))


def routed(router: Emulator | Router, method: str, target: str, **headers: str) -> Service:
    request = Request(method, target, headers=headers)
    return router.route(request, RequestUrl.parse(request))


def test_root_is_the_console_for_browsers_only() -> None:
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    assert routed(Emulator(), "GET", "http://localhost/", accept=browser) is Service.CONSOLE
    assert routed(Emulator(), "GET", "http://localhost/", accept="*/*") is Service.AUTH
    assert routed(Emulator(), "POST", "http://localhost/", accept=browser) is Service.DATABASE
    assert routed(Emulator(), "OPTIONS", "http://localhost/.console/api/state") is Service.CONSOLE


@pytest.mark.parametrize(
    ("method", "target", "service"),
    [
        ("GET", "/a.json", Service.DATABASE),
        ("GET", "/.settings/rules.json", Service.DATABASE),
        ("GET", "/identitytoolkit.json", Service.DATABASE),
        ("GET", "/anything/else", Service.DATABASE),
        ("POST", "/", Service.DATABASE),
        ("GET", "/", Service.AUTH),
        ("HEAD", "/", Service.AUTH),
        ("POST", "/identitytoolkit.googleapis.com/v1/accounts:signUp", Service.AUTH),
        ("POST", "/securetoken.googleapis.com/v1/token", Service.AUTH),
        ("POST", "/www.googleapis.com/identitytoolkit/v3/relyingparty/verifyPassword", Service.AUTH),
        ("GET", "/emulator/action", Service.AUTH),
        ("GET", "/v0/b/bucket/o", Service.STORAGE),
        ("OPTIONS", "/v0/b/bucket/o", Service.STORAGE),
        ("GET", "/storage/v1/b", Service.STORAGE),
        ("POST", "/upload/storage/v1/b/bucket/o", Service.STORAGE),
        ("GET", "/bucket/object?X-Goog-Signature=s", Service.STORAGE),
        ("PUT", "/bucket/object?GoogleAccessId=a", Service.STORAGE),
        ("PATCH", "/bucket/object?GoogleAccessId=a", Service.DATABASE),
        ("GET", "/v0/b/bucket/o?ns=n", Service.DATABASE),
        ("GET", "/emulator/action?ns=", Service.DATABASE),
        ("GET", "/?ns=n", Service.DATABASE),
    ],
)
def test_method_path_and_parameters_select_the_service(method: str, target: str, service: Service) -> None:
    assert routed(Emulator(), method, f"http://localhost{target}") is service


@pytest.mark.parametrize("host", ["x.firebaseio.com", "x.europe-west1.firebasedatabase.app:443", "X.FirebaseIO.com"])
def test_host_of_a_database_selects_the_database(host: str) -> None:
    assert routed(Emulator(), "GET", f"http://{host}/v0/b/bucket/o") is Service.DATABASE


def test_public_object_selects_storage_until_it_is_private() -> None:
    emulator = Emulator()
    target = "http://localhost/bucket/a.txt"
    upload = Request(
        "POST",
        "http://localhost/upload/storage/v1/b/bucket/o",
        (("uploadType", "media"), ("name", "a.txt"), ("predefinedAcl", "publicRead")),
        body=b"x",
    )
    assert routed(emulator, "GET", target) is Service.DATABASE
    assert emulator.handle(upload).status == 200
    assert routed(emulator, "GET", target) is Service.STORAGE
    assert routed(emulator, "PUT", target) is Service.DATABASE
    emulator.handle(Request("DELETE", "http://localhost/storage/v1/b/bucket/o/a.txt/acl/allUsers"))
    assert routed(emulator, "GET", target) is Service.DATABASE


def test_object_urls_are_looked_up_only_if_nothing_else_matches() -> None:
    def fail(method: str, target: RequestUrl) -> bool:
        raise AssertionError(f"{method} {target} must not be looked up")

    router = Router(fail)
    for target in ("/v0/b/b/o", "/emulator/action", "/a.json?ns=n"):
        routed(router, "GET", f"http://h{target}")


def test_url_is_split_into_its_parts() -> None:
    assert url("https://h:1/a%2Fb?x=1&y=%20&z", ("p", "q")) == RequestUrl(
        "https", "h:1", "/a%2Fb", (("x", "1"), ("y", " "), ("z", ""), ("p", "q"))
    )
    assert url("http://h") == RequestUrl("http", "h", "/", ())
    assert url("http://[/a").host == "["
    assert url("http://h:1/a").origin == "http://h:1"
