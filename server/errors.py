"""Errors by audience. One translator at each boundary turns them into what its reader understands."""

from __future__ import annotations

from server.protocol.messages import Words


class LiankeError(Exception):
    """Base of the errors we raise on purpose. `code` is stable and documented, `words` is for people."""

    def __init__(self, code: str, *, zh: str, en: str) -> None:
        super().__init__(f"{code}: {en}")
        self.code = code
        self.words = Words(zh=zh, en=en)


class PeerFault(LiankeError):
    """The other side broke a protocol (SDP, STUN, WebSocket ...): counted, answered, never a traceback."""


class UserFault(LiankeError):
    """A person or client asked for what cannot be; the words say what to do instead."""


class Refused(LiankeError):
    """No right to it, or it does not exist: the outside cannot tell which (HTTP 404)."""
