"""A rehearsal on a whole installation: the acting rooms' process, the teacher's answers, what is kept."""

from __future__ import annotations

import asyncio

from server.drill.own_server import OwnServer
from server.protocol import messages as m
from server.protocol.capture import Recordable, RecordSubjects
from server.protocol.messages import LessonState, SeatState
from server.protocol.parameters import Source
from server.protocol.rehearsing import PointOut, RehearsalView, Step
from tests.peers.lessons import holding, view


async def test_acting_rooms_come_act_and_leave_and_only_the_result_is_kept(installation: OwnServer) -> None:
    async with holding(installation) as held:
        rehearsals = f"{installation.url}/api/v1/rehearsals"
        main = {"room": held.demo.studio.room}
        async with held.http.post(rehearsals, json=main, headers=held.operator) as answer:
            assert answer.status == 201
        studio = held.studio()

        def told() -> RehearsalView:
            found = view(studio).rehearsal
            assert found is not None
            return found

        await studio.until(lambda: studio.lesson is not None and studio.lesson.rehearsal is not None, 15)
        lesson, first = view(studio).id, view(studio).seats[0].room
        await studio.say(RecordSubjects([Recordable.TEACHER]))
        await studio.until(lambda: any(no.code == "not_to_be_recorded" for no in studio.refusals), 15)
        await studio.say(m.Start())
        await studio.until(lambda: told().step is Step.HAND, 40)
        assert all(seat.sends == [Source.CAMERA, Source.VOICE] for seat in view(studio).seats)
        await studio.say(m.CallOn(told().room))
        await studio.until(lambda: told().step is Step.SILENT, 40)
        await studio.until(lambda: any(s.state is SeatState.NO_SOUND for s in view(studio).seats), 15)
        silent = next(seat.room for seat in view(studio).seats if seat.state is SeatState.NO_SOUND)
        await studio.say(PointOut(silent))
        await studio.until(lambda: told().step is Step.AWAY, 40)
        fallen = told().room
        await studio.say(m.CallOn(first))
        await studio.until(lambda: told().step is Step.BACK, 40)
        assert told().room == fallen
        await studio.say(m.CallOn(fallen))
        await studio.until(lambda: told().over, 15)
        assert told().passed
        await studio.say(m.End())
        await studio.until(lambda: view(studio).state is LessonState.ENDED, 15)
        async with held.http.get(rehearsals, headers=held.operator) as answer:
            (tried,) = (await answer.json())["tried"]
        assert tried["passed_at"] is not None
        assert set(tried["steps"]) == set(Step)
        async with held.http.get(f"{installation.url}/api/v1/lessons", headers=held.operator) as answer:
            assert lesson not in [row["lesson"] for row in await answer.json()]
    assert not await asyncio.to_thread(lambda: list(installation.folder.rglob(f"*{lesson}*")))
