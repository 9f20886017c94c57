"""The timetable over REST: imported whole or not at all, moved by hand, two editors of one cell, clashes in
words."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

import openpyxl
import pytest

from server.api import keys
from server.api.tokens import TokenKind
from server.domain.posts import Post, PostRole
from server.protocol.messages import Words
from tests.unit.api.conftest import Campus, Opener

NAMES = ("李老师", "王老师")


def next_monday() -> date:
    today = date.today()
    return today + timedelta(days=7 - today.weekday())


async def prepared(campus: Campus) -> Campus:
    """A term that begins next Monday, and two teachers of the school."""
    store = campus.app[keys.STORE]
    school = next(unit for unit in (await store.county.load()).units.values() if unit.kind == "school")
    for number, name in enumerate(NAMES):
        person = await store.people.add(f"teacher{number}", Words(name, f"Teacher {number}"))
        await store.people.appoint(Post(person.id, PostRole.TEACHER, school.id, date(2020, 1, 1)))
    reply = await campus.browser.put(
        "/api/v1/terms/autumn",
        json={
            "name": {"zh": "秋季学期", "en": "Autumn"},
            "first_monday": next_monday().isoformat(),
            "weeks": 20,
        },
        **campus.bearer(TokenKind.OPERATOR),
    )
    assert reply.status == 200, await reply.text()
    return campus


async def send(campus: Campus, data: bytes, **query: str) -> Any:
    reply = await campus.browser.post(
        "/api/v1/timetable/import",
        params={"term": "autumn", **query},
        data=data,
        **campus.bearer(TokenKind.OPERATOR),
    )
    return await reply.json()


LIST = (
    "学科,主讲教师,主讲教室,听讲教室,星期,节次,周次\n"
    "英语,李老师,录播室,沙河、野番,星期一,1节,1-16周(单)\n"
    "音乐,王老师,录播室,沙河,周三,3-4节,\n"
)


def book(*rows: tuple[object, ...], name: str = "课表") -> bytes:
    workbook = openpyxl.Workbook()
    page = workbook.active
    assert page is not None
    page.title = name
    for row in rows:
        page.append(row)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


async def get(campus: Campus, path: str, **query: str) -> Any:
    reply = await campus.browser.get(path, params=query, **campus.bearer(TokenKind.OPERATOR))
    assert reply.status == 200, await reply.text()
    return await reply.json()


async def week_of(campus: Campus, weeks: int = 0, **query: str) -> Any:
    day = next_monday() + timedelta(days=7 * weeks)
    return await get(campus, "/api/v1/timetable", day=day.isoformat(), **query)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_a_list_is_imported_in_each_encoding_and_again_without_doubles(
    campus: Campus, encoding: str
) -> None:
    await prepared(campus)
    data = LIST.encode(encoding)
    dry = await send(campus, data, dry="1")
    assert (dry["done"], dry["added"], dry["problems"]) == (False, 28, [])
    assert (await week_of(campus))["lessons"] == []
    assert (await send(campus, data))["added"] == 28
    again = await send(campus, data)
    assert (again["done"], again["added"], again["changed"], again["removed"], again["same"]) == (
        True, 0, 0, 0, 28,
    )  # fmt: skip
    first, second = await week_of(campus), await week_of(campus, 1)
    assert [(each["title"]["zh"], each["day"]) for each in first["lessons"]] == [
        ("英语", next_monday().isoformat()),
        ("音乐", (next_monday() + timedelta(days=2)).isoformat()),
    ]
    assert [each["title"]["zh"] for each in second["lessons"]] == ["音乐"]
    assert (first["week"], second["week"], first["zone"]) == (1, 2, "Asia/Shanghai")
    assert first["lessons"][0]["teacher"]["name"]["zh"] == "李老师"
    teacher = first["lessons"][0]["teacher"]["person"]
    of_school = await week_of(campus, school="the-school")
    assert len(of_school["lessons"]) == 2, "the main room's, whoever else listens"
    for query, lessons in (
        ({"room": "main"}, ["英语", "音乐"]),
        ({"room": "yefan"}, ["英语"]),
        ({"teacher": teacher}, ["英语"]),
    ):
        assert [each["title"]["zh"] for each in (await week_of(campus, **query))["lessons"]] == lessons


async def test_a_grid_is_imported_and_a_corrected_file_changes_what_it_corrects(campus: Campus) -> None:
    await prepared(campus)
    days = ("节次", "星期一", "星期二", "星期三")
    cell = "英语\n李老师\n沙河、野番\n1-4周"
    assert (await send(campus, book(days, ("第1节", cell, "", ""), name="录播室")))["added"] == 4
    corrected = book(days, ("第1节", cell.replace("李老师", "王老师"), "", "音乐 李老师 沙河"), name="录播室")
    after = await send(campus, corrected)
    assert (after["changed"], after["added"], after["removed"]) == (4, 20, 0)
    emptied = await send(campus, book(days, ("第1节", "", "", "音乐 李老师 沙河"), name="录播室"))
    assert (emptied["removed"], emptied["same"]) == (4, 20)


async def test_problems_are_told_by_cell_and_the_own_file_comes_back_marked(campus: Campus) -> None:
    await prepared(campus)
    head = ("学科", "主讲教师", "主讲教室", "听讲教室", "星期", "节次", "周次")
    data = book(
        head,
        ("英语", "李老师", "录播室", "沙河", "星期一", "1节", "1-16周"),
        ("天文", "李老师", "录播室", "月球", "2026-09-07", "19节", "40周"),
        ("音乐", "王老师", "录播室", "沙河", "星期二", "12节", ""),
        ("音乐", "=1+1", "录播室", "沙河", "星期三", "2节", ""),
    )
    told = await send(campus, data)
    assert not told["done"]
    assert {each["cell"]: each["code"] for each in told["problems"]} == {
        "A3": "unknown_subject",
        "D3": "unknown_room",
        "E3": "bad_weekday",
        "G3": "weeks_outside",
        "F4": "no_such_period",
        "B5": "formula",
    }
    assert all(each["words"]["zh"] and each["words"]["en"] for each in told["problems"])
    assert (await week_of(campus))["lessons"] == []
    reply = await campus.browser.post(
        "/api/v1/timetable/import",
        params={"term": "autumn", "marked": "1"},
        data=data,
        **campus.bearer(TokenKind.OPERATOR),
    )
    marked = openpyxl.load_workbook(io.BytesIO(await reply.read())).active
    assert marked is not None
    comment = marked["A3"].comment
    assert comment is not None
    assert "天文" in comment.text
    assert marked["A2"].comment is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "nothing_found"),
        (b"\xd0\xcf\x11\xe0old", "old_excel"),
        (b"PK\x03\x04broken", "unreadable_file"),
        ("学科,主讲教师\n英语,李老师\n".encode(), "no_headings"),
        ("学科,主讲教师,主讲教室,节次\n英语,李老师,录播室,1\n".encode(), "missing_columns"),
        (
            ("学科,主讲教师,主讲教室,听讲教室,星期,节次\n" + "x,y,z,a,b,c\n" * 50_000).encode(),
            "too_many_rows",
        ),
    ],
    ids=["empty", "old", "broken", "no headings", "columns", "50,000 rows"],
)
async def test_a_broken_file_is_told_in_words_and_nothing_is_done(
    campus: Campus, data: bytes, code: str
) -> None:
    await prepared(campus)
    told = await send(campus, data)
    found = [told["code"]] if "code" in told else [each["code"] for each in told["problems"]]
    assert code in found
    assert (await week_of(campus))["lessons"] == []


async def test_merged_cells_hold_for_every_cell_they_cover(campus: Campus) -> None:
    await prepared(campus)
    head = ("学科", "主讲教师", "主讲教室", "听讲教室", "星期", "节次", "周次")
    workbook = openpyxl.load_workbook(
        io.BytesIO(
            book(
                head,
                ("英语", "李老师", "录播室", "沙河", "星期一", "1节", "1周"),
                (None, None, "录播室", "沙河", "星期二", "1节", "1周"),
            )
        )
    )
    page = workbook.active
    assert page is not None
    page.merge_cells("A2:A3")
    page.merge_cells("B2:B3")
    out = io.BytesIO()
    workbook.save(out)
    assert (await send(campus, out.getvalue()))["added"] == 2


async def test_clashes_of_teacher_and_receiving_room_are_told_and_nothing_is_done(
    open_campus: Opener,
) -> None:
    rooms = [
        {"id": "main", "zh": "录播室", "en": "One", "main": True},
        {"id": "north", "zh": "北校录播室", "en": "Two", "main": True},
        {"id": "shahe", "zh": "沙河", "en": "Shahe"},
        {"id": "yefan", "zh": "野番", "en": "Yefan"},
    ]
    campus = await prepared(await open_campus_with(open_campus, rooms))
    head = "学科,主讲教师,主讲教室,听讲教室,星期,节次,周次\n"
    one = "英语,李老师,录播室,沙河,星期一,1节,1周\n"
    told = await send(campus, (head + one + "音乐,王老师,北校录播室,沙河,星期一,1节,1周\n").encode())
    assert (told["done"], [clash["what"] for clash in told["clashes"]]) == (False, ["room"])
    assert "沙河" in told["clashes"][0]["words"]["zh"]
    told = await send(campus, (head + one + "音乐,李老师,北校录播室,野番,星期一,1节,1周\n").encode())
    assert [clash["what"] for clash in told["clashes"]] == ["teacher"]
    assert (await send(campus, (head + one).encode()))["added"] == 1
    told = await send(campus, (head + "音乐,王老师,北校录播室,沙河,星期一,1节,1周\n").encode())
    assert [clash["what"] for clash in told["clashes"]] == ["room"]


async def open_campus_with(open_campus: Opener, rooms: list[dict[str, object]]) -> Campus:
    from tests.unit.api import conftest

    before, conftest.ROOMS[:] = list(conftest.ROOMS), rooms
    try:
        return await open_campus()
    finally:
        conftest.ROOMS[:] = before


async def change(campus: Campus, lesson: dict[str, Any], **body: object) -> tuple[int, Any]:
    reply = await campus.browser.patch(
        f"/api/v1/timetable/lessons/{lesson['lesson']}",
        json={"version": lesson["version"], **body},
        **campus.bearer(TokenKind.OPERATOR),
    )
    return reply.status, await reply.json()


async def undo(campus: Campus, first: dict[str, Any]) -> tuple[int, Any]:
    """The action that answered this lesson first."""
    reply = await campus.browser.post(
        "/api/v1/timetable/undo",
        json={"lesson": first["lesson"], "version": first["version"]},
        **campus.bearer(TokenKind.OPERATOR),
    )
    return reply.status, await reply.json()


async def test_of_two_editors_of_one_cell_the_second_is_told(campus: Campus) -> None:
    await prepared(campus)
    await send(campus, LIST.encode())
    lesson = (await week_of(campus))["lessons"][0]
    status, moved = await change(campus, lesson, first=2, last=2)
    assert (status, moved[0]["first"], moved[0]["change"]) == (200, 2, "moved")
    _, back = await undo(campus, moved[0])
    assert (back[0]["first"], back[0]["change"]) == (1, "none"), "an import looks after it again"
    assert (await undo(campus, moved[0]))[1]["code"] == "cannot_undo", "once"
    _, moved = await change(campus, back[0], first=2, last=2)
    status, told = await change(campus, lesson, first=5, last=5)
    assert (status, told["code"]) == (412, "stale_version")
    _, further = await change(campus, moved[0], first=3, last=3)
    assert (await undo(campus, moved[0]))[1]["code"] == "stale_version", "what somebody changed since stays"
    moved = further
    status, back = await change(campus, moved[0], first=1, last=1)
    assert (status, back[0]["first"], back[0]["starts_at"]) == (200, 1, lesson["starts_at"])


async def test_a_lesson_moved_by_hand_stays_so_when_the_file_comes_again(campus: Campus) -> None:
    await prepared(campus)
    await send(campus, LIST.encode())
    lesson = (await week_of(campus))["lessons"][0]
    day = (next_monday() + timedelta(days=4)).isoformat()
    await change(campus, lesson, day=day, first=5, last=5)
    assert (await send(campus, LIST.encode()))["same"] == 28
    assert [(each["day"], each["change"]) for each in (await week_of(campus))["lessons"]][1] == (day, "moved")


async def test_cancelled_and_brought_back_substituted_and_a_clash_refused(campus: Campus) -> None:
    await prepared(campus)
    await send(campus, LIST.encode())
    english, music = (await week_of(campus))["lessons"]
    _, cancelled = await change(campus, english, cancelled=True)
    assert cancelled[0]["given"] == "cancelled"
    _, back = await change(campus, cancelled[0], cancelled=False)
    assert back[0]["given"] == "ahead"
    teachers = {
        each["name"]["zh"]: each["person"]
        for each in (await get(campus, "/api/v1/timetable/choices"))["teachers"]
    }
    _, substituted = await change(campus, back[0], teacher=teachers["王老师"])
    assert substituted[0]["teacher"]["name"]["zh"] == "王老师"
    assert substituted[0]["change"] == "substituted"
    _, undone = await undo(campus, substituted[0])
    assert undone[0]["change"] == "moved", "as it was before"
    _, substituted = await change(campus, undone[0], teacher=teachers["王老师"])
    status, told = await change(campus, substituted[0], day=music["day"], first=3, last=3)
    assert (status, told["code"]) == (409, "clash")
    assert "王老师" in told["words"]["zh"] or "录播室" in told["words"]["zh"]
    status, told = await change(campus, substituted[0], day="2020-01-06")
    assert told["code"] == "in_the_past"


async def test_a_series_is_booked_moved_and_two_lessons_change_places(campus: Campus) -> None:
    await prepared(campus)
    body = {
        "main_room": "main",
        "rooms": ["shahe"],
        "day": next_monday().isoformat(),
        "subject": "art",
        "first": 1,
        "repeats": 3,
    }
    reply = await campus.browser.post(
        "/api/v1/timetable/lessons", json=body, **campus.bearer(TokenKind.OPERATOR)
    )
    series = await reply.json()
    assert [each["day"] for each in series] == [
        (next_monday() + timedelta(days=7 * week)).isoformat() for week in range(3)
    ]
    tuesday = (next_monday() + timedelta(days=8)).isoformat()
    _, moved = await change(campus, series[1], day=tuesday, whole_series=True)
    assert [each["day"] for each in moved] == [tuesday, (next_monday() + timedelta(days=15)).isoformat()]
    one, other = series[0], moved[0]
    reply = await campus.browser.post(
        "/api/v1/timetable/swap",
        json={
            "first": one["lesson"],
            "second": other["lesson"],
            "first_version": one["version"],
            "second_version": other["version"],
        },
        **campus.bearer(TokenKind.OPERATOR),
    )
    assert [each["day"] for each in await reply.json()] == [other["day"], one["day"]]


async def test_what_was_done_to_a_series_is_undone_whole_booked_moved_or_cancelled(campus: Campus) -> None:
    await prepared(campus)
    body = {"main_room": "main", "rooms": ["shahe"], "day": next_monday().isoformat(), "subject": "art"}
    auth = campus.bearer(TokenKind.OPERATOR)
    reply = await campus.browser.post(
        "/api/v1/timetable/lessons", json=body | {"first": 1, "repeats": 3}, **auth
    )
    series = await reply.json()

    async def days() -> list[tuple[str, int, str]]:
        weeks = [await week_of(campus, number) for number in range(4)]
        return [(each["day"], each["first"], each["given"]) for week in weeks for each in week["lessons"]]

    booked = await days()
    assert len(booked) == 3
    await change(campus, series[2], first=4, last=4)
    before = await days()
    tuesday = (next_monday() + timedelta(days=1)).isoformat()
    _, moved = await change(campus, series[0], day=tuesday, first=2, last=2, whole_series=True)
    assert [each["first"] for each in moved] == [2, 2, 2]
    status, back = await undo(campus, moved[0])
    assert (status, len(back)) == (200, 3)
    assert await days() == before, "each where it was, also the one that stood elsewhere"
    _, cancelled = await change(campus, back[0], cancelled=True, whole_series=True)
    assert [each["given"] for each in cancelled] == ["cancelled"] * 3
    _, back = await undo(campus, cancelled[0])
    assert await days() == before
    _, cancelled = await change(campus, back[0], cancelled=True, whole_series=True)
    _, again = await change(campus, cancelled[0], cancelled=False, whole_series=True)
    assert [each["given"] for each in again] == ["ahead"] * 3
    reply = await campus.browser.post(
        "/api/v1/timetable/lessons", json=body | {"first": 6, "repeats": 3}, **auth
    )
    assert len(await days()) == 6
    other = (await reply.json())[0]
    stranger = await campus.browser.post(
        "/api/v1/timetable/undo", json={"lesson": other["lesson"], "version": 1}
    )
    assert stranger.status == 404
    assert await undo(campus, other) == (200, [])
    assert await days() == before
    assert (await undo(campus, {"lesson": "L1234567890", "version": 1}))[1]["code"] == "cannot_undo"


async def test_the_kinds_of_lesson_are_told_with_what_each_lets_whom_do(campus: Campus) -> None:
    kinds = {each["template"]: each for each in await get(campus, "/api/v1/timetable/kinds")}
    assert list(kinds) == ["shared", "master", "mentoring", "class_meeting", "research", "rehearsal"]
    assert (kinds["master"]["rooms_send"], kinds["master"]["visible"]) == (["voice"], "county")
    assert (kinds["rehearsal"]["recordable"], kinds["rehearsal"]["counts"]) == ([], False)
    assert "pupils" not in kinds["shared"]["recorded"]


async def test_bells_that_overlap_and_days_that_are_none_are_told(campus: Campus) -> None:
    await prepared(campus)
    overlapping = [
        {"period": 1, "begins": "08:00", "ends": "08:40"},
        {"period": 2, "begins": "08:30", "ends": "09:10"},
    ]
    auth = campus.bearer(TokenKind.OPERATOR)
    reply = await campus.browser.put("/api/v1/bells/county", json={"bells": overlapping}, **auth)
    assert (reply.status, (await reply.json())["code"]) == (409, "bells_overlap")
    reply = await campus.browser.put(
        "/api/v1/bells/county", json={"bells": overlapping[:1], "version": 0}, **auth
    )
    assert (await reply.json())["version"] == 1
    reply = await campus.browser.put(
        "/api/v1/bells/county", json={"bells": overlapping[:1], "version": 0}, **auth
    )
    assert (await reply.json())["code"] == "stale_version"
    for monday in ("2026-02-31", "2026-09-08"):
        reply = await campus.browser.put(
            "/api/v1/terms/spring",
            json={"name": {"zh": "春", "en": "Spring"}, "first_monday": monday, "weeks": 20},
            **auth,
        )
        assert reply.status in (400, 409)


async def test_who_may_not_edit_gets_nothing(demo: Campus) -> None:
    reply = await demo.browser.get("/api/v1/timetable")
    assert reply.status == 200
    assert not (await reply.json())["may_edit"]
    reply = await demo.browser.post("/api/v1/timetable/import", data=b"x", params={"term": "autumn"})
    assert reply.status == 404
    reply = await demo.browser.post(
        "/api/v1/timetable/lessons", json={"main_room": "main", "rooms": [], "day": "2026-09-07"}
    )
    assert reply.status == 404
