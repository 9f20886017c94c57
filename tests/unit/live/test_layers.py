"""A publisher's page is told what of its layers anybody has a use for: once, and again when it comes back."""

from __future__ import annotations

from server.media import contract as media
from server.media.contract import TrackName, UpFigures, UpLayer
from server.protocol import messages as m
from server.protocol.messages import Role, SeatState
from server.protocol.parameters import Kind, Source
from tests.unit.live.test_lesson_room import stage

LAYERS = ["l", "m", "h"]


async def test_a_page_is_told_its_layers_once_and_again_when_it_comes_back() -> None:
    async with stage() as at:
        teacher = await at.enter(Role.TEACHER, "main")
        connection = await at.publish(teacher)
        assert teacher.last(m.Layers) is None
        for _ in range(2):
            at.event(media.LayersWanted(TrackName(connection, "1"), ["l", "h"]))
            await at.settled()
        told = [message for message in teacher.heard if isinstance(message, m.Layers)]
        assert told == [m.Layers(connection, {"1": ["l", "h"]})]
        await at.leave(teacher)
        again = await at.enter(Role.TEACHER, "main", m.Hello(token="t", up=connection))
        assert again.last(m.Layers) == told[0]


async def test_a_word_about_a_connection_that_is_gone_is_nobodys() -> None:
    async with stage() as at:
        teacher = await at.enter(Role.TEACHER, "main")
        connection = await at.publish(teacher)
        at.event(media.LayersWanted(TrackName(connection + "x", "1"), LAYERS))
        await at.settled()
        assert teacher.last(m.Layers) is None


def lossy(connection: str, lost: tuple[int, int]) -> media.Figures:
    """A second of a camera in two layers, of which so many packets of a hundred were lost."""
    layers = [UpLayer(rid, 100_000, 100 - n, n, 0, True) for rid, n in zip("lh", lost, strict=True)]
    up = UpFigures(
        TrackName(connection, "1"),
        Source.CAMERA,
        Kind.VIDEO,
        200_000,
        packets=sum(each.packets for each in layers),
        lost=sum(lost),
        keyframes=0,
        layers=layers,
    )
    return media.Figures("L", [up], [])


async def test_a_rooms_line_is_weak_when_even_its_lowest_layer_is_lossy() -> None:
    for lost, expected in (((0, 60), False), ((20, 60), True)):
        async with stage() as at:
            teacher = await at.enter(Role.TEACHER, "main")
            await at.publish(teacher)
            await at.say(teacher, m.Start())
            room = await at.enter(Role.ROOM, "luoping")
            await at.connect(room)
            connection = await at.publish(room)
            for _ in range(24):
                report = m.Report(
                    [m.SlotReport("stage", frames=25, received=50), m.SlotReport("main", received=50)],
                    sound_playing=True,
                    sound_blocked=False,
                    camera=True,
                    microphone=True,
                )
                await at.say(room, report)
                at.event(lossy(connection, lost))
                await at.later(500)
            (seat,) = [seat for seat in teacher.lesson.seats if seat.room == "luoping"]
            assert (seat.state is SeatState.WEAK_LINE) == expected, seat
