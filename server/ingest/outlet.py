"""What comes of a source, on its way out: put in step, numbered, sent at its time.

The pulling thread puts pictures and sound in; what is due goes out at the next tick of the clock that all
sources share.
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
from server.ingest.ticking import TICK_S
from server.ingest.timing import PICTURE, SOUND, SourceClock

REPORT_EVERY_S = 1.0
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
    _turn: threading.Lock = field(default_factory=threading.Lock)
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

    def tick(self, now: float) -> None:
        """Send what waited and whose time has come, and reports; called once a tick."""
        with self._turn:
            self._send_due(now + TICK_S / 2)
            if now - self._reported_at >= REPORT_EVERY_S:
                self._report(now)

    def _put(self, stream: int, media: float, payload: Sequence[bytes]) -> None:
        now = time.monotonic()
        with self._turn:
            self._pacing.put(stream, media, payload, now)

    def _send_due(self, until: float) -> None:
        packets: list[bytes] = []
        for stream, media, payload in self._pacing.take(until):
            if stream == PICTURE and self.video is not None:
                packets += self.video.access_unit(payload, round(media * VIDEO_RATE))
            elif self.audio is not None:
                packets.append(self.audio.packet(payload[0], round(media * AUDIO_RATE), marker=False))
        if packets:
            self._sending_since = self._sending_since or until
            self.publisher.send(packets)

    def _report(self, now: float) -> None:
        """Sender reports of both streams together: one alone does not say how they stand to one another."""
        streams = [each for each in (self.video, self.audio) if each is not None]
        begun = [each for each in streams if each.packets]
        waited = self._sending_since and now - self._sending_since > REPORT_EVERY_S
        if not begun or (begun != streams and not waited):
            return
        self._reported_at = now
        self.publisher.send_reports(begun, self.clock.at(now))
