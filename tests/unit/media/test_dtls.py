"""DTLS: the private seam of aiortc that we use, both roles, both profiles, and each way to fail."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from importlib.metadata import version

import aiortc.rtcdtlstransport as seam
import pytest
from OpenSSL import SSL
from pylibsrtp import Error, Session

from server.media import dtls as ours
from server.media.dtls import MTU, Certificate, Dtls, datagrams
from server.protocol.parameters import DtlsRole, Fingerprint

RTP = b"\x80\x60" + (1000).to_bytes(2, "big") + bytes(4) + (9).to_bytes(4, "big") + b"media"


def test_the_seam_is_as_pinned() -> None:
    """Whoever raises a pin reads dtls.py and relay.pyx again."""
    assert version("aiortc") == "1.16.0"
    assert version("pylibsrtp") == "1.0.0"
    transport = seam.RTCDtlsTransport
    for name in (
        "_do_handshake",
        "_write_ssl",
        "_setup_srtp",
        "_validate_peer_identity",
        "_set_role",
        "_set_state",
    ):
        assert callable(getattr(transport, name)), name
    source = inspect.getsource(transport)
    for used in (
        "self.transport._recv()",
        "self.transport._send(",
        "self._write_ssl()",
        "self._setup_srtp()",
    ):
        assert used in source, used
    assert "srtp_profiles" in inspect.signature(seam.RTCCertificate._create_ssl_context).parameters
    assert [p.openssl_profile for p in ours.PROFILES] == [b"SRTP_AEAD_AES_128_GCM", b"SRTP_AES128_CM_SHA1_80"]


class Pair:
    """A server and a client joined by two functions; `keep` False loses a datagram."""

    def __init__(self) -> None:
        self.certificates = Certificate.generateCertificate(), Certificate.generateCertificate()
        self.sent: list[tuple[str, bytes]] = []
        self.server = Dtls(self.certificates[0], lambda data: self.carry("server", data))
        self.client = Dtls(self.certificates[1], lambda data: self.carry("client", data))
        self.sessions: dict[str, tuple[Session, Session]] = {}
        self.lose = lambda sender, count: False

    def carry(self, sender: str, data: bytes) -> bool:
        self.sent.append((sender, data))
        count = sum(who == sender for who, _ in self.sent)
        if not self.lose(sender, count):
            (self.client if sender == "server" else self.server).carrier.feed(data)
        return True

    async def run(self, *, server_expects: list[Fingerprint] | None = None) -> dict[str, str]:
        expected = server_expects or self.certificates[1].fingerprints()
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            server = group.create_task(
                self.server.run(DtlsRole.SERVER, expected, lambda *both: self._secured("server", both))
            )
            client = group.create_task(
                self.client.run(
                    DtlsRole.CLIENT,
                    self.certificates[0].fingerprints(),
                    lambda *both: self._secured("client", both),
                )
            )
        return {"server": server.result(), "client": client.result()}

    def _secured(self, who: str, both: tuple[Session, ...]) -> None:
        self.sessions[who] = (both[0], both[1])
        if len(self.sessions) == 2:
            self._closing = asyncio.get_running_loop().create_task(self.server.stop())


async def test_both_sides_agree_on_gcm_keys_and_close_politely() -> None:
    pair = Pair()
    assert await pair.run() == {"server": "", "client": ""}
    assert pair.server.profile == pair.client.profile == "SRTP_AEAD_AES_128_GCM"
    for sender, receiver in (("server", "client"), ("client", "server")):
        protected = pair.sessions[sender][1].protect(RTP)
        assert pair.sessions[receiver][0].unprotect(protected) == RTP


async def test_no_session_protects_a_sequence_number_twice() -> None:
    pair = Pair()
    await pair.run()
    outbound = pair.sessions["server"][1]
    outbound.protect(RTP)
    with pytest.raises(Error):
        outbound.protect(RTP)


async def test_an_old_browser_gets_aes_cm(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair()
    pair.client._transport._srtp_profiles = ours.PROFILES[1:]
    await pair.run()
    assert pair.server.profile == "SRTP_AES128_CM_SHA1_80"


async def test_no_common_profile_is_a_reason() -> None:
    pair = Pair()
    pair.client._transport._srtp_profiles = [seam.SRTP_AEAD_AES_256_GCM]
    assert (await pair.run())["server"] == "no_srtp_profile"


async def test_no_common_cipher_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair()
    only = pair.certificates[1]._create_ssl_context(ours.PROFILES)
    only.set_cipher_list(b"ECDHE-ECDSA-AES256-GCM-SHA384")
    monkeypatch.setattr(pair.certificates[1], "_create_ssl_context", lambda srtp_profiles: only)
    reasons = await pair.run()
    assert reasons["server"] == "no_shared_cipher"
    assert reasons["client"] == "dtls_handshake"


async def test_a_wrong_fingerprint_is_a_reason_and_gives_no_keys() -> None:
    pair = Pair()
    wrong = [Fingerprint("sha-256", ":".join(["00"] * 32))]
    assert (await pair.run(server_expects=wrong))["server"] == "wrong_fingerprint"
    assert "server" not in pair.sessions


@pytest.mark.parametrize("loser", ["server", "client"])
async def test_a_lost_flight_is_sent_again(loser: str) -> None:
    pair = Pair()
    pair.lose = lambda sender, count: sender == loser and count == 1
    assert await pair.run() == {"server": "", "client": ""}


async def test_every_datagram_of_a_handshake_fits_and_is_whole_records() -> None:
    pair = Pair()
    await pair.run()
    for _, data in pair.sent:
        assert len(data) <= MTU
        position = 0
        while position < len(data):
            position += 13 + int.from_bytes(data[position + 11 : position + 13], "big")
        assert position == len(data)


async def test_a_handshake_ends_within_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "HANDSHAKE_TIMEOUT_S", 0.05)
    lonely = Dtls(Certificate.generateCertificate(), lambda data: True)
    reason = await lonely.run(DtlsRole.CLIENT, [Fingerprint("sha-256", "AA")], lambda *both: None)
    assert reason == "dtls_timeout"


async def test_a_client_without_a_certificate_is_refused_with_a_reason() -> None:
    pair = Pair()
    bare = SSL.Context(SSL.DTLS_METHOD)
    bare.set_verify(SSL.VERIFY_NONE)
    bare.set_tlsext_use_srtp(b"SRTP_AEAD_AES_128_GCM")
    client = SSL.Connection(bare)
    client.set_connect_state()
    pair.server = Dtls(pair.certificates[0], lambda data: bool(client.bio_write(data)))
    running = asyncio.create_task(
        pair.server.run(DtlsRole.SERVER, pair.certificates[1].fingerprints(), lambda *both: None)
    )
    async with asyncio.timeout(10):
        while not running.done():
            with contextlib.suppress(SSL.Error):
                client.do_handshake()
            with contextlib.suppress(SSL.Error):
                pair.server.carrier.feed(client.bio_read(1 << 16))
            await asyncio.sleep(0.01)
    assert running.result() == "dtls_handshake"


async def test_garbage_before_and_in_a_handshake_changes_nothing() -> None:
    pair = Pair()
    for garbage in (b"", b"\x16", b"\x16\xfe\xfd" + bytes(40), b"\x14" * 1500):
        if garbage:
            pair.server.carrier.feed(garbage)
    assert await pair.run() == {"server": "", "client": ""}


async def test_garbage_after_the_handshake_ends_nothing() -> None:
    pair = Pair()
    ended = asyncio.Event()

    def secured(who: str, both: tuple[Session, ...]) -> None:
        pair.sessions[who] = (both[0], both[1])
        if len(pair.sessions) == 2:
            for garbage in (
                b"\x16",
                b"\x17\xfe\xfd" + bytes(60),
                b"\x16\xfe\xfd" + bytes(300),
                b"\x14" * 1_500,
            ):
                pair.server.carrier.feed(garbage)
            ended.set()

    pair._secured = secured  # type: ignore[method-assign]
    running = asyncio.create_task(pair.run())
    async with asyncio.timeout(10):
        await ended.wait()
        while not pair.server.carrier._queue.empty():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not running.done()
    await pair.server.stop()
    assert await running == {"server": "", "client": ""}


async def test_a_reader_that_fails_ends_with_a_reason() -> None:
    pair = Pair()

    def secured(who: str, both: tuple[Session, ...]) -> None:
        pair.sessions[who] = (both[0], both[1])
        if len(pair.sessions) == 2:
            pair.server.carrier._queue.put_nowait("no bytes")  # type: ignore[arg-type]
            pair.client.carrier.close()

    pair._secured = secured  # type: ignore[method-assign]
    assert await pair.run() == {"server": "dtls_failed", "client": ""}


def test_a_full_queue_drops_the_newest() -> None:
    lonely = Dtls(Certificate.generateCertificate(), lambda data: True)
    for _ in range(ours.QUEUE + 5):
        lonely.carrier.feed(b"\x16")
    assert lonely.carrier.dropped == 5


def test_flights_are_cut_at_records() -> None:
    record = b"\x16\xfe\xfd" + bytes(8) + (500).to_bytes(2, "big") + bytes(500)
    assert [len(each) for each in datagrams(record * 5)] == [1026, 1026, 513]
    assert list(datagrams(b"")) == []
    assert b"".join(datagrams(record * 3 + b"\x16\xfe")) == record * 3 + b"\x16\xfe"
    assert isinstance(SSL.OP_NO_QUERY_MTU, int)
