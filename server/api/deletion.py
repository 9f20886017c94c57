"""Deleting a lesson: its teacher asks, the admin does it; the audit log keeps that it was."""

from __future__ import annotations

import asyncio

from aiohttp import web

from recorder.archive.reading import BadRecording
from recorder.archive.removal import remove
from recorder.archive.storage import StorageFailed
from server.api.catalogued import require_row
from server.api.keys import CLOCK, CONFIG, EDITS, LIBRARY, PUBLISHING, STORAGE, STORE
from server.api.rights import Action
from server.domain.lesson import ON_AIR
from server.errors import UserFault


def _busy() -> UserFault:
    return UserFault(
        "still_made",
        zh="这节课还在上，或录像正在处理。请等它完成后再删除。",
        en="This lesson is on, or its recording is being worked on. Delete it once that is done.",
    )


def _store_away() -> UserFault:
    return UserFault(
        "store_away",
        zh="归档存储连不上，存在那里的部分还没有删除。请稍后再删除一次。",
        en="The object store cannot be reached: what it holds is not deleted yet. Delete the lesson again "
        "later.",
    )


def _held(reason: str) -> UserFault:
    return UserFault(
        "held",
        zh=f"这节课的录像已被要求保留,不能删除:{reason}",
        en=f"This recording is held and may not be deleted: {reason}",
    )


async def ask(request: web.Request) -> web.Response:
    """The wish, for the admin to see."""
    row, actor = await require_row(request, Action.ASK_DELETION)
    lesson = row.overview.lesson.id
    await request.app[LIBRARY].catalogue(lesson, deletion_asked_at=request.app[CLOCK].wall_ms())
    await request.app[STORE].audit(actor.name, Action.ASK_DELETION, lesson)
    return web.Response(status=204)


async def take_back(request: web.Request) -> web.Response:
    """No wish any more."""
    row, actor = await require_row(request, Action.ASK_DELETION)
    lesson = row.overview.lesson.id
    await request.app[LIBRARY].catalogue(lesson, deletion_asked_at=None)
    await request.app[STORE].audit(actor.name, Action.ASK_DELETION, lesson, taken_back="yes")
    return web.Response(status=204)


async def delete(request: web.Request) -> web.Response:
    """The recording and everything made of it, for good; the audit row comes first."""
    row, actor = await require_row(request, Action.DELETE_LESSON)
    lesson = row.overview.lesson
    if lesson.state in ON_AIR:
        raise _busy()
    if (kept := await request.app[PUBLISHING].kept(lesson.id)).hold:
        raise _held(kept.hold)
    title = row.catalogue.title or lesson.title.zh
    await request.app[STORE].audit(actor.name, Action.DELETE_LESSON, lesson.id, title=title[:120])
    try:
        await asyncio.to_thread(remove, request.app[CONFIG].archive_path, lesson.id)
        if (storage := request.app[STORAGE]) is not None:
            await asyncio.to_thread(storage.delete, lesson.id)
    except BadRecording as error:
        raise _busy() from error
    except StorageFailed as error:
        raise _store_away() from error
    await request.app[EDITS].delete_captions(lesson.id)
    await request.app[LIBRARY].deleted(lesson.id)
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.post("/api/v1/lessons/{lesson}/deletion", ask),
        web.delete("/api/v1/lessons/{lesson}/deletion", take_back),
        web.delete("/api/v1/lessons/{lesson}", delete),
    ]
