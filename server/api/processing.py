"""What was made of recordings after class, as pages show it: `published.json` is read, never written here."""

from __future__ import annotations

from pathlib import Path

from recorder.archive.layout import is_download
from recorder.archive.published import Published, RenditionKind, Step, StepState, read_published
from recorder.archive.reading import BadManifest, Manifest, lesson_folder
from server.api.visits import Signer
from server.protocol.library import (
    Processing,
    ReplayChapter,
    ReplayDownload,
    ReplayPublished,
    ReplayRendition,
    ReplaySprites,
)
from server.store.library_records import ChapterTitle

SAME_CHAPTER_S = 0.5
_DONE = (StepState.DONE, StepState.SKIPPED)


def published_of(archive: Path, lesson: str) -> Published | None:
    """What there is; None where nothing was made yet or it cannot be read. Blocking."""
    try:
        return read_published(lesson_folder(archive, lesson))
    except (BadManifest, OSError):
        return None


def posters_of(archive: Path, lessons: list[str]) -> dict[str, Published]:
    """By lesson, those that have something. Blocking."""
    found = ((lesson, published_of(archive, lesson)) for lesson in lessons)
    return {lesson: published for lesson, published in found if published is not None}


def processing_of(published: Published | None) -> Processing | None:
    """None once every step is done."""
    if published is None or not published.steps:
        return None
    steps = published.steps
    if all(step.state in _DONE for step in steps):
        return None
    running = next((step for step in steps if step.state is StepState.RUNNING), None)
    failed = next((step for step in steps if step.state is StepState.FAILED), None)
    told = running or failed
    share = sum(_share(step) for step in steps) / len(steps)
    return Processing(
        step=told.name if told else "",
        progress=round(share, 3),
        failed=running is None and failed is not None,
        problem=failed.problem if failed else "",
    )


def _share(step: Step) -> float:
    return 1.0 if step.state in _DONE else min(1.0, max(0.0, step.progress))


def titled(published: Published, given: tuple[ChapterTitle, ...]) -> list[tuple[float, float, str, str]]:
    """The chapters as start, end, title, picture; titles that people gave come first."""
    return [
        (
            chapter.start_s,
            chapter.end_s,
            next(
                (one.title for one in given if abs(one.start_s - chapter.start_s) < SAME_CHAPTER_S),
                chapter.title,
            ),
            chapter.picture,
        )
        for chapter in published.chapters
    ]


def replay_published(
    manifest: Manifest, published: Published | None, given: tuple[ChapterTitle, ...], signer: Signer
) -> ReplayPublished:
    """Everything under signed paths."""
    lesson = manifest.lesson
    if published is None:
        return ReplayPublished(downloads=_downloads(manifest, Published(lesson)))
    chapters = [
        ReplayChapter(start_s, end_s, title, signer.path(lesson, picture))
        for start_s, end_s, title, picture in titled(published, given)
    ]
    renditions = [
        ReplayRendition(
            kind=one.kind, track=one.track, codec=one.codec, playlist=signer.path(lesson, one.playlist),
            width=one.width, height=one.height,
        )
        for one in published.renditions
        if one.playlist
    ]  # fmt: skip
    return ReplayPublished(
        poster=signer.path(lesson, published.poster),
        chapters=chapters,
        sprites=[ReplaySprites(one.track, signer.path(lesson, one.vtt)) for one in published.sprites],
        renditions=renditions,
        downloads=_downloads(manifest, published),
        processing=processing_of(published),
    )


def _downloads(manifest: Manifest, published: Published) -> list[ReplayDownload]:
    """The film first; then what else is whole."""
    films = [
        ReplayDownload(one.file, one.kind, one.track, one.bytes)
        for one in published.renditions
        if is_download(one.file) or one.kind is RenditionKind.SOUND
    ]
    films.sort(key=lambda one: one.kind is not RenditionKind.FILM)
    tracks = [
        ReplayDownload(section.file, "track", track.name, section.bytes or track.bytes)
        for track in manifest.tracks
        for section in track.sections
    ]
    return [*films, *tracks]
