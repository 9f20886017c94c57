"""The broadcast of a lesson: its viewers' places, questions, stage, links, and that nobody watches unseen."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from server.domain import lesson as lessons
from server.domain.lesson import Lesson, Pass
from server.live import inbox as told
from server.live.broadcast import device_of
from server.live.readers import BELIEVED_MS, Readers
from server.media import contract as media
from server.media.contract import PeerState
from server.protocol import broadcast as b
from server.protocol import messages as m
from server.protocol.broadcast import QuestionState, Staged, Via
from server.protocol.messages import Role, Words
from server.protocol.parameters import Source
from tests.fakes.live_ports import HandClock, ListeningPage
from tests.unit.live.test_lesson_room import Stage, stage
from tests.unit.protocol.offers import CHROMIUM_UP

NOW = HandClock().ms
LINK = Pass(7, NOW + 3_600_000, "教研室")
SOURCES = {"0": Source.VOICE, "1": Source.CAMERA}


def shared() -> Lesson:
    """An open lesson whose broadcast and remote links are good."""
    opened = Lesson("L1", Words("英语", "English"), "main", ("luoping", "shahe", "yefan"), created_at=NOW)
    return replace(lessons.open_lesson(opened), watch_pass=LINK, remote_pass=Pass(8, LINK.until))


async def viewer(at: Stage, name: str = "one") -> ListeningPage:
    return await at.enter(Role.WATCHER, name)


def place(page: ListeningPage) -> b.Place:
    found = page.last(b.Place)
    assert isinstance(found, b.Place)
    return found


def queue(page: ListeningPage) -> b.Questions:
    found = page.last(b.Questions)
    assert isinstance(found, b.Questions)
    return found


def audience(page: ListeningPage) -> b.Audience:
    found = page.last(b.Audience)
    assert isinstance(found, b.Audience)
    return found


def refusal(page: ListeningPage) -> str:
    found = page.last(m.Refused)
    return found.code if isinstance(found, m.Refused) else ""


async def live(at: Stage) -> ListeningPage:
    studio = await at.enter(Role.TEACHER, "main")
    await at.say(studio, m.Start())
    return studio


async def test_a_viewer_is_offered_the_lesson_counted_to_studio_and_rooms_and_told_of_nobody() -> None:
    async with stage(shared()) as at:
        studio, room = await live(at), await at.enter(Role.ROOM, "shahe")
        seen = await viewer(at)
        assert place(seen) == b.Place(Via.WEBRTC, Staged.NO)
        assert isinstance(seen.last(m.OfferDown), m.OfferDown)
        await at.later(1_100)
        for page in (studio, room):
            assert page.lesson.watchers == [Words("教研室（1 人）", "教研室 (1)")]
            assert page.lesson.watched == 1
        assert (seen.lesson.watchers, seen.lesson.seats) == ([], [])
        assert audience(seen).viewers == 1
        await at.leave(seen)
        await at.until(lambda: studio.lesson.watched == 0)


async def test_beyond_the_first_viewers_the_playlist_serves_and_who_waited_longest_climbs() -> None:
    async with stage(shared(), webrtc_viewers=1) as at:
        await live(at)
        first, second, third = [await viewer(at, name) for name in ("one", "two", "three")]
        assert [place(page).via for page in (first, second, third)] == [Via.WEBRTC, Via.HLS, Via.HLS]
        assert second.last(m.OfferDown) is None
        await at.leave(first)
        await at.later(6_000)
        assert [place(page).via for page in (second, third)] == [Via.WEBRTC, Via.HLS]
        assert isinstance(second.last(m.OfferDown), m.OfferDown)


async def test_a_question_reaches_the_teacher_alone_until_it_is_approved() -> None:
    async with stage(shared()) as at:
        studio = await live(at)
        asker, other = await viewer(at, "one"), await viewer(at, "two")
        remote = await at.enter(Role.REMOTE, "main")
        await at.say(asker, b.Ask(text="为什么?", name="李老师"))
        for page in (studio, remote):
            (row,) = queue(page).questions
            assert (row.text, row.name, row.state, row.here) == (
                "为什么?",
                "李老师",
                QuestionState.WAITING,
                True,
            )
        assert audience(other).questions == []
        await at.say(remote, b.Judge(question=1, state=QuestionState.APPROVED))
        assert [row.text for row in audience(other).questions] == ["为什么?"]
        assert audience(other).questions[0].viewer == "", "other viewers are not told whose it is"
        await at.say(asker, b.Ask(text="again"))
        assert refusal(asker) == "asks_too_fast"
        await at.say(studio, b.TakeQuestions(open=False))
        assert not audience(other).asking
        await at.say(other, b.Ask(text="hello"))
        assert refusal(other) == "questions_closed"


async def test_nobody_comes_on_stage_unasked_and_a_guest_is_called_heard_and_never_recorded() -> None:
    async with stage(shared()) as at:
        studio, guest = await live(at), await viewer(at)
        await at.say(guest, m.OfferUp(1, CHROMIUM_UP, SOURCES))
        assert refusal(guest) == "not_on_stage"
        await at.say(guest, b.Ask(text="hello", name="王老师"))
        seat = queue(studio).questions[0].viewer
        await at.say(studio, b.Invite(viewer=seat, on=True))
        assert place(guest).staged is Staged.INVITED
        await at.publish(guest)
        assert place(guest).staged is Staged.ON
        assert [one.name.zh for one in studio.lesson.seats][-1] == "王老师"
        await at.say(studio, m.CallOn(room=seat))
        assert studio.lesson.called == seat
        assert [one.room for one in guest.lesson.seats] == [seat]
        tapped = [tap.track.peer for tap in at.worker.of(media.TapTrack) if isinstance(tap, media.TapTrack)]
        assert not any("watcher" in peer for peer in tapped)
        await at.say(guest, b.LeaveStage())
        assert place(guest).staged is Staged.NO
        assert studio.lesson.called is None
        assert len(studio.lesson.seats) == 3
        await at.say(guest, m.OfferUp(2, CHROMIUM_UP, SOURCES))
        assert refusal(guest) == "not_on_stage", "an invitation is good once"


async def test_an_ended_link_puts_its_viewers_out_at_once_and_closes_what_they_had() -> None:
    async with stage(shared()) as at:
        studio, seen = await live(at), await viewer(at)
        down = await at.connect(seen)
        reply: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        at.room.inbox.post(told.CloseLink(reply, Role.WATCHER))
        await reply
        assert isinstance(seen.hung_up, m.Refused)
        assert seen.hung_up.code == "link_over"
        assert media.ClosePeer(peer=down) in at.worker.told
        await at.until(lambda: studio.lesson.watched == 0)
        assert studio.lesson.broadcast_until is None


async def test_a_link_is_over_when_its_time_is() -> None:
    async with stage(shared()) as at:
        studio, phone = await live(at), await at.enter(Role.REMOTE, "main")
        await at.until(lambda: studio.lesson.remotes == ["?"])
        at.clock.ms = LINK.until
        await at.until(lambda: phone.hung_up is not None)
        assert studio.lesson.remote_until is None


async def test_a_remote_conducts_gets_no_media_and_the_wall_gets_the_rooms_big() -> None:
    async with stage(shared()) as at:
        studio, shahe = await live(at), await at.enter(Role.ROOM, "shahe")
        await at.publish(shahe)
        phone, wall = await at.enter(Role.REMOTE, "main"), await at.enter(Role.WALL, "main")
        assert phone.last(m.OfferDown) is None
        offer = wall.last(m.OfferDown)
        assert isinstance(offer, m.OfferDown)
        assert [slot.name for slot in offer.slots] == ["stage", "big1", "big2", "big3", "big4"]
        connection = await at.connect(wall)
        await at.say(phone, m.CallOn(room="shahe"))
        assert studio.lesson.called == "shahe"
        pointed = at.pointed(connection)
        assert pointed["big2"] is not None
        assert pointed["big2"] == pointed["stage"]
        assert Words("wall", "wall") not in shahe.lesson.watchers
        assert shahe.lesson.watched == 1, "the wall is listed too"
        await at.say(phone, m.End())
        await at.until(lambda: studio.lesson.state is m.LessonState.ENDED)


async def test_a_connection_that_campus_does_not_know_is_closed() -> None:
    async with stage(shared()) as at:
        studio = await live(at)
        stranger = "L1/observer.hidden/down/aaaaaaaa"
        at.event(media.PeerChanged(stranger, PeerState.CONNECTED))
        await at.settled()
        assert at.worker.told.count(media.ClosePeer(peer=stranger)) == 1
        assert studio.lesson.watched == 0


async def test_who_reads_the_playlist_is_listed_by_name_and_who_is_not_listed_gets_nothing() -> None:
    async with stage(shared()) as at:
        studio = await live(at)
        readers = at.room.broadcast.readers
        at.clock.ms += BELIEVED_MS
        assert not readers.seen("L1", "unlisted", at.clock.ms)
        readers.admitted("L1", "a", "admin", None, at.clock.ms)
        readers.admitted("L1", "b", "room", "shahe", at.clock.ms)
        for session in ("x", "y"):
            readers.admitted("L1", session, "watcher", None, at.clock.ms)
        assert readers.seen("L1", "x", at.clock.ms)
        await at.later(1_100)
        assert [name.en for name in studio.lesson.watchers] == [
            "Administrator",
            "Shahe (playlist)",
            "教研室 (2)",
        ]
        assert studio.lesson.watched == 4


def test_an_older_reader_is_believed_after_a_restart_but_not_once_it_was_dismissed() -> None:
    readers = Readers(started_at=1_000)
    assert readers.seen("L", "s", 2_000), "it has a signature, and is listed from now on"
    assert [one.session for one in readers.of("L", 2_000)] == ["s"]
    readers.admitted("L", "v", "watcher", None, 2_000)
    readers.dismiss("L", [Role.WATCHER])
    assert not readers.seen("L", "v", 2_100)
    assert readers.seen("L", "s", 2_100)
    assert not readers.seen("L", "new", 1_000 + BELIEVED_MS)


@pytest.mark.parametrize(
    ("browser", "device"),
    [
        ("Mozilla/5.0 (Linux; Android 14; V2324A)", "Android"),
        ("Mozilla/5.0 (iPhone; CPU)", "iPhone"),
        ("", "?"),
    ],
)
def test_a_phone_is_called_what_people_call_it(browser: str, device: str) -> None:
    assert device_of(browser) == device
