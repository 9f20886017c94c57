"""Campus' side of the recorder's control socket.

Remembers what the recorder was asked for until it says that it is done, and says it again after either side
started again: both messages are idempotent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

import msgspec

from recorder.contract import (
    VERSION,
    Begin,
    Command,
    Event,
    Finish,
    Grown,
    Hello,
    KeyframeWanted,
    Pause,
    Recording,
    RecordingState,
    Welcome,
)
from recorder.control_link import ControlLink


class RecorderLink:
    """One recorder, for as long as campus runs. Satisfies `live.ports.RecorderPort`."""

    def __init__(
        self,
        path: Path,
        on_recording: Callable[[Recording], None],
        on_keyframe_wanted: Callable[[KeyframeWanted], None] = lambda _: None,
        on_grown: Callable[[Grown], None] = lambda _: None,
    ) -> None:
        self._link = ControlLink[Command, Event, Welcome](
            path,
            decoder=msgspec.msgpack.Decoder(Event),
            hello=Hello(),
            welcome=Welcome,
            version=VERSION,
            welcomed=self._welcomed,
            heard=self._told,
        )
        self._on_recording = on_recording
        self._on_keyframe_wanted = on_keyframe_wanted
        self._on_grown = on_grown
        self._begun: dict[str, Begin] = {}
        self._finishing: dict[str, bytes] = {}
        self._paused: set[str] = set()
        self.free_bytes = 0

    @property
    def connected(self) -> bool:
        return self._link.connected

    async def run(self) -> None:
        """Connect and listen, again and again, until cancelled."""
        await self._link.run()

    def begin(self, *, lesson: str, title: str, started_at_ms: int, tap_socket: str) -> None:
        """Record the lesson from this worker's tap."""
        started_at = datetime.fromtimestamp(started_at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        begin = Begin(lesson=lesson, title=title, started_at=started_at, tap_socket=tap_socket, room=lesson)
        self._begun[lesson] = begin
        self._link.say(begin)

    def finish(self, lesson: str, about: bytes = b"") -> None:
        """The lesson is over; `about` is kept with its recording."""
        self._finishing[lesson] = about
        self._link.say(Finish(lesson=lesson, about=about))

    def pause(self, lesson: str, *, paused: bool) -> None:
        """Nothing of it comes for now, by the teacher's wish; or it comes again."""
        if paused:
            self._paused.add(lesson)
        else:
            self._paused.discard(lesson)
        self._link.say(Pause(lesson=lesson, paused=paused))

    def _welcomed(self, welcome: Welcome) -> None:
        self.free_bytes = welcome.free_bytes
        self._say_again()
        for recording in welcome.recordings:
            self._heard(recording)

    def _told(self, event: Event) -> None:
        match event:
            case Recording():
                self._heard(event)
            case KeyframeWanted():
                self._on_keyframe_wanted(event)
            case Grown():
                self._on_grown(event)
            case Welcome():
                pass
            case _:
                assert_never(event)

    def _say_again(self) -> None:
        for begin in self._begun.values():
            self._link.say(begin)
            self._link.say(Pause(lesson=begin.lesson, paused=begin.lesson in self._paused))
        for lesson, about in self._finishing.items():
            self._link.say(Finish(lesson=lesson, about=about))

    def _heard(self, recording: Recording) -> None:
        if recording.state in (RecordingState.READY, RecordingState.FAILED):
            self._begun.pop(recording.lesson, None)
            self._finishing.pop(recording.lesson, None)
            self._paused.discard(recording.lesson)
        self._on_recording(recording)
