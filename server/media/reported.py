"""The estimate for viewers without transport-wide feedback: their receiver reports, and REMB where they send
it.

Pure; `now` is monotonic seconds. Loss is judged as in `server.media.estimate`; REMB (draft-alvestrand-
rmcat-remb) stays near one and a half times what comes, so it caps the rate only where it says less than is
sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from server.media.estimate import LEAST_BPS, MOST_BPS, START_BPS, Cause, Losses

INCREASE = (
    1.2  # a report without loss: no probe tells more, and only a rung of the ladder changes what is sent
)
CLEAN = 0.02
HOLD_S, MOST_HOLD_S = 4.0, 60.0
REMB_AGE_S = 5.0


@dataclass(slots=True)
class Reported:
    """One viewer's line. A rate that fails soon after it rose is tried again twice as late."""

    bps: float = START_BPS
    cause: Cause = Cause.NONE
    losses: Losses = field(default_factory=Losses)
    fell_at: float = float("-inf")
    _hold_s: float = HOLD_S
    _remb: tuple[float, float] = (float(MOST_BPS), float("-inf"))
    _reported_at: float = 0.0

    def report(self, loss: float, packets: int, sent_bps: float, now: float) -> None:
        """The last second: the viewer's word on loss (0 to 1), and what was sent to it."""
        since, self._reported_at = self._reported_at, now
        if packets <= 0:
            return
        lost = round(packets * loss)
        if since * 1e6 >= self.losses.counted_from_us:
            self.losses.count(packets - lost, lost)
        allowed = self.losses.judge(self.bps, sent_bps * (1 - loss), now)
        if allowed < self.bps:
            self._fall(allowed, Cause.LOSS, now)
        else:
            self.bps = allowed
            self._climb(loss, now)
        self._heed_remb(sent_bps, now)
        self.bps = min(max(self.bps, LEAST_BPS), MOST_BPS)

    def remb(self, bps: float, now: float) -> None:
        self._remb = (bps, now)

    def _climb(self, loss: float, now: float) -> None:
        if loss - self.losses.own < CLEAN and now - self.fell_at > self._hold_s:
            self.bps *= INCREASE

    def _heed_remb(self, sent_bps: float, now: float) -> None:
        bps, told_at = self._remb
        if now - told_at > REMB_AGE_S:
            return
        if bps < 0.95 * sent_bps and bps < self.bps:
            self._fall(bps, Cause.DELAY, now)
        elif bps > self.bps and now - self.fell_at > self._hold_s:
            self.bps = bps

    def _fall(self, bps: float, cause: Cause, now: float) -> None:
        soon = now - self.fell_at < 3 * self._hold_s
        self._hold_s = min(2 * self._hold_s, MOST_HOLD_S) if soon else HOLD_S
        self.bps, self.cause, self.fell_at = bps, cause, now
