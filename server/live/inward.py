"""What media workers and the recorder say, brought to the lesson it is about. A part of the service."""

from __future__ import annotations

import asyncio

from recorder.contract import KeyframeWanted, Recording
from server.live import inbox as told
from server.live.lessons import Lessons
from server.live.ports import LessonStore, RecordingRow
from server.media.contract import Event


class InwardLinks:
    """`group`: set while the service runs."""

    def __init__(self, lessons: Lessons, store: LessonStore) -> None:
        self._lessons = lessons
        self._store = store
        self.group: asyncio.TaskGroup | None = None

    def knows(self, lesson: str) -> bool:
        return lesson in self._lessons

    def worker_up(self, lesson: str | None, message: told.WorkerUp) -> None:
        for room in self._lessons:
            if lesson is None or room.lesson.id == lesson:
                room.inbox.post(message)

    def worker_gone(self, worker: str) -> None:
        for room in self._lessons:
            room.inbox.post(told.WorkerGone(worker))

    def worker_said(self, worker: str, lesson: str, event: Event) -> None:
        room = self._lessons.get(lesson)
        if room is not None:
            room.inbox.post(told.WorkerSaid(worker, event))

    def recording_changed(self, recording: Recording) -> None:
        room = self._lessons.get(recording.lesson)
        if room is not None:
            room.inbox.post(told.RecorderSaid(recording))
        elif self.group is not None:
            self.group.create_task(self._keep(recording), name=f"recording {recording.lesson}")

    def keyframe_wanted(self, wanted: KeyframeWanted) -> None:
        room = self._lessons.get(wanted.lesson)
        if room is not None:
            room.inbox.post(told.RecorderWants(wanted.track))

    async def _keep(self, recording: Recording) -> None:
        """The row of a lesson that is no longer live."""
        await self._store.save_recording(
            RecordingRow(
                recording.lesson,
                recording.state,
                recording.seconds,
                recording.ready_after_s,
                recording.problem,
            )
        )
