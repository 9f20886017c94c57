"""What a room received: one observation by the table, spans without overlap, a restart in between."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.reception import Around, Kind, Reception, Seen, Side, Span, Timeline, see
from server.domain.seats import Facts
from server.protocol.parameters import Road

NOW = 1_800_000_000_000
WELL = {
    "present": True, "was_here": True, "joined_at": NOW - 60_000, "media_up": True, "reported_at": NOW - 500,
    "picture_due": NOW - 60_000, "decoded_at": NOW - 300, "sound_due": NOW - 60_000, "sounded_at": NOW - 300,
}  # fmt: skip
LONG_AGO = {"decoded_at": NOW - 9_000}
MUTE = {"sounded_at": NOW - 9_000}


@pytest.mark.parametrize(
    ("facts", "around", "expected"),
    [
        ({}, {}, (Kind.PICTURE, Side.NONE, "")),
        ({}, {"main_away_since": NOW - 5}, (Kind.HOLE, Side.MAIN_ROOM, "main_away")),
        ({}, {"worker": False}, (Kind.HOLE, Side.SERVER, "no_worker")),
        ({}, {"main_sends": False}, (Kind.HOLE, Side.MAIN_ROOM, "nothing_sent")),
        ({}, {"road": Road.HLS}, (Kind.BROADCAST, Side.LINE, "hls")),
        ({"present": False, "was_here": False}, {}, (Kind.HOLE, Side.UNKNOWN, "never_came")),
        ({"present": False}, {"silent": True}, (Kind.HOLE, Side.LINE, "line_cut")),
        ({"present": False}, {"left_at": NOW - 3}, (Kind.HOLE, Side.DEVICE, "page_closed")),
        ({"media_up": False}, {}, (Kind.HOLE, Side.LINE, "media_not_connected")),
        ({"reported_at": NOW - 4_000}, {}, (Kind.HOLE, Side.LINE, "not_heard")),
        ({**LONG_AGO, "picture_due": None}, {}, (Kind.SOUND, Side.MAIN_ROOM, "no_picture_sent")),
        ({**LONG_AGO, "held_since": NOW - 5}, {}, (Kind.SOUND, Side.LINE, "held")),
        ({**LONG_AGO, "held_since": NOW - 5, "picture_due": None}, {}, (Kind.SOUND, Side.LINE, "held")),
        ({**LONG_AGO, "codec_missing": True}, {}, (Kind.SOUND, Side.DEVICE, "codec_missing")),
        (LONG_AGO, {}, (Kind.SOUND, Side.LINE, "picture_not_decoded")),
        (LONG_AGO, {"arriving": True}, (Kind.SOUND, Side.DEVICE, "picture_not_decoded")),
        ({**MUTE, "sound_blocked": True}, {}, (Kind.SILENT, Side.DEVICE, "sound_blocked")),
        (MUTE, {}, (Kind.SILENT, Side.LINE, "sound_not_playing")),
        ({**MUTE, "sound_due": None}, {}, (Kind.PICTURE, Side.NONE, "")),
        ({**LONG_AGO, **MUTE}, {}, (Kind.HOLE, Side.LINE, "nothing_decoded")),
    ],
)
def test_what_is_seen_has_its_kind_and_its_side(
    facts: dict[str, object], around: dict[str, object], expected: tuple[Kind, Side, str]
) -> None:
    seen = see(Facts(**{**WELL, **facts}), Around(**around), NOW)  # type: ignore[arg-type]
    assert (seen.kind, seen.side, seen.cause) == expected


def test_what_was_the_main_rooms_is_not_given_to_the_room_when_it_comes_back() -> None:
    line = Timeline()
    line.observe(Seen(Kind.PICTURE), 1_000)
    line.observe(Seen(Kind.HOLE, Side.LINE, "nothing_decoded", since=2_000), 4_000)
    line.observe(Seen(Kind.HOLE, Side.MAIN_ROOM, "nothing_sent", since=2_000), 5_000)
    for now in range(9_000, 20_001, 500):
        line.observe(Seen(Kind.HOLE, Side.MAIN_ROOM, "main_away", since=8_000), now)
    line.observe(Seen(Kind.HOLE, Side.LINE, "nothing_decoded", since=2_000), 20_000)
    line.observe(Seen(Kind.PICTURE), 21_000)
    told = [(span.since, span.until, span.side) for span in line.take() if span.kind is Kind.HOLE]
    assert told == [
        (2_000, 8_000, Side.MAIN_ROOM),
        (8_000, 20_000, Side.MAIN_ROOM),
        (20_000, 21_000, Side.LINE),
    ]


def test_a_hole_begins_when_the_last_thing_came_not_when_it_was_noticed() -> None:
    line = Timeline()
    line.observe(Seen(Kind.PICTURE), 1_000)
    line.observe(Seen(Kind.PICTURE), 5_000)
    line.observe(Seen(Kind.HOLE, Side.LINE, "line_cut", since=3_000), 6_000)
    line.observe(Seen(Kind.PICTURE), 9_000)
    kinds = [(span.since, span.until, span.kind) for span in line.take()]
    assert kinds == [(1_000, 3_000, Kind.PICTURE), (3_000, 9_000, Kind.HOLE), (9_000, 9_000, Kind.PICTURE)]
    line.observe(Seen(Kind.PICTURE), 9_500)
    assert [span.since for span in line.take()] == [9_000], "what was taken comes again only while it grows"


def test_after_a_restart_media_that_went_on_has_no_hole_and_else_the_server_has_it() -> None:
    last = Span(1_000, 20_000, Kind.PICTURE)
    went_on, cut = Timeline(), Timeline()
    went_on.resume(last, 24_000, Seen(Kind.PICTURE), went_on=True)
    assert [(s.since, s.until) for s in went_on.take()] == [(1_000, 24_000)]
    cut.resume(last, 24_000, Seen(Kind.HOLE, Side.UNKNOWN, "joining", since=23_000), went_on=True)
    hole = cut.take()[0]
    assert (hole.since, hole.until, hole.side) == (20_000, 24_000, Side.SERVER)


SEEN = st.builds(
    Seen,
    st.sampled_from(Kind),
    st.sampled_from(Side),
    st.sampled_from(["", "a"]),
    st.none() | st.integers(-9_000, 99_000),
)


@given(st.lists(st.tuples(SEEN, st.integers(0, 5_000)), min_size=1, max_size=60))
def test_spans_cover_the_time_without_overlap_whatever_is_seen(steps: list[tuple[Seen, int]]) -> None:
    line, now = Timeline(), 1_000
    kept: dict[int, Span] = {}
    for number, (seen, pause) in enumerate(steps):
        now += pause
        line.observe(seen, now)
        if number % 3 == 0:
            kept.update((span.since, span) for span in line.take())
    kept.update((span.since, span) for span in line.take())
    spans = [kept[since] for since in sorted(kept)]
    assert spans[0].since == 1_000 + steps[0][1]
    assert spans[-1].until == now
    assert all(one.until == after.since for one, after in pairwise(spans))
    whole = Reception("shahe", tuple(spans), None, 0)
    assert whole.ms(*Kind) == now - spans[0].since
