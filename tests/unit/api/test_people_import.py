"""server.api.people_import: all or nothing, again without doubles, one's own units alone; out as it came."""

from __future__ import annotations

import csv
import io
from typing import Any

from server import workbooks
from server.domain.sheets.cells import Sheet
from server.domain.sheets.people import TITLES
from tests.unit.api.conftest import Desk

Row = tuple[str, ...]
SCHOOL = "本校"
ZHAO: Row = ("zhao", "赵一", "Zhao Yi", "教师", SCHOOL, "2026-09-01", "")
QIAN: Row = ("qian", "=HYPERLINK(0)", "Qian Er", "助教", SCHOOL, "2026-09-01", "")


def file_of(*rows: Row) -> bytes:
    return workbooks.written_csv(Sheet((TITLES, *rows)))


async def sent(desk: Desk, data: bytes, query: str = "") -> tuple[int, Any]:
    async with desk.campus.browser.post(f"/api/v1/people/import{query}", data=data) as reply:
        return reply.status, await reply.json()


async def logins(desk: Desk) -> set[str]:
    people, _ = await desk.store.people.find()
    return {person.login for person in people}


async def test_a_dry_run_says_what_would_be_done_and_the_import_does_it_once(desk: Desk) -> None:
    await desk.be("li")
    data = file_of(ZHAO, QIAN)
    status, told = await sent(desk, data, "?dry=1")
    assert (status, told["done"], told["new"], told["posts"], told["passwords"]) == (200, False, 2, 2, [])
    assert "zhao" not in await logins(desk)
    _, told = await sent(desk, data)
    assert (told["done"], told["new"]) == (True, 2)
    passwords = {each["login"]: each["password"] for each in told["passwords"]}
    _, again = await sent(desk, data)
    assert (again["new"], again["posts"], again["changed"], again["same"]) == (0, 0, 0, 2)
    assert again["passwords"] == []
    renamed: Row = ("zhao", "赵二", *ZHAO[2:6], "2027-01-01")
    _, told = await sent(desk, file_of(renamed))
    assert (told["changed"], told["ended"], told["posts"]) == (1, 1, 0)
    assert (await sent(desk, file_of(renamed)))[1]["same"] == 1
    await desk.be("zhao", passwords["zhao"])
    assert (await desk.ask("GET", "me"))[1]["must_change"]


async def test_one_wrong_row_and_nothing_is_imported(desk: Desk) -> None:
    await desk.be("boss")
    before = await logins(desk)
    wrong: Row = ("sun", "孙", "Sun", "校长", "没有的学校", "", "")
    _, told = await sent(desk, file_of(ZHAO, wrong))
    assert (told["done"], told["new"]) == (False, 1)
    assert [(each["cell"], each["code"]) for each in told["problems"]] == [
        ("D3", "bad_role"),
        ("E3", "unknown_unit"),
    ]
    assert await logins(desk) == before
    book = workbooks.written_workbook([Sheet((TITLES, ZHAO, wrong), "人员")])
    async with desk.campus.browser.post("/api/v1/people/import?marked=1", data=book) as reply:
        assert reply.content_type.endswith("sheet")
        assert (await reply.read()).startswith(b"PK")
    for data in (b"", b"\x00\x01", b"\xd0\xcf\x11\xe0 old"):
        status, problem = await sent(desk, data)
        assert status == 409
        assert problem["words"]["zh"]


async def test_a_school_admin_imports_no_post_of_others_and_nobody_who_reaches_further(desk: Desk) -> None:
    await desk.be("li")
    rows: list[Row] = [
        ("zhao", "赵", "Zhao", "教师", "River", "", ""),
        ("wu", "吴", "Wu", "教研员", SCHOOL, "", ""),
        ("boss", "boss", "boss", "教师", SCHOOL, "", ""),
    ]
    for row in rows:
        _, told = await sent(desk, file_of(row))
        assert [each["code"] for each in told["problems"]] == ["not_yours"], row
    await desk.be("wang")
    assert (await sent(desk, file_of(ZHAO)))[0] == 404
    assert (await desk.ask("GET", "people/sheets/people.csv"))[0] == 404


async def test_what_is_given_out_comes_in_again_without_a_change_and_no_cell_is_a_formula(desk: Desk) -> None:
    await desk.be("boss")
    await sent(desk, file_of(ZHAO, QIAN))
    for kind in ("csv", "xlsx"):
        async with desk.campus.browser.get(f"/api/v1/people/sheets/people.{kind}") as reply:
            data = await reply.read()
        _, told = await sent(desk, data, "?dry=1")
        assert (told["problems"], told["new"], told["posts"], told["changed"]) == ([], 0, 0, 0)
        assert told["same"] == 5
        if kind == "csv":
            cells = [cell for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) for cell in row]
            assert not [cell for cell in cells if cell.startswith("=")]
        else:
            assert workbooks.formulas(data) == frozenset()
    async with desk.campus.browser.get("/api/v1/people/sheets/template.xlsx") as reply:
        assert reply.status == 200
    log = [row.action for row in await desk.store.audit_log.rows()]
    assert "export_people" in log
