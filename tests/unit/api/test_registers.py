"""What two people edit at once, the second is told; what is long, is told in pages."""

from __future__ import annotations

from server.api import keys
from server.domain.lesson import Lesson
from server.domain.org import UnitKind
from server.protocol.messages import LessonState
from server.store.county import FOUNDED
from server.store.records import RecordingRow
from tests.unit.api.conftest import Desk, words

ENTRY = {"entry": "go", "kind": "subject", "name": {"zh": "围棋", "en": "Go"}}
LESSONS = ("L0000000001", "L0000000002")


async def test_two_admins_who_edit_one_entry_of_the_catalogue_do_not_overwrite_each_other(desk: Desk) -> None:
    await desk.be("boss")
    status, made = await desk.ask("PUT", "curriculum", ENTRY)
    assert (status, made["version"]) == (200, 1)
    status, told = await desk.ask("PUT", "curriculum", ENTRY)
    assert (status, told["code"]) == (412, "stale_version"), "it is no new one any more"
    status, changed = await desk.ask("PUT", "curriculum", {**made, "position": 7})
    assert (status, changed["version"]) == (200, 2)
    assert (await desk.ask("PUT", "curriculum", {**made, "position": 9}))[0] == 412
    assert (await desk.ask("DELETE", "curriculum/go?version=1"))[0] == 412
    _, page = await desk.ask("GET", "curriculum?kind=subject&size=1000")
    assert changed in page["entries"]
    usual = next(row for row in page["entries"] if row["entry"] == "art")
    assert (await desk.ask("PUT", "curriculum", {**usual, "position": 3}))[0] == 200
    assert (await desk.ask("DELETE", "curriculum/go?version=2"))[0] == 204
    assert (await desk.ask("DELETE", "curriculum/art?version=x"))[1]["code"] == "bad_query"


async def test_two_admins_who_edit_one_call_list_do_not_overwrite_each_other(desk: Desk) -> None:
    await desk.be("boss")
    _, seen = await desk.ask("GET", "rooms/main/calls")
    assert seen == {"rooms": [], "version": 0}
    status, now = await desk.ask("PUT", "rooms/main/calls", {**seen, "rooms": ["yefan", "shahe"]})
    assert (status, now) == (200, {"rooms": ["shahe", "yefan"], "version": 1})
    status, told = await desk.ask("PUT", "rooms/main/calls", {**seen, "rooms": []})
    assert (status, told["code"]) == (412, "stale_version")
    assert (await desk.ask("GET", "rooms/main/calls"))[1] == now
    assert (await desk.ask("PUT", "rooms/main/calls", {**now, "rooms": []}))[0] == 200
    assert (await desk.ask("GET", "rooms/main/calls"))[1] == {"rooms": [], "version": 2}


async def test_who_describes_a_lesson_that_another_has_changed_is_told_and_nothing_is_changed(
    desk: Desk,
) -> None:
    for number, name in enumerate(LESSONS):
        lesson = Lesson(name, words("Lesson"), "main", (), LessonState.ENDED, 1_000 * number)
        await desk.store.save_lesson(lesson, None)
        await desk.store.save_recording(RecordingRow(name, "ready", 60.0))
    await desk.be("boss")
    _, page = await desk.ask("GET", "library?sort=oldest")
    versions = {card["lesson"]: card["version"] for card in page["cards"]}
    assert list(versions) == list(LESSONS)
    first = {"lessons": [LESSONS[1]], "versions": versions, "subject": "音乐"}
    assert (await desk.ask("PATCH", "library", first))[0] == 204
    second = {"lessons": list(LESSONS), "versions": versions, "subject": "美术"}
    status, told = await desk.ask("PATCH", "library", second)
    assert (status, told["code"]) == (412, "stale_version")
    _, page = await desk.ask("GET", "library?sort=oldest")
    assert [card["subject"] for card in page["cards"]] == ["", "音乐"], "all or none"
    library = desk.campus.app[keys.LIBRARY]
    row = await library.row(LESSONS[0])
    assert row is not None
    assert row.catalogue.version == versions[LESSONS[0]]
    assert (await desk.ask("PATCH", "library", {**second, "versions": {}}))[0] == 204


async def test_classes_and_catalogue_are_told_in_pages(desk: Desk) -> None:
    for number in range(3):
        name = f"class{number}"
        await desk.store.county.add(UnitKind.CLASS, words(name), "yefan", since=FOUNDED, unit=name)
    await desk.be("li")
    _, first = await desk.ask("GET", "consents?size=3")
    _, second = await desk.ask("GET", "consents?size=3&page=2")
    assert (first["total"], second["total"]) == (4, 4)
    told = [row["unit"] for row in (*first["rows"], *second["rows"])]
    assert sorted(told) == ["class", "class0", "class1", "class2"]
    _, below = await desk.ask("GET", "consents?unit=yefan")
    assert (below["total"], (await desk.ask("GET", "consents?unit=river"))[1]["total"]) == (3, 0)
    assert (await desk.ask("GET", "consents?size=101"))[1]["code"] == "bad_query"
    _, all_of_them = await desk.ask("GET", "curriculum?kind=subject")
    _, page = await desk.ask("GET", "curriculum?kind=subject&size=5&page=2")
    assert (page["total"], page["entries"]) == (all_of_them["total"], all_of_them["entries"][5:10])
    assert (await desk.ask("GET", "curriculum?size=1001"))[1]["code"] == "bad_query"
