"""Cameras and encoders before their lesson: when to look at one, and what is wrong with it. Pure.

Sources are closed between lessons, so what became of one overnight is seen by looking: it is opened for a
moment some minutes before the bell. `now` is milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.protocol.parameters import Source
from server.protocol.sources import ProbePoint

AGAIN_MS = 60_000
"""What was not well is looked at again after so long."""
UNFIT, GOOD = "unfit", "good"
SOUNDLESS = frozenset({"no_audio", "silent"})
"""Verdicts that matter where its sound is the teacher's voice."""
OF_SOUND = SOUNDLESS | {"clipping", "narrow_sound"}


@dataclass(frozen=True, slots=True)
class BoxCheck:
    """The last look at a source before a lesson. `wrong`: what keeps it from teaching, since `since`; None:
    it is well; `points`: whatever else the probe has to say."""

    room: str
    source: Source
    lesson: str
    at: int
    wrong: ProbePoint | None = None
    since: int = 0
    points: tuple[ProbePoint, ...] = ()


def is_due(check: BoxCheck | None, lesson: str, begins_at: int, now: int, before_ms: int) -> bool:
    """Whether the source is to be looked at now for the lesson that begins then."""
    if now < begins_at - before_ms:
        return False
    if check is None or check.lesson != lesson:
        return True
    return check.wrong is not None and now - check.at >= AGAIN_MS


def judged(
    room: str,
    source: Source,
    lesson: str,
    found: Iterable[ProbePoint],
    before: BoxCheck | None,
    now: int,
    *,
    sound: bool,
) -> BoxCheck:
    """What a look found; `sound`: its sound is the teacher's voice. What was wrong
    `before` is so since then."""
    of_no_use = frozenset[str]() if sound else OF_SOUND
    points = [point for point in found if point.fitness != GOOD and point.code not in of_no_use]
    wrong = next((one for one in points if one.fitness == UNFIT or one.code in SOUNDLESS), None)
    told = tuple(point for point in points if point is not wrong)
    if wrong is None:
        return BoxCheck(room, source, lesson, now, None, 0, told)
    goes_on = before is not None and before.lesson == lesson and before.wrong is not None
    return BoxCheck(room, source, lesson, now, wrong, before.since if goes_on and before else now, told)
