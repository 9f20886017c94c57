"""What every import by spreadsheet needs: the file's bytes, its problems told, itself back marked; and files
given out."""

from __future__ import annotations

import asyncio

from aiohttp import web

from server import workbooks
from server.api.rights import NoRight
from server.domain.sheets.cells import Findings, Sheet, SheetProblem
from server.errors import UserFault
from server.protocol.timetable import CellProblem
from server.workbooks import MOST_BYTES

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHUNK = 64 * 1024


async def bytes_of(request: web.Request) -> bytes:
    """The file that is the body. UserFault where it is empty or too big."""
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


def is_workbook(data: bytes) -> bool:
    """Whether it is a file whose cells can be marked."""
    return data.startswith(b"PK")


def tell_formulas(data: bytes, findings: Findings) -> None:
    """A cell whose formula nobody calculated reads as empty: say so instead. Blocking."""
    formulas = workbooks.formulas(data)
    told = []
    for problem in findings.problems:
        if (problem.sheet, problem.row, problem.column) in formulas:
            words = workbooks.FORMULA
            told.append(SheetProblem(problem.row, problem.column, "formula", words, problem.sheet))
        else:
            told.append(problem)
    findings.problems[:] = told


def cells_of(findings: Findings) -> list[CellProblem]:
    """The problems, as the user's spreadsheet program names the cells."""
    found = []
    for each in findings.problems:
        cell = workbooks.cell_name(each.row, each.column)
        found.append(CellProblem(each.sheet, each.row, each.column, cell, each.code, each.words))
    return found


async def marked(data: bytes, problems: list[SheetProblem], name: str) -> web.Response:
    """The user's own XLSX with the wrong cells marked. UserFault where there is nothing to mark."""
    if not is_workbook(data) or not problems:
        raise UserFault(
            "not_markable",
            zh="只有 .xlsx 文件可以标出问题；这个文件没有问题或不是 .xlsx。",
            en="Only an .xlsx file can be marked; this one is none, or nothing is wrong in it.",
        )
    body = await asyncio.to_thread(workbooks.marked_workbook, data, problems)
    return _attached(body, XLSX, f"{name}-marked.xlsx")


async def given_out(sheet: Sheet, kind: str, name: str) -> web.Response:
    """A sheet as `xlsx` or `csv` (UTF-8 with a BOM, which Excel needs to see). NoRight for another kind."""
    if kind not in ("xlsx", "csv"):
        raise NoRight
    if kind == "xlsx":
        return _attached(await asyncio.to_thread(workbooks.written_workbook, [sheet]), XLSX, f"{name}.xlsx")
    return _attached(workbooks.written_csv(sheet), "text/csv", f"{name}.csv")


def _attached(body: bytes, content_type: str, name: str) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=body, content_type=content_type, headers=headers)
