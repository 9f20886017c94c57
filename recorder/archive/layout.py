"""Names inside the archive: one folder a lesson, one flat set of files in it.

    {archive}/{lesson}/manifest.json        what the recording holds (recorder.archive.manifest)
                      lesson.json           what campus knows of the lesson (rooms, marks), never served
                      lesson.m3u8           multivariant playlist over all tracks
                      {track}.m3u8          media playlist of one track, growing while live
                      {track}.seek.m3u8     the same, each segment from a keyframe, where that differs
                      {track}.mp4           its media, growing; a plain MP4 once closed
                      {track}-init.mp4      its initialization section
                      {track}.2.mp4 ...     further sections (another picture size): file and init
                      published.json        what was made of it after class (recorder.archive.published)
                      {track}.720p.mp4 ...  derived files: {track or "lesson"}.{what}.{mp4|m4a|m3u8|vtt|jpg}
                      .publishing/          pieces of derived files that are being made
                      journal/000001.lkj    what came, as it came; deleted once the recording is verified
                      journal/checkpoint    how far it was made into files (recorder.checkpoint)
                      journal/tap           whom to ask for the lesson's ring (recorder.contract.Begin)
                      .rebuilt/             files that are being made again (recorder.rebuilding)

A track's name holds no dot and does not end in `-init`, a lesson's id neither a dot nor a slash; a section
is a number and what a derived file is for holds a letter: so no name leaves its folder and no two names meet.
Knows no media and opens nothing.
"""

from __future__ import annotations

import re
from pathlib import Path

MANIFEST = "manifest.json"
MULTIVARIANT = "lesson.m3u8"
JOURNAL = "journal"
TAP = "tap"
ABOUT = "lesson.json"
ABOUT_AT_MOST = 1 << 20
PIECES = ".publishing"

_LESSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_TRACK = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_MEDIA = re.compile(
    r"[a-z0-9][a-z0-9-]{0,39}(?:(?:\.seek)?\.m3u8|(?:\.[1-9][0-9]{0,3})?(?:-init)?\.mp4)|manifest\.json",
    re.ASCII,
)
_WHAT = r"(?!seek\.m3u8)(?=[0-9]*[a-z])[a-z0-9][a-z0-9-]{0,19}"
_DERIVED = re.compile(rf"[a-z0-9][a-z0-9-]{{0,39}}\.{_WHAT}\.(?:mp4|m4a|m3u8|vtt|jpg)", re.ASCII)
_DOWNLOAD = re.compile(r"lesson\.(?:film|export)\.mp4", re.ASCII)
_JOURNAL_FILE = re.compile(r"[0-9]{6}\.lkj", re.ASCII)
_RESERVED = frozenset({"lesson", "manifest"})


class BadName(ValueError):
    """A lesson id, track name or file name that the archive does not take."""


def check_lesson(lesson: str) -> str:
    """The same id. BadName where it could leave the archive."""
    if not _LESSON.fullmatch(lesson):
        raise BadName(f"not a lesson id: {lesson[:80]!r}")
    return lesson


def check_track(name: str) -> str:
    """The same name. BadName where its files could leave the folder or meet another track's."""
    if not _TRACK.fullmatch(name) or name.endswith("-init") or name in _RESERVED:
        raise BadName(f"not a track name: {name[:80]!r}")
    return name


def lesson_folder(archive: Path, lesson: str) -> Path:
    """The lesson's folder (it may not exist). BadName for an id that is none."""
    return archive / check_lesson(lesson)


def media_file(track: str, section: int = 1) -> str:
    """Name of a section's media file; sections count from 1."""
    return f"{check_track(track)}{_suffix(section)}.mp4"


def init_file(track: str, section: int = 1) -> str:
    """Name of a section's initialization file."""
    return f"{check_track(track)}{_suffix(section)}-init.mp4"


def playlist_file(track: str) -> str:
    return f"{check_track(track)}.m3u8"


def seekable_file(track: str) -> str:
    return f"{check_track(track)}.seek.m3u8"


def derived_file(of: str, what: str) -> str:
    """Name of a file made after class: `of` is a track or "lesson", `what` names it with its suffix
    ("720p.mp4", "poster.jpg"). BadName."""
    if of != "lesson":
        check_track(of)
    name = f"{of}.{what}"
    if not _DERIVED.fullmatch(name):
        raise BadName(f"not a derived file: {name[:80]!r}")
    return name


def is_derived(name: str) -> bool:
    """Whether a file of the lesson's folder was made after class and can be made again."""
    return bool(_DERIVED.fullmatch(name))


def is_download(name: str) -> bool:
    """Whether a file is made to be taken away, not to be played here: the film and the export."""
    return bool(_DOWNLOAD.fullmatch(name))


def journal_file(number: int) -> str:
    """Name of the journal's file `number` (1 to 999,999)."""
    if not 0 < number < 1_000_000:
        raise BadName(f"journal file {number}")
    return f"{number:06d}.lkj"


def is_journal_file(name: str) -> bool:
    return bool(_JOURNAL_FILE.fullmatch(name))


def served_file(folder: Path, name: str) -> Path:
    """The path of a file that may be served to a player: playlists, media, init, manifest, derived files;
    never the journal, a link or a name that leads elsewhere. BadName for every other; existence is not
    checked."""
    if not _MEDIA.fullmatch(name) and not is_derived(name):
        raise BadName(f"not a file of a recording: {name[:80]!r}")
    path = folder / name
    if path.is_symlink():
        raise BadName(f"a link where a file should be: {name!r}")
    return path


def _suffix(section: int) -> str:
    if not 0 < section < 10_000:
        raise BadName(f"section {section}")
    return "" if section == 1 else f".{section}"
