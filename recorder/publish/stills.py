"""Still pictures: the poster, hover thumbnails, chapter pictures."""

from __future__ import annotations

import io
from pathlib import Path

import av
import msgspec
from PIL import Image, ImageStat

from recorder.archive.layout import derived_file
from recorder.archive.manifest import Gap, GapCause, Manifest, Track, write_whole
from recorder.contract import Subject
from recorder.publish.problems import NothingToDo, StepFailed
from recorder.publish.source import PictureReader, pictures_of

POSTER_SIZE = (1280, 720)
POSTER_AT = (0.15, 0.35, 0.55, 0.75, 0.02)  # of the lesson
ON_POSTER = (Subject.TEACHER, Subject.SCREEN, Subject.BOARD)
"""Whose picture stands for the lesson, the best first. Never the pupils'."""
LIVELY = 12.0  # standard deviation of brightness: less is a blank or black picture
THUMB = (160, 90)
COLUMNS, ROWS = 10, 6
QUALITY = 80


def jpeg(frame: av.VideoFrame, size: tuple[int, int], quality: int = QUALITY) -> bytes:
    """The picture within `size`, its shape kept."""
    scale = min(1.0, size[0] / frame.width, size[1] / frame.height)
    width, height = max(2, round(frame.width * scale)), max(2, round(frame.height * scale))
    return encode(_image(frame, width, height), quality)


def _image(frame: av.VideoFrame, width: int, height: int) -> Image.Image:
    return Image.fromarray(frame.reformat(width=width, height=height, format="rgb24").to_ndarray())


def encode(image: Image.Image, quality: int = QUALITY) -> bytes:
    held = io.BytesIO()
    image.save(held, "JPEG", quality=quality, optimize=True)
    return held.getvalue()


def poster(folder: Path, manifest: Manifest) -> str:
    """A file's name: a lively picture of the teacher's camera, else of the screen or the board.
    NothingToDo, StepFailed, OSError."""
    tracks = [track for track in manifest.tracks if pictures_of(track) and track.subject in ON_POSTER]
    if not tracks:
        raise NothingToDo("no picture that may stand for the lesson")
    tracks.sort(key=lambda track: ON_POSTER.index(track.subject))
    best: tuple[float, av.VideoFrame] | None = None
    for track in tracks:
        for frame in _candidates(folder, track, manifest.seconds):
            lively = _deviation(frame)
            if best is None or lively > best[0]:
                best = lively, frame
            if lively > LIVELY:
                break
        if best is not None and best[0] > LIVELY:
            break
    if best is None:
        raise StepFailed("unreadable", "no picture could be decoded")
    name = derived_file("lesson", "poster.jpg")
    write_whole(folder / name, jpeg(best[1], POSTER_SIZE, 85), durable=True)
    return name


def _candidates(folder: Path, track: Track, seconds: float) -> list[av.VideoFrame]:
    """Pictures of moments in which the track really had one."""
    reader = PictureReader(folder, track)
    found = []
    for part in POSTER_AT:
        at_s = part * seconds
        if not shown(track, at_s):
            continue
        reader.seek(at_s)
        if reader.peek() is not None:
            found.append(reader.take()[1])
            if _deviation(found[-1]) > LIVELY:
                break
    if not found:
        reader.seek(0.0)
        if reader.peek() is not None:
            found.append(reader.take()[1])
    return found


def _deviation(frame: av.VideoFrame) -> float:
    return float(ImageStat.Stat(_image(frame, 64, 36).convert("L")).stddev[0])


AWAY = (GapCause.NOT_STARTED, GapCause.SOURCE_AWAY, GapCause.ENDED, GapCause.SERVER, GapCause.UNPLAYABLE)


def shown(track: Track, at_s: float) -> bool:
    """Whether the track has a picture of its own at this moment (a lost packet or two do not count)."""
    return not any(_hides(gap) and gap.start_s <= at_s < gap.end_s for gap in track.gaps)


def _hides(gap: Gap) -> bool:
    return gap.cause in AWAY or gap.end_s - gap.start_s > 3.0


class Thumb(msgspec.Struct, frozen=True):
    """A small picture and from when on it stands."""

    at_s: float
    picture: bytes


def every_s(seconds: float) -> float:
    """How far apart thumbnails are: 2 s for a short lesson, at most some 600 in all."""
    return max(2.0, seconds / 600)


def write_sprites(folder: Path, track: str, thumbs: list[Thumb], seconds: float) -> str:
    """Sheets and the WebVTT file that points into them; its name. OSError."""
    cues, per_sheet = ["WEBVTT", ""], COLUMNS * ROWS
    for sheet, begin in enumerate(range(0, len(thumbs), per_sheet), 1):
        group = thumbs[begin : begin + per_sheet]
        rows = -(-len(group) // COLUMNS)
        image = Image.new("RGB", (COLUMNS * THUMB[0], rows * THUMB[1]))
        name = derived_file(track, f"sprites-{sheet}.jpg")
        for k, thumb in enumerate(group):
            x, y = k % COLUMNS * THUMB[0], k // COLUMNS * THUMB[1]
            with Image.open(io.BytesIO(thumb.picture)) as small:
                image.paste(small, (x + (THUMB[0] - small.width) // 2, y + (THUMB[1] - small.height) // 2))
            at = begin + k
            until = thumbs[at + 1].at_s if at + 1 < len(thumbs) else max(seconds, thumb.at_s + 0.001)
            cues += [
                f"{clock(thumb.at_s)} --> {clock(until)}",
                f"{name}#xywh={x},{y},{THUMB[0]},{THUMB[1]}",
                "",
            ]
        write_whole(folder / name, encode(image, 75), durable=True)
    listed = derived_file(track, "sprites.vtt")
    write_whole(folder / listed, ("\n".join(cues) + "\n").encode(), durable=True)
    return listed


def clock(at_s: float) -> str:
    """A WebVTT time."""
    ms = round(at_s * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def remove_older(folder: Path, of: str, prefix: str) -> None:
    """Files of an earlier making that this one may not write over."""
    for path in folder.glob(f"{of}.{prefix}*.jpg"):
        path.unlink(missing_ok=True)
