"""Finished recordings into the object store, and out of the folder once they are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from recorder.archive.layout import MANIFEST, BadName, served_file
from recorder.archive.published import PUBLISHED
from recorder.archive.storage import Storage, StorageFailed, StoreAt
from recorder.publish.problems import NothingToDo, StepFailed

MEDIA = (".mp4", ".m4a")


def open_store(where: str) -> Storage:
    """Of the file that the supervisor wrote. NothingToDo where there is none; StepFailed "storage"."""
    if not where:
        raise NothingToDo("no object store")
    try:
        return Storage(msgspec.json.decode(Path(where).read_bytes(), type=StoreAt))
    except (StorageFailed, msgspec.MsgspecError, OSError) as error:
        raise StepFailed("storage", str(error)) from error


def store(folder: Path, lesson: str, where: str, progress: Callable[[float], None]) -> None:
    """Every file that a player or a rescan needs, and a look whether it arrived whole. NothingToDo where no
    store is configured; StepFailed "storage", OSError."""
    into = open_store(where)
    files = [path for path in sorted(folder.iterdir()) if _belongs(folder, path)]
    whole = sum(path.stat().st_size for path in files) or 1
    sent = 0
    try:
        there = into.sizes(lesson)
        for path in files:
            size = path.stat().st_size
            if there.get(path.name) != size or path.suffix not in MEDIA:
                into.put(lesson, path)
            sent += size
            progress(sent / whole)
        there = into.sizes(lesson)
    except StorageFailed as error:
        raise StepFailed("storage", str(error)) from error
    torn = [
        path.name for path in files if path.suffix in MEDIA and there.get(path.name) != path.stat().st_size
    ]
    if torn:
        raise StepFailed("storage", f"did not arrive whole: {', '.join(torn[:5])}")


def free(folder: Path, lesson: str, where: str) -> tuple[int, int]:
    """Media files that are in the store as they are here leave the folder: bytes that went, and that stay.
    StepFailed."""
    try:
        there = open_store(where).sizes(lesson)
    except StorageFailed as error:
        raise StepFailed("storage", str(error)) from error
    gone = left = 0
    for path in folder.iterdir():
        if path.suffix in MEDIA and _belongs(folder, path):
            size = path.stat().st_size
            if there.get(path.name) == size:
                path.unlink()
                gone += size
            else:
                left += size
    return gone, left


def _belongs(folder: Path, path: Path) -> bool:
    if path.name in (MANIFEST, PUBLISHED):
        return True
    try:
        return served_file(folder, path.name).is_file()
    except BadName:
        return False
