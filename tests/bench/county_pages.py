"""How fast the pages' API answers in a county at its real size, with many people at once.

    python -m tests.bench.county_pages [--folder DIR] [--seconds 3] [--think 10] [--only "day|rooms"]

`lianke demo county` into an empty store (or into DIR, once; then it is kept), `lianke serve` on it, and the
people who log in: teachers, schools' admins, the county's admin. Then each page by itself in a closed loop,
where everybody asks the next request as soon as the last one is answered; with it the milliseconds of
processor that campus spends on a request. Then all pages together, in a closed loop and by people who look at
a page for `--think` s before they open the next. Figures in ms; must: p50 200, p99 500.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import select

from server.api import passwords
from server.cli_demo import fill
from server.clock import SystemClock
from server.config import load
from server.drill.own_server import start_server, stop_server, url_of, write_config
from server.store.county_tables import PEOPLE
from server.store.store import Store
from tests.bench.library import first_load

INDEX_PATIENCE_S = 600.0
PASSWORD = "a county at work 7"
TEACHER, SCHOOL, COUNTY = "teacher", "school-admin", "county-admin"
Times = dict[str, list[float]]
EVERYBODY = (TEACHER, SCHOOL, COUNTY)
ADMINS = (SCHOOL, COUNTY)
SHARES = {TEACHER: 35, SCHOOL: 10, COUNTY: 5}
WEEK = (date.today() + timedelta(days=7)).isoformat()


@dataclass(frozen=True, slots=True)
class Page:
    """What a page asks when it is opened; `{school}`, `{person}` and `{room}` are the user's own."""

    asks: tuple[str, ...]
    who: tuple[str, ...] = EVERYBODY


PAGES = {
    "day": Page(("me", "my-day", "library?size=6")),
    "timetable": Page(("me", f"timetable?school={{school}}&day={WEEK}", "timetable/choices")),
    "timetable, own": Page((f"timetable?teacher={{person}}&day={WEEK}",)),
    "timetable, everybody": Page((f"timetable?day={WEEK}",)),
    "lessons": Page(("me", "rooms", "lessons")),
    "library": Page(("me", "library", "library/facets")),
    "library, page 3000": Page(("library?page=3000",)),
    "library, two characters": Page(("library?q=瀑布",)),
    "library, initials": Page(("library?q=wlspb",)),
    "library, a filter": Page(("library?subject=英语&grade=三年级",)),
    "settings": Page(("me", "me/sessions", "me/tokens")),
    "import": Page(("me", "terms"), ADMINS),
    "rooms": Page(("me", "devices?page=1&size=50"), ADMINS),
    "alarms": Page(("me", "alarms"), ADMINS),
    "people": Page(("me", "units", "people?q=&unit=&page=1&size=20"), ADMINS),
    "people, of a school": Page(("people?q=&unit={school}&page=1&size=20",), ADMINS),
    "people, by name": Page(("people?q=王&unit=&page=1&size=20",), ADMINS),
    "consent": Page(("consents",), ADMINS),
    "audit": Page(("audit",), (COUNTY,)),
}


@dataclass(frozen=True, slots=True)
class User:
    """Somebody logged in, with what stands for them in addresses."""

    kind: str
    values: dict[str, str]
    browser: aiohttp.ClientSession

    async def open(self, page: Page, times: dict[str, list[float]], name: str) -> None:
        for path in page.asks:
            times[name].append(await ask(self.browser, "/api/v1/" + path.format(**self.values)))


async def ask(browser: aiohttp.ClientSession, path: str) -> float:
    begun = time.perf_counter()
    async with browser.get(path) as reply:
        await reply.read()
        assert reply.status in (200, 304), (path, await reply.text())
    return (time.perf_counter() - begun) * 1000


async def indexed(url: str) -> float:
    """Search until the index is whole; how long that took, in seconds."""
    begun = time.perf_counter()
    async with aiohttp.ClientSession(base_url=url, timeout=aiohttp.ClientTimeout(60)) as browser:
        while time.perf_counter() - begun < INDEX_PATIENCE_S:
            if await ask(browser, "/api/v1/library?q=wlspb") < 1000:
                return round(time.perf_counter() - begun, 1)
    raise TimeoutError("the search index did not become whole")


async def prepare(config: Path, lessons: int) -> None:
    """The county, and a password for everybody."""
    settings = load(config)
    await fill(settings, lessons)
    store = await Store.open(settings.store_place, SystemClock(), settings.county.time_zone)
    try:
        await store.database.write(
            PEOPLE.update().values(password_hash=passwords.HASHER.hash(PASSWORD), must_change=False)
        )
    finally:
        await store.close()


async def people_of(config: Path, users: int) -> list[tuple[str, dict[str, str]]]:
    """Who they are: log-in name and what stands for them, of each kind its share."""
    settings = load(config)
    store = await Store.open(settings.store_place, SystemClock(), settings.county.time_zone)
    try:
        rows = await store.database.rows(select(PEOPLE.c.person, PEOPLE.c.login).order_by(PEOPLE.c.person))
        organisation, day = await store.county.load(), store.county.today()
        found = []
        for kind, share in SHARES.items():
            there = [row for row in rows if row.login.startswith(kind)]
            for number in range(max(1, users * share // sum(SHARES.values()))):
                row = there[number % len(there)]
                held = (await store.people.posts(row.person))[0].post
                school = organisation.school(held.unit, day)
                values = {
                    "person": row.person,
                    "school": school.id if school else "s000",
                    "lesson": "D00000000",
                }
                found.append((row.login, values))
        return found
    finally:
        await store.close()


async def log_in(url: str, login: str, values: dict[str, str], seat: int) -> User:
    jar = aiohttp.CookieJar(unsafe=True)
    connector = aiohttp.TCPConnector(limit=1)
    browser = aiohttp.ClientSession(base_url=url, cookie_jar=jar, connector=connector)
    async with browser.post("/api/v1/login", json={"login": login, "password": PASSWORD}) as reply:
        assert reply.status == 200, await reply.text()
    return User(re.sub(r"-\d+$", "", login), values, browser)


class Processor:
    """What a process and its threads used, in ms."""

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")

    def used_ms(self) -> float:
        fields = self._stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


async def closed_loop(
    users: Iterable[User], pages: dict[str, Page], seconds: float
) -> dict[str, list[float]]:
    """Everybody opens page after page, without a pause."""
    times: dict[str, list[float]] = {name: [] for name in pages}
    until = time.perf_counter() + seconds

    async def one(user: User, number: int) -> None:
        mine = [name for name, page in pages.items() if user.kind in page.who]
        while mine and time.perf_counter() < until:
            await user.open(pages[mine[number % len(mine)]], times, mine[number % len(mine)])
            number += 1

    async with asyncio.TaskGroup() as group:
        for number, user in enumerate(users):
            group.create_task(one(user, number))
    return times


async def people(
    users: Iterable[User], pages: dict[str, Page], seconds: float, think_s: float
) -> dict[str, list[float]]:
    """Everybody looks at a page for some time before the next one."""
    times: dict[str, list[float]] = {name: [] for name in pages}
    until = time.perf_counter() + seconds

    async def one(user: User, chance: random.Random) -> None:
        mine = [name for name, page in pages.items() if user.kind in page.who]
        await asyncio.sleep(chance.uniform(0, think_s))
        while time.perf_counter() < until:
            name = chance.choice(mine)
            await user.open(pages[name], times, name)
            await asyncio.sleep(chance.uniform(0.5, 1.5) * think_s)

    async with asyncio.TaskGroup() as group:
        for number, user in enumerate(users):
            group.create_task(one(user, random.Random(number)))
    return times


def told(times: dict[str, list[float]]) -> dict[str, Any]:
    found = {}
    for name, each in times.items():
        if each:
            each.sort()
            p99 = each[min(len(each) - 1, int(len(each) * 0.99))]
            found[name] = {"asked": len(each), "p50": round(statistics.median(each), 1), "p99": round(p99, 1)}
    return found


async def run(url: str, campus: Processor, users: list[User], chosen: dict[str, Page], seconds: float,
              think_s: float) -> dict[str, Any]:  # fmt: skip
    await closed_loop(users, chosen, 2.0)
    alone: dict[str, Any] = {}
    for name, page in chosen.items():
        used = campus.used_ms()
        found = told(await closed_loop(users, {name: page}, seconds))[name]
        alone[name] = {**found, "cpu_ms": round((campus.used_ms() - used) / found["asked"], 2)}
        print(name, alone[name], flush=True)
    used, begun = campus.used_ms(), time.perf_counter()
    together = await closed_loop(users, chosen, 2 * seconds)
    asked = sum(map(len, together.values()))
    took, spent = time.perf_counter() - begun, campus.used_ms() - used
    every = sorted(one for each in together.values() for one in each)
    used, begun = campus.used_ms(), time.perf_counter()
    apart = await people(users, chosen, 4 * seconds, think_s)
    busy = (campus.used_ms() - used) / (time.perf_counter() - begun) / 10
    calm = sorted(one for each in apart.values() for one in each)
    return {
        "each page by itself, closed loop": alone,
        "all pages, closed loop": {
            "requests_a_second": round(asked / took), "cpu_ms_a_request": round(spent / asked, 2),
            **told({"all": every}), **told(together),
        },
        f"all pages, people who look for {think_s} s": {
            "requests_a_second": round(len(calm) / (4 * seconds)), "campus_percent": round(busy),
            **told({"all": calm}), **told(apart),
        },
    }  # fmt: skip


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    config = folder / "lianke.toml"
    if not config.exists():
        write_config(folder, ())
        await prepare(config, options.lessons)
    chosen = {
        name: page for name, page in PAGES.items() if not options.only or name in options.only.split("|")
    }
    residents = await people_of(config, options.users)
    log = folder / "server.log"
    log.unlink(missing_ok=True)
    process = await start_server(config, log)
    users: list[User] = []
    try:
        url = url_of(config)
        found: dict[str, Any] = {"indexed_s": await indexed(url)}
        for seat, (login, values) in enumerate(residents):
            users.append(await log_in(url, login, values, seat))
        pid = int(re.findall(r"started program=campus pid=(\d+)", log.read_text())[-1])
        print(f"campus is {pid}", flush=True)
        return found | await run(url, Processor(pid), users, chosen, options.seconds, options.think)
    finally:
        for user in users:
            await user.browser.close()
        await stop_server(process)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--lessons", type=int, default=200_000)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--think", type=float, default=10.0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lianke-bench-") as name:
        folder = options.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        figures = asyncio.run(measure(options, folder))
    pages = {"desk": first_load("index.html", "LibraryPage", "DeskFrame"), "room": first_load("room.html")}
    print(json.dumps({**figures, "first_load_bytes": pages}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
