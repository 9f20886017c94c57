"""First-run set-up, log-in, log-out, and who this browser is.

The cookie is HttpOnly and SameSite=Strict, its word is a session of the store (`visitors`). Wrong tries are
slowed per address and per log-in name. From another machine the first set-up needs the code of the log.
"""

from __future__ import annotations

import hmac

from aiohttp import web

from server.api import passwords
from server.api.guarding import answer, body_of
from server.api.identity import (
    SESSION_COOKIE,
    VISITOR,
    Visitor,
    actors_of,
    address_of,
    is_local,
    is_same_origin,
    visitor_of,
)
from server.api.keys import CLOCK, CONFIG, SESSIONS, SETUP_CODE, SLOWING, SLOWING_ACCOUNTS, STORE
from server.api.rights import Action, NoRight, may_of, require
from server.api.roles import ActorRole
from server.api.visitors import actors_of_person, agent_of, network_of
from server.domain.org import UnitKind
from server.domain.people import plain_login
from server.domain.posts import Post, PostRole
from server.errors import UserFault
from server.protocol.accounts import LogIn, Me, MyPost, SetUp
from server.protocol.messages import Words
from server.store.county import FOUNDED, THE_COUNTY
from server.store.people import LoginTaken
from server.store.people_records import Person
from server.store.store import Store

ADMIN = "admin"
ADMINISTRATOR = Words(zh="管理员", en="Administrator")
COUNTY = Words(zh="本县", en="The county")


class WrongPassword(UserFault):
    """One answer for a wrong password, a log-in name that is none, and one that is out of use."""

    def __init__(self) -> None:
        super().__init__(
            "bad_password", zh="登录名或密码不对。", en="That log-in name and password do not go together."
        )


def own_page_only(request: web.Request) -> None:
    if not is_same_origin(request):
        raise NoRight


async def log_person_in(request: web.Request, response: web.Response, person: Person) -> web.Response:
    """A new session's cookie."""
    config = request.app[CONFIG]
    lifetime_s = config.security.session_hours * 3600
    word = await request.app[SESSIONS].begin(
        person.id, network_of(request), agent_of(request), lifetime_s * 1000
    )
    secure = request.secure or config.http.public_url.startswith("https:")
    response.set_cookie(
        SESSION_COOKIE, word, max_age=lifetime_s, httponly=True, samesite="Strict", secure=secure, path="/"
    )
    return response


async def set_up(request: web.Request) -> web.Response:
    """The first county admin, and what the wizard asked besides. Refused for ever once there is one."""
    require(request, Action.SET_UP)
    own_page_only(request)
    body = await body_of(request, SetUp)
    address = address_of(request)
    request.app[SLOWING].attempt(address, request.app[CLOCK].monotonic())
    store = request.app[STORE]
    if not await store.people.is_empty():
        raise NoRight
    if not is_local(request) and not hmac.compare_digest(
        (body.code or "").encode(), request.app[SETUP_CODE].encode()
    ):
        raise UserFault(
            "bad_password",
            zh="首次设置请在服务器本机打开,或填写服务器日志中的设置代码。",
            en="For the first set-up open this page on the server itself, or give its log’s set-up code.",
        )
    passwords.check(body.password, body.login)
    admin = await _first_admin(store, body, await passwords.hashed(request.app, body.password))
    request.app[SLOWING].right(address)
    await store.audit(f"admin:{admin.id}", "set_up", admin.id)
    return await log_person_in(request, answer(await _me_of(request, admin)), admin)


async def _first_admin(store: Store, body: SetUp, password_hash: str) -> Person:
    """NoRight where somebody was a moment quicker."""
    try:
        admin = await store.people.add(body.login, body.name or ADMINISTRATOR, password_hash, person=ADMIN)
    except LoginTaken as error:
        raise NoRight from error
    county = await store.county.county()
    if county is None:
        county = await store.county.add(
            UnitKind.COUNTY, body.county or COUNTY, since=FOUNDED, unit=THE_COUNTY
        )
    elif body.county is not None:
        await store.county.rename(county.id, body.county, county.names[-1].since)
    await store.people.appoint(Post(admin.id, PostRole.COUNTY_ADMIN, county.id, FOUNDED))
    if body.school is not None:
        school = await store.county.add(UnitKind.SCHOOL, body.school, county.id, since=FOUNDED)
        if body.room is not None:
            await store.county.add(UnitKind.ROOM, body.room, school.id, since=FOUNDED, main=True)
    return admin


async def log_in(request: web.Request) -> web.Response:
    """The cookie for the right password; the same answer and time for a wrong one and for a wrong name."""
    require(request, Action.LOG_IN)
    own_page_only(request)
    body = await body_of(request, LogIn)
    person = await proven(request, body.login, body.password)
    await request.app[STORE].audit(f"person:{person.id}", "log_in", person.id)
    return await log_person_in(request, answer(await _me_of(request, person)), person)


async def proven(request: web.Request, login: str, password: str) -> Person:
    """Whose password it is; tries are counted before they are judged. WrongPassword, TooSoon."""
    app, address, account = request.app, address_of(request), f"account:{plain_login(login)[:40]}"
    now = app[CLOCK].monotonic()
    app[SLOWING].attempt(address, now)
    app[SLOWING_ACCOUNTS].attempt(account, now)
    found = await app[STORE].people.by_login(login[:200])
    stored = found[1] if found is not None and found[0].active else ""
    if not await passwords.is_right(app, stored, password) or found is None:
        await app[STORE].audit("anyone", "log_in_failed", plain_login(login)[:40])
        raise WrongPassword
    app[SLOWING].right(address)
    app[SLOWING_ACCOUNTS].right(account)
    return found[0]


async def log_out(request: web.Request) -> web.Response:
    """Ends this session: a cookie that was copied is worth nothing afterwards."""
    require(request, Action.LOG_OUT)
    own_page_only(request)
    visitor = request.get(VISITOR)
    if visitor is not None:
        await request.app[SESSIONS].end(visitor.session.session)
        await request.app[STORE].audit(f"person:{visitor.person.id}", "log_out", visitor.person.id)
    response = web.Response(status=204)
    response.del_cookie(SESSION_COOKIE, path="/")
    return response


async def me(request: web.Request) -> web.Response:
    """Who this browser is, and what its pages may offer."""
    require(request, Action.READ_ME)
    needs_setup = await request.app[STORE].people.is_empty()
    visitor = visitor_of(request)
    if visitor is not None:
        return answer(await _me_of(request, visitor.person, visitor))
    actors = actors_of(request)
    return answer(
        Me(
            admin=any(actor.role is ActorRole.ADMIN for actor in actors),
            needs_setup=needs_setup,
            demo=any(actor.role is ActorRole.DEMO_VISITOR for actor in actors),
            needs_setup_code=needs_setup and not is_local(request),
            may=[action.value for action in may_of(request)],
        )
    )


async def _me_of(request: web.Request, person: Person, visitor: Visitor | None = None) -> Me:
    store = request.app[STORE]
    if visitor is None:  # logged in by this very request
        actors = [] if person.must_change else await actors_of_person(request.app, person.id)
    else:
        actors = visitor.actors
    day, organisation = store.county.today(), await store.county.load()
    posts = [each.post for each in await store.people.posts(person.id) if each.post.held(day)]
    return Me(
        admin=any(actor.role is ActorRole.ADMIN for actor in actors),
        needs_setup=False,
        demo=any(actor.role is ActorRole.DEMO_VISITOR for actor in actors_of(request)),
        person=person.id,
        login=person.login,
        name=person.name,
        language=person.language,
        must_change=person.must_change,
        locked=visitor is not None and visitor.locked,
        posts=[MyPost(post.role, post.unit, organisation.units[post.unit].name(day)) for post in posts],
        may=[action.value for action in may_of(request, actors)],
    )


def routes() -> list[web.RouteDef]:
    return [
        web.post("/api/v1/setup", set_up),
        web.post("/api/v1/login", log_in),
        web.post("/api/v1/logout", log_out),
        web.get("/api/v1/me", me),
    ]
