"""Who works on a recording holds its folder: the recorder while it records, else who verifies or mends it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recorder.archive.manifest import BadRecording


def hold(folder: Path) -> int:
    """A descriptor that holds the folder while it is open. BadRecording "busy", OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise BadRecording("busy", folder.name) from error
    return fd


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """While inside, nobody else works on this recording. BadRecording "busy", OSError."""
    fd = hold(folder)
    try:
        yield
    finally:
        os.close(fd)
