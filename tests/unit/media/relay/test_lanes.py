"""What may wait comes by a way of its own and waits for the tick; all else comes at once."""

from __future__ import annotations

import select
import socket
import struct

import pytest

from server.media.relay.tables import EventKind
from tests.unit.media.relay.loopback import Wire, build_nack, build_pli, wired
from tests.unit.media.relay.test_arrivals import Viewing, build_feedback
from tests.unit.media.relay.test_demux import DTLS, check


def is_readable(wire: Wire) -> bool:
    return bool(select.select([wire.relay.watched(wire.number)], [], [], 0)[0])


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_feedback_wakes_nobody_and_is_read_by_the_tick(family: int) -> None:
    with wired(family) as wire:
        viewer = wire.far(family=family)
        for count in range(3):
            viewer.send_rtcp(build_feedback(1 + count, [0]))
        assert not is_readable(wire)
        assert wire.relay.totals()["received"] == 0
        wire.tick()
        assert wire.relay.totals()["received"] == 3
        assert wire.relay.totals()["dropped_srtp"] == 0


def test_a_report_alone_waits_too_and_one_with_a_nack_behind_it_does_not(wire: Wire) -> None:
    viewing = Viewing(wire)
    viewing.send(3, key=True)
    report = struct.pack("!BBHIIIIIII", 0x81, 201, 7, 1, 5000, 128 << 24, 0, 0, 0, 0)
    viewing.viewer.send_rtcp(report)
    assert not is_readable(wire)
    wire.tick()
    assert wire.relay.down_figures(viewing.down).loss == pytest.approx(0.5)
    viewing.viewer.send_rtcp(report + build_nack(5000, [1]))
    assert is_readable(wire)


def test_other_reports_and_feedback_behind_them_are_not_kept_waiting(wire: Wire) -> None:
    viewing = Viewing(wire)
    viewing.send(3, key=True)
    viewing.viewer.send_rtcp(build_pli(5000))
    assert is_readable(wire)
    wire.run()
    report = bytes.fromhex("80c90001 00000001")
    viewing.viewer.send_rtcp(report + build_feedback(1, [0, 250, 500]))
    assert is_readable(wire)
    wire.run()
    assert wire.relay.totals()["feedback_received"] == 1


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_checks_wait_for_the_tick_while_they_are_held_and_none_is_lost(family: int) -> None:
    with wired(family) as wire:
        far = wire.far(b"ours", family=family)
        far.send(check("ours:theirs"))
        assert is_readable(wire), "at first they come at once"
        wire.run()
        wire.relay.hold_checks(True)
        far.send(check("ours:theirs"))
        far.send(DTLS)
        assert [event.kind for event in wire.run()] == [EventKind.DTLS], "only requests wait"
        wire.relay.hold_checks(False)
        far.send(check("ours:theirs"))
        assert [event.kind for event in wire.run()] == [EventKind.STUN]
        assert [(event.kind, event.handle) for event in wire.tick()] == [(EventKind.STUN, far.handle)]


def test_the_port_is_still_nobody_elses(wire: Wire) -> None:
    with socket.socket(wire.door.family, wire.door.type) as other, pytest.raises(OSError, match="in use"):
        other.bind(wire.address)
