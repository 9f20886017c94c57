"""Folders of finished recordings with what was made of them, without a recorder: for the library's doors."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from recorder.archive.manifest import Gap, GapCause, Manifest, Section, Side, Track, write_manifest
from recorder.archive.published import (
    Chapter,
    Lane,
    Published,
    Rendition,
    RenditionKind,
    Sprites,
    Step,
    StepState,
    write_published,
)
from recorder.contract import RecordingState, Subject

MEDIA = bytes(range(256)) * 64
SPRITES = "WEBVTT\n\n00:00:00.000 --> 00:00:05.000\ncamera.sprites-1.jpg#xywh=0,0,160,90\n"
DONE = [Step(name, Lane.INSTANT, StepState.DONE, 1.0) for name in ("poster", "aac")]


def picture(path: Path, shade: int, width: int = 320, height: int = 180) -> None:
    """A JPEG of one colour with a frame in it."""
    image = np.full((height, width, 3), (90, shade % 200, 200 - shade % 150), np.uint8)
    cv2.rectangle(image, (12, 12), (width - 12, height - 12), (240, 240, 240), 3)
    assert cv2.imwrite(str(path), image)


def record(
    folder: Path, *, title: str = "title", seconds: float = 60.0, steps: list[Step] | None = None
) -> Published:
    """A lesson of two tracks, not playable, with poster, chapters, thumbnails, film."""
    (folder / "journal").mkdir(parents=True)
    (folder / "journal" / "000001.lkj").write_bytes(b"secret")
    for name in ("camera.mp4", "lesson.film.mp4", "lesson.sound.m4a", "camera.720p.mp4"):
        (folder / name).write_bytes(MEDIA)
    for name in ("camera.m3u8", "camera.720p.m3u8"):
        (folder / name).write_text("#EXTM3U\n")
    picture(folder / "lesson.poster.jpg", sum(folder.name.encode()))
    picture(folder / "camera.sprites-1.jpg", 50)
    picture(folder / "lesson.chapter-1.jpg", 120)
    (folder / "camera.sprites.vtt").write_text(SPRITES)
    gap = Gap(3.0, 7.5, GapCause.SOURCE_AWAY, Side.MAIN_ROOM)
    section = Section(0.0, "camera.mp4", "camera-init.mp4", len(MEDIA), 1280, 720)
    camera = Track("camera", Subject.TEACHER, "video", "H264", "main", playlist="camera.m3u8", gaps=[gap],
                   sections=[section])  # fmt: skip
    write_manifest(
        folder,
        Manifest(
            folder.name, title, "2026-09-01T10:00:00+08:00", RecordingState.READY,
            seconds=seconds, ready_after_s=0.9, tracks=[camera],
        ),
    )  # fmt: skip
    published = Published(
        folder.name,
        steps=DONE if steps is None else steps,
        poster="lesson.poster.jpg",
        sprites=[Sprites("camera", "camera.sprites.vtt")],
        chapters=[Chapter(0.0, 30.0, "", "lesson.chapter-1.jpg"), Chapter(30.0, seconds, "第二张")],
        renditions=[
            Rendition(RenditionKind.FILM, "lesson.film.mp4", bytes=len(MEDIA)),
            Rendition(RenditionKind.SOUND, "lesson.sound.m4a", bytes=len(MEDIA)),
            Rendition(RenditionKind.HIGH, "camera.720p.mp4", "camera", "camera.720p.m3u8", "H264", seconds),
        ],
    )
    write_published(folder, published)
    return published
