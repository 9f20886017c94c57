"""One person's data, handed out or erased: by the county's admin, each with a row of the audit log."""

from __future__ import annotations

from aiohttp import web

from server.api.guarding import answer
from server.api.keys import CLOCK, SESSIONS, STORE
from server.api.rights import Action, Actor, require
from server.errors import UserFault
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


async def erase(request: web.Request) -> web.Response:
    """Name, log-in, posts, sessions, tokens go; lessons and the audit log stay. Nobody erases themselves."""
    person, actor = await _of_path(request)
    if person.id == actor.person:
        raise UserFault(
            "not_yourself",
            zh="不能删除自己，请让另一位管理员操作。",
            en="Nobody erases themselves: ask another admin.",
        )
    store = request.app[STORE]
    await request.app[SESSIONS].end_all(person.id)
    await Personal(store.database, request.app[CLOCK]).erase(person.id)
    store.people.changes += 1
    await store.audit(actor.name, Action.ERASE_PERSON, person.id)
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/people/{person}/export", export),
        web.delete("/api/v1/people/{person}", erase),
    ]
