"""Which page holds which identity, and under which session it may come back. Owned by the service."""

from __future__ import annotations

import re
from dataclasses import dataclass

from server import ids
from server.clock import Clock
from server.domain.admission import MANY, Identity
from server.live.ports import PagePort
from server.protocol.messages import Refused, Role, Words

SESSION = re.compile(r"[0-9a-z]{20}")

Key = tuple[Role, str]


@dataclass(slots=True)
class _Held:
    session: str
    page: PagePort | None
    left_at: int


class Sessions:
    """One page for each studio, receiving room and phone remote; others are as many as they like.

    A session that is unknown is believed for `resume_ms` after our own start: it may be older than we are,
    and its page proved who it is by its token.
    """

    def __init__(self, clock: Clock, resume_ms: int) -> None:
        self._clock = clock
        self._resume_ms = resume_ms
        self._started_at = clock.wall_ms()
        self._held: dict[Key, _Held] = {}

    def page(self, identity: Identity) -> PagePort | None:
        """The page that is this studio or room now."""
        held = self._held.get(_key(identity, ""))
        return held.page if held is not None else None

    def begin(self, identity: Identity, resume: str | None) -> tuple[str, bool]:
        """The session of a page that was admitted, and whether it is the one it had before."""
        now = self._clock.wall_ms()
        self._held = {
            key: held
            for key, held in self._held.items()
            if held.page is not None or now - held.left_at <= self._resume_ms
        }
        if resume is not None and SESSION.fullmatch(resume) and self._may_resume(identity, resume, now):
            return resume, True
        return ids.new_session_id(), False

    def entered(self, page: PagePort) -> None:
        self._held[_key(page.identity, page.session)] = _Held(page.session, page, 0)

    def left(self, page: PagePort) -> None:
        held = self._held.get(_key(page.identity, page.session))
        if held is not None and held.page is page:
            held.page, held.left_at = None, self._clock.wall_ms()

    def _may_resume(self, identity: Identity, resume: str, now: int) -> bool:
        held = self._held.get(_key(identity, resume))
        if held is not None:
            return held.session == resume
        return now - self._started_at <= self._resume_ms


def _key(identity: Identity, session: str) -> Key:
    return (identity.role, session if identity.role in MANY else identity.room)


def newer_page(role: Role) -> Refused:
    """What the page that was here is told when another one comes."""
    if role is Role.TEACHER:
        words = Words(zh="这节课已由另一台电脑接手。", en="Another computer has taken this lesson over.")
        return Refused(code="taken_over", words=words, fatal=True)
    if role is Role.REMOTE:
        words = Words(zh="遥控已换到另一部手机。", en="Another phone holds the remote now.")
        return Refused(code="newer_page", words=words, fatal=True)
    words = Words(zh="这个教室已在另一个页面打开。", en="This room was opened in another page.")
    return Refused(code="newer_page", words=words, fatal=True)
