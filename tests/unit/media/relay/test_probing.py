"""Probes on a viewer's line: at the rate asked, for as long as asked, under numbers of their own."""

from __future__ import annotations

import time

from tests.unit.media.relay.loopback import Rtp, Wire
from tests.unit.media.relay.test_arrivals import Viewing, numbers


def probe(viewing: Viewing, bitrate_bps: int, milliseconds: int) -> tuple[list[Rtp], float]:
    """Run a probe to its end; what the viewer got and how long it took."""
    wire = viewing.wire
    wire.relay.probe(viewing.viewer.handle, bitrate_bps, milliseconds)
    began = time.monotonic()
    got: list[Rtp] = []

    def ended() -> bool:
        got.extend(viewing.viewer.packets())
        return not wire.relay.pressing()

    wire.tick_until(ended)
    return got, time.monotonic() - began


def test_a_probe_repeats_what_was_sent_under_new_rtx_numbers(wire: Wire) -> None:
    viewing = Viewing(wire)
    viewing.send(1, key=True)
    for _ in range(20):
        viewing.camera.far.send_rtp(viewing.camera.packet() + bytes(800))
    viewing.send(1)
    got, took = probe(viewing, 1_000_000, 200)
    octets = sum(len(packet.payload) for packet in got)
    assert {packet.ssrc for packet in got} == {5001}
    assert 0.5 * 1_000_000 / 8 * 0.2 < octets < 1.1 * 1_000_000 / 8 * took
    sequences = [packet.sequence for packet in got]
    assert len(set(sequences)) == len(sequences), "no number is encrypted twice"
    assert numbers(got) == list(range(numbers(got)[0], numbers(got)[0] + len(got)))
    assert len(got[0].payload) > 800


def test_where_nothing_worth_repeating_was_sent_a_probe_is_padding(wire: Wire) -> None:
    viewing = Viewing(wire)
    viewing.send(2, key=True)
    got, _ = probe(viewing, 500_000, 100)
    assert got
    assert {(packet.ssrc, packet.payload, packet.padding) for packet in got} == {(5001, b"", 255)}


def test_a_probe_ends_when_told_to_and_goes_with_its_peer(wire: Wire) -> None:
    viewing = Viewing(wire)
    viewing.send(2, key=True)
    wire.relay.probe(viewing.viewer.handle, 500_000, 1_000)
    assert wire.relay.pressing()
    wire.relay.probe(viewing.viewer.handle, 0, 0)
    assert not wire.relay.pressing()
    wire.relay.probe(viewing.viewer.handle, 500_000, 1_000)
    wire.relay.remove_peer(viewing.viewer.handle)
    assert not wire.relay.pressing()


def test_a_viewer_that_was_sent_nothing_is_not_probed(wire: Wire) -> None:
    viewing = Viewing(wire)
    got, _ = probe(viewing, 500_000, 50)
    assert got == []
