"""The lesson as pages draw it: values of the lesson room made into a `LessonView`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from server.domain.floor import Floor, stage_source
from server.domain.lesson import Lesson, LessonNotice
from server.domain.template import rules_of
from server.live.participant import Participant
from server.live.recording import recorded_rooms
from server.protocol.messages import LessonView, Role, Seat, Words
from server.protocol.parameters import Source
from server.protocol.rehearsing import RehearsalView


@dataclass(frozen=True, slots=True)
class ReplayFacts:
    """What is known of the recording: `after_ms` from End to playable."""

    recording: bool = False
    ready: bool = False
    after_ms: int | None = None
    problem: str = ""


def lesson_view(
    lesson: Lesson,
    floor: Floor,
    main_name: Words,
    seats: Iterable[Participant],
    sends: Mapping[str, frozenset[Source]],
    watching: list[tuple[Words, int]],
    remotes: list[str],
    main_away_since: int | None,
    replay: ReplayFacts,
    rehearsal: RehearsalView | None = None,
) -> LessonView:
    """`sends`: what really flows, by room; `seats` in tile order; `watching`: name and how many it is."""
    recorded = recorded_rooms(lesson, floor) if replay.recording else frozenset[str]()
    return LessonView(
        id=lesson.id,
        title=lesson.title,
        state=lesson.state,
        main_room=lesson.main_room,
        main_name=main_name,
        seats=[_seat(seat, floor, sends, recorded) for seat in seats],
        started_at=lesson.started_at,
        ends_at=lesson.ends_at,
        closes_at=lesson.closes_at,
        ended_at=lesson.ended_at,
        main_away_since=main_away_since,
        main_sends=sorted(sends.get(lesson.main_room, ())),
        main_muted=lesson.main_room in floor.muted,
        called=floor.called,
        called_at=floor.called_at,
        stage=stage_source(lesson, sends),
        courseware=lesson.courseware,
        recording=replay.recording,
        recording_paused=lesson.paused,
        recording_problem=replay.problem,
        records=sorted(lesson.subjects) if lesson.recorded else [],
        watched_by=[name.zh for name, _ in watching],
        watchers=[name for name, _ in watching],
        watched=sum(count for _, count in watching),
        remotes=remotes,
        broadcast_until=lesson.watch_pass.until if lesson.watch_pass is not None else None,
        remote_until=lesson.remote_pass.until if lesson.remote_pass is not None else None,
        replay_ready=replay.ready,
        replay_after_ms=replay.after_ms,
        replay_url=f"/replay/{lesson.id}" if replay.ready else None,
        booked_from=lesson.booked_from,
        booked_until=lesson.booked_until,
        teacher=lesson.teacher,
        rooms_send=sorted(rules_of(lesson.template).rooms_send),
        recordable=sorted(rules_of(lesson.template).recordable),
        rehearsal=rehearsal,
    )


def seen_by(role: Role, view: LessonView) -> LessonView:
    """A viewer of the broadcast, and a guest, is told who speaks, and of nobody else."""
    if role not in (Role.WATCHER, Role.GUEST):
        return view
    speaking = [seat for seat in view.seats if seat.room == view.called]
    return msgspec.structs.replace(view, seats=speaking, watched_by=[], watchers=[], remotes=[])


def _seat(
    seat: Participant, floor: Floor, sends: Mapping[str, frozenset[Source]], recorded: frozenset[str]
) -> Seat:
    return Seat(
        room=seat.seat,
        name=seat.name,
        state=seat.state,
        since=seat.since,
        detail=seat.detail,
        hand_since=floor.hands.get(seat.seat),
        muted=seat.seat in floor.muted,
        heard=seat.seat in floor.heard(),
        last_called=floor.last_called.get(seat.seat),
        sends=sorted(sends.get(seat.seat, ())),
        recorded=seat.seat in recorded,
        road=seat.road,
        heads=seat.heads,
        hear=seat.hear,
    )


def bell_values(lesson: Lesson, notice: LessonNotice, now: int) -> dict[str, str]:
    """What the bell's notices say of time."""
    if notice is LessonNotice.BELL_SOON and lesson.ends_at is not None:
        return {"minutes": str(max(1, round((lesson.ends_at - now) / 60_000)))}
    if notice is LessonNotice.BELL and lesson.closes_at is not None:
        return {"seconds": str(max(0, round((lesson.closes_at - now) / 1000)))}
    return {}
