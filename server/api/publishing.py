"""What is made of recordings after class: how far it is, try again, make the export; how long it is kept."""

from __future__ import annotations

import asyncio

from aiohttp import web

from recorder.archive.published import Published, PublishingState, Step, StepState
from recorder.publish.problems import PROBLEMS
from server.api.catalogued import require_row
from server.api.guarding import answer, body_of
from server.api.keys import CONFIG, PUBLISHING, STORE
from server.api.processing import published_of
from server.api.rights import Action
from server.domain.retention import KeptAs, days_of, expires_at
from server.errors import UserFault
from server.protocol.messages import Words
from server.protocol.publishing import PublishingStep, PublishingView, RetentionChange, RetentionView
from server.store.library_records import LibraryRow
from server.store.records import PublishingRow, RetentionRow

LONGEST_REASON = 200


def words_of(problem: str) -> Words | None:
    """Why a step failed, for people."""
    found = PROBLEMS.get(problem)
    return None if found is None else Words(zh=found[0], en=found[1])


def _step(step: Step) -> PublishingStep:
    return PublishingStep(
        step.name, step.lane, step.state, step.progress, step.seconds, step.problem, words_of(step.problem)
    )


def _view(lesson: str, row: PublishingRow | None, made: Published | None) -> PublishingView:
    """The file tells the steps, the row what was asked for since."""
    steps = made.steps if made is not None else []
    state = row.state if row is not None else PublishingState.WAITING
    return PublishingView(
        lesson,
        state,
        row.progress if row is not None else 0.0,
        retry=state == PublishingState.FAILED or any(step.state is StepState.FAILED for step in steps),
        steps=[_step(step) for step in steps],
    )


async def _answer(request: web.Request, lesson: str, status: int = 200) -> web.Response:
    archive = request.app[CONFIG].archive_path
    made = await asyncio.to_thread(published_of, archive, lesson)
    return answer(_view(lesson, await request.app[PUBLISHING].row(lesson), made), status=status)


async def show(request: web.Request) -> web.Response:
    """Every step, its state and why it failed."""
    row, _ = await require_row(request, Action.READ_REPLAY)
    return await _answer(request, row.overview.lesson.id)


async def retry(request: web.Request) -> web.Response:
    """Try again what failed; what is done stays."""
    row, actor = await require_row(request, Action.PUBLISH_AGAIN)
    lesson = row.overview.lesson.id
    await request.app[PUBLISHING].retry(lesson)
    await request.app[STORE].audit(actor.name, Action.PUBLISH_AGAIN, lesson)
    return await _answer(request, lesson, status=202)


async def export(request: web.Request) -> web.Response:
    """Make the "excellent lesson" file."""
    row, actor = await require_row(request, Action.PUBLISH_AGAIN)
    lesson = row.overview.lesson.id
    await request.app[PUBLISHING].export(lesson)
    await request.app[STORE].audit(actor.name, Action.PUBLISH_AGAIN, lesson, export="yes")
    return await _answer(request, lesson, status=202)


def _retention(request: web.Request, row: LibraryRow, kept: RetentionRow) -> web.Response:
    lesson = row.overview.lesson
    ended = lesson.ended_at or lesson.created_at
    over = expires_at(ended, kept.kept_as, request.app[CONFIG].retention)
    days = {one.value: days_of(one, request.app[CONFIG].retention) for one in KeptAs}
    return answer(RetentionView(lesson.id, kept.kept_as, kept.hold, None if kept.hold else over, days))


async def show_retention(request: web.Request) -> web.Response:
    """How long it is kept."""
    row, _ = await require_row(request, Action.KEEP_LESSON)
    return _retention(request, row, await request.app[PUBLISHING].kept(row.overview.lesson.id))


async def change_retention(request: web.Request) -> web.Response:
    """Another class, or a hold."""
    row, actor = await require_row(request, Action.KEEP_LESSON)
    body, lesson = await body_of(request, RetentionChange), row.overview.lesson.id
    before = await request.app[PUBLISHING].kept(lesson)
    kept_as = before.kept_as if body.kept_as is None else body.kept_as
    hold = before.hold if body.hold is None else " ".join(body.hold.split())
    if kept_as not in list(KeptAs) or len(hold) > LONGEST_REASON:
        raise UserFault(
            "bad_choice",
            zh=f"保留类别只能是 {'、'.join(KeptAs)};保留理由不超过 {LONGEST_REASON} 字。",
            en=f"The class is one of {', '.join(KeptAs)}; a reason has at most {LONGEST_REASON} characters.",
        )
    kept = await request.app[PUBLISHING].keep(lesson, KeptAs(kept_as), hold)
    await request.app[STORE].audit(actor.name, Action.KEEP_LESSON, lesson, kept_as=kept_as, hold=hold)
    return _retention(request, row, kept)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/lessons/{lesson}/publishing", show),
        web.post("/api/v1/lessons/{lesson}/publishing/retry", retry),
        web.post("/api/v1/lessons/{lesson}/publishing/export", export),
        web.get("/api/v1/lessons/{lesson}/retention", show_retention),
        web.put("/api/v1/lessons/{lesson}/retention", change_retention),
    ]
