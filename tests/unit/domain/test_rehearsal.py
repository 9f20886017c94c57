"""A rehearsal: every step in its order, in time or too late, with the right room or a wrong one."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from server.domain import rehearsal as rules
from server.domain.rehearsal import CALM_MS, COMING_MS, LIMIT_MS, Rehearsal, acting_rooms
from server.protocol.rehearsing import Act, Cue, Step

NOON = 1_800_000_000_000
FIRST, SECOND, THIRD = ROOMS = acting_rooms("main")


@dataclass
class Play:
    """One rehearsal on a clock of its own."""

    now: int = NOON
    present: set[str] = field(default_factory=lambda: set(ROOMS))
    cues: list[Cue] = field(default_factory=list)
    rehearsal: Rehearsal = field(default_factory=lambda: rules.begin(ROOMS, NOON))

    def after(self, ms: int) -> None:
        self.now += ms
        self._take(rules.tick(self.rehearsal, frozenset(self.present), self.now))

    def until_shown(self, step: Step) -> None:
        for _ in range(100):
            if self.rehearsal.step is step and self.rehearsal.shown_at is not None:
                return
            self.after(500)
        raise AssertionError(f"{step} never came")

    def call(self, room: str) -> None:
        self._take(rules.called(self.rehearsal, room, self.now))

    def point_out(self, room: str) -> None:
        self._take(rules.pointed_out(self.rehearsal, room, self.now))

    def _take(self, after: tuple[Rehearsal, list[Cue]]) -> None:
        self.rehearsal, cues = after
        self.cues += cues
        for cue in cues:
            if cue.act is Act.FALL:
                self.present.discard(cue.room)
            if cue.act is Act.COME:
                self.present.add(cue.room)


def passed_up_to(step: Step) -> Play:
    """Every step before this one done right, and this one shown."""
    play = Play()
    answers = {
        Step.HAND: lambda: play.call(FIRST),
        Step.SILENT: lambda: play.point_out(SECOND),
        Step.AWAY: lambda: play.call(FIRST),
        Step.BACK: lambda: play.call(THIRD),
    }
    for each in Step:
        play.until_shown(each)
        if each is step:
            break
        play.now += 2_000
        answers[each]()
    return play


def test_who_answers_every_step_in_time_has_passed() -> None:
    play = passed_up_to(Step.BACK)
    play.now += 1_500
    play.call(THIRD)
    assert play.rehearsal.passed
    assert rules.view(play.rehearsal).passed
    assert play.rehearsal.steps == {"hand": 2.0, "silent": 2.0, "away": 2.0, "back": 1.5}
    assert play.cues == [
        Cue(FIRST, Act.HAND),
        Cue(SECOND, Act.SILENT),
        Cue(SECOND, Act.SOUND),
        Cue(THIRD, Act.FALL),
        Cue(THIRD, Act.COME),
    ]


@pytest.mark.parametrize("step", list(Step))
def test_a_step_that_is_not_answered_in_time_is_missed_and_the_next_one_comes(step: Step) -> None:
    play = passed_up_to(step)
    play.after(LIMIT_MS - 1)
    assert play.rehearsal.step is step
    play.after(1)
    assert play.rehearsal.done[-1].ms is None
    assert play.rehearsal.steps[step] is None
    if step is not Step.BACK:
        play.until_shown(list(Step)[len(play.rehearsal.done)])
    assert not play.rehearsal.passed


def test_the_wrong_answer_leaves_a_step_as_it_is() -> None:
    play = passed_up_to(Step.HAND)
    play.call(SECOND)
    assert play.rehearsal.step is Step.HAND
    away = passed_up_to(Step.AWAY)
    away.call(THIRD)
    assert away.rehearsal.step is Step.AWAY
    silent = passed_up_to(Step.SILENT)
    silent.call(SECOND)
    assert silent.rehearsal.step is Step.SILENT


def test_the_silent_room_may_be_guessed_wrong_once() -> None:
    play = passed_up_to(Step.SILENT)
    assert rules.view(play.rehearsal).room is None
    play.point_out(FIRST)
    assert rules.view(play.rehearsal).wrong
    play.point_out(THIRD)
    assert play.rehearsal.steps["silent"] is None
    assert play.cues[-1] == Cue(SECOND, Act.SOUND)


def test_a_fall_counts_from_when_it_can_be_seen() -> None:
    play = passed_up_to(Step.SILENT)
    play.point_out(SECOND)
    play.after(CALM_MS)
    play.present.add(THIRD)  # nobody has noticed yet
    play.after(500)
    assert play.rehearsal.step is Step.AWAY
    assert rules.view(play.rehearsal).step is None
    play.call(FIRST)
    assert play.rehearsal.step is Step.AWAY
    play.present.discard(THIRD)
    play.after(500)
    assert rules.view(play.rehearsal).room == THIRD


def test_rooms_that_do_not_come_end_it_and_nobody_has_failed_a_step() -> None:
    play = Play(present={FIRST})
    play.after(COMING_MS)
    assert not play.rehearsal.failed
    play.after(1)
    assert play.rehearsal.failed
    assert rules.view(play.rehearsal).over
    assert play.rehearsal.done == ()


def test_an_acting_room_is_known_by_its_id_and_has_a_name_in_both_languages() -> None:
    assert all(map(rules.is_acting, ROOMS))
    assert not rules.is_acting("main")
    assert (rules.name_of(SECOND).zh, rules.name_of(SECOND).en) == ("排练教室 2", "Acting room 2")
