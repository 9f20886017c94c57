"""Looks at the cameras and encoders of booked lessons some minutes before their bell.

The rows say what was found, so whoever starts again goes on from there. A source that is carried already is
not opened a second time: the ingest process says how it does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from server.clock import Clock
from server.domain.box_check import UNFIT, BoxCheck, is_due, judged
from server.domain.lesson import Lesson
from server.ingest.contract import NOT_PUSHING, NOT_PUSHING_WORDS, SourceState
from server.live.boxes import source_name, starting
from server.live.ingest_link import IngestLink
from server.protocol.parameters import Source
from server.protocol.sources import ProbePoint, SourceStand
from server.protocol.timetable import Template
from server.store.records import BoxSource

LOOK_S = 5.0
AT_ONCE = 2
NO_PUSH = ProbePoint(NOT_PUSHING, UNFIT, NOT_PUSHING_WORDS)
Look = Callable[[BoxSource], Awaitable[Sequence[ProbePoint] | None]]
"""Watches a source for a moment, pulled or pushed; None where that itself failed."""
logger = logging.getLogger(__name__)


class CheckRows(Protocol):
    """Where looks are kept (`store.box_checks.BoxChecks`)."""

    async def all(self) -> list[BoxCheck]: ...
    async def put(self, check: BoxCheck) -> None: ...
    async def remove(self, room: str, source: Source) -> None: ...


class PlannedLessons(Protocol):
    async def planned(self, until: int, since: int | None = None) -> list[Lesson]: ...


class Checking:
    """Load once; `run` until cancelled. `before_ms` 0: nothing is looked at."""

    def __init__(
        self,
        rows: CheckRows,
        lessons: PlannedLessons,
        ingest: IngestLink,
        look: Look,
        clock: Clock,
        before_ms: int,
    ) -> None:
        self._rows, self._lessons, self._ingest = rows, lessons, ingest
        self._look, self._clock, self._before_ms = look, clock, before_ms
        self._checks: dict[tuple[str, Source], BoxCheck] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def load(self) -> None:
        self._checks = {(check.room, check.source): check for check in await self._rows.all()}

    async def run(self) -> None:
        while self._before_ms:
            try:
                await self.turn()
            except Exception:  # the unit boundary of these looks: the next may do better
                logger.exception("looking at cameras before their lessons failed")
            await asyncio.sleep(LOOK_S)

    async def turn(self) -> None:
        """Look at everything that is due now, the earliest lesson first."""
        now = self._clock.wall_ms()
        coming = await self._lessons.planned(now + self._before_ms, now)
        async with asyncio.TaskGroup() as group:
            for lesson in sorted(coming, key=_begins_at):
                for box in self._looked_at(lesson.template, lesson.main_room):
                    check = self._checks.get((box.room, box.source))
                    if is_due(check, lesson.id, _begins_at(lesson), now, self._before_ms):
                        group.create_task(self._check(lesson.id, box), name=f"check {box.name}")

    async def _check(self, lesson: str, box: BoxSource) -> None:
        async with self._turns:
            points = self._known(lesson, box)
            if points is None:
                points = await self._look(box)
            boxes = {each.source: each.address for each in self._ingest.boxes(box.room)}
            if points is not None and boxes.get(box.source) == box.address:  # not another one meanwhile
                await self._keep(lesson, box, points)

    def _known(self, lesson: str, box: BoxSource) -> Sequence[ProbePoint] | None:
        """What is known without opening it; None: it is to be opened."""
        state = self._ingest.state(source_name(lesson, box.source))
        if state is not None and state.state is SourceState.LIVE:
            return (ProbePoint(state.problem, UNFIT, state.words),) if state.words is not None else ()
        return (NO_PUSH,) if self._pushes(box) is False else None

    def _pushes(self, box: BoxSource) -> bool | None:
        """Whether its encoder pushes now; None where it is pulled, or the ingest process is away."""
        if not box.pushes or not self._ingest.connected:
            return None
        return box.name in self._ingest.pushing

    async def _keep(self, lesson: str, box: BoxSource, points: Sequence[ProbePoint]) -> None:
        place = box.room, box.source
        check = judged(
            *place, lesson, points, self._checks.get(place), self._clock.wall_ms(), sound=box.sound
        )
        self._checks[place] = check
        await self._rows.put(check)

    async def looked(self, box: BoxSource, points: Sequence[ProbePoint]) -> None:
        """Somebody tried the source by hand: that counts where it was looked at before."""
        check = self._checks.get((box.room, box.source))
        if check is not None:
            await self._keep(check.lesson, box, points)

    async def forget(self, room: str, source: Source) -> None:
        """It is another one now, or none: what was found is of the one before."""
        if self._checks.pop((room, source), None) is not None:
            await self._rows.remove(room, source)

    def stands(self, lesson: str, main_room: str, template: Template) -> list[SourceStand]:
        """Each source that starts with this lesson, as it was found or as it is carried now."""
        return [self._stand(lesson, box) for box in self._looked_at(template, main_room)]

    def _looked_at(self, template: Template, main_room: str) -> list[BoxSource]:
        """What comes to the WHIP door comes when its lesson is prepared: there is nothing to see before."""
        return [box for box in starting(template, self._ingest.boxes(main_room)) if not box.by_whip]

    def _stand(self, lesson: str, box: BoxSource) -> SourceStand:
        check = self._checks.get((box.room, box.source))
        state, now = self._ingest.state(source_name(lesson, box.source)), self._clock.wall_ms()
        if state is not None and state.state is SourceState.LIVE and state.words is None:
            return SourceStand(box.source, now)
        known = check if check is not None and check.lesson == lesson else None
        pushes = self._pushes(box)
        if pushes and (known is None or (known.wrong is not None and known.wrong.code == NOT_PUSHING)):
            return SourceStand(box.source, now)  # as far as is known yet
        if known is None:
            return SourceStand(box.source)
        if known.wrong is None:  # it may have gone since
            gone = state.words if state is not None else None
            gone = NOT_PUSHING_WORDS if gone is None and pushes is False else gone
            if gone is not None:
                return SourceStand(box.source, now, known.at, gone)
        wrong = known.wrong.words if known.wrong is not None else None
        return SourceStand(box.source, known.at, known.since, wrong, list(known.points))


def _begins_at(lesson: Lesson) -> int:
    return lesson.booked_from or lesson.created_at
