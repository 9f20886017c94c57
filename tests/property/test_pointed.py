"""Whatever teacher and rooms do, every slot ends up pointed at what the floor says, on living connections."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from server.media import contract as media
from server.media.contract import PeerState, TrackName
from server.protocol import messages as m
from server.protocol.messages import Role
from tests.unit.live.test_lesson_room import Stage, stage

ROOMS = ("shahe", "yefan")
TEACHER = ("call", "hang_up", "mute", "unmute", "open", "close")
LINES = ("up", "down", "restart", "lost_up", "lost_down", "away")
steps = st.tuples(st.sampled_from((*TEACHER, *LINES)), st.sampled_from(ROOMS))


async def take(at: Stage, studio: int, step: str, room: str) -> None:
    """One step of somebody; refusals are part of life."""
    teacher, page = at.pages[studio], next(p for p in reversed(at.pages) if p.room == room)
    who = at.room.attendance.of_page(page)
    assert who is not None
    says: dict[str, m.ToServer] = {
        "call": m.CallOn(room=room),
        "hang_up": m.CallOn(room=None),
        "mute": m.Mute(room=room, muted=True),
        "unmute": m.Mute(room=room, muted=False),
        "open": m.OpenVoice(room=room, open=True),
        "close": m.OpenVoice(room=room, open=False),
    }
    if step in says:
        await at.say(teacher, says[step])
    elif step == "up":
        await at.publish(page)
    elif step == "restart":
        await at.say(page, m.RestartUp())
    elif step == "down":
        await at.say(page, m.WantDown())
        await at.connect(page)
    elif step == "lost_up" and who.up is not None:
        at.event(media.PeerChanged(who.up.name, PeerState.GONE, "silent"))
        await at.settled()
        assert m.Reconnect(up=True, down=False) in page.heard
    elif step == "lost_down" and who.down is not None:
        at.event(media.PeerChanged(who.down.name, PeerState.GONE, "silent"))
        await at.settled()
        assert m.Reconnect(up=False, down=True) in page.heard
        await at.connect(page)
    elif step == "away":
        await at.leave(page)
        await at.enter(Role.ROOM, room)
        await at.connect(at.pages[-1])


async def lesson(taken: list[tuple[str, str]]) -> None:
    async with stage() as at:
        await at.enter(Role.TEACHER, "main")
        for room in ROOMS:
            await at.enter(Role.ROOM, room)
        await at.say(at.pages[0], m.Start())
        for page in at.pages[:3]:
            await at.connect(page)
            await at.publish(page)
        for step, room in taken:
            await take(at, 0, step, room)
            await at.settled()
            check(at)


def check(at: Stage) -> None:
    """The worker was told, last of all, exactly what the floor says."""
    room = at.room
    announced = room.media.announced()
    for who in room.attendance.everybody():
        if who.down is None or not who.down.slots:
            continue
        wanted = room.attendance.assignment(who, room.lesson, announced, ())
        told = {slot: track for slot, track in at.pointed(who.down.name).items() if track is not None}
        expected = {}
        for slot, (name, source) in wanted.items():
            up = next(p.up for p in room.attendance.everybody() if p.seat == name)
            assert up is not None
            mid = next(track.mid for track in up.tracks if track.source is source)
            expected[slot] = TrackName(up.name, mid)
        assert told == expected


@settings(max_examples=40)
@given(st.lists(steps, max_size=12))
def test_slots_follow_the_floor_through_every_reconnection(taken: list[tuple[str, str]]) -> None:
    asyncio.run(lesson(taken))
