"""Many lessons as one zip file that plays offline: asked for, logged, then streamed to the one who asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from urllib.parse import quote

from aiohttp import web

from server.api.guarding import answer, body_of
from server.api.identity import is_closed
from server.api.keys import CONFIG, EDITS, LIBRARY, MEDIA_KEY, STORE
from server.api.library import rows_of
from server.api.offline_copy import Copied, entries
from server.api.processing import published_of
from server.api.replay import read_if_there
from server.api.rights import Action, NoRight, Thing, require, require_some
from server.api.signing import media_pair
from server.api.visits import keep_visit, signer_of
from server.api.zipping import zip_pieces
from server.errors import UserFault
from server.ids import random_word
from server.protocol.library import Download, ExportWish
from server.store.library_records import LibraryQuery, LibraryRow, LibrarySort, RecordedState

MOST_LESSONS = 200
MOST_TICKETS = 50
PATH = "/media-export/{expires:[0-9]{1,12}}.{signature:[A-Za-z0-9_-]{27}}/{ticket}"
TICKETS: web.AppKey[dict[str, Ticket]] = web.AppKey("export_tickets")


@dataclass(frozen=True, slots=True)
class Ticket:
    """What may be fetched under a signed address. The newest MOST_TICKETS are kept."""

    lessons: tuple[str, ...]
    title: str


def scope_of_ticket(ticket: str) -> str:
    """What the signature of an export covers."""
    return f"export/{ticket}"


def _week_of(day: str, zone: tzinfo) -> tuple[datetime, datetime]:
    try:
        any_day = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError as error:
        raise UserFault("bad_query", zh="请选择一个日期。", en="Choose a day.") from error
    monday = any_day - timedelta(days=any_day.weekday())
    return monday, monday + timedelta(days=7)


async def _chosen(request: web.Request, wish: ExportWish) -> tuple[list[LibraryRow], str]:
    actor, reach = require_some(request, Action.EXPORT)
    if wish.week is None:
        rows, _ = await rows_of(request, wish.lessons or [], Action.EXPORT)
        title = "联课 Lianke"
    else:
        begin, end = _week_of(wish.week, request.app[STORE].county.zone)
        query = LibraryQuery(
            actor.viewer, from_ms=int(begin.timestamp() * 1000), to_ms=int(end.timestamp() * 1000),
            reach=reach, owned=True, states=(RecordedState.READY,),
            sort=LibrarySort.OLDEST, limit=MOST_LESSONS + 1,
        )  # fmt: skip
        rows, _ = await request.app[LIBRARY].find(query)
        title = f"联课 Lianke {begin:%Y-%m-%d} – {end - timedelta(days=1):%Y-%m-%d}"
    if not 1 <= len(rows) <= MOST_LESSONS:
        raise UserFault(
            "bad_choice",
            zh=f"没有可导出的课，或超过 {MOST_LESSONS} 节。请另选日期或少选几节。",
            en=f"Nothing to export, or over {MOST_LESSONS} lessons. Choose other days or fewer.",
        )
    return rows, title


async def wish(request: web.Request) -> web.Response:
    """The signed address of the zip file. Each lesson in it is a row of the audit log."""
    actor, _ = require_some(request, Action.EXPORT)
    rows, title = await _chosen(request, await body_of(request, ExportWish))
    lessons = tuple(row.overview.lesson.id for row in rows)
    ticket, tickets = random_word(20), request.app[TICKETS]
    tickets[ticket] = Ticket(lessons, title)
    while len(tickets) > MOST_TICKETS:
        del tickets[next(iter(tickets))]
    signer = signer_of(request)
    pair = media_pair(request.app[MEDIA_KEY], scope_of_ticket(ticket), signer.expires_s, signer.visit)
    response = answer(Download(f"/media-export/{pair}/{ticket}"))
    keep_visit(request, response, signer.visit)
    for lesson in lessons:
        await request.app[STORE].audit(actor.name, Action.EXPORT, lesson)
    return response


async def _copied(request: web.Request, ticket: Ticket) -> list[Copied]:
    archive, found = request.app[CONFIG].archive_path, []
    for lesson in ticket.lessons:
        row = await request.app[LIBRARY].row(lesson)
        manifest = await asyncio.to_thread(read_if_there, archive, lesson)
        if row is None or manifest is None or row.catalogue.deleted_at is not None:
            continue
        made = await asyncio.to_thread(published_of, archive, lesson)
        edits = await request.app[EDITS].edits(lesson)
        captions, zone = await request.app[EDITS].captions(lesson), request.app[STORE].county.zone
        found.append(Copied(row, manifest, made, edits, captions, zone))
    return found


async def send(request: web.Request) -> web.StreamResponse:
    """The zip file, as it is read from the disk."""
    name = request.match_info["ticket"]
    require(request, Action.READ_MEDIA, Thing(lesson=name))
    ticket = request.app[TICKETS].get(name)
    if ticket is None or any(is_closed(request, lesson) for lesson in ticket.lessons):
        raise NoRight
    copied = await _copied(request, ticket)
    files = await asyncio.to_thread(entries, request.app[CONFIG].archive_path, copied, ticket.title)
    response = web.StreamResponse(headers={"Cache-Control": "no-store"})
    response.content_type = "application/zip"
    said = quote(f"{ticket.title}.zip", safe="")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{said}"
    await response.prepare(request)
    pieces: Iterator[bytes] = zip_pieces(files)
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        if piece:
            await response.write(piece)
    await response.write_eof()
    return response


def routes() -> list[web.RouteDef]:
    return [web.post("/api/v1/library/export", wish), web.get(PATH, send)]
