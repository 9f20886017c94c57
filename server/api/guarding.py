"""What every response gets: security headers; and none leaves unless its handler asked the rights door."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from server.api.identity import ASKED
from server.api.keys import CONFIG
from server.errors import UserFault

T = TypeVar("T")
PACK_FROM = 16_384
PACK_LEVEL = 4
DEVICES = ("/probe", "/find", "/discover")
LONG_LIVED = ("/ws", "/media/", "/media-export/", "/api/v1/timetable/import", "/api/v1/people/import")

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "connect-src 'self' {sockets}",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class NotAsked(Exception):
    """A handler answered without asking the rights door: a defect of ours, and nothing is sent."""


async def dress(request: web.Request, response: web.StreamResponse) -> None:
    """Signal `on_response_prepare`: headers, and the proof that the door was asked."""
    routed = request.match_info.http_exception is None
    if routed and response.status < 400 and not request.get(ASKED, False):
        raise NotAsked(f"{request.method} {request.path}")
    response.headers["Server"] = "Lianke"
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    host = request.headers.get(hdrs.HOST, "")
    sockets = (
        f"ws://{host} wss://{host}"
        if host.replace(":", "").replace(".", "").replace("-", "").isalnum()
        else ""
    )
    response.headers.setdefault("Content-Security-Policy", POLICY.format(sockets=sockets))
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")


@web.middleware
async def time_limit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No request but a WebSocket, a media file or a look at a device (bounded by `ingest.apart`) takes longer
    than the configuration says."""
    if request.path.startswith(LONG_LIVED) or request.path.endswith(DEVICES):
        return await handler(request)
    async with asyncio.timeout(request.app[CONFIG].http.request_timeout_s):
        return await handler(request)


async def body_of(request: web.Request, kind: type[T]) -> T:
    """The JSON body as a struct. UserFault "bad_body" where it is none; too large a one is 413."""
    if request.content_type != "application/json":
        raise UserFault("bad_body", zh="请求体应为 JSON。", en="Send the body as application/json.")
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise UserFault(
            "bad_body", zh=f"请求内容不对:{error}", en=f"The body does not fit: {error}"
        ) from error


def answer(value: object, status: int = 200) -> web.Response:
    """A resource as JSON."""
    return encoded(msgspec.json.encode(value), status)


def encoded(body: bytes, status: int = 200) -> web.Response:
    """A resource that is JSON already."""
    return web.Response(status=status, body=body, content_type="application/json")


@dataclass(frozen=True, slots=True)
class Packed:
    """A resource that is told more than once: JSON, and the same by gzip where it is large."""

    plain: bytes
    packed: bytes

    @classmethod
    def of(cls, value: object) -> Packed:
        plain = msgspec.json.encode(value)
        return cls(plain, gzip.compress(plain, PACK_LEVEL) if len(plain) >= PACK_FROM else b"")

    def answer(self, request: web.Request) -> web.Response:
        """As small as the asker takes it."""
        if not self.packed or "gzip" not in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            return encoded(self.plain)
        response = encoded(self.packed)
        response.headers[hdrs.CONTENT_ENCODING] = "gzip"
        response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        return response
