"""What a person does with their own account: another password, their log-ins, their language."""

from __future__ import annotations

from aiohttp import web

from server.api import passwords
from server.api.accounts import own_page_only, proven
from server.api.guarding import answer, body_of
from server.api.identity import SESSION_COOKIE, VISITOR, Visitor, mark_asked
from server.api.keys import SESSIONS, STORE
from server.api.rights import Action, NoRight, require
from server.api.visitors import network_of
from server.errors import UserFault
from server.protocol.accounts import LanguageChange, LogIn, PasswordChange, SessionRow

LANGUAGES = ("zh", "en", "")


def _visitor(request: web.Request) -> Visitor:
    """Who is logged in, also while locked or before the first password was changed. NoRight."""
    mark_asked(request)
    own_page_only(request)
    visitor: Visitor | None = request.get(VISITOR)
    if visitor is None:
        raise NoRight
    return visitor


async def unlock(request: web.Request) -> web.Response:
    """The password once more, from a network that is new to the session."""
    visitor = _visitor(request)
    body = await body_of(request, LogIn)
    if (await proven(request, visitor.person.login, body.password)).id != visitor.person.id:
        raise NoRight
    await request.app[SESSIONS].admit_network(visitor.session, network_of(request))
    await request.app[STORE].audit(f"person:{visitor.person.id}", "unlock", visitor.person.id)
    return web.Response(status=204)


async def change_password(request: web.Request) -> web.Response:
    """Another one: every other log-in of the person ends."""
    visitor = _visitor(request)
    if visitor.locked:
        raise NoRight
    body = await body_of(request, PasswordChange)
    person = await proven(request, visitor.person.login, body.old)
    passwords.check(body.new, person.login)
    if body.new == body.old:
        raise UserFault("weak_password", zh="新密码不能与旧密码相同。", en="That is the old password.")
    hashed = await passwords.hashed(request.app, body.new)
    await request.app[STORE].people.set_password(person.id, hashed, must_change=False)
    await request.app[SESSIONS].end_all(person.id, but=visitor.session.session)
    await request.app[STORE].audit(f"person:{person.id}", "change_password", person.id)
    return web.Response(status=204)


async def language(request: web.Request) -> web.Response:
    """In which language the pages speak to this person."""
    actor = require(request, Action.CHANGE_OWN)
    body = await body_of(request, LanguageChange)
    if body.language not in LANGUAGES:
        raise UserFault("bad_choice", zh="只有中文和英文。", en="There are Chinese and English.")
    await request.app[STORE].people.set_language(actor.person, body.language)
    await request.app[STORE].audit(actor.name, Action.CHANGE_OWN, actor.person, language=body.language)
    return web.Response(status=204)


async def sessions(request: web.Request) -> web.Response:
    """All log-ins of this person that are still good."""
    actor = require(request, Action.READ_OWN)
    visitor = request.get(VISITOR)
    here = visitor.session.session if visitor is not None else ""
    found = await request.app[SESSIONS].of(actor.person)
    return answer(
        [
            SessionRow(
                one.session, one.agent, one.created_at, one.seen_at, one.expires_at, one.session == here
            )
            for one in found
        ]
    )


async def end_session(request: web.Request) -> web.Response:
    """One of them."""
    actor = require(request, Action.CHANGE_OWN)
    wanted = request.match_info["session"]
    if wanted not in {one.session for one in await request.app[SESSIONS].of(actor.person)}:
        raise NoRight
    await request.app[SESSIONS].end(wanted)
    await request.app[STORE].audit(actor.name, Action.CHANGE_OWN, actor.person, session="ended")
    return web.Response(status=204)


async def end_all(request: web.Request) -> web.Response:
    """Log out everywhere, here too."""
    actor = require(request, Action.CHANGE_OWN)
    await request.app[SESSIONS].end_all(actor.person)
    await request.app[STORE].audit(actor.name, Action.CHANGE_OWN, actor.person, session="all ended")
    response = web.Response(status=204)
    response.del_cookie(SESSION_COOKIE, path="/")
    return response


def routes() -> list[web.RouteDef]:
    return [
        web.post("/api/v1/unlock", unlock),
        web.put("/api/v1/me/password", change_password),
        web.put("/api/v1/me/language", language),
        web.get("/api/v1/me/sessions", sessions),
        web.delete("/api/v1/me/sessions", end_all),
        web.delete("/api/v1/me/sessions/{session}", end_session),
    ]
