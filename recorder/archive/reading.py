"""What the server needs of the archive: which recordings there are, and what each holds.

Reads only; the recorder is the one that writes. `read_manifest(folder)` and `served_file(folder, name)` are
the two doors for one recording; a player's URL `/media/.../{lesson}/{file}` is `served_file` of the
lesson's folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from recorder.archive.layout import BadName, check_lesson, lesson_folder, served_file
from recorder.archive.manifest import (
    BadManifest,
    BadRecording,
    File,
    Gap,
    GapCause,
    Manifest,
    Track,
    Verdict,
    read_manifest,
)

JOURNALLED = ("VP8", "VP9", "AV1")
"""Codecs that lie in the journal alone until they are transcoded."""

__all__ = [
    "BadManifest",
    "BadName",
    "BadRecording",
    "File",
    "Gap",
    "GapCause",
    "Manifest",
    "Track",
    "Verdict",
    "foreign_tracks",
    "lesson_folder",
    "list_recordings",
    "read_manifest",
    "read_recording",
    "served_file",
]


def list_recordings(archive: Path) -> Iterator[Manifest | tuple[str, BadManifest]]:
    """Every recording in the archive by lesson id; one that cannot be read comes as its id and why."""
    if not archive.is_dir():
        return
    for folder in sorted(archive.iterdir()):
        try:
            check_lesson(folder.name)
        except BadName:
            continue
        if folder.is_symlink() or not folder.is_dir():
            continue
        try:
            yield read_recording(archive, folder.name)
        except BadManifest as error:
            yield folder.name, error


def read_recording(archive: Path, lesson: str) -> Manifest:
    """The manifest of a lesson, which must be its own: of two folders with one lesson, one is a copy and must
    not be taken for it. BadName, BadManifest."""
    manifest = read_manifest(lesson_folder(archive, lesson))
    if manifest.lesson != lesson:
        raise BadManifest("other_lesson", f"the folder {lesson} holds lesson {manifest.lesson[:80]!r}")
    return manifest


def foreign_tracks(manifest: Manifest) -> list[Track]:
    """The tracks with pictures that lie in the journal only, until they are transcoded after class."""
    return [
        track
        for track in manifest.tracks
        if track.codec in JOURNALLED or any(gap.cause is GapCause.UNPLAYABLE for gap in track.gaps)
    ]
