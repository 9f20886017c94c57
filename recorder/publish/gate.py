"""When the bulk lane may work: lessons and their viewers come first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

BUSY = 0.5  # part of all cores' time that others take
CALM = 0.35
"""It goes on only below this: who hangs between two limits does not stop and go."""
DAY_MINUTES = 24 * 60


class Hours(NamedTuple):
    """A window of the day in minutes since midnight; over midnight where it ends before it begins."""

    begin: int
    end: int

    def holds(self, minute: int) -> bool:
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def parse_hours(text: str) -> Hours | None:
    """ "22:00-06:30"; None for "". ValueError for what is neither."""
    if not text:
        return None
    begin, _, end = text.partition("-")
    found = [int(hour) * 60 + int(minute) for hour, minute in (part.split(":") for part in (begin, end))]
    if not all(0 <= minutes <= DAY_MINUTES for minutes in found):
        raise ValueError(text)
    return Hours(*found)


def may_work(*, working: bool, lessons_live: int, busy: float, hours: Hours | None, minute: int) -> bool:
    """`busy`: part of the machine's time that others took of late; `minute` of the day."""
    if hours is not None and not hours.holds(minute):
        return False
    return lessons_live == 0 or busy < (BUSY if working else CALM)


@dataclass(slots=True)
class Busyness:
    """How much of the machine others use: all but what runs at a lower priority, as the bulk lane does."""

    path: Path = Path("/proc/stat")
    _total: int = 0
    _others: int = 0

    def read(self) -> float:
        """0 to 1, since the last reading; 0 where the system does not tell."""
        try:
            fields = self.path.read_text().split("\n", 1)[0].split()[1:9]
        except OSError:
            return 0.0
        user, _nice, system, idle, iowait, irq, softirq, steal = map(int, fields)
        total = user + _nice + system + idle + iowait + irq + softirq + steal
        others = user + system + irq + softirq + steal
        passed, taken = total - self._total, others - self._others
        first = self._total == 0
        self._total, self._others = total, others
        return 0.0 if first or passed <= 0 else taken / passed
