"""A lesson of the path as the library knows it, and the right to do something with it."""

from __future__ import annotations

from aiohttp import web

from server.api.keys import LIBRARY
from server.api.rights import Action, Actor, NoRight, Thing, require
from server.domain.visibility import Visibility
from server.ids import is_lesson_id
from server.store.library_records import LibraryRow


def thing_of_row(row: LibraryRow | None, action: Action) -> Thing:
    """A lesson, as the rights tables see it for this action. Of a deleted or missing one: nothing."""
    if row is None or row.catalogue.deleted_at is not None:
        return Thing()
    lesson, catalogue = row.overview.lesson, row.catalogue
    opened = catalogue.visibility if action is not Action.DOWNLOAD or catalogue.download else Visibility.ROOM
    return Thing(lesson.id, lesson.main_room, frozenset(lesson.rooms), opened, catalogue.taught_by)


async def row_of_path(request: web.Request, viewer: str = "") -> LibraryRow | None:
    """The lesson of the path, deleted ones included; None where there is none of that name."""
    name = request.match_info["lesson"]
    return await request.app[LIBRARY].row(name, viewer) if is_lesson_id(name) else None


async def require_row(request: web.Request, action: Action) -> tuple[LibraryRow, Actor]:
    """The path's lesson and as whom the request may do it; `Refused` alike where either is missing."""
    row = await row_of_path(request)
    actor = require(request, action, thing_of_row(row, action))
    if row is None or row.catalogue.deleted_at is not None:
        raise NoRight
    return row, actor
