"""A light WebRTC peer: real ICE checks, real DTLS, real SRTP on one UDP socket, and no media engine.

It is how a camera or encoder comes to a media worker, and the other side of one in benches and tests: after
`connect` its owner sends and reads datagrams itself, as cheaply as it likes, with `outbound` and `inbound`
(libsrtp sessions). It speaks first (ICE controlling, nominating its only pair) and is the DTLS client.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Sequence
from typing import Any, Literal

from aioice import stun
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)
from pylibsrtp import Session

from server.protocol.parameters import Fingerprint, LocalTransport, RemoteTransport

Profile = Literal["gcm", "sha1"]

PROFILES = {"gcm": SRTP_AEAD_AES_128_GCM, "sha1": SRTP_AES128_CM_SHA1_80}
SOCKET_BUFFER = 4 << 20
CONSENT_EVERY_S = 2.5  # RFC 7675: 5 s, and never later than 30 s


class ConnectFailed(Exception):
    """The worker did not answer the checks or the handshake."""


class LightPeer:
    """One connection to a worker. `profile`: the only SRTP profile it offers."""

    def __init__(
        self, certificate: RTCCertificate, profile: Profile = "gcm", *, ufrag: str = "", pwd: str = ""
    ) -> None:
        self.ufrag, self.pwd = ufrag or secrets.token_hex(4), pwd or secrets.token_hex(12)
        self.profile: Profile = profile
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.socket.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER)
        self.inbound: Session
        self.outbound: Session
        self._certificate = certificate
        self._theirs: LocalTransport

    def parameters(self) -> RemoteTransport:
        """What the worker is to know of this peer."""
        prints = [Fingerprint(f.algorithm, f.value) for f in self._certificate.getFingerprints()]
        return RemoteTransport(ufrag=self.ufrag, pwd=self.pwd, fingerprints=prints[:1])

    async def connect(self, theirs: LocalTransport, timeout_s: float = 10.0) -> None:
        """Check, nominate and shake hands. ConnectFailed where that does not work in time."""
        self._theirs = theirs
        candidate = next(c for c in theirs.candidates if not c.tcp)
        self.socket.connect((candidate.address, candidate.port))
        try:
            async with asyncio.timeout(timeout_s):
                await self._check()
                await self._handshake()
        except TimeoutError:
            raise ConnectFailed(f"no connection within {timeout_s} s") from None

    def consent(self) -> bytes:
        """A binding request that nominates this pair; to be sent every CONSENT_EVERY_S."""
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._theirs.ufrag}:{self.ufrag}"
        request.attributes["PRIORITY"] = 126 << 24 | 65535 << 8 | 255  # RFC 8445, 5.1.2.1: host, component 1
        request.attributes["ICE-CONTROLLING"] = secrets.randbits(64)
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._theirs.pwd.encode())
        return bytes(request)

    def close(self) -> None:
        self.socket.close()

    async def _check(self) -> None:
        while True:
            await _send(self.socket, self.consent())
            try:
                async with asyncio.timeout(0.1):
                    while True:
                        data = await _receive(self.socket)
                        if data[:2] == b"\x01\x01":  # a binding response
                            return
            except TimeoutError:
                continue

    async def _handshake(self) -> None:
        dtls = RTCDtlsTransport(_Seam(self.socket), [self._certificate])  # type: ignore[arg-type]
        dtls._srtp_profiles = [PROFILES[self.profile]]
        dtls._set_role("client")
        theirs = [RTCDtlsFingerprint(f.algorithm, f.value) for f in self._theirs.fingerprints]
        await dtls.start(RTCDtlsParameters(fingerprints=theirs))
        if dtls.state != "connected":
            raise ConnectFailed(f"the DTLS handshake ended {dtls.state}")
        self.inbound, self.outbound = dtls._rx_srtp, dtls._tx_srtp
        if (pump := dtls._task) is not None:  # from here on the socket is its owner's
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)


class _Seam:
    """What `RTCDtlsTransport` needs of an ICE transport."""

    role = "controlling"
    state = "completed"

    def __init__(self, link: socket.socket) -> None:
        self._link = link

    async def _recv(self) -> bytes:
        return await _receive(self._link)

    async def _send(self, data: bytes) -> None:
        await _send(self._link, data)


async def connect_all(peers: Sequence[LightPeer], theirs: Sequence[LocalTransport], at_once: int = 8) -> None:
    """Connect each peer with its counterpart, a few at a time."""
    turns = asyncio.Semaphore(at_once)

    async def one(peer: LightPeer, transport: LocalTransport) -> None:
        async with turns:
            await peer.connect(transport)

    async with asyncio.TaskGroup() as group:
        for peer, transport in zip(peers, theirs, strict=True):
            group.create_task(one(peer, transport), name=f"connect {peer.ufrag}")


async def _receive(link: socket.socket) -> bytes:
    return await asyncio.get_running_loop().sock_recv(link, 2048)


async def _send(link: socket.socket, data: Any) -> None:
    await asyncio.get_running_loop().sock_sendall(link, data)
