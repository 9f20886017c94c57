"""Whatever is pressed in whatever order: the tables hold, and a room never hears itself."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain import lesson as lessons
from server.domain.floor import Floor, assignments, room_left, slots_of, watcher_assignment
from server.domain.lesson import TRANSITIONS, Lesson, LessonEvent
from server.domain.seats import Facts, seat_state
from server.domain.teaching import Teaching, teach
from server.errors import UserFault
from server.protocol import messages as m
from server.protocol.messages import LessonState, Role, SeatState, Words
from server.protocol.parameters import Kind, Source
from server.protocol.session import Close, Session, SessionState

ROOMS = ("a", "b", "c", "d", "e")
room = st.sampled_from(ROOMS)
message: st.SearchStrategy[Teaching] = st.one_of(
    st.builds(m.Start),
    st.builds(m.End),
    st.builds(m.Extend, st.integers(-5, 70)),
    st.builds(m.CallOn, st.none() | room),
    st.builds(m.Mute, room, st.booleans()),
    st.builds(m.OpenVoice, room, st.booleans()),
    st.builds(m.Stage, st.sampled_from(Source)),
    st.builds(m.Courseware, st.booleans()),
    st.builds(m.LowerHand, room),
)
sends = st.dictionaries(st.sampled_from(("main", *ROOMS)), st.sets(st.sampled_from(Source)))
step = st.tuples(message | room, st.integers(0, 600_000))


def opened() -> Lesson:
    return lessons.open_lesson(Lesson("L1", Words("课", "lesson"), "main", ROOMS))


@settings(max_examples=300)
@given(st.lists(step, max_size=30), sends)
def test_in_every_reachable_lesson_the_slots_obey_the_rules(
    steps: list[tuple[Teaching | str, int]], sent: dict[str, set[Source]]
) -> None:
    lesson, floor, now = opened(), Floor(), 0
    for said, later in steps:
        now += later
        before = lesson.state
        lesson, _ = lessons.tick(lesson, now)
        try:
            if isinstance(said, str):
                floor = room_left(floor, said)
            else:
                outcome = teach(lesson, floor, said, frozenset(ROOMS), now)
                lesson, floor = outcome.lesson, outcome.floor
        except UserFault:
            pass
        assert lesson.state is before or _reachable(before, lesson.state)
        assert_assignments(lesson, floor, sent)


def _reachable(before: LessonState, after: LessonState) -> bool:
    """By table entries one after the other (a tick may take several)."""
    seen, todo = {before}, [before]
    while todo:
        for state in TRANSITIONS[todo.pop()].values():
            if state not in seen:
                seen.add(state)
                todo.append(state)
    return after in seen


def assert_assignments(lesson: Lesson, floor: Floor, sent: dict[str, set[Source]]) -> None:
    heard = set(floor.heard())
    for role, who in ((Role.TEACHER, "main"), (Role.OBSERVER, ""), *((Role.ROOM, r) for r in ROOMS)):
        got = assignments(lesson, floor, sent, role, who)
        kinds = dict(slots_of(role))
        if not lesson.on_air:
            assert got == {}
        for slot, (origin, source) in got.items():
            assert kinds[slot] is (Kind.AUDIO if source is Source.VOICE else Kind.VIDEO)
            assert source in sent[origin]
            if source is Source.VOICE:
                assert origin != who, "a room never hears itself"
                assert origin == "main" or origin in heard
                assert origin not in floor.muted
        voices = [origin for origin, source in got.values() if source is Source.VOICE]
        assert len(voices) == len(set(voices)), "nobody is heard twice"
    for source in (None, *Source):
        if source is not Source.VOICE:
            assert set(watcher_assignment(lesson, floor, sent, source)) <= {"video", "main"}


@given(st.sampled_from(LessonState), st.sampled_from(LessonEvent))
def test_an_ended_lesson_stays_ended(state: LessonState, event: LessonEvent) -> None:
    assert not TRANSITIONS[LessonState.ENDED]
    after = TRANSITIONS[state].get(event)
    if state in (LessonState.CLOSING, LessonState.LIVE) and after is not None:
        assert after in (LessonState.LIVE, LessonState.CLOSING, LessonState.ENDED)


moment = st.none() | st.integers(0, 200_000)


@given(
    st.builds(
        Facts,
        present=st.booleans(),
        was_here=st.booleans(),
        joined_at=moment,
        on_air=st.booleans(),
        media_up=st.booleans(),
        reported_at=moment,
        picture_due=moment,
        decoded_at=moment,
        sound_due=moment,
        sounded_at=moment,
        sound_blocked=st.booleans(),
        sends_voice_only=st.booleans(),
        lossy_since=moment,
        muted=st.booleans(),
        help_kind=st.sampled_from(["", "sound", "picture", "none", "x"]),
        help_since=moment,
    ),
    st.integers(200_000, 400_000),
)
def test_every_set_of_facts_has_one_state_that_is_not_a_lie(facts: Facts, now: int) -> None:
    state, _ = seat_state(facts, now)
    if not facts.present:
        assert state is (SeatState.AWAY if facts.was_here else SeatState.EXPECTED)
    if state is SeatState.HERE and facts.on_air:
        assert facts.media_up
        assert not facts.sound_blocked
    if not facts.on_air:
        assert state not in (SeatState.NO_PICTURE, SeatState.NO_SOUND, SeatState.WEAK_LINE, SeatState.JOINING)
    cured = replace(facts, help_since=None, sound_blocked=False, decoded_at=now, sounded_at=now,
                    lossy_since=None, muted=False, sends_voice_only=False, present=True, media_up=True,
                    reported_at=now)  # fmt: skip
    assert seat_state(cured, now)[0] is SeatState.HERE, "whatever was wrong clears with its fact"


@settings(max_examples=300)
@given(
    st.lists(
        st.binary(max_size=200)
        | st.text(max_size=200)
        | st.just(msgspec.json.encode(m.Hello(token="t")))
        | message.map(msgspec.json.encode),
        max_size=20,
    )
)
def test_a_session_never_raises_whatever_it_is_sent(received: list[bytes | str]) -> None:
    session = Session(0.0)
    for number, data in enumerate(received):
        effects = session.receive(data, number / 10)
        closes = [effect for effect in effects if isinstance(effect, Close)]
        assert (session.state is SessionState.CLOSED) == bool(closes) or not effects
        if session.state is SessionState.CLOSED:
            assert session.receive(data, number / 10) == []
