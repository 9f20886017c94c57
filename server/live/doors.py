"""What a page says to its lesson, carried out: coming and going, offers and answers, the teacher's wishes.

A part of the lesson room (`LessonRoom`), in its task. What cannot be is told to the page as `Refused`.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from server.domain import floor as floors
from server.domain.floor import slots_of
from server.domain.teaching import Teaching, teach
from server.domain.template import rules_of
from server.errors import LiankeError, UserFault
from server.live import connections as exchange
from server.live import inbox as told
from server.live.connections import Connection, MediaLost
from server.live.participant import Participant
from server.live.ports import PagePort
from server.live.standard_doors import StandardDoors
from server.live.view import seen_by
from server.media.contract import PeerChanged, PeerState
from server.protocol import broadcast as b
from server.protocol import devices as d
from server.protocol import messages as m
from server.protocol.capture import PauseRecording, RecordSubjects
from server.protocol.inviting import AnswerCall, CallRooms
from server.protocol.lobby import LetIn
from server.protocol.messages import LessonState, Role
from server.protocol.parameters import Source
from server.protocol.rehearsing import PointOut

if TYPE_CHECKING:
    from server.live.lesson_room import LessonRoom

logger = logging.getLogger(__name__)

GUEST_SOURCES = frozenset({Source.CAMERA, Source.VOICE})
RETRY_MS = 2_000
LOST_UNSEEN = frozenset({"silent", "dtls_timeout"})
"""Why a worker gives a connection up that its page may still believe in."""
ADVICE = {
    "certificate_curve": "(its certificate is on a curve that OpenSSL no longer knows, as FFmpeg with GnuTLS "
    "makes them: give it a P-256 one by -cert_file and -key_file)",
    "no_shared_cipher": "(it must know an ECDHE-ECDSA cipher of DTLS 1.2)",
    "no_srtp_profile": "(it must know AEAD_AES_128_GCM or AES_CM_128_HMAC_SHA1_80)",
    "wrong_fingerprint": "(its certificate is not the one its SDP announced)",
}
"""What whoever runs the client may do about a failed handshake, for the log."""
OFFER_FIRST_S = 0.05
"""A worker that needs longer must not keep a page from seeing that there is a lesson."""


@dataclass(frozen=True, slots=True)
class WaitingOffer:
    page: PagePort
    message: m.OfferUp


class Doors(StandardDoors):
    """`_waiting`: the newest up offer of each seat that came while there was no worker, or before Start."""

    def __init__(self, room: LessonRoom) -> None:
        super().__init__(room)
        self._waiting: dict[str, WaitingOffer] = {}

    # -- coming and going ----------------------------------------------------------------------------

    async def came(self, message: told.PageCame, now: int) -> None:
        """Welcome the page, with as much of its old connections as still lives."""
        page, hello = message.page, message.hello
        who = self.room.attendance.enter(page.identity, page.session)
        who.came(page, now)
        who.browser = hello.browser if hello is not None else who.browser
        keep_up = _kept(who.up, hello.up if hello else None) and bool(who.up and who.up.tracks)
        keep_down = _kept(who.down, hello.down if hello else None) and bool(who.down and who.down.slots)
        if hello is not None:
            page.welcome(
                m.Welcome(
                    session=page.session,
                    role=page.identity.role,
                    room=who.seat if who.role in (Role.WATCHER, Role.GUEST) else page.identity.room,
                    name=page.identity.name,
                    now=now,
                    resumed=message.resumed,
                    keep_up=keep_up,
                    keep_down=keep_down,
                )
            )
        if not keep_up:
            self._drop_up(who)
        if not keep_down:
            self._drop_down(who)
        if hello is None:
            page.send(m.Reconnect(up=True, down=True))  # what it had belonged to another lesson
        if keep_up and who.up is not None:
            who.up.layers_told = {}
        if keep_down and who.down is not None:
            who.down.told = None
        self.room.broadcast.came(who)
        self.room.calling.came()
        self.room.lobby.came(who)
        if who.role is Role.TEACHER:
            self.room.boxes.came(page)
        await self._show_and_offer(who, page, now)

    async def _show_and_offer(self, who: Participant, page: PagePort, now: int) -> None:
        """The offer first, where it is soon there: the page draws its lesson while the browser answers."""
        if who.page is None or not self.room.lobby.sees(who):
            return
        async with asyncio.TaskGroup() as group:
            if self._receives(who) and who.down is None:
                offering = group.create_task(self._offer_down(who, now))
                await asyncio.wait({offering}, timeout=OFFER_FIRST_S)
            page.send(m.Lesson(lesson=seen_by(who.role, self.room.view(now))))

    def left(self, message: told.PageLeft, now: int) -> None:
        who = self.room.attendance.of_page(message.page)
        if who is None:
            return
        who.left(now)
        self._waiting.pop(who.seat, None)
        if message.moved:
            self._drop_up(who)
            self._drop_down(who)
            who.was_here = False

    async def reopen(self, now: int) -> None:
        """There is a worker (again), or the lesson began: every page gets its down connection."""
        if self.room.media.worker is None:
            return
        for who in self.room.attendance.everybody():
            await self.offer_where_due(who, now)
        waiting, self._waiting = self._waiting, {}
        for offer in waiting.values():
            await self.said(told.PageSaid(offer.page, offer.message), now)

    async def offer_where_due(self, who: Participant, now: int) -> None:
        """A down connection to a page that is to have one and has none."""
        if who.page is not None and self._receives(who) and who.down is None:
            await self._offer_down(who, now)

    def _receives(self, who: Participant) -> bool:
        """Nobody does before Start, but a studio whose own room's cameras and encoders come."""
        if self.room.lesson.on_air:
            return True
        return (
            who.role is Role.TEACHER
            and self.room.lesson.state is LessonState.OPEN
            and self.room.boxes.teach()
        )

    async def peer_changed(self, event: PeerChanged, now: int) -> None:
        """Keep what the worker says of a connection; its page is told where it may not know itself."""
        connection = self.room.media.peer_changed(event)
        if connection is None:
            return
        if event.state is PeerState.FAILED:
            advice = ADVICE.get(event.reason, "")
            logger.warning(
                "lesson %s: %s: failed: %s %s", self.room.lesson.id, connection.seat, event.reason, advice
            )
        page = self.room.attendance.connection_changed(connection, now)
        if page is not None and event.reason in LOST_UNSEEN:
            page.send(exchange.reconnect(connection.direction))
            await self.reopen(now)

    # -- what a page says ----------------------------------------------------------------------------

    async def said(self, message: told.PageSaid, now: int) -> None:
        """Carry out; a refusal goes to the page and nowhere else."""
        page = message.page
        who = self.room.attendance.of_page(page)
        if who is None:
            return
        try:
            await self._carry_out(who, page, message.message, now)
        except LiankeError as error:
            page.send(m.Refused(code=error.code, words=error.words))
        except MediaLost as lost:
            logger.warning("lesson %s: %s: media: %s", self.room.lesson.id, who.seat, lost)
            page.send(_media_busy())

    async def _carry_out(self, who: Participant, page: PagePort, message: m.ToServer, now: int) -> None:
        match message:
            case m.Report():
                who.reported(message, now)
                self.room.receptions.reported(who.seat, message)
                if who.down is not None:
                    self.room.media.viewing(who.down, message, now)
            case m.OfferUp():
                await self._offer_up(who, page, message)
            case m.AnswerDown():
                await self._answer_down(who, message)
            case m.WantDown(restart=restart):
                await self._want_down(who, page, now, restart=restart)
            case m.RestartUp():
                self._drop_up(who)
            case m.Hand(up=up):
                self._hand(who, up, now)
            case m.Trouble(kind=kind):
                who.help_kind = kind
                who.help_since = now if kind in ("sound", "picture") else None
            case (
                m.Start()
                | m.End()
                | m.Extend()
                | m.CallOn()
                | m.Mute()
                | m.OpenVoice()
                | m.Stage()
                | m.Courseware()
                | m.LowerHand()
                | RecordSubjects()
                | PauseRecording()
            ):
                await self.teach(message, now, page.identity.person)
            case PointOut():
                self.room.rehearsing.taught(message, now)
            case CallRooms(rooms=rooms):
                await self.room.calling.call(rooms, now)
            case b.Ask() | b.LeaveStage() | b.Judge() | b.TakeQuestions() | b.Invite():
                self.room.broadcast.said(who, message, now)
            case LetIn(guest=seat, on=on):
                await self.room.lobby.let_in(seat, on, now)
            case d.SignIn(heads=heads):
                who.heads = heads
            case d.HearChecked(result=result):
                who.hear = result
            case m.Hello() | m.Ping() | d.Proof() | d.Standing() | AnswerCall():
                pass  # the page's shell has them, and the service
            case _:
                assert_never(message)

    async def teach(self, message: Teaching, now: int, person: str = "") -> None:
        """The teacher's wish, from the studio or the API; of which `person`, where that is known. UserFault
        where it cannot be."""
        room = self.room
        if isinstance(message, m.Start) and room.lesson.state is LessonState.ENDED:
            room.start_next()
            return
        present = room.attendance.present_rooms(now)
        outcome = teach(room.lesson, room.attendance.floor, message, present, now)
        room.attendance.floor = outcome.floor
        for kind, values in outcome.marks:
            room.recorded.mark(kind, room.attendance.named(values), room.lesson.started_at, now)
        room.rehearsing.taught(message, now)
        lesson = outcome.lesson
        if isinstance(message, m.Start) and not lesson.taught_by:
            lesson = replace(lesson, taught_by=person)
        if lesson != room.lesson:
            await room.become(lesson)
        for notice, texts in outcome.notices:
            room.notify(notice, texts)

    def _hand(self, who: Participant, up: bool, now: int) -> None:
        floor = self.room.attendance.floor
        if up and not self.room.lesson.on_air:
            raise UserFault("not_on_air", zh="还没有上课。", en="The lesson is not on the air.")
        change = floors.raise_hand(floor, who.seat, now) if up else floors.lower_hand(floor, who.seat)
        self.room.attendance.floor = change

    # -- connections ---------------------------------------------------------------------------------

    async def _offer_up(self, who: Participant, page: PagePort, message: m.OfferUp) -> None:
        if who.role in (Role.WATCHER, Role.GUEST):
            self.room.broadcast.come_up(who)
        may_send = GUEST_SOURCES
        if who.role is Role.ROOM:
            may_send = rules_of(self.room.lesson.template).rooms_send
        if who.role is not Role.TEACHER and not set(message.sources.values()) <= may_send:
            raise UserFault(
                "bad_source",
                zh="这节课里教室不能发送这种画面。",
                en="A room of this lesson may not send that.",
            )
        state = self.room.lesson.state
        if state is LessonState.ENDED:
            raise UserFault("not_on_air", zh="课已经结束了。", en="The lesson is over.")
        early = not self.room.lesson.on_air and who.role is not Role.TEACHER
        if early or self.room.media.worker is None:
            self._waiting[who.seat] = WaitingOffer(page, message)
            return
        music = not message.sound_processing
        worker = self.room.media.need()
        if message.connection is not None and _kept(who.up, message.connection) and who.up is not None:
            answer = await exchange.change_up(worker, who.up, message.sdp, message.sources, music=music)
        elif message.connection is not None:
            page.send(m.Reconnect(up=True, down=False))
            return
        else:
            connection, answer = await exchange.open_up(
                worker, self.room.lesson.id, who.seat, message.sdp, message.sources, music=music
            )
            self._drop_up(who)
            self.room.media.connections[connection.name] = who.up = connection
        page.send(
            m.AnswerUp(offer=message.offer, connection=who.up.name, sdp=answer.sdp, bitrates=answer.bitrates)
        )

    async def offer_anew(self, who: Participant, now: int) -> None:
        """Another down connection in place of the one there is: its slots are not what they should be."""
        self._drop_down(who)
        await self._offer_down(who, now)

    async def _offer_down(self, who: Participant, now: int) -> None:
        page = who.page
        if page is None or self.room.media.worker is None or not self.room.broadcast.may_receive(who):
            return
        worker = self.room.media.need()
        self._drop_down(who)
        try:
            connection, text = await exchange.open_down(
                worker, self.room.lesson.id, who.seat, slots_of(who.role, boxes=self.room.boxes.teach())
            )
        except MediaLost as lost:
            logger.warning("lesson %s: %s: no down connection: %s", self.room.lesson.id, who.seat, lost)
            page.send(_media_busy())
            return
        self.room.media.connections[connection.name] = who.down = connection
        who.media_restarts(now)
        self._send_offer(page, connection, text)

    def _send_offer(self, page: PagePort, connection: Connection, text: str) -> None:
        slots = [m.SlotView(name=slot.name, mid=slot.mid, kind=slot.kind) for slot in connection.plan]
        page.send(m.OfferDown(connection=connection.name, offer=connection.offer, sdp=text, slots=slots))

    async def _want_down(self, who: Participant, page: PagePort, now: int, *, restart: bool) -> None:
        """A new connection; or, over the one there is, an offer to look for a better road."""
        if not restart or who.down is None or not who.down.plan or not _kept(who.down, who.down.name):
            self._drop_down(who)
            if self._receives(who):
                await self._offer_down(who, now)
        elif who.down.answered == who.down.offer:  # else its page is still at the one before
            self._send_offer(page, who.down, await exchange.restart_down(self.room.media.need(), who.down))

    async def _answer_down(self, who: Participant, message: m.AnswerDown) -> None:
        """An answer to an offer that is no longer ours is late, not wrong."""
        down = who.down
        if down is None or message.connection != down.name or message.offer != down.offer:
            return
        if down.answered == down.offer:
            return
        await exchange.answered_down(self.room.media.need(), down, message.sdp)

    def _drop_up(self, who: Participant) -> None:
        if who.up is not None:
            self.room.media.close(who.up)
            who.up = None

    def _drop_down(self, who: Participant) -> None:
        if who.down is not None:
            self.room.media.close(who.down)
            who.down = None


def _kept(connection: Connection | None, name: str | None) -> bool:
    """Whether the connection the page names is the one we have, and may still work."""
    if connection is None or name is None or connection.name != name:
        return False
    return connection.state in (PeerState.NEW, PeerState.CONNECTING, PeerState.CONNECTED, PeerState.AWAY)


def _media_busy() -> m.Refused:
    return m.Refused(
        code="media_busy",
        words=m.Words(zh="音视频暂时连不上，马上再试。", en="Picture and sound are not ready; trying again."),
        retry_after_ms=RETRY_MS,
    )
