"""Wrong codes and passwords are slowed per address: some tries are free, then each doubles the wait (pure).

An IPv6 address counts by its /64. At most MAX_ADDRESSES are remembered; the oldest are forgotten first.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from server.errors import UserFault

MAX_ADDRESSES = 10_000
LONGEST_WAIT_S = 300.0
FORGOTTEN_AFTER_S = 3600.0


class TooSoon(UserFault):
    """HTTP 429: come back in `retry_after_s`."""

    def __init__(self, retry_after_s: float) -> None:
        seconds = max(1, round(retry_after_s))
        super().__init__(
            "too_many_tries",
            zh=f"试得太快了,请 {seconds} 秒后再试。",
            en=f"Too many tries. Try again in {seconds} s.",
        )
        self.retry_after_s = seconds


@dataclass(slots=True)
class _Tries:
    wrong: int
    last: float
    not_before: float


class Slowing:
    """Counts wrong tries. `now` is monotonic seconds."""

    def __init__(self, free_tries: int, first_wait_s: float) -> None:
        self._free = free_tries
        self._first_wait_s = first_wait_s
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def attempt(self, address: str, now: float) -> None:
        """Count a try before it is judged, so that many at the same moment gain nothing; `right` takes it
        back. TooSoon where this address has to wait."""
        key = _key(address)
        tries = self._tries.pop(key, None)
        if tries is None or now - tries.last > FORGOTTEN_AFTER_S:
            tries = _Tries(0, now, now)
        self._tries[key] = tries
        while len(self._tries) > MAX_ADDRESSES:
            self._tries.popitem(last=False)
        if now < tries.not_before:
            raise TooSoon(tries.not_before - now)
        tries.wrong += 1
        tries.last = now
        over = tries.wrong - self._free
        if over >= 0:
            tries.not_before = now + min(self._first_wait_s * 2.0 ** min(over, 20), LONGEST_WAIT_S)

    def right(self, address: str) -> None:
        """A right try forgets the wrong ones."""
        self._tries.pop(_key(address), None)


def _key(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)
