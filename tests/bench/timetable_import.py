"""A county's timetable into the store: 55 main rooms, 20 weeks, 30 lessons a week each.

    python -m tests.bench.timetable_import [--rooms 55] [--weeks 20] [--lessons 30]

Reads an XLSX as the API does, plans, looks for clashes and writes 33,000 lessons in one transaction; then the
same file again, which changes nothing. Prints seconds of each.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import openpyxl

from server.clock import SystemClock
from server.domain.org import UnitKind
from server.domain.posts import Post, PostRole
from server.protocol.messages import Words
from server.protocol.timetable import TermValue
from server.store.store import Store
from server.workbooks import read_workbook

HEAD = ("学科", "主讲教师", "主讲教室", "听讲教室", "星期", "节次", "周次")
A_DAY = 6


def workbook(rooms: int, lessons: int) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet("课表")
    page.append(HEAD)
    for room in range(rooms):
        for number in range(lessons):
            day, period = divmod(number, A_DAY)
            points = f"教学点{room * 2}、教学点{room * 2 + 1}"
            page.append(("英语", f"老师{room}", f"录播室{room}", points, str(day + 1), f"{period + 1}节", ""))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def prepared(store: Store, rooms: int, weeks: int) -> None:
    named = Words("县", "County")
    county = await store.county.add(UnitKind.COUNTY, named, since=date(2020, 1, 1))
    school = await store.county.add(UnitKind.SCHOOL, Words("校", "School"), county.id, since=date(2020, 1, 1))
    for number in range(rooms):
        name = Words(f"录播室{number}", f"Room {number}")
        await store.county.add(UnitKind.ROOM, name, school.id, main=True)
        for point in (number * 2, number * 2 + 1):
            await store.county.add(UnitKind.ROOM, Words(f"教学点{point}", f"Point {point}"), school.id)
        person = await store.people.add(f"t{number}", Words(f"老师{number}", f"Teacher {number}"))
        await store.people.appoint(Post(person.id, PostRole.TEACHER, school.id, date(2020, 1, 1)))
    monday = date.today() + timedelta(days=7 - date.today().weekday())
    await store.terms.put("term", TermValue(Words("秋", "Autumn"), monday.isoformat(), weeks))


async def measure(rooms: int, weeks: int, lessons: int) -> dict[str, object]:
    data = workbook(rooms, lessons)
    with tempfile.TemporaryDirectory(prefix="lianke-import-") as folder:
        store = await Store.open(Path(folder) / "store.sqlite3", SystemClock())
        try:
            await prepared(store, rooms, weeks)
            took = []
            for _ in range(2):
                began = time.monotonic()
                read = await store.importing.read(await asyncio.to_thread(read_workbook, data), "term")
                if read.reading.problems:
                    raise SystemExit(f"problems: {read.reading.problems[:3]}")
                result = await store.importing.carry_out(read, dry=False)
                took.append((round(time.monotonic() - began, 1), len(result.plan.added), result.plan.same))
        finally:
            await store.close()
    first, again = took
    return {"lessons": first[1], "import_s": first[0], "again_s": again[0], "again_same": again[2]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rooms", type=int, default=55)
    parser.add_argument("--weeks", type=int, default=20)
    parser.add_argument("--lessons", type=int, default=30)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.rooms, options.weeks, options.lessons))))


if __name__ == "__main__":
    main()
