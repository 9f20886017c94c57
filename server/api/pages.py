"""The built pages: a shell for each known page path, and hashed assets that never change.

They lie in `server/api/pages`, built by `make setup` and carried in the wheel.
"""

from __future__ import annotations

import hashlib
import html
from pathlib import Path

from aiohttp import ETag, web
from aiohttp.typedefs import Handler

from server.api.keys import STORE
from server.api.rights import Action, NoRight, require
from server.errors import UserFault

FOLDER = Path(__file__).with_name("pages")
SHELL_PATHS = (
    "/", "/login", "/studio", "/studio/{lesson}", "/replay/{lesson}", "/lessons", "/library",
    "/receipt/{lesson}", "/network", "/cameras/{room}", "/rooms", "/alarms", "/people", "/settings",
    "/registers", "/registers/{kind}", "/day", "/rehearsals", "/timetable", "/timetable/import",
)  # fmt: skip
LIGHT_SHELLS = {
    "/room": "room.html",
    "/watch/{lesson}": "watch.html",
    "/remote": "watch.html",
    "/guest": "watch.html",
    "/wall/{room}": "watch.html",
}
"""Small entries for wall panels and phones."""
FOR_EVER = "public, max-age=31536000, immutable"
CHECK_EACH_TIME = "no-cache"


def _shell(request: web.Request, name: str) -> web.Response:
    """The entry, with the zone in which its pages tell times."""
    path, zone = FOLDER / name, request.app[STORE].county.zone.key
    if not path.is_file():
        raise UserFault(
            "not_ready",
            zh="网页还没有构建。请在项目目录运行 make setup,再刷新。",
            en="The pages are not built yet. Run `make setup` in the project’s folder, then reload.",
        )
    meta = f'<meta name="county-zone" content="{html.escape(zone)}" />'
    text = path.read_text(encoding="utf-8").replace("<head>", f"<head>{meta}", 1)
    tag = ETag(hashlib.sha256(text.encode()).hexdigest()[:16])
    headers = {"Cache-Control": CHECK_EACH_TIME}
    known = any(each.value == tag.value for each in request.if_none_match or ())
    response = (
        web.Response(status=304, headers=headers)
        if known
        else web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)
    )
    response.etag = tag
    return response


async def shell(request: web.Request) -> web.StreamResponse:
    """One page for all paths of the single-page application."""
    require(request, Action.OPEN_PAGE)
    return _shell(request, "index.html")


def light_shell(name: str) -> Handler:
    """A handler that gives this entry."""

    async def give(request: web.Request) -> web.StreamResponse:
        require(request, Action.OPEN_PAGE)
        return _shell(request, name)

    return give


async def asset(request: web.Request) -> web.StreamResponse:
    """A built file by its hashed name; nothing outside the folder."""
    require(request, Action.OPEN_PAGE)
    assets = (FOLDER / "assets").resolve()
    try:
        path = (assets / request.match_info["file"]).resolve()
        found = path.is_relative_to(assets) and path.is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        raise NoRight
    return web.FileResponse(path, headers={"Cache-Control": FOR_EVER})


def routes() -> list[web.RouteDef]:
    shells = [web.get(path, shell) for path in SHELL_PATHS]
    light = [web.get(path, light_shell(name)) for path, name in LIGHT_SHELLS.items()]
    return [*shells, *light, web.get("/assets/{file:.+}", asset)]
