"""One lesson, one timeline: sound and picture in step whatever clocks, lines and sources do."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from recorder.assemble.assembler import Assembler
from recorder.assemble.samples import AUDIO_RATE, VIDEO_RATE
from recorder.contract import RecordKind
from tests.fakes.numbered_rtp import SPS, Made, assemble, assert_contiguous, pictures, sounds
from tests.fakes.recorded_lesson import (
    NTP_ZERO_S,
    SCREEN,
    VOICE,
    Sent,
    camera_sender,
    in_order,
    span_of,
    voice_sender,
)


def test_a_lesson_without_trouble_is_whole_and_in_step() -> None:
    made = assemble(pictures(camera_sender(), 60), sounds(voice_sender(), 60), end_s=60)
    assert len(made.shown("camera")) == 1500
    assert len(made.shown("voice")) == 3000
    assert made.offset_ms((10, 60)) < 20
    assert made.gaps("camera") == made.gaps("voice") == []
    assert abs(made.closed("camera") / VIDEO_RATE - made.closed("voice") / AUDIO_RATE) < 0.02


@pytest.mark.parametrize(("camera_ppm", "voice_ppm"), [(250.0, -250.0), (-250.0, 250.0), (500.0, 500.0)])
def test_clocks_500_ppm_apart_stay_in_step(camera_ppm: float, voice_ppm: float) -> None:
    camera, voice = camera_sender(ppm=camera_ppm), voice_sender(ppm=voice_ppm)
    made = assemble(pictures(camera, 400), sounds(voice, 400, quiet=lambda n: n % 100 < 3), end_s=400)
    assert made.offset_ms((20, 400)) < 25
    assert abs(made.closed("voice") / AUDIO_RATE - 400) < 0.05
    assert len(made.shown("camera")) == 10_000
    track = made.assembler.tracks["voice"]
    made_up = track.filled - track.dropped  # packets of 20 ms
    assert made_up == pytest.approx(-voice_ppm * 400 / 20_000, abs=2)


def test_after_45_minutes_with_clocks_500_ppm_apart_they_are_in_step() -> None:
    camera, voice = camera_sender(ppm=250, spread_s=0), voice_sender(ppm=-250)
    made = assemble(pictures(camera, 2700), sounds(voice, 2700), end_s=2700)
    for window in ((0, 20), (1340, 1360), (2680, 2700)):
        assert made.offset_ms(window) < 40
    assert made.offset_ms((20, 2700)) < 25
    assert len(made.shown("camera")) == 67_500
    assert abs(made.closed("voice") / AUDIO_RATE - 2700) < 0.05
    assert made.gaps("camera") == made.gaps("voice") == []


@pytest.mark.parametrize("set_s", [-86_400.0, -3_600.0, -30.0, 90_000.0])
def test_a_clock_that_is_set_while_the_machine_reboots_does_not_tear_the_lesson(set_s: float) -> None:
    before = span_of(in_order(pictures(camera_sender(), 20), sounds(voice_sender(), 20)), end_s=None)
    after = span_of(
        in_order(
            pictures(camera_sender(ssrc=0x3333), 20, start_s=0.5),
            sounds(voice_sender(ssrc=0x4444), 20, start_s=0.5),
        )
    )
    assembler = Assembler()
    assembler.opened(b"1" * 16, b"one boot", 0)
    assembler.feed(before)
    for ring in (b"2" * 16, b"3" * 16):  # its worker died once more: the same boot, the same clock
        assembler.opened(ring, b"another boot", round(set_s * 1e9))
        assembler.feed(after if ring[0] == ord("2") else b"")
    assembler.finish()
    made = Made(assembler.take(), assembler)
    assert_contiguous(made)
    assert 40 <= made.closed("voice") / AUDIO_RATE < 41
    assert len(made.shown("camera")) == 1000
    assert assembler.refused == 0


def test_without_sender_reports_arrival_keeps_them_in_step() -> None:
    camera = camera_sender(ppm=250, report_every_s=0)
    voice = voice_sender(ppm=-250, report_every_s=0)
    made = assemble(pictures(camera, 300), sounds(voice, 300), end_s=300)
    assert made.offset_ms((20, 300)) < 60  # encoding takes 25 ms longer and nobody says so


def test_a_line_with_jitter_and_rare_long_delays_stays_in_step() -> None:
    chance = random.Random(4)

    def jitter(sent: Sent) -> Sent:
        return replace(sent, at_s=sent.at_s + chance.expovariate(1 / 0.03))

    streams = (map(jitter, pictures(camera_sender(), 120)), map(jitter, sounds(voice_sender(), 120)))
    made = assemble(*streams, end_s=121)
    assert made.offset_ms((15, 118)) < 40
    assert len(made.shown("camera")) == 3000
    assert made.assembler.tracks["voice"].lost == 0


def test_sound_that_stalls_for_10_s_with_continuous_time_stamps_is_in_step_again() -> None:
    voice = voice_sender()
    first = list(sounds(voice, 20))
    stalled = [
        replace(sent, at_s=sent.at_s + 10)  # captured (as it says) at 20 s and on, really at 30 s and on
        for sent in sounds(replace(voice, report_every_s=0), 20, start_s=20)
    ]
    made = assemble(pictures(camera_sender(), 50), first, stalled, end_s=50)
    shown = made.shown("voice")
    after = [at - (said + 10) for at, said in shown if said >= 20]
    camera = made.late("camera", (31, 50))
    assert max(abs(a - c) for a in (min(after), max(after)) for c in (min(camera), max(camera))) < 0.08
    assert [(round(start), round(end), cause) for start, end, cause in made.gaps("voice")] == [
        (20, 30, "source_away")
    ]


def test_a_burst_after_a_line_hung_is_put_where_it_was_captured() -> None:
    def hung(sent: Sent) -> Sent:
        return replace(sent, at_s=max(sent.at_s, 24.0 + sent.at_s / 1000)) if 20 <= sent.at_s < 24 else sent

    made = assemble(map(hung, pictures(camera_sender(), 60)), map(hung, sounds(voice_sender(), 60)), end_s=60)
    assert len(made.shown("camera")) == 1500
    assert made.offset_ms((10, 60)) < 40


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("step_s", [2, -3_600])
def test_sender_reports_whose_clock_is_set_change_nothing(step_s: int, both: bool) -> None:
    def stepped(sent: Sent) -> Sent:
        if sent.kind is not RecordKind.SENDER_REPORT or sent.at_s < 30:
            return sent
        ntp = int.from_bytes(sent.data[4:12], "big") + (step_s << 32)
        return replace(sent, data=sent.data[:4] + ntp.to_bytes(8, "big") + sent.data[12:])

    camera, voice = camera_sender(), voice_sender(report_every_s=5.0)
    shown = map(stepped, pictures(camera, 90)) if both else pictures(camera, 90)
    made = assemble(shown, map(stepped, sounds(voice, 90)), end_s=90)
    assert made.offset_ms((15, 90)) < 40
    assert NTP_ZERO_S > 0


def test_a_muted_voice_is_silent_for_its_5_minutes_and_in_step_after() -> None:
    voice = voice_sender()
    made = assemble(
        pictures(camera_sender(), 400),
        sounds(voice, 40),
        [Sent(40.2, 3, b"", RecordKind.TRACK_END)],
        sounds(voice, 60, start_s=340),
        end_s=400,
    )
    assert made.offset_ms((342, 400)) < 40
    ((start, end, cause),) = made.gaps("voice")
    assert (round(start), round(end), cause) == (40, 340, "source_away")
    assert abs(made.closed("voice") / AUDIO_RATE - 400) < 0.05


def test_discontinuous_transmission_is_filled_and_no_gap() -> None:
    talking = [s for s in sounds(voice_sender(), 60) if s.frame % 100 < 50 or s.frame % 20 == 0]
    kept = renumbered(talking)
    made = assemble(pictures(camera_sender(), 60), kept, end_s=60)
    assert made.gaps("voice") == []
    assert made.offset_ms((10, 60)) < 40
    assert made.assembler.tracks["voice"].filled > 1000


def renumbered(sent: list[Sent]) -> list[Sent]:
    """Sequence numbers without a hole, as a sender gives them that was silent."""
    number, out = 100, []
    for one in sent:
        if one.kind is RecordKind.RTP:
            number += 1
            one = replace(one, data=one.data[:2] + (number & 0xFFFF).to_bytes(2, "big") + one.data[4:])
        out.append(one)
    return out


def test_a_camera_cut_for_12_s_stands_still_while_the_voice_goes_on() -> None:
    camera = [s for s in pictures(camera_sender(), 60) if not 20 <= s.at_s < 32]
    made = assemble(camera, sounds(voice_sender(), 60), end_s=60)
    assert made.gaps("voice") == []
    ((start, end, cause),) = made.gaps("camera")
    assert abs(start - 20) < 0.1
    assert 32 <= end < 36.1  # at the first keyframe
    assert cause == "source_away"
    assert made.offset_ms((37, 60)) < 20


def test_another_ssrc_after_a_reconnect_goes_on_on_the_same_timeline() -> None:
    again = pictures(camera_sender(ssrc=77, sequence=5, timestamp=123), 30, start_s=25)
    voice = sounds(voice_sender(ssrc=78, sequence=9, timestamp=456), 30, start_s=25)
    made = assemble(pictures(camera_sender(), 20), sounds(voice_sender(), 20), again, voice, end_s=55)
    assert made.offset_ms((10, 55)) < 40
    assert len(made.shown("camera")) == 20 * 25 + 30 * 25
    for track in ("camera", "voice"):
        ((start, end, cause),) = made.gaps(track)
        assert (round(start), round(end), cause) == (20, 25, "source_away")


def test_a_layer_that_dies_and_comes_back_leaves_one_timeline_in_sections() -> None:
    """A camera in layers as it is recorded: the highest, a smaller one while that is away, then it again."""
    high, low = camera_sender(), camera_sender(ssrc=77, sequence=500, timestamp=1_000_000)
    before = list(pictures(high, 10))
    smaller = list(pictures(low, 10, start_s=10.96, sps=SPS + b"\x42"))  # 0.8 s to notice, and a keyframe
    after = pictures(high, 10, start_s=20.96)
    made = assemble(before, smaller, after, sounds(voice_sender(), 31), end_s=31)
    assert len(made.shown("camera")) == 750
    first, second, third = made.sections("camera")
    assert first.config[:20] == third.config[:20] != second.config[:20]
    assert abs(second.at / VIDEO_RATE - 10.96) < 0.05
    assert abs(third.at / VIDEO_RATE - 20.96) < 0.05
    assert made.offset_ms((10, 31)) < 40
    assert made.gaps("camera") == []


def test_a_keyframe_of_400_packets_out_of_order_is_whole() -> None:
    chance = random.Random(1)
    sent = [
        replace(one, at_s=one.at_s + chance.random() * 0.3)
        for one in pictures(camera_sender(), 20, packets=400)
    ]
    made = assemble(sent, sounds(voice_sender(), 20), end_s=21)
    assert len(made.shown("camera")) == 500
    assert made.gaps("camera") == []


def test_loss_throws_away_up_to_the_next_keyframe_and_is_listed() -> None:
    made = assemble(
        [s for s in pictures(camera_sender(), 20) if s.frame != 130],
        [s for s in sounds(voice_sender(), 20) if not 500 <= s.frame < 510],
        end_s=20,
    )
    assert len(made.shown("camera")) == 130 + 300
    ((start, end, cause),) = made.gaps("camera")
    assert (round(start, 1), round(end, 1), cause) == (5.2, 8.0, "loss")
    ((start, end, cause),) = made.gaps("voice")
    assert (round(start, 1), round(end, 1), cause) == (10.0, 10.2, "loss")
    assert made.offset_ms((10, 20)) < 40


def test_another_picture_size_begins_a_section() -> None:
    camera = camera_sender()
    made = assemble(
        pictures(camera, 10), pictures(camera, 10, start_s=10, sps=SPS + b"\x42"), sounds(voice_sender(), 20)
    )
    first, second = made.sections("camera")
    assert first.at == 0
    assert abs(second.at / VIDEO_RATE - 10) < 0.05
    assert first.config != second.config


def test_a_track_that_comes_later_begins_at_zero_with_its_first_picture_and_a_gap() -> None:
    made = assemble(pictures(camera_sender(), 20, start_s=30), sounds(voice_sender(), 60), end_s=60)
    shown = made.shown("camera")
    assert shown[0] == (0.0, 30.0)
    assert abs(shown[1][0] - 30.04) < 0.04
    not_started, ended = made.gaps("camera")
    assert not_started[2] == "not_started"
    assert abs(not_started[1] - 30) < 0.05
    assert (round(ended[0]), ended[1], ended[2]) == (50, 60.0, "source_away")
    assert abs(made.closed("camera") / VIDEO_RATE - 60) < 0.05


@pytest.mark.parametrize("payload_type", [97, 98, 99])
def test_vp8_vp9_and_av1_are_noted_and_not_assembled(payload_type: int) -> None:
    camera = pictures(replace(camera_sender(), payload_type=payload_type), 5)
    made = assemble(camera, sounds(voice_sender(), 5), end_s=5)
    assert "camera" not in made.assembler.tracks
    assert made.assembler.notes["camera"].codec == "H264"


def test_how_the_journal_is_cut_changes_nothing() -> None:
    streams = [list(pictures(camera_sender(), 30)), list(sounds(voice_sender(ppm=300), 30))]
    whole = assemble(*streams, end_s=30).outputs
    assert assemble(*streams, end_s=30, pieces=7).outputs == whole
    assert assemble(*streams, end_s=30, pieces=5000).outputs == whole


def test_pictures_from_before_the_recording_are_squeezed_into_its_first_moment() -> None:
    """A track may begin with what was in a ring already: the picture it needs to decode from."""
    ring = [replace(s, at_s=s.at_s - 90) for s in pictures(camera_sender(SCREEN), 120, gop=10_000)]
    made = assemble(ring, sounds(voice_sender(), 30), notes=(SCREEN, VOICE), end_s=30)
    shown = made.shown("screen")
    assert len(shown) == 3000
    assert shown[0][0] == 0
    assert max(at for at, said in shown if said < 90) < 2250 * 0.00011
    late = [at - (said - 90) for at, said in shown if said > 95]
    assert max(map(abs, late)) < 0.05
    assert made.gaps("screen") == []
    assert abs(made.closed("voice") / AUDIO_RATE - 30) < 0.1
