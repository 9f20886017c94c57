"""The one admin: first-run set-up, log-in, log-out, and who this browser is.

Argon2id in a thread, two at a time; the cookie is HttpOnly and SameSite=Strict; wrong tries are slowed per
address. From another machine the first set-up also needs the code that the log shows.
"""

from __future__ import annotations

import asyncio
import hmac

from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.api.guarding import answer, body_of
from server.api.identity import ADMIN_COOKIE, actors_of, address_of, is_local, is_same_origin
from server.api.keys import ADMIN_EPOCH, CLOCK, CONFIG, SETUP_CODE, SLOWING, STORE, TOKENS
from server.api.rights import Action, NoRight, require
from server.api.roles import ActorRole
from server.api.tokens import TokenKind
from server.domain.org import UnitKind
from server.domain.posts import Post, PostRole
from server.errors import UserFault
from server.protocol.messages import Words
from server.protocol.resources import Me, Password
from server.store.county import FOUNDED, THE_COUNTY
from server.store.people import LoginTaken
from server.store.store import Store

HASHER = PasswordHasher()  # Argon2id with the library's (RFC 9106) parameters
SHORTEST = 10
LONGEST = 1024
NOBODYS_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5J3Mgc2FsdCE$wBMm0SkG/4DLdXzVJM7cHOXCm9yDMEHvE2WiUJfuCAM"
)
ADMIN = "admin"
ADMINISTRATOR = Words(zh="管理员", en="Administrator")
COUNTY = Words(zh="本县", en="The county")
HASHING = web.AppKey("hashing", asyncio.Semaphore)


async def _verify(app: web.Application, stored: str, password: str) -> bool:
    async with app[HASHING]:
        try:
            return await asyncio.to_thread(HASHER.verify, stored, password)
        except (VerificationError, InvalidHashError):
            return False


def _log_in(request: web.Request, response: web.Response) -> web.Response:
    config = request.app[CONFIG]
    lifetime_s = config.security.session_hours * 3600
    token = request.app[TOKENS].issue(
        TokenKind.ADMIN, lifetime_s=lifetime_s, epoch=request.app[ADMIN_EPOCH].number
    )
    secure = request.secure or config.http.public_url.startswith("https:")
    response.set_cookie(
        ADMIN_COOKIE, token, max_age=lifetime_s, httponly=True, samesite="Strict", secure=secure, path="/"
    )
    return response


def _own_page_only(request: web.Request) -> None:
    if not is_same_origin(request):
        raise NoRight


def _slow(request: web.Request) -> str:
    """Count this try; the address it came from, where it need not wait."""
    address = address_of(request)
    request.app[SLOWING].attempt(address, request.app[CLOCK].monotonic())
    return address


async def set_up(request: web.Request) -> web.Response:
    """The first password. Refused for ever once there is one."""
    require(request, Action.SET_UP)
    _own_page_only(request)
    body = await body_of(request, Password)
    address = _slow(request)
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
    if not SHORTEST <= len(body.password) <= LONGEST:
        raise UserFault("weak_password", zh=f"密码至少 {SHORTEST} 个字符。",
                        en=f"Use a password of at least {SHORTEST} characters.")  # fmt: skip
    async with request.app[HASHING]:
        hashed = await asyncio.to_thread(HASHER.hash, body.password)
    await _first_admin(store, hashed)
    request.app[SLOWING].right(address)
    await store.audit("admin", "set_up", "admin")
    return _log_in(
        request, answer(Me(admin=True, needs_setup=False, demo=_is(request, ActorRole.DEMO_VISITOR)))
    )


async def _first_admin(store: Store, password_hash: str) -> None:
    """The county's first admin. NoRight where somebody was a moment quicker."""
    county = await store.county.county()
    if county is None:
        county = await store.county.add(UnitKind.COUNTY, COUNTY, since=FOUNDED, unit=THE_COUNTY)
    try:
        admin = await store.people.add(ADMIN, ADMINISTRATOR, password_hash, person=ADMIN)
    except LoginTaken as error:
        raise NoRight from error
    await store.people.appoint(Post(admin.id, PostRole.COUNTY_ADMIN, county.id, FOUNDED))


async def log_in(request: web.Request) -> web.Response:
    """The cookie for the right password; the same answer and time for a wrong one and for none set."""
    require(request, Action.LOG_IN)
    _own_page_only(request)
    body = await body_of(request, Password)
    address = _slow(request)
    found = await request.app[STORE].people.by_login(ADMIN)
    stored = found[1] if found is not None else None
    right = len(body.password) <= LONGEST and await _verify(
        request.app, stored or NOBODYS_HASH, body.password
    )
    if stored is None or not right:
        await request.app[STORE].audit("anyone", "log_in_failed", "admin")
        raise UserFault("bad_password", zh="密码不对。", en="That is not the password.")
    request.app[SLOWING].right(address)
    await request.app[STORE].audit("admin", "log_in", "admin")
    return _log_in(
        request, answer(Me(admin=True, needs_setup=False, demo=_is(request, ActorRole.DEMO_VISITOR)))
    )


async def log_out(request: web.Request) -> web.Response:
    """Ends every session of the admin: a cookie that was copied is worth nothing afterwards."""
    require(request, Action.LOG_OUT)
    _own_page_only(request)
    if _is(request, ActorRole.ADMIN):
        request.app[ADMIN_EPOCH].number = await request.app[STORE].end_admin_sessions()
        await request.app[STORE].audit("admin", "log_out", "admin")
    response = web.Response(status=204)
    response.del_cookie(ADMIN_COOKIE, path="/")
    return response


def _is(request: web.Request, role: ActorRole) -> bool:
    return any(actor.role is role for actor in actors_of(request))


async def me(request: web.Request) -> web.Response:
    """Who this browser is."""
    require(request, Action.READ_ME)
    needs_setup = await request.app[STORE].people.is_empty()
    return answer(
        Me(
            admin=_is(request, ActorRole.ADMIN),
            needs_setup=needs_setup,
            demo=_is(request, ActorRole.DEMO_VISITOR),
            needs_setup_code=needs_setup and not is_local(request),
        )
    )


def routes() -> list[web.RouteDef]:
    return [
        web.post("/api/v1/setup", set_up),
        web.post("/api/v1/login", log_in),
        web.post("/api/v1/logout", log_out),
        web.get("/api/v1/me", me),
    ]
