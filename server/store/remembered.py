"""Answers that may be a little old: kept for some seconds, at most so many."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from server.clock import Clock

T = TypeVar("T")


class Remembered(Generic[T]):
    """`for_s`: how old an answer may be; beyond `most` answers all are forgotten."""

    def __init__(self, clock: Clock, for_s: float, most: int) -> None:
        self._clock, self._for_s, self._most = clock, for_s, most
        self._kept: dict[Hashable, tuple[float, T]] = {}

    def get(self, asked: Hashable) -> T | None:
        found = self._kept.get(asked)
        return None if found is None or self._clock.monotonic() >= found[0] else found[1]

    def put(self, asked: Hashable, answer: T) -> None:
        if len(self._kept) >= self._most:
            self._kept.clear()
        self._kept[asked] = (self._clock.monotonic() + self._for_s, answer)

    def forget(self) -> None:
        """What was asked about has changed."""
        self._kept.clear()
