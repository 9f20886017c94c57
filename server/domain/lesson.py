"""A lesson from planned to ended: the transition table, Start, the bell, End, the teacher's absence.

Pure: values in, values out; `now` is milliseconds since 1970. Every event goes through `TRANSITIONS`; an
absent entry is a `WrongMoment` that names state and event.

    PLANNED --open--> OPEN --start--> LIVE --bell--> CLOSING --counted_down--> ENDED
                                       ^---extend-------'
    (end and abandon lead to ENDED from every state but ENDED)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from server.domain.invitation import Invitation
from server.errors import UserFault
from server.protocol.capture import OF_ROOMS, USUAL, Recordable
from server.protocol.messages import LessonState, Words
from server.protocol.parameters import Source
from server.protocol.timetable import Template

LEAST_EXTENSION_MS = 30_000


class LessonEvent(StrEnum):
    OPEN = "open"  # the studio or a room may come in and wait
    START = "start"  # the one touch
    BELL = "bell"  # the booked time is over
    EXTEND = "extend"  # [+5 minutes]
    COUNTED_DOWN = "counted_down"  # nobody extended
    END = "end"  # the teacher ended it
    ABANDON = "abandon"  # the main room stayed away too long


_P, _O, _L, _C, _E = (
    LessonState.PLANNED,
    LessonState.OPEN,
    LessonState.LIVE,
    LessonState.CLOSING,
    LessonState.ENDED,
)

TRANSITIONS: dict[LessonState, dict[LessonEvent, LessonState]] = {
    _P: {LessonEvent.OPEN: _O, LessonEvent.START: _L, LessonEvent.END: _E, LessonEvent.ABANDON: _E},
    _O: {LessonEvent.START: _L, LessonEvent.END: _E, LessonEvent.ABANDON: _E},
    _L: {
        LessonEvent.BELL: _C,
        LessonEvent.EXTEND: _L,
        LessonEvent.END: _E,
        LessonEvent.ABANDON: _E,
    },
    _C: {
        LessonEvent.EXTEND: _L,
        LessonEvent.COUNTED_DOWN: _E,
        LessonEvent.END: _E,
        LessonEvent.ABANDON: _E,
    },
    _E: {},
}

ON_AIR = frozenset({LessonState.LIVE, LessonState.CLOSING})
"""The states in which rooms send and receive."""


class WrongMoment(UserFault):
    """What was asked does not fit the lesson's state."""

    def __init__(self, state: LessonState, event: LessonEvent) -> None:
        super().__init__(
            "wrong_moment",
            zh="现在不能这样做，请看课堂当前的状态。",
            en=f"A lesson that is {state} cannot {event.replace('_', ' ')}.",
        )
        self.state = state
        self.event = event


@dataclass(frozen=True, slots=True)
class LessonRules:
    """The bell's times and the patience with an absent main room; all configurable."""

    minutes: int = 60
    notice_before_bell_ms: int = 120_000
    countdown_ms: int = 60_000
    absence_ms: int = 600_000
    longest_ms: int = 6 * 3_600_000  # no chain of extensions makes a lesson longer
    overslept_ms: int = 300_000  # so long after the bell nobody waits any more for a server that was down
    word_ms: int = 20_000  # so long past the countdown a word is not cut off, unless others need a room


@dataclass(frozen=True, slots=True)
class Pass:
    """A time-boxed link into one lesson: good until then, while the lesson still names this number."""

    number: int
    until: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is true of a lesson, apart from its floor and its media. `rooms`: receiving rooms in tile order;
    `recorded_rooms`: those whose pupils are recorded while they are on the floor (none unless the lesson says
    so); `subjects`: what else is; `paused`: nothing is written for now. From
    `called` to `last_called`: the floor as it was last saved, so that a restart does not forget who speaks;
    `floor.Floor` is the living one. `alive_at`: when campus last had it, to within half a minute.
    `watch_pass`, `remote_pass`: the links that open the broadcast and the phone remote; `guests`: viewers
    on stage, with a seat each while it lasts. `booked_from`, `booked_until`: its place in the timetable, with
    its `teacher` (`taught_by`: the person), `subject` and `grade`; None where nobody booked it. `asked`:
    rooms invited to a lesson that was not booked; `needed_at`: when the first of its rooms is booked by
    another lesson."""

    id: str
    title: Words
    main_room: str
    rooms: tuple[str, ...]
    state: LessonState = LessonState.PLANNED
    created_at: int = 0
    started_at: int | None = None
    ends_at: int | None = None
    closes_at: int | None = None
    ended_at: int | None = None
    main_away_since: int | None = None
    notice_given: bool = False
    stage: Source = Source.CAMERA
    courseware: bool = False
    recorded: bool = True
    subjects: frozenset[Recordable] = USUAL
    paused: bool = False
    recorded_rooms: frozenset[str] = frozenset()
    called: str | None = None
    muted: frozenset[str] = frozenset()
    opened: tuple[str, ...] = ()
    called_at: int | None = None
    hands: tuple[tuple[str, int], ...] = ()
    last_called: tuple[tuple[str, int], ...] = ()
    alive_at: int | None = None
    watch_pass: Pass | None = None
    remote_pass: Pass | None = None
    guests: tuple[str, ...] = ()
    booked_from: int | None = None
    booked_until: int | None = None
    teacher: Words | None = None
    taught_by: str = ""
    subject: str = ""
    grade: str = ""
    template: Template = Template.SHARED
    asked: tuple[Invitation, ...] = ()
    needed_at: int | None = None
    rules: LessonRules = field(default_factory=LessonRules)

    @property
    def on_air(self) -> bool:
        return self.state in ON_AIR

    @property
    def booked(self) -> bool:
        """Whether the timetable knows it: its rooms join untouched, and nobody's absence before Start ends
        it."""
        return self.booked_from is not None

    @property
    def on_the_spot(self) -> bool:
        """Booked in the moment in which it was made: it waits for no bell, and gives way to one that does."""
        return self.booked_from is not None and self.booked_from == self.created_at

    @property
    def missed(self) -> bool:
        """Its time went by and it never began."""
        return self.state is LessonState.ENDED and self.started_at is None

    @property
    def links(self) -> frozenset[int]:
        """Numbers of the links that are good."""
        return frozenset(one.number for one in (self.watch_pass, self.remote_pass) if one is not None)

    @property
    def seats(self) -> tuple[str, ...]:
        """Receiving rooms and guests, in tile order."""
        return (*self.rooms, *self.guests)


class LessonNotice(StrEnum):
    """Moments worth a sentence in studio and rooms (i18n `notice.<id>`)."""

    BELL_SOON = "bell_soon"  # values: minutes
    BELL = "bell"  # values: seconds
    EXTENDED = "extended"  # values: minutes
    ENDED = "ended"
    MAIN_AWAY = "main_away"
    MAIN_BACK = "main_back"


def _to(lesson: Lesson, event: LessonEvent) -> Lesson:
    after = TRANSITIONS[lesson.state].get(event)
    if after is None:
        raise WrongMoment(lesson.state, event)
    return replace(lesson, state=after)


def open_lesson(lesson: Lesson) -> Lesson:
    """PLANNED -> OPEN; WrongMoment elsewhere."""
    return _to(lesson, LessonEvent.OPEN)


def start(lesson: Lesson, now: int) -> Lesson:
    """The one touch. The bell is the timetable's, or rings after the rules' minutes."""
    booked = lesson.booked_until
    return replace(
        _to(lesson, LessonEvent.START),
        started_at=now,
        ends_at=booked if booked is not None and booked > now else now + lesson.rules.minutes * 60_000,
        main_away_since=None,
    )


def extend(lesson: Lesson, minutes: int, now: int) -> Lesson:
    """[+5]: the bell moves, as far as its rooms are free. A countdown stops. UserFault where the lesson would
    be too long, or a room is booked by others."""
    if not 1 <= minutes <= 60:
        raise UserFault("bad_minutes", zh="请选择 1 到 60 分钟。", en="Choose 1 to 60 minutes.")
    moved = _to(lesson, LessonEvent.EXTEND)
    bell = max(lesson.ends_at or now, now)
    ends_at = bell + minutes * 60_000
    if lesson.needed_at is not None:
        ends_at = min(ends_at, lesson.needed_at)
        if ends_at < bell + LEAST_EXTENSION_MS:
            raise UserFault(
                "rooms_needed",
                zh="接下来有教室已被别的课预约，不能再延长。",
                en="One of its rooms is booked by another lesson next: it cannot be made longer.",
            )
    if ends_at - (lesson.started_at or now) > lesson.rules.longest_ms:
        raise UserFault("too_long", zh="这节课不能再延长了。", en="This lesson cannot be made longer.")
    return replace(moved, ends_at=ends_at, closes_at=None, notice_given=False)


def end(lesson: Lesson, now: int) -> Lesson:
    """The teacher's End; WrongMoment where it has ended."""
    return _ended(lesson, LessonEvent.END, now)


def found_again(lesson: Lesson, now: int) -> Lesson:
    """After campus was down: a lesson whose bell is long over ended when it was last alive; no bell rings."""
    bell = lesson.ends_at
    if not lesson.on_air or bell is None or now <= bell + lesson.rules.overslept_ms:
        return lesson
    last = min(now, lesson.alive_at or bell)
    return _ended(lesson, LessonEvent.ABANDON, max(last, lesson.started_at or last))


def miss(lesson: Lesson, now: int) -> Lesson:
    """Its time went by and nobody began it; WrongMoment where somebody did."""
    if lesson.on_air:
        raise WrongMoment(lesson.state, LessonEvent.ABANDON)
    return _ended(lesson, LessonEvent.ABANDON, now)


def main_away(lesson: Lesson, now: int) -> Lesson:
    """The studio's connection is gone. Only a lesson on the air keeps count."""
    if not lesson.on_air or lesson.main_away_since is not None:
        return lesson
    return replace(lesson, main_away_since=now)


def main_back(lesson: Lesson) -> Lesson:
    """The studio is here again: live without a second Start."""
    return replace(lesson, main_away_since=None) if lesson.main_away_since is not None else lesson


def deadline(lesson: Lesson) -> int | None:
    """When `tick` has something to do next; None: never."""
    rules = lesson.rules
    times: list[int] = []
    if lesson.state is LessonState.LIVE and lesson.ends_at is not None:
        notice = lesson.ends_at - rules.notice_before_bell_ms
        times.append(lesson.ends_at if lesson.notice_given else notice)
    if lesson.state is LessonState.CLOSING and lesson.closes_at is not None:
        times.append(lesson.closes_at)
    if lesson.on_air and lesson.main_away_since is not None:
        times.append(lesson.main_away_since + rules.absence_ms)
    return min(times, default=None)


def record(lesson: Lesson, subjects: frozenset[Recordable]) -> Lesson:
    """From now on these subjects are written and no others. UserFault where none is left of a lesson on
    the air."""
    if lesson.state is LessonState.ENDED:
        raise UserFault("not_on_air", zh="课已经结束了。", en="The lesson is over.")
    if lesson.on_air and not subjects:
        raise UserFault(
            "nothing_recorded",
            zh="上课时至少要录一项；要停一停，请用“暂停录制”。",
            en="Keep something to record; to stop for a while, pause the recording.",
        )
    rooms = frozenset(lesson.rooms) if subjects & OF_ROOMS else frozenset[str]()
    return replace(lesson, subjects=subjects, recorded=bool(subjects), recorded_rooms=rooms)


def pause_recording(lesson: Lesson, paused: bool) -> Lesson:
    """Write nothing until it is told to go on. UserFault where nothing is being written."""
    if not (lesson.on_air and lesson.recorded):
        raise UserFault("not_recording", zh="现在没有在录制。", en="Nothing is being recorded.")
    return replace(lesson, paused=paused)


def tick(lesson: Lesson, now: int, *, speaking: bool = False) -> tuple[Lesson, list[LessonNotice]]:
    """Everything that is due at `now`: notice, bell, the countdown's end, an absence that lasted too long.
    Nobody who is `speaking` is cut off in mid-word, unless a room is booked by others by now."""
    notices: list[LessonNotice] = []
    while (due := deadline(lesson)) is not None and due <= now:
        if speaking and _waits_for_a_word(lesson, now):
            break
        lesson, notice = _step(lesson, now)
        notices.append(notice)
    return lesson, notices


def _waits_for_a_word(lesson: Lesson, now: int) -> bool:
    if lesson.state is not LessonState.CLOSING or lesson.closes_at is None:
        return False
    free = lesson.needed_at is None or now < lesson.needed_at
    return free and lesson.closes_at <= now < lesson.closes_at + lesson.rules.word_ms


def _step(lesson: Lesson, now: int) -> tuple[Lesson, LessonNotice]:
    away = lesson.main_away_since
    if away is not None and away + lesson.rules.absence_ms <= now:
        return _ended(lesson, LessonEvent.ABANDON, now), LessonNotice.ENDED
    if lesson.state is LessonState.CLOSING:
        return _ended(lesson, LessonEvent.COUNTED_DOWN, now), LessonNotice.ENDED
    if not lesson.notice_given and lesson.ends_at is not None and now < lesson.ends_at:
        return replace(lesson, notice_given=True), LessonNotice.BELL_SOON
    closing = _to(lesson, LessonEvent.BELL)
    return replace(closing, notice_given=True, closes_at=now + lesson.rules.countdown_ms), LessonNotice.BELL


def _ended(lesson: Lesson, event: LessonEvent, now: int) -> Lesson:
    return replace(
        _to(lesson, event), ended_at=now, closes_at=None, main_away_since=None, courseware=False, paused=False
    )
