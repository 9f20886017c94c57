"""The help page over plain HTTP: clock, certificate, and nothing else. HTTPS that follows its files."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer

from server import certificates
from server.api.help import build_help
from server.api.tls import Certificate
from server.clock import SystemClock
from server.errors import UserFault

NOW = datetime.now(UTC)
Opener = Callable[[Path | None], Awaitable[ClientSession]]


@pytest.fixture
async def open_help() -> AsyncIterator[Opener]:
    clients = []

    async def opener(ca: Path | None) -> ClientSession:
        client = TestClient(TestServer(build_help(SystemClock(), "https://lianke.example.cn", ca)))
        await client.start_server()
        clients.append(client)
        return ClientSession(base_url=client.make_url("/"))

    sessions: list[ClientSession] = []

    async def kept(ca: Path | None) -> ClientSession:
        sessions.append(await opener(ca))
        return sessions[-1]

    yield kept
    for session in sessions:
        await session.close()
    for client in clients:
        await client.close()


async def test_it_shows_the_servers_time_and_the_way_back(open_help: Opener) -> None:
    page = await open_help(None)
    async with page.get("/") as reply:
        text = await reply.text()
        assert reply.status == 200
        assert "Set-Cookie" not in reply.headers
    told = int(text.split("var server = ")[1].split(",")[0])
    assert abs(told - SystemClock().wall_ms()) < 5_000
    assert "https://lianke.example.cn/room" in text


async def test_it_offers_the_cas_certificate_and_never_a_key(open_help: Opener, tmp_path: Path) -> None:
    made = certificates.make(tmp_path, ["a.cn"], NOW)
    both = tmp_path / "both.pem"
    both.write_bytes((tmp_path / "ca.key").read_bytes() + made.ca.read_bytes())
    page = await open_help(both)
    async with page.get("/lianke-ca.crt") as reply:
        body = await reply.read()
    assert body == made.ca.read_bytes()
    assert b"PRIVATE" not in body


@pytest.mark.parametrize(
    "path", ["/api/v1/rooms", "/room", "/ws", "/assets/x.js", "/healthz", "/lianke-ca.crt"]
)
async def test_it_serves_nothing_else(open_help: Opener, path: str) -> None:
    page = await open_help(None)
    async with page.get(path) as reply:
        assert reply.status == 404
    async with page.post(path, data=b"x") as reply:
        assert reply.status == 405


def test_a_renewed_certificate_is_used_without_a_restart_and_a_broken_one_is_not(tmp_path: Path) -> None:
    made = certificates.make(tmp_path, ["a.cn"], NOW)
    served = Certificate(made.certificate, made.key)
    assert not served.look()
    certificates.make(tmp_path, ["a.cn", "b.cn"], NOW + timedelta(days=1))
    assert served.look()
    made.key.write_text("broken")
    assert not served.look()
    assert served.context.get_ca_certs() == []
    with pytest.raises(UserFault, match="lianke cert"):
        Certificate(made.certificate, made.key)
    assert served.context.minimum_version is ssl.TLSVersion.TLSv1_2
