"""What is fuzzed: each target takes any bytes. It returns, or something is broken.

A documented refusal is caught inside; whatever else is raised is a find. Relay targets hold one relay with a
publisher, a viewer, a tap and a stranger for the life of the process (`Room` of tests/property), so that a
later input meets what earlier ones left.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Iterator

from OpenSSL import SSL

from server.media.dtls import MTU, PROFILES, Certificate, datagrams
from server.media.ice import Credentials, Dropped, IceLite
from server.protocol.parameters import Fingerprint, Kind, LocalTransport, Source
from server.protocol.sdp import (
    BadSdp,
    SlotPlan,
    answer_up,
    answer_whep,
    offer_down,
    read_down_answer,
    read_fragment,
    read_offer,
)
from server.protocol.session import Session
from tests.fuzz.seeds import LOCAL_CREDENTIALS
from tests.property.test_relay_garbage import Room, seal
from tests.unit.media.relay.loopback import Far, Wire
from tests.unit.media.relay.streams import TcpFar, TcpWire, free_in_both

Target = Callable[[bytes], None]

LOCAL = LocalTransport("worker01", "p" * 24, [Fingerprint("sha-256", ":".join(["AB"] * 32))], [])
PLAN = [
    SlotPlan("stage", "0", Kind.VIDEO, 1001, 1002, "main"),
    SlotPlan("main", "1", Kind.AUDIO, 1003, 0, "main"),
]


def stun(data: bytes) -> None:
    """A STUN message to a peer with known credentials."""
    ours = Credentials(*LOCAL_CREDENTIALS)
    found = IceLite([ours], ["them"]).receive(data, ("192.0.2.1", 9))
    if not isinstance(found, Dropped):
        assert len(found.reply) <= 100


def sdp(data: bytes) -> None:
    """An offer of a publisher and of a viewer, and an answer to ours."""
    text = data.decode("utf-8", "replace")
    offer_down(PLAN, LOCAL, version=1)
    for read in (_published, _watched, _answered):
        try:
            read(text)
        except BadSdp:
            continue


def _published(text: str) -> None:
    offer = read_offer(text)
    sources: dict[str, Source] = {}
    for section in offer.sections:
        wanted = Source.VOICE if section.kind == "audio" else Source.CAMERA
        if wanted not in sources.values() and section.is_media:
            sources[section.mid] = wanted
    answer_up(offer, sources, LOCAL, version=1)


def _watched(text: str) -> None:
    answer_whep(read_offer(text), PLAN, LOCAL, version=1)


def _answered(text: str) -> None:
    read_down_answer(text, PLAN)


def fragment(data: bytes) -> None:
    """The body of a WHIP or WHEP PATCH."""
    try:
        read_fragment(data.decode("utf-8", "replace"))
    except BadSdp:
        return


def websocket(data: bytes) -> None:
    """A page's messages, one a line, as text and as bytes."""
    for how in (lambda line: line, lambda line: line.decode("utf-8", "surrogateescape")):
        session = Session(0.0)
        for place, line in enumerate(data.split(b"\n")):
            session.receive(how(line), float(place))


@functools.cache
def _certificate() -> Certificate:
    return Certificate.generateCertificate()


def dtls(data: bytes) -> None:
    """What comes instead of a handshake's flights, cut at records as our own are."""
    for piece in datagrams(data):
        assert piece
    connection = SSL.Connection(_certificate()._create_ssl_context(PROFILES))
    connection.set_ciphertext_mtu(MTU)
    connection.set_accept_state()
    for piece in pieces(data):
        connection.bio_write(piece)
        try:
            connection.do_handshake()
        except SSL.Error:
            continue


def pieces(data: bytes) -> Iterator[bytes]:
    """The input as datagrams: two octets of length before each."""
    at = 0
    while at + 2 < len(data):
        length = 1 + struct.unpack_from("!H", data, at)[0] % 1_600
        yield data[at + 2 : at + 2 + length]
        at += 2 + length


@functools.cache
def _room() -> Room:
    return Room(Wire())


def _alive(room: Room) -> None:
    room.drain()
    assert room.wire.relay.totals()["received"] >= 0


def relay_datagrams(data: bytes) -> None:
    """Anything, from addresses known and unknown."""
    room = _room()
    for piece in pieces(data):
        for far in (room.stranger, room.sender, room.viewer):
            far.send(piece)
    _alive(room)


def relay_rtp(data: bytes) -> None:
    """RTP that a real publisher's SRTP session protected."""
    room = _room()
    _sealed(room.sender, data, rtcp=False)
    _alive(room)


def relay_rtcp(data: bytes) -> None:
    """RTCP of a real viewer and a real publisher: reports, NACKs, transport-wide feedback."""
    room = _room()
    room.sender.send(seal(room.sender, room.camera.packet(), rtcp=False))
    _sealed(room.viewer, data, rtcp=True)
    _sealed(room.sender, data, rtcp=True)
    _alive(room)
    room.wire.relay.take_bursts(room.viewer.handle)


def _sealed(far: Far, data: bytes, *, rtcp: bool) -> None:
    for piece in pieces(data):
        far.send(seal(far, piece, rtcp=rtcp) or b"\0")


@functools.cache
def _tcp() -> tuple[TcpWire, TcpFar]:
    wire = free_in_both()
    return wire, TcpFar(wire).prove(b"steady")


def relay_tcp(data: bytes) -> None:
    """A TCP stream from a stranger, in the segments `pieces` gives; the steady connection lives on."""
    wire, _ = _tcp()
    stranger = TcpFar(wire)
    try:
        for piece in pieces(data):
            stranger.socket.sendall(piece)
            wire.run()
    except (BrokenPipeError, ConnectionResetError):
        pass  # the relay ended it
    wire.run()
    wire.relay.tick()
    stranger.socket.close()
    wire.connections.remove(stranger)
    wire.events.clear()


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        stun, sdp, fragment, websocket, dtls, relay_datagrams, relay_rtp, relay_rtcp, relay_tcp,
    )
}  # fmt: skip
