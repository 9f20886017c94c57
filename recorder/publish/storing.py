"""Finished recordings into the object store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recorder.publish.problems import NothingToDo


def store(folder: Path, lesson: str, where: str, progress: Callable[[float], None]) -> None:
    """NothingToDo where no store is configured."""
    raise NothingToDo("no object store")
