"""Errors become problem details (RFC 9457): the one translator of the HTTP boundary.

Who has no right gets 404; a fault of ours says nothing of itself and is logged once.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from server.api.keys import METRICS
from server.api.slowing import TooSoon
from server.errors import LiankeError, PeerFault, Refused, UserFault
from server.ops.logs import fields
from server.ops.metrics import Metrics
from server.protocol.messages import Words
from server.protocol.resources import Problem

log = logging.getLogger("api")

STATUS_OF_CODE = {
    "bad_body": 400,
    "bad_captions": 400,
    "bad_certificate": 400,
    "bad_choice": 400,
    "bad_key": 400,
    "bad_edit": 400,
    "bad_hours": 400,
    "bad_login": 400,
    "bad_day": 400,
    "bad_name": 400,
    "bad_password": 403,
    "bad_position": 400,
    "bad_query": 400,
    "bundle_required": 422,
    "disk_full": 503,
    "fingerprint_required": 422,
    "media_busy": 503,
    "no_lesson_yet": 503,
    "not_ready": 503,
    "nothing_accepted": 422,
    "nothing_left": 400,
    "profile_unsupported": 422,
    "rtcp_mux_required": 422,
    "setup_required": 422,
    "stale_tag": 412,
    "stale_version": 412,
    "store_away": 503,
    "too_large": 413,
    "too_large_film": 400,
    "too_long_words": 400,
    "pairing_full": 503,
    "wrong_code": 403,
}
OUR_FAULT = Words(
    zh="服务器出了问题,已记录。请稍后再试。", en="The server failed; it is logged. Try again soon."
)
BY_STATUS: dict[int, tuple[str, Words]] = {
    404: ("not_found", Words(zh="没有找到。请检查网址。", en="Not found. Check the address.")),
    405: ("bad_method", Words(zh="这个地址不支持该操作。", en="This address does not do that.")),
    413: ("too_large", Words(zh="提交的内容太大。", en="What was sent is too large.")),
    503: ("busy", Words(zh="服务器正忙,请稍后再试。", en="The server is busy. Try again soon.")),
}


def problem_response(
    status: int, code: str, words: Words, headers: dict[str, str] | None = None
) -> web.Response:
    body = Problem(type=f"urn:lianke:problem:{code}", title=words.en, status=status, code=code, words=words)
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def translate(error: LiankeError) -> web.Response:
    """The response to one of our own errors."""
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooSoon) else {}
    match error:
        case TooSoon():
            status = 429
        case Refused():
            status = 404
        case PeerFault():
            status = STATUS_OF_CODE.get(error.code, 400)
        case UserFault():
            status = STATUS_OF_CODE.get(error.code, 409)
        case _:
            status = 500
    return problem_response(status, error.code, error.words, headers)


def _of_status(error: web.HTTPException) -> web.Response:
    code, words = BY_STATUS.get(
        error.status, (f"http_{error.status}", Words(zh=error.reason, en=error.reason))
    )
    allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return problem_response(error.status, code, words, allowed)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The unit boundary of a request: whatever goes wrong inside is answered and logged here."""
    try:
        response = await handler(request)
    except LiankeError as error:
        request.app[METRICS].refused.labels(code=error.code).inc()
        response = translate(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = _of_status(error)
    except TimeoutError:
        response = problem_response(503, *BY_STATUS[503])
    except asyncio.CancelledError:
        raise
    except Exception as error:
        if isinstance(error, ConnectionError) and _has_left(request):
            raise  # there is nobody to answer
        log.exception("request failed", extra=fields(method=request.method, route=_route_of(request)))
        response = problem_response(500, "our_fault", OUR_FAULT)
    request.app[METRICS].responses.labels(method=_method_of(request), status=response.status).inc()
    return response


def _has_left(request: web.Request) -> bool:
    """Whether whoever asked has hung up."""
    return request.transport is None or request.transport.is_closing()


def _method_of(request: web.Request) -> str:
    """A label of few values, whatever is sent."""
    return (
        request.method
        if request.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
        else "other"
    )


def _route_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "?"


class PeersFaults(logging.Filter):
    """On aiohttp's own records: what is no HTTP is counted, not logged; who hung up did no wrong; an address
    is never told."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        self._metrics = metrics

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            self._metrics.refused.labels(code="bad_http").inc()
            return False
        if isinstance(error, ConnectionError):  # of the peer's connection: `problems` answers any other
            return False
        record.msg, record.args = "a connection's handler failed", ()
        return True


def connection_log(metrics: Metrics) -> logging.Logger:
    """The logger that aiohttp's connections of one application write to."""
    logger = logging.Logger("api.http")
    logger.parent = logging.getLogger()
    logger.addFilter(PeersFaults(metrics))
    return logger
