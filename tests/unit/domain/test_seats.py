"""Each row of the tile table: true in time, cleared in time."""

from __future__ import annotations

from dataclasses import replace

from server.domain.admission import Admission, admit
from server.domain.seats import TABLE, Facts, lossy_since, seat_state
from server.protocol.messages import Role, SeatState

NOW = 1_000_000
WELL = Facts(
    present=True,
    was_here=True,
    joined_at=NOW - 60_000,
    media_up=True,
    reported_at=NOW,
    picture_due=NOW - 50_000,
    decoded_at=NOW,
    sound_due=NOW - 50_000,
    sounded_at=NOW,
)


def state(facts: Facts, now: int = NOW) -> SeatState:
    return seat_state(facts, now)[0]


def test_a_room_that_sees_and_hears_is_here() -> None:
    assert state(WELL) is SeatState.HERE


def test_a_room_that_never_came_is_expected_and_one_that_left_is_away() -> None:
    assert state(Facts()) is SeatState.EXPECTED
    assert state(replace(WELL, present=False)) is SeatState.AWAY


def test_joining_lasts_ten_seconds_then_the_line_is_the_trouble() -> None:
    joining = replace(WELL, media_up=False, reported_at=None, joined_at=NOW)
    assert state(joining, NOW + 10_000) is SeatState.JOINING
    assert seat_state(joining, NOW + 10_001) == (SeatState.AWAY, "media_not_connected")


def test_a_picture_that_is_not_decoded_for_two_seconds_is_no_picture() -> None:
    assert state(WELL, NOW + 2_000) is SeatState.HERE
    frozen = replace(WELL, sounded_at=NOW + 2_001, reported_at=NOW + 2_001)
    assert state(frozen, NOW + 2_001) is SeatState.NO_PICTURE
    assert state(replace(frozen, decoded_at=NOW + 2_001), NOW + 2_001) is SeatState.HERE


def test_a_browser_without_the_pictures_codec_is_told_at_once() -> None:
    assert seat_state(replace(WELL, codec_missing=True), NOW) == (SeatState.NO_PICTURE, "codec_missing")
    assert state(replace(WELL, codec_missing=True, on_air=False)) is SeatState.HERE


def test_a_pulled_cable_is_away_before_the_socket_notices() -> None:
    still = replace(WELL, decoded_at=NOW + 2_600, sounded_at=NOW + 2_600)
    assert seat_state(still, NOW + 2_501) == (SeatState.AWAY, "not_heard")
    assert state(replace(still, reported_at=NOW + 2_600), NOW + 2_700) is SeatState.HERE


def test_nobody_is_blamed_for_a_picture_that_is_not_sent() -> None:
    assert state(replace(WELL, picture_due=None, decoded_at=None)) is SeatState.HERE


def test_a_picture_that_just_began_has_two_seconds() -> None:
    fresh = replace(WELL, picture_due=NOW - 1_000, decoded_at=None)
    assert state(fresh) is SeatState.HERE
    assert state(replace(fresh, sounded_at=NOW + 1_500), NOW + 1_500) is SeatState.NO_PICTURE


def test_a_browser_that_waits_for_a_touch_has_no_sound() -> None:
    assert seat_state(replace(WELL, sound_blocked=True), NOW) == (SeatState.NO_SOUND, "sound_blocked")


def test_sound_that_does_not_play_is_no_sound() -> None:
    silent = replace(WELL, decoded_at=NOW + 2_500, reported_at=NOW + 2_500)
    assert seat_state(silent, NOW + 2_500) == (SeatState.NO_SOUND, "sound_not_playing")


def test_loss_for_ten_seconds_is_a_weak_line_and_clears_at_once() -> None:
    since = lossy_since(None, 0.06, NOW)
    assert since == NOW
    assert lossy_since(since, 0.2, NOW + 5_000) == NOW
    weak = replace(
        WELL, decoded_at=NOW + 10_001, sounded_at=NOW + 10_001, reported_at=NOW + 10_001, lossy_since=since
    )
    assert state(weak, NOW + 10_000) is SeatState.HERE
    assert state(weak, NOW + 10_001) is SeatState.WEAK_LINE
    assert lossy_since(since, 0.01, NOW + 10_500) is None


def test_help_comes_first_and_goes_by_itself() -> None:
    asks = replace(WELL, help_kind="sound", help_since=NOW, sound_blocked=True)
    assert seat_state(asks, NOW) == (SeatState.ASKS_HELP, "help_sound")
    assert state(asks, NOW + 120_001) is not SeatState.ASKS_HELP


def test_muted_and_sound_only_are_told() -> None:
    assert state(replace(WELL, muted=True)) is SeatState.MUTED
    assert state(replace(WELL, sends_voice_only=True)) is SeatState.SOUND_ONLY


def test_before_start_a_connected_room_is_simply_here() -> None:
    waiting = Facts(present=True, was_here=True, joined_at=NOW, on_air=False)
    assert state(waiting, NOW + 3_600_000) is SeatState.HERE


def test_every_state_has_a_row_with_words() -> None:
    assert {row.state for row in TABLE} == set(SeatState)
    assert all(row.words.zh and row.words.en for row in TABLE)


def test_one_studio_asks_one_room_replaces_and_observers_are_many() -> None:
    def ask(role: Role, *, occupied: bool = True, same: bool = False, takeover: bool = False) -> Admission:
        return admit(occupied=occupied, same_session=same, role=role, takeover=takeover)

    assert ask(Role.TEACHER, occupied=False) is Admission.ADMIT
    assert ask(Role.TEACHER) is Admission.ASK
    assert ask(Role.TEACHER, takeover=True) is Admission.REPLACE
    assert ask(Role.TEACHER, same=True) is Admission.REPLACE
    assert ask(Role.ROOM) is Admission.REPLACE
    assert ask(Role.OBSERVER) is Admission.ADMIT
