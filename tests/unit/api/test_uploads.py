"""server.api.uploads, recorder.importing: a film in pieces is gone on with, and becomes a lesson."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import pytest

from recorder.archive.reading import read_recording
from server.api import keys
from server.api.tokens import TokenKind
from tests.fakes.films import make_film

if TYPE_CHECKING:
    from tests.unit.api.conftest import Campus

PATH = "/api/v1/uploads"


async def begin(campus: Campus, size: int, room: str = "main", title: str = "公开课") -> tuple[int, Any]:
    body = {"title": title, "room": room, "bytes": size}
    async with campus.browser.post(PATH, json=body, **campus.bearer(TokenKind.STUDIO, "main")) as reply:
        return reply.status, await reply.json()


async def send(campus: Campus, upload: str, at: int, piece: bytes) -> tuple[int, Any]:
    headers = {**campus.bearer(TokenKind.STUDIO, "main")["headers"], "Upload-Offset": str(at)}
    async with campus.browser.patch(f"{PATH}/{upload}", data=piece, headers=headers) as reply:
        return reply.status, await reply.json()


async def settled(campus: Campus, upload: str) -> Any:
    async with asyncio.timeout(60):
        while True:
            async with campus.browser.get(
                f"{PATH}/{upload}", **campus.bearer(TokenKind.STUDIO, "main")
            ) as reply:
                told = await reply.json()
            if told["state"] in ("done", "refused"):
                return told
            await asyncio.sleep(0.05)


async def test_a_film_in_pieces_with_a_break_becomes_a_lesson_that_plays(
    campus: Campus, tmp_path: Path
) -> None:
    film = await asyncio.to_thread((await asyncio.to_thread(make_film, tmp_path / "film.mp4")).read_bytes)
    status, told = await begin(campus, len(film))
    assert (status, told["received"], told["state"]) == (201, 0, "receiving")
    upload, half = told["upload"], len(film) // 2
    assert (await send(campus, upload, 0, film[:half]))[1]["received"] == half
    status, told = await send(campus, upload, 0, film[:half])
    assert (status, told["received"]) == (409, half), "the same piece again is not taken twice"
    assert (await send(campus, upload, half, film[half:]))[1]["state"] in ("reading", "done")
    told = await settled(campus, upload)
    assert told["state"] == "done"
    overview = await campus.app[keys.STORE].lesson(told["lesson"])
    assert overview is not None
    assert overview.lesson.title.zh == "公开课"
    archive = campus.config.archive_path
    manifest = await asyncio.to_thread(read_recording, archive, told["lesson"])
    assert [(track.name, track.codec) for track in manifest.tracks] == [("camera", "H264"), ("voice", "AAC")]
    assert 3.8 <= manifest.seconds <= 4.2
    counted = await asyncio.to_thread(decoded, archive / told["lesson"] / "camera.m3u8")
    assert counted == 100
    assert not list((Path(campus.config.data.directory) / "uploads").iterdir())


def decoded(playlist: Path) -> int:
    with av.open(str(playlist), options={"allowed_extensions": "ALL"}) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"this is no film" * 100, "视频文件"), (b"", "")],
    ids=["no film", "nothing"],
)
async def test_what_is_no_film_is_refused_in_words_and_leaves_nothing(
    campus: Campus, content: bytes, word: str
) -> None:
    status, told = await begin(campus, len(content))
    if not content:
        assert status == 400
        return
    await send(campus, told["upload"], 0, content)
    told = await settled(campus, told["upload"])
    assert told["state"] == "refused"
    assert word in told["words"]["zh"]
    assert told["words"]["en"]
    assert not campus.config.archive_path.exists() or not list(campus.config.archive_path.iterdir())


async def test_pieces_are_bounded_and_other_rooms_have_no_part_in_it(campus: Campus) -> None:
    _, told = await begin(campus, 10)
    assert (await send(campus, told["upload"], 0, b"x" * 11))[0] == 413
    other = campus.bearer(TokenKind.STUDIO, "other")
    async with campus.browser.get(f"{PATH}/{told['upload']}", **other) as reply:
        assert reply.status == 404
    assert (await begin(campus, 10, room="other"))[0] == 404
    assert (await begin(campus, 10, room="shahe"))[0] == 404
    assert (await begin(campus, 10**12))[0] == 400
    assert (await begin(campus, 10, title=" "))[0] == 400


def imported(source: Path, archive: Path) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "recorder.importing", "--source", source, "--archive", archive, "--lesson",
         "L0000000001", "--title=x", "--started-at", "2026-09-01T10:00:00+08:00"],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_films_that_are_cut_short_silent_or_of_another_codec(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    whole = make_film(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    assert imported(tmp_path / "cut.mp4", archive)["problem"] in ("no_video", "damaged")
    make_film(tmp_path / "mpeg4.mp4", codec="mpeg4")
    assert imported(tmp_path / "mpeg4.mp4", archive)["problem"] == "bad_codec"
    assert not archive.exists() or list(archive.iterdir()) == []
    make_film(tmp_path / "silent.mp4", sound=False, seconds=1.0)
    assert imported(tmp_path / "silent.mp4", archive)["problem"] == ""
    assert [track.name for track in read_recording(archive, "L0000000001").tracks] == ["camera"]


def test_a_playlist_that_names_other_files_is_no_film(tmp_path: Path) -> None:
    (tmp_path / "evil.mp4").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    assert imported(tmp_path / "evil.mp4", tmp_path / "archive")["problem"] == "no_video"
