"""iCalendar feeds: one for each person and each room, under a secret address that can be changed.

Calendar programs know no log-in, so the address is signed: owner, number, signature. A new number ends the
old address.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from aiohttp import web

from server import feeds
from server.api.guarding import answer
from server.api.identity import actors_of
from server.api.keys import CLOCK, MEDIA_KEY, STORE
from server.api.lessons import base_url
from server.api.rights import Action, NoRight, Thing, require
from server.api.timetable_views import DAY_MS, views_of
from server.protocol.messages import Words
from server.protocol.timetable import FeedLink
from server.store.people import NoPerson

BACK_MS, AHEAD_MS = 60 * DAY_MS, 200 * DAY_MS
OWNER = re.compile(r"(person|room):[A-Za-z0-9-]{1,40}")
SIGNATURE_BYTES = 20


def feed_path(key: bytes, owner: str, number: int) -> str:
    said = f"calendar/{owner}/{number}".encode()
    digest = hmac.new(key, said, hashlib.sha256).digest()[:SIGNATURE_BYTES]
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return f"/calendar/{owner.replace(':', '/')}/{number}.{signature}.ics"


def person_of(request: web.Request) -> str:
    """Who is logged in; "" where nobody is."""
    return next((actor.person for actor in actors_of(request) if actor.person), "")


async def _owner(request: web.Request) -> tuple[str, str]:
    """Of which feed the link is asked for, and the name for the log."""
    room = request.query.get("room", "")[:40]
    if room:
        actor = require(request, Action.EDIT_TIMETABLE, Thing(main_room=room))
        if await request.app[STORE].classroom(room) is None:
            raise NoRight
        return f"room:{room}", actor.name
    actor = require(request, Action.READ_DAY)
    if not actor.person and not person_of(request):
        raise NoRight
    return f"person:{person_of(request)}", actor.name


async def link(request: web.Request) -> web.Response:
    """The address of one's own feed, or of a room's."""
    owner, _ = await _owner(request)
    number = await request.app[STORE].terms.feed_number(owner)
    return answer(FeedLink(base_url(request) + feed_path(request.app[MEDIA_KEY], owner, number)))


async def new_link(request: web.Request) -> web.Response:
    """Another address; the one before is over."""
    owner, name = await _owner(request)
    number = await request.app[STORE].terms.new_feed(owner)
    await request.app[STORE].audit(name, Action.READ_FEED, owner, what="new address")
    return answer(FeedLink(base_url(request) + feed_path(request.app[MEDIA_KEY], owner, number)))


async def calendar(request: web.Request) -> web.Response:
    """The feed, for who has its address. Chinese, or English with `?language=en`."""
    require(request, Action.READ_FEED)
    match = request.match_info
    owner, name = f"{match['kind']}:{match['name']}", match["name"]
    number = match["number"]
    if OWNER.fullmatch(owner) is None or not number.isascii() or not number.isdigit() or len(number) > 9:
        raise NoRight
    good = feed_path(request.app[MEDIA_KEY], owner, int(number))
    store = request.app[STORE]
    if not hmac.compare_digest(good.encode(), request.path.encode()):
        raise NoRight
    if int(number) != await store.terms.feed_number(owner):
        raise NoRight
    now = request.app[CLOCK].wall_ms()
    person = match["kind"] == "person"
    title = await _title(request, name, person=person)
    lessons = await store.timetable.between(
        now - BACK_MS,
        now + AHEAD_MS,
        rooms=None if person else frozenset({name}),
        teacher=name if person else "",
    )
    views = await views_of(request, lessons)
    english = request.query.get("language") == "en"
    data = feeds.feed(
        title.en if english else title.zh, [views.lesson(each) for each in lessons], now, english=english
    )
    return web.Response(body=data, content_type="text/calendar", charset="utf-8")


async def _title(request: web.Request, name: str, *, person: bool) -> Words:
    store = request.app[STORE]
    try:
        found = await store.people.person(name) if person else await store.classroom(name)
    except NoPerson:
        raise NoRight from None
    if found is None:
        raise NoRight
    return found.name


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/calendar-link", link),
        web.post("/api/v1/calendar-link", new_link),
        web.get("/calendar/{kind}/{name}/{number}.{signature}.ics", calendar),
    ]
