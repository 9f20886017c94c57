"""What a teacher would notice, told from pictures and times."""

from __future__ import annotations

from msgspec.structs import replace

from recorder.archive.published import RenditionKind
from server.drill.figures import (
    PointFigures,
    PublishedFigures,
    RecordingFigures,
    RenditionFigures,
    Watched,
    count_freezes,
    count_lost,
    latencies_ms,
    notice,
    seconds_received,
)
from server.drill.replay import names_in
from server.drill.watching import Seen

SENT = {number: 10 + number / 15 for number in range(300)}  # 20 s at 15 a second
SEEN = [Seen(at + 0.1, number) for number, at in SENT.items()]
WELL = PointFigures("Luoping point", 0.3, 0.4, 20, 0, 0)
RECORDED = RecordingFigures(0.8, 19.9, 0.99, 12.0, 0, "lesson.m3u8")
WATCHED = Watched(10.1, 30.1)
SMALL = RenditionFigures(RenditionKind.LOW, 298, 19.9, 0.99, -8.0)
SOUND = RenditionFigures(RenditionKind.SOUND, 0, 20.0, 1.0, None)
FILM = RenditionFigures(RenditionKind.FILM, 500, 20.0, 0.97, 15.0)
PUBLISHED = PublishedFigures(9.0, 298, 19.9, [SMALL, SOUND, FILM])


def noticed(
    point: PointFigures = WELL,
    watched: Watched = WATCHED,
    latency: float | None = 100.0,
    heard: float | None = 0.2,
    recording: RecordingFigures | None = RECORDED,
    published: PublishedFigures | None = PUBLISHED,
) -> list[str]:
    return notice([point], [watched], 300, 20.0, latency, heard, recording, published)


def test_a_lesson_that_went_well_leaves_nothing_to_notice() -> None:
    assert noticed() == []


def test_a_cut_room_is_judged_by_the_time_it_was_plugged_in() -> None:
    cut = Watched(10.1, 30.1, (15.0, 20.0))
    assert cut.plugged_in() == [(10.1, 15.0), (20.0, 30.1)]
    assert noticed(PointFigures("x", 0.3, 0.4, 15, 0, 0, 1.2), cut) == []
    assert noticed(PointFigures("x", 0.3, 0.4, 15, 0, 0, None), cut) == ["x: back after: not at all"]
    assert noticed(PointFigures("x", 0.3, 0.4, 15, 0, 0)) == ["x: pictures in 15 of 20 s"]


def test_each_ill_is_told_with_its_figure() -> None:
    ill = PointFigures("x", None, 9.0, 20, 2, 40)
    assert noticed(ill) == [
        "x: joined after: not at all",
        "x: first picture after: 9.00 s",
        "x: 2 freezes",
        "x: 40 pictures lost",
    ]
    assert noticed(latency=None) == ["picture late by: not at all"]
    assert noticed(heard=4.0) == ["called room heard after: 4.00 s"]
    assert noticed(recording=None) == ["there is no recording"]
    bad = RecordingFigures(None, 8.0, 0.5, -200.0, 3, "")
    assert len(noticed(recording=bad)) == 4


def test_a_derived_file_that_is_short_torn_or_out_of_step_is_told() -> None:
    assert noticed(published=None) == ["nothing was made of the recording"]
    torn = RenditionFigures(RenditionKind.HIGH, 290, 12.0, 0.7, 90.0)
    assert noticed(published=PublishedFigures(9.0, 298, 19.9, [torn])) == [
        "720p: 12.0 of 19.9 s",
        "720p: 290 of 298 pictures",
        "720p: 70% of the pictures",
        "720p: sound late by 90.00 ms",
    ]


def test_a_picture_that_stands_is_a_freeze_and_those_that_never_come_are_lost() -> None:
    holed = [one for one in SEEN if not 100 <= one.number < 115]
    assert count_freezes(SEEN, SENT, (10, 31)) == 0
    assert count_freezes(holed, SENT, (10, 31)) == 1
    assert count_freezes(holed, SENT, (10, 15)) == 0
    assert count_lost(SEEN, SENT, (10, 31)) == 0
    assert count_lost(holed, SENT, (10, 31)) == 15
    assert count_lost([], SENT, (10, 20)) == 151, "nothing came: all that was sent meanwhile is lost"


def test_what_the_main_room_itself_let_stand_is_no_freeze() -> None:
    sent = {number: at for number, at in SENT.items() if not 100 <= number < 115}
    seen = [one for one in SEEN if one.number in sent]
    assert count_freezes(seen, sent, (10, 31)) == 0
    assert count_lost(seen, sent, (10, 31)) == 0


def test_seconds_and_delays_are_counted_over_what_came() -> None:
    assert seconds_received(SEEN) == 21
    assert {round(ms) for ms in latencies_ms(SEEN, SENT)} == {100}
    assert latencies_ms([Seen(1, 9999)], SENT) == []


def test_a_playlist_names_its_segments_and_its_initialization() -> None:
    text = '#EXTM3U\n#EXT-X-MAP:URI="camera-init.mp4"\n#EXTINF:1,\n#EXT-X-BYTERANGE:5@0\ncamera.mp4\n'
    assert names_in(text) == {"camera-init.mp4", "camera.mp4"}


def test_a_real_devices_lesson_is_judged_by_what_came_and_was_kept_not_by_delay_and_step() -> None:
    """Its pictures bear no numbers: a recording without ratio, delays and offsets that mean nothing."""
    recorded = RecordingFigures(0.8, 19.9, None, None, 0, "lesson.m3u8")
    made = [replace(each, distinct_ratio=None, av_offset_ms=None) for each in (SMALL, SOUND, FILM)]
    published = replace(PUBLISHED, renditions=made)

    def told(point: PointFigures, recording: RecordingFigures | None) -> list[str]:
        return notice([point], [WATCHED], 0, 20.0, None, 0.2, recording, published, numbered=False)

    assert told(WELL, recorded) == []
    assert told(PointFigures("x", 0.3, 0.4, 9, 3, 0), recorded) == [
        "x: pictures in 9 of 20 s",
        "x: 3 freezes",
    ]
    assert told(WELL, replace(recorded, seconds=7.0)) == ["7.0 of 20.0 s recorded"]
    assert told(WELL, None) == ["there is no recording"]
