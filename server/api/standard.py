"""What WHIP (RFC 9725) and WHEP share: bodies, CORS, the session resource with PATCH, DELETE and OPTIONS.

`Link: rel="ice-server"` names the TURN servers of `[turn]`, where there are any; being ICE-lite with one
reachable port we have no use for STUN servers. Who has no right gets 404, as everywhere (RFC 9725 leaves the
choice).
"""

from __future__ import annotations

import asyncio

from aiohttp import hdrs, web

from server.api.keys import CLOCK, CONFIG, LIVE
from server.api.problems import problem_response
from server.api.rights import Action, Thing, require
from server.errors import PeerFault, Refused
from server.live.inbox import Hangup, Opened, Patch
from server.live.pages import place_of
from server.protocol.messages import Words
from server.protocol.parameters import Source
from server.protocol.sdp import read_fragment
from server.turn import ice_servers

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Accept-Patch, Retry-After",
    "Access-Control-Max-Age": "86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
RETRY_AFTER_S = "2"


async def allow_origins(request: web.Request, response: web.StreamResponse) -> None:
    """Signal `on_response_prepare`: these doors are for pages of any origin; the bearer token is the key."""
    if request.path.startswith(("/whip/", "/whep/")):
        response.headers.update(CORS)
        if response.status == 503:
            response.headers.setdefault("Retry-After", RETRY_AFTER_S)


class WrongType(Exception):
    """The body is of another media type (HTTP 415)."""


async def require_live(request: web.Request, action: Action) -> str:
    """The path's lesson, live here, and the right to `action` on it."""
    await request.app[LIVE].ready.wait()
    lesson = request.match_info["lesson"]
    try:
        place = place_of(request.app[LIVE].room(lesson).lesson)
    except Refused:
        require(request, action, Thing())
        raise
    require(request, action, Thing(place.lesson, place.main_room, place.seats, links=place.links))
    return lesson


def source_of(request: web.Request) -> Source | None:
    """`?source=`; None where it is not said."""
    word = request.query.get("source")
    if word is None:
        return None
    try:
        return Source(word)
    except ValueError:
        raise PeerFault(
            "bad_source",
            zh="source 只能是 camera、camera2、screen 或 voice。",
            en="source is one of camera, camera2, screen, voice",
        ) from None


async def text_of(request: web.Request, content_type: str) -> str:
    """The body. WrongType where its media type is another; PeerFault where it is not UTF-8."""
    if request.content_type != content_type:
        raise WrongType
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError:
        raise PeerFault("bad_text", zh="内容不是 UTF-8。", en="the body is not UTF-8") from None


def takes_sdp(request: web.Request) -> bool:
    """Whether the client's `Accept` allows the answer (RFC 9110, 12.5.1; its weights do not matter)."""
    ranges = request.headers.getall(hdrs.ACCEPT, [])
    if not ranges:
        return True
    taken = {each.partition(";")[0].strip().lower() for each in ",".join(ranges).split(",")}
    return bool(taken & {SDP, "application/*", "*/*"})


def not_acceptable() -> web.Response:
    words = Words(zh=f"回答只能是 {SDP}。", en=f"The answer is {SDP} and nothing else.")
    return problem_response(406, "not_acceptable", words)


def wrong_type(wanted: str) -> web.Response:
    words = Words(zh=f"请以 {wanted} 发送。", en=f"Send the body as {wanted}.")
    return problem_response(415, "wrong_type", words, {"Accept-Patch": FRAGMENT, "Accept-Post": SDP})


def ice_links(request: web.Request, session: str) -> list[str]:
    """RFC 9725, 4.6: a link for each URL, with this session's credentials."""
    now_ms = request.app[CLOCK].wall_ms()
    return [
        f'<{url}>; rel="ice-server"; username="{server.username}"; credential="{server.credential}"; '
        'credential-type="password"'
        for server in ice_servers(request.app[CONFIG].turn, session, now_ms)
        for url in server.urls
    ]


def created(request: web.Request, opened: Opened) -> web.Response:
    """201 with the session's URL and our answer."""
    response = web.Response(
        status=201,
        text=opened.sdp,
        content_type=SDP,
        headers={
            hdrs.LOCATION: f"{request.path.rstrip('/')}/{opened.session}",
            hdrs.ETAG: opened.etag,
            "Accept-Patch": FRAGMENT,
            hdrs.CACHE_CONTROL: "no-store",
        },
    )
    for link in ice_links(request, opened.session):
        response.headers.add(hdrs.LINK, link)
    return response


async def patch(request: web.Request, lesson: str, kind: str) -> web.Response:
    """Trickled candidates (204) or an ICE restart (200 with our fragment and a new ETag)."""
    etag = request.headers.get(hdrs.IF_MATCH)
    if etag is None:
        words = Words(zh="请带上 If-Match。", en="Say which ICE session by If-Match.")
        return problem_response(428, "if_match_required", words)
    try:
        fragment = read_fragment(await text_of(request, FRAGMENT))
    except WrongType:
        return wrong_type(FRAGMENT)
    reply: asyncio.Future[tuple[str, str | None]] = asyncio.get_running_loop().create_future()
    ask = Patch(reply, request.match_info["session"], kind, fragment, etag)
    tag, text = await request.app[LIVE].ask(lesson, ask, reply)
    if text is None:
        return web.Response(status=204)
    return web.Response(text=text, content_type=FRAGMENT, headers={hdrs.ETAG: tag})


async def delete(request: web.Request, lesson: str, kind: str) -> web.Response:
    """Hang up."""
    reply: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    await request.app[LIVE].ask(lesson, Hangup(reply, request.match_info["session"], kind), reply)
    return web.Response(status=200)


async def options(request: web.Request) -> web.Response:
    """CORS preflight, and what may be posted and patched here."""
    require(request, Action.ASK_OPTIONS)
    return web.Response(status=204, headers={"Accept-Post": SDP, "Accept-Patch": FRAGMENT})
