"""A recording's files and manifest made again from its journal. Nothing is replaced before all is made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

from recorder.archive.holding import held
from recorder.archive.layout import JOURNAL, MULTIVARIANT, is_derived
from recorder.archive.manifest import BadManifest, BadRecording, Manifest, sync_folder, write_manifest
from recorder.archive.published import PUBLISHED
from recorder.archive.reading import lesson_folder, read_recording
from recorder.contract import RecordingState
from recorder.making import Making

REBUILT = ".rebuilt"
MEDIA = (".mp4", ".m3u8")


def rebuild(archive: Path, lesson: str, *, unfinished: bool = False) -> Manifest:
    """The new manifest; it is READY and has yet to be verified. `unfinished`: also a recording that was never
    finished, where no recorder works on it: its recorder is gone for good. BadName, BadManifest
    ("newer_version", "other_lesson"), BadRecording, OSError."""
    folder = lesson_folder(archive, lesson)
    before = _known(archive, lesson)
    if before.state in (RecordingState.RECORDING, RecordingState.FINISHING) and not unfinished:
        raise BadRecording("recording", f"{lesson} is {before.state}")
    if not any((folder / JOURNAL).glob("*.lkj")):
        raise BadRecording("no_journal", lesson)
    into = folder / REBUILT
    with held(folder):
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir()
        try:
            made = _make(folder, into, before)
            _take_over(folder, into)
            write_manifest(folder, made, durable=True)
        finally:
            shutil.rmtree(into, ignore_errors=True)
    return made


def _known(archive: Path, lesson: str) -> Manifest:
    """The manifest, or an empty one in place of a lost one."""
    try:
        return read_recording(archive, lesson)
    except BadManifest as error:
        folder = lesson_folder(archive, lesson)
        if error.code not in ("missing", "damaged") or not (folder / JOURNAL).is_dir():
            raise
        return Manifest(lesson, "", "", RecordingState.FAILED)


def _make(folder: Path, into: Path, before: Manifest) -> Manifest:
    making = Making(folder, before.lesson, checkpoints=False, into=into)
    try:
        while making.step(None):
            pass
        if not making.ended:
            making.close()
        making.publish()
    finally:
        making.abandon()
    if making.damaged and making.seconds < before.seconds - 1:
        raise BadRecording("journal_damaged", f"{making.seconds} s of {before.seconds} s")
    tracks = making.tracks()
    if not any(track.sections for track in tracks):
        raise BadRecording("empty", before.lesson)
    return msgspec.structs.replace(
        before,
        title=before.title or before.lesson,
        started_at=before.started_at or making.zero_at,
        state=RecordingState.READY,
        seconds=making.seconds,
        tracks=tracks,
        playlist=MULTIVARIANT,
        bytes=sum(track.bytes for track in tracks),
        journal_bytes=sum(path.stat().st_size for path in (folder / JOURNAL).glob("*.lkj")),
        problem="journal_damaged" if making.damaged else "",
        zero_at=making.zero_at,
        files=[],
        verdict=None,
    )


def _take_over(folder: Path, into: Path) -> None:
    """The new files in the places of the old ones; old ones that have no successor go."""
    made = {path.name for path in into.iterdir()}
    for name in sorted(made):
        os.replace(into / name, folder / name)  # noqa: PTH105
    (folder / PUBLISHED).unlink(missing_ok=True)  # what was made of the old files goes with them
    for path in folder.iterdir():
        if (path.suffix in MEDIA and path.name not in made) or is_derived(path.name):
            path.unlink()
    sync_folder(folder)
