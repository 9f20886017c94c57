"""How the film shows the lesson at each moment: who is big, who is small. Pure.

The courseware is big when it turned a page lately, the teacher beside it when the page has stood for a while;
who is called on stands beside the teacher; what has no picture of its own is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from recorder.archive.manifest import Track
from recorder.contract import Subject
from recorder.publish.contract import Moment

STILL_S = 20.0
"""A page that stands so long shares the picture with who explains it."""
LEAST_S = 3.0
"""A layout stays at least so long, unless what it shows is gone."""


class Layout(StrEnum):
    FULL = "full"  # one picture
    CORNER = "corner"  # the second small in a corner of the first
    BESIDE = "beside"  # the first large, the second beside it
    HALVES = "halves"  # two of one size


class Scene(NamedTuple):
    """`first` and `second` are tracks' names; "" where there is none."""

    layout: Layout
    first: str = ""
    second: str = ""


class Box(NamedTuple):
    """Where a picture goes, in even pixels."""

    x: int
    y: int
    width: int
    height: int


class Director:
    """Chooses scenes in the order of time. `shown(track, at)`: whether it has a picture of its own then."""

    def __init__(
        self, tracks: Sequence[Track], moments: Sequence[Moment], shown: Callable[[Track, float], bool]
    ) -> None:
        self._tracks = [track for track in tracks if track.kind == "video" and track.sections]
        self._calls = sorted(
            (m for m in moments if m.kind in ("called", "call_ended")), key=lambda moment: moment.at_s
        )
        self._shown = shown
        self._scene = Scene(Layout.FULL)
        self._since = -LEAST_S

    def scene(self, at_s: float, turned_s: float | None) -> Scene:
        """What is to be seen; `turned_s`: when the courseware's page began, None where that is not known."""
        shown = {track.name: track for track in self._tracks if self._shown(track, at_s)}
        wanted = self._wanted(shown, at_s, turned_s)
        gone = any(name and name not in shown for name in self._scene[1:]) or not self._scene.first
        if wanted != self._scene and (gone or at_s - self._since >= LEAST_S):
            self._scene, self._since = wanted, at_s
        return self._scene

    def _wanted(self, shown: dict[str, Track], at_s: float, turned_s: float | None) -> Scene:
        teacher = _of(shown, Subject.TEACHER)
        screen = _of(shown, Subject.SCREEN) or _of(shown, Subject.BOARD)
        called = self._called(at_s)
        pupils = next(
            (t.name for t in shown.values() if t.room == called and t.subject is Subject.PUPILS), ""
        )
        if called and pupils:
            return (
                Scene(Layout.HALVES, teacher or screen, pupils)
                if teacher or screen
                else Scene(Layout.FULL, pupils)
            )
        if screen and teacher:
            stands = turned_s is not None and at_s - turned_s >= STILL_S
            return Scene(Layout.BESIDE if stands or called else Layout.CORNER, screen, teacher)
        only = screen or teacher or next(iter(shown), "")
        return Scene(Layout.FULL, only) if only else self._scene

    def _called(self, at_s: float) -> str:
        """The room called on at this moment, or ""."""
        before = [moment for moment in self._calls if moment.at_s <= at_s]
        return before[-1].room if before and before[-1].kind == "called" else ""


def _of(shown: dict[str, Track], subject: Subject) -> str:
    return next((name for name, track in shown.items() if track.subject is subject), "")


def boxes(scene: Scene, width: int, height: int) -> list[tuple[str, Box]]:
    """Where each picture of a scene goes, those behind first."""
    whole = Box(0, 0, width, height)
    if scene.layout is Layout.FULL:
        return [(scene.first, whole)] if scene.first else []
    if scene.layout is Layout.CORNER:
        w, h, margin = _even(width * 0.22), _even(height * 0.22), _even(width * 0.015)
        return [(scene.first, whole), (scene.second, Box(width - w - margin, height - h - margin, w, h))]
    left = _even(width * (0.5 if scene.layout is Layout.HALVES else 0.7))
    return [(scene.first, Box(0, 0, left, height)), (scene.second, Box(left, 0, width - left, height))]


def within(box: Box, width: int, height: int) -> Box:
    """The part of `box` that a picture of this size fills, its shape kept, in its middle."""
    scale = min(box.width / width, box.height / height)
    w, h = min(_even(width * scale), box.width), min(_even(height * scale), box.height)
    return Box(box.x + _even((box.width - w) / 2), box.y + _even((box.height - h) / 2), w, h)


def _even(value: float) -> int:
    return max(0, round(value / 2) * 2)
