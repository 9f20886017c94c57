"""What the replay page plays: the recording's tracks under signed URLs, its gaps and marks."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from aiohttp import web

from recorder.archive.reading import (
    BadManifest,
    Manifest,
    Track,
    Verdict,
    foreign_tracks,
    lesson_folder,
    read_manifest,
)
from recorder.contract import RecordingState
from server.api.catalogued import require_row, row_of_path, thing_of_row
from server.api.guarding import answer
from server.api.keys import CONFIG, LIVE, STORE
from server.api.rights import Action, NoRight, require
from server.api.visits import Signer, keep_visit, session_name, signer_of
from server.errors import UserFault
from server.ids import is_lesson_id
from server.protocol.library import MediaRenewal
from server.protocol.messages import Words
from server.protocol.resources import Replay, ReplayGap, ReplayMark, ReplayTrack, ReplayTruth
from server.store.library_records import LibraryRow
from server.store.records import PRESENCE, LessonOverview, Mark


class NotReady(UserFault):
    """The lesson is known, its recording cannot be read (yet)."""

    def __init__(self) -> None:
        super().__init__(
            "not_ready",
            zh="这节课还没有可回放的录像,请稍后再试。",
            en="There is nothing to replay of this lesson yet. Try again soon.",
        )


def read_if_there(archive: Path, lesson: str) -> Manifest | None:
    """The lesson's manifest; None where there is none that can be read. Blocks."""
    try:
        return read_manifest(lesson_folder(archive, lesson))
    except BadManifest:
        return None


def replay_track(track: Track, prefix: str) -> ReplayTrack:
    """A track under signed addresses that begin with `prefix`."""
    gaps = [ReplayGap(gap.start_s, gap.end_s, gap.cause, gap.side) for gap in track.gaps]
    return ReplayTrack(
        name=track.name,
        subject=track.subject,
        kind=track.kind,
        codec=track.codec,
        room=track.room,
        playlist=prefix + (track.seekable or track.playlist),
        gaps=gaps,
    )


def wall_ms_of(text: str) -> int | None:
    """RFC 3339 as milliseconds since 1970."""
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return None


def _truth(verdict: Verdict | None) -> ReplayTruth | None:
    verified_at = wall_ms_of(verdict.verified_at) if verdict is not None else None
    if verdict is None or verified_at is None:
        return None
    return ReplayTruth(
        verified_at, verdict.whole, verdict.pictures, verdict.pictures_decoded, verdict.sync_ms
    )


def zero_after_start_s(manifest: Manifest, overview: LessonOverview | None) -> float:
    """Marks count from Start, the recording from its first packet. Both end with the lesson."""
    started, ended = (overview.lesson.started_at, overview.lesson.ended_at) if overview else (None, None)
    if manifest.state is not RecordingState.READY or manifest.problem or started is None or ended is None:
        return 0.0
    return max(0.0, (ended - started) / 1000 - manifest.seconds)


def _mark(mark: Mark, zero_s: float, seconds: float) -> ReplayMark:
    at_s = max(0.0, mark.at_s - zero_s)
    return ReplayMark(round(min(at_s, seconds) if seconds else at_s, 3), mark.kind, mark.values)


def title_of(row: LibraryRow) -> Words:
    """What people called it since, else what it was called in class."""
    given = row.catalogue.title
    return Words(zh=given, en=given) if given else row.overview.lesson.title


def _replay(manifest: Manifest, row: LibraryRow | None, marks: list[Mark], signer: Signer) -> Replay:
    title = title_of(row) if row else Words(zh=manifest.title, en=manifest.title)
    zero_s = zero_after_start_s(manifest, row.overview if row else None)
    prefix = f"/media/{signer.pair(manifest.lesson)}/{manifest.lesson}/"
    return Replay(
        lesson=manifest.lesson,
        title=title,
        state=manifest.state,
        seconds=manifest.seconds,
        started_at=wall_ms_of(manifest.started_at),
        ready_after_s=manifest.ready_after_s,
        expires_at=signer.expires_s * 1000,
        tracks=[replay_track(track, prefix) for track in manifest.tracks if track.playlist],
        marks=[_mark(mark, zero_s, manifest.seconds) for mark in marks if mark.kind not in PRESENCE],
        truth=_truth(manifest.verdict),
        converting=[track.subject for track in foreign_tracks(manifest)],
    )


async def replay(request: web.Request) -> web.Response:
    """The recording, while it grows and after. The visit cookie it sets is part of every signature."""
    lesson = request.match_info["lesson"]
    row = await row_of_path(request)
    actor = require(request, Action.READ_REPLAY, thing_of_row(row, Action.READ_REPLAY))
    if not is_lesson_id(lesson) or (row is not None and row.catalogue.deleted_at is not None):
        raise NoRight
    manifest = await asyncio.to_thread(read_if_there, request.app[CONFIG].archive_path, lesson)
    if manifest is None:
        raise NoRight if row is None else NotReady
    marks = await request.app[STORE].marks(lesson)
    signer = signer_of(request)
    response = answer(_replay(manifest, row, marks, signer))
    keep_visit(request, response, signer.visit)
    request.app[LIVE].list_reader(lesson, session_name(signer.visit), actor.role, actor.room)
    if manifest.state is RecordingState.READY:
        await request.app[STORE].audit(actor.name, Action.READ_REPLAY, lesson)
    return response


async def renew(request: web.Request) -> web.Response:
    """New signatures for a page that goes on playing; asks the right again, and is no second view."""
    row, actor = await require_row(request, Action.READ_REPLAY)
    signer, lesson = signer_of(request), row.overview.lesson.id
    request.app[LIVE].list_reader(lesson, session_name(signer.visit), actor.role, actor.room)
    manifest = await asyncio.to_thread(read_if_there, request.app[CONFIG].archive_path, lesson)
    truth = _truth(manifest.verdict) if manifest is not None else None
    response = answer(MediaRenewal(signer.pair(lesson), signer.expires_s * 1000, truth))
    keep_visit(request, response, signer.visit)
    return response


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/lessons/{lesson}/replay", replay),
        web.get("/api/v1/lessons/{lesson}/renewal", renew),
    ]
