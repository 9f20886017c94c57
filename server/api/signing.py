"""Signed media URLs: `/media/{expires}.{signature}/{lesson}/{file}` (pure).

The signature covers the lesson's prefix, the expiry (seconds since 1970) and the viewer's visit cookie; it
stands in the path, so that the relative URLs of a playlist stay signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

SIGNATURE_BYTES = 20


def sign(key: bytes, lesson: str, expires_s: int, visit: str) -> str:
    """A URL-safe signature, 27 characters."""
    said = f"{expires_s}/{lesson}/{visit}".encode()
    digest = hmac.new(key, said, hashlib.sha256).digest()[:SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def media_prefix(key: bytes, lesson: str, expires_s: int, visit: str) -> str:
    """The URL path under which the lesson's files are, for this viewer, until then."""
    return f"/media/{expires_s}.{sign(key, lesson, expires_s, visit)}/{lesson}/"


def signature_holds(key: bytes, lesson: str, expires: str, visit: str, signature: str, *, now_s: int) -> bool:
    """Whether a URL's signature is ours, for this viewer, and not over."""
    if not visit or not expires.isascii() or not expires.isdigit() or len(expires) > 12:
        return False
    if int(expires) <= now_s:
        return False
    return hmac.compare_digest(sign(key, lesson, int(expires), visit).encode(), signature.encode())
