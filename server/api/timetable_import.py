"""A timetable from a spreadsheet: templates, a dry run, the import, the user's own file back marked."""

from __future__ import annotations

import asyncio

from aiohttp import web

from server import workbooks
from server.api.guarding import answer
from server.api.keys import IMPORTING, LIVE, STORE
from server.api.rights import Action, NoRight, Thing, require, require_some
from server.api.timetable_views import views_of
from server.domain.sheets.cells import Reading, Sheet, SheetProblem
from server.errors import UserFault
from server.protocol.timetable import CellProblem, ClashView, Imported
from server.store.importing import ReadTimetable, Result
from server.workbooks import MOST_BYTES

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
IMPORT_TIMEOUT_S = 120.0
CHUNK = 64 * 1024
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
    kind = request.match_info["kind"]
    if sheet is None or kind not in ("xlsx", "csv"):
        raise NoRight
    if kind == "xlsx":
        data, content_type = await asyncio.to_thread(workbooks.written_workbook, [sheet]), XLSX
    else:
        data, content_type = workbooks.written_csv(sheet), "text/csv"
    name = f"timetable-{request.match_info['form']}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=data, content_type=content_type, headers=headers)


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
        data = await _body(request)
        importing = request.app[IMPORTING]
        sheets = await asyncio.to_thread(workbooks.read_workbook, data)
        read = await importing.read(sheets, query.get("term", "")[:40])
        for room in sorted(read.main_rooms):
            _require_room(request, read, room)
        if not read.reading.problems and not read.reading.entries:
            raise UserFault("nothing_found", zh="文件里没有课。", en="There are no lessons in this file.")
        if read.reading.problems and data.startswith(b"PK"):
            await asyncio.to_thread(_tell_formulas, data, read.reading)
        if query.get("marked") == "1":
            return await _marked(data, read.reading.problems)
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


async def _body(request: web.Request) -> bytes:
    data = bytearray()
    async for chunk in request.content.iter_chunked(CHUNK):
        data += chunk
        if len(data) > MOST_BYTES:
            raise UserFault(
                "file_too_big",
                zh=f"文件超过 {MOST_BYTES >> 20} MB，请分开导入。",
                en=f"The file is over {MOST_BYTES >> 20} MB: import it in parts.",
            )
    if not data:
        raise UserFault("nothing_found", zh="文件是空的。", en="The file is empty.")
    return bytes(data)


def _tell_formulas(data: bytes, reading: Reading) -> None:
    """A cell whose formula nobody calculated reads as empty: say so instead."""
    formulas = workbooks.formulas(data)
    told = []
    for problem in reading.problems:
        if (problem.sheet, problem.row, problem.column) in formulas:
            words = workbooks.FORMULA
            told.append(SheetProblem(problem.row, problem.column, "formula", words, problem.sheet))
        else:
            told.append(problem)
    reading.problems[:] = told


async def _marked(data: bytes, problems: list[SheetProblem]) -> web.Response:
    if not data.startswith(b"PK") or not problems:
        raise UserFault(
            "not_markable",
            zh="只有 .xlsx 文件可以标出问题；这个文件没有问题或不是 .xlsx。",
            en="Only an .xlsx file can be marked; this one is none, or nothing is wrong in it.",
        )
    marked = await asyncio.to_thread(workbooks.marked_workbook, data, problems)
    headers = {"Content-Disposition": 'attachment; filename="timetable-marked.xlsx"'}
    return web.Response(body=marked, content_type=XLSX, headers=headers)


def _wrong(reading: Reading, data: bytes) -> Imported:
    return Imported(
        done=False,
        lines=len(reading.entries),
        added=0,
        changed=0,
        removed=0,
        same=0,
        problems=[_problem(each) for each in reading.problems],
        clashes=[],
        problems_more=reading.more,
        markable=data.startswith(b"PK"),
    )


def _problem(problem: SheetProblem) -> CellProblem:
    cell = workbooks.cell_name(problem.row, problem.column)
    return CellProblem(problem.sheet, problem.row, problem.column, cell, problem.code, problem.words)


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
