"""The numbered lesson: stamps survive, marks are found, and a known file is judged right."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from server.drill.lessonkit.files import write_lesson
from server.drill.lessonkit.media import Camera, Screen, Tone, Voice, plan_lesson
from server.drill.lessonkit.report import judge, report
from server.drill.lessonkit.stamps import Picture, Stamp, draw_stamp, read_stamp, sync_on
from server.drill.lessonkit.tones import SAMPLE_RATE, holds_tone, sync_starts

PLAN = plan_lesson(seed=3, seconds=20)


def write_recording(path: Path, numbers: list[int], late_sound_s: float = 0.0, fps: int = 25) -> None:
    """An MP4 as a recorder leaves it: these frames of the camera in a row, and the voice."""
    camera, voice = Camera(PLAN, 320, 180, fps), Voice(PLAN, speech=False)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "30"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        sound = container.add_stream("libopus", rate=SAMPLE_RATE, layout="mono")
        for number in numbers:
            container.mux(video.encode(av.VideoFrame.from_ndarray(camera.frame(number), format="bgr24")))
        container.mux(video.encode(None))
        late = int(late_sound_s * SAMPLE_RATE)
        samples = np.concatenate(
            (np.zeros(late, np.float32), voice.samples(0, len(numbers) * SAMPLE_RATE // fps))
        )
        for start in range(0, len(samples) - 959, 960):
            block = av.AudioFrame.from_ndarray(
                samples[None, start : start + 960], format="flt", layout="mono"
            )
            block.sample_rate, block.pts = SAMPLE_RATE, start
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))


@pytest.mark.parametrize("number", [0, 1, 12_345, (1 << 20) - 1])
@pytest.mark.parametrize("sync", [False, True])
def test_a_stamp_is_read_as_it_was_drawn(number: int, sync: bool) -> None:
    for shape in ((180, 320), (360, 641, 3), (1080, 1920, 3)):
        picture: Picture = np.full(shape, 90, np.uint8)
        draw_stamp(picture, Stamp(number, sync))
        assert read_stamp(picture) == Stamp(number, sync)


@pytest.mark.parametrize("size", [(320, 180), (426, 240), (640, 360), (1920, 1080)])
def test_a_stamp_survives_scaling_and_heavy_compression(size: tuple[int, int]) -> None:
    picture = Camera(PLAN, 1280, 720).frame(777)
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    packed = cv2.imdecode(cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, 15])[1], cv2.IMREAD_COLOR)
    assert packed is not None
    assert read_stamp(packed) == Stamp(777, sync_on(777 / 25))


def test_a_picture_without_a_strip_bears_no_stamp() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (180, 320, 3), np.uint8)
    assert read_stamp(noise) is None
    assert read_stamp(np.full((180, 320), 128, np.uint8)) is None
    mixed = np.asarray(
        (Camera(PLAN, 320, 180).frame(1) * 0.5 + Camera(PLAN, 320, 180).frame(6) * 0.5), np.uint8
    )
    assert read_stamp(mixed) is None, "two pictures blended into one have no number"


def test_the_same_seed_gives_the_same_lesson() -> None:
    first, second = plan_lesson(5, 30), plan_lesson(5, 30)
    assert first == second != plan_lesson(6, 30)
    assert np.array_equal(Camera(first, 320, 180).frame(9), Camera(second, 320, 180).frame(9))
    assert np.array_equal(Screen(first, 320, 180).frame(9), Screen(second, 320, 180).frame(9))
    voices = [Voice(plan, speech=False).samples(0, 96_000) for plan in (first, second)]
    assert np.array_equal(*voices)


def test_slides_change_when_the_plan_says() -> None:
    screen = Screen(PLAN, 320, 180)
    for slide in PLAN.slides[1:]:
        frame = int(np.ceil(slide.start_s * 25))
        before, after = screen.frame(frame - 1)[20:], screen.frame(frame)[20:]
        assert not np.array_equal(before, after)
        assert np.array_equal(after, screen.frame(frame + 1)[20:])


def test_sync_tones_are_found_where_they_start() -> None:
    sound = Voice(PLAN, speech=False).samples(SAMPLE_RATE // 2, 20 * SAMPLE_RATE)
    assert sync_starts(sound) == pytest.approx([4.5, 9.5, 14.5, 19.5], abs=0.003)


def test_a_rooms_tone_is_told_from_another() -> None:
    sound = Tone(440).samples(1000, 4800)
    assert holds_tone(sound, 440)
    assert not holds_tone(sound, 660)
    assert not holds_tone(np.zeros(4800, np.float32), 440)


@pytest.mark.parametrize("late_s", [0.0, 0.12])
def test_a_whole_recording_is_reported_whole(tmp_path: Path, late_s: float) -> None:
    write_recording(tmp_path / "lesson.mp4", list(range(300)), late_s)
    found = report(tmp_path / "lesson.mp4")
    assert (found.frames, found.unreadable, found.distinct, found.repeats) == (300, 0, 300, 0)
    assert (found.first, found.last, found.distinct_ratio) == (0, 299, 1.0)
    assert found.seconds == pytest.approx(299 / 25, abs=0.01)
    assert found.longest_freeze == pytest.approx(0.04, abs=0.005)
    assert found.av_offset_ms == pytest.approx(late_s * 1000, abs=10)


def test_a_freeze_a_jump_and_a_step_back_are_seen(tmp_path: Path) -> None:
    numbers = [*range(50), *[50] * 25, *range(75, 130), 120, *range(131, 160)]
    write_recording(tmp_path / "lesson.mp4", numbers)
    found = report(tmp_path / "lesson.mp4")
    assert found.distinct == len(set(numbers))
    assert found.longest_freeze == pytest.approx(1.0, abs=0.01)
    assert found.repeats == 1
    assert found.distinct_ratio == pytest.approx(len(set(numbers)) / 160)


def test_nothing_readable_is_told_as_nothing() -> None:
    found = judge([(0.0, None), (0.04, None)], [], 0.0)
    assert (found.frames, found.unreadable, found.first, found.distinct_ratio) == (2, 2, None, 0.0)
    assert found.av_offset_ms is None


def test_files_for_a_browser_hold_what_their_truth_says(tmp_path: Path) -> None:
    files = write_lesson(tmp_path, plan_lesson(2, 5), 320, 180, 10)
    with av.open(str(files.camera), format="mjpeg") as container:
        stamps = [read_stamp(f.to_ndarray(format="gray")) for f in container.decode(video=0)]
    assert [s.number for s in stamps if s] == list(range(50))
    with wave.open(str(files.voice)) as voice:
        assert (voice.getframerate(), voice.getnframes()) == (SAMPLE_RATE, 5 * SAMPLE_RATE)
    assert b'"frames": 50' in files.truth.read_bytes()


def test_a_film_that_begins_black_has_its_whole_length() -> None:
    found = judge([(0.0, None), (1.0, None), (2.0, Stamp(7, False)), (2.5, Stamp(8, False))], [], 2.5)
    assert (found.frames, found.unreadable, found.seconds) == (4, 2, 2.5)
    assert (found.distinct, found.distinct_ratio) == (2, 1.0)


def test_a_real_cameras_recording_has_its_length_though_no_picture_bears_a_stamp() -> None:
    found = judge([(0.5, None), (1.0, None), (3.0, None)], [], 2.5)
    assert (found.frames, found.unreadable, found.seconds, found.longest_gap) == (3, 3, 2.5, 2.0)
    assert found.distinct_ratio == 0.0
