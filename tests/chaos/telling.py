"""What is told of a lesson that was not survived: how the studio stood, who died when and came back when, the
last words of everybody."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from server.drill.classroom import Classroom
from tests.chaos.judging import Death
from tests.chaos.sent import Sent
from tests.peers.lessons import Holding

LAST_LINES = 40
COMINGS = 24
_STARTED = re.compile(r"^(\S+) .*started program=(\S+) pid=(\d+)", re.MULTILINE)


def state_of(held: Holding, studio: Classroom, deaths: Sequence[Death], sent: Sequence[Sent]) -> str:
    """For people."""
    now, log = time.time(), held.server.log.read_text(errors="replace")
    task = held.tasks[studio]
    fault = task.exception() if task.done() and not task.cancelled() else None
    quiet_s = now - sent[-1].at if sent else float("nan")
    lines = [
        f"now {_clock(now)}; the studio's task {'has ended' if task.done() else 'runs'} {fault!r}",
        f"the studio: {studio.standing}; last packet {quiet_s:.1f} s ago",
        "deaths: " + ", ".join(f"{death.victim} {_clock(death.at)}" for death in deaths),
        "started: " + ", ".join(f"{name} {at} ({pid})" for at, name, pid in _STARTED.findall(log)[-COMINGS:]),
        *log.splitlines()[-LAST_LINES:],
    ]
    return "\n".join(lines)


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-4]
