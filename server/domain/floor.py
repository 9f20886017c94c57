"""Who speaks and who is shown: hands, calls, mute, opened voices, and what each slot carries.

Pure. `assignments` is the one place that decides what goes where; the live room diffs its results and points
the worker's slots. A room never hears itself; only the main room, the called room and opened rooms are heard.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from server.domain.lesson import Lesson
from server.errors import UserFault
from server.protocol.messages import LessonState, Role
from server.protocol.parameters import Kind, Source

K = TypeVar("K")
V = TypeVar("V")

STUDIO_OPEN = ("open1", "open2", "open3")
ROOM_OPEN = ("open1", "open2")
TILES = ("tile1", "tile2", "tile3", "tile4")
BIG = ("big1", "big2", "big3", "big4")
OWN: dict[str, Source] = {
    "tile_camera": Source.CAMERA,
    "tile_camera2": Source.CAMERA2,
    "tile_screen": Source.SCREEN,
    "own_voice": Source.VOICE,
}
"""A studio's slots for what comes of its own room without its page: cameras and encoders. Its pictures are
tiles: the first to be given up, and the sub stream where there is one."""

STUDIO_SLOTS: tuple[tuple[str, Kind], ...] = (
    ("stage", Kind.VIDEO),
    *((name, Kind.VIDEO) for name in TILES),
    ("called", Kind.AUDIO),
    *((name, Kind.AUDIO) for name in STUDIO_OPEN),
)
ROOM_SLOTS: tuple[tuple[str, Kind], ...] = (
    ("stage", Kind.VIDEO),
    ("screen", Kind.VIDEO),
    ("main", Kind.AUDIO),
    ("called", Kind.AUDIO),
    *((name, Kind.AUDIO) for name in ROOM_OPEN),
)


WALL_SLOTS: tuple[tuple[str, Kind], ...] = (("stage", Kind.VIDEO), *((name, Kind.VIDEO) for name in BIG))
OWN_SLOTS = tuple((name, Kind.AUDIO if what is Source.VOICE else Kind.VIDEO) for name, what in OWN.items())
SLOTS: dict[Role, tuple[tuple[str, Kind], ...]] = {
    Role.TEACHER: STUDIO_SLOTS,
    Role.ROOM: ROOM_SLOTS,
    Role.OBSERVER: ROOM_SLOTS,
    Role.WATCHER: ROOM_SLOTS,
    Role.GUEST: ROOM_SLOTS,
    Role.WALL: WALL_SLOTS,
    Role.REMOTE: (),
}


def slots_of(role: Role, *, boxes: bool = False) -> tuple[tuple[str, Kind], ...]:
    """The fixed slots of a page's down connection, in m-line order; none: it gets no media. `boxes`: cameras
    and encoders teach by themselves."""
    return SLOTS[role] + (OWN_SLOTS if boxes and role is Role.TEACHER else ())


@dataclass(frozen=True, slots=True)
class Floor:
    """`hands`: room -> since when, in order; `opened`: in the order in which they were opened; `muted`: rooms
    whose sound is closed, the main room among them."""

    hands: Mapping[str, int] = field(default_factory=dict)
    called: str | None = None
    called_at: int | None = None
    muted: frozenset[str] = frozenset()
    opened: tuple[str, ...] = ()
    last_called: Mapping[str, int] = field(default_factory=dict)

    def heard(self) -> tuple[str, ...]:
        """Receiving rooms whose voice goes to the others: the called one first."""
        called = (self.called,) if self.called is not None else ()
        rooms = called + tuple(room for room in self.opened if room != self.called)
        return tuple(room for room in rooms if room not in self.muted)


def recalled(lesson: Lesson) -> Floor:
    """The floor a lesson was saved with."""
    return Floor(
        hands=dict(lesson.hands),
        called=lesson.called,
        called_at=lesson.called_at,
        muted=lesson.muted,
        opened=lesson.opened,
        last_called=dict(lesson.last_called),
    )


def remembered(lesson: Lesson, floor: Floor) -> Lesson:
    """The lesson with the floor in it, as it is saved."""
    return replace(
        lesson,
        hands=tuple(floor.hands.items()),
        called=floor.called,
        called_at=floor.called_at,
        muted=floor.muted,
        opened=floor.opened,
        last_called=tuple(floor.last_called.items()),
        guests=(),  # they come on stage anew
    )


def raise_hand(floor: Floor, room: str, now: int) -> Floor:
    """A hand that is up keeps its place."""
    return floor if room in floor.hands else replace(floor, hands={**floor.hands, room: now})


def lower_hand(floor: Floor, room: str) -> Floor:
    return replace(floor, hands=without(floor.hands, room))


def call_on(floor: Floor, room: str | None, now: int) -> Floor:
    """This room speaks; the one before it stops. Its hand goes down, and its mute is lifted."""
    if room is None:
        return replace(floor, called=None, called_at=None)
    if room == floor.called:
        return replace(floor, muted=floor.muted - {room})
    return replace(
        floor,
        called=room,
        called_at=now,
        hands=without(floor.hands, room),
        muted=floor.muted - {room},
        last_called={**floor.last_called, room: now},
    )


def mute(floor: Floor, room: str, muted: bool) -> Floor:
    return replace(floor, muted=floor.muted | {room} if muted else floor.muted - {room})


def most_open(lesson: Lesson) -> int:
    """How many voices can be open so that every room has a slot for each of the others."""
    return len(STUDIO_OPEN) if len(lesson.seats) <= len(STUDIO_OPEN) else len(ROOM_OPEN)


def open_voice(floor: Floor, room: str, opened: bool, most: int = len(ROOM_OPEN)) -> Floor:
    """UserFault where `most` rooms are open already (see `most_open`)."""
    if not opened:
        return replace(floor, opened=tuple(other for other in floor.opened if other != room))
    if room in floor.opened:
        return floor
    if len(floor.opened) >= most:
        raise UserFault(
            "too_many_open",
            zh=f"最多同时打开 {most} 个教室的声音，请先关闭一个。",
            en=f"At most {most} rooms can be open at once; close one first.",
        )
    return replace(floor, opened=(*floor.opened, room), muted=floor.muted - {room})


def room_left(floor: Floor, room: str) -> Floor:
    """A room that went away: its hand is down, and nobody waits for its answer."""
    floor = lower_hand(floor, room)
    return call_on(floor, None, 0) if floor.called == room else floor


def without(mapping: Mapping[K, V], key: K) -> dict[K, V]:
    return {k: v for k, v in mapping.items() if k != key}


def forget(floor: Floor, seat: str) -> Floor:
    """A guest left the stage: nothing of it stays."""
    floor = open_voice(room_left(floor, seat), seat, False)
    return replace(floor, muted=floor.muted - {seat}, last_called=without(floor.last_called, seat))


Origin = tuple[str, Source]  # room, source
Assignment = dict[str, Origin]  # slot name -> what it carries


def stage_source(lesson: Lesson, sends: Mapping[str, Iterable[Source]]) -> Source:
    """The teacher's choice, or the other camera where the chosen one is not sent."""
    main = set(sends.get(lesson.main_room, ()))
    if lesson.stage in main or Source.CAMERA in main:
        return lesson.stage if lesson.stage in main else Source.CAMERA
    return Source.CAMERA2 if Source.CAMERA2 in main else lesson.stage


def assignments(
    lesson: Lesson,
    floor: Floor,
    sends: Mapping[str, Iterable[Source]],
    role: Role,
    room: str,
    boxes: Collection[Source] = (),
) -> Assignment:
    """What each slot of this page carries now; a slot that is not named carries nothing.

    `sends`: what each room's connections announce; `boxes`: what of the main room comes without its page.
    Nothing flows while the lesson is not on the air, but its own room's boxes to the studio.
    """
    own = {slot: (lesson.main_room, what) for slot, what in OWN.items() if what in boxes}
    if not lesson.on_air:
        return own if role is Role.TEACHER and lesson.state is not LessonState.ENDED else {}
    sent = {name: frozenset(sources) for name, sources in sends.items()}
    if role is Role.TEACHER:
        voices = _voices(floor, STUDIO_OPEN, listener=lesson.main_room)
        wanted = _far_rooms(lesson, floor, TILES) | voices | own
    elif role is Role.WALL:
        wanted = _far_rooms(lesson, floor, BIG)
    else:
        wanted = _receiver(lesson, floor, sent, room)
    return {slot: (who, what) for slot, (who, what) in wanted.items() if what in sent.get(who, ())}


def _far_rooms(lesson: Lesson, floor: Floor, tiles: tuple[str, ...]) -> Assignment:
    """The seats' pictures in their tiles, the called one on the stage."""
    wanted: Assignment = {
        tile: (room, Source.CAMERA) for tile, room in zip(tiles, lesson.seats, strict=False)
    }
    if floor.called is not None:
        wanted["stage"] = (floor.called, Source.CAMERA)
    return wanted


def _receiver(lesson: Lesson, floor: Floor, sent: Mapping[str, frozenset[Source]], room: str) -> Assignment:
    wanted: Assignment = {
        "stage": (lesson.main_room, stage_source(lesson, sent)),
        "main": (lesson.main_room, Source.VOICE),
    }
    called = floor.called
    if called is not None and called != room and Source.CAMERA in sent.get(called, ()):
        wanted["stage"] = (called, Source.CAMERA)
    if lesson.courseware:
        wanted["screen"] = (lesson.main_room, Source.SCREEN)
    return wanted | _voices(floor, ROOM_OPEN, listener=room)


def _voices(floor: Floor, open_slots: tuple[str, ...], listener: str) -> Assignment:
    """The called voice and the opened ones: each room keeps its slot while it stays open."""
    voices: Assignment = {}
    if floor.called is not None and floor.called not in floor.muted and floor.called != listener:
        voices["called"] = (floor.called, Source.VOICE)
    others = [room for room in floor.opened if room != listener]
    for slot, room in zip(open_slots, others, strict=False):
        if room != floor.called and room not in floor.muted:
            voices[slot] = (room, Source.VOICE)
    return voices


def watcher_assignment(
    lesson: Lesson, floor: Floor, sends: Mapping[str, Iterable[Source]], source: Source | None
) -> Assignment:
    """A WHEP client's two slots: `video` is the source it asked for (None: what the rooms' stage shows),
    `main` is the main room's voice, or the called room's while it speaks."""
    if not lesson.on_air:
        return {}
    as_room = assignments(lesson, floor, sends, Role.OBSERVER, "")
    wanted: Assignment = {}
    if source is None:
        if "stage" in as_room:
            wanted["video"] = as_room["stage"]
    elif source in sends.get(lesson.main_room, ()) and (lesson.courseware or source is not Source.SCREEN):
        wanted["video"] = (lesson.main_room, source)
    voice = as_room.get("called") or as_room.get("main")
    if voice is not None:
        wanted["main"] = voice
    return wanted
