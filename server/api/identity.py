"""From a request to the actors it may be: bearer token, cookie, signed URL, loopback.

A credential the browser sends by itself (the cookie, being on this machine) counts for a writing
request only when the page that sent it is ours; so no other site can use it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from server.api.keys import BOOT, CLOCK, CLOSED, CONFIG, LIBRARY, LIVE, MEDIA_KEY, STANDINGS, STORE, TOKENS
from server.api.roles import ANYONE, Actor, ActorRole
from server.api.signing import lifetime_s, scope_of, signature_holds
from server.api.tokens import BadToken, TokenKind
from server.domain.visibility import Visibility, circle_of
from server.store.api_tokens import PREFIX as API_TOKEN_PREFIX
from server.store.people_records import Person
from server.store.records import BoxSource
from server.store.sessions import Session

SESSION_COOKIE = "lianke_session"
VISIT_COOKIE = "lianke_visit"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
ASKED = web.RequestKey("asked", bool)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person by their cookie. `locked`: from a network in which the password was not given yet."""

    session: Session
    person: Person
    actors: list[Actor]
    locked: bool = False


ACTORS = web.RequestKey("actors", list[Actor])
API_ACTORS = web.RequestKey("api_actors", list[Actor])
VISITOR = web.RequestKey("visitor", Visitor)

BEARER_ROLES: dict[TokenKind, ActorRole] = {
    TokenKind.ROOM: ActorRole.ROOM,
    TokenKind.SEAT: ActorRole.ROOM,
    TokenKind.STUDIO: ActorRole.STUDIO,
    TokenKind.OBSERVER: ActorRole.OBSERVER,
    TokenKind.WATCH: ActorRole.WATCHER,
    TokenKind.REMOTE: ActorRole.REMOTE,
    TokenKind.WALL: ActorRole.WALL,
    TokenKind.GUEST: ActorRole.GUEST,
    TokenKind.WHIP: ActorRole.WHIP,
    TokenKind.WHEP: ActorRole.WHEP,
    TokenKind.OPERATOR: ActorRole.OPERATOR,
}


def mark_asked(request: web.Request) -> None:
    """The handler of this request has asked the rights door (see `middleware.refuse_unasked`)."""
    request[ASKED] = True


def address_of(request: web.Request) -> str:
    """The client's address; X-Forwarded-For is believed from a trusted proxy only."""
    peer = request.remote or ""
    if peer in request.app[CONFIG].http.trusted_proxies:
        last = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        return last or peer
    return peer


def is_local(request: web.Request) -> bool:
    """From this machine, under a loopback name, and through no proxy."""
    if any(header in request.headers for header in FORWARDED):
        return False
    try:
        host = urlsplit(f"//{request.host}").hostname
        return host in LOOPBACK_NAMES and ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def is_same_origin(request: web.Request) -> bool:
    """Whether the page that sent this is ours, or no page sent it."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    public = request.app[CONFIG].http.public_url.rstrip("/")
    if public and origin == public:
        return True
    return urlsplit(origin).netloc == request.host


def bearer_of(request: web.Request) -> str | None:
    """The token of an `Authorization: Bearer` header (RFC 6750), or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def encoder_of(request: web.Request) -> BoxSource | None:
    """The encoder of a room whose key is the bearer token; None where it is nobody's."""
    key = bearer_of(request)
    return request.app[LIVE].ingest.holder(key) if key else None


def _of_bearer(request: web.Request) -> list[Actor]:
    token = bearer_of(request)
    if token is None:
        return []
    if token.startswith(API_TOKEN_PREFIX):
        return list(request.get(API_ACTORS, ()))
    try:
        claims = request.app[TOKENS].read(token)
    except BadToken:
        box = encoder_of(request)
        return [Actor(ActorRole.ENCODER, box.room)] if box is not None else []
    if claims.kind is TokenKind.OPERATOR and claims.epoch != request.app[BOOT]:
        return []
    if claims.kind is TokenKind.SEAT and not request.app[STANDINGS].device(claims.device, claims.epoch):
        return []
    role = BEARER_ROLES.get(claims.kind)
    if role is None:
        return []
    circle = None
    if role is ActorRole.STUDIO and claims.room is not None and claims.lesson is None:
        county = request.app[STORE].county
        circle = circle_of(frozenset(), (claims.room,), county.today(), county.known)
    return [Actor(role, claims.room, claims.lesson, claims.epoch, claims.person, circle=circle)]


def visitor_of(request: web.Request) -> Visitor | None:
    """Who the cookie is, where the page that sent it may use it."""
    if request.method not in READING and not is_same_origin(request):
        return None
    return request.get(VISITOR)


def _of_cookie(request: web.Request) -> list[Actor]:
    visitor = visitor_of(request)
    return visitor.actors if visitor is not None else []


def _of_place(request: web.Request) -> list[Actor]:
    if not is_local(request):
        return []
    local = [Actor(ActorRole.LOCAL)]
    return [Actor(ActorRole.DEMO_VISITOR), *local] if request.app[CONFIG].demo.enabled else local


def _of_signature(request: web.Request) -> list[Actor]:
    match = request.match_info
    if "signature" not in match:
        return []
    lesson, visit = match.get("lesson", ""), request.cookies.get(VISIT_COOKIE, "")
    now_s = request.app[CLOCK].wall_ms() // 1000
    expires, given = match.get("expires", ""), match["signature"]
    ticket = match.get("ticket")
    scope = scope_of(lesson, match.get("file", "")) if ticket is None else f"export/{ticket}"
    holds = signature_holds(request.app[MEDIA_KEY], scope, expires, visit, given, now_s=now_s)
    if holds and not is_closed(request, lesson):
        return [Actor(ActorRole.SIGNED_URL, lesson=ticket or lesson)]
    return []


async def close_recording(app: web.Application, lesson: str, allowed: Visibility) -> None:
    """It is open no further than this, and signed addresses of its files that were handed out so far are
    over."""
    now_s = app[CLOCK].wall_ms() // 1000
    last_s = now_s + 1 + lifetime_s(app[CONFIG].security.media_url_minutes)
    await app[LIBRARY].withdraw(lesson, allowed, last_s)
    for old in [each for each, until_s in app[CLOSED].items() if until_s < now_s]:
        del app[CLOSED][old]
    app[CLOSED][lesson] = last_s


def is_closed(request: web.Request, lesson: str) -> bool:
    """Whether the request's signed address is older than the closing of this lesson's recording."""
    return int(request.match_info["expires"]) <= request.app[CLOSED].get(lesson, 0)


def actors_of(request: web.Request) -> list[Actor]:
    """Everything this request may act as, the most particular first, ANYONE last; found out once."""
    known = request.get(ACTORS)
    if known is None:
        known = request[ACTORS] = _actors_of(request)
    return known


def _actors_of(request: web.Request) -> list[Actor]:
    actors = _of_bearer(request) + _of_signature(request)
    if request.method in READING or is_same_origin(request):
        actors += _of_cookie(request) + _of_place(request)
    return [*actors, ANYONE]
