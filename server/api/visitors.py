"""Who a request's cookie is: the session, the person and, from today's posts, as whom they act.

A session belongs to the browser (its family and system) and to the networks in which its person gave the
password. From another browser it is nobody's; from another network the same browser is asked for the password
once more, and meanwhile may do nothing: a stolen cookie alone opens nothing, a phone that changes from Wi-Fi
to mobile costs one password.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass, replace

from aiohttp import web
from aiohttp.typedefs import Handler

from server.api.identity import API_ACTORS, SESSION_COOKIE, VISITOR, Visitor, address_of, bearer_of
from server.api.keys import API_TOKENS, MEDIA_KEY, SESSIONS, STORE
from server.api.roles import OF_POST, Actor, ActorRole
from server.domain.posts import Post, reached
from server.domain.visibility import circle_of
from server.errors import Refused
from server.store.api_tokens import PREFIX
from server.store.store import Store

LONGEST_COOKIE = 100
FAMILIES = ("Edg", "OPR", "Firefox", "MicroMessenger", "QQBrowser", "Chrome", "Safari")
SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "CrOS", "Linux")
BOTH_FROM = frozenset({ActorRole.SCHOOL_ADMIN, ActorRole.RESEARCHER})
"""Posts to which the recordings of their units are their own; a teacher's own are those they taught."""


@dataclass(slots=True)
class Posts:
    """Actors of people, until the county, a post or the day changes."""

    of: dict[str, list[Actor]]
    mark: tuple[object, ...] = ()


POSTS = web.AppKey("posts", Posts)


def network_of(request: web.Request) -> str:
    """Where the request comes from, as a keyed hash: an IPv4 address's /24, an IPv6 address's /48."""
    text = address_of(request).partition("%")[0]
    try:
        address = ipaddress.ip_address(text)
        prefix = 24 if address.version == 4 else 48
        text = str(ipaddress.ip_network((address, prefix), strict=False))
    except ValueError:
        text = text[:64]
    return hmac.new(request.app[MEDIA_KEY], b"network:" + text.encode(), hashlib.sha256).hexdigest()[:16]


def agent_of(request: web.Request) -> str:
    """Browser family and system, such as "Chrome on Windows"; versions do not count: browsers update."""
    said = request.headers.get("User-Agent", "")
    family = next((name for name in FAMILIES if name in said), said.partition("/")[0][:20] or "?")
    return f"{family} on {next((name for name in SYSTEMS if name in said), '?')}"


@web.middleware
async def recognise(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read the session cookie once, before anybody asks for rights."""
    word = request.cookies.get(SESSION_COOKIE)
    if word is not None and len(word) <= LONGEST_COOKIE:
        visitor = await _visitor(request, word)
        if visitor is not None:
            request[VISITOR] = visitor
    token = bearer_of(request)
    if token is not None and token.startswith(PREFIX):
        request[API_ACTORS] = await _actors_of_token(request, token)
    return await handler(request)


async def _actors_of_token(request: web.Request, token: str) -> list[Actor]:
    """Its person, no further than its scopes."""
    found = await request.app[API_TOKENS].find(token[:LONGEST_COOKIE])
    if found is None:
        return []
    person = await request.app[STORE].people.person(found.person)
    if not person.active or person.must_change:
        return []
    actors = await actors_of_person(request.app, person.id)
    return [replace(actor, scopes=found.scopes) for actor in actors]


async def _visitor(request: web.Request, word: str) -> Visitor | None:
    session = await request.app[SESSIONS].find(word)
    if session is None:
        return None
    if session.agent != agent_of(request):
        return None
    try:
        person = await request.app[STORE].people.person(session.person)
    except Refused:
        return None
    if not person.active:
        return None
    locked = network_of(request) not in session.networks
    free = not locked and not person.must_change
    actors = await actors_of_person(request.app, person.id) if free else []
    return Visitor(session, person, actors, locked=locked)


async def actors_of_person(app: web.Application, person: str) -> list[Actor]:
    """As whom a person may act today: one actor for each post, and PERSON."""
    store, posts = app[STORE], app[POSTS]
    mark = (store.county.changes, store.people.changes, store.county.today())
    if posts.mark != mark:
        posts.of.clear()
        posts.mark = mark
    found = posts.of.get(person)
    if found is None:
        held = [each.post for each in await store.people.posts(person)]
        found = [await _actor(store, post) for post in held if post.held(store.county.today())]
        found.append(Actor(ActorRole.PERSON, person=person))
        posts.of[person] = found
    return found


async def _actor(store: Store, post: Post) -> Actor:
    organisation, day = await store.county.load(), store.county.today()
    units = reached(post, day, organisation)
    role = OF_POST[post.role]
    own = units if role in BOTH_FROM else frozenset[str]()
    circle = circle_of(own, (organisation.now(post.unit),), day, organisation, post.person)
    return Actor(role, person=post.person, units=units, circle=circle)
