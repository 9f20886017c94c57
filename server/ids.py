"""Names made by campus: lesson ids, peer names, codes. All randomness of names comes from here."""

from __future__ import annotations

import re
import secrets

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
LESSON_ID = re.compile(r"L[0-9a-z]{10}")
ROOM_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def _base36(value: int, width: int) -> str:
    digits = []
    for _ in range(width):
        value, digit = divmod(value, 36)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def random_word(length: int) -> str:
    """`length` characters of [0-9a-z], unguessable from 13 up (67 bits)."""
    return _base36(secrets.randbelow(36**length), length)


def new_lesson_id(now_ms: int) -> str:
    """ "L", six characters that rise with time (seconds, until 2038), four random ones."""
    return "L" + _base36(now_ms // 1000, 6) + random_word(4)


def is_lesson_id(text: str) -> bool:
    return LESSON_ID.fullmatch(text) is not None


def is_room_id(text: str) -> bool:
    return ROOM_ID.fullmatch(text) is not None


def new_peer_name(lesson: str, seat: str, direction: str) -> str:
    """A WebRTC connection's name for its whole life; `direction` is "up" or "down"."""
    return f"{lesson}/{seat}/{direction}/{random_word(8)}"


def new_session_id() -> str:
    """A WebSocket session, to be resumed by who knows it."""
    return random_word(20)


def new_room_code() -> str:
    """Six digits for a person to type."""
    return f"{secrets.randbelow(1_000_000):06d}"
