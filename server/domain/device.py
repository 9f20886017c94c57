"""A room's paired machine: whose it is, which browser key proves it, and when another key may take its place.

Pure. A device has one active key. Its launcher holds a restore secret (`restore` is the number it is made
from): a wiped browser makes a new key and takes the old one's place by it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MOVED_TOO_OFTEN = 4
A_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Device:
    """`number` rises with every key: tokens of an earlier one are over. `moves`: when its last keys came."""

    id: str
    room: str
    key: bytes  # an uncompressed point of P-256
    number: int = 1
    restore: int = 1
    label: str = ""
    browser: str = ""
    paired_at: int = 0
    paired_by: str = ""
    bound_at: int = 0
    moves: tuple[int, ...] = ()
    seen_at: int | None = None
    revoked_at: int | None = None


def rebound(device: Device, key: bytes, browser: str, now: int) -> Device:
    """The same machine with a new key; the old key and its tokens are over."""
    moves = (*(at for at in device.moves if now - at < A_DAY_MS), now)[-MOVED_TOO_OFTEN:]
    return replace(
        device, key=key, browser=browser, number=device.number + 1, bound_at=now, moves=moves, seen_at=now
    )


def is_suspect(moves: tuple[int, ...], now: int, *, in_use: bool) -> bool:
    """Whether a new key wants a person's eye: the old one was at work just then, or keys come too often. A
    restore card's machine gets a new key each morning; that alone is nothing."""
    recent = [at for at in moves if now - at < A_DAY_MS]
    return in_use or len(recent) >= MOVED_TOO_OFTEN
