"""People by spreadsheet: a template, everybody as a file, a dry run, the import; all or nothing.

Each row is asked for at the rights door: its unit, its post, and (of who is there already) every unit in
which the person holds one. What is not the asker's is told at its row.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from argon2 import PasswordHasher

from server.api.actions import Reach
from server.api.guarding import answer
from server.api.identity import actors_of
from server.api.keys import CLOCK, STORE
from server.api.people import BY_SCHOOLS, first_password, may_manage
from server.api.rights import Action, NoRight, Thing, is_allowed, reach_of, require_somewhere
from server.api.spreadsheets import bytes_of, cells_of, given_out, is_workbook, marked, tell_formulas
from server.domain.sheets.cells import Sheet
from server.domain.sheets.people import (
    EXAMPLE,
    ROLE_WORDS,
    TITLES,
    PeopleReading,
    PersonLine,
    read_people,
    unit_directory,
    unit_name,
)
from server.errors import UserFault
from server.protocol.county import FirstPassword, PeopleImported
from server.store.people_import import PeopleImport, PeoplePlan, Standing, plan
from server.workbooks import guarded, read_workbook

IMPORT_TIMEOUT_S = 120.0
MOST_EXPORTED = 20_000
FIRST_HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
"""For passwords of 58 random bits, which are asked to be changed at once: thousands in a second."""
TEMPLATE = Sheet((TITLES, EXAMPLE), "人员")


async def sheet(request: web.Request) -> web.Response:
    """`template`, or `people`: everybody whom the asker sees, a row for each post they hold."""
    actor = require_somewhere(request, Action.READ_PEOPLE)
    form, kind = request.match_info["form"], request.match_info["kind"]
    if form == "template":
        return await given_out(TEMPLATE, kind, "people-template")
    if form != "people":
        raise NoRight
    store = request.app[STORE]
    organisation, day = await store.county.load(), store.county.today()
    reach: frozenset[str] | None = None
    if reach_of(actor, Action.READ_PEOPLE) is not Reach.ALL:
        reach = frozenset().union(*(each.units for each in actors_of(request)))
    directory = unit_directory(organisation, day)
    people, _ = await store.people.find("", reach, limit=MOST_EXPORTED)
    rows: list[tuple[str, ...]] = [TITLES]
    for person in people:
        for held in await store.people.posts(person.id):
            post = held.post
            if post.until is not None and post.until <= day:
                continue
            unit = unit_name(post.unit, organisation, directory, day)
            until = post.until.isoformat() if post.until else ""
            said = (person.login, person.name.zh, person.name.en, ROLE_WORDS[post.role], unit)
            rows.append((*(guarded(text) for text in said), post.since.isoformat(), until))
    await store.audit(actor.name, "export_people", "people", people=str(len(people)))
    return await given_out(Sheet(tuple(rows), "人员"), kind, "people")


async def import_people(request: web.Request) -> web.Response:
    """The file as the body. `?dry=1` says what would be done; `marked=1` gives the XLSX back with its wrong
    cells marked. First passwords of the new people are in this answer only."""
    actor = require_somewhere(request, Action.MANAGE_PEOPLE)
    query, store = request.query, request.app[STORE]
    importing = PeopleImport(store.database, store.people, request.app[CLOCK])
    async with asyncio.timeout(IMPORT_TIMEOUT_S):
        data = await bytes_of(request)
        sheets = await asyncio.to_thread(read_workbook, data)
        day = store.county.today()
        reading = PeopleReading(unit_directory(await store.county.load(), day))
        await asyncio.to_thread(read_people, sheets, reading)
        standing = await importing.standing(reading.lines)
        _check_rights(request, reading, standing)
        made = plan(reading.lines, standing, day)
        if not reading.problems and not reading.lines:
            raise UserFault("nothing_found", zh="文件里没有人员。", en="There are no people in this file.")
        if reading.problems and is_workbook(data):
            await asyncio.to_thread(tell_formulas, data, reading)
        if query.get("marked") == "1":
            return await marked(data, reading.problems, "people")
        told = _told(reading, made, data)
        if reading.problems or query.get("dry") == "1":
            return answer(told)
        passwords = {line.login: first_password() for line in made.new}
        hashes = await asyncio.to_thread(_hashed, passwords)
        ids = await importing.carry_out(made, standing, hashes, day)
    counts = {"new": str(told.new), "changed": str(told.changed), "posts": str(told.posts)}
    await store.audit(actor.name, Action.MANAGE_PEOPLE, "import", **counts)
    first = [FirstPassword(ids[login], login, password) for login, password in passwords.items()]
    return answer(_done(told, first))


def _check_rights(request: web.Request, reading: PeopleReading, standing: Standing) -> None:
    for line in reading.lines:
        may = _may_appoint(request, line)
        if may and line.login in standing.people:
            may = may_manage(request, standing.posts[line.login])
        if not may:
            reading.tell(
                line.sheet, line.row, 0, "not_yours",
                "这个人或这个职务不归您管理。", "This person or post is not yours to manage.",
            )  # fmt: skip


def _may_appoint(request: web.Request, line: PersonLine) -> bool:
    if not is_allowed(request, Action.MANAGE_PEOPLE, Thing(unit=line.unit)):
        return False
    everywhere = any(reach_of(actor, Action.MANAGE_PEOPLE) is Reach.ALL for actor in actors_of(request))
    return everywhere or line.role in BY_SCHOOLS


def _hashed(passwords: dict[str, str]) -> dict[str, str]:
    return {login: FIRST_HASHER.hash(password) for login, password in passwords.items()}


def _told(reading: PeopleReading, made: PeoplePlan, data: bytes) -> PeopleImported:
    return PeopleImported(
        done=False,
        lines=len(reading.lines),
        new=len(made.new),
        changed=len(made.renamed),
        posts=len(made.appointed),
        ended=len(made.ended),
        same=made.same,
        problems=cells_of(reading),
        problems_more=reading.more,
        markable=is_workbook(data),
    )


def _done(told: PeopleImported, passwords: list[FirstPassword]) -> PeopleImported:
    values = {name: getattr(told, name) for name in told.__struct_fields__}
    return PeopleImported(**{**values, "done": True, "passwords": passwords})


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/people/sheets/{form}.{kind}", sheet),
        web.post("/api/v1/people/import", import_people),
    ]
