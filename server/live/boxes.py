"""The cameras and encoders of one lesson's main room. A part of the lesson room, in its task.

Each has a connection like a page's, opened on the lesson's worker, and the ingest process sends there. They
run from the moment a teacher is in the studio to the lesson's end; what is lost is opened again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from server.domain.floor import OWN
from server.domain.template import rules_of
from server.ids import random_word
from server.ingest.contract import PUSH, VIDEO_MID, Publish, SourceState, up_tracks
from server.live.connections import Connection, open_box
from server.live.room_media import BOX_SEAT, WHIP_SEAT
from server.protocol import boxes as said
from server.protocol.messages import LessonState, Role
from server.protocol.parameters import RemoteTransport, Source
from server.protocol.timetable import Template
from server.protocol.words import Words
from server.store.records import BoxSource, digest_of

if TYPE_CHECKING:
    from server.live.lesson_room import LessonRoom
    from server.live.ports import BoxPort, PagePort

AGAIN_MS = 2_000
ENCODER = "key-"  # begins the label of what comes to the room's WHIP door by its key
NOT_HERE = Words(
    zh="编码器没有接入。请在编码器上开始 WHIP 推流。",
    en="The encoder is not here. Start its WHIP output.",
)


class Boxes:
    """`box` is the way to the ingest process and to what is configured."""

    def __init__(self, room: LessonRoom, box: BoxPort | None) -> None:
        self.room = room
        self._box = box
        self._ssrcs: dict[str, tuple[int, int, int]] = {}
        self._tried_at: dict[str, int] = {}
        self._told: set[str] = set()  # seats whose source the ingest process was told to pull
        self._previewed_at = -AGAIN_MS
        self._news: said.Boxes | None = None  # what the studio knows

    async def settle(self, now: int) -> None:
        """Open what is wanted and not there, close what is there and not wanted. MediaLost where the worker
        is gone."""
        if self._box is None:
            return
        self.want_layers()
        wanted = {BOX_SEAT + box.source: box for box in self._wanted(self._box)}
        there = self._connections()
        for seat, connection in list(there.items()):
            if seat not in wanted or self._box.lost(connection.name):
                self.room.media.close(there.pop(seat))
        for seat in self._told - wanted.keys():  # the lesson's end took their connections along
            self._box.withdraw(_source_name(self.room.lesson.id, seat))
            self._told.discard(seat)
        for seat, box in wanted.items():
            due = now - self._tried_at.get(seat, -AGAIN_MS) >= AGAIN_MS
            if seat not in there and due and self._box.fingerprints and self.room.media.worker is not None:
                self._tried_at[seat] = now
                await self._open(self._box, seat, box)
        self._send_away(self._box)
        for seat in self._connections():
            self._box.silence(_source_name(self.room.lesson.id, seat), self.room.media.muted)
        await self._preview(now)

    def _send_away(self, port: BoxPort) -> None:
        """Whoever came by a key that is no more, or is not to come in this lesson."""
        may = {WHIP_SEAT + label_of(box) for box in self._starting(port) if box.by_whip}
        for connection in list(self.room.media.connections.values()):
            if connection.seat.startswith(WHIP_SEAT + ENCODER) and connection.seat not in may:
                self.room.media.close(connection)

    def encoder(self, source: Source) -> BoxSource | None:
        """What may come to the WHIP door as this source now, from the moment a teacher is in the studio."""
        if self._box is None or not self._prepared():
            return None
        found = (box for box in self._starting(self._box) if box.by_whip and box.source is source)
        return next(found, None)

    def sends(self, box: BoxSource) -> bool:
        """Whether its encoder is at the WHIP door, and what it sends arrives."""
        seat = WHIP_SEAT + label_of(box)
        there = self.room.media.connections.values()
        return any(each.seat == seat and each.alive and each.live for each in there)

    def teach(self) -> bool:
        """Whether something of the main room comes without its page in this lesson."""
        return self._box is not None and bool(self._starting(self._box))

    async def _preview(self, now: int) -> None:
        """The studio sees and hears what comes without it, before Start too."""
        lesson, who = self.room.lesson, self.room.attendance.teacher
        if who.page is None or self.room.media.worker is None or now - self._previewed_at < AGAIN_MS:
            return
        names = {slot.name for slot in who.down.slots or who.down.plan} if who.down else set()
        lacks = bool(names) and names.isdisjoint(OWN)
        if self.teach() and (lacks or (who.down is None and lesson.state is LessonState.OPEN)):
            self._previewed_at = now
            await self.room.doors.offer_anew(who, now)

    def came(self, page: PagePort) -> None:
        """A studio page is told what it need not ask of its browser, before anything else."""
        self._news = self._said()
        page.send(self._news)

    def tell(self) -> None:
        """The studio, where something changed."""
        pages = self.room.attendance.pages(Role.TEACHER)
        news = self._said() if pages else None
        if news == self._news:
            return
        self._news = news
        for page in pages:
            if news is not None:
                page.send(news)

    def _said(self) -> said.Boxes:
        if self._box is None or self.room.lesson.state is LessonState.ENDED:
            return said.Boxes([])
        port = self._box
        return said.Boxes(
            [said.Box(box.source, box.sound, *self._state(port, box)) for box in self._starting(port)]
        )

    def _state(self, port: BoxPort, box: BoxSource) -> tuple[str, Words | None]:
        if box.by_whip:
            here = self.sends(box)
            return (SourceState.LIVE if here else SourceState.RETRYING).value, None if here else NOT_HERE
        state = port.state(source_name(self.room.lesson.id, box.source))
        return (state.state.value, state.words) if state else ("", None)

    def want_layers(self) -> None:
        """Tell the ingest process what the worker says of its layers."""
        if self._box is None:
            return
        for seat, connection in self._connections().items():
            news = self.room.media.layer_news(connection)
            if news is not None and VIDEO_MID in news:
                self._box.want_layers(_source_name(self.room.lesson.id, seat), news[VIDEO_MID])

    def _wanted(self, port: BoxPort) -> list[BoxSource]:
        """What the ingest process is to bring."""
        return [box for box in self._starting(port) if not box.by_whip] if self._prepared() else []

    def _prepared(self) -> bool:
        lesson = self.room.lesson
        waiting = lesson.state is LessonState.OPEN and bool(self.room.attendance.pages(Role.TEACHER))
        return lesson.on_air or waiting

    def _starting(self, port: BoxPort) -> list[BoxSource]:
        lesson = self.room.lesson
        return starting(lesson.template, port.boxes(lesson.main_room))

    def _connections(self) -> dict[str, Connection]:
        found = self.room.media.connections.values()
        return {each.seat: each for each in found if each.seat.startswith(BOX_SEAT) and each.alive}

    async def _open(self, port: BoxPort, seat: str, box: BoxSource) -> None:
        worker, lesson = self.room.media.need(), self.room.lesson.id
        numbers = self._ssrcs.setdefault(seat, (_ssrc(), _ssrc(), _ssrc()))
        audio_ssrc = numbers[1] if box.sound else 0
        remote = RemoteTransport(random_word(8), random_word(24), port.fingerprints)
        tracks = up_tracks(numbers[0], audio_ssrc, box.source, layers=bool(box.low))
        connection = await open_box(worker, lesson, seat, tracks, remote)
        self.room.media.connections[connection.name] = connection
        self._told.add(seat)
        port.publish(
            Publish(
                _source_name(lesson, seat),
                PUSH + box.name if box.key else box.address,
                connection.name,
                remote.ufrag,
                remote.pwd,
                connection.transport,
                0 if box.source is Source.VOICE else numbers[0],
                audio_ssrc,
                box.udp,
                box.low,
                numbers[2],
            )
        )


def starting(template: Template, boxes: Iterable[BoxSource]) -> list[BoxSource]:
    """Those of a main room's that are to come by themselves in a lesson of this kind. A separate sound
    encoder is the voice: no camera's sound is then."""
    starts = rules_of(template).boxes
    found = [box for box in boxes if box.with_lesson and box.address and box.source in starts]
    if any(box.source is Source.VOICE for box in found):
        return [box if box.source is Source.VOICE else replace(box, sound=False) for box in found]
    return found


def label_of(box: BoxSource) -> str:
    """How the seat of an encoder at the WHIP door ends: another one with each key."""
    return f"{ENCODER}{box.source}-{digest_of(box.key)[:12]}"


def source_name(lesson: str, source: str) -> str:
    """What the ingest process calls a source of a lesson."""
    return _source_name(lesson, BOX_SEAT + source)


def _source_name(lesson: str, seat: str) -> str:
    return f"{lesson}/{seat}"


def _ssrc() -> int:
    return secrets.randbelow(0xFFFF_FFFE) + 1
