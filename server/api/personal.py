"""One person's data, handed out or erased: by the county's admin, each with a row of the audit log.

Erasing goes through what was put beside recordings first, then through the store in one transaction: whoever
is stopped in between does it again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiohttp import web

from recorder.archive.reading import BadName, lesson_folder
from recorder.archive.wording import reword
from server.api.guarding import answer
from server.api.keys import CLOCK, CONFIG, LIVE, PUBLISHING, SESSIONS, STORE
from server.api.rights import Action, Actor, require
from server.domain.erasure import lesson_without, without
from server.errors import UserFault
from server.protocol.messages import LessonState
from server.store.people_records import Person
from server.store.personal import Personal


async def _of_path(request: web.Request) -> tuple[Person, Actor]:
    actor = require(request, Action.ERASE_PERSON)
    return await request.app[STORE].people.person(request.match_info["person"]), actor


async def export(request: web.Request) -> web.Response:
    """Everything the store knows of the person, without secrets."""
    person, actor = await _of_path(request)
    store = request.app[STORE]
    await store.audit(actor.name, "export_person", person.id)
    response = answer(await Personal(store.database, request.app[CLOCK]).export(person.id))
    response.headers["Content-Disposition"] = f'attachment; filename="{person.id}.json"'
    return response


def _reword(archive: Path, lessons: Sequence[str], names: Mapping[str, str]) -> None:
    """The names go from what stands beside the recordings of these lessons. OSError. Blocking."""

    def about(kept: dict[str, object]) -> dict[str, object]:
        lesson = kept.get("lesson")
        return {**kept, "lesson": lesson_without(lesson, names)} if isinstance(lesson, dict) else kept

    for lesson in lessons:
        with contextlib.suppress(BadName):
            reword(lesson_folder(archive, lesson), lambda title: without(title, names), about)


def _refuse_teaching(request: web.Request, person: str) -> None:
    """A lesson that campus has in its hands writes its teacher's name when it ends."""
    for room in request.app[LIVE].lessons:
        lesson, waits = room.lesson, room.lesson.state is not LessonState.ENDED
        if lesson.taught_by == person and (lesson.on_air or (waits and lesson.teacher is not None)):
            raise UserFault(
                "is_teaching",
                zh="这位老师的课正在进行或马上开始，请等下课后再删除。",
                en="A lesson of theirs is on or about to begin. Erase their data when it is over.",
            )


async def erase(request: web.Request) -> web.Response:
    """Name, log-in, posts, sessions, tokens go, and the name in what lessons say; lessons and the audit log
    stay. Nobody erases themselves, nor who is teaching now."""
    person, actor = await _of_path(request)
    if person.id == actor.person:
        raise UserFault(
            "not_yourself",
            zh="不能删除自己，请让另一位管理员操作。",
            en="Nobody erases themselves: ask another admin.",
        )
    _refuse_teaching(request, person.id)
    store, publishing = request.app[STORE], request.app[PUBLISHING]
    personal = Personal(store.database, request.app[CLOCK])
    lessons, names = await personal.taught(person.id)
    store.erased(person.id, names)
    await request.app[SESSIONS].end_all(person.id)
    await asyncio.to_thread(_reword, request.app[CONFIG].archive_path, lessons, names)
    await personal.erase(person.id)
    store.people.changes += 1
    await store.audit(actor.name, Action.ERASE_PERSON, person.id)
    for lesson in lessons:
        row = await publishing.row(lesson)
        if row is not None and row.export:  # its title card names the teacher
            await publishing.edited(lesson)
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/people/{person}/export", export),
        web.delete("/api/v1/people/{person}", erase),
    ]
