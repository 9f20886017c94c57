"""The library: find lessons, filter, sort; say what they are about, one or many at a time."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from aiohttp import web

from recorder.archive.published import Published
from server.api.catalogued import thing_of_row
from server.api.consents import check_consent
from server.api.guarding import answer, body_of
from server.api.keys import CONFIG, CONSENTS, LIBRARY, PUBLISHING, STORE
from server.api.processing import posters_of, processing_of
from server.api.replay import title_of
from server.api.rights import Action, Actor, NoRight, is_allowed, require, require_some
from server.api.visits import Signer, keep_visit, signer_of
from server.domain.retention import KeptAs, expires_at
from server.domain.visibility import Circle, Visibility
from server.errors import UserFault
from server.ids import is_lesson_id
from server.protocol.library import CatalogueChange, FacetValue, LibraryCard, LibraryFacets, LibraryPage
from server.protocol.messages import Words
from server.store.library import FACETS
from server.store.library_records import LibraryQuery, LibraryRow, LibrarySort, RecordedState
from server.store.records import RetentionRow

MOST_AT_ONCE = 500
MOST_VALUES = 50
UNNAMED = "changed"
"""In the audit log in place of a person's name, which could not be erased there."""
LONGEST = {"title": 120, "teacher": 40, "school": 80, "subject": 40, "grade": 40, "edition": 80, "volume": 40,
           "chapter": 120}  # fmt: skip
PAGE_SIZES = range(1, 101)


def _bad_query() -> UserFault:
    return UserFault(
        "bad_query",
        zh="筛选条件不对，请清除筛选后再试。",
        en="These filters cannot be used. Clear them and try again.",
    )


def _day_ms(request: web.Request, name: str, days: int) -> int | None:
    """A day of the query (YYYY-MM-DD, by the county's clock) and `days` later, in ms since 1970."""
    word = request.query.get(name)
    if not word:
        return None
    try:
        day = datetime.strptime(word, "%Y-%m-%d").replace(tzinfo=request.app[STORE].county.zone)
    except ValueError as error:
        raise _bad_query() from error
    return int((day + timedelta(days=days)).timestamp() * 1000)


def _number(request: web.Request, name: str, default: int) -> int:
    word = request.query.get(name, str(default))
    if not word.isascii() or not word.isdigit() or len(word) > 6:
        raise _bad_query()
    return int(word)


def query_of(request: web.Request, viewer: str, reach: Circle | None) -> LibraryQuery:
    """What the address asks for. UserFault "bad_query"."""
    asked = request.query
    size = _number(request, "size", 24)
    if size not in PAGE_SIZES:
        raise _bad_query()
    try:
        sort = LibrarySort(asked.get("sort", LibrarySort.NEWEST))
        states = tuple(RecordedState(word) for word in asked.getall("state", []))
    except ValueError as error:
        raise _bad_query() from error
    words = {name: tuple(asked.getall(name, [])[:MOST_VALUES]) for name in FACETS}
    return LibraryQuery(
        viewer=viewer, reach=reach, text=asked.get("q", ""), words=words,
        rooms=tuple(asked.getall("room", [])[:MOST_VALUES]), series=asked.get("series"), states=states,
        from_ms=_day_ms(request, "from", 0), to_ms=_day_ms(request, "to", 1), sort=sort,
        offset=(max(1, _number(request, "page", 1)) - 1) * size, limit=size,
    )  # fmt: skip


def card_of(
    request: web.Request,
    row: LibraryRow,
    signer: Signer,
    names: dict[str, Words],
    published: Published | None,
    kept: RetentionRow | None,
) -> LibraryCard:
    """`kept`: as what it is kept, None where nobody said."""
    lesson, recording, about = row.overview.lesson, row.overview.recording, row.catalogue
    hold, kept_as = (kept.hold, kept.kept_as) if kept is not None else ("", KeptAs.ORDINARY)
    ended_at = lesson.ended_at or lesson.created_at
    return LibraryCard(
        lesson=lesson.id,
        title=title_of(row),
        room=lesson.main_room,
        room_name=names.get(lesson.main_room, Words(zh=lesson.main_room, en=lesson.main_room)),
        teacher=about.teacher,
        school=about.school,
        subject=about.subject,
        grade=about.grade,
        edition=about.edition,
        volume=about.volume,
        chapter=about.chapter,
        series=about.series,
        position=about.position,
        held_at=lesson.started_at or lesson.created_at,
        seconds=recording.seconds if recording else 0.0,
        recording=recording.state if recording else "",
        problem=recording.problem if recording else "",
        poster=signer.path(lesson.id, published.poster) if published else "",
        processing=processing_of(published),
        watched_s=row.watched_s,
        visibility=about.visibility,
        download=about.download,
        deletion_asked=about.deletion_asked_at is not None,
        version=about.version,
        yours=is_allowed(request, Action.EDIT_LESSON, thing_of_row(row, Action.EDIT_LESSON)),
        hold=hold if is_allowed(request, Action.KEEP_LESSON, thing_of_row(row, Action.KEEP_LESSON)) else "",
        expires_at=None if hold else expires_at(ended_at, kept_as, request.app[CONFIG].retention),
    )


async def find(request: web.Request) -> web.Response:
    """One page of cards, each poster under a signed address."""
    actor, reach = require_some(request, Action.LIST_LIBRARY)
    rows, total = await request.app[LIBRARY].find(query_of(request, actor.viewer, reach))
    lessons = [row.overview.lesson.id for row in rows]
    made = await asyncio.to_thread(posters_of, request.app[CONFIG].archive_path, lessons)
    names = await request.app[STORE].county.room_names({row.overview.lesson.main_room for row in rows})
    kept = await request.app[PUBLISHING].kept_of(lessons)
    signer = signer_of(request)
    cards = [
        card_of(request, row, signer, names, made.get(lesson), kept.get(lesson))
        for lesson, row in zip(lessons, rows, strict=True)
    ]
    response = answer(LibraryPage(cards=cards, total=total, admin=reach is None))
    keep_visit(request, response, signer.visit)
    return response


async def facets(request: web.Request) -> web.Response:
    """The values of every filter, with how many lessons have them."""
    _, reach = require_some(request, Action.LIST_LIBRARY)
    found = await request.app[LIBRARY].facets(reach)
    values = {name: [FacetValue(value, lessons) for value, lessons in found[name]] for name in FACETS}
    return answer(LibraryFacets(**values))


async def rows_of(request: web.Request, lessons: list[str], action: Action) -> tuple[list[LibraryRow], Actor]:
    """These lessons, each of which the request may do it to. Refused where one of them is not there."""
    if not 1 <= len(lessons) <= MOST_AT_ONCE:
        raise UserFault(
            "bad_choice",
            zh=f"请选择 1 到 {MOST_AT_ONCE} 节课。",
            en=f"Choose 1 to {MOST_AT_ONCE} lessons.",
        )
    rows: list[LibraryRow] = []
    actor: Actor | None = None
    for lesson in dict.fromkeys(lessons):
        row = await request.app[LIBRARY].row(lesson) if is_lesson_id(lesson) else None
        actor = require(request, action, thing_of_row(row, action))
        if row is None or row.catalogue.deleted_at is not None:
            raise NoRight
        rows.append(row)
    assert actor is not None
    return rows, actor


def changes_of(change: CatalogueChange) -> dict[str, object]:
    """The columns that change. UserFault for words that are too long or a visibility that is none."""
    changes: dict[str, object] = {}
    for name, longest in LONGEST.items():
        value = getattr(change, name)
        if value is None:
            continue
        if len(value) > longest:
            raise UserFault(
                "too_long_words",
                zh=f"请写短一些，最多 {longest} 个字。",
                en=f"Use at most {longest} characters.",
            )
        changes[name] = " ".join(value.split())
    if change.visibility is not None:
        try:
            changes["visibility"] = Visibility(change.visibility).value
        except ValueError as error:
            raise _bad_query() from error
    if change.download is not None:
        changes["download"] = change.download
    return changes


async def change(request: web.Request) -> web.Response:
    """Say what lessons are about, or who else may watch and download them: all of them or none."""
    require_some(request, Action.EDIT_LESSON)
    body = await body_of(request, CatalogueChange)
    changes = changes_of(body)
    opens = {"visibility", "download"} & changes.keys()
    action = Action.SHARE_LESSON if opens else Action.EDIT_LESSON
    rows, actor = await rows_of(request, body.lessons, action)
    wanted = changes.get("visibility")
    if wanted is not None:
        await check_consent(request, rows, Visibility(str(wanted)))
    if wanted == Visibility.PUBLIC:
        del changes["visibility"]  # one person asks, another approves
    if changes:
        lessons = [row.overview.lesson.id for row in rows]
        await request.app[LIBRARY].catalogue_all(lessons, body.versions, **changes)
    for row in rows:
        lesson = row.overview.lesson.id
        said = {name: UNNAMED if name == "teacher" else str(value)[:120] for name, value in changes.items()}
        if wanted == Visibility.PUBLIC:
            await request.app[CONSENTS].ask_public(lesson, actor.name)
            said["visibility"] = "public, asked"
        await request.app[STORE].audit(actor.name, action, lesson, **said)
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/library", find),
        web.get("/api/v1/library/facets", facets),
        web.patch("/api/v1/library", change),
    ]
