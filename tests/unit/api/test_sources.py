"""Cameras before the bell: looked at, told on the teacher's card and in the alarms, kept over a restart."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recorder.control_server import ControlServer
from server.api import keys
from server.api.tokens import TokenKind
from server.domain.lesson import Lesson
from server.drill.own_server import free_port
from server.ingest.contract import (
    Command,
    Event,
    Hello,
    ProbePush,
    PushChanged,
    PushProbed,
    Welcome,
    up_tracks,
)
from server.ingest.facts import Fitness, Point, Report
from server.live.boxes import starting
from server.protocol.messages import Words
from server.protocol.parameters import Kind, Source
from server.protocol.timetable import Template
from server.store.records import BoxSource
from tests.fakes.camera import Camera, serving, stream
from tests.unit.api.conftest import Campus, Opener

CAMERA = Camera(
    options={"preset": "ultrafast", "bf": "2", "g": "25", "keyint_min": "25", "sc_threshold": "0"},
    width=160, height=90, seconds=20.0, tone=0.0,
)  # fmt: skip
SETTINGS = {"demo": {"enabled": True}, "ingest": {"networks": ["127.0.0.0/8"], "check_before_s": 600}}


async def book(campus: Campus, name: str, in_s: int) -> None:
    begins = int(time.time() + in_s) * 1000
    lesson = Lesson(
        id=name, title=Words("英语", "English"), main_room="main", rooms=("shahe",),
        booked_from=begins, booked_until=begins + 2_400_000,
    )  # fmt: skip
    store = campus.app[keys.STORE]
    await store.save_lesson(lesson, None)
    await store.book(lesson)


async def put(campus: Campus, address: str, *, sound: bool = False) -> None:
    place, body = "/api/v1/rooms/main/sources/camera", {"address": address, "sound": sound}
    reply = await campus.browser.put(place, json=body, **campus.bearer(TokenKind.OPERATOR))
    assert reply.status == 200, await reply.text()


async def told(campus: Campus, lesson: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The camera on the lesson's card, and its alarms; the readiness says the same."""
    operator = campus.bearer(TokenKind.OPERATOR)
    ready = await (await campus.browser.get(f"/api/v1/lessons/{lesson}/readiness", **operator)).json()
    card = (await (await campus.browser.get("/api/v1/my-day", **operator)).json())["next"]
    listed = await (await campus.browser.get("/api/v1/alarms", **operator)).json()
    assert card["lesson"]["lesson"] == lesson
    assert card["sources"] == ready["sources"]
    alarms = [one for one in listed["alarms"] if one["kind"] == "source_wrong"]
    assert [one for one in ready["alarms"] if one["kind"] == "source_wrong"] == alarms
    assert "s3cret" not in str((ready, card, listed))
    return card["sources"][0], alarms


async def test_a_camera_is_looked_at_before_its_lesson_and_what_is_wrong_is_told_until_it_is_well(
    open_campus: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.app.LOOK_S", 1.0)
    pieces = await asyncio.to_thread(stream, CAMERA)
    campus = await open_campus(**SETTINGS)
    await book(campus, "L0000000001", 540)
    await book(campus, "L0000000002", 3_600)
    await put(campus, f"rtsp://viewer:s3cret@127.0.0.1:{free_port(socket.SOCK_STREAM)}/live")
    assert (await told(campus, "L0000000001"))[0]["at"] is None
    await campus.app[keys.CHECKING].turn()
    camera, alarms = await told(campus, "L0000000001")
    assert "RTSP" in camera["words"]["en"]
    (alarm,) = alarms
    assert (alarm["room"], alarm["lesson"], alarm["values"]["source"]) == ("main", "L0000000001", "camera")
    assert alarm["values"]["zh"] == camera["words"]["zh"]

    again = await open_campus(**SETTINGS)
    assert await told(again, "L0000000001") == (camera, alarms), "a restart loses nothing"
    async with serving(pieces) as url:
        await put(again, url)
        assert (await told(again, "L0000000001"))[0]["at"] is None, "it is another source"
        await again.app[keys.CHECKING].turn()
        camera, alarms = await told(again, "L0000000001")
        assert (camera["words"], alarms) == (None, [])
        assert "b_frames" in {point["code"] for point in camera["points"]}, "and what could be better"
        await again.app[keys.CHECKING].turn()
        assert (await told(again, "L0000000001"))[0] == camera, "what is well is left alone"


def test_a_separate_sound_encoder_is_the_voice_in_place_of_a_cameras_sound() -> None:
    camera = BoxSource("main", Source.CAMERA, "rtsp://10.0.0.9/1", sound=True)
    voice = BoxSource("main", Source.VOICE, "rtsp://10.0.0.8/1", sound=True)
    assert starting(Template.SHARED, [camera]) == [camera]
    assert starting(Template.SHARED, [camera, voice]) == [replace(camera, sound=False), voice]
    idle = replace(voice, with_lesson=False)
    assert starting(Template.SHARED, [camera, idle]) == [camera]
    assert [track.kind for track in up_tracks(0, 2, Source.VOICE)] == [Kind.AUDIO]


@dataclass
class Encoders:
    """An ingest process that pulls nothing: who pushes, and what a probe of it finds."""

    socket: Path
    pushing: list[str] = field(default_factory=list)
    report: bytes = b""
    asked: list[ProbePush] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._control = ControlServer[Command, Event](
            msgspec.msgpack.Decoder(Command),
            lambda hello: isinstance(hello, Hello),
            self._handle,
            lambda: Welcome("boot", [], {}, self.pushing),
        )

    def _handle(self, command: Command) -> Event | None:
        if isinstance(command, ProbePush):
            self.asked.append(command)
            return PushProbed(command.ask, self.report) if self.report else None
        return None

    def change(self, source: str, *, pushing: bool) -> None:
        self._control.tell(PushChanged(source, pushing))

    async def __aenter__(self) -> Encoders:
        self.socket.parent.mkdir(parents=True, exist_ok=True)
        await self._control.start(str(self.socket))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._control.close()


def found(code: str, fitness: Fitness) -> bytes:
    point = Point(code, fitness, Words("改设置", "Change a setting"))
    return msgspec.json.encode(Report("", 3.0, fitness, [point]))


async def put_push(campus: Campus) -> None:
    reply = await campus.browser.put(
        "/api/v1/rooms/main/sources/camera",
        json={"address": "", "push": True},
        **campus.bearer(TokenKind.OPERATOR),
    )
    assert reply.status == 200, await reply.text()


async def test_a_pushed_source_is_tried_by_hand_as_a_pulled_one(open_campus: Opener) -> None:
    campus = await open_campus(**SETTINGS)
    await put_push(campus)

    async def tried() -> tuple[int, dict[str, Any]]:
        reply = await campus.browser.post(
            "/api/v1/rooms/main/probe", json={"source": "camera"}, **campus.bearer(TokenKind.OPERATOR)
        )
        return reply.status, await reply.json()

    status, said = await tried()
    assert (status, said["code"]) == (409, "ingest_away"), said
    link = campus.app[keys.LIVE].ingest
    report = found("b_frames", Fitness.TRANSCODE)
    async with Encoders(campus.config.run_path / "ingest.sock", ["main/camera"], report) as encoders:
        await holds(lambda: link.connected)
        assert await tried() == (200, json.loads(report))
        (asked,) = encoders.asked
        assert (asked.source, asked.sound_only) == ("main/camera", False)
        encoders.report = b""
        breaks_off = asyncio.create_task(tried())
        await holds(lambda: len(encoders.asked) == 2)
    status, said = await breaks_off
    assert (status, said["code"]) == (409, "ingest_away")
    assert "检测" in said["words"]["zh"]


async def readiness(campus: Campus, lesson: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The camera of a lesson, and its alarms."""
    place = f"/api/v1/lessons/{lesson}/readiness"
    ready = await (await campus.browser.get(place, **campus.bearer(TokenKind.OPERATOR))).json()
    return ready["sources"][0], [one for one in ready["alarms"] if one["kind"] == "source_wrong"]


async def test_a_pushed_source_is_judged_before_its_lesson_and_told_when_it_stops(
    open_campus: Opener,
) -> None:
    campus = await open_campus(**SETTINGS)
    await book(campus, "L0000000001", 540)
    await put_push(campus)
    link, checking = campus.app[keys.LIVE].ingest, campus.app[keys.CHECKING]
    await checking.turn()
    assert (await readiness(campus, "L0000000001"))[0]["at"] is None, "nothing is known of it yet"
    report = found("long_keyframes", Fitness.TRANSCODE)
    async with Encoders(campus.config.run_path / "ingest.sock", ["main/camera"], report) as encoders:
        await holds(lambda: link.connected)
        await checking.turn()
        camera, alarms = await readiness(campus, "L0000000001")
        assert (camera["words"], alarms) == (None, [])
        assert [point["code"] for point in camera["points"]] == ["long_keyframes"]
        encoders.change("main/camera", pushing=False)
        await holds(lambda: not link.pushing)
        camera, alarms = await readiness(campus, "L0000000001")
        assert "推流" in camera["words"]["zh"]
        assert len(alarms) == 1
        await checking.forget("main", Source.CAMERA)
        await checking.turn()
        assert (await readiness(campus, "L0000000001"))[0]["words"] == camera["words"]
        assert len(encoders.asked) == 1, "what does not push is not watched"
        encoders.change("main/camera", pushing=True)
        await holds(lambda: bool(link.pushing))
        assert (await readiness(campus, "L0000000001"))[0]["words"] is None


async def test_an_encoder_by_whip_has_an_address_and_a_key_that_live_until_another_way_is_chosen(
    open_campus: Opener,
) -> None:
    campus = await open_campus(**SETTINGS)
    await book(campus, "L0000000001", 540)
    operator = campus.bearer(TokenKind.OPERATOR)

    async def configured(**body: bool) -> dict[str, Any]:
        place, asked = "/api/v1/rooms/main/sources/camera", {"address": "", "push": True, **body}
        reply = await campus.browser.put(place, json=asked, **operator)
        return dict(await reply.json())

    first = await configured(whip=True)
    assert first["push_url"].endswith("/whip/rooms/main/camera")
    assert (first["push"], first["whip"], first["pushing"], len(first["key"])) == (True, True, False, 24)
    holder = campus.app[keys.LIVE].ingest.holder
    held = holder(first["key"])
    assert held is not None
    assert (held.room, held.source, held.pushes) == ("main", Source.CAMERA, False)
    again = await configured(whip=True, sound=True)
    assert (again["key"], again["knocked_at"]) == ("", 0), "it is told once"
    token = {"Authorization": f"Bearer {first['key']}"}
    knocking = await campus.browser.post("/whip/rooms/main/camera", data="v=0", headers=token)
    assert (knocking.status, (await knocking.json())["code"]) == (503, "no_lesson_yet")
    assert (await configured(whip=True))["knocked_at"] > 0, "its way here is right"
    second = await configured(whip=True, new_key=True)
    assert (second["knocked_at"], holder(first["key"])) == (0, None), "that was with another key"
    await campus.app[keys.CHECKING].turn()
    place = "/api/v1/lessons/L0000000001/readiness"
    ready = await (await campus.browser.get(place, **operator)).json()
    assert ready["sources"] == [], "it comes when the lesson is prepared: nothing is wrong before"
    tried = await campus.browser.post("/api/v1/rooms/main/probe", json={"source": "camera"}, **operator)
    assert (tried.status, (await tried.json())["code"]) == (409, "seen_in_studio")
    by_rtmp = await configured()
    assert (by_rtmp["whip"], len(by_rtmp["key"])) == (False, 24)
    assert holder(second["key"]) is None
    assert holder(by_rtmp["key"]) is None


async def holds(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not fact():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)
