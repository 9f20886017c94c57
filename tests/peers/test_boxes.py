"""A lesson whose teacher has no camera in the browser: the room's own camera teaches, whole installation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.drill.own_server import SAMPLE_ROOMS, OwnServer, own_server
from server.protocol import messages as m
from server.protocol.parameters import Source
from tests.fakes.camera import Camera, serving, stream
from tests.peers.lessons import Holding, decodes, holding, on_air, view
from tests.peers.workers import holds

NETWORKS = '[ingest]\nnetworks = ["127.0.0.0/8"]'
CAMERA = Camera(
    options={"preset": "ultrafast", "bf": "0", "g": "25", "keyint_min": "25", "sc_threshold": "0"},
    seconds=40.0,
)


@pytest.fixture(scope="module")
def pieces() -> list[tuple[float, bytes]]:
    return stream(CAMERA)


@pytest.fixture
async def server() -> AsyncIterator[OwnServer]:
    async with own_server(SAMPLE_ROOMS, extra=NETWORKS) as found:
        yield found


async def configure(held: Holding, url: str, source: Source = Source.CAMERA) -> dict[str, object]:
    place = f"{held.server.url}/api/v1/rooms/{held.demo.studio.room}/sources/{source}"
    body = {"address": url, "sound": source is Source.CAMERA}
    async with held.http.put(place, json=body, headers=held.operator) as answer:
        assert answer.status == 200, await answer.text()
        return dict(await answer.json())


async def listed(held: Holding) -> list[dict[str, object]]:
    place = f"{held.server.url}/api/v1/rooms/{held.demo.studio.room}/sources"
    async with held.http.get(place, headers=held.operator) as answer:
        return list(await answer.json())


async def test_a_rooms_own_camera_teaches_survives_its_process_and_rests_after_the_lesson(
    server: OwnServer, pieces: list[tuple[float, bytes]]
) -> None:
    async with serving(pieces) as url, holding(server) as held:
        shown = await configure(held, url.replace("http://", "http://viewer:s3cret@"))
        assert "s3cret" not in str(shown)
        for source in (Source.CAMERA2, Source.SCREEN):
            await configure(held, url, source)
        studio, room = held.enter(held.demo.studio), held.room(0)
        await holds(lambda: studio.lesson is not None, 20)
        await studio.say(m.Start())
        await holds(lambda: on_air(room), 20)
        await holds(lambda: decodes(room), 25)
        await holds(lambda: len(view(studio).main_sends) == 4, 25)
        await studio.say(m.Courseware(on=True))
        await holds(lambda: decodes(room, "screen"), 25)
        await studio.say(m.Stage(source=Source.CAMERA2))
        await holds(lambda: room.slots["stage"].source is Source.CAMERA2, 15)
        assert [row["state"] for row in await listed(held)] == ["live"] * 3
        for muted in (True, False):
            await studio.say(m.Mute(room=held.demo.studio.room, muted=muted))
            await holds(lambda muted=muted: view(studio).main_muted is muted, 15)  # type: ignore[misc]
        before = len(room.sight("stage").seen)
        held.kill("server.ingest")
        await holds(lambda: len(room.sight("stage").seen) > before + 25, 25)
        await studio.say(m.End())
        async with asyncio.timeout(15):
            while (await listed(held))[0]["state"]:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    assert "s3cret" not in server.log.read_text()


async def test_a_probe_by_the_page_says_what_comes_and_a_strange_network_is_not_opened(
    server: OwnServer, pieces: list[tuple[float, bytes]]
) -> None:
    async with serving(pieces) as url, holding(server) as held:
        place = f"{server.url}/api/v1/rooms/{held.demo.studio.room}/probe"
        async with held.http.post(place, json={"address": url}, headers=held.operator) as answer:
            report = await answer.json()
        assert report["video"]["codec"] == "h264", report
        async with held.http.post(
            place, json={"address": "rtsp://10.1.2.3/"}, headers=held.operator
        ) as answer:
            assert (await answer.json())["problem"] == "network_not_allowed"
        async with held.http.post(place, json={"address": url}) as answer:
            assert answer.status == 404
        async with held.http.post(
            place, json={"address": "file:///etc/passwd"}, headers=held.operator
        ) as answer:
            assert answer.status >= 400
