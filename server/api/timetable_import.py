"""A timetable from a spreadsheet: templates, a dry run, the import, the user's own file back marked."""

from __future__ import annotations

import asyncio

from aiohttp import web

from server import workbooks
from server.api.guarding import answer
from server.api.keys import IMPORTING, LIVE, STORE
from server.api.rights import Action, NoRight, Thing, require, require_some
from server.api.spreadsheets import bytes_of, cells_of, given_out, is_workbook, marked, tell_formulas
from server.api.timetable_views import views_of
from server.domain.sheets.cells import Reading, Sheet
from server.errors import UserFault
from server.protocol.timetable import ClashView, Imported
from server.store.importing import ReadTimetable, Result

IMPORT_TIMEOUT_S = 120.0
LIST = Sheet(
    (
        ("学科", "主讲教师", "主讲教室", "听讲教室", "星期", "节次", "周次", "年级", "课题", "课型"),
        (
            "英语",
            "李老师",
            "录播室",
            "罗平教学点、沙河教学点",
            "星期一",
            "1节",
            "1-16周(单)",
            "三年级",
            "",
            "专递课堂",
        ),
    ),
    "课表",
)
GRID = Sheet(
    (
        ("主讲教室：录播室", "", "", "", "", ""),
        ("节次", "星期一", "星期二", "星期三", "星期四", "星期五"),
        ("第1节", "英语\n李老师\n罗平教学点、沙河教学点\n1-16周(单)", "", "", "", ""),
        ("第2节", "", "", "", "", ""),
        ("3-4节", "", "", "音乐\n王老师\n沙河教学点", "", ""),
        ("第5节", "", "", "", "", ""),
        ("第6节", "", "", "", "", ""),
    ),
    "录播室",
)
TEMPLATES = {"list": LIST, "grid": GRID}
"""An example each, that is read as it stands where the names are known."""


async def template(request: web.Request) -> web.Response:
    """`list` or `grid`, as .xlsx or .csv (UTF-8 with a BOM, which Excel needs to see)."""
    require_some_editor(request)
    sheet = TEMPLATES.get(request.match_info["form"])
    if sheet is None:
        raise NoRight
    return await given_out(sheet, request.match_info["kind"], f"timetable-{request.match_info['form']}")


def require_some_editor(request: web.Request) -> str:
    """Somebody who may edit some timetable; the name for the log."""
    actor, _ = require_some(request, Action.EDIT_TIMETABLE)
    return actor.name


async def import_timetable(request: web.Request) -> web.Response:
    """The file as the body. `?term=`; `dry=1` says what would be done; `marked=1` gives the XLSX back with
    its wrong cells marked."""
    name = require_some_editor(request)
    query = request.query
    async with asyncio.timeout(IMPORT_TIMEOUT_S):
        data = await bytes_of(request)
        importing = request.app[IMPORTING]
        sheets = await asyncio.to_thread(workbooks.read_workbook, data)
        read = await importing.read(sheets, query.get("term", "")[:40])
        for room in sorted(read.main_rooms):
            _require_room(request, read, room)
        if not read.reading.problems and not read.reading.entries:
            raise UserFault("nothing_found", zh="文件里没有课。", en="There are no lessons in this file.")
        if read.reading.problems and is_workbook(data):
            await asyncio.to_thread(tell_formulas, data, read.reading)
        if query.get("marked") == "1":
            return await marked(data, read.reading.problems, "timetable")
        if read.reading.problems:
            return answer(_wrong(read.reading, data))
        result = await importing.carry_out(read, dry=query.get("dry") == "1")
    if result.done:
        request.app[LIVE].scheduler.changed()
        await request.app[STORE].audit(
            name,
            Action.EDIT_TIMETABLE,
            read.term.term,
            what="import",
            added=str(len(result.plan.added)),
            changed=str(len(result.plan.changed)),
            removed=str(len(result.plan.removed)),
        )
    return answer(await _told(request, read, result))


def _require_room(request: web.Request, read: ReadTimetable, room: str) -> None:
    """A room of another school is told as a problem of its first cell: the file is the asker's own."""
    try:
        require(request, Action.EDIT_TIMETABLE, Thing(main_room=room))
    except NoRight:
        for key, (sheet, row, column) in read.reading.cells.items():
            if key[0] == room:
                read.reading.tell(
                    sheet,
                    row,
                    column,
                    "not_your_room",
                    "这间主讲教室不归您管理。",
                    "This main room is not yours to manage.",
                )
                return


def _wrong(reading: Reading, data: bytes) -> Imported:
    return Imported(
        done=False,
        lines=len(reading.entries),
        added=0,
        changed=0,
        removed=0,
        same=0,
        problems=cells_of(reading),
        clashes=[],
        problems_more=reading.more,
        markable=is_workbook(data),
    )


async def _told(request: web.Request, read: ReadTimetable, result: Result) -> Imported:
    plan = result.plan
    clashes: list[ClashView] = []
    if result.clashes:
        lessons = [each for clash in result.clashes for each in (clash.first, clash.second)]
        views = await views_of(request, lessons)
        clashes = [views.clash(clash) for clash in result.clashes]
    return Imported(
        done=result.done,
        lines=len(read.reading.entries),
        added=len(plan.added),
        changed=len(plan.changed),
        removed=len(plan.removed),
        same=plan.same,
        problems=[],
        clashes=clashes,
    )


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/timetable/templates/{form}.{kind}", template),
        web.post("/api/v1/timetable/import", import_timetable),
    ]
