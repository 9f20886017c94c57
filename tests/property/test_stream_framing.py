"""RFC 4571 frames of a TCP peer, however the network cuts them; and whatever else may come."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.media.relay.tables import EventKind
from tests.unit.media.relay.streams import TcpFar, TcpWire, framed, tcp_wired

ONE_WIRE = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
records = st.binary(min_size=0, max_size=1499).map(lambda rest: b"\x16" + rest)


@pytest.fixture
def wire() -> Iterator[TcpWire]:
    with tcp_wired() as made:
        yield made


def proven(wire: TcpWire) -> TcpFar:
    return TcpFar(wire).prove(b"peer-%d" % len(wire.connections))


@ONE_WIRE
@given(messages=st.lists(records, min_size=1, max_size=12), cuts=st.lists(st.integers(1, 2000), max_size=12))
def test_frames_come_whole_and_in_order_however_the_bytes_are_cut(
    wire: TcpWire, messages: list[bytes], cuts: list[int]
) -> None:
    far = proven(wire)
    wire.events.clear()
    left = framed(*messages)
    for cut in cuts:
        far.socket.sendall(left[:cut])
        left = left[cut:]
        wire.run()
    far.socket.sendall(left)
    wire.tick_until(lambda: len(wire.told(EventKind.DTLS)) >= len(messages))
    assert [event.data for event in wire.told(EventKind.DTLS)] == messages
    wire.relay.remove_peer(far.handle)
    far.socket.close()


@ONE_WIRE
@given(noise=st.binary(max_size=6000))
def test_noise_ends_or_idles_its_own_connection_and_no_other(wire: TcpWire, noise: bytes) -> None:
    steady = wire.connections[0] if wire.connections else proven(wire)
    for far in (TcpFar(wire), proven(wire)):
        far.socket.sendall(noise)
        wire.run()
        wire.tick()
        if far.handle >= 0:
            wire.relay.remove_peer(far.handle)
        far.socket.close()
    wire.events.clear()
    steady.send(b"\x16still here")
    wire.tick_until(lambda: bool(wire.told(EventKind.DTLS)))
    assert wire.told(EventKind.DTLS)[-1].data == b"\x16still here"
