"""What is made of pictures in the one decode: renditions, the film, chapters, hover thumbnails."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np

from recorder.analysis.slides import HEIGHT, WIDTH, Slides
from recorder.archive.manifest import Manifest, Track, write_whole
from recorder.archive.published import StepName
from recorder.publish.composing import Canvas
from recorder.publish.contract import Moment
from recorder.publish.encoding import PictureEncoder, Quality, write_piece
from recorder.publish.layouts import Director
from recorder.publish.passing import Shot, piece_file
from recorder.publish.problems import StepFailed
from recorder.publish.stills import THUMB, Thumb, every_s, jpeg, shown
from recorder.publish.trimming import Trim

FILM_FPS = 25
CHAPTER_PICTURE = (640, 360)
CHAPTER_SETTLED_S = 1.0
"""A page is pictured when it has stood so long: sharp, nothing in motion."""


class RenditionMaker:
    """One track smaller: every picture of it, at its own time."""

    step = StepName.RENDITIONS

    def __init__(self, folder: Path, track: str, what: str, quality: Quality) -> None:
        self._folder, self._track, self._what, self._quality = folder, track, what, quality
        self._encoder: PictureEncoder | None = None

    def done(self, piece: int) -> bool:
        return self._path(piece).exists()

    def begin(self, piece: int, start_s: float, end_s: float) -> None:
        self._encoder = PictureEncoder(self._quality)

    def stand(self, track: str, shot: Shot) -> None:
        pass  # it is in the piece before

    def see(self, track: str, at_s: float, shot: Shot) -> None:
        if track == self._track and self._encoder is not None:
            self._encoder.take(at_s, shot.sized(self._quality.width, self._quality.height))

    def finish(self, piece: int) -> None:
        if self._encoder is not None:
            write_piece(self._path(piece), self._encoder.finish())
            self._encoder = None

    def _path(self, piece: int) -> Path:
        return piece_file(self._folder, f"{self._track}.{self._what}", piece)


class FilmMaker:
    """Screen and camera on one canvas, FILM_FPS pictures a second of what is kept."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        moments: Iterable[Moment],
        quality: Quality,
        chapters: ChapterMaker | None,
        trim: Trim,
        step: StepName = StepName.FILM,
    ) -> None:
        self.step = step
        self._trim, self._what = trim, step + trim.name
        self._folder, self._quality, self._chapters = folder, quality, chapters
        self._director = Director(manifest.tracks, list(moments), shown)
        self._canvas = Canvas(quality.width, quality.height)
        self._encoder: PictureEncoder | None = None
        self._tick = self._last_tick = 0

    def done(self, piece: int) -> bool:
        return piece_file(self._folder, self._what, piece).exists()

    def begin(self, piece: int, start_s: float, end_s: float) -> None:
        self._encoder = PictureEncoder(self._quality)
        self._tick = math.ceil(self._trim.film_s(start_s) * FILM_FPS - 1e-6)
        self._last_tick = math.ceil(self._trim.film_s(end_s) * FILM_FPS - 1e-6)

    def stand(self, track: str, shot: Shot) -> None:
        self._canvas.put(track, shot.frame)

    def see(self, track: str, at_s: float, shot: Shot) -> None:
        self._until(at_s)
        self._canvas.put(track, shot.frame)

    def finish(self, piece: int) -> None:
        self._until(math.inf)
        if self._encoder is not None:
            write_piece(piece_file(self._folder, self._what, piece), self._encoder.finish())
            self._encoder = None

    def _until(self, at_s: float) -> None:
        """The film's pictures that are due before `at_s`; one half a tick away takes the later picture."""
        while self._encoder is not None and self._tick < self._last_tick:
            shown_s = self._tick / FILM_FPS
            now = self._trim.lesson_s(shown_s)
            if now + 0.5 / FILM_FPS > at_s:
                return
            turned = self._chapters.turned_s if self._chapters is not None else None
            self._encoder.take(shown_s, self._canvas.draw(self._director.scene(now, turned)))
            self._tick += 1


class Turns(msgspec.Struct, frozen=True):
    """A piece of the chapters: pages that began in it, their pictures, and the page that stood at its end."""

    turns: list[float]
    pictures: dict[int, bytes]  # by number of the page, from 0 over the whole lesson
    page: bytes


class ChapterMaker:
    """Pages of the courseware."""

    step = StepName.CHAPTERS

    def __init__(self, folder: Path, track: Track) -> None:
        self._folder, self._track = folder, track
        self._slides = Slides()
        self._pictures: dict[int, bytes] = {}
        self._latest: Shot | None = None
        self._known = 0
        self._end_s = 0.0

    @property
    def turned_s(self) -> float | None:
        """When the page that stands began."""
        return self._slides.turns[-1] if self._slides.turns else None

    def done(self, piece: int) -> bool:
        return piece_file(self._folder, self.step, piece).exists()

    def begin(self, piece: int, start_s: float, end_s: float) -> None:
        self._end_s = end_s
        if piece and not self._slides.turns:
            self._recall(piece)
        self._pictures = {}
        self._known = len(self._slides.turns)

    def stand(self, track: str, shot: Shot) -> None:
        if track == self._track.name:
            self._latest = shot

    def see(self, track: str, at_s: float, shot: Shot) -> None:
        if track != self._track.name or not shown(self._track, at_s):
            return
        self._slides.pass_to(at_s)
        self._picture(at_s)
        self._slides.see(at_s, np.asarray(shot.sized(WIDTH, HEIGHT, "gray").to_ndarray(), np.uint8))
        self._latest = shot

    def finish(self, piece: int) -> None:
        self._slides.pass_to(self._end_s)
        self._picture(self._end_s)
        page = self._slides.page
        held = Turns(
            self._slides.turns[self._known :], self._pictures, b"" if page is None else page.tobytes()
        )
        write_whole(piece_file(self._folder, self.step, piece), msgspec.msgpack.encode(held), durable=True)

    def _picture(self, at_s: float) -> None:
        """The page that stands, once it has stood for a while and another picture comes."""
        number = len(self._slides.turns) - 1
        if number < 0 or self._latest is None:
            return
        settled = at_s - self._slides.turns[-1] >= CHAPTER_SETTLED_S
        if settled and number not in self._pictures and (number >= self._known or not self._pictures):
            self._pictures[number] = jpeg(self._latest.frame, CHAPTER_PICTURE)

    def _recall(self, piece: int) -> None:
        """What an earlier process had seen."""
        for before in range(piece):
            held = read_turns(piece_file(self._folder, self.step, before))
            page = np.frombuffer(held.page, np.uint8).reshape(HEIGHT, WIDTH).copy() if held.page else None
            self._slides.recall(held.turns, page)


_turns = msgspec.msgpack.Decoder(Turns)


def read_turns(path: Path) -> Turns:
    """StepFailed "pieces_differ", OSError."""
    try:
        return _turns.decode(path.read_bytes())
    except msgspec.MsgspecError as error:
        raise StepFailed("pieces_differ", str(error)) from error


class ThumbMaker:
    """Hover thumbnails of one track, on a grid of times."""

    step = StepName.SPRITES

    def __init__(self, folder: Path, track: str, seconds: float) -> None:
        self._folder, self._track = folder, track
        self._every_s = every_s(seconds)
        self._seconds = seconds
        self._thumbs: list[Thumb] = []
        self._latest: Shot | None = None
        self._next = 0
        self._end = 0

    def done(self, piece: int) -> bool:
        return self._path(piece).exists()

    def begin(self, piece: int, start_s: float, end_s: float) -> None:
        self._thumbs = []
        self._next = math.ceil(start_s / self._every_s - 1e-6)
        self._end = math.ceil(min(end_s, self._seconds) / self._every_s - 1e-6)

    def stand(self, track: str, shot: Shot) -> None:
        if track == self._track:
            self._latest = shot

    def see(self, track: str, at_s: float, shot: Shot) -> None:
        if track == self._track:
            self._until(at_s)
            self._latest = shot

    def finish(self, piece: int) -> None:
        self._until(math.inf)
        write_whole(self._path(piece), msgspec.msgpack.encode(self._thumbs), durable=True)

    def _until(self, at_s: float) -> None:
        while self._latest is not None and self._next < self._end and self._next * self._every_s < at_s:
            self._thumbs.append(Thumb(self._next * self._every_s, jpeg(self._latest.frame, THUMB)))
            self._next += 1

    def _path(self, piece: int) -> Path:
        return piece_file(self._folder, f"{self._track}.sprites", piece)


_thumbs = msgspec.msgpack.Decoder(list[Thumb])


def read_thumbs(path: Path) -> list[Thumb]:
    """StepFailed "pieces_differ", OSError."""
    try:
        return _thumbs.decode(path.read_bytes())
    except msgspec.MsgspecError as error:
        raise StepFailed("pieces_differ", str(error)) from error
