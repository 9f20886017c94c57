"""One lesson's recording: its intake, its files in the making, its manifest, its state.

Three threads work on it, each on its own part: `take_in` journals, `sync` makes the journal durable, `make`
writes the files. What crosses between them are single values.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from recorder.archive.holding import hold
from recorder.archive.layout import MULTIVARIANT
from recorder.archive.manifest import BadRecording, Manifest, write_manifest
from recorder.contract import Grown, KeyframeWanted, RecordingState
from recorder.contract import Recording as Report
from recorder.intake import Intake
from recorder.making import Making
from recorder.ring import Ring

log = logging.getLogger(__name__)
TELL_EVERY_S = 5.0
TELL_GROWN_S = 2.0
"""The manifest follows the playlists, which grow each second, so often."""
END_MARK_S = 0.5
"""How long after Finish the worker's end mark is waited for."""
RETRY_S = 2.0
CHECKPOINT_S = 30.0
WANT_EVERY_S = 2.0
"""A keyframe of one track is asked for at most so often."""


class LessonRecording:
    """`tell` is called (in the making thread) with every change, `want` where a keyframe is needed,
    `grew` where a playlist has more in it."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        tell: Callable[[Report], None],
        want: Callable[[KeyframeWanted], None],
        grew: Callable[[Grown], None] = lambda _: None,
    ) -> None:
        """Begins, or goes on with what the folder holds. OSError where the disk refuses."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._held: int | None = None
        try:
            self._held = hold(folder)
        except BadRecording:  # somebody looks into it at this moment: no reason not to record
            log.warning("the folder is held by another", extra={"lesson": manifest.lesson})
        self.lesson = manifest.lesson
        self._manifest = msgspec.structs.replace(manifest, state=RecordingState.RECORDING)
        self._tell = tell
        self._want = want
        self._grew = grew
        self._wanted_s: dict[str, float] = {}
        write_manifest(folder, self._manifest, durable=True)
        self._intake = Intake(folder, manifest.lesson)
        self._making: Making | None = Making(folder, manifest.lesson)
        self._state = RecordingState.RECORDING
        self._problem = ""
        self._finish_ns: int | None = None
        self._told_s = 0.0
        self._retry_s = 0.0
        self._checkpoint_s = -CHECKPOINT_S
        self._report = Report(self.lesson, self._state)

    @property
    def report(self) -> Report:
        """The recording as it was told last."""
        return self._report

    @property
    def over(self) -> bool:
        """Nothing more is to be done for it."""
        return self._state in (RecordingState.READY, RecordingState.FAILED) and self._intake.done

    def offer(self, ring: Ring) -> None:
        """Read this ring from now on (any thread)."""
        if self._intake.done:
            ring.close()
        else:
            self._intake.offer(ring)

    def finish(self, now_ns: int) -> None:
        """Drain the ring, finish every file (any thread). Said twice it changes nothing."""
        if self._finish_ns is None:
            self._finish_ns = now_ns

    def pause(self, now_ns: int, *, paused: bool) -> None:
        """By the teacher's wish nothing comes from now on, or it comes again (any thread)."""
        self._intake.pause(now_ns, paused=paused)

    # the intake's thread

    def take_in(self, now_ns: int, *, room: bool) -> None:
        """Ring to journal."""
        finish_ns = self._finish_ns
        if self._making is not None and self._making.ended:
            self._intake.stop()
        elif finish_ns is not None and (not self._intake.has_ring or now_ns - finish_ns > END_MARK_S * 1e9):
            self._intake.close(finish_ns)
        self._intake.step(room=room)

    def sync(self) -> None:
        """The journal's thread: what was taken in is on the disk."""
        self._intake.sync()

    # the making's thread

    def make(self, now_s: float, *, room: bool, low: bool) -> bool:
        """Journal to files, a few megabytes; whether there is more to make at once."""
        if self._state in (RecordingState.READY, RecordingState.FAILED):
            return False
        if self._making is None:
            if not room or now_s < self._retry_s:
                return False
            self._making = Making(self.folder, self.lesson)
        try:
            if self._making.step(self._intake.place):
                return True
            self._ask_for_keyframes(self._making, now_s)
            changed = self._making.publish()
            if changed:
                self._grew(Grown(self.lesson))
            before, self._problem = self._problem, "disk_full" if not room else "disk_low" if low else ""
            if self._making.ended:
                self._ready(now_s)
            elif self._problem != before:  # an alarm does not wait
                self._announce(now_s)
            elif now_s - self._told_s >= (TELL_GROWN_S if changed else TELL_EVERY_S):
                self._write_manifest()
                self._announce(now_s)
                self._keep_checkpoint(self._making, now_s)
        except OSError as error:
            log.warning("the disk refuses", extra={"lesson": self.lesson, "reason": str(error)})
            self._making.abandon()
            self._making, self._retry_s, self._problem = None, now_s + RETRY_S, "disk_full"
            self._announce(now_s)
        return False

    def fail(self, now_s: float, reason: str) -> None:
        """Give its files up; the journal goes on and they can be made from it again."""
        self._state, self._problem = RecordingState.FAILED, "internal"
        if self._making is not None:
            self._making.abandon()
        failed = msgspec.structs.replace(self._manifest, state=self._state, problem=self._problem)
        try:
            write_manifest(self.folder, failed, durable=True)
            self._manifest = failed
        except OSError as error:
            log.warning("the failure is not written", extra={"lesson": self.lesson, "reason": str(error)})
        self._announce(now_s, detail=reason)

    def stop(self) -> None:
        """The process ends (no thread works on it any more): leave everything as it can be taken up again."""
        self._intake.stop()
        if self._making is not None and self._state is RecordingState.RECORDING:
            self._making.abandon()
        self.release()

    def release(self) -> None:
        """Others may work on the folder."""
        held, self._held = self._held, None
        if held is not None:
            os.close(held)

    def _ask_for_keyframes(self, making: Making, now_s: float) -> None:
        """Everything that came has been read: what is missing now does not come by itself."""
        if self._finish_ns is not None or not self._intake.has_ring:
            return
        for track in making.wanting:
            if now_s - self._wanted_s.get(track, -WANT_EVERY_S) >= WANT_EVERY_S:
                self._wanted_s[track] = now_s
                self._want(KeyframeWanted(self.lesson, track))

    def _keep_checkpoint(self, making: Making, now_s: float) -> None:
        if now_s - self._checkpoint_s >= CHECKPOINT_S:
            self._checkpoint_s = now_s
            making.keep_checkpoint()

    def _ready(self, now_s: float) -> None:
        assert self._making is not None
        ends = [ns for ns in (self._finish_ns, self._making.end_ns) if ns is not None]
        after_s = round(max(now_s - min(ends) / 1e9, 0.0), 3) if ends else 0.0
        problem = "journal_damaged" if self._making.damaged else ""
        self._manifest = msgspec.structs.replace(
            self._manifest, state=RecordingState.READY, ready_after_s=after_s, problem=problem
        )
        self._write_manifest(durable=True)
        self.release()
        self._state, self._problem = RecordingState.READY, problem
        self._announce(now_s)

    def _write_manifest(self, *, durable: bool = False) -> None:
        assert self._making is not None
        tracks = self._making.tracks()
        self._manifest = msgspec.structs.replace(
            self._manifest,
            seconds=self._making.seconds,
            tracks=tracks,
            playlist=MULTIVARIANT if any(track.playlist for track in tracks) else "",
            bytes=sum(track.bytes for track in tracks),
            journal_bytes=self._intake.bytes,
            zero_at=self._making.zero_at,
        )
        write_manifest(self.folder, self._manifest, durable=durable)

    def _announce(self, now_s: float, detail: str = "") -> None:
        self._told_s = now_s
        self._report = Report(
            self.lesson,
            RecordingState.FINISHING
            if self._finish_ns is not None and self._state is RecordingState.RECORDING
            else self._state,
            seconds=self._manifest.seconds,
            ready_after_s=self._manifest.ready_after_s,
            problem=self._problem,
            detail=detail,
        )
        self._tell(self._report)


def monotonic_ns() -> int:
    """The clock that arrivals are told in."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)
