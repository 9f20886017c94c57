"""The county's day: a grid is imported, the lesson starts at the bell, rooms join without a hand, one is
wiped and returns, an admin replays, moves next week's lesson by the mouse and finds a substitute."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
from playwright.async_api import Page, expect

from server.drill.own_server import SAMPLE_ROOMS, own_server
from tests.e2e.conftest import Shoot, Window
from tests.e2e.kiosk import address_in, install, pair
from tests.e2e.sample import demo_of, sees
from tests.e2e.speaking import in_both_languages
from tests.e2e.test_accessibility import AXE, well

AHEAD_S, LASTS_S = 25, 12
BIG = {"width": 1366, "height": 768}
PHONE = {"width": 360, "height": 740}


def zone_near_noon() -> str:
    """A county in which no lesson of this test meets midnight."""
    hour = datetime.now(UTC).hour
    return f"Etc/GMT{hour - 12:+d}" if hour != 12 else "Etc/UTC"


def grid(weekday: int) -> bytes:
    """A timetable as schools keep it: one lesson, today, in the second period."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["主讲教室：星光小学录播室"])
    page.append(["节次", *("星期" + day for day in "一二三四五六日")])
    row = ["第2节"] + [""] * 7
    row[weekday] = "英语\n李老师\n罗平教学点、沙河教学点、野番教学点\n三年级"
    page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def asked(page: Page, method: str, path: str, body: Any = None) -> Any:
    """As the person who is logged in on this page."""
    reply = await page.request.fetch(
        path, method=method, data=body, headers={"content-type": "application/json"}
    )
    assert reply.ok, await reply.text()
    return await reply.json() if (await reply.body()) else None


async def test_a_grid_is_imported_the_bell_starts_the_lesson_three_rooms_join_and_an_admin_replays_it(
    window: Window, shoot: Shoot, tmp_path: Path
) -> None:
    zone = ZoneInfo(zone_near_noon())
    extra = f'[lessons]\nclosing_s = 4\n[county]\ntime_zone = "{zone.key}"'
    axe = await asyncio.to_thread(Path(AXE).read_text)
    async with own_server(SAMPLE_ROOMS, extra=extra) as server:
        demo = await demo_of(server)
        admin, studio = await window(), await window()
        await admin.goto(server.url)
        base = f"{server.url}/api/v1"
        said = {"password": "correct horse battery", "name": {"zh": "李老师", "en": "Ms Li"}}
        await asked(admin, "POST", f"{base}/setup", said)
        await admin.goto(f"{server.url}/timetable/import")
        today = datetime.now(zone).date()
        await admin.get_by_test_id("term-name").fill("秋季学期")
        await admin.get_by_test_id("term-monday").fill(str(today - timedelta(days=today.weekday())))
        await admin.get_by_test_id("make-term").click()
        await expect(admin.get_by_test_id("term")).to_be_visible()
        await well(admin, axe, "import")

        await studio.goto(f"{server.url}/studio#token={demo.studio.token}&sample=1&volume=0")
        await expect(studio.get_by_test_id("start")).to_be_enabled()
        rooms = []
        for room in demo.rooms[:2]:
            page = await window()
            await page.goto(f"{server.url}/room#token={room.token}&sample=1&volume=0.1")
            rooms.append(page)
        screen = await window()
        start = await install(server, await pair(server, screen, demo.rooms[2].room), tmp_path)
        rooms.append(screen)
        weekday = today.isoweekday()
        broken = openpyxl.load_workbook(io.BytesIO(grid(weekday)))
        await admin.get_by_test_id("file").set_input_files(
            {
                "name": "课表.xlsx",
                "mimeType": "application/octet-stream",
                "buffer": marked_wrong(broken, weekday),
            }
        )
        await expect(admin.get_by_test_id("problems")).to_contain_text("天文", timeout=60_000)
        await shoot(admin, "import-problems")
        begins = datetime.now(zone).replace(microsecond=0) + timedelta(seconds=AHEAD_S)
        bells = [
            {"period": 1, "begins": "00:00", "ends": "00:40"},
            {
                "period": 2,
                "begins": begins.strftime("%H:%M:%S"),
                "ends": (begins + timedelta(seconds=LASTS_S)).strftime("%H:%M:%S"),
            },
        ]
        await asked(admin, "PUT", f"{base}/bells/county", {"bells": bells})
        await admin.get_by_test_id("file").set_input_files(
            {"name": "课表.xlsx", "mimeType": "application/octet-stream", "buffer": grid(weekday)}
        )
        await admin.get_by_test_id("do-import").click()
        await expect(admin.get_by_test_id("result")).to_have_attribute("data-done", "true")

        await expect(studio.locator("h1")).to_contain_text("三年级英语")
        for page in rooms:
            await sees(page.get_by_test_id("room"), (AHEAD_S + 20) * 1000)
        await expect(studio.get_by_test_id("lesson")).to_be_visible()
        await rooms.pop().context.close()  # a restore card: nothing of the browser is left on that machine
        again = await window()
        await again.goto(address_in(start))  # what its launcher opens
        await sees(again.get_by_test_id("room"))

        await expect(studio.get_by_test_id("bell")).to_be_visible(timeout=(LASTS_S + 20) * 1000)
        await expect(studio.get_by_test_id("replay-after")).to_be_visible(timeout=60_000)
        for page in (*rooms, again):
            await expect(page.get_by_test_id("room")).not_to_have_attribute("data-state", "lesson")

        await admin.goto(f"{server.url}/timetable")
        card = admin.locator("[data-given=given]")
        await expect(card).to_be_visible()
        await expect(card).to_contain_text("三年级英语")
        await well(admin, axe, "timetable")
        await shoot(admin, "timetable")
        await admin.goto(f"{server.url}/day")
        await expect(admin.get_by_test_id("today")).to_contain_text("三年级英语")
        await well(admin, axe, "my day")
        week = await asked(admin, "GET", f"{base}/timetable?day={today}")
        (lesson,) = week["lessons"]
        await admin.goto(f"{server.url}{lesson['replay']}")
        await expect(admin.get_by_test_id("player")).to_be_visible()
        await next_week_by_mouse(admin, base, today, shoot)


async def next_week_by_mouse(admin: Page, base: str, today: date, shoot: Shoot) -> None:
    """The imported lesson is dragged and brought back, changes places and back, gets a substitute."""
    monday = today + timedelta(days=7 - today.weekday())
    own, other = monday + timedelta(days=today.weekday()), monday + timedelta(days=today.weekday() == 0)
    county = await asked(admin, "GET", f"{base}/units")
    school = next(unit["unit"] for unit in county["units"] if unit["kind"] == "school")
    person = {"login": "wang", "name": {"zh": "王老师", "en": "Ms Wang"}}
    await asked(admin, "POST", f"{base}/people", {**person, "post": {"role": "teacher", "unit": school}})
    place = {"day": str(other), "first": 2, "last": 2}
    one_off = {"main_room": "main", "rooms": ["shahe"], "title": "音乐", **place}
    await asked(admin, "POST", f"{base}/timetable/lessons", one_off)
    await admin.goto(admin.url.partition("/replay")[0] + "/timetable")
    await admin.get_by_test_id("week-after").click()
    card = admin.locator(".lesson-card", has_text="三年级英语")
    said, undo = admin.get_by_test_id("said"), admin.get_by_test_id("undo")
    home, away = admin.get_by_test_id(f"cell-{own}-2"), admin.get_by_test_id(f"cell-{other}-2")
    free = admin.get_by_test_id(f"cell-{other}-1")
    await expect(home).to_contain_text("三年级英语")
    for goal, target in ((free, free), (away, away.locator(".lesson-card"))):
        await card.drag_to(target)
        await expect(goal).to_contain_text("三年级英语")
        await undo.click()
        await expect(home).to_contain_text("三年级英语")
        await expect(said).to_contain_text("已撤销")
        await expect(home).not_to_contain_text("调课")
    await expect(away).to_contain_text("音乐")
    await card.click()
    form = admin.get_by_test_id("lesson-form")
    await form.get_by_label("主讲教师").click()
    await admin.get_by_role("option", name="王老师").click()
    await form.get_by_test_id("form-save").click()
    await expect(form).to_have_count(0)
    await expect(home).to_contain_text("王老师")
    await expect(home).to_contain_text("代课")
    await in_both_languages(admin, shoot, "timetable-substitute")
    await undo.click()
    await expect(home).to_contain_text("李老师")
    await expect(home).not_to_contain_text("代课")


def marked_wrong(book: openpyxl.Workbook, weekday: int) -> bytes:
    """The same grid with a subject that nobody teaches."""
    page = book.active
    assert page is not None
    cell = page.cell(3, weekday + 1)
    cell.value = str(cell.value).replace("英语", "天文")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
