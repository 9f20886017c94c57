"""One lesson's recording as the lesson room follows it: begin, finish, the recorder's word, marks, rows."""

from __future__ import annotations

import msgspec

from recorder.contract import Recording, RecordingState
from server.domain.lesson import Lesson
from server.live.ports import LessonStore, Mark, RecorderPort, RecordingRow, WorkerPort
from server.live.view import ReplayFacts
from server.store.records import PRESENCE, ROOM_AWAY, ROOM_HERE, About

MOST_MARKS = 2_000


class Recorded:
    """`settled`: nothing more is to come of the recorder."""

    def __init__(self, lesson: str, store: LessonStore, recorder: RecorderPort) -> None:
        self._lesson = lesson
        self._store = store
        self._recorder = recorder
        self._begun = False
        self._paused = False
        self._row: RecordingRow | None = None
        self._row_saved: RecordingRow | None = None
        self._marks: list[Mark] = []
        self._marks_saved = 0
        self._here: frozenset[str] = frozenset()
        self.settled = False
        self.facts = ReplayFacts()

    async def load(self, lesson: Lesson) -> None:
        """Marks of before campus started again."""
        if lesson.started_at is not None:
            self._marks = list(await self._store.marks(self._lesson))
            self._marks_saved = len(self._marks)
            here = {mark.values.get("room", ""): mark.kind == ROOM_HERE for mark in self._marks
                    if mark.kind in PRESENCE}  # fmt: skip
            self._here = frozenset(room for room, is_here in here.items() if is_here)

    def begin(self, lesson: Lesson, tap_socket: str) -> None:
        """Record from this tap; said again after the tap's worker died or campus started again."""
        self._begun = True
        self.facts = ReplayFacts(recording=True)
        self._row = self._row or RecordingRow(self._lesson, RecordingState.RECORDING)
        self._recorder.begin(
            lesson=self._lesson,
            title=lesson.title.zh,
            started_at_ms=lesson.started_at or lesson.created_at,
            tap_socket=tap_socket,
        )

    def follow(self, lesson: Lesson, worker: WorkerPort | None) -> None:
        """A lesson that is to be recorded from now on; a pause, and its end."""
        if lesson.on_air and lesson.recorded and not self._begun and worker is not None:
            self.begin(lesson, worker.tap_socket)
        if self._begun and lesson.on_air and lesson.paused != self._paused:
            self._paused = lesson.paused
            self._recorder.pause(self._lesson, paused=lesson.paused)

    def finish(self, lesson: Lesson, *, was_recorded: bool) -> None:
        """It is over; what is known of it goes to the disk with its recording."""
        self.facts = ReplayFacts()
        if self._begun and was_recorded:
            about = About(lesson=lesson, marks=self._marks)
            self._recorder.finish(self._lesson, msgspec.json.encode(about))
        else:
            self.settled = True

    async def told(self, recording: Recording, lesson: Lesson, now: int) -> None:
        """The recorder's word. The time from End to playable is the one people waited."""
        self._row = RecordingRow(
            self._lesson,
            recording.state,
            recording.seconds,
            recording.ready_after_s,
            recording.problem,
        )
        ended = lesson.ended_at
        if self.facts.recording:
            self.facts = ReplayFacts(recording=True, problem=recording.problem)
        if recording.state is RecordingState.READY and ended is not None:
            if not self.facts.ready:
                self.facts = ReplayFacts(ready=True, after_ms=max(0, now - ended))
            self.settled = True
        elif recording.state is RecordingState.FAILED:
            self.settled = ended is not None
            self.facts = ReplayFacts(problem="" if ended is not None else "failed")

    def mark(self, kind: str, values: dict[str, str], started_at: int | None, now: int) -> None:
        if started_at is not None and len(self._marks) < MOST_MARKS:
            self._marks.append(Mark(at_s=(now - started_at) / 1000, kind=kind, values=values))

    def presence(self, rooms: frozenset[str], started_at: int | None, now: int) -> None:
        """Which receiving rooms are here; who came and who went since is marked."""
        if started_at is None or len(self._marks) >= MOST_MARKS // 2:
            return  # the other half is for what people do
        for room in sorted(rooms ^ self._here):
            self.mark(ROOM_HERE if room in rooms else ROOM_AWAY, {"room": room}, started_at, now)
        self._here = rooms

    async def save(self) -> None:
        """Rows that changed. A recording's row stands below its lesson's: saved after it."""
        if self._row is not None and self._row != self._row_saved:
            await self._store.save_recording(self._row)
            self._row_saved = self._row
        if self._row_saved is not None and len(self._marks) != self._marks_saved:
            await self._store.save_marks(self._lesson, self._marks)
            self._marks_saved = len(self._marks)
