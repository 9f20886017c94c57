"""The one place that asks the time. Rules take `now` as an argument instead."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def wall_ms(self) -> int:
        """Milliseconds since 1970, for people and rows."""
        ...

    def monotonic(self) -> float:
        """Seconds, never set back, for deadlines."""
        ...


class SystemClock:
    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()
