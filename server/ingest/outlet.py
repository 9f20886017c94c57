"""What comes of a source, on its way out: put in step, numbered, sent at its time by a thread of its own.

The pulling thread puts pictures and sound in; what is due goes out at once in that thread, what must wait in
the pacing one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.ingest.contract import AUDIO_RATE, VIDEO_RATE
from server.ingest.pacing import Pacing
from server.ingest.publisher import Publisher
from server.ingest.rtp import RtpStream
from server.ingest.timing import PICTURE, SOUND, SourceClock

REPORT_EVERY_S = 1.0
LOOK_S = 0.25
SLACK_S = 0.002  # what is due so soon goes with what is due now
SILENT_OPUS = b"\xf8\xff\xfe"  # 20 ms, as browsers send a track that is switched off (RFC 6716, 3.1)


@dataclass(slots=True)
class Outlet:
    """One pulled stream of a source, with its own clock: the main one, or (`copies_only`) its sub stream.
    `video` None: a separate sound encoder, whose picture, if it has one, nobody wants.
    `wanted` False: nobody has a use for the picture now; `silent`: its sound is closed."""

    publisher: Publisher
    video: RtpStream | None
    audio: RtpStream | None = None
    copies_only: bool = False
    clock: SourceClock = field(default_factory=SourceClock)
    wanted: bool = True
    silent: bool = False
    _pacing: Pacing[Sequence[bytes]] = field(default_factory=Pacing)
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _wakes_at: float = 0.0
    _sending_since: float = 0.0
    _reported_at: float = 0.0

    def begin(self, arrived: Sequence[tuple[int, float | None, float]]) -> None:
        """The source was opened (again), and this came first: stream, own time, arrival."""
        now = time.monotonic()
        with self._turn:
            self.clock.settle([(own, at) for _, own, at in arrived])
            leasts: dict[int, float] = {}
            for stream, own, at in arrived:
                if own is not None:
                    late = at - own - self.clock.shift
                    leasts[stream] = min(late, leasts.get(stream, late))
            self._pacing.begin(leasts, now)

    def picture(self, nals: list[bytes], media: float) -> None:
        """One picture's NAL units; from the pulling thread."""
        if self.wanted and self.video is not None:
            self._put(PICTURE, media, nals)

    def sound(self, opus: bytes, media: float) -> None:
        """One Opus packet; from the pulling thread."""
        if self.audio is not None:
            self._put(SOUND, media, (SILENT_OPUS if self.silent else opus,))

    def run(self, stop: threading.Event) -> None:
        """Send what waited when its time has come, and reports, until `stop` is set."""
        while not stop.is_set():
            with self._turn:
                now = time.monotonic()
                self._send_due(now)
                self._report(now)
                due = self._pacing.next_at(now)
                self._wakes_at = min(due, now + LOOK_S) if due is not None else now + LOOK_S
                self._turn.wait(self._wakes_at - now)

    def _put(self, stream: int, media: float, payload: Sequence[bytes]) -> None:
        now = time.monotonic()
        with self._turn:
            self._pacing.put(stream, media, payload, now)
            self._send_due(now)
            due = self._pacing.next_at(now)
            if due is not None and due < self._wakes_at - SLACK_S:
                self._turn.notify()

    def _send_due(self, now: float) -> None:
        for stream, media, payload in self._pacing.take(now + SLACK_S):
            self._sending_since = self._sending_since or now
            if stream == PICTURE and self.video is not None:
                self.publisher.send(self.video.access_unit(payload, round(media * VIDEO_RATE)))
            elif self.audio is not None:
                stamp = round(media * AUDIO_RATE)
                self.publisher.send([self.audio.packet(payload[0], stamp, marker=False)])

    def _report(self, now: float) -> None:
        """Sender reports of both streams together: one alone does not say how they stand to one another."""
        streams = [each for each in (self.video, self.audio) if each is not None]
        begun = [each for each in streams if each.packets]
        waited = self._sending_since and now - self._sending_since > REPORT_EVERY_S
        if now - self._reported_at < REPORT_EVERY_S or not begun or (begun != streams and not waited):
            return
        self._reported_at = now
        self.publisher.send_reports(begun, self.clock.at(now))
