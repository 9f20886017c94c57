"""server.api.hls and live_playlist: a growing recording is watched part by part, by who may."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from multidict import CIMultiDict

from recorder.archive.manifest import Manifest, Track, write_manifest
from recorder.contract import RecordingState, Subject
from recorder.playlist import MediaPlaylist, Part, SectionFiles, Segment
from server.api import keys, live_playlist
from server.api.live_playlist import Edge, Wish, edge_of, holds, shortened, wish_of
from server.api.tokens import TokenKind
from server.errors import UserFault
from server.live import growth, readers

if TYPE_CHECKING:
    from tests.unit.api.conftest import Campus

FILES = [SectionFiles("camera.mp4", "camera-init.mp4")]


def playlist_of(segments: int, parts: int, *, ended: bool = False) -> bytes:
    """Segments of 4 s in parts of 1 s, and so many parts more."""
    four = [Part(1.0, 100 * k, 100, k == 0) for k in range(4)]
    of_them = [four] * min(segments, 3) + [four[:parts]]
    done = [Segment(1, 4.0, 400 * k, 400) for k in range(segments)]
    return MediaPlaylist().text(done, FILES, of_them, ended=ended).encode()


def put(folder: Path, text: bytes) -> None:
    (folder / "camera.m3u8.new").write_bytes(text)
    (folder / "camera.m3u8.new").replace(folder / "camera.m3u8")


def record(folder: Path, lesson: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    put(folder, playlist_of(2, 1))
    camera = Track("camera", Subject.TEACHER, "video", "H264", "main", playlist="camera.m3u8")
    state = RecordingState.RECORDING
    manifest = Manifest(lesson, "t", "2026-09-01T10:00:00+08:00", state, seconds=9.0, tracks=[camera])
    write_manifest(folder, manifest)


@pytest.fixture
async def lesson(demo: Campus) -> str:
    name = await demo.start_lesson()
    await asyncio.to_thread(record, demo.config.archive_path / name, name)
    return name


async def watched(campus: Campus, lesson: str) -> dict[str, Any]:
    async with campus.browser.get(f"/api/v1/lessons/{lesson}/hls") as reply:
        assert reply.status == 200, await reply.text()
        return dict(await reply.json())


async def text_of(campus: Campus, path: str, status: int = 200) -> bytes:
    async with campus.browser.get(path) as reply:
        assert reply.status == status, await reply.text()
        return await reply.read()


async def wait_for_waiters(campus: Campus, count: int) -> None:
    async with asyncio.timeout(10):
        while campus.app[keys.LIVE].growth.waiters < count:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def grow(campus: Campus, lesson: str, text: bytes) -> None:
    await asyncio.to_thread(put, campus.config.archive_path / lesson, text)
    campus.app[keys.LIVE].growth.grew(lesson)


def test_a_playlists_edge_is_the_growing_segment_and_its_parts() -> None:
    assert edge_of(playlist_of(2, 1)) == Edge(2, 1, False)
    assert edge_of(playlist_of(0, 3)) == Edge(0, 3, False)
    assert edge_of(playlist_of(5, 0)) == Edge(5, 0, False)
    assert edge_of(playlist_of(5, 0, ended=True)) == Edge(5, 0, True)
    assert edge_of(b"") == Edge(0, 0, False)


@pytest.mark.parametrize(
    ("msn", "part", "there"),
    [(2, 0, True), (2, 1, False), (2, None, False), (1, None, True), (1, 9, True), (3, 0, False)],
)
def test_a_reload_is_answered_when_its_part_is_there(msn: int, part: int | None, *, there: bool) -> None:
    assert holds(Edge(2, 1, False), Wish(msn, part, False)) is there
    assert holds(Edge(2, 1, True), Wish(msn, part, False)), "nothing more comes"


def test_a_delta_leaves_out_what_its_reader_knows() -> None:
    whole = playlist_of(100, 2)
    delta = shortened(whole)
    assert b"#EXT-X-SKIP:SKIPPED-SEGMENTS=37\n" in delta
    assert delta.count(b"#EXTINF:") == 63
    segments = delta.partition(b"#EXT-X-SKIP")[2].count(b"\ncamera.mp4\n")
    assert segments == 63, "an address more would be a segment more"
    assert delta.count(b"#EXT-X-PART:") == whole.count(b"#EXT-X-PART:")
    assert b"#EXT-X-MAP" not in delta
    assert whole.endswith(delta[-900:])
    assert shortened(playlist_of(10, 1)) == playlist_of(10, 1)


@pytest.mark.parametrize(
    "query", ["_HLS_msn=x", "_HLS_msn=-1", "_HLS_part=1", "_HLS_msn=1&_HLS_part=99999999999"]
)
def test_a_reload_that_names_no_place_is_refused(query: str) -> None:
    pairs = CIMultiDict(tuple(pair.split("=")) for pair in query.split("&"))
    with pytest.raises(UserFault):
        wish_of(pairs)


async def test_a_reload_waits_for_its_part_and_everybody_gets_the_same(demo: Campus, lesson: str) -> None:
    path = (await watched(demo, lesson))["tracks"][0]["playlist"]
    asked = [asyncio.create_task(text_of(demo, f"{path}?_HLS_msn=2&_HLS_part=1")) for _ in range(3)]
    await wait_for_waiters(demo, 3)
    await grow(demo, lesson, playlist_of(2, 1))
    await grow(demo, lesson, playlist_of(2, 2))
    assert set(await asyncio.gather(*asked)) == {playlist_of(2, 2)}
    assert demo.app[keys.LIVE].growth.waiters == 0
    last = asyncio.create_task(text_of(demo, f"{path}?_HLS_msn=3&_HLS_part=0&_HLS_skip=YES"))
    await wait_for_waiters(demo, 1)
    await grow(demo, lesson, playlist_of(3, 0, ended=True))
    assert b"#EXT-X-ENDLIST" in await last, "at the bell it is the recording's"
    await asyncio.to_thread(put, demo.config.archive_path / lesson, playlist_of(4, 0, ended=True))
    assert await text_of(demo, path) == playlist_of(4, 0, ended=True), "made again without a word"


async def test_who_waits_in_vain_gets_what_there_is(
    demo: Campus, lesson: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = (await watched(demo, lesson))["tracks"][0]["playlist"]
    monkeypatch.setattr(live_playlist, "WAIT_S", 0.05)
    assert await text_of(demo, f"{path}?_HLS_msn=2&_HLS_part=1") == playlist_of(2, 1)
    monkeypatch.setattr(live_playlist, "WAIT_S", 60.0)
    monkeypatch.setattr(growth, "MOST_WAITERS", 0)
    assert await text_of(demo, f"{path}?_HLS_msn=2&_HLS_part=1") == playlist_of(2, 1), "too many wait"
    await text_of(demo, f"{path}?_HLS_msn=9", status=400)


async def test_a_live_lesson_is_watched_by_its_rooms_and_observers_alone(demo: Campus, lesson: str) -> None:
    demo.browser.cookie_jar.clear()
    other = "L" + lesson[1:][::-1]
    for bearer, status in (
        (demo.bearer(TokenKind.ROOM, room="shahe"), 200),
        (demo.bearer(TokenKind.OBSERVER, lesson=lesson), 200),
        (demo.bearer(TokenKind.STUDIO, room="main"), 200),
    ):
        async with demo.browser.get(f"/api/v1/lessons/{lesson}/hls", **bearer) as reply:
            assert reply.status == status
    outside = {"Host": "school.example", **demo.bearer(TokenKind.OBSERVER, lesson=other)["headers"]}
    async with demo.browser.get(f"/api/v1/lessons/{lesson}/hls", headers=outside) as reply:
        assert reply.status == 404
    stranger = {"Host": "school.example", **demo.bearer(TokenKind.ROOM, room="elsewhere")["headers"]}
    async with demo.browser.get(f"/api/v1/lessons/{lesson}/hls", headers=stranger) as reply:
        assert reply.status == 404


async def test_who_watches_is_known_without_their_cookie(demo: Campus, lesson: str) -> None:
    path = (await watched(demo, lesson))["tracks"][0]["playlist"]
    await text_of(demo, path)
    live, now = demo.app[keys.LIVE], demo.app[keys.CLOCK].wall_ms()
    (reader,) = live.readers.of(lesson, now)
    assert (reader.role, reader.room) == ("demo_visitor", None)
    cookies = [cookie.value for cookie in demo.browser.cookie_jar]
    assert all(reader.session not in value for value in cookies)
    assert live.readers.of(lesson, now + readers.AWAY_MS + 1000) == []
    assert live.readers.of("other", now) == []


def test_readers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MOST_READERS", 2)
    known = readers.Readers(0)
    for k in range(4):
        known.seen("L", f"s{k}", k)
    assert [reader.session for reader in known.of("L", 4)] == ["s2", "s3"]
