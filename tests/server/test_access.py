"""Which hosts the server answers as, which pages may talk to it, and whose word about a request it takes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from gamekit.errors import ConfigError
from gamekit.server.access import Access
from gamekit.server.forwarded import told_of
from gamekit.server.origin import allowed_host, allowed_origin, read_origin, read_place
from gamekit.server.settings import Settings
from tests.live import LiveServer

LAB = "https://lab.example"
OWN_PORT = 8642


def request(host: str = "127.0.0.1", peer: str = "127.0.0.1", **headers: str) -> HTTPServerRequest:
    """A request as Tornado hands it over."""
    sent = HTTPHeaders({"Host": host})
    for name, value in headers.items():
        sent[name.replace("_", "-")] = value
    made = HTTPServerRequest(start_line=RequestStartLine("GET", "/", "HTTP/1.1"), headers=sent)
    made.remote_ip = peer
    return made


def access(address: str = "127.0.0.1", port: int = OWN_PORT, **settings: Any) -> Access:
    """The access of a server that listens at an address."""
    made = Access(Settings(address=address, port=port, **settings))

    class Bound(socket.socket):
        def getsockname(self) -> tuple[str, int]:
            return (address, port)

    with Bound() as bound:
        made.listens([bound])
    return made


@pytest.mark.parametrize(
    ("host", "taken"),
    [
        ("127.0.0.1:8642", True),
        ("[::1]:8642", True),
        ("192.0.2.1:8642", True),
        ("localhost:8642", True),
        ("LOCALHOST.:8642", True),
        ("games.localhost:8642", True),
        ("games.example", True),
        ("games.example:443", True),
        ("attacker.example:8642", False),
        ("ATTACKER.example.:8642", False),
        ("attacker.example:08642", False),
        ("localhost.attacker.example:8642", False),
        ("127.0.0.1.attacker.example:8642", False),
        ("127.1:8642", False),
        ("user@127.0.0.1:8642", False),
        ("attacker.example:", True),
        ("", False),
        ("::1", False),
        ("[::1", False),
        ("games.example:99999", False),
        ("games example", False),
    ],
)
def test_a_server_on_loopback_answers_no_foreign_name_on_its_own_port(host: str, taken: bool) -> None:
    asked = request()
    asked.host = host
    refused = access().host_refusal(asked)
    assert (refused is None) == taken
    if refused is not None:
        assert (refused.status, refused.code) == (421, "foreign_host")
        assert "--allow-host" in refused.detail


def test_a_name_without_a_port_is_foreign_where_the_server_has_the_default_port() -> None:
    assert access(port=80).host_refusal(request("attacker.example")) is not None
    assert access(port=80).host_refusal(request("attacker.example:80")) is not None
    assert access(port=80).host_refusal(request("localhost")) is None
    assert access("::1").host_refusal(request("attacker.example:8642")) is not None
    # Elsewhere names cannot be known, unless they are given.
    assert access("192.0.2.1").host_refusal(request("games.example:8642")) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.1"])
def test_with_names_given_no_other_is_taken(address: str) -> None:
    named = access(address, allowed_hosts=("Games.Example.", "bücher.example"), allowed_origins=(LAB,))
    for host in (
        "games.example",
        "GAMES.example.:8642",
        "xn--bcher-kva.example:1",
        "lab.example",
        "localhost",
        address,
    ):
        assert named.host_refusal(request(host)) is None, host
    for host in ("other.example", "games.example.evil", "sub.games.example:8642"):
        assert named.host_refusal(request(host)) is not None, host


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("games.example", "https://games.example", True),
        ("games.example", "http://games.example", True),
        ("games.example", "https://games.example:443", True),
        ("Games.Example:443", "https://GAMES.example.", True),
        ("games.example:80", "http://games.example", True),
        ("games.example:8443", "https://games.example:8443", True),
        ("games.example:8443", "https://games.example", False),
        ("games.example:80", "https://games.example", False),
        ("games.example", "https://games.example:8443", False),
        ("[::1]:8642", "http://[0:0:0:0:0:0:0:1]:8642", True),
        ("games.example", "null", False),
        ("games.example", "", False),
        ("games.example", "https://games.example/page", False),
        ("games.example", "https://user@games.example", False),
        ("games.example", "https://games.example,https://games.example", False),
        ("games.example", "file://", False),
        ("games.example", "https://lab.example", True),
        ("games.example", "HTTPS://LAB.EXAMPLE:443", True),
        ("games.example", "http://lab.example", False),
        ("games.example", "https://lab.example:8443", False),
    ],
)
def test_origins_are_compared_by_what_they_mean(host: str, origin: str, allowed: bool) -> None:
    refused = access("192.0.2.1", allowed_origins=(f"{LAB}/",)).origin_refusal(request(host, Origin=origin))
    assert (refused is None) == allowed
    if refused is not None:
        assert refused.code == "foreign_origin"
        assert "--allow-origin" in refused.detail
        assert "Host" in refused.detail


@pytest.mark.parametrize(
    "text", ["*", "null", "lab.example", "https://", "https://lab.example/x", "//x", "https://a b"]
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--allow-origin"):
        allowed_origin(text)


@pytest.mark.parametrize("text", ["*", "https://games.example", "games.example:80", "a b", "", "games.example/x"])
def test_what_is_no_host_name_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--allow-host"):
        allowed_host(text)


def test_hosts_and_origins_are_read_in_one_form() -> None:
    assert read_place("[2001:DB8::0:1]:80") == ("2001:db8::1", 80)
    assert read_place("Games.Example.:8642") == ("games.example", 8642)
    assert str(read_origin("HTTPS://Games.Example.:443/")) == "https://games.example"
    assert str(read_origin("http://[::1]:8642")) == "http://[::1]:8642"


# --- forwarded headers ------------------------------------------------------------------------------------------

FORWARDED = {
    "X_Forwarded_For": "203.0.113.9, 10.0.0.7",
    "X_Forwarded_Proto": "https, http",
    "X_Forwarded_Host": "games.example, inner.example",
    "X_Forwarded_Context": "/user/ada",
    "X_Real_Ip": "198.51.100.1",
    "X_Scheme": "https",
}


def test_forwarded_headers_of_strangers_are_ignored() -> None:
    for trusted in ((), ("192.0.2.0/24",)):
        asked = request(peer="10.0.0.8", **FORWARDED)
        access(trusted_proxies=trusted).proxies.apply(asked)
        assert (asked.remote_ip, asked.protocol) == ("10.0.0.8", "http")
        assert told_of(asked) == (None, None, "")


def test_a_chain_of_trusted_proxies_tells_who_asked_and_for_what() -> None:
    asked = request(peer="10.0.0.8", **FORWARDED)
    access(trusted_proxies=("10.0.0.0/8",)).proxies.apply(asked)
    assert (asked.remote_ip, asked.protocol) == ("203.0.113.9", "https")
    assert told_of(asked) == ("games.example", "https", "/user/ada")


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("", "10.0.0.8"),
        ("203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("nonsense, 10.0.0.7", "10.0.0.7"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("10.0.0.5, 10.0.0.7", "10.0.0.5"),
    ],
)
def test_only_what_a_trusted_proxy_added_to_the_chain_counts(chain: str, client: str) -> None:
    asked = request(peer="10.0.0.8", X_Forwarded_For=chain)
    access(trusted_proxies=("10.0.0.0/8",)).proxies.apply(asked)
    assert asked.remote_ip == client


def test_a_told_scheme_must_be_the_pages_own() -> None:
    proxied = access(trusted_proxies=("10.0.0.8",))
    for origin, allowed in (("https://games.example", True), ("http://games.example", False)):
        asked = request("inner", "10.0.0.8", Origin=origin, X_Forwarded_Proto="https", X_Forwarded_Host="games.example")
        proxied.proxies.apply(asked)
        assert (proxied.origin_refusal(asked) is None) == allowed
    # A page that rebinds can send such a header to a proxy of this machine; what it was told is checked as well.
    asked = request(peer="10.0.0.8", X_Forwarded_Host=f"attacker.example:{OWN_PORT}")
    proxied.proxies.apply(asked)
    assert proxied.host_refusal(asked) is not None


# --- a real server ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, LiveServer]]:
    """A server without options, and one that allows an origin and trusts a proxy on this machine."""
    directory = tmp_path_factory.mktemp("access")
    with ExitStack() as stack:
        plain = stack.enter_context(LiveServer(directory / "plain"))
        options = ("--allow-origin", f"{LAB}/", "--trusted-proxy", "127.0.0.0/8")
        yield plain, stack.enter_context(LiveServer(directory / "open", options=options))


def spoken(server: LiveServer, *lines: str) -> tuple[int, dict[str, str], str]:
    """What the server answers to a request's lines: status, headers in lower case, body."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        line.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        answer = b""
        while chunk := line.recv(65536):
            answer += chunk
    head, _, body = answer.decode().partition("\r\n\r\n")
    first, *rest = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
    return int(first.split()[1]), headers, body


def test_a_rebinding_page_reaches_nothing(servers: tuple[LiveServer, LiveServer]) -> None:
    port = servers[0].port
    foreign = f"Host: attacker.example:{port}"
    for path in (
        "/",
        "/play/x",
        "/admin",
        "/web/app.js",
        "/metrics",
        "/healthz",
        "/readyz",
        "/api/scenarios",
        "/nowhere",
    ):
        status, headers, body = spoken(servers[0], f"GET {path} HTTP/1.1", foreign)
        assert status == 421, path
        assert headers["content-type"] == "application/problem+json"
        assert json.loads(body)["code"] == "foreign_host"
    made = spoken(
        servers[0],
        "POST /api/game/new HTTP/1.1",
        foreign,
        f"Origin: http://attacker.example:{port}",
        "Content-Length: 0",
    )
    assert made[0] == 421
    upgrade = ("Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
    assert spoken(servers[0], "GET /api/game/x/ws HTTP/1.1", foreign, *upgrade)[0] == 421
    assert spoken(servers[0], "GET / HTTP/1.0")[0] == 200
    assert spoken(servers[0], "GET / HTTP/1.1", f"Host: localhost:{port}")[0] == 200


def test_doubled_and_missing_hosts_are_refused(servers: tuple[LiveServer, LiveServer]) -> None:
    assert spoken(servers[0], "GET / HTTP/1.1", "Host: localhost", "Host: attacker.example")[0] == 400
    assert spoken(servers[0], "GET / HTTP/1.1")[0] == 400
    assert spoken(servers[0], "GET / HTTP/1.1", "Host: ")[0] in (400, 421)


def test_a_page_of_an_allowed_origin_can_really_work(servers: tuple[LiveServer, LiveServer]) -> None:
    own = "Host: 127.0.0.1"
    preflight = spoken(
        servers[1],
        "OPTIONS /api/game/new HTTP/1.1",
        own,
        f"Origin: {LAB}",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: authorization, content-type",
        "Access-Control-Request-Private-Network: true",
    )
    status, headers, _ = preflight
    assert status == 204
    assert headers["access-control-allow-origin"] == LAB
    assert "Origin" in headers["vary"]
    assert "POST" in headers["access-control-allow-methods"]
    assert {"authorization", "content-type"} <= set(headers["access-control-allow-headers"].lower().split(", "))
    assert headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-credentials" not in headers
    # What goes wrong can be read as well.
    for line, wanted in (("GET /api/scenarios", 200), ("GET /api/game/none", 404), ("GET /api/games", 401)):
        status, headers, _ = spoken(servers[1], f"{line} HTTP/1.1", own, f"Origin: {LAB}")
        assert (status, headers.get("access-control-allow-origin")) == (wanted, LAB)
    status, headers, _ = spoken(servers[1], "GET /api/scenarios HTTP/1.1", own)
    assert (status, "access-control-allow-origin" in headers) == (200, False)
    assert "Origin" in headers["vary"]


def test_a_foreign_page_is_refused_with_what_to_do_by_http_and_by_socket(
    servers: tuple[LiveServer, LiveServer],
) -> None:
    for path in ("/api/scenarios", "/api/game/x/ws"):
        status, headers, body = spoken(
            servers[1], f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Origin: https://evil.example"
        )
        assert status == 403, path
        assert "access-control-allow-origin" not in headers
        told = json.loads(body)
        assert told["code"] == "foreign_origin"
        assert "--allow-origin https://evil.example" in told["detail"]
    preflight = spoken(servers[0], "OPTIONS /api/game/new HTTP/1.1", "Host: 127.0.0.1", f"Origin: {LAB}")
    assert preflight[0] == 403


def test_a_socket_that_lost_its_upgrade_on_the_way_is_told(servers: tuple[LiveServer, LiveServer]) -> None:
    status, _, body = spoken(servers[0], "GET /api/game/x/ws HTTP/1.0", "Host: 127.0.0.1")
    assert (status, json.loads(body)["code"]) == (400, "bad_request")
    assert "Upgrade" in json.loads(body)["detail"]


def test_links_believe_a_trusted_proxy_only(servers: tuple[LiveServer, LiveServer]) -> None:
    plain, trusting = servers
    forwarded = ("X-Forwarded-Proto: https", "X-Forwarded-Host: games.example", "X-Forwarded-Prefix: /games")
    links = [
        json.loads(spoken(one, "POST /api/game/new HTTP/1.1", "Host: 127.0.0.1", *forwarded, "Content-Length: 0")[2])[
            "play_url"
        ]
        for one in (plain, trusting)
    ]
    assert links[0].startswith("http://127.0.0.1/play/")
    assert links[1].startswith("https://games.example/games/play/")
