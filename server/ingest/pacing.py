"""When what a source sent is sent on: by its own times, behind a small start buffer. Pure.

Devices send in bursts, and a picture later than its sound, by as much as its encoder takes. Sent on as they
come, the two would stand apart wherever they are joined by arrival, until sender reports have settled it.
So both wait for the later one: each moment goes out at its media time plus one delay, the least lateness
of the later stream and BUFFER_S. What comes later than that goes at once, and nothing waits over
LONGEST_S.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

BUFFER_S = 0.02
WINDOW_S = 4.0  # the least lateness of this long and of as long before
RISE, FALL = 0.1, 0.02  # s of delay a second
FALL_SHARE = 0.5  # a second, of a delay that is far too long: a source's clock was taken for later than it is
LONGEST_S = 0.6  # a stream that is later than that is not waited for
MOST_WAITING = 512  # of a stream: the oldest goes at once
MOVED_EVERY_S = 0.05  # how often the delay is looked at: it moves slowly

Payload = TypeVar("Payload")


@dataclass(slots=True)
class _Lane(Generic[Payload]):
    """One stream: what waits, and how late it is at least."""

    waiting: deque[tuple[float, Payload]] = field(default_factory=deque)
    least: float | None = None
    least_before: float | None = None
    window: int = 0

    def saw(self, late: float, now: float) -> None:
        window = int(now / WINDOW_S)
        if window != self.window:
            self.least_before = self.least if window == self.window + 1 else None
            self.least, self.window = None, window
        self.least = late if self.least is None else min(late, self.least)

    def lateness(self, now: float) -> float | None:
        """None where nothing came lately."""
        if int(now / WINDOW_S) > self.window + 1:
            return None
        known = [each for each in (self.least, self.least_before) if each is not None]
        return min(known) if known else None


@dataclass(slots=True)
class Pacing(Generic[Payload]):
    """Pictures and sound of one source on their way out. Times are seconds; `now` is a monotonic clock."""

    delay: float | None = None  # from media time to going out
    _lanes: tuple[_Lane[Payload], _Lane[Payload]] = field(default_factory=lambda: (_Lane(), _Lane()))
    _moved_at: float = 0.0

    def begin(self, leasts: dict[int, float], now: float) -> None:
        """A source was opened: how late each of its streams was at least. What waits goes at once."""
        for lane in self._lanes:
            lane.least = lane.least_before = None
        for stream, late in leasts.items():
            self._lanes[stream].saw(late, now)
        self.delay = None

    def put(self, stream: int, media: float, payload: Payload, now: float) -> None:
        """Something of a stream has come; a stream's media times rise."""
        lane = self._lanes[stream]
        lane.saw(now - media, now)
        lane.waiting.append((media, payload))

    def take(self, now: float) -> Iterator[tuple[int, float, Payload]]:
        """What is due: stream, media time, payload; in the order of media time."""
        until = now - self._moved(now)
        pictures, sounds = self._lanes[0].waiting, self._lanes[1].waiting
        while True:
            has_picture = pictures and (pictures[0][0] <= until or len(pictures) > MOST_WAITING)
            has_sound = sounds and (sounds[0][0] <= until or len(sounds) > MOST_WAITING)
            if has_picture and (not has_sound or pictures[0][0] <= sounds[0][0]):
                yield 0, *pictures.popleft()
            elif has_sound:
                yield 1, *sounds.popleft()
            else:
                return

    def _moved(self, now: float) -> float:
        """The delay, moved a little towards where it should be: nothing jumps."""
        if self.delay is not None and now - self._moved_at < MOVED_EVERY_S:
            return self.delay
        known = [late for lane in self._lanes if (late := lane.lateness(now)) is not None]
        if not known:
            return self.delay or 0.0
        wanted = min(max(known) + BUFFER_S, min(known) + LONGEST_S)
        passed = max(0.0, now - self._moved_at)
        if self.delay is None:
            self.delay = wanted
        else:
            fall = max(FALL, FALL_SHARE * (self.delay - wanted))
            self.delay += max(-fall * passed, min(RISE * passed, wanted - self.delay))
        self._moved_at = now
        return self.delay
