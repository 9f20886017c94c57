"""The visit cookie: it names one browser to its signed addresses, and nobody; a copied address needs it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from aiohttp import web

from server.api.identity import VISIT_COOKIE
from server.api.keys import CLOCK, CONFIG, MEDIA_KEY
from server.api.signing import lifetime_s, media_pair, scope_of
from server.ids import random_word

VISIT_LENGTH = 26


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs media paths for one visit. `expires_s`: seconds since 1970."""

    key: bytes
    visit: str
    expires_s: int

    def pair(self, lesson: str) -> str:
        """The signed part of the paths of a lesson's files."""
        return media_pair(self.key, lesson, self.expires_s, self.visit)

    def path(self, lesson: str, file: str) -> str:
        """The signed path of one file; "" for none."""
        if not file:
            return ""
        pair = media_pair(self.key, scope_of(lesson, file), self.expires_s, self.visit)
        return f"/media/{pair}/{lesson}/{file}"


def signer_of(request: web.Request) -> Signer:
    """For the request's visit or a new one, from now on as long as the configuration says."""
    lasts_s = lifetime_s(request.app[CONFIG].security.media_url_minutes)
    expires_s = request.app[CLOCK].wall_ms() // 1000 + lasts_s
    return Signer(request.app[MEDIA_KEY], visit_of(request), expires_s)


def visit_of(request: web.Request) -> str:
    """The browser's visit; a new one where it has none."""
    visit = request.cookies.get(VISIT_COOKIE, "")
    known = len(visit) == VISIT_LENGTH and visit.isascii() and visit.isalnum()
    return visit if known else random_word(VISIT_LENGTH)


def keep_visit(request: web.Request, response: web.StreamResponse, visit: str) -> None:
    """Let the browser remember it."""
    secure = request.secure or request.app[CONFIG].http.public_url.startswith("https:")
    response.set_cookie(VISIT_COOKIE, visit, httponly=True, samesite="Strict", secure=secure, path="/")


def session_name(visit: str) -> str:
    """A name for lists of who watches, from which the cookie cannot be found."""
    return hashlib.sha256(visit.encode()).hexdigest()[:16]


def visitor(request: web.Request) -> str:
    """The `session_name` of who asks."""
    return session_name(request.cookies.get(VISIT_COOKIE, ""))
