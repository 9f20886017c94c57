"""A recording leaves the archive with everything that was made of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from recorder.archive.holding import held
from recorder.archive.layout import lesson_folder
from recorder.archive.manifest import BadManifest, BadRecording, read_manifest
from recorder.contract import RecordingState

_GOING = ".deleted-"


def remove(archive: Path, lesson: str) -> None:
    """Delete the lesson's folder: first its name, then its files, so that nobody finds half of it. A folder
    that is not there is well. BadName, BadRecording "recording" or "busy", OSError."""
    folder = lesson_folder(archive, lesson)
    if not folder.is_dir() or folder.is_symlink():
        return
    with held(folder):
        if _is_made(folder):
            raise BadRecording("recording", lesson)
        going = folder.with_name(_GOING + lesson)
        shutil.rmtree(going, ignore_errors=True)
        folder.rename(going)
    shutil.rmtree(going)


def _is_made(folder: Path) -> bool:
    try:
        return read_manifest(folder).state in (RecordingState.RECORDING, RecordingState.FINISHING)
    except BadManifest:
        return False
