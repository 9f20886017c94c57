"""The recorder's three threads over all lessons, and the set of recordings.

Three, whatever the number of lessons: each step is short, and a lesson that has much to do (recovery) does it
in slices between the others'.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from recorder.archive.layout import ABOUT, ABOUT_AT_MOST, JOURNAL, TAP, lesson_folder
from recorder.archive.manifest import BadManifest, Manifest, read_manifest, write_whole
from recorder.archive.reading import list_recordings
from recorder.contract import Begin, Grown, KeyframeWanted, RecordingState
from recorder.contract import Recording as Report
from recorder.recording import LessonRecording, monotonic_ns
from recorder.ring import Ring

log = logging.getLogger(__name__)
_begins = msgspec.json.Decoder(Begin)
TAKE_IN_S = 0.1
SYNC_S = 1.0
MAKE_S = 0.25
LOW_BYTES = 4 << 30
"""With less free space than this people are told."""
FULL_BYTES = 256 << 20
"""With less than this nothing is written until there is more again."""


class Engine:
    """Records into `archive`. `tell` is called with every change, `want` where a track needs a keyframe,
    `grew` where there is more to play, all in a thread of ours."""

    def __init__(
        self,
        archive: Path,
        tell: Callable[[Report], None],
        low_bytes: int = LOW_BYTES,
        full_bytes: int = FULL_BYTES,
        free: Callable[[], int] | None = None,
        want: Callable[[KeyframeWanted], None] = lambda _: None,
        grew: Callable[[Grown], None] = lambda _: None,
    ) -> None:
        """`free`: asks how many bytes the archive's disk has left (default: the file system)."""
        archive.mkdir(parents=True, exist_ok=True)
        self._archive = archive
        self._tell = tell
        self._want = want
        self._grew = grew
        self._low_bytes = low_bytes
        self._full_bytes = full_bytes
        self._recordings: dict[str, LessonRecording] = {}
        self._lock = threading.Lock()  # over the set alone
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._ask_free = free or self._free_on_disk
        self._free = self._ask_free()
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("take-in", self._take_in), ("sync", self._sync), ("make", self._make))
        ]

    def start(self) -> None:
        """Take up what a recorder before left unfinished, then work."""
        for found in list_recordings(self._archive):
            if isinstance(found, tuple):
                log.error("a manifest cannot be read", extra={"lesson": found[0], "reason": str(found[1])})
            elif found.state in (RecordingState.RECORDING, RecordingState.FINISHING):
                self._open(found)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the batch, make the journals durable."""
        self._stop.set()
        self._hurry.set()
        for thread in self._threads:
            thread.join()
        for recording in self._all():
            recording.take_in(monotonic_ns(), room=self._free > self._full_bytes)
            recording.stop()

    def begin(self, begin: Begin) -> Report | None:
        """Record this lesson (again); its report where it is over or its folder holds what must not be
        written over, None where its ring is wanted. BadName, OSError."""
        with self._lock:
            known = self._recordings.get(begin.lesson)
        if known is not None and known.report.state is RecordingState.READY:
            return known.report
        if known is not None:
            self._remember(begin)
            return None
        folder = lesson_folder(self._archive, begin.lesson)
        manifest = Manifest(begin.lesson, begin.title, begin.started_at, RecordingState.RECORDING)
        try:
            manifest = read_manifest(folder)
        except BadManifest as error:
            about = {"lesson": begin.lesson, "reason": str(error)}
            if error.code == "newer_version" or _holds_media_alone(folder):
                log.error("not recorded: its folder holds another recording", extra=about)
                return Report(begin.lesson, RecordingState.FAILED, problem="occupied", detail=str(error))
            if error.code != "missing":
                log.warning("begun again over a manifest", extra=about)
        if manifest.state is RecordingState.READY:
            return _report(manifest)
        self._open(manifest)
        self._remember(begin)
        return None

    def remembered(self) -> list[Begin]:
        """What was being recorded when the recorder before died, and where its rings are."""
        found = []
        for recording in self._all():
            try:
                begin = _begins.decode((recording.folder / JOURNAL / TAP).read_bytes())
            except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
                continue
            found += [begin] if begin.lesson == recording.lesson and not recording.over else []
        return found

    def _remember(self, begin: Begin) -> None:
        try:
            write_whole(
                lesson_folder(self._archive, begin.lesson) / JOURNAL / TAP, msgspec.json.encode(begin)
            )
        except OSError as error:
            log.warning("its tap is not kept", extra={"lesson": begin.lesson, "reason": str(error)})

    def offer(self, lesson: str, ring: Ring) -> None:
        """The ring of a lesson that was begun."""
        recording = self._recordings.get(lesson)
        if recording is None:
            ring.close()
        else:
            recording.offer(ring)

    def finish(self, lesson: str, about: bytes = b"") -> Report | None:
        """End a lesson; its report where there is nothing to end. `about` is kept beside its manifest.
        BadName."""
        self._keep_about(lesson, about)
        recording = self._recordings.get(lesson)
        if recording is not None and recording.report.state is not RecordingState.READY:
            recording.finish(monotonic_ns())
            return None
        if recording is not None:
            return recording.report
        try:
            return _report(read_manifest(lesson_folder(self._archive, lesson)))
        except BadManifest as error:
            return Report(lesson, RecordingState.FAILED, problem="unknown_lesson", detail=str(error))

    def pause(self, lesson: str, *, paused: bool) -> None:
        """Nothing of it comes for now, or it comes again; nothing where it is not being recorded."""
        recording = self._recordings.get(lesson)
        if recording is not None:
            recording.pause(monotonic_ns(), paused=paused)

    def _keep_about(self, lesson: str, about: bytes) -> None:
        folder = lesson_folder(self._archive, lesson)
        if not about or len(about) > ABOUT_AT_MOST or not folder.is_dir():
            return
        try:
            write_whole(folder / ABOUT, about, durable=True)
        except OSError as error:
            log.warning("what campus knows is not kept", extra={"lesson": lesson, "reason": str(error)})

    def reports(self) -> list[Report]:
        return [recording.report for recording in self._all()]

    def wants_ring(self, lesson: str) -> bool:
        """Whether the lesson is still being recorded."""
        recording = self._recordings.get(lesson)
        return recording is not None and not recording.over

    def free_bytes(self) -> int:
        """What is left on the archive's disk, as of a second ago."""
        return self._free

    def _free_on_disk(self) -> int:
        figures = os.statvfs(self._archive)
        return figures.f_bavail * figures.f_frsize

    def _open(self, manifest: Manifest) -> None:
        folder = lesson_folder(self._archive, manifest.lesson)
        recording = LessonRecording(folder, manifest, self._tell, self._want, self._grew)
        with self._lock:
            self._recordings[manifest.lesson] = recording
        self._tell(recording.report)

    def _all(self) -> list[LessonRecording]:
        with self._lock:
            return list(self._recordings.values())

    # the threads

    def _take_in(self) -> None:
        while not self._stop.wait(TAKE_IN_S):
            room = self._free > self._full_bytes
            for recording in self._all():
                try:
                    recording.take_in(monotonic_ns(), room=room)
                except OSError as error:
                    log.error("not journalled", extra={"lesson": recording.lesson, "reason": str(error)})

    def _sync(self) -> None:
        while not self._stop.wait(SYNC_S):
            self._free = self._ask_free()
            for recording in self._all():
                try:
                    recording.sync()
                except OSError as error:
                    log.error("not synced", extra={"lesson": recording.lesson, "reason": str(error)})

    def _make(self) -> None:
        more = False
        while not self._stop.is_set():
            if not more:
                self._stop.wait(MAKE_S)
            more = False
            for recording in self._all():
                more = self._make_one(recording) or more
                if recording.over:
                    recording.release()
                    with self._lock:
                        del self._recordings[recording.lesson]

    def _make_one(self, recording: LessonRecording) -> bool:
        now_s = monotonic_ns() / 1e9
        try:
            room, low = self._free > self._full_bytes, self._free < self._low_bytes
            return recording.make(now_s, room=room, low=low)
        except Exception as error:
            log.exception("a recording failed", extra={"lesson": recording.lesson})
            recording.fail(now_s, f"{type(error).__name__}: {error}")
            return False


def _holds_media_alone(folder: Path) -> bool:
    """Files without the journal they could be made from again."""
    return any(folder.glob("*.mp4")) and not any((folder / JOURNAL).glob("*.lkj"))


def _report(manifest: Manifest) -> Report:
    return Report(
        manifest.lesson,
        manifest.state,
        seconds=manifest.seconds,
        ready_after_s=manifest.ready_after_s,
        problem=manifest.problem,
    )
