"""When a viewer's sound carries the sound before it again (RED, RFC 2198): pure.

A line that loses packets at random loses two in a row too, and what is asked for again comes a round trip
later, after its time: so each sound goes out up to three times. It costs little beside a picture, but is not
put on a line that is full: there loss is what the queue drops.
"""

from __future__ import annotations

from dataclasses import dataclass

DEPTH = 2
FROM_SHARE = 0.03
"""Below it, one sound that repeats one other (what browsers send) leaves 1 in 1,000 unheard."""
SPARE_BPS = 150_000.0
"""What the line must carry beside what is sent: two voices, twice more."""
HOLD_S = 10.0
"""After the last look that found so much loss: it is counted over half a second, and so varies."""


@dataclass(slots=True)
class Repeating:
    """One viewer's; asked at each of its turns."""

    _until: float = float("-inf")

    def depth(self, share: float, spare_bps: float, now: float) -> int:
        """`share`: lost of what was sent, 0 to 1; `now`: monotonic seconds."""
        if share >= FROM_SHARE:
            self._until = now + HOLD_S
        return DEPTH if now < self._until and spare_bps >= SPARE_BPS else 0
