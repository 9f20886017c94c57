"""WHIP and WHEP sessions of a lesson, and what the API asks of it. A part of the lesson room, in its task."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar, assert_never

from server.domain.floor import watcher_assignment
from server.domain.lesson import Lesson
from server.domain.teaching import Teaching
from server.errors import Refused, UserFault
from server.live import connections as exchange
from server.live import inbox as told
from server.live.ad_hoc import booked_now
from server.live.connections import Connection, MediaLost
from server.live.ports import WorkerPort
from server.live.room_media import FLOWING_MS, WHEP_SEAT, WHIP_SEAT, Tracks
from server.protocol import messages as m
from server.protocol.parameters import Source

if TYPE_CHECKING:
    from server.live.lesson_room import LessonRoom

T = TypeVar("T")

MOST_PUBLISHERS = 8
MOST_WATCHERS = 64


class NoSession(Refused):
    """No such WHIP or WHEP session (any more)."""

    def __init__(self) -> None:
        super().__init__("no_session", zh="没有这个连接。", en="There is no such session.")


class StaleTag(UserFault):
    """If-Match names an ICE session that is not the present one (HTTP 412)."""

    def __init__(self) -> None:
        super().__init__("stale_tag", zh="连接已经更新。", en="The ICE session is another one by now.")


class NoMedia(UserFault):
    """No media worker at this moment (HTTP 503)."""

    def __init__(self) -> None:
        super().__init__(
            "media_busy", zh="音视频服务暂时不可用，请稍后再试。", en="Media is not ready; try again shortly."
        )


class StandardDoors(ABC):
    """`room.media.connections` holds the sessions; their seats begin with "whip." or "whep."."""

    def __init__(self, room: LessonRoom) -> None:
        self.room = room

    def _sessions(self, prefix: str) -> list[Connection]:
        found = self.room.media.connections.values()
        return [connection for connection in found if connection.seat.startswith(prefix)]

    def published(self) -> bool:
        """Whether the main room is published by a standard client."""
        return any(connection.alive for connection in self._sessions(WHIP_SEAT))

    def watchers(self) -> list[m.Words]:
        """A name for each standard viewer: nobody watches unseen."""
        count = len(self._sessions(WHEP_SEAT))
        return [m.Words(zh=f"播放器 {k}", en=f"Player {k}") for k in range(1, count + 1)]

    async def asked(self, ask: told.Ask, now: int) -> None:
        """Carry out what was asked and set its reply. LiankeError and MediaLost are the asker's."""
        match ask:
            case told.StartLesson():
                await self._start(ask, now)
            case told.EndLesson():
                await self.teach(m.End(), now)
                await self.room.save()
                _answer(ask.reply, self.room.lesson.id)
            case told.Publish():
                _answer(ask.reply, await self._publish(ask, now))
            case told.Watch():
                _answer(ask.reply, await self._watch(ask))
            case told.Patch():
                _answer(ask.reply, await self._patch(ask))
            case told.Hangup():
                self.room.media.close(self._session(ask.session, ask.kind))
                _answer(ask.reply, None)
            case told.OpenLink(role=role, link=link):
                self.room.broadcast.open_link(role, link)
                _answer(ask.reply, None)
            case told.CloseLink(role=role):
                self.room.broadcast.close_link(role)
                _answer(ask.reply, None)
            case _:
                assert_never(ask)

    @abstractmethod
    async def teach(self, message: Teaching, now: int) -> None:
        """The teacher's wish. UserFault where it cannot be."""

    def point_watchers(self, announced: Mapping[str, frozenset[Source]], tracks: Tracks) -> None:
        """WHEP sessions follow the floor like everybody."""
        for connection in self._sessions(WHEP_SEAT):
            word = connection.seat.removeprefix(WHEP_SEAT)
            source = Source(word) if word in set(Source) else None
            wanted = watcher_assignment(self.room.lesson, self.room.attendance.floor, announced, source)
            self.room.media.point(connection, wanted, tracks)

    async def _start(self, ask: told.StartLesson, now: int) -> None:
        room = self.room
        if room.lesson.on_air:
            raise UserFault("already_on", zh="这个教室正在上课。", en="This room has a lesson on the air.")
        lesson = renamed(room.lesson, ask.title, ask.minutes)
        if ask.rooms is not None and not lesson.booked:
            lesson = booked_now(lesson, ask.rooms, lesson.rules.minutes, now)
        if lesson != room.lesson:
            await room.become(lesson)
        await self.teach(m.Start(), now)
        await room.save()
        _answer(ask.reply, room.lesson.id)

    async def _publish(self, ask: told.Publish, now: int) -> told.Opened:
        lesson = self.room.lesson
        if lesson.state is m.LessonState.ENDED:
            raise NoSession
        if ask.alone:
            self._make_way(WHIP_SEAT + ask.label, now)
        if len(self._sessions(WHIP_SEAT)) >= MOST_PUBLISHERS:
            raise UserFault("too_many", zh="推流太多了。", en="Too many publishers.")
        connection, answer = await exchange.open_up(
            self._worker(), lesson.id, WHIP_SEAT + ask.label, ask.sdp, ask.sources, music=False
        )
        self.room.media.connections[connection.name] = connection
        if Source.SCREEN in ask.sources.values():
            await self.room.become(replace(self.room.lesson, courseware=True))
        return told.Opened(connection.token, connection.etag, answer.sdp)

    def _make_way(self, seat: str, now: int) -> None:
        """Who sends stays, and whoever comes second is told so; who has fallen silent gives way."""
        for connection in [each for each in self._sessions(WHIP_SEAT) if each.seat == seat]:
            if any(now - connection.flowing_at.get(mid, now) < FLOWING_MS for mid in connection.live):
                raise UserFault(
                    "already_sending",
                    zh="已有编码器在用这个密钥推流。",
                    en="Another encoder sends with this key already.",
                )
            self.room.media.close(connection)

    async def _watch(self, ask: told.Watch) -> told.Opened:
        lesson = self.room.lesson
        if not lesson.on_air:
            raise UserFault("not_on_air", zh="还没有上课。", en="The lesson is not on the air.")
        if len(self._sessions(WHEP_SEAT)) >= MOST_WATCHERS:
            raise UserFault("too_many", zh="观看的太多了。", en="Too many viewers.")
        seat = WHEP_SEAT + (ask.source or "stage")
        connection, text = await exchange.open_whep(self._worker(), lesson.id, seat, ask.sdp)
        self.room.media.connections[connection.name] = connection
        return told.Opened(connection.token, connection.etag, text)

    async def _patch(self, ask: told.Patch) -> tuple[str, str | None]:
        connection = self._session(ask.session, ask.kind)
        known = connection.remote
        restarts = known is not None and ask.fragment.ufrag != known.ufrag
        if ask.etag != "*" and (ask.etag != connection.etag or restarts):
            raise StaleTag
        fragment = await exchange.patch(self._worker(), connection, ask.fragment)
        return connection.etag, fragment

    def _session(self, token: str, kind: str) -> Connection:
        prefix = WHIP_SEAT if kind == "whip" else WHEP_SEAT
        for connection in self._sessions(prefix):
            if connection.token == token:
                return connection
        raise NoSession

    def _worker(self) -> WorkerPort:
        try:
            return self.room.media.need()
        except MediaLost:
            raise NoMedia from None


def renamed(lesson: Lesson, title: m.Words | None, minutes: int | None) -> Lesson:
    """The lesson with what the API asked for."""
    rules = replace(lesson.rules, minutes=minutes) if minutes is not None else lesson.rules
    return replace(lesson, title=title or lesson.title, rules=rules)


def _answer(reply: asyncio.Future[T], value: T) -> None:
    """Who asked may have given up; a session nobody took is gone after its silence."""
    if not reply.done():
        reply.set_result(value)
