"""A live lesson between pages and a worker: what each is told, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from recorder.contract import Recording, RecordingState
from server.domain import lesson as lessons
from server.domain.lesson import Lesson
from server.live import inbox as told
from server.live.lesson_room import LessonRoom
from server.live.ports import RoomPorts, SpanStore
from server.media import contract as media
from server.media.contract import PeerState
from server.protocol import messages as m
from server.protocol.capture import PauseRecording, Recordable, RecordSubjects
from server.protocol.messages import LessonState, Role, SeatState, Words
from server.protocol.parameters import CodecName, Source
from tests.fakes.live_ports import (
    CLASSROOMS,
    HandClock,
    KeptRows,
    ListeningPage,
    OneWorkerHost,
    SaidToRecorder,
    WillingWorker,
)
from tests.unit.protocol.offers import CHROMIUM_UP

SOURCES = {"0": Source.VOICE, "1": Source.CAMERA}


@dataclass
class Stage:
    """A lesson room with its neighbours, and the hand that moves its time."""

    room: LessonRoom
    worker: WillingWorker
    host: OneWorkerHost
    rows: KeptRows
    recorder: SaidToRecorder
    clock: HandClock
    pages: list[ListeningPage] = field(default_factory=list)

    async def until(self, fact: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not fact():
                await self.settled()

    async def settled(self) -> None:
        """Everything posted so far was taken."""
        reply: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.room.inbox.post(told.Hangup(reply, "nobody", "whip"))
        await asyncio.gather(reply, return_exceptions=True)
        await asyncio.sleep(0)

    async def later(self, ms: int) -> None:
        self.clock.ms += ms
        await self.settled()
        await self.settled()

    async def enter(self, role: Role, room: str, hello: m.Hello | None = None) -> ListeningPage:
        page = ListeningPage(role, room, session=f"{room}-session")
        self.pages.append(page)
        self.room.inbox.post(told.PageCame(page, hello or m.Hello(token="t")))
        await self.settled()
        return page

    async def say(self, page: ListeningPage, message: m.ToServer) -> None:
        self.room.inbox.post(told.PageSaid(page, message))
        await self.settled()

    async def leave(self, page: ListeningPage) -> None:
        self.room.inbox.post(told.PageLeft(page))
        await self.settled()

    async def connect(self, page: ListeningPage) -> str:
        """Answer its down connection; its name."""
        offer = page.last(m.OfferDown)
        assert isinstance(offer, m.OfferDown)
        sdp = offer.sdp.replace("a=sendonly", "a=recvonly").replace("a=setup:actpass", "a=setup:active")
        await self.say(page, m.AnswerDown(offer.connection, offer.offer, sdp))
        self.event(media.PeerChanged(offer.connection, PeerState.CONNECTED))
        await self.settled()
        return offer.connection

    async def publish(self, page: ListeningPage) -> str:
        """Its up connection with voice and camera, both flowing; its name."""
        await self.say(page, m.OfferUp(1, CHROMIUM_UP, SOURCES))
        answer = page.last(m.AnswerUp)
        assert isinstance(answer, m.AnswerUp)
        for mid, source in SOURCES.items():
            codec = CodecName.OPUS if source is Source.VOICE else CodecName.H264
            self.event(media.TrackChanged(media.TrackName(answer.connection, mid), source, True, codec))
        await self.settled()
        return answer.connection

    def event(self, event: media.Event) -> None:
        self.room.inbox.post(told.WorkerSaid("w0", event))

    def tapped(self) -> set[int]:
        """The numbers that are being written."""
        numbers: set[int] = set()
        for command in self.worker.told:
            if isinstance(command, media.TapTrack):
                numbers.add(command.number)
            elif isinstance(command, media.UntapTrack):
                numbers.discard(command.number)
        return numbers

    def pointed(self, peer: str) -> dict[str, media.TrackName | None]:
        """Slot -> what the worker was last told."""
        points = [p for p in self.worker.told if isinstance(p, media.Point) and p.peer == peer]
        return {point.slot: point.track for point in points}


@asynccontextmanager
async def stage(
    lesson: Lesson | None = None,
    *,
    with_worker: bool = True,
    restored: bool = False,
    webrtc_viewers: int = 200,
    spans: SpanStore | None = None,
) -> AsyncIterator[Stage]:
    rows, recorder, clock, worker = KeptRows(), SaidToRecorder(), HandClock(), WillingWorker()
    host = OneWorkerHost(worker if with_worker else None)
    opened = lesson or lessons.open_lesson(
        Lesson("L1", Words("英语", "English"), "main", ("luoping", "shahe", "yefan"), created_at=clock.ms)
    )
    ports = RoomPorts(host, rows, recorder, clock, webrtc_viewers=webrtc_viewers, spans=spans)
    room = LessonRoom(opened, CLASSROOMS, ports, restored=restored)
    task = asyncio.create_task(room.run())
    try:
        yield Stage(room, worker, host, rows, recorder, clock)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_start_offers_every_page_its_slots_and_begins_the_recording() -> None:
    async with stage() as at:
        studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
        assert room.last(m.OfferDown) is None, "nothing is offered before Start"
        await at.say(studio, m.Start())
        offer = room.last(m.OfferDown)
        assert isinstance(offer, m.OfferDown)
        assert [slot.name for slot in offer.slots] == ["stage", "screen", "main", "called", "open1", "open2"]
        assert room.lesson.state is LessonState.LIVE
        assert at.worker.of(media.OpenTap) == [media.OpenTap(request=0, room="L1")]
        assert at.recorder.begun == ["w0.taps"]
        assert at.rows.lessons["L1"].state is LessonState.LIVE


async def test_slots_are_pointed_at_the_main_room_and_by_a_call_without_sdp() -> None:
    async with stage() as at:
        studio, shahe, yefan = [
            await at.enter(Role.TEACHER, "main"),
            await at.enter(Role.ROOM, "shahe"),
            await at.enter(Role.ROOM, "yefan"),
        ]
        await at.say(studio, m.Start())
        down = {page: await at.connect(page) for page in (studio, shahe, yefan)}
        main, room = await at.publish(studio), await at.publish(shahe)
        assert at.pointed(down[yefan]) == {
            "stage": media.TrackName(main, "1"),
            "main": media.TrackName(main, "0"),
        }
        assert at.pointed(down[studio])["tile2"] == media.TrackName(room, "1")
        offers = len(at.worker.of(media.SetDownSlots))
        await at.say(studio, m.CallOn("shahe"))
        assert at.pointed(down[yefan])["called"] == media.TrackName(room, "0")
        assert at.pointed(down[yefan])["stage"] == media.TrackName(room, "1")
        assert at.pointed(down[studio])["stage"] == media.TrackName(room, "1")
        assert "called" not in at.pointed(down[shahe])
        slots = yefan.last(m.Slots)
        assert isinstance(slots, m.Slots)
        assert slots.slots["called"] == m.Assigned("shahe", Source.VOICE)
        await at.say(studio, m.CallOn(None))
        assert at.pointed(down[yefan])["called"] is None
        assert len(at.worker.of(media.SetDownSlots)) == offers


async def test_pupils_are_never_tapped_unless_the_lesson_says_so() -> None:
    async with stage() as at:
        studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
        await at.say(studio, m.Start())
        main, up = await at.publish(studio), await at.publish(room)
        await at.say(studio, m.CallOn("shahe"))
        taps = [tap for tap in at.worker.told if isinstance(tap, media.TapTrack)]
        assert {tap.track.peer for tap in taps} == {main}
        assert {tap.number: tap.keyframe_every_s for tap in taps} == {1: 4.0, 4: 0.0}
        assert up not in {tap.track.peer for tap in taps}


async def test_a_keyframe_that_the_recorder_wants_is_asked_of_that_tracks_publisher() -> None:
    async with stage() as at:
        studio = await at.enter(Role.TEACHER, "main")
        await at.say(studio, m.Start())
        main = await at.publish(studio)
        for track in ("camera", "screen", "nonsense"):
            at.room.inbox.post(told.RecorderWants(track))
        await at.settled()
        assert at.worker.of(media.RequestKeyframe) == [media.RequestKeyframe(media.TrackName(main, "1"))]


async def test_pupils_are_tapped_under_their_own_subject_where_the_lesson_says_so() -> None:
    async with stage() as at:
        studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
        await at.say(studio, RecordSubjects([Recordable.PUPILS, Recordable.PUPILS_VOICE]))
        await at.say(studio, m.Start())
        await at.publish(studio)
        up = await at.publish(room)
        assert [tap for tap in at.worker.told if isinstance(tap, media.TapTrack)] == []
        assert [seat.recorded for seat in room.lesson.seats if seat.room == "shahe"] == [False]
        await at.say(studio, m.CallOn("shahe"))
        assert [seat.recorded for seat in room.lesson.seats if seat.room == "shahe"] == [True]
        taps = [tap for tap in at.worker.told if isinstance(tap, media.TapTrack)]
        assert {tap.track.peer for tap in taps} == {up}
        assert sorted(tap.number for tap in taps) == [18, 19]
        assert all(b"pupils" in tap.note for tap in taps)
        await at.say(studio, m.CallOn(None))
        stopped = [tap.number for tap in at.worker.told if isinstance(tap, media.UntapTrack)]
        assert sorted(stopped) == [18, 19]


async def test_what_is_recorded_is_changed_in_the_lesson_and_some_of_it_stays() -> None:
    async with stage() as at:
        studio = await at.enter(Role.TEACHER, "main")
        assert studio.lesson.records == ["board", "screen", "teacher", "voice"]
        await at.say(studio, m.Start())
        await at.publish(studio)
        assert at.tapped() == {1, 4}
        await at.say(studio, RecordSubjects([Recordable.VOICE]))
        assert at.tapped() == {4}
        await at.say(studio, RecordSubjects([]))
        assert isinstance(studio.last(m.Refused), m.Refused)
        assert at.tapped() == {4}
        await at.say(studio, RecordSubjects([Recordable.TEACHER]))
        assert at.tapped() == {1}


async def test_a_lesson_of_which_nothing_is_to_be_recorded_begins_no_recording_until_it_is() -> None:
    async with stage() as at:
        studio = await at.enter(Role.TEACHER, "main")
        await at.say(studio, RecordSubjects([]))
        await at.say(studio, m.Start())
        await at.publish(studio)
        assert at.worker.of(media.OpenTap) == []
        assert at.recorder.begun == []
        assert not studio.lesson.recording
        await at.say(studio, RecordSubjects([Recordable.VOICE]))
        assert at.recorder.begun == ["w0.taps"]
        assert at.tapped() == {4}


async def test_a_pause_stops_every_tap_and_is_told_to_the_recorder_and_every_page() -> None:
    async with stage() as at:
        studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
        await at.say(studio, PauseRecording(True))
        assert isinstance(studio.last(m.Refused), m.Refused), "nothing is being recorded yet"
        await at.say(studio, m.Start())
        await at.publish(studio)
        await at.say(studio, PauseRecording(True))
        assert at.tapped() == set()
        assert at.recorder.paused == [("L1", True)]
        assert room.lesson.recording_paused
        await at.say(studio, PauseRecording(False))
        assert at.tapped() == {1, 4}
        assert at.recorder.paused == [("L1", True), ("L1", False)]
        await at.say(studio, PauseRecording(True))
        await at.say(studio, m.End())
        assert not room.lesson.recording_paused
        assert b'"recording_paused"' in at.recorder.about["L1"], "the marks go to the disk too"
        kinds = [mark.kind for mark in at.rows.kept_marks["L1"]]
        assert kinds.count("recording_paused") == 2


async def test_a_dead_worker_is_told_to_every_page_and_the_room_is_placed_again() -> None:
    async with stage() as at:
        studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
        await at.say(studio, m.Start())
        await at.connect(room)
        at.host.worker = None
        at.room.inbox.post(told.WorkerGone("w0"))
        await at.settled()
        for page in (studio, room):
            assert page.last(m.Reconnect) == m.Reconnect(up=True, down=True)
        await at.say(studio, m.OfferUp(2, CHROMIUM_UP, SOURCES))
        assert studio.last(m.AnswerUp) is None, "the offer waits for a worker"
        second = WillingWorker(tap_socket="w1.taps")
        at.host.worker = second
        at.room.inbox.post(told.WorkerUp("w0", [], None))
        await at.settled()
        assert studio.last(m.AnswerUp) is not None
        assert len(second.of(media.OpenPeer)) == 3
        assert at.recorder.begun == ["w0.taps", "w1.taps"]
        await at.settled()
        assert second.of(media.OpenTap)


async def test_a_page_that_looks_for_a_better_road_keeps_its_connection() -> None:
    async with stage() as at:
        studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
        await at.say(studio, m.Start())
        await at.connect(room)
        before = room.last(m.OfferDown)
        await at.say(room, m.WantDown(restart=True))
        offered = room.last(m.OfferDown)
        assert before is not None
        assert offered is not None
        assert (offered.connection, offered.offer) == (before.connection, before.offer + 1)
        await at.say(room, m.WantDown(restart=True))
        assert room.last(m.OfferDown) is offered, "its page has not answered the one before"
        await at.say(room, m.WantDown())
        another = room.last(m.OfferDown)
        assert another is not None
        assert another.connection != before.connection


async def test_a_restarted_campus_keeps_the_connections_the_worker_still_has() -> None:
    async with stage() as before:
        studio, room = await before.enter(Role.TEACHER, "main"), await before.enter(Role.ROOM, "shahe")
        await before.say(studio, m.Start())
        down, up = await before.connect(room), await before.publish(room)
        lesson = before.rows.lessons["L1"]
        slots = next(c for c in before.worker.told if isinstance(c, media.SetDownSlots)).slots
        tracks = next(c for c in before.worker.told if isinstance(c, media.SetUpTracks)).tracks
        transport = before.room.media.connections[down].transport
    peers = [
        media.PeerSnapshot(up, "L1", PeerState.CONNECTED, transport, up=tracks),
        media.PeerSnapshot(
            down, "L1", PeerState.CONNECTED, transport, down=[media.PointedSlot(slot) for slot in slots]
        ),
    ]
    rows, recorder, clock, worker = KeptRows(), SaidToRecorder(), HandClock(), WillingWorker()
    again = LessonRoom(
        lesson, CLASSROOMS, RoomPorts(OneWorkerHost(worker), rows, recorder, clock), restored=True
    )
    at = Stage(again, worker, OneWorkerHost(worker), rows, recorder, clock)
    task = asyncio.create_task(again.run())
    try:
        page = ListeningPage(Role.ROOM, "shahe", session="shahe-session")
        hello = m.Hello(token="t", resume="shahe-session", up=up, down=down)
        again.inbox.post(told.PageCame(page, hello, resumed=True))
        again.inbox.post(told.WorkerUp("w0", peers, media.TapSnapshot("L1")))
        await at.until(lambda: page.heard)
        welcome = page.heard[0]
        assert isinstance(welcome, m.Welcome)
        assert (welcome.resumed, welcome.keep_up, welcome.keep_down) == (True, True, True)
        await at.settled()
        assert worker.of(media.OpenPeer) == []
        assert worker.of(media.ClosePeer) == []
        assert recorder.begun == ["w0.taps"]
        assert page.lesson.state is LessonState.LIVE
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_tile_follows_the_reports_within_its_times() -> None:
    async with stage() as at:
        studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
        await at.say(studio, m.Start())
        await at.publish(studio)

        def tile() -> SeatState:
            return next(seat.state for seat in studio.lesson.seats if seat.room == "shahe")

        assert tile() is SeatState.JOINING
        await at.connect(room)
        well = m.Report([m.SlotReport("stage", frames=25), m.SlotReport("main", received=50)], True, False)
        await at.say(room, well)
        assert tile() is SeatState.HERE
        await at.say(room, replace_report(well, sound_blocked=True))
        assert tile() is SeatState.NO_SOUND
        await at.say(room, well)
        assert tile() is SeatState.HERE
        figures = media.Figures("L1", up=[], down=[])
        for _ in range(3):
            at.event(figures_of(at, flowing=True))
            await at.later(1_000)
            await at.say(room, replace_report(well, slots=[m.SlotReport("main", received=50)]))
        assert tile() is SeatState.NO_PICTURE
        await at.say(room, well)
        assert tile() is SeatState.HERE
        at.event(figures)
        await at.leave(room)
        await at.later(1_600)
        assert tile() is SeatState.AWAY


def replace_report(report: m.Report, **changes: object) -> m.Report:
    return msgspec.structs.replace(report, **changes)


def figures_of(at: Stage, *, flowing: bool) -> media.Figures:
    up = [
        media.UpFigures(media.TrackName(c.name, track.mid), track.source, track.kind, 1, 10, 0, 0)
        for c in at.room.media.connections.values()
        for track in c.tracks
        if flowing
    ]
    return media.Figures("L1", up=up, down=[])


async def test_end_closes_all_finishes_the_recording_and_tells_the_replay() -> None:
    async with stage() as at:
        studio = await at.enter(Role.TEACHER, "main")
        await at.say(studio, m.Start())
        await at.publish(studio)
        await at.say(studio, m.CallOn("shahe"))
        assert isinstance(studio.last(m.Refused), m.Refused), "who is away cannot be called"
        await at.later(5_000)
        await at.say(studio, m.End())
        assert studio.lesson.state is LessonState.ENDED
        assert media.CloseTap("L1") in at.worker.told
        assert at.recorder.finished == ["L1"]
        at.clock.ms += 700
        ready = Recording("L1", RecordingState.READY, seconds=5.0, ready_after_s=0.4)
        at.room.inbox.post(told.RecorderSaid(ready))
        await at.settled()
        assert studio.lesson.replay_ready
        assert studio.lesson.replay_after_ms == 700
        assert studio.lesson.replay_url == "/replay/L1"
        assert at.rows.recordings["L1"].seconds == 5.0
        await at.say(studio, m.Start())
        assert at.host.next_for == ["L1"]


async def test_a_recording_that_fails_in_the_lesson_is_told_to_the_teacher() -> None:
    async with stage() as at:
        studio = await at.enter(Role.TEACHER, "main")
        await at.say(studio, m.Start())
        failed = Recording("L1", RecordingState.FAILED, problem="occupied")
        at.room.inbox.post(told.RecorderSaid(failed))
        await at.settled()
        assert studio.lesson.state is LessonState.LIVE
        assert not studio.lesson.recording
        assert studio.lesson.recording_problem == "failed"


async def test_the_main_room_away_is_told_marked_and_at_last_the_end() -> None:
    async with stage() as at:
        studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
        await at.say(studio, m.Start())
        await at.later(10_000)
        await at.leave(studio)
        await at.later(1_600)
        assert room.lesson.main_away_since is not None
        again = await at.enter(Role.TEACHER, "main")
        assert again.lesson.state is LessonState.LIVE
        assert room.lesson.main_away_since is None
        assert [mark.kind for mark in at.rows.kept_marks["L1"]] == ["room_here", "main_away", "main_back"]
        await at.leave(again)
        await at.later(1_600)
        await at.later(at.room.lesson.rules.absence_ms)
        assert room.lesson.state is LessonState.ENDED


async def test_who_came_and_went_is_marked_with_the_room() -> None:
    async with stage() as at:
        studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
        await at.say(studio, m.Start())
        await at.later(10_000)
        await at.leave(room)
        await at.later(1_600)
        await at.enter(Role.ROOM, "shahe")
        await at.later(1_000)
        marks = [(mark.kind, mark.values["room"]) for mark in at.rows.kept_marks["L1"]]
        assert marks == [("room_here", "shahe"), ("room_away", "shahe"), ("room_here", "shahe")]
        away_s = at.rows.kept_marks["L1"][1].at_s
        assert 11 < away_s < 13


async def test_what_a_page_may_not_ask_is_refused_to_it_alone() -> None:
    async with stage() as at:
        studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
        await at.say(studio, m.Start())
        for wrong in (
            m.OfferUp(1, "v=0", {}),
            m.OfferUp(2, CHROMIUM_UP, {"9": Source.CAMERA}),
            m.OfferUp(3, CHROMIUM_UP, {"1": Source.SCREEN}),
        ):
            before = len(room.heard)
            await at.say(room, wrong)
            refused = room.last(m.Refused)
            assert isinstance(refused, m.Refused)
            assert not refused.fatal
            assert len(room.heard) > before
        assert studio.last(m.Refused) is None
        assert at.worker.of(media.SetUpTracks) == []
        assert room.hung_up is None


async def test_a_room_that_offers_before_start_is_answered_at_start() -> None:
    async with stage() as at:
        studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
        await at.say(room, m.OfferUp(1, CHROMIUM_UP, SOURCES))
        assert room.last(m.AnswerUp) is None
        assert at.worker.of(media.OpenPeer) == []
        await at.say(studio, m.Start())
        assert room.last(m.AnswerUp) is not None


async def test_an_inbox_that_is_full_throws_reports_away_first() -> None:
    inbox = told.Inbox(limit=10)
    page = ListeningPage(Role.ROOM, "shahe")
    report = told.PageSaid(page, m.Report([], True, False))
    assert [inbox.post(report) for _ in range(6)] == [True] * 5 + [False]
    assert all(inbox.post(told.PageSaid(page, m.Hand(True))) for _ in range(5))
    assert not inbox.post(told.PageSaid(page, m.Hand(True)))
    assert inbox.dropped == 2


async def test_a_joiner_gets_its_offer_before_the_view_and_the_view_even_where_the_worker_hangs() -> None:
    async with stage() as at:
        studio = await at.enter(Role.TEACHER, "main")
        await at.say(studio, m.Start())
        quick = await at.enter(Role.ROOM, "shahe")
        assert [type(said) for said in quick.heard][:3] == [m.Welcome, m.OfferDown, m.Lesson]
        at.worker.answering.clear()
        slow = ListeningPage(Role.ROOM, "yefan", session="yefan-session")
        at.room.inbox.post(told.PageCame(slow, m.Hello(token="t")))
        async with asyncio.timeout(5):
            while slow.last(m.Lesson) is None:  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert slow.last(m.OfferDown) is None
        at.worker.answering.set()
        await at.until(lambda: slow.last(m.OfferDown))


async def test_after_a_restart_pages_are_greeted_as_soon_as_every_worker_has_nothing_of_the_lesson() -> None:
    async with stage() as before:
        studio = await before.enter(Role.TEACHER, "main")
        room = await before.enter(Role.ROOM, "shahe")
        await before.say(studio, m.Start())
        await before.say(room, m.Hand(up=True))
        lesson = before.rows.lessons["L1"]
    async with stage(lesson, restored=True) as at:
        page = ListeningPage(Role.TEACHER, "main", session="main-session")
        at.room.inbox.post(told.PageCame(page, m.Hello(token="t")))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not page.heard, "its worker may still tell what it has"
        began = asyncio.get_running_loop().time()
        at.room.inbox.post(told.WorkerUp("w0", [], None))
        await at.until(lambda: page.last(m.OfferDown))
        assert asyncio.get_running_loop().time() - began < 1
        assert [seat.room for seat in page.lesson.seats if seat.hand_since] == ["shahe"]
