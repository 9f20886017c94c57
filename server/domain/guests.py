"""A guest's link: for one lesson, or for whichever is on in a main room, until a moment (pure).

Who has the link is not in the lesson by it: it opens the lobby, where the teacher lets in or refuses.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.questions import clean
from server.errors import UserFault

LONGEST_HOURS = 14 * 24
LONGEST_NAME = 24
LONGEST_LABEL = 40


@dataclass(frozen=True, slots=True)
class GuestLink:
    """`lesson` None: whichever is on in `room`; `label`: for whom it was made. Times: ms since 1970."""

    number: int
    room: str
    lesson: str | None
    label: str
    made_by: str
    made_at: int
    until: int
    ended_at: int | None = None

    def good(self, now: int) -> bool:
        return self.ended_at is None and now < self.until


def link_until(hours: int, now: int) -> int:
    """When a link made now is over. UserFault "bad_hours"."""
    if not 1 <= hours <= LONGEST_HOURS:
        raise UserFault(
            "bad_hours",
            zh=f"链接有效期为 1 至 {LONGEST_HOURS} 小时。",
            en=f"A link is good for 1 to {LONGEST_HOURS} hours.",
        )
    return now + hours * 3_600_000


def guest_name(text: str) -> str:
    """How a guest is called in the lobby and in "watched by". UserFault "bad_name"."""
    name = clean(text)[:LONGEST_NAME]
    if not name:
        raise UserFault(
            "bad_name",
            zh=f"请写上您的姓名（最多 {LONGEST_NAME} 个字），老师看了才好让您进来。",
            en=f"Write your name (at most {LONGEST_NAME} characters): the teacher lets in whom they know.",
        )
    return name
