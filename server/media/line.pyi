"""What the bursts of one viewer show of its line, as far as it is arithmetic for each burst. Pure, compiled.

Three things: the growth of one-way delay (a trend line over the last 20 bursts with the over-use detector of
draft-ietf-rmcat-gcc-02, 5.4 and its adaptive threshold), how long packets wait (delay above its least of the
last ten seconds), and how much came (bits a second over half a second of arrivals).
"""

NORMAL: int
OVER: int
UNDER: int
"""What the delay says of the line: `Line.usage`."""

class Line:
    queue_ms: float
    """How long packets wait now, smoothed."""

    @property
    def usage(self) -> int: ...
    def feed(self, bursts: bytes, now: float, counted_from_us: int) -> tuple[int, int, int, bool]:
        """Bursts as the relay tells them (`tables.BURST`), oldest first, at `now` (seconds, not negative):
        how many, packets that came and that were lost of those sent from `counted_from_us` on, and whether
        the delay said OVER at any of them."""

    def received_bps(self, window_us: int = 500_000) -> float | None:
        """Over the last so many microseconds of arrivals, 500,000 at most; None before enough came."""

    def forget_delay(self, now: float) -> None:
        """Somebody else keeps the queue full: its least of the last second is empty from now on."""

    def forget_trend(self) -> None:
        """What the delay did up to now says nothing of what comes."""
