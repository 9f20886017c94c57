"""Taking a file of a recording away, where its owner allows it: asked, logged, then signed for one viewer."""

from __future__ import annotations

import asyncio
from pathlib import PurePath
from urllib.parse import quote

from aiohttp import web

from recorder.archive.layout import is_download
from recorder.archive.published import Published
from server.api.catalogued import require_row, thing_of_row
from server.api.guarding import answer, body_of
from server.api.keys import CONFIG, EDITS, STORE
from server.api.processing import published_of, replay_published
from server.api.replay import NotReady, read_if_there, title_of
from server.api.rights import Action, NoRight, is_allowed
from server.api.visits import keep_visit, signer_of
from server.live.publishing import stretches
from server.protocol.library import Download, DownloadWish, ReplayDownload
from server.store.library_records import LibraryRow


async def takeable(
    request: web.Request, row: LibraryRow, made: Published | None, told: list[ReplayDownload]
) -> list[ReplayDownload]:
    """Which of the files this actor may take. Whole tracks hold what was cut out: of a trimmed recording they
    are for those who may trim it, others get the film, once it shows what is kept and no more."""
    edits = await request.app[EDITS].edits(row.overview.lesson.id)
    fits = made is not None and made.kept == stretches(edits)
    told = [one for one in told if fits or not is_download(one.file)]
    if is_allowed(request, Action.EDIT_LESSON, thing_of_row(row, Action.EDIT_LESSON)):
        return told
    if not is_allowed(request, Action.DOWNLOAD, thing_of_row(row, Action.DOWNLOAD)):
        return []
    return told if edits.empty else [one for one in told if is_download(one.file)]


async def download(request: web.Request) -> web.Response:
    """The signed address of one of the files that the replay tells."""
    row, actor = await require_row(request, Action.DOWNLOAD)
    body = await body_of(request, DownloadWish)
    lesson, archive, signer = row.overview.lesson.id, request.app[CONFIG].archive_path, signer_of(request)
    manifest = await asyncio.to_thread(read_if_there, archive, lesson)
    if manifest is None:
        raise NotReady
    made = await asyncio.to_thread(published_of, archive, lesson)
    told = await takeable(request, row, made, replay_published(manifest, made, (), signer).downloads)
    if body.file not in {one.file for one in told}:
        raise NoRight
    title = title_of(row).zh or lesson
    name = f"{title} {body.file}" if not is_download(body.file) else f"{title}{PurePath(body.file).suffix}"
    response = answer(
        Download(f"{signer.path(lesson, body.file)}?name={quote(name.replace('/', ' '), safe='')}")
    )
    keep_visit(request, response, signer.visit)
    await request.app[STORE].audit(actor.name, Action.DOWNLOAD, lesson, file=body.file)
    return response


def routes() -> list[web.RouteDef]:
    return [web.post("/api/v1/lessons/{lesson}/download", download)]
