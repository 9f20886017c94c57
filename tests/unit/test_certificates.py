"""The private CA and what it signs: OpenSSL believes it, it is never overwritten, keys are private."""

from __future__ import annotations

import asyncio
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server import certificates
from server.errors import UserFault

NOW = datetime.now(UTC)


async def greet(folder: Path, name: str, ca: Path) -> None:
    """A TLS handshake under this name, trusting this CA alone."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(folder / "server.pem", folder / "server.key")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=served)
    port = server.sockets[0].getsockname()[1]
    trusting = ssl.create_default_context(cafile=ca)
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname=name)
        writer.close()
    finally:
        server.close()


async def test_who_trusts_the_ca_believes_each_name_and_address_and_no_other(
    tmp_path: Path,
) -> None:
    made = certificates.make(tmp_path, ["lianke.example.cn", "10.0.0.5", "fd00::5"], NOW)
    assert made.new_ca
    for name in made.names:
        await greet(tmp_path, name, made.ca)
    with pytest.raises(ssl.SSLCertVerificationError):
        await greet(tmp_path, "other.example.cn", made.ca)


async def test_renewing_keeps_the_ca_that_panels_trust(tmp_path: Path) -> None:
    first = certificates.make(tmp_path, ["one.example.cn"], NOW)
    trusted, key = first.ca.read_bytes(), (tmp_path / "ca.key").read_bytes()
    second = certificates.make(tmp_path, ["two.example.cn"], NOW + timedelta(days=100))
    assert not second.new_ca
    assert (first.ca.read_bytes(), (tmp_path / "ca.key").read_bytes()) == (trusted, key)
    assert second.expires > first.expires
    certificates.make(tmp_path, ["two.example.cn"], NOW)
    await greet(tmp_path, "two.example.cn", first.ca)


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    certificates.make(tmp_path / "tls", ["a.cn"], NOW)
    for name in ("ca.key", "server.key"):
        assert stat.S_IMODE((tmp_path / "tls" / name).stat().st_mode) == 0o600


def test_half_a_ca_is_not_made_whole_with_another(tmp_path: Path) -> None:
    certificates.make(tmp_path, ["a.cn"], NOW)
    (tmp_path / "ca.key").unlink()
    before = (tmp_path / "ca.pem").read_bytes()
    with pytest.raises(UserFault, match=r"only one of ca\.pem and ca\.key"):
        certificates.make(tmp_path, ["a.cn"], NOW)
    assert (tmp_path / "ca.pem").read_bytes() == before


@pytest.mark.parametrize("name", ["", "a b", "http://a.cn", "a..cn", "学校.cn", "a" * 300])
def test_what_is_no_name_is_refused_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserFault, match="neither a host name"):
        certificates.make(tmp_path, [name], NOW)
    assert not list(tmp_path.iterdir())


def test_a_certificate_tells_its_names_and_its_time(tmp_path: Path) -> None:
    made = certificates.make(tmp_path, ["lianke.example.cn", "10.0.0.5"], NOW)
    read = certificates.read(made.certificate)
    assert read.names == ("lianke.example.cn", "10.0.0.5")
    assert read.expires == made.expires
    assert read.private
    with pytest.raises(ValueError, match="PEM"):
        certificates.read(made.key)
