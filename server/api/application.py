"""Builds the aiohttp application from its parts: middlewares, keys, every route. `app.py` runs it."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from recorder.archive.storage import Storage
from server.api import (
    accounts,
    alarms,
    api_tokens,
    audit,
    broadcast,
    calendars,
    certificate,
    consents,
    deletion,
    devices,
    downloads,
    editing,
    exports,
    extras,
    guests,
    health,
    hls,
    keys,
    lessons,
    library,
    media,
    my_day,
    network,
    openapi,
    own,
    pages,
    pairing,
    passwords,
    people,
    people_import,
    personal,
    publishing,
    receipts,
    receptions,
    rehearsals,
    replay,
    rooms,
    series,
    sources,
    standard,
    templates,
    terms,
    timetable,
    timetable_import,
    units,
    uploads,
    visitors,
    whep,
    whip,
    ws,
)  # fmt: skip
from server.api.codes import RoomCodes
from server.api.guarding import dress, time_limit
from server.api.live_playlist import Playlists
from server.api.patience import Patience
from server.api.problems import connection_log, problems
from server.api.slowing import Slowing
from server.api.tokens import Tokens
from server.clock import Clock
from server.config import Config
from server.domain.pairing import Pairings
from server.ids import new_room_code, random_word
from server.live.acting import Troupe
from server.live.checking import Checking
from server.live.publishing import PublishingService
from server.live.service import LiveService
from server.live.standings import Standings
from server.ops.metrics import Metrics
from server.store.api_tokens import ApiTokens
from server.store.consents import Consents
from server.store.edits import Edits
from server.store.guest_links import GuestLinks
from server.store.library import Library
from server.store.rehearsals import Rehearsals
from server.store.sessions import Sessions
from server.store.sources import Sources
from server.store.spans import Spans
from server.store.store import Store
from server.store.uploads import Uploads

Application = web.Application
CLOSING_S = 3.0
ROUTES = (
    accounts, alarms, api_tokens, audit, broadcast, calendars, certificate, consents, deletion, devices,
    downloads, editing, exports, extras, guests, health, hls, lessons, library, media, my_day, network,
    openapi, own, pages, pairing, people, people_import, personal, publishing, receipts, receptions,
    rehearsals, replay, rooms, series, sources, templates, terms, timetable, timetable_import, units, uploads,
    whep, whip, ws,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is made of. `closed`: recordings with addresses that are over before their time
    (`keys.CLOSED`); `token_key`, `media_key`, `restore_key`: 32 random bytes each."""

    config: Config
    clock: Clock
    store: Store
    sources: Sources
    checking: Checking
    live: LiveService
    troupe: Troupe
    standings: Standings
    spans: Spans
    publishing: PublishingService
    guest_links: GuestLinks
    storage: Storage | None
    closed: dict[str, int]
    token_key: bytes
    media_key: bytes
    restore_key: bytes
    codes: RoomCodes
    free_bytes: Callable[[], int]
    """Free bytes where the archive lies; blocking."""


def build(parts: Parts) -> Application:
    """An application with every route; not yet started."""
    app = web.Application(
        middlewares=[problems, time_limit, visitors.recognise],
        client_max_size=parts.config.http.max_body_bytes,
    )
    security = parts.config.security
    app[keys.CONFIG] = parts.config
    app[keys.CLOCK] = parts.clock
    app[keys.STORE] = parts.store
    timetable.keep(app, parts.store)
    units.keep(app, parts.store)
    lessons.keep(app, parts.store)
    app[keys.LIBRARY] = Library(parts.store.database, parts.clock)
    app[keys.SOURCES] = parts.sources
    app[keys.CHECKING] = parts.checking
    app[keys.PROBES] = asyncio.Semaphore(2)
    app[keys.IMPORTING] = parts.store.importing
    app[keys.EDITS] = Edits(parts.store.database, parts.clock)
    app[keys.UPLOADS] = Uploads(parts.store.database, parts.clock)
    app[uploads.READING] = asyncio.Semaphore(1)
    app[uploads.TASKS] = set()
    app[exports.TICKETS] = {}
    app[keys.LIVE] = parts.live
    app[keys.STANDINGS] = parts.standings
    app[keys.SPANS] = parts.spans
    app[keys.REHEARSALS] = Rehearsals(parts.store.database)
    app[keys.PAIRINGS] = Pairings(lambda: random_word(24), new_room_code)
    app[keys.RESTORE_KEY] = parts.restore_key
    app[keys.PUBLISHING] = parts.publishing
    app[keys.STORAGE] = parts.storage
    app[keys.TOKENS] = Tokens(parts.token_key, parts.clock)
    app[keys.CLOSED] = parts.closed
    app[keys.MEDIA_KEY] = parts.media_key
    app[keys.CODES] = parts.codes
    app[keys.SESSIONS] = Sessions(parts.store.database, parts.clock)
    app[keys.AUDIT] = parts.store.audit_log
    app[keys.CONSENTS] = Consents(parts.store.database, parts.clock)
    app[keys.GUEST_LINKS] = parts.guest_links
    app[keys.API_TOKENS] = ApiTokens(parts.store.database, parts.clock)
    app[visitors.POSTS] = visitors.Posts({})
    app[keys.SLOWING_ACCOUNTS] = Slowing(4 * security.wrong_tries, security.wrong_tries_wait_s)
    app[keys.SLOWING] = Slowing(security.wrong_tries, security.wrong_tries_wait_s)
    app[keys.METRICS] = Metrics(lambda: parts.live.figures)
    app[keys.OPEN_PAGES] = set()
    app[keys.BOOT] = 1 + secrets.randbelow(1 << 30)
    app[keys.SETUP_CODE] = new_room_code()
    app[keys.PLAYLISTS] = Playlists()
    app[keys.FREE_BYTES] = parts.free_bytes
    app[passwords.HASHING] = asyncio.Semaphore(2)
    app.on_response_prepare.append(standard.allow_origins)
    app.on_response_prepare.append(dress)
    app.on_shutdown.append(ws.say_goodbye)
    app.on_cleanup.append(uploads.stop)
    app.on_cleanup.append(lambda app: app[keys.LIBRARY].close())
    for module in ROUTES:
        app.add_routes(module.routes())
    app[openapi.DOCUMENT] = {}
    return app


def listening_options(app: Application) -> dict[str, Any]:
    """No access log, bounded waits, and a log without addresses."""
    return {"access_log": None, "keepalive_timeout": 30.0, "logger": connection_log(app[keys.METRICS])}


async def serve(
    app: Application, listening: socket.socket, stop: asyncio.Event, tls: ssl.SSLContext | None = None
) -> None:
    """Answer requests until `stop`; then requests under way have some seconds to end."""
    patience = Patience()
    app.middlewares.insert(0, patience.hear)
    runner = web.AppRunner(app, **listening_options(app), shutdown_timeout=CLOSING_S)
    await runner.setup()
    assert runner.server is not None
    closing = asyncio.create_task(patience.run(runner.server), name="patience")
    try:
        await web.SockSite(runner, listening, ssl_context=tls).start()
        await stop.wait()
    finally:
        closing.cancel()
        await runner.cleanup()
