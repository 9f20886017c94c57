"""WHIP (RFC 9725) and WHEP on a whole installation, with aiortc's RTCPeerConnection as the client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack

from server.drill.own_server import OwnServer
from tests.peers.aiortc_peers import Pattern
from tests.peers.lessons import Holding, decodes, forget, holding, view

pytestmark = pytest.mark.asyncio(loop_scope="session")

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = "application/trickle-ice-sdpfrag"


@dataclass
class Doors:
    """A lesson's URLs and the headers that open them."""

    lesson: str
    whip: str
    whep: str
    publish: dict[str, str]
    watch: dict[str, str]


async def start_lesson(held: Holding) -> Doors:
    url = f"{held.server.url}/api/v1/lessons"
    async with held.http.post(url, json={"room": "main"}, headers=held.operator) as answer:
        assert answer.status == 201, await answer.text()
        said = await answer.json()
    return Doors(
        said["lesson"],
        said["whip"],
        said["whep"],
        {"Authorization": f"Bearer {said['whip_token']}"},
        {"Authorization": f"Bearer {said['whep_token']}"},
    )


@asynccontextmanager
async def peer() -> AsyncIterator[RTCPeerConnection]:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        yield pc
    finally:
        await pc.close()


async def negotiate(
    http: aiohttp.ClientSession, pc: RTCPeerConnection, url: str, headers: dict[str, str]
) -> tuple[str, str]:
    """POST the offer, take the answer: Location and ETag of the session."""
    await pc.setLocalDescription(await pc.createOffer())
    async with http.post(url, data=pc.localDescription.sdp, headers={**SDP, **headers}) as answer:
        assert answer.status == 201, await answer.text()
        assert answer.content_type == "application/sdp"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Location" in answer.headers["Access-Control-Expose-Headers"]
        await pc.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))
        return answer.headers["Location"], answer.headers["ETag"]


async def frames(track: MediaStreamTrack, count: int) -> None:
    async with asyncio.timeout(10):
        for _ in range(count):
            await track.recv()


async def test_a_standard_publisher_reaches_rooms_and_standard_viewers_until_it_hangs_up(
    installation: OwnServer,
) -> None:
    async with holding(installation) as held, peer() as camera, peer() as screen, peer() as viewer:
        doors = await start_lesson(held)
        camera.addTransceiver(Pattern(), direction="sendonly")
        camera.addTransceiver(AudioStreamTrack(), direction="sendonly")
        location, _ = await negotiate(held.http, camera, doors.whip, doors.publish)
        assert location.startswith(f"/whip/{doors.lesson}/")
        room = held.room(0)
        await room.until(lambda: decodes(room), 15)
        await room.until(lambda: room.sound("main").fresh > 0, 5)
        screen.addTransceiver(Pattern(), direction="sendonly")
        await negotiate(held.http, screen, f"{doors.whip}?source=screen", doors.publish)
        await room.until(lambda: decodes(room, "screen"), 10)
        tracks = {kind: viewer.addTransceiver(kind, direction="recvonly") for kind in ("video", "audio")}
        watching, _ = await negotiate(held.http, viewer, f"{doors.whep}?source=screen", doors.watch)
        await frames(tracks["video"].receiver.track, 5)
        await frames(tracks["audio"].receiver.track, 5)
        for path, headers in ((location, doors.publish), (watching, doors.watch)):
            async with held.http.delete(held.server.url + path, headers=headers) as answer:
                assert answer.status == 200
            async with held.http.delete(held.server.url + path, headers=headers) as answer:
                assert answer.status == 404
        await room.until(lambda: room.lesson is not None and "camera" not in room.lesson.main_sends, 5)
        url = f"{held.server.url}/api/v1/lessons/{doors.lesson}/end"
        async with held.http.post(url, headers=held.operator) as answer:
            assert answer.status == 200
            assert (await answer.json())["state"] == "ended"


async def test_the_session_resource_follows_rfc_9725(installation: OwnServer) -> None:
    async with holding(installation) as held, peer() as pc:
        doors = await start_lesson(held)
        pc.addTransceiver(Pattern(), direction="sendonly")
        location, etag = await negotiate(held.http, pc, doors.whip, doors.publish)
        session = held.server.url + location
        sdp = pc.localDescription.sdp
        ufrag, pwd = (_line(sdp, name) for name in ("ice-ufrag", "ice-pwd"))
        same = f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        fresh = "a=ice-ufrag:Fresh123\r\na=ice-pwd:0123456789abcdef0123456789\r\n"

        async def patch(body: str, match: str | None, kind: str = FRAGMENT) -> tuple[int, str | None]:
            headers = {**doors.publish, "Content-Type": kind, **({"If-Match": match} if match else {})}
            async with held.http.patch(session, data=body, headers=headers) as answer:
                return answer.status, answer.headers.get("ETag")

        assert await patch(same, etag) == (204, None)
        assert (await patch(same, None))[0] == 428
        assert (await patch(same, '"another"'))[0] == 412
        assert (await patch(fresh, etag))[0] == 412, "a restart says If-Match: *"
        assert (await patch("nonsense", etag))[0] == 400
        assert (await patch(same, etag, "text/plain"))[0] == 415
        status, after = await patch(fresh, "*")
        assert status == 200
        assert after is not None
        assert after != etag

        async def ask(method: str, url: str, status: int, **more: object) -> aiohttp.ClientResponse:
            async with held.http.request(method, url, **more) as answer:  # type: ignore[arg-type]
                assert answer.status == status, await answer.text()
                assert answer.headers["Access-Control-Allow-Origin"] == "*"
                if status >= 400:
                    assert answer.content_type == "application/problem+json"
                return answer

        options = await ask("OPTIONS", doors.whip, 204)
        assert options.headers["Accept-Post"] == "application/sdp"
        assert "PATCH" in options.headers["Access-Control-Allow-Methods"]
        for url in (doors.whip, doors.whep, session):
            await ask("GET", url, 405, headers=doors.publish)
        await ask("POST", doors.whip, 404, data=sdp, headers=SDP)
        await ask("POST", doors.whip, 404, data=sdp, headers={**SDP, **doors.watch})
        await ask("POST", doors.whip, 415, data=sdp, headers={**doors.publish, "Content-Type": "text/plain"})
        await ask("POST", doors.whip, 400, data="v=0", headers={**SDP, **doors.publish})
        await ask("POST", doors.whip, 400, data=b"\xff\xfe", headers={**SDP, **doors.publish})
        await ask("POST", f"{doors.whip}?source=sofa", 400, data=sdp, headers={**SDP, **doors.publish})
        await ask("POST", f"{held.server.url}/whip/L0", 404, data=sdp, headers={**SDP, **doors.publish})
        plain = sdp.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP")
        await ask("POST", doors.whip, 422, data=plain, headers={**SDP, **doors.publish})
        json_only = {**SDP, **doors.publish, "Accept": "application/json, text/*;q=0.5"}
        await ask("POST", doors.whip, 406, data=sdp, headers=json_only)
        await ask("DELETE", f"{session}x", 404, headers=doors.publish)
        await ask("POST", doors.whip, 413, data="a" * 300_000, headers={**SDP, **doors.publish})


async def test_a_session_outlives_campus_and_ends_with_its_worker(installation: OwnServer) -> None:
    """Media goes on while campus is away; with its worker a session is 404, and the client posts again."""
    async with holding(installation) as held, peer() as pc, peer() as again:
        doors = await start_lesson(held)
        pc.addTransceiver(Pattern(), direction="sendonly")
        location, etag = await negotiate(held.http, pc, doors.whip, doors.publish)
        session = held.server.url + location
        room = held.room(0)
        await room.until(lambda: decodes(room), 15)
        ufrag, pwd = (_line(pc.localDescription.sdp, name) for name in ("ice-ufrag", "ice-pwd"))
        same = f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"

        async def patch(match: str) -> int | None:
            headers = {**doors.publish, "Content-Type": FRAGMENT, "If-Match": match}
            try:
                async with held.http.patch(session, data=same, headers=headers) as answer:
                    return answer.status
            except aiohttp.ClientError:
                return None  # nobody listens at this moment

        async def becomes(status: int) -> None:
            async with asyncio.timeout(20):
                while await patch(etag) != status:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)

        assert await patch(etag) == 204
        held.kill("server.app")
        await becomes(204)
        forget(room)
        await room.until(lambda: decodes(room), 15)
        held.kill("server.media")
        await becomes(404)
        await asyncio.gather(pc.close())
        async with asyncio.timeout(20):
            while True:
                async with held.http.get(f"{held.server.url}/readyz") as answer:
                    if answer.status == 200:
                        break
        forget(room)
        again.addTransceiver(Pattern(), direction="sendonly")
        second, _ = await negotiate(held.http, again, doors.whip, doors.publish)
        assert second != location
        await room.until(lambda: decodes(room), 20)


def _line(sdp: str, name: str) -> str:
    return next(line.partition(":")[2] for line in sdp.splitlines() if line.startswith(f"a={name}:"))


async def test_a_rooms_encoder_comes_by_its_own_key_in_every_lesson(installation: OwnServer) -> None:
    async with holding(installation) as held:
        place = f"{held.server.url}/api/v1/rooms/main/sources/camera"

        async def configure(**more: bool) -> tuple[str, dict[str, str]]:
            body = {"address": "", "push": True, "whip": True, "sound": True, **more}
            async with held.http.put(place, json=body, headers=held.operator) as answer:
                said = await answer.json()
                assert answer.status == 200, said
                return said["push_url"], {"Authorization": f"Bearer {said['key']}"}

        url, key = await configure()
        try:
            assert url.endswith("/whip/rooms/main/camera")
            await _in_two_lessons(held, url, key)
            async with peer() as camera:
                await start_lesson(held)
                camera.addTransceiver(Pattern(), direction="sendonly")
                await negotiate(held.http, camera, url, key)
                room = held.room(1)
                await room.until(lambda: decodes(room), 15)
                await configure(new_key=True)
                await room.until(lambda: "camera" not in view(room).main_sends, 10)
                assert await _refused(held, url, key) == 404, "the old key opens nothing any more"
        finally:
            async with held.http.delete(place, headers=held.operator) as answer:
                assert answer.status == 204


async def _in_two_lessons(held: Holding, url: str, key: dict[str, str]) -> None:
    assert await _refused(held, url, {"Authorization": "Bearer nobodys"}) == 404
    assert await _refused(held, url.replace("camera", "voice"), key) == 404
    assert await _refused(held, url, key) == 503, "no lesson is prepared"
    for number in range(2):
        async with peer() as camera:
            doors = await start_lesson(held)
            assert await _refused(held, doors.whip, key) == 404, "its key is good at its own door alone"
            camera.addTransceiver(Pattern(), direction="sendonly")
            camera.addTransceiver(AudioStreamTrack(), direction="sendonly")
            location, _ = await negotiate(held.http, camera, url, key)
            room = held.room(number)
            await room.until(lambda room=room: decodes(room), 15)
            await room.until(lambda room=room: room.sound("main").fresh > 0, 15)
            assert await _refused(held, url, key) == 409, "who sends stays"
            async with held.http.delete(held.server.url + location, headers=key) as answer:
                assert answer.status == 200
            await held.end_lessons()
            await held.close(room)


async def _refused(held: Holding, url: str, headers: dict[str, str]) -> int:
    async with peer() as camera:
        camera.addTransceiver(Pattern(), direction="sendonly")
        await camera.setLocalDescription(await camera.createOffer())
        body = camera.localDescription.sdp
        async with held.http.post(url, data=body, headers={**SDP, **headers}) as answer:
            assert (answer.status == 503) == ("Retry-After" in answer.headers)
            return answer.status
