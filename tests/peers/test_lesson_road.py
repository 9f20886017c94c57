"""A whole lesson over real WebSockets and real media: several processes, aiortc at the other ends."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import msgspec
import pytest

from server.drill.own_server import OwnServer
from server.protocol import messages as m
from server.protocol.messages import LessonState, SeatState
from server.protocol.parameters import Source
from tests.peers.lessons import decodes, forget, holding, on_air, seat_is, start, view

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_rooms_see_hear_are_called_on_and_the_replay_is_ready_after_end(
    installation: OwnServer,
) -> None:
    async with holding(installation) as held:
        studio, (first, second) = await start(held, rooms=2)
        luoping, shahe = (room.room for room in held.demo.rooms[:2])
        await studio.until(lambda: seat_is(studio, luoping, SeatState.HERE), 6)
        await studio.until(lambda: seat_is(studio, "yefan", SeatState.EXPECTED), 6)
        await first.until(lambda: first.sound("main").fresh > 0, 5)
        await first.say(m.Hand(up=True))
        await studio.until(lambda: view(studio).seats[0].hand_since is not None, 3)
        await studio.say(m.CallOn(room=luoping))
        heard_here = m.Assigned(room=luoping, source=Source.VOICE)
        await second.until(lambda: second.slots.get("called") == heard_here, 3)
        await second.until(lambda: second.sound("called").fresh > 0, 5)
        await studio.until(lambda: decodes(studio, "stage"), 5)
        assert "called" not in first.slots, "a room never hears itself"
        await studio.say(m.CallOn(room=shahe))
        await second.until(lambda: view(second).called == shahe and "called" not in second.slots, 3)
        assert view(studio).seats[0].hand_since is None
        await studio.say(m.End())
        await studio.until(lambda: view(studio).state is LessonState.ENDED, 3)
        await studio.until(lambda: view(studio).replay_ready, 10)
        assert view(studio).replay_url == f"/replay/{view(studio).id}"
        ended = view(studio).id
        await studio.say(m.Start())
        await studio.until(lambda: on_air(studio) and view(studio).id != ended, 5)
        await first.until(lambda: on_air(first) and view(first).id != ended, 5)


async def test_a_closed_studio_is_live_again_without_a_second_start_and_a_second_one_is_asked(
    installation: OwnServer,
) -> None:
    async with holding(installation) as held:
        studio, (room,) = await start(held, rooms=1)
        await held.close(studio)
        await room.until(lambda: view(room).main_away_since is not None, 5)
        forget(room)
        opened = time.monotonic()
        again = held.studio()
        await again.until(lambda: on_air(again), 5)
        await room.until(lambda: decodes(room), 5)
        assert time.monotonic() - opened < 3, "live again within 3 s of opening the page"
        await room.until(lambda: view(room).main_away_since is None, 3)
        second = held.studio()
        await second.until(lambda: bool(second.refusals), 5)
        assert second.refusals[0].code == "other_studio"
        assert second.refusals[0].fatal


async def test_a_room_that_loses_its_line_is_away_and_comes_back_to_its_session(
    installation: OwnServer,
) -> None:
    async with holding(installation) as held:
        studio, (room,) = await start(held, rooms=1)
        assert room.welcome is not None
        session, name = room.welcome.session, room.welcome.room
        await held.close(room)
        left = time.monotonic()
        await studio.until(lambda: seat_is(studio, name, SeatState.AWAY), 5)
        assert time.monotonic() - left < 3, "true within 3 s of the fact"
        back = held.room(0)
        back.welcome = room.welcome  # the page kept its session
        await back.until(lambda: decodes(back), 8)
        assert back.welcome is not None
        assert back.welcome.session == session
        assert back.welcome.resumed
        await studio.until(lambda: not seat_is(studio, name, SeatState.AWAY), 2)


async def test_a_killed_worker_is_told_at_once_and_its_rooms_come_back_by_themselves(
    installation: OwnServer,
) -> None:
    async with holding(installation) as held:
        studio, rooms = await start(held, rooms=2)
        killed = time.monotonic()
        held.kill("server.media")
        for page in rooms:
            await page.until(lambda page=page: view(page).main_sends == [], 2)  # type: ignore[misc]
        told = time.monotonic() - killed
        for page in rooms:
            forget(page)
        for page in rooms:
            await page.until(lambda page=page: len(view(page).main_sends) == 2, 10)  # type: ignore[misc]
            await page.until(lambda page=page: decodes(page), 10)  # type: ignore[misc]
        took = time.monotonic() - killed
        assert view(studio).state is LessonState.LIVE
        print(f"kill -9 of the worker: rooms told after {told:.2f} s, decode again after {took:.2f} s")
        await asyncio.sleep(1)  # the recording needs a moment of the second tap
        await studio.say(m.End())
        await studio.until(lambda: view(studio).replay_ready, 15)
        assert took < 10, "5 s is the aim, measured by the bench; a busy machine takes longer"


async def test_a_lesson_goes_on_while_campus_restarts(installation: OwnServer) -> None:
    async with holding(installation) as held:
        studio, (room,) = await start(held, rooms=1)
        before = {page: page.welcome for page in (studio, room)}
        lesson = view(studio).id
        await studio.say(m.CallOn(room=held.demo.rooms[0].room))
        await studio.until(lambda: view(studio).called is not None, 3)
        held.kill("server.app")
        forget(room)
        await room.until(lambda: decodes(room), 2)
        for page in (studio, room):
            await page.until(lambda page=page: page.welcome is not before[page], 40)  # type: ignore[misc]
            assert page.welcome is not None
            assert page.welcome.resumed
            assert page.welcome.keep_up
            assert page.welcome.keep_down
        await studio.until(lambda: view(studio).id == lesson and on_air(studio), 5)
        forget(room)
        await room.until(lambda: decodes(room), 3)
        await studio.until(lambda: seat_is(studio, held.demo.rooms[0].room, SeatState.HERE), 6)
        assert view(studio).called == held.demo.rooms[0].room, "who speaks goes on speaking"
        await studio.until(lambda: studio.slots.get("called") is not None, 3)
        await studio.until(lambda: studio.sound("called").fresh > 0, 5)
        await studio.say(m.End())
        await studio.until(lambda: view(studio).replay_ready, 15)


async def test_a_second_page_of_a_room_takes_its_place_and_the_first_is_told(
    installation: OwnServer,
) -> None:
    async with holding(installation) as held:
        studio, (older,) = await start(held, rooms=1)
        newer = held.room(0)
        await older.until(lambda: any(refused.fatal for refused in older.refusals), 5)
        assert older.refusals[-1].code == "newer_page"
        await newer.until(lambda: decodes(newer), 10)
        assert not seat_is(studio, held.demo.rooms[0].room, SeatState.AWAY)


async def test_who_does_not_say_a_true_hello_is_refused_and_hung_up(installation: OwnServer) -> None:
    async with holding(installation) as held:
        for first in ('{"type":"start"}', "nonsense", '{"type":"hello","token":"forged"}'):
            async with held.http.ws_connect(f"{held.server.url}/ws") as socket:
                await socket.send_str(first)
                told = await socket.receive_json(timeout=5)
                assert told["type"] == "refused"
                assert told["fatal"] is True
                assert (await socket.receive(timeout=5)).data == 4000


async def test_a_page_gone_mad_is_hung_up_and_nobody_else_notices(installation: OwnServer) -> None:
    async with holding(installation) as held:
        before = held.server.log.stat().st_size
        studio, (room,) = await start(held, rooms=1)
        mad = held.demo.rooms[1]
        hello = msgspec.json.encode(m.Hello(token=mad.token)).decode()
        offer = msgspec.json.encode(m.OfferUp(1, "v=0\r\n" * 500, {"0": Source.CAMERA})).decode()
        ends = []
        for said, times in (
            (offer, 30),
            ('{"type":"ping","at":1}', 400),
            ("x" * 100_000, 1),
            ("x" * 400_000, 1),
            ("[" * 60_000, 1),
            ('{"type":"start"}', 3),
        ):
            async with held.http.ws_connect(f"{held.server.url}/ws") as socket:
                await socket.send_str(hello)
                for _ in range(times):
                    await socket.send_str(said)
                await socket.send_str("bye")
                async with asyncio.timeout(10):
                    while (told := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                        pass
                ends.append(told.data)
        cut_while_sending = ends.pop(3)
        assert cut_while_sending in (1009, None)
        assert ends == [4000, 4000, 1009, 4000, 4000]
        forget(room)
        await room.until(lambda: decodes(room), 3)
        assert view(studio).state is LessonState.LIVE
        log = held.server.log.read_bytes()[before:].decode()
        assert "Traceback" not in log, log[-2000:]
