"""server.api.certificate: made here or brought; it fits the address or says so; no key ever goes out."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server import certificates
from server.api.certificate import covers
from server.api.tokens import TokenKind
from tests.unit.api.conftest import Campus

URL = "/api/v1/certificate"


async def asked(campus: Campus, method: str, body: object = None) -> tuple[int, Any]:
    auth = campus.bearer(TokenKind.OPERATOR)
    async with campus.browser.request(method, URL, json=body, **auth) as reply:
        return reply.status, await reply.json()


async def test_a_certificate_is_made_for_the_address_and_the_next_step_is_told(campus: Campus) -> None:
    _, before = await asked(campus, "GET")
    assert (before["made"], before["secure"], before["host"]) == (False, False, "127.0.0.1")
    status, made = await asked(campus, "POST", {"names": ["lianke.example.cn", "192.0.2.7"]})
    assert (status, made["names"], made["covers"], made["private"]) == (
        201,
        ["lianke.example.cn", "192.0.2.7"],
        False,
        True,
    )
    assert [line.partition(" ")[0] for line in made["lines"]] == ["certificate", "key", "ca", "help_port"]
    assert (await asked(campus, "POST", {"names": []}))[1]["covers"]
    key = Path(campus.config.data.directory) / "tls" / certificates.SERVER_KEY
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    async with campus.browser.get(f"{URL}/ca", **campus.bearer(TokenKind.OPERATOR)) as reply:
        assert "PRIVATE" not in await reply.text()
    for path in ("", "/ca"):
        assert (await campus.browser.get(URL + path)).status == 404
    for names in (["no name at all"], [f"x{number}.example" for number in range(60)]):
        status, problem = await asked(campus, "POST", {"names": names})
        assert status >= 400
        assert problem["words"]["zh"]


async def test_a_brought_pair_is_kept_where_it_fits_and_refused_in_words_where_not(
    campus: Campus, tmp_path: Path
) -> None:
    pairs = []
    for name in ("one", "two"):
        made = certificates.make(tmp_path / name, ["lianke.example.cn"], datetime.now(UTC))
        pairs.append((made.certificate.read_text(), made.key.read_text()))
    (certificate, key), (_, other) = pairs
    for body in (
        {"certificate": certificate, "key": other},
        {"certificate": "none", "key": key},
        {"certificate": key, "key": certificate},
        {"certificate": "\x00", "key": ""},
    ):
        status, problem = await asked(campus, "PUT", body)
        assert (status, problem["code"]) == (400, "bad_certificate")
        assert problem["words"]["en"]
    old = certificates.make(tmp_path / "old", ["a.example"], datetime(2010, 1, 1, tzinfo=UTC))
    body = {"certificate": old.certificate.read_text(), "key": old.key.read_text()}
    assert (await asked(campus, "PUT", body))[1]["code"] == "bad_certificate"
    status, view = await asked(campus, "PUT", {"certificate": certificate, "key": key})
    assert (status, view["names"]) == (201, ["lianke.example.cn"])


def test_a_name_is_covered_as_browsers_see_it() -> None:
    names = ("*.example.cn", "192.0.2.7")
    hosts = (
        "lianke.example.cn",
        "LIANKE.example.cn",
        "a.b.example.cn",
        "example.cn",
        "192.0.2.7",
        "192.0.2.8",
    )
    assert [covers(names, host) for host in hosts] == [True, True, False, False, True, False]
