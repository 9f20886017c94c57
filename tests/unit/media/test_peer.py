"""One connection's life, on a real relay and with a clock that is turned by hand."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from server.media.contract import PeerState
from server.media.dtls import Certificate
from server.media.peer import TRANSITIONS, Moment, Peer
from server.media.relay.relay import Relay
from server.media.relay.tables import PeerFigures
from server.protocol.parameters import Candidate, Fingerprint, RemoteTransport

CERTIFICATE = Certificate.generateCertificate()
REMOTE = RemoteTransport("them", "p" * 24, [Fingerprint("sha-256", "AA")])


class Deaf:
    """The relay, but for its own clock: it has heard nothing."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def __getattr__(self, name: str) -> Any:
        return getattr(self._relay, name)

    def peer_figures(self, peer: int) -> PeerFigures:
        return self._relay.peer_figures(peer)._replace(last_heard_us=-1)


class Told:
    """A peer and every change it told."""

    def __init__(self) -> None:
        self.changes: list[tuple[PeerState, str]] = []
        self.relay = Relay()
        candidates = [Candidate("192.0.2.1", 9)]
        self.peer = Peer("p", "L", self.relay, CERTIFICATE, candidates, self._changed, 0.0)

    def _changed(self, peer: Peer, reason: str) -> None:
        self.changes.append((peer.state, reason))

    def check(self, now: float, port: int = 5_000, nominate: bool = True) -> None:
        local = self.peer.ice.local[-1]
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes.update({"USERNAME": f"{local.ufrag}:them", "ICE-CONTROLLING": 1})
        if nominate:
            message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(local.pwd.encode())
        assert self.peer.on_stun(self.socket, ("127.0.0.1", port), bytes(message), now) is None

    socket = 0


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture(autouse=True)
def adopted(told: Told) -> Iterator[None]:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    udp.bind(("127.0.0.1", 0))
    told.socket = told.relay.adopt(udp.fileno())
    yield
    udp.close()


async def test_it_connects_when_a_check_came_and_the_other_side_is_known(told: Told) -> None:
    told.check(0.1)
    assert told.peer.state is PeerState.NEW
    assert told.peer.set_remote(REMOTE)
    assert told.changes == [(PeerState.CONNECTING, "")]
    told.check(0.2)
    told.peer.set_remote(REMOTE)
    assert len(told.changes) == 1


async def test_silence_makes_it_away_then_gone_and_a_check_brings_it_back(told: Told) -> None:
    told.peer._relay = Deaf(told.relay)  # type: ignore[assignment]
    told.peer.set_remote(REMOTE)
    told.check(0.0)
    told.peer.moment(Moment.SECURED)
    told.peer.check_silence(7.9)
    told.peer.check_silence(8.1)
    told.check(9.0)
    told.peer.check_silence(9.1)
    told.peer.check_silence(20.0)
    told.peer.check_silence(39.1)
    assert [state for state, _ in told.changes] == [
        PeerState.CONNECTING,
        PeerState.CONNECTED,
        PeerState.AWAY,
        PeerState.CONNECTED,
        PeerState.AWAY,
        PeerState.GONE,
    ]
    assert told.changes[-1][1] == "silent"


def test_a_peer_nobody_comes_for_is_gone_after_thirty_seconds(told: Told) -> None:
    told.peer.check_silence(29.0)
    assert told.changes == []
    told.peer.check_silence(30.0)
    assert told.changes == [(PeerState.GONE, "silent")]


async def test_another_certificate_is_refused(told: Told) -> None:
    assert told.peer.set_remote(REMOTE)
    other = RemoteTransport("them2", "p" * 24, [Fingerprint("sha-256", "BB")])
    assert not told.peer.set_remote(other)


def test_a_restart_gives_new_credentials_and_keeps_the_certificate(told: Told) -> None:
    before = told.peer.transport
    told.peer.restart_ice()
    after = told.peer.transport
    assert after.ufrag != before.ufrag
    assert after.pwd != before.pwd
    assert after.fingerprints == before.fingerprints


def test_a_dropped_peer_sends_nothing(told: Told) -> None:
    association = told.peer.association()
    told.peer.drop()
    asyncio.run(association.carrier._send(b"\x16"))


def test_every_state_has_a_row_and_the_last_ones_lead_nowhere() -> None:
    assert set(TRANSITIONS) == set(PeerState)
    assert TRANSITIONS[PeerState.GONE] == TRANSITIONS[PeerState.FAILED] == {}


@given(st.lists(st.sampled_from(Moment), max_size=20))
def test_moments_in_any_order_move_only_along_the_table(moments: list[Moment]) -> None:
    told = Told()
    for moment in moments:
        before, count = told.peer.state, len(told.changes)
        moved = told.peer.moment(moment)
        assert moved == (moment in TRANSITIONS[before])
        assert told.peer.state is TRANSITIONS[before].get(moment, before)
        assert len(told.changes) == count + moved
