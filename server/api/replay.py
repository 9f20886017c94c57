"""What the replay page plays: the recording's tracks under signed URLs, its gaps and marks."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from aiohttp import web

from recorder.archive.reading import BadManifest, Manifest, Track, Verdict, lesson_folder, read_manifest
from recorder.contract import RecordingState
from server.api.guarding import answer
from server.api.keys import CLOCK, CONFIG, MEDIA_KEY, STORE
from server.api.lessons import find_lesson, thing_of
from server.api.rights import Action, NoRight, Thing, require
from server.api.signing import media_prefix
from server.api.visits import keep_visit, visit_of
from server.errors import UserFault
from server.ids import is_lesson_id
from server.protocol.messages import Words
from server.protocol.resources import Replay, ReplayGap, ReplayMark, ReplayTrack, ReplayTruth
from server.store.records import LessonOverview, Mark


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
    gaps = [ReplayGap(gap.start_s, gap.end_s, gap.cause) for gap in track.gaps]
    return ReplayTrack(
        name=track.name,
        subject=track.subject,
        kind=track.kind,
        codec=track.codec,
        room=track.room,
        playlist=prefix + track.playlist,
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


def _zero_after_start_s(manifest: Manifest, overview: LessonOverview | None) -> float:
    """Marks count from Start, the recording from its first packet. Both end with the lesson."""
    started, ended = (overview.lesson.started_at, overview.lesson.ended_at) if overview else (None, None)
    if manifest.state is not RecordingState.READY or manifest.problem or started is None or ended is None:
        return 0.0
    return max(0.0, (ended - started) / 1000 - manifest.seconds)


def _mark(mark: Mark, zero_s: float, seconds: float) -> ReplayMark:
    at_s = max(0.0, mark.at_s - zero_s)
    return ReplayMark(round(min(at_s, seconds) if seconds else at_s, 3), mark.kind, mark.values)


def _replay(
    manifest: Manifest, overview: LessonOverview | None, marks: list[Mark], prefix: str, expires_s: int
) -> Replay:
    title = overview.lesson.title if overview else Words(zh=manifest.title, en=manifest.title)
    zero_s = _zero_after_start_s(manifest, overview)
    return Replay(
        lesson=manifest.lesson,
        title=title,
        state=manifest.state,
        seconds=manifest.seconds,
        started_at=wall_ms_of(manifest.started_at),
        ready_after_s=manifest.ready_after_s,
        expires_at=expires_s * 1000,
        tracks=[replay_track(track, prefix) for track in manifest.tracks if track.playlist],
        marks=[_mark(mark, zero_s, manifest.seconds) for mark in marks],
        truth=_truth(manifest.verdict),
    )


async def replay(request: web.Request) -> web.Response:
    """The recording, while it grows and after. The visit cookie it sets is part of every signature."""
    lesson = request.match_info["lesson"]
    overview = await find_lesson(request)
    actor = require(request, Action.READ_REPLAY, thing_of(overview) if overview else Thing())
    if not is_lesson_id(lesson):
        raise NoRight
    config = request.app[CONFIG]
    manifest = await asyncio.to_thread(read_if_there, config.archive_path, lesson)
    if manifest is None:
        raise NoRight if overview is None else NotReady
    marks = await request.app[STORE].marks(lesson)
    visit = visit_of(request)
    lifetime_s = config.security.media_url_minutes * 60
    expires_s = request.app[CLOCK].wall_ms() // 1000 + lifetime_s
    prefix = media_prefix(request.app[MEDIA_KEY], lesson, expires_s, visit)
    response = answer(_replay(manifest, overview, marks, prefix, expires_s))
    keep_visit(request, response, visit)
    await request.app[STORE].audit(actor.name, Action.READ_REPLAY, lesson)
    return response


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/lessons/{lesson}/replay", replay)]
