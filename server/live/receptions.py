"""What each receiving room of a lesson received, kept as it happens. A part of the lesson room, in its task.

Written every WRITE_MS: a campus that is killed loses that much at most. What could not be written waits for
the next time, at most KEPT spans; beyond that the oldest are lost, counted and logged.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from server.domain.reception import Around, Kind, Reception, Seen, Span, Timeline, see
from server.live.participant import Participant
from server.live.ports import SpanStore
from server.protocol.messages import LessonState, Report, Role

if TYPE_CHECKING:
    from server.live.lesson_room import LessonRoom

log = logging.getLogger(__name__)

WRITE_MS = 5_000
TRACK_SILENT_MS = 2_000
"""A worker tells that a track fell silent when it was so for that long."""
SETTLE_MS = 6_000
"""So long after a restart a room that was received before has the time to come back."""
KEPT = 5_000


@dataclass(slots=True)
class _Room:
    timeline: Timeline = field(default_factory=Timeline)
    heads: int | None = None
    talk_ms: int = 0
    seen_at: int | None = None
    waiting: list[Span] = field(default_factory=list)
    before: Span | None = None  # the last one of before a restart


class Receptions:
    """`store` None: nobody keeps it."""

    def __init__(self, room: LessonRoom, store: SpanStore | None) -> None:
        self._lesson_room = room
        self._store = store
        self._rooms: dict[str, _Room] = {}
        self._written_at = 0
        self._restored_at: int | None = None
        self._over = False

    async def load(self) -> None:
        """After campus started again: go on where the rows end."""
        if self._store is None:
            return
        for room, (span, sums) in (await self._store.last(self._lesson_room.lesson.id)).items():
            self._rooms[room] = _Room(heads=sums.heads, talk_ms=sums.talk_ms, before=span)
        self._restored_at = self._lesson_room.now() if self._rooms else None

    def reported(self, seat: str, report: Report) -> None:
        """A room's word about its last second."""
        room = self._rooms.get(seat)
        if room is None:
            return
        slots = {slot.slot: slot for slot in report.slots}
        stage, voice = slots.get("stage"), slots.get("main")
        room.timeline.measured(
            freeze_ms=min(max(stage.freeze_ms, 0), 5_000) if stage else 0,
            concealed_ms=round(min(max(voice.concealed, 0.0), 1.0) * 1000) if voice else 0,
            delay_ms=min(max(voice.delay_ms, 0), 60_000) if voice else 0,
            height=min(max(stage.height, 0), 10_000) if stage else 0,
        )

    async def settle(self, now: int) -> None:
        """Look at every room; write what is due."""
        lesson = self._lesson_room.lesson
        if self._store is None or self._over or self._lesson_room.rehearsing.acted:
            return
        if lesson.on_air:
            for seat in self._lesson_room.attendance.seats():
                if seat.role is Role.ROOM:
                    self._look(seat, now)
        ended = lesson.state is LessonState.ENDED
        if ended or now - self._written_at >= WRITE_MS:
            self._written_at, self._over = now, ended
            await self._write()

    def _look(self, seat: Participant, now: int) -> None:
        room = self._rooms.setdefault(seat.seat, _Room())
        grace = self._restored_at is not None and now - self._restored_at < SETTLE_MS
        if room.before is not None and grace and seat.reported_at is None:
            return  # its page is on its way back
        seen = self._seen(seat, now)
        if room.before is not None:
            room.timeline.resume(room.before, now, seen, went_on=not seat.down_anew)
            room.before = None
        else:
            room.timeline.observe(seen, now)
        room.heads = seat.heads if seat.heads is not None else room.heads
        if room.seen_at is not None and seen.kind is not Kind.HOLE and self._heard(seat.seat):
            room.talk_ms += min(now - room.seen_at, 2_000)
        room.seen_at = now

    def _seen(self, seat: Participant, now: int) -> Seen:
        at = self._lesson_room
        silent = at.pointing.main_silent_since
        muted = seat.seat in at.attendance.floor.muted
        around = Around(
            main_away_since=at.lesson.main_away_since,
            main_sends=bool(at.media.live().get(at.lesson.main_room)),
            main_silent_since=None if silent is None else silent - TRACK_SILENT_MS,
            worker=at.media.worker is not None,
            silent=seat.line_silent,
            left_at=seat.left_at,
            arriving=seat.arriving,
            road=seat.road,
        )
        return see(seat.facts(now, on_air=True, muted=muted), around, now)

    def _heard(self, seat: str) -> bool:
        at = self._lesson_room
        return seat in at.attendance.floor.heard() and bool(at.media.live().get(seat))

    async def _write(self) -> None:
        assert self._store is not None
        for room in self._rooms.values():
            room.waiting = _newest(room.waiting, room.timeline.take())
        told = [
            Reception(name, tuple(room.waiting), room.heads, room.talk_ms)
            for name, room in self._rooms.items()
            if room.waiting
        ]
        await self._store.write(self._lesson_room.lesson.id, told)
        for room in self._rooms.values():
            room.waiting.clear()


def _newest(before: list[Span], now: list[Span]) -> list[Span]:
    """Spans by their beginning, the later word of each, bounded."""
    spans = {span.since: span for span in (*before, *now)}
    if len(spans) > KEPT:
        log.warning("%d spans lost: the store takes none", len(spans) - KEPT)
    return list(spans.values())[-KEPT:]
