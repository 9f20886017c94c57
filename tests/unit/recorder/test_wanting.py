"""A keyframe is wanted exactly while only a keyframe brings the next picture and its source still sends."""

from __future__ import annotations

from recorder.assemble.assembler import Assembler
from recorder.contract import RecordKind
from tests.fakes.recorded_lesson import CAMERA, VOICE, Sent, camera_sender, lesson, span_of, voice_sender

SECONDS = 8.0
GOP_S = 2.0
LOST_AT_S = 2.5


def packets(lose: bool) -> list[Sent]:
    """A lesson of camera and voice; one packet of one picture never comes."""
    sent = lesson(SECONDS, camera_sender(), voice_sender())
    victim = next(one for one in sent if one.track == CAMERA.number and one.at_s > LOST_AT_S)
    return [one for one in sent if not lose or one is not victim]


def wanted_at(sent: list[Sent], *, until_s: float, from_s: float = 0.0) -> list[tuple[float, list[str]]]:
    """What is wanted, every half second."""
    assembler, found, base = Assembler(), [], 0.0
    assembler.opened(b"r" * 16, b"boot", 0)
    assembler.feed(span_of([], (CAMERA, VOICE)))
    while base < until_s:
        assembler.feed(span_of([one for one in sent if base <= one.at_s < base + 0.5], ()))
        base += 0.5
        if base > from_s:
            found.append((base, assembler.wanting))
    return found


def test_nothing_is_wanted_while_nothing_is_lost() -> None:
    assert all(wanted == [] for _, wanted in wanted_at(packets(lose=False), until_s=SECONDS))


def test_a_loss_wants_one_from_when_it_is_given_up_until_the_next_one_came() -> None:
    wanting = [at for at, wanted in wanted_at(packets(lose=True), until_s=SECONDS) if wanted == ["camera"]]
    assert wanting
    assert wanting[0] <= LOST_AT_S + 1.5
    assert wanting[-1] <= 2 * GOP_S + 0.5


def test_a_track_that_began_without_a_keyframe_wants_one() -> None:
    late = [one for one in packets(lose=False) if one.at_s < GOP_S + 0.1 or one.at_s > 2 * GOP_S]
    headless = [Sent(one.at_s - 0.1, one.track, one.data, one.kind) for one in late if one.at_s > 0.1]
    gone = [one for one in headless if one.at_s < GOP_S - 0.15]
    wanting = [at for at, wanted in wanted_at(gone, until_s=GOP_S) if wanted]
    assert wanting == [2.0]


def test_a_source_that_stopped_is_left_alone() -> None:
    sent = packets(lose=True)
    stopped = [one for one in sent if one.at_s < LOST_AT_S + 0.5]
    stopped.append(Sent(LOST_AT_S + 0.5, CAMERA.number, b"", RecordKind.TRACK_END))
    stopped += [one for one in sent if one.track == VOICE.number and one.at_s > LOST_AT_S + 0.5]
    assert all(wanted == [] for _, wanted in wanted_at(stopped, until_s=SECONDS, from_s=LOST_AT_S + 0.5))


def test_a_screen_at_rest_is_not_taken_for_a_loss() -> None:
    sent = packets(lose=False)
    resting = [one for one in sent if one.track == VOICE.number or one.at_s < 3]
    assert all(wanted == [] for _, wanted in wanted_at(resting, until_s=SECONDS))


def test_a_camera_that_comes_back_with_packets_missing_wants_its_keyframe_at_that_moment() -> None:
    sent = [one for one in packets(lose=False) if one.track == VOICE.number or not 2.3 < one.at_s < 4.6]
    wanting = [at for at, wanted in wanted_at(sent, until_s=SECONDS) if wanted == ["camera"]]
    assert wanting[0] == 5.0, "the first look after 4.6 s"


def test_a_source_that_only_rested_wants_none() -> None:
    kept = [one for one in packets(lose=False) if one.track == VOICE.number or one.at_s < 2.3]
    assert all(wanted == [] for _, wanted in wanted_at(kept, until_s=SECONDS))
