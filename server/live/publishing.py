"""What is made of recordings after class, as campus follows it.

The row is the truth: it says what was asked for and how far it is, and whatever the publisher lacks is
submitted again when it connects. Also what is kept how long.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

from recorder.archive.manifest import BadManifest, Manifest
from recorder.archive.published import PUBLISHED, PublishingState, Stretch
from recorder.archive.reading import BadName, lesson_folder, read_recording
from recorder.contract import RecordingState
from recorder.publish.contract import Card, Command, Moment, Publishing, Remove, Removed, Submit
from server.clock import Clock
from server.config import Config
from server.domain.editing import EditList, kept
from server.domain.lesson import Lesson
from server.domain.retention import DAY_MS, KeptAs, ended_before
from server.errors import UserFault
from server.live.publisher_link import PublisherLink
from server.store.records import LessonOverview, Mark, PublishingRow, RetentionRow

log = logging.getLogger(__name__)
LOOK_S = 2.0
SWEEP_S = 3600.0
SWEPT_AT_ONCE = 1_000
"""Recordings; the others are due an hour later still."""
AUDITOR = "retention"
LONGEST_S = 1e6
CHINA = timezone(timedelta(hours=8))


class PublishingStore(Protocol):
    """Rows of what is made."""

    async def save(self, row: PublishingRow) -> None: ...

    async def row(self, lesson: str) -> PublishingRow | None: ...

    async def unsettled(self) -> list[PublishingRow]: ...

    async def unsubmitted(self) -> list[str]: ...

    async def retention(self, lesson: str) -> RetentionRow | None: ...

    async def retentions(self, lessons: Sequence[str]) -> dict[str, RetentionRow]: ...

    async def save_retention(self, row: RetentionRow) -> None: ...

    async def deleted(self, row: RetentionRow) -> None: ...

    async def over(self, limits: Mapping[str, int], most: int) -> list[str]: ...

    async def local(self, ended_before: int, most: int) -> list[str]: ...

    async def freed(self, lesson: str, at: int | None) -> None: ...


class LessonRows(Protocol):
    """Rows of lessons, and the audit log."""

    async def lesson(self, lesson: str) -> LessonOverview | None: ...

    async def marks(self, lesson: str) -> list[Mark]: ...

    async def audit(self, actor: str, action: str, thing: str, **details: str) -> None: ...


class NothingFailed(UserFault):
    """There is nothing to be tried again."""

    def __init__(self) -> None:
        super().__init__(
            "nothing_failed",
            zh="没有失败的步骤,无需重试。",
            en="No step has failed: there is nothing to try again.",
        )


class NotRecorded(UserFault):
    """The lesson has no finished recording."""

    def __init__(self) -> None:
        super().__init__(
            "not_ready",
            zh="这节课还没有可回放的录像,请稍后再试。",
            en="There is nothing to replay of this lesson yet. Try again soon.",
        )


class PublishingService:
    """Build it once; `run` until cancelled."""

    def __init__(
        self,
        config: Config,
        rows: PublishingStore,
        lessons: LessonRows,
        clock: Clock,
        lessons_live: Callable[[], Iterable[str]],
        said_of: Callable[[str], Awaitable[dict[str, str]]],
        edits_of: Callable[[str], Awaitable[EditList]],
    ) -> None:
        """`said_of`: title, school, teacher and subject of a lesson, as the catalogue has them; `edits_of`:
        what of it is shown."""
        self._said_of = said_of
        self._edits_of = edits_of
        self._config = config
        self._rows = rows
        self._lessons = lessons
        self._clock = clock
        self._lessons_live = lessons_live
        self._link = PublisherLink(
            config.run_path / "publisher.sock", self._submit_lacking, self._told, self._removed
        )
        self._saved: dict[str, PublishingRow] = {}
        self._one_change = asyncio.Lock()

    @property
    def connected(self) -> bool:
        return self._link.connected

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._link.run(), name="publisher link")
            group.create_task(self._look(), name="new recordings")
            group.create_task(self._sweep(), name="retention")

    # -- what the API asks

    async def row(self, lesson: str) -> PublishingRow | None:
        """What was asked for and how far it is, as last told."""
        return self._saved.get(lesson) or await self._rows.row(lesson)

    async def retry(self, lesson: str) -> PublishingRow:
        """Try again what failed. NothingFailed, NotRecorded."""
        return await self._again(lesson, export=False)

    async def export(self, lesson: str) -> PublishingRow:
        """Also make the export. NotRecorded."""
        return await self._again(lesson, export=True)

    async def edited(self, lesson: str) -> None:
        """What of it is shown has changed: film and export are made again."""
        async with self._one_change:
            before = await self._rows.row(lesson)
            if before is None:
                return  # made so once it is made
            row = PublishingRow(lesson, attempt=before.attempt + 1, export=before.export)
            await self._rows.freed(lesson, None)  # what is made again is on this disk
            await self._save(row)
        await self._submit(row)

    async def keep(self, lesson: str, kept_as: KeptAs, hold: str) -> RetentionRow:
        """How long the recording is kept; `hold`: why it may not be deleted, "" where it may."""
        row = RetentionRow(lesson, kept_as, hold)
        await self._rows.save_retention(row)
        return row

    async def kept(self, lesson: str) -> RetentionRow:
        return await self._rows.retention(lesson) or RetentionRow(lesson, KeptAs.ORDINARY)

    async def kept_of(self, lessons: Sequence[str]) -> dict[str, RetentionRow]:
        """Of those lessons that somebody said something about."""
        return await self._rows.retentions(lessons)

    async def _again(self, lesson: str, *, export: bool) -> PublishingRow:
        async with self._one_change:
            overview = await self._lessons.lesson(lesson)
            recording = overview.recording if overview is not None else None
            if recording is None or recording.state != RecordingState.READY:
                raise NotRecorded
            before = await self._rows.row(lesson)
            if before is None:
                row = PublishingRow(lesson, export=export)
            elif export or before.state == PublishingState.FAILED or await self._is_gone(lesson):
                row = PublishingRow(lesson, attempt=before.attempt + 1, export=export or before.export)
            else:
                raise NothingFailed
            await self._rows.freed(lesson, None)
            await self._save(row)
        await self._submit(row)
        return row

    async def _is_gone(self, lesson: str) -> bool:
        """What was made is not there any more: the recording was made again from its journal."""
        folder = lesson_folder(self._config.archive_path, lesson)
        return not await asyncio.to_thread((folder / PUBLISHED).exists)

    # -- rows and the publisher

    async def _look(self) -> None:
        """New recordings are submitted when their rows say READY; live lessons are told."""
        while True:
            self._link.tell_live(self._lessons_live())
            for lesson in await self._rows.unsubmitted():
                row = PublishingRow(lesson)
                await self._save(row)
                await self._submit(row)
            await asyncio.sleep(LOOK_S)

    async def _submit_lacking(self) -> None:
        """The publisher is (again) there: whatever is not settled."""
        for row in await self._rows.unsettled():
            await self._submit(row)

    async def _submit(self, row: PublishingRow) -> None:
        self._link.say(await self._command(row))

    async def _command(self, row: PublishingRow) -> Command:
        overview = await self._lessons.lesson(row.lesson)
        marks = await self._lessons.marks(row.lesson)
        archive = self._config.archive_path
        zero_s = await asyncio.to_thread(_zero_s, archive, overview.lesson if overview else None)
        return Submit(
            row.lesson,
            attempt=row.attempt,
            export=row.export,
            card=await self._card(overview.lesson) if overview is not None and row.export else Card(),
            moments=_moments(marks, zero_s),
            kept=stretches(await self._edits_of(row.lesson)),
        )

    async def _card(self, lesson: Lesson) -> Card:
        return _card(lesson, await self._said_of(lesson.id))

    async def _told(self, said: Publishing) -> None:
        known = self._saved.get(said.lesson) or await self._rows.row(said.lesson)
        if known is None or said.attempt < known.attempt:
            return
        row = PublishingRow(
            said.lesson, said.state, said.progress, said.step, said.problem, said.attempt, known.export
        )
        if row != known:
            await self._save(row)
        if said.state in (PublishingState.DONE, PublishingState.FAILED):
            self._saved.pop(said.lesson, None)

    async def _save(self, row: PublishingRow) -> None:
        self._saved[row.lesson] = row
        await self._rows.save(row)

    # -- retention

    async def _sweep(self) -> None:
        """Delete what is over, an hour's work at a time."""
        local_ms = self._config.storage.local_days * DAY_MS if self._config.storage.url else 0
        while True:
            await self.sweep(local_ms)
            await asyncio.sleep(SWEEP_S)

    async def sweep(self, local_ms: int) -> None:
        """Ask for the removal of what is due; `local_ms`: how long media stay here that the object store
        has too, 0: for ever."""
        now = self._clock.wall_ms()
        for lesson in await self._rows.over(ended_before(now, self._config.retention), SWEPT_AT_ONCE):
            self._link.say(Remove(lesson))
        if local_ms > 0:
            for lesson in await self._rows.local(now - local_ms, SWEPT_AT_ONCE):
                self._link.say(Remove(lesson, stored_only=True))

    async def _removed(self, removed: Removed) -> None:
        if removed.problem:
            log.error("not deleted: %s", removed.problem, extra={"lesson": removed.lesson})
        elif removed.stored_only and not removed.left:
            await self._rows.freed(removed.lesson, self._clock.wall_ms())
        elif not removed.stored_only and not removed.derived_only:
            row = await self.kept(removed.lesson)
            await self._rows.deleted(replace(row, deleted_at=self._clock.wall_ms()))
            await self._lessons.audit(AUDITOR, "delete", removed.lesson, bytes=str(removed.bytes))


def _zero_s(archive: Path, lesson: Lesson | None) -> float:
    """Marks count from Start, the recording from its first packet; both end with the lesson."""
    if lesson is None or lesson.started_at is None or lesson.ended_at is None:
        return 0.0
    try:
        manifest: Manifest = read_recording(archive, lesson.id)
    except (BadManifest, BadName):
        return 0.0
    if manifest.problem:
        return 0.0
    return max(0.0, (lesson.ended_at - lesson.started_at) / 1000 - manifest.seconds)


def _moments(marks: Sequence[Mark], zero_s: float) -> list[Moment]:
    return [Moment(max(0.0, mark.at_s - zero_s), mark.kind, mark.values.get("room", "")) for mark in marks]


def stretches(edits: EditList) -> list[Stretch]:
    """What film and export show; none: everything."""
    return [] if edits.empty else [Stretch(one.start_s, one.end_s) for one in kept(edits, LONGEST_S)]


def _card(lesson: Lesson, said: dict[str, str]) -> Card:
    date = datetime.fromtimestamp((lesson.started_at or lesson.created_at) / 1000, CHINA)
    day = f"{date.year}年{date.month}月{date.day}日"
    return Card(
        title=said.get("title") or lesson.title.zh,
        school=said.get("school", ""),
        teacher=said.get("teacher", ""),
        subject=said.get("subject", ""),
        date=day,
    )
