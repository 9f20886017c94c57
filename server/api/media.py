"""Media files of the archive under signed URLs: HEAD, ranges, sendfile (aiohttp's FileResponse)."""

from __future__ import annotations

import asyncio
from pathlib import Path, PurePath
from urllib.parse import quote

from aiohttp import web

from recorder.archive.reading import BadName, lesson_folder, served_file
from server.api.keys import CONFIG, LIVE, STORAGE
from server.api.live_playlist import live_playlist
from server.api.rights import Action, NoRight, Thing, require
from server.api.stored import send_stored
from server.api.visits import visitor

TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mp4": "video/mp4",
    ".m4a": "audio/mp4",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt",
}
SIGNED = "{expires:[0-9]{1,12}}.{signature:[A-Za-z0-9_-]{27}}/{lesson}/{file}"
PATH = "/media/" + SIGNED
CHECK_PATH = "/media-check/media/" + SIGNED
LONGEST_NAME = 150


def _find(archive: Path, lesson: str, name: str) -> Path:
    try:
        path = served_file(lesson_folder(archive, lesson), name)
    except BadName as error:
        raise NoRight from error
    if path.suffix not in TYPES or not path.is_file():
        raise NoRight
    return path


async def _path_of(request: web.Request) -> Path:
    lesson = request.match_info["lesson"]
    require(request, Action.READ_MEDIA, Thing(lesson=lesson))
    if not request.app[LIVE].may_read(lesson, visitor(request)):
        raise NoRight
    archive = request.app[CONFIG].archive_path
    return await asyncio.to_thread(_find, archive, lesson, request.match_info["file"])


async def _stored(request: web.Request) -> web.StreamResponse | None:
    """Where the file is in the object store alone; None where it is here, or there is no store."""
    storage, lesson = request.app[STORAGE], request.match_info["lesson"]
    suffix = PurePath(request.match_info["file"]).suffix
    if storage is None or suffix not in (".mp4", ".m4a"):
        return None
    require(request, Action.READ_MEDIA, Thing(lesson=lesson))
    if not request.app[LIVE].may_read(lesson, visitor(request)):
        raise NoRight
    try:
        path = served_file(
            lesson_folder(request.app[CONFIG].archive_path, lesson), request.match_info["file"]
        )
    except BadName as error:
        raise NoRight from error
    if await asyncio.to_thread(path.is_file):
        return None
    return await send_stored(request, storage, lesson, path.name, TYPES[suffix])


async def media(request: web.Request) -> web.StreamResponse:
    """A playlist, a picture or a media file. A file that grows is sent as long as it is now. `?name=`: the
    browser saves it under this name."""
    stored = await _stored(request)
    if stored is not None:
        return stored
    path, lesson = await _path_of(request), request.match_info["lesson"]
    if path.suffix == ".m3u8":
        return await live_playlist(request, lesson, path)
    response = web.FileResponse(path, headers={"Cache-Control": "private, no-cache"})
    response.content_type = TYPES[path.suffix]
    if name := request.query.get("name", "")[:LONGEST_NAME]:
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return response


async def check(request: web.Request) -> web.Response:
    """204 where `media` would send the file: a web server before us asks, then sends it by itself. Asking
    lists the reader as reading does."""
    await _path_of(request)
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [web.get(PATH, media), web.get(CHECK_PATH, check)]
