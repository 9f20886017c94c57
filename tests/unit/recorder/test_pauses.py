"""A pause of the recording is a hole by wish, and each hole says on which side it was made."""

from __future__ import annotations

import pytest

from recorder.archive.manifest import Gap, GapCause, Side, Track
from recorder.assemble.assembler import Assembler
from recorder.assemble.samples import Gaps, Outages
from recorder.assemble.sides import with_sides
from recorder.contract import RecordKind, Subject
from tests.fakes.numbered_rtp import Made, assert_contiguous, pictures, sounds
from tests.fakes.recorded_lesson import CAMERA, VOICE, Sent, camera_sender, in_order, span_of, voice_sender

UNTAPPED = [Sent(20.1, 1, b"", RecordKind.TRACK_END), Sent(20.1, 3, b"", RecordKind.TRACK_END)]


def test_a_pause_is_listed_by_its_cause_and_the_timeline_goes_on_over_it() -> None:
    assembler = Assembler()
    assembler.opened(b"r" * 16, b"boot", 0)
    before = in_order(pictures(camera_sender(), 20), sounds(voice_sender(), 20))
    camera, voice = camera_sender(sequence=900), voice_sender(sequence=900)
    after = in_order(pictures(camera, 20, start_s=50), sounds(voice, 20, start_s=50))
    assembler.feed(span_of([*before, *UNTAPPED], [CAMERA, VOICE], None))
    assembler.paused(10**12 + 20_050_000_000, paused=True)
    assembler.paused(10**12 + 49_990_000_000, paused=False)
    assembler.feed(span_of(after, [], 70))
    made = Made(assembler.take(), assembler)
    assert_contiguous(made)
    for track in ("camera", "voice"):
        ((start, end, cause),) = made.gaps(track)
        assert (round(start), round(end), cause) == (20, 50, "paused")
    assert made.offset_ms((51, 70)) < 40
    assert not [said for _, said in made.shown("voice") if 20.1 < said < 49.9]


def test_a_hole_that_a_pause_only_touches_keeps_its_own_cause_for_the_rest() -> None:
    gaps = Gaps(Outages(spans=[(2.0, 3.0)], pauses=[(10.0, 20.0), (30.0, 31.0)]))
    gaps.add(0.0, 60.0, GapCause.SOURCE_AWAY)
    assert [(gap.start_s, gap.end_s, gap.cause) for gap in gaps.holes] == [
        (0.0, 10.0, GapCause.SERVER),
        (10.0, 20.0, GapCause.PAUSED),
        (20.0, 30.0, GapCause.SOURCE_AWAY),
        (30.0, 31.0, GapCause.PAUSED),
        (31.0, 60.0, GapCause.SOURCE_AWAY),
    ]


def test_the_edges_of_a_pause_are_the_pauses() -> None:
    gaps = Gaps(Outages(pauses=[(10.4, 20.0)]))
    gaps.add(10.0, 20.9, GapCause.SOURCE_AWAY)
    assert [(gap.start_s, gap.end_s, gap.cause) for gap in gaps.holes] == [(10.0, 20.9, GapCause.PAUSED)]


def track(name: str, subject: Subject, room: str, *gaps: Gap) -> Track:
    return Track(name, subject, "video", "H264", room, gaps=list(gaps))


AWAY = Gap(10, 20, GapCause.SOURCE_AWAY)


@pytest.mark.parametrize(
    ("others", "side"),
    [
        ([track("room-a-voice", Subject.PUPILS_VOICE, "a", Gap(10.5, 19.8, GapCause.LOSS))], Side.POINT_LINE),
        ([track("room-a-voice", Subject.PUPILS_VOICE, "a", Gap(10, 12, GapCause.LOSS))], Side.POINT_DEVICE),
        ([track("room-b-voice", Subject.PUPILS_VOICE, "b", AWAY)], Side.UNKNOWN),
    ],
)
def test_a_hole_of_a_room_is_its_lines_where_everything_was_missing(others: list[Track], side: Side) -> None:
    made = with_sides([track("room-a-camera", Subject.PUPILS, "a", AWAY), *others])
    assert made[0].gaps[0].side is side


def test_holes_of_the_main_room_and_of_this_machine_say_so() -> None:
    server, paused = Gap(1, 2, GapCause.SERVER), Gap(3, 4, GapCause.PAUSED)
    (made,) = with_sides([track("camera", Subject.TEACHER, "main", server, paused, AWAY)])
    assert [gap.side for gap in made.gaps] == [Side.SERVER, Side.MAIN_ROOM, Side.MAIN_ROOM]
