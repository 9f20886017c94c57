"""Media that is in the object store alone, read through by ranges: players see no difference."""

from __future__ import annotations

import re

from aiohttp import web

from recorder.archive.storage import Storage, StorageFailed
from server.api.rights import NoRight
from server.errors import UserFault

RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


class StoreAway(UserFault):
    """The object store does not answer."""

    def __init__(self) -> None:
        super().__init__(
            "store_away",
            zh="存放录像的存储暂时连不上,请稍后再试。",
            en="The store that holds this recording does not answer. Try again soon.",
        )


async def send_stored(
    request: web.Request, storage: Storage, lesson: str, name: str, content_type: str
) -> web.StreamResponse:
    """One range, or the whole. NoRight where the store has no such file."""
    try:
        size = await storage.size_async(lesson, name)
    except StorageFailed as error:
        raise StoreAway from error
    if size is None:
        raise NoRight
    found = _range(request.headers.get("Range", ""), size)
    headers = {"Cache-Control": "private, no-cache", "Accept-Ranges": "bytes"}
    if found == (0, 0) and size:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    start, end = found or (0, size)
    if found is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    response = web.StreamResponse(status=206 if found is not None else 200, headers=headers)
    response.content_type, response.content_length = content_type, end - start
    await response.prepare(request)
    if request.method != "HEAD":
        try:
            async for part in storage.read_async(lesson, name, start, end):
                await response.write(part)
        except StorageFailed:
            response.force_close()  # the status is said: a short answer tells the player to ask again
            return response
    await response.write_eof()
    return response


def _range(text: str, size: int) -> tuple[int, int] | None:
    """Start and end of the asked range (RFC 9110, 14); None: the whole, (0, 0): one that is not there."""
    found = RANGE.fullmatch(text)
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) else (0, 0)
    start, end = int(first), min(int(last) + 1 if last else size, size)
    return (start, end) if start < end else (0, 0)
