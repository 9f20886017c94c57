"""The visit cookie: it names one browser to its signed addresses, and nobody."""

from __future__ import annotations

import hashlib

from aiohttp import web

from server.api.identity import VISIT_COOKIE
from server.api.keys import CONFIG
from server.ids import random_word

VISIT_LENGTH = 26


def visit_of(request: web.Request) -> str:
    """The browser's visit; a new one where it has none."""
    visit = request.cookies.get(VISIT_COOKIE, "")
    return visit if len(visit) == VISIT_LENGTH and visit.isalnum() else random_word(VISIT_LENGTH)


def keep_visit(request: web.Request, response: web.Response, visit: str) -> None:
    """Let the browser remember it."""
    secure = request.secure or request.app[CONFIG].http.public_url.startswith("https:")
    response.set_cookie(VISIT_COOKIE, visit, httponly=True, samesite="Strict", secure=secure, path="/")


def session_name(visit: str) -> str:
    """A name for lists of who watches, from which the cookie cannot be found."""
    return hashlib.sha256(visit.encode()).hexdigest()[:16]


def visitor(request: web.Request) -> str:
    """The `session_name` of who asks."""
    return session_name(request.cookies.get(VISIT_COOKIE, ""))
