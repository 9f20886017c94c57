"""DTLS of one peer: aiortc's `RTCDtlsTransport` on top of the relay's socket.

Its seam is private (`_recv`, `_send`, `role`, `state` below it; `_ssl`, `_write_ssl`, `_setup_srtp` in
it), so aiortc is pinned and tests/peers/test_dtls_seam.py holds it to what is used here. What is
mended: a flight is written whole and in datagrams that fit (aiortc reads the first 1,500 bytes of it), a
handshake ends within a time, failures have a reason, and the SRTP sessions never allow a repeat:
under GCM that would give the authentication key away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
    State,
)
from OpenSSL import SSL
from pylibsrtp import Policy, Session

from server.protocol.parameters import DtlsRole, Fingerprint

MTU = 1_200
HANDSHAKE_TIMEOUT_S = 20.0
QUEUE = 64
REPLAY_WINDOW = 1_024

PROFILES = [SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80]
_RECORD_HEADER = 13
_PROBLEMS = {
    "wrong curve": "certificate_curve",  # FFmpeg with GnuTLS: P-224, which OpenSSL 4 knows no more
    "no shared cipher": "no_shared_cipher",
    "unsupported protocol": "dtls_version",
}


class Certificate(RTCCertificate):
    """The worker's one certificate. All its associations share one context (making one costs more than a
    handshake), whose records fit into a datagram, and which resumes no session."""

    _contexts: dict[bytes, SSL.Context] | None = None
    _told: list[Fingerprint] | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._contexts is None:
            self._contexts = {}
        profiles = b":".join(each.openssl_profile for each in srtp_profiles)
        if profiles not in self._contexts:
            context = super()._create_ssl_context(srtp_profiles)
            context.set_options(SSL.OP_NO_QUERY_MTU)
            context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
            self._contexts[profiles] = context
        return self._contexts[profiles]

    def fingerprints(self) -> list[Fingerprint]:
        """SHA-256 alone: every peer knows it, and each further one makes every SDP longer."""
        if self._told is None:
            self._told = [
                Fingerprint(f.algorithm, f.value) for f in self.getFingerprints() if f.algorithm == "sha-256"
            ]
        return self._told


class Carrier:
    """What stands for the ICE transport below aiortc's DTLS: a bounded queue in, a function out.

    A full queue drops the newest datagram: DTLS sends again.
    """

    role = "controlled"
    state = "completed"

    def __init__(self, send: Callable[[bytes], bool]) -> None:
        self._send_datagram = send
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE)
        self.dropped = 0

    def feed(self, data: bytes) -> None:
        try:
            self._queue.put_nowait(data)
        except asyncio.QueueFull:
            self.dropped += 1

    def close(self) -> None:
        """End whoever reads."""
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def _recv(self) -> bytes:
        data = await self._queue.get()
        if data is None:
            raise ConnectionError("closed")
        return data

    async def _send(self, data: bytes) -> None:
        self._send_datagram(data)


class _Transport(RTCDtlsTransport):
    """aiortc's transport with the mends named above."""

    def __init__(self, carrier: Carrier, certificate: Certificate) -> None:
        super().__init__(carrier, [certificate])  # type: ignore[arg-type]
        self._srtp_profiles = PROFILES
        self.reason = ""
        self.sessions: tuple[Session, Session] | None = None  # inbound, outbound
        self.profile = ""

    async def _do_handshake(self) -> None:
        """aiortc's own loses OpenSSL's error, for it reads while it shakes hands."""
        ssl = self._ssl
        assert ssl is not None
        ssl.set_ciphertext_mtu(MTU)
        try:
            while not self.encrypted:
                try:
                    ssl.do_handshake()
                except SSL.WantReadError:
                    await self._write_ssl()
                    await self._next_flight(ssl)
                else:
                    self.encrypted = True
                    await self._write_ssl()
        except SSL.Error as error:
            self.reason = handshake_problem(error)
            self._set_state(State.FAILED)
        except ConnectionError:
            self.reason = "dtls_handshake"
            self._set_state(State.FAILED)

    async def _next_flight(self, ssl: SSL.Connection) -> None:
        """One datagram into OpenSSL; after its pause (RFC 6347, 4.2.4.1) the last flight again."""
        try:
            async with asyncio.timeout(ssl.DTLSv1_get_timeout()):
                data = await self.transport._recv()
        except TimeoutError:
            ssl.DTLSv1_handle_timeout()
            await self._write_ssl()
            return
        ssl.bio_write(data)

    def _validate_peer_identity(self, remoteParameters: RTCDtlsParameters) -> None:
        super()._validate_peer_identity(remoteParameters)
        if self._state is State.FAILED:
            self.reason = "wrong_fingerprint"

    def _setup_srtp(self) -> None:
        assert self._ssl is not None
        name = self._ssl.get_selected_srtp_profile()
        profile = next((each for each in PROFILES if each.openssl_profile == name), None)
        if profile is None:
            self.reason = "no_srtp_profile"
            self._set_state(State.FAILED)
            return
        length = 2 * (profile.key_length + profile.salt_length)
        keys = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", length)
        ours = 1 if self._role == "server" else 0
        inbound = _session(profile, profile.get_key_and_salt(keys, 1 - ours), Policy.SSRC_ANY_INBOUND)
        outbound = _session(profile, profile.get_key_and_salt(keys, ours), Policy.SSRC_ANY_OUTBOUND)
        self.sessions = (inbound, outbound)
        self.profile = name.decode()

    async def _write_ssl(self) -> None:
        assert self._ssl is not None
        flight = b""
        while True:
            try:
                flight += self._ssl.bio_read(1 << 16)
            except SSL.Error:
                break
        for datagram in datagrams(flight):
            await self.transport._send(datagram)


def handshake_problem(error: SSL.Error) -> str:
    """A stable reason for OpenSSL's error; "dtls_handshake" for what has no name of its own."""
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    told = {str(entry[-1]) for entry in queue if entry}
    return next((reason for text, reason in _PROBLEMS.items() if text in told), "dtls_handshake")


def datagrams(flight: bytes) -> Iterator[bytes]:
    """Cut a flight at record borders into datagrams of at most MTU bytes (one record at least)."""
    start = position = 0
    while position + _RECORD_HEADER <= len(flight):
        length = _RECORD_HEADER + int.from_bytes(flight[position + 11 : position + 13], "big")
        if position > start and position + length - start > MTU:
            yield flight[start:position]
            start = position
        position += length
    if start < len(flight):
        yield flight[start:]


def _session(profile: SRTPProtectionProfile, key: bytes, ssrc_type: int) -> Session:
    policy = Policy(key=key, ssrc_type=ssrc_type, srtp_profile=profile.libsrtp_profile)
    policy.allow_repeat_tx = False
    policy.window_size = REPLAY_WINDOW
    return Session(policy)


class Dtls:
    """One association. `send` puts a datagram on the wire; `feed` takes one from it.

    `run` makes the handshake, then reads alerts until the end. It calls `secured(inbound, outbound)`
    once, and returns why it ended: "" for a close_notify or `stop`, else a stable reason.
    """

    def __init__(self, certificate: Certificate, send: Callable[[bytes], bool]) -> None:
        self.carrier = Carrier(send)
        self._transport = _Transport(self.carrier, certificate)

    @property
    def profile(self) -> str:
        """The negotiated SRTP profile, OpenSSL's name; "" before."""
        return self._transport.profile

    async def run(
        self, role: DtlsRole, fingerprints: list[Fingerprint], secured: Callable[[Session, Session], None]
    ) -> str:
        transport = self._transport
        transport._set_role(role.value)
        expected = [RTCDtlsFingerprint(each.algorithm, each.value) for each in fingerprints]
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                await transport.start(RTCDtlsParameters(fingerprints=expected))
        except TimeoutError:
            return "dtls_timeout"
        except SSL.Error:
            return "dtls_handshake"  # OpenSSL gave up repeating a flight
        if transport.sessions is None:
            await self._tell_failure()
            return transport.reason or "dtls_handshake"
        secured(*transport.sessions)
        reading = transport._task
        if reading is not None:
            await asyncio.wait([reading])
            if not reading.cancelled() and reading.exception() is not None:
                return "dtls_failed"  # unasked, asyncio would log it as an error of ours
        return ""

    async def stop(self) -> None:
        """Send close_notify and end `run`."""
        await self._transport.stop()
        self.carrier.close()

    async def _tell_failure(self) -> None:
        """Flush the alert that says so, and close what had been agreed."""
        ssl = self._transport._ssl
        if ssl is None:
            return
        try:
            if self._transport.encrypted:
                ssl.shutdown()
        except SSL.Error:
            pass
        await self._transport._write_ssl()
