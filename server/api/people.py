"""People and their posts: found, made, appointed, given a first password; by admins, in their own units.

Who manages a person has to reach every unit in which that person holds a post: nobody comes by a password
reset to a post that reaches further than their own.
"""

from __future__ import annotations

import secrets

from aiohttp import web

from server.api import passwords
from server.api.actions import Reach
from server.api.days import day_of
from server.api.guarding import answer, body_of
from server.api.identity import actors_of
from server.api.keys import SESSIONS, STORE
from server.api.rights import (
    Action,
    Actor,
    NoRight,
    Thing,
    is_allowed,
    reach_of,
    require,
    require_somewhere,
)
from server.api.units import kind_of
from server.domain.org import Organisation, check_name
from server.domain.posts import PLACES, Post, PostRole
from server.errors import UserFault
from server.protocol.county import (
    FirstPassword,
    NewPerson,
    NewPost,
    PeoplePage,
    PersonChange,
    PersonRow,
    PostRow,
)
from server.store.people_records import HeldPost, Person

PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
PASSWORD_LENGTH = 12
LARGEST_PAGE = 100
BY_SCHOOLS = frozenset({PostRole.SCHOOL_ADMIN, PostRole.TEACHER, PostRole.ASSISTANT})
"""Roles that a school's own admin gives; the others are the county's."""


def first_password() -> str:
    """58 bits, without letters that are taken for others."""
    return "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH))


def _post_row(held: HeldPost, organisation: Organisation) -> PostRow:
    post = held.post
    name = organisation.units[post.unit].name(post.since)
    until = post.until.isoformat() if post.until else None
    return PostRow(held.number, post.role, post.unit, name, post.since.isoformat(), until)


async def person_row(request: web.Request, person: Person) -> PersonRow:
    return await _row_with(request, person, await request.app[STORE].people.posts(person.id))


async def _row_with(request: web.Request, person: Person, held: list[HeldPost]) -> PersonRow:
    organisation = await request.app[STORE].county.load()
    return PersonRow(
        person.id, person.login, person.name, person.active, person.has_password, person.must_change,
        person.version, may_manage(request, held), [_post_row(each, organisation) for each in held],
    )  # fmt: skip


def may_manage(request: web.Request, held: list[HeldPost]) -> bool:
    """Whether the asker reaches every unit in which a person with these posts holds one."""
    day = request.app[STORE].county.today()
    units = {each.post.unit for each in held if each.post.held(day)}
    if not units:
        return any(reach_of(actor, Action.MANAGE_PEOPLE) is Reach.ALL for actor in actors_of(request))
    return all(is_allowed(request, Action.MANAGE_PEOPLE, Thing(unit=unit)) for unit in units)


async def managed(request: web.Request) -> tuple[Person, Actor]:
    """The person of the path, whom the asker may manage. NoRight."""
    actor = require_somewhere(request, Action.MANAGE_PEOPLE)
    person = await request.app[STORE].people.person(request.match_info["person"])
    if not may_manage(request, await request.app[STORE].people.posts(person.id)):
        raise NoRight
    return person, actor


async def find(request: web.Request) -> web.Response:
    """By a part of the name or log-in name; `unit`: with a post in it or below."""
    actor = require_somewhere(request, Action.READ_PEOPLE)
    everybody = reach_of(actor, Action.READ_PEOPLE) is Reach.ALL
    store, query = request.app[STORE], request.query
    reach: frozenset[str] | None = None
    if not everybody:
        reach = frozenset().union(*(each.units for each in actors_of(request)))
    if wanted := query.get("unit"):
        below = (await store.county.load()).ever_below(wanted)
        reach = below if reach is None else reach & below
    size, page = number_of(query.get("size"), 50, LARGEST_PAGE), number_of(query.get("page"), 1, 100_000)
    found, total = await store.people.find(
        query.get("q", "")[:80], reach, offset=(page - 1) * size, limit=size
    )
    held = await store.people.posts_of([person.id for person in found])
    return answer(PeoplePage([await _row_with(request, one, held[one.id]) for one in found], total))


def number_of(text: str | None, default: int, most: int, least: int = 1) -> int:
    """A number of the query. UserFault "bad_query"."""
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not least <= int(text) <= most:
        words = f"应为 {least} 到 {most} 的数字。", f"Give a number from {least} to {most}."
        raise UserFault("bad_query", zh=words[0], en=words[1])
    return int(text)


async def add(request: web.Request) -> web.Response:
    """A new person with a first post and a first password, which is told once."""
    require_somewhere(request, Action.MANAGE_PEOPLE)
    body = await body_of(request, NewPerson)
    check_name(body.name)
    post, actor = await allowed_post(request, "", body.post)
    store = request.app[STORE]
    password = first_password()
    hashed = await passwords.hashed(request.app, password)
    person = await store.people.add(body.login, body.name, hashed, must_change=True)
    await store.people.appoint(Post(person.id, post.role, post.unit, post.since))
    await store.audit(actor.name, Action.MANAGE_PEOPLE, person.id, new="yes", role=post.role)
    return answer(FirstPassword(person.id, person.login, password), status=201)


async def allowed_post(request: web.Request, person: str, body: NewPost) -> tuple[Post, Actor]:
    """A post that the asker may give. NoRight; UserFault where such a post is not held in such a unit."""
    actor = require(request, Action.MANAGE_PEOPLE, Thing(unit=body.unit))
    role = kind_of(PostRole, body.role)
    if role not in BY_SCHOOLS and reach_of(actor, Action.MANAGE_PEOPLE) is not Reach.ALL:
        raise NoRight
    unit = await request.app[STORE].county.unit(body.unit)
    day = day_of(request, body.since)
    if unit.kind not in PLACES[role] or not unit.there(day):
        raise UserFault(
            "bad_post", zh="这个职务不能设在这个单位。", en="Such a post cannot be held in such a unit."
        )
    return Post(person, role, unit.id, day), actor


async def change(request: web.Request) -> web.Response:
    """Another name; in or out of use, which ends every session."""
    person, actor = await managed(request)
    body = await body_of(request, PersonChange)
    people, version = request.app[STORE].people, body.version
    if body.name is not None:
        check_name(body.name)
        version = (await people.rename(person.id, body.name, version)).version
    if body.active is not None:
        await people.set_active(person.id, body.active, version)
        if not body.active:
            await request.app[SESSIONS].end_all(person.id)
    await request.app[STORE].audit(actor.name, Action.MANAGE_PEOPLE, person.id, active=str(body.active))
    return answer(await person_row(request, await people.person(person.id)))


async def reset_password(request: web.Request) -> web.Response:
    """A new first password, told once; every session of the person ends."""
    person, actor = await managed(request)
    password = first_password()
    hashed = await passwords.hashed(request.app, password)
    await request.app[STORE].people.set_password(person.id, hashed, must_change=True)
    await request.app[SESSIONS].end_all(person.id)
    await request.app[STORE].audit(actor.name, Action.MANAGE_PEOPLE, person.id, password="new")
    return answer(FirstPassword(person.id, person.login, password))


async def appoint(request: web.Request) -> web.Response:
    """One more post."""
    person, _ = await managed(request)
    post, actor = await allowed_post(request, person.id, await body_of(request, NewPost))
    store = request.app[STORE]
    await store.people.appoint(post)
    await store.audit(actor.name, Action.MANAGE_PEOPLE, person.id, role=post.role, unit=post.unit)
    return answer(await person_row(request, person), status=201)


async def end_post(request: web.Request) -> web.Response:
    """It no longer holds from today on."""
    person, actor = await managed(request)
    store, number = request.app[STORE], request.match_info["number"]
    held = {str(each.number): each for each in await store.people.posts(person.id)}
    if number not in held:
        raise NoRight
    await store.people.end_post(held[number].number, store.county.today())
    await store.audit(actor.name, Action.MANAGE_PEOPLE, person.id, ended=held[number].post.role)
    return answer(await person_row(request, person))


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/people", find),
        web.post("/api/v1/people", add),
        web.patch("/api/v1/people/{person}", change),
        web.post("/api/v1/people/{person}/password", reset_password),
        web.post("/api/v1/people/{person}/posts", appoint),
        web.delete("/api/v1/people/{person}/posts/{number}", end_post),
    ]
