"""Sound in RED (RFC 2198): passed on, unwrapped, and used to restore what was lost."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.unit.media.relay.loopback import (
    VIEWER_OPUS,
    Far,
    Wire,
    audio_down,
    audio_up,
    build_rtp,
)


def opus(number: int) -> bytes:
    return b"opus%d" % number


def red(number: int, distance: int = 1) -> bytes:
    """A RED payload that repeats the packets before."""
    heads, data = b"", b""
    for back in range(distance, 0, -1):
        block = opus(number - back)
        heads += struct.pack("!I", (0x80 | 111) << 24 | back * 960 << 10 | len(block))
        data += block
    return heads + bytes([111]) + data + opus(number)


class Voice:
    def __init__(self, wire: Wire, slot: dict[str, Any] | None = None) -> None:
        self.sender, self.viewer = wire.far(), wire.far()
        self.up = wire.relay.add_up(self.sender.handle, audio_up())
        self.down = wire.relay.add_down(self.viewer.handle, audio_down(**(slot or {})))
        assert wire.relay.point(self.down, self.up)

    def send(self, number: int, payload: bytes, payload_type: int = 63) -> None:
        packet = build_rtp(number, number * 960, payload, ssrc=3333, payload_type=payload_type)
        self.sender.send_rtp(packet)


def heard(far: Far) -> list[tuple[int, int, bytes]]:
    packets = far.packets()
    first = packets[0]
    assert all(
        (p.timestamp - first.timestamp) & 0xFFFFFFFF == ((p.sequence - first.sequence) & 0xFFFF) * 960
        for p in packets
    )
    return [((p.sequence - first.sequence) & 0xFFFF, p.payload_type, p.payload) for p in packets]


def test_red_goes_as_red_with_the_viewers_payload_types(wire: Wire) -> None:
    voice = Voice(wire)
    voice.send(5, red(5, 2))
    voice.send(6, opus(6), 111)  # too long to be repeated: plain
    wire.run()
    renamed = bytearray(red(5, 2))
    renamed[0] = renamed[4] = 0x80 | 120
    renamed[8] = 120
    assert heard(voice.viewer) == [(0, 121, bytes(renamed)), (1, 120, opus(6))]


def test_red_is_unwrapped_where_the_viewer_has_none(wire: Wire) -> None:
    voice = Voice(wire, {"codecs": (VIEWER_OPUS,)})
    for number in range(5, 9):
        voice.send(number, red(number))
    wire.run()
    assert heard(voice.viewer) == [(i, 120, opus(5 + i)) for i in range(4)]


def test_lost_sound_is_restored_out_of_the_next_packets(wire: Wire) -> None:
    voice = Voice(wire, {"codecs": (VIEWER_OPUS,)})
    voice.send(10, red(10))
    voice.send(13, red(13, 2))
    voice.send(15, red(15))
    wire.run()
    assert heard(voice.viewer) == [(i, 120, opus(10 + i)) for i in range(6)]
    figures = wire.relay.layer_figures(voice.up)
    assert (figures.lost, figures.red_recovered, figures.packets) == (0, 3, 6)


def test_a_late_packet_already_restored_is_a_duplicate(wire: Wire) -> None:
    voice = Voice(wire)
    voice.send(10, red(10))
    voice.send(12, red(12))
    voice.send(11, red(11))
    wire.run()
    assert [(number, kind) for number, kind, _ in heard(voice.viewer)] == [(0, 121), (1, 120), (2, 121)]
    assert wire.relay.totals()["dropped_duplicate"] == 1


@pytest.mark.parametrize(
    "payload",
    [b"\x80", b"\xef\x00\x00", b"\xef\x0f\x00\xff\x6f short", b"\xef\x00\x00\x00" * 3, b"\xff" * 40],
)
def test_broken_red_is_dropped_and_counted(wire: Wire, payload: bytes) -> None:
    voice = Voice(wire)
    voice.send(5, payload)
    wire.run()
    assert voice.viewer.packets() == []
    assert wire.relay.totals()["dropped_malformed"] == 1


def test_on_a_line_that_loses_each_sound_carries_those_before_it_again(wire: Wire) -> None:
    voice = Voice(wire)
    wire.relay.repeat_sound(voice.viewer.handle, 2)
    voice.send(5, opus(5), 111)
    voice.send(6, red(6))
    voice.send(9, red(9))  # what repeats 8; 7 never came
    wire.run()
    wire.relay.repeat_sound(voice.viewer.handle, 0)
    voice.send(10, opus(10), 111)
    wire.run()

    def carried(payload: bytes) -> dict[int, bytes]:
        """By how much earlier it is, in packets."""
        heads = []
        while payload[0] & 0x80:
            (head,) = struct.unpack_from("!I", payload)
            heads.append(((head >> 10 & 0x3FFF) // 960, head & 0x3FF))
            assert head >> 24 & 0x7F == 120
            payload = payload[4:]
        assert payload[0] == 120
        payload, found = payload[1:], {}
        for back, length in heads:
            found[back], payload = payload[:length], payload[length:]
        return found | {0: payload}

    packets = heard(voice.viewer)
    assert [(number, kind) for number, kind, _ in packets] == [
        (0, 121),
        (1, 121),
        (3, 121),
        (4, 121),
        (5, 120),
    ]
    assert [carried(payload) for _, _, payload in packets[:-1]] == [
        {0: opus(5)},
        {1: opus(5), 0: opus(6)},
        {2: opus(6), 0: opus(8)},
        {1: opus(8), 0: opus(9)},
    ]
    assert packets[-1][2] == opus(10)


def test_sound_is_not_repeated_to_a_viewer_without_red(wire: Wire) -> None:
    voice = Voice(wire, {"codecs": (VIEWER_OPUS,)})
    wire.relay.repeat_sound(voice.viewer.handle, 2)
    voice.send(5, opus(5), 111)
    voice.send(6, opus(6), 111)
    wire.run()
    assert heard(voice.viewer) == [(0, 120, opus(5)), (1, 120, opus(6))]
    with pytest.raises(ValueError, match="0 to 4"):
        wire.relay.repeat_sound(voice.viewer.handle, 5)
