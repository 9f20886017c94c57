"""A rehearsal with acting rooms: what they do, and what the teacher is to do about it (pure).

    the rooms come in --> HAND --> SILENT --> AWAY --> BACK --> over

Between two steps a room does something (`Cue`); a step begins when it can be seen, and ends with the right
answer or after LIMIT_MS. Whoever answered all of them in time has passed. `now` is milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from server.protocol.rehearsing import Act, Cue, RehearsalView, Step, StepDone
from server.protocol.words import Words

ROOMS = 3
CALM_MS = 3_000
"""Between two steps."""
LIMIT_MS = 60_000
COMING_MS = 45_000
"""So long the rooms may take to come in."""
MOST_WRONG = 1
ACTING = "acting"


def acting_rooms(main_room: str) -> tuple[str, ...]:
    """Ids of the rooms that act for a main room: no room of a county has such a one."""
    return tuple(f"{ACTING}-{number}-{main_room}" for number in range(1, ROOMS + 1))


def is_acting(room: str) -> bool:
    return room.startswith(f"{ACTING}-")


def name_of(room: str) -> Words:
    number = room.split("-")[1]
    return Words(zh=f"排练教室 {number}", en=f"Acting room {number}")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`due_at`: when the next step's room acts; `shown_at`: since when the step can be seen; `failed`: the
    rooms did not come."""

    rooms: tuple[str, ...]
    began_at: int
    due_at: int | None = None
    step: Step | None = None
    shown_at: int | None = None
    done: tuple[StepDone, ...] = ()
    wrong: int = 0
    failed: bool = False

    @property
    def over(self) -> bool:
        return len(self.done) == len(Step)

    @property
    def passed(self) -> bool:
        return self.over and all(each.ms is not None for each in self.done)

    @property
    def steps(self) -> dict[str, float | None]:
        """For the row: seconds of each step, None where it was missed or not reached."""
        took = {each.step: each.ms for each in self.done}
        return {step.value: None if (ms := took.get(step)) is None else round(ms / 1000, 1) for step in Step}


def begin(rooms: tuple[str, ...], now: int) -> Rehearsal:
    return Rehearsal(rooms, now)


def whom(rehearsal: Rehearsal) -> str | None:
    """The room that the step is about."""
    place: Mapping[Step, int] = {Step.HAND: 0, Step.SILENT: 1, Step.AWAY: 2, Step.BACK: 2}
    return rehearsal.rooms[place[rehearsal.step]] if rehearsal.step is not None else None


def tick(rehearsal: Rehearsal, present: frozenset[str], now: int) -> tuple[Rehearsal, list[Cue]]:
    """What is due at `now`; the rooms that act. `present`: who is connected."""
    if rehearsal.over or rehearsal.failed:
        return rehearsal, []
    if rehearsal.step is None:
        return _calm(rehearsal, present, now)
    if rehearsal.shown_at is None and _seen(rehearsal, present):
        rehearsal = replace(rehearsal, shown_at=now)
    if rehearsal.shown_at is not None and now - rehearsal.shown_at >= LIMIT_MS:
        return _next(rehearsal, None, now)
    return rehearsal, []


def _calm(rehearsal: Rehearsal, present: frozenset[str], now: int) -> tuple[Rehearsal, list[Cue]]:
    if rehearsal.due_at is None:  # they are still coming
        if set(rehearsal.rooms) <= present:
            return replace(rehearsal, due_at=now + CALM_MS), []
        return replace(rehearsal, failed=now - rehearsal.began_at > COMING_MS), []
    if now < rehearsal.due_at:
        return rehearsal, []
    step = list(Step)[len(rehearsal.done)]
    begun = replace(rehearsal, step=step, shown_at=None, wrong=0)
    room = whom(begun) or ""
    act = {Step.HAND: Act.HAND, Step.SILENT: Act.SILENT, Step.AWAY: Act.FALL, Step.BACK: Act.COME}[step]
    return begun, [Cue(room, act)]


def _seen(rehearsal: Rehearsal, present: frozenset[str]) -> bool:
    """Whether what the step is about has happened."""
    room = whom(rehearsal)
    return room not in present if rehearsal.step is Step.AWAY else room in present


def called(rehearsal: Rehearsal, room: str, now: int) -> tuple[Rehearsal, list[Cue]]:
    """The teacher called on a room."""
    if rehearsal.step is None or rehearsal.shown_at is None:
        return rehearsal, []
    about = whom(rehearsal)
    right = room != about if rehearsal.step is Step.AWAY else room == about
    if not right or rehearsal.step is Step.SILENT:
        return rehearsal, []
    return _next(rehearsal, now - rehearsal.shown_at, now)


def pointed_out(rehearsal: Rehearsal, room: str, now: int) -> tuple[Rehearsal, list[Cue]]:
    """The teacher says which room has no sound; a second wrong one ends the step."""
    if rehearsal.step is not Step.SILENT or rehearsal.shown_at is None:
        return rehearsal, []
    if room == whom(rehearsal):
        return _next(rehearsal, now - rehearsal.shown_at, now)
    if rehearsal.wrong < MOST_WRONG:
        return replace(rehearsal, wrong=rehearsal.wrong + 1), []
    return _next(rehearsal, None, now)


def _next(rehearsal: Rehearsal, took_ms: int | None, now: int) -> tuple[Rehearsal, list[Cue]]:
    step = rehearsal.step
    assert step is not None
    about = whom(rehearsal) or ""
    done = (*rehearsal.done, StepDone(step, took_ms))
    after = replace(rehearsal, step=None, shown_at=None, done=done, wrong=0, due_at=now + CALM_MS)
    return after, [Cue(about, Act.SOUND)] if step is Step.SILENT else []


def view(rehearsal: Rehearsal) -> RehearsalView:
    """What the studio is told; which room has no sound the teacher is to find."""
    shown = rehearsal.step is not None and rehearsal.shown_at is not None
    return RehearsalView(
        done=list(rehearsal.done),
        step=rehearsal.step if shown else None,
        room=whom(rehearsal) if shown and rehearsal.step is not Step.SILENT else None,
        until=rehearsal.shown_at + LIMIT_MS if shown and rehearsal.shown_at is not None else None,
        wrong=rehearsal.wrong > 0,
        over=rehearsal.over or rehearsal.failed,
        passed=rehearsal.passed,
    )
