"""`lianke demo county` fills an empty store, and no other."""

from pathlib import Path

import pytest

from server.cli_demo import fill
from server.clock import SystemClock
from server.config import build
from server.domain.org import UnitKind
from server.errors import UserFault
from server.store.library import Library
from server.store.library_records import LibraryQuery
from server.store.planning import clashes_with
from server.store.store import Store


async def test_an_empty_store_becomes_a_county_that_is_found_and_a_full_one_stays(tmp_path: Path) -> None:
    config = build({"data": {"directory": str(tmp_path), "run_directory": str(tmp_path / "run")}}, {})
    await fill(config, lessons=300, weeks=2)
    store = await Store.open(config.store_place, SystemClock())
    organisation = await store.county.load()
    assert sum(unit.kind is UnitKind.ROOM for unit in organisation.units.values()) == 907
    assert sum(room.main for room in await store.classrooms()) == 64
    assert (await store.people.find("county-admin"))[1] == 1
    found, total = await Library(store.database, SystemClock()).find(LibraryQuery("", None))
    assert total == 300
    assert found[0].catalogue.teacher
    term = (await store.terms.all(store.county.today()))[0]
    assert term.week is not None
    booked = await store.timetable.of_term(term.term)
    assert 55 * 30 <= len(booked) <= 2 * 55 * 30
    assert clashes_with(booked, ()) == []
    await store.close()
    with pytest.raises(UserFault, match="county in this store"):
        await fill(config, lessons=1)
