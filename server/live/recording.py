"""What of a lesson is recorded: track numbers, names and subjects, and the tap's commands. Pure but for
`Taps`, which remembers what the worker was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from recorder.contract import Subject, TrackNote
from server.domain.floor import Floor, Origin
from server.domain.lesson import Lesson
from server.media.contract import Command, TapTrack, TrackName, UntapTrack
from server.protocol.capture import Recordable
from server.protocol.parameters import CodecName, Kind, Source

CAMERA_KEYFRAME_S = 4.0
SCREEN_KEYFRAME_S = 30.0
"""So that a replay can be begun in the middle; a keyframe of dense text takes a second of the line."""
KEYFRAME_S = {
    Source.CAMERA: CAMERA_KEYFRAME_S,
    Source.CAMERA2: CAMERA_KEYFRAME_S,
    Source.SCREEN: SCREEN_KEYFRAME_S,
}

MAIN: dict[Source, tuple[int, str, Subject]] = {
    Source.CAMERA: (1, "camera", Subject.TEACHER),
    Source.CAMERA2: (2, "camera2", Subject.BOARD),
    Source.SCREEN: (3, "screen", Subject.SCREEN),
    Source.VOICE: (4, "voice", Subject.VOICE),
}
FIRST_ROOM_NUMBER = 16


@dataclass(frozen=True, slots=True)
class Wanted:
    """One track to be tapped."""

    number: int
    track: TrackName
    note: TrackNote
    keyframe_every_s: float


def wanted_taps(
    lesson: Lesson, floor: Floor, tracks: Mapping[Origin, tuple[TrackName, CodecName]]
) -> dict[int, Wanted]:
    """What is written now. `tracks`: every announced track and its codec. Of receiving rooms only the called
    one's picture and the heard ones' voices, where the lesson says so; the screen only while it is shown."""
    if not (lesson.on_air and lesson.recorded) or lesson.paused:
        return {}
    wanted: dict[int, Wanted] = {}
    for (room, source), (track, codec) in tracks.items():
        row = _row(lesson, floor, room, source)
        if row is None:
            continue
        number, name, subject = row
        note = TrackNote(
            number=number,
            name=name,
            subject=subject,
            kind=Kind.AUDIO if source is Source.VOICE else Kind.VIDEO,
            codec=CodecName.OPUS if codec is CodecName.RED else codec,
            room=room,
        )
        wanted[number] = Wanted(number, track, note, KEYFRAME_S.get(source, 0.0))
    return wanted


def recorded_rooms(lesson: Lesson, floor: Floor) -> frozenset[str]:
    """Receiving rooms of which something is written while they stand on the floor as they do."""
    if not (lesson.on_air and lesson.recorded) or lesson.paused:
        return frozenset()
    seen = {floor.called} if Recordable.PUPILS in lesson.subjects and floor.called else set[str]()
    heard = frozenset(floor.heard()) if Recordable.PUPILS_VOICE in lesson.subjects else frozenset[str]()
    return (heard | seen) & lesson.recorded_rooms & frozenset(lesson.rooms)


def _row(lesson: Lesson, floor: Floor, room: str, source: Source) -> tuple[int, str, Subject] | None:
    if room == lesson.main_room:
        row = MAIN[source]
        off = source is Source.SCREEN and not lesson.courseware
        return None if off or Recordable(row[2]) not in lesson.subjects else row
    if room not in recorded_rooms(lesson, floor):
        return None
    number = FIRST_ROOM_NUMBER + 2 * lesson.rooms.index(room)
    if source is Source.CAMERA and room == floor.called and Recordable.PUPILS in lesson.subjects:
        return number, f"room-{room}-camera"[:40], Subject.PUPILS
    if source is Source.VOICE and room in floor.heard() and Recordable.PUPILS_VOICE in lesson.subjects:
        return number + 1, f"room-{room}-voice"[:40], Subject.PUPILS_VOICE
    return None


@dataclass(slots=True)
class Taps:
    """The tap on the present worker. `open`: the worker has it; `told`: what it was asked to write."""

    open: bool = False
    told: dict[int, Wanted] = field(default_factory=dict)

    def forget(self) -> None:
        """The worker is gone, and the ring with it."""
        self.open = False
        self.told = {}

    def changes(self, room: str, wanted: Mapping[int, Wanted]) -> list[Command]:
        """Commands from what was told to what is wanted; remembers them as told."""
        commands: list[Command] = [
            UntapTrack(room=room, number=number) for number in self.told if number not in wanted
        ]
        commands += [
            TapTrack(
                request=0,
                room=room,
                track=tap.track,
                number=number,
                note=msgspec.msgpack.encode(tap.note),
                keyframe_every_s=tap.keyframe_every_s,
            )
            for number, tap in wanted.items()
            if self.told.get(number) != tap
        ]
        self.told = dict(wanted)
        return commands
