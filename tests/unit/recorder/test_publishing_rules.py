"""Pure rules of what is made after class: the courseware's pages, layouts, when the lane may work."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from recorder.analysis.slides import HEIGHT, WIDTH, Slides
from recorder.archive.manifest import Gap, GapCause, Section, Track
from recorder.contract import Subject
from recorder.publish.contract import Card, Moment
from recorder.publish.encoding import fit
from recorder.publish.gate import Busyness, Hours, may_work, parse_hours
from recorder.publish.layouts import Box, Director, Layout, Scene, boxes, within
from recorder.publish.stills import clock, shown
from recorder.publish.titlecard import draw
from server.domain.retention import DAY_MS, KeptAs, ended_before, expires_at
from server.drill.lessonkit.media import Screen, plan_lesson
from server.settings import Retention

FPS = 5
CAMERA = Track("camera", Subject.TEACHER, "video", "H264", sections=[Section(0, "camera.mp4", "i")])
SCREEN = Track("screen", Subject.SCREEN, "video", "H264", sections=[Section(0, "screen.mp4", "i")])
PUPILS = Track("p", Subject.PUPILS, "video", "H264", room="shahe", sections=[Section(0, "p.mp4", "i")])


def seen(seed: int, noise: int = 0) -> tuple[list[float], list[float]]:
    """Pages of a lesson with the ticking strip in the picture: the truth, and what was found."""
    plan, slides = plan_lesson(seed, 60), Slides()
    screen, chance = Screen(plan, 640, 360, FPS), np.random.default_rng(seed)
    for number in range(int(plan.seconds * FPS)):
        grey = cv2.cvtColor(screen.frame(number), cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        if noise:
            small = np.clip(small.astype(int) + chance.integers(-noise, noise, small.shape), 0, 255)
        slides.see(number / FPS, small.astype(np.uint8))
    slides.pass_to(plan.seconds)
    return [slide.start_s for slide in plan.slides], slides.turns


def near(one: list[float], other: list[float]) -> float:
    return sum(any(abs(a - b) <= 1 for b in other) for a in one) / len(one)


@pytest.mark.parametrize("noise", [0, 6])
def test_pages_are_found_within_a_second_though_the_strip_ticks(noise: int) -> None:
    pairs = [seen(seed, noise) for seed in (11, 12, 13)]
    recall = np.mean([near(truth, found) for truth, found in pairs])
    precision = np.mean([near(found, truth) for truth, found in pairs])
    assert recall >= 0.95
    assert precision >= 0.95


def test_a_page_begun_again_from_what_was_kept_is_the_same() -> None:
    whole, first, second = Slides(), Slides(), Slides()
    pictures = [np.full((HEIGHT, WIDTH), 40 + 60 * (k // 10), np.uint8) for k in range(30)]
    for k, picture in enumerate(pictures):
        whole.see(k / 5, picture)
        (first if k < 15 else second).see(k / 5, picture) if k != 15 else None
        if k == 15:
            second.recall(first.turns, first.page)
            second.see(k / 5, picture)
    whole.pass_to(6.0)
    second.pass_to(6.0)
    assert second.turns == whole.turns == [0.0, 2.0, 4.0]


def always(track: Track, at_s: float) -> bool:
    return shown(track, at_s)


def test_the_film_shows_who_matters() -> None:
    director = Director(
        [CAMERA, SCREEN, PUPILS], [Moment(40, "called", "shahe"), Moment(60, "call_ended", "shahe")], always
    )
    assert director.scene(0.0, 0.0) == Scene(Layout.CORNER, "screen", "camera")
    assert director.scene(30.0, 0.0) == Scene(Layout.BESIDE, "screen", "camera"), "the page stands"
    assert director.scene(35.0, 34.9).layout is Layout.CORNER, "another page: it is big again"
    assert director.scene(41.0, 34.9) == Scene(Layout.HALVES, "camera", "p")
    assert director.scene(61.0, 60.5).layout is Layout.CORNER
    alone = Director([CAMERA, SCREEN], [Moment(5, "called", "shahe")], always)
    assert alone.scene(6.0, 6.0) == Scene(Layout.BESIDE, "screen", "camera"), "not recorded: not shown"


def test_what_has_no_picture_is_not_shown_and_layouts_do_not_flicker() -> None:
    away = Track("screen", Subject.SCREEN, "video", "H264", sections=SCREEN.sections,
                 gaps=[Gap(10, 20, GapCause.SOURCE_AWAY)])  # fmt: skip
    director = Director([CAMERA, away], [], always)
    scenes = [director.scene(at / 10, 0.0) for at in range(300)]
    assert all("screen" not in scene[1:] for scene in scenes[101:200])
    changes = sum(a != b for a, b in itertools.pairwise(scenes))
    assert changes == 2
    assert Director([], [], always).scene(0.0, None) == Scene(Layout.FULL)


@pytest.mark.parametrize("layout", list(Layout))
def test_every_picture_lies_in_the_canvas_on_even_pixels(layout: Layout) -> None:
    for _, box in boxes(Scene(layout, "a", "b"), 1280, 720):
        for size in ((640, 480), (1920, 1080), (90, 160), (3000, 40)):
            inner = within(box, *size)
            assert all(value % 2 == 0 for value in inner)
            assert inner.x >= 0
            assert inner.y >= 0
            assert inner.x + inner.width <= 1280
            assert inner.y + inner.height <= 720
    assert boxes(Scene(Layout.FULL, "a"), 320, 180) == [("a", Box(0, 0, 320, 180))]


def test_sizes_keep_their_shape_and_never_grow() -> None:
    assert fit(1920, 1080, 720) == (1280, 720)
    assert fit(640, 360, 720) == (640, 360)
    assert fit(641, 361, 360) == (640, 360)
    assert fit(960, 720, 360) == (480, 360)


def test_the_lane_rests_while_lessons_need_the_machine_and_outside_its_hours() -> None:
    calm = {"working": True, "hours": None, "minute": 600}
    assert may_work(lessons_live=0, busy=0.99, **calm)
    assert may_work(lessons_live=2, busy=0.3, **calm)
    assert not may_work(lessons_live=1, busy=0.6, **calm)
    assert not may_work(lessons_live=1, busy=0.4, **{**calm, "working": False}), "no stop and go"
    night = parse_hours("22:00-06:30")
    assert night == Hours(22 * 60, 6 * 60 + 30)
    found = [
        may_work(working=True, lessons_live=0, busy=0, hours=night, minute=m)
        for m in (0, 389, 390, 1319, 1320)
    ]
    assert found == [True, True, False, False, True]
    assert parse_hours("") is None


def test_others_busyness_leaves_out_what_runs_at_low_priority(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    reading = Busyness(stat)
    stat.write_text("cpu 100 0 0 100 0 0 0 0 0 0\n")
    assert reading.read() == 0.0
    stat.write_text("cpu 125 50 0 125 0 0 0 0 0 0\n")
    assert reading.read() == 0.25
    assert Busyness(tmp_path / "none").read() == 0.0


def test_recordings_are_kept_by_their_class() -> None:
    days = Retention(ordinary_days=10, model_days=0, trial_days=1)
    assert expires_at(1000, KeptAs.ORDINARY, days) == 1000 + 10 * DAY_MS
    assert expires_at(1000, KeptAs.TRIAL, days) == 1000 + DAY_MS
    assert expires_at(1000, KeptAs.MODEL, days) is None
    assert expires_at(1000, "of a later version", days) is None
    assert ended_before(20 * DAY_MS, days) == {"ordinary": 10 * DAY_MS, "trial": 19 * DAY_MS}


def test_the_title_card_holds_any_title() -> None:
    for title in ("分数", "三年级英语 · 第四单元 " * 8, "Supercalifragilistic" * 9, ""):
        card = draw(Card(title, "星光小学", "李喆", "英语", "2026年11月22日"), 640, 360)
        levels = np.asarray(card.convert("L"))
        assert levels.max() > 200, "something is written"
        assert (levels[:, :8] == levels[0, 0]).all(), "and nothing runs over the edge"


def test_webvtt_times() -> None:
    assert clock(3723.0456) == "01:02:03.046"
