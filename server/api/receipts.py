"""The receipt of a lesson: which rooms, how long, what was missing and why, who was called on; a QR code."""

from __future__ import annotations

import asyncio
import io

import segno
from aiohttp import web

from recorder.archive.reading import GapCause, Manifest
from recorder.contract import Subject
from server.api.catalogued import require_row
from server.api.guarding import answer
from server.api.keys import CLOCK, CONFIG, SPANS, STORE
from server.api.lessons import base_url
from server.api.replay import NotReady, read_if_there, title_of, wall_ms_of
from server.api.rights import Action
from server.domain.reception import Kind, Reception
from server.protocol.library import Receipt, ReceiptHole, ReceiptRoom, ReceptionHole
from server.protocol.messages import Words
from server.store.library_records import LibraryRow
from server.store.records import PRESENCE, ROOM_HERE, Classroom, Mark

SHORTEST_HOLE_S = 1.0
SWITCHED = {GapCause.NOT_STARTED, GapCause.SOURCE_AWAY, GapCause.ENDED}
MOST_HOLES = 20
"""Of one room on the page, the longest."""
RECEIVED = (Kind.PICTURE, Kind.SILENT, Kind.SOUND, Kind.BROADCAST)
LACKING = (Kind.HOLE, Kind.SOUND, Kind.SILENT)
OF_ROOMS = {Subject.PUPILS, Subject.PUPILS_VOICE}


def holes_of(manifest: Manifest) -> list[ReceiptHole]:
    """In order. Courseware that was switched off is the teacher's choice, no hole."""
    found = [
        ReceiptHole(gap.start_s, gap.end_s, track.subject, track.room, gap.cause, gap.side)
        for track in manifest.tracks
        for gap in track.gaps
        if gap.end_s - gap.start_s >= SHORTEST_HOLE_S
        and not (track.subject in {Subject.SCREEN, *OF_ROOMS} and gap.cause in SWITCHED)
    ]
    return sorted(found, key=lambda hole: hole.start_s)


def rooms_of(
    row: LibraryRow,
    rooms: dict[str, Classroom],
    marks: list[Mark],
    receptions: list[Reception],
    seconds: float,
) -> list[ReceiptRoom]:
    """The receiving rooms in tile order. What each received is told by its spans; a lesson whose rows were
    made again from its folder has none: then its marks tell when the room was there."""
    found, received = [], {one.room: one for one in receptions}
    for room in row.overview.lesson.rooms:
        called, spoke_s = _called(room, marks, seconds)
        name = rooms[room].name if room in rooms else Words(zh=room, en=room)
        told, holes = received.get(room), list[ReceptionHole]()
        present_s = _present_s(room, marks, seconds)
        if told is not None and told.spans:
            present_s = round(told.ms(*RECEIVED) / 1000, 1)
            holes = missing_of(told, row.overview.lesson.started_at or told.spans[0].since)
        more = max(0, len(holes) - MOST_HOLES)
        longest = sorted(holes, key=lambda hole: hole.start_s - hole.end_s)[:MOST_HOLES]
        holes = sorted(longest, key=lambda hole: hole.start_s)
        found.append(ReceiptRoom(room, name, present_s, called, round(spoke_s, 1), holes, more))
    return found


def missing_of(one: Reception, started_at: int) -> list[ReceptionHole]:
    """What a room did not receive whole, in order; shorter than a second is not told."""
    return [
        ReceptionHole(
            round(max(0, span.since - started_at) / 1000, 1),
            round(max(0, span.until - started_at) / 1000, 1),
            span.kind,
            span.cause,
            span.side,
        )
        for span in one.spans
        if span.kind in LACKING and span.ms >= SHORTEST_HOLE_S * 1000
    ]


def _called(room: str, marks: list[Mark], seconds: float) -> tuple[int, float]:
    called, spoke_s, since = 0, 0.0, None
    for mark in marks:
        if mark.kind == "called":
            if since is not None:
                spoke_s += mark.at_s - since
            since = mark.at_s if mark.values.get("room") == room else None
            called += since is not None
        elif mark.kind == "call_ended" and since is not None and mark.values.get("room") in (room, None):
            spoke_s, since = spoke_s + mark.at_s - since, None
    return called, spoke_s + (max(0.0, seconds - since) if since is not None else 0.0)


def _present_s(room: str, marks: list[Mark], seconds: float) -> float | None:
    """None where the lesson's marks do not tell who came and went."""
    told = [mark for mark in marks if mark.kind in PRESENCE]
    if not told:
        return None
    present, since = 0.0, None
    for mark in told:
        if mark.values.get("room") != room:
            continue
        if mark.kind == ROOM_HERE:
            since = mark.at_s if since is None else since
        elif since is not None:
            present, since = present + mark.at_s - since, None
    return round(present + (max(0.0, seconds - since) if since is not None else 0.0), 1)


def qr_of(url: str) -> str:
    """An SVG element, dark on nothing."""
    out = io.BytesIO()
    segno.make(url, error="m").save(
        out, kind="svg", xmldecl=False, svgclass=None, lineclass=None, omitsize=True
    )
    return out.getvalue().decode()


async def receipt(request: web.Request) -> web.Response:
    """All that a printed page shows."""
    row, actor = await require_row(request, Action.READ_RECEIPT)
    lesson, about = row.overview.lesson, row.catalogue
    manifest = await asyncio.to_thread(read_if_there, request.app[CONFIG].archive_path, lesson.id)
    if manifest is None:
        raise NotReady
    store = request.app[STORE]
    marks = sorted(await store.marks(lesson.id), key=lambda mark: mark.at_s)
    rooms = {room.room: room for room in await store.classrooms()}
    url = f"{base_url(request)}/replay/{lesson.id}"
    received = await request.app[SPANS].of(lesson.id)
    verdict, main = manifest.verdict, rooms.get(lesson.main_room)
    live_s = (
        ((lesson.ended_at or 0) - (lesson.started_at or 0)) / 1000 if lesson.ended_at else manifest.seconds
    )
    await store.audit(actor.name, Action.READ_RECEIPT, lesson.id)
    return answer(
        Receipt(
            lesson=lesson.id, title=title_of(row),
            room_name=main.name if main else Words(zh=lesson.main_room, en=lesson.main_room),
            teacher=about.teacher, subject=about.subject, grade=about.grade,
            started_at=lesson.started_at, ended_at=lesson.ended_at, seconds=manifest.seconds,
            rooms=rooms_of(row, rooms, marks, received, live_s), holes=holes_of(manifest),
            verified_at=wall_ms_of(verdict.verified_at) if verdict else None,
            whole=verdict.whole if verdict else None, pictures=verdict.pictures if verdict else 0,
            url=url, qr=qr_of(url), printed_at=request.app[CLOCK].wall_ms(),
        )
    )  # fmt: skip


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/lessons/{lesson}/receipt", receipt)]
