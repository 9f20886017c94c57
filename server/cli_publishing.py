"""`lianke recording export|retry|hold`: what was made of a recording, taken out, made again, kept."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from recorder.archive.holding import held
from recorder.archive.layout import MANIFEST, PIECES, BadName, is_derived, lesson_folder, served_file
from recorder.archive.manifest import BadManifest, BadRecording, Manifest
from recorder.archive.published import PUBLISHED, Published, RenditionKind, read_published
from recorder.archive.reading import read_recording
from recorder.contract import RecordingState
from server.errors import UserFault

FILMS = {"film": RenditionKind.FILM, "competition": RenditionKind.EXPORT}
TELLING = (MANIFEST, PUBLISHED)
To = Annotated[Path, Parameter(name="--to", help="The folder to put it into, made where missing.")]


def published_facts(folder: Path) -> dict[str, Any]:
    """`renditions`, `film`, `chapters` and `steps` of `lianke recording show`."""
    try:
        made = read_published(folder) or Published(folder.name)
    except BadManifest:
        made = Published(folder.name)
    film = made.rendition(RenditionKind.FILM)
    return {
        "renditions": [
            {
                "kind": one.kind, "track": one.track, "codec": one.codec, "path": str(folder / one.file),
                "seconds": one.seconds, "bytes": one.bytes, "width": one.width, "height": one.height,
            }
            for one in made.renditions
        ],
        "film": str(folder / film.file) if film is not None else None,
        "chapters": msgspec.to_builtins(made.chapters),
        "poster": str(folder / made.poster) if made.poster else None,
        "steps": [
            {"name": s.name, "state": s.state, "problem": s.problem, "seconds": s.seconds} for s in made.steps
        ],
    }  # fmt: skip


def take_out(archive: Path, lesson: str, to: Path, only: str | None) -> list[Path]:
    """Copy the recording's folder (without its journal), or one film, into `to`; what was written.
    UserFault where there is nothing or something would be overwritten; BadName, BadManifest, OSError."""
    manifest = read_recording(archive, lesson)
    folder = lesson_folder(archive, lesson)
    if manifest.state is not RecordingState.READY:
        raise BadRecording("recording", lesson)
    to.mkdir(parents=True, exist_ok=True)
    if only is not None:
        return [_take_film(folder, manifest, to, FILMS[only])]
    into = to / lesson
    if into.exists():
        raise _there(into)
    beside = to / f".{lesson}.new"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    with held(folder):
        for path in sorted(folder.iterdir()):
            if _goes_out(folder, path):
                shutil.copy2(path, beside / path.name)
    beside.rename(into)
    return sorted(into.iterdir())


def _goes_out(folder: Path, path: Path) -> bool:
    if path.name in TELLING:
        return True
    try:
        return served_file(folder, path.name).is_file() and path.name != PIECES
    except BadName:
        return is_derived(path.name)


def _take_film(folder: Path, manifest: Manifest, to: Path, kind: RenditionKind) -> Path:
    made = read_published(folder)
    film = made.rendition(kind) if made is not None else None
    if film is None or not (folder / film.file).is_file():
        raise UserFault(
            "no_film",
            zh=f"{manifest.lesson} 还没有这个成片。可用 lianke recording show 查看进度。",
            en=f"{manifest.lesson} has no such film yet. `lianke recording show` tells how far it is.",
        )
    title = re.sub(r'[\x00-\x1f/\\:*?"<>|]+', " ", manifest.title).strip(". ")[:80] or manifest.lesson
    path = to / f"{title} {manifest.lesson}.mp4"
    if path.exists():
        raise _there(path)
    beside = path.with_name(f".{manifest.lesson}.new")
    shutil.copy2(folder / film.file, beside)
    beside.rename(path)
    return path


def _there(path: Path) -> UserFault:
    return UserFault(
        "already_there",
        zh=f"{path} 已经存在,没有覆盖。请换一个目录。",
        en=f"{path} is there already and was left as it is. Choose another folder.",
    )
