"""Transport-wide feedback: what came and when, every 100 ms."""

from __future__ import annotations

import struct
import time
from itertools import pairwise

from tests.unit.media.relay.loopback import Camera, Far, Wire, blocks_of, build_rtp, video_up


def decode(body: bytes) -> tuple[int, int, list[float | None]]:
    """Base sequence, count of the feedback, and each packet's arrival in seconds (None: it did not come)."""
    base, count, head = struct.unpack_from("!HHI", body, 8)
    at = 16
    symbols: list[int] = []
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", body, at)
        at += 2
        if chunk >> 15 == 0:
            symbols += [chunk >> 13 & 3] * (chunk & 0x1FFF)
        elif chunk >> 14 & 1:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    clock = (head >> 8) * 0.064
    arrivals: list[float | None] = []
    for symbol in symbols[:count]:
        if symbol == 0:
            arrivals.append(None)
            continue
        delta = body[at] if symbol == 1 else struct.unpack_from("!h", body, at)[0]
        at += symbol
        clock += delta * 0.00025
        arrivals.append(clock)
    assert not any(body[at:])
    assert len(body) - at < 4
    return base, head & 255, arrivals


def feedback_of(far: Far) -> list[bytes]:
    return [
        body
        for compound in far.received()[1]
        for kind, form, body in blocks_of(compound)
        if (kind, form) == (205, 15)
    ]


def collect(found: list[bytes], far: Far) -> list[bytes]:
    found += feedback_of(far)
    return found


def send(camera: Camera, number: int) -> tuple[float, float]:
    """Send a packet under this transport-wide number; the times before and after."""
    before = time.monotonic()
    camera.send(extensions={3: struct.pack("!H", number & 0xFFFF)})
    return before, time.monotonic()


def test_what_came_is_told_with_its_arrival_time(wire: Wire) -> None:
    camera = Camera(wire.far())
    wire.relay.add_up(camera.far.handle, video_up())
    wire.tick()
    times = {}
    for number in range(65_530, 65_550):
        if number % 5 != 2:
            times[number] = send(camera, number)
        began = time.monotonic()
        while time.monotonic() - began < 0.002:
            wire.run()
    found: list[bytes] = []
    arrivals: dict[int, float | None] = {}

    def all_told() -> bool:  # in one feedback, or in several on a busy machine
        for body in collect(found, camera.far):
            assert struct.unpack_from("!II", body) == (1, 1111)
            base, _, came = decode(body)
            first = base if base >= 65_530 else base + 65_536
            arrivals.update({first + index: at for index, at in enumerate(came)})
        return len(arrivals) >= 20

    wire.tick_until(all_told)
    assert sorted(arrivals) == list(range(65_530, 65_550))
    for number, at in arrivals.items():
        assert (at is None) == (number not in times)
        if at is not None:
            before, after = times[number]
            assert before - 0.001 < at < after + 0.001


def test_feedbacks_are_numbered_and_join_without_a_gap(wire: Wire) -> None:
    camera = Camera(wire.far())
    wire.relay.add_up(camera.far.handle, video_up())
    found: list[bytes] = []
    number = 0

    def enough() -> bool:
        nonlocal number
        send(camera, number)
        number += 1
        found.extend(feedback_of(camera.far))
        return len(found) >= 3

    wire.tick_until(enough)
    decoded = [decode(body) for body in found]
    assert [count for _, count, _ in decoded] == [0, 1, 2]
    for before, after in pairwise(decoded):
        assert after[0] == before[0] + len(before[2])


def test_a_thousand_packets_between_two_ticks_are_told_in_parts(wire: Wire) -> None:
    camera = Camera(wire.far())
    wire.relay.add_up(camera.far.handle, video_up())
    for number in range(2500):
        if number % 3:
            send(camera, number)
        if number % 200 == 0:
            wire.run()
    found: list[bytes] = []

    def told() -> int:
        found.extend(feedback_of(camera.far))
        return sum(at is not None for body in found for at in decode(body)[2])

    wire.tick_until(lambda: told() == 1666)
    told_of = [decode(body) for body in found]
    numbers = [base + i for base, _, arrivals in told_of for i, at in enumerate(arrivals) if at is not None]
    assert numbers == [number for number in range(2500) if number % 3]


def test_what_comes_after_its_feedback_is_told_in_the_next(wire: Wire) -> None:
    camera = Camera(wire.far())
    wire.relay.add_up(camera.far.handle, video_up())
    found: list[bytes] = []
    for number in (70, 71, 73):
        send(camera, number)
    wire.tick_until(lambda: bool(collect(found, camera.far)))
    send(camera, 74)
    send(camera, 72)
    wire.tick_until(lambda: len(collect(found, camera.far)) >= 2)
    told = [(base, [at is not None for at in arrivals]) for base, _, arrivals in map(decode, found)]
    assert told == [(70, [True, True, False, True]), (72, [True, True, True])]
    late, before, after = decode(found[1])[2]
    assert before is not None
    assert after is not None
    assert late is not None
    assert before < after <= late


def test_what_comes_much_too_late_is_not_told(wire: Wire) -> None:
    camera = Camera(wire.far())
    wire.relay.add_up(camera.far.handle, video_up())
    found: list[bytes] = []
    for number in range(300, 500):
        send(camera, number)
    wire.tick_until(lambda: bool(collect(found, camera.far)))
    send(camera, 301)
    send(camera, 500)
    wire.tick_until(lambda: len(collect(found, camera.far)) >= 2)
    assert (decode(found[1])[0], len(decode(found[1])[2])) == (500, 1)


def test_probing_padding_counts_and_a_jump_begins_anew(wire: Wire) -> None:
    camera = Camera(wire.far())
    wire.relay.add_up(camera.far.handle, video_up())
    send(camera, 10)
    padding = build_rtp(
        1, 1, b"", ssrc=2222, payload_type=103, padding=255, extensions={3: struct.pack("!H", 11)}
    )
    camera.far.send_rtp(padding)
    send(camera, 30_000)
    found: list[bytes] = []
    wire.tick_until(lambda: len(collect(found, camera.far)) >= 2)
    assert [(decode(body)[0], len(decode(body)[2])) for body in found] == [(10, 2), (30_000, 1)]


def test_a_publisher_without_the_extension_is_told_nothing(wire: Wire) -> None:
    camera = Camera(wire.far())
    wire.relay.add_up(camera.far.handle, video_up(transport_cc_id=0))
    send(camera, 5)
    began = time.monotonic()
    wire.tick_until(lambda: time.monotonic() - began > 0.15)
    assert feedback_of(camera.far) == []
