"""What the REST API says of terms, bells, booked lessons, imports and a person's day (pure; docs/api.md).

Days are written 2026-09-07, times of day 08:00 (or 08:00:30), both by the county's clock; moments are
milliseconds since 1970.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from server.protocol.capture import Recordable
from server.protocol.devices import Alarm, HearCheck
from server.protocol.parameters import Source
from server.protocol.sources import SourceStand
from server.protocol.words import Words

Name = Annotated[str, msgspec.Meta(max_length=80)]
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")]
Period = Annotated[int, msgspec.Meta(ge=1, le=20)]
MOST_ROOMS = 12
Rooms = Annotated[list[Name], msgspec.Meta(max_length=MOST_ROOMS)]


class Template(StrEnum):
    """What kind of lesson it is (`domain.template` says what that brings)."""

    SHARED = "shared"  # 专递课堂: a lesson for points short of teachers
    MASTER = "master"  # 名师课堂: broadcast to many, rooms are heard when called
    MENTORING = "mentoring"
    CLASS_MEETING = "class_meeting"  # 主题班会: never recorded
    RESEARCH = "research"  # 教研活动
    REHEARSAL = "rehearsal"


class BookingChange(StrEnum):
    """How a lesson differs from its line of the timetable."""

    NONE = "none"
    MOVED = "moved"  # 调课
    SUBSTITUTED = "substituted"  # 代课
    CANCELLED = "cancelled"
    ONE_OFF = "one_off"  # no line has it


class Given(StrEnum):
    """What became of a booked lesson."""

    AHEAD = "ahead"
    OPEN = "open"
    LIVE = "live"
    GIVEN = "given"
    MISSED = "missed"  # its time went by and nobody began it
    CANCELLED = "cancelled"


# -- the calendar ------------------------------------------------------------------------------------


class SwappedDay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`day` runs the timetable of `runs`; of no day where it is null (a holiday)."""

    day: Day
    runs: Day | None = None


class TermValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT terms/{term}`. `version`: as it was read; 0 makes a new one."""

    name: Words
    first_monday: Day
    weeks: int
    swaps: Annotated[list[SwappedDay], msgspec.Meta(max_length=100)] = []
    version: int = 0


class TermView(msgspec.Struct, frozen=True):
    """`week`: which week of it today is in; null outside it."""

    term: str
    name: Words
    first_monday: str
    weeks: int
    swaps: list[SwappedDay]
    version: int
    week: int | None = None


class BellTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    period: Period
    begins: TimeOfDay
    ends: TimeOfDay


class BellsValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT bells/{school}` and its answer. `school` "county": what schools without their own ring
    by."""

    bells: Annotated[list[BellTime], msgspec.Meta(max_length=20)]
    version: int = 0
    own: bool = True  # false: the school has none of its own, these are the county's


class CurriculumEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the county's catalogue. `kind`: subject, grade, edition, volume, chapter; `parent`: an
    edition's subject, a volume's edition, a chapter's volume. `version`: as it was read, 0: a new one."""

    entry: Name
    kind: Annotated[str, msgspec.Meta(pattern="^(subject|grade|edition|volume|chapter)$")]
    name: Words
    parent: Name = ""
    position: int = 0
    version: int = 0


class CurriculumPage(msgspec.Struct, frozen=True):
    """`total`: of all pages."""

    entries: list[CurriculumEntry]
    total: int


class CallList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rooms that a main room may call although no bond of its school says so. `version`: as it was read."""

    rooms: Annotated[list[Name], msgspec.Meta(max_length=200)]
    version: int = 0


# -- booked lessons ----------------------------------------------------------------------------------


class NamedRoom(msgspec.Struct, frozen=True):
    room: str
    name: Words


class NamedPerson(msgspec.Struct, frozen=True):
    person: str
    name: Words


class BookedLesson(msgspec.Struct, frozen=True):
    """One lesson of one day. `version`: to be given back with a change; `replay`: page path."""

    lesson: str
    title: Words
    day: str
    first: int
    last: int
    starts_at: int
    ends_at: int
    main_room: NamedRoom
    rooms: list[NamedRoom]
    teacher: NamedPerson | None
    subject: str
    grade: str
    template: Template
    change: BookingChange
    given: Given
    version: int
    series: str = ""
    replay: str | None = None


class WeekView(msgspec.Struct, frozen=True):
    """One week of a room, a teacher or a school. `days`: seven dates; `swaps` of them; `zone`: an IANA name;
    `may_edit`: whether the asker may change it."""

    term: TermView | None
    week: int
    days: list[str]
    bells: list[BellTime]
    lessons: list[BookedLesson]
    clashes: list[ClashView]
    zone: str
    may_edit: bool


class ClashView(msgspec.Struct, frozen=True):
    """Two lessons that need one teacher or one room at one time. `what`: "teacher" or "room"."""

    what: str
    name: Words
    lessons: list[str]
    words: Words


class NewBooking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST timetable/lessons`. Either periods or times of day; `repeats`: so many weeks one after
    the other, as a series."""

    main_room: Name
    rooms: Rooms
    day: Day
    subject: Name = ""
    teacher: Name = ""
    grade: Name = ""
    title: Name = ""
    template: Template = Template.SHARED
    first: Period | None = None
    last: Period | None = None
    begins: TimeOfDay | None = None
    ends: TimeOfDay | None = None
    repeats: Annotated[int, msgspec.Meta(ge=1, le=30)] = 1


class ChangeBooking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PATCH timetable/lessons/{lesson}`; what is not named stays. `version`: as it was read.
    `whole_series`: this one and those that follow it in its series."""

    version: int
    day: Day | None = None
    first: Period | None = None
    last: Period | None = None
    main_room: Name | None = None
    rooms: Rooms | None = None
    teacher: Name | None = None
    subject: Name | None = None
    grade: Name | None = None
    title: Name | None = None
    template: Template | None = None
    cancelled: bool | None = None
    whole_series: bool = False


class SwapBookings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST timetable/swap`: these two lessons change places."""

    first: Name
    second: Name
    first_version: int
    second_version: int


class TemplateView(msgspec.Struct, frozen=True):
    """A kind of lesson (`domain.template.TemplateRules`). `rooms_send`: what a receiving room may send;
    `open_voices`: every room is heard from the start; `recorded`: what is written unless the teacher chooses
    otherwise among `recordable`; `visible`: who may watch the recording; `counts`: as a lesson given."""

    template: Template
    rooms_send: list[Source]
    open_voices: bool
    recorded: list[Recordable]
    recordable: list[Recordable]
    visible: str
    counts: bool


class UndoChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST timetable/undo`: take back, whole, the booking, change or swap that answered this lesson
    first, with this version."""

    lesson: Name
    version: int


class Choices(msgspec.Struct, frozen=True):
    """What a form of the timetable offers."""

    main_rooms: list[NamedRoom]
    rooms: list[NamedRoom]
    teachers: list[NamedPerson]
    subjects: list[CurriculumEntry]
    schools: list[NamedRoom]
    may_edit: bool


# -- import ------------------------------------------------------------------------------------------


class CellProblem(msgspec.Struct, frozen=True):
    """`row`, `column` count from 1 as the spreadsheet shows them; `cell`: "B7"."""

    sheet: str
    row: int
    column: int
    cell: str
    code: str
    words: Words


class Imported(msgspec.Struct, frozen=True):
    """What an import did, or (`done` false) would do or cannot. Lessons, not lines: `removed` ones stood in
    the timetable of the same main rooms and are not in the file. `problems_more`: there are more than are
    told."""

    done: bool
    lines: int
    added: int
    changed: int
    removed: int
    same: int
    problems: list[CellProblem]
    clashes: list[ClashView]
    problems_more: bool = False
    markable: bool = False  # the file can be had back with its cells marked


# -- my day ------------------------------------------------------------------------------------------


class RoomReadiness(msgspec.Struct, frozen=True):
    """`state`: "online", "away", "in_lesson"; `since`: of that, where it is known. `hear`: how the room heard
    itself last; `alarms`: what is wrong before the bell."""

    room: str
    name: Words
    state: str
    since: int | None = None
    hear: HearCheck | None = None
    alarms: list[Alarm] = []


class NextLesson(msgspec.Struct, frozen=True):
    """`sources`: cameras and encoders of the main room that start with it."""

    lesson: BookedLesson
    readiness: list[RoomReadiness]
    sources: list[SourceStand] = []


class MyDay(msgspec.Struct, frozen=True):
    """A person's day. `next`: the lesson on the air, else the next one within a week; `teaches`: main rooms
    whose studio may be opened; `calendar`: path of the own iCalendar feed, "" for who is no person."""

    now: int
    zone: str
    day: str
    next: NextLesson | None
    today: list[BookedLesson]
    teaches: list[NamedRoom]
    calendar: str = ""
    rehearsed_at: int | None = None  # when a rehearsal was passed last


class FeedLink(msgspec.Struct, frozen=True):
    """The secret address of a calendar; whoever has it may read it."""

    url: str


Resource = (
    TermView
    | BellsValue
    | CurriculumEntry
    | CurriculumPage
    | CallList
    | WeekView
    | BookedLesson
    | Choices
    | Imported
    | MyDay
    | FeedLink
    | TemplateView
)
Body = TermValue | NewBooking | ChangeBooking | SwapBookings | UndoChange
