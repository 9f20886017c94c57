"""Devices with clocks of their own, on their way to one recording: 45 minutes, and still in step.

The way is the real one, in virtual time: a device's clock, the pacing, sender reports, the recorder's clock.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from recorder.assemble.clock import SourceClock as RoomClock
from recorder.assemble.clock import StreamClock
from server.ingest.pacing import Pacing
from server.ingest.ticking import TICK_S
from server.ingest.timing import PICTURE, SOUND, SourceClock

MINUTES, EVERY_S = 45, 0.2  # few packets: their clocks are what is looked at
Coming = tuple[float, float, float]  # arrival, the device's own time, the true moment


def sent_by(ppm: float, encoding_s: float, seed: int) -> Iterator[Coming]:
    """A device's packets: as late as its encoder takes and as the line makes them."""
    dice, newest = random.Random(seed), 0.0
    for number in range(round(MINUTES * 60 / EVERY_S)):
        truth = number * EVERY_S
        newest = max(newest + 1e-4, truth + encoding_s + dice.expovariate(1 / 0.01))
        yield newest, 7_000.0 * seed + truth * (1 + ppm * 1e-6), truth


@dataclass
class Device:
    """One opened source; `recorded`: the recorder's clock for each of its streams, `encoding`: how late its
    encoder is for each, which its first packets say."""

    recorded: dict[int, StreamClock]
    encoding: dict[int, float]
    clock: SourceClock = field(default_factory=SourceClock)
    pacing: Pacing[float] = field(default_factory=Pacing)
    ticked_at: float = 0.0
    reported_at: float = 0.0
    errors: list[tuple[float, int, float]] = field(default_factory=list)  # when, stream, lesson time - truth

    def __post_init__(self) -> None:
        self.pacing.begin(self.encoding, 0.0)

    def take(self, stream: int, own: float, truth: float, now: float) -> None:
        while self.ticked_at + TICK_S <= now:
            self.ticked_at += TICK_S
            self.tick(self.ticked_at)
        self.pacing.put(stream, self.clock.media(own, now, stream), truth, now)

    def tick(self, now: float) -> None:
        for stream, media, truth in self.pacing.take(now + TICK_S / 2):
            anchor = self.recorded[stream].observe(media, now)
            if anchor.offset_s is not None:
                self.errors.append((now, stream, media + anchor.offset_s - truth))
        if now - self.reported_at >= 1.0:
            self.reported_at = now
            for each in self.recorded.values():
                each.report(self.clock.at(now), now)


def apart(errors: list[tuple[float, int, float]]) -> float:
    """The most that sound and picture were ever apart in the recording, s."""
    last: dict[int, float] = {}
    most = 0.0
    for _, stream, error in sorted(errors):
        last[stream] = error
        if len(last) == 2:
            most = max(most, abs(last[PICTURE] - last[SOUND]))
    return most


@pytest.mark.parametrize("ppm", [300.0, -300.0])
def test_picture_and_sound_of_a_drifting_device_stay_in_step_though_the_picture_comes_later(
    ppm: float,
) -> None:
    room = RoomClock()
    clocks = {PICTURE: StreamClock("camera", room), SOUND: StreamClock("voice", room)}
    device = Device(clocks, {PICTURE: 0.13, SOUND: 0.01})
    pictures = ((*each, PICTURE) for each in sent_by(ppm, 0.13, 1))
    sounds = ((*each, SOUND) for each in sent_by(ppm, 0.01, 1))
    for now, own, truth, stream in heapq.merge(pictures, sounds):
        device.take(stream, own, truth, now)
    assert apart(device.errors) < 0.08


def test_a_camera_and_a_separate_encoder_of_the_voice_stay_in_step_though_their_clocks_part() -> None:
    """Their clocks come 1.6 s apart, and arrival alone joins them: what stays is the encoders' difference."""
    room = RoomClock()
    camera = Device({PICTURE: StreamClock("camera", room)}, {PICTURE: 0.05})
    encoder = Device({SOUND: StreamClock("voice", room)}, {SOUND: 0.02})
    pictures = ((*each, PICTURE) for each in sent_by(300.0, 0.05, 1))
    sounds = ((*each, SOUND) for each in sent_by(-300.0, 0.02, 2))
    for now, own, truth, stream in heapq.merge(pictures, sounds):
        (camera if stream == PICTURE else encoder).take(stream, own, truth, now)
    assert apart(camera.errors + encoder.errors) < 0.08
