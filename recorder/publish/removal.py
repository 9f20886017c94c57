"""Deleting a recording, or what was made of it alone: derived files first."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from recorder.archive import removal as archive_removal
from recorder.archive.holding import held
from recorder.archive.layout import PIECES, BadName, is_derived, lesson_folder
from recorder.archive.manifest import BadRecording
from recorder.archive.published import PUBLISHED
from recorder.archive.storage import StorageFailed
from recorder.publish.contract import Removed
from recorder.publish.problems import NothingToDo, StepFailed
from recorder.publish.storing import free, open_store


def free_bytes(archive: Path) -> int:
    figures = os.statvfs(archive)
    return figures.f_bavail * figures.f_frsize


def remove_stored(archive: Path, lesson: str, store: str) -> Removed:
    """Media that the object store holds leave this disk. Never raises."""
    try:
        with held(lesson_folder(archive, lesson)):
            gone, left = free(lesson_folder(archive, lesson), lesson, store)
            return Removed(lesson, gone, stored_only=True, left=left)
    except (BadName, BadRecording, StepFailed, NothingToDo, OSError) as error:
        return Removed(lesson[:80], stored_only=True, problem=str(error)[:200])


def remove(archive: Path, lesson: str, store: str, *, derived_only: bool) -> Removed:
    """Never raises: why nothing was deleted is in the answer. Said again it deletes what is left."""
    try:
        folder = lesson_folder(archive, lesson)
        if not folder.is_dir():
            return Removed(lesson, derived_only=derived_only)
        gone = _bytes(folder)
        with held(folder):
            _remove_derived(folder)
        if derived_only:
            gone -= _bytes(folder)
        else:
            if store:
                open_store(store).delete(lesson)
            archive_removal.remove(archive, lesson)
    except BadName:
        return Removed(lesson[:80], derived_only=derived_only, problem="bad_name")
    except BadRecording:
        return Removed(lesson, derived_only=derived_only, problem="busy")
    except (StepFailed, StorageFailed) as error:
        return Removed(lesson, derived_only=derived_only, problem=f"storage: {error}")
    except OSError as error:
        return Removed(lesson, derived_only=derived_only, problem=f"disk: {error.strerror}")
    return Removed(lesson, gone, derived_only)


def _bytes(folder: Path) -> int:
    """What is in it; the journal of a recording that was just verified may be going meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):  # which passes over a folder that is just gone
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(place, name).stat().st_size
    return total


def _remove_derived(folder: Path) -> None:
    """All that can be made again, and the file that tells of it first: nothing points into the void."""
    (folder / PUBLISHED).unlink(missing_ok=True)
    shutil.rmtree(folder / PIECES, ignore_errors=True)
    for path in folder.iterdir():
        if is_derived(path.name):
            path.unlink(missing_ok=True)
