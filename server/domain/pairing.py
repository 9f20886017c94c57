"""Screens that wait to be paired, each under six digits (pure: time and digits are given).

Bounds: a code lives CODE_MS, one address has at most MOST_OF_ONE waiting and all together MOST_OF_ALL; beyond
that the oldest of the same address, or the asker, gives way. A screen that asks again with the same key is
the same one. Nothing here is stored: after a restart screens ask again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from server.errors import UserFault

CODE_MS = 600_000
KEPT_PAIRED_MS = 60_000
MOST_OF_ONE = 40
MOST_OF_ALL = 2_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A screen that shows `code`. `device`, `token`: after somebody entered it."""

    id: str
    code: str
    key: bytes
    browser: str
    address: str
    expires_at: int
    device: str = ""
    token: str = ""


class Pairings:
    """`new_id`, `new_code`: random ones."""

    def __init__(self, new_id: Callable[[], str], new_code: Callable[[], str]) -> None:
        self._new_id = new_id
        self._new_code = new_code
        self._waiting: dict[str, Waiting] = {}

    def open(self, key: bytes, browser: str, address: str, now: int) -> Waiting:
        """A code for this screen. UserFault "pairing_full" where too many wait."""
        self._expire(now)
        for one in self._waiting.values():
            if one.key == key and not one.device:
                return one
        mine = [one for one in self._waiting.values() if one.address == address]
        if len(mine) >= MOST_OF_ONE:
            del self._waiting[min(mine, key=lambda one: one.expires_at).id]
        elif len(self._waiting) >= MOST_OF_ALL:
            raise UserFault(
                "pairing_full",
                zh="等待配对的屏幕太多,请几分钟后再试。",
                en="Too many screens wait to be paired. Try again in some minutes.",
            )
        taken = {one.code for one in self._waiting.values()}
        code = self._new_code()
        while code in taken:
            code = self._new_code()
        waiting = Waiting(self._new_id(), code, key, browser, address, now + CODE_MS)
        self._waiting[waiting.id] = waiting
        return waiting

    def of(self, pairing: str, now: int) -> Waiting | None:
        """The screen's own look."""
        self._expire(now)
        return self._waiting.get(pairing)

    def by_code(self, code: str, now: int) -> Waiting | None:
        """The screen that shows these digits and is not yet paired."""
        self._expire(now)
        return next((one for one in self._waiting.values() if one.code == code and not one.device), None)

    def paired(self, waiting: Waiting, device: str, token: str, now: int) -> None:
        """Its screen finds the token at its next look; the code is used up."""
        done = replace(waiting, device=device, token=token, expires_at=now + KEPT_PAIRED_MS)
        self._waiting[waiting.id] = done

    def _expire(self, now: int) -> None:
        self._waiting = {name: one for name, one in self._waiting.items() if one.expires_at > now}
