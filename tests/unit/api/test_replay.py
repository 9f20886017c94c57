"""server.api.replay and media: a recording is played under signed addresses by who may, and nobody else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from recorder.archive.manifest import Gap, GapCause, Manifest, Track, Verdict, read_manifest, write_manifest
from recorder.contract import RecordingState, Subject
from server.api import keys
from server.api.tokens import TokenKind
from server.protocol.messages import LessonState
from server.store.records import Mark

if TYPE_CHECKING:
    from tests.unit.api.conftest import Campus

MEDIA = bytes(range(256)) * 64


@pytest.fixture
async def lesson(demo: Campus) -> str:
    """A lesson of the demo with one recorded track."""
    name = await demo.start_lesson()
    await asyncio.to_thread(record, demo.config.archive_path / name, name)
    await demo.app[keys.STORE].save_marks(name, [Mark(2.0, "called", {"room": "shahe"})])
    return name


def record(folder: Path, lesson: str) -> None:
    (folder / "journal").mkdir(parents=True)
    (folder / "journal" / "000001.lkj").write_bytes(b"secret")
    (folder / "camera.mp4").write_bytes(MEDIA)
    (folder / "camera.m3u8").write_text("#EXTM3U\n")
    gap = Gap(3.0, 7.5, GapCause.SOURCE_AWAY)
    camera = Track("camera", Subject.TEACHER, "video", "H264", "main", playlist="camera.m3u8", gaps=[gap])
    journalled = Track("screen", Subject.SCREEN, "video", "VP8", "main")
    write_manifest(
        folder,
        Manifest(
            lesson, "title", "2026-09-01T10:00:00+08:00", RecordingState.READY,
            seconds=60.0, ready_after_s=0.9, tracks=[camera, journalled],
        ),
    )  # fmt: skip


async def replay_of(campus: Campus, lesson: str) -> dict[str, Any]:
    async with campus.browser.get(f"/api/v1/lessons/{lesson}/replay") as reply:
        assert reply.status == 200, await reply.text()
        return dict(await reply.json())


async def test_the_replay_names_tracks_gaps_marks_and_times(demo: Campus, lesson: str) -> None:
    told = await replay_of(demo, lesson)
    assert (told["lesson"], told["state"], told["seconds"], told["ready_after_s"]) == (
        lesson,
        "ready",
        60,
        0.9,
    )
    assert told["started_at"] == 1_788_228_000_000
    assert [track["name"] for track in told["tracks"]] == ["camera"]
    assert told["tracks"][0]["gaps"] == [
        {"start_s": 3.0, "end_s": 7.5, "cause": "source_away", "side": "unknown"}
    ]
    assert told["marks"] == [{"at_s": 2.0, "kind": "called", "values": {"room": "shahe"}}]
    assert told["truth"] is None


async def test_the_replay_tells_what_the_verification_found(demo: Campus, lesson: str) -> None:
    folder = demo.config.archive_path / lesson
    manifest = await asyncio.to_thread(read_manifest, folder)
    verdict = Verdict("2026-09-01T10:41:00+08:00", True, 1500, 1500, 3000, 3000, 8.0)
    await asyncio.to_thread(write_manifest, folder, structs.replace(manifest, verdict=verdict))
    told = await replay_of(demo, lesson)
    assert told["truth"] == {
        "verified_at": 1_788_230_460_000,
        "whole": True,
        "pictures": 1500,
        "pictures_decoded": 1500,
        "sync_ms": 8.0,
    }


async def test_marks_count_from_the_recordings_first_packet(demo: Campus, lesson: str) -> None:
    """Start was 62 s before the end, 60 s are recorded: the first packet came 2 s after Start."""
    overview = await demo.app[keys.STORE].lesson(lesson)
    assert overview is not None
    started = overview.lesson.started_at
    assert started is not None
    await demo.app[keys.STORE].save_lesson(
        replace(overview.lesson, state=LessonState.ENDED, ended_at=started + 62_000), None
    )
    marks = [Mark(0.5, "main_back", {}), Mark(12.0, "call_ended", {}), Mark(62.0, "main_away", {})]
    await demo.app[keys.STORE].save_marks(lesson, marks)
    told = await replay_of(demo, lesson)
    assert [mark["at_s"] for mark in told["marks"]] == [0.0, 10.0, 60.0]


async def test_media_is_served_whole_in_ranges_and_as_head(demo: Campus, lesson: str) -> None:
    playlist = (await replay_of(demo, lesson))["tracks"][0]["playlist"]
    media = playlist.replace("camera.m3u8", "camera.mp4")
    async with demo.browser.get(playlist) as reply:
        assert reply.content_type == "application/vnd.apple.mpegurl"
        assert await reply.text() == "#EXTM3U\n"
    async with demo.browser.get(media, headers={"Range": "bytes=100-299"}) as reply:
        assert (reply.status, reply.content_type) == (206, "video/mp4")
        assert reply.headers["Content-Range"] == f"bytes 100-299/{len(MEDIA)}"
        assert await reply.read() == MEDIA[100:300]
    async with demo.browser.head(media) as reply:
        assert (reply.status, reply.headers["Content-Length"]) == (200, str(len(MEDIA)))
    async with demo.browser.get(media, headers={"Range": "bytes=99999999-"}) as reply:
        assert reply.status == 416


async def test_an_address_works_for_its_viewer_and_its_lesson_alone(demo: Campus, lesson: str) -> None:
    playlist = (await replay_of(demo, lesson))["tracks"][0]["playlist"]
    _, _, pair, _, _ = playlist.split("/")
    expires, _, signature = pair.partition(".")
    others = [
        playlist.replace(lesson, "L0000000009"),
        playlist.replace(expires, str(int(expires) + 1)),
        playlist.replace(signature, "A" * 27),
        f"/media/{pair}/{lesson}/journal",
        f"/media/{pair}/{lesson}/manifest.json",
        f"/media/{pair}/{lesson}/..%2f{lesson}%2fcamera.mp4",
        f"/media/{pair}/{lesson}/none.mp4",
        f"/media/{lesson}/camera.mp4",
    ]
    for path in others:
        async with demo.browser.get(path) as reply:
            assert reply.status == 404, path
    demo.browser.cookie_jar.clear()
    async with demo.browser.get(playlist) as reply:
        assert reply.status == 404


async def test_the_same_viewer_keeps_its_cookie_so_older_addresses_go_on(demo: Campus, lesson: str) -> None:
    first = (await replay_of(demo, lesson))["tracks"][0]["playlist"]
    await replay_of(demo, lesson)
    async with demo.browser.get(first) as reply:
        assert reply.status == 200


async def test_the_studio_of_the_main_room_may_and_other_rooms_may_not(demo: Campus, lesson: str) -> None:
    away = {"X-Forwarded-For": "192.0.2.1"}
    for kind, room, status in (
        (TokenKind.STUDIO, "main", 200),
        (TokenKind.STUDIO, "shahe", 404),
        (TokenKind.ROOM, "shahe", 404),
        (TokenKind.OPERATOR, None, 404),
    ):
        headers = {**demo.bearer(kind, room)["headers"], **away}
        async with demo.browser.get(f"/api/v1/lessons/{lesson}/replay", headers=headers) as reply:
            assert reply.status == status, kind


async def test_a_lesson_without_a_recording_says_so(demo: Campus) -> None:
    name = await demo.start_lesson()
    async with demo.browser.get(f"/api/v1/lessons/{name}/replay") as reply:
        assert reply.status == 503
        assert (await reply.json())["code"] == "not_ready"


async def test_a_lesson_that_never_was_is_not_found(demo: Campus) -> None:
    async with demo.browser.get("/api/v1/lessons/L0000000009/replay") as reply:
        assert reply.status == 404


async def test_a_damaged_manifest_is_no_replay_and_no_traceback(demo: Campus, lesson: str) -> None:
    (demo.config.archive_path / lesson / "manifest.json").write_text("{")
    async with demo.browser.get(f"/api/v1/lessons/{lesson}/replay") as reply:
        assert (await reply.json())["code"] == "not_ready"


async def test_a_recording_whose_row_was_lost_is_still_played(demo: Campus) -> None:
    name = "L0000000007"
    await asyncio.to_thread(record, demo.config.archive_path / name, name)
    assert (await replay_of(demo, name))["title"] == {"zh": "title", "en": "title"}
