"""What handlers find in the application: `request.app[KEY]`. `app.py` puts it there.

What `api` asks of `live.service.LiveService`:

    async start_lesson(room: str, *, title: Words | None, minutes: int) -> str    the lesson's id; UserFault
    async end_lesson(lesson: str) -> None                                         Refused, UserFault
    workers_connected: int        recorder_connected: bool        figures: Mapping[str, float]
    async run() -> None           until cancelled
and `ws`, `whip`, `whep` what they like; each has `def routes() -> list[web.AbstractRouteDef]`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web

from server.api.codes import RoomCodes
from server.api.slowing import Slowing
from server.api.tokens import Tokens
from server.clock import Clock
from server.config import Config
from server.domain.pairing import Pairings
from server.ops.metrics import Metrics
from server.store.api_tokens import ApiTokens
from server.store.audit import Audit
from server.store.consents import Consents
from server.store.edits import Edits
from server.store.guest_links import GuestLinks
from server.store.importing import Importing
from server.store.library import Library
from server.store.rehearsals import Rehearsals
from server.store.sessions import Sessions
from server.store.sources import Sources
from server.store.spans import Spans
from server.store.store import Store
from server.store.uploads import Uploads

if TYPE_CHECKING:
    from recorder.archive.storage import Storage
    from server.api.live_playlist import Playlists
    from server.live.checking import Checking
    from server.live.publishing import PublishingService
    from server.live.service import LiveService
    from server.live.standings import Standings


CONFIG = web.AppKey("config", Config)
STANDINGS: web.AppKey[Standings] = web.AppKey("standings")
SPANS = web.AppKey("spans", Spans)
REHEARSALS = web.AppKey("rehearsals", Rehearsals)
PAIRINGS = web.AppKey("pairings", Pairings)
RESTORE_KEY = web.AppKey("restore_key", bytes)
CLOCK = web.AppKey("clock", Clock)
STORE = web.AppKey("store", Store)
SESSIONS = web.AppKey("sessions", Sessions)
AUDIT = web.AppKey("audit", Audit)
CONSENTS = web.AppKey("consents", Consents)
API_TOKENS = web.AppKey("api_tokens", ApiTokens)
LIBRARY = web.AppKey("library", Library)
EDITS = web.AppKey("edits", Edits)
UPLOADS = web.AppKey("uploads", Uploads)
SOURCES = web.AppKey("sources", Sources)
CHECKING: web.AppKey[Checking] = web.AppKey("checking")
GUEST_LINKS = web.AppKey("guest_links", GuestLinks)
IMPORTING = web.AppKey("importing", Importing)
PROBES = web.AppKey("probes", asyncio.Semaphore)  # how many run at once
TOKENS = web.AppKey("tokens", Tokens)
CODES = web.AppKey("codes", RoomCodes)
SLOWING = web.AppKey("slowing", Slowing)  # of addresses
SLOWING_ACCOUNTS = web.AppKey("slowing_accounts", Slowing)
METRICS = web.AppKey("metrics", Metrics)
SETUP_CODE = web.AppKey("setup_code", str)
OPEN_PAGES = web.AppKey("open_pages", set[object])
BOOT = web.AppKey("boot", int)  # random each start: an operator token of an earlier one is over
STORAGE: web.AppKey[Storage | None] = web.AppKey("storage")
CLOSED: web.AppKey[dict[str, int]] = web.AppKey("closed")
"""Lesson -> until when addresses were signed before its recording was closed (seconds since 1970)."""
MEDIA_KEY = web.AppKey("media_key", bytes)
PUBLISHING: web.AppKey[PublishingService] = web.AppKey("publishing")
LIVE: web.AppKey[LiveService] = web.AppKey("live")
PLAYLISTS: web.AppKey[Playlists] = web.AppKey("playlists")
FREE_BYTES: web.AppKey[Callable[[], int]] = web.AppKey("free_bytes")
