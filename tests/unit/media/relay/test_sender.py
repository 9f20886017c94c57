"""What a publisher of ours sends by: sealed, in order, and to nobody else's harm."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Session

from server.media.relay.relay import Sender
from tests.unit.media.relay.loopback import build_rtp, session_pair


@dataclass
class Link:
    near: socket.socket
    far: socket.socket
    outbound: Session
    inbound: Session

    def sender(self) -> Sender:
        return Sender(self.near.fileno(), self.outbound)

    def received(self, count: int) -> list[bytes]:
        return [self.inbound.unprotect(self.far.recv(2048)) for _ in range(count)]


@contextmanager
def linked(family: int, address: str) -> Iterator[Link]:
    with socket.socket(family, socket.SOCK_DGRAM) as near, socket.socket(family, socket.SOCK_DGRAM) as far:
        far.bind((address, 0))
        far.settimeout(20)
        far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        near.connect(far.getsockname())
        near.setblocking(False)
        yield Link(near, far, *session_pair())


@pytest.fixture
def link() -> Iterator[Link]:
    with linked(socket.AF_INET, "127.0.0.1") as made:
        yield made


def packets(*sizes: int, first: int = 0) -> list[bytes]:
    return [
        build_rtp(number, 90_000, bytes([number % 251]) * size, ssrc=7, payload_type=102)
        for number, size in enumerate(sizes, first)
    ]


@pytest.mark.parametrize(
    "sizes", [(400,), (1180, 1180, 1180, 33), (10, 1180, 1180, 500, 500, 700), (1180,) * 100]
)
def test_what_it_sends_arrives_whole_and_in_order(link: Link, sizes: tuple[int, ...]) -> None:
    sent = packets(*sizes)
    assert link.sender().send(sent) == 0
    assert link.received(len(sent)) == sent


@given(st.lists(st.integers(0, 1400), max_size=100))
def test_any_lengths_arrive_as_they_are(sizes: list[int]) -> None:
    with linked(socket.AF_INET6, "::1") as link:
        sent = packets(*sizes)
        assert link.sender().send(sent) == 0
        assert link.received(len(sent)) == sent


def test_it_goes_on_after_the_session_and_the_list_were_let_go(link: Link) -> None:
    sender = link.sender()
    link.outbound = None  # type: ignore[assignment]
    gc.collect()
    for number in range(3):
        assert sender.send(packets(900, first=number)) == 0
    assert link.received(3) == packets(900, 900, 900)


def test_a_number_is_never_sealed_twice(link: Link) -> None:
    sender = link.sender()
    assert sender.send(packets(100)) == 0
    assert sender.send([*packets(100), *packets(200, first=1)]) == 1
    assert link.received(2) == packets(100, 200)


def test_what_nobody_takes_any_more_is_counted_and_harms_nothing(link: Link) -> None:
    link.far.close()
    sender = link.sender()
    missed = [sender.send(packets(*(1180,) * 5, first=5 * number)) for number in range(4)]
    assert sum(missed) > 0


@pytest.mark.parametrize("bad", [b"", bytes(11), bytes(1501)])
def test_a_packet_of_a_wrong_length_is_refused_and_nothing_is_sent(link: Link, bad: bytes) -> None:
    sender = link.sender()
    with pytest.raises(ValueError, match="12 to 1500 are possible"):
        sender.send([*packets(300), bad])
    assert sender.send(packets(300)) == 0
    assert link.received(1) == packets(300)


def test_a_packet_that_is_no_bytes_is_refused(link: Link) -> None:
    with pytest.raises(TypeError):
        link.sender().send([bytearray(30)])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        link.sender().send((bytes(30),))  # type: ignore[arg-type]


def test_only_a_udp_socket_will_do(link: Link) -> None:
    with socket.socket() as stream, pytest.raises(ValueError, match="no UDP socket"):
        Sender(stream.fileno(), link.outbound)
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        pytest.raises(ValueError, match="connected UDP"),
    ):
        Sender(listening.fileno(), link.outbound)
