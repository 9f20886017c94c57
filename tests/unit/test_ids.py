"""server.ids: names rise with time and fit where they are used."""

from hypothesis import given
from hypothesis import strategies as st

from recorder.archive.layout import check_lesson
from server import ids

INSTANTS = st.integers(min_value=0, max_value=2_100_000_000_000)


@given(INSTANTS)
def test_a_lesson_id_is_short_and_fits_the_archive(now_ms: int) -> None:
    lesson = ids.new_lesson_id(now_ms)
    assert ids.is_lesson_id(lesson)
    assert check_lesson(lesson) == lesson


@given(INSTANTS, INSTANTS)
def test_lesson_ids_sort_by_time(one: int, other: int) -> None:
    if one // 1000 < other // 1000:
        assert ids.new_lesson_id(one) < ids.new_lesson_id(other)


def test_room_codes_are_six_digits_and_peer_names_are_never_equal() -> None:
    assert all(len(code) == 6 and code.isdigit() for code in (ids.new_room_code() for _ in range(50)))
    names = {ids.new_peer_name("L0000000000", "shahe", "up") for _ in range(50)}
    assert len(names) == 50
