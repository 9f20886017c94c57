"""Signed media URLs: `/media/{expires}.{signature}/{lesson}/{file}` (pure).

The signature covers the lesson's prefix, the expiry (seconds since 1970) and the viewer's visit cookie; it
stands in the path, so that the relative URLs of a playlist stay signed, and a playlist is the same bytes for
all. What is made to be downloaded (the film) is signed by itself: who may watch may not yet take it away.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from recorder.archive.layout import is_download

SIGNATURE_BYTES = 20


def lifetime_s(minutes: float) -> int:
    """How long a signature of the configuration's minutes holds."""
    return max(1, round(minutes * 60))


def sign(key: bytes, scope: str, expires_s: int, visit: str) -> str:
    """A URL-safe signature, 27 characters. `scope`: the lesson, or one file of it (`scope_of`)."""
    said = f"{expires_s}/{scope}/{visit}".encode()
    digest = hmac.new(key, said, hashlib.sha256).digest()[:SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def scope_of(lesson: str, file: str) -> str:
    """What a signature for this file has to cover: the lesson, or the one file."""
    return f"{lesson}/{file}" if is_download(file) else lesson


def media_pair(key: bytes, scope: str, expires_s: int, visit: str) -> str:
    """`{expires}.{signature}`, which stands in the path."""
    return f"{expires_s}.{sign(key, scope, expires_s, visit)}"


def media_prefix(key: bytes, lesson: str, expires_s: int, visit: str) -> str:
    """The URL path under which the lesson's files are, for this viewer, until then."""
    return f"/media/{media_pair(key, lesson, expires_s, visit)}/{lesson}/"


def signature_holds(key: bytes, scope: str, expires: str, visit: str, signature: str, *, now_s: int) -> bool:
    """Whether a URL's signature is ours, for this viewer, and not over."""
    if not visit or not expires.isascii() or not expires.isdigit() or len(expires) > 12:
        return False
    if int(expires) <= now_s:
        return False
    return hmac.compare_digest(sign(key, scope, int(expires), visit).encode(), signature.encode())
