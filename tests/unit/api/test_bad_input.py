"""What the network may send: an answer in words or a hang-up, never a traceback, never a file outside."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from server.api import pages
from server.api.tokens import TokenKind

if TYPE_CHECKING:
    from tests.unit.api.conftest import Campus

Open = Callable[..., Awaitable["Campus"]]


async def raw(campus: Campus, data: bytes) -> bytes:
    """The whole answer to bytes as they are."""
    reader, writer = await asyncio.open_connection("127.0.0.1", campus.server.port)
    writer.write(data)
    await writer.drain()
    async with asyncio.timeout(10):
        answer = await reader.read(65536)
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"password": 1}',
        b'{"password": "a", "more": 1}',
        b"\xff\xfe",
        b"[" * 50_000,
    ],
)
async def test_a_body_that_is_none_is_told_so(
    campus: Campus, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Content-Type": "application/json"}
    async with campus.browser.post("/api/v1/login", data=body, headers=headers) as reply:
        assert reply.status == 400
        assert (await reply.json())["code"] == "bad_body"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_form_is_no_json(campus: Campus) -> None:
    async with campus.browser.post("/api/v1/login", data={"password": "x"}) as reply:
        assert reply.status == 400


async def test_a_body_over_the_limit_is_refused(campus: Campus) -> None:
    body = b'{"password": "' + b"x" * 300_000 + b'"}'
    headers = {"Content-Type": "application/json"}
    async with campus.browser.post("/api/v1/login", data=body, headers=headers) as reply:
        assert reply.status == 413
        assert (await reply.json())["code"] == "too_large"


async def test_a_body_that_never_ends_is_given_up(open_campus: Open) -> None:
    campus = await open_campus(http={"request_timeout_s": 0.3})
    head = b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    answer = await raw(campus, head + b"Content-Length: 100\r\n\r\n{")
    assert answer.startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize(
    "line",
    [
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nA" + b"a" * 20_000,
    ],
)
async def test_what_is_no_http_is_hung_up_on(
    campus: Campus, line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await raw(campus, line + b"\r\n\r\n")
    assert answer == b"" or answer.split()[1] == b"400"
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../pages.py",
        "/assets/..%2fpages.py",
        "/assets/%2e%2e/%2e%2e/pages.py",
        "/assets//etc/passwd",
        "/assets/%00",
        "/assets/" + "a" * 5000,
        "/../etc/passwd",
        "/media/9999999999." + "A" * 27 + "/../../etc/passwd",
        "/studio/../../etc/passwd",
    ],
)
async def test_no_path_leads_out_of_the_pages(campus: Campus, path: str) -> None:
    answer = await raw(
        campus, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    assert answer.split()[1] in (b"404", b"400")
    assert b"import" not in answer
    assert b"root:" not in answer


async def test_a_link_among_the_assets_is_not_followed_outside(
    campus: Campus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FOLDER", tmp_path / "pages")
    (tmp_path / "pages" / "assets").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "pages" / "assets" / "a.js").symlink_to(tmp_path / "secret")
    async with campus.browser.get("/assets/a.js") as reply:
        assert reply.status == 404


async def test_pages_that_are_not_built_say_what_to_do(
    campus: Campus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    async with campus.browser.get("/studio") as reply:
        assert reply.status == 503
        assert "make setup" in (await reply.json())["words"]["en"]


async def test_built_pages_are_checked_each_time_and_assets_kept_for_ever(
    campus: Campus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<p>index</p>")
    (tmp_path / "room.html").write_text("<p>room</p>")
    (tmp_path / "watch.html").write_text("<p>watch</p>")
    (tmp_path / "assets" / "a-1234.js").write_text("1")
    for pattern in (*pages.SHELL_PATHS, *pages.LIGHT_SHELLS):
        name = pages.LIGHT_SHELLS.get(pattern, "index.html").removesuffix(".html")
        path = pattern.format(lesson="L1", room="main", kind="terms")
        async with campus.browser.get(path) as reply:
            assert reply.status == 200
            assert reply.headers["Cache-Control"] == "no-cache"
            assert await reply.text() == f"<p>{name}</p>"
            tag = reply.headers["ETag"]
        async with campus.browser.get(path, headers={"If-None-Match": tag}) as reply:
            assert reply.status == 304
    async with campus.browser.get("/assets/a-1234.js") as reply:
        assert "immutable" in reply.headers["Cache-Control"]
    async with campus.browser.get("/nowhere") as reply:
        assert reply.status == 404


async def test_unknown_methods_are_problems_too(campus: Campus) -> None:
    async with campus.browser.request("PUT", "/api/v1/lessons") as reply:
        assert reply.status == 405
        assert (await reply.json())["code"] == "bad_method"
        assert reply.headers["Allow"] == "GET,HEAD,POST"


async def test_a_fault_of_ours_is_logged_once_and_says_nothing_of_itself(
    campus: Campus, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.api.lessons.row_of", lambda _overview: 1 / 0)
    await campus.start_lesson()
    async with campus.browser.get("/api/v1/lessons", **campus.bearer(TokenKind.OPERATOR)) as reply:
        assert reply.status == 500
        assert "ZeroDivision" not in await reply.text()
    assert len([record for record in caplog.records if record.exc_info]) == 1
