"""Tokens for programs: made and revoked by the person as whom they act, told once."""

from __future__ import annotations

from aiohttp import web

from server.api.guarding import answer, body_of
from server.api.identity import VISITOR
from server.api.keys import API_TOKENS, STORE
from server.api.rights import Action, NoRight, may_of, require
from server.errors import UserFault
from server.protocol.county import ApiTokenRow, MadeApiToken, NewApiToken

LONGEST_NAME = 60
LONGEST_DAYS = 366
MOST = 20
DAY_MS = 86_400_000


async def read(request: web.Request) -> web.Response:
    """One's own."""
    actor = require(request, Action.READ_OWN)
    found = await request.app[API_TOKENS].of(actor.person)
    return answer(
        [
            ApiTokenRow(one.id, one.name, sorted(one.scopes), one.created_at, one.expires_at, one.used_at)
            for one in found
        ]
    )


async def make(request: web.Request) -> web.Response:
    """Only from a log-in: a token makes no other."""
    actor = require(request, Action.CHANGE_OWN)
    if request.get(VISITOR) is None:
        raise NoRight
    body = await body_of(request, NewApiToken)
    may = {action.value for action in may_of(request)} - {Action.CHANGE_OWN.value}
    scopes, name = frozenset(body.scopes), " ".join(body.name.split())
    if not scopes or not scopes <= may or not 1 <= len(name) <= LONGEST_NAME:
        raise UserFault(
            "bad_choice",
            zh="请写名称，并从您自己的权限中选择范围。",
            en="Give it a name, and scopes among what you may do yourself.",
        )
    if not 1 <= body.days <= LONGEST_DAYS or len(await request.app[API_TOKENS].of(actor.person)) >= MOST:
        raise UserFault(
            "bad_choice",
            zh=f"有效期 1 至 {LONGEST_DAYS} 天，每人最多 {MOST} 个。",
            en=f"1 to {LONGEST_DAYS} days, at most {MOST} for each person.",
        )
    made = await request.app[API_TOKENS].make(actor.person, name, scopes, body.days * DAY_MS)
    await request.app[STORE].audit(actor.name, Action.CHANGE_OWN, actor.person, token=name)
    return answer(MadeApiToken(*made), status=201)


async def revoke(request: web.Request) -> web.Response:
    """Over at once."""
    actor = require(request, Action.CHANGE_OWN)
    await request.app[API_TOKENS].revoke(actor.person, request.match_info["token"])
    await request.app[STORE].audit(actor.name, Action.CHANGE_OWN, actor.person, token="revoked")
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/me/tokens", read),
        web.post("/api/v1/me/tokens", make),
        web.delete("/api/v1/me/tokens/{token}", revoke),
    ]
