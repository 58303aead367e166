"""Proxies, CA bundles and netrc from the environment, and TLS."""

from __future__ import annotations

import socket
import threading

import pytest
import responses

from firebase_rest import NetworkError, NetworkTimeout
from support.scripted_server import Disconnected, Peer, ScriptedServer, ok, refused_port

CLIENTS = ("blocking", "async")

HTTP_DATABASE = "http://db.example?ns=db"


HTTPS_DATABASE = "https://db.firebaseio.com"


def tunnel_to(port: int):
    """A proxy that leads every CONNECT to a port of ours."""

    def script(peer: Peer) -> None:
        assert peer.read_request().method == "CONNECT"
        peer.send("HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as inner:
            peer.server.track(inner)

            def back() -> None:
                try:
                    while data := inner.recv(65_536):
                        peer.send(data)
                except (OSError, Disconnected):
                    pass

            thread = threading.Thread(target=back, daemon=True)
            thread.start()
            try:
                while data := peer.sock.recv(65_536):
                    inner.sendall(data)
            except OSError:
                pass

    return script


def test_proxy_of_the_environment_is_used(connect, monkeypatch):
    with ScriptedServer(ok("7")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert connect(HTTP_DATABASE, deadline=5).database().child("a").get().val() == 7
    assert proxy.requests[0].target == "http://db.example/a.json?ns=db"


def test_no_proxy_of_the_environment_is_heeded(connect, monkeypatch):
    with ScriptedServer(ok("7")) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{refused_port()}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert connect(server).database().get().val() == 7


@pytest.mark.blocking_client
def test_session_proxies_take_precedence(connect, monkeypatch):
    with ScriptedServer(ok("7")) as proxy, ScriptedServer(ok("8")) as other:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        app = connect(HTTP_DATABASE)
        app.database().get()
        app.requests.proxies["http"] = other.url
        assert app.database().get().val() == 8


@pytest.mark.blocking_client
def test_environment_is_ignored_without_trust_env(connect, monkeypatch):
    with ScriptedServer(ok("7")) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{refused_port()}")
        app = connect(server)
        app.requests.trust_env = False
        assert app.database().get().val() == 7


def test_https_uses_a_tunnel_and_hides_token_from_proxy(connect, monkeypatch, server_tls, ca_file):
    with ScriptedServer(ok("7"), tls=server_tls) as server, ScriptedServer(tunnel_to(server.port)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter22@{proxy.host}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
        assert connect(HTTPS_DATABASE, deadline=10).database().child("a").get("id-token-1").val() == 7
    assert server.requests[0].target == "/a.json?auth=id-token-1"
    assert [request.target for request in proxy.requests] == ["db.firebaseio.com:443"]
    assert "proxy-authorization" in proxy.requests[0].headers
    assert "proxy-authorization" not in server.requests[0].headers


def test_rejecting_proxy_is_an_error_and_nothing_was_sent(connect, monkeypatch, pauses):
    def locked(peer: Peer) -> None:
        peer.read_request()
        peer.respond("", 407)

    with ScriptedServer(locked) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter22@{proxy.host}")
        with pytest.raises(NetworkError) as caught:
            connect(HTTPS_DATABASE).database().push(1)
    assert not caught.value.outcome_unknown
    assert "407" in str(caught.value)
    assert "hunter22" not in str(caught.value)
    assert pauses == []


def test_missing_proxy_is_retried(connect, monkeypatch, pauses):
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter22@127.0.0.1:{refused_port()}")
    with pytest.raises(NetworkError) as caught:
        connect(HTTPS_DATABASE).database().push(1)
    assert not caught.value.outcome_unknown
    assert "hunter22" not in str(caught.value)
    assert len(pauses) == 3


def test_stuck_tunnel_ends_at_deadline(connect, monkeypatch):
    def wait(peer: Peer) -> None:
        peer.read_request()
        peer.hold()

    with ScriptedServer(wait) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(NetworkTimeout) as caught:
            connect(HTTPS_DATABASE, deadline=0.3).database().push(1)
    assert not caught.value.outcome_unknown


def test_socks_proxy_keeps_its_pool_classes(connect, monkeypatch):
    from urllib3.poolmanager import PoolManager

    from firebase_rest.transport.adapter import CancellableAdapter

    adapter = CancellableAdapter()
    manager = PoolManager()  # the base class of urllib3's SOCKSProxyManager; ProxyManager has more attributes
    manager.pool_classes_by_scheme = {"http": object, "https": object}
    adapter.proxy_manager["socks5h://127.0.0.1:1"] = manager
    assert adapter.proxy_manager_for("socks5h://127.0.0.1:1") is manager
    assert manager.pool_classes_by_scheme == {"http": object, "https": object}


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_ca_bundle_from_environment_is_used(connect, monkeypatch, server_tls, ca_file, variable):
    monkeypatch.setenv(variable, ca_file)
    with ScriptedServer(ok("7"), tls=server_tls) as server:
        assert connect(server).database().get().val() == 7


def test_session_verify_takes_precedence(connect, monkeypatch, server_tls, ca_file, tmp_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "not there"))
    with ScriptedServer(ok("7"), tls=server_tls) as server:
        app = connect(server)
        app.requests.verify = ca_file
        assert app.database().get().val() == 7


def test_untrusted_certificate_is_an_error_and_nothing_was_sent(connect, server_tls, pauses):
    with ScriptedServer(ok("7"), tls=server_tls) as server:
        with pytest.raises(NetworkError, match="certificate") as caught:
            connect(server).database().push(1, "id-token-1")
    assert server.requests == []
    assert not caught.value.outcome_unknown
    assert pauses == [], "another try would end the same way"


def test_https_to_http_server_is_an_error(connect):
    def plain(peer: Peer) -> None:
        peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")

    with ScriptedServer(plain) as server:
        with pytest.raises(NetworkError) as caught:
            connect(f"https://{server.host}").database().push(1)
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("reset", [True, False])
def test_connection_lost_in_handshake_is_retried(connect, server_tls, pauses, reset):
    def hang_up(peer: Peer) -> None:
        peer._read_more()
        if reset:
            peer.reset()

    with ScriptedServer(hang_up, tls=server_tls, handshake=False) as server:
        with pytest.raises(NetworkError) as caught:
            connect(server).database().push(1)
    assert not caught.value.outcome_unknown
    assert len(pauses) == 3


def test_reset_after_request_has_unknown_outcome(connect, server_tls, ca_file):
    def reset(peer: Peer) -> None:
        peer.read_request()
        peer.reset()

    for tls in (None, server_tls):
        with ScriptedServer(reset, tls=tls) as server:
            app = connect(server)
            app.requests.verify = ca_file
            with pytest.raises(NetworkError) as caught:
                app.database().push(1)
        assert caught.value.outcome_unknown


@pytest.mark.blocking_client
def test_netrc_never_replaces_the_credential(connect, monkeypatch, tmp_path):
    from google.oauth2.credentials import Credentials

    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with responses.RequestsMock() as mock:
        mock.get("https://db.firebaseio.com/a.json", json=7)
        app = connect(HTTPS_DATABASE, credentials=Credentials("access-token-1"))
        app.requests.auth = ("somebody", "else")
        app.database().child("a").get()
        assert mock.calls[0].request.headers["Authorization"] == "Bearer access-token-1"
