"""A live lesson over HLS: the playlists of its growing recording, signed for who may watch."""

from __future__ import annotations

import asyncio

from aiohttp import web

from recorder.archive.reading import Manifest
from recorder.contract import RecordingState
from server.api.guarding import answer
from server.api.keys import CLOCK, CONFIG, LIVE, MEDIA_KEY
from server.api.lessons import find_lesson, thing_of
from server.api.replay import NotReady, read_if_there, replay_track, wall_ms_of
from server.api.rights import Action, NoRight, Thing, require
from server.api.signing import lifetime_s, media_prefix
from server.api.visits import keep_visit, session_name, visit_of
from server.protocol.resources import LiveReplay
from server.store.records import LessonOverview

DELAY_S = 2.0
"""How old the newest part is, about: what the recorder waits for repairs, and half a part."""
GROWING = (RecordingState.RECORDING, RecordingState.FINISHING)


async def hls(request: web.Request) -> web.Response:
    """The lesson's tracks so far. NotReady until there is something to play."""
    overview = await find_lesson(request)
    actor = require(request, Action.WATCH_HLS, thing_of(overview) if overview is not None else Thing())
    if overview is None:
        raise NoRight
    lesson, config = overview.lesson.id, request.app[CONFIG]
    manifest = await asyncio.to_thread(read_if_there, config.archive_path, lesson)
    if manifest is None or not any(track.playlist for track in manifest.tracks):
        raise NotReady
    visit, now = visit_of(request), request.app[CLOCK].wall_ms()
    request.app[LIVE].readers.admitted(lesson, session_name(visit), actor.role, actor.room, now)
    expires_s = now // 1000 + lifetime_s(config.security.media_url_minutes)
    prefix = media_prefix(request.app[MEDIA_KEY], lesson, expires_s, visit)
    response = answer(_live(manifest, overview, prefix, now, expires_s))
    keep_visit(request, response, visit)
    return response


def _live(manifest: Manifest, overview: LessonOverview, prefix: str, now: int, expires_s: int) -> LiveReplay:
    return LiveReplay(
        lesson=manifest.lesson,
        title=overview.lesson.title,
        state=manifest.state,
        seconds=manifest.seconds,
        started_at=wall_ms_of(manifest.started_at),
        zero_at=wall_ms_of(manifest.zero_at),
        now=now,
        delay_s=DELAY_S if manifest.state in GROWING else 0.0,
        expires_at=expires_s * 1000,
        playlist=prefix + manifest.playlist,
        tracks=[replay_track(track, prefix) for track in manifest.tracks if track.playlist],
    )


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/lessons/{lesson}/hls", hls)]
