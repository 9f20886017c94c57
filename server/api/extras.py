"""What the replay page shows besides the tracks: chapters, edit list, captions, rights; where one stopped."""

from __future__ import annotations

import asyncio
import math

from aiohttp import web
from msgspec.structs import replace

from recorder.archive.published import Published
from recorder.archive.reading import Manifest
from server.api.catalogued import require_row, row_of_path, thing_of_row
from server.api.downloads import takeable
from server.api.editing import edited
from server.api.guarding import answer, body_of
from server.api.keys import CONFIG, EDITS, LIBRARY, PUBLISHING, STORE
from server.api.library import card_of
from server.api.processing import published_of, replay_published
from server.api.replay import NotReady, read_if_there
from server.api.rights import Action, NoRight, circle_of, is_allowed, require
from server.api.visits import keep_visit, signer_of
from server.domain.visibility import Circle
from server.errors import UserFault
from server.protocol.library import ReplayCaptions, ReplayExtras, ReplayRights, SeriesPlace, Watched
from server.store.library_records import LibraryQuery, LibraryRow, LibrarySort

LONGEST_LESSON_S = 100_000
LONGEST_SERIES = 500


def rights_of(request: web.Request, row: LibraryRow) -> ReplayRights:
    def may(action: Action) -> bool:
        return is_allowed(request, action, thing_of_row(row, action))

    return ReplayRights(
        edit=may(Action.EDIT_LESSON),
        download=may(Action.DOWNLOAD),
        delete=may(Action.DELETE_LESSON),
        ask_deletion=may(Action.ASK_DELETION),
        receipt=may(Action.READ_RECEIPT),
        keep=may(Action.KEEP_LESSON),
        publish=may(Action.PUBLISH_AGAIN),
    )


async def _place(
    request: web.Request, row: LibraryRow, viewer: str, reach: Circle | None
) -> SeriesPlace | None:
    if row.catalogue.series is None:
        return None
    library = request.app[LIBRARY]
    series = await library.one_series(row.catalogue.series)
    if series is None:
        return None
    query = LibraryQuery(viewer, reach, series=series.series, sort=LibrarySort.SERIES, limit=LONGEST_SERIES)
    rows, _ = await library.find(query)
    lessons = [one.overview.lesson.id for one in rows]
    at = lessons.index(row.overview.lesson.id) if row.overview.lesson.id in lessons else 0
    before = lessons[at - 1] if at > 0 else None
    after = lessons[at + 1] if at + 1 < len(lessons) else None
    return SeriesPlace(series.series, series.name, before, after)


async def extras(request: web.Request) -> web.Response:
    """Asked for once the recording is ready, and again while something is still being made of it."""
    row, actor = await require_row(request, Action.READ_REPLAY)
    lesson = row.overview.lesson.id
    archive = request.app[CONFIG].archive_path

    def read() -> tuple[Manifest | None, Published | None]:
        return read_if_there(archive, lesson), published_of(archive, lesson)

    manifest, made = await asyncio.to_thread(read)
    if manifest is None:
        raise NotReady
    row = await row_of_path(request, actor.viewer) or row
    reach = circle_of(request, Action.READ_REPLAY)
    signer = signer_of(request)
    captions = await request.app[EDITS].captions(lesson)
    names = await request.app[STORE].county.room_names({row.overview.lesson.main_room})
    kept = await request.app[PUBLISHING].kept(lesson)
    published = replay_published(manifest, made, row.catalogue.chapters, signer)
    downloads = await takeable(request, row, made, published.downloads)
    response = answer(
        ReplayExtras(
            published=replace(published, downloads=downloads),
            edited=await edited(request, lesson),
            captions=[ReplayCaptions(language, vtt) for language, vtt in sorted(captions.items())],
            rights=replace(rights_of(request, row), download=bool(downloads)),
            watched_s=row.watched_s,
            card=card_of(request, row, signer, names, made, kept),
            series=await _place(request, row, actor.viewer, reach),
        )
    )
    keep_visit(request, response, signer.visit)
    return response


async def watched(request: web.Request) -> web.Response:
    """Where this viewer is; told every few seconds by the page that plays."""
    row = await row_of_path(request)
    actor = require(request, Action.KEEP_PLACE, thing_of_row(row, Action.KEEP_PLACE))
    body = await body_of(request, Watched)
    if row is None or row.catalogue.deleted_at is not None:
        raise NoRight
    if not (math.isfinite(body.at_s) and 0 <= body.at_s <= LONGEST_LESSON_S):
        raise UserFault("bad_body", zh="时间不对。", en="That is no moment of a lesson.")
    await request.app[LIBRARY].watched(actor.viewer, row.overview.lesson.id, body.at_s)
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/lessons/{lesson}/extras", extras),
        web.put("/api/v1/lessons/{lesson}/watched", watched),
    ]
