"""Lessons as a folder that plays without a network: what goes into it, and its index page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

import msgspec

from recorder.archive.published import Published, RenditionKind
from recorder.archive.reading import Manifest, Track, lesson_folder
from recorder.contract import Subject
from server.api.replay import title_of
from server.domain.captions import parse
from server.domain.editing import EditList, kept
from server.store.library_records import LibraryRow

INDEX = Path(__file__).with_name("offline") / "index.html"
PLACE = "{{DATA}}"
Entry = tuple[str, Path | bytes]


@dataclass(frozen=True, slots=True)
class Copied:
    """All that is known of one lesson that is taken along. `zone`: the county's."""

    row: LibraryRow
    manifest: Manifest
    published: Published | None
    edits: EditList
    captions: dict[str, str]
    zone: tzinfo

    @property
    def held(self) -> datetime:
        """When the lesson was, by the county's clock."""
        lesson = self.row.overview.lesson
        return datetime.fromtimestamp((lesson.started_at or lesson.created_at) / 1000, self.zone)


def entries(archive: Path, lessons: list[Copied], title: str) -> list[Entry]:
    """Names and contents, the index page first."""
    told, files = [], []
    for one in lessons:
        media, found = _media(archive, one)
        files += found
        told.append(_told(one, media, [name for name, _ in found]))
    text = msgspec.json.encode({"title": title, "lessons": told}).decode()
    # Nothing in a title ends the script element that holds it.
    page = INDEX.read_text().replace(PLACE, text.replace("<", "\\u003c"))
    return [("index.html", page.encode()), *files]


def _folder(one: Copied) -> str:
    return f"{one.held:%Y-%m-%d}_{one.row.overview.lesson.id}"


def _media(archive: Path, one: Copied) -> tuple[list[dict[str, object]], list[Entry]]:
    """What the page plays, its clock first; and the files."""
    folder, name = lesson_folder(archive, one.manifest.lesson), _folder(one)
    film = one.published.rendition(RenditionKind.FILM) if one.published else None
    if film is not None:
        files = [film.file]
        media: list[dict[str, object]] = [{"kind": "video", "src": f"{name}/{film.file}", "small": False}]
    else:
        tracks = _tracks(one.manifest)
        screen = any(track.subject is Subject.SCREEN for track in tracks)
        files = [track.file for track in tracks]
        media = [
            {"kind": track.kind, "src": f"{name}/{track.file}",
             "small": screen and track.kind == "video" and track.subject is not Subject.SCREEN}
            for track in tracks
        ]  # fmt: skip
    poster = [one.published.poster] if one.published and one.published.poster else []
    return media, [(f"{name}/{file}", folder / file) for file in (*files, *poster)]


def _tracks(manifest: Manifest) -> list[Track]:
    """One voice, then courseware, then the teacher's camera: those that are there."""
    wanted = (Subject.VOICE, Subject.SCREEN, Subject.TEACHER)
    whole = [track for track in manifest.tracks if track.file]
    found = [next((track for track in whole if track.subject is subject), None) for subject in wanted]
    return [track for track in found if track is not None] or whole[:1]


def _told(one: Copied, media: list[dict[str, object]], names: list[str]) -> dict[str, object]:
    lesson, about = one.row.overview.lesson, one.row.catalogue
    words = [about.grade, about.subject, about.teacher, about.school, f"{one.held:%Y-%m-%d %H:%M}"]
    text = one.captions.get("zh") or next(iter(one.captions.values()), None)
    return {
        "lesson": lesson.id,
        "title": title_of(one.row).zh or lesson.id,
        "about": " · ".join(word for word in words if word),
        "seconds": one.manifest.seconds,
        "poster": next((name for name in names if name.endswith(".jpg")), ""),
        "media": media,
        "kept": [[part.start_s, part.end_s] for part in kept(one.edits, one.manifest.seconds)],
        "captions": [[cue.start_s, cue.end_s, cue.text] for cue in parse(text)] if text else [],
    }
