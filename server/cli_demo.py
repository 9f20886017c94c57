"""`lianke demo county`: fills an empty store with a county that never was, at the size of a real one."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from server.config import Config, load
from server.errors import UserFault

if TYPE_CHECKING:
    from server.demo.county import County
    from server.store.store import Store

demo = App(name="demo", help="Sample data, to try Lianke with.")

PAST_LESSONS = 200_000
TOLD_EVERY = 20_000
SUBJECTS_TAUGHT = 8
WEEKS_AHEAD = 12
ConfigFile = Annotated[Path | None, Parameter(name="--config", help="TOML file; defaults where left out.")]
Lessons = Annotated[
    int, Parameter(name="--lessons", validator=Number(gte=0, lte=1_000_000), help="Lessons of past years.")
]


@demo.command
def county(*, config: ConfigFile = None, lessons: Lessons = PAST_LESSONS) -> None:
    """156 schools, 127 teaching points, 907 rooms, 5,000 people, this term's timetable and the lessons of
    past years (without films), into the store of this configuration, which must be empty. Stop the server
    first."""
    from server import supervisor

    settings = load(config)
    with supervisor.run_directory(settings):  # no campus has the store open
        asyncio.run(fill(settings, lessons))


def _told(written: int) -> None:
    if written % TOLD_EVERY == 0:
        print(f"{written} lessons", flush=True)


async def _book(store: Store, made: County, weeks: int) -> int:
    """The term's lessons of so many weeks from now on, each at its bell; how many."""
    from server.demo import term
    from server.protocol.timetable import TermValue
    from server.store.terms import USUAL_SUBJECTS, bells_of
    from server.store.timetable_records import Booked

    today = store.county.today()
    value = TermValue(term.NAME, term.first_monday(today).isoformat(), term.WEEKS)
    name = await store.terms.put("", value)
    bells = {bell.period: bell for bell in bells_of((await store.terms.bells("")).bells).bells}
    booked = []
    for each in term.term_lessons(made, today, weeks):
        bell = bells[each.period]
        at = [datetime.combine(each.day, when, store.county.zone) for when in (bell.begins, bell.ends)]
        begins, ends = (int(moment.timestamp() * 1000) for moment in at)
        subject = USUAL_SUBJECTS[each.subject % SUBJECTS_TAUGHT].entry
        booked.append(
            Booked(
                each.lesson, each.day, each.period, each.period, begins, ends, each.main_room, each.rooms,
                teacher=each.teacher, subject=subject, grade=each.grade, term=name,
            )
        )  # fmt: skip
    await store.timetable.add(booked, await store.naming.names({each.teacher for each in booked}))
    return len(booked)


async def fill(config: Config, lessons: int, weeks: int = WEEKS_AHEAD) -> None:
    """UserFault where the store knows a county already."""
    from server.clock import SystemClock
    from server.demo.county import Size, build
    from server.demo.past import past_lessons
    from server.store.bulk import Bulk
    from server.store.library import Library
    from server.store.store import Store

    clock = SystemClock()
    store = await Store.open(config.store_place, clock, config.county.time_zone)
    try:
        if await store.county.county() is not None:
            raise UserFault(
                "county_there",
                zh="这个数据库里已经有一个县了。样本县只能放进空的数据库:请换一个 data.directory。",
                en="There is a county in this store already. The sample county goes into an empty one only: "
                "choose another data.directory.",
            )
        made = build(Size())
        bulk = Bulk(store.database, store.county, clock)
        await bulk.organisation(made.units, made.bonds, made.mains)
        people = [(each.id, each.login, each.name) for each in made.people]
        await bulk.people(people, [post for each in made.people for post in each.posts])
        print(f"{len(made.units)} units, {len(people)} people")
        past = past_lessons(made, lessons, date.today())
        rows = (
            (
                one.lesson,
                one.seconds,
                {"subject": one.subject, "grade": one.grade, "teacher": one.teacher, "school": one.school},
            )
            for one in past
        )
        await bulk.lessons(rows, _told)
        print(f"{await _book(store, made, weeks)} lessons of this term")
        print("making the search index")
        await Library(store.database, clock).indexed()
    finally:
        await store.close()
