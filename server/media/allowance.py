"""How much of something a peer may make us do: so many at once, so many a second. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Allowance:
    """A token bucket. `at_once`: its size; `per_s`: how fast it fills. Times are seconds of one clock."""

    at_once: float
    per_s: float
    left: float = -1.0
    at: float = 0.0

    def take(self, now: float) -> bool:
        """One of them, where there is one left."""
        if self.left < 0.0:
            self.left = self.at_once
        else:
            self.left = min(self.at_once, self.left + max(0.0, now - self.at) * self.per_s)
        self.at = now
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True
