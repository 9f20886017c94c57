"""What people make of a recording without touching it: trim, captions, chapters' titles."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from server.api.catalogued import require_row
from server.api.guarding import answer, body_of
from server.api.keys import CONFIG, EDITS, LIBRARY, PUBLISHING, STORE
from server.api.processing import SAME_CHAPTER_S
from server.api.replay import NotReady, read_if_there
from server.api.rights import Action
from server.domain.captions import parse, written
from server.domain.editing import Cut, EditList, checked
from server.errors import UserFault
from server.protocol.library import Captions, ChapterNames, Edit, EditCut, Edited
from server.store.library_records import ChapterTitle

MOST_CHAPTERS = 500
LONGEST_TITLE = 80
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}", re.ASCII)


async def edited(request: web.Request, lesson: str) -> Edited:
    """The list that counts now."""
    edits = await request.app[EDITS].edits(lesson)
    undo, redo = await request.app[EDITS].steps(lesson)
    cuts = [EditCut(start_s=cut.start_s, end_s=cut.end_s) for cut in edits.cuts]
    return Edited(edits.in_s, edits.out_s, cuts, undo, redo)


async def edit(request: web.Request) -> web.Response:
    """In, out and cuts; the recording stays whole, every version is kept."""
    row, actor = await require_row(request, Action.EDIT_LESSON)
    body = await body_of(request, Edit)
    lesson = row.overview.lesson.id
    manifest = await asyncio.to_thread(read_if_there, request.app[CONFIG].archive_path, lesson)
    if manifest is None:
        raise NotReady
    cuts = tuple(Cut(cut.start_s, cut.end_s) for cut in body.cuts)
    edits = checked(EditList(body.in_s, body.out_s, cuts), manifest.seconds)
    await request.app[EDITS].edit(lesson, actor.name, edits)
    await request.app[PUBLISHING].edited(lesson)
    await request.app[STORE].audit(actor.name, Action.EDIT_LESSON, lesson, edit=f"{len(cuts)} cuts")
    return answer(await edited(request, lesson))


async def undo(request: web.Request) -> web.Response:
    """Back to the version before; where there is none, all stays as it is."""
    row, actor = await require_row(request, Action.EDIT_LESSON)
    lesson = row.overview.lesson.id
    if await request.app[EDITS].undo(lesson):
        await request.app[PUBLISHING].edited(lesson)
        await request.app[STORE].audit(actor.name, Action.EDIT_LESSON, lesson, edit="undone")
    return answer(await edited(request, lesson))


async def redo(request: web.Request) -> web.Response:
    """Forth to what was undone last."""
    row, actor = await require_row(request, Action.EDIT_LESSON)
    lesson = row.overview.lesson.id
    if await request.app[EDITS].redo(lesson):
        await request.app[PUBLISHING].edited(lesson)
        await request.app[STORE].audit(actor.name, Action.EDIT_LESSON, lesson, edit="done again")
    return answer(await edited(request, lesson))


def _language(request: web.Request) -> str:
    language = request.match_info["language"]
    if not LANGUAGE.fullmatch(language):
        raise UserFault(
            "bad_captions",
            zh="语言代码不对，例如 zh 或 en。",
            en="That is no language: use zh or en, for example.",
        )
    return language


async def put_captions(request: web.Request) -> web.Response:
    """WebVTT or SubRip; kept as plain WebVTT."""
    row, actor = await require_row(request, Action.EDIT_LESSON)
    language = _language(request)
    body = await body_of(request, Captions)
    vtt = written(parse(body.vtt))
    await request.app[EDITS].put_captions(row.overview.lesson.id, language, vtt)
    await request.app[STORE].audit(actor.name, Action.EDIT_LESSON, row.overview.lesson.id, captions=language)
    return web.Response(status=204)


async def delete_captions(request: web.Request) -> web.Response:
    row, actor = await require_row(request, Action.EDIT_LESSON)
    language = _language(request)
    await request.app[EDITS].delete_captions(row.overview.lesson.id, language)
    await request.app[STORE].audit(
        actor.name, Action.EDIT_LESSON, row.overview.lesson.id, captions_deleted=language
    )
    return web.Response(status=204)


async def name_chapters(request: web.Request) -> web.Response:
    """Titles of chapters, found by the library's search."""
    row, actor = await require_row(request, Action.EDIT_LESSON)
    body = await body_of(request, ChapterNames)
    if len(body.titles) > MOST_CHAPTERS or any(len(one.title) > LONGEST_TITLE for one in body.titles):
        raise UserFault(
            "too_long_words",
            zh=f"标题最多 {LONGEST_TITLE} 个字。",
            en=f"Use at most {LONGEST_TITLE} characters for a title.",
        )
    given = [ChapterTitle(one.start_s, " ".join(one.title.split())) for one in body.titles]
    kept = [
        old
        for old in row.catalogue.chapters
        if all(abs(old.start_s - new.start_s) >= SAME_CHAPTER_S for new in given)
    ]
    chapters = sorted([*kept, *(one for one in given if one.title)], key=lambda one: one.start_s)
    lesson = row.overview.lesson.id
    await request.app[LIBRARY].catalogue(lesson, chapters=chapters[:MOST_CHAPTERS])
    await request.app[STORE].audit(actor.name, Action.EDIT_LESSON, lesson, chapters=str(len(given)))
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    lesson = "/api/v1/lessons/{lesson}"
    return [
        web.put(f"{lesson}/edit", edit),
        web.post(f"{lesson}/edit/undo", undo),
        web.post(f"{lesson}/edit/redo", redo),
        web.put(f"{lesson}/captions/{{language}}", put_captions),
        web.delete(f"{lesson}/captions/{{language}}", delete_captions),
        web.put(f"{lesson}/chapters", name_chapters),
    ]
