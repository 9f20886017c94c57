"""`lianke recording`: what is in the archive, whether it is whole, and how to make it whole again.

Works on this machine's archive folder itself, with or without a running server.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import msgspec
from cyclopts import App, Parameter

from recorder.archive.layout import ABOUT, ABOUT_AT_MOST, BadName, lesson_folder
from recorder.archive.reading import (
    BadManifest,
    BadRecording,
    Manifest,
    Track,
    list_recordings,
    read_recording,
)
from recorder.contract import RecordingState, Subject
from server import running
from server.cli_publishing import To, published_facts, take_out
from server.config import load
from server.errors import UserFault
from server.protocol.messages import LessonState, Words

recording = App(name="recording", help="Recordings of this machine: list, verify, make again.")
ConfigFile = Annotated[Path | None, Parameter(name="--config", help="TOML file; defaults where left out.")]
AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON for programs.")]
T = TypeVar("T")

NOT_WHOLE = 1
WORDS: dict[str, tuple[str, str]] = {
    "bad_name": ("“{lesson}”不是课堂编号。", '"{lesson}" is not a lesson id.'),
    "missing": (
        "没有课堂 {lesson} 的录像,请用 lianke recording list 查看。",
        "There is no recording of lesson {lesson}. See `lianke recording list`.",
    ),
    "damaged": (
        "{lesson} 的清单已损坏。可用 lianke recording rebuild {lesson} 由日志重建。",
        "The manifest of {lesson} is damaged. `lianke recording rebuild {lesson}` makes it again.",
    ),
    "newer_version": (
        "{lesson} 由更新版本的联课写成,请先升级。它没有被改动。",
        "{lesson} was written by a newer Lianke: upgrade first. It was left as it is.",
    ),
    "other_lesson": (
        "目录 {lesson} 里是另一节课的录像(两节课同名)。请移走复制出来的目录:{detail}",
        "The folder {lesson} holds another lesson's recording: two lessons of one name. "
        "Move the copied folder away. ({detail})",
    ),
    "recording": (
        "{lesson} 还在录制或收尾,请稍后再试。",
        "{lesson} is still being recorded. Try again later.",
    ),
    "busy": ("另一个程序正在处理 {lesson}。", "Another program is working on {lesson}."),
    "empty": (
        "{lesson} 没有录到任何画面或声音。",
        "{lesson} is empty: no picture and no sound was recorded.",
    ),
    "no_journal": (
        "{lesson} 的日志已在校验后删除,不能重建。",
        "The journal of {lesson} was deleted after it was verified: it cannot be made again.",
    ),
    "journal_damaged": (
        "{lesson} 的日志已损坏,重建会丢失内容({detail}),原有文件未改动。",
        "The journal of {lesson} is damaged and would make less than there is ({detail}). Nothing changed.",
    ),
    "disk": ("磁盘出错:{detail}", "The disk refused: {detail}"),
}


def _fault(lesson: str, error: Exception) -> UserFault:
    code = getattr(error, "code", "bad_name" if isinstance(error, BadName) else "disk")
    zh, en = WORDS[code]
    values = {"lesson": lesson[:80], "detail": str(error).removeprefix(f"{code}: ")}
    return UserFault(code, zh=zh.format(**values), en=en.format(**values))


def _of(lesson: str, work: Callable[[], T]) -> T:
    """Do it; what cannot be becomes words."""
    try:
        return work()
    except (BadName, BadManifest, BadRecording, OSError) as error:
        raise _fault(lesson, error) from error


class _Places(NamedTuple):
    """Where things lie, and whether journals are kept: of a configuration, or of the server that runs."""

    archive: Path
    store: Path | str
    keep_journal: bool


def _places(config_file: Path | None) -> _Places:
    found = running.find() if config_file is None else None
    if found is not None and found.archive:
        store = found.store if "://" in found.store else Path(found.store)
        return _Places(Path(found.archive), store, found.keep_journal)
    config = load(config_file)
    return _Places(config.archive_path, config.store_place, config.recording.keep_journal)


@recording.command(name="list")
def list_all(*, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Every recording in the archive, also those that cannot be read."""
    rows = [_row(found) for found in list_recordings(_places(config).archive)]
    _show(rows, as_json=as_json, columns=("lesson", "state", "seconds", "verified", "title", "problem"))


@recording.command
def show(lesson: str, /, *, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """One recording: its tracks, holes and last verification."""
    archive = _places(config).archive
    _show(_facts(archive, _of(lesson, lambda: read_recording(archive, lesson))), as_json=as_json)


@recording.command
def verify(
    lesson: str | None = None,
    /,
    *,
    keep_journal: bool = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Decode every picture and sound and compare every sum; of all recordings where none is named. Exit 1
    where one is not whole."""
    from recorder import verification

    os.nice(verification.LOWEST_PRIORITY)
    archive, _, kept = _places(config)
    keep = keep_journal or kept
    if lesson is not None:
        found = _of(lesson, lambda: verification.verify(archive, lesson, keep_journal=keep))
        rows = [_verdict(found)]
    else:
        rows = list(_verify_all(archive, keep_journal=keep))
    columns = ("lesson", "whole", "pictures", "pictures_decoded", "problems")
    _show(rows if lesson is None else rows[0], as_json=as_json, columns=columns)
    return 0 if all(row["whole"] for row in rows) else NOT_WHOLE


def _verify_all(archive: Path, *, keep_journal: bool) -> Iterator[dict[str, Any]]:
    from recorder import verification

    for found in list_recordings(archive):
        if isinstance(found, tuple):
            yield {"lesson": found[0], "whole": False, "problems": [found[1].code]}
        elif found.state is RecordingState.READY:
            try:
                yield _verdict(verification.verify(archive, found.lesson, keep_journal=keep_journal))
            except (BadManifest, BadRecording, OSError) as error:
                code = getattr(error, "code", "disk")
                yield {"lesson": found.lesson, "whole": code == "empty", "problems": [code]}


@recording.command
def rebuild(
    lesson: str, /, *, unfinished: bool = False, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Make a recording's files and manifest again from its journal; with --unfinished also of a lesson that
    was cut off and whose recorder will not come back."""
    from recorder import rebuilding

    archive = _places(config).archive
    _show(
        _facts(archive, _of(lesson, lambda: rebuilding.rebuild(archive, lesson, unfinished=unfinished))),
        as_json=as_json,
    )


@recording.command
def export(
    lesson: str,
    /,
    *,
    to: To,
    only: Literal["film", "competition"] | None = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Copy a recording out of the archive: its whole folder, or with --only the film or the competition's
    file. Nothing is overwritten."""
    archive = _places(config).archive
    written = _of(lesson, lambda: take_out(archive, lesson, to, only))
    _show({"lesson": lesson, "files": [str(path) for path in written]}, as_json=as_json)


@recording.command
def rescan(*, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Put rows of recordings that only the disk knows back into the database. Changes no row of a lesson."""
    archive, store, _ = _places(config)
    found = asyncio.run(_rescan(archive, store))
    _show(found, as_json=as_json)
    return NOT_WHOLE if found["unreadable"] else 0


async def _rescan(archive: Path, path: Path | str) -> dict[str, Any]:
    from server.clock import SystemClock
    from server.store.records import RecordingRow
    from server.store.store import Store

    added, rows, unreadable = [], 0, []
    store = await Store.open(path, SystemClock())
    try:
        for found in list_recordings(archive):
            if isinstance(found, tuple):
                unreadable.append({"lesson": found[0], "problem": found[1].code})
            elif found.state in (RecordingState.READY, RecordingState.FAILED):
                about = _about(archive, found)
                if await store.restore_lesson(about.lesson):
                    added.append(found.lesson)
                    marks = about.marks
                else:
                    marks = []
                row = RecordingRow(
                    found.lesson, found.state, found.seconds, found.ready_after_s, found.problem
                )
                await store.save_recording(row)
                if marks:
                    await store.save_marks(found.lesson, marks)
                rows += 1
    finally:
        await store.close()
    return {"recordings": rows, "lessons_added": added, "unreadable": unreadable}


def _about(archive: Path, manifest: Manifest) -> Any:
    """What campus had put beside the recording; else what the recording itself tells."""
    from server.store.records import About

    try:
        with (archive / manifest.lesson / ABOUT).open("rb") as file:
            about = msgspec.json.decode(file.read(ABOUT_AT_MOST), type=About)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return About(_lesson_of(archive, manifest))
    ended = about.lesson.state is LessonState.ENDED and about.lesson.id == manifest.lesson
    return about if ended else About(_lesson_of(archive, manifest))


def _lesson_of(archive: Path, manifest: Manifest) -> Any:
    """The lesson as far as its recording tells it: it is over, and was held in the room of its teacher."""
    from server.domain.lesson import Lesson

    pupils = (Subject.PUPILS, Subject.PUPILS_VOICE)
    rooms = [track.room for track in manifest.tracks if track.room and track.subject not in pupils]
    started = _started(archive, manifest)
    return Lesson(
        id=manifest.lesson,
        title=Words(zh=manifest.title, en=manifest.title),
        main_room=rooms[0] if rooms else "",
        rooms=(),
        state=LessonState.ENDED,
        created_at=started,
        started_at=started,
        ended_at=started + round(timedelta(seconds=manifest.seconds).total_seconds() * 1000),
    )


def _started(archive: Path, manifest: Manifest) -> int:
    """Milliseconds since 1970; where the manifest does not say, since when its folder is there."""
    try:
        return round(datetime.fromisoformat(manifest.started_at).timestamp() * 1000)
    except (ValueError, OverflowError):
        return round(lesson_folder(archive, manifest.lesson).stat().st_mtime * 1000)


def _row(found: Manifest | tuple[str, BadManifest]) -> dict[str, Any]:
    if isinstance(found, tuple):
        return {"lesson": found[0], "state": "unreadable", "problem": found[1].code}
    verdict = found.verdict
    return {
        "lesson": found.lesson,
        "title": found.title,
        "state": found.state,
        "started_at": found.started_at,
        "seconds": found.seconds,
        "bytes": found.bytes + found.journal_bytes,
        "verified": None if verdict is None else verdict.whole,
        "problem": found.problem,
    }


def _facts(archive: Path, manifest: Manifest) -> dict[str, Any]:
    folder = lesson_folder(archive, manifest.lesson)
    return {
        **_row(manifest),
        "ready_after_s": manifest.ready_after_s,
        "hls": str(folder / manifest.playlist) if manifest.playlist else None,
        "tracks": [_track(folder, track) for track in manifest.tracks],
        **published_facts(folder),
        "journal_bytes": manifest.journal_bytes,
        "verdict": msgspec.to_builtins(manifest.verdict),
    }


def _track(folder: Path, track: Track) -> dict[str, Any]:
    return {
        "source": track.name,
        "subject": track.subject,
        "kind": track.kind,
        "codec": track.codec,
        "room": track.room,
        "path": str(folder / track.file) if track.file else None,
        "seconds": track.seconds,
        "samples": track.samples,
        "sync_ms": track.sync_ms,
        "gaps": msgspec.to_builtins(track.gaps),
    }


def _verdict(manifest: Manifest) -> dict[str, Any]:
    verdict = msgspec.to_builtins(manifest.verdict)
    return {"lesson": manifest.lesson, **verdict, "journal_bytes": manifest.journal_bytes}


def _show(value: Any, *, as_json: bool, columns: tuple[str, ...] = ()) -> None:
    """JSON for programs; for people a table with these columns, or facts line by line."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=True)
    if isinstance(value, dict):
        for name, part in value.items():
            lines = part if isinstance(part, list) else [part]
            for k, line in enumerate(lines):
                console.print(f"{name if k == 0 else '':14} {_cell(line)}", highlight=False, markup=False)
    elif not value:
        console.print("没有录像 · no recordings")
    else:
        table = Table(box=None)
        for name in columns:
            table.add_column(name)
        for row in value:
            table.add_row(*(_cell(row.get(name)) for name in columns))
        console.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(
            f"{name} {_cell(part)}" for name, part in value.items() if part not in (None, [], "")
        )
    if isinstance(value, list):
        return "; ".join(_cell(part) for part in value)
    return "" if value is None else str(value)
