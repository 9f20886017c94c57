"""Credentials for the TURN server: by session, for some hours (TURN REST: draft-uberti-behave-turn-rest-00).

coturn knows the same secret (`use-auth-secret`) and checks them without asking us. They are told to the
session alone and never logged.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from server.config import Turn
from server.protocol.parameters import IceServer

HOUR_MS = 3_600_000


def ice_servers(turn: Turn, session: str, now_ms: int) -> list[IceServer]:
    """What a session's RTCPeerConnections need; empty where no TURN server is configured."""
    if not turn.urls:
        return []
    username = f"{(now_ms + turn.credential_hours * HOUR_MS) // 1000}:{session}"
    return [IceServer(turn.urls, username, credential(turn.secret, username))]


def credential(secret: str, username: str) -> str:
    """The password of "EXPIRY:NAME" (seconds since 1970)."""
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
