"""The audit log, read by the county's admin; reading it leaves a row too."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from server.api.guarding import answer
from server.api.keys import AUDIT, STORE
from server.api.people import number_of
from server.api.rights import Action, require
from server.api.spreadsheets import given_out
from server.domain.sheets.cells import Sheet
from server.protocol.county import AuditLine, AuditPage
from server.workbooks import guarded

LARGEST_PAGE = 200
MOST_EXPORTED = 50_000


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


async def export(request: web.Request) -> web.Response:
    """The newest MOST_EXPORTED rows as CSV, times by the county's clock; that too is logged."""
    actor = require(request, Action.READ_AUDIT)
    query, audit, zone = request.query, request.app[AUDIT], request.app[STORE].county.zone
    words = {name: query.get(name, "")[:200] for name in ("actor", "action", "thing")}
    rows = await audit.rows(limit=MOST_EXPORTED, before=None, **words)
    said = {f"of_{name}": word for name, word in words.items() if word}
    await audit.write(actor.name, "export_audit", "audit", **said)
    lines: list[tuple[str, ...]] = [("number", "time", "actor", "action", "thing", "details")]
    for row in rows:
        moment = datetime.fromtimestamp(row.at / 1000, UTC).astimezone(zone)
        at = moment.isoformat(sep=" ", timespec="seconds")
        details = " · ".join(f"{name} {value}" for name, value in row.details.items())
        texts = (row.actor, row.action, row.thing, details)
        lines.append((str(row.number), at, *(guarded(text) for text in texts)))
    return await given_out(Sheet(tuple(lines)), "csv", "audit")


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/audit", read), web.get("/api/v1/audit/export.csv", export)]
