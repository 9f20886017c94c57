"""A lesson writes what its rooms received into a real store, and goes on after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.api.receptions import row_of
from server.clock import SystemClock
from server.domain import lesson as lessons
from server.domain.lesson import Lesson
from server.domain.reception import Kind, Reception, Side
from server.media import contract as media
from server.protocol import messages as m
from server.protocol.devices import HearChecked, Heard, SignIn
from server.protocol.messages import Role, SlotReport, Words
from server.protocol.parameters import CodecName, Road, Source
from server.store.spans import Spans
from server.store.store import Store
from tests.fakes.live_ports import ListeningPage
from tests.unit.live.test_lesson_room import Stage, stage


@pytest.fixture
async def spans(tmp_path: Path) -> AsyncIterator[Spans]:
    store = await Store.open(tmp_path / "store.sqlite3", SystemClock())
    yield Spans(store.database)
    await store.close()


async def seconds(at: Stage, page: ListeningPage | None, count: int, *, frames: int = 25) -> None:
    """Time goes by; the room says each second that it saw and heard."""
    for _ in range(count):
        if page is not None:
            slots = [SlotReport("stage", frames=frames, received=80, height=360, freeze_ms=10),
                     SlotReport("main", received=50, concealed=0.02, delay_ms=40)]  # fmt: skip
            await at.say(page, m.Report(slots, sound_playing=True, sound_blocked=False))
        await at.later(1_000)


async def begin(at: Stage) -> tuple[ListeningPage, ListeningPage]:
    studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
    await at.say(studio, m.Start())
    await at.connect(room)
    await at.publish(studio)
    return studio, room


async def of(spans: Spans, room: str) -> Reception:
    return next(one for one in await spans.of("L1") if one.room == room)


async def test_holes_have_their_sides_and_the_rest_its_sums(spans: Spans) -> None:
    async with stage(spans=spans) as at:
        studio, room = await begin(at)
        await at.say(room, SignIn(heads=17))
        await at.say(room, HearChecked(Heard.HEARD, 30, 21.0))
        await seconds(at, room, 12)
        seat = next(seat for seat in studio.lesson.seats if seat.room == "shahe")
        assert (seat.heads, seat.hear) == (17, Heard.HEARD)
        await at.say(studio, m.CallOn("shahe"))
        camera = media.TrackName(await at.publish(room), "1")
        at.event(media.TrackChanged(camera, Source.CAMERA, True, CodecName.H264))
        await seconds(at, room, 6)
        room.fell_silent = True
        await at.leave(room)
        await seconds(at, None, 8)
        await at.say(studio, m.End())
        await at.later(1_000)
    found = await of(spans, "shahe")
    kinds = [(span.kind, span.side) for span in found.spans if span.ms > 1_500]
    assert kinds == [(Kind.PICTURE, Side.NONE), (Kind.HOLE, Side.LINE)]
    assert found.heads == 17
    assert 4_000 <= found.talk_ms <= 9_000
    picture = next(span for span in found.spans if span.kind is Kind.PICTURE)
    assert (picture.height, picture.delay_ms) == (360, 40)
    assert picture.freeze_ms >= 150
    assert picture.concealed_ms >= 300
    never = await of(spans, "yefan")
    assert {span.cause for span in never.spans} == {"never_came"}


async def test_every_field_that_is_told_of_a_room_is_filled_from_what_the_room_says(spans: Spans) -> None:
    async with stage(spans=spans) as at:
        studio, room = await begin(at)
        began = at.clock.ms
        await at.say(room, SignIn(heads=23))
        await seconds(at, room, 10)
        await seconds(at, room, 8, frames=0)
        for _ in range(8):
            heard = [SlotReport("stage", frames=20, received=80, height=720)]
            await at.say(room, m.Report(heard, sound_playing=True, sound_blocked=False, road=Road.HLS))
            await at.later(1_000)
        await at.say(studio, m.CallOn("shahe"))
        camera = media.TrackName(await at.publish(room), "1")
        at.event(media.TrackChanged(camera, Source.CAMERA, True, CodecName.H264))
        await seconds(at, room, 6)
        left = at.clock.ms
        await at.leave(room)
        await seconds(at, None, 6)
        await at.say(studio, m.End())
        await at.later(1_000)
    row = row_of(await of(spans, "shahe"))
    assert row.joined_at is not None
    assert row.left_at is not None
    assert began <= row.joined_at <= began + 3_000
    assert left - 3_000 <= row.left_at <= left + 3_000
    told = {"picture_s": row.picture_s, "sound_s": row.sound_s, "broadcast_s": row.broadcast_s}
    for name, (least, most) in {"picture_s": (12, 20), "sound_s": (4, 10), "broadcast_s": (5, 10)}.items():
        assert least <= told[name] <= most, (name, told)
    assert 3 <= row.hole_s <= 12
    assert 0.2 <= row.freeze_s <= 0.3, "ten ms in each of 24 s of the connection"
    assert 0.4 <= row.concealed_s <= 0.6, "one part in fifty of them"
    assert (row.delay_ms, row.height, row.heads) == (40, 720, 23)
    assert 3 <= row.talk_s <= 8
    sides = {(span.kind, span.side, span.cause) for span in row.spans if span.until - span.since > 1_500}
    assert sides == {
        (Kind.PICTURE, Side.NONE, ""),
        (Kind.SOUND, Side.MAIN_ROOM, "no_picture_sent"),  # this stage's worker measures no pictures
        (Kind.BROADCAST, Side.LINE, "hls"),
        (Kind.HOLE, Side.DEVICE, "page_closed"),
    }


async def test_a_killed_campus_loses_seconds_and_what_it_missed_is_the_servers(spans: Spans) -> None:
    async with stage(spans=spans) as at:
        _, room = await begin(at)
        await seconds(at, room, 14)
        saved, then = at.rows.lessons["L1"], at.clock.ms
    stored = await of(spans, "shahe")
    assert then - stored.spans[-1].until <= 6_000, "at most some seconds are lost"

    async with stage(saved, restored=True, spans=spans) as at:
        at.clock.ms = then + 9_000
        studio, room = await begin_again(at)
        await seconds(at, room, 12)
        await at.say(studio, m.End())
        await at.later(1_000)
    found = await of(spans, "shahe")
    sides = [(span.kind, span.side) for span in found.spans if span.ms > 1_500]
    assert sides == [(Kind.PICTURE, Side.NONE), (Kind.HOLE, Side.SERVER), (Kind.PICTURE, Side.NONE)]
    covered = sum(span.ms for span in found.spans)
    assert covered == found.spans[-1].until - found.spans[0].since, "nothing twice, nothing between"


async def begin_again(at: Stage) -> tuple[ListeningPage, ListeningPage]:
    await at.later(3_000)
    studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
    await at.connect(room)
    await at.publish(studio)
    return studio, room


async def test_nothing_is_kept_outside_a_lesson(spans: Spans) -> None:
    opened = lessons.open_lesson(Lesson("L1", Words("英语", "English"), "main", ("shahe",)))
    async with stage(opened, spans=spans) as at:
        room = await at.enter(Role.ROOM, "shahe")
        await seconds(at, room, 8)
    assert await spans.of("L1") == []
