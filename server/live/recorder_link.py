"""Campus' side of the recorder's control socket.

Remembers what the recorder was asked for until it says that it is done, and says it again after either side
started again: both messages are idempotent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

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
from recorder.framing import BadFrame, encode_frame, read_frame

BACK_OFF_S = (0.05, 1.0)
OUT_LIMIT = 1 << 20
WELCOME_TIMEOUT_S = 3.0

_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


class RecorderLink:
    """One recorder, for as long as campus runs. Satisfies `live.ports.RecorderPort`."""

    def __init__(
        self,
        path: Path,
        on_recording: Callable[[Recording], None],
        on_keyframe_wanted: Callable[[KeyframeWanted], None] = lambda _: None,
        on_grown: Callable[[Grown], None] = lambda _: None,
    ) -> None:
        self._path = str(path)
        self._on_recording = on_recording
        self._on_keyframe_wanted = on_keyframe_wanted
        self._on_grown = on_grown
        self._writer: asyncio.StreamWriter | None = None
        self._begun: dict[str, Begin] = {}
        self._finishing: dict[str, bytes] = {}
        self._paused: set[str] = set()
        self.free_bytes = 0

    @property
    def connected(self) -> bool:
        return self._writer is not None

    async def run(self) -> None:
        """Connect and listen, again and again, until cancelled."""
        pause = BACK_OFF_S[0]
        while True:
            try:
                if await self._serve_once():
                    pause = BACK_OFF_S[0]
            except (OSError, BadFrame, TimeoutError):
                pass  # not there, or hung up: the pause below is the whole answer
            await asyncio.sleep(pause)
            pause = min(pause * 2, BACK_OFF_S[1])

    def begin(self, *, lesson: str, title: str, started_at_ms: int, tap_socket: str) -> None:
        """Record the lesson from this worker's tap."""
        started_at = datetime.fromtimestamp(started_at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        begin = Begin(lesson=lesson, title=title, started_at=started_at, tap_socket=tap_socket, room=lesson)
        self._begun[lesson] = begin
        self._say(begin)

    def finish(self, lesson: str, about: bytes = b"") -> None:
        """The lesson is over; `about` is kept with its recording."""
        self._finishing[lesson] = about
        self._say(Finish(lesson=lesson, about=about))

    def pause(self, lesson: str, *, paused: bool) -> None:
        """Nothing of it comes for now, by the teacher's wish; or it comes again."""
        if paused:
            self._paused.add(lesson)
        else:
            self._paused.discard(lesson)
        self._say(Pause(lesson=lesson, paused=paused))

    def _say(self, command: Command) -> None:
        writer = self._writer
        if writer is None or writer.is_closing():
            return
        writer.write(encode_frame(command))
        if writer.transport.get_write_buffer_size() > OUT_LIMIT:
            writer.transport.abort()

    async def _serve_once(self) -> bool:
        reader, writer = await asyncio.open_unix_connection(self._path)
        try:
            writer.write(encode_frame(Hello()))
            async with asyncio.timeout(WELCOME_TIMEOUT_S):
                welcome = await read_frame(reader, _decoder)
            if not isinstance(welcome, Welcome) or welcome.version != VERSION:
                return False
            self._writer = writer
            self.free_bytes = welcome.free_bytes
            self._say_again()
            for recording in welcome.recordings:
                self._heard(recording)
            while (event := await read_frame(reader, _decoder)) is not None:
                match event:
                    case Recording():
                        self._heard(event)
                    case KeyframeWanted():
                        self._on_keyframe_wanted(event)
                    case Grown():
                        self._on_grown(event)
                    case _:
                        pass
            return True
        finally:
            self._writer = None
            writer.transport.abort()

    def _say_again(self) -> None:
        for begin in self._begun.values():
            self._say(begin)
            self._say(Pause(lesson=begin.lesson, paused=begin.lesson in self._paused))
        for lesson, about in self._finishing.items():
            self._say(Finish(lesson=lesson, about=about))

    def _heard(self, recording: Recording) -> None:
        if recording.state in (RecordingState.READY, RecordingState.FAILED):
            self._begun.pop(recording.lesson, None)
            self._finishing.pop(recording.lesson, None)
            self._paused.discard(recording.lesson)
        self._on_recording(recording)
