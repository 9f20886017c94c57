"""Media files of the archive under signed URLs: HEAD, ranges, sendfile (aiohttp's FileResponse)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from recorder.archive.reading import BadName, lesson_folder, served_file
from server.api.keys import CLOCK, CONFIG, LIVE
from server.api.live_playlist import live_playlist
from server.api.rights import Action, NoRight, Thing, require
from server.api.visits import visitor

TYPES = {".m3u8": "application/vnd.apple.mpegurl", ".mp4": "video/mp4"}
PATH = "/media/{expires:[0-9]{1,12}}.{signature:[A-Za-z0-9_-]{27}}/{lesson}/{file}"


def _find(archive: Path, lesson: str, name: str) -> Path:
    try:
        path = served_file(lesson_folder(archive, lesson), name)
    except BadName as error:
        raise NoRight from error
    if path.suffix not in TYPES or not path.is_file():
        raise NoRight
    return path


async def media(request: web.Request) -> web.StreamResponse:
    """A playlist or a media file. A file that grows is sent as long as it is now."""
    lesson = request.match_info["lesson"]
    require(request, Action.READ_MEDIA, Thing(lesson=lesson))
    archive = request.app[CONFIG].archive_path
    path = await asyncio.to_thread(_find, archive, lesson, request.match_info["file"])
    request.app[LIVE].readers.seen(lesson, visitor(request), request.app[CLOCK].wall_ms())
    if path.suffix == ".m3u8":
        return await live_playlist(request, lesson, path)
    response = web.FileResponse(path, headers={"Cache-Control": "private, no-cache"})
    response.content_type = TYPES[path.suffix]
    return response


def routes() -> list[web.RouteDef]:
    return [web.get(PATH, media)]
