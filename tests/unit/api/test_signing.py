"""server.api.signing: a media URL works for one lesson, one viewer, and for its time."""

from hypothesis import given
from hypothesis import strategies as st

from server.api.signing import media_prefix, signature_holds

KEY = bytes(range(32))
NOW = 1_700_000_000
WORDS = st.from_regex(r"[0-9a-z]{1,30}", fullmatch=True)


def parts(prefix: str) -> tuple[str, str, str]:
    _, media, pair, lesson, rest = prefix.split("/")
    assert (media, rest) == ("media", "")
    expires, _, signature = pair.partition(".")
    return expires, signature, lesson


@given(lesson=WORDS, visit=WORDS)
def test_a_signature_holds_until_its_time(lesson: str, visit: str) -> None:
    expires, signature, _ = parts(media_prefix(KEY, lesson, NOW + 10, visit))
    assert len(signature) == 27
    assert signature_holds(KEY, lesson, expires, visit, signature, now_s=NOW)
    assert not signature_holds(KEY, lesson, expires, visit, signature, now_s=NOW + 10)


@given(lesson=WORDS, visit=WORDS, other=WORDS)
def test_a_signature_fits_no_other_lesson_viewer_time_or_key(lesson: str, visit: str, other: str) -> None:
    expires, signature, _ = parts(media_prefix(KEY, lesson, NOW + 10, visit))
    if other != lesson:
        assert not signature_holds(KEY, other, expires, visit, signature, now_s=NOW)
    if other != visit:
        assert not signature_holds(KEY, lesson, expires, other, signature, now_s=NOW)
    assert not signature_holds(KEY, lesson, str(NOW + 11), visit, signature, now_s=NOW)
    assert not signature_holds(bytes(32), lesson, expires, visit, signature, now_s=NOW)
    assert not signature_holds(KEY, lesson, expires, "", signature, now_s=NOW)


@given(expires=st.text(max_size=20), signature=st.text(max_size=40))
def test_any_other_text_is_no_signature(expires: str, signature: str) -> None:
    assert not signature_holds(KEY, "L0000000001", expires, "visit", signature, now_s=NOW)
