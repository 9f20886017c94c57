"""Films that people bring into the library: in pieces, to be gone on with, looked at in another process."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from aiohttp import web

from server.api.guarding import answer, body_of
from server.api.keys import CLOCK, CONFIG, FREE_BYTES, STORE, UPLOADS
from server.api.rights import Action, Actor, NoRight, Thing, require, require_some
from server.domain.lesson import Lesson
from server.errors import UserFault
from server.ids import new_lesson_id
from server.protocol.library import NewUpload, Upload
from server.protocol.messages import LessonState, Words
from server.store.library_records import UploadRow, UploadState
from server.store.records import RecordingRow

LARGEST_PIECE = 4 << 20
MOST_UNDER_WAY = 20
KEPT_MS = 3 * 24 * 3_600_000
LONGEST_TITLE = 120
READING_S = 1800.0
READING: web.AppKey[asyncio.Semaphore] = web.AppKey("reading", asyncio.Semaphore)
TASKS: web.AppKey[set[asyncio.Task[None]]] = web.AppKey("upload_tasks")

PROBLEMS: dict[str, Words] = {
    "no_video": Words(
        zh="这不是视频文件，或者已经损坏。请换一个 MP4 文件。",
        en="This is no video file, or it is damaged. Choose another MP4.",
    ),
    "no_pictures": Words(zh="这个文件里只有声音，没有画面。", en="This file holds only sound, no pictures."),
    "bad_codec": Words(
        zh="画面不是 H.264 格式。请用录像软件另存为 H.264 的 MP4 后再上传。",
        en="The pictures are not H.264. Save the film as MP4 with H.264, then upload it again.",
    ),
    "too_long": Words(
        zh="视频超过 6 小时，请分段上传。", en="The film is over 6 hours long: upload it in pieces."
    ),
    "damaged": Words(
        zh="这个视频读到一半就坏了。请重新导出后再上传。",
        en="The film breaks off in the middle. Export it again, then upload it.",
    ),
    "disk_full": Words(
        zh="服务器的存储空间不够，请告诉管理员。", en="The server has no room left: tell the administrator."
    ),
}


class _Imported(msgspec.Struct):
    problem: str = ""
    seconds: float = 0.0


def _refused(code: str, zh: str, en: str) -> UserFault:
    return UserFault(code, zh=zh, en=en)


def _file(request: web.Request, upload: str) -> Path:
    return Path(request.app[CONFIG].data.directory) / "uploads" / f"{upload}.part"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


async def _told(request: web.Request, row: UploadRow) -> Upload:
    receiving = row.state is UploadState.RECEIVING
    received = await asyncio.to_thread(_size, _file(request, row.upload)) if receiving else row.bytes
    words = PROBLEMS.get(row.problem, PROBLEMS["damaged"]) if row.problem else None
    return Upload(row.upload, row.title, row.bytes, received, row.state, row.lesson, words)


async def begin(request: web.Request) -> web.Response:
    """A place for so many bytes."""
    require_some(request, Action.UPLOAD)
    body = await body_of(request, NewUpload)
    actor = require(request, Action.UPLOAD, Thing(main_room=body.room))
    room = await request.app[STORE].classroom(body.room)
    if room is None or not room.main:
        raise NoRight
    title, limits = " ".join(body.title.split()), request.app[CONFIG].library
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise _refused("bad_name", f"请写标题，最多 {LONGEST_TITLE} 个字。",
                       f"Give it a title of at most {LONGEST_TITLE} characters.")  # fmt: skip
    if not 1 <= body.bytes <= limits.upload_most_bytes:
        raise _refused("too_large_film", f"文件太大，最多 {limits.upload_most_bytes // 10**9} GB。",
                       f"The file is too large: {limits.upload_most_bytes // 10**9} GB at most.")  # fmt: skip
    uploads = request.app[UPLOADS]
    for old in await uploads.forget_before(request.app[CLOCK].wall_ms() - KEPT_MS):
        _file(request, old).unlink(missing_ok=True)
    free = await asyncio.to_thread(request.app[FREE_BYTES])
    if free < 2 * body.bytes + request.app[CONFIG].data.least_free_bytes:
        raise _refused("disk_full", PROBLEMS["disk_full"].zh, PROBLEMS["disk_full"].en)
    if await uploads.receiving() >= MOST_UNDER_WAY:
        raise _refused(
            "busy", "正在上传的文件太多，请稍后再试。", "Too many uploads at once: try again later."
        )
    row = await uploads.create(actor.name, body.room, title, body.bytes)
    await request.app[STORE].audit(actor.name, Action.UPLOAD, row.upload, title=title)
    return answer(await _told(request, row), status=201)


async def _require(request: web.Request) -> tuple[UploadRow, Actor]:
    row = await request.app[UPLOADS].row(request.match_info["upload"])
    actor = require(request, Action.UPLOAD, Thing(main_room=row.main_room) if row else Thing())
    if row is None:
        raise NoRight
    return row, actor


async def look(request: web.Request) -> web.Response:
    """How far it is."""
    row, _ = await _require(request)
    return answer(await _told(request, row))


async def add(request: web.Request) -> web.Response:
    """A piece from byte `Upload-Offset` on; where that is not the next one, nothing is taken and the answer
    says which is."""
    row, actor = await _require(request)
    if row.state is not UploadState.RECEIVING:
        return answer(await _told(request, row))
    path = _file(request, row.upload)
    here = await asyncio.to_thread(_size, path)
    if request.headers.get("Upload-Offset") != str(here):
        return answer(await _told(request, row), status=409)
    piece = await _piece(request, min(LARGEST_PIECE, row.bytes - here))
    await asyncio.to_thread(_append, path, here, piece)
    await request.app[UPLOADS].touched(row.upload)
    if here + len(piece) == row.bytes:
        await request.app[UPLOADS].change(row.upload, UploadState.READING)
        _read_later(request.app, row, actor, path)
    return answer(await _told(request, await request.app[UPLOADS].row(row.upload) or row))


async def _piece(request: web.Request, most: int) -> bytes:
    found = bytearray()
    async for part in request.content.iter_chunked(1 << 16):
        found += part
        if len(found) > most:
            raise _refused("too_large", "这一块太大了。", "This piece is too large.")
    return bytes(found)


def _append(path: Path, at: int, piece: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.seek(at)
        file.write(piece)


def _read_later(app: web.Application, row: UploadRow, actor: Actor, path: Path) -> None:
    task = asyncio.create_task(_bring_in(app, row, actor, path), name=f"upload {row.upload}")
    app[TASKS].add(task)
    task.add_done_callback(app[TASKS].discard)


async def _bring_in(app: web.Application, row: UploadRow, actor: Actor, path: Path) -> None:
    """The whole file becomes a lesson, in another process, one at a time; or the row says why not."""
    now = app[CLOCK].wall_ms()
    lesson = new_lesson_id(now)
    async with app[READING]:
        imported = await _import(app[CONFIG].archive_path, path, lesson, row.title, now)
    await asyncio.to_thread(path.unlink, missing_ok=True)
    if imported.problem:
        await app[UPLOADS].change(row.upload, UploadState.REFUSED, problem=imported.problem)
        return
    held = Lesson(
        lesson, Words(zh=row.title, en=row.title), row.main_room, (), LessonState.ENDED, created_at=now,
        started_at=now, ended_at=now + round(imported.seconds * 1000),
    )  # fmt: skip
    await app[STORE].save_lesson(held, None)
    await app[STORE].save_recording(RecordingRow(lesson, "ready", imported.seconds))
    await app[STORE].audit(actor.name, Action.UPLOAD, lesson, upload=row.upload)
    await app[UPLOADS].change(row.upload, UploadState.DONE, lesson=lesson)


async def _import(archive: Path, source: Path, lesson: str, title: str, now: int) -> _Imported:
    started_at = datetime.fromtimestamp(now / 1000, UTC).isoformat()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "recorder.importing", "--source", str(source), "--archive", str(archive),
        "--lesson", lesson, f"--title={title}", "--started-at", started_at,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(READING_S):
            out, _ = await process.communicate()
        return msgspec.json.decode(out, type=_Imported)
    except (TimeoutError, msgspec.MsgspecError):
        return _Imported(problem="damaged")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def stop(app: web.Application) -> None:
    """Signal `on_cleanup`: what is being read is read again by who uploads it again."""
    for task in app[TASKS]:
        task.cancel()
    await asyncio.gather(*app[TASKS], return_exceptions=True)


def routes() -> list[web.RouteDef]:
    return [
        web.post("/api/v1/uploads", begin),
        web.get("/api/v1/uploads/{upload}", look),
        web.patch("/api/v1/uploads/{upload}", add),
    ]
