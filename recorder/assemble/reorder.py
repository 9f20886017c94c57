"""Packets back in order: 64-bit sequence numbers and a reorder buffer with a bound and a patience."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

HELD_AT_MOST = 2048
"""Packets held for a missing one; a screen's keyframe alone has 400."""
PATIENCE_S = 1.0
"""How long a missing packet is waited for after a later one came."""
OPENING_S = 0.1
"""How long the very first packets are gathered, since they too may come out of order."""
STALE_RESETS = 64
"""So many packets in a row from behind mean that the sender began anew."""


class Ordered(NamedTuple):
    """A packet in its place. `missing`: how many before it never came (or not in time)."""

    missing: int
    sequence: int  # 64-bit
    timestamp: int  # 64-bit
    marker: bool
    payload: bytes
    arrival_s: float


def unwrap(value: int, near: int, bits: int) -> int:
    """The 64-bit number that ends in `value` and is nearest to `near`."""
    half = 1 << (bits - 1)
    return near + (((value - near) + half) & ((1 << bits) - 1)) - half


class Reorder:
    """One SSRC's packets. `push` takes them as they come, `pull` gives those whose turn it is."""

    def __init__(self) -> None:
        self._held: dict[int, Ordered] = {}
        self._next: int | None = None
        self._since: float | None = None  # when the first packet behind the present hole came
        self._sequence = 0
        self._timestamp: int | None = None
        self._stale = 0
        self.lost = 0
        self.late = 0

    def push(self, sequence: int, timestamp: int, marker: bool, payload: bytes, arrival_s: float) -> None:
        if self._timestamp is None:
            self._sequence, self._timestamp = sequence + (1 << 32), timestamp + (1 << 40)
        number = unwrap(sequence, self._sequence, 16)
        time = unwrap(timestamp, self._timestamp, 32)
        if self._next is not None and number < self._next:
            self.late += 1
            self._stale += 1
            if self._stale < STALE_RESETS:
                return
            number += (self._sequence - number + 0xFFFF) & ~0xFFFF  # began anew: above all before
            self._next = number
            self._held.clear()
        self._stale = 0
        if number > self._sequence:
            self._sequence, self._timestamp = number, time
        self._held.setdefault(number, Ordered(0, number, time, marker, payload, arrival_s))

    def unwrap_timestamp(self, timestamp: int) -> int | None:
        """64-bit RTP time near the newest packet's, or None before the first packet."""
        return None if self._timestamp is None else unwrap(timestamp, self._timestamp, 32)

    def pull(self, now_s: float, *, all_of_them: bool = False) -> Iterator[Ordered]:
        """Packets in order. `all_of_them`: nothing more will come, wait for nothing."""
        held = self._held
        while held:
            missing = 0
            if self._next is None or self._next not in held:
                if not (all_of_them or self._waited_long_enough(now_s)):
                    return
                first = min(held)
                missing = first - self._next if self._next is not None else 0
                self._next = first
                self.lost += missing
            self._since = None
            packet = held.pop(self._next)
            self._next += 1
            yield packet._replace(missing=missing) if missing else packet

    def _waited_long_enough(self, now_s: float) -> bool:
        if self._since is None:
            self._since = min(packet.arrival_s for packet in self._held.values())
        patience = OPENING_S if self._next is None else PATIENCE_S
        return now_s - self._since >= patience or len(self._held) > HELD_AT_MOST
