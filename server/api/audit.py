"""The audit log, read by the county's admin; reading it leaves a row too."""

from __future__ import annotations

from aiohttp import web

from server.api.guarding import answer
from server.api.keys import AUDIT
from server.api.people import number_of
from server.api.rights import Action, require
from server.protocol.county import AuditLine, AuditPage

LARGEST_PAGE = 200


async def read(request: web.Request) -> web.Response:
    """The newest first; `before`: rows of smaller numbers; `actor`, `action`, `thing`: whole words."""
    actor = require(request, Action.READ_AUDIT)
    query, audit = request.query, request.app[AUDIT]
    size = number_of(query.get("size"), 50, LARGEST_PAGE)
    before = number_of(query["before"], 1, 10**9 - 1) if "before" in query else None
    words = {name: query.get(name, "")[:200] for name in ("actor", "action", "thing")}
    rows = await audit.rows(limit=size, before=before, **words)
    if before is None:
        await audit.write(
            actor.name,
            Action.READ_AUDIT,
            "audit",
            **{f"of_{name}": word for name, word in words.items() if word},
        )
    lines = [AuditLine(r.number, r.at, r.actor, r.action, r.thing, r.details) for r in rows]
    return answer(AuditPage(lines, rows[-1].number if len(rows) == size else None))


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/audit", read)]
