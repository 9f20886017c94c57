"""Cameras before the bell: looked at, told on the teacher's card and in the alarms, kept over a restart."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace
from typing import Any

import pytest

from server.api import keys
from server.api.tokens import TokenKind
from server.domain.lesson import Lesson
from server.drill.own_server import free_port
from server.ingest.contract import up_tracks
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
